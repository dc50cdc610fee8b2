//! What an analyst reads first: the run in a dozen lines, and the same as `results.json`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::domain::{Currency, Money, grouped};
use crate::monitor::Portfolio;

/// Counts and sums of a run. Depends on what could be seen at as-of only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Job.
    pub job: String,
    /// Observation date.
    pub as_of: Date,
    /// Currency of every amount.
    pub currency: Currency,
    /// Rows by contract table.
    pub tables: BTreeMap<String, TableCounts>,
    /// Merchants scored: all that were registered before as-of.
    pub merchants_scored: u64,
    /// Merchants by risk band.
    pub bands: BTreeMap<String, u64>,
    /// By product.
    pub offers: BTreeMap<String, OfferCounts>,
    /// Declines by product.
    pub declines: BTreeMap<String, u64>,
    /// Merchants referred to a bank.
    pub referrals: u64,
    /// Alerts by rule.
    pub alerts: BTreeMap<String, u64>,
    /// Deductions ordered.
    pub deductions: u64,
    /// Their sum, minor units.
    pub deducted_minor: i64,
    /// The loan book; null where there is none.
    pub portfolio: Option<Portfolio>,
    /// The model that scored.
    pub model: ModelSummary,
}

/// Rows of one contract table that could be seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCounts {
    /// Clean rows in their latest version.
    pub kept: u64,
    /// Rows that break a rule.
    pub quarantined: u64,
    /// Rows sent again, and superseded versions.
    pub duplicate: u64,
}

/// Offers of one product.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferCounts {
    /// How many.
    pub count: u64,
    /// Sum of the limits, minor units.
    pub limit_minor: i64,
}

/// The model in a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSummary {
    /// Name and version.
    pub id: String,
    /// Approved by.
    pub approved_by: String,
    /// Out-of-time AUC; null where the test had one class only.
    pub auc: Option<f64>,
    /// Its 95 % interval.
    pub auc_interval: Option<[f64; 2]>,
    /// Labelled rows of the out-of-time test.
    pub test_rows: u64,
    /// Bad among them.
    pub test_bad: u64,
}

impl RunSummary {
    fn money(&self, minor: i64) -> String {
        Money::new(minor, self.currency).to_string()
    }

    /// The summary for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "{} as of {}", self.job, self.as_of)?;
        let total = self.tables.values().fold(TableCounts::default(), |a, t| TableCounts {
            kept: a.kept + t.kept,
            quarantined: a.quarantined + t.quarantined,
            duplicate: a.duplicate + t.duplicate,
        });
        let rows = total.kept + total.quarantined + total.duplicate;
        writeln!(
            out,
            "  rows       {} read = {} kept + {} quarantined + {} duplicate",
            grouped(rows),
            grouped(total.kept),
            grouped(total.quarantined),
            grouped(total.duplicate)
        )?;
        for (table, counts) in self.tables.iter().filter(|(_, c)| c.quarantined > 0) {
            let seen = counts.kept + counts.quarantined + counts.duplicate;
            let share = 100.0 * counts.quarantined as f64 / seen.max(1) as f64;
            writeln!(out, "             {table}: {} quarantined ({share:.2} %)", grouped(counts.quarantined))?;
        }
        writeln!(out, "  model      {} (approved by {})", self.model.id, self.model.approved_by)?;
        match (self.model.auc, self.model.auc_interval) {
            (Some(auc), Some([low, high])) => writeln!(
                out,
                "             out-of-time AUC {auc:.3} [{low:.3}, {high:.3}] on {} labelled, {} bad",
                grouped(self.model.test_rows),
                grouped(self.model.test_bad)
            )?,
            _ => writeln!(out, "             no out-of-time AUC: the test holds one class only")?,
        }
        writeln!(out, "  merchants  {} scored", grouped(self.merchants_scored))?;
        let widest = self.bands.values().copied().max().unwrap_or(1).max(1);
        for (band, count) in &self.bands {
            let bar = "█".repeat(usize::try_from((count * 30).div_ceil(widest)).unwrap_or(30));
            writeln!(out, "             {band} {:>9}  {bar}", grouped(*count))?;
        }
        for (product, offers) in &self.offers {
            let declined = self.declines.get(product).copied().unwrap_or(0);
            writeln!(
                out,
                "  {product:<10} {} offers, {} in all; {} declined",
                grouped(offers.count),
                self.money(offers.limit_minor),
                grouped(declined)
            )?;
        }
        for (product, declined) in self.declines.iter().filter(|(product, _)| !self.offers.contains_key(*product)) {
            writeln!(out, "  {product:<10} no offers; {} declined", grouped(*declined))?;
        }
        if self.referrals > 0 {
            writeln!(out, "  referrals  {} merchants to a bank", grouped(self.referrals))?;
        }
        let alerts: Vec<String> = self.alerts.iter().map(|(rule, n)| format!("{rule} {}", grouped(*n))).collect();
        writeln!(out, "  alerts     {}", if alerts.is_empty() { "none".to_owned() } else { alerts.join(" · ") })?;
        writeln!(out, "  deductions {}, {} in all", grouped(self.deductions), self.money(self.deducted_minor))?;
        if let Some(unknown) = self.portfolio.as_ref().map(|p| p.unknown).filter(|unknown| unknown.loans > 0) {
            writeln!(
                out,
                "  unknown    {} loans over {} whose records do not agree: no offer, no deduction",
                grouped(unknown.loans),
                self.money(unknown.principal_minor)
            )?;
        }
        if let Some(portfolio) = &self.portfolio {
            writeln!(
                out,
                "  loan book  {} borrowers owe {} on {} loans; {} in arrears; non-performing {}",
                grouped(portfolio.borrowers),
                self.money(portfolio.open.outstanding_minor),
                grouped(portfolio.open.loans),
                self.money(portfolio.arrears_minor),
                portfolio.non_performing_share().map_or("none".to_owned(), |s| format!("{:.2} %", 100.0 * s)),
            )?;
        }
        Ok(())
    }
}
