//! The decision: for every product on offer exactly one offer or one decline.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::case::MerchantCase;
use super::cost::CostOfLoan;
use super::error::OfferError;
use super::limit::{Cap, CapName, Limit, carried_minor, least_of, request};
use super::needed::{held_by, least_limit, needed_for_offer};
use super::overrides::{OverridesInForce, most_lawful_ppm};
use super::policy::{Policy, Product};
use super::price::{Price, PriceParts};
use super::repayment::{Repayment, RepaymentKind};
use super::rules::{Verdict, reason};
use super::sales_share::SalesShare;
use super::schedule::Terms;
use super::worst_case::{HighestPrice, at_worst, failed_rules, highest_price, least_receipts_minor};
use crate::domain::{AsOf, DailyRate, Hasher, Reason};
use crate::exposure::{Account, OfferState, OpenOffer, Pledge};

/// A decline names at most this many reasons (US Regulation B, comment 9(b)(2)-1).
const MOST_REASONS: usize = 4;

/// What a merchant is offered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// Stable: the same merchant, product, day and terms give the same id.
    pub offer_id: String,
    /// The merchant.
    pub merchant_id: String,
    /// The product.
    pub product: String,
    /// The most that may be drawn, in minor units.
    pub limit_minor: i64,
    /// Interest a day in parts per million.
    pub daily_rate_ppm: i64,
    /// Actuarial annual percentage rate when the whole limit is drawn for the whole term: 0.1825 is 18.25 %. Of a share of sales, as receipts are
    /// expected.
    pub apr: f64,
    /// Days to the last instalment.
    pub term_days: u16,
    /// How it is repaid.
    pub repayment: RepaymentKind,
    /// Number of instalments, equally spaced; of a share of sales its milestones, every 60 days and at the end.
    pub instalments: u16,
    /// Share of each day's receipts that repays it, in parts per million; `None` for loans repaid in another way.
    #[serde(default)]
    pub sales_share_ppm: Option<i64>,
    /// Share of the principal that is repaid per 60 days at the least.
    #[serde(default)]
    pub min_per_60_days_ppm: Option<i64>,
    /// Receipts over the term, spread evenly, on which annual rate, interest and saving of a share of sales rest: those that half of all merchants like
    /// this one reach. `None` for loans repaid in another way.
    #[serde(default)]
    pub expected_receipts_minor: Option<i64>,
    /// Days until it is repaid then.
    #[serde(default)]
    pub expected_days: Option<u16>,
    /// All interest of a borrower who repays no more than the minimum.
    #[serde(default)]
    pub most_interest_minor: Option<i64>,
    /// All interest when the whole limit is drawn for the whole term, minor units.
    pub interest_minor: i64,
    /// What of it is saved by repaying everything halfway through the term, minor units.
    pub early_saving_minor: i64,
    /// Probability of default within the term; of a group loan whose members are known to depend on one another, that too few others stand as well.
    pub term_pd_prob: f64,
    /// Of such a group loan, the probability that too few others stand where its borrower defaults; `None` for any other loan.
    #[serde(default)]
    pub guarantee_fails_prob: Option<f64>,
    /// Of the floor: expected loss, in parts per million a day.
    pub expected_loss_daily_ppm: i64,
    /// Of the floor: cost of funds.
    pub funding_daily_ppm: i64,
    /// Of the floor: running cost.
    pub cost_daily_ppm: i64,
    /// Of the floor: margin.
    pub margin_daily_ppm: i64,
    /// The least rate at which it is lent.
    pub floor_daily_ppm: i64,
    /// The rate of the merchant's band; the offer's own is the larger of the two.
    pub band_daily_ppm: i64,
    /// The last day on which it can be taken.
    pub valid_until_on: Date,
    /// The cap that bound.
    pub binding_cap: CapName,
    /// All caps with their values.
    pub caps: Vec<Cap>,
    /// Caps that hold the limit, each with the value at which it would be a step larger were none of the others short of it.
    #[serde(default)]
    pub needed: Vec<Verdict>,
    /// The cap that would bind without those; `None` where there is no other.
    #[serde(default)]
    pub next_cap: Option<CapName>,
    /// The limit then.
    #[serde(default)]
    pub next_limit_minor: Option<i64>,
    /// Orders that secure it, sorted; `None` where the product pledges none.
    pub pledged_order_ids: Option<Vec<String>>,
    /// The open offer of an earlier night that it replaces.
    pub replaces_offer_id: Option<String>,
    /// The rate that an officer set, in place of the larger of floor and band's; `None` where none did.
    #[serde(default)]
    pub officer_rate_ppm: Option<i64>,
    /// The rate that portfolio optimisation chose, in place of the larger of floor and band's; `None` where it chose none other.
    #[serde(default)]
    pub optimised_rate_ppm: Option<i64>,
    /// Officers' decisions that are in force about it; `None` where there is none.
    #[serde(default)]
    pub overrides: Option<Vec<String>>,
}

