//! How figures are written.

use crate::workbench::document::blocks::Block;

pub(super) fn heading(text: &str) -> Block {
    Block::Heading(2, text.to_owned())
}

pub(super) fn figure(value: f64) -> String {
    format!("{value:.4}")
}

pub(super) fn share(value: f64) -> String {
    format!("{:.2} %", value * 100.0)
}

pub(super) fn or_dash(value: Option<String>) -> String {
    value.unwrap_or_else(|| "–".to_owned())
}

pub(super) fn ranged(value: Option<f64>, interval: Option<[f64; 2]>) -> String {
    or_dash(value.map(|value| match interval {
        Some([low, high]) => format!("{value:.4} ({low:.4} to {high:.4})"),
        None => figure(value),
    }))
}

pub(super) fn shares(interval: [f64; 2]) -> String {
    format!("{} to {}", share(interval[0]), share(interval[1]))
}

pub(super) fn p_value(value: f64) -> String {
    if value < 0.0001 { "< .0001".to_owned() } else { figure(value) }
}

/// The kebab-case word that a value has in JSON.
pub(super) fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
