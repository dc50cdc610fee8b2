//! A case and an alert for tests of what is deducted.

use super::super::alert::{Alert, AlertState, Verdict};
use super::super::deduction::DeductionCase;
use super::super::open_deduction::OrdersBefore;
use super::super::settings::{Action, Severity};
use crate::features::FeatureLookup;
use crate::repayment::{LoanStanding, MerchantLoans};

/// A night before which nothing was ordered.
pub const FIRST: OrdersBefore<'static> = OrdersBefore { orders: &[], tonight: jiff::civil::date(2025, 5, 1) };

/// Merchant `m1` on a first night whose payments end when they usually do, with books that agree and no pledged orders.
pub fn case<'a>(features: &'a dyn FeatureLookup, loans: &'a [LoanStanding], alerts: &'a [Alert]) -> DeductionCase<'a> {
    DeductionCase {
        merchant_id: "m1",
        features,
        loans: MerchantLoans { known: loans, unknown: &[] },
        alerts,
        pledges: None,
        payments_days_late: Some(0),
        before: FIRST,
    }
}

/// An alert `arrears` on a loan of merchant `m1` that asks to deduct.
pub fn asks(loan_id: &str) -> Alert {
    let day = jiff::civil::date(2025, 5, 1);
    Alert {
        alert_id: String::new(),
        merchant_id: "m1".into(),
        loan_id: Some(loan_id.into()),
        rule: "arrears".into(),
        state: AlertState::Opened,
        opened_on: day,
        since_on: day,
        tonight: Verdict::Fired,
        quiet_since_on: None,
        severity: Severity::Warning,
        observed: Some(1.0),
        threshold: Some(1.0),
        evidence: Vec::new(),
        action: Action::Deduct,
        trouble_prob: None,
        at_risk_minor: None,
        cleared_because: None,
        handling: None,
        handled_by: None,
        handled_why: None,
        handled_until_on: None,
    }
}
