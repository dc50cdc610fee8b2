//! Measures: what is added up, evaluated on a view.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use polars::prelude::{BooleanChunked, DataType, Expr, Int64Chunked, IntoLazy, PlHashMap, PolarsResult};

use super::clock::{DayClock, EVER};
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
    /// For each merchant; empty where it is known for all.
    unknown_borrowers: Arc<[bool]>,
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
        let is_unknown = || self.unknown_borrowers.get(merchant).copied().unwrap_or(false);
        tiles.filter(|_| !self.overflowing.contains(&merchant) && !is_unknown())
    }
}

/// Evaluates measures on the views of a shard. What several measures need of a view is worked out once: on which day each row falls, by each column of
/// times, and which buyer it names.
pub struct Measuring<'a> {
    views: &'a Views,
    clock: &'a DayClock,
    /// By view and column: each row's day, [`NO_DAY`] where it has none.
    days: HashMap<(&'static str, &'static str), (Int64Chunked, Vec<u16>)>,
    /// By view: each row's buyer by number, `u32::MAX` where it names none. The numbers only tell buyers apart.
    buyers: HashMap<&'static str, Vec<u32>>,
    /// For each merchant whether a measure of loans is unknown; `None` before it was asked.
    unknown_borrowers: Option<Arc<[bool]>>,
}

/// Stands for a row without a day; no window begins there.
const NO_DAY: u16 = EVER;

/// A row that counts.
struct Kept {
    row: u32,
    owner: u32,
    day: u16,
    value: i64,
}

impl<'a> Measuring<'a> {
    /// Nothing is worked out yet.
    #[must_use]
    pub fn new(views: &'a Views, clock: &'a DayClock) -> Self {
        Self { views, clock, days: HashMap::new(), buyers: HashMap::new(), unknown_borrowers: None }
    }

    /// Evaluates a measure. `None` where a table it needs is absent: no evidence, which is not zero.
    ///
    /// # Errors
    /// SQL that fails on these rows.
    pub fn evaluate(&mut self, spec: &MeasureSpec, forms: Forms) -> Result<Option<Measured>, TileError> {
        let views = self.views;
        if spec.needs.iter().any(|table| !views.has_table(table)) {
            return Ok(None);
        }
        let Some(view) = views.by_name.get(spec.view.name) else { return Ok(None) };
        self.look_up_days(view, spec.at)?;
        if forms.rows {
            self.look_up_buyers(view)?;
        }
        let unknown_borrowers = self.unknown_borrowers(spec);
        let Some((at, days)) = self.days.get(&(spec.view.name, spec.at.name)) else { return Ok(None) };

        // Counting sort by merchant: first how many rows each has, then where each row goes.
        let merchants = views.merchants.len();
        let kept =
            kept_rows(view, spec, days).map_err(|source| TileError::Measure { measure: spec.name.clone(), source })?;
        let offsets = offsets(merchants, &kept);
        let (days, overflowing) = if forms.days {
            let mut next = offsets.clone();
            let mut entries = vec![(0_u16, 0_i64); kept.len()];
            for row in &kept {
                if let Some(entry) = place(&mut next, row.owner).and_then(|n| entries.get_mut(n)) {
                    *entry = (row.day, row.value);
                }
            }
            let (days, overflowing) = DayTiles::collect(&offsets, &mut entries);
            (Some(days), overflowing)
        } else {
            (None, BTreeSet::new())
        };
        let rows = if forms.rows {
            let buyers = self.buyers.get(spec.view.name).map(Vec::as_slice).unwrap_or_default();
            let mut next = offsets.clone();
            let mut entries = vec![TileRow { day: 0, at: 0, buyer: 0, value: 0 }; kept.len()];
            for row in &kept {
                let number = row.row as usize;
                if let Some(entry) = place(&mut next, row.owner).and_then(|n| entries.get_mut(n)) {
                    let buyer = buyers.get(number).copied().unwrap_or(0);
                    let at = at.get(number).unwrap_or_default();
                    *entry = TileRow { day: row.day, at, buyer, value: row.value };
                }
            }
            Some(RowTiles::collect(offsets, entries))
        } else {
            None
        };
        Ok(Some(Measured { days, rows, overflowing, unknown_borrowers }))
    }

    fn look_up_days(&mut self, view: &View, column: &'static ViewColumn) -> Result<(), TileError> {
        let key = (view.schema.name, column.name);
        if self.days.contains_key(&key) {
            return Ok(());
        }
        let at = integers(&view.frame, view.schema.name, column.name)?;
        let day_of = |at: i64| match column.kind {
            ViewKind::Day => self.clock.day_of_date(at),
            _ => self.clock.day(at),
        };
        let days = at.iter().map(|at| at.and_then(day_of).unwrap_or(NO_DAY)).collect();
        self.days.insert(key, (at, days));
        Ok(())
    }

    fn look_up_buyers(&mut self, view: &View) -> Result<(), TileError> {
        if !view.schema.has_buyers() || self.buyers.contains_key(view.schema.name) {
            return Ok(());
        }
        let ids = texts(&view.frame, view.schema.name, "buyer_id")?;
        let mut numbers: PlHashMap<&str, u32> = PlHashMap::default();
        let mut buyers = Vec::with_capacity(ids.len());
        for id in ids.iter() {
            let fresh = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            buyers.push(id.map_or(u32::MAX, |id| *numbers.entry(id).or_insert(fresh)));
        }
        self.buyers.insert(view.schema.name, buyers);
        Ok(())
    }

