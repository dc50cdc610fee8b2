//! After the money is out: who is late, who is in trouble, and what to do about it.
//!
//! ```text
//! repayment: LoanLedger ──┬── watch: every rule ──▶ life of each alert ──▶ alerts ──▶ deductions, freezes
//!                         │                           ▲        ▲
//!                         │        last night's alerts ┘        └ the officers' decisions
//!                         └── portfolio: buckets, classes, non-performing share, unknown loans
//! ```

mod alert;
mod alert_rule;
mod class;
mod deduction;
mod drift;
mod error;
mod finite;
mod hazard_terms;
mod life;
mod monitor_reference;
mod officers;
mod open_deduction;
mod outlook;
mod pledges;
mod portfolio;
mod queue;
mod restoration;
mod restructure;
mod rule_reference;
pub mod rules;
mod settings;
mod standing_alerts;
mod watch;

pub use alert::{Alert, AlertState, ClearedBecause, EvidenceValue, Verdict};
pub use alert_rule::{AlertKind, AlertRule, Escalation};
pub use class::{Class, bucket_of};
pub use deduction::{Deduction, DeductionCase, Deductions, deduct};
pub use drift::{
    AllowedJump, DriftAllowance, DriftBin, DriftFault, DriftLimits, DriftLine, DriftVerdict, Jump, NightFigures,
};
pub use error::MonitorError;
pub use hazard_terms::HazardTerms;
pub use monitor_reference::monitor_reference;
pub use officers::{Handling, OfficerDecision, OfficerTerms, Officers};
pub use open_deduction::{OpenDeduction, OpenDeductions, OrdersBefore};
pub use outlook::Outlook;
pub use pledges::{PledgedOrders, Pledges};
pub use portfolio::{
    Book, BookBefore, BookContext, BookDifference, BookMerchant, BookRows, DefaultedGroups, Dimension, ForecastBy,
    ForecastLine, ForecastOutcome, LoanForecast, LoanLine, MarkedBy, Portfolio, PortfolioLine, PortfolioTables,
    PortfolioTerms, Positions, ProvisionLine, ProvisionTerms, RollBasis, RollMatrix, RollRate, Scenario, Stage,
    Standing, Tally, UnknownTally, VintageLine, Vintages, check_lines, performing,
};
pub use queue::{QueueLine, QueueTerms};
pub use restoration::{
    BorrowerNight, BorrowerState, CreditStanding, CreditState, HelpTerms, RegrowthStep, RestorationTerms, StateChange,
    StatesBefore, next_state, standing_of,
};
pub use restructure::{ProposedInstalment, RestructureTerms, propose};
pub use settings::{AccountOrder, Action, Bucket, ClassThresholds, DeductionTerms, Monitor, Severity, Watch};
pub use standing_alerts::StandingAlerts;
pub use watch::{Alerts, Judgement, MonitorCase, WatchContext, ask, watch};
