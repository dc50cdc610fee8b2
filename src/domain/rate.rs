//! Shares, probabilities and rates: finite values in range, by construction.

use serde::{Deserialize, Serialize};

/// A value that is not a share, probability or rate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RateError {
    /// Not finite or outside the unit interval.
    #[error("take {value} as a {what}: it must be a finite number from 0 to 1")]
    OutsideUnit {
        /// What the value was meant to be.
        what: &'static str,
        /// The value.
        value: f64,
    },
    /// A daily rate below 0 or above 100 % a day.
    #[error("take {0} ppm as a daily rate: it must be from 0 to 1,000,000")]
    BadDailyRate(i64),
}

macro_rules! unit_interval {
    ($name:ident, $what:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// None of it.
            pub const ZERO: Self = Self(0.0);
            /// All of it.
            pub const ONE: Self = Self(1.0);

            /// # Errors
            /// NaN, infinities and values outside 0 to 1.
            pub fn new(value: f64) -> Result<Self, RateError> {
                if (0.0..=1.0).contains(&value) {
                    Ok(Self(value))
                } else {
                    Err(RateError::OutsideUnit { what: $what, value })
                }
            }

            /// The value, from 0 to 1.
            #[must_use]
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = RateError;
            fn try_from(value: f64) -> Result<Self, RateError> {
                Self::new(value)
            }
        }

        impl From<$name> for f64 {
            fn from(value: $name) -> f64 {
                value.0
            }
        }
    };
}

unit_interval!(Probability, "probability", "A probability, 0 to 1.");
unit_interval!(Share, "share", "A part of a whole, 0 to 1.");

/// A daily interest rate in parts per million: 500 is 0.05 % a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct DailyRate(i64);

impl DailyRate {
    /// # Errors
    /// Below 0 or above 1,000,000 ppm (100 % a day).
    pub fn from_ppm(ppm: i64) -> Result<Self, RateError> {
        if (0..=1_000_000).contains(&ppm) { Ok(Self(ppm)) } else { Err(RateError::BadDailyRate(ppm)) }
    }

    /// Parts per million a day.
    #[must_use]
    pub const fn ppm(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for DailyRate {
    type Error = RateError;
    fn try_from(ppm: i64) -> Result<Self, RateError> {
        Self::from_ppm(ppm)
    }
}

impl From<DailyRate> for i64 {
    fn from(rate: DailyRate) -> i64 {
        rate.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_values_in_range() {
        assert!(Probability::new(0.0).is_ok());
        assert!(Probability::new(1.0).is_ok());
        for bad in [-0.01, 1.01, f64::NAN, f64::INFINITY] {
            assert!(Probability::new(bad).is_err());
            assert!(Share::new(bad).is_err());
        }
        assert_eq!(DailyRate::from_ppm(500).unwrap().ppm(), 500);
        assert!(DailyRate::from_ppm(-1).is_err());
    }
}
