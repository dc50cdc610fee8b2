//! Loans that were really made, followed under the decision that stood when each was made.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use serde::Serialize;

use super::figures::{Approval, LoanFigures, OfferFigures, ShareRange};
use super::loan_fate::{Costs, LoanResult, MadeLoan, MadeLoans};
use super::night::{LoanOnDate, MerchantNight, Night};
use crate::offer::Policy;

/// The band of a merchant who could not be seen when the loan was made.
const NOT_SEEN: &str = "not-seen";
/// The product of a loan of which nothing is known.
const NOT_KNOWN: &str = "not-known";

/// One date: what was offered, what was really lent until the next one, and how the loans of the period so far stood.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DateLine {
    /// The date.
    pub on: Date,
    /// Merchants decided on; 0 on the day after the last date.
    pub decided: u64,
    /// Of these, those who are offered something.
    pub offered: u64,
    /// Sum of limits offered.
    pub limit_minor: i64,
    /// Loans really made until the next date.
    pub loans: u64,
    /// What was really lent.
    pub lent_minor: i64,
    /// Of these loans, those that the policy would have made.
    pub followed: u64,
    /// What it would have lent on them.
    pub followed_minor: i64,
    /// Non-performing share of the loans that were really made since the first date: principal outstanding of borrowers with a loan in default or
    /// classed substandard or worse, of all principal outstanding. Null while nothing is.
    pub book_npl: Option<ShareRange>,
    /// The same of those that the policy would have made.
    pub npl: Option<ShareRange>,
    /// And of those that the other one would have made.
    pub against_npl: Option<ShareRange>,
}

/// Offers that one makes and the other does not.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct SwapSet {
    /// The offers.
    pub offers: OfferFigures,
    /// Loans that were really made on them.
    pub loans: LoanFigures,
}

/// How the offers differ from those of the other policy; without one, from the loans that were really made.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Swaps {
    /// Offered here and not there. Against the loans really made: offers whose merchant drew none.
    pub ins: SwapSet,
    /// Offered there and not here. Against the loans really made: loans that would not have been made here.
    pub outs: SwapSet,
    /// Offered by both. Against the loans really made: offers on which a loan was made.
    pub both: u64,
}

/// Figures as a whole and by what they are broken down.
#[derive(Debug, Clone, Default)]
pub struct Breakdown<T> {
    pub all: T,
    pub by_band: BTreeMap<String, T>,
    pub by_vintage: BTreeMap<String, T>,
    pub by_product: BTreeMap<String, T>,
}

impl<T: Default> Breakdown<T> {
    fn each(&mut self, keys: &LoanKeys<'_>, add: impl Fn(&mut T)) {
        add(&mut self.all);
        add(self.by_band.entry(keys.band.to_owned()).or_default());
        add(self.by_vintage.entry(keys.vintage.clone()).or_default());
        add(self.by_product.entry(keys.product.to_owned()).or_default());
    }

    fn map(self, of: impl Fn(T) -> T) -> Self {
        let all_of = |map: BTreeMap<String, T>| map.into_iter().map(|(key, value)| (key, of(value))).collect();
        Self {
            all: of(self.all),
            by_band: all_of(self.by_band),
            by_vintage: all_of(self.by_vintage),
            by_product: all_of(self.by_product),
        }
    }
}

struct LoanKeys<'a> {
    band: &'a str,
    vintage: String,
    product: &'a str,
}

/// One policy's figures.
#[derive(Debug, Clone, Default)]
pub struct SideSums {
    pub approval: Approval,
    pub approval_by_band: BTreeMap<String, Approval>,
    pub offers: Breakdown<OfferFigures>,
    pub followed: Breakdown<LoanFigures>,
    pub refused: Breakdown<LoanFigures>,
}

/// What all dates came to.
pub struct Sums {
    pub lines: Vec<DateLine>,
    pub own: SideSums,
    pub against: Option<SideSums>,
    pub book: Breakdown<LoanFigures>,
    pub swaps: Swaps,
    pub unplaced: u64,
    pub nameless: u64,
}