    fn unknown_borrowers(&mut self, spec: &MeasureSpec) -> Arc<[bool]> {
        if !is_about_loans(spec) {
            return Arc::default();
        }
        let views = self.views;
        let unknown = self.unknown_borrowers.get_or_insert_with(|| {
            let mut is_unknown = vec![false; views.merchants.len()];
            for merchant in views.ledger.iter().flat_map(LoanLedger::unknown_merchants) {
                let number = views.merchants.number(merchant).and_then(|n| usize::try_from(n).ok());
                if let Some(slot) = number.and_then(|n| is_unknown.get_mut(n)) {
                    *slot = true;
                }
            }
            is_unknown.into()
        });
        Arc::clone(unknown)
    }
}

/// Where the next row of a merchant goes.
fn place(next: &mut [usize], owner: u32) -> Option<usize> {
    let slot = next.get_mut(owner as usize)?;
    *slot += 1;
    Some(*slot - 1)
}

/// Views and tables about loans.
const LOAN_VIEWS: [&str; 4] = ["loans", "payments", "instalment_status", "loan_status"];
const LOAN_TABLES: [&str; 3] = ["loans", "instalments", "payments"];

/// Whether a measure is unknown for merchants one of whose loans is: no sum over their loans is then known.
fn is_about_loans(spec: &MeasureSpec) -> bool {
    LOAN_VIEWS.contains(&spec.view.name) || spec.needs.iter().any(|table| LOAN_TABLES.contains(table))
}

/// The rows that count, in the view's order.
fn kept_rows(view: &View, spec: &MeasureSpec, days: &[u16]) -> PolarsResult<Vec<Kept>> {
    let Evaluated { keep, value } = evaluated(view, spec)?;
    let suspect = match spec.suspects {
        Suspects::Include => None,
        _ if !view.schema.is_judged() => None,
        _ => Some(view.frame.column("suspect")?.as_materialized_series().bool()?.clone()),
    };
    let wanted = spec.suspects == Suspects::Only;
    // What is the same for every row is not looked at row by row.
    let mut counts = vec![true; view.owners.len()];
    if let Some(keep) = &keep {
        for (counts, keep) in counts.iter_mut().zip(keep.iter()) {
            *counts = keep == Some(true);
        }
    }
    if let Some(suspect) = &suspect {
        for (counts, suspect) in counts.iter_mut().zip(suspect.iter()) {
            *counts &= suspect.unwrap_or(false) == wanted;
        }
    }
    let rows = (0_u32..).zip(&view.owners).zip(days).zip(&counts);
    let row_of = |(((row, owner), day), counts): (((u32, &Option<u32>), &u16), &bool), value: i64| {
        let owner = owner.filter(|_| *counts && *day != NO_DAY)?;
        Some(Kept { row, owner, day: *day, value })
    };
    Ok(match &value {
        None => rows.filter_map(|row| row_of(row, 1)).collect(),
        Some(value) => rows.zip(value.iter()).filter_map(|(row, value)| row_of(row, value?)).collect(),
    })
}

/// What a measure's SQL says of each row.
struct Evaluated {
    /// Whether it counts; `None` where every row does.
    keep: Option<BooleanChunked>,
    /// What it adds; `None` where every row adds 1.
    value: Option<Int64Chunked>,
}

fn evaluated(view: &View, spec: &MeasureSpec) -> PolarsResult<Evaluated> {
    const KEEP: &str = "measure keep";
    const VALUE: &str = "measure value";
    if spec.filter.is_none() && spec.value.is_none() {
        return Ok(Evaluated { keep: None, value: None });
    }
    let mut names: Vec<&str> =
        spec.filter.iter().chain(&spec.value).flat_map(RowSql::columns).map(String::as_str).collect();
    names.push("merchant_id");
    names.sort_unstable();
    names.dedup();
    // Added beside the view's columns, so that a constant is repeated on every row.
    let keep = spec.filter.as_ref().map(|filter| filter.expr().alias(KEEP));
    let value = spec.value.as_ref().map(|value| value.expr().strict_cast(DataType::Int64).alias(VALUE));
    let added: Vec<Expr> = keep.into_iter().chain(value).collect();
    let frame = view.frame.select(names)?.lazy().with_columns(added).collect()?;
    let keep =
        spec.filter.as_ref().map(|_| frame.column(KEEP)?.as_materialized_series().bool().cloned()).transpose()?;
    let value =
        spec.value.as_ref().map(|_| frame.column(VALUE)?.as_materialized_series().i64().cloned()).transpose()?;
    Ok(Evaluated { keep, value })
}

/// Where each merchant's rows begin, and after the last, where they end.
fn offsets(merchants: usize, kept: &[Kept]) -> Vec<usize> {
    let mut offsets = vec![0_usize; merchants + 1];
    for row in kept {
        if let Some(count) = offsets.get_mut(row.owner as usize + 1) {
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
