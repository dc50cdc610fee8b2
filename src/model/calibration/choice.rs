//! Which calibration? Chosen out of sample, and never more complicated than the evidence asks for.
//!
//! Each method is fitted on all folds but one and judged by its log loss on the one left out. Among the methods whose loss is within one
//! standard error (of the paired difference) of the best, the simplest wins: identity, Platt, beta, isotonic. The winner is fitted again on all rows.
//!
//! Folds are dealt to the sorted rows from two decks, one for goods and one for bads, shuffled by a seeded generator: the order of the table does not matter, and
//! every fold holds its share of bads. Dealing evenly *along* the predictions as well would leak: each fold would copy the local bad rates of the others,
//! noise and all, and the step curve would always win.
//!
//! The raw PDs should themselves come from rows the model was not fitted to (out-of-fold or hold-out predictions): on its training rows an overfitted
//! model looks calibrated, and the map would learn to do nothing.
//!
//! Source: the one-standard-error rule of Breiman et al. (1984), Classification and Regression Trees.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::beta::fit_beta;
use super::error::CalibrationError;
use super::isotonic::fit_isotonic;
use super::map::{Calibration, CalibrationMap, DEFAULT_PD_FLOOR};
use super::platt::fit_platt;
use crate::model::validation::{Ranked, Tie, ValidationError, log_loss};

/// A way to calibrate, from the simplest to the most flexible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Leave the raw PD.
    Identity,
    /// Logistic line.
    Platt,
    /// Three-parameter beta map.
    Beta,
    /// Step curve.
    Isotonic,
}

impl Method {
    /// All methods, simplest first.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Platt, Self::Beta, Self::Isotonic];

    /// Fits this method to ties.
    ///
    /// # Errors
    /// Where the method has no solution on the sample.
    pub fn fit(self, ties: &[Tie]) -> Result<CalibrationMap, CalibrationError> {
        match self {
            Self::Identity => Ok(CalibrationMap::Identity),
            Self::Platt => fit_platt(ties),
            Self::Beta => fit_beta(ties),
            Self::Isotonic => fit_isotonic(ties),
        }
    }
}

/// How to choose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CalibrationSettings {
    /// The methods allowed.
    pub methods: Vec<Method>,
    /// Folds, 2 to 20.
    pub folds: u8,
    /// Seed of the folds.
    pub seed: u64,
    /// Least PD ever stated.
    pub pd_floor: f64,
}

impl Default for CalibrationSettings {
    fn default() -> Self {
        Self { methods: Method::ALL.to_vec(), folds: 5, seed: 1, pd_floor: DEFAULT_PD_FLOOR }
    }
}

/// How one method did on rows it was not fitted to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The method.
    pub method: Method,
    /// Mean out-of-fold log loss; null where the method could not be fitted.
    pub log_loss: Option<f64>,
    /// Loss above the best candidate's.
    pub excess: Option<f64>,
    /// Standard error of that excess, from the rows' paired differences.
    pub excess_error: Option<f64>,
    /// Why the method could not be fitted.
    pub refused: Option<String>,
}

/// The chosen calibration and the evidence for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationChoice {
    /// The winner, fitted on all rows.
    pub calibration: Calibration,
    /// Its method.
    pub method: Method,
    /// All candidates, simplest first.
    pub candidates: Vec<Candidate>,
    /// Folds used: fewer than asked for where a class has fewer rows.
    pub folds: u8,
    /// Why there was no choice to make; null where candidates were compared.
    pub note: Option<String>,
}

