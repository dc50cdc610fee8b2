//! What the monitor file promises: a null that a rule's verdict depends on raises no alert, and the rule is counted as unable to say.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::date;
use jiff::tz::TimeZone;

use crate::config::ConfigFile;
use crate::domain::AsOf;
use crate::monitor::{Monitor, MonitorCase, Officers, WatchContext, watch};
use crate::repayment::MerchantLoans;

/// Rules of each kind that reads features, here called `a`, `b` and `c`.
const RULES: [&str; 16] = [
    "kind = 'trade-drop'\ntrend = 'a'\nusual = 'b'\nmin_usual = 100\ndrop_share = 0.7",
    "kind = 'trade-drop'\ntrend = 'a'\nusual = 'b'\nmin_usual = 100\ndrop_share = 0.7\ncount = 'c'\nmin_count = 5",
    "kind = 'volume-drop'\nseason = 'a'\nindustry = 'b'\nusual = 'c'\nmin_usual = 100\ndrop_share = 0.5",
    "kind = 'industry-downturn'\nindustry = 'a'\ndrop_share = 0.5",
    "kind = 'cancellations'\nshare = 'a'\ncount = 'b'\nusual = 'c'\nfrom_share = 0.1\nmin_count = 3\nfrom_factor = 2",
    "kind = 'evaluations'\nshare = 'a'\ncount = 'b'\nusual = 'c'\nfrom_share = 0.1\nmin_count = 3\nfrom_factor = 2",
    "kind = 'lawsuits'\ncount = 'a'\nfrom_count = 1",
    "kind = 'brushing'\nshare = 'a'\ncount = 'b'\nfrom_share = 0.3\nmin_count = 5",
    "kind = 'utilisation'\nowed = 'a'\nreceipts = 'b'\nreceipts_days = 30\nmin_owed = 1\nfrom_share = 0.5",
    "kind = 'early-repayment-stopped'\nusual = 'a'\nrecent = 'b'\nfrom_usual = 0.3\nto_recent = 0.1",
    "kind = 'silence'\nsince = 'a'\nusual = 'b'\nusual_days = 5\nmin_usual = 5\nfrom_missed = 3",
    "kind = 'dispute-spike'\nshare = 'a'\ntrend = 'b'\nfrom_share = 0.1\nfrom_trend = 0.3",
    "kind = 'shipping-stall'\noverdue = 'a'\nbacklog = 'b'\nfrom_overdue = 5\nfrom_backlog = 0.3",
    "kind = 'verification-lost'\nlevel = 'a'",
    "kind = 'feature'\nfeature = 'a'\nfrom = 0.4",
    "kind = 'feature'\nfeature = 'a'\nto = 0.4",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Fired,
    Quiet,
    Unknown,
}

fn monitor(rule: &str) -> Monitor {
    let text = format!(
        "watch = 'all'\nwaterfall = {{ within = ['fee', 'interest', 'principal'], early_close_tolerance_minor = 0 }}\n\
         class_from_dpd = {{ special_mention = 1, substandard = 91, doubtful = 271, loss = 361 }}\n\
         bucket = [{{ name = 'all', from_dpd = 0 }}]\n\
         [[rule]]\ncode = 'the-rule'\ntext = 't'\nseverity = 'warning'\naction = 'freeze'\n{rule}\n"
    );
    Monitor::check(ConfigFile::from_text(Path::new("monitor.toml"), &text)).unwrap()
}

fn verdict(monitor: &Monitor, [a, b, c]: [Option<f64>; 3]) -> Verdict {
    let as_of = AsOf::new(date(2018, 8, 1), TimeZone::UTC).unwrap();
    let features = BTreeMap::from([("a".to_owned(), a), ("b".to_owned(), b), ("c".to_owned(), c)]);
    // The one rule that looks at the night before reads its `a` as `b` of tonight.
    let features_before = BTreeMap::from([("a".to_owned(), b)]);
    let loans = Some(MerchantLoans::default());
    let case = MonitorCase {
        merchant_id: "m",
        features: &features,
        loans,
        features_before: &features_before,
        pledges: None,
        outlook: None,
        standing: &[],
    };
    let found = watch(&WatchContext { monitor, officers: &Officers::default(), as_of: &as_of }, &case).unwrap();
    match (found.alerts.len(), found.unknown.get("the-rule")) {
        (1, None) => Verdict::Fired,
        (0, None) => Verdict::Quiet,
        (0, Some(1)) => Verdict::Unknown,
        other => panic!("{other:?}"),
    }
}

/// Values on both sides of every threshold above, and on it.
const VALUES: [f64; 9] = [-1.0, -0.6, 0.0, 0.09, 0.1, 0.3, 0.4, 5.0, 1_000.0];

/// The same for what can only be a share.
const SHARES: [f64; 6] = [0.0, 0.09, 0.1, 0.3, 0.4, 1.0];

/// Over every rule, all values of its operands and every subset of them that is null: a verdict is given only where all values that could
/// stand in the nulls' place lead to it. So no rule fires because something is missing, and none says that all is well.
#[test]
fn a_null_that_the_verdict_depends_on_is_unknown() {
    let mut seen = BTreeMap::new();
    for rule in RULES {
        let monitor = monitor(rule);
        let is_of_shares = rule.contains("from_factor");
        let with_null =
            |values: &[f64]| -> Vec<Option<f64>> { values.iter().map(|v| Some(*v)).chain([None]).collect() };
        let of_first = if is_of_shares { SHARES.to_vec() } else { VALUES.to_vec() };
        let thirds = if rule.contains("'c'") { with_null(&of_first) } else { vec![Some(0.0)] };
        let pairs = with_null(&of_first).into_iter().flat_map(|a| with_null(&VALUES).into_iter().map(move |b| (a, b)));
        for ((a, b), &c) in pairs.flat_map(|pair| thirds.iter().map(move |c| (pair, c))) {
            let given = verdict(&monitor, [a, b, c]);
            *seen.entry((rule, given)).or_insert(0) += 1;
            // In a null's place could stand more, or less, than any value here.
            let wide = [-1e9, 1e9];
            let most = if is_of_shares { [0.0, 1.0] } else { wide };
            let stand_ins =
                |cell: Option<f64>, all: &[f64], most: &[f64]| cell.map_or([all, most].concat(), |value| vec![value]);
            let of_a = stand_ins(a, &of_first, &most);
            let of_b = stand_ins(b, &VALUES, &wide);
            let of_c = stand_ins(c, &of_first, &most);
            let pairs = of_a.iter().flat_map(|a| of_b.iter().map(move |b| (*a, *b)));
            let triples = pairs.flat_map(|(a, b)| of_c.iter().map(move |c| [Some(a), Some(b), Some(*c)]));
            let mut possible = triples.map(|cells| verdict(&monitor, cells));
            let first = possible.next().unwrap();
            let expected = if possible.all(|p| p == first) { first } else { Verdict::Unknown };
            assert_eq!(given, expected, "{rule}: a = {a:?}, b = {b:?}, c = {c:?}");
        }
    }
    assert_eq!(seen.len(), 3 * RULES.len(), "every rule gives every verdict: {seen:?}");
}
