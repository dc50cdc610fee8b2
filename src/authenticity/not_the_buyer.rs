//! Not the buyer: a review of an order by somebody who did not place it.

use super::judge::{ReviewFacts, Seen};
use super::repeated::{UNKNOWN_BUYER, buyer_key};

/// Rule name.
pub(super) const RULE: &str = "not-the-buyer";

/// Knobs of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotTheBuyerSettings {
    /// 1: the sign makes a review suspect alone; 0: the rule is off.
    pub suffices: u32,
}

/// Who gave a review, as far as its order tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reviewer {
    /// Who placed the order.
    Buyer,
    /// Nobody knows who gave it, or who placed the order, or which order is meant.
    Unknown,
    /// Somebody else.
    Another,
}

/// Who gave a review. Ids are compared whatever their case and spaces ([`buyer_key`]).
#[must_use]
pub fn reviewer(review: &ReviewFacts) -> Reviewer {
    let is_known = |id: &&str| !id.is_empty() && *id != UNKNOWN_BUYER;
    let names = review.order_buyer_id.filter(is_known).zip(Some(review.buyer_id).filter(is_known));
    match names {
        None => Reviewer::Unknown,
        Some((buyer, own)) if buyer_key(buyer) == buyer_key(own) => Reviewer::Buyer,
        Some(_) => Reviewer::Another,
    }
}

/// A sign on every review of an order by somebody who is not its buyer. Observed and threshold are how many such people it takes: one.
///
/// Only a buyer knows what came of the order; anybody else can be had for praise that hides what the buyer says, or for a bad word. It is no matter of degree, so that
/// the sign makes a review suspect alone. Reviews by nobody known, and those of orders that are not known or whose buyer is not, carry no sign.
/// Source: project judgement.
pub(super) fn look(reviews: &[&ReviewFacts]) -> Vec<Option<Seen>> {
    let is_another = |review: &&ReviewFacts| reviewer(review) == Reviewer::Another;
    reviews.iter().map(|review| is_another(review).then_some(Seen { observed: 1.0, threshold: 1.0 })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticity::{Settings, Verdict, judge_reviews};

    fn review<'a>(order_buyer_id: Option<&'a str>, buyer_id: &'a str) -> ReviewFacts<'a> {
        ReviewFacts {
            review_id: "r",
            order_id: "o",
            buyer_id,
            created_at: 0,
            stars: 5,
            order_buyer_id,
            order_placed_at: None,
            delivered_at: None,
            delivery_late: None,
            is_parcel_lost: false,
            knows_parcels: false,
        }
    }

    #[test]
    fn only_somebody_else_who_is_known_is_not_the_buyer() {
        for own in ["x", "X", " x "] {
            assert_eq!(reviewer(&review(Some("x"), own)), Reviewer::Buyer, "{own:?}");
        }
        assert_eq!(reviewer(&review(Some("x"), "y")), Reviewer::Another);
        let nobody_known = [(None, "y"), (Some(UNKNOWN_BUYER), "y"), (Some(""), "y"), (Some("x"), UNKNOWN_BUYER)];
        for (buyer, own) in nobody_known {
            assert_eq!(reviewer(&review(buyer, own)), Reviewer::Unknown, "{own:?} of the order of {buyer:?}");
        }
    }

    #[test]
    fn the_sign_suffices_alone_and_can_be_switched_off() {
        let of_no_order = ReviewFacts { order_id: "p", ..review(None, "y") };
        let reviews = [review(Some("x"), "x"), review(Some("x"), "y"), of_no_order];
        let mut settings = Settings::default();
        settings.combination.suspect_weight = 7;
        let rules = |settings: &Settings| -> Vec<Option<String>> {
            judge_reviews(&reviews, &[Some(0); 3], settings).iter().map(Verdict::rules).collect()
        };
        assert_eq!(rules(&settings), [None, Some(RULE.to_owned()), None]);
        settings.not_the_buyer.suffices = 0;
        assert_eq!(rules(&settings), [None, None, None]);
    }
}
