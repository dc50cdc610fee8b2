//! `provisions`: what is set aside by stage and scenario, tonight and on the nights before.

use jiff::civil::Date;

use crate::monitor::{ProvisionLine, Stage};
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for ProvisionLine {
    type Key<'a> = (Date, &'a str, Stage);

    fn table() -> OutputTable {
        OutputTable {
            name: "provisions",
            doc: "One row a night, scenario and stage: tonight's, and those of the nights before. Empty where the monitor file has no [provisions].",
            sorted_by: &["night_on", "scenario", "stage"],
            columns: vec![
                Column::required("night_on", Kind::Day, "date", "The night.").formerly("as_of"),
                Column::required("scenario", Kind::Text, "", "The scenario; `weighted` for all by their weights."),
                Column::required(
                    "stage",
                    Kind::Text,
                    "",
                    "performing: stage 1 of IFRS 9 · under-performing: 2 · impaired: 3 · unknown: loans of which nothing is known.",
                ),
                Column::required("loans", Kind::Int64, "loans", "Loans in it.").within(0.0, f64::MAX),
                Column::required(
                    "exposure_minor",
                    Kind::Int64,
                    "minor units",
                    "Principal not repaid; what was lent, of loans of which nothing is known.",
                ),
                Column::required("provision_minor", Kind::Int64, "minor units", "What is set aside."),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (self.night_on, &self.scenario, self.stage)
    }
}
