//! The policy file: who may borrow, how much, for how long and at what price.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::approval::{PolicyApproval, RawApproval};
use super::evidence_caps::{EvidenceCaps, RawCaps, check_caps};
use super::invitation::{InvitationTerms, RawInvitations};
use super::optimisation_terms::{OptimisationTerms, RawOptimisation};
use super::override_terms::{OverrideTerms, RawOverrides};
use super::price_terms::{PriceFigure, PriceTerms, RawPrice};
use super::repayment::{Repayment, RepaymentKind};
use super::sales_share::{MILESTONE_DAYS, RawSalesShare, milestones};
use super::schedule::Terms;
use crate::config::{ConfigError, ConfigFile, bounds};
use crate::domain::{Currency, DailyRate, Money, ReasonCode};
use crate::exposure::{AccountTerms, GroupTerms, RawGroups, RawOwners, RawReceivables, ReceivableTerms, UnknownOwner};
use crate::features::{FeatureConfig, FeatureUses};

/// No loan is larger, whatever the policy says: one million of the currency's main unit. Above it a merchant is referred to a bank ("What
/// Alibaba Is", 2019).
pub const HARD_CAP_MAIN: i64 = 1_000_000;
/// The same in minor units of the currency with the smallest ones; the job's own currency is checked once it is known
/// ([`Policy::check_currency`]).
const HARD_CAP_ANY_MINOR: i64 = HARD_CAP_MAIN * 10_000;

/// Products that the contract knows.
pub const PRODUCTS: [&str; 3] = ["order-loan", "credit-loan", "group-loan"];

/// Where the policy does not say: a merchant of whose rows in some table more than a tenth are broken is not judged by the rest.
const MAX_BROKEN_RECORD_SHARE: f64 = 0.1;
/// What may come late or be corrected in ordinary life, where a policy does not say.
const MAX_PAST_GROWTH_SHARE: f64 = 0.1;

/// Where the policy does not say: a night may be missed before applications are no longer answered from the run before.
pub(super) const ANSWER_DAYS: u16 = 2;
/// The most that a policy may let pass.
pub const MOST_ANSWER_DAYS: u16 = 31;
/// Half a year (project judgement).
pub(super) const DECLARATION_DAYS: u16 = 180;

/// A checked policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Risk bands, safest first, as the model's scale names them.
    pub bands: Vec<String>,
    /// Whether merchants must have a credit record to be judged.
    pub loan_book: LoanBookUse,
    loan_book_span: Range<usize>,
    /// Limits are rounded down to a multiple of it.
    pub limit_step_minor: i64,
    /// The most that one merchant may owe over all products.
    pub total_cap_minor: i64,
    /// The largest single loan; at most [`HARD_CAP_MAIN`].
    pub hard_cap_minor: i64,
    /// Days that an offer lives.
    pub offer_valid_days: u16,
    /// Days after a run's observation date on which applications are still answered from it.
    pub answer_days: u16,
    /// Days for which what an applicant declared counts beside what it declares later.
    pub declaration_days: u16,
    /// Price terms that hold for all products.
    pub price: PriceTerms,
    /// Products on offer, in the order in which they claim what a merchant can carry.
    pub products: Vec<Product>,
    /// Products of the contract that are not on offer yet: no row is written for them.
    pub later: Vec<String>,
    /// Days past due that are a default, by product.
    pub default_dpd: BTreeMap<String, u16>,
    /// How receivables age; given where a product rests on them.
    pub receivables: Option<ReceivableTerms>,
    /// What guarantee groups may owe; without it a group binds by joint liability alone.
    pub groups: Option<GroupTerms>,
    /// What a merchant without a known owner is, where others name theirs.
    pub unknown_owner: UnknownOwner,
    /// The largest share of a merchant's rows in any table that may be broken.
    pub max_broken_record_share: f64,
    /// The largest share of a merchant's settled trade that the nights before need not have known.
    pub max_past_growth_share: f64,
    /// The most that all merchants together may owe and be offered; `None` for no such bound.
    pub portfolio_budget_minor: Option<i64>,
    /// How limits and rates of a night are chosen together; `None` for each by itself.
    pub optimisation: Option<OptimisationTerms>,
    /// How merchants who have not asked are invited; `None` for no invitations.
    pub invitations: Option<InvitationTerms>,
    /// What officers may decide about single merchants; `None` for nothing.
    pub overrides: Option<OverrideTerms>,
    /// Eligibility rules, in the order in which their reasons are given.
    pub rules: Vec<EligibilityRule>,
    /// Who stands for it, and from when on; `None` where the file does not say.
    pub approval: Option<PolicyApproval>,
    holds_span: Range<usize>,
    file: ConfigFile,
    feature_uses: FeatureUses,
    feature_words: BTreeMap<String, String>,
    horizon_span: Range<usize>,
    hard_cap_span: Range<usize>,
    bands_span: Range<usize>,
}

