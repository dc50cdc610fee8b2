//! What broken records might have said: a shard's tables with each of them read in one way.
//!
//! A review with one star that cannot be read is not in the clean tables, and a shop without it looks better than the shop it is. Features are
//! computed from what can be read, and stay so: they are what SQL makes of the clean tables. Credit rests on the worst that they could have been.
//! For merchants with broken records the tables are therefore also drawn up with these records in them, in three ways:
//!
//! | broken record | [`Scenario::Favourable`] | [`Scenario::Adverse`] | [`Scenario::Unresolved`] |
//! |---|---|---|---|
//! | order | completed after five days | cancelled by the merchant and refunded in full | completed, then refunded in full |
//! | shipment | handed over at once, arrived a day later, without tracking | due when the order was placed, lost | due when the order was placed, arrived only now |
//! | review | five stars | one star | one star |
//! | stock-taking | the least stock of the merchant, after the best sales | the most stock, nothing sold | nothing left, nothing sold |
//! | dispute | won by the merchant | counterfeit goods, lost for the full amount | a lawsuit, still open |
//!
//! Nobody can say of a feature in general which reading is the worst: a good order makes the best month of a shop better, and its months more
//! unequal. So all three are judged, and of each part of a decision (rules, caps, price) the worst of them and of the clean tables counts.
//!
//! What a broken record says in other cells (when it happened or by when it must have, which order, buyer and amount it names) is taken from it, or from
//! another version of its key. Where nothing says it, an order or a dispute has the merchant's largest amount, and it happened when it became known, or just
//! before the observation; an order that went wrong was placed six weeks before, since measures let the orders of the last weeks mature. A record that
//! names no order of the merchant is of several: the latest completed one that was placed before, and those of which a broken promise would cost most, by
//! amount and age, of the completed and of the others, with and without the orders that cannot be read themselves. So one more record that cannot be read
//! draws none away from the order that it hurts.
//!
//! Rows that an earlier night knew and that are no longer sent are such records too, of which nothing can be read ([`RowsBefore`]). Trade of days past that grew
//! since is none: it can be read, and is doubted ([`PastTrade`]).
//!
//! Broken records of loans are none of this: a loan that cannot be read is unknown ([`crate::repayment`]). Nor are those of applications, memberships and
//! merchants, which are unknown where credit hangs on them ([`crate::exposure`]). Source: project judgement.

mod missing;
mod past_trade;
mod rows;
mod shard;
mod stock;
mod trade;

pub use missing::{MissingError, ROW_MISSING, RememberedRows, RowsBefore};
pub use past_trade::PastTrade;
pub use shard::AffectedMerchants;

use serde::{Deserialize, Serialize};

/// A way to read broken records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// As good as they could have been.
    Favourable,
    /// Promises broken, and decided so.
    Adverse,
    /// Promises broken, or alleged to be, as late as could be; orders of the last month not handed over yet.
    Unresolved,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Favourable, Self::Adverse, Self::Unresolved];

    /// As it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Favourable => "favourable",
            Self::Adverse => "adverse",
            Self::Unresolved => "unresolved",
        }
    }
}
