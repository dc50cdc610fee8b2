//! The outcome of a table's rows: a column of two values, or conditions.

use clap::Args;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::domain::grouped;
use crate::model::ModelError;
use crate::workbench::table::{TableFile, read_target, ruled_outcome};

/// The outcome by conditions, in place of a column.
#[derive(Debug, Clone, Default, Args)]
pub struct OutcomeRuleArgs {
    /// In place of --target: which rows are bad, a condition in SQL, such as "`loan_status` IN ('Charged Off', 'Default')". The columns it names are no variables.
    #[arg(long, value_name = "CONDITION", conflicts_with_all = ["target", "positive"])]
    pub bad: Option<String>,
    /// With --bad: which rows are good. Rows that are neither are left out and counted. Without it, rows are good for which --bad is false.
    #[arg(long, value_name = "CONDITION", requires = "bad")]
    pub good: Option<String>,
}

/// What is known of the outcome.
#[derive(Debug)]
pub struct Outcome {
    /// Of the table's rows that are kept.
    pub is_bad: Vec<bool>,
    /// Columns that know the outcome.
    pub columns: Vec<String>,
    /// Which rows of the file are kept; `None`: all.
    pub kept: Option<Vec<bool>>,
    /// What a reader must know: how many rows were left out.
    pub note: Option<String>,
}

impl Outcome {
    /// Draws rows without putting any back, as many of each outcome as their share asks for; of the table only these are kept.
    ///
    /// # Errors
    /// No row is asked for.
    pub fn sample(&mut self, file: &mut TableFile, rows: usize, seed: u64) -> Result<(), ModelError> {
        if rows == 0 {
            return Err(ModelError::BadSetting { setting: "sample", why: "1 row or more".to_owned() });
        }
        let all = self.is_bad.len();
        if rows >= all {
            return Ok(());
        }
        let mut is_drawn = vec![false; all];
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for outcome in [false, true] {
            let of_outcome = self.is_bad.iter().enumerate().filter(|(_, bad)| **bad == outcome);
            let mut places: Vec<usize> = of_outcome.map(|(at, _)| at).collect();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
            let take = ((places.len() as f64 * rows as f64 / all as f64).round() as usize).min(places.len());
            for i in 0..take {
                let j = rng.random_range(i..places.len());
                places.swap(i, j);
            }
            for at in places.into_iter().take(take) {
                if let Some(slot) = is_drawn.get_mut(at) {
                    *slot = true;
                }
            }
        }
        let mut drawn = is_drawn.iter().copied();
        let kept: Vec<bool> = match self.kept.take() {
            // One flag of the draw for each row that is kept so far.
            Some(kept) => kept.into_iter().map(|kept| kept && drawn.next() == Some(true)).collect(),
            None => drawn.collect(),
        };
        let mut of_row = is_drawn.iter();
        self.is_bad.retain(|_| of_row.next() == Some(&true));
        let words = format!(
            "{} of {} rows were drawn with seed {seed}",
            grouped(self.is_bad.len() as u64),
            grouped(all as u64)
        );
        self.note = Some(self.note.take().map_or_else(|| words.clone(), |note| format!("{note}; {words}")));
        file.keep(kept.clone());
        self.kept = Some(kept);
        Ok(())
    }
}

/// Reads the outcome; of the table, only rows that have one are kept.
///
/// # Errors
/// Neither --target nor --bad is given, or what they say cannot be.
pub fn outcome_of(
    file: &mut TableFile,
    target: Option<&str>,
    positive: Option<&str>,
    rule: &OutcomeRuleArgs,
) -> Result<Outcome, ModelError> {
    match (target, &rule.bad) {
        (_, Some(bad)) => {
            let ruled = ruled_outcome(file, bad, rule.good.as_deref())?;
            let note = ruled.note();
            file.keep(ruled.kept.clone());
            Ok(Outcome { is_bad: ruled.is_bad, columns: ruled.columns, kept: Some(ruled.kept), note })
        }
        (Some(target), None) => {
            let (is_bad, _) = read_target(file, target, positive)?;
            Ok(Outcome { is_bad, columns: vec![target.to_owned()], kept: None, note: None })
        }
        (None, None) => {
            Err(ModelError::BadSetting { setting: "target", why: "--target or --bad is needed".to_owned() })
        }
    }
}