/// What the absence of a merchant's credit record means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoanBookUse {
    /// The lender keeps a loan book: a merchant whose record cannot be read is declined.
    Required,
    /// The lender has lent nothing yet: every merchant owes nothing.
    None,
}

/// An order loan bridges the days until escrow releases its orders: a week or less ("What Alibaba Is", 2019). A longer term says where it comes from.
const MOST_ORDER_LOAN_DAYS: u16 = 7;

/// One product on offer.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    /// Its name in the contract.
    pub name: String,
    /// Days to the last instalment.
    pub term_days: u16,
    /// Where the term comes from; `None` where the file does not say.
    pub term_source: Option<String>,
    /// How it is repaid.
    pub repayment: Repayment,
    /// Number of instalments, equally spaced; of a share of sales the milestones, every 60 days and at the end.
    pub instalments: u16,
    /// A smaller limit is not offered.
    pub min_limit_minor: i64,
    /// The product's own cap.
    pub max_limit_minor: i64,
    /// Daily rate by risk band; a band that is not named is not served.
    pub daily_rate_ppm: BTreeMap<String, DailyRate>,
    /// Caps that rest on evidence.
    pub caps: EvidenceCaps,
}

impl Product {
    /// Whether the members of a guarantee group answer for its loans.
    #[must_use]
    pub fn is_guaranteed(&self) -> bool {
        self.name == "group-loan"
    }

    /// The terms of a loan of so much at a rate.
    #[must_use]
    pub const fn terms(&self, principal_minor: i64, rate: DailyRate) -> Terms {
        Terms {
            principal_minor,
            rate,
            term_days: self.term_days,
            repayment: self.repayment,
            instalments: self.instalments,
        }
    }
}

/// One eligibility rule.
#[derive(Debug, Clone, PartialEq)]
pub struct EligibilityRule {
    /// Reason given when it fails.
    pub code: ReasonCode,
    /// The reason in words.
    pub text: String,
    /// Products it applies to; `None` for all.
    pub products: Option<BTreeSet<String>>,
    /// What it asks.
    pub kind: RuleKind,
}

impl EligibilityRule {
    /// Whether it applies to the product.
    #[must_use]
    pub fn applies_to(&self, product: &str) -> bool {
        self.products.as_ref().is_none_or(|names| names.contains(product))
    }
}

/// What an eligibility rule asks. That a shop is open, its band is served and its borrower is not in default or written off is
/// always asked and stands in no file.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleKind {
    /// A feature within a bound. Null fails.
    Feature {
        /// The feature.
        feature: String,
        /// The bound.
        bound: Bound,
    },
    /// What an applicant declares to have sold in twelve months, against what was observed: their ratio within a bound. Asked of
    /// applicants only; a declaration that is missing, or sales that are not observed, fail.
    DeclaredSales {
        /// Feature that holds the sales observed over about a year, in minor units.
        feature: String,
        /// Bound of declared ÷ observed.
        bound: Bound,
    },
    /// No loan more than so many days past due now.
    Arrears {
        /// The most days past due.
        at_most_dpd: i64,
    },
    /// No loan ever more than so many days past due.
    WorstDpd {
        /// The most days past due.
        at_most_dpd: i64,
    },
}

