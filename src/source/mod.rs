//! Raw exports of any shape become contract tables: one SELECT a table, types checked, every row traceable to its file and row.
//!
//! An input is one or many text (CSV and its kin), JSON or Parquet files below the data folder, or sheets of workbooks. Cells of text, JSON and sheets stay text until the contract says what
//! they are; Parquet columns keep their types, which are widened only where nothing is lost. SQL sees an input under its name in the job file,
//! with two hidden columns that a SELECT must pass on: `_file` and `_row`. It sees nothing else.

mod amount_text;
mod cell;
mod condition;
mod conform;
mod csv_file;
mod csv_record;
mod error;
mod file_kind;
mod glob;
mod input;
mod json_file;
mod keyed;
mod known;
mod lines;
mod malformed;
mod month_names;
mod nested;
mod number_text;
mod page_checksums;
mod record_file;
mod row_filter;
mod row_groups;
mod row_wise;
mod same_day;
mod sender_digest;
mod settings;
mod sheet_cell;
mod sheet_file;
mod sheet_format;
mod sheet_rows;
mod sniff;
mod sql;
mod sql_faults;
mod sql_functions;
mod sql_groups;
mod sql_habits;
mod sql_joins;
mod sql_mentions;
mod sql_nested;
mod sql_outputs;
mod sql_parse;
mod sql_reference;
mod sql_run;
mod table;
mod text_format;
mod unpack;
mod wider;
mod workbook;

pub(crate) use amount_text::is_currency_mark;
pub(crate) use cell::instant as instant_of_text;
pub(crate) use condition::{condition_columns, holds};
pub use error::SourceError;
pub(crate) use glob::{Found, find as find_files, meant_by};
pub use input::InputFile;
pub(crate) use input::{FileState, begins_as_parquet, folder_values, open as open_input};
pub(crate) use known::{FileStamp, KnownFile, KnownFiles, schema_of_words, schema_words};
pub use malformed::MalformedRecord;
pub(crate) use malformed::rule_named;
pub(crate) use number_text::plain_number;
pub(crate) use record_file::{RecordFile, RecordFormat, RecordsEnd, format_of};
pub(crate) use settings::{INPUT_KEYS, RawInput, RawSource, SOURCE_KEYS};
pub use settings::{InputSpec, SourcePart, SourceSettings, SourceSpec, Statement, format_beside, format_path};
pub(crate) use sniff::Sniffing;
pub(crate) use sql::GAP;
pub(crate) use sql_functions::instant_by_formats;
pub(crate) use sql_mentions::words as sql_words;
pub(crate) use sql_reference::sql_markdown;
pub use table::{ColumnGap, InputFormat, JoinedInput, SourcePiece, SourceTable, Sources};
pub use text_format::DeclaredFormat;
pub(crate) use wider::widest;
pub use workbook::SheetName;
pub(crate) use workbook::{Workbook, begins_as_workbook};
