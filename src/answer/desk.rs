//! The desk: one published run, the answers given since, and the applications of the moment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::AnswerError;
use super::known::{Known, known, open_offers};
use crate::domain::{AsOf, Currency, Reason, ReasonCode, days_between, fault_in_line, id_fault};
use crate::exposure::{
    Account, Declared, OfferState, OpenOffer, OpenOffers, committed_since, grant, withdraw, without_lapsed,
};
use crate::features::{FeatureConfig, ValuesByName};
use crate::model::{ScoreScale, Scorecard};
use crate::offer::{
    Application, BankReferral, Cap, CaseFacts, CaseScore, ChoiceGrid, ComparedOrder, Decline, Offer, OfferError,
    OptimisationSummary, Policy, ProductDecision, RefusedApplication, at_terms, compare_orders, decide_one, differing,
    opened, within_budget,
};
use crate::optimise::Place;
use crate::publish::{AnswersSince, DecisionLog, LoggedAnswer, NamedDraw, ScoreBook, read_answers};
use crate::run::{Job, RunSummary};

/// Where and when applications are answered.
#[derive(Debug, Clone)]
pub struct DeskOptions {
    /// Output folder, instead of the job's.
    pub out: Option<PathBuf>,
    /// Business date of the answers, instead of the clock's in the job's zone.
    pub on: Option<Date>,
    /// The clock.
    pub now: Timestamp,
    /// Every draw since the run's observation date; `None` where they are not known, so that those count which earlier calls named.
    pub draws: Option<Vec<Draw>>,
    /// Whether answers are logged. One that is not may be given to nobody.
    pub log: bool,
}

/// What was drawn of an offer since the run's observation date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// Who drew.
    pub merchant_id: String,
    /// On which offer.
    pub offer_id: String,
    /// Principal, minor units.
    pub drawn_minor: i64,
    /// Line of the file that it was read from, from 1.
    #[serde(skip)]
    pub line: usize,
}

/// Reads draws, a JSON object a line. All count: one that cannot be read leaves it open what was drawn.
///
/// # Errors
/// The first line that is not a draw.
pub fn read_draws(text: &str) -> Result<Vec<Draw>, AnswerError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(at, line): (usize, &str)| {
        let refuse = |why| AnswerError::Draws { line: at + 1, why };
        let draw: Draw = serde_json::from_str(line).map_err(|e| refuse(fault_in_line(&e)))?;
        for (name, id) in [("merchant_id", &draw.merchant_id), ("offer_id", &draw.offer_id)] {
            if let Some(why) = id_fault(id) {
                return Err(refuse(format!("{name} {why}")));
            }
        }
        match draw.drawn_minor {
            ..0 => Err(refuse(format!("drawn_minor is {}: no draw is negative", draw.drawn_minor))),
            _ => Ok(Draw { line: at + 1, ..draw }),
        }
    };
    lines.map(read).collect()
}

/// How an application is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A new offer.
    Offer,
    /// The open offer of the product stands as it is.
    Standing,
    /// Nothing is offered.
    Decline,
    /// The application cannot be answered.
    Refused,
}

/// One application's answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The application.
    pub application_id: Option<String>,
    /// Who applied.
    pub merchant_id: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// Place in the log; null for what is not logged.
    pub number: Option<u64>,
    /// The offer.
    pub offer: Option<Offer>,
    /// Why nothing is offered.
    pub decline: Option<Decline>,
    /// Where a bank might carry more.
    pub referral: Option<BankReferral>,
    /// Orders named that secure nothing.
    pub orders_not_counted: Vec<String>,
    /// The borrower's own list of orders beside the platform's records.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub orders_compared: Vec<ComparedOrder>,
    /// What is wrong with the application.
    pub refused: Option<String>,
    /// It had been answered before: this is that answer.
    pub is_repeated: bool,
}

/// All answers of one call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answered {
    /// The run that they rest on.
    pub run_id: String,
    /// Its observation date.
    pub as_of: Date,
    /// Business date of the answers.
    pub on: Date,
    /// Currency of all amounts.
    pub currency: Option<Currency>,
    /// What a reader must know of the run.
    pub note: Option<String>,
    /// Whether they are in the log.
    pub is_logged: bool,
    /// In the order of the applications.
    pub answers: Vec<Answer>,
}

