//! Officers' decisions, about credit in `overrides.jsonl` and about alerts in `alert_decisions.jsonl`: when a night first saw each in force and when
//! it was no more, in the order of nights.
//!
//! The logs lie beside the runs and outlive each of them; their lines hold each other ([`super::chain`]). A decision whose wording changes ends, and
//! begins as another. What is written is written before the night is published, so that no offer and no silence rests on a decision that its log does
//! not hold; a night that is published again writes nothing new.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::chain::{self, LogPosition};
use super::durable::sync_folder;
use super::error::PublishError;
use crate::domain::Digest;
use crate::monitor::OfficerDecision;
use crate::offer::Override;

/// A kind of decision that officers take.
pub trait DecidedByOfficers: Ord + Clone + Serialize + DeserializeOwned {
    /// The name of its log, below the output folder.
    const LOG: &'static str;
}

impl DecidedByOfficers for Override {
    const LOG: &'static str = "overrides.jsonl";
}

impl DecidedByOfficers for OfficerDecision {
    const LOG: &'static str = "alert_decisions.jsonl";
}

/// What became of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionEvent {
    /// A night decides by it for the first time.
    InForce,
    /// A night does not any more: it has lapsed, or is gone from the file.
    Ended,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedDecision<D> {
    /// Its place in the log, from 1.
    pub number: u64,
    /// The night.
    pub as_of: Date,
    /// What became of the decision.
    pub event: DecisionEvent,
    /// The decision.
    pub decided: D,
}

/// The lines of a log, oldest first, and the digest of the last one; none where there is no such file. A last line without its end is not yet written.
///
/// # Errors
/// A line is not what was written: who decided what is then not known.
pub fn read_officer_log<D: DecidedByOfficers>(out: &Path) -> Result<Vec<LoggedDecision<D>>, PublishError> {
    Ok(read(out)?.0)
}

fn read<D: DecidedByOfficers>(out: &Path) -> Result<(Vec<LoggedDecision<D>>, LogPosition), PublishError> {
    let path = out.join(D::LOG);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(PublishError::io("read", &path)(e)),
    };
    let (mut lines, mut end) = (Vec::new(), LogPosition::default());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(text) = line.strip_suffix(b"\n") else { break };
        let number = lines.len() as u64 + 1;
        let malformed = |why: String| PublishError::malformed(&path, format!("line {number}: {why}"));
        let (entry, sha256): (LoggedDecision<D>, Digest) = chain::open(text, end.sha256).map_err(malformed)?;
        if entry.number != number {
            return Err(malformed(format!("it says that it is line {}", entry.number)));
        }
        lines.push(entry);
        end = LogPosition { lines: number, bytes: end.bytes + line.len() as u64, sha256 };
    }
    Ok((lines, end))
}

/// Whether the log still holds all that runs know of it.
///
/// # Errors
/// It does not, or cannot be read.
pub fn check_officer_log<D: DecidedByOfficers>(
    out: &Path,
    known: impl IntoIterator<Item = LogPosition>,
) -> Result<(), PublishError> {
    known.into_iter().try_for_each(|position| chain::holds(&out.join(D::LOG), position))
}

