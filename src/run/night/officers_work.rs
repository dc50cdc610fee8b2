//! What a night leaves to people: the officers' queue and the easier terms that are proposed, as its summary tells of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::contract::{LOANS, MERCHANTS};
use crate::domain::grouped;
use crate::monitor::{AlertKind, Officers, ProposedInstalment, QueueLine};
use crate::offer::{LoanBookUse, Overrides};
use crate::run::population::PopulationError;
use crate::run::rules::JobRules;
use crate::store::{Shard, StoreError, bucket_of};
use crate::wash::Ingested;

/// Borrowers whom the summary names.
const NAMED: usize = 10;

/// The officers' work of a night.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OfficersWork {
    /// Borrowers in the queue.
    pub queued: u64,
    /// The same by what is to be done.
    pub queued_by_action: BTreeMap<String, u64>,
    /// What they owe, minor units.
    pub owed_minor: i64,
    /// What is expected to be lost if nothing is done, minor units.
    pub expected_loss_minor: i64,
    /// What the work is expected to save of it, minor units.
    pub expected_saved_minor: i64,
    /// The first of the queue, at most ten.
    pub first: Vec<QueueLine>,
    /// Loans for which easier terms are proposed.
    pub proposals: u64,
    /// What is owed on them, minor units.
    pub proposed_minor: i64,
    /// Those whose instalments the borrower's receipts do not carry, or not as far as is known.
    pub unaffordable: u64,
}

impl OfficersWork {
    /// Adds a shard's queue and proposals, neither ranked. All instalments of a loan lie in one shard.
    pub fn add(&mut self, queue: &[QueueLine], proposals: &[ProposedInstalment]) {
        let sum = |total: i64, of: fn(&QueueLine) -> i64| queue.iter().map(of).fold(total, i64::saturating_add);
        self.queued += queue.len() as u64;
        self.owed_minor = sum(self.owed_minor, |line| line.owed_minor);
        self.expected_loss_minor = sum(self.expected_loss_minor, |line| line.expected_loss_minor);
        self.expected_saved_minor = sum(self.expected_saved_minor, |line| line.expected_saved_minor);
        for line in queue {
            *self.queued_by_action.entry(line.action.to_string()).or_default() += 1;
        }
        self.first.extend_from_slice(queue);
        self.first.sort_by(QueueLine::order);
        self.first.truncate(NAMED);
        for (line, rank) in self.first.iter_mut().zip(1..) {
            line.rank = rank;
        }
        let first_ones = || proposals.iter().filter(|instalment| instalment.number == 1);
        self.proposals += first_ones().count() as u64;
        self.unaffordable += first_ones().filter(|instalment| !instalment.is_affordable).count() as u64;
        let owed = proposals.iter().flat_map(|instalment| [instalment.principal_minor, instalment.carried_minor]);
        self.proposed_minor = owed.fold(self.proposed_minor, i64::saturating_add);
    }
}

/// That loans are read and no rule of the monitor file looks at what is past due.
fn blind_monitor(rules: &JobRules) -> Option<String> {
    let looks = rules.monitor.rules.iter().any(|rule| matches!(rule.kind, AlertKind::Arrears { .. }));
    (rules.policy.loan_book == LoanBookUse::Required && !looks).then(|| {
        "no rule of the monitor file is of kind \"arrears\": loans that fall past due raise no alert; add one with from_dpd = 1, or leave it out if that is meant".to_owned()
    })
}

/// What a reader should know of what people decided: decisions in force that do nothing, because nobody can be seen whom they are about or the id is mistyped, and
/// exceptions of the monitor file, under which what is lost is not missed.
///
/// # Errors
/// The store cannot be read.
pub fn notes_on_decisions(rules: &JobRules, ingested: &Ingested) -> Result<Vec<String>, PopulationError> {
    let mut notes = decisions_about_nobody(&rules.overrides, &rules.officers, ingested)?;
    notes.extend(rules.policy.blind_to_arrears());
    let monitor = &rules.monitor;
    notes.extend(blind_monitor(rules));
    let exceptions = [
        ("no_longer_sent", monitor.no_longer_sent.len(), "loans: none of them is missed"),
        (
            "payments_corrected",
            monitor.payments_corrected.in_force(ingested.as_of.date()),
            "loans: no payment of them is missed",
        ),
        ("terms_corrected", monitor.terms_corrected.len(), "loans: their terms are believed as they are sent"),
        (
            "members_no_longer_sent",
            monitor.members_no_longer_sent.len(),
            "merchants: no membership of theirs is missed",
        ),
        ("owners_corrected", monitor.owners_corrected.len(), "owners: whoever has left one does not answer for it"),
        (
            "trade_confirmed",
            monitor.trade_confirmed.len(),
            "merchants: their orders of days past are believed however they grew",
        ),
    ];
    let standing = exceptions.into_iter().filter(|(_, named, _)| *named > 0);
    notes.extend(standing.map(|(key, named, what)| {
        format!(
            "{key} of the monitor file names {} {what}; take them out once a night has seen them right",
            grouped(named as u64)
        )
    }));
    let without_end = monitor.payments_confirmed.without_end();
    if without_end > 0 {
        notes.push(format!(
            "payments_confirmed of the monitor file names {} loans without paid_until: a payment of them that is sent twice counts twice; give each the last \
             day on which such payments were made",
            grouped(without_end as u64)
        ));
    }
    Ok(notes)
}