/// What was drawn since the night, by merchant and offer.
type DrawsByMerchant<'a> = BTreeMap<&'a str, BTreeMap<&'a str, i64>>;

/// An answer, with the place of its application among those of the call.
type PlacedAnswer = (usize, (Outcome, LoggedAnswer));

/// One run, open to answer from.
pub struct Desk {
    out: PathBuf,
    book: ScoreBook,
    policy: Policy,
    names: BTreeMap<String, usize>,
    on: AsOf,
    options: DeskOptions,
    /// What all merchants owed and could draw after the night; needed where the policy has a budget.
    committed_minor: Option<i64>,
    /// What the scores of the run's model mean.
    scale: ScoreScale,
    /// Choices, and what the night's bounds are worth; `None` where the policy does not optimise.
    optimisation: Option<(ChoiceGrid, OptimisationSummary)>,
}

impl Desk {
    /// Opens the current run of a job.
    ///
    /// # Errors
    /// Nothing is published, the run is too old or of a later day, or the policy was changed since.
    pub fn open(job: &Path, options: DeskOptions) -> Result<Self, AnswerError> {
        let job = Job::open(job)?;
        let out = options.out.clone().unwrap_or_else(|| job.out.clone());
        let book = ScoreBook::open(&out)?;
        let features = FeatureConfig::from_files(&job.files.features.files)?;
        let policy = Policy::check(job.files.policy.clone())?.with_words_of(&features);
        let manifest = book.manifest();
        let incomplete = |what| AnswerError::Incomplete { run: manifest.run_id.clone(), what };
        let name = job.files.policy.path().file_name().map(|name| name.to_string_lossy().into_owned());
        let copies = manifest
            .config
            .iter()
            .filter(|copy| Path::new(&copy.source).file_name().map(|n| n.to_string_lossy().into_owned()) == name);
        let is_same = |path: &str| {
            std::fs::read_to_string(book.run_dir().join(path)).is_ok_and(|text| text == job.files.policy.text())
        };
        if !copies.map(|copy| copy.path.as_str()).any(is_same) {
            return Err(AnswerError::OtherPolicy {
                run: manifest.run_id.clone(),
                policy: job.files.policy.path().display().to_string(),
            });
        }
        let zone = &job.intake.time_zone;
        let on = options.on.unwrap_or_else(|| zone.to_datetime(options.now).date());
        let refuse = |why: String| AnswerError::NotOfTheDay { on, as_of: manifest.as_of, why };
        match days_between(manifest.as_of, on) {
            ..0 => return Err(refuse("the run is of a later day; name the day of the answer with --as-of".to_owned())),
            days if days > i32::from(policy.answer_days) => {
                let most = policy.answer_days;
                return Err(refuse(format!(
                    "it is {days} days old, and the policy lets {most} pass; run the night first"
                )));
            }
            _ => {}
        }
        policy.check_holds(on)?;
        let names = book.feature_names()?.into_iter().enumerate().map(|(at, name)| (name, at)).collect();
        let (mut committed_minor, mut optimisation) = (None, None);
        if policy.crosses_merchants() {
            let summary: RunSummary = book.json("results.json")?;
            let committed = summary.committed_minor.ok_or_else(|| incomplete("what all merchants owe and may draw"))?;
            committed_minor = policy.portfolio_budget_minor.map(|_| committed);
            let grid = ChoiceGrid::of(&policy).map_err(AnswerError::from)?;
            optimisation = match (grid, summary.optimisation) {
                (Some(_), None) => return Err(incomplete("what the bounds of the portfolio are worth")),
                (grid, found) => grid.zip(found),
            };
        }
        let on = AsOf::new(on, zone.clone())?;
        let scale = ScoreScale::of(&book.json::<Scorecard>("model/model.json")?).map_err(OfferError::Scale)?;
        Ok(Self { out, book, policy, names, on, options, committed_minor, scale, optimisation })
    }