impl Offer {
    /// The decline of an offer that does not fit into the budget for all merchants; its caps say what the budget left.
    ///
    /// # Errors
    /// None: the reason's code is the program's own.
    pub fn over_budget(self) -> Result<Decline, OfferError> {
        self.withheld(CapName::PortfolioBudget)
    }

    /// The decline of an offer that portfolio optimisation gives nothing.
    ///
    /// # Errors
    /// None: the reason's code is the program's own.
    pub fn optimised_away(mut self) -> Result<Decline, OfferError> {
        self.put_cap(optimised(self.limit_minor, 0));
        self.withheld(CapName::Optimised)
    }

    /// The decline of an offer for a cap that crosses merchants.
    fn withheld(self, by: CapName) -> Result<Decline, OfferError> {
        let (code, text) = by.reason_when_small();
        let left = self.caps.iter().find(|cap| cap.name == by).and_then(|cap| cap.value_minor);
        let needed = Verdict {
            rule: by.to_string(),
            passed: false,
            observed: left.map(|left| left as f64),
            threshold: Some(self.limit_minor as f64),
            reason: None,
        };
        Ok(Decline {
            merchant_id: self.merchant_id,
            product: self.product,
            failed: Vec::new(),
            caps: self.caps,
            reasons: vec![reason(code, text)?],
            needed: vec![needed],
            score_changes: Vec::new(),
            overrides: self.overrides,
        })
    }

    /// Puts a cap among the others, in the order of their names.
    pub(super) fn put_cap(&mut self, cap: Cap) {
        let place = self.caps.partition_point(|c| c.name < cap.name);
        self.caps.insert(place, cap);
    }

    /// Says again what holds the limit: its caps have changed.
    pub fn tell_what_holds(&mut self, step_minor: i64) {
        let held = held_by(&self.caps, self.limit_minor, step_minor);
        self.needed = held.needed;
        (self.next_cap, self.next_limit_minor) = held.next.unzip();
    }

    /// The terms of a loan of so much on this offer.
    ///
    /// # Errors
    /// A rate out of range, or a repayment without its own terms or with another's.
    pub fn terms(&self, principal_minor: i64) -> Result<Terms, OfferError> {
        let share = self.sales_share_ppm.zip(self.min_per_60_days_ppm);
        let share = share.map(|(share_ppm, min_per_60_days_ppm)| SalesShare { share_ppm, min_per_60_days_ppm });
        let repayment = Repayment::of(self.repayment, share).ok_or(OfferError::Schedule {
            principal_minor,
            term_days: self.term_days,
            why: "its repayment and its share of sales do not go together",
        })?;
        let rate = DailyRate::from_ppm(self.daily_rate_ppm)?;
        Ok(Terms { principal_minor, rate, term_days: self.term_days, repayment, instalments: self.instalments })
    }

