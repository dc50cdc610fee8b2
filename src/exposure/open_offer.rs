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
    /// Interest a day, parts per million; `None` of an offer that was published by a version of the program which did not note it here.
    pub daily_rate_ppm: Option<i64>,
    /// Days to the last instalment; `None` likewise.
    pub term_days: Option<i64>,
    /// The share of each day's receipts that repays it, parts per million; `None` for other repayment.
    pub sales_share_ppm: Option<i64>,
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
            let drawn_minor = drawn_on(&offer.offer_id).saturating_add(under_way(previous, offer, &drawn_on));
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

/// What was drawn on the offers before this one beyond what was known when it was granted: such draws were under way then, and use it up.
/// `drawn_on` says what was drawn on an offer by itself.
fn under_way(offers: &[OpenOffer], offer: &OpenOffer, drawn_on: &impl Fn(&str) -> i64) -> i64 {
    let mut chain = vec![offer];
    while let Some(older) = chain.last().and_then(|newer| newer.replaces_offer_id.as_deref()) {
        match offers.iter().find(|o| o.offer_id == older) {
            Some(older) if chain.len() <= offers.len() => chain.push(older),
            _ => break,
        }
    }
    // From the oldest on: what is drawn on each, and on what it replaced, is compared with what the next one knew.
    chain.iter().rev().fold(0_i64, |under_way, offer| {
        let older = offer.replaces_offer_id.as_deref().map_or(0, drawn_on);
        older.saturating_add(under_way).saturating_sub(offer.drawn_before_minor).max(0)
    })
}

/// A merchant's offers after the draws of the day, by offer, of which the last night knew nothing: each is used up by what was drawn on it, and
/// on the ones that it replaced, since.
#[must_use]
pub fn with_draws(offers: &[OpenOffer], draws: &BTreeMap<&str, i64>) -> Vec<OpenOffer> {
    let known: BTreeMap<&str, i64> = offers.iter().map(|o| (o.offer_id.as_str(), o.drawn_minor)).collect();
    let of_day = |id: &str| draws.get(id).copied().unwrap_or(0);
    let before = |id: &str| known.get(id).copied().unwrap_or(0);
    let after = |id: &str| before(id).saturating_add(of_day(id));
    let drawn = |offer: &OpenOffer| {
        let under_way = under_way(offers, offer, &after).saturating_sub(under_way(offers, offer, &before));
        let more = of_day(&offer.offer_id).saturating_add(under_way.max(0));
        OpenOffer {
            drawn_minor: offer.drawn_minor.saturating_add(more),
            held_minor: offer.held_minor.saturating_sub(more).max(0),
            ..offer.clone()
        }
    };
    offers.iter().map(drawn).collect()
}

/// What a merchant has come to owe and may draw beyond what it held `at_night`: what was drawn since, and what its offers hold `now` after these
/// draws, less what they held then.
///
/// Example: of 100.00 held at night 70.00 were drawn, and 120.00 offered in its place: 70.00 are owed and 120.00 may be drawn, 90.00 more.
#[must_use]
pub fn committed_since(at_night: &[OpenOffer], now: &[OpenOffer], draws: &BTreeMap<&str, i64>) -> i64 {
    let held = |offers: &[OpenOffer]| offers.iter().fold(0_i64, |sum, offer| sum.saturating_add(offer.held_minor));
    let drawn_minor = draws.values().fold(0_i64, |sum, drawn| sum.saturating_add(*drawn));
    drawn_minor.saturating_add(held(&with_draws(now, draws))).saturating_sub(held(at_night))
}

/// Puts a new offer among a merchant's in place of the one it replaces, which until the next night holds what it held beyond the new one: a
/// draw on it may be under way. An offer of the same id, made earlier that day on the same terms, is the same offer: it is open again.
pub fn grant(offers: &mut Vec<OpenOffer>, granted: OpenOffer) {
    for offer in offers.iter_mut() {
        if offer.offer_id != granted.offer_id && is_replaced(offer, &granted.product) {
            offer.state = OfferState::Replaced;
            offer.held_minor = offer.held_minor.saturating_sub(granted.held_minor).max(0);
        }
    }
    match offers.iter_mut().find(|offer| offer.offer_id == granted.offer_id) {
        Some(same) => same.state = granted.state,
        None => offers.push(granted),
    }
}

