use proptest::prelude::*;

use super::*;
use crate::monitor::portfolio::fixture::{AS_OF, loan, monitor};
use crate::repayment::LoanHistory;

fn provide(loan: &LoanStanding, class: Class, pd: Option<f64>) -> (Stage, Vec<i64>, i64) {
    let terms = monitor().portfolio.provisions.unwrap();
    let provision = terms.provide(loan, class, pd, 180, AS_OF);
    (provision.stage, provision.by_scenario, provision.weighted_minor)
}

fn ending(days: i64, dpd: i64) -> LoanStanding {
    let ends_on = AS_OF.checked_add(jiff::Span::new().days(days)).ok();
    LoanStanding { history: LoanHistory { ends_on, ..LoanHistory::default() }, ..loan("m", "1", dpd, 1_000_000) }
}

#[test]
fn performing_loans_are_provided_for_over_a_year_at_most_and_others_over_their_term() {
    // Half of a million is lost at default. Over 90 of 180 days, p = 0.1: 1 − 0.9^0.5 = 0.0513167; at 1.7 × 0.1: 1 − 0.83^0.5 = 0.0889566.
    assert_eq!(provide(&ending(90, 0), Class::Normal, Some(0.1)), (Stage::Performing, vec![25_658, 44_478], 30_363));
    let over = |days, pd| provide(&ending(days, 0), Class::Normal, Some(pd)).1[0];
    assert_eq!(over(365, 0.1), over(730, 0.1), "a year at most");
    // 1 − 0.8^(730 ÷ 180), and 1 − 0.81^(365 ÷ 180): the whole term once the risk has risen.
    assert_eq!((over(730, 0.2), over(730, 0.19)), (297_723, 173_865));
}

#[test]
fn stages_follow_lateness_restructuring_and_what_is_not_known() {
    let stage = |loan: &LoanStanding, class, pd| provide(loan, class, pd).0;
    let restructured = LoanStanding { is_restructured: true, ..ending(90, 0) };
    assert_eq!(stage(&ending(90, 30), Class::SpecialMention, Some(0.1)), Stage::Performing);
    assert_eq!(stage(&ending(90, 31), Class::SpecialMention, Some(0.1)), Stage::UnderPerforming);
    assert_eq!(stage(&ending(90, 0), Class::Normal, Some(0.2)), Stage::UnderPerforming);
    assert_eq!(stage(&restructured, Class::Normal, Some(0.1)), Stage::UnderPerforming);
    assert_eq!(stage(&ending(90, 0), Class::Substandard, Some(0.1)), Stage::Impaired, "contagion");
    let in_full = vec![500_000, 500_000];
    assert_eq!(provide(&ending(90, 0), Class::Normal, None), (Stage::UnderPerforming, in_full.clone(), 500_000));
    assert_eq!(provide(&ending(90, 0), Class::Loss, Some(0.0)).1, in_full);
    let terms = monitor().portfolio.provisions.unwrap();
    assert_eq!(terms.of_unknown(Some(1_000_000)).by_scenario, in_full);
}

proptest! {
    /// More risk is never cheaper, nothing costs more than what is lost at default, and the weighted provision lies between the scenarios.
    #[test]
    fn provisions_rise_with_risk(days in 1_i64..900, pd in 0.0..1.0_f64, more in 0.0..1.0_f64, dpd in 0_i64..60) {
        let of = |pd| provide(&ending(days, dpd), Class::Normal, Some(pd));
        let (low, high) = (of(pd), of((pd + more).min(1.0)));
        prop_assert!(low.1[0] <= high.1[0] && low.1[0] <= low.1[1] && high.1[1] <= 500_000);
        prop_assert!((low.1[0]..=low.1[1]).contains(&low.2));
        prop_assert!(provide(&ending(days, dpd), Class::Substandard, Some(pd)).1[0] >= low.1[1]);
    }
}
