//! Which variables may enter: recorded rules, in a fixed order.

use std::cmp::Ordering;

use crate::domain::elementary::ln;
use rayon::prelude::*;

use super::binning::{Bin, Binned, Bins, Cell, FineColumn, FineScale};
use super::fit::inverse_diagonal;
use super::report::{Dropped, Stage};
use super::settings::TrainSettings;
use super::table::TrainingTable;

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
/// Rows of one outcome, where as many of the other were to be expected as this, that a value only an outcome brings about would explain.
const LEAK_ROWS: f64 = 50.0;
/// Names variables that predict the outcome too well to be true, and those some of whose values only ever come with one outcome: a sum recovered,
/// a date of the last payment, which are known after the fact. The strongest come first, and last those that could not be cut over all rows: members, which cut a
/// part of them, may use them all the same. `tallies` are those of the columns.
#[must_use]
pub fn suspected_leaks(cut: &[Candidate], columns: &[FineColumn], tallies: &[Vec<Cell>]) -> Vec<String> {
    let warning = |name: &str, why: &str| {
        format!("variable {name:?} {why}; check when its value becomes known, or train with --drop")
    };
    let told = |c: &&Candidate| {
        let why = suspected_leak(columns.get(c.column)?, tallies.get(c.column)?, &c.binned.bins)?;
        Some(warning(&c.binned.bins.name, &why))
    };
    let is_cut = |column: usize| cut.iter().any(|candidate| candidate.column == column);
    let uncut = columns.iter().zip(tallies).enumerate().filter(|(at, _)| !is_cut(*at)).map(|(_, both)| both);
    let uncut: Vec<String> =
        uncut.filter_map(|(column, cells)| Some(warning(&column.name, &known_after(column, cells)?))).collect();
    let mut cut: Vec<&Candidate> = cut.iter().collect();
    cut.sort_by(|a, b| by_worth(a, b));
    cut.iter().filter_map(told).chain(uncut).collect()
}

/// By falling information value.
fn by_worth(a: &Candidate, b: &Candidate) -> Ordering {
    b.binned.bins.iv.total_cmp(&a.binned.bins.iv).then_with(|| a.binned.bins.name.cmp(&b.binned.bins.name))
}

/// Why a column's values seem to be known only with the outcome, given its tally and its bins. How well it ranks is taken of the bins: over a tally with hardly
/// a row a cell, noise ranks well.
#[must_use]
pub fn suspected_leak(column: &FineColumn, cells: &[Cell], bins: &Bins) -> Option<String> {
    let iv = bins.iv;
    let auc = single_auc(bins.bins.iter().map(Bin::cell).collect());
    if iv > LEAK_IV || auc > LEAK_AUC {
        return Some(format!(
            "alone reaches AUC {auc:.4} (information value {iv:.2}): a leak of the outcome is likely"
        ));
    }
    known_after(column, cells)
}

/// Why a column's values seem to be known only with the outcome, given its tally alone.
fn known_after(column: &FineColumn, cells: &[Cell]) -> Option<String> {
    one_sided(column, cells).map(|rows| format!("may be known only after the fact: {rows}"))
}

/// The largest stretch of values that came with one outcome alone, where that is more than chance would explain: neighbouring cells of numbers
/// together, levels, special and missing values each by itself.
fn one_sided(column: &FineColumn, cells: &[Cell]) -> Option<String> {
    let total = cells.iter().fold(Cell::default(), |a, &c| a.plus(c));
    let regular = column.cells.min(cells.len());
    let is_number = matches!(column.scale, FineScale::Number { .. });
    let longest = |is_of: fn(&Cell) -> bool| {
        let (mut open, mut most) = (0.0_f64, 0.0_f64);
        for (at, cell) in cells.iter().enumerate() {
            let goes_on = is_number && at < regular && is_of(cell);
            if at >= regular {
                open = 0.0;
            }
            most = most.max(if is_of(cell) { open + cell.rows } else { 0.0 });
            open = if goes_on { open + cell.rows } else { 0.0 };
        }
        most
    };
    let (bad, good) = (longest(|c| c.good() <= 0.0), longest(|c| c.bad <= 0.0));
    if bad * (1.0 - total.rate()) >= LEAK_ROWS {
        return Some(format!("{bad:.0} rows whose values lie together are all bad"));
    }
    (good * total.rate() >= LEAK_ROWS).then(|| format!("{good:.0} rows whose values lie together are all good"))
}

