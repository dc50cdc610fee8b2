//! A scorecard as a workbook, one sheet a theme: what validators put their own figures beside.

use super::sample::Sample;
use super::sections::{calibration_words, word};
use crate::model::TrainReport;
use crate::model::binning::{Bin, BinKind, Cell, iv_share};
use crate::model::registry::Bundle;
use crate::model::validation::{Decile, ValidationReport};
use crate::page::workbook::{CellValue, Sheet, workbook};

/// Rows of a sheet; one more is the header.
const MOST_ROWS: usize = 65_535;

/// Writes the workbook, in the format of Excel 97, which every spreadsheet program reads.
#[must_use]
pub fn card_workbook(bundle: &Bundle, report: Option<&TrainReport>, samples: &[Sample]) -> Vec<u8> {
    let sheets = [
        model(bundle),
        variables(bundle, report),
        bins(bundle),
        levels(bundle),
        tables(bundle),
        bands(bundle),
        validation(samples),
        deciles(samples),
        left_out(report),
    ];
    workbook(&sheets)
}

fn text(text: impl AsRef<str>) -> CellValue {
    CellValue::text(text.as_ref())
}

fn count(count: impl TryInto<u32>) -> CellValue {
    count.try_into().map_or(CellValue::Empty, |count| CellValue::Number(f64::from(count)))
}

fn maybe(number: Option<f64>) -> CellValue {
    number.map_or(CellValue::Empty, CellValue::Number)
}

/// A sheet under its header. Rows beyond what the format holds are left out, and the last one says so.
fn sheet(name: &'static str, head: &[&str], mut rows: Vec<Vec<CellValue>>) -> Sheet {
    if rows.len() > MOST_ROWS {
        let left = rows.len() - (MOST_ROWS - 1);
        rows.truncate(MOST_ROWS - 1);
        rows.push(vec![text(format!("{left} more rows are left out: model.json holds all"))]);
    }
    rows.insert(0, head.iter().map(text).collect());
    Sheet { name, rows }
}

fn model(bundle: &Bundle) -> Sheet {
    let (card, origin) = (&bundle.scorecard, &bundle.manifest.origin);
    let number = |name: &str, value: f64| vec![text(name), CellValue::Number(value)];
    let said = |name: &str, value: String| vec![text(name), text(value)];
    let (low, high) = card.score_range();
    let window =
        origin.training_window.map_or_else(|| "not recorded".to_owned(), |(from, to)| format!("{from} to {to}"));
    let approval = bundle
        .approval
        .as_ref()
        .map_or_else(|| "nobody has approved it".to_owned(), |a| format!("{} on {}", a.by, a.on));
    let mut rows = vec![
        said("model", bundle.id()),
        vec![text("trained on"), CellValue::Day(origin.trained_on)],
        said("training window", window),
        vec![text("last day of use"), origin.expires_on.map_or(CellValue::Empty, CellValue::Day)],
        said("approval", approval),
        said("training data, SHA-256", origin.data_digest.to_string()),
        said("configuration, SHA-256", origin.config_digest.to_string()),
        number("base score", card.scaling.base_score),
        number("odds good : bad at the base score", card.scaling.base_odds),
        number("points that double the odds", card.scaling.pdo),
        number("points per unit of log odds (factor)", card.scaling.factor()),
        number("score at even odds (offset)", card.scaling.offset()),
        number("base points, which every row has", f64::from(card.base_points)),
        number("lowest possible score", f64::from(low)),
        number("highest possible score", f64::from(high)),
        said("from score to PD", calibration_words(card.calibration.map())),
        number("lowest PD ever stated", card.calibration.pd_floor()),
    ];
    rows.extend(origin.limitations.iter().map(|limitation| said("limitation", limitation.clone())));
    sheet("Model", &["fact", "value"], rows)
}

