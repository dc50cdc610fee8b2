//! How loans are read: the sections `[waterfall]`, `[materiality]` and `[ledger]` of the monitor file.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::confirmed::{ConfirmedPayments, RawConfirmation};
use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};
use crate::domain::{Hasher, MICROS_PER_DAY};

/// A part of an instalment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Fees.
    Fee,
    /// Interest.
    Interest,
    /// Principal.
    Principal,
}

impl Part {
    /// Its name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fee => "fee",
            Self::Interest => "interest",
            Self::Principal => "principal",
        }
    }
}

/// How payments are allocated to instalments, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waterfall {
    /// Order within one instalment; holds each part once.
    pub within: [Part; 3],
    /// How much less than the computed accrued interest still closes a loan early, in minor units.
    pub early_close_tolerance_minor: i64,
}

impl Default for Waterfall {
    /// Fees, interest, principal; one major unit of tolerance.
    fn default() -> Self {
        Self { within: [Part::Fee, Part::Interest, Part::Principal], early_close_tolerance_minor: 100 }
    }
}

/// From which arrears on a day counts towards default.
///
/// Arrears are material on a day that begins with more than [`Self::absolute_minor`] due and unpaid, *and* more than
/// [`Self::relative_ppm`] of all that is owed on the loan. Source: Regulation (EU) 2018/171, articles 1 and 2 (100 EUR for retail
/// exposures, 500 EUR for others, and 1 %), with EBA/GL/2016/07, part 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Materiality {
    /// In minor units.
    pub absolute_minor: i64,
    /// Arrears ÷ (arrears + principal not yet due), in parts per million.
    pub relative_ppm: i64,
}

impl Default for Materiality {
    /// 100 major units and 1 %, as for retail exposures.
    fn default() -> Self {
        Self { absolute_minor: 10_000, relative_ppm: 10_000 }
    }
}

/// All that decides how a loan reads: the monitor file's sections and the policy's definition of default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerRules {
    /// How payments are allocated.
    pub waterfall: Waterfall,
    /// Which arrears count towards default.
    pub materiality: Materiality,
    /// How much a loan may have been overpaid.
    pub overpayment: Overpayment,
    /// How long a repaid loan has to be sent again.
    pub retention: Retention,
    /// Loans of which the lender says that payments alike within minutes are several. No part of the digest: it is said of single loans, as what is no longer
    /// sent is, and models go on.
    pub payments_confirmed: ConfirmedPayments,
    /// Days past due, of material arrears, that are a default: by product. A loan of any other product cannot be known.
    pub default_dpd: BTreeMap<String, u16>,
}

impl LedgerRules {
    /// Adds every setting that changes what is said of a loan to a digest.
    pub fn digest_into(&self, hasher: &mut Hasher) {
        for part in self.waterfall.within {
            hasher.field(part.name().as_bytes());
        }
        for number in [
            self.waterfall.early_close_tolerance_minor,
            self.materiality.absolute_minor,
            self.materiality.relative_ppm,
            self.overpayment.most_ppm,
        ] {
            hasher.field(&number.to_le_bytes());
        }
        for (product, days) in &self.default_dpd {
            hasher.field(product.as_bytes());
            hasher.field(&days.to_le_bytes());
        }
    }
}

/// How much more than its whole schedule may have been paid on a loan before its payments are not believed: late charges that the
/// schedule does not hold explain a little, not a payment counted twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overpayment {
    /// Of the whole schedule (principal, interest and fees), in parts per million.
    pub most_ppm: i64,
}

impl Default for Overpayment {
    /// A tenth (project judgement: half a year of late charges at 0.05 % a day).
    fn default() -> Self {
        Self { most_ppm: 100_000 }
    }
}

/// How long a repaid loan has to be sent again: until then it is the borrower's record, and a record whose worst loan is left out looks
/// better than it is.
///
/// Set it to less than the source keeps repaid loans, and to no less than features look back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Days after the loan was closed; 0: repaid loans may be left out at once.
    pub closed_days: i64,
}

impl Default for Retention {
    /// Three years (project judgement): longer than features look back, shorter than the five years for which a credit bureau keeps a bad
    /// record after it ended (China, Regulation on the Administration of the Credit Reporting Industry, 2013, article 16).
    fn default() -> Self {
        Self { closed_days: 1_095 }
    }
}

