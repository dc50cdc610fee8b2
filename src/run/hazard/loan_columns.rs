//! What the hazard model looks at of a borrower's loans themselves.

use jiff::civil::Date;

use crate::domain::days_between;
use crate::model::Direction;
use crate::repayment::{ComingDue, LoanStanding};
use crate::run::rules::JobRules;

/// Columns and what is safer of each.
pub(super) const COLUMNS: [(&str, Direction); 10] = [
    ("loan: days since the latest", Direction::Either),
    ("loan: days to the nearest end", Direction::Either),
    ("loan: number open", Direction::Either),
    ("loan: share repaid", Direction::Either),
    ("loan: days to the next payment", Direction::Either),
    ("loan: due within the horizon, of what is owed", Direction::Either),
    ("loan: days of receipts due within the horizon", Direction::LowerSafer),
    ("loan: most days past due so far", Direction::LowerSafer),
    ("loan: days since the last material arrears", Direction::HigherSafer),
    ("loan: number repaid", Direction::HigherSafer),
];

/// What the job's settings say for these columns.
#[derive(Debug, Clone, Default)]
pub(super) struct LoanColumns {
    /// Days within which a first missed payment counts.
    pub horizon_days: u16,
    /// The feature that holds what the account took in over a window, and the days of that window, as deductions go by it; without it what
    /// falls due is not held against receipts.
    pub receipts: Option<(String, u16)>,
}

impl LoanColumns {
    pub(super) fn of(rules: &JobRules) -> Self {
        let monitor = &rules.monitor;
        let receipts = monitor.deduction.as_ref().map(|terms| (terms.receipts_feature.clone(), terms.receipts_days));
        Self { horizon_days: monitor.hazard.as_ref().map_or(30, |hazard| hazard.horizon_days), receipts }
    }

    /// In the order of [`COLUMNS`]: of a borrower's open loans, all its known loans, and what it took in over the window of receipts.
    pub(super) fn values(
        &self,
        open: &[&LoanStanding],
        known: &[LoanStanding],
        receipts_minor: Option<f64>,
        on: Date,
    ) -> [Option<f64>; COLUMNS.len()] {
        let days = |from: Date, to: Date| f64::from(days_between(from, to));
        let latest = open.iter().filter_map(|loan| loan.history.disbursed_on).max();
        let end = open.iter().filter_map(|loan| loan.history.ends_on).min();
        let lent: f64 = open.iter().map(|loan| loan.principal_minor as f64).sum();
        let owed: f64 = open.iter().map(|loan| loan.outstanding_minor as f64).sum();
        let next = open.iter().filter_map(|loan| loan.coming_due.first()).map(|ComingDue(due, _)| *due).min();
        let is_soon = |due: &&ComingDue| days_between(on, due.0) < i32::from(self.horizon_days);
        let soon: f64 =
            open.iter().flat_map(|loan| loan.coming_due.iter().filter(is_soon)).map(|due| due.1 as f64).sum();
        let receipts = self.receipts.as_ref().zip(receipts_minor).filter(|(_, minor)| *minor > 0.0);
        let worst = known.iter().map(|loan| loan.worst_dpd).max();
        // Who was never late is clean since the first loan.
        let clean_since = known.iter().filter_map(|loan| loan.history.late_last_on).max();
        let clean_since = clean_since.or_else(|| known.iter().filter_map(|loan| loan.history.disbursed_on).min());
        [
            latest.map(|latest| days(latest, on)),
            end.map(|end| days(on, end)),
            Some(open.len() as f64),
            (lent > 0.0).then(|| 1.0 - owed / lent),
            next.map(|next| days(on, next)),
            (owed > 0.0).then(|| soon / owed),
            receipts.map(|((_, window), minor)| soon * f64::from(*window) / minor),
            worst.map(|worst| worst as f64),
            clean_since.map(|since| days(since, on)),
            Some(known.iter().filter(|loan| loan.is_closed && !loan.is_written_off).count() as f64),
        ]
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::at_risk::tests::{ON, loan};
    use super::*;
    use crate::repayment::LoanHistory;

    #[test]
    fn what_falls_due_is_held_against_what_comes_in() {
        let columns = LoanColumns { horizon_days: 30, receipts: Some(("receipts".to_owned(), 10)) };
        let due = |month, day, minor| ComingDue(date(2025, month, day), minor);
        let first = LoanStanding {
            coming_due: vec![due(3, 1, 100), due(3, 30, 60), due(3, 31, 7)],
            worst_dpd: 4,
            ..loan("a", "1")
        };
        let second = LoanStanding { coming_due: vec![due(6, 1, 5)], ..loan("a", "2") };
        let repaid = LoanStanding {
            is_closed: true,
            worst_dpd: 9,
            history: LoanHistory { late_last_on: Some(date(2024, 12, 31)), ..first.history },
            ..loan("a", "3")
        };
        let known = [first, second, repaid];
        let open = [&known[0], &known[1]];
        let values = columns.values(&open, &known, Some(400.0), ON);
        // 160 of 1,200 within thirty days, the first of them tonight's; 40 come in on a day.
        let expected = [28.0, 30.0, 2.0, 0.4, 0.0, 160.0 / 1_200.0, 4.0, 9.0, 60.0, 1.0].map(Some);
        assert_eq!(values, expected);

        let values = columns.values(&open[1..], &known[1..2], Some(0.0), ON);
        assert_eq!(values[6], None, "nothing comes in, or that is not known");
        assert_eq!(values[4..6], [Some(92.0), Some(0.0)], "nothing falls due within the horizon");
        assert_eq!(values[8], Some(28.0), "never late since the first loan");
    }
}
