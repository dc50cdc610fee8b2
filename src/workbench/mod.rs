//! What an analyst does beside the night: tables of their own, validation, comparison, documents, what-if.
//!
//! ```text
//! table (CSV, Parquet) ── train ──▶ crate::model      bins ── univariate, bin_edits
//!   └─ scored ──▶ validation, compare, reject_inference, counterfactual
//! model folder ──▶ document (Markdown, HTML, SQL, JSON Schema)
//! ```
//!
//! This room uses `model`; `model` knows nothing of it.

pub mod bin_edits;
pub mod compare;
pub mod counterfactual;
pub mod document;
pub(crate) mod figures;
pub mod reject_inference;
mod running_numbers;
mod settings_file;
pub mod table;
pub mod univariate;
pub mod validation;

pub use running_numbers::running_number_notes;
pub use settings_file::SettingsFile;
