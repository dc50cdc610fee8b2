//! From tallies of fine cells to the bins of one variable.

use crate::domain::elementary::ln;
use std::collections::BTreeMap;

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

/// The bin of levels that no training row has, in words.
const NEVER_SEEN: &str = "never seen in training";

/// Codes of special, missing or unseen values that share a regular bin, each with a cell of that bin.
pub type Merges = BTreeMap<usize, usize>;

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
    let whole = sorted.iter().fold(Cell::default(), |a, &c| a.plus(c));
    let constraints = Constraints {
        min_bins: settings.min_bins,
        max_bins: settings.bins_for(whole),
        min_rows: settings.min_rows(whole),
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
    let beside_tells = beside.iter().any(|c| c.rows >= 10.0_f64.max(settings.min_size_share * whole.rows / 3.0));
    let (partition, note) = match optimal(&sorted, settings.objective, trend, &constraints) {
        Ok(partition) => (partition, None),
        // What is missing or special may tell what the values themselves do not.
        Err(why) if beside_tells && whole.rows > 0.0 => {
            let whole = Partition { ends: vec![sorted.len()], value: 0.0, trend };
            (whole, Some(format!("special or missing ones tell, its own do not: {why}")))
        }
        Err(why) => return Err(Unusable { rule: "infeasible", why: why.to_string() }),
    };
    Ok(assemble(column, tally, &order, &partition, &Merges::new(), note, settings))
}

