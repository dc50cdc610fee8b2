//! What can be wrong with raw inputs as a whole.

use std::path::PathBuf;

/// Why a contract table could not be made from raw inputs. A broken *row* is not an error: it goes to quarantine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The data folder does not exist.
    #[error("open the data folder {folder}: {why}")]
    NoDataFolder {
        /// The folder.
        folder: PathBuf,
        /// The system's words.
        why: String,
    },
    /// No file matches a required input.
    #[error("find input {input:?}: no file matches {pattern:?} below {folder}")]
    MissingInput {
        /// Input in the job file.
        input: String,
        /// Its glob.
        pattern: String,
        /// The data folder.
        folder: PathBuf,
    },
    /// A file whose rows may be those of other bytes than the ones that were digested.
    #[error(
        "read {file}: it was written to or replaced while it was read. Files are put there whole (written under another name, then renamed) before the job \
         begins: run it again"
    )]
    ChangedWhileRead {
        /// The file.
        file: PathBuf,
    },
    /// A column by which a source is said to be keyed.
    #[error(
        "split the inputs of table {table:?}: input {input:?} has no column {column:?}, by which keyed_by says it is keyed"
    )]
    NoKeyColumn {
        /// Contract table.
        table: &'static str,
        /// Input in the job file.
        input: String,
        /// The column.
        column: String,
    },
    /// A statement that gives other rows part by part than at once.
    #[error(
        "make table {table:?} by {path}: on a sample it gives {whole} rows at once and {parts} rows part by part, so it is not keyed as keyed_by \
         says; one of the rows that differ: {example}"
    )]
    NotKeyed {
        /// Contract table.
        table: &'static str,
        /// The statement's file.
        path: PathBuf,
        /// Rows of the sample at once.
        whole: usize,
        /// Rows of the sample part by part.
        parts: usize,
        /// A row that only one of them has.
        example: String,
    },
    /// A statement that needs all of its inputs in memory, which are too many rows.
    #[error(
        "make table {table:?} by {path}: it needs all of its inputs at once, about {rows} rows, and the limit is {limit}; name the columns by which its \
         large inputs can be split, keyed_by = {{ input = \"column\" }} under [[source]], or raise max_whole_rows there"
    )]
    TooManyForWhole {
        /// Contract table.
        table: &'static str,
        /// The statement's file.
        path: PathBuf,
        /// Rows of all inputs, about.
        rows: u64,
        /// The limit.
        limit: u64,
    },
    /// A table needs an input that is optional and absent.
    #[error("make table {table:?}: its input {input:?} is absent, and the table is not optional")]
    RequiredTableAbsent {
        /// Contract table.
        table: &'static str,
        /// Input in the job file.
        input: String,
    },
    /// A pattern that is not a valid glob.
    #[error("find files by {pattern:?}: {why}")]
    BadPattern {
        /// The glob.
        pattern: String,
        /// What is wrong.
        why: String,
    },
    /// The system refuses a file.
    #[error("read {file}: {why}")]
    Io {
        /// The file.
        file: PathBuf,
        /// The system's words.
        why: String,
    },
    /// A file that is neither Parquet nor text.
    #[error("read {file}: it is {what}; {todo}")]
    NotText {
        /// The file.
        file: PathBuf,
        /// What it is.
        what: &'static str,
        /// What to do.
        todo: &'static str,
    },
    /// A file of no bytes.
    #[error("read {file}: the file is empty, without even a header")]
    EmptyFile {
        /// The file.
        file: PathBuf,
    },
    /// A file whose content is of another kind than its name says.
    #[error("read {file}: it is {what}, not what its name says; {todo}")]
    NotWhatItsNameSays {
        /// The file.
        file: PathBuf,
        /// What it is.
        what: &'static str,
        /// What to do.
        todo: &'static str,
    },
    /// Quotes of a CSV file that can be read in two ways.
    #[error(
        "read {file}: record {row}, at byte {byte}, opens a quote that closes {lines} lines later, but line {line} of these, at byte {line_byte}, \
         is a record by itself: either a quote is missing or one is too many; mend that record, or quote every cell"
    )]
    AmbiguousQuotes {
        /// The file.
        file: PathBuf,
        /// 1-based record that opens the quote.
        row: u32,
        /// Where it begins, in bytes from 0.
        byte: u64,
        /// Lines from there to the closing quote, both included.
        lines: usize,
        /// The first of these lines that is a record, counted from 1.
        line: usize,
        /// Where it begins.
        line_byte: u64,
    },
    /// A file whose bytes are not those that its sender's `.sha256` file states.
    #[error(
        "read {file}: its SHA-256 is {got}, but {statement} says {expected}: it was damaged or changed on its way; send it again"
    )]
    DigestDiffers {
        /// The file.
        file: PathBuf,
        /// The sender's statement.
        statement: PathBuf,
        /// What that says.
        expected: String,
        /// What the file has.
        got: String,
    },
    /// A file that is truncated or otherwise broken.
    #[error("read {file}: {why}")]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// What the reader says.
        why: String,
    },
    /// Two files of one input disagree on a column's type.
    #[error(
        "read {file}: column {column:?} of input {input:?} is {got}, but {expected} in the files before it, and no type holds both without loss: make two inputs of them under \
         [inputs], each with its own `files`, and bring the column to one type in a UNION ALL, e.g. CAST({column} AS VARCHAR)"
    )]
    FilesDisagree {
        /// The later file.
        file: PathBuf,
        /// Input in the job file.
        input: String,
        /// The column.
        column: String,
        /// Type in earlier files.
        expected: String,
        /// Type in this file.
        got: String,
    },
    /// A required column is not there.
    #[error("make table {table:?} from {from}: required column {column:?} ({expected}) is missing; found: {found}")]
    MissingColumn {
        /// Contract table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Its contract type.
        expected: String,
        /// The columns that are there.
        found: String,
        /// File or SQL statement.
        from: String,
    },
    /// A column has a type that cannot be widened without loss.
    #[error(
        "make table {table:?} from {from}: column {column:?} must be {expected}, got {got}{}",
        of_text(expected, got)
    )]
    WrongType {
        /// Contract table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Its contract type.
        expected: String,
        /// The type found.
        got: String,
        /// File or SQL statement.
        from: String,
    },
    /// A SELECT that polars refuses.
    #[error("run {path} for table {table:?}: {why}")]
    BadSql {
        /// Contract table.
        table: &'static str,
        /// The statement's file.
        path: PathBuf,
        /// polars' words.
        why: String,
    },
    /// A SELECT whose rows cannot be traced to the input they came from.
    #[error("run {path} for table {table:?}: {why}")]
    NoLineage {
        /// Contract table.
        table: &'static str,
        /// The statement's file.
        path: PathBuf,
        /// What is missing.
        why: String,
    },
    /// A frame operation failed that should not.
    #[error("make table {table:?}: {why}")]
    Frame {
        /// Contract table.
        table: &'static str,
        /// polars' words.
        why: String,
    },
}

/// What makes a day or an instant of text that a SELECT gives.
fn of_text(expected: &str, got: &str) -> &'static str {
    if got != "str" {
        ""
    } else if expected.contains("Datetime") {
        ": try_strptime(x, format) reads an instant, and try_cast(x AS TIMESTAMP) text in the contract's form"
    } else if expected.contains("Date") {
        ": try_date(x) reads a day, and try_cast(x AS DATE) text in the contract's form"
    } else {
        ""
    }
}
