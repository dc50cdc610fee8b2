//! Annual percentage rate by the actuarial method.
//!
//! The unit-period rate `i` solves `A = Σ P_j ÷ ((1 + f_j·i) (1 + i)^{t_j})`: advance `A`, payment `P_j` after `t_j` whole unit-periods
//! and a fraction `f_j`. The annual percentage rate is `i` × unit-periods a year.
//!
//! Source: US Regulation Z, 12 CFR 1026, Appendix J, paragraphs (b)(1), (b)(4), (b)(5) and (b)(8).

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

/// Annual percentage rate of a loan repaid on the given days after the advance.
///
/// The unit-period is the distance between payments, or the term of a single payment, but never more than a year: 365 days a year,
/// 52 weeks a year where it is whole weeks between several payments (Appendix J (b)(4), (b)(5)(iv)–(vii)).
#[must_use]
pub fn apr_of_days(advance_minor: i64, payments: &[(u16, i64)]) -> Option<f64> {
    let &(first_day, _) = payments.first()?;
    let unit_days = first_day.min(365);
    if unit_days == 0 {
        return None;
    }
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
    fn a_loan_that_repays_too_little_has_no_rate() {
        assert_eq!(apr_of_days(1_000, &[(30, 999)]), None);
        assert_eq!(apr_of_days(1_000, &[(30, 1_000)]), Some(0.0));
        assert_eq!(apr_of_days(0, &[(30, 1_000)]), None);
        assert_eq!(apr_of_days(1_000, &[]), None);
        assert_eq!(apr_of_days(1_000, &[(0, 2_000)]), None);
    }
}