/// Every cell a bin, as a person set them: nothing is joined, whatever its event rate.
#[must_use]
pub fn as_given(column: &FineColumn, tally: &[Cell], merged: &Merges, settings: &BinningSettings) -> Binned {
    let order: Vec<usize> = (0..column.cells).collect();
    let ends: Vec<usize> = (1..=column.cells).collect();
    regroup(column, tally, &order, &ends, merged, settings)
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

/// Bins with given ends over the ordered cells: the last end is the number of cells. Special and missing values have bins of their own
/// but where `merged` says otherwise.
#[must_use]
pub fn regroup(
    column: &FineColumn,
    tally: &[Cell],
    order: &[usize],
    ends: &[usize],
    merged: &Merges,
    settings: &BinningSettings,
) -> Binned {
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let rates: Vec<f64> = starts
        .zip(ends)
        .map(|(i, &j)| {
            let members = order.get(i..j).unwrap_or_default();
            members.iter().filter_map(|&c| tally.get(c)).fold(Cell::default(), |a, &c| a.plus(c)).rate()
        })
        .collect();
    let partition = Partition { ends: ends.to_vec(), value: 0.0, trend: shape_of(&rates) };
    assemble(column, tally, order, &partition, merged, None, settings)
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
    order: &[usize],
    partition: &Partition,
    merged: &Merges,
    note: Option<String>,
    settings: &BinningSettings,
) -> Binned {
    let total = tally.iter().fold(Cell::default(), |a, &c| a.plus(c));
    let count = |code: usize| tally.get(code).copied().unwrap_or_default();
    let bin = |label: String, role: BinRole, counts: Cell| Bin {
        label,
        role,
        rows: counts.rows,
        bad: counts.bad,
        woe: woe(counts, total, settings),
    };
    let mut map = vec![0_u8; column.width()];
    let mut bins = Vec::new();
    let starts = std::iter::once(0).chain(partition.ends.iter().copied());
    for (start, &end) in starts.zip(&partition.ends) {
        let cells = order.get(start..end).unwrap_or_default();
        let guests = merged.iter().filter(|(_, cell)| cells.contains(cell)).map(|(code, _)| code);
        let mut counts = Cell::default();
        for &code in cells.iter().chain(guests) {
            counts = counts.plus(count(code));
            place(&mut map, code, bins.len());
        }
        bins.push(bin(group_label(column, order, start, end), BinRole::Regular, counts));
    }
    let mut specials = Vec::new();
    for (which, &value) in column.specials.iter().enumerate() {
        let code = column.cells + which;
        if !merged.contains_key(&code) {
            place(&mut map, code, bins.len());
            bins.push(bin(format!("= {value}"), BinRole::Special, count(code)));
        }
        specials.push((value, map.get(code).map_or(0, |&b| usize::from(b))));
    }
    if !merged.contains_key(&column.missing()) {
        place(&mut map, column.missing(), bins.len());
        bins.push(bin("missing".to_owned(), BinRole::Missing, count(column.missing())));
    }
    let missing = map.get(column.missing()).map_or(0, |&b| usize::from(b));
    let unseen = column.unseen().map_or(missing, |code| {
        if let Some(cell) = merged.get(&code) {
            return map.get(*cell).map_or(0, |&b| usize::from(b));
        }
        bins.push(bin(NEVER_SEEN.to_owned(), BinRole::Unseen, count(code)));
        bins.len() - 1
    });
    if let Some(code) = column.unseen() {
        place(&mut map, code, unseen);
    }
    let iv = bins.iter().map(|b| iv_share(b.cell(), total)).sum();
    let kind = kind_of(column, order, &partition.ends, unseen);
    let bins = Bins { name: column.name.clone(), kind, specials, missing, trend: partition.trend, iv, bins };
    Binned { bins, map, note }
}

fn place(map: &mut [u8], code: usize, bin: usize) {
    if let Some(slot) = map.get_mut(code) {
        *slot = u8::try_from(bin).unwrap_or(u8::MAX);
    }
}

/// How regular values will find their bin.
fn kind_of(column: &FineColumn, order: &[usize], ends: &[usize], unseen: usize) -> BinKind {
    match &column.scale {
        FineScale::Number { edges } => {
            BinKind::Number { edges: ends.iter().filter_map(|&end| edges.get(end.checked_sub(1)?).copied()).collect() }
        }
        FineScale::Text { levels, .. } => {
            let starts = std::iter::once(0).chain(ends.iter().copied());
            let names = |(start, &end): (usize, &usize)| {
                let cells = order.get(start..end).unwrap_or_default();
                let mut names: Vec<String> = cells.iter().filter_map(|&c| levels.get(c)).flatten().cloned().collect();
                names.sort();
                names
            };
            BinKind::Text { levels: starts.zip(ends).map(names).collect(), unseen }
        }
    }
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
    ln(good / bad) - ln((1.0 - rate) / rate)
}

/// Information value of bins; an empty count is taken as one half.
#[must_use]
pub fn information_value(cells: &[Cell]) -> f64 {
    let total = cells.iter().fold(Cell::default(), |a, &c| a.plus(c));
    cells.iter().map(|&c| iv_share(c, total)).sum()
}

/// KS distance over bins in order of event rate, and Pearson's χ².
#[must_use]
pub fn separation(cells: &[Cell]) -> (f64, f64) {
    let total = cells.iter().fold(Cell::default(), |a, &c| a.plus(c));
    let mut sorted: Vec<Cell> = cells.iter().copied().filter(|c| c.rows > 0.0).collect();
    sorted.sort_by(|a, b| a.rate().total_cmp(&b.rate()));
    let (mut good, mut bad, mut ks, mut chi) = (0.0, 0.0, 0.0_f64, 0.0);
    for c in sorted {
        good += c.good() / total.good();
        bad += c.bad / total.bad;
        ks = ks.max((good - bad).abs());
        let expected = c.rows * total.rate();
        chi += (c.bad - expected).powi(2) / (expected * (1.0 - total.rate()));
    }
    (ks, chi)
}

/// A bin's part of the information value.
pub(crate) fn iv_share(counts: Cell, total: Cell) -> f64 {
    if counts.rows <= 0.0 {
        return 0.0;
    }
    let good = if counts.good() > 0.0 { counts.good() } else { 0.5 } / total.good();
    let bad = if counts.bad > 0.0 { counts.bad } else { 0.5 } / total.bad;
    (good - bad) * ln(good / bad)
}

pub(super) fn interval(low: Option<&f64>, high: Option<&f64>) -> String {
    match (low, high) {
        (None, None) => "any value".to_owned(),
        (None, Some(high)) => format!("≤ {high}"),
        (Some(low), None) => format!("> {low}"),
        (Some(low), Some(high)) => format!("> {low} and ≤ {high}"),
    }
}

pub(super) fn listing(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let mut label = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(" | ");
    if names.len() > SHOWN {
        use std::fmt::Write as _;
        let _ = write!(label, " | … {} more", names.len() - SHOWN);
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_of_evidence_of_a_small_bin_is_drawn_to_zero() {
        let total = Cell { rows: 1_000.0, bad: 100.0 };
        let of = |rows: f64| woe(Cell { rows, bad: rows / 2.0 }, total, &BinningSettings::default());
        let raw = ln(1.0_f64) - ln(900.0 / 100.0_f64);
        let sizes = [0.0, 2.0, 10.0, 50.0, 200.0].map(of);
        assert!(sizes.windows(2).all(|w| w[1] < w[0]), "{sizes:?}");
        assert!(of(2.0).abs() < 0.5 * raw.abs() && of(200.0).abs() > 0.9 * raw.abs(), "{sizes:?}");
    }
}
