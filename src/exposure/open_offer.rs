//! Offers that a merchant may still draw: what they hold, night after night.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::repayment::LoanStanding;

/// Where an offer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OfferState {
    /// In the current run: it can be drawn.
    Open,
    /// No longer in the current run, but not lapsed: a draw that was under way may still arrive.
    Withdrawn,
    /// Tonight's offer took its place. A draw that was under way when that was published is seen a night later: until then it holds what it
    /// held beyond the new one, and its orders.
    Replaced,
    /// Lapsed, used up or replaced; a loan that names it is still open and rests on its orders.
    Drawn,
}

/// One offer on a merchant's account: a row of `open_offers.parquet`, which the next night reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOffer {
    /// The offer.
    pub offer_id: String,
    /// The merchant.
    pub merchant_id: String,
    /// The product.
    pub product: String,
    /// Where it stands.
    pub state: OfferState,
    /// The most that may be drawn.
    pub limit_minor: i64,
    /// Principal drawn on it as far as is known: by loans that name it, and by loans that name the offer it replaced and came to light
    /// since.
    pub drawn_minor: i64,
    /// Principal drawn on the replaced offer that was known when this one was published: this one's limit is net of it.
    pub drawn_before_minor: i64,
    /// What may still be drawn on it, and therefore counts against every cap.
    pub held_minor: i64,
    /// As-of date of the run that published it.
    pub offered_on: Date,
    /// The last day on which it can be drawn.
    pub valid_until_on: Date,
    /// The offer of the same product that it replaced.
    pub replaces_offer_id: Option<String>,
    /// Orders that secure it, sorted.
    pub pledged_order_ids: Vec<String>,
}

