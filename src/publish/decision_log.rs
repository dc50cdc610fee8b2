//! `decisions.jsonl`: every answer to an application that came by day, in the order of answering.
//!
//! It lies beside the runs and outlives each of them, and its lines hold each other ([`super::chain`]). Up to where answers were given is noted beside it and in the
//! folder of the newest business date, so that a log which is gone with its note is missed all the same. Each run says up to where it has read the log; what follows was
//! answered since, and counts against every limit until a later night has read it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use super::chain::{self, LogPosition};
use super::durable::sync_folder;
use super::error::PublishError;
use super::history::dates;
use super::manifest::date_folder;
use crate::domain::Digest;
use crate::exposure::{Declared, OpenOffer};
use crate::offer::{Application, BankReferral, ComparedOrder, Decline, MOST_ANSWER_DAYS, Offer};

/// Its name, below the output folder.
pub const DECISIONS: &str = "decisions.jsonl";
const LOCK: &str = ".decisions.lock";
/// Up to where answers were given, beside the log: one that was cut off since is seen to be.
const END: &str = ".decisions.end";
/// The same in the folder of a business date.
pub(super) const ANSWERED: &str = "answered.json";
/// How long an answer waits for another one that is being written, or for a night that decides.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a night waits for a file of applications that is being answered.
const PATIENCE_OF_A_NIGHT: Duration = Duration::from_mins(15);

/// What was drawn of an offer since the run's observation date, as a call named it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NamedDraw {
    /// Who drew.
    pub merchant_id: String,
    /// On which offer.
    pub offer_id: String,
    /// Principal, minor units.
    pub drawn_minor: i64,
}

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
    /// With the first answer of a call: the draws that it named and no call before it did, or not over so much. Empty elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub draws: Vec<NamedDraw>,
}

/// What an answer says to a reader of the run that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnswerByDay {
    /// Its place in the log.
    pub number: u64,
    /// When it was given.
    pub at: Timestamp,
    /// What was asked.
    pub application_id: String,
    /// For which product: of this one the offers of the run, and of answers before, count no more.
    pub product: String,
    /// What may be drawn from then on; null where nothing may.
    pub offer: Option<Offer>,
    /// Why nothing may.
    pub decline: Option<Decline>,
}

impl From<LoggedAnswer> for AnswerByDay {
    fn from(answer: LoggedAnswer) -> Self {
        let LoggedAnswer { number, at, application, offer, decline, .. } = answer;
        Self { number, at, application_id: application.application_id, product: application.product, offer, decline }
    }
}

/// The part of the log behind a position.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AnswersSince {
    /// Oldest first.
    pub answers: Vec<LoggedAnswer>,
    /// Up to where it was read.
    pub until: LogPosition,
}

impl AnswersSince {
    /// What was drawn as the calls named it, by merchant and offer: the largest sums.
    #[must_use]
    pub fn draws(&self) -> BTreeMap<(&str, &str), i64> {
        let mut draws = BTreeMap::new();
        for draw in self.answers.iter().flat_map(|answer| &answer.draws) {
            let drawn = draws.entry((draw.merchant_id.as_str(), draw.offer_id.as_str())).or_insert(0);
            *drawn = draw.drawn_minor.max(*drawn);
        }
        draws
    }
}

/// Reads the answers after `from`, whichever day they were given on: a night of yesterday that runs today holds what was offered today. A last line without its end
/// was never given to anybody: it is not read.
///
/// # Errors
/// The log is shorter than `from`, or a line is not what was written: what was offered by day is then not known.
pub fn read_answers(out: &Path, from: LogPosition) -> Result<AnswersSince, PublishError> {
    let path = out.join(DECISIONS);
    // Read before the log: it is written after it, so that it is never ahead of what is found there.
    let given = given(out)?;
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            let given = from.lines.max(given.lines);
            if given == 0 {
                return Ok(AnswersSince { answers: Vec::new(), until: from });
            }
            return Err(PublishError::malformed(&path, format!("it is gone, and {given} answers were given")));
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
    if found.until.lines < given.lines {
        let why = format!(
            "it ends after answer {}, and {} were given: put the whole file back, or what was offered since is not known",
            found.until.lines, given.lines
        );
        return Err(PublishError::malformed(&path, why));
    }
    Ok(found)
}