    /// Puts what it costs in its place.
    fn cost(&mut self, costs: CostOfLoan) {
        (self.apr, self.interest_minor, self.early_saving_minor) =
            (costs.apr, costs.interest_minor, costs.early_saving_minor);
        (self.expected_days, self.most_interest_minor) = (costs.expected_days, costs.most_interest_minor);
    }

    /// Interest of a full draw less funding, cost and expected loss, minor units, rounded toward zero: what the rate leaves of each unit of
    /// interest. Negative where the policy's own costs exceed the rate.
    #[must_use]
    pub fn expected_profit_minor(&self) -> i64 {
        let spent =
            self.expected_loss_daily_ppm.saturating_add(self.funding_daily_ppm).saturating_add(self.cost_daily_ppm);
        let earned = i128::from(self.daily_rate_ppm.saturating_sub(spent)) * i128::from(self.interest_minor);
        i64::try_from(earned / i128::from(self.daily_rate_ppm.max(1))).unwrap_or(0)
    }
}

/// Why a merchant is not offered a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decline {
    /// The merchant.
    pub merchant_id: String,
    /// The product.
    pub product: String,
    /// Rules that failed, with evidence.
    pub failed: Vec<Verdict>,
    /// Caps, where they decided; empty where a rule failed first.
    pub caps: Vec<Cap>,
    /// One to four reasons.
    pub reasons: Vec<Reason>,
    /// Everything that stands in the way of an offer, each with the value that is just enough: all of them together, and nothing less.
    #[serde(default)]
    pub needed: Vec<Verdict>,
    /// Where a higher score is needed: features each of which would give it by itself, with the value that is just enough. Found at night alone.
    #[serde(default)]
    pub score_changes: Vec<Verdict>,
    /// Officers' decisions that are in force about it; `None` where there is none.
    #[serde(default)]
    pub overrides: Option<Vec<String>>,
}

/// A merchant whose means carry more than this lender may lend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BankReferral {
    /// The merchant.
    pub merchant_id: String,
    /// The product on which it was found.
    pub product: String,
    /// What evidence and, where there is an application, the sum asked for would carry.
    pub supportable_minor: i64,
    /// The largest loan here.
    pub cap_minor: i64,
    /// Score; higher is safer.
    pub score: i32,
    /// Probability of default.
    pub pd_prob: f64,
}

/// All decisions on one merchant.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// At most one a product.
    pub offers: Vec<Offer>,
    /// One for each product that is not offered.
    pub declines: Vec<Decline>,
    /// At most one: the largest.
    pub referral: Option<BankReferral>,
    /// The merchant's account after tonight.
    pub account: Account,
}

/// The decision on one product.
#[derive(Debug, Clone, PartialEq)]
pub enum ProductDecision {
    /// Offered, and what a bank might carry beyond it.
    Offer(Box<Offer>, Option<BankReferral>),
    /// Not offered.
    Decline(Box<Decline>),
}

/// Decides on one merchant, product by product in the policy's order. Each offer is put on the merchant's account before the next
/// product is looked at, so that two products of one night never claim the same means or the same order.
///
/// # Errors
/// Inputs that no decision may rest on: NaN, dates beyond the calendar.
pub fn decide(policy: &Policy, case: &MerchantCase<'_>, as_of: &AsOf) -> Result<Decision, OfferError> {
    let mut decision =
        Decision { offers: Vec::new(), declines: Vec::new(), referral: None, account: case.account.clone() };
    let account = &mut decision.account;
    account.withdraw_products(|name| policy.products.iter().all(|product| product.name != name));
    for product in &policy.products {
        match decide_product(policy, product, case, account, as_of)? {
            Outcome::Offer(offer) => {
                account.grant(opened(&offer, account, as_of));
                let larger = referral(policy, case, &offer);
                decision.referral = match (decision.referral.take(), larger) {
                    (Some(a), Some(b)) => Some(if b.supportable_minor > a.supportable_minor { b } else { a }),
                    (a, b) => a.or(b),
                };
                decision.offers.push(*offer);
            }
            Outcome::Decline(decline) => {
                account.withdraw(&product.name);
                decision.declines.push(decline);
            }
        }
    }
    Ok(decision)
}

