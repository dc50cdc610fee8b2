//! `apply`: a model's scores for every row of a table.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray, UInt8Array};
use arrow::datatypes::{DataType, Field, Schema, UInt8Type};
use clap::Args;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use serde_json::{Value, json};

use super::name_list::listed_columns;
use super::output_file::create_new;
use super::point_columns::{PointColumn, point_columns};
use super::unseen::Unseen;
use crate::model::registry::load_folder;
use crate::model::table::{Column, Kind, Values};
use crate::model::{BlockScorer, BlockScores, ModelError, Scorecard};
use crate::workbench::table::{TableFile, open_table};

/// What `apply` takes.
#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    /// Model folder.
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// Table to score: a CSV or Parquet file, or a folder of them.
    #[arg(long, value_name = "FILE")]
    pub table: PathBuf,
    /// Scores to write, CSV where the name ends in .csv, else Parquet; must not exist.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Columns of the table to carry over, separated by commas; repeat the option for names that hold commas.
    #[arg(long, value_name = "COLUMNS")]
    pub keep: Vec<String>,
    /// Columns of reasons to write a row, most points lost first: 0 to 4.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=4))]
    pub reasons: u8,
    /// Write the points of each variable and two-variable table too, a column each (`points_NAME`): with the base points they add up to the score.
    #[arg(long)]
    pub points: bool,
    /// Write the weight of evidence of each variable's bin too, a column each (`woe_NAME`).
    #[arg(long)]
    pub woe: bool,
}

/// Scores the table into a file; returns what `--format json` prints.
///
/// # Errors
/// Whatever is wrong with the model folder, the table or the output.
pub fn apply_table(args: &ApplyArgs) -> Result<Value, ModelError> {
    let bundle = load_folder(&args.model)?;
    let file = open_table(&args.table)?;
    let keep = kept_columns(&args.keep, &file)?;
    let card = &bundle.scorecard;
    let mut bands: BTreeMap<String, usize> = BTreeMap::new();
    let beside =
        ExtraColumns { reasons: usize::from(args.reasons), columns: point_columns(card, args.points, args.woe) };
    let mut sink = Sink::create(&args.out, card, &keep, beside)?;
    let mut rows = 0_usize;
    let mut unseen = Unseen::default();
    let outcome = score_file(
        card,
        &file,
        &mut |_, block, kept| {
            rows += block.score.len();
            unseen.add(card, block);
            sink.write(card, block, kept, &mut bands)
        },
        &keep.iter().map(|(at, kind, _)| (*at, *kind)).collect::<Vec<_>>(),
    )
    .and_then(|()| sink.finish());
    if let Err(error) = outcome {
        // A half-written file of scores must not be taken for a whole one.
        let _ = std::fs::remove_file(&args.out);
        return Err(error);
    }
    let unseen = unseen.finish();
    Ok(json!({
        "model": args.model,
        "out": args.out,
        "rows": rows,
        "bands": bands,
        "base_points": card.base_points,
        "warnings": unseen.warnings(),
        "unseen_levels": unseen,
    }))
}

/// Takes the first row number of a block, its scores, and the columns kept.
pub type BlockSink<'a> = &'a mut dyn FnMut(usize, &BlockScores, &[Column]) -> Result<(), ModelError>;

/// Streams blocks of scores with the columns kept.
///
/// # Errors
/// A column the model needs is absent or of another kind, and whatever `each` returns.
pub fn score_file(
    card: &Scorecard,
    file: &TableFile,
    each: BlockSink<'_>,
    keep: &[(usize, Kind)],
) -> Result<(), ModelError> {
    let mut wanted = Vec::new();
    for (name, kind) in card.inputs() {
        wanted.push((file.position(&name)?, kind));
    }
    let inputs = wanted.len();
    wanted.extend_from_slice(keep);
    let scorer = BlockScorer::new(card);
    file.for_each_block(&wanted, &mut |first, columns| {
        let (used, kept) = columns.split_at(inputs.min(columns.len()));
        let block = scorer.score(&used.iter().collect::<Vec<_>>())?;
        each(first, &block, kept)
    })
}