fn variables(bundle: &Bundle, report: Option<&TrainReport>) -> Sheet {
    let told = |name: &str| report.and_then(|report| report.variables.iter().find(|v| v.variable == name));
    let rows = bundle.scorecard.variables.iter().map(|variable| {
        let bins = &variable.bins;
        let report = told(&bins.name);
        let points = || variable.points.iter().copied();
        let range = points().max().unwrap_or_default() - points().min().unwrap_or_default();
        let follow = report.map_or("", |r| if r.signs_agree { "yes" } else { "NO" });
        vec![
            text(&bins.name),
            text(&variable.code),
            text(word(bins.trend)),
            count(bins.bins.len()),
            CellValue::Number(bins.iv),
            maybe(report.map(|r| r.ks)),
            maybe(report.map(|r| r.chi_square)),
            maybe(report.and_then(|r| r.stability_index)),
            maybe(report.map(|r| r.slope)),
            maybe(report.map(|r| r.slope_error)),
            maybe(report.map(|r| r.p_value)),
            maybe(report.map(|r| r.interval.0)),
            maybe(report.map(|r| r.interval.1)),
            CellValue::Number(f64::from(range)),
            CellValue::Number(f64::from(variable.reference_points)),
            text(follow),
        ]
    });
    let head = [
        "variable",
        "reason code",
        "direction of the bad rate",
        "bins",
        "information value",
        "KS",
        "chi-square",
        "PSI train to test",
        "slope on WoE",
        "its standard error",
        "its p-value",
        "its 95 % from",
        "its 95 % to",
        "range of points",
        "points of the average row",
        "points follow bad rates",
    ];
    sheet("Variables", &head, rows.collect())
}

fn bins(bundle: &Bundle) -> Sheet {
    let mut rows = Vec::new();
    for variable in &bundle.scorecard.variables {
        let bins = &variable.bins;
        let add = |sum: Cell, cell: Cell| Cell { rows: sum.rows + cell.rows, bad: sum.bad + cell.bad };
        let total = bins.bins.iter().map(Bin::cell).fold(Cell { rows: 0.0, bad: 0.0 }, add);
        for (at, bin) in bins.bins.iter().enumerate() {
            let is_any = bin.rows > 0.0;
            let upper = match &bins.kind {
                BinKind::Number { edges } => edges.get(at).copied(),
                BinKind::Text { .. } => None,
            };
            rows.push(vec![
                text(&bins.name),
                count(at + 1),
                text(&bin.label),
                text(word(bin.role)),
                maybe(upper),
                CellValue::Number(bin.rows),
                maybe((total.rows > 0.0).then(|| bin.rows / total.rows)),
                CellValue::Number(bin.bad),
                CellValue::Number(bin.rows - bin.bad),
                maybe(is_any.then(|| bin.bad / bin.rows)),
                CellValue::Number(bin.woe),
                maybe(is_any.then(|| iv_share(bin.cell(), total))),
                variable.points.get(at).map_or(CellValue::Empty, |points| CellValue::Number(f64::from(*points))),
                maybe(variable.log_odds.get(at).copied()),
            ]);
        }
    }
    let head = [
        "variable",
        "bin",
        "holds",
        "kind",
        "upper edge, inclusive",
        "training rows",
        "share of rows",
        "bad",
        "good",
        "bad rate",
        "weight of evidence",
        "part of information value",
        "points",
        "log odds before rounding",
    ];
    sheet("Bins", &head, rows)
}

fn levels(bundle: &Bundle) -> Sheet {
    let mut rows = Vec::new();
    for variable in &bundle.scorecard.variables {
        let BinKind::Text { levels, unseen } = &variable.bins.kind else { continue };
        let named =
            levels.iter().enumerate().flat_map(|(bin, levels)| levels.iter().map(move |level| (level.as_str(), bin)));
        for (level, bin) in named.chain([("(any that training never saw)", *unseen)]) {
            rows.push(vec![text(&variable.bins.name), text(level), count(bin + 1)]);
        }
    }
    sheet("Levels", &["variable", "level", "bin"], rows)
}

fn tables(bundle: &Bundle) -> Sheet {
    let card = &bundle.scorecard;
    let name = |at: usize| card.variables.get(at).map_or("", |variable| variable.bins.name.as_str());
    let mut rows = Vec::new();
    for table in &card.tables {
        for (i, points) in table.points.iter().enumerate() {
            for (j, points) in points.iter().enumerate() {
                let label = |labels: &[String], at: usize| labels.get(at).map_or(CellValue::Empty, text);
                rows.push(vec![
                    text(name(table.left)),
                    label(&table.left_labels, i),
                    text(name(table.right)),
                    label(&table.right_labels, j),
                    CellValue::Number(f64::from(*points)),
                    maybe(table.log_odds.get(i).and_then(|row| row.get(j)).copied()),
                ]);
            }
        }
    }
    let head = ["first variable", "holds", "second variable", "holds", "points", "log odds before rounding"];
    sheet("Two-variable tables", &head, rows)
}

