//! Relative share: a merchant's share less that of its category.

use super::comparison::Comparison;
use super::guard::{Guard, PeerGuard};
use super::kind::{ComparedKind, FeatureKind, Names, Read};
use super::params::Params;
use super::share::{Share, share_of};
use crate::config::ConfigError;

/// `own share − share of the category's other merchants together`, from −1 to 1; shares as in the kind `share`.
///
/// A wet Christmas makes everyone late; who is later than the neighbours is careless. Leaving the merchant itself out keeps a big
/// one from being compared with itself. Null where the merchant's own denominator is below `min_denominator`, or fewer than
/// `min_peers` others have any of the denominator.
#[derive(Debug)]
pub struct RelativeShare {
    share: Share,
    min_peers: u64,
}

impl RelativeShare {
    /// Keys: those of [`Share`], `min_peers`.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        Ok(Self { share: Share::read(p)?, min_peers: min_peers(p)? })
    }
}

/// `min_peers`, 5 where not given.
pub fn min_peers(p: &mut Params) -> Result<u64, ConfigError> {
    Ok(p.optional_whole("min_peers", 1..=1_000_000)?.map_or(5, i64::unsigned_abs))
}

impl FeatureKind for RelativeShare {
    fn reads(&self) -> Vec<Read> {
        self.share.reads()
    }

    fn guards(&self) -> Vec<Guard> {
        self.share.guards()
    }

    fn formula(&self, names: Names) -> String {
        format!("{}, less the same of the peers", self.share.formula(names))
    }
}

impl ComparedKind for RelativeShare {
    fn peer_guards(&self) -> Vec<PeerGuard> {
        let read = self.share.denominator();
        vec![PeerGuard::Peers { read, or: None, least: self.min_peers }, PeerGuard::Sum { read, least: 1 }]
    }

    fn value(&self, comparison: &Comparison) -> Option<f64> {
        let (numerator, denominator) = (self.share.numerator(), self.share.denominator());
        let (own_n, own_d) = comparison.own(numerator).zip(comparison.own(denominator))?;
        let (others_n, others_d) = comparison.others(numerator).zip(comparison.others(denominator))?;
        Some(share_of(own_n.sum.into(), own_d.sum.into()) - share_of(others_n.sum, others_d.sum))
    }
}
