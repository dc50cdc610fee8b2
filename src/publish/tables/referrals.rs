//! `referrals`: merchants whose record supports more than may be lent here; a bank should see them.

use crate::offer::BankReferral;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for BankReferral {
    type Key<'a> = (&'a str, &'a str);

    fn table() -> OutputTable {
        let money =
            |name: &str, doc: &str| Column::required(name, Kind::Int64, "minor units", doc).within(0.0, f64::MAX);
        OutputTable {
            name: "referrals",
            doc: "One row a merchant and product whose supportable amount is above the hard cap: refer it to a bank.",
            sorted_by: &["merchant_id", "product"],
            columns: vec![
                Column::required("merchant_id", Kind::Text, "", "The merchant."),
                Column::required("product", Kind::Text, "", "Product whose hard cap was met."),
                money("supportable_minor", "What all caps but the hard one would have supported."),
                money("cap_minor", "The hard cap."),
                Column::required("score", Kind::Int32, "points", "Scorecard points; higher is safer."),
                Column::required("pd_prob", Kind::Float64, "probability", "Probability of default.").within(0.0, 1.0),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (&self.merchant_id, &self.product)
    }
}