    /// Answers applications in their order, and logs the answers before it returns them.
    ///
    /// # Errors
    /// See [`AnswerError`]; nothing is logged then, and no application is answered.
    pub fn answer(&self, read: Vec<Result<Application, RefusedApplication>>) -> Result<Answered, AnswerError> {
        let log = self.options.log.then(|| DecisionLog::take(&self.out)).transpose()?;
        // A night that was waited for may have published since.
        if log.is_some() && !self.book.is_current(&self.out)? {
            return Err(AnswerError::Replaced { run: self.book.run_id().to_owned() });
        }
        let before = read_answers(&self.out, self.book.manifest().answers_read())?;
        if let Some(last) = before.answers.last().filter(|last| last.on > self.on.date()) {
            let why = format!("the log holds an answer of {} already: is the clock right?", last.on);
            return Err(AnswerError::NotOfTheDay { on: self.on.date(), as_of: self.book.as_of(), why });
        }
        let mut answers: Vec<Option<Answer>> = vec![None; read.len()];
        let mut asked: BTreeMap<String, Vec<(usize, Application)>> = BTreeMap::new();
        let mut repeats: Vec<(usize, Application)> = Vec::new();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let earlier: BTreeMap<&str, &LoggedAnswer> =
            before.answers.iter().map(|answer| (answer.application.application_id.as_str(), answer)).collect();
        for (at, application) in read.into_iter().enumerate() {
            let answer = match application {
                Err(refused) => Some(refusal(refused.application_id, None, refused.why)),
                Ok(application) => {
                    match (application.fault(&self.policy), earlier.get(application.application_id.as_str())) {
                        (Some(fault), _) => {
                            Some(refusal(Some(application.application_id), Some(application.merchant_id), fault))
                        }
                        (None, Some(logged)) => Some(repeated(logged, &application)),
                        (None, None) if seen.contains_key(&application.application_id) => {
                            repeats.push((at, application));
                            None
                        }
                        (None, None) => {
                            seen.insert(application.application_id.clone(), at);
                            asked.entry(application.merchant_id.clone()).or_default().push((at, application));
                            None
                        }
                    }
                }
            };
            if let Some(slot) = answers.get_mut(at) {
                *slot = answer;
            }
        }
        let (draws, new_draws) = self.draws_with(&before)?;
        let mut given = self.decide_all(&asked, &before, &draws)?;
        given.sort_by_key(|(at, _)| *at);
        let mut logged: Vec<LoggedAnswer> = given.iter().map(|(_, (_, entry))| entry.clone()).collect();
        if let Some(first) = logged.first_mut() {
            first.draws = new_draws;
        }
        match &log {
            Some(log) if !logged.is_empty() => {
                log.append(before.until, &mut logged)?;
            }
            _ => {}
        }
        let by_id: BTreeMap<&str, &LoggedAnswer> =
            logged.iter().map(|entry| (entry.application.application_id.as_str(), entry)).collect();
        for ((at, (outcome, _)), entry) in given.iter().zip(&logged) {
            if let Some(slot) = answers.get_mut(*at) {
                *slot = Some(answered(*outcome, entry, log.is_some()));
            }
        }
        for (at, application) in &repeats {
            if let (Some(entry), Some(slot)) = (by_id.get(application.application_id.as_str()), answers.get_mut(*at)) {
                *slot = Some(repeated(entry, application));
            }
        }
        Ok(Answered {
            run_id: self.book.run_id().to_owned(),
            as_of: self.book.as_of(),
            on: self.on.date(),
            currency: self.book.manifest().currency,
            note: self.book.note().map(ToOwned::to_owned),
            is_logged: log.is_some(),
            answers: answers.into_iter().flatten().collect(),
        })
    }

