//! How a core system's export is read: the section `[reconcile]` of the job file.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};

/// What a column of the export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CoreField {
    /// The loan, as the job's loans table names it.
    LoanId,
    /// The borrower.
    MerchantId,
    /// Principal not repaid.
    Outstanding,
    /// Interest due and unpaid.
    Interest,
    /// All that is due and unpaid.
    Arrears,
    /// Days past due.
    DaysPastDue,
    /// Open, closed or written off.
    Status,
}

impl CoreField {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::LoanId,
        Self::MerchantId,
        Self::Outstanding,
        Self::Interest,
        Self::Arrears,
        Self::DaysPastDue,
        Self::Status,
    ];

    /// Its key in the job file, and the column that is looked for where the job names none.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoanId => "loan_id",
            Self::MerchantId => "merchant_id",
            Self::Outstanding => "outstanding",
            Self::Interest => "interest",
            Self::Arrears => "arrears",
            Self::DaysPastDue => "days_past_due",
            Self::Status => "status",
        }
    }
}

impl FromStr for CoreField {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|field| field.name() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("{text:?} is none of {names}")
        })
    }
}

/// How the export writes amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AmountUnit {
    /// In minor units: 123450.
    Minor,
    /// In the main unit, with the currency's decimals: 1234.50.
    #[default]
    Main,
}

/// Whether the books hold loans on which nothing is owed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClosedLoans {
    /// A closed loan may be missing on either side.
    #[default]
    MayBeMissing,
    /// It may not.
    MustBeThere,
}

/// A loan's state, in the three words that both books know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CoreStatus {
    /// Something is owed, or will be.
    Open,
    /// Nothing is owed any more.
    Closed,
    /// The lender wrote it off, and something is still owed.
    WrittenOff,
}

impl CoreStatus {
    /// As reports name it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::WrittenOff => "written-off",
        }
    }
}

/// How the export is read, and which differences count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CoreTerms {
    /// Columns that the job names. A field that is not here is looked for under its own name, and not compared where there is no such column.
    pub columns: BTreeMap<CoreField, String>,
    /// How amounts are written.
    pub amounts: AmountUnit,
    /// Amounts may differ by so much, in minor units.
    pub tolerance_minor: i64,
    /// Days past due may differ by so many.
    pub tolerance_days: i64,
    /// Whether closed loans have to be in both books.
    pub closed_loans: ClosedLoans,
    /// Fields whose blank cells are zero.
    pub blank_is_zero: BTreeSet<CoreField>,
    /// What the export's words mean, in lower case; `None`: the row is no loan that was paid out.
    pub status: BTreeMap<String, Option<CoreStatus>>,
}

impl CoreTerms {
    /// What a word of the status column means; the inner `None`: the row is no loan.
    #[must_use]
    pub fn status_of(&self, word: &str) -> Option<Option<CoreStatus>> {
        let word = word.trim().to_lowercase();
        let own = || match word.as_str() {
            "open" | "active" => Some(Some(CoreStatus::Open)),
            "closed" => Some(Some(CoreStatus::Closed)),
            "written-off" | "written off" => Some(Some(CoreStatus::WrittenOff)),
            _ => None,
        };
        self.status.get(&word).copied().or_else(own)
    }
}

/// `[reconcile]` in the reference.
pub(crate) static CORE_KEYS: Section = Section {
    head: "[reconcile]",
    doc: "How `integrity reconcile` reads a core system's export of its books, and which differences count. The section may be left out.",
    keys: &[
        Key::new("amounts", "word", "\"main\"", "how the export writes amounts: 1234.50 or 123450")
            .range("main, minor")
            .or("main"),
        Key::new("tolerance_minor", "whole number", "0", "amounts that differ by no more than this do not count")
            .unit("minor units")
            .range("0 to 10^8")
            .or("0"),
        Key::new("tolerance_days", "whole number", "0", "nor do days past due that differ by no more than this")
            .unit("days")
            .range("0 to 366")
            .or("0"),
        Key::new(
            "closed_loans",
            "word",
            "\"may-be-missing\"",
            "whether loans on which nothing is owed any more have to be in both books",
        )
        .range("may-be-missing, must-be-there")
        .or("may-be-missing"),
        Key::new(
            "blank_is_zero",
            "list of words",
            "[\"arrears\", \"days_past_due\"]",
            "fields whose blank cells mean zero; any other blank cell is a difference",
        )
        .range("outstanding, interest, arrears, days_past_due")
        .or("none"),
        Key::section("columns", "the export's columns").or("as the fields are called"),
        Key::section("status", "the export's words for how a loan stands").or("open, active, closed, written-off"),
    ],
};

