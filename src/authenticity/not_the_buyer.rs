//! Not the buyer: a review of an order, or a dispute about one, by somebody who did not place it.

use super::judge::{ReviewFacts, Seen};
use super::repeated::{UNKNOWN_BUYER, buyer_key};

/// Rule name.
pub(super) const RULE: &str = "not-the-buyer";

/// Knobs of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotTheBuyerSettings {
    /// 1: the sign makes a review suspect alone, and a dispute count for nothing; 0: the rule is off.
    pub suffices: u32,
}

/// Who gave a review or opened a dispute, as far as its order tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// Who placed the order.
    Buyer,
    /// Nobody knows whose it is, or who placed the order, or which order is meant.
    Unknown,
    /// Somebody else.
    Another,
}

/// Whose it is, by the person whom it names and the buyer whom its order names. Ids are compared whatever their case and spaces ([`buyer_key`]).
#[must_use]
pub fn author(own_id: Option<&str>, order_buyer_id: Option<&str>) -> Author {
    let is_known = |id: &&str| !id.is_empty() && *id != UNKNOWN_BUYER;
    match order_buyer_id.filter(is_known).zip(own_id.filter(is_known)) {
        None => Author::Unknown,
        Some((buyer, own)) if buyer_key(buyer) == buyer_key(own) => Author::Buyer,
        Some(_) => Author::Another,
    }
}

impl ReviewFacts<'_> {
    /// Who gave it.
    #[must_use]
    pub fn author(&self) -> Author {
        author(Some(self.buyer_id), self.order_buyer_id)
    }
}

impl NotTheBuyerSettings {
    /// Whether a dispute counts for nothing: it is about an order that somebody else placed.
    ///
    /// Anybody can be had for complaints about a competitor. One that was decided for the buyer is a verdict and counts, whoever opened it; and a lawsuit is a
    /// court's matter, which a brand or a supplier may bring as well. Source: project judgement.
    #[must_use]
    pub fn leaves_out_dispute(self, author: Author, is_lost: bool, kind: Option<&str>) -> bool {
        self.suffices > 0 && author == Author::Another && !is_lost && kind != Some("lawsuit")
    }
}

/// A sign on every review of an order by somebody who is not its buyer. Observed and threshold are how many such people it takes: one.
///
/// Only a buyer knows what came of the order; anybody else can be had for praise that hides what the buyer says, or for a bad word. It is no matter of degree, so that
/// the sign makes a review suspect alone. Reviews by nobody known, and those of orders that are not known or whose buyer is not, carry no sign.
/// Source: project judgement.
pub(super) fn look(reviews: &[&ReviewFacts]) -> Vec<Option<Seen>> {
    let is_another = |review: &&ReviewFacts| review.author() == Author::Another;
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
            assert_eq!(review(Some("x"), own).author(), Author::Buyer, "{own:?}");
        }
        assert_eq!(review(Some("x"), "y").author(), Author::Another);
        let nobody_known = [(None, "y"), (Some(UNKNOWN_BUYER), "y"), (Some(""), "y"), (Some("x"), UNKNOWN_BUYER)];
        for (buyer, own) in nobody_known {
            assert_eq!(review(buyer, own).author(), Author::Unknown, "{own:?} of the order of {buyer:?}");
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

    #[test]
    fn a_dispute_of_somebody_else_counts_only_as_a_verdict_or_a_lawsuit() {
        let on = Settings::default().not_the_buyer;
        assert!(on.leaves_out_dispute(Author::Another, false, Some("not-received")));
        assert!(on.leaves_out_dispute(Author::Another, false, None));
        assert!(!on.leaves_out_dispute(Author::Another, true, Some("not-received")), "decided against the merchant");
        assert!(!on.leaves_out_dispute(Author::Another, false, Some("lawsuit")));
        for author in [Author::Buyer, Author::Unknown] {
            assert!(!on.leaves_out_dispute(author, false, Some("not-received")), "{author:?}");
        }
        assert!(!NotTheBuyerSettings { suffices: 0 }.leaves_out_dispute(Author::Another, false, None));
    }
}
