use proptest::prelude::*;

use super::*;
use crate::repayment::Causes;
use crate::repayment::fixture::overdue_loan;

const CLASSES: ClassThresholds = ClassThresholds {
    special_mention_from_dpd: 1,
    substandard_from_dpd: 91,
    doubtful_from_dpd: 271,
    loss_from_dpd: 361,
};

fn buckets() -> Vec<Bucket> {
    let bucket = |name: &str, from_dpd, to_dpd| Bucket { name: name.into(), from_dpd, to_dpd };
    vec![bucket("current", 0, Some(0)), bucket("1-90", 1, Some(90)), bucket("over-90", 91, None)]
}

fn loan(merchant_id: &str, product: &str, dpd: i64, outstanding_minor: i64) -> LoanStanding {
    LoanStanding {
        merchant_id: merchant_id.into(),
        loan_id: String::new(),
        outstanding_minor,
        is_in_default: dpd >= if product == "order-loan" { 30 } else { 90 },
        ..overdue_loan(product, dpd)
    }
}

fn portfolio(loans: &[LoanStanding]) -> Portfolio {
    let ledger = LoanLedger { known: loans.to_vec(), unknown: Vec::new(), remarks: Vec::new() };
    Portfolio::of(&ledger, &buckets(), &CLASSES, &DefaultedGroups::of(&ledger)).unwrap()
}

#[test]
fn classes_and_buckets_begin_on_their_day() {
    for (dpd, class, bucket) in [
        (0, Class::Normal, "current"),
        (1, Class::SpecialMention, "1-90"),
        (90, Class::SpecialMention, "1-90"),
        (91, Class::Substandard, "over-90"),
        (270, Class::Substandard, "over-90"),
        (271, Class::Doubtful, "over-90"),
        (360, Class::Doubtful, "over-90"),
        (361, Class::Loss, "over-90"),
    ] {
        assert_eq!(Class::of(dpd, dpd, &CLASSES), class, "{dpd}");
        assert_eq!(bucket_of(&buckets(), dpd).map(|b| b.name.as_str()), Some(bucket), "{dpd}");
    }
}

#[test]
fn one_defaulted_loan_marks_all_of_the_borrowers() {
    let p = portfolio(&[
        loan("m1", "credit-loan", 0, 1_000),
        loan("m1", "order-loan", 30, 200),
        loan("m2", "credit-loan", 89, 500),
        loan("m3", "credit-loan", 300, 10),
        loan("m3", "credit-loan", 0, 90),
    ]);
    assert_eq!((p.borrowers, p.open), (3, Tally { loans: 5, outstanding_minor: 1_800 }));
    // m1: an order loan 30 days past due is a default, so the borrower is at least substandard; m3 is doubtful throughout.
    assert_eq!(p.by_class[&Class::Substandard], Tally { loans: 2, outstanding_minor: 1_200 });
    assert_eq!(p.by_class[&Class::Doubtful], Tally { loans: 2, outstanding_minor: 100 });
    assert_eq!(p.by_class[&Class::SpecialMention], Tally { loans: 1, outstanding_minor: 500 });
    assert_eq!(p.non_performing, Tally { loans: 4, outstanding_minor: 1_300 });
    assert_eq!(p.non_performing_share(), Some(1_300.0 / 1_800.0));
    assert_eq!(p.by_bucket["current"], Tally { loans: 2, outstanding_minor: 1_090 });
    assert_eq!(p.arrears_minor, 3);
}

#[test]
fn closed_loans_are_gone_and_written_off_ones_stand_apart_but_mark_the_borrower() {
    let closed = LoanStanding { is_closed: true, ..loan("m1", "credit-loan", 0, 0) };
    let written_off = LoanStanding { is_written_off: true, ..loan("m2", "credit-loan", 400, 70) };
    let p = portfolio(&[closed, written_off, loan("m2", "credit-loan", 0, 30)]);
    assert_eq!((p.borrowers, p.open), (1, Tally { loans: 1, outstanding_minor: 30 }));
    assert_eq!(p.written_off, Tally { loans: 1, outstanding_minor: 70 });
    assert_eq!(p.non_performing, Tally { loans: 1, outstanding_minor: 30 });
    assert_eq!(portfolio(&[]).non_performing_share(), None);
}

#[test]
fn trifling_arrears_are_mentioned_but_perform() {
    let trifling = LoanStanding { material_dpd: 0, is_in_default: false, ..loan("m1", "credit-loan", 400, 1_000) };
    let p = portfolio(&[trifling]);
    assert_eq!(p.by_class[&Class::SpecialMention].loans, 1);
    assert_eq!((p.non_performing.loans, p.by_bucket["over-90"].loans), (0, 1));
}

#[test]
fn an_unknown_loan_is_a_line_of_its_own_and_never_current() {
    let lost = |merchant: &str, principal_minor| UnknownLoan {
        merchant_id: merchant.into(),
        loan_id: None,
        product: None,
        principal_minor,
        group_id: None,
        causes: Causes::default(),
    };
    let ledger = LoanLedger {
        known: vec![loan("m1", "credit-loan", 0, 1_000)],
        unknown: vec![lost("m1", Some(700)), lost("m2", None), lost("m3", Some(50))],
        remarks: Vec::new(),
    };
    let p = Portfolio::of(&ledger, &buckets(), &CLASSES, &DefaultedGroups::of(&ledger)).unwrap();
    assert_eq!(p.unknown, UnknownTally { loans: 3, principal_minor: 750, without_principal: 1, without_merchant: 0 });
    assert_eq!((p.open.loans, p.by_bucket["current"].loans, p.borrowers), (1, 1, 1));
    assert_eq!(p.unknown_share(), Some(0.75));
    let mut twice = p.clone();
    twice.merge(&p).unwrap();
    assert_eq!((twice.unknown.loans, twice.known_loans, twice.unknown_share()), (6, 2, Some(0.75)));
    assert_eq!(portfolio(&[]).unknown_share(), None);
}

proptest! {
    #[test]
    fn shards_merge_to_the_whole_in_any_order(
        loans in prop::collection::vec((0_u8..20, 0_i64..400, 0_i64..1_000_000, any::<bool>(), any::<bool>()), 0..60),
        shards in 1_u8..6,
    ) {
        let mut standings: Vec<LoanStanding> = loans
            .iter()
            .map(|&(m, dpd, owed, is_closed, is_written_off)| LoanStanding {
                is_closed,
                must_be_sent: true,
                is_written_off,
                ..loan(&format!("m{m:02}"), "credit-loan", dpd, owed)
            })
            .collect();
        standings.sort_by(|a, b| a.merchant_id.cmp(&b.merchant_id));
        let whole = portfolio(&standings);
        let shard_of = |l: &LoanStanding| l.merchant_id.bytes().map(u32::from).sum::<u32>() % u32::from(shards);
        let mut merged = Portfolio::default();
        for shard in (0..u32::from(shards)).rev() {
            let part: Vec<_> = standings.iter().filter(|l| shard_of(l) == shard).cloned().collect();
            merged.merge(&portfolio(&part)).unwrap();
        }
        prop_assert_eq!(&merged, &whole);
        let buckets: i64 = whole.by_bucket.values().map(|t| t.outstanding_minor).sum();
        let classes: i64 = whole.by_class.values().map(|t| t.outstanding_minor).sum();
        prop_assert_eq!((buckets, classes), (whole.open.outstanding_minor, whole.open.outstanding_minor));
    }
}
