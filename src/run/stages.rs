//! What each stage of a run took: time, rows and memory.

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
}

impl<'a> StageClock<'a> {
    /// Nothing has begun.
    pub fn new(told: &'a dyn Progress, clock: fn() -> Timestamp, peak_memory: fn() -> Option<u64>) -> Self {
        Self { told, clock, peak_memory, seen: Mutex::default() }
    }

    /// The stages so far; the running one is counted up to now.
    pub fn stages(&self) -> Vec<StageCost> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.done.iter().cloned().chain(seen.running.as_ref().map(|running| self.cost(running))).collect()
    }

    fn cost(&self, (name, began, rows): &(String, Timestamp, Option<u64>)) -> StageCost {
        let millis = (self.clock)().duration_since(*began).as_millis();
        StageCost {
            name: name.clone(),
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
            seen.done.push(cost);
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
}
