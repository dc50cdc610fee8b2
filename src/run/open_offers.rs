//! What last night's run left open.

use crate::exposure::{OpenOffer, OpenOffers};
use crate::publish::{OutputRow, PreviousRun, PublishError, TableReader};

/// The open offers of the night before, the file's bytes checked; none on a first night.
///
/// # Errors
/// The run holds no such table, or not what was published: what is offered and pledged already is then not known, and nothing may be offered.
pub fn read_open_offers(previous: Option<&PreviousRun>) -> Result<OpenOffers, PublishError> {
    let Some(previous) = previous else { return Ok(OpenOffers::default()) };
    let name = format!("{}.parquet", OpenOffer::table().name);
    let Some(path) = previous.file(&name)? else {
        let path = previous.run_dir.join(name);
        let why = "the night before was published by another version of the program: what it offered is not known. Publish that night \
                   again, or begin in an empty output folder once every offer has lapsed";
        return Err(PublishError::Malformed { path, why: why.to_owned() });
    };
    Ok(OpenOffers::new(TableReader::<OpenOffer>::open(&path)?.collect::<Result<Vec<_>, _>>()?))
}
