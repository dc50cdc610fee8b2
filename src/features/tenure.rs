//! Tenure: how long the merchant has been there.

use super::kind::{FeatureKind, Names, OwnKind, Read};
use super::measured::MerchantTiles;

/// Calendar days from the local date of `merchants.registered_at` to as-of.
#[derive(Debug)]
pub struct Tenure;

impl FeatureKind for Tenure {
    fn reads(&self) -> Vec<Read> {
        Vec::new()
    }

    fn formula(&self, _names: Names) -> String {
        "days from the date of merchants.registered_at to D".to_owned()
    }
}

impl OwnKind for Tenure {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        Some(merchant.tenure_days() as f64)
    }
}
