//! `drift_bins`: how many merchants lie in which bin of which variable, tonight and before.

use crate::monitor::DriftBin;
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for DriftBin {
    type Key<'a> = (Option<&'a str>, i32);

    fn table() -> OutputTable {
        let rows = |name: &str, doc: &str| Column::required(name, Kind::Int64, "rows", doc).within(0.0, f64::MAX);
        OutputTable {
            name: "drift_bins",
            doc: "One row a bin of each variable of the model, and one a tenth of the training score: what `drift` compares tonight.",
            sorted_by: &["variable", "bin"],
            columns: vec![
                Column::optional("variable", Kind::Text, "", "The variable; null for the score itself."),
                Column::required(
                    "bin",
                    Kind::Int32,
                    "",
                    "The bin's place, from 0; of the score the safest tenth first.",
                )
                .within(0.0, f64::MAX),
                Column::required("label", Kind::Text, "", "What lies in the bin."),
                Column::required("model_version", Kind::Text, "", "Name and version of the model that scored."),
                rows("reference_rows", "Training rows of the model in the bin."),
                Column::required("first_night_on", Kind::Day, "date", "The first night that this model scored."),
                rows("first_night_rows", "Merchants in the bin on that night."),
                rows("rows", "Merchants in the bin tonight."),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (self.variable.as_deref(), self.bin)
    }
}
