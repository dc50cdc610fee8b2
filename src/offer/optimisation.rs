//! An offer as a candidate of portfolio optimisation: the limits and rates that it might have instead, what each gives and what it uses.
//!
//! Of an offer at limit `x` and rate `r`, `q(r)` is the share of merchants who would pay the rate, `d(x)` what is then drawn:
//! - expected profit `= q × d × B(r) × (r − expected loss − funding − cost)`,
//! - expected loss `= q × d × B(r) × expected loss`, rates a day as in the floor of the price,
//!
//! with `B(r)` the days for which a unit of principal is owed under the product's schedule. What is lent is the whole limit, less what an earlier
//! offer holds whose place it takes: the lender is bound by what it offers, not by what is expected to be drawn. Where a bound is overdrawn before
//! anything is offered, renewals are held to what [`super::room`] leaves them, and chosen among then.

use super::cost::CostOfLoan;
use super::decision::Offer;
use super::error::OfferError;
use super::optimisation_terms::OptimisationTerms;
use super::policy::{Policy, Product};
use super::schedule::{REFERENCE_MINOR, schedule};
use crate::domain::DailyRate;
use crate::domain::elementary::{erfc, ln};
use crate::optimise::{Candidates, Choice, Place};
use crate::store::stable_hash;

/// Choices of all products under a policy, as far as they are the same for all merchants.
#[derive(Debug, Clone)]
pub struct ChoiceGrid {
    terms: OptimisationTerms,
    step_minor: i64,
    products: Vec<ProductGrid>,
}

#[derive(Debug, Clone)]
struct ProductGrid {
    min_limit_minor: i64,
    /// By rate in ppm: `q(r) × B(r)` in millionths, with [`POINT`] bits after the point: times what is drawn and a daily rate in ppm it is money.
    worth: Vec<i128>,
    /// Up to this rate every limit of the product is within the lawful annual rate, however its payments are rounded.
    surely_lawful_ppm: i64,
}

/// Bits after the point of [`ProductGrid::worth`].
const POINT: u32 = 40;

/// An offer that optimisation may lower, price otherwise, or withhold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    limit_minor: i64,
    /// What the open offer holds whose place it takes.
    held_minor: i64,
    rate_ppm: i64,
    expected_loss_ppm: i64,
    /// Expected loss, funding and cost.
    spent_ppm: i64,
    /// Bit `limit × 8 + rate`: whether the choice is allowed.
    allowed: u64,
    product: u32,
    /// Hash of merchant and product: candidates are put in order by it, so that shards and their order change nothing.
    key: u64,
    /// Where its merchant stands.
    pub place: Place,
}

impl Candidate {
    /// By what candidates are put in order.
    #[must_use]
    pub const fn key(&self) -> u64 {
        self.key
    }

    /// The same at another place.
    #[must_use]
    pub const fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// The limit that rules and caps allow.
    #[must_use]
    pub const fn limit_minor(&self) -> i64 {
        self.limit_minor
    }

    /// The offer's own rate.
    #[must_use]
    pub const fn rate_ppm(&self) -> i64 {
        self.rate_ppm
    }

    /// What the open offer holds whose place it takes.
    #[must_use]
    pub const fn held_minor(&self) -> i64 {
        self.held_minor
    }
}

impl ChoiceGrid {
    /// The choices under a policy; `None` where it does not optimise.
    ///
    /// # Errors
    /// A product without a schedule.
    pub fn of(policy: &Policy) -> Result<Option<Self>, OfferError> {
        let Some(terms) = &policy.optimisation else { return Ok(None) };
        let products = policy.products.iter().map(|product| ProductGrid::of(policy, product, terms));
        Ok(Some(Self {
            terms: terms.clone(),
            step_minor: policy.limit_step_minor.max(1),
            products: products.collect::<Result<_, _>>()?,
        }))
    }

