use jiff::civil::date;

use super::*;
use crate::repayment::LastKnown;

const FIRST: Date = date(2025, 1, 1);

fn invitation(merchant: &str, product: &str, group: InvitationGroup, rank: i64) -> Invitation {
    Invitation {
        merchant_id: merchant.to_owned(),
        product: product.to_owned(),
        offer_id: format!("{merchant}-{product}"),
        campaign: "spring".to_owned(),
        group,
        rank,
        expected_profit_minor: 100 - rank,
    }
}

fn loan(merchant: &str, loan_id: &str, product: &str) -> RememberedLoan {
    RememberedLoan {
        merchant_id: merchant.to_owned(),
        loan_id: loan_id.to_owned(),
        product: Some(product.to_owned()),
        borrower_before: None,
        principal_minor: Some(1_000),
        group_id: None,
        last_known: LastKnown::Open,
        known_on: None,
        outstanding_minor: None,
        payments: None,
        received_minor: None,
        received_json: None,
        bounced_json: None,
        lent_digest: None,
        schedule_digest: None,
        ends_on: None,
        restructured_on: None,
        is_written_off: None,
        offer_id: None,
        pledge_digest: None,
    }
}

/// Adds a night to what is followed.
fn add(followed: &mut Followed, on: Date, loans: Vec<RememberedLoan>, invitations: Vec<Invitation>) {
    followed.night(on, loans.into_iter().map(Ok), invitations.into_iter().map(Ok)).unwrap();
}

#[test]
fn a_draw_after_the_first_invitation_and_within_its_days_counts_for_the_group_of_that_night() {
    let day = |number: i64| FIRST.saturating_add(number.days());
    let (invite, control) = (InvitationGroup::Invite, InvitationGroup::Control);
    let mut followed = Followed::new("spring", 30);
    let first = vec![
        invitation("a", "credit-loan", invite, 1),
        invitation("a", "order-loan", invite, 4),
        invitation("b", "credit-loan", invite, 2),
        invitation("c", "credit-loan", control, 3),
    ];
    // What a owed before is no answer to the invitation.
    add(&mut followed, day(0), vec![loan("a", "old", "order-loan")], first);
    let later =
        vec![loan("a", "old", "order-loan"), loan("a", "new", "credit-loan"), loan("x", "strange", "credit-loan")];
    let again = vec![invitation("b", "credit-loan", invite, 1), invitation("late", "credit-loan", control, 2)];
    add(&mut followed, day(10), later, again);
    add(&mut followed, day(30), vec![loan("c", "on the last day", "credit-loan")], Vec::new());
    add(&mut followed, day(31), vec![loan("b", "too late", "credit-loan")], Vec::new());
    let uptake = followed.uptake().unwrap();
    assert_eq!((uptake.nights, uptake.too_young, uptake.to), (4, 1, day(31)), "invited 21 days ago");
    let of = |line: &UptakeLine| (line.invited.drew, line.invited.merchants, line.control.drew, line.control.merchants);
    assert_eq!(of(&uptake.all), (1, 2, 1, 1));
    assert_eq!((uptake.all.invited.drawn_minor, uptake.all.control.drawn_minor), (1_000, 1_000));
    assert_eq!(
        uptake.by_quarter.iter().map(|(quarter, line)| (*quarter, of(line))).collect::<Vec<_>>(),
        [(1, (1, 1, 0, 0)), (2, (0, 1, 0, 0)), (3, (0, 0, 1, 1)),]
    );
    assert_eq!(of(&uptake.by_product["order-loan"]), (0, 1, 0, 0), "it drew another product");
    assert_eq!(uptake.by_product["order-loan"].difference, None, "there is nothing to compare with");
    assert!(uptake.text().contains("1 of 2") && uptake.text().contains("-50.0 %"), "{}", uptake.text());
}

/// Shares and their ends from scipy 1.17.1, `binomtest(k, n).proportion_ci(0.95)`, put together by hand.
#[test]
fn the_interval_of_the_difference_is_made_of_those_of_both_groups() {
    let mut line = UptakeLine {
        invited: UptakeGroup { merchants: 100, drew: 30, ..UptakeGroup::default() },
        control: UptakeGroup { merchants: 50, drew: 5, ..UptakeGroup::default() },
        ..UptakeLine::default()
    };
    line.finish();
    let [low, high] = line.difference_interval.unwrap();
    assert!((line.difference.unwrap() - 0.2).abs() < 1e-12);
    assert!((low - 0.052_933_348_532).abs() < 1e-9 && (high - 0.320_063_244_652).abs() < 1e-9, "{low} {high}");
}

#[test]
fn without_invitations_there_is_nothing_to_tell() {
    let mut followed = Followed::new("autumn", 30);
    let spring = vec![invitation("a", "credit-loan", InvitationGroup::Invite, 1)];
    add(&mut followed, FIRST, Vec::new(), spring);
    assert_eq!(followed.uptake(), None);
}
