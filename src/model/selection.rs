//! Which variables may enter: recorded rules, in a fixed order.

use rayon::prelude::*;

use super::binning::{Binned, Cell, FineColumn, tally};
use super::report::{Dropped, Stage};
use super::settings::TrainSettings;

/// A variable that passed binning.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Position among the prepared columns.
    pub column: usize,
    /// Its bins on all training rows.
    pub binned: Binned,
}

/// An information value above which a variable is suspected to know the outcome.
const LEAK_IV: f64 = 3.0;
/// The same for the area under the curve of the single variable.
const LEAK_AUC: f64 = 0.97;

/// Names variables that predict the outcome too well to be true.
#[must_use]
pub fn suspected_leaks(
    candidates: &[Candidate],
    columns: &[FineColumn],
    rows: &[u32],
    target: &[bool],
    weights: Option<&[f64]>,
) -> Vec<String> {
    candidates
        .iter()
        .filter_map(|c| {
            let bins = &c.binned.bins;
            let auc = single_auc(&tally(columns.get(c.column)?, rows, target, weights));
            (bins.iv > LEAK_IV || auc > LEAK_AUC).then(|| {
                format!(
                    "variable {:?} alone reaches AUC {auc:.4} (information value {:.2}): a leak of the outcome is \
                     likely; check when its value becomes known, or train with --drop",
                    bins.name, bins.iv
                )
            })
        })
        .collect()
}

/// Area under the curve when cells are ordered by event rate.
fn single_auc(cells: &[Cell]) -> f64 {
    let mut sorted = cells.to_vec();
    sorted.sort_by(|a, b| a.rate().total_cmp(&b.rate()));
    let total = cells.iter().fold(Cell::default(), |a, &c| a.plus(c));
    let (mut below, mut area) = (0.0, 0.0);
    for c in sorted {
        area += c.bad * (below + c.good() / 2.0);
        below += c.good();
    }
    area / (total.bad * total.good()).max(f64::MIN_POSITIVE)
}

/// Applies the rules; survivors come back in order of falling information value.
pub fn select(
    mut candidates: Vec<Candidate>,
    columns: &[FineColumn],
    rows: &[u32],
    settings: &TrainSettings,
    dropped: &mut Vec<Dropped>,
) -> Vec<Candidate> {
    let mut leave = |c: &Candidate, rule: &str, why: String| {
        dropped.push(Dropped {
            variable: c.binned.bins.name.clone(),
            stage: Stage::Selection,
            rule: rule.to_owned(),
            why,
        });
    };
    candidates.sort_by(|a, b| {
        b.binned.bins.iv.total_cmp(&a.binned.bins.iv).then_with(|| a.binned.bins.name.cmp(&b.binned.bins.name))
    });
    let mut kept: Vec<Candidate> = Vec::new();
    for c in candidates {
        if c.binned.bins.iv < settings.min_iv {
            leave(&c, "iv", format!("information value {:.4} is below {}", c.binned.bins.iv, settings.min_iv));
        } else {
            kept.push(c);
        }
    }
    let kept = drop_correlated(kept, columns, rows, settings, &mut leave);
    let (first, rest) = kept.split_at(settings.max_variables.min(kept.len()));
    for c in rest {
        leave(c, "max-variables", format!("{} variables have a higher information value", settings.max_variables));
    }
    first.to_vec()
}

fn drop_correlated(
    kept: Vec<Candidate>,
    columns: &[FineColumn],
    rows: &[u32],
    settings: &TrainSettings,
    leave: &mut impl FnMut(&Candidate, &str, String),
) -> Vec<Candidate> {
    // Correlation needs no more rows than this; every k-th row stands for the whole.
    const ENOUGH: usize = 20_000;
    let step = rows.len().div_ceil(ENOUGH).max(1);
    let sample: Vec<u32> = rows.iter().copied().step_by(step).collect();
    let standard: Vec<Vec<f32>> = kept.par_iter().map(|c| standardised(c, columns, &sample)).collect();
    let mut out: Vec<(usize, Candidate)> = Vec::new();
    for (i, c) in kept.into_iter().enumerate() {
        let mine = standard.get(i).map_or(&[][..], Vec::as_slice);
        let rival = out
            .par_iter()
            .map(|(j, other)| (correlation(mine, standard.get(*j).map_or(&[][..], Vec::as_slice)), other))
            .find_first(|(r, _)| r.abs() > settings.max_correlation);
        match rival {
            Some((r, other)) => {
                let why = format!(
                    "its weight of evidence correlates {r:.3} with that of {:?}, whose information value is higher",
                    other.binned.bins.name
                );
                leave(&c, "correlation", why);
            }
            None => out.push((i, c)),
        }
    }
    out.into_iter().map(|(_, c)| c).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "a correlation needs no more than single precision")]
fn standardised(c: &Candidate, columns: &[FineColumn], sample: &[u32]) -> Vec<f32> {
    let woe: Vec<f64> =
        c.binned.map.iter().map(|&b| c.binned.bins.bins.get(usize::from(b)).map_or(0.0, |b| b.woe)).collect();
    let codes = columns.get(c.column).map_or(&[][..], |f| f.codes.as_slice());
    let values: Vec<f64> = sample
        .iter()
        .map(|&r| codes.get(r as usize).and_then(|&c| woe.get(usize::from(c))).copied().unwrap_or_default())
        .collect();
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let spread = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>()).sqrt().max(1e-12);
    values.iter().map(|v| ((v - mean) / spread) as f32).collect()
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0_f32; 16];
    for (x, y) in a.chunks(16).zip(b.chunks(16)) {
        for (s, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *s += x * y;
        }
    }
    sums.iter().map(|s| f64::from(*s)).sum()
}
