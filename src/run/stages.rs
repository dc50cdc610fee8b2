//! What each stage of a run took: time, rows and memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::progress::Progress;
use crate::publish::StageCost;

/// Passes progress on and notes when each stage began and ended. The clock and the memory of the process are the caller's.
pub struct StageClock<'a> {
    told: &'a dyn Progress,
    clock: fn() -> Timestamp,
    peak_memory: fn() -> Option<u64>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    done: Vec<StageCost>,
    running: Option<(String, Timestamp, Option<u64>)>,
    /// Parts of the running stage.
    parts: Vec<StageCost>,
}

/// Adds up the time of one kind of work that the threads of a stage do in between.
pub struct Stopwatch {
    clock: fn() -> Timestamp,
    micros: AtomicU64,
}

impl Stopwatch {
    /// Nothing has been timed. The clock is the caller's.
    pub fn new(clock: fn() -> Timestamp) -> Self {
        Self { clock, micros: AtomicU64::new(0) }
    }

    /// One that stands still, for those who do not ask.
    pub fn still() -> Self {
        Self::new(|| Timestamp::UNIX_EPOCH)
    }

    /// Does the work and adds its time.
    pub fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let began = (self.clock)();
        let done = work();
        let micros = (self.clock)().duration_since(began).as_micros();
        self.micros.fetch_add(u64::try_from(micros).unwrap_or(0), Ordering::Relaxed);
        done
    }

    /// What all threads spent, shared by as many: the wall time of the work if they had done nothing else.
    fn seconds(&self, threads: usize) -> f64 {
        self.micros.load(Ordering::Relaxed) as f64 / 1e6 / threads.max(1) as f64
    }
}

impl<'a> StageClock<'a> {
    /// Nothing has begun.
    pub fn new(told: &'a dyn Progress, clock: fn() -> Timestamp, peak_memory: fn() -> Option<u64>) -> Self {
        Self { told, clock, peak_memory, seen: Mutex::default() }
    }

    /// The stages so far; the running one is counted up to now.
    pub fn stages(&self) -> Vec<StageCost> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let running = seen.running.as_ref().map(|running| self.cost(running));
        seen.done.iter().cloned().chain(running).chain(seen.parts.iter().cloned()).collect()
    }

    /// A watch that goes by the same clock.
    pub fn stopwatch(&self) -> Stopwatch {
        Stopwatch::new(self.clock)
    }

    /// Says what a part of the running stage took; its line follows that of the stage, which counts it as well.
    pub fn part(&self, name: &str, rows: u64, watch: &Stopwatch) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((stage, _, _)) = &seen.running else { return };
        let cost = StageCost {
            name: name.to_owned(),
            part_of: Some(stage.clone()),
            seconds: watch.seconds(rayon::current_num_threads()),
            rows: Some(rows),
            peak_memory_bytes: (self.peak_memory)(),
        };
        seen.parts.push(cost);
    }

    fn cost(&self, (name, began, rows): &(String, Timestamp, Option<u64>)) -> StageCost {
        let millis = (self.clock)().duration_since(*began).as_millis();
        StageCost {
            name: name.clone(),
            part_of: None,
            seconds: i64::try_from(millis).unwrap_or(i64::MAX) as f64 / 1_000.0,
            rows: *rows,
            peak_memory_bytes: (self.peak_memory)(),
        }
    }
}

impl Progress for StageClock<'_> {
    fn stage(&self, name: &str, steps: Option<u64>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ended) = seen.running.replace((name.to_owned(), (self.clock)(), None)) {
            let cost = self.cost(&ended);
            let parts = std::mem::take(&mut seen.parts);
            seen.done.push(cost);
            seen.done.extend(parts);
        }
        drop(seen);
        self.told.stage(name, steps);
    }

    fn advance(&self, steps: u64) {
        self.told.advance(steps);
    }

    fn rows(&self, rows: u64) {
        if let Some((_, _, counted)) = &mut self.seen.lock().unwrap_or_else(PoisonError::into_inner).running {
            *counted = Some(rows);
        }
        self.told.rows(rows);
    }

    fn note(&self, text: &str) {
        self.told.note(text);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;

    use super::*;
    use crate::run::Silent;

    #[test]
    fn stages_follow_each_other_with_their_rows() {
        let clock = StageClock::new(&Silent, Timestamp::now, || Some(7));
        assert!(clock.stages().is_empty());
        clock.stage("read", Some(3));
        clock.rows(1_000);
        clock.stage("wash", None);
        let stages = clock.stages();
        let said: Vec<_> = stages.iter().map(|s| (s.name.as_str(), s.rows, s.peak_memory_bytes)).collect();
        assert_eq!(said, [("read", Some(1_000), Some(7)), ("wash", None, Some(7))]);
        assert!(stages.iter().all(|stage| stage.seconds >= 0.0));
    }

    /// A clock that goes on by four seconds whenever it is looked at.
    fn ticking() -> Timestamp {
        static LOOKED_AT: AtomicI64 = AtomicI64::new(0);
        Timestamp::from_second(4 * LOOKED_AT.fetch_add(1, Ordering::Relaxed)).unwrap()
    }

    #[test]
    fn a_part_follows_its_stage() {
        let clock = StageClock::new(&Silent, ticking, || None);
        let watch = clock.stopwatch();
        clock.part("of nothing", 1, &watch);
        clock.stage("decide", None);
        watch.time(|| ());
        clock.part("watch", 5, &watch);
        clock.stage("publish", None);
        let stages = clock.stages();
        let said: Vec<_> = stages.iter().map(|s| (s.name.as_str(), s.part_of.as_deref(), s.rows)).collect();
        assert_eq!(said, [("decide", None, None), ("watch", Some("decide"), Some(5)), ("publish", None, None)]);
        let wall_seconds = 4.0 / rayon::current_num_threads() as f64;
        assert!((stages[1].seconds - wall_seconds).abs() < 1e-9, "{stages:?}");
        assert_eq!(Stopwatch::still().time(|| 7), 7);
    }
}
