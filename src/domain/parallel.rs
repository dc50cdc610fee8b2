//! Work on several pieces at a time, and never on more than there are threads.
//!
//! A thread pool that steals work does not give that: a thread that waits for a frame operation, which has a pool of its own, begins the
//! next piece meanwhile, and soon every piece is in memory at once. Here each thread waits.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Calls `work` with every number from 0 to below `pieces`, on as many threads as the program may use, and gives the results in this order.
///
/// # Errors
/// What `work` said of the first piece that failed; no further piece is begun then.
pub fn in_order<T: Send, E: Send>(pieces: usize, work: impl Fn(usize) -> Result<T, E> + Sync) -> Result<Vec<T>, E> {
    let threads = rayon::current_num_threads().min(pieces);
    if threads <= 1 {
        return (0..pieces).map(work).collect();
    }
    let (next, has_failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let done: Mutex<Vec<(usize, Result<T, E>)>> = Mutex::new(Vec::with_capacity(pieces));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !has_failed.load(Ordering::Relaxed) {
                    let piece = next.fetch_add(1, Ordering::Relaxed);
                    if piece >= pieces {
                        break;
                    }
                    let result = work(piece);
                    has_failed.fetch_or(result.is_err(), Ordering::Relaxed);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((piece, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(piece, _)| *piece);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The same over things that `work` takes, each of which is gone when its piece is done.
///
/// # Errors
/// As [`in_order`].
pub fn each<I: Send, T: Send, E: Send>(items: Vec<I>, work: impl Fn(I) -> Result<T, E> + Sync) -> Result<Vec<T>, E> {
    let slots: Vec<Mutex<Option<I>>> = items.into_iter().map(|item| Mutex::new(Some(item))).collect();
    let done = in_order(slots.len(), |n| {
        let item = slots.get(n).and_then(|slot| slot.lock().unwrap_or_else(PoisonError::into_inner).take());
        item.map(&work).transpose()
    })?;
    Ok(done.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_no_more_pieces_are_in_hand_than_threads() {
        let (in_hand, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let squares = in_order::<_, ()>(200, |n| {
            most.fetch_max(in_hand.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::yield_now();
            in_hand.fetch_sub(1, Ordering::SeqCst);
            Ok(n * n)
        });
        assert_eq!(squares, Ok((0..200).map(|n| n * n).collect::<Vec<_>>()));
        assert!(most.into_inner() <= rayon::current_num_threads());
        assert_eq!(in_order::<u8, ()>(0, |_| Ok(1)), Ok(Vec::new()));
        let words = vec!["a".to_owned(), "bc".to_owned(), String::new()];
        assert_eq!(each::<_, _, ()>(words, |word| Ok(word.len())), Ok(vec![1, 2, 0]));
    }

    #[test]
    fn the_first_failure_is_told() {
        let begun = AtomicUsize::new(0);
        let failed = in_order::<(), usize>(10_000, |n| {
            begun.fetch_add(1, Ordering::SeqCst);
            if n >= 5 { Err(n) } else { Ok(()) }
        });
        assert_eq!(failed, Err(5));
        assert!(begun.into_inner() < 10_000);
    }
}
