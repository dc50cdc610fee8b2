//! What a bank wants to know of a merchant whose means carry more than this lender may lend: figures, history, and the schedule asked for. From a
//! published run alone.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::{Currency, Money, RateError, counted};
use crate::exposure::Statement;
use crate::model::ability::MerchantReceipts;
use crate::offer::{BankReferral, CostOfLoan, Due, Offer, OfferError, schedule};
use crate::page::{Block, PageError, html, shown_cell, table};
use crate::publish::{Entry, PublishError, ScoreBook};
use crate::repayment::{LastKnown, RememberedLoan};

/// Why no file can be made.
#[derive(Debug, thiserror::Error)]
pub enum BankFileError {
    /// The run cannot be read, or is not what was published.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A schedule that cannot be drawn up.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// A published rate that is out of range.
    #[error(transparent)]
    Rate(#[from] RateError),
    /// A table that cannot be written.
    #[error("write the tables for the bank: {0}")]
    Csv(#[from] csv::Error),
    /// A referral whose merchant or offer is not in the run.
    #[error("tell a bank of merchant {merchant}: the run does not hold {what}")]
    Incomplete {
        /// Whose.
        merchant: String,
        /// What is missing.
        what: &'static str,
    },
}

/// All referrals of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BankFile {
    /// The run.
    pub run_id: String,
    /// Its observation date.
    pub as_of: Date,
    /// Currency of all amounts; null where the run does not say.
    pub currency: Option<Currency>,
    /// By merchant.
    pub referred: Vec<Referred>,
}

/// One merchant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Referred {
    /// What was found.
    pub referral: BankReferral,
    /// The terms on which it is asked: those of this lender's own offer.
    pub asked: Asked,
    /// What the run says of the merchant.
    pub entry: Entry,
    /// Loans of this lender, repaid ones as long as they are remembered.
    pub loans: Vec<RememberedLoan>,
    /// Features; null is too little history.
    pub features: BTreeMap<String, Option<f64>>,
}

/// The loan that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Asked {
    /// The sum: what evidence, and the sum applied for, carry.
    pub principal_minor: i64,
    /// Interest a day, millionths.
    pub daily_rate_ppm: i64,
    /// Annual percentage rate.
    pub apr: f64,
    /// Days to the last payment.
    pub term_days: u16,
    /// All interest.
    pub interest_minor: i64,
    /// Payments; they add up to principal and interest. Of a share of sales the milestones, at the most interest.
    pub payments: Vec<Due>,
}

impl Asked {
    fn of(referral: &BankReferral, offer: &Offer) -> Result<Self, BankFileError> {
        let terms = offer.terms(referral.supportable_minor)?;
        let costs = CostOfLoan::of_terms(&terms, offer.expected_receipts_minor)?;
        Ok(Self {
            principal_minor: referral.supportable_minor,
            daily_rate_ppm: offer.daily_rate_ppm,
            apr: costs.apr,
            term_days: offer.term_days,
            interest_minor: costs.interest_minor,
            payments: schedule(&terms)?,
        })
    }
}

/// What a bank wants to know of the merchants that a run refers, or an output folder's current run.
///
/// # Errors
/// See [`BankFileError`].
pub fn bank_file(run: &Path) -> Result<BankFile, BankFileError> {
    let book = ScoreBook::open_folder(run)?;
    let referrals = book.all::<BankReferral>()?.collect::<Result<Vec<_>, _>>()?;
    let merchants: BTreeSet<&str> = referrals.iter().map(|referral| referral.merchant_id.as_str()).collect();
    let mut loans: BTreeMap<String, Vec<RememberedLoan>> = BTreeMap::new();
    if !merchants.is_empty() {
        for loan in book.all::<RememberedLoan>()? {
            let loan = loan?;
            if merchants.contains(loan.merchant_id.as_str()) {
                loans.entry(loan.merchant_id.clone()).or_default().push(loan);
            }
        }
    }
    let mut referred = Vec::new();
    for referral in referrals {
        let merchant = referral.merchant_id.clone();
        let incomplete = |what| BankFileError::Incomplete { merchant: merchant.clone(), what };
        let entry = book.get(&merchant)?.ok_or_else(|| incomplete("the merchant"))?;
        let offer = entry.offers.iter().find(|offer| offer.product == referral.product);
        let asked = Asked::of(&referral, offer.ok_or_else(|| incomplete("the offer"))?)?;
        let features = book.features(&merchant)?.unwrap_or_default();
        referred.push(Referred {
            asked,
            loans: loans.remove(&merchant).unwrap_or_default(),
            features,
            entry,
            referral,
        });
    }
    let manifest = book.manifest();
    Ok(BankFile { run_id: manifest.run_id.clone(), as_of: manifest.as_of, currency: manifest.currency, referred })
}

