//! What a night asks of people: the queue is ranked over all borrowers, and proposals add up to what is owed.

use integrity::monitor::{Action, ProposedInstalment, QueueLine};
use jiff::ToSpan;

use super::books::rows;
use super::{FIRST_NIGHT, Lender, Offer, at, trading_marketplace};

#[test]
fn borrowers_are_queued_by_what_can_be_saved_and_easier_terms_add_up() {
    let lender = Lender::with(&[("policy.toml", "loss_given_default_prob = 0.0", "loss_given_default_prob = 0.6")]);
    let mut market = trading_marketplace(&lender, 4);
    let day = |number: i64| FIRST_NIGHT.saturating_add(number.days());
    // The fourth borrower is not late.
    for (merchant, amount, drawn) in
        [("m01", 20_000, -45), ("m02", 60_000, -45), ("m03", 40_000, -45), ("m04", 90_000, -3)]
    {
        let offer = Offer {
            offer_id: format!("elsewhere-{merchant}"),
            merchant_id: merchant.to_owned(),
            product: "order-loan".to_owned(),
            limit_minor: amount,
            daily_rate_ppm: 450,
            term_days: 7,
            valid_until_on: day(30),
            pledged_order_ids: Vec::new(),
        };
        market.draw(&offer, amount, at(day(drawn), 9));
    }
    let night = lender.night(&market, FIRST_NIGHT);
    let queue: Vec<QueueLine> = rows(&night.published.run_dir);
    let order: Vec<(i64, &str)> = queue.iter().map(|line| (line.rank, line.merchant_id.as_str())).collect();
    // Thirty days past due are a default of an order loan: the probability is 1, and the order that of the amounts.
    assert_eq!(order, [(1, "m02"), (2, "m03"), (3, "m01")]);
    assert!(
        queue.iter().all(|line| line.action == Action::Restructure && line.rules.contains(&"arrears-month".to_owned()))
    );

    let proposals: Vec<ProposedInstalment> = rows(&night.published.run_dir);
    for (id, loan) in market.loans().iter().filter(|(_, loan)| loan.merchant_id != "m04") {
        let own: Vec<&ProposedInstalment> = proposals.iter().filter(|row| row.loan_id == *id).collect();
        assert_eq!(own.len(), usize::try_from(own[0].instalments).unwrap());
        let sum: i64 = own.iter().map(|row| row.principal_minor + row.carried_minor).sum();
        assert_eq!(sum, loan.owed_minor(at(FIRST_NIGHT, 0)), "{id}");
    }
    assert!(proposals.iter().all(|row| row.merchant_id != "m04" && row.due_on > FIRST_NIGHT));
}
