//! Ability to pay: what a merchant will take in over the days of a loan, as a distribution.
//!
//! ```text
//! ReceiptHistory ── levels (month, quarter, year, weakest months) ─┐
//! CategoryReceipts ── season of the category ──────────────────────┼─▶ quantiles of receipts over each horizon ─▶ ReceiptForecast
//! the category itself, shrunk to all categories ───────────────────┘       shifted by what calibration rows say
//! ```
//!
//! **What holds of a lower figure, whatever the data say.** It is
//! `Π levelᵢ^cᵢ × e^(constants)` with every `cᵢ ≥ 0` and `Σ cᵢ ≥ 1`, and each level is a sum, or the least of some sums, of the merchant's own
//! receipts. So less receipts in any period never give more, and a trade divided between two ids never gives more than it gave undivided
//! (a product of powers that add up to at least 1 is superadditive). A merchant's own season takes part as a level of its own. Shrinking to the category acts on the ratio of what comes to what came,
//! not on the amount: a small shop borrows nothing on the size of its neighbours.
//!
//! **What is known of the past.** Data begin somewhere. Levels are means of the whole periods that are known of the market, and reach no further back
//! than at some snapshot of the training: a year of which five months are known is a mean of five months, or figures learnt from short
//! histories would not fit longer ones. How long a merchant itself has traded changes no level.
//!
//! **Three disjoint groups of merchants.** One is fitted, one calibrates (conformal quantiles of what the fit leaves), the last judges, and only at
//! snapshots whose outcomes came after all that was learnt.

#[cfg(test)]
mod ability_tests;
mod category;
mod conformal;
mod fit;
mod history;
mod naive;
mod predict;
mod quantile;
mod report;
mod season;

pub use fit::{AbilityGroup, AbilitySettings, ObservedReceipts, TrainedAbility, train_ability};
pub(crate) use fit::{MIN_CALIBRATING, MIN_ROWS};
pub use history::{PERIOD_DAYS, PERIODS, ReceiptHistory};
pub use naive::NaiveRule;
pub use predict::{AbilityModel, HORIZON_LEVELS, HorizonForecast, HorizonModel, MerchantReceipts, ReceiptForecast};
pub use report::{AbilityReport, HorizonReport, LevelReport, Lowered, NaiveReport, PartOfRows};
pub use season::CategoryReceipts;
