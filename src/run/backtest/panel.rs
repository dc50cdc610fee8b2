//! What the replayed nights showed, merchant by merchant.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::fate::LoanStory;

/// One rule's alert on a merchant as it stood on a night.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Position of the rule in [`Panel::rules`].
    pub rule: usize,
    /// How far beyond the rule's threshold its last observation was, never below 0.
    pub beyond: f64,
    /// It opened on that night.
    pub is_new: bool,
}

/// A merchant over all nights.
#[derive(Debug, Clone, Default)]
pub struct MerchantSeries {
    /// By night: alerts of early-warning rules that stood; a night on which nothing stood is left out.
    pub standing: BTreeMap<Date, Vec<Standing>>,
    /// All loans that were known on any night.
    pub loans: BTreeMap<String, LoanStory>,
    /// Loans of which nothing was known on a night: they are judged by nothing.
    pub unknown_loans: u64,
}

/// A rule, as the backtest sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelRule {
    /// Its code.
    pub code: String,
    /// A lower observation is the graver one.
    pub is_lower_worse: bool,
    /// The threshold that it applied; `None` where it never fired.
    pub threshold: Option<f64>,
    /// Merchants and nights of which it could not say anything.
    pub unjudged: u64,
    /// Merchants and nights that it was asked about.
    pub asked: u64,
    /// It grades every borrower it looks at, on a threshold of 0, instead of raising alerts: what its threshold should be is to be found out.
    pub is_graded: bool,
}

/// Everything that judging looks at.
#[derive(Debug, Clone, Default)]
pub struct Panel {
    /// Early-warning rules, in the order of the monitor file: those that do not look at arrears.
    pub rules: Vec<PanelRule>,
    /// Merchants who ever borrowed.
    pub merchants: BTreeMap<String, MerchantSeries>,
    /// Replayed nights, oldest first.
    pub nights: Vec<Date>,
    /// Loans that were open and known, over all replayed nights, by night.
    pub open_loans: BTreeMap<Date, u64>,
}
