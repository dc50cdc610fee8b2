//! What applicants are told.

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::Currency;
use crate::offer::{Application, BankReferral, ComparedOrder, Decline, Offer};
use crate::publish::LoggedAnswer;

/// How an application is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A new offer.
    Offer,
    /// The open offer of the product stands as it is.
    Standing,
    /// Nothing is offered.
    Decline,
    /// The application cannot be answered.
    Refused,
}

/// One application's answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The application.
    pub application_id: Option<String>,
    /// Who applied.
    pub merchant_id: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// Place in the log; null for what is not logged.
    pub number: Option<u64>,
    /// The offer.
    pub offer: Option<Offer>,
    /// Why nothing is offered.
    pub decline: Option<Decline>,
    /// Where a bank might carry more.
    pub referral: Option<BankReferral>,
    /// Orders named that secure nothing.
    pub orders_not_counted: Vec<String>,
    /// The borrower's own list of orders beside the platform's records.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub orders_compared: Vec<ComparedOrder>,
    /// What is wrong with the application.
    pub refused: Option<String>,
    /// It had been answered before: this is that answer.
    pub is_repeated: bool,
}

/// All answers of one call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answered {
    /// The run that they rest on.
    pub run_id: String,
    /// Its observation date.
    pub as_of: Date,
    /// Business date of the answers.
    pub on: Date,
    /// Currency of all amounts.
    pub currency: Option<Currency>,
    /// What a reader must know of the run.
    pub note: Option<String>,
    /// Whether they are in the log.
    pub is_logged: bool,
    /// In the order of the applications.
    pub answers: Vec<Answer>,
}

pub(super) fn refusal(application_id: Option<String>, merchant_id: Option<String>, why: String) -> Answer {
    Answer {
        application_id,
        merchant_id,
        outcome: Outcome::Refused,
        number: None,
        offer: None,
        decline: None,
        referral: None,
        orders_not_counted: Vec::new(),
        orders_compared: Vec::new(),
        refused: Some(why),
        is_repeated: false,
    }
}

pub(super) fn answered(outcome: Outcome, entry: &LoggedAnswer, is_logged: bool) -> Answer {
    Answer {
        application_id: Some(entry.application.application_id.clone()),
        merchant_id: Some(entry.application.merchant_id.clone()),
        outcome,
        number: is_logged.then_some(entry.number),
        offer: entry.offer.clone(),
        decline: entry.decline.clone(),
        referral: entry.referral.clone(),
        orders_not_counted: entry.orders_not_counted.clone(),
        orders_compared: entry.orders_compared.clone(),
        refused: None,
        is_repeated: false,
    }
}

/// The answer that an application was given before; an id that stands for two applications is refused.
pub(super) fn repeated(entry: &LoggedAnswer, application: &Application) -> Answer {
    if entry.application != *application {
        let why = "its id was answered before, for another application".to_owned();
        return refusal(Some(application.application_id.clone()), Some(application.merchant_id.clone()), why);
    }
    let outcome = match (&entry.offer, &entry.granted) {
        (Some(_), Some(_)) => Outcome::Offer,
        (Some(_), None) => Outcome::Standing,
        (None, _) => Outcome::Decline,
    };
    Answer { is_repeated: true, ..answered(outcome, entry, entry.number > 0) }
}
