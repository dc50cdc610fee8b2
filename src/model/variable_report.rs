//! What the report says of each variable of the model.

use statrs::distribution::{ContinuousCDF, Normal};

use super::assemble::Fitted;
use super::bag::Bag;
use super::binning::{Bin, Cell, separation};
use super::fit::{Solver, inverse_diagonal};
use super::prepare::Prepared;
use super::report::VariableReport;
use super::scorecard::Scorecard;
use super::terms;

/// One report a variable, in the card's order.
pub fn variable_reports(
    fitted: &Fitted,
    offsets: &[usize],
    scorecard: &Scorecard,
    prepared: &Prepared,
    test_rows: &[u32],
    bag: &Bag,
) -> Vec<VariableReport> {
    let main_parameters = fitted.mains.codes.parameters();
    let mut theta = fitted.theta.get(..main_parameters).unwrap_or_default().to_vec();
    theta.extend(fitted.theta.last());
    let penalty = terms::penalty(&fitted.candidates, bag.strength);
    let (information, n) = Solver::new(&fitted.mains).information(&theta, &penalty);
    let variances = inverse_diagonal(&information, n).unwrap_or_default();
    let test_codes = terms::codes(&fitted.candidates, &prepared.columns, test_rows);
    let normal = Normal::standard();
    fitted
        .candidates
        .iter()
        .zip(&scorecard.variables)
        .zip(offsets)
        .enumerate()
        .map(|(at, ((candidate, variable), &offset))| {
            let bins = &candidate.binned.bins;
            let cells: Vec<Cell> = bins.bins.iter().map(Bin::cell).collect();
            let woe: Vec<f64> = bins.bins.iter().map(|b| b.woe).collect();
            let rows: f64 = cells.iter().map(|c| c.rows).sum();
            // Slope of the points on the weight of evidence, rows as weights; its error by propagation.
            let mean = cells.iter().zip(&woe).map(|(c, w)| c.rows * w).sum::<f64>() / rows.max(1.0);
            let spread: f64 = cells.iter().zip(&woe).map(|(c, w)| c.rows * (w - mean).powi(2)).sum();
            let loading: Vec<f64> =
                cells.iter().zip(&woe).map(|(c, w)| c.rows * (w - mean) / spread.max(1e-12)).collect();
            let slope: f64 = loading.iter().zip(&variable.log_odds).map(|(l, v)| l * v).sum();
            let variance: f64 = loading
                .iter()
                .enumerate()
                .map(|(i, l)| l * l * variances.get(offset + i).copied().unwrap_or(0.0))
                .sum();
            let slope_error = variance.sqrt();
            let p_value = 2.0 * (1.0 - normal.cdf((slope / slope_error.max(1e-12)).abs()));
            let order = fitted.orders.get(at);
            let signs_agree = order.is_some_and(|o| {
                let value = |i: &usize| variable.points.get(*i).copied().unwrap_or_default();
                o.bins.iter().zip(o.bins.iter().skip(1)).all(|(a, b)| value(a) <= value(b))
            });
            let seen = cells.iter().zip(&variable.points).filter(|(c, _)| c.rows > 0.0).map(|(_, p)| *p);
            let points_range = seen.clone().max().unwrap_or(0) - seen.min().unwrap_or(0);
            let (ks, chi_square) = separation(&cells);
            VariableReport {
                variable: bins.name.clone(),
                iv: bins.iv,
                ks,
                chi_square,
                trend: bins.trend,
                signs_agree,
                stability_index: (!test_rows.is_empty())
                    .then(|| stability(&cells, test_codes.columns.get(at).map_or(&[][..], Vec::as_slice))),
                slope,
                slope_error,
                p_value,
                interval: (slope - 1.96 * slope_error, slope + 1.96 * slope_error),
                points_range,
            }
        })
        .collect()
}

/// Population stability index of the bins; empty bins count as half a row.
fn stability(cells: &[Cell], test: &[u8]) -> f64 {
    let rows: f64 = cells.iter().map(|c| c.rows).sum();
    let mut counts = vec![0.0_f64; cells.len()];
    for &code in test {
        if let Some(n) = counts.get_mut(usize::from(code)) {
            *n += 1.0;
        }
    }
    cells
        .iter()
        .zip(counts)
        .filter(|(c, n)| c.rows > 0.0 || *n > 0.0)
        .map(|(c, n)| {
            let expected = c.rows.max(0.5) / rows;
            let actual = n.max(0.5) / test.len() as f64;
            (actual - expected) * (actual / expected).ln()
        })
        .sum()
}