/// `[reconcile.columns]` in the reference.
pub(crate) static CORE_COLUMN_KEYS: Section = Section {
    head: "[reconcile.columns]",
    doc: "Which column of the export holds what. A column that is named has to be there; a field that is not named is looked for under its own name, and not \
          compared where there is no such column. `integrity reconcile --column FIELD=COLUMN` says the same on the command line.",
    keys: &[
        Key::new("loan_id", "text", "\"account_no\"", "the loan, as the loans table names it").or("loan_id"),
        Key::new("merchant_id", "text", "\"external_id\"", "the borrower, as the merchants table names it")
            .or("merchant_id"),
        Key::new("outstanding", "text", "\"principal_outstanding\"", "principal not repaid").or("outstanding"),
        Key::new("interest", "text", "\"interest_overdue\"", "interest due before as-of and not paid").or("interest"),
        Key::new("arrears", "text", "\"total_overdue\"", "all that was due before as-of and is not paid").or("arrears"),
        Key::new("days_past_due", "text", "\"days_in_arrears\"", "days past due as of the date: due yesterday is 1")
            .or("days_past_due"),
        Key::new("status", "text", "\"loan_status\"", "open, closed or written off").or("status"),
    ],
};

/// `[reconcile.status]` in the reference.
pub(crate) static CORE_STATUS_KEYS: Section = Section {
    head: "[reconcile.status]",
    doc: "Words of the export's status column, in upper or lower case. A word that is not here stops the comparison.",
    keys: &[
        Key::new("open", "list of text", "[\"Active\", \"Overpaid\"]", "the loan is open").or("open, active"),
        Key::new("closed", "list of text", "[\"Closed (obligations met)\"]", "nothing is owed any more").or("closed"),
        Key::new("written_off", "list of text", "[\"Closed (written off)\"]", "the lender wrote it off")
            .or("written-off, written off"),
        Key::new(
            "no_loan",
            "list of text",
            "[\"Rejected\", \"Approved\"]",
            "the row is no loan that was paid out: it is skipped",
        )
        .or("none"),
    ],
};

