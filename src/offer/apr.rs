//! Annual percentage rate by the actuarial method.
//!
//! The unit-period rate `i` solves `A = Σ P_j ÷ ((1 + f_j·i) (1 + i)^{t_j})`: advance `A`, payment `P_j` after `t_j` whole unit-periods
//! and a fraction `f_j`. The annual percentage rate is `i` × unit-periods a year.
//!
//! Source: US Regulation Z, 12 CFR 1026, Appendix J, paragraphs (b)(1), (b)(4), (b)(5) and (b)(8).

use std::collections::BTreeMap;

/// One payment, placed in time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// Whole unit-periods after the advance.
    pub unit_periods: i32,
    /// Fraction of a unit-period beyond them, in [0, 1).
    pub fraction: f64,
    /// Amount paid, in minor units.
    pub amount_minor: i64,
}

/// Annual percentage rate of one advance and its payments: 0.1825 is 18.25 %.
///
/// `None` where the payments do not add up to the advance: such a loan has no rate at or above zero.
#[must_use]
pub fn annual_percentage_rate(advance_minor: i64, flows: &[Flow], unit_periods_a_year: f64) -> Option<f64> {
    let repaid: i128 = flows.iter().map(|f| i128::from(f.amount_minor)).sum();
    if advance_minor <= 0 || repaid < i128::from(advance_minor) {
        return None;
    }
    if repaid == i128::from(advance_minor) {
        return Some(0.0);
    }
    let advance = advance_minor as f64;
    // Falls strictly as the rate rises: one root, found by halving the bracket until it cannot be halved.
    let excess = |rate: f64| present_value(flows, rate) - advance;
    let mut low = 0.0;
    let mut high = 0.01;
    while excess(high) > 0.0 {
        low = high;
        high *= 2.0;
        if high > 1e9 {
            return None;
        }
    }
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return Some(middle * unit_periods_a_year);
        }
        if excess(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
}

fn present_value(flows: &[Flow], rate: f64) -> f64 {
    flows.iter().map(|f| f.amount_minor as f64 / ((1.0 + f.fraction * rate) * (1.0 + rate).powi(f.unit_periods))).sum()
}

/// Annual percentage rate of a loan repaid on the given days after the advance, which rise.
///
/// The unit-period is the distance between two payments, the first from the advance, that is found most often, the shorter of two found
/// equally often; where none is found twice, the standard interval nearest to their mean (a day, half a month, a year, whole weeks, whole months of
/// 30 days); the term of a single payment; and never more than a year (Appendix J (b)(4)). Whole unit-periods are counted back from each payment, and what is left at the
/// advance is a fraction (Appendix J (b)(5)): 365 days a year, 52 weeks a year where it is whole weeks between several payments.
#[must_use]
pub fn apr_of_days(advance_minor: i64, payments: &[(u16, i64)]) -> Option<f64> {
    let unit_days = unit_period(payments)?;
    let flows: Vec<Flow> = payments
        .iter()
        .map(|&(day, amount_minor)| Flow {
            unit_periods: i32::from(day / unit_days),
            fraction: f64::from(day % unit_days) / f64::from(unit_days),
            amount_minor,
        })
        .collect();
    let a_year = if payments.len() > 1 && unit_days % 7 == 0 {
        52.0 * 7.0 / f64::from(unit_days)
    } else {
        365.0 / f64::from(unit_days)
    };
    annual_percentage_rate(advance_minor, &flows, a_year)
}

