//! `decisions.jsonl`: every answer to an application that came by day, in the order of answering.
//!
//! It lies beside the runs and outlives each of them, and its lines hold each other ([`super::chain`]). Each run says up to where it has read the log; what follows was
//! answered since, and counts against every limit until a later night has read it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::chain::{self, LogPosition};
use super::durable::sync_folder;
use super::error::PublishError;
use crate::domain::Digest;
use crate::exposure::OpenOffer;
use crate::offer::{Application, BankReferral, ComparedOrder, Decline, Offer};

/// Its name, below the output folder.
pub const DECISIONS: &str = "decisions.jsonl";
const LOCK: &str = ".decisions.lock";
/// How long an answer waits for another one that is being written, or for a night that decides.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a night waits for a file of applications that is being answered.
const PATIENCE_OF_A_NIGHT: Duration = Duration::from_mins(15);

/// One answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoggedAnswer {
    /// Its place in the log, from 1.
    pub number: u64,
    /// When it was given.
    pub at: Timestamp,
    /// Business date of the answer.
    pub on: Date,
    /// The run that it rests on.
    pub run_id: String,
    /// What was asked.
    pub application: Application,
    /// What is offered; null for a decline. An offer that stood before stands as it was.
    pub offer: Option<Offer>,
    /// Why nothing is offered; null for an offer.
    pub decline: Option<Decline>,
    /// Where the merchant's means carry more than this lender may lend.
    pub referral: Option<BankReferral>,
    /// What the offer holds; null where nothing new is offered.
    pub granted: Option<OpenOffer>,
    /// Orders named in the application that secure nothing: unknown to the run, disputed, too old, or pledged already.
    pub orders_not_counted: Vec<String>,
    /// The borrower's own list beside the platform's records; empty where none was given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders_compared: Vec<ComparedOrder>,
}

/// The part of the log behind a position.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AnswersSince {
    /// Oldest first.
    pub answers: Vec<LoggedAnswer>,
    /// Up to where it was read.
    pub until: LogPosition,
}

/// Reads the answers after `from`, whichever day they were given on: a night of yesterday that runs today holds what was offered today. A last line without its end
/// was never given to anybody: it is not read.
///
/// # Errors
/// The log is shorter than `from`, or a line is not what was written: what was offered by day is then not known.
pub fn read_answers(out: &Path, from: LogPosition) -> Result<AnswersSince, PublishError> {
    let path = out.join(DECISIONS);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound && from.bytes == 0 => {
            return Ok(AnswersSince { answers: Vec::new(), until: from });
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(PublishError::malformed(&path, format!("it is gone, and {} answers were given", from.lines)));
        }
        Err(e) => return Err(PublishError::io("read", &path)(e)),
    };
    let length = file.metadata().map_err(PublishError::io("look at", &path))?.len();
    if length < from.bytes {
        let why = format!("it ends at byte {length}, and byte {} was read by a published run", from.bytes);
        return Err(PublishError::malformed(&path, why));
    }
    file.seek(SeekFrom::Start(from.bytes)).map_err(PublishError::io("read", &path))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(PublishError::io("read", &path))?;
    let mut found = AnswersSince { answers: Vec::new(), until: from };
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(text) = line.strip_suffix(b"\n") else { break };
        let (answer, sha256) = read_line(text, found.until).map_err(|why| {
            let line = found.until.lines + 1;
            PublishError::malformed(&path, format!("line {line}: {why}"))
        })?;
        found.until = LogPosition { lines: answer.number, bytes: found.until.bytes + line.len() as u64, sha256 };
        found.answers.push(answer);
    }
    Ok(found)
}

fn read_line(line: &[u8], before: LogPosition) -> Result<(LoggedAnswer, Digest), String> {
    let (answer, digest): (LoggedAnswer, Digest) = chain::open(line, before.sha256)?;
    if answer.number != before.lines + 1 {
        return Err(format!("it says that it is answer {}", answer.number));
    }
    Ok((answer, digest))
}

