//! The list of rules, and the verdict that their signs add up to.

use serde::Serialize;

use super::buyers::Buyers;
use super::repeated::UNKNOWN_BUYER;
use super::{
    Settings, burst, buyer_ring, instant_delivery, instant_praise, no_tracking, not_the_buyer, odd_price,
    orders_per_buyer, repeated, repeated_review, review_burst, review_orders_together, review_without_cause,
};

/// What the rules may know of an order.
#[derive(Debug, Clone, Copy)]
pub struct OrderFacts<'a> {
    /// The order.
    pub order_id: &'a str,
    /// Who buys.
    pub buyer_id: &'a str,
    /// When it was placed.
    pub placed_at: i64,
    /// Its value.
    pub amount_minor: i64,
    /// Last parcel handed to the carrier.
    pub shipped_at: Option<i64>,
    /// Last parcel arrived.
    pub delivered_at: Option<i64>,
    /// Whether any parcel handed over has a tracking number; `None` where none was handed over.
    pub has_tracking: Option<bool>,
    /// Whether it was cancelled, refunded, disputed, late, or a parcel of it lost.
    pub is_troubled: bool,
    /// Whether it was completed.
    pub is_completed: bool,
    /// Stars of the latest authentic review.
    pub stars: Option<i64>,
    /// When that review was given.
    pub reviewed_at: Option<i64>,
}

impl<'a> OrderFacts<'a> {
    /// Whether it may be brushed. Orders that went wrong and are assumed where records cannot be read are nobody's, and share what is known of them: they would look like a task list's, and
    /// be left out.
    fn may_be_doubted(&self) -> bool {
        !(self.is_troubled && self.buyer_id == UNKNOWN_BUYER)
    }

    /// An order of which nothing else is known: not on its way, not in trouble, not reviewed.
    #[must_use]
    pub const fn placed(order_id: &'a str, buyer_id: &'a str, placed_at: i64, amount_minor: i64) -> Self {
        Self {
            order_id,
            buyer_id,
            placed_at,
            amount_minor,
            shipped_at: None,
            delivered_at: None,
            has_tracking: None,
            is_troubled: false,
            is_completed: false,
            stars: None,
            reviewed_at: None,
        }
    }
}

/// What the rules may know of a review.
#[derive(Debug, Clone, Copy)]
pub struct ReviewFacts<'a> {
    /// The review.
    pub review_id: &'a str,
    /// The order reviewed.
    pub order_id: &'a str,
    /// Who reviews.
    pub buyer_id: &'a str,
    /// When it was given.
    pub created_at: i64,
    /// 1 to 5.
    pub stars: i64,
    /// Who placed the order; `None` where it is not known.
    pub order_buyer_id: Option<&'a str>,
    /// When the order was placed.
    pub order_placed_at: Option<i64>,
    /// When the order arrived.
    pub delivered_at: Option<i64>,
    /// Whether the order arrived late, or not at all though due.
    pub delivery_late: Option<bool>,
    /// Whether a parcel was lost.
    pub is_parcel_lost: bool,
    /// Whether anything is known of the order's parcels.
    pub knows_parcels: bool,
}

impl ReviewFacts<'_> {
    /// Whether it is known who gave it. Reviews that are assumed where records cannot be read are nobody's, and share what is known of them: they would look
    /// like a gang's.
    pub(super) fn is_somebodys(&self) -> bool {
        self.buyer_id != UNKNOWN_BUYER
    }
}

/// One sign against a row, with its evidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sign {
    /// The rule, kebab-case.
    pub rule: &'static str,
    /// What was seen.
    pub observed: f64,
    /// The threshold it was compared with.
    pub threshold: f64,
    /// What it counts for.
    pub weight: u32,
}

/// What a rule saw at one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    /// What was seen.
    pub observed: f64,
    /// The threshold it was compared with.
    pub threshold: f64,
}

/// All signs against a row.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Verdict {
    /// Signs in the order of the rules.
    pub signs: Vec<Sign>,
    /// Weight at which the row is suspect.
    pub suspect_weight: u32,
}

