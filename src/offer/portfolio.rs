//! All offers of a night as candidates of portfolio optimisation, the bounds that they share, and what was chosen.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::case_record::CasePlace;
use super::decision::Offer;
use super::error::OfferError;
use super::optimisation::{Candidate, CandidateList, ChoiceGrid};
use super::policy::Policy;
use super::room::{RoomLeft, room_minor};
use crate::optimise::{Allocation, Bounds, Choice, FrontierPoint, Place, Prices, Varied, frontier, optimise};

/// What merchants owe and may draw before a night offers anything, minor units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
    /// All together.
    pub all_minor: i64,
    by_category: BTreeMap<Option<String>, i64>,
    by_region: BTreeMap<Option<String>, i64>,
}

impl Committed {
    /// Adds a merchant's part: what is owed, or may be at the most, and what may still be drawn.
    pub fn add(&mut self, place: &CasePlace, owed_minor: i64, held_minor: i64) {
        let part = owed_minor.saturating_add(held_minor);
        self.all_minor = self.all_minor.saturating_add(part);
        for (sums, name) in [(&mut self.by_category, &place.category), (&mut self.by_region, &place.region)] {
            let sum = sums.entry(name.clone()).or_default();
            *sum = sum.saturating_add(part);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.all_minor = self.all_minor.saturating_add(other.all_minor);
        for (sums, parts) in [(&mut self.by_category, &other.by_category), (&mut self.by_region, &other.by_region)] {
            for (name, part) in parts {
                let sum = sums.entry(name.clone()).or_default();
                *sum = sum.saturating_add(*part);
            }
        }
    }
}

/// Candidates, and the categories and regions by whose number they stand.
#[derive(Debug, Clone, Default)]
pub struct OfferPool {
    candidates: Vec<Candidate>,
    categories: BTreeMap<Option<String>, u32>,
    regions: BTreeMap<Option<String>, u32>,
    committed: Committed,
}

impl OfferPool {
    /// An empty pool beside what is owed and may be drawn already.
    #[must_use]
    pub fn beside(committed: Committed) -> Self {
        Self { committed, ..Self::default() }
    }

    /// Adds an offer of the policy's; `held_minor` is held by the offer whose place it takes.
    ///
    /// # Errors
    /// A schedule without an annual rate.
    pub fn add(
        &mut self,
        policy: &Policy,
        grid: &ChoiceGrid,
        (offer, held_minor): (&Offer, i64),
        place: &CasePlace,
    ) -> Result<(), OfferError> {
        self.put(grid.candidate(policy, offer, held_minor, Place::default())?, place);
        Ok(())
    }

    /// Adds a candidate who stands at a place.
    pub fn put(&mut self, candidate: Candidate, place: &CasePlace) {
        let place = Place {
            category: number(&mut self.categories, place.category.as_ref()),
            region: number(&mut self.regions, place.region.as_ref()),
        };
        self.candidates.push(candidate.at(place));
    }

    /// Pools one after the other as one. Categories and regions are numbered by name, whatever the order.
    #[must_use]
    pub fn joined(parts: Vec<Self>) -> Self {
        let mut all = Self::default();
        for part in &parts {
            all.categories.extend(part.categories.keys().map(|name| (name.clone(), 0)));
            all.regions.extend(part.regions.keys().map(|name| (name.clone(), 0)));
            all.committed.merge(&part.committed);
        }
        for names in [&mut all.categories, &mut all.regions] {
            names.values_mut().zip(0_u32..).for_each(|(number, n)| *number = n);
        }
        for part in parts {
            let category = renumbered(&part.categories, &all.categories);
            let region = renumbered(&part.regions, &all.regions);
            let moved = part.candidates.into_iter().map(|candidate| {
                let place = Place {
                    category: category.get(candidate.place.category as usize).copied().unwrap_or(u32::MAX),
                    region: region.get(candidate.place.region as usize).copied().unwrap_or(u32::MAX),
                };
                candidate.at(place)
            });
            all.candidates.extend(moved);
        }
        all
    }

    /// How many candidates there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.candidates.len()
    }

