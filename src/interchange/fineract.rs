//! Deductions for Apache Fineract: workbooks as its bulk import of loan repayments (`/loans/repayments/uploadtemplate`) reads them.
//!
//! Its importer (`LoanRepaymentImportHandler`) goes by the places of columns, reads the loan's number up to the first `-`, the amount, the day and the
//! payment type, and finds the type's id in the sheet `Extras`, left of its name. The deduction's key stands in the column of account numbers, which ends
//! up in the payment's details: Fineract itself does not know a repayment that was imported before.

use jiff::civil::Date;

use super::settings::FineractTerms;
use crate::domain::Currency;
use crate::monitor::Deduction;
use crate::page::workbook::{CellValue, Sheet, workbook};

/// Deductions in one workbook: a compound file without a second table of sectors holds some 7 megabytes.
pub const ROWS_A_WORKBOOK: usize = 10_000;
/// Characters of an id that fit.
const MOST_ID: usize = 100;

/// The columns of the sheet `LoanRepayment`, in Fineract's places.
const COLUMNS: [&str; 17] = [
    "Office Name*",
    "Client Name*",
    "Client Ext.Id",
    "Loan Account No.*",
    "Product Name",
    "Principal",
    "Total Outstanding Amount",
    "Loan Disbursement Date",
    "Amount Repaid*",
    "Date*",
    "Type*",
    "Account No",
    "Check No",
    "Routing Code",
    "Receipt No",
    "Bank No",
    "Status",
];

/// Columns that older releases do not have.
const OUTSTANDING: std::ops::Range<usize> = 6..8;

/// A deduction that the import would read wrongly: it stands in the sheet `NotImported`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotImported {
    /// The deduction's key.
    pub key: String,
    /// Its loan.
    pub loan_id: String,
    /// Why.
    pub why: &'static str,
}

/// Why the import would read a loan's id as another one, where it would.
///
/// # Errors
/// The reason.
pub fn is_importable(loan_id: &str) -> Result<(), &'static str> {
    if loan_id.contains('-') {
        return Err(
            "the import reads a loan's number up to the first hyphen: let loan_id be Fineract's account number, or set loans_by = \"external-id\"",
        );
    }
    if loan_id.trim() != loan_id || loan_id.ends_with(".0") {
        return Err("the import trims a loan's number");
    }
    if loan_id.chars().count() > MOST_ID {
        return Err("the loan's number is too long");
    }
    Ok(())
}

/// The name of the workbook of that number, from 1.
#[must_use]
pub fn file_name(number: usize) -> String {
    format!("interchange/fineract-loan-repayments-{number}.xls")
}

/// Workbooks on their way.
#[derive(Debug, Clone)]
pub struct Repayments<'a> {
    terms: &'a FineractTerms,
    currency: Currency,
    on: Date,
    rows: Vec<Vec<CellValue>>,
    not_imported: Vec<NotImported>,
    written: usize,
}

impl<'a> Repayments<'a> {
    /// No deduction yet; repayments are dated `on`.
    #[must_use]
    pub const fn new(terms: &'a FineractTerms, currency: Currency, on: Date) -> Self {
        Self { terms, currency, on, rows: Vec::new(), not_imported: Vec::new(), written: 0 }
    }

    /// Adds a deduction; returns a workbook, name and bytes, where one is full.
    pub fn push(&mut self, deduction: &Deduction) -> Option<(String, Vec<u8>)> {
        if let Err(why) = is_importable(&deduction.loan_id) {
            let (key, loan_id) = (deduction.key.clone(), deduction.loan_id.clone());
            self.not_imported.push(NotImported { key, loan_id, why });
            return None;
        }
        let client: String = deduction.merchant_id.chars().take(MOST_ID).collect();
        let mut row = vec![
            CellValue::text(&self.terms.office),
            CellValue::text(&client),
            CellValue::Empty,
            CellValue::text(&deduction.loan_id),
            CellValue::Empty,
            CellValue::Empty,
            CellValue::Empty,
            CellValue::Empty,
            // Exact to the cent below 2^53 minor units, which no loan reaches.
            CellValue::Number(deduction.amount_minor as f64 / self.currency.minor_units() as f64),
            CellValue::Day(self.on),
            CellValue::text(&self.terms.payment_type),
            CellValue::text(&deduction.key),
        ];
        if !self.terms.has_outstanding {
            row.drain(OUTSTANDING);
        }
        self.rows.push(row);
        (self.rows.len() == ROWS_A_WORKBOOK).then(|| self.take())
    }

    /// The last workbook, with what could not be imported; `None` where all is written and nothing was left out.
    #[must_use]
    pub fn finish(mut self) -> Option<(String, Vec<u8>)> {
        let is_needed = self.written == 0 || !self.rows.is_empty() || !self.not_imported.is_empty();
        is_needed.then(|| self.take())
    }

