//! A parcel that was lost stays lost until it arrives.
//!
//! A later version that no longer says so would take a broken promise out of the merchant's record. One that says that it was delivered is believed: parcels are found again, but none arrived
//! before it was said to be lost.
//!
//! As of amounts ([`super::held_amounts`]), only versions that the source sends can be compared.

use polars::prelude::{DataFrame, Int64Chunked, IntoColumn, IntoSeries, PlHashMap, PolarsResult};

use super::earlier::COUNTED_UNTIL;

/// The parcels, of which those that were lost are lost still or arrived after that; `None` where there are no such. `earlier` are earlier versions of the parcels.
///
/// # Errors
/// A column is missing.
pub(super) fn hold_losses(parcels: &DataFrame, earlier: &DataFrame) -> PolarsResult<Option<DataFrame>> {
    let (lost, until) = (instants(earlier, "lost_at")?, instants(earlier, COUNTED_UNTIL)?);
    let (merchants, ids) = (earlier.column("merchant_id")?.str()?, earlier.column("shipment_id")?.str()?);
    // The last time at which each was lost, as far as it had passed while the version counted that said so.
    let mut told: PlHashMap<(&str, &str), i64> = PlHashMap::default();
    for row in 0..earlier.height() {
        let passed = lost.get(row).zip(until.get(row)).filter(|(lost, until)| lost < until);
        let (Some(own), Some((lost, _))) = (merchants.get(row).zip(ids.get(row)), passed) else { continue };
        let last = told.entry(own).or_insert(lost);
        *last = lost.max(*last);
    }
    if told.is_empty() {
        return Ok(None);
    }
    let (merchants, ids) = (parcels.column("merchant_id")?.str()?, parcels.column("shipment_id")?.str()?);
    let mut lost: Vec<Option<i64>> = instants(parcels, "lost_at")?.iter().collect();
    let mut delivered: Vec<Option<i64>> = instants(parcels, "delivered_at")?.iter().collect();
    let mut is_held = false;
    for (row, (lost, delivered)) in lost.iter_mut().zip(&mut delivered).enumerate() {
        let told = merchants.get(row).zip(ids.get(row)).and_then(|own| told.get(&own)).filter(|_| lost.is_none());
        let Some(told) = told.copied() else { continue };
        match delivered {
            Some(arrived) if *arrived >= told => continue,
            Some(arrived) => *arrived = told,
            None => *lost = Some(told),
        }
        is_held = true;
    }
    if !is_held {
        return Ok(None);
    }
    let mut held = parcels.clone();
    for (name, cells) in [("lost_at", lost), ("delivered_at", delivered)] {
        let kind = parcels.column(name)?.dtype().clone();
        let cells: Int64Chunked = cells.into_iter().collect();
        held.replace(name, cells.into_series().cast(&kind)?.with_name(name.into()).into_column())?;
    }
    Ok(Some(held))
}

fn instants(frame: &DataFrame, name: &str) -> PolarsResult<Int64Chunked> {
    Ok(frame.column(name)?.datetime()?.physical().clone())
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataType, TimeUnit, df};

    use super::*;

    /// Versions of parcel `p` of merchant `m`: when it was lost and delivered, and until when the version counted.
    fn parcels(rows: &[(Option<i64>, Option<i64>, i64)]) -> DataFrame {
        let instant = DataType::Datetime(TimeUnit::Microseconds, None);
        let mut frame = df!("shipment_id" => vec!["p"; rows.len()], "merchant_id" => vec!["m"; rows.len()]).unwrap();
        let columns: [(&str, Vec<Option<i64>>); 3] = [
            ("lost_at", rows.iter().map(|row| row.0).collect()),
            ("delivered_at", rows.iter().map(|row| row.1).collect()),
            (COUNTED_UNTIL, rows.iter().map(|row| Some(row.2)).collect()),
        ];
        for (name, times) in columns {
            let times: Int64Chunked = times.into_iter().collect();
            frame
                .with_column(times.into_series().cast(&instant).unwrap().with_name(name.into()).into_column())
                .unwrap();
        }
        frame
    }

    /// When the parcel was lost and delivered, after its newest version and the earlier ones; `None` where nothing is held.
    fn held(
        newest: (Option<i64>, Option<i64>),
        earlier: &[(Option<i64>, Option<i64>, i64)],
    ) -> Option<(Option<i64>, Option<i64>)> {
        let held = hold_losses(&parcels(&[(newest.0, newest.1, 0)]), &parcels(earlier)).unwrap()?;
        let at = |name: &str| held.column(name).unwrap().datetime().unwrap().physical().get(0);
        Some((at("lost_at"), at("delivered_at")))
    }

    #[test]
    fn a_lost_parcel_stays_lost_until_it_arrives() {
        let lost = (Some(10), None, 20);
        assert_eq!(held((None, None), &[lost]), Some((Some(10), None)), "taken back");
        assert_eq!(held((None, None), &[lost, (Some(15), None, 30)]), Some((Some(15), None)));
        assert_eq!(held((None, Some(25)), &[lost]), None, "found again");
        assert_eq!(held((None, Some(5)), &[lost]), Some((None, Some(10))), "it did not arrive before it was lost");
        assert_eq!(held((Some(10), None), &[lost]), None);
        assert_eq!(held((None, None), &[(Some(30), None, 20)]), None, "it lay ahead while the version counted");
        assert_eq!(held((None, None), &[(None, None, 20)]), None);
    }
}