/// An inclusive bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// The value must not be smaller.
    AtLeast(f64),
    /// The value must not be larger.
    AtMost(f64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    bands: Spanned<Vec<Spanned<String>>>,
    loan_book: Spanned<LoanBookUse>,
    limit_step_minor: Spanned<i64>,
    total_cap_minor: Spanned<i64>,
    hard_cap_minor: Spanned<i64>,
    offer_valid_days: Spanned<i64>,
    answer_days: Option<Spanned<i64>>,
    declaration_days: Option<Spanned<i64>>,
    #[serde(default)]
    later: Vec<Spanned<String>>,
    default_dpd: Spanned<BTreeMap<String, Spanned<i64>>>,
    price: RawPrice,
    receivables: Option<RawReceivables>,
    groups: Option<RawGroups>,
    owners: Option<RawOwners>,
    max_broken_record_share: Option<Spanned<f64>>,
    max_past_growth_share: Option<Spanned<f64>>,
    approval: Option<RawApproval>,
    portfolio_budget_minor: Option<Spanned<i64>>,
    optimisation: Option<RawOptimisation>,
    invitations: Option<RawInvitations>,
    overrides: Option<RawOverrides>,
    #[serde(rename = "product")]
    products: Spanned<Vec<Spanned<RawProduct>>>,
    #[serde(rename = "rule", default)]
    rules: Vec<Spanned<RawRule>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProduct {
    name: Spanned<String>,
    term_days: Spanned<i64>,
    term_source: Option<Spanned<String>>,
    repayment: Spanned<RepaymentKind>,
    sales_share: Option<Spanned<RawSalesShare>>,
    instalments: Option<Spanned<i64>>,
    min_limit_minor: Spanned<i64>,
    max_limit_minor: Spanned<i64>,
    daily_rate_ppm: Spanned<BTreeMap<String, Spanned<i64>>>,
    caps: Spanned<RawCaps>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    kind: RawRuleKind,
    code: Spanned<String>,
    text: Spanned<String>,
    products: Option<Vec<Spanned<String>>>,
    feature: Option<Spanned<String>>,
    at_least: Option<Spanned<f64>>,
    at_most: Option<Spanned<f64>>,
    at_most_dpd: Option<Spanned<i64>>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum RawRuleKind {
    Feature,
    DeclaredSales,
    Arrears,
    WorstDpd,
}

impl Policy {
    /// Reads and checks a policy file.
    ///
    /// # Errors
    /// Whatever the file holds that is not allowed, with the line.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        Self::check(ConfigFile::open(path)?)
    }

    /// As [`Self::check`], with every unknown key, value of a wrong type and value out of its range at once, and of each part what else is wrong with it.
    ///
    /// # Errors
    /// At least one fault.
    pub fn check_telling_all(file: ConfigFile) -> Result<Self, Vec<ConfigError>> {
        file.check_telling_all::<RawPolicy, Self>(Self::check)
    }

    /// Checks a policy that is already in memory.
    ///
    /// # Errors
    /// Whatever the text holds that is not allowed, with the line.
    pub fn check(file: ConfigFile) -> Result<Self, ConfigError> {
        let raw: RawPolicy = file.parse()?;
        let mut feature_uses = FeatureUses::default();
        let bands = check_bands(&file, &raw.bands)?;
        let price = raw.price.check(&file)?;
        let hard_cap_minor = bounds::integer(&file, &raw.hard_cap_minor, "hard_cap_minor", 1..=HARD_CAP_ANY_MINOR)?;
        let limit_step_minor = bounds::integer(&file, &raw.limit_step_minor, "limit_step_minor", 1..=hard_cap_minor)?;
        let mut products: Vec<Product> = Vec::new();
        for product in raw.products.get_ref() {
            let checked =
                file.part(None, || check_product(&file, product, &bands, &price, hard_cap_minor, &mut feature_uses))?;
            let Some(checked) = checked else { continue };
            if products.iter().any(|p| p.name == checked.name) {
                let message = format!("product {:?} is declared twice", checked.name);
                let fault = file.refuse(&product.get_ref().name.span(), message, "one [[product]] a product");
                file.pass_over(fault, ())?;
            }
            products.push(checked);
        }
        if raw.products.get_ref().is_empty() {
            let fault = file.refuse(&raw.products.span(), "no product is on offer", "at least one [[product]]");
            file.pass_over(fault, ())?;
        }
        let later = check_later(&file, &raw.later, &products)?;
        let default_dpd = file.part(BTreeMap::new(), || check_default_dpd(&file, &raw))?;
        let receivables = file.part(None, || raw.receivables.as_ref().map(|r| r.check(&file)).transpose())?;
        if raw.receivables.is_none()
            && let Some(product) = products.iter().find(|p| p.caps.receivables_advance_rate_ppm.is_some())
        {
            let message =
                format!("product {:?} rests on receivables, and [receivables] does not say how they age", product.name);
            let help =
                "[receivables] with full_until_days, expires_after_days and disputes = \"required\" or \"not-kept\"";
            file.pass_over(file.refuse(&raw.products.span(), message, help), ())?;
        }
        let max_broken_record_share = match &raw.max_broken_record_share {
            None => MAX_BROKEN_RECORD_SHARE,
            Some(share) => bounds::unit(&file, share, "max_broken_record_share")?,
        };
        let max_past_growth_share = match &raw.max_past_growth_share {
            None => MAX_PAST_GROWTH_SHARE,
            Some(share) => bounds::unit(&file, share, "max_past_growth_share")?,
        };
        let offered: Vec<&str> = raw.products.get_ref().iter().map(|p| p.get_ref().name.get_ref().as_str()).collect();
        let mut rules: Vec<EligibilityRule> = Vec::new();
        for rule in &raw.rules {
            let loan_book = *raw.loan_book.get_ref();
            rules.extend(file.part(None, || check_rule(&file, rule, loan_book, &offered, &mut feature_uses))?);
        }
        Ok(Self {
            bands,
            loan_book: *raw.loan_book.get_ref(),
            loan_book_span: raw.loan_book.span(),
            limit_step_minor,
            total_cap_minor: bounds::integer(&file, &raw.total_cap_minor, "total_cap_minor", 1..=1_000_000_000_000)?,
            hard_cap_minor,
            offer_valid_days: bounds::days(&file, &raw.offer_valid_days, "offer_valid_days", 1..=366)?,
            answer_days: raw.answer_days.as_ref().map_or(Ok(ANSWER_DAYS), |days| {
                bounds::days(&file, days, "answer_days", 0..=i64::from(MOST_ANSWER_DAYS))
            })?,
            declaration_days: raw
                .declaration_days
                .as_ref()
                .map_or(Ok(DECLARATION_DAYS), |days| bounds::days(&file, days, "declaration_days", 0..=730))?,
            price,
            products,
            later,
            default_dpd,
            receivables,
            unknown_owner: raw.owners.as_ref().map(|owners| owners.unknown).unwrap_or_default(),
            groups: file.part(None, || raw.groups.as_ref().map(|g| g.check(&file)).transpose())?,
            max_broken_record_share,
            max_past_growth_share,
            portfolio_budget_minor: raw
                .portfolio_budget_minor
                .as_ref()
                .map(|budget| bounds::integer(&file, budget, "portfolio_budget_minor", 1..=1_000_000_000_000_000))
                .transpose()?,
            optimisation: file.part(None, || {
                let has_budget = raw.portfolio_budget_minor.is_some();
                raw.optimisation.as_ref().map(|o| o.check(&file, has_budget)).transpose()
            })?,
            invitations: file.part(None, || raw.invitations.as_ref().map(|i| i.check(&file)).transpose())?,
            overrides: file
                .part(None, || raw.overrides.as_ref().map(|o| o.check(&file, hard_cap_minor, &rules)).transpose())?,
            rules,
            approval: file.part(None, || raw.approval.as_ref().map(|a| a.check(&file)).transpose())?,
            holds_span: raw.approval.as_ref().map(RawApproval::holds_from_span).unwrap_or_default(),
            feature_uses,
            feature_words: BTreeMap::new(),
            horizon_span: raw.price.pd_horizon_days.span(),
            hard_cap_span: raw.hard_cap_minor.span(),
            bands_span: raw.bands.span(),
            file,
        })
    }

    /// What merchants' accounts are drawn up by; `declared` are the contract tables that the job declares.
    #[must_use]
    pub fn account_terms<'a>(&'a self, declared: &'a BTreeSet<&'static str>) -> AccountTerms<'a> {
        let on_receivables = |p: &&Product| p.caps.receivables_advance_rate_ppm.is_some();
        AccountTerms {
            receivables: self.receivables.as_ref(),
            groups: self.groups.as_ref(),
            secured_products: self.products.iter().filter(on_receivables).map(|p| p.name.clone()).collect(),
            keeps_loan_book: self.loan_book == LoanBookUse::Required,
            application_days: self.offer_valid_days,
            declaration_days: self.declaration_days,
            declared,
        }
    }

    /// The figures that prices rest on, and terms whose source is stated, with where they come from.
    #[must_use]
    pub fn sourced_figures(&self) -> Vec<PriceFigure> {
        let mut figures = self.price.figures();
        let stated = self.products.iter().filter(|product| product.term_source.is_some());
        figures.extend(stated.map(|product| PriceFigure {
            key: format!("{}.term_days", product.name),
            value: f64::from(product.term_days),
            source: product.term_source.clone(),
        }));
        figures
    }

    /// Whether offers are settled once all merchants are decided.
    #[must_use]
    pub const fn crosses_merchants(&self) -> bool {
        self.portfolio_budget_minor.is_some() || self.optimisation.is_some()
    }

    /// Refuses a date before the one from which the policy holds.
    ///
    /// # Errors
    /// It does not hold yet.
    pub fn check_holds(&self, as_of: Date) -> Result<(), ConfigError> {
        match &self.approval {
            Some(approval) if as_of < approval.holds_from => {
                let message = format!("the policy holds from {} on, and the run is of {as_of}", approval.holds_from);
                Err(self.file.refuse(&self.holds_span, message, "run under the policy that held on that date"))
            }
            _ => Ok(()),
        }
    }

    /// Features that the policy reads, each once, sorted.
    #[must_use]
    pub fn features(&self) -> BTreeSet<&str> {
        self.feature_uses.names()
    }

    /// The policy with the words that the job's feature file has for what it reads.
    #[must_use]
    pub fn with_words_of(mut self, features: &FeatureConfig) -> Self {
        let read = self.feature_uses.names();
        let worded = features.features.iter().filter(|feature| read.contains(feature.name.as_str()));
        self.feature_words = worded.filter_map(|f| Some((f.name.clone(), f.says.clone()?))).collect();
        self
    }

    /// A feature as a merchant is told of it; its name where the job has no words for it.
    #[must_use]
    pub fn feature_in_words<'a>(&'a self, feature: &'a str) -> &'a str {
        self.feature_words.get(feature).map_or(feature, String::as_str)
    }

    /// Refuses features that the job does not define.
    ///
    /// # Errors
    /// The first unknown feature, with its line.
    pub fn check_features<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<(), ConfigError> {
        self.feature_uses.check(&self.file, names)
    }

    /// Refusals of all features that the job does not define.
    pub(crate) fn unknown_features<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Vec<ConfigError> {
        self.feature_uses.unknown(&self.file, names)
    }

    /// Refuses bands that differ from the model's scale.
    ///
    /// # Errors
    /// The bands are not the model's, safest first.
    pub fn check_bands(&self, names: &[String]) -> Result<(), ConfigError> {
        if self.bands == names {
            return Ok(());
        }
        let message = format!("bands are not the model's: it has {}", names.join(", "));
        Err(self.file.refuse(&self.bands_span, message, "the model's bands, safest first"))
    }

    /// Refuses a PD horizon other than the performance window that the model was trained on.
    ///
    /// # Errors
    /// The two differ: expected loss a day would be wrong by their ratio.
    pub fn check_horizon(&self, performance_days: u16) -> Result<(), ConfigError> {
        if self.price.pd_horizon_days == performance_days {
            return Ok(());
        }
        let message = format!("pd_horizon_days = {} is not the model's performance window", self.price.pd_horizon_days);
        let help = format!("pd_horizon_days = {performance_days}, as performance_days in the job file");
        Err(self.file.refuse(&self.horizon_span, message, help))
    }

    /// Refuses a policy that takes nothing to be lent beside a job that reads loans: what merchants owe would count for less than it is.
    ///
    /// # Errors
    /// It is so.
    pub fn check_loans(&self, reads_loans: bool) -> Result<(), ConfigError> {
        if self.loan_book == LoanBookUse::Required || !reads_loans {
            return Ok(());
        }
        let message = "loan_book = \"none\" says that nothing was lent yet, and the job reads loans".to_owned();
        let help = "loan_book = \"required\", with default_dpd for every product and two rules without which who is past due is offered more: [[rule]] kind = \"arrears\", code = \
                    \"loan-in-arrears\", text = \"a loan is past due now\", at_most_dpd = 0; and [[rule]] kind = \"worst-dpd\", code = \"past-loan-repaid-late\", text = \"an earlier loan was \
                    repaid very late\", at_most_dpd = 60. A drafted job has them, the rules of its monitor.toml and the features of its features.toml that look at loans as comments under \"With \
                    loans\". In the job file label = \"loan-default\" learns from them";
        Err(self.file.refuse(&self.loan_book_span, message, help))
    }

    /// What a person should know who lends by this policy: that nothing in it looks at what is past due.
    #[must_use]
    pub fn blind_to_arrears(&self) -> Option<String> {
        let looks = self.rules.iter().any(|rule| matches!(rule.kind, RuleKind::Arrears { .. }));
        (self.loan_book == LoanBookUse::Required && !looks).then(|| {
            "no rule of the policy is of kind \"arrears\": merchants whose loans are past due are offered more; add one with at_most_dpd = 0, \
             or leave it out if that is meant"
                .to_owned()
        })
    }

    /// Refuses a largest loan above one million of the currency's main unit.
    ///
    /// # Errors
    /// `hard_cap_minor` is above it.
    pub fn check_currency(&self, currency: Currency) -> Result<(), ConfigError> {
        let most = HARD_CAP_MAIN * currency.minor_units();
        if self.hard_cap_minor <= most {
            return Ok(());
        }
        let message = format!("hard_cap_minor = {} is out of range", self.hard_cap_minor);
        let help = format!(
            "at most {most}: {}, as one {currency} has {} minor units",
            Money::new(most, currency),
            currency.minor_units()
        );
        Err(self.file.refuse(&self.hard_cap_span, message, help))
    }
}

