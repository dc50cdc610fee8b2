//! `scores`: what each scored merchant's record is worth.

use std::cmp::Ordering;
use std::path::Path;

use arrow::array::RecordBatch;
use jiff::civil::Date;

use crate::domain::Reason;
use crate::publish::column::{Kind, OutputColumn, OutputTable};
use crate::publish::decode::Decoder;
use crate::publish::encode::Encoder;
use crate::publish::error::PublishError;
use crate::publish::row::OutputRow;

/// Sub-index columns are named `<group>_index`.
const INDEX_SUFFIX: &str = "_index";
const FACE: &str = "integrity_index";

/// One scored merchant.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRow {
    /// The merchant.
    pub merchant_id: String,
    /// Observation date.
    pub as_of: Date,
    /// Scorecard points: higher is safer.
    pub score: i32,
    /// Probability of default within the model's performance window.
    pub pd_prob: f64,
    /// Risk band.
    pub band: String,
    /// The face of the score, 0 to 1000.
    pub integrity_index: Option<i32>,
    /// Integrity capital; null without history.
    pub integrity_capital_minor: Option<i64>,
    /// One sub-index a feature group, in the order of the groups given to [`ScoreRow::table`]; null without evidence.
    pub sub_indices: Vec<Option<i32>>,
    /// One to four, most important first.
    pub reasons: Vec<Reason>,
    /// `name/version` of the model.
    pub model_version: String,
}

impl ScoreRow {
    /// The table for these feature groups (`trade` becomes the column `trade_index`).
    #[must_use]
    pub fn table<S: AsRef<str>>(groups: &[S]) -> OutputTable {
        let mut columns = vec![
            OutputColumn::required("merchant_id", Kind::Text, "", "The merchant."),
            OutputColumn::required("as_of", Kind::Day, "date", "Observation date: only facts before its midnight count."),
            OutputColumn::required("score", Kind::Int32, "points", "Scorecard points; higher is safer."),
            OutputColumn::required(
                "pd_prob",
                Kind::Float64,
                "probability",
                "Probability of default (or of trade distress, where no loan book exists) within the performance window.",
            )
            .within(0.0, 1.0),
            OutputColumn::required("band", Kind::Text, "", "Risk band of the score."),
            OutputColumn::optional(
                FACE,
                Kind::Int32,
                "0–1000",
                "The face of the score: where this merchant's record stands in the reference population of the model; null without any evidence.",
            )
            .within(0.0, 1000.0),
            OutputColumn::optional(
                "integrity_capital_minor",
                Kind::Int64,
                "minor units",
                "Decayed stock of trade delivered as promised, less the penalty for broken promises; null without history.",
            ),
        ];
        columns.extend(groups.iter().map(|group| {
            let name = format!("{}{INDEX_SUFFIX}", group.as_ref());
            let doc = format!("Sub-index of the feature group {:?}; null without evidence.", group.as_ref());
            OutputColumn::optional(&name, Kind::Int32, "0–1000", &doc).within(0.0, 1000.0)
        }));
        columns.extend([
            OutputColumn::required(
                "reasons",
                Kind::Reasons,
                "",
                "One to four factors that cost most points, the worst first.",
            ),
            OutputColumn::required("model_version", Kind::Text, "", "Name and version of the model that scored."),
        ]);
        OutputTable { name: "scores", doc: "One row a scored merchant.", sorted_by: &["merchant_id"], columns }
    }
}

/// The feature group that a sub-index column belongs to.
pub(in crate::publish) fn group_of(column: &str) -> Option<&str> {
    if column == FACE { None } else { column.strip_suffix(INDEX_SUFFIX) }
}

impl OutputRow for ScoreRow {
    fn encode(rows: &[Self], table: &OutputTable) -> Result<RecordBatch, PublishError> {
        let groups: Vec<&str> =
            table.columns.iter().map(|c| c.name.as_str()).filter(|n| group_of(n).is_some()).collect();
        if let Some(row) = rows.iter().find(|r| r.sub_indices.len() != groups.len()) {
            let why = format!("{} has {} sub-indices for {} groups", row.label(), row.sub_indices.len(), groups.len());
            return Err(PublishError::Layout { table: table.name, why });
        }
        let mut columns = Encoder::new(table, rows);
        columns.text("merchant_id", |r| Some(&r.merchant_id))?;
        columns.day("as_of", |r| Some(r.as_of))?;
        columns.int32("score", |r| Some(r.score))?;
        columns.float64("pd_prob", |r| Some(r.pd_prob))?;
        columns.text("band", |r| Some(&r.band))?;
        columns.int32(FACE, |r| r.integrity_index)?;
        columns.int64("integrity_capital_minor", |r| r.integrity_capital_minor)?;
        for (at, group) in groups.iter().enumerate() {
            columns.int32(group, |r| r.sub_indices.get(at).copied().flatten())?;
        }
        columns.reasons("reasons", |r| &r.reasons)?;
        columns.text("model_version", |r| Some(&r.model_version))?;
        columns.finish()
    }

    fn decode(path: &Path, batch: &RecordBatch) -> Result<Vec<Self>, PublishError> {
        let columns = Decoder::new(path, batch);
        let names = columns.names();
        let groups: Vec<_> = names
            .iter()
            .filter(|name| group_of(name).is_some())
            .map(|name| columns.int32(name))
            .collect::<Result<_, _>>()?;
        let (merchant_id, as_of) = (columns.text("merchant_id")?, columns.day("as_of")?);
        let (score, pd_prob, band) = (columns.int32("score")?, columns.float64("pd_prob")?, columns.text("band")?);
        let (face, capital) = (columns.int32(FACE)?, columns.int64("integrity_capital_minor")?);
        let (reasons, model_version) = (columns.list("reasons")?, columns.text("model_version")?);
        columns.rows(|at| {
            Ok(Self {
                merchant_id: columns.required("merchant_id", merchant_id.owned(at))?,
                as_of: columns.required("as_of", as_of.get(at))?,
                score: columns.required("score", score.get(at))?,
                pd_prob: columns.required("pd_prob", pd_prob.get(at))?,
                band: columns.required("band", band.owned(at))?,
                integrity_index: face.get(at),
                integrity_capital_minor: capital.get(at),
                sub_indices: groups.iter().map(|g| g.get(at)).collect(),
                reasons: reasons.reasons(at)?,
                model_version: columns.required("model_version", model_version.owned(at))?,
            })
        })
    }

    fn order(&self, other: &Self) -> Ordering {
        self.merchant_id.cmp(&other.merchant_id)
    }

    fn label(&self) -> String {
        format!("merchant {:?}", self.merchant_id)
    }
}
