//! Averaged shapes become bins: as few as keep the shape, cut exactly, under sign control.

use super::binning::{Binned, Cell, FineColumn, FineScale, Merges, regroup};
use super::settings::TrainSettings;
use super::sign::pool_in_order;
use super::table::Direction;

/// A variable's final bins with the log odds of each.
#[derive(Debug, Clone)]
pub struct Shaped {
    /// Its bins.
    pub binned: Binned,
    /// Log odds of good of each bin.
    pub values: Vec<f64>,
    /// Labels of bins that sign control made equal, before they were joined.
    pub joined: Vec<Vec<String>>,
    /// Small bins of special or missing values that share a regular one: label, rows, label of the regular one.
    pub shared: Vec<(String, f64, String)>,
}

/// Mean squared loss of the shape, in log odds, that fewer bins may cost.
const SHAPE_LOSS: f64 = 4e-5;
const MAX_ROUNDS: usize = 10;

/// Cuts a shape over fine codes into bins. `must_cut` are places in [`order_of`] where a bin must end.
pub fn shaped(
    column: &FineColumn,
    tally: &[Cell],
    shape: &[f64],
    must_cut: &[usize],
    direction: Direction,
    settings: &TrainSettings,
) -> Shaped {
    let order = order_of(column, shape);
    let weight: Vec<f64> = order.iter().map(|&c| tally.get(c).map_or(0.0, |t| t.rows)).collect();
    let value: Vec<f64> = order.iter().map(|&c| shape.get(c).copied().unwrap_or_default()).collect();
    let regular = tally.iter().take(column.cells).fold(Cell::default(), |a, &c| a.plus(c));
    let binning = &settings.binning;
    // Averaging has evened values out: half of the share that a member's bin needs is enough here.
    let min_rows =
        (binning.min_size_share * regular.rows / 2.0).min(binning.enough_rows(regular)).max(binning.min_events);
    let mut ends = segments(&weight, &value, binning.bins_for(regular), min_rows);
    let must = must_cut;
    ends.extend(must);
    ends.sort_unstable();
    ends.dedup();
    let mut joined = Vec::new();
    // A table gives special and missing values cells of their own.
    let share_below = if must_cut.is_empty() { settings.merge_below_rows } else { 0.0 };
    let grouped = |ends: &[usize]| {
        let alone = regroup(column, tally, &order, ends, &Merges::new(), &settings.binning);
        let (merged, shared) = hosts(column, tally, &order, ends, &alone, shape, share_below);
        let binned =
            if merged.is_empty() { alone } else { regroup(column, tally, &order, ends, &merged, &settings.binning) };
        let values = bin_values(&binned, tally, shape);
        (binned, values, shared)
    };
    for _ in 0..MAX_ROUNDS {
        let (binned, mut values, shared) = grouped(&ends);
        control_signs(&binned, direction, ends.len(), &mut values);
        // Neighbours of equal value are one bin, unless a table needs the cut.
        let equal = |k: usize| {
            let (a, b) = (values.get(k - 1), values.get(k));
            a.zip(b).is_some_and(|(a, b)| (a - b).abs() < 1e-9)
        };
        let kept: Vec<usize> = ends
            .iter()
            .enumerate()
            .filter(|(k, end)| *k + 1 == ends.len() || must.contains(end) || !equal(k + 1))
            .map(|(_, &end)| end)
            .collect();
        if kept.len() == ends.len() {
            return Shaped { binned, values, joined, shared };
        }
        let mut run: Vec<String> = Vec::new();
        for (k, bin) in binned.bins.bins.iter().enumerate().take(ends.len()) {
            if k > 0 && !equal(k) && !run.is_empty() {
                joined.push(std::mem::take(&mut run));
            }
            run.push(bin.label.clone());
        }
        joined.push(run);
        joined.retain(|labels| labels.len() > 1);
        ends = kept;
    }
    let (binned, mut values, shared) = grouped(&ends);
    control_signs(&binned, direction, ends.len(), &mut values);
    Shaped { binned, values, joined, shared }
}

