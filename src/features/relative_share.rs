//! Relative share: a merchant's share less that of its category.

use super::error::FeatureError;
use super::kind::{FeatureKind, MeasureId, Names, Read, window_words};
use super::measured::MerchantTiles;
use super::params::Params;
use super::share::share_of;
use crate::config::ConfigError;
use crate::tiles::DayWindow;

/// `own share − share of the category's other merchants together`, from −1 to 1; shares as in the kind `share`.
///
/// A wet Christmas makes everyone late; who is later than the neighbours is careless. Leaving the merchant itself out keeps a big
/// one from being compared with itself. Null where the merchant's own denominator is below `min_denominator`, or fewer than
/// `min_peers` others have any of the denominator.
#[derive(Debug)]
pub struct RelativeShare {
    numerator: MeasureId,
    denominator: MeasureId,
    window: DayWindow,
    min_denominator: i64,
    min_peers: u64,
}

impl RelativeShare {
    /// Keys: `numerator`, `denominator`, `window_days`, `maturity_days`, `min_denominator`, `min_peers`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self {
            numerator: p.measure("numerator")?,
            denominator: p.measure("denominator")?,
            window: p.window()?,
            min_denominator: p.optional_whole("min_denominator", 1..=i64::MAX)?.unwrap_or(1),
            min_peers: min_peers(p)?,
        })
    }
}

/// `min_peers`, 5 where not given.
pub fn min_peers(p: &mut Params) -> Result<u64, ConfigError> {
    Ok(p.optional_whole("min_peers", 1..=1_000_000)?.map_or(5, i64::unsigned_abs))
}

impl FeatureKind for RelativeShare {
    fn reads(&self) -> Vec<Read> {
        [self.numerator, self.denominator].map(|measure| Read { measure, window: self.window }).to_vec()
    }

    fn industry_reads(&self) -> Vec<Read> {
        self.reads()
    }

    fn named_days(&self) -> Option<u16> {
        self.window.days()
    }

    fn formula(&self, names: Names) -> String {
        format!(
            "Σ {n} ÷ Σ {d} over {w}, less the same of the category's other merchants; null where own Σ {d} < {} or with fewer than {} peers",
            self.min_denominator,
            self.min_peers,
            n = names(self.numerator),
            d = names(self.denominator),
            w = window_words(self.window)
        )
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        let numerator = Read { measure: self.numerator, window: self.window };
        let denominator = Read { measure: self.denominator, window: self.window };
        let Some((own_n, own_d)) = merchant.tally(numerator)?.zip(merchant.tally(denominator)?) else {
            return Ok(None);
        };
        let Some((peers_n, peers_d)) = merchant.peers(numerator)?.zip(merchant.peers(denominator)?) else {
            return Ok(None);
        };
        if peers_d.merchants < self.min_peers {
            return Ok(None);
        }
        let own = share_of(own_n.sum, own_d.sum, self.min_denominator);
        Ok(own.zip(share_of(peers_n.sum, peers_d.sum, 1)).map(|(own, peers)| own - peers))
    }
}