    /// An offer among the candidates; `held_minor` is held by the offer whose place it takes. One of a product that is not the policy's has no choice.
    ///
    /// # Errors
    /// A schedule without an annual rate.
    pub fn candidate(
        &self,
        policy: &Policy,
        offer: &Offer,
        held_minor: i64,
        place: Place,
    ) -> Result<Candidate, OfferError> {
        let at = policy.products.iter().position(|product| product.name == offer.product);
        let spent = offer.funding_daily_ppm.saturating_add(offer.cost_daily_ppm);
        let mut candidate = Candidate {
            limit_minor: offer.limit_minor,
            held_minor,
            rate_ppm: offer.daily_rate_ppm,
            expected_loss_ppm: offer.expected_loss_daily_ppm,
            spent_ppm: spent.saturating_add(offer.expected_loss_daily_ppm),
            allowed: 0,
            product: at.and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX),
            key: stable_hash(format!("{}\u{0}{}", offer.merchant_id, offer.product).as_bytes()),
            place,
        };
        let Some((product, grid)) = at.and_then(|at| policy.products.get(at).zip(self.products.get(at))) else {
            return Ok(candidate);
        };
        for (limit_at, limit_minor, _) in self.limits(&candidate).collect::<Vec<_>>() {
            for (rate_at, step) in self.terms.rate_steps_ppm.iter().enumerate() {
                let rate_ppm = offer.daily_rate_ppm.saturating_add(*step);
                let is_own = *step == 0 && limit_minor == offer.limit_minor;
                // A rate that an officer set is nobody else's to change.
                let is_open = *step == 0
                    || (offer.officer_rate_ppm.is_none()
                        && (offer.floor_daily_ppm..=policy.price.max_daily_rate_ppm).contains(&rate_ppm));
                if is_own || (is_open && is_lawful(policy, product, grid, limit_minor, rate_ppm)?) {
                    candidate.allowed |= bit(limit_at, rate_at);
                }
            }
        }
        Ok(candidate)
    }

    /// Limits of a candidate: place in the list, limit, what is drawn of it. Of parts that come to the same limit the largest one counts.
    fn limits(&self, candidate: &Candidate) -> impl Iterator<Item = (usize, i64, i64)> {
        let least = self.products.get(candidate.product as usize).map_or(i64::MAX, |p| p.min_limit_minor);
        let (whole, step) = (candidate.limit_minor, self.step_minor);
        let part = move |ppm: i64| i64::try_from(i128::from(whole) * i128::from(ppm) / 1_000_000).unwrap_or(i64::MAX);
        let limit = move |share_ppm: i64| part(share_ppm) / step * step;
        let parts = &self.terms.limits;
        parts.iter().enumerate().filter_map(move |(at, one)| {
            let limit_minor = limit(one.share_ppm);
            let is_last = parts.get(at + 1).is_none_or(|next| limit(next.share_ppm) > limit_minor);
            (is_last && limit_minor >= least).then(|| (at, limit_minor, part(one.drawn_ppm).min(limit_minor)))
        })
    }

    /// Choices of a candidate in their order, each with its limit and rate.
    fn all<'a>(&'a self, candidate: &'a Candidate) -> impl Iterator<Item = (i64, i64, Choice)> + 'a {
        let worth =
            self.products.get(candidate.product as usize).map(|product| product.worth.as_slice()).unwrap_or_default();
        self.limits(candidate).flat_map(move |(limit_at, limit_minor, drawn_minor)| {
            let steps = self.terms.rate_steps_ppm.iter().enumerate();
            steps.filter(move |(rate_at, _)| candidate.allowed & bit(limit_at, *rate_at) != 0).map(move |(_, step)| {
                let rate_ppm = candidate.rate_ppm + step;
                let worth = usize::try_from(rate_ppm).ok().and_then(|rate| worth.get(rate)).copied().unwrap_or(0);
                let money = |ppm: i64| i128::from(drawn_minor) * worth * i128::from(ppm);
                let whole = |money: i128| i64::try_from(money >> POINT).unwrap_or(i64::MAX);
                let choice = Choice {
                    profit_minor: whole(money(rate_ppm.saturating_sub(candidate.spent_ppm))),
                    lent_minor: limit_minor.saturating_sub(candidate.held_minor).max(0),
                    // Rounded up.
                    loss_minor: whole(money(candidate.expected_loss_ppm) + ((1 << POINT) - 1)),
                };
                (limit_minor, rate_ppm, choice)
            })
        })
    }

    /// The same candidate without choices of more than a limit.
    pub(super) fn at_most(&self, candidate: Candidate, most_minor: i64) -> Candidate {
        let within = self.limits(&candidate).filter(|(_, limit_minor, _)| *limit_minor <= most_minor);
        let kept = within.fold(0_u64, |kept, (limit_at, _, _)| kept | (0xff << (limit_at * 8)));
        Candidate { allowed: candidate.allowed & kept, ..candidate }
    }

    /// The largest limit and the largest profit among a candidate's choices; 0 where it has none.
    pub(super) fn most(&self, candidate: &Candidate) -> (i64, i64) {
        let choices = self.all(candidate);
        choices.fold((0, 0), |(limit, profit), (limit_minor, _, choice)| {
            (limit.max(limit_minor), profit.max(choice.profit_minor))
        })
    }

    /// Choices of one candidate, for what is decided by itself.
    #[must_use]
    pub fn choices(&self, candidate: &Candidate) -> Vec<Choice> {
        self.all(candidate).map(|(_, _, choice)| choice).collect()
    }

    /// Limit and rate of a choice, from 1; `None` for nothing.
    #[must_use]
    pub fn chosen(&self, candidate: &Candidate, number: u8) -> Option<(i64, i64)> {
        let at = usize::from(number).checked_sub(1)?;
        self.all(candidate).nth(at).map(|(limit_minor, rate_ppm, _)| (limit_minor, rate_ppm))
    }
}

