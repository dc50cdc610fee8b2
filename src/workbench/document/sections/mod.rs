//! The sections of a model document, in the order a validator reads them.

mod calibration;
mod drift;
mod figures;
mod identity;
mod left_out;
mod method;
mod tables;
mod text;
mod variables;

pub(super) use calibration::formula as calibration_words;
pub(super) use text::word;

use super::document::DocumentInput;
use super::error::DocumentError;
use crate::page::Block;

/// All blocks of the document.
pub(super) fn sections(input: &DocumentInput<'_>) -> Result<Vec<Block>, DocumentError> {
    let card = &input.bundle.scorecard;
    let mut blocks = identity::section(input);
    blocks.extend(figures::section(input.samples)?);
    blocks.extend(method::scaling(card));
    blocks.extend(calibration::section(card, input.report));
    blocks.extend(variables::summary(card, input.report));
    blocks.extend(variables::section(card)?);
    blocks.extend(tables::section(card));
    blocks.extend(left_out::section(input.report));
    blocks.extend(method::training(input.report));
    blocks.extend(input.drift.map(drift::section).unwrap_or_default());
    Ok(blocks)
}
