//! Alerts as newline-delimited JSON: the night, then the fields of `alerts.parquet`, one object a line, in the table's order.

use jiff::civil::Date;
use serde::Serialize;

use crate::monitor::Alert;

/// The file, below the run folder.
pub const ALERT_LINES: &str = "interchange/alerts.ndjson";

/// A line, which says of which night it is wherever it is sent.
#[derive(Serialize)]
struct Line<'a> {
    as_of: Date,
    #[serde(flatten)]
    alert: &'a Alert,
}

/// One alert of the night `as_of` as a line, its end included.
///
/// # Errors
/// A number that JSON cannot hold.
pub fn alert_line(as_of: Date, alert: &Alert) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(&Line { as_of, alert })?;
    line.push(b'\n');
    Ok(line)
}
