//! What the model is, where it comes from, who answers for it, what it must not be used for.

use super::text::heading;
use crate::domain::Digest;
use crate::model::registry::Bundle;
use crate::page::{Block, table};
use crate::workbench::document::document::DocumentInput;

pub(super) fn section(input: &DocumentInput<'_>) -> Vec<Block> {
    let (bundle, card) = (input.bundle, &input.bundle.scorecard);
    let mut blocks = vec![
        Block::Heading(1, bundle.id()),
        Block::Paragraph(format!(
            "A scorecard of {} variables and {} two-variable tables. Each bin has points; with the base points they sum to the score. \
             A higher score is safer. PD is the probability that the outcome the model was trained on turns out bad.",
            card.variables.len(),
            card.tables.len()
        )),
        table(&["fact", "value"], facts(bundle)),
        heading("Limitations"),
        Block::List(limitations(bundle)),
    ];
    let warnings = input.report.map(|r| r.warnings.clone()).unwrap_or_default();
    if !warnings.is_empty() {
        blocks.extend([Block::Heading(3, "What training warned of".to_owned()), Block::List(warnings)]);
    }
    let files = bundle.manifest.files.iter().map(|(name, digest)| vec![name.clone(), digest.to_string()]).collect();
    blocks.extend([
        heading("Files"),
        Block::Paragraph(
            "SHA-256 of the model's files, as its manifest names them; each was checked when this was written."
                .to_owned(),
        ),
        table(&["file", "digest"], files),
    ]);
    blocks
}

fn facts(bundle: &Bundle) -> Vec<Vec<String>> {
    let origin = &bundle.manifest.origin;
    let window = origin
        .training_window
        .map_or_else(|| "not recorded: rows without dates".to_owned(), |(first, last)| format!("{first} to {last}"));
    let ability = if bundle.ability.is_some() { "in the folder, not described here" } else { "none" };
    [
        ("approval", approval(bundle)),
        ("trained on", origin.trained_on.to_string()),
        ("training window", window),
        ("last day of use", origin.expires_on.map_or_else(|| "none set".to_owned(), |day| day.to_string())),
        ("training data", origin.data_digest.to_string()),
        ("configuration", origin.config_digest.to_string()),
        ("ability model", ability.to_owned()),
        ("layout", bundle.scorecard.format.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| vec![name.to_owned(), value])
    .collect()
}

/// Who approved what: an approval holds for the manifest as it was.
fn approval(bundle: &Bundle) -> String {
    let Some(approval) = &bundle.approval else { return "nobody has approved it".to_owned() };
    let found = Digest::of_file(&bundle.folder.join("manifest.json")).ok();
    let holds = if found == Some(approval.manifest_digest) {
        "for the manifest as it stands"
    } else {
        "for ANOTHER manifest: it does not hold"
    };
    format!("{} on {}, {holds} ({})", approval.by, approval.on, approval.manifest_digest.short())
}

fn limitations(bundle: &Bundle) -> Vec<String> {
    let mut list = bundle.manifest.origin.limitations.clone();
    if list.is_empty() {
        list.push("none were recorded, which does not mean that there are none".to_owned());
    }
    list
}