/// The regular bin that each small bin of special or missing values shares: the one nearest to it in log odds, of two the riskier.
fn hosts(
    column: &FineColumn,
    tally: &[Cell],
    order: &[usize],
    ends: &[usize],
    alone: &Binned,
    shape: &[f64],
    below: f64,
) -> (Merges, Vec<(String, f64, String)>) {
    let values = bin_values(alone, tally, shape);
    let (mut merged, mut shared) = (Merges::new(), Vec::new());
    for code in column.cells..column.width() {
        let own = alone.map.get(code).map_or(0, |&b| usize::from(b));
        let (Some(bin), Some(&value)) = (alone.bins.bins.get(own), values.get(own)) else { continue };
        if bin.rows <= 0.0 || bin.rows >= below {
            continue;
        }
        let far = |k: usize| values.get(k).map_or((f64::INFINITY, 0.0), |v| ((v - value).abs(), *v));
        let seen = (0..ends.len()).filter(|&k| alone.bins.bins.get(k).is_some_and(|b| b.rows > 0.0));
        let nearest = seen.min_by(|&a, &b| far(a).0.total_cmp(&far(b).0).then(far(a).1.total_cmp(&far(b).1)));
        let cell = nearest.and_then(|k| order.get(ends.get(k)?.checked_sub(1)?).copied().zip(Some(k)));
        if let Some((cell, host)) = cell {
            merged.insert(code, cell);
            let with = alone.bins.bins.get(host).map_or_else(String::new, |b| b.label.clone());
            shared.push((bin.label.clone(), bin.rows, with));
        }
    }
    (merged, shared)
}

/// Bins that a person set, with the values of the shape: never joined. Where sign control makes neighbours equal, `joined` says so.
pub fn shaped_as_given(
    column: &FineColumn,
    tally: &[Cell],
    shape: &[f64],
    merged: &Merges,
    direction: Direction,
    settings: &TrainSettings,
) -> Shaped {
    let order = order_of(column, shape);
    let ends: Vec<usize> = (1..=column.cells).collect();
    let binned = regroup(column, tally, &order, &ends, merged, &settings.binning);
    let mut values = bin_values(&binned, tally, shape);
    let wanted = values.clone();
    control_signs(&binned, direction, ends.len(), &mut values);
    let moved = |k: usize| wanted.get(k).zip(values.get(k)).is_some_and(|(a, b)| (a - b).abs() > 1e-9);
    let mut joined: Vec<(f64, Vec<String>)> = Vec::new();
    for (k, bin) in binned.bins.bins.iter().enumerate().filter(|(k, b)| b.rows > 0.0 && moved(*k)) {
        let value = values.get(k).copied().unwrap_or_default();
        match joined.iter_mut().find(|(v, _)| (v - value).abs() < 1e-9) {
            Some((_, labels)) => labels.push(bin.label.clone()),
            None => joined.push((value, vec![bin.label.clone()])),
        }
    }
    let joined = joined.into_iter().map(|(_, labels)| labels).filter(|labels| labels.len() > 1).collect();
    Shaped { binned, values, joined, shared: Vec::new() }
}

/// Values never contradict the bins' event rates, nor a declared direction of the regular ones.
fn control_signs(binned: &Binned, direction: Direction, regular: usize, values: &mut [f64]) {
    let woe: Vec<f64> = binned.bins.bins.iter().map(|b| b.woe).collect();
    let rows: Vec<f64> = binned.bins.bins.iter().map(|b| b.rows).collect();
    pool_in_order(&woe, &rows, values);
    pool_along(direction, &rows, regular, values);
}

/// Holds the regular bins to a declared direction.
fn pool_along(direction: Direction, rows: &[f64], regular: usize, values: &mut [f64]) {
    let sign = match direction {
        Direction::HigherSafer => 1.0,
        Direction::LowerSafer => -1.0,
        Direction::Either => return,
    };
    let places: Vec<f64> = (0..regular).map(|k| sign * k as f64).collect();
    if let (Some(rows), Some(values)) = (rows.get(..regular), values.get_mut(..regular)) {
        pool_in_order(&places, rows, values);
    }
}