/// A row of `referrals.csv`.
#[derive(Serialize)]
struct FigureRow<'a> {
    merchant_id: Cow<'a, str>,
    as_of: Date,
    currency: Option<Currency>,
    asked_minor: i64,
    term_days: u16,
    daily_rate_ppm: i64,
    apr: f64,
    interest_minor: i64,
    score: i32,
    pd_prob: f64,
    band: Option<Cow<'a, str>>,
    integrity_index: Option<i32>,
    integrity_capital_minor: Option<i64>,
    receipts_last_90_days_minor: Option<i64>,
    receipts_last_360_days_minor: Option<i64>,
    receipts_ahead_days: Option<u16>,
    receipts_ahead_lower_minor: Option<i64>,
    receipts_ahead_median_minor: Option<i64>,
    owed_here_minor: Option<i64>,
    receivables_minor: Option<i64>,
    loans_here: usize,
    loans_here_repaid: usize,
    largest_lent_here_minor: Option<i64>,
}

/// A row of `schedules.csv`.
#[derive(Serialize)]
struct ScheduleRow<'a> {
    merchant_id: Cow<'a, str>,
    number: usize,
    days_after_draw: u16,
    principal_minor: i64,
    interest_minor: i64,
    payment_minor: i64,
}

/// A row of `features.csv`.
#[derive(Serialize)]
struct FeatureRow<'a> {
    merchant_id: Cow<'a, str>,
    feature: &'a str,
    value: Option<f64>,
}

impl Referred {
    fn is_repaid(loan: &RememberedLoan) -> bool {
        matches!(loan.last_known, LastKnown::Closed | LastKnown::Settled)
    }

    /// Receipts over the term asked for, or the horizon next to it.
    fn receipts(&self) -> Option<&MerchantReceipts> {
        self.entry.receipts.iter().min_by_key(|ahead| ahead.horizon_days.abs_diff(self.asked.term_days))
    }

    fn figures(&self, as_of: Date, currency: Option<Currency>) -> FigureRow<'_> {
        let (score, account) = (self.entry.score.as_ref(), self.entry.account.as_ref());
        let receipts = self.receipts();
        FigureRow {
            merchant_id: shown_cell(&self.referral.merchant_id),
            as_of,
            currency,
            asked_minor: self.asked.principal_minor,
            term_days: self.asked.term_days,
            daily_rate_ppm: self.asked.daily_rate_ppm,
            apr: self.asked.apr,
            interest_minor: self.asked.interest_minor,
            score: self.referral.score,
            pd_prob: self.referral.pd_prob,
            band: score.map(|score| shown_cell(&score.band)),
            integrity_index: score.and_then(|score| score.integrity_index),
            integrity_capital_minor: score.and_then(|score| score.integrity_capital_minor),
            receipts_last_90_days_minor: receipts.map(|receipts| receipts.last_90_days_minor),
            receipts_last_360_days_minor: receipts.map(|receipts| receipts.last_360_days_minor),
            receipts_ahead_days: receipts.map(|receipts| receipts.horizon_days),
            receipts_ahead_lower_minor: receipts.map(|receipts| receipts.lower_minor),
            receipts_ahead_median_minor: receipts.map(|receipts| receipts.median_minor),
            owed_here_minor: account.and_then(|account| account.owed_minor),
            receivables_minor: account.and_then(|account| account.receivables_minor),
            loans_here: self.loans.len(),
            loans_here_repaid: self.loans.iter().filter(|loan| Self::is_repaid(loan)).count(),
            largest_lent_here_minor: self.loans.iter().filter_map(|loan| loan.principal_minor).max(),
        }
    }
}