fn decisions_about_nobody(
    overrides: &Overrides,
    officers: &Officers,
    ingested: &Ingested,
) -> Result<Vec<String>, PopulationError> {
    let (store, as_of) = (&ingested.store, &ingested.as_of);
    let tonight = as_of.date();
    let on_credit = overrides.in_force(tonight);
    let on_credit = on_credit.iter().map(|decided| (&decided.by, &decided.merchant_id, None, decided.change.name()));
    let on_alerts = officers.in_force(tonight);
    let on_alerts = on_alerts
        .iter()
        .map(|decided| (&decided.by, &decided.merchant_id, decided.loan_id.as_ref(), decided.handling.name()));
    let mut lines = Vec::new();
    for (by, merchant, loan, what) in on_credit.chain(on_alerts) {
        let bucket = bucket_of(merchant, store.buckets());
        let names: &[&str] = if loan.is_some() { &[MERCHANTS.name, LOANS.name] } else { &[MERCHANTS.name] };
        let shard = store.seen(&store.tables(bucket, names)?, as_of)?;
        let lacks = if !has_row(&shard, MERCHANTS.name, &[("merchant_id", merchant)])? {
            "there is no such merchant".to_owned()
        } else if let Some(loan) = loan
            && !has_row(&shard, LOANS.name, &[("merchant_id", merchant), ("loan_id", loan)])?
        {
            format!("it has no loan {loan:?}")
        } else {
            continue;
        };
        lines.push(format!("the decision of {by} about merchant {merchant:?} ({what}) does nothing: {lacks}"));
    }
    Ok(lines)
}

/// Whether a table has a row with these texts.
fn has_row(shard: &Shard, table: &'static str, texts: &[(&str, &str)]) -> Result<bool, PopulationError> {
    let Some(frame) = shard.table(table) else { return Ok(false) };
    let broken = |e: polars::prelude::PolarsError| {
        PopulationError::from(StoreError::Frame { table: table.to_owned(), why: e.to_string() })
    };
    let columns = texts.iter().map(|(column, text)| Ok((frame.column(column)?.str()?, *text)));
    let columns = columns.collect::<Result<Vec<_>, polars::prelude::PolarsError>>().map_err(broken)?;
    Ok((0..frame.height()).any(|row| columns.iter().all(|(column, text)| column.get(row) == Some(*text))))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::monitor::Action;

    fn line(merchant: &str, saved: i64) -> QueueLine {
        QueueLine {
            rank: 0,
            merchant_id: merchant.to_owned(),
            action: Action::Call,
            expected_saved_minor: saved,
            expected_loss_minor: 5 * saved,
            owed_minor: 100 * saved,
            arrears_minor: 0,
            dpd: Some(0),
            trouble_prob: None,
            pd_prob: None,
            unknown_loans: 0,
            rules: Vec::new(),
            opened_on: date(2025, 1, 1),
        }
    }

    fn instalment(loan: &str, number: i64, is_affordable: bool) -> ProposedInstalment {
        ProposedInstalment {
            merchant_id: "m".to_owned(),
            loan_id: loan.to_owned(),
            number,
            instalments: 2,
            due_on: date(2025, 2, 1),
            principal_minor: 100,
            interest_minor: 7,
            carried_minor: 3,
            daily_rate_ppm: 500,
            affordable_minor: None,
            is_affordable,
            why: String::new(),
        }
    }

    #[test]
    fn the_first_of_all_shards_are_named_in_the_order_of_the_whole_queue() {
        let shards: [Vec<QueueLine>; 2] = [
            (0..9).map(|n| line(&format!("a{n}"), 10 * n)).collect(),
            (0..9).map(|n| line(&format!("b{n}"), 10 * n + 5)).collect(),
        ];
        let mut forth = OfficersWork::default();
        for shard in &shards {
            forth.add(shard, &[]);
        }
        let mut back = OfficersWork::default();
        for shard in shards.iter().rev() {
            back.add(shard, &[]);
        }
        assert_eq!(forth, back);
        assert_eq!((forth.queued, forth.first.len(), forth.expected_saved_minor), (18, 10, 765));
        let named: Vec<(i64, &str)> = forth.first.iter().map(|line| (line.rank, line.merchant_id.as_str())).collect();
        assert_eq!(named[..3], [(1, "b8"), (2, "a8"), (3, "b7")]);
    }

    #[test]
    fn a_proposal_is_a_loan_whatever_its_number_of_instalments() {
        let mut work = OfficersWork::default();
        work.add(
            &[],
            &[instalment("1", 1, true), instalment("1", 2, true), instalment("2", 1, false), instalment("2", 2, false)],
        );
        assert_eq!((work.proposals, work.unaffordable, work.proposed_minor), (2, 1, 412));
    }
}
