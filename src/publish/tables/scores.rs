//! `scores`: what each scored merchant's record is worth.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, RecordBatch};
use arrow::datatypes::Int32Type;

use crate::features::Group;
use crate::publish::batch;
use crate::publish::column::{Earlier, Kind, OutputColumn as Column, OutputTable};
use crate::publish::error::PublishError;
use crate::publish::row::OutputRow;
use crate::score::MerchantScore;

/// The feature group that a sub-index column belongs to; `None` for every other column.
fn group_of(column: &Column) -> Option<Group> {
    let word = column.name.strip_suffix("_index")?;
    Group::WORDS.into_iter().find(|(known, _)| *known == word).map(|(_, group)| group)
}

impl OutputRow for MerchantScore {
    type Key<'a> = &'a str;

    fn table() -> OutputTable {
        let mut columns = vec![
            Column::required("merchant_id", Kind::Text, "", "The merchant."),
            Column::required("as_of", Kind::Day, "date", "Observation date: only facts before its midnight count."),
            Column::optional("score", Kind::Int32, "points", "Scorecard points; higher is safer. Null in the band no-evidence."),
            Column::optional(
                "pd_prob",
                Kind::Float64,
                "probability",
                "Probability of default (or of trade distress, where no loan book exists) within the performance window; null in the band no-evidence.",
            )
            .within(0.0, 1.0),
            Column::required("band", Kind::Text, "", "Risk band of the score; no-evidence for a merchant with neither orders nor loans."),
            Column::optional(
                "integrity_index",
                Kind::Int32,
                "0–1000",
                "The face of the score: where this merchant's record stands in the reference population of the model; null without any evidence.",
            )
            .within(0.0, 1000.0),
            Column::optional(
                "integrity_capital_minor",
                Kind::Int64,
                "minor units",
                "Decayed stock of trade delivered as promised, less the penalty for broken promises; null without history.",
            ),
        ];
        columns.extend(Group::WORDS.iter().map(|(word, _)| {
            let doc = format!("Sub-index of the feature group {word:?}; null without evidence.");
            Column::optional(&format!("{word}_index"), Kind::Int32, "0–1000", &doc).within(0.0, 1000.0)
        }));
        columns.extend([
            Column::required(
                "reasons",
                Kind::Reasons,
                "",
                "One to four factors that cost most points, the worst first.",
            ),
            Column::required("model_version", Kind::Text, "", "Name and version of the model that scored."),
            Column::optional(
                "worst_case_score",
                Kind::Int32,
                "points",
                "The score if the merchant's broken records of trade were the worst that they could have been; offers rest on the worse of the two. \
                 Null where no such record of the merchant is broken. A loan that is not known (`debt` of `accounts`) is left out of this and of \
                 the score, both of which may then be too high; nothing is offered to its borrower.",
            )
            .added_later(Earlier::Unknown),
            Column::optional("worst_case_pd_prob", Kind::Float64, "probability", "Probability of default there.").within(0.0, 1.0)
            .added_later(Earlier::Unknown),
            Column::optional("worst_case_band", Kind::Text, "", "Risk band there.")
            .added_later(Earlier::Unknown),
        ]);
        OutputTable { name: "scores", doc: "One row a scored merchant.", sorted_by: &["merchant_id"], columns }
    }

    fn key(&self) -> &str {
        &self.merchant_id
    }

    fn encode(rows: &[Self], table: &OutputTable) -> Result<RecordBatch, PublishError> {
        batch::encode(rows, table, |column| {
            let group = group_of(column)?;
            let indices = rows.iter().map(|r| r.sub_indices.get(&group).copied().flatten());
            Some(Arc::new(indices.collect::<Int32Array>()) as ArrayRef)
        })
    }

    fn decode(path: &Path, batch: &RecordBatch) -> Result<Vec<Self>, PublishError> {
        let (indices, fields): (Vec<_>, Vec<_>) =
            Self::table().columns.into_iter().partition(|c| group_of(c).is_some());
        let mut rows: Vec<Self> = batch::decode(path, batch, &fields)?;
        for column in &indices {
            let values = batch::values::<Int32Type>(path, batch, column)?;
            for (at, row) in rows.iter_mut().enumerate() {
                row.sub_indices
                    .extend(group_of(column).map(|group| (group, values.is_valid(at).then(|| values.value(at)))));
            }
        }
        Ok(rows)
    }
}