/// The cap that portfolio optimisation puts on an offer: what it might have been, and what is left of it.
const fn optimised(limit_minor: i64, left_minor: i64) -> Cap {
    Cap { name: CapName::Optimised, gross_minor: Some(limit_minor), value_minor: Some(left_minor) }
}

/// An offer at another limit, no larger than its own, and another rate. The account is the merchant's before the offer is put on it.
///
/// # Errors
/// Terms that make no schedule, or dates beyond the calendar.
pub fn at_terms(
    policy: &Policy,
    mut offer: Offer,
    (limit_minor, rate_ppm): (i64, i64),
    account: &Account,
    as_of: &AsOf,
) -> Result<Offer, OfferError> {
    let is_same = (limit_minor, rate_ppm) == (offer.limit_minor, offer.daily_rate_ppm);
    let Some(product) = policy.products.iter().find(|p| p.name == offer.product).filter(|_| !is_same) else {
        return Ok(offer);
    };
    let rate = DailyRate::from_ppm(rate_ppm)?;
    let costs = CostOfLoan::of(product, limit_minor, rate, offer.expected_receipts_minor)?;
    if limit_minor < offer.limit_minor {
        offer.put_cap(optimised(offer.limit_minor, limit_minor));
        offer.binding_cap = CapName::Optimised;
    }
    if rate_ppm != offer.daily_rate_ppm {
        offer.optimised_rate_ppm = Some(rate_ppm);
    }
    (offer.limit_minor, offer.daily_rate_ppm) = (limit_minor, rate_ppm);
    offer.cost(costs);
    let pledged = pledge(product, account, limit_minor);
    offer.offer_id = offer_id(&offer.merchant_id, product, as_of, limit_minor, rate, &pledged);
    offer.replaces_offer_id = replaced_id(account, &product.name, &offer.offer_id);
    offer.pledged_order_ids = Some(pledged.order_ids).filter(|orders| !orders.is_empty());
    offer.tell_what_holds(policy.limit_step_minor);
    Ok(offer)
}

/// The open offer of an earlier night whose place an offer takes.
fn replaced_id(account: &Account, product: &str, offer_id: &str) -> Option<String> {
    let before = account.replaced(product)?;
    // Made earlier today on the same terms, it is the same offer.
    if before.offer_id == offer_id { before.replaces_offer_id.clone() } else { Some(before.offer_id.clone()) }
}

/// Decides on one product alone, for an application that comes by day; the account is the case's. `None` where the policy has no such product.
///
/// # Errors
/// As [`decide`].
pub fn decide_one(
    policy: &Policy,
    case: &MerchantCase<'_>,
    product: &str,
    as_of: &AsOf,
) -> Result<Option<ProductDecision>, OfferError> {
    let Some(product) = policy.products.iter().find(|p| p.name == product) else { return Ok(None) };
    let decision = match decide_product(policy, product, case, case.account, as_of)? {
        Outcome::Offer(offer) => {
            let referral = referral(policy, case, &offer);
            ProductDecision::Offer(offer, referral)
        }
        Outcome::Decline(decline) => ProductDecision::Decline(Box::new(decline)),
    };
    Ok(Some(decision))
}

