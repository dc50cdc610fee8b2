//! What may be lent to a merchant: eligibility, limit, price, terms; or a decline with its true reasons.
//!
//! ```text
//! MerchantCase ── rules ──▶ verdicts ──▶ decline with one to four reasons
//!      │             └─ all passed
//!      ├── caps ──▶ the least, floored to the step ──▶ below the product's minimum: decline
//!      ├── pledges (order loans)
//!      └── price ──▶ band rate, floored at cost, refused above the law ──▶ Offer
//! ```
//!
//! Every merchant gets, for every product on offer, exactly one offer or one decline.

mod application;
mod approval;
mod apr;
mod case;
mod case_record;
mod cost;
mod course;
mod decision;
mod declared_order;
mod error;
mod evidence_caps;
mod guarantee;
mod invitation;
mod limit;
mod needed;
mod optimisation;
mod optimisation_terms;
mod override_file;
mod override_terms;
mod overrides;
mod policy;
mod policy_reference;
mod portfolio;
mod price;
mod price_terms;
#[cfg(test)]
mod property_tests;
mod repayment;
mod reproduce;
mod room;
mod rules;
mod sales_share;
mod scenario_case;
mod schedule;
mod settlement;
mod single_change;
mod worst_case;

pub use application::{Application, RefusedApplication, read_applications};
pub use approval::PolicyApproval;
pub use apr::{Flow, annual_percentage_rate, apr_of_days};
pub use case::MerchantCase;
pub use case_record::{CaseFacts, CasePlace, CaseRecord, CaseScore};
pub use cost::{CostOfLoan, early_saving_minor};
pub use course::{Course, course};
pub use decision::{BankReferral, Decision, Decline, Offer, ProductDecision, at_terms, decide, decide_one, opened};
pub use declared_order::{ComparedOrder, DeclaredOrder, OrderVerdict, compare_orders, differing};
pub use error::OfferError;
pub use evidence_caps::{CapitalFactor, EvidenceCaps, GrowthCap, LowestMonthCap};
pub use invitation::{Invitation, InvitationGroup, InvitationTerms};
pub use limit::{Cap, CapName, Limit, caps_of, least_of, within_budget};
pub use needed::SCORE;
pub use optimisation::{Candidate, CandidateList, ChoiceGrid};
pub use optimisation_terms::{LimitPart, OptimisationTerms};
pub use override_file::Overrides;
pub use override_terms::{OfficerTerms, OverrideTerms};
pub use overrides::{Override, OverrideEffect, OverrideKind, override_effects};
pub use policy::{
    Bound, EligibilityRule, HARD_CAP_MAIN, LoanBookUse, MOST_ANSWER_DAYS, PRODUCTS, Policy, Product, RuleKind,
};
pub use policy_reference::policy_reference;
pub use portfolio::{Allocated, BoundLine, BoundName, Committed, OfferPool, OptimisationSummary};
pub use price::{Price, PriceParts, price};
pub use price_terms::{PriceFigure, PriceTerms, TermStructure};
pub use repayment::{Repayment, RepaymentKind};
pub use reproduce::{Irreproducible, reproduce, schedule_of};
pub use rules::{Verdict, judge};
pub use sales_share::{MILESTONE_DAYS, SalesShare, expected_receipts_minor};
pub use scenario_case::ScenarioCase;
pub use schedule::{Due, Terms, schedule};
pub use settlement::{Claimant, Claims, Settled, Settlement};
pub use single_change::single_changes;
