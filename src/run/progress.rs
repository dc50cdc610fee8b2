//! How long work tells that it is alive.

/// Receives stages and steps; the command line draws them, tests and libraries may ignore them.
pub trait Progress: Sync {
    /// A stage begins; `steps` is its length where known.
    fn stage(&self, name: &str, steps: Option<u64>);
    /// `steps` more of the current stage are done. May be called from any thread.
    fn advance(&self, steps: u64);
    /// The current stage works on so many rows.
    fn rows(&self, _rows: u64) {}
    /// Something worth a line: what was decided, or what went differently than expected.
    fn note(&self, text: &str);
}

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&self, _name: &str, _steps: Option<u64>) {}
    fn advance(&self, _steps: u64) {}
    fn note(&self, _text: &str) {}
}
