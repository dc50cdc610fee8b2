//! The officers' queue: borrowers whose alerts ask for a person, the one on whom most is to be saved first.
//!
//! ```text
//! expected loss  = Σ over open loans of (principal not repaid + interest and fees due and unpaid) × p × loss given default
//! p              = the hazard model's probability where it says something of the borrower (late with nothing, a model is there), else the score's
//!                  probability of default; 1 for a loan in default, an unknown loan, or where there is no probability
//! expected saved = expected loss × the share that the action saves ([queue] of the monitor file), the largest of all actions asked for
//! ```
//! Of an unknown loan what was lent counts in full, where it is known. Written-off loans are others' business. An alert that an officer has snoozed or
//! suppressed asks for nobody: that is what the decision means.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::alert::Alert;
use super::restructure::share_ppm;
use super::settings::Action;
use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};
use crate::repayment::MerchantLoans;

/// What share of the expected loss an officer's work saves, by what the alert asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueTerms {
    saved_ppm: BTreeMap<Action, i64>,
}

impl Default for QueueTerms {
    /// A call saves a fifth, easier terms three tenths; what the program does by itself (freeze, deduct) or asks to be watched needs nobody tonight (project
    /// judgement: measure it on calls made and not made).
    fn default() -> Self {
        Self { saved_ppm: BTreeMap::from([(Action::Call, 200_000), (Action::Restructure, 300_000)]) }
    }
}

/// One borrower in the queue: a row of `officer_queue`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QueueLine {
    /// 1 for the first to be looked at.
    pub rank: i64,
    /// The borrower.
    pub merchant_id: String,
    /// What to do: of all actions asked for, the one that saves most.
    pub action: Action,
    /// What that is expected to save.
    pub expected_saved_minor: i64,
    /// What is expected to be lost if nothing is done.
    pub expected_loss_minor: i64,
    /// Principal not repaid, with interest and fees due and unpaid, unknown loans with what was lent.
    pub owed_minor: i64,
    /// Due and unpaid on known loans.
    pub arrears_minor: i64,
    /// The most days past due of known loans; `None` where none is known.
    pub dpd: Option<i64>,
    /// The hazard model's probability of trouble; `None` where there is no model, or the borrower is late already.
    #[serde(default)]
    pub trouble_prob: Option<f64>,
    /// The score's probability of default; `None` where the borrower has no score.
    pub pd_prob: Option<f64>,
    /// Loans of which nothing is known.
    pub unknown_loans: i64,
    /// Rules whose alerts ask for it, the gravest first.
    pub rules: Vec<String>,
    /// As-of date on which the oldest of these alerts opened.
    pub opened_on: Date,
}

impl QueueLine {
    /// No open loan is known: all is reckoned as lost but what is recovered at default.
    #[must_use]
    pub const fn is_all_unknown(&self) -> bool {
        self.dpd.is_none() && self.unknown_loans > 0
    }

    /// The order of the queue: most saved first, then most lost, then by merchant.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        let by = |line: &Self| (line.expected_saved_minor, line.expected_loss_minor);
        by(other).cmp(&by(self)).then_with(|| self.merchant_id.cmp(&other.merchant_id))
    }
}