/// A date whose loans are not followed yet.
struct Pending {
    on: Date,
    own: Night,
    against: Option<Night>,
}

/// Follows loans from date to date.
pub struct Followed<'a> {
    made: &'a MadeLoans,
    own_costs: Costs,
    against_costs: Option<Costs>,
    pending: Option<Pending>,
    /// Loans of unknown books that some date has seen: the next one does not see them first.
    seen: BTreeSet<usize>,
    /// What either would have lent of each loan that was followed, by position.
    lent: HashMap<usize, Lent>,
    sums: Sums,
}

#[derive(Clone, Copy)]
struct Lent {
    own: Part,
    against: Part,
}

/// The part of a loan that a policy would have lent.
#[derive(Clone, Copy)]
enum Part {
    None,
    Whole,
    /// So much of so much.
    Of(i64, i64),
}

impl Part {
    fn of(result: Option<&LoanResult>, loan: &MadeLoan) -> Self {
        match result {
            None => Self::None,
            Some(result) if result.is_above_limit => {
                Self::Of(result.lent_minor.unwrap_or(0), loan.principal_minor.unwrap_or(1).max(1))
            }
            Some(_) => Self::Whole,
        }
    }

    fn of_minor(self, minor: i64) -> i64 {
        match self {
            Self::None => 0,
            Self::Whole => minor,
            Self::Of(part, whole) => {
                i64::try_from(i128::from(minor) * i128::from(part) / i128::from(whole)).unwrap_or(minor)
            }
        }
    }
}

impl<'a> Followed<'a> {
    pub fn new(made: &'a MadeLoans, own: &Policy, against: Option<&Policy>) -> Self {
        Self {
            made,
            own_costs: Costs::of(own, made.days),
            against_costs: against.map(|policy| Costs::of(policy, made.days)),
            pending: None,
            seen: BTreeSet::new(),
            lent: HashMap::new(),
            sums: Sums {
                lines: Vec::new(),
                own: SideSums::default(),
                against: against.map(|_| SideSums::default()),
                book: Breakdown::default(),
                swaps: Swaps::default(),
                unplaced: 0,
                nameless: made.nameless,
            },
        }
    }

    /// Adds a date: what it sees settles which loans were made since the one before.
    pub fn add_date(&mut self, on: Date, own: Night, against: Option<Night>) {
        self.follow(on, &own.loans);
        self.add_line(on, &own);
        self.pending = Some(Pending { on, own, against });
    }

    /// The end of the last date's loans, and how all stand then.
    pub fn end(&mut self, until: Date, loans: BTreeMap<usize, LoanOnDate>) {
        self.follow(until, &loans);
        self.add_line(until, &Night { merchants: BTreeMap::new(), loans });
    }

    pub fn close(mut self) -> Sums {
        let of_unknown_books = self.made.loans.iter().filter(|loan| !loan.is_known()).count();
        let placed = self.lent.keys().filter(|at| self.made.loans.get(**at).is_some_and(|loan| !loan.is_known()));
        self.sums.unplaced = of_unknown_books.saturating_sub(placed.count()) as u64;
        let side = |side: SideSums| SideSums {
            approval: side.approval.closed(),
            approval_by_band: side.approval_by_band.into_iter().map(|(band, a)| (band, a.closed())).collect(),
            offers: side.offers.map(OfferFigures::closed),
            followed: side.followed.map(LoanFigures::closed),
            refused: side.refused.map(LoanFigures::closed),
        };
        let set = |set: SwapSet| SwapSet { offers: set.offers.closed(), loans: set.loans.closed() };
        let Swaps { ins, outs, both } = self.sums.swaps;
        Sums {
            own: side(self.sums.own),
            against: self.sums.against.map(side),
            book: self.sums.book.map(LoanFigures::closed),
            swaps: Swaps { ins: set(ins), outs: set(outs), both },
            ..self.sums
        }
    }

