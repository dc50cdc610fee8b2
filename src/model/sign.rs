//! Sign control: points never contradict event rates.
//!
//! Within a variable, a bin with a better event rate never gets fewer points than one with a worse. Where the optimum would, the
//! bins in question are held equal and the rest is fitted again; a variable whose bins all end equal leaves the model.

use super::error::ModelError;
use super::fit::{Penalty, Solution, Solver};

/// Bins of one variable from the worst weight of evidence to the best; bins without rows are left out.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// Positions within the term.
    pub bins: Vec<usize>,
    /// Rows of each, for averaging.
    pub rows: Vec<f64>,
}

impl Order {
    /// From weights of evidence and rows.
    #[must_use]
    pub fn new(woe: &[f64], rows: &[f64]) -> Self {
        let mut bins: Vec<usize> = (0..woe.len()).filter(|&i| rows.get(i).is_some_and(|r| *r > 0.0)).collect();
        let key = |i: usize| woe.get(i).copied().unwrap_or_default();
        bins.sort_by(|&a, &b| key(a).total_cmp(&key(b)).then(a.cmp(&b)));
        let rows = bins.iter().filter_map(|&i| rows.get(i).copied()).collect();
        Self { bins, rows }
    }
}

const MAX_ROUNDS: usize = 3;

/// Solves under sign control, in a few rounds: a rare violation may be left, for [`pool_in_order`]. `orders` has one entry a term; an
/// empty one is not controlled.
///
/// # Errors
/// As [`Solver::solve`].
pub fn solve_signed(
    solver: &mut Solver<'_>,
    offsets: &[usize],
    orders: &[Order],
    start: &[f64],
    penalty: &Penalty,
    tolerance: f64,
) -> Result<Solution, ModelError> {
    let n = start.len();
    solver.hold((0..n).collect());
    let mut solution = solver.solve(start, penalty, tolerance)?;
    let mut joined: Vec<Vec<bool>> = orders.iter().map(|o| vec![false; o.bins.len()]).collect();
    for _ in 0..MAX_ROUNDS {
        let mut changed = false;
        for ((order, joined), &offset) in orders.iter().zip(&mut joined).zip(offsets) {
            changed |= join_violators(order, joined, offset, &solution.theta);
        }
        if !changed {
            return Ok(solution);
        }
        solver.hold(groups(n, offsets, orders, &joined));
        solution = solver.solve(&solution.theta, penalty, tolerance)?;
    }
    // What few violations are left, the caller pools without fitting again.
    Ok(solution)
}

/// Pools adjacent violators; `joined[k]` says that the `k`-th bin in order is held equal to the one before it.
fn join_violators(order: &Order, joined: &mut [bool], offset: usize, theta: &[f64]) -> bool {
    // Blocks: (mean, rows, length in bins).
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    let mut changed = false;
    let mut ends: Vec<usize> = Vec::new();
    for (k, (&bin, &rows)) in order.bins.iter().zip(&order.rows).enumerate() {
        let value = theta.get(offset + bin).copied().unwrap_or_default();
        if joined.get(k) == Some(&true) {
            if let Some(last) = blocks.last_mut() {
                last.1 += rows;
                last.2 += 1;
            }
        } else {
            blocks.push((value, rows, 1));
        }
    }
    let mut pooled: Vec<(f64, f64, usize)> = Vec::new();
    for block in blocks {
        let mut current = block;
        while let Some(&before) = pooled.last() {
            if before.0 <= current.0 + 1e-9 {
                break;
            }
            pooled.pop();
            let rows = before.1 + current.1;
            current = ((before.0 * before.1 + current.0 * current.1) / rows, rows, before.2 + current.2);
        }
        pooled.push(current);
    }
    let mut end = 0;
    for block in &pooled {
        ends.push(end);
        end += block.2;
    }
    for (k, slot) in joined.iter_mut().enumerate() {
        let join = !ends.contains(&k);
        changed |= join && !*slot;
        *slot = join;
    }
    changed
}

/// Makes values rise along the weight of evidence by pooling adjacent violators; bins without rows are left alone.
pub fn pool_in_order(woe: &[f64], rows: &[f64], values: &mut [f64]) {
    let order = Order::new(woe, rows);
    let mut pooled: Vec<(f64, f64, usize)> = Vec::new();
    for (&bin, &weight) in order.bins.iter().zip(&order.rows) {
        let mut current = (values.get(bin).copied().unwrap_or_default(), weight, 1);
        while let Some(&before) = pooled.last() {
            if before.0 <= current.0 {
                break;
            }
            pooled.pop();
            let both = before.1 + current.1;
            current = ((before.0 * before.1 + current.0 * current.1) / both, both, before.2 + current.2);
        }
        pooled.push(current);
    }
    let mut bins = order.bins.iter();
    for (value, _, length) in pooled {
        for &bin in bins.by_ref().take(length) {
            if let Some(slot) = values.get_mut(bin) {
                *slot = value;
            }
        }
    }
}

/// Numbers of held parameters, in order of first appearance.
fn groups(n: usize, offsets: &[usize], orders: &[Order], joined: &[Vec<bool>]) -> Vec<usize> {
    let mut leader: Vec<usize> = (0..n).collect();
    for ((order, joined), &offset) in orders.iter().zip(joined).zip(offsets) {
        let mut first = 0;
        for (&bin, &join) in order.bins.iter().zip(joined) {
            if !join {
                first = offset + bin;
            }
            if let Some(slot) = leader.get_mut(offset + bin) {
                *slot = first;
            }
        }
    }
    let mut number = vec![usize::MAX; n];
    let mut next = 0;
    leader
        .iter()
        .map(|&l| {
            let Some(slot) = number.get_mut(l) else { return 0 };
            if *slot == usize::MAX {
                *slot = next;
                next += 1;
            }
            *slot
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violators_are_pooled_and_numbered() {
        let order = Order::new(&[0.5, -0.5, 0.1, 0.0], &[10.0, 10.0, 10.0, 0.0]);
        assert_eq!(order.bins, [1, 2, 0]);
        let mut joined = vec![false; 3];
        // In order of weight of evidence the values are 0.3, 0.1, 0.9: the first two contradict.
        assert!(join_violators(&order, &mut joined, 0, &[0.9, 0.3, 0.1, 0.0, 1.0]));
        assert_eq!(joined, [false, true, false]);
        assert_eq!(groups(5, &[0], &[order], &[joined]), [0, 1, 1, 2, 3]);
    }
}
