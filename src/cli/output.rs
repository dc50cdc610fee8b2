//! Where results go: stdout, as text or as one JSON object.

use std::io::Write;

use serde::Serialize;

use super::Failure;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// Writes results to stdout.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    format: Format,
}

impl Output {
    /// Prints in that format.
    #[must_use]
    pub const fn new(format: Format) -> Self {
        Self { format }
    }

    /// The format asked for.
    #[must_use]
    pub const fn format(self) -> Format {
        self.format
    }

    /// Prints one already rendered line or block.
    ///
    /// # Errors
    /// As [`Output::show`].
    pub fn print(self, text: &str) -> Result<(), Failure> {
        write_stdout(text)
    }

    /// Prints `value` as JSON, or the text that `render` makes of it.
    ///
    /// # Errors
    /// Stdout cannot be written to; a reader who hung up early is none.
    pub fn show<T: Serialize>(self, value: &T, render: impl FnOnce(&T) -> String) -> Result<(), Failure> {
        let text = match self.format {
            Format::Text => render(value),
            Format::Json => {
                serde_json::to_string(value).map_err(|e| Failure::Internal(format!("cannot print JSON: {e}")))?
            }
        };
        write_stdout(&text)
    }
}

fn write_stdout(text: &str) -> Result<(), Failure> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    match std::io::stdout().write_all(format!("{text}{end}").as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::Io { path: "stdout".into(), source: e }),
        _ => Ok(()),
    }
}
