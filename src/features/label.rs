//! The outcome predicate: what became of a merchant in the window after an observation.

use polars::prelude::{Column, DataFrame, IntoColumn, IntoLazy, NamedFrom, PolarsResult, Series};

use super::error::FeatureError;
use super::settings::{FeatureConfig, LabelSpec};
use crate::tiles::{self, DayClock, DayWindow, Forms, Measuring, Merchants, Views};

/// Exact sums of every measure over one window, by merchant.
#[derive(Debug, Clone)]
pub struct WindowSums {
    merchants: Merchants,
    /// By measure id, then by merchant; the inner value is `None` without evidence.
    sums: Vec<Vec<Option<i64>>>,
    names: Vec<String>,
    date: jiff::civil::Date,
}

impl WindowSums {
    /// Merchant ids, sorted.
    #[must_use]
    pub fn merchants(&self) -> &[String] {
        self.merchants.ids()
    }

    /// One measure's sum of one merchant; `None` where either is unknown or there is no evidence.
    #[must_use]
    pub fn sum(&self, measure: &str, merchant: &str) -> Option<i64> {
        let id = self.names.iter().position(|name| name == measure)?;
        let number = usize::try_from(self.merchants.number(merchant)?).ok()?;
        self.sums.get(id)?.get(number).copied().flatten()
    }
}

/// Sums the named measures over the last `window_days` before the views' instant.
///
/// What happens *after* an observation S is measured on views made at S + H, over the last H days: the same code, the same
/// visibility, only later.
///
/// # Errors
/// A broken table.
pub fn window_sums(
    views: &Views,
    config: &FeatureConfig,
    measures: &[&str],
    window_days: u16,
) -> Result<WindowSums, FeatureError> {
    let clock = DayClock::new(&views.as_of, window_days)?;
    let mut measuring = Measuring::new(views, &clock);
    let window = DayWindow::new(0, window_days);
    let mut sums = Vec::new();
    let mut names = Vec::new();
    for spec in config.measures.iter().filter(|m| measures.contains(&m.name.as_str())) {
        let measured = measuring.evaluate(spec, Forms { days: true, rows: false })?;
        let sum = |number| measured.as_ref()?.tally(number, window).map(|tally| tally.sum);
        sums.push((0..views.merchants.len()).map(sum).collect());
        names.push(spec.name.clone());
    }
    Ok(WindowSums { merchants: views.merchants.clone(), sums, names, date: views.as_of.date() })
}

/// What became of each merchant seen at an observation S, in the `performance_days` after it.
///
/// `before` are a shard's views at S, `after` those of the same bucket at S + `performance_days`. `Some(true)` is bad. `None` is
/// indeterminate: not eligible at S, or a sum that the predicate needs is unknown.
///
/// # Errors
/// No `[label]` is declared, the views are not `performance_days` apart, or a broken table.
pub fn outcome(
    before: &Views,
    after: &Views,
    config: &FeatureConfig,
    performance_days: u16,
) -> Result<Vec<(String, Option<bool>)>, FeatureError> {
    let label = config.label.as_ref().ok_or(FeatureError::NoLabel)?;
    let names: Vec<&str> = label.measures.iter().map(String::as_str).collect();
    let earlier = window_sums(before, config, &names, label.before_days)?;
    let later = window_sums(after, config, &names, performance_days)?;
    let expected = before.as_of.days_before(-i32::from(performance_days)).map_err(tiles::TileError::from)?;
    if expected.date() != later.date {
        return Err(FeatureError::Observations {
            earlier: earlier.date.to_string(),
            later: later.date.to_string(),
            days: performance_days,
        });
    }
    judge(label, &earlier, &later)
}

fn judge(
    label: &LabelSpec,
    earlier: &WindowSums,
    later: &WindowSums,
) -> Result<Vec<(String, Option<bool>)>, FeatureError> {
    let fail =
        |clause: &'static str| move |e: polars::error::PolarsError| FeatureError::Label { clause, why: e.to_string() };
    let frame = both_windows(label, earlier, later).map_err(fail("outcome"))?;
    let clause = |clause: &'static str, sql: &tiles::RowSql| -> Result<Vec<Option<bool>>, FeatureError> {
        let answer = frame.clone().lazy().with_columns([sql.expr().alias("answer")]).collect().map_err(fail(clause))?;
        let answer = answer.column("answer").map_err(fail(clause))?.as_materialized_series();
        Ok(answer.bool().map_err(fail(clause))?.iter().collect())
    };
    let outcomes = clause("outcome", &label.outcome)?;
    let eligible = clause("eligible", &label.eligible)?;
    let answers = outcomes.into_iter().zip(eligible);
    Ok(earlier
        .merchants()
        .iter()
        .cloned()
        .zip(answers.map(|(outcome, eligible)| if eligible == Some(true) { outcome } else { None }))
        .collect())
}

/// One row a merchant seen at the observation: `<measure>_before`, `<measure>_after`.
fn both_windows(label: &LabelSpec, earlier: &WindowSums, later: &WindowSums) -> PolarsResult<DataFrame> {
    let mut columns: Vec<Column> = vec![Series::new("merchant_id".into(), earlier.merchants()).into_column()];
    for measure in &label.measures {
        for (suffix, sums) in [("before", earlier), ("after", later)] {
            let values: Vec<Option<i64>> =
                earlier.merchants().iter().map(|merchant| sums.sum(measure, merchant)).collect();
            columns.push(Series::new(format!("{measure}_{suffix}").into(), values).into_column());
        }
    }
    DataFrame::new(earlier.merchants.len(), columns)
}
