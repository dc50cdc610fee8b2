//! Amounts in the main unit, as other systems write them.

use crate::domain::Currency;

/// `123450` of a currency with two decimals as `1234.50`.
pub fn main_unit(minor: i64, currency: Currency) -> String {
    let (magnitude, units) = (minor.unsigned_abs(), currency.minor_units().unsigned_abs());
    let sign = if minor < 0 { "-" } else { "" };
    match currency.decimals() {
        0 => format!("{sign}{magnitude}"),
        decimals => format!("{sign}{}.{:0width$}", magnitude / units, magnitude % units, width = decimals as usize),
    }
}

/// One record of a CSV file (RFC 4180), its end included.
pub fn csv_record<'a>(cells: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let quoted = |cell: &str| {
        if cell.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.to_owned()
        }
    };
    let mut line = cells.into_iter().map(quoted).collect::<Vec<_>>().join(",").into_bytes();
    line.extend(b"\r\n");
    line
}
