//! Alerts as newline-delimited JSON: the fields of `alerts.parquet`, one object a line, in the table's order.

use crate::monitor::Alert;

/// The file, below the run folder.
pub const ALERT_LINES: &str = "interchange/alerts.ndjson";

/// One alert as a line, its end included.
///
/// # Errors
/// A number that JSON cannot hold.
pub fn alert_line(alert: &Alert) -> Result<Vec<u8>, serde_json::Error> {
    let mut line = serde_json::to_vec(alert)?;
    line.push(b'\n');
    Ok(line)
}
