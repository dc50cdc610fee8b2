//! The hazard model foresees trouble: so much of what a borrower owes is at risk.

use super::finding::Finding;
use crate::monitor::outlook::Outlook;

/// The word of a monitor file.
pub const KIND: &str = "hazard";

/// Fires from so much money at risk on (minor units). Unknown where the model says nothing: there is none, or the borrower is late with something
/// already, which rules on arrears are for.
#[must_use]
pub fn judge(outlook: Option<&Outlook>, from_minor: f64) -> Finding {
    Finding::at_least(outlook.map(|outlook| outlook.at_risk_minor() as f64), from_minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_at_risk_against_the_threshold() {
        let outlook = Outlook { trouble_prob: 0.1, owed_minor: 5_000, case_cost_minor: 0 };
        assert_eq!(judge(Some(&outlook), 500.0), Finding::Fired { observed: 500.0, threshold: 500.0 });
        assert!(matches!(judge(Some(&outlook), 501.0), Finding::Quiet { .. }));
        assert_eq!(judge(None, 500.0), Finding::Unknown);
    }
}
