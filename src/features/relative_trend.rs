//! Relative trend: a merchant's trend less that of its category.

use super::comparison::Comparison;
use super::guard::PeerGuard;
use super::kind::{ComparedKind, FeatureKind, Names, Read};
use super::params::Params;
use super::relative_share::min_peers;
use super::trend::TwoWindows;
use crate::config::ConfigError;

/// `(own trend − trend of the category's other merchants together) ÷ 2`, from −1 to 1; trends as in the kind `trend`.
///
/// Trade that falls with its industry is the industry's trouble, trade that falls alone is the merchant's. With `of_category` it
/// is the category's own trend, the merchant included: the condition of the industry. Null where either trend is, or with fewer than
/// `min_peers` others that traded in either window.
#[derive(Debug)]
pub struct RelativeTrend {
    windows: TwoWindows,
    of_category: bool,
    min_peers: u64,
}

impl RelativeTrend {
    /// Keys: those of [`TwoWindows`], `of_category`, `min_peers`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self { windows: TwoWindows::read(p)?, of_category: p.flag("of_category")?, min_peers: min_peers(p)? })
    }
}

impl FeatureKind for RelativeTrend {
    fn reads(&self) -> Vec<Read> {
        self.windows.both()
    }

    fn history_days(&self) -> u16 {
        if self.of_category { 0 } else { self.windows.earlier.window.to }
    }

    fn formula(&self, names: Names) -> String {
        let windows = self.windows.words(names);
        if self.of_category {
            format!("(r − e) ÷ (|r| + |e|) of the merchant and its peers together, {windows}")
        } else {
            format!("½ × ((r − e) ÷ (|r| + |e|), less the same of the peers), {windows}")
        }
    }
}

impl ComparedKind for RelativeTrend {
    fn peer_guards(&self) -> Vec<PeerGuard> {
        let TwoWindows { recent, earlier } = self.windows;
        vec![PeerGuard::Peers { read: recent, or: Some(earlier), least: self.min_peers }]
    }

    fn value(&self, comparison: &Comparison) -> Option<f64> {
        let TwoWindows { recent, earlier } = self.windows;
        let (own_r, own_e) = comparison.own(recent).zip(comparison.own(earlier))?;
        let (others_r, others_e) = comparison.others(recent).zip(comparison.others(earlier))?;
        let (own_r, own_e) = (i128::from(own_r.sum), i128::from(own_e.sum));
        if self.of_category {
            return self.windows.change(others_r.sum + own_r, others_e.sum + own_e);
        }
        let own = self.windows.change(own_r, own_e)?;
        Some((own - self.windows.change(others_r.sum, others_e.sum)?) / 2.0)
    }
}