impl Retention {
    /// Whether a loan closed at `closed_at` has to be sent to a night of `now`, both in UTC microseconds.
    #[must_use]
    pub fn reaches(self, closed_at: i64, now: i64) -> bool {
        now.saturating_sub(closed_at) < self.closed_days * MICROS_PER_DAY
    }
}

/// How many loans may be unknown before nothing of a night can be believed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnknownLimit {
    /// Unknown loans ÷ all loans, 0 to 1.
    pub max_share: f64,
}

impl Default for UnknownLimit {
    /// 2 % (project judgement).
    fn default() -> Self {
        Self { max_share: 0.02 }
    }
}

/// `[materiality]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawMateriality {
    absolute_minor: Spanned<i64>,
    relative_share: Spanned<f64>,
}

/// `[materiality]` in the reference.
pub(crate) static MATERIALITY_KEYS: Section = Section {
    head: "[materiality]",
    doc: "Which arrears count towards default: those above both thresholds. The section may be left out.",
    keys: &[
        Key::new("absolute_minor", "whole number", "10_000", "the absolute threshold")
            .unit("minor units")
            .range("0 to 10^8"),
        Key::new("relative_share", "number", "0.01", "the share of all that is owed on the loan")
            .unit("share")
            .range("0 to 1"),
    ],
};

/// `[ledger]` in the reference.
pub(crate) static LEDGER_KEYS: Section = Section {
    head: "[ledger]",
    doc: "When a loan, or the loan book, cannot be relied on. The section may be left out.",
    keys: &[
        Key::new("max_unknown_loan_share", "number", "0.02", "the night stops where more of the loans are unknown")
            .unit("share")
            .range("0 to 1")
            .or("0.02"),
        Key::new(
            "max_overpaid_share",
            "number",
            "0.1",
            "a loan on which more was paid than its schedule and this share of it is unknown",
        )
        .unit("share")
        .range("0 to 1")
        .or("0.1"),
        Key::new(
            "closed_loans_sent_days",
            "whole number",
            "1_095",
            "a repaid loan that is no longer sent before it was closed for so long is unknown; less than the source keeps repaid loans, no less \
             than features look back",
        )
        .unit("days")
        .range("0 to 36_500")
        .or("1_095"),
        Key::new(
            "no_longer_sent",
            "list of ids",
            "[\"l-17\"]",
            "loans that the night before knew and that are settled elsewhere",
        )
        .or("none"),
        Key::new(
            "payments_corrected",
            "list of ids, or of tables",
            "[\"l-17\", { loan = \"l-18\", until = \"2026-01-31\" }]",
            "loans of which payments were rightly taken back although no row shows them as reversed; `until` is the last as-of date on which that is believed",
        )
        .or("none"),
        Key::new(
            "terms_corrected",
            "list of ids",
            "[\"l-17\"]",
            "loans whose terms, schedule, guarantee group or write-off are right as they are sent tonight, although an earlier night knew others and they were \
             not restructured",
        )
        .or("none"),
        Key::new(
            "borrower_corrected",
            "table of ids",
            "{ \"l-17\" = \"m0000042\" }",
            "loans of which an earlier night knew another borrower, or none, each with the merchant whose it is",
        )
        .or("none"),
        Key::new(
            "payments_confirmed",
            "list of ids, or of tables",
            "[\"l-17\", { loan = \"l-18\", paid_until = \"2026-01-31\" }]",
            "loans on which payments of one sum that lie close to one another are several, not one that was sent twice, and on which a payment that comes to more than it did does so; \
             `paid_until` is the last day on which payments were made that this is said of, and without it a later one that is sent twice counts twice",
        )
        .or("none"),
        Key::new(
            "members_no_longer_sent",
            "list of ids",
            "[\"m0000042\"]",
            "merchants whose memberships of guarantee groups have ended although no row says so",
        )
        .or("none"),
        Key::new(
            "owners_corrected",
            "list of ids",
            "[\"n/a\"]",
            "owners that earlier nights knew by mistake: a shop whose row does not name them answers for them no longer",
        )
        .or("none"),
        Key::new(
            "trade_confirmed",
            "list of ids",
            "[\"m0000042\"]",
            "merchants of whom completed orders of days past came late or were corrected: they are believed as they are sent tonight, although the night before did \
             not know them (`history-grew`)",
        )
        .or("none"),
    ],
};