/// Up to where answers were given, as far as the folder says so.
fn given(out: &Path) -> Result<LogPosition, PublishError> {
    let of_dates = dates(out)?.into_iter().rev().map(|as_of| out.join(date_folder(as_of)).join(ANSWERED));
    // A later date's note is a later one: each goes to the newest date there is.
    let with_runs = of_dates.map(|path| noted(&path)).find_map(Result::transpose).transpose()?;
    let beside = noted(&out.join(END))?;
    Ok(with_runs.into_iter().chain(beside).max_by_key(|position| position.lines).unwrap_or_default())
}

fn noted(path: &Path) -> Result<Option<LogPosition>, PublishError> {
    match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).map(Some).map_err(|e| PublishError::malformed(path, e.to_string())),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(PublishError::io("read", path)(e)),
    }
}

/// Notes it in a folder.
fn note(folder: &Path, name: &str, position: LogPosition) -> Result<(), PublishError> {
    let (path, part) = (folder.join(name), folder.join(format!(".{name}.part")));
    let text = serde_json::to_string(&position).map_err(|e| PublishError::malformed(&path, e.to_string()))?;
    let mut file = File::create(&part).map_err(PublishError::io("write", &part))?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(PublishError::io("force to disk", &part))?;
    fs::rename(&part, &path).map_err(PublishError::io("replace", &path))?;
    sync_folder(folder)
}

/// What a line says of its application.
#[derive(Deserialize)]
struct Asked {
    on: Date,
    application: Application,
}

/// What was declared from a day on in applications that were answered by day, by merchant, up to where a run has read the log.
///
/// # Errors
/// The log is not what the run has read.
pub fn declared_by_day(
    out: &Path,
    until: LogPosition,
    from: Date,
) -> Result<BTreeMap<String, BTreeSet<Declared>>, PublishError> {
    let mut declared: BTreeMap<String, BTreeSet<Declared>> = BTreeMap::new();
    if until.bytes == 0 {
        return Ok(declared);
    }
    let path = out.join(DECISIONS);
    chain::holds(&path, until)?;
    let io = |action| PublishError::io(action, &path);
    let bad = |at: u64, why: String| PublishError::malformed(&path, format!("the line at byte {at}: {why}"));
    let mut log = BufReader::new(File::open(&path).map_err(io("read"))?);
    let mut at = line_before(&mut log, until.bytes, from).map_err(io("read"))?;
    log.seek(SeekFrom::Start(at)).map_err(io("read"))?;
    // Of a line in the middle only the digest is taken, which the next line vouches for.
    let mut before = (at == 0).then(chain::beginning);
    let mut line = Vec::new();
    while at < until.bytes {
        line.clear();
        let length = log.read_until(b'\n', &mut line).map_err(io("read"))?;
        let Some(text) = line.strip_suffix(b"\n") else { return Err(bad(at, "it has no end".to_owned())) };
        let opened = match before {
            Some(before) => chain::open(text, before),
            None => chain::stated(text),
        };
        let (Asked { on, application }, sha256) = opened.map_err(|why| bad(at, why))?;
        let figures = application.declared();
        if before.is_some() && on >= from && figures != Declared::default() {
            declared.entry(application.merchant_id).or_default().insert(figures);
        }
        before = Some(sha256);
        at += length as u64;
    }
    Ok(declared)
}