fn check_bands(file: &ConfigFile, raw: &Spanned<Vec<Spanned<String>>>) -> Result<Vec<String>, ConfigError> {
    let mut bands: Vec<String> = Vec::new();
    for band in raw.get_ref() {
        if band.get_ref().is_empty() || bands.contains(band.get_ref()) {
            let message = format!("band {:?} is empty or named twice", band.get_ref());
            file.pass_over(file.refuse(&band.span(), message, "each band once, safest first"), ())?;
        }
        bands.push(band.get_ref().clone());
    }
    if bands.is_empty() {
        file.pass_over(file.refuse(&raw.span(), "no band is named", "the model's bands, safest first"), ())?;
    }
    Ok(bands)
}

fn check_product(
    file: &ConfigFile,
    raw: &Spanned<RawProduct>,
    bands: &[String],
    price: &PriceTerms,
    hard_cap_minor: i64,
    feature_uses: &mut FeatureUses,
) -> Result<Option<Product>, ConfigError> {
    let product = raw.get_ref();
    let name = product_name(file, &product.name)?;
    let before = file.noted_count();
    let term_days = bounds::days(file, &product.term_days, "term_days", 1..=3_660)?;
    let once = (Repayment::Bullet, 1);
    let (repayment, instalments) =
        file.part_since(before, once, || check_repayment(file, product, &name, term_days))?;
    let max_limit_minor = bounds::integer(file, &product.max_limit_minor, "max_limit_minor", 1..=hard_cap_minor)?;
    let min_limit_minor = bounds::integer(file, &product.min_limit_minor, "min_limit_minor", 1..=max_limit_minor)?;
    let rates = || check_rates(file, &product.daily_rate_ppm, &name, bands, price);
    let daily_rate_ppm = file.part(BTreeMap::new(), rates)?;
    let served: Vec<&str> = product.daily_rate_ppm.get_ref().keys().map(String::as_str).collect();
    let caps =
        file.part(None, || check_caps(file, &product.caps, bands, &served, hard_cap_minor, feature_uses).map(Some))?;
    let source = || product.term_source.as_ref().map(|source| bounds::text(file, source, "a source")).transpose();
    let term_source = file.part(None, source)?;
    if name == "order-loan" && term_days > MOST_ORDER_LOAN_DAYS && product.term_source.is_none() {
        let message =
            format!("an order loan of {term_days} days: it bridges the time until escrow releases its orders");
        let help = format!(
            "{MOST_ORDER_LOAN_DAYS} days at the most, or term_source = \"…\": why orders are under way for longer"
        );
        file.pass_over(file.refuse(&product.term_days.span(), message, help), ())?;
    }
    let product = |caps| Product {
        name,
        term_days,
        term_source,
        repayment,
        instalments,
        min_limit_minor,
        max_limit_minor,
        daily_rate_ppm,
        caps,
    };
    Ok(caps.map(product))
}

