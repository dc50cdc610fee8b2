//! One opened table, of one file or many: its column names, and its columns one at a time.

use std::path::{Path, PathBuf};

use super::read_csv::CsvTable;
use super::read_parquet::ParquetTable;
use crate::domain::{Digest, Hasher};
use crate::model::ModelError;
use crate::model::table::{Column, Kind, Values};
use crate::source::{DeclaredFormat, folder_values, format_beside};

/// An opened table: a CSV or Parquet file, or a folder of such files with the same columns, which is read as one table in the order of
/// the files' names.
#[derive(Debug)]
pub struct TableFile {
    path: PathBuf,
    names: Vec<String>,
    parts: Vec<Part>,
    /// Which rows of all files are kept; `None`: all.
    kept: Option<Vec<bool>>,
}

/// One file of a table.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    format: Format,
    /// Columns that its folders give, named `key=value`, behind its own.
    folders: Vec<(String, Option<String>)>,
    /// Where each column of the table stands in this file.
    at: Vec<usize>,
}

#[derive(Debug)]
enum Format {
    Csv(CsvTable),
    Parquet(ParquetTable),
}

/// Opens a table: a file by its content (Parquet files begin with `PAR1`, workbooks as their kind does: the sheet with most cells; everything else is read as delimited text, packed or not), or all
/// files of a folder, and of those in it that are named `key=value`, whose names end in one of [`ENDINGS`]. Such folders give a column each, as they do to
/// inputs of jobs. What `loans.csv.toml` beside `loans.csv` says of how it is written holds; the rest is read off the file.
///
/// # Errors
/// A file is missing, empty, truncated, not UTF-8, or has no header; a folder holds no table, other files, or files of other columns; what stands beside
/// the table is not allowed.
pub fn open_table(path: &Path) -> Result<TableFile, ModelError> {
    let declared = format_beside(path).map_err(|e| ModelError::table(path, e))?;
    let found = std::fs::metadata(path).map_err(|e| ModelError::io(path, e))?;
    let files = if found.is_dir() { files_of(path)? } else { vec![path.to_owned()] };
    let mut table = TableFile { path: path.to_owned(), names: Vec::new(), parts: Vec::new(), kept: None };
    for file in files {
        let format = open_file(&file, &declared, path)?;
        let relative: Vec<_> =
            file.strip_prefix(path).unwrap_or(Path::new("")).iter().map(|s| s.to_string_lossy()).collect();
        let mut folders = folder_values(&relative.join("/"));
        folders.retain(|(key, _)| !format.names().contains(key));
        let names: Vec<String> = format.names().iter().chain(folders.iter().map(|(key, _)| key)).cloned().collect();
        if table.parts.is_empty() {
            refuse_duplicates(&file, &names)?;
            names.clone_into(&mut table.names);
        }
        let at = positions(&table, &file, &names)?;
        table.parts.push(Part { path: file, format, folders, at });
    }
    Ok(table)
}

/// How the files of a table in a folder are called, before what they are packed with (`.gz`, `.zst`).
const ENDINGS: [&str; 11] =
    [".parquet", ".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xlsx", ".xlsb", ".xls", ".ods"];

fn open_file(path: &Path, declared: &DeclaredFormat, table: &Path) -> Result<Format, ModelError> {
    let mut magic = [0_u8; 4];
    let file = std::fs::File::open(path).map_err(|e| ModelError::io(path, e))?;
    let read =
        std::io::Read::read(&mut std::io::Read::take(&file, 4), &mut magic).map_err(|e| ModelError::io(path, e))?;
    if read == 0 {
        return Err(ModelError::table(path, "the file is empty"));
    }
    Ok(if magic.get(..read) == Some(b"PAR1") {
        Format::Parquet(ParquetTable::open(path)?)
    } else {
        Format::Csv(CsvTable::open(path, declared, table)?)
    })
}

/// The files of a folder and of those in it that are named `key=value`, by name; those that begin with `.` or `_` are notes of whoever wrote it.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let mut files = files_below(folder)?;
    if files.is_empty() {
        return Err(ModelError::table(folder, "the folder holds no .parquet and no .csv file and no workbook"));
    }
    files.sort();
    Ok(files)
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| ModelError::io(folder, e))? {
        let path = entry.map_err(|e| ModelError::io(folder, e))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(['.', '_']) {
            continue;
        }
        if path.is_dir() && name.contains('=') {
            files.extend(files_below(&path)?);
            continue;
        }
        let lower = name.to_lowercase();
        let unpacked = lower.trim_end_matches(".gz").trim_end_matches(".zst");
        if !ENDINGS.iter().any(|ending| unpacked.ends_with(ending)) || path.is_dir() {
            return Err(ModelError::table(
                folder,
                format!("{name:?} in it is neither a .parquet nor a .csv file nor a workbook"),
            ));
        }
        files.push(path);
    }
    Ok(files)
}