    fn decide_all(
        &self,
        asked: &BTreeMap<String, Vec<(usize, Application)>>,
        before: &AnswersSince,
        draws: &DrawsByMerchant<'_>,
    ) -> Result<Vec<PlacedAnswer>, AnswerError> {
        let merchants: BTreeSet<&str> = asked.keys().map(String::as_str).collect();
        let known = known(&self.book, &merchants)?;
        let mut open = OpenOffers::new(known.values().flat_map(|merchant| merchant.open.iter().cloned()));
        let mut offers: BTreeMap<&str, Vec<Offer>> = BTreeMap::new();
        let mut declared: BTreeMap<&str, BTreeSet<Declared>> = BTreeMap::new();
        for answer in &before.answers {
            let LoggedAnswer { application, granted, offer, .. } = answer;
            let merchant = application.merchant_id.as_str();
            if !merchants.contains(merchant) {
                continue;
            }
            declared.entry(merchant).or_default().insert(application.declared());
            put_on(&mut open, answer);
            if granted.is_some() {
                offers.entry(merchant).or_default().extend(offer.clone());
            }
        }
        self.check_draws(&open)?;
        let at_hand = |merchant: &str| CreditFile {
            known: known.get(merchant),
            open: without_lapsed(open.of(merchant), self.on.date()),
            answered: offers.get(merchant).cloned().unwrap_or_default(),
            declared: declared.get(merchant).cloned().unwrap_or_default(),
            draws: draws.get(merchant).cloned().unwrap_or_default(),
        };
        if let Some(left) = &mut self.left_of_budget(&merchants, before, draws)? {
            // A budget for all is claimed in the order of the applications.
            let mut at_desk: BTreeMap<&str, CreditFile<'_>> = BTreeMap::new();
            let mut in_order: Vec<&(usize, Application)> = asked.values().flatten().collect();
            in_order.sort_by_key(|(at, _)| *at);
            let mut given = Vec::new();
            for (at, application) in in_order {
                let merchant = application.merchant_id.as_str();
                let at_hand = at_desk.entry(merchant).or_insert_with(|| at_hand(merchant));
                given.push((*at, self.decide(application, at_hand, Some(left))?));
            }
            return Ok(given);
        }
        let of_merchant = |(merchant, applications): (&String, &Vec<(usize, Application)>)| {
            let mut at_hand = at_hand(merchant);
            let decide =
                |(at, application): &(usize, Application)| Ok((*at, self.decide(application, &mut at_hand, None)?));
            applications.iter().map(decide).collect::<Result<Vec<_>, AnswerError>>()
        };
        let given: Vec<Vec<PlacedAnswer>> = asked.par_iter().map(of_merchant).collect::<Result<_, _>>()?;
        Ok(given.into_iter().flatten().collect())
    }

    /// What is left of the budget for all merchants, `None` where there is none: that of the night, less what those who ask now, were answered or
    /// drew since have come to owe and may draw beyond it.
    fn left_of_budget(
        &self,
        asking: &BTreeSet<&str>,
        before: &AnswersSince,
        draws: &DrawsByMerchant<'_>,
    ) -> Result<Option<i64>, AnswerError> {
        let Some((budget, committed)) = self.policy.portfolio_budget_minor.zip(self.committed_minor) else {
            return Ok(None);
        };
        let answered = before.answers.iter().map(|answer| answer.application.merchant_id.as_str());
        let merchants: BTreeSet<&str> = asking.iter().copied().chain(answered).chain(draws.keys().copied()).collect();
        let at_night = open_offers(&self.book, &merchants)?;
        let mut open = OpenOffers::new(at_night.values().flatten().cloned());
        for answer in &before.answers {
            put_on(&mut open, answer);
        }
        let none = BTreeMap::new();
        let more = |merchant: &&str| {
            let now = without_lapsed(open.of(merchant), self.on.date());
            let at_night = at_night.get(*merchant).map_or(&[][..], Vec::as_slice);
            committed_since(at_night, &now, draws.get(*merchant).unwrap_or(&none))
        };
        let more = merchants.iter().map(more).fold(0_i64, i64::saturating_add);
        Ok(Some(budget.saturating_sub(committed).saturating_sub(more)))
    }

