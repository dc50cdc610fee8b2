//! What an analyst reads first: the run in a dozen lines, and the same as `results.json`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::officers_decisions::OfficersDecisions;
use super::officers_work::OfficersWork;
use crate::domain::{Currency, Money, grouped};
use crate::model::ability::{AbilityReport, Lowered};
use crate::monitor::{AllowedJump, Portfolio};
use crate::offer::{OptimisationSummary, PolicyApproval, PriceFigure};
use crate::report::{optimisation_text, text_table};
use crate::run::intake_gates::{AllowedFault, IntakeVerdict};

/// What is said where no loan book is read.
pub const NO_LOAN_BOOK: &str = "  loan book  none is read: every merchant is taken to owe nothing here";

/// Counts and sums of a run. Depends on what could be seen at as-of, and on the night before, only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Job.
    pub job: String,
    /// Observation date.
    pub as_of: Date,
    /// Nobody named the date: it was read off the data, for exploration.
    #[serde(default)]
    pub as_of_guessed: bool,
    /// Why the caller forced a date past the data's own clock; null where it is not.
    #[serde(default)]
    pub as_of_forced: Option<String>,
    /// Currency of every amount.
    pub currency: Currency,
    /// Rows by contract table, and how old they are.
    pub tables: BTreeMap<String, TableCounts>,
    /// What the gates on the tables compared and let pass.
    #[serde(default)]
    pub intake: IntakeVerdict,
    /// Jumps since the night before beyond a bound of the monitor file, which it allows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jumps_allowed: Vec<AllowedJump>,
    /// Who stands for the policy; null where its file does not say.
    #[serde(default)]
    pub policy: Option<PolicyApproval>,
    /// What prices rest on, and where that comes from; empty of runs published before it was told.
    #[serde(default)]
    pub price: Vec<PriceFigure>,
    /// Merchants scored: all that were registered before as-of.
    pub merchants_scored: u64,
    /// Merchants by risk band.
    pub bands: BTreeMap<String, u64>,
    /// By product.
    pub offers: BTreeMap<String, OfferCounts>,
    /// Declines by product.
    pub declines: BTreeMap<String, u64>,
    /// Offers by product and by the cap that binds.
    #[serde(default)]
    pub binding_caps: BTreeMap<String, BTreeMap<String, u64>>,
    /// Declines by product and by each rule that failed; under `caps` those whose caps leave too little. A decline may stand under several.
    #[serde(default)]
    pub declined_by: BTreeMap<String, BTreeMap<String, u64>>,
    /// What all merchants together owe, as far as it is known, and may still draw, minor units.
    #[serde(default)]
    pub committed_minor: Option<i64>,
    /// Merchants referred to a bank.
    pub referrals: u64,
    /// Alerts that stand, by rule.
    pub alerts: BTreeMap<String, u64>,
    /// What became of alerts since the night before.
    #[serde(default)]
    pub alert_changes: AlertChanges,
    /// The officers' queue, and the easier terms that are proposed.
    #[serde(default)]
    pub officers_work: OfficersWork,
    /// What officers decided about credit.
    #[serde(default)]
    pub officers_decisions: OfficersDecisions,
    /// Loans of which nothing is known, by cause. A loan may stand under several.
    #[serde(default)]
    pub unknown_loans: BTreeMap<String, u64>,
    /// What else stands in the officers' list, by code: loans that were not drawn as they were offered, payments that had bounced and no
    /// longer have, applications that lead to no merchant.
    #[serde(default)]
    pub odd_loan_records: BTreeMap<String, u64>,
    /// Disputes that count for nothing because somebody else than the order's buyer opened them. Many of them say that disputes name people otherwise than
    /// orders do.
    #[serde(default)]
    pub disputes_of_others: u64,
    /// Rows of trade that an earlier night knew and that are no longer sent; they stand among the broken records of their merchants.
    #[serde(default)]
    pub rows_missing: u64,
    /// Of so many merchants.
    #[serde(default)]
    pub merchants_missing_rows: u64,
    /// Merchants of whose settled trade a part came to light after the nights that should have known it.
    #[serde(default)]
    pub merchants_past_grown: u64,
    /// That part, over all of them.
    #[serde(default)]
    pub past_grown_minor: i64,
    /// What could not be judged for lack of data.
    #[serde(default)]
    pub unjudged: Unjudged,
    /// Deductions ordered.
    pub deductions: u64,
    /// Their sum, minor units.
    pub deducted_minor: i64,
    /// What of it orders that secure loans have released.
    #[serde(default)]
    pub released_minor: i64,
    /// Deductions that the file for another system leaves out, by system: its sheet or file of what is not imported says why. They have to be entered by hand.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub not_imported: BTreeMap<String, u64>,
    /// The loan book; null where there is none.
    pub portfolio: Option<Portfolio>,
    /// What portfolio optimisation came to; not there where the policy does not optimise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimisation: Option<OptimisationSummary>,
    /// The model that scored.
    pub model: ModelSummary,
}

