//! How good alerts and offers are: past nights replayed, and what became of the loans afterwards. Offers have a room of their own ([`offers`]); of
//! alerts:
//!
//! ```text
//! from ───────────────────────────────────────────────────────────── to ──────────────────── as-of
//!   │ thresholds are chosen │ their outcomes become known │ and judged │ outcomes become known   │
//!   every few days: features and ledger as of that night ── watch, alerts live on from night to night ──▶ panel
//!   between and after: the ledger alone ──▶ what became of each loan
//! ```
//! A night sees exactly what a run of that day would have seen ([`crate::store::Store::shard`]); its alerts build on those of the night replayed before
//! it. What came later is looked at by the judging alone.

mod alerts;
mod alerts_page;
mod choose;
mod curve;
mod fate;
mod hazard;
mod judge;
mod offers;
mod panel;
mod plan;
mod replay;
mod report;

pub use alerts::backtest_alerts;
pub use choose::ChosenRule;
pub use hazard::{AlertBudget, HazardJudged, HazardReport};
pub use judge::{Figures, Period};
pub use offers::{
    Approval, DateLine, LoanFigures, ModelUsed, MoneyRange, OfferBacktest, OfferBacktestOptions, OfferFigures,
    ShareRange, SideReport, SwapSet, Swaps, backtest_offers,
};
pub use plan::BacktestOptions;
pub use replay::BacktestError;
pub use report::{AlertBacktest, LeadTimes, RuleReport};

#[cfg(test)]
#[path = "backtest_tests.rs"]
mod tests;
