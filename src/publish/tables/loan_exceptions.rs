//! `loan_exceptions`: loans that do not reconcile, for an officer to look at.

use crate::publish::column::{Earlier, Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;
use crate::repayment::LoanException;

impl OutputRow for LoanException {
    type Key<'a> = (Option<&'a str>, Option<&'a str>, &'a str, &'a str);

    fn table() -> OutputTable {
        OutputTable {
            name: "loan_exceptions",
            doc: "The officers' list of loan records. One row a cause for which a loan does not reconcile: its borrower gets no offer and no \
                  deduction until an officer has mended the record. Where is_unknown is false the loan's books agree, and something about it is \
                  odd: it was not drawn as it was offered. Applications that lead to no merchant stand here too.",
            sorted_by: &["merchant_id", "loan_id", "code", "detail"],
            columns: vec![
                Column::optional("merchant_id", Kind::Text, "", "The borrower; null where no row leads to one."),
                Column::optional("loan_id", Kind::Text, "", "The loan; null where no row leads to one."),
                Column::optional("product", Kind::Text, "", "Its product, where a sound row says so."),
                Column::required("code", Kind::Text, "", "Why it does not reconcile, or what is odd."),
                Column::required("detail", Kind::Text, "", "The same in words, with the numbers."),
                Column::optional(
                    "principal_minor",
                    Kind::Int64,
                    "minor units",
                    "What was lent, where a sound row says so.",
                ),
                Column::required(
                    "is_unknown",
                    Kind::Flag,
                    "",
                    "Whether this leaves the loan unknown, its borrower without an offer and without a deduction.",
                )
                .added_later(Earlier::Flag(true)),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (self.merchant_id.as_deref(), self.loan_id.as_deref(), &self.code, &self.detail)
    }
}