impl Verdict {
    /// Sum of the signs' weights.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.signs.iter().map(|sign| sign.weight).sum()
    }

    /// Whether the signs suffice.
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        !self.signs.is_empty() && self.weight() >= self.suspect_weight
    }

    /// The rules that made a row suspect, joined by `+`; `None` where it is not.
    #[must_use]
    pub fn rules(&self) -> Option<String> {
        self.is_suspect().then(|| self.signs.iter().map(|sign| sign.rule).collect::<Vec<_>>().join("+"))
    }
}

/// Marks suspect orders; `owners` are their merchants' numbers. Orders of unknown merchants, and those of unknown buyers that went wrong, are skipped.
#[must_use]
pub fn judge_orders(orders: &[OrderFacts], owners: &[Option<u32>], settings: &Settings) -> Vec<Verdict> {
    let mut verdicts = judge(
        orders,
        owners,
        settings,
        |o| (o.placed_at, o.order_id),
        |mine| {
            let s = settings;
            let buyers = &Buyers::of(mine);
            vec![
                (burst::RULE, s.burst.weight, burst::look(mine, &s.burst)),
                (
                    orders_per_buyer::RULE,
                    s.orders_per_buyer.weight,
                    orders_per_buyer::look(mine, buyers, &s.orders_per_buyer),
                ),
                (buyer_ring::RULE, s.buyer_ring.weight, buyer_ring::look(mine, buyers, &s.buyer_ring)),
                (no_tracking::RULE, s.no_tracking.weight, no_tracking::look(mine)),
                (instant_delivery::RULE, s.instant_delivery.weight, instant_delivery::look(mine, s.instant_delivery)),
                (instant_praise::RULE, s.instant_praise.weight, instant_praise::look(mine, s.instant_praise)),
                (odd_price::RULE, s.odd_price.weight, odd_price::look(mine, &s.odd_price)),
                (repeated::RULE, s.combination.suspect_weight, repeated::look(mine, buyers, s.repeated)),
            ]
        },
    );
    let beyond_doubt = orders.iter().zip(&mut verdicts).filter(|(order, _)| !order.may_be_doubted());
    beyond_doubt.for_each(|(_, verdict)| verdict.signs.clear());
    verdicts
}

/// Marks suspect reviews; `owners` are their merchants' numbers.
#[must_use]
pub fn judge_reviews(reviews: &[ReviewFacts], owners: &[Option<u32>], settings: &Settings) -> Vec<Verdict> {
    judge(
        reviews,
        owners,
        settings,
        |r| (r.created_at, r.review_id),
        |mine| {
            let s = settings;
            let bad = s.review_burst.max_stars;
            vec![
                (review_burst::RULE, s.review_burst.weight, review_burst::look(mine, &s.review_burst)),
                (
                    review_orders_together::RULE,
                    s.review_orders_together.weight,
                    review_orders_together::look(mine, bad, &s.review_orders_together),
                ),
                (review_without_cause::RULE, s.review_without_cause.weight, review_without_cause::look(mine, bad)),
                (repeated::RULE, s.combination.suspect_weight, repeated_review::look(mine, s.repeated)),
                (
                    not_the_buyer::RULE,
                    s.not_the_buyer.suffices * s.combination.suspect_weight,
                    not_the_buyer::look(mine),
                ),
            ]
        },
    )
}