/// The rate of each band that a product serves.
fn check_rates(
    file: &ConfigFile,
    raw: &Spanned<BTreeMap<String, Spanned<i64>>>,
    name: &str,
    bands: &[String],
    price: &PriceTerms,
) -> Result<BTreeMap<String, DailyRate>, ConfigError> {
    for (band, rate) in raw.get_ref().iter().filter(|(band, _)| !bands.contains(band)) {
        let message = format!("{band:?} is not a band");
        let fault = file.refuse(&rate.span(), message, format!("one of: {}", bands.join(", ")));
        file.pass_over(fault, ())?;
    }
    let before = file.noted_count();
    let mut daily_rate_ppm = BTreeMap::new();
    for (band, rate) in raw.get_ref().iter().filter(|(band, _)| bands.contains(band)) {
        let ppm = bounds::integer(file, rate, "daily_rate_ppm", 0..=price.max_daily_rate_ppm)?;
        let checked = DailyRate::from_ppm(ppm)
            .map_err(|e| file.refuse(&rate.span(), e.to_string(), "parts per million a day"))?;
        daily_rate_ppm.insert(band.clone(), checked);
    }
    file.part_since(before, (), || {
        let mut dearest: Option<(&String, DailyRate)> = None;
        for band in bands {
            let Some(&rate) = daily_rate_ppm.get(band) else { continue };
            if let Some((safer, safer_rate)) = dearest.filter(|&(_, r)| r > rate) {
                let message =
                    format!("band {band:?} pays less than the safer band {safer:?} ({} ppm)", safer_rate.ppm());
                let span = raw.get_ref().get(band).map_or(0..0, Spanned::span);
                return Err(file.refuse(&span, message, "a riskier band never pays less"));
            }
            dearest = Some((band, rate));
        }
        Ok(())
    })?;
    if daily_rate_ppm.is_empty() {
        let message = format!("product {name:?} serves no band");
        return Err(file.refuse(&raw.span(), message, "a rate for at least one band"));
    }
    Ok(daily_rate_ppm)
}

