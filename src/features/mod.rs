//! Features: windows over measures, as one number a merchant.
//!
//! ```text
//! views ── measure_shard ──▶ ShardMeasures ── prepare ──▶ PreparedFeatures ──┬── finish ──▶ FeatureTable (merchants × features)
//!                                                            │ all shards      │
//!                                                            └─▶ IndustryTotals ┘
//! ```
//!
//! Everything but the totals of the industry is a pure function of one shard, and a shard is looked at once: `prepare` computes what the
//! merchants' own tiles say and keeps, of the features that compare with the industry, the merchants' own sums.
//!
//! Each *kind* of feature has a file of its own: what it means, its formula, what missing means, and the code. To add a kind, write such a
//! file and name it in `kind::KINDS`.
//!
//! A value is null where a table that the feature depends on is absent (no evidence), where the merchant's rows of a measure add up to
//! more than 64 bits hold, where a *guard* of the feature fails (too little history, too few rows, …), or where the formula divides by zero.
//! It is never NaN or infinite. Guards are checked and printed from the same values (`guard.rs`).

mod attribute;
mod balance;
mod buyers;
mod comparison;
mod concentration;
mod daily;
mod days_since;
mod decayed_stock;
mod dictionary;
mod distinct_buyers;
mod error;
mod evidence;
mod guard;
mod industry;
mod kind;
mod label;
mod latest;
mod longest_gap;
mod lookup;
mod lowest_period;
mod mean;
mod measured;
mod params;
mod periods;
mod prepared;
mod quantile;
mod ratio;
mod relative_share;
mod relative_trend;
mod repeat_share;
mod rows_per_buyer;
mod settings;
mod share;
mod sum;
mod table;
mod tenure;
mod trend;
mod uses;
mod variation;

pub use attribute::Attribute;
pub use comparison::Comparison;
pub use daily::{DailyMeasure, daily_measure};
pub use dictionary::dictionary_markdown;
pub use error::FeatureError;
pub use evidence::{EvidenceWindow, FeatureEvidence, evidence};
pub use guard::{Guard, PeerGuard};
pub use industry::{CategoryTotal, IndustryTotals};
pub use kind::{ComparedKind, FeatureKind, KINDS, Kind, MeasureId, Names, OwnKind, Read, window_words};
pub use label::{WindowSums, outcome, window_sums};
pub use lookup::{FeatureLookup, ValuesByName};
pub use measured::{MerchantTiles, ShardMeasures, measure_shard};
pub use params::{MAX_REACH_DAYS, Params};
pub use prepared::{Overflow, PreparedFeatures, prepare};
pub use settings::{Direction, FeatureConfig, FeatureFiles, FeatureSpec, Group, LabelSpec, MOST_BEFORE_DAYS, Unit};
pub use table::{FeatureColumn, FeatureTable};
pub(crate) use uses::FeatureUses;