/// Tonight's offer as it stands on the account.
#[must_use]
pub fn opened(offer: &Offer, account: &Account, as_of: &AsOf) -> OpenOffer {
    OpenOffer {
        offer_id: offer.offer_id.clone(),
        merchant_id: offer.merchant_id.clone(),
        product: offer.product.clone(),
        state: OfferState::Open,
        limit_minor: offer.limit_minor,
        daily_rate_ppm: Some(offer.daily_rate_ppm),
        term_days: Some(i64::from(offer.term_days)),
        sales_share_ppm: offer.sales_share_ppm,
        drawn_minor: 0,
        held_minor: offer.limit_minor,
        drawn_before_minor: account.replaced(&offer.product).map_or(0, |replaced| replaced.drawn_minor),
        offered_on: as_of.date(),
        valid_until_on: offer.valid_until_on,
        replaces_offer_id: offer.replaces_offer_id.clone(),
        pledged_order_ids: offer.pledged_order_ids.clone().unwrap_or_default(),
    }
}

enum Outcome {
    Offer(Box<Offer>),
    Decline(Decline),
}

/// Why caps are not known: as they are, or only at the worst that broken records could say, where `as_known` has them.
fn unknown_caps(caps: &[Cap], as_known: &[Cap]) -> Result<Vec<Reason>, OfferError> {
    let is_known = |cap: &Cap| as_known.iter().any(|c| c.name == cap.name && c.value_minor.is_some());
    let mut reasons: Vec<Reason> = Vec::new();
    for cap in caps.iter().filter(|cap| cap.value_minor.is_none()) {
        let (code, text) = cap.name.reason_when_unknown();
        let reason = if is_known(cap) { at_worst(text) } else { reason(code, text) }?;
        // Two caps may miss the same evidence.
        if is_another(&reasons, &reason) {
            reasons.push(reason);
        }
    }
    Ok(reasons)
}

fn decide_product(
    policy: &Policy,
    product: &Product,
    case: &MerchantCase<'_>,
    account: &Account,
    as_of: &AsOf,
) -> Result<Outcome, OfferError> {
    let in_force = OverridesInForce::of(policy, case, &product.name, as_of.date());
    let waived = in_force.without_waived(policy);
    let policy = waived.as_ref().unwrap_or(policy);
    let on = Question { in_force: &in_force, policy, product, case, account };
    let terms = on.check_rules().and_then(|()| on.limit()).and_then(|limit| Ok((on.price(&limit)?, limit)));
    match terms {
        Ok((price, limit)) => Ok(Outcome::Offer(Box::new(on.offer(limit, &price, as_of)?))),
        Err(NoOffer::Declined(decline)) => Ok(Outcome::Decline(*decline)),
        Err(NoOffer::Failed(error)) => Err(error),
    }
}

/// Why there is no offer of a product.
enum NoOffer {
    Declined(Box<Decline>),
    Failed(OfferError),
}

impl From<OfferError> for NoOffer {
    fn from(error: OfferError) -> Self {
        Self::Failed(error)
    }
}

/// The limit of an offer, and what it follows from.
struct CappedLimit {
    limit_minor: i64,
    binding: CapName,
    caps: Vec<Cap>,
}

/// The price of an offer, and what it follows from.
struct PricedLoan {
    rate: DailyRate,
    officer_rate_ppm: Option<i64>,
    parts: PriceParts,
    guarantee_fails_prob: Option<f64>,
    expected_receipts_minor: Option<i64>,
    costs: CostOfLoan,
}

/// Whether a merchant is offered a product, and on which terms.
struct Question<'a, 'c> {
    in_force: &'a OverridesInForce<'c>,
    policy: &'a Policy,
    product: &'a Product,
    case: &'a MerchantCase<'c>,
    account: &'a Account,
}

impl Question<'_, '_> {
    fn check_rules(&self) -> Result<(), NoOffer> {
        let mut failed = failed_rules(self.policy, self.product, self.case)?;
        failed.splice(..0, self.in_force.declined()?);
        if failed.is_empty() {
            return Ok(());
        }
        let reasons = reasons_of(&failed, self.case)?;
        Err(self.declined(failed, Vec::new(), reasons))
    }

