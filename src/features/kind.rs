//! What a kind of feature is, and the list of kinds.

use std::fmt::Debug;
use std::sync::Arc;

use super::error::FeatureError;
use super::measured::MerchantTiles;
use super::params::Params;
use super::{
    attribute::Attribute, balance::Balance, concentration::Concentration, days_since::DaysSince,
    decayed_stock::DecayedStock, distinct_buyers::DistinctBuyers, latest::Latest, longest_gap::LongestGap,
    lowest_period::LowestPeriod, mean::Mean, quantile::Quantile, ratio::Ratio, relative_share::RelativeShare,
    relative_trend::RelativeTrend, repeat_share::RepeatShare, rows_per_buyer::RowsPerBuyer, share::Share, sum::Sum,
    tenure::Tenure, trend::Trend, variation::Variation,
};
use crate::config::ConfigError;
use crate::tiles::DayWindow;

/// A measure's place in [`crate::features::FeatureConfig::measures`].
pub type MeasureId = usize;

/// One measure over one window: what evidence is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Read {
    /// The measure.
    pub measure: MeasureId,
    /// The window.
    pub window: DayWindow,
}

/// Tells a measure's name.
pub type Names<'a> = &'a dyn Fn(MeasureId) -> String;

/// Typed algebra over measures and windows.
///
/// A kind reads windows of measures and makes one number of them. It decides what missing means *within* its formula (a
/// denominator too small); absent tables and short histories are decided for all kinds alike, in `compute`.
pub trait FeatureKind: Debug + Send + Sync {
    /// Windows that the value depends on.
    fn reads(&self) -> Vec<Read>;

    /// Whether single rows are needed, not only sums by day.
    fn needs_rows(&self) -> bool {
        false
    }

    /// Windows of the merchant's category that the value depends on.
    fn industry_reads(&self) -> Vec<Read> {
        Vec::new()
    }

    /// The merchant's own column that the value depends on.
    fn attribute(&self) -> Option<&Attribute> {
        None
    }

    /// Days of history without which the formula says nothing.
    fn history_days(&self) -> u16 {
        0
    }

    /// Days of the window that a name must mention; `None` where there is no window.
    fn named_days(&self) -> Option<u16>;

    /// Words by which a name may mention the window: `90d`; `12m` for twelve periods of 30 days.
    fn window_words(&self) -> Vec<String> {
        self.named_days().map(|days| format!("{days}d")).into_iter().collect()
    }

    /// The formula in plain text, for the dictionary.
    fn formula(&self, names: Names) -> String;

    /// The value for one merchant; `None` where there is too little to say it.
    ///
    /// # Errors
    /// Sums beyond 64 bits.
    fn value(&self, merchant: &MerchantTiles) -> Result<Option<f64>, FeatureError>;
}

type Make = fn(&mut Params) -> Result<Arc<dyn FeatureKind>, ConfigError>;

/// Every kind by the name that configuration gives it.
pub const KINDS: [(&str, Make); 21] = [
    ("sum", |p| Ok(Arc::new(Sum::read(p)?))),
    ("share", |p| Ok(Arc::new(Share::read(p)?))),
    ("ratio", |p| Ok(Arc::new(Ratio::read(p)?))),
    ("mean", |p| Ok(Arc::new(Mean::read(p)?))),
    ("trend", |p| Ok(Arc::new(Trend::read(p)?))),
    ("variation", |p| Ok(Arc::new(Variation::read(p)?))),
    ("lowest-period", |p| Ok(Arc::new(LowestPeriod::read(p)?))),
    ("longest-gap", |p| Ok(Arc::new(LongestGap::read(p)?))),
    ("days-since", |p| Ok(Arc::new(DaysSince::read(p)?))),
    ("tenure", |_| Ok(Arc::new(Tenure))),
    ("distinct-buyers", |p| Ok(Arc::new(DistinctBuyers::read(p)?))),
    ("repeat-share", |p| Ok(Arc::new(RepeatShare::read(p)?))),
    ("rows-per-buyer", |p| Ok(Arc::new(RowsPerBuyer::read(p)?))),
    ("concentration", |p| Ok(Arc::new(Concentration::read(p)?))),
    ("quantile", |p| Ok(Arc::new(Quantile::read(p)?))),
    ("latest", |p| Ok(Arc::new(Latest::read(p)?))),
    ("decayed-stock", |p| Ok(Arc::new(DecayedStock::read(p)?))),
    ("balance", |p| Ok(Arc::new(Balance::read(p)?))),
    ("attribute", |p| Ok(Arc::new(Attribute::read(p)?))),
    ("relative-share", |p| Ok(Arc::new(RelativeShare::read(p)?))),
    ("relative-trend", |p| Ok(Arc::new(RelativeTrend::read(p)?))),
];

/// A window in words: `[D − 90, D)`.
#[must_use]
pub fn window_words(window: DayWindow) -> String {
    match (window.from, window.days()) {
        (_, None) => "all of history before D".to_owned(),
        (0, Some(_)) => format!("[D − {}, D)", window.to),
        (from, Some(_)) => format!("[D − {}, D − {from})", window.to),
    }
}
