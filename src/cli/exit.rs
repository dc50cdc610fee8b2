//! Exit codes: a documented interface of the command line. Append only, never renumber.

/// What the process ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitCode {
    /// All went well.
    Ok = 0,
    /// The command line itself is wrong.
    Usage = 2,
    /// The data breaks its contract, a quarantine limit or a publishing gate; or published files are not what was published; or books differ.
    Data = 65,
    /// An input that must be there is not.
    InputMissing = 66,
    /// A defect of this program.
    Internal = 70,
    /// The output is already there.
    RefusesToOverwrite = 73,
    /// The operating system refused a read or a write.
    Io = 74,
    /// Another run holds the lock: retry later.
    Busy = 75,
    /// The configuration is wrong.
    Config = 78,
    /// The model is missing, unapproved, expired, or not what was approved.
    ModelRefused = 80,
    /// Nothing has changed since the last published run.
    NothingNew = 99,
}

impl ExitCode {
    /// Every code with its meaning: `--help` is made of it, and README lists the same.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::Ok, "ok"),
        (Self::Usage, "usage"),
        (Self::Data, "data contract, quarantine limit or gate; published files damaged; books that differ"),
        (Self::InputMissing, "input missing"),
        (Self::Internal, "internal"),
        (Self::RefusesToOverwrite, "refuses to overwrite"),
        (Self::Io, "I/O"),
        (Self::Busy, "busy, retry"),
        (Self::Config, "config"),
        (Self::ModelRefused, "model refused"),
        (Self::NothingNew, "nothing new to do"),
    ];

    /// The end of `--help`: a line a code.
    pub(super) fn help() -> String {
        let lines = Self::ALL.map(|(code, meaning)| format!("  {:>2}  {meaning}", code as u8));
        format!("Exit codes:\n{}", lines.join("\n"))
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_frozen() {
        let codes: Vec<u8> = ExitCode::ALL.iter().map(|(code, _)| *code as u8).collect();
        assert_eq!(codes, [0, 2, 65, 66, 70, 73, 74, 75, 78, 80, 99]);
    }
}
