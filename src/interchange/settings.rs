//! Which files a night writes for other systems: the section `[interchange]` of the job file.

use serde::Deserialize;
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};

/// Which files are written. The default: none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InterchangeTerms {
    /// Alerts as newline-delimited JSON.
    pub alerts: bool,
    /// Metrics for Prometheus.
    pub metrics: bool,
    /// `OpenLineage` events, under this namespace.
    pub lineage_namespace: Option<String>,
    /// Apache Fineract's import of repayments.
    pub fineract: Option<FineractTerms>,
    /// Frappe Lending's Loan Repayment.
    pub frappe: Option<FrappeTerms>,
}

/// What Fineract has to be told beside loan, amount and day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FineractTerms {
    /// The payment type's name in Fineract.
    pub payment_type: String,
    /// Its id there.
    pub payment_type_id: i64,
    /// The office's name; informative.
    pub office: String,
    /// Whether the template has the columns of what is outstanding and of disbursement, as recent releases have.
    pub has_outstanding: bool,
    /// By what it finds the loan of a repayment.
    pub loans_by: LoansBy,
}

/// By what Fineract finds the loan of a repayment: what `loan_id` is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoansBy {
    /// Its account number: a workbook for the bulk import.
    #[default]
    AccountNumber,
    /// Its external id: requests to the API.
    ExternalId,
}

/// What Frappe has to be told beside loan, amount and day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrappeTerms {
    /// A choice of the document type.
    pub repayment_type: String,
    /// A mode of payment that is set up there; may be blank.
    pub mode_of_payment: String,
}

/// `[interchange]` in the reference.
pub(crate) static INTERCHANGE_KEYS: Section = Section {
    head: "[interchange]",
    doc: "Files for other systems, below `interchange/` of the run folder: docs/interchange.md. The section may be left out; nothing is written then.",
    keys: &[
        Key::new("alerts", "true or false", "true", "alerts.ndjson: every alert as a line of JSON").or("false"),
        Key::new("metrics", "true or false", "true", "metrics.prom: the night's figures for Prometheus' textfile collector")
            .or("false"),
        Key::new(
            "lineage_namespace",
            "text",
            "\"marketplace\"",
            "openlineage.ndjson: OpenLineage events of the night, under this namespace; a night that fails leaves its events in the output folder",
        )
        .or("no events"),
        Key::section("fineract", "repayments for Apache Fineract").or("none"),
        Key::section("frappe", "a file for Frappe Lending").or("none"),
    ],
};

/// `[interchange.fineract]` in the reference.
pub(crate) static FINERACT_KEYS: Section = Section {
    head: "[interchange.fineract]",
    doc: "What Apache Fineract has to be told of a deduction beside loan, amount and day.",
    keys: &[
        Key::new("payment_type", "text", "\"Deduction\"", "the payment type's name there"),
        Key::new("payment_type_id", "whole number", "2", "and its id").range("1 to 10^9"),
        Key::new(
            "has_outstanding",
            "true or false",
            "true",
            "whether its template has the columns \"Total Outstanding Amount\" and \"Loan Disbursement Date\", as recent releases have",
        )
        .or("true"),
        Key::new(
            "loans_by",
            "word",
            "\"external-id\"",
            "what loan_id is there: account-number writes workbooks for the bulk import, which takes no number with a hyphen; external-id writes requests to the API, which takes \
             every id",
        )
        .range("account-number, external-id")
        .or("account-number"),
        Key::new("office", "text", "\"Head Office\"", "the office's name; Fineract does not read it").or("blank"),
    ],
};

/// `[interchange.frappe]` in the reference.
pub(crate) static FRAPPE_KEYS: Section = Section {
    head: "[interchange.frappe]",
    doc: "What Frappe Lending has to be told of a deduction beside loan, amount and day.",
    keys: &[
        Key::new("repayment_type", "text", "\"Normal Repayment\"", "a choice of the document type Loan Repayment")
            .or("Normal Repayment"),
        Key::new("mode_of_payment", "text", "\"Deduction\"", "a mode of payment that is set up there").or("blank"),
    ],
};

/// `[interchange]` as written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawInterchange {
    #[serde(default)]
    alerts: bool,
    #[serde(default)]
    metrics: bool,
    lineage_namespace: Option<Spanned<String>>,
    fineract: Option<RawFineract>,
    frappe: Option<RawFrappe>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFineract {
    payment_type: Spanned<String>,
    payment_type_id: Spanned<i64>,
    office: Option<String>,
    has_outstanding: Option<bool>,
    #[serde(default)]
    loans_by: LoansBy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFrappe {
    repayment_type: Option<Spanned<String>>,
    mode_of_payment: Option<String>,
}

impl RawInterchange {
    /// Checks the section.
    ///
    /// # Errors
    /// The first value that is not allowed.
    pub(crate) fn check(&self, file: &ConfigFile) -> Result<InterchangeTerms, ConfigError> {
        let given = |text: &Option<Spanned<String>>, key: &str| {
            text.as_ref().map(|text| bounds::text(file, text, key)).transpose()
        };
        let fineract = self.fineract.as_ref().map(|raw| {
            Ok(FineractTerms {
                payment_type: bounds::text(file, &raw.payment_type, "payment_type")?,
                payment_type_id: bounds::integer(file, &raw.payment_type_id, "payment_type_id", 1..=1_000_000_000)?,
                office: raw.office.clone().unwrap_or_default(),
                has_outstanding: raw.has_outstanding.unwrap_or(true),
                loans_by: raw.loans_by,
            })
        });
        let frappe = self.frappe.as_ref().map(|raw| {
            let repayment_type = given(&raw.repayment_type, "repayment_type")?;
            Ok(FrappeTerms {
                repayment_type: repayment_type.unwrap_or_else(|| "Normal Repayment".to_owned()),
                mode_of_payment: raw.mode_of_payment.clone().unwrap_or_default(),
            })
        });
        Ok(InterchangeTerms {
            alerts: self.alerts,
            metrics: self.metrics,
            lineage_namespace: given(&self.lineage_namespace, "lineage_namespace")?,
            fineract: fineract.transpose()?,
            frappe: frappe.transpose()?,
        })
    }
}
