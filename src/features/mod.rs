//! Features: windows over measures, as one number a merchant.
//!
//! ```text
//! views ─┬─ measure_industry ──▶ ShardMeasures ── industry_totals ──▶ IndustryTotals ── merge over shards ─┐
//!        └─ measure_shard ─────▶ ShardMeasures ── compute ◀───────────────────────────────────────────────┘
//!                                                    └──▶ FeatureTable (merchants × features)
//! ```
//!
//! Everything but the merging of industry totals is a pure function of one shard. Each *kind* of feature has a file of its own:
//! what it means, its formula, what missing means, and the code. To add a kind, write such a file and name it in `kind::KINDS`.
//!
//! A value is null where a table that the feature depends on is absent (no evidence), where the merchant's history is shorter than
//! `min_history_days` or than the windows of the formula, or where the formula says so. It is never NaN or infinite.

mod attribute;
mod balance;
mod buyers;
mod compute;
mod concentration;
mod days_since;
mod decayed_stock;
mod dictionary;
mod distinct_buyers;
mod error;
mod evidence;
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
mod quantile;
mod ratio;
mod relative_share;
mod relative_trend;
mod repeat_share;
mod rows_per_buyer;
mod settings;
mod share;
mod sum;
mod tenure;
mod trend;
mod variation;

pub use attribute::Attribute;
pub use compute::{FeatureColumn, FeatureTable, compute};
pub use dictionary::dictionary_markdown;
pub use error::FeatureError;
pub use evidence::{EvidenceWindow, FeatureEvidence, evidence};
pub use industry::{CategoryTotal, IndustryTotals, industry_totals};
pub use kind::{FeatureKind, KINDS, MeasureId, Names, Read, window_words};
pub use label::{WindowSums, outcome, window_sums};
pub use lookup::FeatureLookup;
pub use measured::{MerchantTiles, ShardMeasures, measure_industry, measure_shard};
pub use params::{MAX_REACH_DAYS, Params};

pub use settings::{Direction, FeatureConfig, FeatureFiles, FeatureSpec, Group, LabelSpec, Unit};
