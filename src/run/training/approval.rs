//! Whether a trained model does well enough for the job itself to approve it.

use crate::model::TestFigures;
use crate::run::ModelSettings;

/// AUC of a model that knows nothing.
const CHANCE: f64 = 0.5;

/// That a model may rank merchants no better than chance, by the figures of its validation: whoever approves or uses it should know.
#[must_use]
pub fn no_better_than_chance(test: Option<&TestFigures>) -> Option<String> {
    let (auc, [low, _]) = test.and_then(|test| test.auc.zip(test.auc_interval))?;
    (low <= CHANCE).then(|| {
        format!(
            "the model's out-of-time AUC is {auc:.3} and may be {low:.3}, which is no better than chance: it may tell nobody from anybody, and what is offered by it rests on luck"
        )
    })
}

/// Why a model is not approved by the job itself: its out-of-time AUC may be lower than asked for, or no better than chance, or it puts
/// every merchant into one band.
#[must_use]
pub fn shortfall(settings: &ModelSettings, test: Option<&TestFigures>) -> Option<String> {
    let least = settings.approve_min_auc;
    let Some((test, (auc, [low, _]))) = test.and_then(|test| Some((test, test.auc.zip(test.auc_interval)?))) else {
        return Some("its out-of-time AUC is not known".to_owned());
    };
    let in_use = test.by_band.iter().filter(|rows| **rows > 0).count();
    if low <= CHANCE {
        Some(format!(
            "its out-of-time AUC is {auc:.3} and may be {low:.3}, which is no better than chance: a job approves no such model, whatever \
             approve_min_auc says"
        ))
    } else if in_use < 2 {
        Some(format!(
            "it puts all out-of-time merchants into {}: it tells nobody from anybody",
            if in_use == 0 { "no band that is known" } else { "one band" }
        ))
    } else if low < least {
        Some(format!(
            "its out-of-time AUC is {auc:.3} and may be {low:.3}, and the job approves from {least} on (approve_min_auc); is there \
             enough history for the snapshots?"
        ))
    } else if !is_told_by(least, test.rarer()) {
        Some(format!(
            "it was judged by {} of those who were bad or good: so few a model is ranked right by chance that is no better than {least} \
             (approve_min_auc)",
            test.rarer()
        ))
    } else {
        None
    }
}

/// Whether so many merchants of one outcome tell a model from one of this AUC, which ranks all of them right with about that power of it: an interval about an AUC of 1 knows nothing of that.
fn is_told_by(auc: f64, merchants: u64) -> bool {
    const BY_CHANCE: f64 = 0.025;
    let mut chance = 1.0;
    for _ in 0..merchants.min(1_000) {
        chance *= auc.max(CHANCE);
    }
    chance <= BY_CHANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(approve_min_auc: f64) -> ModelSettings {
        ModelSettings { approve_min_auc, ..ModelSettings::fixture() }
    }

    fn figures(auc: Option<f64>, low: Option<f64>, bands: &[u64]) -> TestFigures {
        let auc_interval = low.map(|low| [low, 0.99]);
        TestFigures { rows: 200, bad: 30, auc, auc_interval, by_band: bands.to_vec() }
    }

    #[test]
    fn a_job_approves_only_what_beats_chance_and_tells_merchants_apart() {
        let why = |least: f64, test: &TestFigures| shortfall(&settings(least), Some(test));
        assert_eq!(why(0.6, &figures(Some(0.8), Some(0.7), &[5, 0, 3])), None);
        for (least, test, words) in [
            (0.0, figures(Some(0.5), Some(0.5), &[5, 3]), "no better than chance"),
            (0.5, figures(Some(0.62), Some(0.5), &[5, 3]), "no better than chance"),
            (0.0, figures(Some(0.7), Some(0.41), &[5, 3]), "no better than chance"),
            (0.0, figures(Some(0.8), Some(0.7), &[0, 8, 0]), "one band"),
            (0.0, figures(Some(0.8), Some(0.7), &[]), "no band"),
            (0.75, figures(Some(0.8), Some(0.7), &[5, 3]), "approve_min_auc"),
            (0.0, figures(None, None, &[5, 3]), "not known"),
            (0.0, figures(Some(0.8), None, &[5, 3]), "not known"),
        ] {
            let told = why(least, &test).unwrap();
            assert!(told.contains(words), "{told}");
        }
        assert!(shortfall(&settings(0.0), None).unwrap().contains("not known"));
        // An interval about a perfect order of a few knows nothing of how few they are.
        for (bad, is_enough) in [(1, false), (7, false), (8, true), (199, false)] {
            let perfect = TestFigures { bad, ..figures(Some(1.0), Some(1.0), &[5, 3]) };
            assert_eq!(why(0.6, &perfect).is_none(), is_enough, "{bad}");
        }
    }
}
