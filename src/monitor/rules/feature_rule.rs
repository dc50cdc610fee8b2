//! What a rule on a merchant's features is, and the list of their kinds.

use std::fmt;
use std::sync::Arc;

use super::evidence::Evidence;
use super::finding::Finding;
use super::keys::RuleKeys;
use super::{
    arrears, brushing, dispute_spike, early_repayment_stopped, feature, hazard, industry_downturn, lawsuits,
    pledge_loss, shipping_stall, silence, trade_drop, unusual_share, utilisation, verification_lost, volume_drop,
};
use crate::config::ConfigError;

/// A rule on a merchant's features.
pub trait FeatureRule: fmt::Debug + Send + Sync {
    /// The features that it looks at.
    fn features(&self) -> Vec<&str>;

    /// Those of them of which it also looks at the night before.
    fn features_before(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Whether it observes one measurement of which more is worse, and holds it against a threshold: the hazard model learns from such
    /// measurements as from features.
    fn measures_one_thing(&self) -> bool {
        false
    }

    /// The finding on their values.
    fn judge(&self, seen: &Evidence) -> Finding;

    /// The same for whoever learns from the measurement, and so from how much it rests on: a least count that only keeps alerts from being raised hides nothing.
    fn measure(&self, seen: &Evidence) -> Finding {
        self.judge(seen)
    }

    /// The finding where an alert of the rule stands already: what excuses trouble that is new need not end trouble that is known.
    fn judge_standing(&self, seen: &Evidence) -> Finding {
        self.judge(seen)
    }
}

/// Reads the keys of a rule of one kind.
pub type ReadRule = fn(&mut RuleKeys<'_>) -> Result<Arc<dyn FeatureRule>, ConfigError>;

/// Every kind of rule on features, by the word that a monitor file uses.
const FEATURE_RULES: [(&str, ReadRule); 14] = [
    ("volume-drop", |keys| Ok(Arc::new(volume_drop::VolumeDrop::read(keys)?))),
    ("industry-downturn", |keys| Ok(Arc::new(industry_downturn::IndustryDownturn::read(keys)?))),
    ("cancellations", |keys| Ok(Arc::new(unusual_share::UnusualShare::read(keys)?))),
    ("evaluations", |keys| Ok(Arc::new(unusual_share::UnusualShare::read(keys)?))),
    ("lawsuits", |keys| Ok(Arc::new(lawsuits::Lawsuits::read(keys)?))),
    ("brushing", |keys| Ok(Arc::new(brushing::Brushing::read(keys)?))),
    ("verification-lost", |keys| Ok(Arc::new(verification_lost::VerificationLost::read(keys)?))),
    ("utilisation", |keys| Ok(Arc::new(utilisation::Utilisation::read(keys)?))),
    ("early-repayment-stopped", |keys| Ok(Arc::new(early_repayment_stopped::EarlyRepaymentStopped::read(keys)?))),
    ("silence", |keys| Ok(Arc::new(silence::Silence::read(keys)?))),
    ("trade-drop", |keys| Ok(Arc::new(trade_drop::TradeDrop::read(keys)?))),
    ("dispute-spike", |keys| Ok(Arc::new(dispute_spike::DisputeSpike::read(keys)?))),
    ("shipping-stall", |keys| Ok(Arc::new(shipping_stall::ShippingStall::read(keys)?))),
    ("feature", |keys| Ok(Arc::new(feature::Feature::read(keys)?))),
];

/// How a kind of rule on features is read; `None` for another word.
#[must_use]
pub fn feature_rule(kind: &str) -> Option<ReadRule> {
    FEATURE_RULES.iter().find(|(word, _)| *word == kind).map(|(_, read)| *read)
}

/// The kinds that a monitor file may declare.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    [arrears::KIND, pledge_loss::KIND, hazard::KIND]
        .into_iter()
        .chain(FEATURE_RULES.iter().map(|(word, _)| *word))
        .collect()
}