type RuleFindings = Vec<(&'static str, u32, Vec<Option<Seen>>)>;

/// Groups rows by merchant in order of time and id, and lets every rule look at each group.
fn judge<'a, T, K: Ord>(
    rows: &'a [T],
    owners: &[Option<u32>],
    settings: &Settings,
    key: impl Fn(&'a T) -> K,
    look: impl Fn(&[&'a T]) -> RuleFindings,
) -> Vec<Verdict> {
    let empty = Verdict { signs: Vec::new(), suspect_weight: settings.combination.suspect_weight };
    let mut verdicts = vec![empty; rows.len()];
    let mut order: Vec<(u32, usize, &T)> = rows
        .iter()
        .zip(owners)
        .enumerate()
        .filter_map(|(n, (row, owner))| owner.map(|owner| (owner, n, row)))
        .collect();
    order.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| key(a.2).cmp(&key(b.2))));
    for group in order.chunk_by(|a, b| a.0 == b.0) {
        let mine: Vec<&T> = group.iter().map(|(_, _, row)| *row).collect();
        for (rule, weight, seen) in look(&mine) {
            // A weight of zero switches the rule off.
            if weight == 0 {
                continue;
            }
            for ((_, n, _), seen) in group.iter().zip(seen) {
                if let Some((Seen { observed, threshold }, verdict)) = seen.zip(verdicts.get_mut(*n)) {
                    verdict.signs.push(Sign { rule, observed, threshold, weight });
                }
            }
        }
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;
    const DAY: i64 = 86_400_000_000;

    fn order<'a>(id: &'a str, buyer: &'a str, placed_at: i64) -> OrderFacts<'a> {
        OrderFacts::placed(id, buyer, placed_at, 1_000)
    }

    #[test]
    fn three_signs_make_an_order_suspect_and_two_do_not() {
        let brushed = OrderFacts {
            shipped_at: Some(10 * MINUTE),
            delivered_at: Some(20 * MINUTE),
            has_tracking: Some(false),
            stars: Some(5),
            reviewed_at: Some(21 * MINUTE),
            ..order("a", "x", 0)
        };
        let two = OrderFacts { has_tracking: Some(true), ..order("b", "y", DAY) };
        let two = OrderFacts { shipped_at: brushed.shipped_at.map(|t| t + DAY), ..two };
        let two = OrderFacts { delivered_at: brushed.delivered_at.map(|t| t + DAY), stars: Some(5), ..two };
        let two = OrderFacts { reviewed_at: brushed.reviewed_at.map(|t| t + DAY), ..two };
        let verdicts = judge_orders(&[brushed, two], &[Some(0), Some(0)], &Settings::default());
        assert_eq!(verdicts[0].rules().as_deref(), Some("no-tracking+instant-delivery+instant-praise"));
        assert_eq!(verdicts[1].weight(), 2);
        assert!(!verdicts[1].is_suspect());
    }

    #[test]
    fn what_went_wrong_with_nobody_known_is_beyond_doubt() {
        let ids: Vec<String> = (0..60).map(|n| format!("o{n}")).collect();
        let of = |buyer, is_troubled| {
            let orders: Vec<OrderFacts> = ids
                .iter()
                .map(|id| OrderFacts { is_troubled, has_tracking: Some(false), ..order(id, buyer, 0) })
                .collect();
            judge_orders(&orders, &vec![Some(0); 60], &Settings::default())
                .iter()
                .filter(|v| !v.signs.is_empty())
                .count()
        };
        assert_eq!([of(UNKNOWN_BUYER, true), of(UNKNOWN_BUYER, false), of("x", true)], [0, 60, 60]);
    }

    #[test]
    fn verdicts_follow_their_rows_in_any_order() {
        let ids: Vec<String> = (0..40).map(|n| format!("o{n}")).collect();
        let mut orders: Vec<OrderFacts> =
            ids.iter().zip(0_i64..).map(|(id, n)| order(id, if n % 2 == 0 { "x" } else { "y" }, n * MINUTE)).collect();
        let owners = vec![Some(7); orders.len()];
        let forwards = judge_orders(&orders, &owners, &Settings::default());
        assert!(forwards.iter().all(|v| v.weight() >= 3), "burst, ring and orders per buyer");
        orders.reverse();
        let mut backwards = judge_orders(&orders, &owners, &Settings::default());
        backwards.reverse();
        assert_eq!(forwards, backwards);
    }

    #[test]
    fn the_unknown_merchant_is_not_judged_and_weight_zero_switches_off() {
        let orders: Vec<OrderFacts> = (0..40).map(|n| order("o", "x", n * MINUTE)).collect();
        assert!(judge_orders(&orders, &vec![None; 40], &Settings::default()).iter().all(|v| v.signs.is_empty()));
        let mut settings = Settings::default();
        settings.burst.weight = 0;
        let verdicts = judge_orders(&orders, &vec![Some(0); 40], &settings);
        assert!(verdicts.iter().flat_map(|v| &v.signs).all(|s| s.rule != burst::RULE));
    }
}
