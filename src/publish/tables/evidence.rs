//! `evidence`: the exact window sums behind every feature, so that a number can be walked back to rows without the raw data.

use arrow::datatypes::Int64Type;

use super::wide::{WideRow, WideValue};
use crate::publish::column::{Kind, OutputColumn, OutputTable};

/// One merchant's window sums and the rows behind them, in columns `<measure>__<first date>__<end date>__sum` and `…__rows`; null
/// without evidence.
pub type EvidenceRow = WideRow<i64>;

impl WideValue for i64 {
    type Arrow = Int64Type;
    const KIND: Kind = Kind::Int64;

    fn table() -> OutputTable {
        OutputTable {
            name: "evidence",
            doc: "One row a merchant: sums of measures over the windows that its features were computed from, and the rows behind \
                  each sum; `evidence.json` tells which feature reads which.",
            sorted_by: &["merchant_id"],
            columns: vec![OutputColumn::required("merchant_id", Kind::Text, "", "The merchant.")],
        }
    }
}