    fn add_line(&mut self, on: Date, night: &Night) {
        let share = |part: fn(&Lent) -> Part| non_performing(&night.loans, &self.lent, &self.made.loans, part);
        let offers = || night.merchants.values().map(|merchant| &merchant.offers);
        self.sums.lines.push(DateLine {
            on,
            decided: night.merchants.len() as u64,
            offered: offers().filter(|offers| !offers.is_empty()).count() as u64,
            limit_minor: offers().flat_map(BTreeMap::values).fold(0, |sum, o| sum.saturating_add(o.limit_minor)),
            loans: 0,
            lent_minor: 0,
            followed: 0,
            followed_minor: 0,
            book_npl: share(|_| Part::Whole),
            npl: share(|lent| lent.own),
            against_npl: self.against_costs.and_then(|_| share(|lent| lent.against)),
        });
    }

    /// Follows the loans that were made from the last date until before `until`, whose ledger is given.
    fn follow(&mut self, until: Date, loans: &BTreeMap<usize, LoanOnDate>) {
        let made = self.made;
        let of_unknown_books = |at: &usize| made.loans.get(*at).is_some_and(|loan| !loan.is_known());
        let seen_first: Vec<usize> =
            loans.keys().copied().filter(|at| of_unknown_books(at) && !self.seen.contains(at)).collect();
        self.seen.extend(&seen_first);
        let Some(Pending { on, own, against }) = self.pending.take() else { return };
        let mut now: Vec<usize> = made
            .loans
            .iter()
            .enumerate()
            .filter(|(_, loan)| loan.disbursed_on.is_some_and(|day| (on..until).contains(&day)))
            .map(|(at, _)| at)
            .chain(seen_first)
            .collect();
        // One merchant's loans of a product after another, in the order in which they were drawn; those of unknown days last.
        let key = |at: &usize| {
            made.loans.get(*at).map(|loan| (order_of(loan), loan.disbursed_on.is_none(), loan.disbursed_on, *at))
        };
        now.sort_by(|a, b| key(a).cmp(&key(b)));
        let own_results = results(&now, made, &own, &self.own_costs);
        let against_results = against.as_ref().zip(self.against_costs.as_ref());
        let against_results = against_results.map(|(night, costs)| results(&now, made, night, costs));

        for at in &now {
            let Some(loan) = made.loans.get(*at) else { continue };
            let vintage = loan.disbursed_on.unwrap_or(on).strftime("%Y-%m").to_string();
            let result = own_results.get(at);
            let whole = loan.result(i64::MAX, &self.own_costs);
            let keys = keys_of(loan, &own, vintage.clone());
            self.sums.book.each(&keys, |figures| figures.add(&whole, None));
            note(&mut self.sums.own, (&keys, &own), loan, (result, &whole));
            let against_result = against_results.as_ref().and_then(|results| results.get(at));
            if let (Some(sums), Some(night), Some(costs)) = (&mut self.sums.against, &against, &self.against_costs) {
                let whole = loan.result(i64::MAX, costs);
                note(sums, (&keys_of(loan, night, vintage), night), loan, (against_result, &whole));
            }
            self.lent.insert(*at, Lent { own: Part::of(result, loan), against: Part::of(against_result, loan) });
            if let Some(line) = self.sums.lines.last_mut() {
                line.loans += 1;
                line.lent_minor = line.lent_minor.saturating_add(loan.principal_minor.unwrap_or(0));
                line.followed += u64::from(result.is_some());
                let lent = result.and_then(|result| result.lent_minor).unwrap_or(0);
                line.followed_minor = line.followed_minor.saturating_add(lent);
            }
        }
        let own_drawn = drawn(&now, made, &own_results);
        let against_drawn = against_results.as_ref().map(|results| drawn(&now, made, results));
        note_offers(&mut self.sums.own, &own, &own_drawn);
        if let (Some(sums), Some(night), Some(drawn)) = (&mut self.sums.against, &against, &against_drawn) {
            note_offers(sums, night, drawn);
        }
        match (&against, &against_drawn) {
            (Some(other), Some(other_drawn)) => {
                let swaps = &mut self.sums.swaps;
                swaps.both += swap((&own, &own_drawn), other, &mut swaps.ins);
                swap((other, other_drawn), &own, &mut swaps.outs);
            }
            _ => self.swap_with_book((&own, &own_drawn), &now, &own_results),
        }
    }

