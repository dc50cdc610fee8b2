//! Exponentials, logarithms and related functions, with the same bits on every processor.
//!
//! The methods of `f64` call the C library, which picks a variant by what the processor can do (FMA, AVX2): their last bits differ from
//! machine to machine. The crate libm is one implementation in Rust, without such a choice. `clippy.toml` forbids the methods of `f64`
//! everywhere else. What IEEE 754 defines exactly (`+ − × ÷`, `sqrt`, rounding to whole numbers) needs no such care.

/// eˣ.
#[must_use]
pub fn exp(x: f64) -> f64 {
    libm::exp(x)
}

/// eˣ − 1, exact near 0.
#[must_use]
pub fn exp_m1(x: f64) -> f64 {
    libm::expm1(x)
}

/// Natural logarithm.
#[must_use]
pub fn ln(x: f64) -> f64 {
    libm::log(x)
}

/// ln(1 + x), exact near 0.
#[must_use]
pub fn ln_1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// Decimal logarithm.
#[must_use]
pub fn log10(x: f64) -> f64 {
    libm::log10(x)
}

/// `base` to the power of `exponent`.
#[must_use]
pub fn pow(base: f64, exponent: f64) -> f64 {
    libm::pow(base, exponent)
}

/// Cosine of an angle in radians.
#[must_use]
pub fn cos(x: f64) -> f64 {
    libm::cos(x)
}

/// ln Γ(x), for x above 0.
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// Complementary error function, 1 − erf(x).
#[must_use]
pub fn erfc(x: f64) -> f64 {
    libm::erfc(x)
}

/// The logistic function 1 / (1 + e⁻ˣ), without overflow: the probability at log odds `x`.
#[must_use]
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + exp(-x))
    } else {
        let e = exp(x);
        e / (1.0 + e)
    }
}

/// ln(1 + eˣ), without overflow: the log loss of a row at log odds `x` against its outcome.
#[must_use]
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + ln_1p(exp(-x.abs()))
}

/// [`sigmoid`] and [`softplus`] of one value, for one exponential.
#[must_use]
pub fn sigmoid_and_softplus(x: f64) -> (f64, f64) {
    let e = exp(-x.abs());
    (if x >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) }, x.max(0.0) + ln_1p(e))
}

/// Log odds of a probability, ln(p / (1 − p)); infinite at 0 and 1.
#[must_use]
pub fn logit(p: f64) -> f64 {
    ln(p) - ln_1p(-p)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bits of libm 0.2.16. A processor, or a version of the crate, that computes otherwise fails here before it changes a published byte.
    #[test]
    fn bits_are_those_of_every_processor() {
        let found: [(&str, f64, u64); 9] = [
            ("exp", exp(-std::f64::consts::LN_2 / 90.0), 0x3fef_c126_8983_65e4),
            ("exp", exp(1.1), 0x4008_0888_3244_d593),
            ("exp_m1", exp_m1(13.7), 0x412b_303c_54fb_3873),
            ("ln", ln(3.7), 0x3ff4_eeee_650a_e550),
            ("ln_1p", ln_1p(123_456.0), 0x4027_7282_0431_b3bc),
            ("log10", log10(7.3), 0x3feb_a057_4343_68c8),
            ("pow", pow(0.37, 2.9), 0x3fac_a539_3c5b_d5ac),
            ("erfc", erfc(1.3), 0x3fb0_e4da_f646_962e),
            ("ln_gamma", ln_gamma(37.5), 0x4058_6164_c3e7_8ac0),
        ];
        let wrong: Vec<String> = found
            .iter()
            .filter(|(_, value, bits)| value.to_bits() != *bits)
            .map(|(name, value, _)| format!("{name}: {value:e} {:#x}", value.to_bits()))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn both_of_one_value_are_each_of_it() {
        let (mut x, mut values) = (-800.0_f64, vec![0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY]);
        while x < 800.0 {
            values.push(x);
            x += if x.abs() < 5.0 { 0.001 } else { 0.37 };
        }
        for x in values {
            let (p, loss) = sigmoid_and_softplus(x);
            assert_eq!([p, loss].map(f64::to_bits), [sigmoid(x), softplus(x)].map(f64::to_bits), "{x}");
        }
    }

    #[test]
    fn odds_and_probabilities_invert_each_other() {
        for x in [-700.0, -30.0, -1.0, 0.0, 0.3, 20.0] {
            let back = logit(sigmoid(x));
            assert!((back - x).abs() <= 1e-6 * (1.0 + x.abs()), "{x} {back}");
            assert!((softplus(x) - softplus(-x) - x).abs() <= 1e-12 * (1.0 + x.abs()));
        }
        assert_eq!(
            [sigmoid(f64::NEG_INFINITY), sigmoid(f64::INFINITY)].map(f64::to_bits),
            [0.0, 1.0].map(f64::to_bits)
        );
    }
}
