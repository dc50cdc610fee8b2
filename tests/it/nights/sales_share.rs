//! A credit loan repaid by a share of sales, from the offer to the last deduction: the limit on the low case, the share of each day's receipts, days past
//! due from the milestone that was missed.

use integrity::monitor::{Alert, Deduction};
use integrity::offer::{self, CapName, RepaymentKind, Terms, reproduce, schedule};
use integrity::report::{explain, explanation_text};
use jiff::ToSpan;

use super::books::rows;
use super::{FIRST_NIGHT, Lender, Marketplace, at, offers_of, trading_marketplace};

const BEFORE: &str = "repayment = \"equal-instalment\"\ninstalments = 6\n";
const AFTER: &str =
    "repayment = \"sales-share\"\nsales_share = { share_ppm = 300_000, min_per_60_days_ppm = 250_000 }\n";

#[test]
fn a_share_of_sales_is_offered_deducted_and_late_by_its_milestones() {
    // A shop of the tests sells every third day: smaller limits than those of the demo.
    let lender = Lender::with(&[
        ("policy.toml", BEFORE, AFTER),
        ("policy.toml", "limit_step_minor = 10_000", "limit_step_minor = 1_000"),
        ("policy.toml", "min_limit_minor = 50_000", "min_limit_minor = 1_000"),
        // Weeks lie between the nights, without a loan or a payment.
        ("job.toml", "[model]", "[gates]\ndays_older = 60\ndays_past_data = 60\n\n[model]"),
        ("monitor.toml", "min_minor = 100\n", "min_minor = 100\npayments_days_older = 60\n"),
    ]);
    let mut market = trading_marketplace(&lender, 4);
    let day = |number: i64| FIRST_NIGHT.saturating_add(number.days());
    let night = lender.night(&market, FIRST_NIGHT);
    let offers: Vec<offer::Offer> = rows(&night.published.run_dir);
    let declined: Vec<offer::Decline> = rows(&night.published.run_dir);
    let offer = offers.iter().find(|o| o.product == "credit-loan").unwrap_or_else(|| panic!("{declined:?}"));
    reproduce(offer).unwrap();
    assert_eq!(
        (offer.repayment, offer.instalments, offer.sales_share_ppm),
        (RepaymentKind::SalesShare, 3, Some(300_000))
    );
    assert!(
        offer.caps.iter().any(|cap| cap.name == CapName::DebtService && cap.value_minor >= Some(offer.limit_minor))
    );
    assert!(offer.expected_receipts_minor > Some(0) && offer.expected_days < Some(180), "{offer:?}");
    let told = explain(&night.published.run_dir, &offer.merchant_id).unwrap().unwrap();
    let milestones = told.schedules.iter().find(|s| s.offer_id == offer.offer_id).unwrap();
    assert!(milestones.is_minimum && milestones.payments.iter().map(|d| d.day).eq([60, 120, 180]));
    let told = explanation_text(&told);
    assert!(told.contains("300000 ppm of each day's receipts") && told.contains("the least to be paid on"), "{told}");

    // Drawn in full. The share of the first night is posted the day after; from then on nothing is.
    let drawn = offers_of(&night.published.run_dir).into_iter().find(|o| o.offer_id == offer.offer_id).unwrap();
    let loan = market.draw(&drawn, drawn.limit_minor, at(FIRST_NIGHT, 9));
    let share_of = |market: &Marketplace, number: i64| -> Deduction {
        let orders: Vec<Deduction> = rows(&lender.night(market, day(number)).published.run_dir);
        let [order] = orders.as_slice() else { panic!("night {number}: {orders:?}") };
        assert!(order.loan_id == loan && order.why.contains("share of sales: 300000 ppm"), "{order:?}");
        order.clone()
    };
    let posted = share_of(&market, 1);
    market.deduct(&loan, posted.amount_minor, at(day(1), 12));
    let (second, third) = (share_of(&market, 2), share_of(&market, 3));
    assert!(second.key != posted.key && second.key == third.key, "one order is on its way at most");
    let taken = posted.amount_minor;
    let terms: Terms = offer.terms(drawn.limit_minor).unwrap();
    let first = schedule(&terms).unwrap()[0];
    assert!(taken < first.principal_minor, "the milestone is not met: {taken} of {first:?}");
    let ordered = |number: i64| -> (Vec<Deduction>, Vec<Alert>) {
        let run_dir = lender.night(&market, day(number)).published.run_dir;
        (rows(&run_dir), rows(&run_dir))
    };
    let (shares, alerts) = ordered(60);
    assert!(shares.len() == 1 && alerts.iter().all(|a| a.loan_id.as_deref() != Some(&loan)), "its day is not over");
    // A day later the milestone is missed; what is asked for is what it lacks with the share on top, within the night's cap.
    let (late, alerts) = ordered(61);
    assert!(late.len() == 1 && late[0].why.contains("1 days past due; share of sales"), "{late:?}");
    assert!(
        late[0].key == shares[0].key && late[0].key == second.key,
        "nothing has arrived since: the service knows the key"
    );
    assert!(alerts.iter().any(|a| a.loan_id.as_deref() == Some(&loan) && a.rule.starts_with("arrears")), "{alerts:?}");
}
