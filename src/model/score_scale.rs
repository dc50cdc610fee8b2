//! What a score means: its band and its probability of default.

use super::scorecard::Scorecard;
use crate::domain::{Probability, RateError};

/// Scores of a scorecard with what they mean, from the lowest that any row can have to the highest.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreScale {
    low: i32,
    /// By score, from `low` on.
    pd: Vec<Probability>,
    /// Riskiest first.
    bands: Vec<BandScores>,
}

/// The scores of a band.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandScores {
    /// The band.
    pub band: String,
    /// Lowest score.
    pub low: i32,
    /// Highest score.
    pub high: i32,
}

impl ScoreScale {
    /// The scale of a scorecard.
    ///
    /// # Errors
    /// A value that is not a probability: a broken calibration.
    pub fn of(card: &Scorecard) -> Result<Self, RateError> {
        let (low, high) = card.score_range();
        let pd = (low..=high).map(|score| Probability::new(card.probability(score))).collect::<Result<Vec<_>, _>>()?;
        let mut bands: Vec<BandScores> = Vec::new();
        for score in low..=high {
            match bands.last_mut() {
                Some(last) if last.band == card.band(score) => last.high = score,
                _ => bands.push(BandScores { band: card.band(score).to_owned(), low: score, high: score }),
            }
        }
        Ok(Self { low, pd, bands })
    }

    /// A scale made by hand: the probability of default by score, from `low` on, and the lowest score of each band, riskiest first.
    #[cfg(test)]
    pub(crate) fn made(low: i32, pd: Vec<Probability>, bands: &[(&str, i32)]) -> Self {
        let high = low + i32::try_from(pd.len()).unwrap() - 1;
        let ends = bands.iter().skip(1).map(|(_, next)| next - 1).chain([high]);
        let band = |((band, low), high): (&(&str, i32), i32)| BandScores { band: (*band).to_owned(), low: *low, high };
        Self { low, pd, bands: bands.iter().zip(ends).map(band).collect() }
    }

    /// The probability of default at the riskiest score.
    #[must_use]
    pub fn riskiest(&self) -> Probability {
        self.pd.iter().copied().reduce(|a, b| if a.get() < b.get() { b } else { a }).unwrap_or(Probability::ONE)
    }

    /// Bands that any row can have, riskiest first.
    #[must_use]
    pub fn bands(&self) -> &[BandScores] {
        &self.bands
    }

    /// The probability of default at a score; beyond the ends of the scale that of the end.
    #[must_use]
    pub fn probability(&self, score: i32) -> Probability {
        let at = usize::try_from(score.saturating_sub(self.low)).unwrap_or(0);
        self.pd.get(at).or(self.pd.last()).copied().unwrap_or(Probability::ONE)
    }
}