/// Rows of one contract table that could be seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCounts {
    /// Clean rows in their latest version.
    pub kept: u64,
    /// Rows that break a rule.
    pub quarantined: u64,
    /// Rows sent again, and superseded versions.
    pub duplicate: u64,
    /// Rows that the job's `where` does not mean.
    #[serde(default, skip_serializing_if = "crate::wash::is_zero")]
    pub skipped: u64,
    /// Last day with a visible event; null for a table without times, or without rows.
    #[serde(default)]
    pub last_event_on: Option<Date>,
    /// Last day of usual trade; null where no day is usual.
    #[serde(default)]
    pub usual_until_on: Option<Date>,
    /// The most clean rows of any night since the table last shrank by permission: the next night is compared with it.
    #[serde(default)]
    pub most_rows: u64,
    /// The least days of any night from the last day of usual trade to the as-of date: the next night is compared with it.
    #[serde(default)]
    pub least_days_old: Option<i32>,
    /// Clean rows with a value, by optional column; of a column that has none, those of the last night that had any: the next night is compared with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub filled: BTreeMap<String, u64>,
}

impl TableCounts {
    /// All rows that could be seen: kept + quarantined + duplicate + skipped.
    #[must_use]
    pub const fn read(&self) -> u64 {
        self.kept + self.quarantined + self.duplicate + self.skipped
    }
}

/// What became of alerts since the night before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertChanges {
    /// Opened tonight.
    pub opened: u64,
    /// Escalated tonight, those that opened tonight among them.
    pub escalated: u64,
    /// Cleared tonight.
    pub cleared: u64,
    /// Stand, but whether they still should cannot be said tonight.
    pub unknown: u64,
    /// Stand, suppressed by an officer: their action is not taken.
    pub suppressed: u64,
    /// Stand, snoozed by an officer.
    pub snoozed: u64,
}

/// How often rules had too little data to judge. Nothing here counted in a merchant's favour.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unjudged {
    /// Alert rules, by rule: merchants, or loans.
    pub alerts: BTreeMap<String, u64>,
    /// Eligibility rules that failed since what they look at is null, by rule: declines.
    pub eligibility: BTreeMap<String, u64>,
    /// Loans that a rule would have deducted but whose merchant's receipts are not known.
    pub deductions: u64,
    /// The same by what is not known: `receipts`, `another-loan` of the merchant, `latest-payments`.
    #[serde(default)]
    pub deductions_for_lack_of: BTreeMap<String, u64>,
    /// Measures that are unknown for a merchant because its rows add up to more than 64 bits hold, by measure: merchants.
    #[serde(default)]
    pub measures: BTreeMap<String, u64>,
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
    /// How well receipts are foreseen, out of time on merchants that training did not see, without the parts; null for a model that foresees
    /// none.
    #[serde(default)]
    pub ability: Option<AbilityReport>,
}

impl RunSummary {
    /// Offers of all products together.
    #[must_use]
    pub(in crate::run) fn all_offers(&self) -> OfferCounts {
        self.offers.values().fold(OfferCounts::default(), |sum, offers| OfferCounts {
            count: sum.count + offers.count,
            limit_minor: sum.limit_minor.saturating_add(offers.limit_minor),
        })
    }