    /// What was drawn since the night, as this call and the ones before it name it; and what no call before it named.
    fn draws_with<'a>(
        &'a self,
        before: &'a AnswersSince,
    ) -> Result<(DrawsByMerchant<'a>, Vec<NamedDraw>), AnswerError> {
        let mut named: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for draw in self.options.draws.iter().flatten() {
            let sum = named.entry((&draw.merchant_id, &draw.offer_id)).or_default();
            *sum = sum.saturating_add(draw.drawn_minor);
        }
        let known = before.draws();
        let is_new = |(of, drawn): &(&(&str, &str), &i64)| known.get(*of).is_none_or(|known| known < *drawn);
        let new = named.iter().filter(is_new).map(|((merchant, offer), drawn)| NamedDraw {
            merchant_id: (*merchant).to_owned(),
            offer_id: (*offer).to_owned(),
            drawn_minor: *drawn,
        });
        let new: Vec<NamedDraw> = new.collect();
        for (&(merchant, offer), &known_minor) in &known {
            let drawn = named.entry((merchant, offer)).or_default();
            if self.options.draws.is_some() && *drawn < known_minor {
                return Err(AnswerError::DrawsGone {
                    merchant_id: merchant.to_owned(),
                    offer_id: offer.to_owned(),
                    drawn_minor: *drawn,
                    known_minor,
                });
            }
            *drawn = known_minor.max(*drawn);
        }
        let mut draws = DrawsByMerchant::new();
        for ((merchant, offer), drawn) in named {
            draws.entry(merchant).or_default().insert(offer, drawn);
        }
        Ok((draws, new))
    }

    /// A draw that names another merchant's offer was drawn by one of the two, and nobody knows by which. Draws of more than an offer let be drawn were
    /// counted twice, or are another offer's.
    fn check_draws(&self, open: &OpenOffers) -> Result<(), AnswerError> {
        let offers = open.iter().flat_map(|(_, offers)| offers).map(|offer| (offer.offer_id.as_str(), offer));
        let offers: BTreeMap<&str, &OpenOffer> = offers.collect();
        let mut drawn: BTreeMap<&str, i64> = BTreeMap::new();
        for draw in self.options.draws.iter().flatten() {
            let Some(offer) = offers.get(draw.offer_id.as_str()) else { continue };
            let refuse = |why| Err(AnswerError::Draws { line: draw.line, why });
            let (id, merchant) = (&offer.offer_id, &offer.merchant_id);
            if *merchant != draw.merchant_id {
                return refuse(format!(
                    "offer {id:?} was made to merchant {merchant:?}, not to {:?}",
                    draw.merchant_id
                ));
            }
            let sum = drawn.entry(&draw.offer_id).or_default();
            *sum = sum.saturating_add(draw.drawn_minor);
            let most = offer.limit_minor.saturating_sub(offer.drawn_minor).max(0);
            if *sum > most {
                return refuse(format!(
                    "with it {sum} was drawn of offer {id:?} since the night, which let {most} be drawn: give every draw once"
                ));
            }
        }
        Ok(())
    }

    /// The open offer that was chosen together with all others: it stands for as long as rules and caps allow so much. `None` where the policy does
    /// not optimise.
    fn chosen_before(&self, earlier: Option<&OpenOffer>, at_hand: &CreditFile<'_>, allowed: &Offer) -> Option<Offer> {
        self.optimisation.as_ref()?;
        let open = earlier.filter(|earlier| earlier.state == OfferState::Open)?;
        at_hand.offer(&open.offer_id).filter(|stands| stands.limit_minor <= allowed.limit_minor)
    }

    /// The offer at the limit and rate of the largest reduced profit at the night's shadow prices; as it is where the policy does not optimise.
    fn at_prices(&self, offer: Offer, account: &Account, facts: &CaseFacts) -> Result<Priced, AnswerError> {
        let Some((grid, optimisation)) = &self.optimisation else { return Ok(Priced::Offer(Box::new(offer))) };
        let place = facts.place().ok_or_else(|| AnswerError::Incomplete {
            run: self.book.run_id().to_owned(),
            what: "where merchants stand in the portfolio",
        })?;
        let held = account.replaced(&offer.product).map_or(0, |replaced| replaced.held_minor);
        let candidate = grid.candidate(&self.policy, &offer, held, Place::default())?;
        match optimisation.choose(grid, &candidate, place) {
            Some(terms) => Ok(Priced::Offer(Box::new(at_terms(&self.policy, offer, terms, account, &self.on)?))),
            None => Ok(Priced::WorthMoreElsewhere(Box::new(offer))),
        }
    }

    fn decide(
        &self,
        application: &Application,
        at_hand: &mut CreditFile<'_>,
        left: Option<&mut i64>,
    ) -> Result<(Outcome, LoggedAnswer), AnswerError> {
        let mut entry = LoggedAnswer {
            number: 0,
            at: self.options.now,
            on: self.on.date(),
            run_id: self.book.run_id().to_owned(),
            application: application.clone(),
            offer: None,
            decline: None,
            referral: None,
            granted: None,
            orders_not_counted: Vec::new(),
            orders_compared: Vec::new(),
            draws: Vec::new(),
        };
        let Some(known) = at_hand.known else {
            entry.decline = Some(unknown_merchant(application)?);
            return Ok((Outcome::Decline, entry));
        };
        let (request, product) = (application.request(), &application.product);
        at_hand.declared.insert(request.declared);
        let mut account = known.facts.account().clone().by_day(&at_hand.open, &at_hand.draws, request);
        if self.policy.declaration_days > 0 {
            account.declarations.extend(&at_hand.declared);
        }
        entry.orders_compared = compare_orders(&application.orders, &account, product, &self.on)?;
        account.set_aside(&differing(&entry.orders_compared));
        let named_orders = application.named_orders();
        let counted: BTreeSet<&str> = account
            .free_receivables(product, &named_orders)
            .unwrap_or_default()
            .into_iter()
            .map(|receivable| receivable.order_id.as_str())
            .collect();
        entry.orders_not_counted = named_orders.iter().filter(|id| !counted.contains(id.as_str())).cloned().collect();
        let earlier = account.replaced(&application.product).cloned();
        let score = CaseScore::of(&known.score, &self.scale)?;
        let features = ValuesByName { names: &self.names, values: &known.features };
        let facts = known.facts.clone().with_account(account.clone());
        let case = facts.case(&application.merchant_id, score, &features);
        let incomplete =
            || AnswerError::Incomplete { run: self.book.run_id().to_owned(), what: "the offer that stands" };
        match decide_one(&self.policy, &case, &application.product, &self.on)? {
            Some(ProductDecision::Offer(offer, referral)) => {
                if let Some(stands) = self.chosen_before(earlier.as_ref(), at_hand, &offer) {
                    (entry.offer, entry.referral) = (Some(stands), referral);
                    return Ok((Outcome::Standing, entry));
                }
                let offer = match self.at_prices(*offer, &account, &known.facts)? {
                    Priced::Offer(offer) => offer,
                    Priced::WorthMoreElsewhere(offer) => {
                        entry.decline = Some(offer.optimised_away()?);
                        at_hand.withdraw(&application.product);
                        return Ok((Outcome::Decline, entry));
                    }
                };
                let is_same = earlier.as_ref().is_some_and(|earlier| earlier.offer_id == offer.offer_id);
                if let Some(earlier) = earlier.as_ref().filter(|_| is_same || self.options.draws.is_none()) {
                    if earlier.state == OfferState::Open {
                        let stands = at_hand.offer(&earlier.offer_id).ok_or_else(incomplete)?;
                        (entry.offer, entry.referral) = (Some(stands), referral);
                        return Ok((Outcome::Standing, entry));
                    }
                    // Withdrawn, and perhaps drawn the hour before: what it leaves cannot be known.
                    entry.decline = Some(unsettled(application, offer.caps)?);
                    return Ok((Outcome::Decline, entry));
                }
                let mut offer = *offer;
                if let (Some(left), Some(budget)) = (left, self.policy.portfolio_budget_minor) {
                    let held = earlier.as_ref().map_or(0, |earlier| earlier.held_minor);
                    // What the night left open of a budget that is overdrawn stands; what it withdrew covers the overdraft.
                    let is_open = earlier.as_ref().is_some_and(|earlier| earlier.state == OfferState::Open);
                    let room = if is_open { (*left).max(0) } else { *left };
                    if !within_budget(&mut offer, budget, room, held, self.policy.limit_step_minor) {
                        entry.decline = Some(offer.over_budget()?);
                        at_hand.withdraw(&application.product);
                        return Ok((Outcome::Decline, entry));
                    }
                    *left = left.saturating_sub(offer.limit_minor.saturating_sub(held).max(0));
                }
                let granted = opened(&offer, &account, &self.on);
                at_hand.grant(granted.clone(), &offer);
                (entry.offer, entry.referral, entry.granted) = (Some(offer), referral, Some(granted));
                Ok((Outcome::Offer, entry))
            }
            Some(ProductDecision::Decline(decline)) => {
                at_hand.withdraw(&application.product);
                entry.decline = Some(*decline);
                Ok((Outcome::Decline, entry))
            }
            None => Err(AnswerError::Incomplete { run: self.book.run_id().to_owned(), what: "the product" }),
        }
    }
}