/// Compares the allowed methods and fits the winner. A sample too small to split (fewer than two rows of a class) keeps the raw PD, and says so.
///
/// # Errors
/// No method allowed, folds or floor out of range.
pub fn choose_calibration(
    sample: &Ranked,
    settings: &CalibrationSettings,
) -> Result<CalibrationChoice, CalibrationError> {
    let mut methods = settings.methods.clone();
    methods.sort_unstable();
    methods.dedup();
    check(&methods, settings)?;
    let floor = |map| Calibration::new(map, settings.pd_floor);

    let rarer = sample.bad_rows().min(sample.rows() - sample.bad_rows());
    let folds = settings.folds.min(u8::try_from(rarer).unwrap_or(u8::MAX));
    if folds < 2 {
        return Ok(CalibrationChoice {
            calibration: floor(CalibrationMap::Identity)?,
            method: Method::Identity,
            candidates: Vec::new(),
            folds: 0,
            note: Some(format!("{rarer} rows of the rarer class are too few to compare methods: the raw PD is kept")),
        });
    }

    let candidates = methods.iter().map(|method| CandidateMethod::new(*method)).collect::<Vec<_>>();
    let (candidates, paired) = run_folds(sample, candidates, folds, settings);
    let candidates = judge(&candidates, &paired);
    let winner = candidates
        .iter()
        .find(|c| c.excess.zip(c.excess_error).is_some_and(|(excess, error)| excess <= error))
        .map_or(Method::Identity, |c| c.method);
    let map = winner.fit(sample.ties())?;
    Ok(CalibrationChoice { calibration: floor(map)?, method: winner, candidates, folds, note: None })
}

fn check(methods: &[Method], settings: &CalibrationSettings) -> Result<(), CalibrationError> {
    let bad = |setting, value, allowed| Err(ValidationError::BadSetting { setting, value, allowed }.into());
    if methods.is_empty() {
        return bad("the number of calibration methods", 0.0, "at least 1");
    }
    if !(2..=20).contains(&settings.folds) {
        return bad("folds", f64::from(settings.folds), "2 to 20");
    }
    Ok(())
}

/// One method's way through the folds.
struct CandidateMethod {
    method: Method,
    loss: f64,
    refused: Option<String>,
}

impl CandidateMethod {
    fn new(method: Method) -> Self {
        Self { method, loss: 0.0, refused: None }
    }
}

/// Weighted sums, over rows, of squared loss differences between each pair of methods.
type Paired = Vec<Vec<f64>>;

fn run_folds(
    sample: &Ranked,
    mut candidates: Vec<CandidateMethod>,
    folds: u8,
    settings: &CalibrationSettings,
) -> (Vec<CandidateMethod>, Paired) {
    let assignment = FoldAssignment::new(sample, folds, settings.seed);
    let mut squares = vec![vec![0.0; candidates.len()]; candidates.len()];
    let mut mass = 0.0;
    for fold in 0..folds {
        let (train, held_out) = assignment.split(sample, fold);
        let maps: Vec<Option<Calibration>> = candidates
            .iter_mut()
            .map(|candidate| {
                match candidate.method.fit(&train).and_then(|map| Calibration::new(map, settings.pd_floor)) {
                    Ok(calibration) => Some(calibration),
                    Err(error) => {
                        candidate.refused.get_or_insert(error.to_string());
                        None
                    }
                }
            })
            .collect();
        for tie in &held_out {
            let losses: Vec<Option<[f64; 2]>> = maps
                .iter()
                .map(|map| {
                    let pd = map.as_ref()?.apply(tie.pd);
                    let loss = |good, bad| log_loss(&[Tie { pd, good, bad }]);
                    Some([loss(1.0, 0.0), loss(0.0, 1.0)])
                })
                .collect();
            mass += tie.mass();
            for (candidate, loss) in candidates.iter_mut().zip(&losses) {
                if let Some([good, bad]) = loss {
                    candidate.loss += tie.good * good + tie.bad * bad;
                }
            }
            for (row, one) in squares.iter_mut().zip(&losses) {
                for (sum, other) in row.iter_mut().zip(&losses) {
                    if let (Some(one), Some(other)) = (one, other) {
                        *sum += tie.good * (one[0] - other[0]).powi(2) + tie.bad * (one[1] - other[1]).powi(2);
                    }
                }
            }
        }
    }
    for candidate in &mut candidates {
        candidate.loss /= mass;
    }
    // Standard error of a mean difference: sqrt((mean square − square of mean) / mass).
    let losses: Vec<f64> = candidates.iter().map(|candidate| candidate.loss).collect();
    for (row, one) in squares.iter_mut().zip(&losses) {
        for (sum, other) in row.iter_mut().zip(&losses) {
            *sum = ((*sum / mass - (one - other).powi(2)).max(0.0) / mass).sqrt();
        }
    }
    (candidates, squares)
}

