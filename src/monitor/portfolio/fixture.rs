//! Loans and monitor files for the tests of this folder.

use std::path::Path;

use jiff::civil::{Date, date};

use crate::config::ConfigFile;
use crate::monitor::Monitor;
use crate::repayment::fixture::overdue_loan;
use crate::repayment::{Causes, LoanHistory, LoanStanding, UnknownLoan};

pub const AS_OF: Date = date(2025, 7, 1);

pub fn monitor() -> Monitor {
    let text = r#"
watch = "borrowers"
waterfall = { within = ["fee", "interest", "principal"], early_close_tolerance_minor = 0 }
class_from_dpd = { special_mention = 1, substandard = 91, doubtful = 271, loss = 361 }
bucket = [{ name = "current", from_dpd = 0, to_dpd = 0 }, { name = "1-30", from_dpd = 1, to_dpd = 30 }, { name = "over-30", from_dpd = 31 }]
[portfolio]
roll_months = 2
[provisions]
loss_given_default_share = 0.5
under_performing_from_dpd = 31
under_performing_from_prob = 0.2
scenario = [{ name = "base", weight = 0.75, pd_factor = 1.0 }, { name = "stress", weight = 0.25, pd_factor = 1.7 }]
"#;
    Monitor::check(ConfigFile::from_text(Path::new("monitor.toml"), text)).unwrap()
}

/// An open loan of 1,000 from April 2025 on 90 days.
pub fn loan(merchant_id: &str, loan_id: &str, dpd: i64, outstanding_minor: i64) -> LoanStanding {
    LoanStanding {
        merchant_id: merchant_id.into(),
        loan_id: loan_id.into(),
        outstanding_minor,
        history: LoanHistory {
            disbursed_on: Some(date(2025, 4, 10)),
            ends_on: Some(date(2025, 7, 9)),
            ..LoanHistory::default()
        },
        ..overdue_loan("credit-loan", dpd)
    }
}

pub fn closed(merchant_id: &str, loan_id: &str) -> LoanStanding {
    LoanStanding { is_closed: true, ..loan(merchant_id, loan_id, 0, 0) }
}

pub fn unknown(merchant_id: &str, loan_id: &str, principal_minor: Option<i64>) -> UnknownLoan {
    UnknownLoan {
        merchant_id: merchant_id.into(),
        loan_id: Some(loan_id.into()),
        product: None,
        principal_minor,
        group_id: None,
        causes: Causes::default(),
    }
}
