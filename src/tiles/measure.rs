//! Measures: what is added up, evaluated on a view.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use polars::prelude::{BooleanChunked, Column, DataType, Expr, Int64Chunked, IntoLazy, PlHashMap, PolarsResult};

use super::clock::{DayClock, EVER};
use super::column::{integers, texts};
use super::day_tiles::{DayPlaces, DayTile, DayTiles, DayWindow, Tally};
use super::error::TileError;
use super::merchants::offsets;
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
    /// By view and column: when each row was.
    times: HashMap<(&'static str, &'static str), Times>,
    /// By view: each row's buyer by number, `u32::MAX` where it names none. The numbers only tell buyers apart.
    buyers: HashMap<&'static str, Vec<u32>>,
    /// By measure, what its SQL said, until the measure is evaluated.
    evaluated: HashMap<String, Evaluated>,
    /// For each merchant whether a measure of loans is unknown; `None` before it was asked.
    unknown_borrowers: Option<Arc<[bool]>>,
}

/// When the rows of a view were, by one column.
struct Times {
    /// Instants in microseconds, or dates in days.
    at: Int64Chunked,
    /// Days before as-of, [`NO_DAY`] where a row has none.
    days: Vec<u16>,
    places: DayPlaces,
}

/// Stands for a row without a day; no window begins there.
const NO_DAY: u16 = EVER;

impl<'a> Measuring<'a> {
    /// Nothing is worked out yet.
    #[must_use]
    pub fn new(views: &'a Views, clock: &'a DayClock) -> Self {
        Self {
            views,
            clock,
            times: HashMap::new(),
            buyers: HashMap::new(),
            evaluated: HashMap::new(),
            unknown_borrowers: None,
        }
    }