    /// What all choices must stay within under a policy.
    #[must_use]
    pub fn bounds(&self, policy: &Policy) -> Bounds {
        let Some(terms) = &policy.optimisation else { return Bounds::default() };
        let budget = policy.portfolio_budget_minor;
        let left = |most: i64, committed: i64| most.saturating_sub(committed);
        let of_place =
            |share: Option<f64>, names: &BTreeMap<Option<String>, u32>, sums: &BTreeMap<Option<String>, i64>| {
                let Some((share, budget)) = share.zip(budget) else { return Vec::new() };
                let most = part_of(share, budget);
                names.keys().map(|name| Some(left(most, sums.get(name).copied().unwrap_or(0)))).collect()
            };
        Bounds {
            lent_minor: budget.map(|budget| left(budget, self.committed.all_minor)),
            loss_minor: terms.max_expected_loss_minor,
            category_minor: of_place(terms.max_category_share, &self.categories, &self.committed.by_category),
            region_minor: of_place(terms.max_region_share, &self.regions, &self.committed.by_region),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the count")]
            least_chosen: (terms.min_offer_share * self.candidates.len() as f64).ceil() as u64,
        }
    }

    /// Chooses for all candidates.
    #[must_use]
    pub fn allocate(self, policy: &Policy, grid: &ChoiceGrid) -> Allocated {
        let bounds = self.bounds(policy);
        let order = self.order();
        let list = self.list(grid, &order, &bounds);
        let Self { categories, regions, .. } = self;
        let allocation = optimise(&list, &bounds);
        let places = (categories.into_keys().collect::<Vec<_>>(), regions.into_keys().collect::<Vec<_>>());
        let summary = OptimisationSummary::of(&list, &allocation, &bounds, &places);
        let mut terms = vec![None; order.len()];
        for ((at, candidate), number) in order.iter().zip(&list.candidates).zip(&allocation.numbers) {
            if let Some(slot) = terms.get_mut(*at) {
                *slot = grid.chosen(candidate, *number);
            }
        }
        Allocated { terms, summary }
    }

    /// Points of the efficient frontier under a policy.
    #[must_use]
    pub fn frontier(self, policy: &Policy, grid: &ChoiceGrid, varied: Varied, points: usize) -> Vec<FrontierPoint> {
        let bounds = self.bounds(policy);
        // The bound that is varied allows what is held already, and more.
        let standing = match varied {
            Varied::Lent => Bounds { lent_minor: None, ..bounds.clone() },
            Varied::Loss => bounds.clone(),
        };
        frontier(&self.list(grid, &self.order(), &standing), &bounds, varied, points)
    }

    /// Positions of the candidates in the order in which they are looked at: of equals the earlier goes first, and which it is must not hang on the
    /// shards that they come from.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.candidates.len()).collect();
        order.sort_by_key(|at| self.candidates.get(*at).map(Candidate::key));
        order
    }

    /// The candidates in an order, held to what overdrawn bounds leave.
    fn list<'a>(&self, grid: &'a ChoiceGrid, order: &[usize], bounds: &Bounds) -> CandidateList<'a> {
        let mut candidates: Vec<Candidate> = order.iter().filter_map(|at| self.candidates.get(*at).copied()).collect();
        hold_renewals(grid, &mut candidates, bounds);
        CandidateList { grid, candidates }
    }
}

