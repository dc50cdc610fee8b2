//! A marketplace with causes: what the pipeline is tried on where no lender's data may be shown.
//!
//! Each merchant has hidden diligence, honesty, demand, margin and cash. Orders come from demand with season, growth and the
//! tides of its industry; parcels, reviews, disputes and refunds follow from diligence, which wears when cash is short; loans
//! are drawn when cash is short or the season calls, repaid from what escrow releases, and default when cash or will runs out.
//! Some merchants brush, some are attacked. On the way to the lender some rows come late, twice, in versions, or broken, under keys
//! of their own and under those of sound rows; some loans lose a part of their ledger. `truth/` tells which, and what a reader has
//! to make of it; only tests read it.
//!
//! ```text
//! settings ─▶ traits ─▶ life ─┬─ trade (fraud) ─┐
//!                             ├─ cash           ├─▶ tables ─▶ feed ─▶ columns ─▶ files
//!                             └─ credit ────────┘    (rows)
//! ```
//!
//! Files hold each table as a whole, or (`nights`) as it would have been sent night by night.
//!
//! Every merchant draws from a stream of its own, keyed by seed and number; blocks of merchants are made side by side and
//! written in order, so bytes depend on the settings alone.

mod calendar;
mod cash;
mod columns;
mod credit;
mod damage;
mod dealings;
mod draw;
mod error;
mod feed;
mod files;
mod fraud;
mod groups;
mod industry;
mod ledger_faults;
mod life;
mod market;
mod nights;
mod outlook;
mod planted;
mod rows;
mod run;
mod schedule;
mod settings;
mod slip;
mod stamps;
mod tables;
mod trade;
mod traits;
mod truth;

pub use dealings::LeftOffer;
pub use error::SimulateError;
pub use files::SimulatedFile;
pub use market::{
    BookOnDay, LentLoan, Market, MarketLender, MarketOffer, MarketRepayment, MarketSpan, RequestsOfMerchant,
    UnservedRequest,
};
pub use run::{SimulationReport, simulate};
pub use settings::SimulationSettings;