/// Area under the curve when cells are ordered by event rate.
fn single_auc(mut sorted: Vec<Cell>) -> f64 {
    sorted.sort_by(|a, b| a.rate().total_cmp(&b.rate()));
    let total = sorted.iter().fold(Cell::default(), |a, &c| a.plus(c));
    let (mut below, mut area) = (0.0, 0.0);
    for c in sorted {
        area += c.bad * (below + c.good() / 2.0);
        below += c.good();
    }
    area / (total.bad * total.good()).max(f64::MIN_POSITIVE)
}

/// An index of drift between halves of the training rows that a reader should know of.
const NOTABLE_DRIFT: f64 = 0.25;
/// Groups of cells that drift is taken over.
const DRIFT_GROUPS: f64 = 10.0;

/// What is found of a column before any outcome is looked at.
pub enum ColumnScreening {
    /// It may go on; what a reader should know of it.
    Passes(Option<String>),
    /// A rule and why.
    Leaves(&'static str, String),
}

/// Rules that a column passes or fails by itself, on the training rows.
pub fn screen_column(
    column: &FineColumn,
    table: &TrainingTable,
    rows: &[u32],
    settings: &TrainSettings,
) -> ColumnScreening {
    let missing =
        rows.iter().filter(|&&r| column.codes.get(r as usize).map(|&c| usize::from(c)) == Some(column.missing()));
    let share = missing.count() as f64 / rows.len().max(1) as f64;
    if share > settings.max_missing_share {
        let why = format!(
            "{:.2} % of the training rows have no value, more than {:.2} %",
            share * 100.0,
            settings.max_missing_share * 100.0
        );
        return ColumnScreening::Leaves("missing-share", why);
    }
    let Some(drift) = table.times.as_deref().and_then(|times| drift(column, times, rows)) else {
        return ColumnScreening::Passes(None);
    };
    let words =
        format!("population stability index {drift:.3} between the earlier and the later half of the training rows");
    if drift > settings.max_stability_index {
        return ColumnScreening::Leaves("stability", format!("{words}, above {}", settings.max_stability_index));
    }
    ColumnScreening::Passes((drift > NOTABLE_DRIFT).then(|| format!("drifts: {words}")))
}

/// Population stability index over groups of cells, less what chance alone would show; `None` where all rows are of one time.
fn drift(column: &FineColumn, times: &[f64], rows: &[u32]) -> Option<f64> {
    let time = |r: u32| times.get(r as usize).copied().filter(|t| t.is_finite());
    let mut sorted: Vec<f64> = rows.iter().filter_map(|&r| time(r)).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.get(sorted.len() / 2).copied()?;
    let mut halves = vec![(0.0_f64, 0.0_f64); column.width()];
    for &row in rows {
        let at = column.codes.get(row as usize).copied().unwrap_or_default();
        if let (Some(time), Some(cell)) = (time(row), halves.get_mut(usize::from(at))) {
            if time < middle { cell.0 += 1.0 } else { cell.1 += 1.0 }
        }
    }
    let (early, late) = halves.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
    if early <= 0.0 || late <= 0.0 {
        return None;
    }
    let groups = grouped(column, &halves, (early + late) / DRIFT_GROUPS);
    let share = |n: f64, all: f64| n.max(0.5) / all;
    let terms = groups.iter().map(|&(a, b)| (share(b, late) - share(a, early)) * ln(share(b, late) / share(a, early)));
    let by_chance = (groups.len() as f64 - 1.0) * (1.0 / early + 1.0 / late);
    Some((terms.sum::<f64>() - by_chance).max(0.0))
}

/// Neighbouring cells of numbers together until a group holds `least` rows; levels, special values and missing alone.
fn grouped(column: &FineColumn, halves: &[(f64, f64)], least: f64) -> Vec<(f64, f64)> {
    let (regular, beside) = halves.split_at(column.cells.min(halves.len()));
    let least = if matches!(column.scale, FineScale::Number { .. }) { least } else { 0.0 };
    let mut groups = vec![(0.0, 0.0)];
    for &(a, b) in regular {
        if let Some(open) = groups.last_mut() {
            *open = (open.0 + a, open.1 + b);
            if open.0 + open.1 > least {
                groups.push((0.0, 0.0));
            }
        }
    }
    groups.extend(beside);
    groups.retain(|(a, b)| a + b > 0.0);
    groups
}

/// Applies the rules; survivors come back in order of falling information value. Columns forced in are looked at first and never leave.
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
    let is_forced = |c: &Candidate| settings.is_forced(&c.binned.bins.name);
    candidates.sort_by(|a, b| is_forced(b).cmp(&is_forced(a)).then_with(|| by_worth(a, b)));
    let mut kept: Vec<Candidate> = Vec::new();
    for c in candidates {
        if c.binned.bins.iv < settings.min_iv && !is_forced(&c) {
            leave(&c, "iv", format!("information value {:.4} is below {}", c.binned.bins.iv, settings.min_iv));
        } else {
            kept.push(c);
        }
    }
    let kept = standardised_all(kept, columns, rows);
    let mut kept = drop_correlated(kept, settings, &mut leave);
    for standing in kept.iter().skip(settings.max_variables) {
        let why = format!("{} variables have a higher information value", settings.max_variables);
        leave(&standing.candidate, "max-variables", why);
    }
    kept.truncate(settings.max_variables);
    let mut kept: Vec<Candidate> = drop_inflated(kept, settings, &mut leave).into_iter().map(|s| s.candidate).collect();
    kept.sort_by(by_worth);
    kept
}