/// All candidates of a night.
pub struct CandidateList<'a> {
    /// The choices.
    pub grid: &'a ChoiceGrid,
    /// The candidates.
    pub candidates: Vec<Candidate>,
}

impl Candidates for CandidateList<'_> {
    fn count(&self) -> usize {
        self.candidates.len()
    }

    fn place(&self, candidate: usize) -> Place {
        self.candidates.get(candidate).map(|candidate| candidate.place).unwrap_or_default()
    }

    fn choices(&self, candidate: usize, choices: &mut Vec<Choice>) {
        if let Some(candidate) = self.candidates.get(candidate) {
            choices.extend(self.grid.all(candidate).map(|(_, _, choice)| choice));
        }
    }
}

const fn bit(limit_at: usize, rate_at: usize) -> u64 {
    1 << (limit_at * 8 + rate_at)
}

impl ProductGrid {
    fn of(policy: &Policy, product: &Product, terms: &OptimisationTerms) -> Result<Self, OfferError> {
        let rates = 0..=policy.price.max_daily_rate_ppm;
        let worth = rates.map(|rate_ppm| {
            // A free loan is owed as long as a very cheap one.
            let interest = i128::from(interest_minor(product, rate_ppm.max(1))?);
            let taken = i128::from(taken_ppm(terms, rate_ppm));
            Ok(((interest * taken) << POINT) / (1_000_000 * i128::from(rate_ppm.max(1)) * i128::from(REFERENCE_MINOR)))
        });
        Ok(Self {
            min_limit_minor: product.min_limit_minor.max(1),
            worth: worth.collect::<Result<_, OfferError>>()?,
            surely_lawful_ppm: surely_lawful_ppm(policy, product)?,
        })
    }
}

/// All interest of the reference principal; of a share of sales, as if no more than the minimum were repaid.
fn interest_minor(product: &Product, rate_ppm: i64) -> Result<i64, OfferError> {
    let terms = product.terms(REFERENCE_MINOR, DailyRate::from_ppm(rate_ppm)?);
    Ok(schedule(&terms)?.iter().map(|due| due.interest_minor).sum())
}

/// Share of merchants who would pay a rate, in parts per million: `Φ(ln(median ÷ rate) ÷ spread)`.
fn taken_ppm(terms: &OptimisationTerms, rate_ppm: i64) -> i64 {
    if rate_ppm <= 0 {
        return 1_000_000;
    }
    let z = ln(rate_ppm as f64 / terms.accepted_rate_ppm as f64) / terms.accepted_spread;
    let taken = 0.5 * erfc(z * std::f64::consts::FRAC_1_SQRT_2);
    #[expect(clippy::cast_possible_truncation, reason = "a share of a million")]
    let ppm = (taken * 1e6).round() as i64;
    ppm
}

/// The largest rate at which no rounding of payments can bring a limit of the product above the lawful annual rate: each payment is rounded by at
/// most half a minor unit, which is taken twice, on the smallest limit.
fn surely_lawful_ppm(policy: &Policy, product: &Product) -> Result<i64, OfferError> {
    let is_sure = |rate_ppm: i64| -> Result<bool, OfferError> {
        let apr = CostOfLoan::of(product, REFERENCE_MINOR, DailyRate::from_ppm(rate_ppm)?, None)?.most_apr;
        let interest = interest_minor(product, rate_ppm)? as f64 / REFERENCE_MINOR as f64;
        let of_least = interest * product.min_limit_minor.max(1) as f64;
        Ok(apr * (1.0 + f64::from(product.instalments) / of_least.max(f64::MIN_POSITIVE)) <= policy.price.max_apr_prob)
    };
    // With rounding, a lower rate is not always the surer one: of the rates tried by halves, the largest that is sure.
    let (mut low, mut high) = (0, policy.price.max_daily_rate_ppm + 1);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if is_sure(middle)? { low = middle } else { high = middle }
    }
    Ok(low)
}

fn is_lawful(
    policy: &Policy,
    product: &Product,
    grid: &ProductGrid,
    limit_minor: i64,
    rate_ppm: i64,
) -> Result<bool, OfferError> {
    if rate_ppm > 0 && rate_ppm <= grid.surely_lawful_ppm {
        return Ok(true);
    }
    let costs = CostOfLoan::of(product, limit_minor, DailyRate::from_ppm(rate_ppm)?, None)?;
    Ok(costs.most_apr <= policy.price.max_apr_prob)
}

#[cfg(test)]
#[path = "optimisation_tests.rs"]
mod tests;
