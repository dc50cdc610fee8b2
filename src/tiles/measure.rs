//! Measures: what is added up, evaluated on a view.

use std::collections::BTreeSet;

use polars::prelude::{DataType, IntoLazy, PlHashMap, PolarsResult, lit};

use super::clock::DayClock;
use super::column::{integers, texts};
use super::day_tiles::{DayTile, DayTiles, DayWindow, Tally};
use super::error::TileError;
use super::row_tiles::{RowTiles, TileRow};
use super::schema::{ViewColumn, ViewKind, ViewSchema};
use super::sql::RowSql;
use super::view::{View, Views};
use crate::repayment::LoanLedger;

/// What a measure does with rows judged not authentic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Suspects {
    /// Leaves them out.
    Exclude,
    /// Takes nothing else.
    Only,
    /// Takes all rows.
    Include,
}

/// A checked measure: an additive `i64` a row.
#[derive(Debug, Clone)]
pub struct MeasureSpec {
    /// Its name.
    pub name: String,
    /// What it is declared on.
    pub view: &'static ViewSchema,
    /// The column that says on which day a row counts; rows without it do not count.
    pub at: &'static ViewColumn,
    /// Rows that count; `None` counts all.
    pub filter: Option<RowSql>,
    /// What a row adds; `None` adds 1. Rows where it is null do not count.
    pub value: Option<RowSql>,
    /// Contract tables without any of which the measure is unknown: declared ones, and those of every column it names.
    pub needs: Vec<&'static str>,
    /// What becomes of suspect rows.
    pub suspects: Suspects,
    /// What it means, for the dictionary.
    pub doc: String,
}

/// Which forms of a measure are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forms {
    /// Day tiles.
    pub days: bool,
    /// Row tiles.
    pub rows: bool,
}

/// A measure's tiles.
///
/// There is no way to a merchant's tiles but through these methods, which know for whom the measure is unknown: nobody can take what is
/// unknown for nothing.
#[derive(Debug, Clone)]
pub struct Measured {
    days: Option<DayTiles>,
    rows: Option<RowTiles>,
    overflowing: BTreeSet<usize>,
    unknown_borrowers: BTreeSet<usize>,
}

impl Measured {
    /// Sum and rows of a merchant's window; `None` where the measure is unknown for the merchant.
    #[must_use]
    pub fn tally(&self, merchant: usize, window: DayWindow) -> Option<Tally> {
        Some(self.known(self.days.as_ref(), merchant)?.tally(merchant, window))
    }

    /// Days of a merchant's window that have rows, nearest first; `None` where the measure is unknown for the merchant.
    #[must_use]
    pub fn days(&self, merchant: usize, window: DayWindow) -> Option<impl Iterator<Item = DayTile>> {
        Some(self.known(self.days.as_ref(), merchant)?.window(merchant, window))
    }

    /// Rows of a merchant's window, latest first; `None` where the measure is unknown for the merchant, or rows were not asked for.
    #[must_use]
    pub fn rows(&self, merchant: usize, window: DayWindow) -> Option<&[TileRow]> {
        Some(self.known(self.rows.as_ref(), merchant)?.window(merchant, window))
    }

    /// Numbers of the merchants for whom the measure is unknown, because their values add up to more than 64 bits hold.
    pub fn overflowing(&self) -> impl Iterator<Item = usize> {
        self.overflowing.iter().copied()
    }

    fn known<'a, T>(&self, tiles: Option<&'a T>, merchant: usize) -> Option<&'a T> {
        tiles.filter(|_| !self.overflowing.contains(&merchant) && !self.unknown_borrowers.contains(&merchant))
    }
}

/// Evaluates a measure on its view. `None` where a table it needs is absent: no evidence, which is not zero.
///
/// # Errors
/// SQL that fails on these rows.
pub fn evaluate(
    views: &Views,
    spec: &MeasureSpec,
    clock: &DayClock,
    forms: Forms,
) -> Result<Option<Measured>, TileError> {
    if spec.needs.iter().any(|table| !views.has_table(table)) {
        return Ok(None);
    }
    let Some(view) = views.by_name.get(spec.view.name) else { return Ok(None) };
    let values = values(view, spec).map_err(|source| TileError::Measure { measure: spec.name.clone(), source })?;
    let at = integers(&view.frame, spec.view.name, spec.at.name)?;
    let day_of = |row: usize| {
        let at = at.get(row)?;
        match spec.at.kind {
            ViewKind::Day => clock.day_of_date(at),
            _ => clock.day(at),
        }
    };

    // Counting sort by merchant: first how many rows each has, then where each row goes.
    let merchants = &views.merchants;
    let kept: Vec<(usize, usize, u16)> = values
        .iter()
        .enumerate()
        .filter_map(|(row, value)| {
            value.as_ref()?;
            let owner = usize::try_from((*view.owners.get(row)?)?).ok()?;
            Some((row, owner, day_of(row)?))
        })
        .collect();
    let offsets = offsets(merchants.len(), kept.iter().map(|(_, owner, _)| *owner));
    let mut next = offsets.clone();
    let mut place = |owner: usize| {
        let slot = next.get_mut(owner)?;
        *slot += 1;
        Some(*slot - 1)
    };
    let (days, overflowing) = if forms.days {
        let mut entries = vec![(0_u16, 0_i64); kept.len()];
        for (row, owner, day) in &kept {
            let value = values.get(*row).copied().flatten().unwrap_or_default();
            if let Some(entry) = place(*owner).and_then(|n| entries.get_mut(n)) {
                *entry = (*day, value);
            }
        }
        let (days, overflowing) = DayTiles::collect(&offsets, &mut entries);
        (Some(days), overflowing)
    } else {
        (None, BTreeSet::new())
    };
    let rows = if forms.rows {
        let buyers = buyer_numbers(view, &kept)?;
        let mut next = offsets.clone();
        let mut entries = vec![TileRow { day: 0, at: 0, buyer: 0, value: 0 }; kept.len()];
        for ((row, owner, day), buyer) in kept.iter().zip(buyers) {
            let Some(slot) = next.get_mut(*owner) else { continue };
            if let Some(entry) = entries.get_mut(*slot) {
                let value = values.get(*row).copied().flatten().unwrap_or_default();
                *entry = TileRow { day: *day, at: at.get(*row).unwrap_or_default(), buyer, value };
            }
            *slot += 1;
        }
        Some(RowTiles::collect(offsets, entries))
    } else {
        None
    };
    Ok(Some(Measured { days, rows, overflowing, unknown_borrowers: unknown_borrowers(views, spec) }))
}

