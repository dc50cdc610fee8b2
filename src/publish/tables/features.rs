//! `features`: every feature value of every merchant, as the score saw them.

use arrow::datatypes::Float64Type;

use super::wide::{WideRow, WideValue};
use crate::publish::column::Kind;

/// One merchant's feature values; null means too little history.
pub type FeatureRow = WideRow<f64>;

impl WideValue for f64 {
    type Arrow = Float64Type;
    const KIND: Kind = Kind::Float64;
    const TABLE: &'static str = "features";
    const DOC: &'static str =
        "One row a merchant: the feature values that its score was computed from; null is too little history.";
}
