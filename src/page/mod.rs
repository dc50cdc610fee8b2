//! Documents for people to read: headings, tables, bars and plots, as Markdown or as one HTML file; and cells of files for spreadsheets.
//!
//! ```text
//! blocks ──▶ markdown   plots are files beside it
//!        └─▶ html       style and plots inside, no script, nothing fetched
//! ```

mod blocks;
mod html;
mod line_plot;
mod markdown;
mod spreadsheet;
pub mod workbook;

pub use blocks::{Bar, Block, Plot, table};
pub use html::{PageError, html};
pub use line_plot::{Line, LinePlot};
pub use markdown::markdown;
pub use spreadsheet::{is_taken_for_a_formula, shown_cell};