/// `[waterfall]` in the reference.
pub(crate) static WATERFALL_KEYS: Section = Section {
    head: "[waterfall]",
    doc: "How a payment is allocated: the oldest instalment first, and within it by part.",
    keys: &[
        Key::new("within", "list of words", "[\"fee\", \"interest\", \"principal\"]", "the order of the parts")
            .range("fee, interest, principal, each once"),
        Key::new(
            "early_close_tolerance_minor",
            "whole number",
            "100",
            "what may be missing where a loan is repaid early",
        )
        .unit("minor units")
        .range("0 to 100000"),
    ],
};

impl RawMateriality {
    /// Checks the section.
    ///
    /// # Errors
    /// A threshold out of range, with the line.
    pub(crate) fn check(&self, file: &ConfigFile) -> Result<Materiality, ConfigError> {
        Ok(Materiality {
            absolute_minor: bounds::integer(file, &self.absolute_minor, "absolute_minor", 0..=100_000_000)?,
            relative_ppm: parts_per_million(bounds::finite(file, &self.relative_share, "relative_share", 0.0..=1.0)?),
        })
    }
}

/// `[ledger]` as written; a key that is left out has its default.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawLedger {
    max_unknown_loan_share: Option<Spanned<f64>>,
    max_overpaid_share: Option<Spanned<f64>>,
    closed_loans_sent_days: Option<Spanned<i64>>,
    no_longer_sent: Option<Vec<String>>,
    members_no_longer_sent: Option<Vec<String>>,
    owners_corrected: Option<Vec<String>>,
    trade_confirmed: Option<Vec<String>>,
    payments_corrected: Option<Spanned<Vec<RawCorrection>>>,
    terms_corrected: Option<Vec<String>>,
    borrower_corrected: Option<BTreeMap<String, String>>,
    payments_confirmed: Option<Spanned<Vec<RawConfirmation>>>,
}

/// A loan that was corrected.
#[derive(Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "expected a loan's id, or { loan = \"l-17\", until = \"2026-01-31\" }"
)]
enum RawCorrection {
    Always(String),
    Until { loan: String, until: String },
}

/// Loans of which payments may be missing, each until a last as-of date where it has one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CorrectedPayments {
    until: BTreeMap<String, Option<Date>>,
}

impl CorrectedPayments {
    /// Whether a night believes that the payments of a loan are right as they are sent.
    #[must_use]
    pub fn holds(&self, loan_id: &str, as_of: Date) -> bool {
        self.until.get(loan_id).is_some_and(|until| until.is_none_or(|until| as_of <= until))
    }

    /// Loans whose payments a night does not miss.
    #[must_use]
    pub fn in_force(&self, as_of: Date) -> usize {
        self.until.keys().filter(|loan_id| self.holds(loan_id, as_of)).count()
    }
}

impl RawLedger {
    /// Loans that the source no longer sends although they were open.
    pub(crate) fn no_longer_sent(&self) -> BTreeSet<String> {
        self.no_longer_sent.iter().flatten().cloned().collect()
    }

    /// Loans whose payments are right as they are sent, although fewer than the night before knew.
    ///
    /// # Errors
    /// `until` is no date.
    pub(crate) fn payments_corrected(&self, file: &ConfigFile) -> Result<CorrectedPayments, ConfigError> {
        let mut corrected = CorrectedPayments::default();
        let Some(raw) = &self.payments_corrected else { return Ok(corrected) };
        for correction in raw.get_ref() {
            let (loan, until) = match correction {
                RawCorrection::Always(loan) => (loan, None),
                RawCorrection::Until { loan, until } => {
                    (loan, Some(bounds::date(file, &Spanned::new(raw.span(), until.clone()), "until")?))
                }
            };
            // Where a loan is named twice, the longer holds.
            let known = corrected.until.entry(loan.clone()).or_insert(until);
            *known = known.zip(until).map(|(known, until)| known.max(until));
        }
        Ok(corrected)
    }

