//! A published run, open to be decided again: every merchant's case as the night saw it, from the run's own files.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::tz::TimeZone;

use super::policy_diff::{PolicyDiffError, PolicyName};
use crate::domain::AsOf;
use crate::features::ValuesByName;
use crate::model::{ScoreScale, Scorecard};
use crate::offer::{CaseFacts, CaseRecord, CaseScore, MerchantCase, OfferError, Policy};
use crate::publish::{FeatureRow, Manifest, ScoreBook};
use crate::score::MerchantScore;

/// A run and what its cases are read with.
pub(super) struct RunAgain {
    pub book: ScoreBook,
    pub as_of: AsOf,
    names: Vec<String>,
    bands: Vec<String>,
    scale: ScoreScale,
}

impl RunAgain {
    /// Opens a run, or an output folder's current one.
    ///
    /// # Errors
    /// It cannot be read, or does not say what decisions rest on.
    pub fn open(run: &Path) -> Result<Self, PolicyDiffError> {
        let book = ScoreBook::open_folder(run)?;
        let names = book.feature_names()?;
        let scorecard: Scorecard = book.json("model/model.json")?;
        let bands = scorecard.bands.iter().map(|b| b.name.clone()).collect();
        let scale = ScoreScale::of(&scorecard).map_err(OfferError::Scale)?;
        let zone = TimeZone::get(&book.manifest().time_zone).map_err(|_| PolicyDiffError::Incomplete {
            run: book.manifest().run_id.clone(),
            what: "in which time zone its day begins",
        })?;
        let as_of = AsOf::new(book.manifest().as_of, zone)?;
        Ok(Self { book, as_of, names, bands, scale })
    }

    pub fn manifest(&self) -> &Manifest {
        self.book.manifest()
    }

    /// Refuses a policy that does not suit the run's features, bands or currency.
    ///
    /// # Errors
    /// What does not suit, with its line.
    pub fn check(&self, policy: &Policy) -> Result<(), PolicyDiffError> {
        policy.check_features(self.names.iter().map(String::as_str))?;
        policy.check_bands(&self.bands)?;
        if let Some(currency) = self.manifest().currency {
            policy.check_currency(currency)?;
        }
        Ok(())
    }

    /// A policy as readers know it.
    pub fn named(&self, file: &Path, policy: &Policy) -> PolicyName {
        PolicyName {
            file: file.display().to_string(),
            approval: policy.approval.clone(),
            holds: policy.check_holds(self.manifest().as_of).is_ok(),
        }
    }

    /// The run does not say something.
    pub fn incomplete(&self, what: &'static str) -> PolicyDiffError {
        PolicyDiffError::Incomplete { run: self.manifest().run_id.clone(), what }
    }

    /// Calls `with` for every merchant, in their order.
    ///
    /// # Errors
    /// Files that cannot be read or do not fit together, or what `with` says.
    pub fn each_case(
        &self,
        mut with: impl FnMut(&MerchantScore, &MerchantCase<'_>, &CaseFacts) -> Result<(), PolicyDiffError>,
    ) -> Result<(), PolicyDiffError> {
        let incomplete = || self.incomplete("what every merchant was decided on");
        let places: BTreeMap<String, usize> =
            self.names.iter().cloned().enumerate().map(|(at, name)| (name, at)).collect();
        // All three files are sorted by merchant, one row each.
        let (mut scores, mut features) = (self.book.all::<MerchantScore>()?, self.book.all::<FeatureRow>()?);
        for case in self.book.all::<CaseRecord>()? {
            let case = case?;
            let (Some(score), Some(row)) = (scores.next().transpose()?, features.next().transpose()?) else {
                return Err(incomplete());
            };
            if score.merchant_id != case.merchant_id || row.merchant_id != case.merchant_id {
                return Err(incomplete());
            }
            let lookup = ValuesByName { names: &places, values: &row.values };
            let facts = case.facts()?;
            let known = CaseScore::of(&score, &self.scale)?;
            with(&score, &facts.case(&score.merchant_id, known, &lookup), &facts)?;
        }
        Ok(())
    }
}