    fn take(&mut self) -> (String, Vec<u8>) {
        let text = CellValue::text;
        let mut header: Vec<CellValue> = COLUMNS.into_iter().map(text).collect();
        if !self.terms.has_outstanding {
            header.drain(OUTSTANDING);
        }
        let mut rows = vec![header];
        rows.append(&mut self.rows);
        let id = CellValue::Number(self.terms.payment_type_id as f64);
        let extras = vec![
            ["Fund ID", "Name", "Payment Type ID", "Payment Type Name"].into_iter().map(text).collect(),
            vec![CellValue::Empty, CellValue::Empty, id, text(&self.terms.payment_type)],
        ];
        let mut left_out = vec![["Key", "Loan", "Why"].into_iter().map(text).collect::<Vec<_>>()];
        left_out.extend(self.not_imported.drain(..).map(|one| vec![text(&one.key), text(&one.loan_id), text(one.why)]));
        // A sheet has no more rows.
        left_out.truncate(65_536);
        self.written += 1;
        let sheets = [
            Sheet { name: "LoanRepayment", rows },
            Sheet { name: "Extras", rows: extras },
            Sheet { name: "NotImported", rows: left_out },
        ];
        (file_name(self.written), workbook(&sheets))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::interchange::settings::LoansBy;
    use crate::page::workbook::tests::read;

    fn deduction(number: usize, loan_id: &str) -> Deduction {
        Deduction {
            key: format!("key{number}"),
            merchant_id: "m1".to_owned(),
            loan_id: loan_id.to_owned(),
            amount_minor: 1_205,
            released_minor: None,
            why: String::new(),
        }
    }

    fn terms(has_outstanding: bool) -> FineractTerms {
        FineractTerms {
            payment_type: "Deduction".to_owned(),
            payment_type_id: 2,
            office: "Head Office".to_owned(),
            has_outstanding,
            loans_by: LoansBy::AccountNumber,
        }
    }

    /// What the importer does, by the places that its constants name: account number, amount, day, type, status.
    fn import(file: &[u8], places: [u16; 5]) -> Vec<(String, String, String, String, String)> {
        let sheets = read(file);
        let (sheet, extras) = (&sheets["LoanRepayment"], &sheets["Extras"]);
        let [account, amount, day, kind, status] = places;
        (1..u16::MAX)
            .take_while(|row| sheet.contains_key(&(*row, amount)))
            .map(|row| {
                let cell = |column| sheet.get(&(row, column)).cloned().unwrap_or_default();
                assert_eq!(cell(status), "", "not imported yet");
                let name = extras.iter().find(|(_, text)| **text == cell(kind)).map(|(place, _)| *place).unwrap();
                let id = extras[&(name.0, name.1 - 1)].clone();
                let account = cell(account).split('-').next().unwrap().to_owned();
                (account, cell(amount), cell(day), id, cell(kind + 1))
            })
            .collect()
    }

    #[test]
    fn the_import_reads_what_was_deducted() {
        for (has_outstanding, places) in [(true, [3, 8, 9, 10, 16]), (false, [3, 6, 7, 8, 14])] {
            let terms = terms(has_outstanding);
            let mut repayments = Repayments::new(&terms, Currency::new("CNY").unwrap(), date(2025, 7, 1));
            for (number, loan) in ["000001", "LN-2", "000003"].into_iter().enumerate() {
                assert_eq!(repayments.push(&deduction(number, loan)), None);
            }
            let (name, file) = repayments.finish().unwrap();
            assert_eq!(name, "interchange/fineract-loan-repayments-1.xls");
            let row = |loan: &str, key: &str| {
                (loan.to_owned(), "12.05".to_owned(), "date:45839".to_owned(), "2".to_owned(), key.to_owned())
            };
            assert_eq!(import(&file, places), [row("000001", "key0"), row("000003", "key2")]);
            assert_eq!(read(&file)["NotImported"][&(1, 1)], "LN-2");
        }
    }

    #[test]
    fn many_deductions_come_in_several_workbooks_and_none_in_an_empty_one() {
        let terms = terms(true);
        let mut repayments = Repayments::new(&terms, Currency::new("CNY").unwrap(), date(2025, 7, 1));
        assert!(repayments.clone().finish().is_some());
        let mut full = Vec::new();
        for number in 0..=ROWS_A_WORKBOOK {
            full.extend(repayments.push(&deduction(number, &format!("{number:0>100}"))));
        }
        let last = repayments.finish().unwrap();
        assert_eq!((full.len(), last.0.as_str()), (1, "interchange/fineract-loan-repayments-2.xls"));
        let rows = [&full[0].1, &last.1].map(|file| import(file, [3, 8, 9, 10, 16]).len());
        assert_eq!(rows, [ROWS_A_WORKBOOK, 1]);
    }
}