/// How a product is repaid, and in how many instalments.
fn check_repayment(
    file: &ConfigFile,
    product: &RawProduct,
    name: &str,
    term_days: u16,
) -> Result<(Repayment, u16), ConfigError> {
    let kind = *product.repayment.get_ref();
    let refuse = |message: String, help: &str| Err(file.refuse(&product.repayment.span(), message, help));
    let share = product.sales_share.as_ref().map(|raw| raw.get_ref().check(file, term_days)).transpose()?;
    let Some(repayment) = Repayment::of(kind, share) else {
        let message = format!("\"{kind}\" and [product.sales_share] do not go together");
        return refuse(message, "[product.sales_share] with repayment = \"sales-share\", and with no other");
    };
    let instalments = match &product.instalments {
        Some(n) if share.is_none() => bounds::days(file, n, "instalments", 1..=i64::from(term_days))?,
        None if share.is_none() => 1,
        None => milestones(term_days),
        Some(_) => {
            let message = format!("milestones of a share of sales lie every {MILESTONE_DAYS} days");
            return refuse(message, "no `instalments`");
        }
    };
    if share.is_some() {
        if name != "credit-loan" {
            return refuse(format!("{name:?} is not repaid by a share of sales"), "a credit-loan may be");
        }
    } else if (repayment == Repayment::Bullet) != (instalments == 1) || !term_days.is_multiple_of(instalments) {
        let message = format!("{instalments} instalments over {term_days} days do not make \"{kind}\"");
        return refuse(message, "bullet has one instalment; the others have more, and their number divides term_days");
    }
    Ok((repayment, instalments))
}