fn judge(candidates: &[CandidateMethod], errors: &Paired) -> Vec<Candidate> {
    let best = candidates
        .iter()
        .enumerate()
        .filter(|(_, candidate)| candidate.refused.is_none())
        .min_by(|(_, a), (_, b)| a.loss.total_cmp(&b.loss))
        .map(|(i, candidate)| (i, candidate.loss));
    candidates
        .iter()
        .enumerate()
        .map(|(i, candidate)| {
            let fitted = best.filter(|_| candidate.refused.is_none());
            Candidate {
                method: candidate.method,
                log_loss: fitted.map(|_| candidate.loss),
                excess: fitted.map(|(_, loss)| candidate.loss - loss),
                excess_error: fitted.and_then(|(best, _)| errors.get(i)?.get(best).copied()),
                refused: candidate.refused.clone(),
            }
        })
        .collect()
}

/// The fold of each good and of each bad row, in order of prediction.
struct FoldAssignment {
    good: Vec<u8>,
    bad: Vec<u8>,
}

impl FoldAssignment {
    /// Shuffles a deck per class, in which each fold stands equally often.
    fn new(sample: &Ranked, folds: u8, seed: u64) -> Self {
        let deck = |rows: u64, stream: u64| {
            let mut deck: Vec<u8> = (0..rows).zip((0..folds).cycle()).map(|(_, fold)| fold).collect();
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(stream);
            deck.shuffle(&mut rng);
            deck
        };
        Self { good: deck(sample.rows() - sample.bad_rows(), 0), bad: deck(sample.bad_rows(), 1) }
    }