/// Numbers keep their order, text levels go from the safest to the riskiest.
pub fn order_of(column: &FineColumn, shape: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..column.cells).collect();
    if matches!(column.scale, FineScale::Text { .. }) {
        let value = |i: usize| shape.get(i).copied().unwrap_or_default();
        order.sort_by(|&a, &b| value(b).total_cmp(&value(a)).then(a.cmp(&b)));
    }
    order
}

/// Row-weighted mean of the shape in each bin; bins without rows take the plain mean.
fn bin_values(binned: &Binned, tally: &[Cell], shape: &[f64]) -> Vec<f64> {
    let n = binned.bins.bins.len();
    let (mut sums, mut rows, mut plain, mut count) = (vec![0.0; n], vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    for ((&bin, cell), &value) in binned.map.iter().zip(tally).zip(shape) {
        let bin = usize::from(bin);
        if let (Some(s), Some(r), Some(p), Some(c)) =
            (sums.get_mut(bin), rows.get_mut(bin), plain.get_mut(bin), count.get_mut(bin))
        {
            *s += cell.rows * value;
            *r += cell.rows;
            *p += value;
            *c += 1.0;
        }
    }
    sums.iter()
        .zip(&rows)
        .zip(plain.iter().zip(&count))
        .map(|((s, r), (p, c))| if *r > 0.0 { s / r } else { p / f64::max(*c, 1.0) })
        .collect()
}

/// The fewest segments whose loss is small, cut exactly: dynamic programming on weighted squared error.
fn segments(weight: &[f64], value: &[f64], max_bins: usize, min_rows: f64) -> Vec<usize> {
    let m = weight.len();
    let prefix = |f: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
        let mut sums = vec![0.0];
        let mut total = 0.0;
        for (&w, &v) in weight.iter().zip(value) {
            total += f(w, v);
            sums.push(total);
        }
        sums
    };
    let (w, wv, wvv) = (prefix(&|w, _| w), prefix(&|w, v| w * v), prefix(&|w, v| w * v * v));
    let span = |s: &[f64], i: usize, j: usize| s.get(j).zip(s.get(i)).map_or(0.0, |(b, a)| b - a);
    let cost = |i: usize, j: usize| {
        let rows = span(&w, i, j);
        if rows < min_rows && !(i == 0 && j == m) {
            f64::INFINITY
        } else if rows > 0.0 {
            (span(&wvv, i, j) - span(&wv, i, j).powi(2) / rows).max(0.0)
        } else {
            0.0
        }
    };
    let total = w.last().copied().unwrap_or_default().max(1.0);
    // least[j]: least cost of the first j cells in k segments.
    let mut least: Vec<f64> = (0..=m).map(|j| if j == 0 { f64::INFINITY } else { cost(0, j) }).collect();
    let mut links: Vec<Vec<usize>> = vec![vec![0; m + 1]];
    let mut best_k = 1;
    let mut best = least.last().copied().unwrap_or(f64::INFINITY);
    for k in 2..=max_bins.min(m) {
        if best <= SHAPE_LOSS * total {
            break;
        }
        let mut next = vec![f64::INFINITY; m + 1];
        let mut link = vec![0; m + 1];
        for j in k..=m {
            for i in k - 1..j {
                let c = least.get(i).copied().unwrap_or(f64::INFINITY) + cost(i, j);
                if let (Some(slot), Some(l)) = (next.get_mut(j), link.get_mut(j))
                    && c < *slot
                {
                    *slot = c;
                    *l = i;
                }
            }
        }
        least = next;
        links.push(link);
        let here = least.last().copied().unwrap_or(f64::INFINITY);
        if here < best {
            best = here;
            best_k = k;
        }
    }
    let mut ends = Vec::new();
    let mut j = m;
    for k in (0..best_k).rev() {
        ends.push(j);
        j = links.get(k).and_then(|l| l.get(j)).copied().unwrap_or(0);
    }
    ends.reverse();
    ends
}