    fn limit(&self) -> Result<CappedLimit, NoOffer> {
        let Self { in_force, policy, product, case, account } = *self;
        let caps = in_force.caps(policy, product, case, account)?;
        // What the caps would be if nothing of the merchant's were broken.
        let as_known = MerchantCase { scenarios: &[], ..case.clone() };
        let known_caps = in_force.caps(policy, product, &as_known, account)?;
        let (limit_minor, binding) = match least_of(&caps, policy.limit_step_minor) {
            Limit::Unknown(_) => {
                let reasons = unknown_caps(&caps, &known_caps)?;
                return Err(self.declined(Vec::new(), caps, reasons));
            }
            Limit::Known { limit_minor, binding } => (limit_minor, binding),
        };
        if limit_minor < product.min_limit_minor.max(1) {
            let mut reasons = too_small(&caps, least_limit(policy, product))?;
            let as_known = least_of(&known_caps, policy.limit_step_minor);
            if matches!(as_known, Limit::Known { limit_minor, .. } if limit_minor >= product.min_limit_minor.max(1)) {
                reasons = vec![at_worst(binding.reason_when_small().1)?];
            }
            return Err(self.declined(Vec::new(), caps, reasons));
        }
        Ok(CappedLimit { limit_minor, binding, caps })
    }

    fn price(&self, limit: &CappedLimit) -> Result<PricedLoan, NoOffer> {
        let Self { in_force, policy, product, case, .. } = *self;
        let HighestPrice { price, is_at_worst, guarantee_fails_prob } = highest_price(policy, product, case)?;
        let (rate, parts) = match price {
            Price::Rate(rate, parts) => (rate, parts),
            Price::AboveLaw(parts) => {
                // The risk behind the price is the score's: so are the further reasons.
                let failed = vec![above_law(policy, &parts, is_at_worst)?];
                let reasons = with_score_reasons(reasons_of(&failed, case)?, case);
                return Err(self.declined(failed, limit.caps.clone(), reasons));
            }
            Price::BandNotServed => {
                let failed = vec![priced_out(case.score.map(f64::from), None, "risk-band")];
                let reasons = reasons_of(&failed, case)?;
                return Err(self.declined(failed, limit.caps.clone(), reasons));
            }
        };
        let expected_receipts_minor = least_receipts_minor(product, case);
        let costs_at = |rate_ppm| {
            CostOfLoan::of(product, limit.limit_minor, DailyRate::from_ppm(rate_ppm)?, expected_receipts_minor)
        };
        let is_lawful = |rate_ppm| Ok(costs_at(rate_ppm)?.most_apr <= policy.price.max_apr_prob);
        let officer_rate_ppm = in_force.rate_ppm(policy, parts.floor_ppm, parts.band_ppm);
        let officer_rate_ppm = officer_rate_ppm.map(|set| most_lawful_ppm(rate.ppm(), set, is_lawful)).transpose()?;
        let rate = officer_rate_ppm.map_or(Ok(rate), DailyRate::from_ppm).map_err(OfferError::from)?;
        let costs = costs_at(rate.ppm())?;
        if costs.most_apr > policy.price.max_apr_prob {
            let failed = vec![priced_out(Some(costs.most_apr), Some(policy.price.max_apr_prob), "apr")];
            let reasons = reasons_of(&failed, case)?;
            return Err(self.declined(failed, limit.caps.clone(), reasons));
        }
        Ok(PricedLoan { rate, officer_rate_ppm, parts, guarantee_fails_prob, expected_receipts_minor, costs })
    }