/// An offer at the prices of the night's bounds.
enum Priced {
    /// As it is made.
    Offer(Box<Offer>),
    /// As rules and caps would allow it: what it uses of the bounds is worth more than it gives.
    WorthMoreElsewhere(Box<Offer>),
}

/// Puts an answer given since the night on the offers of its merchant; one that an offer stands changes nothing.
fn put_on(open: &mut OpenOffers, answer: &LoggedAnswer) {
    let LoggedAnswer { application, granted, offer, .. } = answer;
    if granted.is_some() || offer.is_none() {
        open.answer(&application.merchant_id, &application.product, granted.clone());
    }
}

/// What is at hand of one merchant while several applications are answered.
struct CreditFile<'a> {
    known: Option<&'a Known>,
    open: Vec<OpenOffer>,
    answered: Vec<Offer>,
    /// What it declared since the night.
    declared: BTreeSet<Declared>,
    draws: BTreeMap<&'a str, i64>,
}

impl CreditFile<'_> {
    /// An offer of the night, or one given by day since.
    fn offer(&self, offer_id: &str) -> Option<Offer> {
        let of_night = self.known.into_iter().flat_map(|known| &known.offers);
        self.answered.iter().chain(of_night).find(|offer| offer.offer_id == offer_id).cloned()
    }

    fn grant(&mut self, granted: OpenOffer, offer: &Offer) {
        grant(&mut self.open, granted);
        self.answered.push(offer.clone());
    }

    fn withdraw(&mut self, product: &str) {
        withdraw(&mut self.open, product);
    }
}

