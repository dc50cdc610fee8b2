//! Borrowers with an open loan on a night, and what the hazard model looks at.

use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::loan_columns::{self, LoanColumns};
use crate::features::{Direction, FeatureTable};
use crate::model::{self, Column, ScoringTable};
use crate::monitor::rules::{Evidence, FeatureRule};
use crate::monitor::{AlertKind, MonitorError};
use crate::repayment::{LoanLedger, LoanStanding, MerchantLoans};
use crate::run::job_training::direction_of;
use crate::run::rules::JobRules;

/// A borrower on a night.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AtRisk {
    /// The borrower.
    pub merchant_id: String,
    /// Principal not repaid, over all open loans; minor units.
    pub owed_minor: i64,
    /// Every loan is known and none is past due or in default: only such nights are learnt from, for later the first payment is missed already.
    pub is_current: bool,
    /// In the order of the columns; NaN stands for null in here.
    values: Box<[f64]>,
}

/// What the model looks at: every feature of the job, what rules of one measurement measure, and the loans themselves.
#[derive(Debug, Clone)]
pub struct HazardColumns {
    names: Vec<String>,
    directions: Vec<model::Direction>,
    features: usize,
    rules: Vec<Arc<dyn FeatureRule>>,
    loans: LoanColumns,
}

impl HazardColumns {
    /// Those of a job.
    #[must_use]
    pub fn of(rules: &JobRules) -> Self {
        let features = &rules.features.features;
        let mut names: Vec<String> = features.iter().map(|feature| feature.name.clone()).collect();
        let mut directions: Vec<model::Direction> = features.iter().map(|f| direction_of(f.direction)).collect();
        let features = names.len();
        let mut judges = Vec::new();
        for rule in &rules.monitor.rules {
            if let AlertKind::Features(judge) = &rule.kind
                && judge.measures_one_thing()
            {
                names.push(format!("rule: {}", rule.code.as_str()));
                directions.push(direction_of(Direction::LowerSafer));
                judges.push(Arc::clone(judge));
            }
        }
        names.extend(loan_columns::COLUMNS.map(|(name, _)| name.to_owned()));
        directions.extend(loan_columns::COLUMNS.map(|(_, direction)| direction));
        Self { names, directions, features, rules: judges, loans: LoanColumns::of(rules) }
    }

    /// The borrowers of a shard who have an open loan, by merchant: none in default, whose trouble is no longer to come. The features' columns
    /// come in the order of the configuration.
    ///
    /// # Errors
    /// A feature that is infinite.
    pub fn rows(&self, table: &FeatureTable, ledger: &LoanLedger, on: Date) -> Result<Vec<AtRisk>, MonitorError> {
        let mut rows = Vec::new();
        for (at, merchant) in table.merchants.iter().enumerate() {
            let loans = ledger.of(merchant);
            let Some(open) = open_loans(&loans) else { continue };
            let mut values = Vec::with_capacity(self.names.len());
            values.extend(table.columns.iter().take(self.features).map(|c| c.values.get(at).copied().flatten()));
            for rule in &self.rules {
                let mut seen = Evidence::default();
                for name in rule.features() {
                    seen.push(name, table.value(name, at));
                }
                values.push(rule.measure(&seen).figures().0);
            }
            let receipts = self.loans.receipts.as_ref().and_then(|(name, _)| table.value(name, at));
            values.extend(self.loans.values(&open, loans.known, receipts, on));
            if let Some((name, value)) = self.names.iter().zip(&values).find(|(_, v)| v.is_some_and(|v| !v.is_finite()))
            {
                let value = value.unwrap_or(f64::NAN);
                return Err(MonitorError::NotFinite { merchant_id: merchant.clone(), feature: name.clone(), value });
            }
            rows.push(AtRisk {
                merchant_id: merchant.clone(),
                owed_minor: open.iter().fold(0, |sum, loan| loan.outstanding_minor.saturating_add(sum)),
                is_current: is_current(&loans, &open),
                values: values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect(),
            });
        }
        Ok(rows)
    }

    /// What is safer of each column.
    pub(super) fn directions(&self) -> &[model::Direction] {
        &self.directions
    }

    /// A table to score.
    #[must_use]
    pub fn scoring_table(&self, rows: &[&AtRisk]) -> ScoringTable {
        ScoringTable { columns: self.columns(rows) }
    }

    fn columns(&self, rows: &[&AtRisk]) -> Vec<Column> {
        let value = |row: &AtRisk, at: usize| row.values.get(at).copied().filter(|v| !v.is_nan());
        let column = |(at, name): (usize, &String)| {
            let values: Vec<Option<f64>> = rows.iter().map(|row| value(row, at)).collect();
            Column::from_options(name, &values)
        };
        self.names.iter().enumerate().map(column).collect()
    }
}

