//! Tenure: how long the merchant has been there.

use super::error::FeatureError;
use super::kind::{FeatureKind, Names, Read};
use super::measured::MerchantTiles;

/// Calendar days from the local date of `merchants.registered_at` to as-of.
#[derive(Debug)]
pub struct Tenure;

impl FeatureKind for Tenure {
    fn reads(&self) -> Vec<Read> {
        Vec::new()
    }

    fn named_days(&self) -> Option<u16> {
        None
    }

    fn formula(&self, _names: Names) -> String {
        "days from the date of merchants.registered_at to D".to_owned()
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        Ok(Some(merchant.tenure_days() as f64))
    }
}
