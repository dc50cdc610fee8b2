//! The normal distribution, as far as tests and intervals need it.

use crate::domain::distributions::{normal_two_sided, normal_two_sided_quantile};

/// Probability that a standard normal variable is at least as far from 0 as `z`.
#[must_use]
pub fn two_sided_p_value(z: f64) -> f64 {
    normal_two_sided(z)
}

/// The z that a standard normal variable stays within with probability `confidence`.
#[must_use]
pub fn two_sided_z(confidence: f64) -> f64 {
    normal_two_sided_quantile(1.0 - confidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::fixture::assert_close;

    // scipy 1.17.1: 2 * norm.sf(1.96), norm.ppf(.975), 2 * norm.sf(6)
    #[test]
    fn equals_scipy() {
        assert_close(two_sided_p_value(-1.96), 0.049_995_790_296_440_87, 1e-11);
        assert_close(two_sided_p_value(6.0), 1.973_175_290_075_396e-9, 1e-17);
        assert_close(two_sided_z(0.95), 1.959_963_984_540_054, 1e-9);
    }
}