/// Days of the unit-period; `None` without payments, or where one falls on the day of the advance or is out of order.
fn unit_period(payments: &[(u16, i64)]) -> Option<u16> {
    let mut distances: BTreeMap<u16, usize> = BTreeMap::new();
    let mut before = 0;
    for &(day, _) in payments {
        *distances.entry(day.checked_sub(before).filter(|days| *days > 0)?).or_default() += 1;
        before = day;
    }
    let most = distances.values().copied().max()?;
    let count = payments.len();
    let unit = if most > 1 || count == 1 {
        distances.into_iter().find(|(_, times)| *times == most)?.0
    } else {
        // Distances from the mean, times the count; of equally near intervals the shorter.
        let off = |days: u16| (u64::from(days) * count as u64).abs_diff(u64::from(before));
        let standard = [1, 15, 365].into_iter().chain((7..365).step_by(7)).chain((30..360).step_by(30));
        standard.min_by_key(|days| (off(*days), *days))?
    };
    Some(unit.min(365))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` payments, the first after `t` unit-periods and the fraction, then one a unit-period.
    fn regular(count: i32, t: i32, fraction: f64, amount_minor: i64) -> Vec<Flow> {
        (0..count).map(|n| Flow { unit_periods: t + n, fraction, amount_minor }).collect()
    }

    fn percent(advance_minor: i64, flows: &[Flow], a_year: f64) -> f64 {
        (annual_percentage_rate(advance_minor, flows, a_year).unwrap() * 10_000.0).round() / 100.0
    }

    /// The worked examples of Regulation Z, Appendix J (c), to the two decimals printed there.
    #[test]
    #[expect(clippy::float_cmp, reason = "figures rounded to two decimals")]
    fn examples_of_the_regulation() {
        // (c)(1)(i): monthly, regular first period.
        assert_eq!(percent(500_000, &regular(24, 1, 0.0, 23_000), 12.0), 9.69);
        // (c)(1)(ii): monthly, first period of 1 month and 19 days.
        assert_eq!(percent(600_000, &regular(36, 1, 19.0 / 30.0, 20_000), 12.0), 11.82);
        // (c)(1)(iii): semimonthly, first period of 6 days.
        assert_eq!(percent(500_000, &regular(24, 0, 6.0 / 15.0, 21_917), 24.0), 10.34);
        // (c)(1)(iv): quarterly, first period of 1 quarter and 39 days.
        assert_eq!(percent(1_000_000, &regular(40, 1, 39.0 / 90.0, 38_500), 4.0), 8.97);
        // (c)(1)(v): weekly, first period of 4 weeks and 4 days.
        assert_eq!(percent(50_000, &regular(30, 4, 4.0 / 7.0, 1_760), 52.0), 14.96);
        // (c)(2)(i): an odd first payment.
        let mut flows = regular(24, 1, 0.0, 23_000);
        flows[0].amount_minor = 25_000;
        assert_eq!(percent(500_000, &flows, 12.0), 10.08);
        // (c)(3)(i): an odd final payment.
        let mut flows = regular(24, 1, 0.0, 23_000);
        flows[23].amount_minor = 28_000;
        assert_eq!(percent(500_000, &flows, 12.0), 10.50);
        // (c)(4)(i): both.
        flows[0].amount_minor = 25_000;
        assert_eq!(percent(500_000, &flows, 12.0), 10.90);
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "figures rounded to two decimals")]
    fn a_single_payment_within_a_year_is_its_own_unit_period() {
        // (c)(5)(i): 1,000 for 255 days, repaid as 1,080.
        let apr = apr_of_days(100_000, &[(255, 108_000)]).unwrap();
        assert_eq!((apr * 10_000.0).round() / 100.0, 11.45);
        // 0.05 % a day for a week: 18.25 % a year.
        let week = apr_of_days(1_000_000, &[(7, 1_003_500)]).unwrap();
        assert!((week - 0.1825).abs() < 1e-12, "{week}");
    }

    #[test]
    fn weeks_are_fifty_two_a_year_and_other_spacings_are_days() {
        let weekly = apr_of_days(1_000_000, &[(14, 510_000), (28, 510_000)]).unwrap();
        let flows = regular(2, 1, 0.0, 510_000);
        assert_eq!(Some(weekly), annual_percentage_rate(1_000_000, &flows, 26.0));
        let thirty = apr_of_days(1_000_000, &[(30, 510_000), (60, 510_000)]).unwrap();
        assert_eq!(Some(thirty), annual_percentage_rate(1_000_000, &flows, 365.0 / 30.0));
    }

    #[test]
    fn the_unit_period_is_the_most_frequent_distance() {
        let of = |days: &[u16]| unit_period(&days.iter().map(|&day| (day, 1)).collect::<Vec<_>>());
        assert_eq!(of(&[45, 75, 105]), Some(30), "a long first period");
        assert_eq!(of(&[10, 24, 38]), Some(14), "a short one");
        assert_eq!(of(&[7, 14, 44, 74]), Some(7), "of two as frequent the shorter");
        assert_eq!(of(&[20, 61, 90]), Some(30), "none twice: 30 days on average");
        assert_eq!(of(&[3, 14, 23]), Some(7), "7.7 days on average");
        assert_eq!(of(&[900]), Some(365));
        assert_eq!(of(&[30, 30]), None);
        assert_eq!(of(&[]), None);
    }

    /// The regulation's own way of finding the rate by hand, Appendix J (b)(9): two trial rates and a straight line between their present values,
    /// again and again; with the present values from Horner's scheme on unit-periods, not from powers.
    fn by_interpolation(advance: f64, unit_days: u16, payments: &[(u16, i64)]) -> f64 {
        let present = |rate: f64| {
            let last = payments.iter().map(|p| p.0 / unit_days).max().unwrap();
            let mut sum = 0.0;
            for period in (0..=last).rev() {
                sum /= if period == last { 1.0 } else { 1.0 + rate };
                for &(day, amount) in payments.iter().filter(|p| p.0 / unit_days == period) {
                    let part = f64::from(day - period * unit_days) / f64::from(unit_days);
                    sum += amount as f64 / (1.0 + part * rate);
                }
            }
            sum
        };
        let (mut low, mut high) = (0.0, 0.001);
        while present(high) > advance {
            low = high;
            high *= 2.0;
        }
        for turn in 0..400 {
            // A straight line, and every third time the middle, so that both ends close in.
            let (at_low, at_high) = (present(low) - advance, present(high) - advance);
            let line = low + (high - low) * at_low / (at_low - at_high);
            let next = if turn % 3 == 2 { f64::midpoint(low, high) } else { line };
            if present(next) > advance { low = next } else { high = next }
        }
        let a_year = if payments.len() > 1 && unit_days.is_multiple_of(7) { 364.0 } else { 365.0 };
        f64::midpoint(low, high) * a_year / f64::from(unit_days)
    }

    /// Tolerances of 12 CFR 1026.22(a): an eighth of a percentage point, a quarter for irregular transactions. The two agree far closer.
    #[test]
    fn ten_thousand_random_loans_agree_with_the_regulations_own_method() {
        use rand::{RngExt as _, SeedableRng as _};
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(12);
        for number in 0..10_000 {
            let is_regular = number % 2 == 0;
            // Of an irregular loan at least two distances are alike: the others have an example above.
            let count = rng.random_range(if is_regular { 1..=24_u16 } else { 3..=24 });
            let unit: u16 = [7, 14, 15, 30, 60][rng.random_range(0..5)];
            let advance: i64 = rng.random_range(10_000..100_000_000);
            let first = if is_regular { unit } else { rng.random_range(1..=2 * unit) };
            let days: Vec<u16> = (0..count).map(|n| first + n * unit).collect();
            // Enough to repay with a charge of 0 to 40 %, in parts that differ where the loan is irregular.
            let charge = 1.0 + rng.random::<f64>() * 0.4;
            let mut payments: Vec<(u16, i64)> = Vec::new();
            for &day in &days {
                let uneven = if is_regular { 1.0 } else { 0.5 + rng.random::<f64>() };
                #[expect(clippy::cast_possible_truncation, reason = "amounts of a test")]
                let amount = (advance as f64 * charge * uneven / f64::from(count)).ceil() as i64;
                payments.push((day, amount));
            }
            let repaid: i64 = payments.iter().map(|p| p.1).sum();
            if repaid <= advance {
                continue;
            }
            let expected = by_interpolation(advance as f64, unit, &payments);
            let found = apr_of_days(advance, &payments).unwrap();
            assert!((found - expected).abs() < 1e-6 * (1.0 + expected), "{found} against {expected}: {payments:?}");
            let tolerance: f64 = if is_regular { 0.00125 } else { 0.0025 };
            assert!((found - expected).abs() < tolerance.max(1e-9 * expected));
        }
    }

    #[test]
    fn a_loan_that_repays_too_little_has_no_rate() {
        assert_eq!(apr_of_days(1_000, &[(30, 999)]), None);
        assert_eq!(apr_of_days(1_000, &[(30, 1_000)]), Some(0.0));
        assert_eq!(apr_of_days(0, &[(30, 1_000)]), None);
        assert_eq!(apr_of_days(1_000, &[]), None);
        assert_eq!(apr_of_days(1_000, &[(0, 2_000)]), None);
    }
}
