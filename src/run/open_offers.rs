//! What last night's run left open: offers, loans and alerts.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use crate::exposure::{OpenOffer, OpenOffers, Statement};
use crate::monitor::{Alert, StandingAlerts};
use crate::publish::{OutputRow, PreviousRun, PublishError, TableReader};
use crate::repayment::OpenLoans;

/// The open offers of the night before, the file's bytes checked; none on a first night.
///
/// # Errors
/// The run holds no such table, or not what was published: what is offered and pledged already is then not known, and nothing may be offered.
pub fn read_open_offers(previous: Option<&PreviousRun>) -> Result<OpenOffers, PublishError> {
    Ok(OpenOffers::new(rows::<OpenOffer>(previous)?))
}

/// The loans that were open on the night before, the file's bytes checked, but for those that are no longer sent; none on a first night.
///
/// # Errors
/// The run holds no such table, or not what was published: what was owed is then not known, and nothing may be offered.
pub fn read_open_loans(
    previous: Option<&PreviousRun>,
    no_longer_sent: &BTreeSet<String>,
) -> Result<OpenLoans, PublishError> {
    let of_account = |account: Statement| {
        let Statement { merchant_id, open_loan_ids, .. } = account;
        open_loan_ids.into_iter().map(move |loan| (merchant_id.clone(), loan))
    };
    Ok(OpenLoans::new(rows::<Statement>(previous)?.into_iter().flat_map(of_account), no_longer_sent))
}

/// The alerts that stood after the night before, the file's bytes checked; none on a first night.
///
/// # Errors
/// The run holds no such table, or not what was published: which trouble is new, and which is over, is then not known.
pub fn read_standing_alerts(previous: Option<&PreviousRun>) -> Result<StandingAlerts, PublishError> {
    Ok(StandingAlerts::new(rows::<Alert>(previous)?))
}

fn rows<T: OutputRow + DeserializeOwned>(previous: Option<&PreviousRun>) -> Result<Vec<T>, PublishError> {
    let Some(previous) = previous else { return Ok(Vec::new()) };
    let name = format!("{}.parquet", T::table().name);
    let Some(path) = previous.file(&name)? else {
        let path = previous.run_dir.join(name);
        let why = "the night before was published by another version of the program: what it offered and what was owed is not known. \
                   Publish that night again, or begin in an empty output folder once every offer has lapsed";
        return Err(PublishError::Malformed { path, why: why.to_owned() });
    };
    TableReader::<T>::open(&path)?.collect()
}
