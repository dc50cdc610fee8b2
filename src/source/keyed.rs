//! A SELECT over parts of its inputs: all rows that share a key lie in one part, and each part is worked on alone.
//!
//! A join of two large inputs by a column gives the same rows whether it sees them all at once or part by part, as long as equal keys
//! lie in the same part. Whether a statement is of that kind cannot be told from its text: the job says so (`keyed_by`), and it is tried on a
//! sample before it is believed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use polars::prelude::*;

use super::error::SourceError;
use super::input::OpenInput;
use super::settings::SourcePart;
use crate::domain::parallel;
use crate::spill::{Budget, SpillError, SplitFrames};

/// Rows of a part, about.
const ROWS_IN_A_PART: u64 = 250_000;
/// Bytes of rows that are held in memory, over all inputs.
const HELD: usize = 128 << 20;
/// Keys on which a statement is tried: about one in so many of those of the first part.
const SAMPLE: u64 = 16;
/// Parts into which the sample is split.
const SAMPLE_PARTS: u32 = 16;

/// The rows of one part, by input.
type PartRows<'a> = BTreeMap<&'a str, DataFrame>;

/// Inputs split by their keys.
pub(super) struct KeyedInputs {
    parts: u32,
    inputs: BTreeMap<String, SplitInput>,
}

struct SplitInput {
    /// Its columns, without rows.
    none: DataFrame,
    rows: SplitFrames,
    key: String,
}

impl KeyedInputs {
    /// Reads and splits the inputs that `keys` names, each by the column that it names.
    pub fn split(
        spec: &SourcePart,
        keys: &BTreeMap<String, String>,
        open: &mut BTreeMap<String, Option<OpenInput>>,
        scratch: &Path,
    ) -> Result<Self, SourceError> {
        let rows: u64 = keys.keys().filter_map(|name| open.get(name)?.as_ref()).map(OpenInput::rows_about).sum();
        let parts = u32::try_from(rows.div_ceil(ROWS_IN_A_PART).clamp(1, 1_024)).unwrap_or(1);
        Self::split_into(parts, spec, keys, open, scratch)
    }

    fn split_into(
        parts: u32,
        spec: &SourcePart,
        keys: &BTreeMap<String, String>,
        open: &mut BTreeMap<String, Option<OpenInput>>,
        scratch: &Path,
    ) -> Result<Self, SourceError> {
        let budget = Budget::new(HELD);
        let mut inputs = BTreeMap::new();
        for (name, key) in keys {
            let Some(Some(input)) = open.get_mut(name) else { continue };
            let none = DataFrame::empty_with_schema(input.schema());
            if none.column(key).is_err() {
                return Err(SourceError::NoKeyColumn { table: spec.table, input: name.clone(), column: key.clone() });
            }
            let rows = SplitFrames::new(scratch, parts, &budget);
            input.batches::<SourceError>(None, &|batch| {
                let hashes = key_hashes(&batch, key).map_err(|e| frame_error(spec, &e))?;
                let of_row: Vec<u32> = hashes.iter().map(|hash| part_of(*hash, parts)).collect();
                rows.push(&batch, &of_row).map_err(|e| spill_error(spec, &e))
            })?;
            rows.settle().map_err(|e| spill_error(spec, &e))?;
            inputs.insert(name.clone(), SplitInput { none, rows, key: key.clone() });
        }
        Ok(Self { parts, inputs })
    }