/// The log, held for writing: nobody else answers meanwhile.
#[derive(Debug)]
pub struct DecisionLog {
    out: PathBuf,
    _lock: File,
}

impl DecisionLog {
    /// Takes the log of an output folder, waiting a little for whoever is answering now.
    ///
    /// # Errors
    /// [`PublishError::Busy`] where somebody else answers for long, or a night decides.
    pub fn take(out: &Path) -> Result<Self, PublishError> {
        Self::take_within(out, PATIENCE, "another `integrity decide`, or a night that decides")
    }

    /// Takes it for a night that decides: what were answered meanwhile the night would not know, and would offer again.
    ///
    /// # Errors
    /// [`PublishError::Busy`] where a file of applications takes very long.
    pub fn take_for_night(out: &Path) -> Result<Self, PublishError> {
        Self::take_within(out, PATIENCE_OF_A_NIGHT, "an `integrity decide`")
    }

    fn take_within(out: &Path, patience: Duration, holder: &str) -> Result<Self, PublishError> {
        let path = out.join(LOCK);
        let open = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let lock = open.map_err(PublishError::io("open", &path))?;
        let begun = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { out: out.to_owned(), _lock: lock }),
                Err(TryLockError::WouldBlock) if begun.elapsed() < patience => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(PublishError::Busy { path, holder: holder.to_owned() });
                }
                Err(TryLockError::Error(e)) => return Err(PublishError::io("lock", &path)(e)),
            }
        }
    }

    /// Writes answers behind `end`, where the log was read to, and forces them to disk: only then may they be given. Their numbers are set here.
    ///
    /// # Errors
    /// The disk. What was written of the last line is not read by anybody and is overwritten by the next answer.
    pub fn append(&self, end: LogPosition, answers: &mut [LoggedAnswer]) -> Result<LogPosition, PublishError> {
        let path = self.out.join(DECISIONS);
        let (mut position, mut bytes) = (end, Vec::new());
        for answer in answers {
            answer.number = position.lines + 1;
            let (line, sha256) =
                chain::seal(answer, position.sha256).map_err(|why| PublishError::malformed(&path, why))?;
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
            position.sha256 = sha256;
            position.lines = answer.number;
            position.bytes = end.bytes + bytes.len() as u64;
        }
        let is_new = !path.exists();
        let io = |action| PublishError::io(action, &path);
        let open = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(io("open"))?;
        // A line that a killed answer left unfinished goes.
        file.set_len(end.bytes).map_err(io("write"))?;
        file.seek(SeekFrom::Start(end.bytes)).map_err(io("write"))?;
        file.write_all(&bytes).map_err(io("write"))?;
        file.sync_all().map_err(io("force to disk"))?;
        if is_new {
            sync_folder(&self.out)?;
        }
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn answer(id: &str, on: Date) -> LoggedAnswer {
        LoggedAnswer {
            number: 0,
            at: Timestamp::UNIX_EPOCH,
            on,
            run_id: "r".to_owned(),
            application: Application {
                application_id: id.to_owned(),
                merchant_id: "m \"1\" ,\"sha256\":\"".to_owned(),
                product: "credit-loan".to_owned(),
                requested_minor: 5,
                order_ids: Vec::new(),
                orders: Vec::new(),
                gross_sales_12m_minor: None,
                operating_costs_12m_minor: None,
                gross_assets_minor: None,
                gross_liabilities_minor: None,
            },
            offer: None,
            decline: None,
            referral: None,
            granted: None,
            orders_not_counted: Vec::new(),
            orders_compared: Vec::new(),
        }
    }

    const FIRST: Date = date(2025, 3, 1);
    const LATER: Date = date(2025, 3, 2);

    #[test]
    fn what_is_answered_is_read_back_from_any_position() {
        let out = tempfile::tempdir().unwrap();
        let log = DecisionLog::take(out.path()).unwrap();
        let mut first = [answer("a", FIRST), answer("b", FIRST)];
        let middle = log.append(LogPosition::default(), &mut first).unwrap();
        let end = log.append(middle, &mut [answer("c", LATER)]).unwrap();
        let read = read_answers(out.path(), LogPosition::default()).unwrap();
        let ids = |found: &AnswersSince| {
            found.answers.iter().map(|a| (a.number, a.application.application_id.clone())).collect::<Vec<_>>()
        };
        assert_eq!(ids(&read), [(1, "a".to_owned()), (2, "b".to_owned()), (3, "c".to_owned())]);
        assert_eq!(read.until, end);
        assert_eq!(ids(&read_answers(out.path(), middle).unwrap()), [(3, "c".to_owned())]);
    }

    #[test]
    fn nobody_answers_while_a_night_decides() {
        let out = tempfile::tempdir().unwrap();
        let night = DecisionLog::take_for_night(out.path()).unwrap();
        let busy = DecisionLog::take_within(out.path(), Duration::ZERO, "a night");
        assert!(matches!(busy, Err(PublishError::Busy { .. })), "{busy:?}");
        drop(night);
        DecisionLog::take_within(out.path(), Duration::ZERO, "a night").unwrap();
    }

    #[test]
    fn a_torn_end_is_not_read_and_is_overwritten() {
        let out = tempfile::tempdir().unwrap();
        let log = DecisionLog::take(out.path()).unwrap();
        let end = log.append(LogPosition::default(), &mut [answer("a", FIRST)]).unwrap();
        let path = out.path().join(DECISIONS);
        let whole = std::fs::read(&path).unwrap();
        let torn = [whole.as_slice(), whole.get(..whole.len() / 2).unwrap()].concat();
        std::fs::write(&path, torn).unwrap();
        let read = read_answers(out.path(), LogPosition::default()).unwrap();
        assert_eq!((read.answers.len(), read.until), (1, end));
        log.append(read.until, &mut [answer("b", FIRST)]).unwrap();
        assert_eq!(read_answers(out.path(), LogPosition::default()).unwrap().answers.len(), 2);
    }

    #[test]
    fn no_byte_of_a_line_can_change_and_no_line_can_go() {
        let out = tempfile::tempdir().unwrap();
        let log = DecisionLog::take(out.path()).unwrap();
        let end = log
            .append(LogPosition::default(), &mut [answer("a", FIRST), answer("b", FIRST), answer("c", FIRST)])
            .unwrap();
        let path = out.path().join(DECISIONS);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut altered = whole.clone();
            // A line break, turned into another byte, joins two lines; at the very end it makes the last line unfinished.
            *altered.get_mut(at).unwrap() ^= 1;
            std::fs::write(&path, &altered).unwrap();
            match read_answers(out.path(), LogPosition::default()) {
                Err(PublishError::Malformed { .. }) => {}
                Ok(read) => assert!(at + 1 == whole.len() && read.answers.len() == 2, "byte {at}"),
                Err(other) => panic!("byte {at}: {other}"),
            }
        }
        let lines: Vec<&[u8]> = whole.split_inclusive(|b| *b == b'\n').collect();
        for gone in 0..2 {
            let rest: Vec<u8> =
                lines.iter().enumerate().filter(|(at, _)| *at != gone).flat_map(|(_, line)| line.to_vec()).collect();
            std::fs::write(&path, rest).unwrap();
            assert!(read_answers(out.path(), LogPosition::default()).is_err(), "line {gone} is gone");
        }
        std::fs::write(&path, lines.first().unwrap()).unwrap();
        assert!(read_answers(out.path(), end).is_err(), "shorter than what a run has read");
        std::fs::remove_file(&path).unwrap();
        assert!(read_answers(out.path(), end).is_err(), "gone");
    }
}