impl QueueTerms {
    /// The merchant's place in the queue, not yet ranked; `None` where no alert asks for a person or nothing is owed. `loss_given_default` is the share of
    /// a balance that is lost at default.
    #[must_use]
    pub fn line(
        &self,
        merchant_id: &str,
        loans: MerchantLoans<'_>,
        alerts: &[Alert],
        pd_prob: Option<f64>,
        loss_given_default: f64,
    ) -> Option<QueueLine> {
        let saved = |alert: &Alert| self.saved_ppm.get(&alert.action).copied().unwrap_or(0);
        let is_asking = |alert: &&Alert| {
            alert.merchant_id == merchant_id && alert.acts() && alert.handling.is_none() && saved(alert) > 0
        };
        let mut asking: Vec<&Alert> = alerts.iter().filter(is_asking).collect();
        asking.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.rule.cmp(&b.rule)));
        let (action, share) = asking.iter().map(|alert| (alert.action, saved(alert))).max_by_key(|(a, s)| (*s, *a))?;
        let opened_on = asking.iter().map(|alert| alert.opened_on).min()?;
        // The watch gives it to every alert of the borrower alike.
        let trouble_prob = asking.iter().find_map(|alert| alert.trouble_prob);
        let pd_ppm = trouble_prob.or(pd_prob).map_or(1_000_000, |prob| share_ppm(prob.clamp(0.0, 1.0)));
        let lgd_ppm = i128::from(share_ppm(loss_given_default.clamp(0.0, 1.0)));
        let (mut owed, mut loss) = (0_i128, 0_i128);
        let mut add = |minor: i64, pd_ppm: i64| {
            owed += i128::from(minor);
            loss += i128::from(minor) * i128::from(pd_ppm) * lgd_ppm;
        };
        let open = || loans.known.iter().filter(|loan| !loan.is_closed && !loan.is_written_off);
        for loan in open() {
            let charges = loan.interest_arrears_minor.saturating_add(loan.fee_arrears_minor);
            add(loan.outstanding_minor.saturating_add(charges), if loan.is_in_default { 1_000_000 } else { pd_ppm });
        }
        for loan in loans.unknown {
            add(loan.principal_minor.unwrap_or(0).max(0), 1_000_000);
        }
        if owed == 0 && loans.unknown.is_empty() {
            return None;
        }
        let minor = |value: i128| i64::try_from(value).unwrap_or(i64::MAX);
        let loss = loss / 1_000_000_000_000;
        let mut rules: Vec<String> = Vec::new();
        for alert in asking {
            if !rules.contains(&alert.rule) {
                rules.push(alert.rule.clone());
            }
        }
        Some(QueueLine {
            rank: 0,
            merchant_id: merchant_id.to_owned(),
            action,
            expected_saved_minor: minor(loss * i128::from(share) / 1_000_000),
            expected_loss_minor: minor(loss),
            owed_minor: minor(owed),
            arrears_minor: open().fold(0, |sum: i64, loan| sum.saturating_add(loan.arrears_minor)),
            dpd: open().map(|loan| loan.dpd).max(),
            trouble_prob,
            pd_prob,
            unknown_loans: i64::try_from(loans.unknown.len()).unwrap_or(i64::MAX),
            rules,
            opened_on,
        })
    }
}

/// `[queue]` in the reference.
pub(super) static QUEUE_KEYS: Section = Section {
    head: "[queue]",
    doc: "The officers' queue: what share of a borrower's expected loss an officer's work saves, by what alerts ask for. An action with a share of 0 queues nobody.",
    keys: &[
        Key::new("call", "number", "0.2", "a call").unit("share").range("0 to 1").or("0.2"),
        Key::new("restructure", "number", "0.3", "easier terms").unit("share").range("0 to 1").or("0.3"),
        Key::new("freeze", "number", "0.0", "a look at a borrower whose credit is frozen")
            .unit("share")
            .range("0 to 1")
            .or("0"),
        Key::new("deduct", "number", "0.0", "a look at a borrower from whom is deducted")
            .unit("share")
            .range("0 to 1")
            .or("0"),
        Key::new("watch", "number", "0.0", "a look at a borrower who is watched").unit("share").range("0 to 1").or("0"),
    ],
};

/// `[queue]` as written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQueue {
    call: Option<Spanned<f64>>,
    restructure: Option<Spanned<f64>>,
    freeze: Option<Spanned<f64>>,
    deduct: Option<Spanned<f64>>,
    watch: Option<Spanned<f64>>,
}

impl RawQueue {
    /// Checks the section.
    ///
    /// # Errors
    /// The first value that is no share.
    pub(super) fn check(&self, file: &ConfigFile) -> Result<QueueTerms, ConfigError> {
        let mut terms = QueueTerms::default();
        for (action, key, share) in [
            (Action::Call, "call", &self.call),
            (Action::Restructure, "restructure", &self.restructure),
            (Action::Freeze, "freeze", &self.freeze),
            (Action::Deduct, "deduct", &self.deduct),
            (Action::Watch, "watch", &self.watch),
        ] {
            if let Some(share) = share {
                terms.saved_ppm.insert(action, share_ppm(bounds::unit(file, share, key)?));
            }
        }
        Ok(terms)
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
