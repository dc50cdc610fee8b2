//! Documents for people to read: headings, tables, bars and plots, as Markdown or as one HTML file.
//!
//! ```text
//! blocks ──▶ markdown   plots are files beside it
//!        └─▶ html       style and plots inside, no script, nothing fetched
//! ```

mod blocks;
mod html;
mod markdown;
pub mod workbook;

pub use blocks::{Bar, Block, Plot, table};
pub use html::{PageError, html};
pub use markdown::markdown;