/// Products that are for later, and not on offer.
fn check_later(file: &ConfigFile, raw: &[Spanned<String>], products: &[Product]) -> Result<Vec<String>, ConfigError> {
    let mut later = Vec::new();
    for name in raw {
        let known = file.part(None, || product_name(file, name).map(Some))?;
        if let Some(known) = known.as_ref().filter(|known| products.iter().any(|p| p.name == **known)) {
            let message = format!("product {known:?} is on offer and for later");
            let fault = file.refuse(&name.span(), message, "drop it from `later` or drop its [[product]]");
            file.pass_over(fault, ())?;
        }
        later.extend(known);
    }
    Ok(later)
}

fn check_default_dpd(file: &ConfigFile, raw: &RawPolicy) -> Result<BTreeMap<String, u16>, ConfigError> {
    let mut default_dpd = BTreeMap::new();
    for (product, dpd) in raw.default_dpd.get_ref() {
        if !PRODUCTS.contains(&product.as_str()) {
            let message = format!("{product:?} is not a product");
            let fault = file.refuse(&dpd.span(), message, format!("one of: {}", PRODUCTS.join(", ")));
            file.pass_over(fault, ())?;
        }
        default_dpd.insert(product.clone(), bounds::days(file, dpd, "default_dpd", 1..=720)?);
    }
    let is_needed = *raw.loan_book.get_ref() == LoanBookUse::Required;
    for missing in PRODUCTS.iter().filter(|p| is_needed && !default_dpd.contains_key(**p)) {
        let message = format!("default_dpd says nothing of {missing:?}");
        let help = "days past due that are a default, for every product";
        file.pass_over(file.refuse(&raw.default_dpd.span(), message, help), ())?;
    }
    Ok(default_dpd)
}