/// Views and tables that speak of loans.
const LOAN_VIEWS: [&str; 4] = ["loans", "payments", "instalment_status", "loan_status"];
const LOAN_TABLES: [&str; 3] = ["loans", "instalments", "payments"];

/// Numbers of the merchants for whom a measure of loans is unknown, because one of their loans is: no sum over the merchant's loans is
/// then known.
fn unknown_borrowers(views: &Views, spec: &MeasureSpec) -> BTreeSet<usize> {
    if !LOAN_VIEWS.contains(&spec.view.name) && !spec.needs.iter().any(|table| LOAN_TABLES.contains(table)) {
        return BTreeSet::new();
    }
    let unknown = views.ledger.iter().flat_map(LoanLedger::unknown_merchants);
    unknown.filter_map(|merchant| views.merchants.number(merchant).and_then(|n| usize::try_from(n).ok())).collect()
}

/// Each row's value; `None` where the row does not count.
fn values(view: &View, spec: &MeasureSpec) -> PolarsResult<Vec<Option<i64>>> {
    let value = spec.value.as_ref().map_or_else(|| lit(1_i64), RowSql::expr).strict_cast(DataType::Int64);
    let keep = spec.filter.as_ref().map_or_else(|| lit(true), RowSql::expr);
    let needed: Vec<&str> =
        spec.filter.iter().chain(&spec.value).flat_map(RowSql::columns).map(String::as_str).collect();
    let mut names: Vec<&str> = needed;
    names.push("merchant_id");
    names.sort_unstable();
    names.dedup();
    // Added beside the view's columns, so that a constant is repeated on every row.
    let frame = view
        .frame
        .select(names)?
        .lazy()
        .with_columns([keep.alias("measure keep"), value.alias("measure value")])
        .collect()?;
    let keep = frame.column("measure keep")?.as_materialized_series().bool()?.clone();
    let value = frame.column("measure value")?.as_materialized_series().i64()?.clone();
    let suspect = match spec.suspects {
        Suspects::Include => None,
        _ if !view.schema.is_judged() => None,
        _ => Some(view.frame.column("suspect")?.as_materialized_series().bool()?.clone()),
    };
    let wanted = spec.suspects == Suspects::Only;
    let rows = keep.iter().zip(value.iter());
    Ok(match suspect {
        None => rows.map(|(keep, value)| if keep == Some(true) { value } else { None }).collect(),
        Some(suspect) => rows
            .zip(suspect.iter())
            .map(
                |((keep, value), suspect)| {
                    if keep == Some(true) && suspect.unwrap_or(false) == wanted { value } else { None }
                },
            )
            .collect(),
    })
}

/// Where each merchant's rows begin, and after the last, where they end.
fn offsets(merchants: usize, owners: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut offsets = vec![0_usize; merchants + 1];
    for owner in owners {
        if let Some(count) = offsets.get_mut(owner + 1) {
            *count += 1;
        }
    }
    let mut total = 0;
    for offset in &mut offsets {
        total += *offset;
        *offset = total;
    }
    offsets
}

/// Numbers each merchant's buyers. The numbers only tell buyers of one merchant apart.
fn buyer_numbers(view: &View, kept: &[(usize, usize, u16)]) -> Result<Vec<u32>, TileError> {
    if !view.schema.has_buyers() {
        return Ok(vec![0; kept.len()]);
    }
    let ids = texts(&view.frame, view.schema.name, "buyer_id")?;
    let mut numbers: PlHashMap<&str, u32> = PlHashMap::default();
    Ok(kept
        .iter()
        .map(|(row, _, _)| {
            let fresh = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            ids.get(*row).map_or(u32::MAX, |id| *numbers.entry(id).or_insert(fresh))
        })
        .collect())
}
