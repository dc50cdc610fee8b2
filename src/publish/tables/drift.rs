//! `drift`: how far tonight's merchants, and those of the nights before, are from the model's training rows and from its first night.

use jiff::civil::Date;

use crate::monitor::DriftLine;
use crate::publish::column::{Earlier, Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for DriftLine {
    type Key<'a> = (Date, Option<&'a str>);

    fn table() -> OutputTable {
        let rows = |name: &str, doc: &str| Column::required(name, Kind::Int64, "rows", doc).within(0.0, f64::MAX);
        let share = |name: &str, doc: &str| Column::optional(name, Kind::Float64, "share", doc).within(0.0, 1.0);
        let number = |name: &str, unit: &str, doc: &str| Column::optional(name, Kind::Float64, unit, doc);
        OutputTable {
            name: "drift",
            doc: "One row a night and variable of the model, and one for the score: tonight's, and those of the nights before.",
            sorted_by: &["night_on", "variable"],
            columns: vec![
                Column::required("night_on", Kind::Day, "date", "The night.").formerly("as_of"),
                Column::optional("variable", Kind::Text, "", "The variable; null for the score itself."),
                Column::required("model_version", Kind::Text, "", "Name and version of the model that scored."),
                rows("reference_rows", "Training rows of the model."),
                rows("rows", "Merchants tonight of whom there is evidence."),
                number(
                    "index",
                    "",
                    "Stability index over the variable's bins (CSI), or over tenths of the training score (PSI); null where one bin holds all.",
                ),
                number("critical", "", "What chance alone exceeds once in a hundred times, at so many rows."),
                share("reference_missing_share", "Share of missing values in the training rows; null for the score."),
                share("missing_share", "Share of missing values tonight; null for the score."),
                number(
                    "score_shift",
                    "points",
                    "By how much the variable moved the mean score since training; null for the score.",
                ),
                Column::optional(
                    "first_night_on",
                    Kind::Day,
                    "date",
                    "The first night that this model scored; null in rows of before this was compared.",
                )
                .added_later(Earlier::Unknown),
                number(
                    "first_night_index",
                    "",
                    "The index over the same bins against the merchants of that night, all of whom there was evidence; null on that night itself.",
                )
                .added_later(Earlier::Unknown),
                number(
                    "first_night_critical",
                    "",
                    "What chance alone exceeds once in a hundred times, at so many rows.",
                )
                .added_later(Earlier::Unknown),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (self.night_on, self.variable.as_deref())
    }
}
