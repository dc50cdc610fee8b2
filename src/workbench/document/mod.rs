//! The model document (Markdown, self-contained HTML, SVG plots) and exports for other systems (SQL, PMML, a workbook, JSON Schema).
//!
//! ```text
//! Bundle + samples ── sections ──▶ blocks (page) ──▶ markdown, html   Scorecard ──▶ sql_export
//!                        └─ plots (SVG)                                       ├─▶ pmml_export
//!                                                           Bundle + samples ├─▶ card_workbook
//!                                                                             └─▶ json_schema
//! ```

mod card_workbook;
mod curves;
#[expect(clippy::module_inception, reason = "the document itself, among what it is made of")]
mod document;
mod error;
mod json_schema;
mod plots;
mod pmml_export;
mod sample;
mod screen;
mod sections;
mod sql_export;
mod sql_text;

pub use card_workbook::card_workbook;
pub use curves::Curves;
pub use document::{Document, DocumentInput};
pub use error::DocumentError;
pub use json_schema::scorecard_schema;
pub use pmml_export::export_pmml;
pub use sample::Sample;
pub use screen::screen;
pub use sql_export::{SqlSource, export_sql};