/// Writes what a night finds: decisions that are in force and were not, and those that were and are not any more. Nothing where nothing changed.
/// Returns up to where the log is written.
///
/// # Errors
/// The log is not what was written, or the disk.
pub fn log_decisions<D: DecidedByOfficers>(
    out: &Path,
    as_of: Date,
    in_force: &[&D],
) -> Result<LogPosition, PublishError> {
    let path = out.join(D::LOG);
    let (lines, written) = read::<D>(out)?;
    let mut before: BTreeSet<&D> = BTreeSet::new();
    for line in &lines {
        match line.event {
            DecisionEvent::InForce => drop(before.insert(&line.decided)),
            DecisionEvent::Ended => drop(before.remove(&line.decided)),
        }
    }
    let now: BTreeSet<&D> = in_force.iter().copied().collect();
    let ended = before.difference(&now).map(|decided| (DecisionEvent::Ended, *decided));
    let begun = now.difference(&before).map(|decided| (DecisionEvent::InForce, *decided));
    let (mut bytes, mut end) = (Vec::new(), written);
    for (number, (event, decided)) in (lines.len() as u64 + 1..).zip(ended.chain(begun)) {
        let entry = LoggedDecision { number, as_of, event, decided: decided.clone() };
        let (line, sha256) = chain::seal(&entry, end.sha256).map_err(|why| PublishError::malformed(&path, why))?;
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        end = LogPosition { lines: number, bytes: written.bytes + bytes.len() as u64, sha256 };
    }
    if bytes.is_empty() {
        return Ok(end);
    }
    let is_new = !path.exists();
    let io = |action| PublishError::io(action, &path);
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(io("open"))?;
    // What a killed night left unfinished goes.
    file.set_len(written.bytes).map_err(io("write"))?;
    io::Seek::seek(&mut file, io::SeekFrom::Start(written.bytes)).map_err(io("write"))?;
    file.write_all(&bytes).map_err(io("write"))?;
    file.sync_all().map_err(io("force to disk"))?;
    if is_new {
        sync_folder(out)?;
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::offer::OverrideKind;

    fn decided(merchant: &str) -> Override {
        Override {
            merchant_id: merchant.to_owned(),
            product: None,
            change: OverrideKind::Decline,
            limit_minor: None,
            rule: None,
            daily_rate_ppm: None,
            from_on: date(2025, 6, 1),
            until_on: date(2025, 6, 30),
            reason: "seen on site \",\"sha256\":\"".to_owned(),
            by: "Li Wei".to_owned(),
        }
    }

    #[test]
    fn decisions_begin_and_end_once_and_a_night_again_writes_nothing() {
        let out = tempfile::tempdir().unwrap();
        let (a, b) = (decided("a"), decided("b"));
        let [first, second, third] = [date(2025, 6, 1), date(2025, 6, 2), date(2025, 6, 3)];
        log_decisions(out.path(), first, &[&a]).unwrap();
        log_decisions(out.path(), second, &[&a, &b]).unwrap();
        let bytes = std::fs::read(out.path().join(Override::LOG)).unwrap();
        log_decisions(out.path(), second, &[&a, &b]).unwrap();
        assert_eq!(std::fs::read(out.path().join(Override::LOG)).unwrap(), bytes);
        // Another wording is another decision.
        let reworded = Override { reason: "another reason".to_owned(), ..a.clone() };
        log_decisions(out.path(), third, &[&reworded, &b]).unwrap();
        let events: Vec<(Date, DecisionEvent, String)> = read_officer_log::<Override>(out.path())
            .unwrap()
            .into_iter()
            .map(|line| (line.as_of, line.event, line.decided.reason))
            .collect();
        let expected = [
            (first, DecisionEvent::InForce, a.reason.clone()),
            (second, DecisionEvent::InForce, b.reason.clone()),
            (third, DecisionEvent::Ended, a.reason.clone()),
            (third, DecisionEvent::InForce, reworded.reason),
        ];
        assert_eq!(events, expected);
    }

    #[test]
    fn no_byte_can_change_and_a_torn_end_is_written_over() {
        let out = tempfile::tempdir().unwrap();
        let (a, b) = (decided("a"), decided("b"));
        log_decisions(out.path(), date(2025, 6, 1), &[&a, &b]).unwrap();
        let path = out.path().join(Override::LOG);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut altered = whole.clone();
            *altered.get_mut(at).unwrap() ^= 1;
            std::fs::write(&path, &altered).unwrap();
            match read_officer_log::<Override>(out.path()) {
                Err(PublishError::Malformed { .. }) => {}
                Ok(read) => assert!(at + 1 == whole.len() && read.len() == 1, "byte {at}"),
                Err(other) => panic!("byte {at}: {other}"),
            }
        }
        std::fs::write(&path, whole.get(..whole.len() - 5).unwrap()).unwrap();
        log_decisions(out.path(), date(2025, 6, 1), &[&a, &b]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), whole);
    }

    #[test]
    fn a_log_that_lost_what_a_run_knows_of_it_stops_the_night() {
        let out = tempfile::tempdir().unwrap();
        let (a, b) = (decided("a"), decided("b"));
        let [first, second] = [date(2025, 6, 1), date(2025, 6, 2)];
        let one = log_decisions(out.path(), first, &[&a]).unwrap();
        let two = log_decisions(out.path(), second, &[&a, &b]).unwrap();
        assert_eq!((one.lines, two.lines), (1, 2));
        let path = out.path().join(Override::LOG);
        let whole = std::fs::read(&path).unwrap();
        let again = |known: LogPosition| check_officer_log::<Override>(out.path(), [known]);
        let cut = whole.get(..usize::try_from(one.bytes).unwrap()).unwrap();
        for log in [None, Some(cut), Some(&whole[..whole.len() - 1])] {
            match log {
                None => std::fs::remove_file(&path).unwrap(),
                Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            }
            assert!(matches!(again(two), Err(PublishError::Malformed { .. })), "{log:?}");
        }
        // Another log of as many lines, which holds in itself.
        std::fs::remove_file(&path).unwrap();
        let other = log_decisions(out.path(), second, &[&b, &a]).unwrap();
        assert!(other != two && again(two).is_err());
        std::fs::write(&path, &whole).unwrap();
        again(one).unwrap();
        again(two).unwrap();
    }
}