impl BankFile {
    /// The files: one CSV of figures, one of schedules, one of features, and one page for people.
    ///
    /// # Errors
    /// A table that cannot be written.
    pub fn csv_files(&self) -> Result<[(&'static str, Vec<u8>); 3], BankFileError> {
        let mut figures = csv::Writer::from_writer(Vec::new());
        let mut schedules = csv::Writer::from_writer(Vec::new());
        let mut features = csv::Writer::from_writer(Vec::new());
        for referred in &self.referred {
            let merchant_id = shown_cell(&referred.referral.merchant_id);
            figures.serialize(referred.figures(self.as_of, self.currency))?;
            for (number, due) in (1..).zip(&referred.asked.payments) {
                schedules.serialize(ScheduleRow {
                    merchant_id: merchant_id.clone(),
                    number,
                    days_after_draw: due.day,
                    principal_minor: due.principal_minor,
                    interest_minor: due.interest_minor,
                    payment_minor: due.amount_minor(),
                })?;
            }
            for (feature, value) in &referred.features {
                features.serialize(FeatureRow { merchant_id: merchant_id.clone(), feature, value: *value })?;
            }
        }
        let bytes = |writer: csv::Writer<Vec<u8>>| writer.into_inner().map_err(|e| csv::Error::from(e.into_error()));
        Ok([
            ("referrals.csv", bytes(figures)?),
            ("schedules.csv", bytes(schedules)?),
            ("features.csv", bytes(features)?),
        ])
    }

    /// The page: a chapter a merchant.
    ///
    /// # Errors
    /// The template cannot be filled in.
    pub fn page(&self) -> Result<String, PageError> {
        let title = format!("Merchants referred to a bank, as of {}", self.as_of);
        let mut blocks = vec![
            Block::Heading(1, title.clone()),
            Block::Paragraph(format!(
                "Run {}. Each of these merchants could carry a larger loan than this lender may make. The sum asked for is what the evidence carries \
                 or, where it is less, what was applied for; the schedule is on the terms of this lender's own offer.",
                self.run_id
            )),
        ];
        if self.referred.is_empty() {
            blocks.push(Block::Paragraph("No merchant is referred.".to_owned()));
        }
        for referred in &self.referred {
            blocks.extend(self.of_merchant(referred));
        }
        html(&title, &blocks)
    }

    fn money(&self, minor: i64) -> String {
        self.currency.map_or_else(|| format!("{minor} minor units"), |currency| Money::new(minor, currency).to_string())
    }

    fn of_merchant(&self, referred: &Referred) -> Vec<Block> {
        let Referred { referral, asked, entry, .. } = referred;
        let known = |minor: Option<i64>| minor.map_or_else(|| "not known".to_owned(), |minor| self.money(minor));
        let fact = |name: &str, value: String| vec![name.to_owned(), value];
        let mut figures = vec![
            fact("asked for", self.money(asked.principal_minor)),
            fact("over", format!("{} days, {}", asked.term_days, counted(asked.payments.len(), "payment"))),
            fact("at", format!("{} ppm a day, APR {:.2} %", asked.daily_rate_ppm, 100.0 * asked.apr)),
            fact("interest in all", self.money(asked.interest_minor)),
            fact("score", referral.score.to_string()),
            fact("probability of default", format!("{:.2} %", 100.0 * referral.pd_prob)),
        ];
        if let Some(score) = &entry.score {
            figures.push(fact("risk band", score.band.clone()));
            let index =
                score.integrity_index.map_or_else(|| "not known".to_owned(), |index| format!("{index} of 1000"));
            figures.push(fact("integrity index", index));
            figures.push(fact("integrity capital", known(score.integrity_capital_minor)));
        }
        if let Some(receipts) = referred.receipts() {
            figures.push(fact("net receipts of the last 90 days", self.money(receipts.last_90_days_minor)));
            figures.push(fact("of the last 360 days", self.money(receipts.last_360_days_minor)));
            let ahead = format!(
                "lower bound {}, median {}",
                self.money(receipts.lower_minor),
                self.money(receipts.median_minor)
            );
            figures.push(fact(&format!("of {} days ahead", receipts.horizon_days), ahead));
        }
        if let Some(Statement { owed_minor, receivables_minor, .. }) = &entry.account {
            figures.push(fact("owed to this lender", known(*owed_minor)));
            figures.push(fact("shipped orders that wait for confirmation", known(*receivables_minor)));
        }
        let loans = referred.loans.iter().map(|loan| {
            let state = match loan.last_known {
                LastKnown::Never => "not known",
                LastKnown::Open => "open",
                LastKnown::InDefault => "in default",
                LastKnown::Closed | LastKnown::Settled => "repaid",
            };
            let product = loan.product.clone().unwrap_or_else(|| "not known".to_owned());
            vec![
                loan.loan_id.clone(),
                product,
                known(loan.principal_minor),
                known(loan.outstanding_minor),
                state.to_owned(),
            ]
        });
        let payments = asked.payments.iter().map(|due| {
            let day = format!("day {}", due.day);
            vec![day, self.money(due.principal_minor), self.money(due.interest_minor), self.money(due.amount_minor())]
        });
        let mut blocks = vec![
            Block::Heading(2, format!("Merchant {}", referral.merchant_id)),
            table(&["", ""], figures),
            Block::Heading(3, "History with this lender".to_owned()),
        ];
        if referred.loans.is_empty() {
            blocks.push(Block::Paragraph("No loan is remembered.".to_owned()));
        } else {
            blocks.push(table(&["loan", "product", "lent", "owed", "state"], loans.collect()));
        }
        blocks.push(Block::Heading(3, "Schedule asked for".to_owned()));
        blocks.push(table(&["after the draw", "principal", "interest", "payment"], payments.collect()));
        blocks
    }
}
