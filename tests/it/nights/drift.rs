//! A night that differs too much from the one before stops, and the run before stays readable.

use std::collections::BTreeSet;

use integrity::monitor::{DriftBin, DriftFault, DriftLine};
use integrity::publish::ScoreBook;
use integrity::run::{GateError, RunError};
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::rows;
use super::{FIRST_NIGHT, Lender, offers_of, shipped_orders, trading_marketplace};

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

#[test]
fn a_jump_of_the_sum_offered_stops_the_night_until_it_is_allowed() {
    let bound = "[drift]\nmax_offered_change_share = 0.5\n\n[portfolio]";
    let lender = Lender::with(&[("monitor.toml", "[portfolio]", bound)]);
    let mut market = trading_marketplace(&lender, 3);
    shipped_orders(&mut market, "m01", 3, day(-3));
    let first = lender.night(&market, day(0)).published.run_dir;
    assert!(!offers_of(&first).is_empty());
    let of_first = rows::<DriftLine>(&first);
    assert_eq!(of_first.iter().filter(|line| line.variable.is_none()).count(), 1, "one row of the score");
    assert!(of_first.iter().all(|line| line.first_night_on == Some(day(0)) && line.first_night_index.is_none()));

    // A slip of the pen in the policy: nobody may owe more than the smallest sum.
    lender.change("policy.toml", "total_cap_minor = 101_000_000", "total_cap_minor = 10_000");
    let stopped = lender.night_without(&market, day(1), &[]).unwrap_err();
    let RunError::Gate(GateError::Drift(faults)) = &stopped else { panic!("{stopped}") };
    assert!(matches!(faults[..], [DriftFault::Offered { was, is, .. }] if is < was), "{stopped}");
    assert!(stopped.to_string().contains("max_offered_change_share"), "{stopped}");
    let out = first.parent().and_then(|date| date.parent()).expect("the folder of runs");
    assert_eq!(ScoreBook::open(out).unwrap().as_of(), day(0), "readers still see the run before");

    // Allowed until the night before, it stops the night as before.
    let allow = |until: Date| {
        format!(
            "max_offered_change_share = 0.5\n[[drift.allow]]\nwhat = \"offered\"\nuntil = \"{until}\"\nreason = \"a smaller policy\"\n"
        )
    };
    lender.change("monitor.toml", "max_offered_change_share = 0.5", &allow(day(0)));
    assert!(lender.night_without(&market, day(1), &[]).is_err());
    lender.change("monitor.toml", &format!("until = \"{}\"", day(0)), &format!("until = \"{}\"", day(1)));
    let second = lender.night(&market, day(1));
    assert!(second.summary.text().contains("a smaller policy"), "{}", second.summary.text());
    let second = second.published.run_dir;
    let of_second = rows::<DriftLine>(&second);
    for line in of_second.iter().filter(|line| line.night_on == day(1) && line.index.is_some()) {
        assert_eq!(line.first_night_on, Some(day(0)), "{line:?}");
        assert!(
            line.first_night_index.zip(line.first_night_critical).is_none_or(|(index, chance)| index < chance),
            "{line:?}"
        );
    }
    let (bins, of_first) = (rows::<DriftBin>(&second), rows::<DriftBin>(&first));
    assert!(
        bins.iter().zip(&of_first).all(|(bin, first)| bin.first_night_rows == first.rows && bin.label == first.label)
    );
    for line in of_second.iter().filter(|line| line.night_on == day(1)) {
        let own = bins.iter().filter(|bin| bin.variable == line.variable);
        assert_eq!(own.map(|bin| bin.rows).sum::<i64>(), line.rows, "everybody lies in one bin: {line:?}");
    }
    let nights: BTreeSet<Date> = of_second.into_iter().map(|line| line.night_on).collect();
    assert_eq!(nights.into_iter().collect::<Vec<_>>(), [day(0), day(1)], "history is carried");
}