fn bands(bundle: &Bundle) -> Sheet {
    let card = &bundle.scorecard;
    let rows = card.bands.iter().map(|band| {
        let least = band.min_score;
        vec![text(&band.name), maybe(least.map(f64::from)), maybe(least.map(|score| card.probability(score)))]
    });
    sheet("Bands", &["band", "from score", "highest PD in it"], rows.collect())
}

/// A figure's name, its value, and its interval.
type Figure = (&'static str, fn(&ValidationReport) -> Option<f64>, fn(&ValidationReport) -> Option<[f64; 2]>);

#[expect(clippy::cast_precision_loss, reason = "counts of rows")]
const FIGURES: [Figure; 15] = [
    ("rows", |r| Some(r.rows as f64), |_| None),
    ("bad", |r| Some(r.bad as f64), |_| None),
    ("bad rate", |r| Some(r.bad_rate), |r| r.bad_rate_interval),
    ("mean PD", |r| Some(r.mean_pd), |_| None),
    ("AUC", |r| r.auc, |r| r.auc_interval),
    ("Gini", |r| r.gini, |r| r.gini_interval),
    ("KS", |r| r.ks, |r| r.ks_interval),
    ("KS at PD", |r| r.ks_at_pd, |_| None),
    ("H-measure", |r| r.h_measure, |r| r.h_measure_interval),
    ("average precision", |r| r.average_precision, |r| r.average_precision_interval),
    ("Brier score", |r| Some(r.brier), |r| r.brier_interval),
    ("log loss", |r| Some(r.log_loss), |r| r.log_loss_interval),
    ("calibration slope", |r| r.calibration_slope, |r| r.calibration_slope_interval),
    ("calibration intercept", |r| r.calibration_intercept, |r| r.calibration_intercept_interval),
    ("calibration in the large", |r| r.calibration_in_the_large, |_| None),
];

fn validation(samples: &[Sample]) -> Sheet {
    let mut rows = Vec::new();
    for sample in samples {
        for (name, value, interval) in FIGURES {
            let interval = interval(&sample.report);
            rows.push(vec![
                text(&sample.name),
                text(name),
                maybe(value(&sample.report)),
                maybe(interval.map(|[low, _]| low)),
                maybe(interval.map(|[_, high]| high)),
            ]);
        }
    }
    sheet("Validation", &["sample", "figure", "value", "interval from", "interval to"], rows)
}

fn deciles(samples: &[Sample]) -> Sheet {
    let of_sample = |sample: &Sample| {
        let name = sample.name.clone();
        let row = move |decile: &Decile| {
            let interval = decile.bad_rate_interval;
            vec![
                text(&name),
                count(decile.decile),
                count(decile.rows),
                count(decile.bad),
                CellValue::Number(decile.min_pd),
                CellValue::Number(decile.max_pd),
                CellValue::Number(decile.mean_pd),
                CellValue::Number(decile.bad_rate),
                maybe(interval.map(|[low, _]| low)),
                maybe(interval.map(|[_, high]| high)),
            ]
        };
        sample.report.deciles.iter().map(row).collect::<Vec<_>>()
    };
    let head = [
        "sample",
        "decile, 1 is the safest",
        "rows",
        "bad",
        "lowest PD",
        "highest PD",
        "mean PD",
        "bad rate",
        "exact interval from",
        "exact interval to",
    ];
    sheet("Calibration", &head, samples.iter().flat_map(of_sample).collect())
}

fn left_out(report: Option<&TrainReport>) -> Sheet {
    let dropped = report.map(|report| report.dropped.as_slice()).unwrap_or_default();
    let rows = dropped.iter().map(|d| vec![text(&d.variable), text(word(d.stage)), text(&d.rule), text(&d.why)]);
    sheet("Columns left out", &["column", "left at", "rule", "why"], rows.collect())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader as _, Xls};

    use super::*;
    use crate::model::calibration::CalibrationMap;
    use crate::model::fixture::{bundle, card};
    use crate::model::validation::fixture::{PD, is_bad};

    /// Cells of a sheet by the words of its header, as another program reads them.
    fn rows(file: &[u8], sheet: &str) -> Vec<Vec<(String, Data)>> {
        let mut book: Xls<_> = Xls::new(Cursor::new(file.to_vec())).unwrap();
        let range = book.worksheet_range(sheet).unwrap();
        let head: Vec<String> = range.rows().next().unwrap().iter().map(ToString::to_string).collect();
        range.rows().skip(1).map(|row| head.iter().cloned().zip(row.iter().cloned()).collect()).collect()
    }

    fn number(row: &[(String, Data)], column: &str) -> f64 {
        match row.iter().find(|(name, _)| name == column).map(|(_, cell)| cell) {
            Some(Data::Float(number)) => *number,
            other => panic!("{column}: {other:?}"),
        }
    }

    fn said(row: &[(String, Data)], column: &str) -> String {
        row.iter().find(|(name, _)| name == column).unwrap().1.to_string()
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "what is written comes back as it was")]
    fn another_reader_finds_the_card_and_its_figures() {
        let bundle = bundle(card(CalibrationMap::Platt { intercept: 0.1, slope: 0.9 }));
        let sample = Sample::of_rows("Test rows", &is_bad(), &PD, Vec::new()).unwrap();
        let report = sample.report.clone();
        let file = card_workbook(&bundle, None, &[sample]);
        assert_eq!(
            file,
            card_workbook(&bundle, None, &[Sample::of_rows("Test rows", &is_bad(), &PD, Vec::new()).unwrap()])
        );
        let card = &bundle.scorecard;
        let bins = rows(&file, "Bins");
        assert_eq!(bins.len(), card.variables.iter().map(|v| v.bins.bins.len()).sum::<usize>());
        // Each bin as the card has it, and figures that follow from its counts alone.
        let expected =
            card.variables.iter().flat_map(|v| v.bins.bins.iter().zip(&v.points).map(move |(b, p)| (v, b, *p)));
        for ((variable, bin, points), row) in expected.zip(&bins) {
            assert_eq!((said(row, "variable"), said(row, "holds")), (variable.bins.name.clone(), bin.label.clone()));
            assert_eq!(number(row, "points"), f64::from(points));
            assert_eq!((number(row, "training rows"), number(row, "bad")), (bin.rows, bin.bad));
            assert_eq!(number(row, "good"), bin.rows - bin.bad);
            assert_eq!(number(row, "weight of evidence"), bin.woe);
            let is_any = bin.rows > 0.0;
            assert_eq!(said(row, "bad rate").is_empty(), !is_any, "no rate where there are no rows");
            if is_any {
                assert_eq!(number(row, "bad rate"), bin.bad / bin.rows);
            }
        }
        let shares: f64 = bins.iter().take(7).map(|row| number(row, "share of rows")).sum();
        assert!((shares - 1.0).abs() < 1e-12);
        let variables = rows(&file, "Variables");
        assert_eq!(said(&variables[0], "direction of the bad rate"), "descending");
        assert_eq!(number(&variables[0], "range of points"), 92.0);
        let cells: usize = card.tables.iter().map(|t| t.points.iter().map(Vec::len).sum::<usize>()).sum();
        assert_eq!(rows(&file, "Two-variable tables").len(), cells);
        let levels = rows(&file, "Levels");
        assert_eq!((levels.len(), said(&levels[5], "level").as_str()), (6, "(any that training never saw)"));
        let facts = rows(&file, "Model");
        let fact = |name: &str| facts.iter().find(|row| said(row, "fact") == name).unwrap();
        assert_eq!(number(fact("base points, which every row has"), "value"), 480.0);
        assert_eq!(number(fact("points that double the odds"), "value"), card.scaling.pdo);
        assert_eq!(said(fact("limitation"), "value"), "not for pricing");
        let figures = rows(&file, "Validation");
        let figure = |name: &str| figures.iter().find(|row| said(row, "figure") == name).unwrap();
        assert_eq!(number(figure("AUC"), "value"), report.auc.unwrap());
        assert_eq!(number(figure("AUC"), "interval from"), report.auc_interval.unwrap()[0]);
        assert_eq!(number(figure("Brier score"), "value"), report.brier);
        let bands = rows(&file, "Bands");
        assert_eq!((said(&bands[1], "band").as_str(), number(&bands[1], "from score")), ("B's", 470.0));
        assert_eq!(rows(&file, "Calibration").len(), report.deciles.len());
        assert_eq!(rows(&file, "Columns left out").len(), 0);
    }
}