    fn offer(&self, limit: CappedLimit, price: &PricedLoan, as_of: &AsOf) -> Result<Offer, OfferError> {
        let Self { in_force, policy, product, case, account } = *self;
        let CappedLimit { limit_minor, binding, caps } = limit;
        let PricedLoan { rate, officer_rate_ppm, parts, guarantee_fails_prob, expected_receipts_minor, ref costs } =
            *price;
        let pledged = pledge(product, account, limit_minor);
        let valid_until_on = as_of.days_before(-i32::from(policy.offer_valid_days))?.date();
        let offer_id = offer_id(case.merchant_id, product, as_of, limit_minor, rate, &pledged);
        let replaces_offer_id = replaced_id(account, &product.name, &offer_id);
        let held = held_by(&caps, limit_minor, policy.limit_step_minor);
        let (next_cap, next_limit_minor) = held.next.unzip();
        let share = product.repayment.sales_share();
        Ok(Offer {
            offer_id,
            merchant_id: case.merchant_id.to_owned(),
            product: product.name.clone(),
            limit_minor,
            daily_rate_ppm: rate.ppm(),
            apr: costs.apr,
            term_days: product.term_days,
            repayment: product.repayment.kind(),
            instalments: product.instalments,
            sales_share_ppm: share.map(|share| share.share_ppm),
            min_per_60_days_ppm: share.map(|share| share.min_per_60_days_ppm),
            expected_receipts_minor,
            expected_days: costs.expected_days,
            most_interest_minor: costs.most_interest_minor,
            interest_minor: costs.interest_minor,
            early_saving_minor: costs.early_saving_minor,
            term_pd_prob: parts.term_pd_prob,
            guarantee_fails_prob,
            expected_loss_daily_ppm: parts.expected_loss_ppm,
            funding_daily_ppm: parts.funding_ppm,
            cost_daily_ppm: parts.cost_ppm,
            margin_daily_ppm: parts.margin_ppm,
            floor_daily_ppm: parts.floor_ppm,
            band_daily_ppm: parts.band_ppm,
            valid_until_on,
            binding_cap: binding,
            caps,
            needed: held.needed,
            next_cap,
            next_limit_minor,
            pledged_order_ids: Some(pledged.order_ids).filter(|orders| !orders.is_empty()),
            replaces_offer_id,
            officer_rate_ppm,
            optimised_rate_ppm: None,
            overrides: in_force.words(),
        })
    }

    fn declined(&self, failed: Vec<Verdict>, caps: Vec<Cap>, reasons: Vec<Reason>) -> NoOffer {
        let Self { in_force, policy, product, case, account } = *self;
        let needed = match needed_for_offer(policy, product, case, account, (&failed, in_force)) {
            Ok(needed) => needed,
            Err(error) => return NoOffer::Failed(error),
        };
        NoOffer::Declined(Box::new(Decline {
            merchant_id: case.merchant_id.to_owned(),
            product: product.name.clone(),
            failed,
            caps,
            reasons,
            needed,
            score_changes: Vec::new(),
            overrides: in_force.words(),
        }))
    }
}

/// The verdict on a floor above the lawful most.
fn above_law(policy: &Policy, parts: &PriceParts, is_at_worst: bool) -> Result<Verdict, OfferError> {
    let text = "the interest that this risk and its costs need is above the lawful most";
    Ok(Verdict {
        rule: "daily-rate-floor".to_owned(),
        passed: false,
        observed: Some(parts.floor_ppm as f64),
        threshold: Some(policy.price.max_daily_rate_ppm as f64),
        reason: Some(if is_at_worst { at_worst(text)? } else { reason("price-above-law", text)? }),
    })
}

/// The orders that secure so much; none where the product pledges none.
fn pledge(product: &Product, account: &Account, limit_minor: i64) -> Pledge {
    let Some(advance_rate_ppm) = product.caps.receivables_advance_rate_ppm else { return Pledge::default() };
    let named = request(account, &product.name).map_or(&[][..], |r| &r.order_ids);
    let free = account.free_receivables(&product.name, named).unwrap_or_default();
    Pledge::covering(&free, limit_minor, |sum| carried_minor(sum, advance_rate_ppm))
}