    /// Evaluates the SQL of measures that are going to be asked for, view by view.
    pub fn look_ahead<'s>(&mut self, specs: impl IntoIterator<Item = &'s MeasureSpec>) {
        let mut by_view: BTreeMap<&str, Vec<&MeasureSpec>> = BTreeMap::new();
        for spec in specs {
            if spec.needs.iter().all(|table| self.views.has_table(table)) {
                by_view.entry(spec.view.name).or_default().push(spec);
            }
        }
        for (view, specs) in by_view {
            let Some(view) = self.views.by_name.get(view) else { continue };
            // SQL that fails on these rows fails again, under its measure's name, where that is evaluated.
            let Ok(evaluated) = evaluated(view, &specs) else { continue };
            self.evaluated.extend(specs.iter().map(|spec| spec.name.clone()).zip(evaluated));
        }
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
        self.look_up_times(view, spec.at)?;
        if forms.rows {
            self.look_up_buyers(view)?;
        }
        let unknown_borrowers = self.unknown_borrowers(spec);
        let Some(times) = self.times.get(&(spec.view.name, spec.at.name)) else { return Ok(None) };
        let evaluated = match self.evaluated.remove(&spec.name) {
            Some(evaluated) => Ok(evaluated),
            None => evaluated(view, &[spec]).map(|mut one| one.pop().unwrap_or_default()),
        };
        let counted = evaluated
            .and_then(|evaluated| Counted::of(view, spec, evaluated, &times.places))
            .map_err(|source| TileError::Measure { measure: spec.name.clone(), source })?;
        let (days, overflowing) = if forms.days {
            let (days, overflowing) = DayTiles::collect(&times.places, counted.rows());
            (Some(days), overflowing)
        } else {
            (None, BTreeSet::new())
        };
        let rows = forms.rows.then(|| {
            let buyers = self.buyers.get(spec.view.name).map(Vec::as_slice).unwrap_or_default();
            row_tiles(view, views.merchants.len(), &counted, times, buyers)
        });
        Ok(Some(Measured { days, rows, overflowing, unknown_borrowers }))
    }

    fn look_up_times(&mut self, view: &View, column: &'static ViewColumn) -> Result<(), TileError> {
        let key = (view.schema.name, column.name);
        if self.times.contains_key(&key) {
            return Ok(());
        }
        let at = integers(&view.frame, view.schema.name, column.name)?;
        let day_of = |at: i64| match column.kind {
            ViewKind::Day => self.clock.day_of_date(at),
            _ => self.clock.day(at),
        };
        let days: Vec<u16> = at.iter().map(|at| at.and_then(day_of).unwrap_or(NO_DAY)).collect();
        let placed = view.owners.iter().zip(&days).map(|(owner, day)| Some((*owner.as_ref()?, *day)));
        let placed = placed.map(|placed| placed.filter(|(_, day)| *day != NO_DAY));
        let places = DayPlaces::new(self.views.merchants.len(), placed);
        self.times.insert(key, Times { at, days, places });
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

/// Views and tables about loans.
const LOAN_VIEWS: [&str; 4] = ["loans", "payments", "instalment_status", "loan_status"];
const LOAN_TABLES: [&str; 3] = ["loans", "instalments", "payments"];

/// Whether a measure is unknown for merchants one of whose loans is: no sum over their loans is then known.
fn is_about_loans(spec: &MeasureSpec) -> bool {
    LOAN_VIEWS.contains(&spec.view.name) || spec.needs.iter().any(|table| LOAN_TABLES.contains(table))
}

/// The rows of a view that count for a measure, and what each of them adds.
struct Counted {
    counts: Vec<bool>,
    /// `None` where every row adds 1.
    value: Option<Int64Chunked>,
}

impl Counted {
    fn of(view: &View, spec: &MeasureSpec, evaluated: Evaluated, places: &DayPlaces) -> PolarsResult<Self> {
        let Evaluated { keep, value } = evaluated;
        let suspect = match spec.suspects {
            Suspects::Include => None,
            _ if !view.schema.is_judged() => None,
            _ => Some(view.frame.column("suspect")?.as_materialized_series().bool()?.clone()),
        };
        let wanted = spec.suspects == Suspects::Only;
        // Column by column, as bits: few rows are left to be looked at one by one.
        let mut counts: Vec<bool> = places.are_placed().collect();
        if let Some(keep) = &keep {
            narrow(&mut counts, keep, |keep| keep == Some(true));
        }
        if let Some(suspect) = &suspect {
            narrow(&mut counts, suspect, |suspect| suspect.unwrap_or(false) == wanted);
        }
        let value = value.map(|value| value.rechunk().into_owned());
        let values = value.as_ref().and_then(|value| value.downcast_iter().next());
        if let Some(is_there) = values.and_then(|values| values.validity()) {
            for (is_there, counts) in is_there.iter().zip(&mut counts) {
                *counts &= is_there;
            }
        }
        Ok(Self { counts, value })
    }

    /// By number, in the view's order.
    fn rows(&self) -> impl Iterator<Item = (usize, i64)> + Clone {
        let values = self.value.as_ref().and_then(|value| value.downcast_iter().next());
        let values = values.map(|values| values.values().as_slice());
        let value = move |row: usize| values.map_or(Some(1), |values| values.get(row).copied());
        let counted = self.counts.iter().enumerate().filter(|(_, counts)| **counts);
        counted.filter_map(move |(row, _)| Some((row, value(row)?)))
    }
}

fn row_tiles(view: &View, merchants: usize, counted: &Counted, times: &Times, buyers: &[u32]) -> RowTiles {
    let tile = |(row, value): (usize, i64)| {
        let owner = view.owners.get(row).copied().flatten()?;
        let day = times.days.get(row).copied()?;
        let buyer = buyers.get(row).copied().unwrap_or(0);
        Some((owner, TileRow { day, at: times.at.get(row).unwrap_or_default(), buyer, value }))
    };
    let mut rows: Vec<(u32, TileRow)> = counted.rows().filter_map(tile).collect();
    // A view's rows come merchant by merchant.
    if !rows.is_sorted_by_key(|(owner, _)| *owner) {
        rows.sort_by_key(|(owner, _)| *owner);
    }
    let offsets = offsets(merchants, rows.iter().map(|(owner, _)| *owner));
    RowTiles::collect(offsets, rows.into_iter().map(|(_, row)| row).collect())
}

/// Leaves only rows whose flag is as wanted.
fn narrow(counts: &mut [bool], flags: &BooleanChunked, is_wanted: impl Fn(Option<bool>) -> bool) {
    let mut counts = counts.iter_mut();
    for array in flags.downcast_iter() {
        let [is, is_not, is_null] = [Some(true), Some(false), None].map(&is_wanted);
        let of = |flag: bool| if flag { is } else { is_not };
        match array.validity() {
            None => array.values().iter().zip(&mut counts).for_each(|(flag, counts)| *counts &= of(flag)),
            Some(known) => {
                let flags = array.values().iter().zip(known.iter());
                flags
                    .zip(&mut counts)
                    .for_each(|((flag, known), counts)| *counts &= if known { of(flag) } else { is_null });
            }
        }
    }
}

/// What a measure's SQL says of each row.
#[derive(Default)]
struct Evaluated {
    /// Whether it counts; `None` where every row does.
    keep: Option<BooleanChunked>,
    /// What it adds; `None` where every row adds 1.
    value: Option<Int64Chunked>,
}

/// What the SQL of some measures of a view says, one after another: one pass over the view's rows for all of them.
fn evaluated(view: &View, specs: &[&MeasureSpec]) -> PolarsResult<Vec<Evaluated>> {
    let keep = |at: usize| format!("measure {at} keep");
    let value = |at: usize| format!("measure {at} value");
    let mut names: BTreeSet<&str> = BTreeSet::from(["merchant_id"]);
    let mut added: Vec<Expr> = Vec::new();
    for (at, spec) in specs.iter().enumerate() {
        names.extend(spec.filter.iter().chain(&spec.value).flat_map(RowSql::columns).map(String::as_str));
        added.extend(spec.filter.as_ref().map(|sql| sql.expr().alias(keep(at))));
        added.extend(spec.value.as_ref().map(|sql| sql.expr().strict_cast(DataType::Int64).alias(value(at))));
    }
    if added.is_empty() {
        return Ok(specs.iter().map(|_| Evaluated { keep: None, value: None }).collect());
    }
    // Added beside the view's columns, so that a constant is repeated on every row.
    let frame = view.frame.select(names)?.lazy().with_columns(added).collect()?;
    let of = |(at, spec): (usize, &&MeasureSpec)| {
        let column = |name: String| frame.column(&name).map(Column::as_materialized_series);
        let keep = spec.filter.as_ref().map(|_| column(keep(at))?.bool().cloned()).transpose()?;
        let value = spec.value.as_ref().map(|_| column(value(at))?.i64().cloned()).transpose()?;
        Ok(Evaluated { keep, value })
    };
    specs.iter().enumerate().map(of).collect()
}
