//! What was known of a merchant when credit was decided, kept with the run: from it, and the merchant's published score and features, the
//! same decision is made again, or another one under another policy.

use serde::{Deserialize, Serialize};

use super::case::MerchantCase;
use super::error::OfferError;
use super::overrides::Override;
use super::scenario_case::ScenarioCase;
use crate::domain::{Probability, Reason};
use crate::exposure::{Account, BrokenShare};
use crate::features::FeatureLookup;
use crate::model::ScoreScale;
use crate::model::ability::ReceiptForecast;
use crate::repayment::BorrowerRecord;
use crate::scenario::PastTrade;
use crate::score::MerchantScore;

/// A row of the published table `cases`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRecord {
    /// The merchant.
    pub merchant_id: String,
    /// [`CaseFacts`] as JSON.
    pub facts_json: String,
}

/// What is known of a merchant beside score and features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseFacts {
    is_closed: bool,
    foreseen: ReceiptForecast,
    integrity_capital_minor: Option<i64>,
    record: BorrowerRecord,
    account: Account,
    broken_records: Option<BrokenShare>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    past_trade: Option<PastTrade>,
    regrowth_minor: Option<i64>,
    freezes: Vec<Reason>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    overrides: Vec<Override>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scenarios: Vec<ScenarioCase>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<CasePlace>,
}

/// Where a merchant stands in the portfolio. Runs published before it was kept of every merchant have it where their own policy optimises.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CasePlace {
    /// Category; `None` where it is not known.
    pub category: Option<String>,
    /// Region; `None` where it is not known.
    pub region: Option<String>,
}

/// What the score says of a merchant.
#[derive(Debug, Clone, Copy)]
pub struct CaseScore<'a> {
    /// Risk band.
    pub band: &'a str,
    /// Probability of default.
    pub pd: Probability,
    /// Score; `None` for a merchant of whom nothing is known.
    pub score: Option<i32>,
    /// Factors that cost points, the costliest first.
    pub reasons: &'a [Reason],
    /// What other scores would mean; `None` where the model is not at hand.
    pub scale: Option<&'a ScoreScale>,
}

impl<'a> CaseScore<'a> {
    /// What a published score says; a merchant without one is taken to default.
    ///
    /// # Errors
    /// It is no probability.
    pub fn of(score: &'a MerchantScore, scale: &'a ScoreScale) -> Result<Self, OfferError> {
        let pd = score.pd_prob.map_or(Ok(Probability::ONE), Probability::new);
        let pd = pd.map_err(|source| OfferError::Score { merchant_id: score.merchant_id.clone(), source })?;
        Ok(Self { band: &score.band, pd, score: score.score, reasons: &score.reasons, scale: Some(scale) })
    }
}

impl CaseRecord {
    /// The record of a case, before anything is decided on it, and where its merchant stands.
    ///
    /// # Errors
    /// It has no JSON: a defect.
    pub fn of(case: &MerchantCase<'_>, place: Option<CasePlace>) -> Result<Self, OfferError> {
        let facts = CaseFacts {
            is_closed: case.is_closed,
            foreseen: case.foreseen.clone(),
            integrity_capital_minor: case.integrity_capital_minor,
            record: case.record.clone(),
            account: case.account.clone(),
            broken_records: case.broken_records.clone(),
            past_trade: case.past_trade.clone(),
            regrowth_minor: case.regrowth_minor,
            freezes: case.freezes.to_vec(),
            overrides: case.overrides.to_vec(),
            scenarios: case.scenarios.to_vec(),
            place,
        };
        let facts_json = serde_json::to_string(&facts).map_err(|e| bad(case.merchant_id, &e))?;
        Ok(Self { merchant_id: case.merchant_id.to_owned(), facts_json })
    }

    /// The facts.
    ///
    /// # Errors
    /// They were written by another version of the program.
    pub fn facts(&self) -> Result<CaseFacts, OfferError> {
        serde_json::from_str(&self.facts_json).map_err(|e| bad(&self.merchant_id, &e))
    }
}

fn bad(merchant_id: &str, why: &serde_json::Error) -> OfferError {
    OfferError::CaseRecord { merchant_id: merchant_id.to_owned(), why: why.to_string() }
}

impl CaseFacts {
    /// The account as it stood before anything was offered.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }

    /// Where the merchant stands in the portfolio; `None` where the policy of the run did not ask.
    #[must_use]
    pub const fn place(&self) -> Option<&CasePlace> {
        self.place.as_ref()
    }

    /// What would be known if broken records had said something.
    #[must_use]
    pub fn scenarios(&self) -> &[ScenarioCase] {
        &self.scenarios
    }

    /// The same facts with the account of another hour.
    #[must_use]
    pub fn with_account(mut self, account: Account) -> Self {
        self.account = account;
        self
    }

    /// The case as it stood.
    #[must_use]
    pub fn case<'a>(
        &'a self,
        merchant_id: &'a str,
        score: CaseScore<'a>,
        features: &'a dyn FeatureLookup,
    ) -> MerchantCase<'a> {
        MerchantCase {
            merchant_id,
            is_closed: self.is_closed,
            band: score.band,
            pd: score.pd,
            score: score.score,
            scale: score.scale,
            score_reasons: score.reasons,
            features,
            foreseen: &self.foreseen,
            integrity_capital_minor: self.integrity_capital_minor,
            record: &self.record,
            account: &self.account,
            broken_records: self.broken_records.clone(),
            past_trade: self.past_trade.clone(),
            regrowth_minor: self.regrowth_minor,
            overrides: &self.overrides,
            freezes: &self.freezes,
            scenarios: &self.scenarios,
        }
    }
}
