//! Area under the precision–recall curve (average precision): how clean is the list of refusals while bads are being caught?
//!
//! `AP = Σ over cut-offs of (recall gained) × precision`, from the riskiest prediction down, without interpolation
//!
//! Precision divides by the rows refused, so the figure starts from the bad rate (a model without information scores about π) and cannot be
//! compared across samples of different bad rate. It looks where the ROC curve is blind: at rare bads.
//!
//! Source: Davis & Goadrich (2006); interpolation-free as in scikit-learn.

use super::error::Undefined;
use super::ranked::{Tie, class_mass};

/// Average precision.
///
/// # Errors
/// [`Undefined::SingleClass`].
pub fn average_precision(ties: &[Tie]) -> Result<f64, Undefined> {
    let (goods, bads) = class_mass(ties);
    if goods <= 0.0 || bads <= 0.0 {
        return Err(Undefined::SingleClass);
    }
    let (mut refused, mut caught, mut area) = (0.0, 0.0, 0.0);
    for tie in ties.iter().rev() {
        refused += tie.mass();
        caught += tie.bad;
        area += tie.bad / bads * (caught / refused);
    }
    Ok(area)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::validation::fixture::{assert_close, ranked, single_class, weighted};

    // scikit-learn 1.9.1: average_precision_score(y, pd), and with sample_weight.
    #[test]
    fn equals_scikit_learn() {
        assert_close(average_precision(ranked().ties()).unwrap(), 0.519_115_449_947_092_9, 1e-14);
        assert_close(average_precision(weighted().ties()).unwrap(), 0.541_501_988_755_480_4, 1e-14);
        assert_eq!(average_precision(single_class().ties()), Err(Undefined::SingleClass));
    }
}