fn decline(application: &Application, caps: Vec<Cap>, code: &str, text: &str) -> Result<Decline, AnswerError> {
    let code = ReasonCode::new(code).map_err(OfferError::from)?;
    Ok(Decline {
        merchant_id: application.merchant_id.clone(),
        product: application.product.clone(),
        failed: Vec::new(),
        caps,
        reasons: vec![Reason { code, text: text.to_owned() }],
        needed: Vec::new(),
        score_changes: Vec::new(),
        overrides: None,
    })
}

/// Of a merchant that the night has not seen nothing is known, and nothing is lent on that.
fn unknown_merchant(application: &Application) -> Result<Decline, AnswerError> {
    decline(application, Vec::new(), "merchant-unknown", "no record of this merchant is known yet")
}

fn unsettled(application: &Application, caps: Vec<Cap>) -> Result<Decline, AnswerError> {
    decline(
        application,
        caps,
        "earlier-offer-unsettled",
        "an earlier offer was withdrawn, and may have been drawn before",
    )
}

fn refusal(application_id: Option<String>, merchant_id: Option<String>, why: String) -> Answer {
    Answer {
        application_id,
        merchant_id,
        outcome: Outcome::Refused,
        number: None,
        offer: None,
        decline: None,
        referral: None,
        orders_not_counted: Vec::new(),
        orders_compared: Vec::new(),
        refused: Some(why),
        is_repeated: false,
    }
}

fn answered(outcome: Outcome, entry: &LoggedAnswer, is_logged: bool) -> Answer {
    Answer {
        application_id: Some(entry.application.application_id.clone()),
        merchant_id: Some(entry.application.merchant_id.clone()),
        outcome,
        number: is_logged.then_some(entry.number),
        offer: entry.offer.clone(),
        decline: entry.decline.clone(),
        referral: entry.referral.clone(),
        orders_not_counted: entry.orders_not_counted.clone(),
        orders_compared: entry.orders_compared.clone(),
        refused: None,
        is_repeated: false,
    }
}

/// The answer that an application was given before; an id that stands for two applications is refused.
fn repeated(entry: &LoggedAnswer, application: &Application) -> Answer {
    if entry.application != *application {
        let why = "its id was answered before, for another application".to_owned();
        return refusal(Some(application.application_id.clone()), Some(application.merchant_id.clone()), why);
    }
    let outcome = match (&entry.offer, &entry.granted) {
        (Some(_), Some(_)) => Outcome::Offer,
        (Some(_), None) => Outcome::Standing,
        (None, _) => Outcome::Decline,
    };
    Answer { is_repeated: true, ..answered(outcome, entry, entry.number > 0) }
}
