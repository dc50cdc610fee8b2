use std::path::Path;

use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::config::ConfigFile;
use crate::domain::AsOf;
use crate::offer::property_tests::{POLICY, Shop};
use crate::offer::{CapName, Offer, decide, reproduce};

fn terms(asset_correlation: f64, guarantors_needed: u32) -> Dependence {
    Dependence { asset_correlation, guarantors_needed, confidence_prob: 0.999 }
}

fn member(pd_ppm: u32, group_loans_minor: i64) -> Member {
    Member { group_loans_minor, pd_ppm: Some(pd_ppm) }
}

fn pd(p: f64) -> Probability {
    Probability::new(p).unwrap()
}

#[test]
fn without_correlation_the_guarantee_fails_as_often_as_too_many_default_by_chance() {
    let others = [member(100_000, 0), member(300_000, 0)];
    let of = |needed| too_few_stand(&terms(0.0, needed), &others, pd(0.05));
    // One of two must stand: both default in 3 % of cases; both must stand: 1 − 0.9 × 0.7; three are not there.
    assert!((of(1) - 0.03).abs() < 1e-12 && (of(2) - 0.37).abs() < 1e-12, "{} {}", of(1), of(2));
    assert_eq!((of(3), of(9), too_few_stand(&terms(0.0, 1), &[], pd(0.05))), (1.0, 1.0, 1.0));
    // Of whom nothing is known does not stand.
    let unknown = [Member { group_loans_minor: 0, pd_ppm: None }, member(300_000, 0)];
    assert!((too_few_stand(&terms(0.0, 1), &unknown, pd(0.05)) - 0.3).abs() < 1e-12);
}

#[test]
fn a_member_answers_for_the_largest_loans_that_may_fail_at_once() {
    let others = [member(10_000, 500), member(10_000, 300), member(10_000, 200)];
    let of = |correlation: f64, confidence_prob: f64| {
        may_fail_minor(&Dependence { confidence_prob, ..terms(correlation, 2) }, &others)
    };
    // Independent at 1 %: none with 97.03 %, at most one with 99.97 %.
    assert_eq!([0.97, 0.98, 0.999_75, 0.999_99].map(|confidence| of(0.0, confidence)), [0, 500, 800, 800]);
    // Nearly together: one in a hundred fails, and then all do.
    assert_eq!([of(0.95, 0.98), of(0.95, 0.999)], [0, 1_000]);
    assert_eq!(may_fail_minor(&terms(0.2, 2), &[]), 0);
    assert_eq!(may_fail_minor(&terms(0.2, 2), &[Member { group_loans_minor: 7, pd_ppm: None }]), 7);
}

#[test]
fn what_counts_beside_the_others_loans_counts_in_full() {
    // 1,000 of others in the group, and 700 of a group that was left.
    let group = GroupShare {
        allowance_minor: Some(1),
        liability_minor: 1_700,
        has_default: false,
        fewest_members: Some(3),
        others: vec![vec![member(10_000, 500), member(10_000, 300), member(10_000, 200)]],
    };
    assert_eq!((liability_minor(&policy(""), &group), liability_minor(&dependent(0.0), &group)), (1_700, 700 + 500));
    let left_only = GroupShare { others: Vec::new(), ..group };
    assert_eq!(liability_minor(&dependent(0.0), &left_only), 1_700);
}

fn policy(dependence: &str) -> Policy {
    let text = POLICY.replace("name = \"credit-loan\"", "name = \"group-loan\"");
    let text = text.replace("[price]\n", &format!("[groups]\ncap_minor = 900_000_000\n{dependence}[price]\n"));
    Policy::check(ConfigFile::from_text(Path::new("policy.toml"), &text)).unwrap()
}

fn dependent(asset_correlation: f64) -> Policy {
    policy(&format!("[groups.dependence]\nasset_correlation = {asset_correlation:?}\nguarantors_needed = 1\n"))
}

/// The group loan that is offered to a shop of 8 % under a policy; the others owe on the group's loans.
fn offered(policy: &Policy, shop: &Shop, others: &[Member]) -> Option<Offer> {
    let as_of = AsOf::new(date(2018, 8, 1), TimeZone::UTC).unwrap();
    let decision = shop.with_case((600, "A", pd(0.08)), None, |case| {
        let mut account = case.account.clone();
        account.group = Some(GroupShare {
            allowance_minor: Some(900_000_000),
            liability_minor: others.iter().map(|member| member.group_loans_minor).sum(),
            has_default: false,
            fewest_members: u32::try_from(others.len() + 1).ok(),
            others: vec![others.to_vec()],
        });
        decide(policy, &MerchantCase { account: &account, ..case.clone() }, &as_of).unwrap()
    });
    decision.offers.into_iter().find(|offer| offer.product == "group-loan")
}

