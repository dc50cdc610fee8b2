//! What the monitor file promises: a null that a rule's verdict depends on raises no alert, and the rule is counted as unable to say.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::date;
use jiff::tz::TimeZone;

use crate::config::ConfigFile;
use crate::domain::AsOf;
use crate::monitor::{Monitor, MonitorCase, Officers, WatchContext, watch};
use crate::repayment::MerchantLoans;

/// Rules of each kind that reads features, here called `a` and `b`.
const RULES: [&str; 5] = [
    "kind = 'trade-drop'\ntrend = 'a'\nusual = 'b'\nmin_usual = 100\ndrop_share = 0.7",
    "kind = 'dispute-spike'\nshare = 'a'\ntrend = 'b'\nfrom_share = 0.1\nfrom_trend = 0.3",
    "kind = 'shipping-stall'\noverdue = 'a'\nbacklog = 'b'\nfrom_overdue = 5\nfrom_backlog = 0.3",
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

fn verdict(monitor: &Monitor, a: Option<f64>, b: Option<f64>) -> Verdict {
    let as_of = AsOf::new(date(2018, 8, 1), TimeZone::UTC).unwrap();
    let features = BTreeMap::from([("a".to_owned(), a), ("b".to_owned(), b)]);
    let loans = Some(MerchantLoans::default());
    let case = MonitorCase { merchant_id: "m", features: &features, loans, standing: &[] };
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

/// Over every rule, all values of its operands and every subset of them that is null: a verdict is given only where all values that could
/// stand in the nulls' place lead to it. So no rule fires because something is missing, and none says that all is well.
#[test]
fn a_null_that_the_verdict_depends_on_is_unknown() {
    let mut seen = BTreeMap::new();
    for rule in RULES {
        let monitor = monitor(rule);
        let cells = || VALUES.iter().map(|v| Some(*v)).chain([None]);
        for a in cells() {
            for b in cells() {
                let given = verdict(&monitor, a, b);
                *seen.entry((rule, given)).or_insert(0) += 1;
                let stand_ins = |cell: Option<f64>| cell.map_or(VALUES.to_vec(), |value| vec![value]);
                let (of_a, of_b) = (stand_ins(a), stand_ins(b));
                let mut possible = of_a.iter().flat_map(|a| of_b.iter().map(|b| verdict(&monitor, Some(*a), Some(*b))));
                let first = possible.next().unwrap();
                let expected = if possible.all(|p| p == first) { first } else { Verdict::Unknown };
                assert_eq!(given, expected, "{rule}: a = {a:?}, b = {b:?}");
            }
        }
    }
    assert_eq!(seen.len(), 3 * RULES.len(), "every rule gives every verdict: {seen:?}");
}
