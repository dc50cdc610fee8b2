//! Relative trend: a merchant's trend less that of its category.

use super::error::FeatureError;
use super::kind::{FeatureKind, MeasureId, Names, Read, window_words};
use super::measured::MerchantTiles;
use super::params::Params;
use super::relative_share::min_peers;
use super::trend::{bounded_change, trend_windows};
use crate::config::ConfigError;
use crate::tiles::DayWindow;

/// `(own trend − trend of the category's other merchants together) ÷ 2`, from −1 to 1; trends as in the kind `trend`.
///
/// Trade that falls with its industry is the industry's trouble, trade that falls alone is the merchant's. With `of_category` it
/// is the category's own trend, the merchant included: the condition of the industry. Null where either trend is, or with fewer than
/// `min_peers` others that traded in either window.
#[derive(Debug)]
pub struct RelativeTrend {
    measure: MeasureId,
    recent: DayWindow,
    earlier: DayWindow,
    of_category: bool,
    min_peers: u64,
}

impl RelativeTrend {
    /// Keys: `measure`, `window_days`, `maturity_days`, `against_days`, `of_category`, `min_peers`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        let measure = p.measure("measure")?;
        let (recent, earlier) = trend_windows(p)?;
        Ok(Self { measure, recent, earlier, of_category: p.flag("of_category")?, min_peers: min_peers(p)? })
    }
}

impl FeatureKind for RelativeTrend {
    fn reads(&self) -> Vec<Read> {
        [self.recent, self.earlier].map(|window| Read { measure: self.measure, window }).to_vec()
    }

    fn industry_reads(&self) -> Vec<Read> {
        self.reads()
    }

    fn named_days(&self) -> Option<u16> {
        self.recent.days()
    }

    fn history_days(&self) -> u16 {
        if self.of_category { 0 } else { self.earlier.to }
    }

    fn formula(&self, names: Names) -> String {
        let trend = format!(
            "(r − e) ÷ (|r| + |e|), r = Σ {name} a day over {}, e = a day over {}",
            window_words(self.recent),
            window_words(self.earlier),
            name = names(self.measure)
        );
        if self.of_category {
            format!("trend of the merchant's category, {trend}; null with fewer than {} peers", self.min_peers)
        } else {
            format!(
                "half of own trend less that of the category's other merchants, {trend}; null with fewer than {} peers",
                self.min_peers
            )
        }
    }

    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError> {
        let read = |window| Read { measure: self.measure, window };
        let own = merchant.tally(read(self.recent))?.zip(merchant.tally(read(self.earlier))?);
        let peers = merchant.peers(read(self.recent))?.zip(merchant.peers(read(self.earlier))?);
        let Some(((own_r, own_e), (peers_r, peers_e))) = own.zip(peers) else { return Ok(None) };
        if peers_r.merchants.max(peers_e.merchants) < self.min_peers {
            return Ok(None);
        }
        let Some((recent_days, earlier_days)) = self.recent.days().zip(self.earlier.days()) else { return Ok(None) };
        let change = |r: i64, e: i64| bounded_change(r, recent_days, e, earlier_days);
        if self.of_category {
            let both = peers_r.sum.checked_add(own_r.sum).zip(peers_e.sum.checked_add(own_e.sum));
            return Ok(both.and_then(|(r, e)| change(r, e)));
        }
        let own = change(own_r.sum, own_e.sum);
        Ok(own.zip(change(peers_r.sum, peers_e.sum)).map(|(own, peers)| (own - peers) / 2.0))
    }
}
