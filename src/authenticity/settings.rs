//! The settings of all rules.

use super::{
    BurstSettings, BuyerRingSettings, InstantDeliverySettings, InstantPraiseSettings, NoTrackingSettings,
    NotTheBuyerSettings, OddPriceSettings, OrdersPerBuyerSettings, RepeatedSettings, ReviewBurstSettings,
    ReviewOrdersTogetherSettings, ReviewWithoutCauseSettings,
};

/// How signs add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Combination {
    /// Weight at which a row is suspect.
    pub suspect_weight: u32,
}

/// Settings of every rule.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "each field is a rule's settings, documented there")]
pub struct Settings {
    pub combination: Combination,
    pub burst: BurstSettings,
    pub orders_per_buyer: OrdersPerBuyerSettings,
    pub buyer_ring: BuyerRingSettings,
    pub no_tracking: NoTrackingSettings,
    pub instant_delivery: InstantDeliverySettings,
    pub instant_praise: InstantPraiseSettings,
    pub odd_price: OddPriceSettings,
    pub repeated: RepeatedSettings,
    pub review_burst: ReviewBurstSettings,
    pub review_orders_together: ReviewOrdersTogetherSettings,
    pub review_without_cause: ReviewWithoutCauseSettings,
    pub not_the_buyer: NotTheBuyerSettings,
}

impl Default for Settings {
    /// Project judgement, but for `orders_per_buyer.max_ratio`, which a large marketplace publishes.
    fn default() -> Self {
        Self {
            combination: Combination { suspect_weight: 3 },
            burst: BurstSettings { weight: 1, window_minutes: 60, min_orders: 8, times_usual: 10.0 },
            orders_per_buyer: OrdersPerBuyerSettings { weight: 1, window_days: 30, min_orders: 12, max_ratio: 3.0 },
            buyer_ring: BuyerRingSettings { weight: 1, window_days: 30, min_orders_of_buyer: 4, min_buyers: 2 },
            no_tracking: NoTrackingSettings { weight: 1 },
            instant_delivery: InstantDeliverySettings { weight: 1, max_hours: 2 },
            instant_praise: InstantPraiseSettings { weight: 1, max_minutes: 60 },
            odd_price: OddPriceSettings { weight: 1, times_median: 5.0, min_orders: 20 },
            repeated: RepeatedSettings { window_minutes: 10, amount_bps: 100 },
            review_burst: ReviewBurstSettings {
                weight: 1,
                window_hours: 48,
                max_stars: 1,
                min_reviews: 5,
                times_usual: 5.0,
            },
            review_orders_together: ReviewOrdersTogetherSettings {
                weight: 1,
                window_hours: 72,
                min_orders: 5,
                times_usual: 5.0,
            },
            review_without_cause: ReviewWithoutCauseSettings { weight: 1 },
            not_the_buyer: NotTheBuyerSettings { suffices: 1 },
        }
    }
}

/// Where a setting is kept.
#[derive(Debug)]
pub enum RuleSettingValue<'a> {
    /// A whole number.
    Whole(&'a mut u32),
    /// A finite number.
    Real(&'a mut f64),
}

/// One setting, as configuration and dictionary see it.
#[derive(Debug)]
pub struct RuleSetting<'a> {
    /// The rule, as a key: `orders_per_buyer`.
    pub rule: &'static str,
    /// The setting: `max_ratio`.
    pub name: &'static str,
    /// Smallest value allowed.
    pub least: f64,
    /// Largest value allowed.
    pub most: f64,
    /// What it does.
    pub doc: &'static str,
    /// Where it is kept.
    pub value: RuleSettingValue<'a>,
}

