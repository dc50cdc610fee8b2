//! Newton's method with step halving, for convex functions: the one solver behind every maximum-likelihood fit.

/// A convex function, with what its Newton steps need.
pub trait Convex {
    /// What is computed once at a point, for its value and for the step from it.
    type Seen;
    /// Why there is no optimum.
    type Error;

    /// Looks at a point.
    fn look(&self, at: &[f64]) -> Self::Seen;

    /// The function's value there.
    fn value(&self, seen: &Self::Seen) -> f64;

    /// The Newton step to subtract; `None` where the point is the optimum.
    ///
    /// # Errors
    /// There is no step: the function is flat or not finite.
    fn step(&mut self, at: &[f64], seen: &Self::Seen) -> Result<Option<Vec<f64>>, Self::Error>;

    /// Told that a full step went too far: a second derivative kept from an earlier point serves no longer.
    fn overshot(&mut self) {}

    /// Why no optimum was found within `steps`.
    fn not_converged(&self, steps: usize) -> Self::Error;
}

/// Where a search ended.
#[derive(Debug, Clone)]
pub struct Optimum<S> {
    /// The point.
    pub at: Vec<f64>,
    /// What was seen there.
    pub seen: S,
    /// Steps taken.
    pub steps: usize,
}

const MAX_STEPS: usize = 100;
/// The part of a step that is not halved again.
const SHORTEST: f64 = 1e-9;
/// Relative rise of the value that is rounding, not a step too far.
const ROUNDING: f64 = 1e-12;

/// The minimum, from `start`.
///
/// # Errors
/// What the function says of a point without a step, or of too many steps.
pub fn minimise<C: Convex>(function: &mut C, start: Vec<f64>) -> Result<Optimum<C::Seen>, C::Error> {
    let mut at = start;
    let mut seen = function.look(&at);
    for steps in 0..MAX_STEPS {
        let Some(step) = function.step(&at, &seen)? else { return Ok(Optimum { at, seen, steps }) };
        let most = function.value(&seen) + ROUNDING * function.value(&seen).abs();
        let mut length = 1.0;
        (at, seen) = loop {
            let next: Vec<f64> = at.iter().zip(&step).map(|(x, s)| x - length * s).collect();
            let there = function.look(&next);
            if function.value(&there) <= most || length < SHORTEST {
                break (next, there);
            }
            length /= 2.0;
        };
        if length < 1.0 {
            function.overshot();
        }
    }
    Err(function.not_converged(MAX_STEPS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::elementary::{exp, ln};

    /// eˣ − a x, least at ln a. From far below, full steps go much too far.
    struct Tilted(f64);

    impl Convex for Tilted {
        type Seen = f64;
        type Error = &'static str;

        fn look(&self, at: &[f64]) -> f64 {
            at[0]
        }

        fn value(&self, x: &f64) -> f64 {
            exp(*x) - self.0 * x
        }

        fn step(&mut self, _: &[f64], x: &f64) -> Result<Option<Vec<f64>>, Self::Error> {
            let gradient = exp(*x) - self.0;
            if !gradient.is_finite() {
                return Err("not finite");
            }
            Ok((gradient.abs() > 1e-12 * self.0).then(|| vec![gradient / exp(*x)]))
        }

        fn not_converged(&self, _: usize) -> Self::Error {
            "steps"
        }
    }

    #[test]
    fn full_steps_that_go_too_far_are_halved() {
        for start in [-6.0, 0.0, 9.0] {
            let found = minimise(&mut Tilted(5.0), vec![start]).unwrap();
            assert!((found.at[0] - ln(5.0)).abs() < 1e-10, "{start}: {}", found.at[0]);
        }
        assert_eq!(minimise(&mut Tilted(5.0), vec![f64::NAN]).unwrap_err(), "not finite");
    }
}
