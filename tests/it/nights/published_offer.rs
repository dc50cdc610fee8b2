//! Offers as a loan service finds them: by the columns of the published file, whatever the library's own types are.

use std::fs::File;
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Int32Type, Int64Type};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// One published offer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "fields bear the names of the published columns")]
pub struct Offer {
    pub offer_id: String,
    pub merchant_id: String,
    pub product: String,
    pub limit_minor: i64,
    pub daily_rate_ppm: i64,
    pub term_days: i32,
    pub valid_until_on: Date,
    /// Empty where the product pledges none.
    pub pledged_order_ids: Vec<String>,
}

impl Offer {
    /// An offer that was given by day.
    pub fn of(given: &integrity::offer::Offer) -> Self {
        Self {
            offer_id: given.offer_id.clone(),
            merchant_id: given.merchant_id.clone(),
            product: given.product.clone(),
            limit_minor: given.limit_minor,
            daily_rate_ppm: given.daily_rate_ppm,
            term_days: i32::from(given.term_days),
            valid_until_on: given.valid_until_on,
            pledged_order_ids: given.pledged_order_ids.clone().unwrap_or_default(),
        }
    }
}

/// The offers of a published run.
pub fn offers_of(run_dir: &Path) -> Vec<Offer> {
    let file = File::open(run_dir.join("offers.parquet")).unwrap();
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    batches.flat_map(|batch| offers(&batch.unwrap())).collect()
}

fn offers(batch: &RecordBatch) -> Vec<Offer> {
    let column = |name: &str| batch.column_by_name(name).unwrap();
    let text = |name: &str, row: usize| column(name).as_string::<i32>().value(row).to_owned();
    let whole = |name: &str, row: usize| column(name).as_primitive::<Int64Type>().value(row);
    let offer = |row: usize| {
        let pledged = column("pledged_order_ids").as_list::<i32>();
        let pledged_order_ids = if pledged.is_null(row) {
            Vec::new()
        } else {
            pledged.value(row).as_string::<i32>().iter().map(|id| id.unwrap().to_owned()).collect()
        };
        let valid_until = column("valid_until_on").as_primitive::<Date32Type>().value(row);
        Offer {
            offer_id: text("offer_id", row),
            merchant_id: text("merchant_id", row),
            product: text("product", row),
            limit_minor: whole("limit_minor", row),
            daily_rate_ppm: whole("daily_rate_ppm", row),
            term_days: column("term_days").as_primitive::<Int32Type>().value(row),
            valid_until_on: date(1970, 1, 1).saturating_add(valid_until.days()),
            pledged_order_ids,
        }
    };
    (0..batch.num_rows()).map(offer).collect()
}
