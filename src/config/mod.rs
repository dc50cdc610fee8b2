//! Reads TOML with its places: what is wrong is refused with file, line and what is allowed.
//!
//! Every room owns its settings: a private raw struct that mirrors the file (`deny_unknown_fields`, values in [`toml::Spanned`]
//! where a bad value must be pointed at), a public checked struct, and one function from the first to the second. Here is what
//! they share: the file in memory, the error that points into it, and checks of ranges.

pub(crate) mod bounds;
mod file;
mod reference;

pub use file::{ConfigError, ConfigFile, PassedOver, Readable};
pub use reference::{Key, Section, reference_example, reference_markdown};