    /// Without another policy: against the loans that were really made.
    fn swap_with_book(
        &mut self,
        (night, drawn): (&Night, &Drawn<'_>),
        now: &[usize],
        results: &HashMap<usize, LoanResult>,
    ) {
        let swaps = &mut self.sums.swaps;
        for (merchant, product, limit_minor) in offers_of(night) {
            if drawn.contains_key(&(merchant, product)) {
                swaps.both += 1;
            } else {
                swaps.ins.offers.add(limit_minor, &[]);
            }
        }
        for at in now.iter().filter(|at| !results.contains_key(at)) {
            if let Some(loan) = self.made.loans.get(*at) {
                swaps.outs.loans.add(&loan.result(i64::MAX, &self.own_costs), None);
            }
        }
    }
}

/// Results of the loans made on offers, by merchant and product.
type Drawn<'a> = HashMap<(&'a str, &'a str), Vec<LoanResult>>;

fn order_of(loan: &MadeLoan) -> (&str, Option<&str>) {
    (loan.merchant_id.as_str(), loan.product.as_deref())
}

fn keys_of<'a>(loan: &'a MadeLoan, night: &'a Night, vintage: String) -> LoanKeys<'a> {
    let band = night.merchants.get(&loan.merchant_id).map_or(NOT_SEEN, |merchant| merchant.band.as_str());
    LoanKeys { band, vintage, product: loan.product.as_deref().unwrap_or(NOT_KNOWN) }
}

/// What a date's policy would have made of the loans, by position; loans that it would not have made are left out.
///
/// Of each limit is left what loans drawn before on the same offer do not owe any more.
fn results(now: &[usize], made: &MadeLoans, night: &Night, costs: &Costs) -> HashMap<usize, LoanResult> {
    let mut found = HashMap::new();
    let loans: Vec<(usize, &MadeLoan)> = now.iter().filter_map(|at| Some((*at, made.loans.get(*at)?))).collect();
    for same in loans.chunk_by(|(_, a), (_, b)| order_of(a) == order_of(b)) {
        let Some((_, first)) = same.first() else { continue };
        let merchant = night.merchants.get(&first.merchant_id);
        let offered = merchant.zip(first.product.as_ref()).and_then(|(merchant, product)| merchant.offers.get(product));
        let Some(offered) = offered else { continue };
        let mut drawn: Vec<(Option<Date>, i64)> = Vec::new();
        for (at, loan) in same {
            let is_open = |closed_on: Option<Date>| match (closed_on, loan.disbursed_on) {
                (Some(closed), Some(drawn)) => closed > drawn,
                (Some(_), None) => false,
                (None, _) => true,
            };
            let open = drawn.iter().filter(|(closed_on, _)| is_open(*closed_on)).map(|(_, lent)| lent);
            let room = open.fold(offered.limit_minor, |room, lent| room.saturating_sub(*lent));
            if room <= 0 {
                continue;
            }
            let result = loan.result(room, costs);
            drawn.push((loan.closed_on, result.lent_minor.unwrap_or(0)));
            found.insert(*at, result);
        }
    }
    found
}

fn term_pd_prob(night: &Night, loan: &MadeLoan) -> Option<f64> {
    let merchant = night.merchants.get(&loan.merchant_id)?;
    Some(merchant.offers.get(loan.product.as_ref()?)?.term_pd_prob)
}

fn note(
    sums: &mut SideSums,
    (keys, night): (&LoanKeys<'_>, &Night),
    loan: &MadeLoan,
    (result, whole): (Option<&LoanResult>, &LoanResult),
) {
    match result {
        Some(result) => {
            let foreseen = term_pd_prob(night, loan);
            sums.followed.each(keys, |figures| figures.add(result, foreseen));
        }
        None => sums.refused.each(keys, |figures| figures.add(whole, None)),
    }
}

fn drawn<'a>(now: &[usize], made: &'a MadeLoans, results: &HashMap<usize, LoanResult>) -> Drawn<'a> {
    let mut drawn: Drawn<'a> = HashMap::new();
    for at in now {
        let (Some(loan), Some(result)) = (made.loans.get(*at), results.get(at)) else { continue };
        if let Some(product) = loan.product.as_deref() {
            drawn.entry((loan.merchant_id.as_str(), product)).or_default().push(*result);
        }
    }
    drawn
}

