//! Authenticity: which orders and reviews are probably not what they seem.
//!
//! Brushing inflates a reputation with orders that nobody wanted; bought one-star reviews ruin one. Every rule looks for one
//! sign, gives it with its evidence (observed, threshold) and a weight; a row is *suspect* when the weights of its signs
//! reach `combination.suspect_weight`. With the default weights it takes three signs to doubt an order or a review: a flash sale
//! alone, a loyal wholesale buyer alone, a shop that delivers by hand alone is not fraud, and a bad batch of goods that angers many
//! at once is not an attack. Nothing is deleted: measures leave suspect rows out, and authenticity features count them.
//!
//! A verdict is made from what was visible at as-of and nothing later; it may change as more becomes visible.
//!
//! | rule | sign |
//! |---|---|
//! | [`burst`](BurstSettings) | many orders of one merchant within an hour |
//! | [`orders-per-buyer`](OrdersPerBuyerSettings) | three or more orders a distinct buyer |
//! | [`buyer-ring`](BuyerRingSettings) | several buyers who each come back again and again |
//! | [`no-tracking`](NoTrackingSettings) | delivered without any tracking number |
//! | [`instant-delivery`](InstantDeliverySettings) | delivered before a parcel could travel |
//! | [`instant-praise`](InstantPraiseSettings) | five stars at once |
//! | [`odd-price`](OddPriceSettings) | a price far from the merchant's own median |
//! | [`repeated`](RepeatedSettings) | one sale, or one review, sent under several ids; suspect on this sign alone |
//! | [`review-burst`](ReviewBurstSettings) | many bad reviews together |
//! | [`review-orders-together`](ReviewOrdersTogetherSettings) | the orders behind bad reviews were placed together |
//! | [`review-without-cause`](ReviewWithoutCauseSettings) | a bad review of an order that kept its promises |
//! | [`not-the-buyer`](NotTheBuyerSettings) | a review of an order by somebody who did not place it; suspect on this sign alone. A dispute by such a person counts for nothing until it is decided for the buyer |

mod burst;
mod buyer_ring;
mod buyers;
mod instant_delivery;
mod instant_praise;
mod judge;
mod no_tracking;
mod not_the_buyer;
mod odd_price;
mod orders_per_buyer;
mod repeated;
mod repeated_review;
mod review_burst;
mod review_orders_together;
mod review_without_cause;
mod settings;
mod settings_file;

pub use burst::BurstSettings;
pub use buyer_ring::BuyerRingSettings;
pub use instant_delivery::InstantDeliverySettings;
pub use instant_praise::InstantPraiseSettings;
pub use judge::{OrderFacts, ReviewFacts, Sign, Verdict, judge_orders, judge_reviews};
pub use no_tracking::NoTrackingSettings;
pub use not_the_buyer::{Author, NotTheBuyerSettings, author};
pub use odd_price::OddPriceSettings;
pub use orders_per_buyer::OrdersPerBuyerSettings;
pub use repeated::{RULE as REPEATED, RepeatedSettings, UNKNOWN_BUYER, buyer_key, sales};
pub use review_burst::ReviewBurstSettings;
pub use review_orders_together::ReviewOrdersTogetherSettings;
pub use review_without_cause::ReviewWithoutCauseSettings;
pub use settings::{RuleSetting, RuleSettingValue, Settings};
pub(crate) use settings_file::{RawAuthenticity, turn};