impl Settings {
    /// Every setting.
    #[expect(clippy::too_many_lines, reason = "a list, one entry a setting")]
    pub fn all(&mut self) -> Vec<RuleSetting<'_>> {
        fn whole<'a>(
            rule: &'static str,
            name: &'static str,
            range: (f64, f64),
            doc: &'static str,
            value: &'a mut u32,
        ) -> RuleSetting<'a> {
            RuleSetting { rule, name, least: range.0, most: range.1, doc, value: RuleSettingValue::Whole(value) }
        }
        fn real<'a>(rule: &'static str, name: &'static str, doc: &'static str, value: &'a mut f64) -> RuleSetting<'a> {
            RuleSetting { rule, name, least: 1.0, most: 1e6, doc, value: RuleSettingValue::Real(value) }
        }
        const WEIGHT: (f64, f64) = (0.0, 100.0);
        const COUNT: (f64, f64) = (1.0, 1e6);
        const SIGN: &str = "what the sign counts for; 0 switches the rule off";
        vec![
            whole(
                "combination",
                "suspect_weight",
                (1.0, 100.0),
                "a row is suspect when its signs weigh this much together",
                &mut self.combination.suspect_weight,
            ),
            whole("burst", "weight", WEIGHT, SIGN, &mut self.burst.weight),
            whole("burst", "window_minutes", (1.0, 1_440.0), "length of the window", &mut self.burst.window_minutes),
            whole(
                "burst",
                "min_orders",
                COUNT,
                "fewest orders in a window that are a burst",
                &mut self.burst.min_orders,
            ),
            real(
                "burst",
                "times_usual",
                "and so many times the merchant's usual orders in such a window",
                &mut self.burst.times_usual,
            ),
            whole("orders_per_buyer", "weight", WEIGHT, SIGN, &mut self.orders_per_buyer.weight),
            whole(
                "orders_per_buyer",
                "window_days",
                (1.0, 365.0),
                "length of the window",
                &mut self.orders_per_buyer.window_days,
            ),
            whole(
                "orders_per_buyer",
                "min_orders",
                COUNT,
                "fewest orders in a window that tell anything",
                &mut self.orders_per_buyer.min_orders,
            ),
            real(
                "orders_per_buyer",
                "max_ratio",
                "orders a distinct buyer from which on it is a sign",
                &mut self.orders_per_buyer.max_ratio,
            ),
            whole("buyer_ring", "weight", WEIGHT, SIGN, &mut self.buyer_ring.weight),
            whole("buyer_ring", "window_days", (1.0, 365.0), "length of the window", &mut self.buyer_ring.window_days),
            whole(
                "buyer_ring",
                "min_orders_of_buyer",
                (2.0, 1e6),
                "orders of one buyer in a window that make a member",
                &mut self.buyer_ring.min_orders_of_buyer,
            ),
            whole("buyer_ring", "min_buyers", COUNT, "members that make a ring", &mut self.buyer_ring.min_buyers),
            whole(
                "no_tracking",
                "weight",
                WEIGHT,
                "what the sign counts for; 0 (off) where the source has no tracking numbers",
                &mut self.no_tracking.weight,
            ),
            whole("instant_delivery", "weight", WEIGHT, SIGN, &mut self.instant_delivery.weight),
            whole(
                "instant_delivery",
                "max_hours",
                (1.0, 240.0),
                "hours from handing over to arrival below which it is a sign",
                &mut self.instant_delivery.max_hours,
            ),
            whole("instant_praise", "weight", WEIGHT, SIGN, &mut self.instant_praise.weight),
            whole(
                "instant_praise",
                "max_minutes",
                (1.0, 10_080.0),
                "minutes from arrival to five stars below which it is a sign",
                &mut self.instant_praise.max_minutes,
            ),
            whole("odd_price", "weight", WEIGHT, SIGN, &mut self.odd_price.weight),
            real(
                "odd_price",
                "times_median",
                "so many times above or below the merchant's median",
                &mut self.odd_price.times_median,
            ),
            whole("odd_price", "min_orders", COUNT, "fewest orders that give a median", &mut self.odd_price.min_orders),
            whole(
                "repeated",
                "window_minutes",
                (0.0, 1_440.0),
                "the most that lies between orders, or reviews, of one buyer that may be one sent twice",
                &mut self.repeated.window_minutes,
            ),
            whole(
                "repeated",
                "amount_bps",
                (0.0, 1_000.0),
                "and the most by which the orders' sums differ, in hundredths of a percent",
                &mut self.repeated.amount_bps,
            ),
            whole("review_burst", "weight", WEIGHT, SIGN, &mut self.review_burst.weight),
            whole(
                "review_burst",
                "window_hours",
                (1.0, 720.0),
                "length of the window",
                &mut self.review_burst.window_hours,
            ),
            whole(
                "review_burst",
                "max_stars",
                (1.0, 4.0),
                "most stars of a bad review",
                &mut self.review_burst.max_stars,
            ),
            whole(
                "review_burst",
                "min_reviews",
                COUNT,
                "fewest bad reviews in a window that are a burst",
                &mut self.review_burst.min_reviews,
            ),
            real(
                "review_burst",
                "times_usual",
                "and so many times the merchant's usual bad reviews in such a window",
                &mut self.review_burst.times_usual,
            ),
            whole("review_orders_together", "weight", WEIGHT, SIGN, &mut self.review_orders_together.weight),
            whole(
                "review_orders_together",
                "window_hours",
                (1.0, 720.0),
                "length of the window",
                &mut self.review_orders_together.window_hours,
            ),
            whole(
                "review_orders_together",
                "min_orders",
                COUNT,
                "fewest orders behind bad reviews that were placed together",
                &mut self.review_orders_together.min_orders,
            ),
            real(
                "review_orders_together",
                "times_usual",
                "and so many times the merchant's usual such orders in a window",
                &mut self.review_orders_together.times_usual,
            ),
            whole("review_without_cause", "weight", WEIGHT, SIGN, &mut self.review_without_cause.weight),
            whole(
                "not_the_buyer",
                "suffices",
                (0.0, 1.0),
                "1: the sign makes a review suspect alone, and a dispute count for nothing unless it was decided for the buyer or is a lawsuit; 0 (off) where reviews or disputes name people otherwise than orders do",
                &mut self.not_the_buyer.suffices,
            ),
        ]
    }
}
