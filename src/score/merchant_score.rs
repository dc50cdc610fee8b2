//! What one scored merchant's record is worth: a row of the published table `scores`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::Reason;
use crate::features::Group;

/// One scored merchant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MerchantScore {
    /// The merchant.
    pub merchant_id: String,
    /// Observation date.
    pub as_of: Date,
    /// Scorecard points: higher is safer.
    pub score: i32,
    /// Probability of default within the model's performance window.
    pub pd_prob: f64,
    /// Risk band.
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
}