    pub(in crate::run) fn money(&self, minor: i64) -> String {
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
        self.write_date(out)?;
        let total = self.tables.values().fold(TableCounts::default(), |a, t| TableCounts {
            kept: a.kept + t.kept,
            quarantined: a.quarantined + t.quarantined,
            duplicate: a.duplicate + t.duplicate,
            skipped: a.skipped + t.skipped,
            ..TableCounts::default()
        });
        let skipped = if total.skipped > 0 { format!(" + {} skipped", grouped(total.skipped)) } else { String::new() };
        writeln!(
            out,
            "  rows       {} read = {} kept + {} quarantined + {} duplicate{skipped}",
            grouped(total.read()),
            grouped(total.kept),
            grouped(total.quarantined),
            grouped(total.duplicate)
        )?;
        self.write_tables(out)?;
        self.write_intake(out)?;
        if let Some(policy) = &self.policy {
            writeln!(
                out,
                "  policy     {} (approved by {}; holds from {})",
                policy.version, policy.approved_by, policy.holds_from
            )?;
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
        self.write_ability(out)?;
        writeln!(out, "  merchants  {} scored", grouped(self.merchants_scored))?;
        let widest = self.bands.values().copied().max().unwrap_or(1).max(1);
        for (band, count) in &self.bands {
            let bar = "█".repeat(usize::try_from((count * 30).div_ceil(widest)).unwrap_or(30));
            writeln!(out, "             {band} {:>9}  {bar}", grouped(*count))?;
        }
        self.write_offers(out)?;
        let alerts: Vec<String> = self.alerts.iter().map(|(rule, n)| format!("{rule} {}", grouped(*n))).collect();
        writeln!(out, "  alerts     {}", if alerts.is_empty() { "none".to_owned() } else { alerts.join(" · ") })?;
        let changes = self.alert_changes;
        writeln!(
            out,
            "             {} opened · {} escalated, some as they opened · {} cleared tonight · {} stand unjudged · {} suppressed · {} snoozed",
            grouped(changes.opened),
            grouped(changes.escalated),
            grouped(changes.cleared),
            grouped(changes.unknown),
            grouped(changes.suppressed),
            grouped(changes.snoozed),
        )?;
        self.write_officers_work(out)?;
        let released = match self.released_minor {
            0 => String::new(),
            released => format!(", {} of it released by pledged orders", self.money(released)),
        };
        writeln!(
            out,
            "  deductions {}, {} in all{released}",
            grouped(self.deductions),
            self.money(self.deducted_minor)
        )?;
        for told in self.told_of_not_imported() {
            writeln!(out, "             {told}")?;
        }
        if let Some(unknown) = self.portfolio.as_ref().map(|p| p.unknown).filter(|unknown| unknown.loans > 0) {
            let lent = unknown.loans.saturating_sub(unknown.without_principal);
            let mut told = format!("{} lent on {}", self.money(unknown.principal_minor), grouped(lent));
            if unknown.without_principal > 0 {
                write!(told, ", how much on {} is not known", grouped(unknown.without_principal))?;
            }
            writeln!(
                out,
                "  unknown    {} loans whose records do not agree ({told}): no offer, no deduction",
                grouped(unknown.loans)
            )?;
        }
        self.write_odd_records(out)?;
        self.write_unjudged(out)?;
        self.write_loan_book(out)
    }

    fn write_offers(&self, out: &mut String) -> std::fmt::Result {
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
        if let Some(optimisation) = &self.optimisation {
            out.push_str(&optimisation_text(optimisation, self.currency));
        }
        let decided = &self.officers_decisions;
        if decided.count() > 0 {
            writeln!(
                out,
                "  officers   {} decisions in force ({}): limits {} higher and {} lower than without, {} offers more and {} fewer",
                grouped(decided.count()),
                decided.officers(),
                self.money(decided.raised_minor),
                self.money(decided.lowered_minor),
                grouped(decided.offers_added),
                grouped(decided.offers_removed),
            )?;
        }
        if self.referrals > 0 {
            writeln!(out, "  referrals  {} merchants to a bank", grouped(self.referrals))?;
        }
        Ok(())
    }

    /// What has to be entered by hand in another system.
    pub(in crate::run) fn told_of_not_imported(&self) -> impl Iterator<Item = String> {
        self.not_imported.iter().map(|(system, left_out)| {
            format!(
                "{} of {} deductions are not in the file for {system}: it says which, why, and what to set",
                grouped(*left_out),
                grouped(self.deductions)
            )
        })
    }

    fn write_loan_book(&self, out: &mut String) -> std::fmt::Result {
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
        } else {
            writeln!(out, "{NO_LOAN_BOOK}")?;
        }
        Ok(())
    }