/// Where a bound is overdrawn before anything is offered, holds the offers that would be renewed to what the others can give back, the most
/// profitable first. Bounds that are not overdrawn hold nobody to anything here.
fn hold_renewals(grid: &ChoiceGrid, candidates: &mut [Candidate], bounds: &Bounds) {
    let left_of = |bound: TouchedBound| {
        let left = match bound {
            TouchedBound::Lent => bounds.lent_minor,
            TouchedBound::Category(number) => bounds.category_minor.get(number as usize).copied().flatten(),
            TouchedBound::Region(number) => bounds.region_minor.get(number as usize).copied().flatten(),
        };
        left.filter(|left| *left < 0)
    };
    let mut overdrawn: BTreeMap<TouchedBound, RoomLeft> = BTreeMap::new();
    for candidate in candidates.iter() {
        for bound in TouchedBound::of(candidate) {
            if let Some(left) = left_of(bound) {
                overdrawn.entry(bound).or_insert(RoomLeft::new(left)).hold(candidate.held_minor());
            }
        }
    }
    if overdrawn.is_empty() {
        return;
    }
    let by_profit = |(at, candidate): (usize, &Candidate)| (Reverse(grid.most(candidate).1), at);
    let mut turns: Vec<(Reverse<i64>, usize)> = candidates.iter().enumerate().map(by_profit).collect();
    turns.sort_unstable();
    for (_, at) in turns {
        let Some(candidate) = candidates.get_mut(at) else { continue };
        let (touched, held) = (TouchedBound::of(candidate), candidate.held_minor());
        for bound in touched {
            if let Some(room) = overdrawn.get_mut(&bound) {
                *candidate = grid.at_most(*candidate, room_minor(room.turn(held), held));
            }
        }
        let (kept, _) = grid.most(candidate);
        for bound in touched {
            if let Some(room) = overdrawn.get_mut(&bound) {
                room.settle(held, kept);
            }
        }
    }
}

/// A bound of what is lent, by the number of its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum TouchedBound {
    Lent,
    Category(u32),
    Region(u32),
}

impl TouchedBound {
    /// Those that a candidate uses.
    const fn of(candidate: &Candidate) -> [Self; 3] {
        [Self::Lent, Self::Category(candidate.place.category), Self::Region(candidate.place.region)]
    }
}

/// `⌊share × budget⌋`.
fn part_of(share: f64, budget: i64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "at most the budget")]
    let part = (share * budget as f64).floor() as i64;
    part
}

/// The number of a name, given when it is first met.
fn number(names: &mut BTreeMap<Option<String>, u32>, name: Option<&String>) -> u32 {
    let next = u32::try_from(names.len()).unwrap_or(u32::MAX);
    *names.entry(name.cloned()).or_insert(next)
}

/// By number of a part, the number among all.
fn renumbered(part: &BTreeMap<Option<String>, u32>, all: &BTreeMap<Option<String>, u32>) -> Vec<u32> {
    let mut numbers = vec![u32::MAX; part.len()];
    for (name, number) in part {
        if let (Some(slot), Some(of_all)) = (numbers.get_mut(*number as usize), all.get(name)) {
            *slot = *of_all;
        }
    }
    numbers
}

/// What was chosen for a night.
#[derive(Debug)]
pub struct Allocated {
    /// By candidate its limit and rate; `None` where it gets nothing.
    pub terms: Vec<Option<(i64, i64)>>,
    /// All together.
    pub summary: OptimisationSummary,
}

/// What optimisation came to, published with the summary of a night; the prices decide applications by day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimisationSummary {
    /// Offers that rules and caps allow.
    pub candidates: u64,
    /// Offers made.
    pub offered: u64,
    /// Of these, with a limit below what the caps allow.
    pub lowered: u64,
    /// Of these, at another rate than their own.
    pub repriced: u64,
    /// Offers that were to be made at least.
    pub least_offered: u64,
    /// Expected profit, minor units.
    pub profit_minor: i64,
    /// No choice within the bounds has a larger expected profit.
    pub profit_bound_minor: i64,
    /// Sum lent beyond what offers held before, minor units.
    pub lent_minor: i64,
    /// Expected loss, minor units.
    pub expected_loss_minor: i64,
    /// Every bound with its price.
    pub bounds: Vec<BoundLine>,
    /// What one more offer would cost where the least share binds, minor units.
    pub offer_price_minor: i64,
}

/// One bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoundLine {
    /// Which.
    pub bound: BoundName,
    /// The most, minor units: what was left before the night.
    pub most_minor: i64,
    /// Used by the offers of the night.
    pub used_minor: i64,
    /// Shadow price: expected profit that one more unit would bring. 0 where the bound does not bind.
    pub shadow_price: f64,
    /// The same in 2⁻³²: the number that decides.
    pub shadow_price_2_32: i64,
}

