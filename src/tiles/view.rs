//! All views of a shard.

use std::collections::BTreeMap;

use polars::prelude::{BooleanChunked, DataFrame, PolarsResult, StringChunked};

use super::dispute_copies::dispute_copies;
use super::disputes::fold_disputes;
use super::error::TileError;
use super::merchants::Merchants;
use super::order_rows::{OrderIds, OrderRows};
use super::orders::{Joined, contract_column};
use super::parcel_copies::parcel_copies;
use super::parcels::fold_parcels;
use super::read_columns::ReadColumns;
use super::schema::{VIEWS, ViewColumn, ViewSchema};
use super::{column, disputes, orders, repayment, reviews, shipments};
use crate::authenticity::{RepeatedSettings, Settings, Verdict};
use crate::domain::AsOf;
use crate::repayment::{LedgerRules, LoanLedger, repayment_tables};
use crate::store::Shard;

/// The rules that facts are read by.
#[derive(Debug, Clone, Copy)]
pub struct ViewRules<'a> {
    /// Which orders and reviews are suspect.
    pub authenticity: &'a Settings,
    /// How loans are read.
    pub ledger: &'a LedgerRules,
    /// The columns that are read, besides whose a row is: no others are there. `None`: all of them are.
    pub columns: Option<&'a ReadColumns>,
}

impl<'a> ViewRules<'a> {
    /// Whether anybody reads the view.
    fn reads(&self, view: &str) -> bool {
        self.columns.is_none_or(|columns| columns.reads(view))
    }

    /// The columns that a view is to have.
    pub(super) fn columns_of(self, schema: &'static ViewSchema) -> impl Iterator<Item = &'static ViewColumn> + use<'a> {
        let is_read = move |name: &str| {
            name == "merchant_id" || self.columns.is_none_or(|columns| columns.reads_column(schema.name, name))
        };
        schema.columns.iter().filter(move |column| is_read(column.name))
    }
}

/// One view's rows, and whose they are.
#[derive(Debug, Clone)]
pub struct View {
    /// Its schema.
    pub schema: &'static ViewSchema,
    /// Its rows, with exactly the schema's columns, or those of them that are read.
    pub frame: DataFrame,
    /// Each row's merchant number; `None` for rows of merchants that cannot be seen.
    pub owners: Vec<Option<u32>>,
}

/// Views by name. A view whose tables the job lacks has no entry.
#[derive(Debug, Clone)]
pub struct Views {
    /// The observation.
    pub as_of: AsOf,
    /// The shard's merchants.
    pub merchants: Merchants,
    /// The table `merchants` as the shard holds it.
    pub merchant_rows: DataFrame,
    /// The views.
    pub by_name: BTreeMap<&'static str, View>,
    /// Names of the contract tables that the shard holds.
    pub tables: Vec<&'static str>,
    /// Authenticity verdicts with their evidence, row by row, of the views `orders` and `reviews`.
    pub verdicts: BTreeMap<&'static str, Vec<Verdict>>,
    /// Every loan, known or not; `None` where the job has no loan book.
    pub ledger: Option<LoanLedger>,
    /// What tells one sale that was sent under several ids.
    pub repeated: RepeatedSettings,
    /// Disputes that count for nothing because somebody else than the order's buyer opened them.
    pub disputes_of_others: u64,
}

impl Views {
    /// Whether the job has that contract table.
    #[must_use]
    pub fn has_table(&self, name: &str) -> bool {
        self.tables.contains(&name)
    }
}

/// Builds every view of a shard that somebody reads; `orders` always.
///
/// # Errors
/// A required table or column is missing or of another type, or a sum overflows.
pub fn views(shard: &Shard, rules: ViewRules<'_>) -> Result<Views, TileError> {
    let merchants = Merchants::of(shard)?;
    let merchant_rows = shard.table("merchants").ok_or(TileError::MissingTable { table: "merchants" })?.clone();
    let Trade { mut frames, verdicts, disputes_of_others } = trade(shard, &merchants, rules)?;
    let mut ledger = None;
    if let Some(book) = repayment_tables(shard, rules.ledger)? {
        frames.insert(repayment::INSTALMENT_STATUS.name, book.instalment_status);
        frames.insert(repayment::LOAN_STATUS.name, book.loan_status);
        ledger = Some(book.ledger);
    }
    for name in ["applications", "inventory", "loans", "payments"] {
        if let Some(table) = shard.table(name) {
            frames.insert(name, table.clone());
        }
    }
    let mut by_name = BTreeMap::new();
    for schema in VIEWS {
        let Some(frame) = frames.remove(schema.name) else { continue };
        if schema.name != orders::ORDERS.name && !rules.reads(schema.name) {
            continue;
        }
        let owners = merchants.of_rows(&frame, schema.name)?;
        let frame = conform(&frame, rules.columns_of(schema))
            .map_err(|source| TileError::View { view: schema.name, source })?;
        by_name.insert(schema.name, View { schema, frame, owners });
    }
    let tables = shard.tables.keys().copied().collect();
    let as_of = shard.as_of.clone();
    let repeated = rules.authenticity.repeated;
    Ok(Views { as_of, merchants, merchant_rows, by_name, tables, verdicts, ledger, repeated, disputes_of_others })
}