    /// Loans whose terms are right as they are sent, although an earlier night knew others.
    pub(crate) fn terms_corrected(&self) -> BTreeSet<String> {
        self.terms_corrected.iter().flatten().cloned().collect()
    }

    /// Loans with the merchants whose they are, although an earlier night knew them under others.
    pub(crate) fn borrower_corrected(&self) -> BTreeMap<String, String> {
        self.borrower_corrected.clone().unwrap_or_default()
    }

    /// Loans on which payments alike within minutes are several.
    ///
    /// # Errors
    /// `paid_until` is no date.
    pub(crate) fn payments_confirmed(&self, file: &ConfigFile) -> Result<ConfirmedPayments, ConfigError> {
        let confirmed = self.payments_confirmed.as_ref().map(|raw| ConfirmedPayments::read(file, raw));
        Ok(confirmed.transpose()?.unwrap_or_default())
    }

    /// Merchants whose memberships of guarantee groups are no longer sent although they went on.
    pub(crate) fn members_no_longer_sent(&self) -> BTreeSet<String> {
        self.members_no_longer_sent.iter().flatten().cloned().collect()
    }

    /// Owners that earlier nights knew by mistake.
    pub(crate) fn owners_corrected(&self) -> BTreeSet<String> {
        self.owners_corrected.iter().flatten().cloned().collect()
    }

    /// Merchants whose trade of days past is believed as it is sent.
    pub(crate) fn trade_confirmed(&self) -> BTreeSet<String> {
        self.trade_confirmed.iter().flatten().cloned().collect()
    }

    /// Checks the section.
    ///
    /// # Errors
    /// A share or a number of days out of range, with the line.
    pub(crate) fn check(&self, file: &ConfigFile) -> Result<(Overpayment, UnknownLimit, Retention), ConfigError> {
        let share = |value: &Option<Spanned<f64>>, key: &str| {
            value.as_ref().map(|v| bounds::finite(file, v, key, 0.0..=1.0)).transpose()
        };
        let overpaid = share(&self.max_overpaid_share, "max_overpaid_share")?;
        let unknown = share(&self.max_unknown_loan_share, "max_unknown_loan_share")?;
        let closed_days = self.closed_loans_sent_days.as_ref();
        let closed_days =
            closed_days.map(|v| bounds::integer(file, v, "closed_loans_sent_days", 0..=36_500)).transpose()?;
        Ok((
            overpaid.map_or_else(Overpayment::default, |s| Overpayment { most_ppm: parts_per_million(s) }),
            unknown.map_or_else(UnknownLimit::default, |max_share| UnknownLimit { max_share }),
            closed_days.map_or_else(Retention::default, |closed_days| Retention { closed_days }),
        ))
    }
}

/// A share between 0 and 1 in whole parts per million, so that sums of money are compared exactly.
#[expect(clippy::cast_possible_truncation, reason = "a share between 0 and 1 makes at most a million parts")]
fn parts_per_million(share: f64) -> i64 {
    (share * 1e6).round() as i64
}

/// `[waterfall]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawWaterfall {
    within: Spanned<Vec<Part>>,
    early_close_tolerance_minor: Spanned<i64>,
}

impl RawWaterfall {
    /// Checks the section.
    ///
    /// # Errors
    /// Parts that are missing or named twice, or a tolerance out of range, with the line.
    pub(crate) fn check(&self, file: &ConfigFile) -> Result<Waterfall, ConfigError> {
        let within = &self.within;
        let parts: [Part; 3] = match within.get_ref().as_slice() {
            &[a, b, c] if a != b && b != c && a != c => [a, b, c],
            _ => {
                let message = "within must name each part of an instalment once";
                let fault = file.refuse(&within.span(), message, "for example [\"fee\", \"interest\", \"principal\"]");
                file.pass_over(fault, [Part::Fee, Part::Interest, Part::Principal])?
            }
        };
        let tolerance = &self.early_close_tolerance_minor;
        Ok(Waterfall {
            within: parts,
            early_close_tolerance_minor: bounds::integer(file, tolerance, "early_close_tolerance_minor", 0..=100_000)?,
        })
    }
}