/// Offers of a date, by merchant and product.
fn offers_of(night: &Night) -> impl Iterator<Item = (&str, &str, i64)> {
    night.merchants.iter().flat_map(|(id, merchant)| {
        merchant.offers.iter().map(move |(product, offered)| (id.as_str(), product.as_str(), offered.limit_minor))
    })
}

fn note_offers(sums: &mut SideSums, night: &Night, drawn: &Drawn<'_>) {
    for (id, merchant) in &night.merchants {
        note_approval(&mut sums.approval, merchant);
        note_approval(sums.approval_by_band.entry(merchant.band.clone()).or_default(), merchant);
        for (product, offered) in &merchant.offers {
            let loans = drawn.get(&(id.as_str(), product.as_str()));
            let outcomes: Vec<Option<bool>> = loans.into_iter().flatten().map(|result| result.is_bad).collect();
            let offers = &mut sums.offers;
            for figures in [
                &mut offers.all,
                offers.by_band.entry(merchant.band.clone()).or_default(),
                offers.by_product.entry(product.clone()).or_default(),
            ] {
                figures.add(offered.limit_minor, &outcomes);
            }
        }
    }
}

fn note_approval(approval: &mut Approval, merchant: &MerchantNight) {
    approval.decided += 1;
    approval.offered += u64::from(!merchant.offers.is_empty());
    approval.asked += merchant.asked.len() as u64;
    approval.asked_offered +=
        merchant.asked.iter().filter(|product| merchant.offers.contains_key(*product)).count() as u64;
}

/// Adds what the first offers and the other does not; returns how many both offer.
fn swap((night, drawn): (&Night, &Drawn<'_>), other: &Night, set: &mut SwapSet) -> u64 {
    let mut both = 0;
    for (merchant, product, limit_minor) in offers_of(night) {
        if other.merchants.get(merchant).is_some_and(|merchant| merchant.offers.contains_key(product)) {
            both += 1;
            continue;
        }
        let loans = drawn.get(&(merchant, product)).map(Vec::as_slice).unwrap_or_default();
        let outcomes: Vec<Option<bool>> = loans.iter().map(|result| result.is_bad).collect();
        set.offers.add(limit_minor, &outcomes);
        for result in loans {
            set.loans.add(result, None);
        }
    }
    both
}

/// `(non-performing … non-performing + unknown) ÷ all`, of the part of each loan that is looked at.
fn non_performing(
    loans: &BTreeMap<usize, LoanOnDate>,
    lent: &HashMap<usize, Lent>,
    made: &[MadeLoan],
    part: fn(&Lent) -> Part,
) -> Option<ShareRange> {
    let (mut all, mut bad, mut unknown) = (0_i64, 0_i64, 0_i64);
    for (at, on_date) in loans {
        let Some(part) = lent.get(at).map(part) else { continue };
        let (minor, is_bad) = match on_date {
            LoanOnDate::Over => continue,
            LoanOnDate::Open { outstanding_minor, performs: true } => (part.of_minor(*outstanding_minor), Some(false)),
            // A smaller loan might have been paid.
            LoanOnDate::Open { outstanding_minor, performs: false } => {
                (part.of_minor(*outstanding_minor), matches!(part, Part::Whole).then_some(true))
            }
            LoanOnDate::Unknown => {
                (part.of_minor(made.get(*at).and_then(|loan| loan.principal_minor).unwrap_or(0)), None)
            }
        };
        all = all.saturating_add(minor);
        match is_bad {
            Some(true) => bad = bad.saturating_add(minor),
            Some(false) => {}
            None => unknown = unknown.saturating_add(minor),
        }
    }
    ShareRange::of(bad.unsigned_abs(), unknown.unsigned_abs(), all.unsigned_abs())
}
