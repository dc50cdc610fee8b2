//! `features`: every feature value of every merchant, as the score saw them.

use arrow::datatypes::Float64Type;

use super::wide::{WideRow, WideValue};
use crate::publish::column::{Kind, OutputColumn, OutputTable};

/// One merchant's feature values; null means too little history.
pub type FeatureRow = WideRow<f64>;

impl WideValue for f64 {
    type Arrow = Float64Type;
    const KIND: Kind = Kind::Float64;

    fn table() -> OutputTable {
        OutputTable {
            name: "features",
            doc: "One row a merchant: the feature values that its score was computed from; null is too little history.",
            sorted_by: &["merchant_id"],
            columns: vec![OutputColumn::required("merchant_id", Kind::Text, "", "The merchant.")],
        }
    }
}