/// A bound's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoundName {
    /// The portfolio's budget.
    Lent,
    /// Expected loss.
    ExpectedLoss,
    /// Concentration in a category; null for merchants of no known one.
    Category(Option<String>),
    /// Concentration in a region.
    Region(Option<String>),
}

impl std::fmt::Display for BoundName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = |name: &Option<String>| name.clone().unwrap_or_else(|| "not known".to_owned());
        match self {
            Self::Lent => write!(f, "lent"),
            Self::ExpectedLoss => write!(f, "expected loss"),
            Self::Category(name) => write!(f, "category {}", place(name)),
            Self::Region(name) => write!(f, "region {}", place(name)),
        }
    }
}

impl OptimisationSummary {
    fn of(
        list: &CandidateList<'_>,
        found: &Allocation,
        bounds: &Bounds,
        (categories, regions): &(Vec<Option<String>>, Vec<Option<String>>),
    ) -> Self {
        let prices = found.shadow.by_bound();
        let firsts = [
            (BoundName::Lent, bounds.lent_minor, found.lent_minor),
            (BoundName::ExpectedLoss, bounds.loss_minor, found.loss_minor),
        ];
        let of_category = bounds.category_minor.iter().zip(&found.category_minor).zip(categories);
        let of_region = bounds.region_minor.iter().zip(&found.region_minor).zip(regions);
        let categories = of_category.map(|((most, used), name)| (BoundName::Category(name.clone()), *most, *used));
        let regions = of_region.map(|((most, used), name)| (BoundName::Region(name.clone()), *most, *used));
        let all = firsts.into_iter().chain(categories).chain(regions).zip(prices);
        let lines = all.filter_map(|((bound, most, used_minor), price)| {
            most.map(|most_minor| BoundLine {
                bound,
                most_minor,
                used_minor,
                shadow_price: price as f64 / 4_294_967_296.0,
                shadow_price_2_32: price,
            })
        });
        let mut summary = Self {
            candidates: list.candidates.len() as u64,
            offered: found.chosen,
            lowered: 0,
            repriced: 0,
            least_offered: found.least_chosen,
            profit_minor: found.profit_minor,
            profit_bound_minor: found.bound_minor,
            lent_minor: found.lent_minor,
            expected_loss_minor: found.loss_minor,
            bounds: lines.collect(),
            offer_price_minor: found.shadow.approval_minor(),
        };
        for (candidate, number) in list.candidates.iter().zip(&found.numbers) {
            if let Some((limit_minor, rate_ppm)) = list.grid.chosen(candidate, *number) {
                summary.lowered += u64::from(limit_minor < candidate.limit_minor());
                summary.repriced += u64::from(rate_ppm != candidate.rate_ppm());
            }
        }
        summary
    }

    /// Limit and rate of an offer that is decided by itself, at the prices of the night; `None` where what it uses is worth more elsewhere. The
    /// first choice of the largest reduced profit is taken, as at night.
    #[must_use]
    pub fn choose(&self, grid: &ChoiceGrid, candidate: &Candidate, place: &CasePlace) -> Option<(i64, i64)> {
        let price = |is: &dyn Fn(&BoundName) -> bool| {
            let found = self.bounds.iter().find(|line| is(&line.bound));
            found.map_or(0, |line| i128::from(line.shadow_price_2_32))
        };
        let lent = price(&|bound| *bound == BoundName::Lent);
        let category = price(&|bound| matches!(bound, BoundName::Category(name) if *name == place.category));
        let region = price(&|bound| matches!(bound, BoundName::Region(name) if *name == place.region));
        let prices = Prices {
            lent: lent + category + region,
            loss: price(&|bound| *bound == BoundName::ExpectedLoss),
            chosen_minor: self.offer_price_minor,
        };
        let choices: Vec<Choice> = grid.choices(candidate);
        grid.chosen(candidate, prices.best(&choices))
    }

    /// Upper bound of the profit less the profit reached, as a share of the bound; 0 where nothing could be earned.
    #[must_use]
    pub fn gap_share(&self) -> f64 {
        (self.profit_bound_minor - self.profit_minor) as f64 / (self.profit_bound_minor as f64).max(1.0)
    }
}