/// The reasons for too small a limit: every cap below the least that is offered, the smallest first, four at most.
fn too_small(caps: &[Cap], least_minor: i64) -> Result<Vec<Reason>, OfferError> {
    let mut small: Vec<(i64, CapName)> = caps.iter().filter_map(|cap| Some((cap.value_minor?, cap.name))).collect();
    small.retain(|(value, _)| *value < least_minor);
    small.sort_unstable();
    let mut reasons: Vec<Reason> = Vec::new();
    for (_, name) in small {
        let (code, text) = name.reason_when_small();
        let reason = reason(code, text)?;
        if is_another(&reasons, &reason) {
            reasons.push(reason);
        }
    }
    Ok(reasons)
}

/// A verdict on the price; its reasons are the score's.
fn priced_out(observed: Option<f64>, threshold: Option<f64>, rule: &str) -> Verdict {
    Verdict { rule: rule.to_owned(), passed: false, observed, threshold, reason: None }
}

/// One to four reasons, one a code, in the order of the verdicts; a verdict without its own gives the score's. Where a code is given for more than one
/// fact, the first speaks: `failed` holds them all.
fn reasons_of(failed: &[Verdict], case: &MerchantCase<'_>) -> Result<Vec<Reason>, OfferError> {
    let mut reasons: Vec<Reason> = Vec::new();
    for verdict in failed {
        let given = verdict.reason.as_ref().map_or(case.score_reasons, std::slice::from_ref);
        for reason in given {
            if is_another(&reasons, reason) {
                reasons.push(reason.clone());
            }
        }
    }
    if reasons.is_empty() {
        // A score without reasons of its own: every factor stands at its best and the band is still not served.
        reasons.push(reason("risk-band-not-served", "no product serves the overall level of risk")?);
    }
    Ok(reasons)
}

/// Whether a reason can be given beside others: they are four at most, one a code.
fn is_another(reasons: &[Reason], reason: &Reason) -> bool {
    reasons.len() < MOST_REASONS && reasons.iter().all(|given| given.code != reason.code)
}

/// The score's reasons after those given, one a code, four at most.
fn with_score_reasons(mut reasons: Vec<Reason>, case: &MerchantCase<'_>) -> Vec<Reason> {
    for reason in case.score_reasons {
        if is_another(&reasons, reason) {
            reasons.push(reason.clone());
        }
    }
    reasons
}

/// The least of the caps that rest on evidence, where it exceeds the largest loan and the merchant is creditworthy.
fn referral(policy: &Policy, case: &MerchantCase<'_>, offer: &Offer) -> Option<BankReferral> {
    let supportable_minor = offer.caps.iter().filter(|c| c.name.is_evidence()).filter_map(|c| c.value_minor).min()?;
    let score = case.score?;
    (supportable_minor > policy.hard_cap_minor).then(|| BankReferral {
        merchant_id: offer.merchant_id.clone(),
        product: offer.product.clone(),
        supportable_minor,
        cap_minor: policy.hard_cap_minor,
        score,
        pd_prob: case.pd.get(),
    })
}

/// 24 hexadecimal digits: of a million offers a day for a century, the chance that any two share an id is one in a hundred million.
fn offer_id(
    merchant_id: &str,
    product: &Product,
    as_of: &AsOf,
    limit_minor: i64,
    rate: DailyRate,
    pledged: &Pledge,
) -> String {
    let mut hasher = Hasher::default();
    hasher.field(b"offer");
    hasher.field(merchant_id.as_bytes());
    hasher.field(product.name.as_bytes());
    hasher.field(as_of.date().to_string().as_bytes());
    hasher.field(&limit_minor.to_le_bytes());
    hasher.field(&rate.ppm().to_le_bytes());
    hasher.field(&product.term_days.to_le_bytes());
    if let Some(share) = product.repayment.sales_share() {
        hasher.field(&share.share_ppm.to_le_bytes());
        hasher.field(&share.min_per_60_days_ppm.to_le_bytes());
    }
    for order in &pledged.order_ids {
        hasher.field(order.as_bytes());
    }
    hasher.finish().to_string().chars().take(24).collect()
}

#[cfg(test)]
#[path = "decision_tests.rs"]
mod tests;