/// Where the table's columns stand in one of its files.
fn positions(table: &TableFile, path: &Path, names: &[String]) -> Result<Vec<usize>, ModelError> {
    let differs = |what: &str, name: &str| {
        let first = table.parts.first().map(|p| p.path.display().to_string()).unwrap_or_default();
        ModelError::table(
            path,
            format!("it {what} column {name:?}, unlike {first}: all files of a table have the same columns"),
        )
    };
    if let Some(extra) = names.iter().find(|n| !table.names.contains(n)) {
        return Err(differs("has a", extra));
    }
    let at = |name: &String| names.iter().position(|n| n == name).ok_or_else(|| differs("lacks", name));
    table.names.iter().map(at).collect()
}

impl Format {
    fn names(&self) -> &[String] {
        match self {
            Self::Csv(t) => t.names(),
            Self::Parquet(t) => t.names(),
        }
    }

    fn rows(&self) -> usize {
        match self {
            Self::Csv(t) => t.rows(),
            Self::Parquet(t) => t.rows(),
        }
    }

    /// What a column holds, by its type or its content.
    fn kind(&self, at: usize) -> ColumnFindings {
        match self {
            Self::Csv(t) => t.kind(at),
            Self::Parquet(t) => t.kind(at),
        }
    }

    fn load(&self, at: usize, kind: Kind) -> Result<Column, ModelError> {
        match self {
            Self::Csv(t) => t.load(at, kind),
            Self::Parquet(t) => t.load(at, kind),
        }
    }
}

impl Part {
    /// Where the columns of its folders begin.
    fn own(&self) -> usize {
        self.format.names().len()
    }

    /// The columns of its folders, in so many rows.
    fn of_folders(&self, rows: usize) -> CsvTable {
        CsvTable::constant(&self.folders, rows)
    }

    fn kind(&self, at: usize) -> ColumnFindings {
        match at.checked_sub(self.own()) {
            Some(folder) => self.of_folders(1).kind(folder),
            None => self.format.kind(at),
        }
    }

    fn load(&self, at: usize, kind: Kind) -> Result<Column, ModelError> {
        match at.checked_sub(self.own()) {
            Some(folder) => self.of_folders(self.format.rows()).load(folder, kind),
            None => self.format.load(at, kind),
        }
    }

    /// Calls `give` with the first row and these columns, block by block where the file can be read so.
    fn for_each_block(
        &self,
        wanted: &[(usize, Kind)],
        give: &mut dyn FnMut(usize, Vec<Column>) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        let own: Vec<(usize, Kind)> = wanted.iter().copied().filter(|(at, _)| *at < self.own()).collect();
        let Format::Parquet(table) = &self.format else {
            let columns: Result<Vec<_>, _> = wanted.iter().map(|&(at, kind)| self.load(at, kind)).collect();
            return columns.and_then(|columns| give(0, columns));
        };
        if own.is_empty() {
            let columns: Result<Vec<_>, _> = wanted.iter().map(|&(at, kind)| self.load(at, kind)).collect();
            return columns.and_then(|columns| give(0, columns));
        }
        table.for_each_block(&own, &mut |first, columns| {
            let folders = self.of_folders(columns.first().map_or(0, Column::len));
            let mut own = columns.into_iter();
            let mut all = Vec::with_capacity(wanted.len());
            for &(at, kind) in wanted {
                match at.checked_sub(self.own()) {
                    Some(folder) => all.push(folders.load(folder, kind)?),
                    None => all.extend(own.next()),
                }
            }
            give(first, all)
        })
    }
}

/// What is found in a column before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ColumnFindings {
    /// No value at all.
    Empty,
    /// Nested or binary values, which no scorecard can use.
    Unusable,
    /// A kind, and what a reader of the report should know.
    Is(Kind, Option<String>),
}

