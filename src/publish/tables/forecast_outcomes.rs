//! `forecast_outcomes`: realised against predicted default, expected against realised loss.

use crate::monitor::{ForecastBy, ForecastLine, Standing};
use crate::publish::column::{Kind, OutputColumn as Column, OutputTable};
use crate::publish::row::OutputRow;

impl OutputRow for ForecastLine {
    type Key<'a> = (ForecastBy, Option<&'a str>, Standing);

    fn table() -> OutputTable {
        let text = |name: &str, doc: &str| Column::required(name, Kind::Text, "", doc);
        let count = |name: &str, doc: &str| Column::required(name, Kind::Int64, "loans", doc).within(0.0, f64::MAX);
        let share = |name: &str, doc: &str| Column::optional(name, Kind::Float64, "share", doc).within(0.0, 1.0);
        OutputTable {
            name: "forecast_outcomes",
            doc: "Sums over `forecasts`, by month of disbursement, product, risk band, and all. Rows that are `realised` have what happened; those that are \
                  `estimated` have what the model says of loans whose horizon runs, and no more.",
            sorted_by: &["by", "member", "standing"],
            columns: vec![
                text(
                    "by",
                    "all · vintage: first day of the month of disbursement · product · band: on the night of the forecast.",
                ),
                Column::optional("member", Kind::Text, "", "The member; null where it is not known."),
                text("standing", "realised: the horizon is over · estimated: it runs."),
                count("loans", "Loans with a probability."),
                count("loans_without_prob", "Loans without one: in no other figure."),
                Column::required("exposure_minor", Kind::Int64, "minor units", "Owed on the nights of the forecasts."),
                share("expected_default_share", "Mean probability of default; null without loans."),
                share("default_share", "Loans in default within the horizon ÷ loans; null of estimated rows."),
                share("default_share_low", "Lower end of its exact (Clopper–Pearson) 95 % interval."),
                share("default_share_high", "Upper end of it."),
                Column::optional(
                    "is_as_expected",
                    Kind::Flag,
                    "",
                    "The mean probability lies within the interval; null of estimated rows.",
                ),
                Column::optional(
                    "defaults",
                    Kind::Int64,
                    "loans",
                    "Loans in default within the horizon; null of estimated rows.",
                ),
                Column::required("expected_loss_minor", Kind::Int64, "minor units", "What was expected to be lost."),
                Column::optional("lost_minor", Kind::Int64, "minor units", "What was lost; null of estimated rows."),
            ],
        }
    }

    fn key(&self) -> Self::Key<'_> {
        (self.by, self.member.as_deref(), self.standing)
    }
}
