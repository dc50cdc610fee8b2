//! What a kind of feature is, and the list of kinds.

use std::fmt::Debug;
use std::ops::Deref;
use std::sync::Arc;

use super::comparison::Comparison;
use super::guard::{Guard, PeerGuard};
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

/// What every kind of feature declares: which windows it reads, when it is null, and its formula.
///
/// A kind is typed algebra over measures and windows. How the value is computed depends on what it may look at: see [`OwnKind`] and
/// [`ComparedKind`].
pub trait FeatureKind: Debug + Send + Sync {
    /// Windows of the merchant that the value depends on.
    fn reads(&self) -> Vec<Read>;

    /// Whether single rows are needed, not only sums by day.
    fn needs_rows(&self) -> bool {
        false
    }

    /// The merchant's own column that the value depends on.
    fn attribute(&self) -> Option<&Attribute> {
        None
    }

    /// When the merchant's own evidence is too thin. [`Kind::guards`] checks and prints them; the formula itself does neither.
    fn guards(&self) -> Vec<Guard> {
        Vec::new()
    }

    /// Days of history without which the formula says nothing.
    fn history_days(&self) -> u16 {
        0
    }

    /// Days of the window that a name must mention; `None` where there is no window.
    fn named_days(&self) -> Option<u16> {
        self.reads().first().and_then(|read| read.window.days())
    }

    /// Words by which a name may mention the window: `90d`; `12m` for twelve periods of 30 days.
    fn window_words(&self) -> Vec<String> {
        self.named_days().map(|days| format!("{days}d")).into_iter().collect()
    }

    /// The formula in plain text, with every parameter but those of the guards.
    fn formula(&self, names: Names) -> String;
}

/// A kind that looks at the merchant's own tiles and at nothing else: computed as soon as a shard is measured.
pub trait OwnKind: FeatureKind {
    /// The value for one merchant whose evidence has passed the guards; `None` where evidence is missing or the formula divides by zero.
    fn value(&self, merchant: &MerchantTiles) -> Option<f64>;
}

/// A kind that compares the merchant with the others of its category: computed once every shard has been measured, from the
/// merchant's sums over [`FeatureKind::reads`] and the category's totals of the same windows.
pub trait ComparedKind: FeatureKind {
    /// When the category's evidence is too thin.
    fn peer_guards(&self) -> Vec<PeerGuard>;

    /// The value for one merchant whose evidence has passed all guards; `None` where evidence is missing or the formula divides by zero.
    fn value(&self, comparison: &Comparison) -> Option<f64>;
}

/// A feature's kind with its parameters.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Looks at the merchant alone.
    Own(Arc<dyn OwnKind>),
    /// Compares with the category.
    Compared(Arc<dyn ComparedKind>),
}

impl Deref for Kind {
    type Target = dyn FeatureKind;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Own(kind) => kind.as_ref(),
            Self::Compared(kind) => kind.as_ref(),
        }
    }
}

impl Kind {
    fn own(kind: impl OwnKind + 'static) -> Self {
        Self::Own(Arc::new(kind))
    }

    fn compared(kind: impl ComparedKind + 'static) -> Self {
        Self::Compared(Arc::new(kind))
    }

    /// Windows of the merchant's category that the value depends on: the same as the merchant's own where it is compared at all.
    #[must_use]
    pub fn industry_reads(&self) -> Vec<Read> {
        match self {
            Self::Own(_) => Vec::new(),
            Self::Compared(kind) => kind.reads(),
        }
    }

    /// When the category's evidence is too thin; empty where the category does not matter.
    #[must_use]
    pub fn peer_guards(&self) -> Vec<PeerGuard> {
        match self {
            Self::Own(_) => Vec::new(),
            Self::Compared(kind) => kind.peer_guards(),
        }
    }
}

type Make = fn(&mut Params) -> Result<Kind, ConfigError>;

/// Every kind by the name that configuration gives it.
pub const KINDS: [(&str, Make); 21] = [
    ("sum", |p| Ok(Kind::own(Sum::read(p)?))),
    ("share", |p| Ok(Kind::own(Share::read(p)?))),
    ("ratio", |p| Ok(Kind::own(Ratio::read(p)?))),
    ("mean", |p| Ok(Kind::own(Mean::read(p)?))),
    ("trend", |p| Ok(Kind::own(Trend::read(p)?))),
    ("variation", |p| Ok(Kind::own(Variation::read(p)?))),
    ("lowest-period", |p| Ok(Kind::own(LowestPeriod::read(p)?))),
    ("longest-gap", |p| Ok(Kind::own(LongestGap::read(p)?))),
    ("days-since", |p| Ok(Kind::own(DaysSince::read(p)?))),
    ("tenure", |_| Ok(Kind::own(Tenure))),
    ("distinct-buyers", |p| Ok(Kind::own(DistinctBuyers::read(p)?))),
    ("repeat-share", |p| Ok(Kind::own(RepeatShare::read(p)?))),
    ("rows-per-buyer", |p| Ok(Kind::own(RowsPerBuyer::read(p)?))),
    ("concentration", |p| Ok(Kind::own(Concentration::read(p)?))),
    ("quantile", |p| Ok(Kind::own(Quantile::read(p)?))),
    ("latest", |p| Ok(Kind::own(Latest::read(p)?))),
    ("decayed-stock", |p| Ok(Kind::own(DecayedStock::read(p)?))),
    ("balance", |p| Ok(Kind::own(Balance::read(p)?))),
    ("attribute", |p| Ok(Kind::own(Attribute::read(p)?))),
    ("relative-share", |p| Ok(Kind::compared(RelativeShare::read(p)?))),
    ("relative-trend", |p| Ok(Kind::compared(RelativeTrend::read(p)?))),
];

impl Read {
    /// The window's sum in words: `Σ gmv over [D − 90, D)`.
    #[must_use]
    pub fn sum_words(self, names: Names) -> String {
        format!("Σ {}", self.words(names))
    }

    /// The window in words: `gmv over [D − 90, D)`.
    #[must_use]
    pub fn words(self, names: Names) -> String {
        format!("{} over {}", names(self.measure), window_words(self.window))
    }
}

/// A window in words: `[D − 90, D)`.
#[must_use]
pub fn window_words(window: DayWindow) -> String {
    match (window.from, window.days()) {
        (_, None) => "all of history before D".to_owned(),
        (0, Some(_)) => format!("[D − {}, D)", window.to),
        (from, Some(_)) => format!("[D − {}, D − {from})", window.to),
    }
}
