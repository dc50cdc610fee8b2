//! Deductions for Frappe Lending: rows of its document type Loan Repayment, as Frappe's data import reads them.
//!
//! Columns bear the labels of the document type (frappe/lending, `loan_repayment.json`). What Frappe fetches from the loan itself (applicant, company,
//! product) is left out. Documents come in as drafts unless the import is told to submit them.

use jiff::civil::Date;

use super::cell::{csv_record, main_unit};
use super::settings::FrappeTerms;
use crate::domain::Currency;
use crate::monitor::Deduction;
use crate::page::{is_taken_for_a_formula, shown_cell};

/// The file, below the run folder.
pub const FRAPPE_REPAYMENTS: &str = "interchange/frappe-loan-repayments.csv";
/// Deductions that the file leaves out, below the run folder; only where there are any.
pub const FRAPPE_NOT_IMPORTED: &str = "interchange/frappe-not-imported.csv";

/// The columns.
#[must_use]
pub fn frappe_header() -> Vec<u8> {
    csv_record([
        "Against Loan", "Posting Date", "Amount Paid", "Repayment Type", "Mode Of Payment", "Reference Number",
        "Reference Date", "Manual Remarks",
    ])
}

/// Whether a deduction can stand in the file. A loan's id is written there as it is, or Frappe would not find it; and whoever opens the file in a spreadsheet must
/// not run what somebody put into an id.
#[must_use]
pub fn is_importable_by_frappe(deduction: &Deduction) -> bool {
    !is_taken_for_a_formula(&deduction.loan_id)
}

/// One deduction that the import file leaves out, for people to enter; the first line where there is none.
#[must_use]
pub fn frappe_not_imported(deduction: Option<&Deduction>, currency: Currency) -> Vec<u8> {
    let Some(deduction) = deduction else { return csv_record(["Loan", "Amount", "Reference Number", "Why"]) };
    let amount = main_unit(deduction.amount_minor, currency);
    let why = "a spreadsheet would run the loan's id as a formula: enter the repayment by hand, without the apostrophe";
    csv_record([shown_cell(&deduction.loan_id).as_ref(), &amount, &deduction.key, why])
}

/// One deduction, posted on `on`.
#[must_use]
pub fn frappe_line(deduction: &Deduction, on: Date, terms: &FrappeTerms, currency: Currency) -> Vec<u8> {
    let (day, amount) = (on.to_string(), main_unit(deduction.amount_minor, currency));
    csv_record([
        deduction.loan_id.as_str(),
        &day,
        &amount,
        &terms.repayment_type,
        &terms.mode_of_payment,
        &deduction.key,
        &day,
        &deduction.why,
    ])
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_deduction_becomes_a_repayment() {
        let deduction = Deduction {
            key: "0123".to_owned(),
            merchant_id: "m1".to_owned(),
            loan_id: "LN-1, \"a\"".to_owned(),
            amount_minor: 1_205,
            released_minor: None,
            why: "arrears".to_owned(),
        };
        let terms =
            FrappeTerms { repayment_type: "Normal Repayment".to_owned(), mode_of_payment: "Deduction".to_owned() };
        let line = frappe_line(&deduction, date(2025, 7, 1), &terms, Currency::new("CNY").unwrap());
        let expected = "\"LN-1, \"\"a\"\"\",2025-07-01,12.05,Normal Repayment,Deduction,0123,2025-07-01,arrears\r\n";
        assert_eq!(String::from_utf8(line).unwrap(), expected);
        assert!(is_importable_by_frappe(&deduction));
        let formula = Deduction { loan_id: "=1+1".to_owned(), ..deduction };
        assert!(!is_importable_by_frappe(&formula));
        let told = String::from_utf8(frappe_not_imported(Some(&formula), Currency::new("CNY").unwrap())).unwrap();
        assert!(told.starts_with("'=1+1,12.05,0123,"), "{told}");
        assert_eq!(main_unit(-5, Currency::new("CNY").unwrap()), "-0.05");
        assert_eq!(main_unit(1_205, Currency::new("JPY").unwrap()), "1205");
    }
}