/// Views of orders, shipments, reviews and disputes, and the verdicts on their authenticity.
struct Trade {
    frames: BTreeMap<&'static str, DataFrame>,
    verdicts: BTreeMap<&'static str, Vec<Verdict>>,
    disputes_of_others: u64,
}

fn trade(shard: &Shard, merchants: &Merchants, rules: ViewRules<'_>) -> Result<Trade, TileError> {
    let settings = rules.authenticity;
    let mut frames = BTreeMap::new();
    let mut verdicts = BTreeMap::new();
    let table = shard.table("orders").ok_or(TileError::MissingTable { table: "orders" })?;
    let order_ids = column::required_texts(table, "orders", "order_id")?;
    let by_id = OrderIds::new(table, &order_ids, merchants)?;
    let cancelled = column::integers(table, "orders", "cancelled_at")?;
    let placed = column::integers(table, "orders", "placed_at")?;
    let buyers = column::required_texts(table, "orders", "buyer_id")?;
    let children = |name: &'static str| {
        let child = |table| Ok::<_, TileError>(Children { table, of_order: by_id.of(table, name)? });
        shard.table(name).map(child).transpose()
    };
    let (shipments, reviews, disputes) = (children("shipments")?, children("reviews")?, children("disputes")?);
    let counted = disputes.as_ref().map(|disputes| disputes.that_count(&buyers, settings)).transpose()?.flatten();
    let disputes_of_others = counted.as_ref().map_or(0, |(.., of_others)| *of_others);
    let disputes = match &counted {
        Some((table, of_order, _)) => Some(Children { table, of_order: of_order.clone() }),
        None => disputes,
    };
    let is_copy = shipments.as_ref().map(|parcels| parcel_copies(parcels, &cancelled)).transpose()?.unwrap_or_default();
    let parcels = shipments.as_ref().map(|parcels| fold_parcels(parcels, &is_copy, &cancelled)).transpose()?;
    let ratings = reviews
        .as_ref()
        .map(|reviews| reviews::rate(reviews, merchants, parcels.as_deref(), &placed, &buyers, settings))
        .transpose()?;
    let conflicts = disputes.as_ref().map(|disputes| fold_disputes(disputes, table.height())).transpose()?;
    let joined = Joined { parcels: parcels.as_deref(), ratings: ratings.as_ref(), conflicts: conflicts.as_deref() };
    let orders = orders::build(table, merchants, joined, rules)?;
    if let Some(parcels) = shipments.filter(|_| rules.reads("shipments")) {
        frames.insert("shipments", shipments::build(&parcels, &is_copy, &orders, rules)?);
    }
    if let Some((reviews, ratings)) = reviews.zip(ratings.as_ref()).filter(|_| rules.reads("reviews")) {
        frames.insert("reviews", reviews::build(&reviews, &orders, ratings, rules)?);
    }
    if let Some(disputes) = disputes.filter(|_| rules.reads("disputes")) {
        frames.insert("disputes", disputes::build(&disputes, &orders, rules)?);
    }
    frames.insert("orders", orders.frame);
    verdicts.insert("orders", orders.verdicts);
    if let Some(ratings) = ratings {
        verdicts.insert("reviews", ratings.verdicts);
    }
    Ok(Trade { frames, verdicts, disputes_of_others })
}

/// Rows that belong to orders, and the order's row of each.
pub struct Children<'a> {
    pub table: &'a DataFrame,
    pub of_order: OrderRows,
}

impl Children<'_> {
    /// Disputes without those that another row stands for, and those that somebody else than the buyer opened, with how many these are; `None` where there are no such.
    fn that_count(
        &self,
        buyers: &StringChunked,
        settings: &Settings,
    ) -> Result<Option<(DataFrame, OrderRows, u64)>, TileError> {
        let is_copy = dispute_copies(self, settings.repeated)?;
        let is_anothers = disputes::of_others(self, buyers, settings.not_the_buyer)?;
        let stays: Vec<bool> = is_copy.iter().zip(&is_anothers).map(|(copy, anothers)| !copy && !anothers).collect();
        if !stays.contains(&false) {
            return Ok(None);
        }
        let mask: BooleanChunked = stays.iter().copied().collect();
        let table = self.table.filter(&mask).map_err(|source| TileError::View { view: "disputes", source })?;
        let of_order = self.of_order.iter().zip(&stays).filter(|(_, stays)| **stays).map(|(row, _)| *row).collect();
        let of_others = is_anothers.iter().filter(|anothers| **anothers).count() as u64;
        Ok(Some((table, of_order, of_others)))
    }
}

/// Columns of a view, in its order and types.
fn conform(frame: &DataFrame, columns: impl Iterator<Item = &'static ViewColumn>) -> PolarsResult<DataFrame> {
    let columns = columns.map(|spec| contract_column(frame, spec)).collect::<PolarsResult<Vec<_>>>()?;
    DataFrame::new(frame.height(), columns)
}
