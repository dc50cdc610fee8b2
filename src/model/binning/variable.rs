//! From tallies of fine cells to the bins of one variable.

use super::bins::{Bin, BinKind, BinRole, Bins};
use super::dynamic::{Cell, Constraints, Partition, Trend, optimal};
use super::fine::{FineColumn, FineScale, Unusable};
use super::settings::BinningSettings;
use crate::model::table::Direction;

/// A variable cut into bins.
#[derive(Debug, Clone, PartialEq)]
pub struct Binned {
    /// The bins.
    pub bins: Bins,
    /// Bin of each fine code.
    pub map: Vec<u8>,
    /// What a reader of the report should know.
    pub note: Option<String>,
}

/// Prior rows at the overall rate that steady the order of text levels.
const ORDER_PRIOR: f64 = 20.0;

/// Cuts one variable, given the tally of its fine codes over the training rows.
///
/// # Errors
/// No partition satisfies the settings and no special or missing bin tells anything either; the reason says what would help.
pub fn bin_variable(
    column: &FineColumn,
    tally: &[Cell],
    direction: Direction,
    settings: &BinningSettings,
) -> Result<Binned, Unusable> {
    let total = tally.iter().fold(Cell::default(), |a, &c| a.plus(c));
    let regular = tally.get(..column.cells).unwrap_or_default();
    let order = cell_order(column, regular, total);
    let sorted: Vec<Cell> = order.iter().filter_map(|&c| regular.get(c).copied()).collect();
    let regular_rows: f64 = sorted.iter().map(|c| c.rows).sum();
    let constraints = Constraints {
        min_bins: settings.min_bins,
        max_bins: settings.max_bins,
        min_rows: settings.min_size_share * regular_rows,
        min_events: settings.min_events,
        min_non_events: settings.min_non_events,
        min_rate_difference: settings.min_rate_difference,
        max_p_value: settings.max_p_value,
    };
    let trend = match (&column.scale, direction) {
        (FineScale::Text { .. }, _) | (_, Direction::LowerSafer) => Trend::Ascending,
        (_, Direction::HigherSafer) => Trend::Descending,
        (_, Direction::Either) => settings.trend,
    };
    let beside = tally.get(column.cells..).unwrap_or_default();
    let beside_tells = beside.iter().any(|c| c.rows >= 10.0_f64.max(constraints.min_rows / 3.0));
    let (partition, note) = match optimal(&sorted, settings.objective, trend, &constraints) {
        Ok(partition) => (partition, None),
        // What is missing or special may tell what the values themselves do not.
        Err(why) if beside_tells && regular_rows > 0.0 => {
            let whole = Partition { ends: vec![sorted.len()], value: 0.0, trend };
            (whole, Some(format!("one regular bin beside special or missing ones: {why}")))
        }
        Err(why) => return Err(Unusable { rule: "infeasible", why: why.to_string() }),
    };
    Ok(assemble(column, tally, total, &order, &partition, note, settings))
}

/// Numbers keep their order; text levels go from the lowest smoothed event rate to the highest, ties by position.
fn cell_order(column: &FineColumn, regular: &[Cell], total: Cell) -> Vec<usize> {
    let mut order: Vec<usize> = (0..regular.len()).collect();
    if matches!(column.scale, FineScale::Text { .. }) {
        let rate = |i: usize| {
            let c = regular.get(i).copied().unwrap_or_default();
            (c.bad + ORDER_PRIOR * total.rate()) / (c.rows + ORDER_PRIOR)
        };
        order.sort_by(|&a, &b| rate(a).total_cmp(&rate(b)).then(a.cmp(&b)));
    }
    order
}

/// Bins with given ends over the ordered cells: the last end is the number of cells.
#[must_use]
pub fn regroup(
    column: &FineColumn,
    tally: &[Cell],
    order: &[usize],
    ends: &[usize],
    settings: &BinningSettings,
) -> Binned {
    let total = tally.iter().fold(Cell::default(), |a, &c| a.plus(c));
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let rates: Vec<f64> = starts
        .zip(ends)
        .map(|(i, &j)| {
            let members = order.get(i..j).unwrap_or_default();
            members.iter().filter_map(|&c| tally.get(c)).fold(Cell::default(), |a, &c| a.plus(c)).rate()
        })
        .collect();
    let partition = Partition { ends: ends.to_vec(), value: 0.0, trend: shape_of(&rates) };
    assemble(column, tally, total, order, &partition, None, settings)
}

/// What falls into the ordered cells `start..end`, in words.
#[must_use]
pub fn group_label(column: &FineColumn, order: &[usize], start: usize, end: usize) -> String {
    match &column.scale {
        FineScale::Number { edges } => {
            interval(start.checked_sub(1).and_then(|i| edges.get(i)), end.checked_sub(1).and_then(|i| edges.get(i)))
        }
        FineScale::Text { levels, .. } => {
            let members = order.get(start..end).unwrap_or_default();
            let mut names: Vec<String> = members.iter().filter_map(|&c| levels.get(c)).flatten().cloned().collect();
            names.sort();
            listing(&names)
        }
    }
}