/// A candidate with its weight of evidence over a sample of rows, centred and of unit length.
struct Standing {
    candidate: Candidate,
    values: Vec<f32>,
}

fn standardised_all(kept: Vec<Candidate>, columns: &[FineColumn], rows: &[u32]) -> Vec<Standing> {
    // Correlation needs no more rows than this; every k-th row stands for the whole.
    const ENOUGH: usize = 20_000;
    let step = rows.len().div_ceil(ENOUGH).max(1);
    let sample: Vec<u32> = rows.iter().copied().step_by(step).collect();
    let standing = |candidate: Candidate| Standing { values: standardised(&candidate, columns, &sample), candidate };
    kept.into_par_iter().map(standing).collect()
}

fn drop_correlated(
    kept: Vec<Standing>,
    settings: &TrainSettings,
    leave: &mut impl FnMut(&Candidate, &str, String),
) -> Vec<Standing> {
    let mut out: Vec<Standing> = Vec::new();
    for mine in kept {
        let rival = out
            .par_iter()
            .map(|other| (correlation(&mine.values, &other.values), other))
            .find_first(|(r, _)| r.abs() > settings.max_correlation)
            .filter(|_| !settings.is_forced(&mine.candidate.binned.bins.name));
        match rival {
            Some((r, other)) => {
                let name = &other.candidate.binned.bins.name;
                let because =
                    if settings.is_forced(name) { "which is forced in" } else { "whose information value is higher" };
                let why = format!("its weight of evidence correlates {r:.3} with that of {name:?}, {because}");
                leave(&mine.candidate, "correlation", why);
            }
            None => out.push(mine),
        }
    }
    out
}

/// Added to the diagonal of a correlation matrix so that its inverse exists; no variance inflation above its reciprocal is told apart.
const RIDGE: f64 = 1e-5;

/// Variance inflation: how many times the others widen the error of a coefficient. While any is above the limit, of those above it
/// the variable of lowest information value leaves, unless it is forced in.
fn drop_inflated(
    mut kept: Vec<Standing>,
    settings: &TrainSettings,
    leave: &mut impl FnMut(&Candidate, &str, String),
) -> Vec<Standing> {
    let mut inflations = inflations(&kept);
    let may_leave = |s: &Standing| !settings.is_forced(&s.candidate.binned.bins.name);
    while let Some(at) = kept.iter().zip(&inflations).rposition(|(s, v)| *v > settings.max_vif && may_leave(s)) {
        let standing = kept.remove(at);
        let inflation = inflations.get(at).copied().unwrap_or_default();
        let why = format!(
            "variance inflation {inflation:.1} of its weight of evidence is above {}: the {} others together nearly \
             say what it says",
            settings.max_vif,
            kept.len()
        );
        leave(&standing.candidate, "vif", why);
        inflations = self::inflations(&kept);
    }
    kept
}