#[test]
fn price_and_caps_of_a_group_loan_follow_how_its_members_depend_on_one_another() {
    let others = [member(20_000, 400_000), member(50_000, 100_000), member(30_000, 0)];
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let (alone, less, more) = (policy(""), dependent(0.05), dependent(0.5));
    let mut seen = 0;
    for _ in 0..400 {
        let shop = Shop::random(&mut rng);
        let [Some(alone), Some(less), Some(more)] =
            [&alone, &less, &more].map(|policy| offered(policy, &shop, &others))
        else {
            continue;
        };
        seen += 1;
        for offer in [&alone, &less, &more] {
            reproduce(offer).unwrap();
        }
        let fails = [less.guarantee_fails_prob.unwrap(), more.guarantee_fails_prob.unwrap()];
        assert!(alone.guarantee_fails_prob.is_none() && fails[0] < fails[1] && fails[1] < 1.0, "{fails:?}");
        // Lost with the guarantee is less than lost without, and more where members fail together.
        let lost = [&less, &more, &alone].map(|offer| (offer.term_pd_prob, offer.expected_loss_daily_ppm));
        assert!(lost[0].0 < lost[1].0 && lost[1].0 < lost[2].0 && lost.is_sorted_by_key(|l| l.1), "{lost:?}");
        assert!((less.term_pd_prob - 0.08 * fails[0]).abs() < 1e-9, "the term is the horizon");
        // What binds counts for less only as far as fewer may fail at once.
        let means = |offer: &Offer| {
            let cap = offer.caps.iter().find(|cap| cap.name == CapName::IntegrityCapital).unwrap();
            cap.gross_minor.unwrap() - cap.value_minor.unwrap()
        };
        let answered = [&less, &more, &alone].map(means);
        assert!(answered.is_sorted() && answered[2] - answered[0] <= 500_000, "{answered:?}");
    }
    assert!(seen > 50, "{seen}");
}

#[test]
fn a_policy_says_how_members_depend_within_its_bounds() {
    let read = dependent(0.24).groups.unwrap().dependence.unwrap();
    assert_eq!((read.asset_correlation, read.guarantors_needed, read.confidence_prob), (0.24, 1, 0.999));
    let default = policy("[groups.dependence]\nasset_correlation = 0.1\n").groups.unwrap().dependence.unwrap();
    assert_eq!(default.guarantors_needed, 2);
    for wrong in ["asset_correlation = 1.0", "asset_correlation = 0.1\nconfidence_prob = 1.0", "guarantors_needed = 2"]
    {
        let text = format!("{POLICY}[groups]\ncap_minor = 1\n[groups.dependence]\n{wrong}\n");
        assert!(Policy::check(ConfigFile::from_text(Path::new("policy.toml"), &text)).is_err(), "{wrong}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// A riskier member, or a riskier borrower, never makes what a loan is priced on smaller, nor what a member answers for.
    #[test]
    fn riskier_members_never_make_a_guarantee_better(
        risks in prop::collection::vec((100_u32..500_000, 0_i64..1_000), 1..6), at in 0_usize..6, more in 1_u32..400_000,
        own in 0.001_f64..0.5, correlation in 0.0_f64..0.95, needed in 1_u32..5,
    ) {
        let others: Vec<Member> = risks.iter().map(|(ppm, loans)| member(*ppm, *loans)).collect();
        let mut riskier = others.clone();
        let place = at % riskier.len();
        riskier[place].pd_ppm = riskier[place].pd_ppm.map(|ppm| ppm + more);
        let terms = terms(correlation, needed);
        let lost = |others: &[Member], own: f64| own * too_few_stand(&terms, others, pd(own));
        prop_assert!(lost(&riskier, own) >= lost(&others, own) - 1e-12);
        prop_assert!(lost(&others, own * 1.5) >= lost(&others, own) - 1e-12);
        prop_assert!(may_fail_minor(&terms, &riskier) >= may_fail_minor(&terms, &others));
        let all: i64 = others.iter().map(|member| member.group_loans_minor).sum();
        prop_assert!(may_fail_minor(&terms, &others) <= all);
    }
}

#[test]
fn a_group_of_fewer_than_three_guarantees_nothing() {
    let as_of = AsOf::new(date(2018, 8, 1), TimeZone::UTC).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let policy = policy("");
    let shop = (0..200)
        .map(|_| Shop::random(&mut rng))
        .find(|shop| offered(&policy, shop, &[member(0, 0); 2]).is_some())
        .unwrap();
    let decided_in = |group: Option<GroupShare>| {
        shop.with_case((600, "A", pd(0.08)), None, |case| {
            let mut account = case.account.clone();
            account.group.clone_from(&group);
            decide(&policy, &MerchantCase { account: &account, ..case.clone() }, &as_of).unwrap()
        })
    };
    let decided = |fewest_members: Option<u32>| {
        decided_in(Some(GroupShare { allowance_minor: Some(900_000_000), fewest_members, ..GroupShare::default() }))
    };
    let is_offered = |fewest| decided(fewest).offers.iter().any(|offer| offer.product == "group-loan");
    assert!(is_offered(Some(3)) && is_offered(Some(9)));
    for (decision, says) in [
        (decided(Some(2)), "too few members"),
        (decided(Some(1)), "too few members"),
        (decided(None), "not known to be"),
        (decided_in(None), "in no guarantee group"),
    ] {
        let refused = decision.declines.iter().find(|decline| decline.product == "group-loan").unwrap();
        let too_small = refused.reasons.iter().find(|reason| reason.code.as_str() == "group-too-small").unwrap();
        assert!(too_small.text.contains(says), "{too_small:?}");
        assert_eq!(decision.offers.len(), decided(Some(3)).offers.len() - 1, "other products do not rest on it");
    }
}