/// `[reconcile]` as written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCoreTerms {
    #[serde(default)]
    amounts: AmountUnit,
    tolerance_minor: Option<Spanned<i64>>,
    tolerance_days: Option<Spanned<i64>>,
    #[serde(default)]
    closed_loans: ClosedLoans,
    #[serde(default)]
    blank_is_zero: Vec<Spanned<String>>,
    #[serde(default)]
    columns: RawColumns,
    #[serde(default)]
    status: RawStatus,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawColumns {
    loan_id: Option<Spanned<String>>,
    merchant_id: Option<Spanned<String>>,
    outstanding: Option<Spanned<String>>,
    interest: Option<Spanned<String>>,
    arrears: Option<Spanned<String>>,
    days_past_due: Option<Spanned<String>>,
    status: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawStatus {
    #[serde(default)]
    open: Vec<Spanned<String>>,
    #[serde(default)]
    closed: Vec<Spanned<String>>,
    #[serde(default)]
    written_off: Vec<Spanned<String>>,
    #[serde(default)]
    no_loan: Vec<Spanned<String>>,
}

impl RawCoreTerms {
    /// Checks the section.
    ///
    /// # Errors
    /// The first value that is not allowed, a column that two fields name, a word that means two things.
    pub(crate) fn check(&self, file: &ConfigFile) -> Result<CoreTerms, ConfigError> {
        let within = |value: &Option<Spanned<i64>>, key: &str, most: i64| {
            value.as_ref().map_or(Ok(0), |value| bounds::integer(file, value, key, 0..=most))
        };
        let mut blank_is_zero = BTreeSet::new();
        for word in &self.blank_is_zero {
            const COUNTED: &str = "outstanding, interest, arrears or days_past_due";
            let field = word
                .get_ref()
                .parse()
                .ok()
                .filter(|field| !matches!(field, CoreField::LoanId | CoreField::MerchantId | CoreField::Status));
            let refused = || file.refuse(&word.span(), format!("{:?} has no zero", word.get_ref()), COUNTED);
            blank_is_zero.insert(field.ok_or_else(refused)?);
        }
        Ok(CoreTerms {
            columns: self.columns.check(file)?,
            amounts: self.amounts,
            tolerance_minor: within(&self.tolerance_minor, "tolerance_minor", 100_000_000)?,
            tolerance_days: within(&self.tolerance_days, "tolerance_days", 366)?,
            closed_loans: self.closed_loans,
            blank_is_zero,
            status: self.status.check(file)?,
        })
    }
}

impl RawColumns {
    fn check(&self, file: &ConfigFile) -> Result<BTreeMap<CoreField, String>, ConfigError> {
        let given = [
            (CoreField::LoanId, &self.loan_id),
            (CoreField::MerchantId, &self.merchant_id),
            (CoreField::Outstanding, &self.outstanding),
            (CoreField::Interest, &self.interest),
            (CoreField::Arrears, &self.arrears),
            (CoreField::DaysPastDue, &self.days_past_due),
            (CoreField::Status, &self.status),
        ];
        let mut columns: BTreeMap<CoreField, String> = BTreeMap::new();
        for (field, column) in given.into_iter().filter_map(|(field, column)| Some((field, column.as_ref()?))) {
            let name = bounds::text(file, column, field.name())?;
            if let Some((other, _)) = columns.iter().find(|(_, known)| **known == name) {
                let message = format!("column {name:?} is named for {} and for {}", other.name(), field.name());
                file.pass_over(file.refuse(&column.span(), message, "a column of its own for each field"), ())?;
            }
            columns.insert(field, name);
        }
        Ok(columns)
    }
}

impl RawStatus {
    fn check(&self, file: &ConfigFile) -> Result<BTreeMap<String, Option<CoreStatus>>, ConfigError> {
        let lists = [
            (&self.open, Some(CoreStatus::Open)),
            (&self.closed, Some(CoreStatus::Closed)),
            (&self.written_off, Some(CoreStatus::WrittenOff)),
            (&self.no_loan, None),
        ];
        let mut meanings = BTreeMap::new();
        for (words, meaning) in lists {
            for word in words {
                let before = meanings.insert(bounds::text(file, word, "status")?.to_lowercase(), meaning);
                if before.is_some_and(|before| before != meaning) {
                    let message = format!("status {:?} means two things", word.get_ref());
                    file.pass_over(file.refuse(&word.span(), message, "each word in one list"), ())?;
                }
            }
        }
        Ok(meanings)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn check(text: &str) -> Result<CoreTerms, ConfigError> {
        let file = ConfigFile::from_text(Path::new("job.toml"), text);
        file.parse::<RawCoreTerms>()?.check(&file)
    }

    #[test]
    fn words_are_understood_in_any_case_and_the_jobs_own_come_first() {
        let terms = check("status = { closed = [\"Active\"], no_loan = [\"Rejected\"] }").unwrap();
        assert_eq!(terms.status_of(" ACTIVE "), Some(Some(CoreStatus::Closed)));
        assert_eq!(terms.status_of("rejected"), Some(None));
        assert_eq!(terms.status_of("Open"), Some(Some(CoreStatus::Open)));
        assert_eq!(terms.status_of("300"), None);
        assert_eq!(CoreTerms::default(), check("").unwrap());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_line() {
        for (text, line, message) in [
            ("\ntolerance_minor = -1", 2, "out of range"),
            ("blank_is_zero = [\"status\"]", 1, "has no zero"),
            ("\n\n[columns]\nloan_id = \"a\"\narrears = \"a\"", 5, "loan_id and for arrears"),
            ("[status]\nopen = [\"x\"]\nclosed = [\"X\"]", 3, "two things"),
            ("[status]\nopen = [\" \"]", 2, "blank"),
        ] {
            let error = check(text).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.message.contains(message), "{error}");
        }
    }
}
