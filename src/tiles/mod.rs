//! Views and measures: from a shard's tables to exact integers a merchant and day.
//!
//! ```text
//! shard ── views ──▶ orders, shipments, reviews, disputes, … (one frame each, joined and judged)
//!            └─ measure (SQL predicate, SQL value) ──▶ day tiles: merchant × day ──▶ windows
//!                                                  └▶ row tiles: where sums do not suffice (buyers, quantiles)
//! ```
//!
//! A *view* is what measures are declared on: a contract table with what belongs to its rows joined on. A *measure* is an
//! additive `i64` a row; tiles hold it by merchant and local calendar day, counted back from as-of. Everything is a pure
//! function of one shard, and no result depends on the order of its rows.

mod applications;
mod clock;
mod column;
mod day_tiles;
mod dispute_copies;
mod disputes;
mod error;
mod inventory;
mod lending;
mod measure;
mod measure_settings;
mod merchants;
mod order_rows;
mod orders;
mod parcel_copies;
mod parcels;
mod read_columns;
mod repayment;
mod reviews;
mod row_tiles;
mod schema;
mod shipments;
mod sql;
mod view;

pub use clock::{DayClock, EVER, OLDER};
pub use day_tiles::{DayTile, DayTiles, DayWindow, Tally};
pub use error::TileError;
pub use measure::{Forms, MeasureSpec, Measured, Measuring, Suspects};
pub(crate) use measure_settings::{RawMeasure, checked_name};
pub use merchants::{MerchantFacts, Merchants, merchant_facts, merchant_integers, merchant_texts};
pub use read_columns::ReadColumns;
pub use row_tiles::{RowTiles, TileRow};
pub use schema::{VIEWS, ViewColumn, ViewKind, ViewSchema, view_schema};
pub use sql::{RowSql, SqlRefusal, Yields, schema_of};
pub use view::{View, ViewRules, Views, views};
