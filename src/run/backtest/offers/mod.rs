//! What a policy would have offered in the past, and what became of the loans that were really made.
//!
//! ```text
//! for every past date, oldest first
//!   model ── trained on what was known then, used until it expires
//!   features, ledger, accounts, alerts as of that date ──▶ offers and declines, under the policy and under the other one
//!   loans really made up to the next date ── each meets the decision on its merchant and product
//! at the end: what became of these loans ──▶ approval, loss, non-performing share and profit by band, vintage and product; swaps
//! ```
//! **What is not known stays a range.** Of a loan that is still open and was never in default, or whose books do not agree, nobody knows how it
//! ends; of an offer whose merchant drew no loan nobody knows whether it would have been drawn, or repaid; and a loan above the limit would have
//! been a smaller one. Every figure that rests on such a loan or offer is given from its lowest to its highest value: the lowest loss is that of all
//! ending well, the highest that of all ending badly. Two things are taken as given: what a merchant did with a loan does not depend on who
//! made it, and a merchant who repaid a loan would have repaid a smaller one.
//!
//! Offers of one date are not carried to the next: nobody could draw them, and each date's offers take the place of those before. What officers
//! decided is of other nights, and is left out.

mod dates;
mod figures;
mod follow;
mod loan_fate;
mod model_shelf;
mod night;
mod page;
mod replay;
mod report;
mod side;

pub use dates::OfferBacktestOptions;
pub use figures::{Approval, LoanFigures, MoneyRange, OfferFigures, ShareRange};
pub use follow::{DateLine, SwapSet, Swaps};
pub use replay::backtest_offers;
pub use report::{ModelUsed, OfferBacktest, SideReport};

#[cfg(test)]
#[path = "offers_tests.rs"]
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "small numbers of tests")]
mod tests;