    fn write_officers_work(&self, out: &mut String) -> std::fmt::Result {
        let work = &self.officers_work;
        if work.queued > 0 {
            writeln!(
                out,
                "  queue      {} borrowers who owe {}; of {} that may be lost the work saves {}, the first {}",
                grouped(work.queued),
                self.money(work.owed_minor),
                self.money(work.expected_loss_minor),
                self.money(work.expected_saved_minor),
                work.first.first().map_or("–", |line| line.merchant_id.as_str()),
            )?;
        }
        if work.proposals > 0 {
            writeln!(
                out,
                "  proposals  easier terms for {} loans over {}, {} of which receipts do not carry",
                grouped(work.proposals),
                self.money(work.proposed_minor),
                grouped(work.unaffordable),
            )?;
        }
        Ok(())
    }

    fn write_date(&self, out: &mut String) -> std::fmt::Result {
        if self.as_of_guessed {
            writeln!(
                out,
                "  as of      a GUESS read off the data, for exploration: lend and deduct on a date that is named"
            )?;
        }
        if let Some(reason) = &self.as_of_forced {
            writeln!(out, "  as of      FORCED past the data's own clock: {reason}")?;
        }
        Ok(())
    }

    fn write_ability(&self, out: &mut String) -> std::fmt::Result {
        let Some(ability) = self.model.ability.as_ref().filter(|report| report.judged_rows > 0) else { return Ok(()) };
        for horizon in &ability.horizons {
            let Some(level) = horizon.levels.iter().find(|level| (level.level - ability.quantile).abs() < 1e-9) else {
                continue;
            };
            let by_half = horizon
                .levels
                .iter()
                .find(|level| (level.level - 0.5).abs() < 1e-9)
                .map_or_else(String::new, |level| {
                    format!(", {:.1} % below the figure by half", 100.0 * level.share_below)
                });
            let naive: Vec<String> = horizon
                .naive
                .iter()
                .map(|naive| {
                    let lost = if naive.is_beaten { "" } else { ", NOT BEATEN" };
                    let factor = naive.with_calibrated_factor.map_or(String::new(), |loss| {
                        let lost = if naive.is_beaten_with_factor == Some(false) { ", not beaten" } else { "" };
                        format!(" (with a calibrated factor {loss:.3}{lost})")
                    });
                    format!("{} {:.3}{lost}{factor}", naive.rule, naive.as_it_stands)
                })
                .collect();
            let lowered = horizon.lowered.map_or_else(String::new, |Lowered { share_below, factor }| {
                format!(" (lowered to {factor:.2} of what they were: {:.1} % fell below)", 100.0 * share_below)
            });
            writeln!(
                out,
                "             receipts over {} days: {:.1} % of {} below the lower figure, {:.0} % meant{lowered}{by_half}; pinball loss {:.3} of receipts, of rules of thumb: {}",
                horizon.horizon_days,
                100.0 * level.share_below,
                grouped(ability.judged_rows as u64),
                100.0 * level.level,
                level.loss_share,
                naive.join(" · ")
            )?;
        }
        Ok(())
    }

    fn write_tables(&self, out: &mut String) -> std::fmt::Result {
        let mut rows = Vec::new();
        for (name, counts) in &self.tables {
            // Rows that the job does not mean are no part of what the quarantined are a share of.
            let share = match counts.read() - counts.skipped {
                seen if counts.quarantined > 0 => {
                    format!(
                        "{} ({:.2} %)",
                        grouped(counts.quarantined),
                        100.0 * counts.quarantined as f64 / seen as f64
                    )
                }
                _ => "0".to_owned(),
            };
            let until = counts.usual_until_on.map_or_else(|| "–".to_owned(), |day| day.to_string());
            rows.push(vec![name.clone(), grouped(counts.kept), share, grouped(counts.duplicate), until]);
        }
        write_table(out, &["table", "kept", "quarantined", "duplicate", "usual trade until"], &rows)
    }

