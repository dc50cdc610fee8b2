//! Two-variable tables as small grids.

use super::text::heading;
use crate::model::Scorecard;
use crate::page::Block;

pub(super) fn section(card: &Scorecard) -> Vec<Block> {
    if card.tables.is_empty() {
        return Vec::new();
    }
    let mut blocks = vec![
        heading("Two-variable tables"),
        Block::Paragraph("Points on top of the two variables' own, by both together.".to_owned()),
    ];
    let name = |i: usize| card.variables.get(i).map_or("", |v| v.bins.name.as_str());
    for pair in &card.tables {
        let mut head = vec![format!("{} \\ {}", name(pair.left), name(pair.right))];
        head.extend(pair.right_labels.iter().cloned());
        let rows = pair
            .left_labels
            .iter()
            .zip(&pair.points)
            .map(|(label, points)| {
                std::iter::once(label.clone()).chain(points.iter().map(|p| format!("{p:+}"))).collect()
            })
            .collect();
        blocks.push(Block::Heading(3, format!("{} × {}", name(pair.left), name(pair.right))));
        blocks.push(Block::Paragraph(format!(
            "Reason code {}. An average training row has {:+} points.",
            pair.code, pair.reference_points
        )));
        blocks.push(Block::Table { head, rows });
    }
    blocks
}