type Kept = (usize, Kind, String);

fn kept_columns(given: &[String], file: &TableFile) -> Result<Vec<Kept>, ModelError> {
    listed_columns(given, file)?.into_iter().map(|name| Ok((file.position(&name)?, Kind::Text, name))).collect()
}

/// Where scores go.
struct Sink {
    path: PathBuf,
    format: Format,
    beside: ExtraColumns,
}

/// What is written beside probability, score and band.
struct ExtraColumns {
    /// Columns of reasons.
    reasons: usize,
    /// Columns of points and weights of evidence.
    columns: Vec<PointColumn>,
}

enum Format {
    Csv(Box<csv::Writer<File>>),
    Parquet(Option<Box<ArrowWriter<File>>>, Arc<Schema>),
}

const SCORES: [&str; 3] = ["pd_prob", "score", "band"];
const REASONS: [&str; 4] = ["reason_1", "reason_2", "reason_3", "reason_4"];

impl Sink {
    fn create(path: &Path, card: &Scorecard, keep: &[Kept], beside: ExtraColumns) -> Result<Self, ModelError> {
        let points: Vec<String> = beside.columns.iter().map(|c| c.name(card)).collect();
        let reasons = beside.reasons;
        let own =
            || SCORES.into_iter().chain(REASONS.into_iter().take(reasons)).chain(points.iter().map(String::as_str));
        if let Some((_, _, name)) = keep.iter().find(|(_, _, n)| own().any(|o| o == n)) {
            let why = format!("column {name:?} has the name of one that is written");
            return Err(ModelError::BadSetting { setting: "keep", why });
        }
        let file = create_new(path)?;
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")) {
            let mut writer = csv::Writer::from_writer(file);
            let header = keep.iter().map(|(_, _, n)| n.as_str()).chain(own());
            writer.write_record(header).map_err(|e| ModelError::table(path, e))?;
            return Ok(Self { path: path.to_owned(), format: Format::Csv(Box::new(writer)), beside });
        }
        let mut fields: Vec<Field> = keep.iter().map(|(_, _, n)| Field::new(n, DataType::Utf8, true)).collect();
        fields.push(Field::new("pd_prob", DataType::Float64, false));
        fields.push(Field::new("score", DataType::Int32, false));
        fields.push(Field::new("band", DataType::Utf8, false));
        let coded = DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8));
        fields.extend(REASONS.iter().take(reasons).map(|n| Field::new(*n, coded.clone(), true)));
        fields.extend(beside.columns.iter().map(|c| c.field(card)));
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::None)
            // A letter a row is written faster than it is looked up.
            .set_column_dictionary_enabled(ColumnPath::from("band"), false)
            .build();
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))
            .map_err(|e| ModelError::table(path, e))?;
        Ok(Self { path: path.to_owned(), format: Format::Parquet(Some(Box::new(writer)), schema), beside })
    }

    fn write(
        &mut self,
        card: &Scorecard,
        block: &BlockScores,
        kept: &[Column],
        bands: &mut BTreeMap<String, usize>,
    ) -> Result<(), ModelError> {
        let rows = block.score.len();
        let scale = Scale::new(card);
        let at: Vec<usize> = block.score.iter().map(|&s| scale.position(s)).collect();
        let pd: Vec<f64> = at.iter().map(|&i| scale.pd.get(i).copied().unwrap_or_default()).collect();
        let band: Vec<u8> = at.iter().map(|&i| scale.band.get(i).copied().unwrap_or_default()).collect();
        let mut counts = [0_usize; 256];
        for &b in &band {
            counts[usize::from(b)] += 1;
        }
        for (b, &n) in card.bands.iter().zip(&counts).filter(|(_, n)| **n > 0) {
            *bands.entry(b.name.clone()).or_default() += n;
        }
        let ExtraColumns { reasons: most, columns } = &self.beside;
        let reasons = if *most > 0 { card.reason_factors(block) } else { Vec::new() };
        let codes = card.factor_codes();
        let path = &self.path;
        match &mut self.format {
            Format::Csv(writer) => {
                let code = |f: Option<u8>| f.and_then(|f| codes.get(usize::from(f))).map_or("", |c| *c).to_owned();
                let points: Vec<Vec<String>> = columns.iter().map(|c| c.texts(card, block)).collect();
                for row in 0..rows {
                    let mut record: Vec<String> = kept.iter().map(|c| text(c, row).unwrap_or_default()).collect();
                    record.push(pd.get(row).map(ToString::to_string).unwrap_or_default());
                    record.push(block.score.get(row).map(ToString::to_string).unwrap_or_default());
                    let name = band.get(row).and_then(|b| card.bands.get(usize::from(*b)));
                    record.push(name.map(|b| b.name.clone()).unwrap_or_default());
                    record.extend(reasons.get(row).into_iter().flatten().take(*most).map(|f| code(*f)));
                    record.extend(points.iter().filter_map(|texts| texts.get(row)).cloned());
                    writer.write_record(&record).map_err(|e| ModelError::table(path, e))?;
                }
                Ok(())
            }
            Format::Parquet(writer, schema) => {
                let failed = |e: arrow::error::ArrowError| ModelError::table(path, e);
                let mut arrays: Vec<ArrayRef> = kept
                    .iter()
                    .map(|c| Arc::new((0..rows).map(|r| text(c, r)).collect::<StringArray>()) as ArrayRef)
                    .collect();
                arrays.push(Arc::new(Float64Array::from(pd)));
                arrays.push(Arc::new(Int32Array::from(block.score.clone())));
                let name = |b: &u8| card.bands.get(usize::from(*b)).map_or("", |b| b.name.as_str());
                arrays.push(Arc::new(StringArray::from_iter_values(band.iter().map(name))));
                let names: StringArray = codes.iter().map(|c| Some(*c)).collect();
                for k in 0..*most {
                    let keys: UInt8Array = reasons.iter().map(|r| r.get(k).copied().flatten()).collect();
                    arrays.push(Arc::new(coded(keys, names.clone()).map_err(failed)?));
                }
                arrays.extend(columns.iter().map(|c| c.array(card, block)));
                let batch = RecordBatch::try_new(Arc::clone(schema), arrays).map_err(failed)?;
                match writer {
                    Some(w) => w.write(&batch).map_err(|e| ModelError::table(path, e)),
                    None => Ok(()),
                }
            }
        }
    }

    fn finish(&mut self) -> Result<(), ModelError> {
        let path = &self.path;
        match &mut self.format {
            Format::Csv(writer) => writer.flush().map_err(|e| ModelError::io(path, e)),
            Format::Parquet(writer, _) => match writer.take() {
                Some(w) => w.close().map(|_| ()).map_err(|e| ModelError::table(path, e)),
                None => Ok(()),
            },
        }
    }
}

fn coded(keys: UInt8Array, names: StringArray) -> Result<DictionaryArray<UInt8Type>, arrow::error::ArrowError> {
    DictionaryArray::try_new(keys, Arc::new(names))
}

/// Probability and band of every score that a card can give.
struct Scale {
    lowest: i32,
    pd: Vec<f64>,
    band: Vec<u8>,
}

impl Scale {
    fn new(card: &Scorecard) -> Self {
        let (lowest, highest) = card.score_range();
        let band = |s: i32| {
            let at = card.bands.iter().position(|b| b.min_score.is_none_or(|m| s >= m));
            at.and_then(|i| u8::try_from(i).ok()).unwrap_or_default()
        };
        Self {
            lowest,
            pd: (lowest..=highest).map(|s| card.probability(s)).collect(),
            band: (lowest..=highest).map(band).collect(),
        }
    }

    fn position(&self, score: i32) -> usize {
        usize::try_from(score - self.lowest).unwrap_or_default()
    }
}

/// A kept value as text.
fn text(column: &Column, row: usize) -> Option<String> {
    match &column.values {
        Values::Number(v) => v.get(row).filter(|x| !x.is_nan()).map(ToString::to_string),
        Values::Text(t) => t.get(row).map(str::to_owned),
    }
}