/// A merchant's offers on a later day, before the night has looked at loans: one that has lapsed can no longer be drawn and holds nothing, but a
/// loan drawn before may rest on its orders.
#[must_use]
pub fn without_lapsed(offers: &[OpenOffer], on: Date) -> Vec<OpenOffer> {
    let kept = |offer: &OpenOffer| match offer.valid_until_on < on {
        false => Some(offer.clone()),
        true if offer.pledged_order_ids.is_empty() => None,
        true => Some(OpenOffer { state: OfferState::Drawn, held_minor: 0, ..offer.clone() }),
    };
    offers.iter().filter_map(kept).collect()
}

/// Withdraws what was offered of a product before: now it is declined.
pub fn withdraw(offers: &mut [OpenOffer], product: &str) {
    for offer in offers.iter_mut().filter(|offer| is_replaced(offer, product)) {
        offer.state = OfferState::Withdrawn;
    }
}

/// A newer offer of the same product replaces what is open or withdrawn. Orders under a drawn one stay its loans'.
pub(super) fn is_replaced(offer: &OpenOffer, product: &str) -> bool {
    offer.product == product && matches!(offer.state, OfferState::Open | OfferState::Withdrawn)
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
            daily_rate_ppm: Some(450),
            term_days: Some(7),
            sales_share_ppm: None,
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
    fn what_is_committed_since_the_night_is_drawn_or_held() {
        let night = [OpenOffer { limit_minor: 10_000, held_minor: 10_000, ..offer("x") }];
        let drawn = BTreeMap::from([("x", 7_000)]);
        assert_eq!(committed_since(&night, &night, &drawn), 0, "a draw is owed instead of held");
        // 12,000 in its place, of which what was drawn before is no part.
        let renewed = OpenOffer {
            limit_minor: 12_000,
            held_minor: 12_000,
            drawn_before_minor: 7_000,
            replaces_offer_id: Some("x".to_owned()),
            ..offer("y")
        };
        let mut now = with_draws(&night, &drawn);
        grant(&mut now, renewed);
        assert_eq!(now.iter().map(|o| o.held_minor).sum::<i64>(), 12_000);
        let mut as_replayed = night.to_vec();
        grant(&mut as_replayed, now[1].clone());
        assert_eq!(committed_since(&night, &as_replayed, &drawn), 9_000, "7,000 owed, 12,000 to draw");
        let elsewhere = BTreeMap::from([("gone", 500)]);
        assert_eq!(committed_since(&night, &night, &elsewhere), 500, "a draw on an offer that is not known is owed");
        assert_eq!(committed_since(&night, &[], &BTreeMap::new()), -10_000, "lapsed");
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
        // Replaced twice since the last night: what was drawn on the first uses the last one up.
        let first = OpenOffer { state: OfferState::Replaced, drawn_before_minor: 0, held_minor: 0, ..offer("x") };
        let second = OpenOffer {
            state: OfferState::Replaced,
            replaces_offer_id: Some("x".to_owned()),
            held_minor: 0,
            ..offer("y")
        };
        let third = OpenOffer { replaces_offer_id: Some("y".to_owned()), ..offer("z") };
        let draws = [loan(Some("x"), 20_000, false), loan(Some("y"), 7_000, false)];
        let carried = carry_over(&[first, second, third], &draws, NEXT);
        assert_eq!(carried.iter().find(|o| o.offer_id == "z").map(|o| o.held_minor), Some(23_000));
        let replaced = OpenOffer { state: OfferState::Replaced, held_minor: 10_000, ..offer("x") };
        assert_eq!(stands(replaced.clone(), &[], NEXT), None, "a night later nothing is under way any more");
        assert_eq!(stands(replaced, &loans, NEXT), Some((OfferState::Drawn, 0)), "its orders secure its loans");
    }
}