impl TableFile {
    /// The file, or the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Digest of the file's bytes; of a folder, of its files' digests.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn digest(&self) -> Result<Digest, ModelError> {
        let of = |path: &Path| Digest::of_file(path).map_err(|e| ModelError::io(path, e));
        if let [part] = self.parts.as_slice() {
            return of(&part.path);
        }
        let mut hasher = Hasher::default();
        for part in &self.parts {
            hasher.field(of(&part.path)?.to_string().as_bytes());
        }
        Ok(hasher.finish())
    }

    /// What stands in its files and is no row of the table, in words.
    pub fn left_out(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match &part.format {
            Format::Csv(table) => table.left_out(),
            Format::Parquet(_) => None,
        })
    }

    /// Column names in file order; unique.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of rows that are kept.
    #[must_use]
    pub fn rows(&self) -> usize {
        match &self.kept {
            Some(kept) => kept.iter().filter(|kept| **kept).count(),
            None => self.parts.iter().map(|p| p.format.rows()).sum(),
        }
    }

    /// From now on the table has these rows only; one entry a row of its files.
    pub fn keep(&mut self, kept: Vec<bool>) {
        self.kept = Some(kept);
    }

    /// Which rows of a file are kept; `None`: all.
    fn kept_of(&self, part: usize) -> Option<&[bool]> {
        let before: usize = self.parts.iter().take(part).map(|p| p.format.rows()).sum();
        let rows = self.parts.get(part).map_or(0, |p| p.format.rows());
        self.kept.as_deref().map(|kept| kept.get(before..before + rows).unwrap_or_default())
    }

    /// Number of files.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Where a column stands.
    ///
    /// # Errors
    /// It is not in the table.
    pub fn position(&self, column: &str) -> Result<usize, ModelError> {
        self.names().iter().position(|n| n == column).ok_or_else(|| {
            let mut available = self.names().iter().take(40).cloned().collect::<Vec<_>>().join(", ");
            if self.names().len() > 40 {
                available.push_str(", …");
            }
            if self.first_row_holds(column) {
                available.push_str(
                    "; its first row holds that name: where the names stand in the second row, say skip_lines = 1 in a file beside the table that is called as it is, with .toml behind",
                );
            }
            ModelError::NoColumn { column: column.to_owned(), available }
        })
    }

    /// Whether a text is a cell of the first row, as names are that stand under a row of titles.
    fn first_row_holds(&self, text: &str) -> bool {
        let first_cell = |at: usize| match self.load(at, Some(Kind::Text)).ok().flatten()?.0.values {
            Values::Text(texts) => texts.get(0).map(str::to_owned),
            Values::Number(_) => None,
        };
        self.rows() > 0 && (0..self.names().len()).any(|at| first_cell(at).is_some_and(|cell| cell.trim() == text))
    }

    /// What a column holds over all files, and what a reader of the report should know of that (numbers mixed with text). `None` means a
    /// nested or binary column that no scorecard can use.
    #[must_use]
    pub fn kind(&self, at: usize) -> Option<(Kind, Option<String>)> {
        let mut found: Option<(Kind, Option<String>)> = None;
        for part in &self.parts {
            match (part.at.get(at).map_or(ColumnFindings::Empty, |place| part.kind(*place)), &found) {
                (ColumnFindings::Empty, _) => {}
                (ColumnFindings::Unusable, _) => return None,
                (ColumnFindings::Is(kind, note), None) => found = Some((kind, note)),
                (ColumnFindings::Is(kind, _), Some((other, _))) if kind == *other => {}
                (ColumnFindings::Is(kind, _), Some((other, _))) => {
                    let note = format!(
                        "holds {}s in one file and {}s in {}: treated as text",
                        other.word().trim_start_matches("a "),
                        kind.word().trim_start_matches("a "),
                        part.path.display()
                    );
                    return Some((Kind::Text, Some(note)));
                }
            }
        }
        Some(found.unwrap_or((Kind::Number, None)))
    }

    /// Whether a scorecard can use a column's type, whatever it holds.
    fn usable(&self, at: usize) -> bool {
        self.parts.iter().all(|part| match (&part.format, part.at.get(at)) {
            (Format::Parquet(_), Some(&place)) => part.kind(place) != ColumnFindings::Unusable,
            _ => true,
        })
    }

    /// Reads one column. `None` lets the content decide the kind: all numbers, all dates, else text. With it comes the note of
    /// [`Self::kind`]. `Ok(None)` means a nested or binary column.
    ///
    /// # Errors
    /// A file cannot be read, or a value is not of the kind asked for.
    pub fn load(&self, at: usize, kind: Option<Kind>) -> Result<Option<(Column, Option<String>)>, ModelError> {
        let known = match kind {
            Some(kind) => self.usable(at).then_some((kind, None)),
            None => self.kind(at),
        };
        let Some((kind, note)) = known else { return Ok(None) };
        let mut whole: Option<Column> = None;
        for part in 0..self.parts.len() {
            let column = self.load_part(part, at, kind)?;
            match &mut whole {
                None => whole = Some(column),
                Some(whole) => whole.append(column),
            }
        }
        Ok(whole.map(|column| (column, note)))
    }

    /// Reads one column of one file.
    ///
    /// # Errors
    /// The file cannot be read, or a value is not of that kind; of a folder, the file is named.
    pub fn load_part(&self, part: usize, at: usize, kind: Kind) -> Result<Column, ModelError> {
        let kept = self.kept_of(part);
        let (part, place) = self
            .parts
            .get(part)
            .and_then(|p| Some((p, *p.at.get(at)?)))
            .ok_or_else(|| ModelError::table(&self.path, format!("there is no column {at} of file {part}")))?;
        let column = part.load(place, kind).map_err(|e| self.named(part, e))?;
        Ok(match kept {
            Some(kept) => column.filtered(kept),
            None => column,
        })
    }

    /// An error about one part of a folder, with the name of its file.
    pub(super) fn named_part(&self, part: usize, error: ModelError) -> ModelError {
        match self.parts.get(part) {
            Some(part) => self.named(part, error),
            None => error,
        }
    }

    fn named(&self, part: &Part, error: ModelError) -> ModelError {
        if self.parts.len() > 1 { ModelError::table(&part.path, error) } else { error }
    }

    /// Calls `each` with the first row number and the columns asked for, block by block, so that a table of any length is
    /// scored in bounded memory.
    ///
    /// # Errors
    /// As [`Self::load`], and whatever `each` returns.
    pub fn for_each_block(
        &self,
        wanted: &[(usize, Kind)],
        each: &mut dyn FnMut(usize, Vec<Column>) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        let mut before = 0;
        for (number, part) in self.parts.iter().enumerate() {
            let place = |&(at, kind): &(usize, Kind)| (part.at.get(at).copied().unwrap_or(usize::MAX), kind);
            let wanted: Vec<(usize, Kind)> = wanted.iter().map(place).collect();
            let kept = self.kept_of(number);
            let mut give = |first: usize, columns: Vec<Column>| {
                let Some(kept) = kept else { return each(before + first, columns) };
                let rows = columns.first().map_or(0, Column::len);
                let of_block = kept.get(first..first + rows).unwrap_or_default();
                let earlier = kept.get(..first).unwrap_or_default().iter().filter(|kept| **kept).count();
                each(before + earlier, columns.into_iter().map(|column| column.filtered(of_block)).collect())
            };
            let done = part.for_each_block(&wanted, &mut give);
            done.map_err(|e| self.named(part, e))?;
            before += kept.map_or(part.format.rows(), |kept| kept.iter().filter(|kept| **kept).count());
        }
        Ok(())
    }
}