    /// Calls `make` with the rows of each part, by input; several parts at a time, in no order.
    pub fn each<E: From<SourceError> + Send>(
        &self,
        spec: &SourcePart,
        make: &(dyn Fn(PartRows<'_>) -> Result<(), E> + Sync),
    ) -> Result<(), E> {
        parallel::each((0..self.parts).collect(), |part| make(self.part(spec, part)?)).map(drop)
    }

    fn part(&self, spec: &SourcePart, part: u32) -> Result<BTreeMap<&str, DataFrame>, SourceError> {
        let rows = |input: &SplitInput| {
            let rows = input.rows.read(part).map_err(|e| spill_error(spec, &e))?;
            Ok(rows.unwrap_or_else(|| input.none.clone()))
        };
        self.inputs.iter().map(|(name, input)| Ok((name.as_str(), rows(input)?))).collect()
    }

    /// Tries the statement on some keys: `run` must give the same rows for all of them at once and part by part.
    pub fn try_out(
        &self,
        spec: &SourcePart,
        run: &dyn Fn(PartRows<'_>) -> Result<DataFrame, SourceError>,
    ) -> Result<(), SourceError> {
        let mut together = BTreeMap::new();
        let mut apart: Vec<BTreeMap<&str, DataFrame>> = (0..SAMPLE_PARTS).map(|_| BTreeMap::new()).collect();
        let first = self.part(spec, 0)?;
        let is_small = first.values().map(DataFrame::height).sum::<usize>() < 20_000;
        for (name, rows) in first {
            let broken = |e: PolarsError| frame_error(spec, &e);
            let Some(input) = self.inputs.get(name) else { continue };
            let hashes = key_hashes(&rows, &input.key).map_err(broken)?;
            // Other bits than those that chose the part.
            let draw = |hash: u64| hash.rotate_left(29).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
            let is_drawn: BooleanChunked = hashes.iter().map(|h| is_small || draw(*h).is_multiple_of(SAMPLE)).collect();
            let sample = rows.filter(&is_drawn).map_err(broken)?;
            let of_sample = key_hashes(&sample, &input.key).map_err(broken)?;
            for (part, slot) in (0..).zip(&mut apart) {
                let is_here = |hash: u64| (draw(hash) / SAMPLE) % u64::from(SAMPLE_PARTS) == part;
                let here: BooleanChunked = of_sample.iter().map(|hash| is_here(*hash)).collect();
                slot.insert(name, sample.filter(&here).map_err(broken)?);
            }
            together.insert(name, sample);
        }
        let whole = texts(&run(together)?).map_err(|e| frame_error(spec, &e))?;
        let mut parts = Vec::new();
        for part in apart {
            parts.extend(texts(&run(part)?).map_err(|e| frame_error(spec, &e))?);
        }
        parts.sort_unstable();
        if whole == parts {
            return Ok(());
        }
        let example = whole.iter().find(|row| parts.binary_search(row).is_err());
        let example = example.or_else(|| parts.iter().find(|row| whole.binary_search(row).is_err()));
        Err(SourceError::NotKeyed {
            table: spec.table,
            path: spec.sql.as_ref().map(|s| s.path.clone()).unwrap_or_default(),
            whole: whole.len(),
            parts: parts.len(),
            example: example.cloned().unwrap_or_default(),
        })
    }
}

/// A hash of the key's text, row by row; of the empty text for null.
fn key_hashes(frame: &DataFrame, key: &str) -> PolarsResult<Vec<u64>> {
    let texts = frame.column(key)?.as_materialized_series().cast(&DataType::String)?;
    Ok(texts.str()?.iter().map(|text| crate::store::stable_hash(text.unwrap_or("").as_bytes())).collect())
}

fn part_of(hash: u64, parts: u32) -> u32 {
    u32::try_from((hash ^ (hash >> 32)) % u64::from(parts.max(1))).unwrap_or(0)
}

/// Every row as a text, sorted.
fn texts(frame: &DataFrame) -> PolarsResult<Vec<String>> {
    let mut rows: Vec<String> = vec![String::new(); frame.height()];
    for column in frame.columns() {
        let series = column.as_materialized_series();
        for (at, row) in rows.iter_mut().enumerate() {
            // Writing to a String cannot fail.
            let _ = write!(row, "{}={} ", series.name(), series.get(at)?);
        }
    }
    rows.sort_unstable();
    Ok(rows)
}

fn frame_error(spec: &SourcePart, error: &PolarsError) -> SourceError {
    SourceError::Frame { table: spec.table, why: error.to_string() }
}

fn spill_error(spec: &SourcePart, error: &SpillError) -> SourceError {
    match error {
        SpillError::Io { path, why } => SourceError::Io { file: path.clone(), why: why.clone() },
        SpillError::Frame { .. } | SpillError::Poisoned => {
            SourceError::Frame { table: spec.table, why: error.to_string() }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Mutex;

    use polars::sql::SQLContext;

    use super::*;
    use crate::source::input;
    use crate::source::settings::{InputSpec, Statement};

    const JOIN: &str = "WITH sums AS (SELECT id, SUM(CAST(price AS BIGINT)) AS total FROM items GROUP BY id) \
                        SELECT orders._file, orders._row, orders.id, sums.total FROM orders LEFT JOIN sums ON orders.id = sums.id";

    #[expect(clippy::unnecessary_wraps, reason = "as a source runs its statement")]
    fn run(text: &str, part: PartRows<'_>) -> Result<DataFrame, SourceError> {
        let mut context = SQLContext::new();
        for (name, rows) in part {
            context.register(name, rows.lazy());
        }
        Ok(context.execute(text).unwrap().collect().unwrap())
    }

    fn split(folder: &Path, parts: u32, keys: [(&str, &str); 2]) -> Result<(SourcePart, KeyedInputs), SourceError> {
        let (mut orders, mut items) = ("id,shop\n".to_owned(), "id,shop,price\n".to_owned());
        for n in 0..900 {
            // Some ids are missing, some repeated.
            let id = if n % 50 == 0 { String::new() } else { format!("o{}", n - n % 3) };
            writeln!(orders, "{id},s{}", n % 11).unwrap();
            writeln!(items, "o{},s{},{n}", n - n % 2, n % 11).unwrap();
        }
        std::fs::write(folder.join("orders.csv"), orders).unwrap();
        std::fs::write(folder.join("items.csv"), items).unwrap();
        let keyed_by: BTreeMap<String, String> =
            keys.into_iter().map(|(name, key)| (name.to_owned(), key.to_owned())).collect();
        let mut open = BTreeMap::new();
        for name in ["orders", "items"] {
            let spec = InputSpec { files: vec![format!("{name}.csv")], ..InputSpec::default() };
            open.insert(name.to_owned(), input::open(name, &spec, folder, None)?);
        }
        let spec = SourcePart {
            table: "orders",
            filter: None,
            from: "orders".to_owned(),
            sql: Some(Statement::new(PathBuf::from("orders.sql"), JOIN.to_owned(), Vec::new())),
            keyed_by: keyed_by.clone(),
            max_whole_rows: 1,
        };
        let inputs = KeyedInputs::split_into(parts, &spec, &keyed_by, &mut open, folder)?;
        Ok((spec, inputs))
    }

    #[test]
    fn a_join_by_the_key_gives_the_same_rows_in_any_number_of_parts() {
        let folder = tempfile::tempdir().unwrap();
        let rows = |parts: u32| {
            let (spec, inputs) = split(folder.path(), parts, [("orders", "id"), ("items", "id")]).unwrap();
            inputs.try_out(&spec, &|part| run(JOIN, part)).unwrap();
            let found = Mutex::new(Vec::new());
            inputs
                .each::<SourceError>(&spec, &|part| {
                    found.lock().unwrap().extend(texts(&run(JOIN, part)?).unwrap());
                    Ok(())
                })
                .unwrap();
            let mut found = found.into_inner().unwrap();
            found.sort();
            found
        };
        let together = rows(1);
        assert_eq!(together.len(), 900);
        assert_eq!(rows(7), together);
        assert_eq!(rows(64), together);
    }

    #[test]
    fn a_statement_that_is_not_keyed_as_said_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let by_shop = split(folder.path(), 1, [("orders", "shop"), ("items", "shop")]).unwrap();
        let refused = by_shop.1.try_out(&by_shop.0, &|part| run(JOIN, part)).unwrap_err();
        assert!(matches!(refused, SourceError::NotKeyed { .. }), "{refused}");
        let by_id = split(folder.path(), 1, [("orders", "id"), ("items", "id")]).unwrap();
        let count = "SELECT _file, _row, id, COUNT(*) OVER () AS n FROM orders";
        assert!(matches!(by_id.1.try_out(&by_id.0, &|part| run(count, part)), Err(SourceError::NotKeyed { .. })));
        let nowhere = split(folder.path(), 1, [("orders", "id"), ("items", "order")]);
        assert!(matches!(nowhere.err(), Some(SourceError::NoKeyColumn { .. })));
    }
}
