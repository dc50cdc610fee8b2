//! What a published run knows of the merchants who apply.

use std::collections::{BTreeMap, BTreeSet};

use super::error::AnswerError;
use crate::exposure::OpenOffer;
use crate::offer::{CaseFacts, CaseRecord, Offer};
use crate::publish::{FeatureRow, OutputRow, PublishError, ScoreBook};
use crate::score::MerchantScore;

/// From so many applicants on the run's tables are read once from end to end; fewer are looked up one by one.
const MANY: usize = 2_000;
/// So are they from one applicant in so many merchants on: a look-up costs as much as reading about so many rows.
const LOOK_UP_ROWS: u64 = 50;

/// What the run knows of one merchant.
pub(super) struct Known {
    pub score: MerchantScore,
    pub facts: CaseFacts,
    pub features: Vec<Option<f64>>,
    pub offers: Vec<Offer>,
    pub open: Vec<OpenOffer>,
}

/// Those of the `merchants` that the run decided on.
pub(super) fn known(book: &ScoreBook, merchants: &BTreeSet<&str>) -> Result<BTreeMap<String, Known>, AnswerError> {
    if is_few(book, merchants) {
        let mut found = BTreeMap::new();
        for merchant in merchants {
            let (Some(score), Some(case), Some(row)) =
                (book.score(merchant)?, book.case(merchant)?, book.feature_row(merchant)?)
            else {
                continue;
            };
            let known = Known {
                score,
                facts: case.facts()?,
                features: row.values,
                offers: book.offers(merchant)?,
                open: book.open_offers(merchant)?,
            };
            found.insert((*merchant).to_owned(), known);
        }
        return Ok(found);
    }
    let mut scores = of_merchants::<MerchantScore>(book, merchants, |row| &row.merchant_id)?;
    let mut cases = of_merchants::<CaseRecord>(book, merchants, |row| &row.merchant_id)?;
    let mut features = of_merchants::<FeatureRow>(book, merchants, |row| &row.merchant_id)?;
    let mut offers = of_merchants::<Offer>(book, merchants, |row| &row.merchant_id)?;
    let mut open = of_merchants::<OpenOffer>(book, merchants, |row| &row.merchant_id)?;
    let mut found = BTreeMap::new();
    for merchant in merchants {
        let (Some(score), Some(case), Some(row)) =
            (first(scores.remove(*merchant)), first(cases.remove(*merchant)), first(features.remove(*merchant)))
        else {
            continue;
        };
        let known = Known {
            score,
            facts: case.facts()?,
            features: row.values,
            offers: offers.remove(*merchant).unwrap_or_default(),
            open: open.remove(*merchant).unwrap_or_default(),
        };
        found.insert((*merchant).to_owned(), known);
    }
    Ok(found)
}

/// Open offers of some merchants, as the run left them.
pub(super) fn open_offers(
    book: &ScoreBook,
    merchants: &BTreeSet<&str>,
) -> Result<BTreeMap<String, Vec<OpenOffer>>, PublishError> {
    if is_few(book, merchants) {
        let of_one = |merchant: &&str| Ok(((*merchant).to_owned(), book.open_offers(merchant)?));
        return merchants.iter().map(of_one).collect();
    }
    of_merchants(book, merchants, |row: &OpenOffer| &row.merchant_id)
}

/// Whether so few merchants are looked for that each is looked up.
fn is_few(book: &ScoreBook, merchants: &BTreeSet<&str>) -> bool {
    let rows = book.manifest().file("scores.parquet").and_then(|file| file.rows).unwrap_or(u64::MAX);
    merchants.len() < MANY && (merchants.len() as u64).saturating_mul(LOOK_UP_ROWS) < rows
}

fn first<T>(rows: Option<Vec<T>>) -> Option<T> {
    rows.and_then(|rows| rows.into_iter().next())
}

/// The rows of some merchants, from one reading of the table.
fn of_merchants<R: OutputRow>(
    book: &ScoreBook,
    merchants: &BTreeSet<&str>,
    merchant_of: impl Fn(&R) -> &str,
) -> Result<BTreeMap<String, Vec<R>>, PublishError> {
    let mut found: BTreeMap<String, Vec<R>> = BTreeMap::new();
    for row in book.all::<R>()? {
        let row = row?;
        if let Some(merchant) = merchants.get(merchant_of(&row)) {
            found.entry((*merchant).to_owned()).or_default().push(row);
        }
    }
    Ok(found)
}
