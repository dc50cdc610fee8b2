//! `loan_exceptions`: loans that do not reconcile, for an officer to look at.

use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;
use crate::repayment::LoanException;

impl OutputRow for LoanException {
    type Key<'a> = (Option<&'a str>, Option<&'a str>, &'a str, &'a str);

    fn table() -> OutputTable {
        OutputTable {
            name: "loan_exceptions",
            doc: "One row a cause for which a loan does not reconcile. Its borrower gets no offer and no deduction until an officer has \
                  mended the record.",
            sorted_by: &["merchant_id", "loan_id", "code", "detail"],
            columns: vec![
                Column::optional("merchant_id", Kind::Text, "", "The borrower; null where no row leads to one."),
                Column::optional("loan_id", Kind::Text, "", "The loan; null where no row leads to one."),
                Column::optional("product", Kind::Text, "", "Its product, where a sound row says so."),
                Column::required("code", Kind::Text, "", "Why it does not reconcile."),
                Column::required("detail", Kind::Text, "", "The same in words, with the numbers."),
                Column::optional(
                    "principal_minor",
                    Kind::Int64,
                    "minor units",
                    "What was lent, where a sound row says so.",
                ),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (self.merchant_id.as_deref(), self.loan_id.as_deref(), &self.code, &self.detail)
    }
}
