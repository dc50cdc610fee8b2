//! Why loans of the books are unknown, told before anything is trained on them: a night tells it of the loans of tonight once it has decided.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::decide::DecideError;
use super::population::PopulationError;
use super::rules::JobRules;
use crate::domain::{AsOf, parallel};
use crate::repayment::{LoanException, repayment_tables};
use crate::store::Store;

/// What the records of loans say of each other on one night. What an earlier night knew of them is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LoanSurvey {
    /// Loans that lead to a merchant.
    pub loans: u64,
    /// Of them, those whose records do not agree.
    pub unknown: u64,
    /// Why, the commonest cause first. A loan may have several.
    pub causes: Vec<UnknownLoans>,
}

/// One cause for which loans are unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnknownLoans {
    /// The cause: a stable word.
    pub code: String,
    /// How many times it was found.
    pub times: u64,
    /// The first loan by id; null where its record names none.
    pub first: Option<String>,
    /// What was found of it.
    pub detail: String,
}

impl std::fmt::Display for UnknownLoans {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} times", self.code, self.times)?;
        if let Some(first) = &self.first {
            write!(f, ", as loan {first:?}")?;
        }
        write!(f, ": {}", self.detail)
    }
}

/// Why loans are unknown, counted line by line of the officers' list.
#[derive(Debug, Default)]
pub struct UnknownCauses(BTreeMap<String, UnknownLoans>);

impl UnknownCauses {
    /// Adds a line of a loan that is unknown.
    pub fn add(&mut self, line: &LoanException) {
        let (first, detail) = (&line.loan_id, &line.detail);
        let found = || UnknownLoans { code: line.code.clone(), times: 0, first: first.clone(), detail: detail.clone() };
        let cause = self.0.entry(line.code.clone()).or_insert_with(found);
        cause.times += 1;
        if (first, detail) < (&cause.first, &cause.detail) {
            (cause.first, cause.detail) = (first.clone(), detail.clone());
        }
    }

    /// The commonest cause first.
    pub fn commonest_first(&self) -> Vec<UnknownLoans> {
        let mut causes: Vec<UnknownLoans> = self.0.values().cloned().collect();
        causes.sort_by_key(|cause| Reverse(cause.times));
        causes
    }

    /// How many lines each cause has.
    pub fn into_counts(self) -> BTreeMap<String, u64> {
        self.0.into_iter().map(|(code, cause)| (code, cause.times)).collect()
    }
}

/// Reads the loan book of every bucket; `None` where the job has none.
///
/// # Errors
/// The store cannot be read.
pub fn survey_loans(store: &Store, as_of: &AsOf, rules: &JobRules) -> Result<Option<LoanSurvey>, DecideError> {
    let shards = parallel::each((0..store.buckets()).collect(), |bucket| {
        let shard = store.loans(bucket).and_then(|loans| store.seen(&loans, as_of)).map_err(PopulationError::from)?;
        let Some(tables) = repayment_tables(&shard, &rules.ledger).map_err(PopulationError::from)? else {
            return Ok(None);
        };
        let mut lines = tables.ledger.exceptions();
        lines.retain(|line| line.is_unknown);
        Ok::<_, DecideError>(Some((tables.ledger.len() as u64, lines)))
    })?;
    let mut survey: Option<LoanSurvey> = None;
    let mut causes = UnknownCauses::default();
    for (loans, lines) in shards.into_iter().flatten() {
        let survey = survey.get_or_insert_default();
        survey.loans += loans;
        survey.unknown +=
            lines.chunk_by(|a, b| (&a.merchant_id, &a.loan_id) == (&b.merchant_id, &b.loan_id)).count() as u64;
        for line in &lines {
            causes.add(line);
        }
    }
    if let Some(survey) = &mut survey {
        survey.causes = causes.commonest_first();
    }
    Ok(survey)
}