fn check_rule(
    file: &ConfigFile,
    raw: &Spanned<RawRule>,
    loan_book: LoanBookUse,
    offered: &[&str],
    feature_uses: &mut FeatureUses,
) -> Result<Option<EligibilityRule>, ConfigError> {
    let rule = raw.get_ref();
    let code = match ReasonCode::new(rule.code.get_ref()) {
        Ok(code) => Some(code),
        Err(e) => {
            let help = "for example code = \"dispute-share-high\"";
            file.pass_over(file.refuse(&rule.code.span(), e.to_string(), help), None)?
        }
    };
    let text = bounds::text(file, &rule.text, "text")?;
    let applies_to = match &rule.products {
        None => None,
        Some(names) => {
            let mut set = BTreeSet::new();
            for name in names {
                if !offered.contains(&name.get_ref().as_str()) {
                    let message = format!("{:?} is not on offer", name.get_ref());
                    file.pass_over(file.refuse(&name.span(), message, "products declared in this file"), ())?;
                }
                set.insert(name.get_ref().clone());
            }
            Some(set)
        }
    };
    let kind = match (rule.kind, &rule.feature, &rule.at_least, &rule.at_most, &rule.at_most_dpd) {
        (kind @ (RawRuleKind::Feature | RawRuleKind::DeclaredSales), Some(feature), at_least, at_most, None) => {
            let bound = match (at_least, at_most) {
                (Some(low), None) => Bound::AtLeast(bounds::finite(file, low, "at_least", f64::MIN..=f64::MAX)?),
                (None, Some(high)) => Bound::AtMost(bounds::finite(file, high, "at_most", f64::MIN..=f64::MAX)?),
                _ => {
                    let message = "a rule on a feature has exactly one bound";
                    return Err(file.refuse(&raw.span(), message, "at_least = … or at_most = …"));
                }
            };
            feature_uses.push(feature);
            let feature = feature.get_ref().clone();
            match kind {
                RawRuleKind::DeclaredSales => RuleKind::DeclaredSales { feature, bound },
                _ => RuleKind::Feature { feature, bound },
            }
        }
        (RawRuleKind::Arrears, None, None, None, Some(dpd)) => {
            RuleKind::Arrears { at_most_dpd: bounds::integer(file, dpd, "at_most_dpd", 0..=3_660)? }
        }
        (RawRuleKind::WorstDpd, None, None, None, Some(dpd)) => {
            RuleKind::WorstDpd { at_most_dpd: bounds::integer(file, dpd, "at_most_dpd", 0..=3_660)? }
        }
        _ => {
            let message = format!("rule {:?} lacks a key of its kind or has one of another", rule.code.get_ref());
            let help = "kind = \"feature\" and \"declared-sales\" take feature and at_least or at_most; \"arrears\" and \"worst-dpd\" take at_most_dpd";
            return Err(file.refuse(&raw.span(), message, help));
        }
    };
    let reads_the_book = matches!(kind, RuleKind::Arrears { .. } | RuleKind::WorstDpd { .. });
    if loan_book == LoanBookUse::None && reads_the_book {
        let message = format!("rule {:?} reads a loan book, but loan_book = \"none\"", rule.code.get_ref());
        file.pass_over(file.refuse(&raw.span(), message, "drop the rule, or loan_book = \"required\""), ())?;
    }
    Ok(code.map(|code| EligibilityRule { code, text, products: applies_to, kind }))
}

fn product_name(file: &ConfigFile, name: &Spanned<String>) -> Result<String, ConfigError> {
    if PRODUCTS.contains(&name.get_ref().as_str()) {
        Ok(name.get_ref().clone())
    } else {
        let message = format!("{:?} is not a product", name.get_ref());
        let fault = file.refuse(&name.span(), message, format!("one of: {}", PRODUCTS.join(", ")));
        file.pass_over(fault, name.get_ref().clone())
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