/// Diagonal of the inverse of the correlation matrix; variables come by falling information value.
fn inflations(kept: &[Standing]) -> Vec<f64> {
    let k = kept.len();
    let pairs: Vec<(usize, usize)> = (0..k).flat_map(|i| (0..i).map(move |j| (i, j))).collect();
    let found: Vec<f64> = pairs
        .par_iter()
        .map(|&(i, j)| kept.get(i).zip(kept.get(j)).map_or(0.0, |(a, b)| correlation(&a.values, &b.values)))
        .collect();
    let mut matrix = vec![0.0; k * k];
    let mut put = |i: usize, j: usize, value: f64| {
        if let Some(slot) = matrix.get_mut(i * k + j) {
            *slot = value;
        }
    };
    for (&(i, j), &r) in pairs.iter().zip(&found) {
        put(i, j, r);
        put(j, i, r);
    }
    for i in 0..k {
        put(i, i, 1.0 + RIDGE);
    }
    // A matrix that even the ridge leaves indefinite is one of rounding: nothing is said against anyone.
    inverse_diagonal(&matrix, k).unwrap_or_else(|| vec![1.0; k])
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
    // Sums side by side, over arrays of a fixed length: the processor takes several at once.
    const LANES: usize = 16;
    let mut sums = [0.0_f32; LANES];
    let ((body_a, tail_a), (body_b, tail_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for at in 0..body_a.len().min(body_b.len()) {
        let (x, y) = (&body_a[at], &body_b[at]);
        for k in 0..LANES {
            sums[k] += x[k] * y[k];
        }
    }
    for (s, (x, y)) in sums.iter_mut().zip(tail_a.iter().zip(tail_b)) {
        *s += x * y;
    }
    sums.iter().map(|s| f64::from(*s)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::binning::{BinKind, Bins, Trend};

    fn standing(name: &str, values: &[f64]) -> Standing {
        let (kind, trend) = (BinKind::Number { edges: vec![] }, Trend::None);
        let bins = Bins { name: name.to_owned(), kind, specials: vec![], missing: 0, trend, iv: 0.1, bins: vec![] };
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let length = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>().sqrt();
        #[expect(clippy::cast_possible_truncation, reason = "a test")]
        let values = values.iter().map(|v| ((v - mean) / length) as f32).collect();
        Standing { candidate: Candidate { column: 0, binned: Binned { bins, map: vec![], note: None } }, values }
    }

    fn noise(seed: u64, n: usize) -> Vec<f64> {
        use rand::{RngExt as _, SeedableRng as _};
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        (0..n).map(|_| rng.random::<f64>() - 0.5).collect()
    }

    #[test]
    fn inflation_is_one_over_what_the_others_leave_unexplained() {
        let (a, b) = (noise(1, 4_000), noise(2, 4_000));
        // Of c, a and b explain all but a share of 0.02 / 2.02 of the variance.
        let c: Vec<f64> =
            a.iter().zip(&b).zip(noise(3, 4_000)).map(|((a, b), e)| a + b + 0.02_f64.sqrt() * e).collect();
        let found = inflations(&[standing("a", &a), standing("b", &b), standing("c", &c)]);
        assert!((found[2] / 101.0 - 1.0).abs() < 0.15, "{found:?}");
        let apart = inflations(&[standing("a", &a), standing("b", &b)]);
        assert!(apart.iter().all(|v| (v - 1.0).abs() < 0.01), "{apart:?}");
        // The last, of lowest information value, leaves, and then nobody else must.
        let mut left = Vec::new();
        let settings = TrainSettings { max_vif: 10.0, ..TrainSettings::default() };
        let all = vec![standing("a", &a), standing("b", &b), standing("c", &c)];
        let kept =
            drop_inflated(all, &settings, &mut |c, rule, _| left.push((c.binned.bins.name.clone(), rule.to_owned())));
        assert_eq!((kept.len(), left), (2, vec![("c".to_owned(), "vif".to_owned())]));
        // An exact copy is told from nothing but the ridge, and does not break the inverse.
        assert!(inflations(&[standing("a", &a), standing("a", &a)]).iter().all(|v| *v > 1e4));
    }

    #[test]
    fn drift_is_seen_where_it_is_and_nowhere_else() {
        let rows: Vec<u32> = (0..2_000).collect();
        let times: Vec<f64> = (0..2_000).map(f64::from).collect();
        let column = |codes: Vec<u8>| {
            let scale = FineScale::Number { edges: (0..19).map(f64::from).collect() };
            FineColumn { name: "x".to_owned(), scale, cells: 20, specials: vec![], codes }
        };
        let still = column((0..100).flat_map(|_| (0..20_u8).map(|i| i * 7 % 20)).collect());
        assert!(drift(&still, &times, &rows).unwrap() < 0.01);
        let calendar = column((0..20_u8).flat_map(|i| std::iter::repeat_n(i, 100)).collect());
        assert!(drift(&calendar, &times, &rows).unwrap() > 1.0);
        assert!(drift(&still, &vec![5.0; 2_000], &rows).is_none());
    }
}