/// The simplest trend that a row of event rates has.
fn shape_of(rates: &[f64]) -> Trend {
    let steps: Vec<f64> = rates.iter().zip(rates.iter().skip(1)).map(|(a, b)| b - a).filter(|s| *s != 0.0).collect();
    let turns = steps.iter().zip(steps.iter().skip(1)).filter(|(a, b)| (**a > 0.0) != (**b > 0.0)).count();
    match (turns, steps.first()) {
        (0, Some(first)) if *first < 0.0 => Trend::Descending,
        (0, _) => Trend::Ascending,
        (1, Some(first)) if *first < 0.0 => Trend::Valley,
        (1, _) => Trend::Peak,
        _ => Trend::None,
    }
}

fn assemble(
    column: &FineColumn,
    tally: &[Cell],
    total: Cell,
    order: &[usize],
    partition: &Partition,
    note: Option<String>,
    settings: &BinningSettings,
) -> Binned {
    let mut map = vec![0_u8; column.width()];
    let mut bins = Vec::new();
    let mut start = 0_usize;
    let mut level_groups = Vec::new();
    let mut edges_kept = Vec::new();
    for (bin, &end) in partition.ends.iter().enumerate() {
        let members = order.get(start..end).unwrap_or_default();
        let mut counts = Cell::default();
        for &cell in members {
            counts = counts.plus(tally.get(cell).copied().unwrap_or_default());
            if let Some(slot) = map.get_mut(cell) {
                *slot = u8::try_from(bin).unwrap_or(u8::MAX);
            }
        }
        let label = match &column.scale {
            FineScale::Number { edges } => {
                let low = start.checked_sub(1).and_then(|i| edges.get(i));
                let high = edges.get(end - 1);
                edges_kept.extend(high.copied());
                interval(low, high)
            }
            FineScale::Text { levels, .. } => {
                let mut names: Vec<String> = members.iter().filter_map(|&c| levels.get(c)).flatten().cloned().collect();
                names.sort();
                let label = listing(&names);
                level_groups.push(names);
                label
            }
        };
        bins.push(Bin {
            label,
            role: BinRole::Regular,
            rows: counts.rows,
            bad: counts.bad,
            woe: woe(counts, total, settings),
        });
        start = end;
    }
    let mut specials = Vec::new();
    for (which, &value) in column.specials.iter().enumerate() {
        let code = column.cells + which;
        let counts = tally.get(code).copied().unwrap_or_default();
        specials.push((value, bins.len()));
        if let Some(slot) = map.get_mut(code) {
            *slot = u8::try_from(bins.len()).unwrap_or(u8::MAX);
        }
        let label = format!("= {value}");
        bins.push(Bin {
            label,
            role: BinRole::Special,
            rows: counts.rows,
            bad: counts.bad,
            woe: woe(counts, total, settings),
        });
    }
    let missing = bins.len();
    let counts = tally.get(column.missing()).copied().unwrap_or_default();
    if let Some(slot) = map.get_mut(column.missing()) {
        *slot = u8::try_from(missing).unwrap_or(u8::MAX);
    }
    let label = "missing".to_owned();
    bins.push(Bin {
        label,
        role: BinRole::Missing,
        rows: counts.rows,
        bad: counts.bad,
        woe: woe(counts, total, settings),
    });
    let iv = bins.iter().map(|b| iv_share(b.cell(), total)).sum();
    let kind = match &column.scale {
        FineScale::Number { .. } => BinKind::Number { edges: edges_kept },
        FineScale::Text { pool, .. } => {
            let pooled = pool.and_then(|p| map.get(usize::from(p))).map(|&b| usize::from(b));
            BinKind::Text { levels: level_groups, unseen: pooled.unwrap_or(missing) }
        }
    };
    let bins = Bins { name: column.name.clone(), kind, specials, missing, trend: partition.trend, iv, bins };
    Binned { bins, map, note }
}

/// ln of smoothed odds good : bad over the overall odds.
fn woe(counts: Cell, total: Cell, settings: &BinningSettings) -> f64 {
    if counts.rows <= 0.0 {
        return 0.0;
    }
    let rate = total.rate();
    let pseudo = settings.smoothing.max(1e-3);
    let good = counts.good() + pseudo * (1.0 - rate);
    let bad = counts.bad + pseudo * rate;
    (good / bad).ln() - ((1.0 - rate) / rate).ln()
}

/// A bin's part of the information value.
pub(crate) fn iv_share(counts: Cell, total: Cell) -> f64 {
    if counts.rows <= 0.0 {
        return 0.0;
    }
    let good = if counts.good() > 0.0 { counts.good() } else { 0.5 } / total.good();
    let bad = if counts.bad > 0.0 { counts.bad } else { 0.5 } / total.bad;
    (good - bad) * (good / bad).ln()
}

fn interval(low: Option<&f64>, high: Option<&f64>) -> String {
    match (low, high) {
        (None, None) => "any value".to_owned(),
        (None, Some(high)) => format!("≤ {high}"),
        (Some(low), None) => format!("> {low}"),
        (Some(low), Some(high)) => format!("> {low} and ≤ {high}"),
    }
}

fn listing(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut label = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(" | ");
    if names.len() > SHOWN {
        use std::fmt::Write as _;
        let _ = write!(label, " | … {} more", names.len() - SHOWN);
    }
    label
}
