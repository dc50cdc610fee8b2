//! What a folder of raw files holds, before anybody has said what it is: types, forms of times and numbers, keys, and which columns
//! refer to which. Knows nothing of the contract and nothing of languages; `draft` makes a job of it.

mod column;
mod currency_hint;
mod dated_files;
mod error;
mod folder;
mod full_form;
mod letters;
mod number_form;
mod numbers;
mod reference;
mod second_form;
mod span_form;
mod table;
mod time_form;

pub use column::{ColumnOrigin, NestedFields, RawColumn, ValueKind, WrittenForm};
pub use currency_hint::CurrencyHint;
pub use dated_files::DatedFiles;
pub use error::ProfileError;
pub use folder::{Folder, Note, SumCheck, UnreadFile, profile_folder};
pub use full_form::FullForm;
pub(crate) use letters::{is_accent, is_mark, without_accent};
pub use number_form::NumberForm;
pub use numbers::{Endings, NumberProfile};
pub use reference::{ColumnAt, Reference};
pub use second_form::SecondForm;
pub use span_form::SpanForm;
pub use table::RawTable;
pub use time_form::{Digits, TimeForm};
