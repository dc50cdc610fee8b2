//! The desk: one published run, the answers given since, and the applications of the moment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use rayon::prelude::*;

use super::answers::{Answer, Answered, Outcome, answered, refusal, repeated};
use super::decide::CreditFile;
use super::draws::{Draw, DrawsByMerchant};
use super::error::AnswerError;
use super::known::{Known, known, open_offers};
use crate::domain::{AsOf, days_between};
use crate::exposure::{Declared, OpenOffer, OpenOffers, committed_since, without_lapsed};
use crate::features::FeatureConfig;
use crate::model::{ScoreScale, Scorecard};
use crate::offer::{Application, ChoiceGrid, Offer, OfferError, OptimisationSummary, Policy, RefusedApplication};
use crate::publish::{AnswersSince, DecisionLog, LoggedAnswer, ScoreBook, read_answers};
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

/// An answer, with the place of its application among those of the call.
type PlacedAnswer = (usize, (Outcome, LoggedAnswer));

/// One run, open to answer from.
pub struct Desk {
    pub(super) out: PathBuf,
    pub(super) book: ScoreBook,
    pub(super) policy: Policy,
    pub(super) names: BTreeMap<String, usize>,
    pub(super) on: AsOf,
    pub(super) options: DeskOptions,
    /// What all merchants owed and could draw after the night; needed where the policy has a budget.
    pub(super) committed_minor: Option<i64>,
    /// What the scores of the run's model mean.
    pub(super) scale: ScoreScale,
    /// Choices, and what the night's bounds are worth; `None` where the policy does not optimise.
    pub(super) optimisation: Option<(ChoiceGrid, OptimisationSummary)>,
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
        let mut offers: BTreeMap<&str, Vec<Offer>> = BTreeMap::new();
        let mut declared: BTreeMap<&str, BTreeSet<Declared>> = BTreeMap::new();
        for LoggedAnswer { application, granted, offer, .. } in &before.answers {
            let merchant = application.merchant_id.as_str();
            if !merchants.contains(merchant) {
                continue;
            }
            declared.entry(merchant).or_default().insert(application.declared());
            if granted.is_some() {
                offers.entry(merchant).or_default().extend(offer.clone());
            }
        }
        let of_day = self.offers_of_day(&merchants, &known, before, draws)?;
        let is_applicant = |merchant: &str| known.contains_key(merchant) || offers.contains_key(merchant);
        let of_applicants = of_day.now.iter().filter(|(merchant, _)| is_applicant(merchant));
        self.check_draws(of_applicants.flat_map(|(_, offers)| offers))?;
        let open_file = |merchant: &str| CreditFile {
            known: known.get(merchant),
            open: without_lapsed(of_day.now.of(merchant), self.on.date()),
            answered: offers.get(merchant).cloned().unwrap_or_default(),
            declared: declared.get(merchant).cloned().unwrap_or_default(),
            draws: draws.get(merchant).cloned().unwrap_or_default(),
        };
        if let Some(left) = &mut self.left_of_budget(&of_day, draws) {
            // A budget for all is claimed in the order of the applications.
            let mut at_desk: BTreeMap<&str, CreditFile<'_>> = BTreeMap::new();
            let mut in_order: Vec<&(usize, Application)> = asked.values().flatten().collect();
            in_order.sort_by_key(|(at, _)| *at);
            let mut given = Vec::new();
            for (at, application) in in_order {
                let merchant = application.merchant_id.as_str();
                let file = at_desk.entry(merchant).or_insert_with(|| open_file(merchant));
                given.push((*at, self.decide(application, file, Some(left))?));
            }
            return Ok(given);
        }
        let of_merchant = |(merchant, applications): (&String, &Vec<(usize, Application)>)| {
            let mut file = open_file(merchant);
            let decide =
                |(at, application): &(usize, Application)| Ok((*at, self.decide(application, &mut file, None)?));
            applications.iter().map(decide).collect::<Result<Vec<_>, AnswerError>>()
        };
        let given: Vec<Vec<PlacedAnswer>> = asked.par_iter().map(of_merchant).collect::<Result<_, _>>()?;
        Ok(given.into_iter().flatten().collect())
    }

    /// Open offers of those who apply; where the policy has a budget, of those who were answered or drew since the night as well.
    fn offers_of_day<'a>(
        &self,
        applicants: &BTreeSet<&'a str>,
        known: &BTreeMap<String, Known>,
        before: &'a AnswersSince,
        draws: &DrawsByMerchant<'a>,
    ) -> Result<DayOffers<'a>, AnswerError> {
        let mut merchants = applicants.clone();
        let at_night = if self.policy.portfolio_budget_minor.is_some() {
            merchants.extend(before.answers.iter().map(|answer| answer.application.merchant_id.as_str()));
            merchants.extend(draws.keys());
            open_offers(&self.book, &merchants)?
        } else {
            known.iter().map(|(merchant, known)| (merchant.clone(), known.open.clone())).collect()
        };
        let mut now = OpenOffers::new(at_night.values().flatten().cloned());
        for answer in &before.answers {
            if merchants.contains(answer.application.merchant_id.as_str()) {
                put_on(&mut now, answer);
            }
        }
        Ok(DayOffers { merchants, at_night, now })
    }

    /// What is left of the budget for all merchants, `None` where there is none: that of the night, less what those who ask now, were answered or
    /// drew since have come to owe and may draw beyond it.
    fn left_of_budget(&self, offers: &DayOffers<'_>, draws: &DrawsByMerchant<'_>) -> Option<i64> {
        let (budget, committed) = self.policy.portfolio_budget_minor.zip(self.committed_minor)?;
        let none = BTreeMap::new();
        let more = |merchant: &&str| {
            let now = without_lapsed(offers.now.of(merchant), self.on.date());
            let at_night = offers.at_night.get(*merchant).map_or(&[][..], Vec::as_slice);
            committed_since(at_night, &now, draws.get(*merchant).unwrap_or(&none))
        };
        let more = offers.merchants.iter().map(more).fold(0_i64, i64::saturating_add);
        Some(budget.saturating_sub(committed).saturating_sub(more))
    }
}

/// Puts an answer given since the night on the offers of its merchant; one that an offer stands changes nothing.
fn put_on(open: &mut OpenOffers, answer: &LoggedAnswer) {
    let LoggedAnswer { application, granted, offer, .. } = answer;
    if granted.is_some() || offer.is_none() {
        open.answer(&application.merchant_id, &application.product, granted.clone());
    }
}

/// Open offers of some merchants.
struct DayOffers<'a> {
    merchants: BTreeSet<&'a str>,
    /// As the night left them.
    at_night: BTreeMap<String, Vec<OpenOffer>>,
    /// As the answers since have left them.
    now: OpenOffers,
}
