//! All views of a shard.

use std::collections::BTreeMap;

use polars::prelude::{DataFrame, PolarsResult};

use super::error::TileError;
use super::merchants::Merchants;
use super::orders::{contract_column, rows_by_id};
use super::parcels::fold_parcels;
use super::schema::{VIEWS, ViewSchema};
use super::{column, disputes, orders, repayment, reviews, shipments};
use crate::authenticity::{Settings, Verdict};
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
}

/// One view's rows, and whose they are.
#[derive(Debug, Clone)]
pub struct View {
    /// Its schema.
    pub schema: &'static ViewSchema,
    /// Its rows, with exactly the schema's columns.
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
}

impl Views {
    /// Whether the job has that contract table.
    #[must_use]
    pub fn has_table(&self, name: &str) -> bool {
        self.tables.contains(&name)
    }
}

/// Builds every view of a shard.
///
/// # Errors
/// A required table or column is missing or of another type, or a sum overflows.
pub fn views(shard: &Shard, rules: ViewRules<'_>) -> Result<Views, TileError> {
    let merchants = Merchants::of(shard)?;
    let merchant_rows = shard.table("merchants").ok_or(TileError::MissingTable { table: "merchants" })?.clone();
    let Trade { mut frames, verdicts } = trade(shard, &merchants, rules.authenticity)?;
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
        let owners = merchants.of_rows(&frame, schema.name)?;
        let frame = conform(&frame, schema).map_err(|source| TileError::View { view: schema.name, source })?;
        by_name.insert(schema.name, View { schema, frame, owners });
    }
    let tables = shard.tables.keys().copied().collect();
    Ok(Views { as_of: shard.as_of.clone(), merchants, merchant_rows, by_name, tables, verdicts, ledger })
}

/// Views of orders and of what hangs on them.
struct Trade {
    frames: BTreeMap<&'static str, DataFrame>,
    verdicts: BTreeMap<&'static str, Vec<Verdict>>,
}

fn trade(shard: &Shard, merchants: &Merchants, settings: &Settings) -> Result<Trade, TileError> {
    let mut frames = BTreeMap::new();
    let mut verdicts = BTreeMap::new();
    let table = shard.table("orders").ok_or(TileError::MissingTable { table: "orders" })?;
    let order_ids = column::required_texts(table, "orders", "order_id")?;
    let rows = rows_by_id(&order_ids);
    let cancelled = column::integers(table, "orders", "cancelled_at")?;
    let placed = column::integers(table, "orders", "placed_at")?;
    let parcels = shard.table("shipments").map(|t| fold_parcels(t, &rows, &cancelled)).transpose()?;
    let ratings = shard
        .table("reviews")
        .map(|t| reviews::rate(t, merchants, &rows, parcels.as_deref(), &placed, settings))
        .transpose()?;
    let orders = orders::build(table, shard, merchants, &rows, parcels.as_deref(), ratings.as_ref(), settings)?;
    if let Some(table) = shard.table("shipments") {
        frames.insert("shipments", shipments::build(table, &orders, &rows)?);
    }
    if let Some((table, ratings)) = shard.table("reviews").zip(ratings.as_ref()) {
        frames.insert("reviews", reviews::build(table, &orders, &rows, ratings)?);
    }
    if let Some(table) = shard.table("disputes") {
        frames.insert("disputes", disputes::build(table, &orders, &rows)?);
    }
    frames.insert("orders", orders.frame);
    verdicts.insert("orders", orders.verdicts);
    if let Some(ratings) = ratings {
        verdicts.insert("reviews", ratings.verdicts);
    }
    Ok(Trade { frames, verdicts })
}

/// The schema's columns, in its order and types.
fn conform(frame: &DataFrame, schema: &ViewSchema) -> PolarsResult<DataFrame> {
    let columns = schema.columns.iter().map(|spec| contract_column(frame, spec)).collect::<PolarsResult<Vec<_>>>()?;
    DataFrame::new(frame.height(), columns)
}
