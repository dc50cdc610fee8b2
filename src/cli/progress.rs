//! Draws progress on stderr: a bar on a terminal, plain lines elsewhere, so that a scheduler's log stays readable.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::run::Progress;

/// Progress for people and logs.
#[derive(Debug)]
pub struct Terminal {
    live: bool,
    quiet: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Terminal {
    /// Bars on a terminal, lines elsewhere, nothing when `quiet`.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        Self { live: std::io::stderr().is_terminal(), quiet, bar: Mutex::new(None) }
    }

    /// Ends the last stage.
    pub fn finish(&self) {
        self.replace(None);
    }

    fn replace(&self, next: Option<ProgressBar>) {
        if let Ok(mut bar) = self.bar.lock()
            && let Some(done) = std::mem::replace(&mut *bar, next)
        {
            done.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        if self.live
            && let Ok(bar) = self.bar.lock()
            && let Some(bar) = &*bar
        {
            bar.println(text);
            return;
        }
        // A closed stderr must not end a run.
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

impl Progress for Terminal {
    fn stage(&self, name: &str, steps: Option<u64>) {
        if self.quiet {
            return;
        }
        if !self.live {
            self.line(&format!("integrity: {name}"));
            return;
        }
        let bar = match steps {
            Some(length) => ProgressBar::new(length).with_style(
                ProgressStyle::with_template("{spinner} {msg:<28} {bar:30} {pos}/{len} {elapsed}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            ),
            None => ProgressBar::new_spinner().with_style(
                ProgressStyle::with_template("{spinner} {msg:<28} {elapsed}")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner()),
            ),
        };
        bar.set_message(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        self.replace(Some(bar));
    }

    fn advance(&self, steps: u64) {
        if let Ok(bar) = self.bar.lock()
            && let Some(bar) = &*bar
        {
            bar.inc(steps);
        }
    }

    fn note(&self, text: &str) {
        if !self.quiet {
            self.line(&format!("integrity: {text}"));
        }
    }
}