    fn write_intake(&self, out: &mut String) -> std::fmt::Result {
        match &self.intake.reference {
            None => writeln!(out, "  gates      a first night: there is no earlier one to compare its tables with")?,
            Some(night) => {
                writeln!(out, "  gates      compared with the night of {} (run {})", night.as_of, night.run_id)?;
            }
        }
        for AllowedFault { finding, reason, until } in &self.intake.allowed {
            let until = until.map_or_else(|| "forced".to_owned(), |day| format!("until {day}"));
            writeln!(out, "             ALLOWED ({until}: {reason}): {finding}")?;
        }
        for AllowedJump { fault, reason, until } in &self.jumps_allowed {
            writeln!(out, "             ALLOWED (until {until}: {reason}): {fault}")?;
        }
        if !self.intake.absent.is_empty() {
            writeln!(
                out,
                "  absent     no file for {}: what they would say is not known",
                self.intake.absent.join(", ")
            )?;
        }
        for (heading, told) in self.intake.told_of_files() {
            writeln!(out, "  {heading:<9}  {told}")?;
        }
        Ok(())
    }

    /// What an officer is told of loans that are known, and of applications that lead to nobody; and disputes that do not count.
    fn write_odd_records(&self, out: &mut String) -> std::fmt::Result {
        if !self.odd_loan_records.is_empty() {
            let records = self.odd_loan_records.iter().map(|(code, n)| format!("{code} {}", grouped(*n)));
            writeln!(out, "  odd        loan records for an officer: {}", records.collect::<Vec<_>>().join(" · "))?;
        }
        if self.disputes_of_others > 0 {
            let disputes = grouped(self.disputes_of_others);
            writeln!(out, "  disputes   {disputes} by others than the orders' buyers do not count (not_the_buyer)")?;
        }
        if self.rows_missing > 0 {
            writeln!(
                out,
                "  missing    {} rows of {} merchants that an earlier night knew are not sent any more: their credit rests on the worst these could say (remembered_rows)",
                grouped(self.rows_missing),
                grouped(self.merchants_missing_rows)
            )?;
        }
        if self.merchants_past_grown > 0 {
            writeln!(
                out,
                "  past       {} of settled sales of {} merchants came to light after the nights that should have known them: history-grew where that is much of a \
                 merchant's (remembered_rows)",
                self.money(self.past_grown_minor),
                grouped(self.merchants_past_grown)
            )?;
        }
        Ok(())
    }

    fn write_unjudged(&self, out: &mut String) -> std::fmt::Result {
        let listed = |counts: &BTreeMap<String, u64>| {
            counts.iter().map(|(rule, n)| format!("{rule} {}", grouped(*n))).collect::<Vec<_>>().join(" · ")
        };
        let Unjudged { alerts, eligibility, deductions, deductions_for_lack_of, measures } = &self.unjudged;
        if !alerts.is_empty() {
            writeln!(out, "  not judged alerts, for lack of data: {}", listed(alerts))?;
        }
        if !eligibility.is_empty() {
            writeln!(out, "  not judged eligibility, declined for lack of data: {}", listed(eligibility))?;
        }
        if *deductions > 0 {
            let lacking = listed(deductions_for_lack_of);
            writeln!(
                out,
                "  not judged deductions of {} loans, by what is not known: {lacking}",
                grouped(*deductions)
            )?;
        }
        if !measures.is_empty() {
            writeln!(out, "  not known  measures whose sum is beyond 64 bits, by merchants: {}", listed(measures))?;
        }
        Ok(())
    }
}

/// Writes a table below a heading of the summary.
pub fn write_table(out: &mut String, head: &[&str], rows: &[Vec<String>]) -> std::fmt::Result {
    text_table(head, rows).lines().try_for_each(|line| writeln!(out, "           {line}"))
}
