//! What the hazard model foresees of a borrower.

/// Of a borrower who owes something and is late with nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// Probability of missing, within the model's horizon, a payment on the way into default.
    pub trouble_prob: f64,
    /// Principal not repaid, over all open loans; minor units.
    pub owed_minor: i64,
    /// What a default costs beside what is owed; minor units.
    pub case_cost_minor: i64,
}

impl Outlook {
    /// Money at risk: the probability times what is owed and what a default costs beside it, in whole minor units.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a share of an i64, so it fits but for rounding, which saturates"
    )]
    pub fn at_risk_minor(&self) -> i64 {
        let exposed = self.owed_minor.max(0).saturating_add(self.case_cost_minor);
        (self.trouble_prob * exposed as f64).round() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_at_risk_is_a_share_of_what_is_owed() {
        let of = |trouble_prob, owed_minor| Outlook { trouble_prob, owed_minor, case_cost_minor: 0 }.at_risk_minor();
        assert_eq!(
            [of(0.25, 1_000), of(0.0, 1_000), of(0.5, 1), of(0.5, -7), of(1.0, i64::MAX)],
            [250, 0, 1, 0, i64::MAX]
        );
        let with_cost = Outlook { trouble_prob: 0.25, owed_minor: 1_000, case_cost_minor: 200 };
        assert_eq!(with_cost.at_risk_minor(), 300);
    }
}