/// Refuses two columns of one name: which of them a model means could not be said.
pub(super) fn refuse_duplicates(path: &Path, names: &[String]) -> Result<(), ModelError> {
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    match sorted.iter().zip(sorted.iter().skip(1)).find(|(a, b)| a == b) {
        Some((twice, _)) => Err(ModelError::table(path, format!("two columns are called {twice:?}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{DataFrame, ParquetWriter, df};

    use super::*;
    use crate::model::table::Values;

    #[test]
    fn folders_give_columns_as_they_do_to_inputs_of_jobs() {
        let folder = tempfile::tempdir().unwrap();
        for (year, region, sums) in
            [(2023, "north%20sea", [1.0, 2.0]), (2024, "__HIVE_DEFAULT_PARTITION__", [3.0, 4.0])]
        {
            let part = folder.path().join(format!("year={year}/region={region}"));
            std::fs::create_dir_all(&part).unwrap();
            let mut frame: DataFrame = df!("sum" => sums).unwrap();
            ParquetWriter::new(std::fs::File::create(part.join("a.parquet")).unwrap()).finish(&mut frame).unwrap();
            std::fs::write(part.join("b.csv"), "sum\n9\n").unwrap();
        }
        let table = open_table(folder.path()).unwrap();
        assert_eq!((table.rows(), table.names().to_vec()), (6, ["sum", "year", "region"].map(str::to_owned).to_vec()));
        let years = table.load(1, None).unwrap().unwrap().0;
        assert_eq!(years.values, Values::Number(vec![2023.0, 2023.0, 2023.0, 2024.0, 2024.0, 2024.0]));
        let Values::Text(regions) = table.load(2, None).unwrap().unwrap().0.values else { panic!("text") };
        assert_eq!((regions.get(0), regions.get(4)), (Some("north sea"), None));
        let mut seen = Vec::new();
        table
            .for_each_block(&[(1, Kind::Number), (0, Kind::Number)], &mut |first, columns| {
                seen.push((first, columns[0].len(), columns[0].name.clone(), columns[1].name.clone()));
                Ok(())
            })
            .unwrap();
        let named = |first, rows| (first, rows, "year".to_owned(), "sum".to_owned());
        assert_eq!(seen, [named(0, 2), named(2, 1), named(3, 2), named(5, 1)]);
        std::fs::create_dir(folder.path().join("old")).unwrap();
        assert!(open_table(folder.path()).is_err(), "other folders are refused");
    }

    #[test]
    fn packed_files_in_folders_are_read_as_those_that_are_not() {
        use std::io::Write as _;
        let folder = tempfile::tempdir().unwrap();
        let part = |year: u16| {
            let part = folder.path().join(format!("year={year}"));
            std::fs::create_dir_all(&part).unwrap();
            part
        };
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"sum,shop\n1,a\n2,b\n").unwrap();
        std::fs::write(part(2022).join("a.csv.gz"), packed.finish().unwrap()).unwrap();
        std::fs::write(part(2023).join("a.CSV.ZST"), zstd::encode_all(&b"sum,shop\n3,c\n"[..], 1).unwrap()).unwrap();
        std::fs::write(part(2024).join("a.csv"), "sum,shop\n4,d\n").unwrap();
        let table = open_table(folder.path()).unwrap();
        let values = |at| table.load(at, None).unwrap().unwrap().0.values;
        assert_eq!(values(0), Values::Number(vec![1.0, 2.0, 3.0, 4.0]));
        assert_eq!(values(2), Values::Number(vec![2022.0, 2022.0, 2023.0, 2024.0]));
        std::fs::write(part(2024).join("b.parquet.gz"), [0x1f, 0x8b]).unwrap();
        let refused = open_table(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("b.parquet.gz"), "{refused}");
    }

    #[test]
    fn names_in_the_second_row_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cards.csv");
        std::fs::write(&path, "X1,Y\nLIMIT_BAL,default next month\n100,0\n200,1\n300,0\n").unwrap();
        let table = open_table(&path).unwrap();
        for told in [
            table.position("LIMIT_BAL").unwrap_err().to_string(),
            super::super::read_target(&table, "Y", None).unwrap_err().to_string(),
        ] {
            assert!(told.contains("skip_lines = 1"), "{told}");
        }
        assert!(!table.position("nowhere").unwrap_err().to_string().contains("skip_lines"));
    }

    #[test]
    fn what_stands_beside_a_table_says_how_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loans.txt");
        std::fs::write(&path, "of march\nid^sum^word\n1^'2,5'^x\n2^'3,0'^?\nTotal: 2\n").unwrap();
        let beside = folder.path().join("loans.txt.toml");
        let keys = "separator = '^'\nquote = \"'\"\ndecimal = ','\nnulls = ['?']\nskip_lines = 1\nfooter_lines = 1\n";
        std::fs::write(&beside, keys).unwrap();
        let table = open_table(&path).unwrap();
        assert_eq!(
            (table.rows(), table.names().to_vec()),
            (2, vec!["id".to_owned(), "sum".to_owned(), "word".to_owned()])
        );
        let left_out: Vec<&str> = table.left_out().collect();
        assert!(
            matches!(left_out.as_slice(), [told] if told.contains("1 line after the last record is no row of the table and left out; it is \"Total: 2\"")),
            "{left_out:?}"
        );
        let sums = table.load(1, None).unwrap().unwrap().0;
        assert_eq!(sums.values, Values::Number(vec![2.5, 3.0]));
        let Values::Text(words) = table.load(2, None).unwrap().unwrap().0.values else { panic!("text") };
        assert_eq!((words.get(0), words.get(1)), (Some("x"), None));

        for (wrong, word) in [
            ("files = 'x.csv'\n", "keys of a job"),
            ("separators = ';'\n", "separators"),
            ("quote = 'ab'\n", "is not a quote"),
        ] {
            std::fs::write(&beside, wrong).unwrap();
            let refused = open_table(&path).unwrap_err().to_string();
            assert!(refused.contains(word) && refused.contains("loans.txt.toml"), "{refused}");
        }
    }
}
