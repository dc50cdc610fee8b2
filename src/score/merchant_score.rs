//! What one scored merchant's record is worth: a row of the published table `scores`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::Reason;
use crate::features::Group;

/// The band of a merchant with neither orders nor loans: no model was ever shown one, and a number for it would mislead.
pub const NO_EVIDENCE_BAND: &str = "no-evidence";

/// One merchant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MerchantScore {
    /// The merchant.
    pub merchant_id: String,
    /// Observation date.
    pub as_of: Date,
    /// Scorecard points: higher is safer; null without any evidence.
    pub score: Option<i32>,
    /// Probability of default within the model's performance window; null without any evidence.
    pub pd_prob: Option<f64>,
    /// Risk band; [`NO_EVIDENCE_BAND`] without any evidence.
    pub band: String,
    /// The face of the score, 0 to 1000; null without evidence.
    pub integrity_index: Option<i32>,
    /// Integrity capital in minor units; null without history.
    pub integrity_capital_minor: Option<i64>,
    /// 0 to 1000 by feature group, each of which is a column of the file; null without evidence.
    #[serde(default)]
    pub sub_indices: BTreeMap<Group, Option<i32>>,
    /// One to four, most important first.
    pub reasons: Vec<Reason>,
    /// `name/version` of the model.
    pub model_version: String,
    /// Least score if the merchant's broken records of trade are read as badly as they could be; the score where that is no worse. Null where none
    /// is broken. Loans that are not known are left out, as of the score.
    pub worst_case_score: Option<i32>,
    /// Probability of default there.
    pub worst_case_pd_prob: Option<f64>,
    /// Risk band there.
    pub worst_case_band: Option<String>,
}
