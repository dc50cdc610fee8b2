//! `remembered_loans`: what the next night has to see again of every loan.

use crate::publish::column::{Earlier, Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;
use crate::repayment::RememberedLoan;

impl OutputRow for RememberedLoan {
    type Key<'a> = (&'a str, &'a str);

    fn table() -> OutputTable {
        let said = |name: &str, doc: &str| Column::optional(name, Kind::Text, "", doc);
        OutputTable {
            name: "remembered_loans",
            doc: "One row a loan: what the next night compares it with. That night misses each loan that is not settled and that it does not see, whether or \
                  not its borrower is seen, and carries the row on; a loan named in no_longer_sent of the monitor file is forgotten.",
            sorted_by: &["merchant_id", "loan_id"],
            columns: vec![
                Column::required("merchant_id", Kind::Text, "", "The borrower."),
                Column::required("loan_id", Kind::Text, "", "The loan."),
                said("product", "Its product, where a sound row ever said so."),
                Column::optional(
                    "principal_minor",
                    Kind::Int64,
                    "minor units",
                    "What was lent, where a sound row ever said so.",
                ),
                said("group_id", "The guarantee group that is jointly liable, where a sound row ever said so."),
                Column::required(
                    "last_known",
                    Kind::Text,
                    "",
                    "How it stood when its books last agreed: open · in-default · closed · settled: closed for so long that it need not be sent (closed_loans_sent_days of the monitor file) · never: they never did, as far as nights tell.",
                ),
                Column::optional(
                    "known_on",
                    Kind::Day,
                    "date",
                    "As-of date of the last night on which they did; null where they never did.",
                ),
                Column::optional(
                    "outstanding_minor",
                    Kind::Int64,
                    "minor units",
                    "Principal not repaid then; null where they never did.",
                ),
                Column::optional(
                    "payments",
                    Kind::Int64,
                    "payments",
                    "Payments that had arrived by then, reversed ones included: the next night has to see as many. Null where they never were known, or \
                     were corrected (payments_corrected of the monitor file) and the loan is still not known.",
                ),
                Column::optional("received_minor", Kind::Int64, "minor units", "What these came to."),
                said(
                    "received_json",
                    "Each of them as JSON: [microseconds since 1970, minor units, id]. The next night has to see each by instant and sum, or corrected under its id.",
                )
                .added_later(Earlier::Unknown),
                said(
                    "bounced_json",
                    "Those of them that had bounced, likewise: the next night has to see that they did, or a version recorded since.",
                )
                .added_later(Earlier::Unknown),
                said(
                    "lent_digest",
                    "Digest of product, principal, guarantee group and the instant of paying out then: the next night has to find the same. Null where they never were \
                     known, or were corrected (terms_corrected of the monitor file) and the loan is still not known; so are the four that follow.",
                )
                .added_later(Earlier::Unknown),
                said(
                    "schedule_digest",
                    "Digest of term, rate, share of sales and every instalment: the same, unless the loan was restructured since.",
                )
                .added_later(Earlier::Unknown),
                Column::optional("ends_on", Kind::Day, "date", "When the last instalment falls due.")
                    .added_later(Earlier::Unknown),
                Column::optional("restructured_on", Kind::Day, "date", "When its terms were eased; null also where they never were.")
                    .added_later(Earlier::Unknown),
                Column::optional("is_written_off", Kind::Flag, "", "The lender wrote it off.")
                    .added_later(Earlier::Unknown),
                said("offer_id", "The offer that it was drawn on, where its row named one.").added_later(Earlier::Unknown),
                said("pledge_digest", "Digest of the orders that it rests on.").added_later(Earlier::Unknown),
                said(
                    "borrower_before",
                    "Of a loan that was never known under this merchant: the one under whom an earlier night knew it. It is unknown here until borrower_corrected of \
                     the monitor file says whose it is, and not missed where it is no longer sent.",
                )
                .added_later(Earlier::Unknown),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, &self.loan_id)
    }
}