/// The loans of a borrower whose trouble is still to come: open ones, while none is in default.
pub(super) fn open_loans<'a>(loans: &MerchantLoans<'a>) -> Option<Vec<&'a LoanStanding>> {
    let open: Vec<&LoanStanding> = loans.known.iter().filter(|loan| !loan.is_closed && !loan.is_written_off).collect();
    (!open.is_empty() && !loans.known.iter().any(|loan| loan.is_in_default)).then_some(open)
}

/// Whether every loan is known and none is past due.
pub(super) fn is_current(loans: &MerchantLoans<'_>, open: &[&LoanStanding]) -> bool {
    loans.unknown.is_empty() && open.iter().all(|loan| loan.dpd == 0)
}

#[cfg(test)]
impl HazardColumns {
    /// Columns of these names and directions.
    pub(super) fn of_directions(columns: &[(&str, model::Direction)]) -> Self {
        Self {
            names: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
            directions: columns.iter().map(|(_, direction)| *direction).collect(),
            features: columns.len(),
            rules: Vec::new(),
            loans: LoanColumns::default(),
        }
    }
}

#[cfg(test)]
impl AtRisk {
    /// A borrower who pays, with these values.
    pub(super) fn of(merchant_id: &str, owed_minor: i64, values: &[f64]) -> Self {
        Self { merchant_id: merchant_id.to_owned(), owed_minor, is_current: true, values: values.into() }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::features::FeatureColumn;
    use crate::monitor::rules::silence::Silence;
    use crate::repayment::LoanHistory;
    use crate::repayment::fixture::overdue_loan;

    pub const ON: Date = date(2025, 3, 1);

    pub fn loan(merchant: &str, loan: &str) -> LoanStanding {
        let history = LoanHistory {
            disbursed_on: Some(date(2025, 2, 1)),
            ends_on: Some(date(2025, 3, 31)),
            ..LoanHistory::default()
        };
        LoanStanding {
            merchant_id: merchant.to_owned(),
            loan_id: loan.to_owned(),
            outstanding_minor: 600,
            history,
            ..overdue_loan("credit-loan", 0)
        }
    }

    fn columns() -> HazardColumns {
        let silence = Silence {
            since: "since".to_owned(),
            usual: "usual".to_owned(),
            usual_days: 100.0,
            min_usual: 1.0,
            from_missed: 5.0,
        };
        let names = ["since", "usual", "rule: silence"].into_iter().chain(loan_columns::COLUMNS.map(|(name, _)| name));
        let names = names.map(str::to_owned).collect();
        let directions = vec![model::Direction::Either; 3 + loan_columns::COLUMNS.len()];
        let loans = LoanColumns::default();
        HazardColumns { names, directions, features: 2, rules: vec![Arc::new(silence)], loans }
    }

    #[test]
    fn only_who_has_an_open_loan_and_is_not_in_default_is_at_risk() {
        let merchants: Vec<String> = ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec();
        let column = |name: &str, value| FeatureColumn { name: name.to_owned(), values: vec![value; merchants.len()] };
        let table = FeatureTable { columns: vec![column("since", Some(3.0)), column("usual", None)], merchants };
        let mut ledger = LoanLedger { known: Vec::new(), unknown: Vec::new(), remarks: Vec::new() };
        ledger.known.push(loan("a", "1"));
        ledger.known.push(LoanStanding { dpd: 2, ..loan("b", "1") });
        ledger.known.push(loan("c", "1"));
        ledger.known.push(LoanStanding { is_in_default: true, ..loan("c", "2") });
        ledger.known.push(LoanStanding { is_closed: true, ..loan("d", "1") });
        let rows = columns().rows(&table, &ledger, ON).unwrap();
        let seen: Vec<(&str, bool, i64)> =
            rows.iter().map(|row| (row.merchant_id.as_str(), row.is_current, row.owed_minor)).collect();
        assert_eq!(seen, [("a", true, 600), ("b", false, 600)]);
        let of_loans: Vec<f64> = rows[0].values.iter().skip(3).take(4).copied().collect();
        assert_eq!(of_loans, [28.0, 30.0, 1.0, 0.4]);
        assert!(rows[0].values[2].is_nan(), "the rule cannot say");
    }

    #[test]
    fn what_a_rule_measures_is_a_column() {
        let table = FeatureTable {
            merchants: vec!["a".to_owned()],
            columns: [("since", 3.0), ("usual", 200.0)]
                .map(|(name, value)| FeatureColumn { name: name.to_owned(), values: vec![Some(value)] })
                .to_vec(),
        };
        let ledger = LoanLedger { known: vec![loan("a", "1")], unknown: Vec::new(), remarks: Vec::new() };
        let rows = columns().rows(&table, &ledger, ON).unwrap();
        assert!((rows[0].values[2] - 6.0).abs() < 1e-12, "three days at two a day");
    }
}