    /// The ties outside and inside fold number `fold`.
    fn split(&self, sample: &Ranked, fold: u8) -> (Vec<Tie>, Vec<Tie>) {
        let empty = |tie: &Tie| Tie { pd: tie.pd, good: 0.0, bad: 0.0 };
        let mut train: Vec<Tie> = sample.ties().iter().map(empty).collect();
        let mut held_out = train.clone();
        let (mut good, mut bad) = (self.good.iter(), self.bad.iter());
        for cell in sample.cells() {
            let deck = if cell.is_bad { &mut bad } else { &mut good };
            let held = (0..cell.rows).filter_map(|_| deck.next()).filter(|dealt| **dealt == fold).count() as u64;
            for (ties, rows) in [(&mut train, cell.rows - held), (&mut held_out, held)] {
                if let Some(tie) = ties.get_mut(cell.tie) {
                    let mass = rows as f64 * cell.row_weight;
                    if cell.is_bad { tie.bad += mass } else { tie.good += mass }
                }
            }
        }
        train.retain(|tie| tie.mass() > 0.0);
        held_out.retain(|tie| tie.mass() > 0.0);
        (train, held_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::elementary::sigmoid;
    use crate::model::validation::fixture::{PD, is_bad, ranked, single_class};
    use crate::model::validation::{calibration_line, clamped_logit};

    /// Rows whose true log odds are `distort` of the predicted ones; outcomes drawn by a seeded generator.
    fn distorted(rows: usize, distort: fn(f64) -> f64) -> Ranked {
        use rand::RngExt;
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let pd: Vec<f64> = (0..rows).map(|_| 0.02 + 0.9 * rng.random::<f64>().powi(2)).collect();
        let is_bad: Vec<bool> = pd.iter().map(|p| rng.random::<f64>() < sigmoid(distort(clamped_logit(*p)))).collect();
        Ranked::new(&is_bad, &pd).unwrap()
    }

    fn chosen(sample: &Ranked) -> CalibrationChoice {
        choose_calibration(sample, &CalibrationSettings::default()).unwrap()
    }

    #[test]
    fn calibrated_predictions_are_left_alone() {
        let choice = chosen(&distorted(4000, |odds| odds));
        assert_eq!(choice.method, Method::Identity, "{choice:?}");
        assert_eq!(choice.candidates.len(), 4);
    }

    #[test]
    fn overconfident_predictions_get_a_line_that_repairs_new_rows() {
        let sample = distorted(4000, |odds| 0.4 * odds - 0.5);
        let choice = chosen(&sample);
        assert_eq!(choice.method, Method::Platt, "{choice:?}");
        let CalibrationMap::Platt { slope, .. } = choice.calibration.map() else { panic!() };
        assert!((slope - 0.4).abs() < 0.1);
        let pd: Vec<f64> = sample.ties().iter().map(|t| choice.calibration.apply(t.pd)).collect();
        let bad: Vec<bool> = sample.ties().iter().map(|t| t.bad > 0.0).collect();
        let line = calibration_line(Ranked::new(&bad, &pd).unwrap().ties()).unwrap();
        assert!((line.slope - 1.0).abs() < 0.05, "{line:?}");
    }

    #[test]
    fn a_step_in_the_truth_gets_a_step_curve() {
        let choice = chosen(&distorted(8000, |odds| {
            if odds > 0.0 {
                3.0
            } else if odds > -1.5 {
                -0.5
            } else {
                -3.0
            }
        }));
        assert_eq!(choice.method, Method::Isotonic, "{choice:?}");
    }

    #[test]
    fn row_order_changes_nothing_and_the_seed_does() {
        let settings = CalibrationSettings::default();
        let (mut bad, mut pd) = (is_bad(), PD.to_vec());
        let before = choose_calibration(&ranked(), &settings).unwrap();
        bad.rotate_left(7);
        pd.rotate_left(7);
        let rotated = Ranked::new(&bad, &pd).unwrap();
        assert_eq!(choose_calibration(&rotated, &settings).unwrap(), before);
        let other = choose_calibration(&ranked(), &CalibrationSettings { seed: 2, ..settings }).unwrap();
        assert_ne!(other.candidates, before.candidates);
    }

    #[test]
    fn folds_part_the_rows() {
        let sample = ranked();
        let assignment = FoldAssignment::new(&sample, 5, 3);
        let mut held = 0.0;
        for fold in 0..5 {
            let (train, held_out) = assignment.split(&sample, fold);
            let mass = |ties: &[Tie]| ties.iter().map(Tie::mass).sum::<f64>();
            assert!((mass(&train) + mass(&held_out) - 40.0).abs() < 1e-12);
            assert!((7.0..=9.0).contains(&mass(&held_out)));
            held += mass(&held_out);
        }
        assert!((held - 40.0).abs() < 1e-12);
    }

    #[test]
    fn too_little_data_keeps_the_raw_pd_and_says_so() {
        let choice = chosen(&single_class());
        assert_eq!(choice.method, Method::Identity);
        assert!(choice.note.unwrap().contains("0 rows of the rarer class"));
    }

    #[test]
    fn a_method_without_a_fit_is_recorded_not_hidden() {
        let two = Ranked::new(&[true, false, false, true, true, false], &[0.3, 0.3, 0.3, 0.4, 0.4, 0.4]).unwrap();
        let choice = chosen(&two);
        let beta = choice.candidates.iter().find(|c| c.method == Method::Beta).unwrap();
        assert!(beta.log_loss.is_none() && beta.refused.is_some());
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let with = |change: fn(&mut CalibrationSettings)| {
            let mut settings = CalibrationSettings::default();
            change(&mut settings);
            choose_calibration(&ranked(), &settings)
        };
        assert!(with(|s| s.folds = 1).is_err());
        assert!(with(|s| s.methods.clear()).is_err());
        assert!(with(|s| s.pd_floor = 0.7).is_err());
        assert!(with(|s| s.pd_floor = f64::NAN).is_err());
    }
}
