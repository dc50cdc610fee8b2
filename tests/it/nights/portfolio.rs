//! The portfolio over several nights: where the money of each bucket went, by the loan service's own books.

use integrity::monitor::{Dimension, LoanLine, PortfolioLine, RollBasis, RollRate, VintageLine};
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::rows;
use super::{FIRST_NIGHT, Lender, at, offers_of, shipped_orders, trading_marketplace};

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

/// The night's own cells, as (from, to, moved).
fn rolled(run: &std::path::Path, to_on: Date) -> Vec<(String, String, i64)> {
    let rates = rows::<RollRate>(run).into_iter().filter(|r| r.basis == RollBasis::Night && r.to_on == to_on);
    rates.map(|r| (r.from_place, r.to_place, r.moved_minor)).collect()
}

#[test]
fn money_rolls_from_bucket_to_bucket_and_history_grows() {
    let faults = [("loans", "older"), ("instalments", "older"), ("payments", "absent")];
    let allow = faults.map(|(table, what)| {
        format!("[[gates.allow]]\ntable = \"{table}\"\nwhat = \"{what}\"\nuntil = \"2025-12-31\"\nreason = \"a small market\"\n")
    });
    let lender = Lender::with(&[("job.toml", "[model]", &format!("{}\n[model]", allow.concat()))]);
    let mut market = trading_marketplace(&lender, 2);
    shipped_orders(&mut market, "m01", 3, day(-3));
    let first = lender.night(&market, day(0)).published.run_dir;
    assert!(rows::<RollRate>(&first).is_empty() && rows::<LoanLine>(&first).is_empty());

    let offers = offers_of(&first);
    let offer = offers.iter().find(|o| o.merchant_id == "m01" && o.product == "order-loan").unwrap();
    let loan = market.draw(offer, offer.limit_minor, at(day(0), 9));
    let lent = offer.limit_minor;
    let drawn = lender.night(&market, day(5)).published.run_dir;
    assert_eq!(rolled(&drawn, day(5)), [("new".to_owned(), "current".to_owned(), lent)]);

    let late = lender.night(&market, day(9)).published.run_dir;
    assert_eq!(rolled(&late, day(9)), [("current".to_owned(), "1-30".to_owned(), lent)]);
    let line = &rows::<LoanLine>(&late)[0];
    assert_eq!((line.dpd, line.outstanding_minor, line.category.as_deref()), (Some(2), Some(lent), Some("books")));
    let vintage = rows::<VintageLine>(&late);
    assert_eq!((vintage.len(), vintage[0].lent_minor, vintage[0].defaulted_loans), (1, lent, 0));

    let owed = market.loans()[&loan].owed_minor(at(day(9), 9));
    market.repay(&loan, owed, at(day(9), 9));
    let repaid = lender.night(&market, day(10)).published.run_dir;
    assert_eq!(rolled(&repaid, day(10)), [("1-30".to_owned(), "paid-off".to_owned(), lent)]);

    let page = |run: &std::path::Path| std::fs::read_to_string(run.join("portfolio.html")).unwrap();
    for (run, texts) in [
        (&late, &["<td>1-30</td>", "100.0 %", "Vintages", "Concentrations", "Drift", "3 nights."][..]),
        (&repaid, &["<td>1-30</td>", "paid-off", "4 nights."][..]),
    ] {
        let page = page(run);
        assert!(texts.iter().all(|text| page.contains(text)), "{texts:?} in {}", run.display());
        assert!(!page.contains("<script") && !page.contains("src="), "the page fetches and runs nothing");
    }

    // The curve that analysts plot: a point a night.
    let all = rows::<PortfolioLine>(&repaid).into_iter().filter(|line| line.dimension == Dimension::All);
    let curve: Vec<(Date, Option<i64>)> = all.map(|line| (line.night_on, line.outstanding_minor)).collect();
    assert_eq!(curve, [(day(0), Some(0)), (day(5), Some(lent)), (day(9), Some(lent)), (day(10), Some(0))]);
    assert_eq!(rolled(&repaid, day(9)), rolled(&late, day(9)), "earlier nights are carried");
}