/// Where some line begins that stands before every answer of a day and later ones, not far before them. Answers are nearly in the order of their days: none
/// is dated further ahead than a desk answers from one run.
fn line_before(log: &mut BufReader<File>, until: u64, day: Date) -> io::Result<u64> {
    const NEAR: u64 = 1 << 16;
    let day = day.saturating_sub((i64::from(MOST_ANSWER_DAYS) + 1).days());
    let (mut low, mut high) = (0, until);
    while high - low > NEAR {
        let middle = low + (high - low) / 2;
        log.seek(SeekFrom::Start(middle))?;
        let mut line = Vec::new();
        let begins = middle + log.read_until(b'\n', &mut line)? as u64;
        line.clear();
        log.read_until(b'\n', &mut line)?;
        let is_before = serde_json::from_slice::<Asked>(&line).is_ok_and(|asked| asked.on < day);
        // Within one very long line no later one begins.
        if is_before && begins < high { low = begins } else { high = middle }
    }
    Ok(low)
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
    /// The disk. What was written of the last line is not read by anybody and is overwritten by the next answer. Where only the end of the log could not be
    /// noted, the answers are in it, although they were given to nobody: the next night holds them.
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
        self.note_end(position)?;
        Ok(position)
    }

    /// Says up to where answers were given, once they are on disk.
    fn note_end(&self, position: LogPosition) -> Result<(), PublishError> {
        note(&self.out, END, position)?;
        match dates(&self.out)?.pop() {
            Some(newest) => note(&self.out.join(date_folder(newest)), ANSWERED, position),
            None => Ok(()),
        }
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
            draws: Vec::new(),
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
    fn what_was_declared_by_day_is_found_from_a_day_on() {
        let out = tempfile::tempdir().unwrap();
        let log = DecisionLog::take(out.path()).unwrap();
        let mut end = LogPosition::default();
        let first = date(2024, 1, 1);
        for number in 0..400_i64 {
            let on = first.saturating_add(jiff::Span::new().days(number));
            let mut one = answer(&format!("a{number}"), on);
            one.application.merchant_id = format!("m{}", number % 3);
            one.application.gross_sales_12m_minor = (number % 2 == 0).then_some(number);
            // Long lines, so that days are looked for and not only read through.
            one.application.order_ids = vec!["o".repeat(200); 5];
            end = log.append(end, &mut [one]).unwrap();
        }
        let path = out.path().join(DECISIONS);
        assert!(fs::metadata(&path).unwrap().len() > 4 * (1 << 16));
        for days in [0, 1, 37, 200, 399, 400] {
            let from = first.saturating_add(jiff::Span::new().days(days));
            let found = declared_by_day(out.path(), end, from).unwrap();
            let sales: BTreeSet<i64> = found.values().flatten().filter_map(|d| d.gross_sales_12m_minor).collect();
            assert_eq!(sales, (days..400).filter(|number| number % 2 == 0).collect(), "from day {days}");
            assert!(found.iter().all(|(merchant, all)| {
                all.iter().all(|d| format!("m{}", d.gross_sales_12m_minor.unwrap() % 3) == *merchant)
            }));
        }
        // What was answered since a run read the log is no part of it; what the run has read must be there.
        let whole = fs::read(&path).unwrap();
        log.append(end, &mut [answer("later", LATER)]).unwrap();
        assert_eq!(declared_by_day(out.path(), end, first).unwrap().len(), 3);
        let mut changed = whole.clone();
        let at = whole.windows(5).rposition(|w| w == b"\"a39\"".as_slice()).unwrap();
        *changed.get_mut(at + 2).unwrap() ^= 1;
        fs::write(&path, changed).unwrap();
        assert!(declared_by_day(out.path(), end, first).is_err(), "a line was changed");
        fs::write(&path, whole.get(..whole.len() / 2).unwrap()).unwrap();
        assert!(declared_by_day(out.path(), end, first).is_err(), "it was cut off");
    }

    #[test]
    fn a_log_that_was_cut_off_since_is_seen_to_be() {
        let out = tempfile::tempdir().unwrap();
        let log = DecisionLog::take(out.path()).unwrap();
        let first = log.append(LogPosition::default(), &mut [answer("a", FIRST)]).unwrap();
        log.append(first, &mut [answer("b", FIRST)]).unwrap();
        let path = out.path().join(DECISIONS);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, whole.get(..usize::try_from(first.bytes).unwrap()).unwrap()).unwrap();
        for from in [LogPosition::default(), first] {
            let read = read_answers(out.path(), from);
            assert!(read.is_err_and(|e| e.to_string().contains("2 were given")));
        }
        fs::remove_file(&path).unwrap();
        assert!(read_answers(out.path(), LogPosition::default()).is_err(), "gone before any run has read it");
    }

    #[test]
    fn a_log_that_is_gone_with_its_note_is_missed_by_the_runs() {
        let out = tempfile::tempdir().unwrap();
        let folder = |on: Date| {
            let folder = out.path().join(date_folder(on));
            fs::create_dir_all(&folder).unwrap();
            folder
        };
        folder(FIRST);
        let log = DecisionLog::take(out.path()).unwrap();
        let first = log.append(LogPosition::default(), &mut [answer("a", FIRST)]).unwrap();
        // The night after has read nothing yet.
        let later = folder(LATER);
        let lose = || [DECISIONS, END].map(|name| fs::remove_file(out.path().join(name)).unwrap());
        let kept = fs::read(out.path().join(DECISIONS)).unwrap();
        lose();
        let missed = read_answers(out.path(), LogPosition::default());
        assert!(missed.is_err_and(|e| e.to_string().contains("it is gone, and 1 answers were given")));
        fs::write(out.path().join(DECISIONS), kept).unwrap();
        log.append(first, &mut [answer("b", LATER)]).unwrap();
        assert!(later.join(ANSWERED).is_file(), "the newest date has the note");
        lose();
        assert!(
            read_answers(out.path(), LogPosition::default()).is_err_and(|e| e.to_string().contains("and 2 answers"))
        );
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