/// One merchant's offers of earlier nights as they stand on the morning of `as_of`, before anything new is offered.
///
/// An offer of limit `L` on which loans have drawn `P` holds `L − P`. `P` is the principal of all loans that name it, plus what loans
/// naming the offer it replaced have drawn beyond what was known when it was published: such a draw was under way when the new
/// offer came out. An offer lapses after `valid_until_on`. A lapsed or used-up offer stays on the account, holding nothing but its
/// orders, for as long as a loan that names it is open.
///
/// Example: 500.00 offered on 1 March until 31 March, 200.00 drawn on 3 March: on 4 March it holds 300.00, on 1 April nothing.
#[must_use]
pub fn carry_over(previous: &[OpenOffer], loans: &[LoanStanding], as_of: Date) -> Vec<OpenOffer> {
    let mut drawn: BTreeMap<&str, i64> = BTreeMap::new();
    let mut is_owed_on: BTreeMap<&str, bool> = BTreeMap::new();
    for loan in loans {
        let Some(offer) = loan.offer_id.as_deref() else { continue };
        let sum = drawn.entry(offer).or_default();
        *sum = sum.saturating_add(loan.principal_minor);
        *is_owed_on.entry(offer).or_default() |= !loan.is_closed;
    }
    let drawn_on = |offer: &str| drawn.get(offer).copied().unwrap_or(0);
    previous
        .iter()
        .filter_map(|offer| {
            let replaced = offer.replaces_offer_id.as_deref();
            let under_way = replaced.map_or(0, |id| drawn_on(id).saturating_sub(offer.drawn_before_minor).max(0));
            let drawn_minor = drawn_on(&offer.offer_id).saturating_add(under_way);
            let has_lapsed = offer.valid_until_on < as_of;
            let held_minor = offer.limit_minor.saturating_sub(drawn_minor);
            let rests_on_it = |id: &str| is_owed_on.get(id).copied().unwrap_or(false);
            let secures = !offer.pledged_order_ids.is_empty()
                && (rests_on_it(&offer.offer_id) || replaced.is_some_and(rests_on_it));
            let state = match offer.state {
                state @ (OfferState::Open | OfferState::Withdrawn) if !has_lapsed && held_minor > 0 => state,
                _ if secures => OfferState::Drawn,
                _ => return None,
            };
            let held_minor = if state == OfferState::Drawn { 0 } else { held_minor };
            Some(OpenOffer { state, drawn_minor, held_minor, ..offer.clone() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::repayment::fixture::overdue_loan;

    fn offer(id: &str) -> OpenOffer {
        OpenOffer {
            offer_id: id.to_owned(),
            merchant_id: "m".to_owned(),
            product: "order-loan".to_owned(),
            state: OfferState::Open,
            limit_minor: 50_000,
            drawn_minor: 0,
            drawn_before_minor: 0,
            held_minor: 50_000,
            offered_on: date(2025, 3, 1),
            valid_until_on: date(2025, 3, 31),
            replaces_offer_id: None,
            pledged_order_ids: vec!["o1".to_owned()],
        }
    }

    fn loan(offer_id: Option<&str>, principal_minor: i64, is_closed: bool) -> LoanStanding {
        LoanStanding {
            merchant_id: "m".to_owned(),
            loan_id: "l".to_owned(),
            principal_minor,
            offer_id: offer_id.map(str::to_owned),
            outstanding_minor: if is_closed { 0 } else { principal_minor },
            is_closed,
            ..overdue_loan("order-loan", 0)
        }
    }

    /// State and hold of the one offer, if it is still on the account.
    fn stands(offer: OpenOffer, loans: &[LoanStanding], on: Date) -> Option<(OfferState, i64)> {
        carry_over(&[offer], loans, on).first().map(|o| (o.state, o.held_minor))
    }

    const NEXT: Date = date(2025, 3, 2);
    const LATER: Date = date(2025, 4, 1);

    #[test]
    fn an_offer_holds_what_is_not_drawn_until_it_lapses() {
        assert_eq!(stands(offer("x"), &[], NEXT), Some((OfferState::Open, 50_000)));
        assert_eq!(stands(offer("x"), &[loan(Some("x"), 20_000, false)], NEXT), Some((OfferState::Open, 30_000)));
        assert_eq!(stands(offer("x"), &[], LATER), None);
    }

    #[test]
    fn a_loan_that_names_no_offer_or_another_uses_nothing_up() {
        for other in [None, Some("y")] {
            assert_eq!(stands(offer("x"), &[loan(other, 20_000, false)], NEXT), Some((OfferState::Open, 50_000)));
        }
    }

    #[test]
    fn a_used_up_or_lapsed_offer_keeps_its_orders_while_its_loan_is_open() {
        let drawn = loan(Some("x"), 50_000, false);
        assert_eq!(stands(offer("x"), std::slice::from_ref(&drawn), NEXT), Some((OfferState::Drawn, 0)));
        assert_eq!(stands(offer("x"), &[loan(Some("x"), 10_000, false)], LATER), Some((OfferState::Drawn, 0)));
        assert_eq!(stands(offer("x"), &[loan(Some("x"), 50_000, true)], NEXT), None, "repaid");
        let unsecured = OpenOffer { pledged_order_ids: Vec::new(), ..offer("x") };
        assert_eq!(stands(unsecured, &[drawn], NEXT), None);
    }

    #[test]
    fn a_draw_under_way_on_a_replaced_offer_uses_the_new_one_up() {
        let new = OpenOffer { replaces_offer_id: Some("x".to_owned()), drawn_before_minor: 5_000, ..offer("y") };
        // 5,000 of the 25,000 drawn on the replaced offer were known when the new one came out.
        let loans = [loan(Some("x"), 5_000, false), loan(Some("x"), 20_000, false)];
        assert_eq!(stands(new, &loans, NEXT), Some((OfferState::Open, 30_000)));
        let replaced = OpenOffer { state: OfferState::Replaced, held_minor: 10_000, ..offer("x") };
        assert_eq!(stands(replaced.clone(), &[], NEXT), None, "a night later nothing is under way any more");
        assert_eq!(stands(replaced, &loans, NEXT), Some((OfferState::Drawn, 0)), "its orders secure its loans");
    }
}
