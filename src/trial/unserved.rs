//! Why requests went unserved.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::lender::Lender;
use crate::simulate::{LeftOffer, UnservedRequest};

/// What a night declined, by merchant and product: the night, and the code of the first reason.
pub(super) type Declined = BTreeMap<(String, String), Vec<(Date, String)>>;

/// Counts by reason: of requests that no loan followed, and of the merchants who never got one, each under the reason of most of its requests.
pub(super) fn unserved(lender: &Lender, served: &BTreeSet<u64>) -> (BTreeMap<String, u64>, BTreeMap<String, u64>) {
    let stopped: Vec<Date> = lender.stopped.iter().filter_map(|night| night.on.parse().ok()).collect();
    let nights: Vec<Date> = lender.books.iter().map(|(on, _)| *on).collect();
    let mut requests: BTreeMap<String, u64> = BTreeMap::new();
    let mut of_merchants: BTreeMap<u64, BTreeMap<String, u64>> = BTreeMap::new();
    for request in lender.market.unserved() {
        let why = reason(&request, &lender.declined, &nights, &stopped);
        if !served.contains(&request.merchant) {
            *of_merchants.entry(request.merchant).or_default().entry(why.clone()).or_default() += 1;
        }
        *requests.entry(why).or_default() += 1;
    }
    let mut merchants: BTreeMap<String, u64> = BTreeMap::new();
    for reasons in of_merchants.into_values() {
        // Of equals the first by name.
        if let Some((why, _)) = reasons.into_iter().rev().max_by_key(|(_, count)| *count) {
            *merchants.entry(why).or_default() += 1;
        }
    }
    (requests, merchants)
}

/// The merchant's own reason where an offer stood, else that of the first night that declined while it waited.
fn reason(request: &UnservedRequest, declined: &Declined, nights: &[Date], stopped: &[Date]) -> String {
    let meanwhile = |night: &Date| (request.asked_on < *night) && (*night <= request.waited_until);
    let of_nights = declined.get(&(request.merchant_id.clone(), request.product.to_owned()));
    let first = of_nights.and_then(|nights| nights.iter().find(|(night, _)| meanwhile(night)));
    match (request.left, first) {
        _ if request.was_foreseen => "loss-foreseen",
        (Some(LeftOffer::TooDear), _) => "offer-too-dear",
        (Some(LeftOffer::TooSmall), _) => "offer-too-small",
        (Some(LeftOffer::OrdersSettled), _) => "orders-settled",
        (None, _) if request.has_stopped_trading => "stopped-trading",
        (None, Some((_, code))) => code,
        (None, None) if stopped.iter().any(meanwhile) => "night-stopped",
        (None, None) if !nights.iter().any(meanwhile) => "no-night-left",
        (None, None) => "not-decided",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NIGHTS: [Date; 3] = [Date::constant(2025, 1, 1), Date::constant(2025, 1, 15), Date::constant(2025, 1, 29)];

    fn request() -> UnservedRequest {
        UnservedRequest {
            merchant: 7,
            merchant_id: "m0000007".to_owned(),
            product: "credit-loan",
            asked_on: Date::constant(2025, 1, 1),
            waited_until: Date::constant(2025, 1, 22),
            left: None,
            was_foreseen: false,
            has_stopped_trading: false,
        }
    }

    fn declined(on: Date) -> Declined {
        let key = ("m0000007".to_owned(), "credit-loan".to_owned());
        BTreeMap::from([(key, vec![(on, "ability-low".to_owned())])])
    }

    #[test]
    fn a_night_answers_what_was_asked_before_it_and_is_still_waited_for() {
        let why = |on: Date| reason(&request(), &declined(on), &NIGHTS, &[]);
        assert_eq!(NIGHTS.map(why), ["not-decided", "ability-low", "not-decided"]);
    }

    #[test]
    fn what_the_merchant_left_or_what_stopped_the_night_is_told() {
        let of = |request: UnservedRequest, stopped: &[Date]| reason(&request, &Declined::new(), &NIGHTS, stopped);
        let left = |left| UnservedRequest { left: Some(left), ..request() };
        assert_eq!(of(left(LeftOffer::TooDear), &[]), "offer-too-dear");
        assert_eq!(of(left(LeftOffer::TooSmall), &[]), "offer-too-small");
        assert_eq!(of(left(LeftOffer::OrdersSettled), &[]), "orders-settled");
        assert_eq!(of(request(), &NIGHTS[1..2]), "night-stopped");
        assert_eq!(of(request(), &NIGHTS[2..]), "not-decided");
        let late = UnservedRequest { asked_on: NIGHTS[2], waited_until: Date::constant(2025, 2, 19), ..request() };
        assert_eq!(of(late, &[]), "no-night-left");
        assert_eq!(of(UnservedRequest { has_stopped_trading: true, ..request() }, &[]), "stopped-trading");
        assert_eq!(of(UnservedRequest { was_foreseen: true, ..left(LeftOffer::TooDear) }, &[]), "loss-foreseen");
    }
}
