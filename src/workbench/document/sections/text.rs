//! How figures are written.

use crate::page::Block;
use crate::workbench::figures::share;

pub(super) fn heading(text: &str) -> Block {
    Block::Heading(2, text.to_owned())
}

pub(super) fn shares(interval: [f64; 2]) -> String {
    format!("{} to {}", share(interval[0]), share(interval[1]))
}

/// The kebab-case word that a value has in JSON.
pub(in crate::workbench::document) fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
