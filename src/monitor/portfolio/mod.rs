//! The portfolio: what is out, how late it is, where it moves to, what it should cost.
//!
//! ```text
//! LoanLedger ──┬── totals: exposure, arrears, buckets, classes             the reduce that the summary shows
//!   contagion ─┤
//!              ├── loan_line: a row a loan ──┬── breakdown: by product, category, region, bucket, class, band, stage
//!              │          │                  └── provisions: stages × scenarios
//!              │          └── the next night reads it ──┐
//!              ├── roll: from the night before, and from month to month
//!              ├── vintage: defaults by months on book
//!              └── forecast: what was foreseen of each loan, and what became of it
//! reconcile: all of these are sums over the same loans, or the night stops
//! ```
//! Every sum is in whole minor units, so that shards merge in any order to the same bytes. A loan of which nothing is known has a place of its
//! own in every table, and is provided for with a probability of default of 1.

mod book;
mod breakdown;
mod contagion;
#[cfg(test)]
mod fixture;
mod forecast;
mod loan_line;
mod provisions;
mod reconcile;
mod roll;
mod settings;
mod totals;
mod vintage;

pub use book::{Book, BookBefore, BookContext, BookMerchant, BookRows, PortfolioTables};
pub use breakdown::{Dimension, PortfolioLine};
pub use contagion::{DefaultedGroups, MarkedBy, performing};
pub use forecast::{ForecastBy, ForecastLine, ForecastOutcome, LoanForecast, Standing};
pub use loan_line::LoanLine;
pub use provisions::{ProvisionLine, Stage};
pub use reconcile::{BookDifference, check_lines};
pub use roll::{Positions, RollBasis, RollMatrix, RollRate};
pub(super) use settings::{
    PORTFOLIO_KEYS, PROVISION_KEYS, RESERVED_PLACES, RawPortfolio, RawProvisions, SCENARIO_KEYS,
};
pub use settings::{PortfolioTerms, ProvisionTerms, Scenario};
pub use totals::{Portfolio, Tally, UnknownTally};
pub use vintage::{VintageLine, Vintages};
