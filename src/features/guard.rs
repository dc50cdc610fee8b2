//! Guards: when a feature is null because there is too little to say it.
//!
//! A guard is data. What checks it and what prints it read the same parameters, so that the dictionary cannot leave out a condition
//! that decides whether a value is null.

use super::buyers::by_buyer;
use super::comparison::Comparison;
use super::kind::{Names, Read};
use super::measured::MerchantTiles;

/// A condition on the merchant's own evidence. Where it fails the feature is null.
///
/// A guard over a window without evidence fails: what is not known is not enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Guard {
    /// The merchant registered at least so many days before as-of.
    History {
        /// Least days.
        days: u16,
    },
    /// The window's sum is at least so much.
    Sum {
        /// The window.
        read: Read,
        /// Least sum.
        least: i64,
    },
    /// The window's mean a row is at least so much.
    Mean {
        /// The window.
        read: Read,
        /// Least mean.
        least: i64,
    },
    /// The window holds at least so many rows.
    Rows {
        /// The window.
        read: Read,
        /// Least rows.
        least: u64,
    },
    /// The window names at least so many buyers.
    Buyers {
        /// The window.
        read: Read,
        /// Least buyers.
        least: usize,
    },
    /// No buyer's sum over the window is negative.
    NoNegativeBuyer {
        /// The window.
        read: Read,
    },
    /// The sizes of two windows' sums together are at least so much.
    Movement {
        /// The later window.
        recent: Read,
        /// The earlier window.
        earlier: Read,
        /// Least sum of sizes.
        least: i64,
    },
    /// The window holds a row, or the merchant was there for so many days.
    RowOrHistory {
        /// The window.
        read: Read,
        /// Least days.
        days: u16,
    },
}

impl Guard {
    /// Whether a merchant's evidence is enough.
    #[must_use]
    pub fn holds(&self, merchant: &MerchantTiles) -> bool {
        let tally = |read: &Read| merchant.tally(*read);
        let was_there = |days: u16| merchant.tenure_days() >= i64::from(days);
        match self {
            Self::History { days } => was_there(*days),
            Self::Sum { read, least } => tally(read).is_some_and(|t| t.sum >= *least),
            Self::Mean { read, least } => {
                tally(read).is_some_and(|t| t.rows > 0 && t.sum as f64 / t.rows as f64 >= *least as f64)
            }
            Self::Rows { read, least } => tally(read).is_some_and(|t| t.rows >= *least),
            Self::Buyers { read, least } => merchant.rows(*read).is_some_and(|rows| by_buyer(rows).len() >= *least),
            Self::NoNegativeBuyer { read } => {
                merchant.rows(*read).is_some_and(|rows| by_buyer(rows).iter().all(|buyer| buyer.sum >= 0))
            }
            Self::Movement { recent, earlier, least } => tally(recent)
                .zip(tally(earlier))
                .is_some_and(|(r, e)| i128::from(r.sum).abs() + i128::from(e.sum).abs() >= i128::from(*least)),
            Self::RowOrHistory { read, days } => tally(read).is_some_and(|t| t.rows > 0 || was_there(*days)),
        }
    }

    /// When the feature is null, in words.
    #[must_use]
    pub fn words(&self, names: Names) -> String {
        let registered = |days: u16| format!("the merchant registered fewer than {days} days before D");
        match self {
            Self::History { days } => registered(*days),
            Self::Sum { read, least } => format!("{} < {least}", read.sum_words(names)),
            Self::Mean { read, least } => {
                format!("{} ÷ its rows < {least} or there are none", read.sum_words(names))
            }
            Self::Rows { read, least } => format!("rows of {} < {least}", read.words(names)),
            Self::Buyers { read, least } => format!("distinct buyers of {} < {least}", read.words(names)),
            Self::NoNegativeBuyer { read } => format!("a buyer's {} < 0", read.sum_words(names)),
            Self::Movement { recent, earlier, least } => {
                format!("|{}| + |{}| < {least}", recent.sum_words(names), earlier.sum_words(names))
            }
            Self::RowOrHistory { read, days } => {
                format!("rows of {} < 1 and {}", read.words(names), registered(*days))
            }
        }
    }
}

/// A condition on the evidence of the other merchants of the category. Where it fails the feature is null.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PeerGuard {
    /// At least so many others have a row in one of the two windows, whichever has more.
    Peers {
        /// A window.
        read: Read,
        /// Another window, where there are two.
        or: Option<Read>,
        /// Least merchants.
        least: u64,
    },
    /// The others' sum over the window is at least so much.
    Sum {
        /// The window.
        read: Read,
        /// Least sum.
        least: i64,
    },
}

impl PeerGuard {
    /// Whether the others' evidence is enough.
    #[must_use]
    pub fn holds(&self, comparison: &Comparison) -> bool {
        match self {
            Self::Peers { read, or, least } => {
                let counts = std::iter::once(read).chain(or).map(|read| comparison.others(*read).map(|o| o.merchants));
                counts.collect::<Option<Vec<u64>>>().and_then(|n| n.into_iter().max()).is_some_and(|n| n >= *least)
            }
            Self::Sum { read, least } => comparison.others(*read).is_some_and(|o| o.sum >= i128::from(*least)),
        }
    }

    /// When the feature is null, in words.
    #[must_use]
    pub fn words(&self, names: Names) -> String {
        match self {
            Self::Peers { read, or: None, least } => format!("peers with rows of {} < {least}", read.words(names)),
            Self::Peers { read, or: Some(other), least } => {
                format!("peers with rows of {} < {least} and of {} < {least}", read.words(names), other.words(names))
            }
            Self::Sum { read, least } => format!("peers' {} < {least}", read.sum_words(names)),
        }
    }
}
