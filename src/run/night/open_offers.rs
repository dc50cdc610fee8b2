//! What last night's run left open: offers, loans and alerts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::de::DeserializeOwned;

use crate::exposure::{
    MembersBefore, OfferState, OpenOffer, OpenOffers, OwnersBefore, RememberedMember, RememberedOwner,
};
use crate::monitor::{
    Alert, BookBefore, BorrowerState, Deduction, DriftBin, DriftLine, LoanForecast, LoanLine, Monitor, OpenDeduction,
    OpenDeductions, PortfolioLine, ProvisionLine, RollRate, StandingAlerts, StatesBefore,
};
use crate::offer::Offer;
use crate::publish::{LoggedAnswer, OutputRow, PreviousRun, PublishError, TableReader};
use crate::repayment::{LoanEvidence, LoanException, OfferMade, RememberedLoan, put_under_borrowers};
use crate::scenario::{RememberedRows, RowsBefore};
use crate::score::MerchantScore;

/// The open offers of the night before, the file's bytes checked; none on a first night.
///
/// # Errors
/// The run holds no such table, or not what was published: what is offered and pledged already is then not known, and nothing may be offered.
pub fn read_open_offers(previous: Option<&PreviousRun>) -> Result<OpenOffers, PublishError> {
    Ok(OpenOffers::new(open_offers_of(previous)?))
}

/// The open offers of a run. Where an earlier version of the program published it without their terms, those of the offers that it made are taken from
/// its table of offers; of older ones the terms are not known.
fn open_offers_of(run: Option<&PreviousRun>) -> Result<Vec<OpenOffer>, PublishError> {
    let Some(reader) = table::<OpenOffer>(run)? else { return Ok(Vec::new()) };
    let is_earlier = reader.is_earlier();
    let mut open = reader.collect::<Result<Vec<_>, _>>()?;
    if is_earlier {
        let made: BTreeMap<String, Offer> =
            rows::<Offer>(run)?.into_iter().map(|offer| (offer.offer_id.clone(), offer)).collect();
        for open in &mut open {
            let made = made.get(&open.offer_id);
            open.daily_rate_ppm = made.map(|made| made.daily_rate_ppm);
            open.term_days = made.map(|made| i64::from(made.term_days));
            open.sales_share_ppm = made.and_then(|made| made.sales_share_ppm);
        }
    }
    Ok(open)
}

/// The open offers of the night before, with what was offered since beside it: by runs of the same days, and by answers given by day, in the order in
/// which they came.
///
/// # Errors
/// As [`read_open_offers`], of any of these runs.
pub fn read_offers_since(
    previous: Option<&PreviousRun>,
    beside: &[PreviousRun],
    answers: &[LoggedAnswer],
) -> Result<OpenOffers, PublishError> {
    let mut open = read_open_offers(previous)?;
    let mut answers = answers.iter().peekable();
    for run in beside {
        while let Some(answer) = answers.next_if(|answer| Some(answer.at) < run.finished_at()) {
            put_answer(&mut open, answer);
        }
        // What the night before offered is served still where it is of the same day: the other run was set aside.
        let is_served = |offer: &OpenOffer| {
            offer.state == OfferState::Open
                && previous.is_some_and(|p| p.as_of == run.as_of && offer.offered_on == p.as_of)
        };
        for offer in open_offers_of(Some(run))?.into_iter().filter(|offer| offer.state == OfferState::Open) {
            open.hold_beside(offer, is_served);
        }
    }
    answers.for_each(|answer| put_answer(&mut open, answer));
    Ok(open)
}

fn put_answer(open: &mut OpenOffers, answer: &LoggedAnswer) {
    let LoggedAnswer { application, granted, offer, .. } = answer;
    // An offer that stood when it was asked for stands as it was.
    if granted.is_some() || offer.is_none() {
        open.answer(&application.merchant_id, &application.product, granted.clone());
    }
}

/// What loans are held against, in shards of so many `buckets`: what the night before remembered of them, the files' bytes checked, but for loans
/// that are no longer sent (nothing on a first night), its `open` offers, tonight's date, and the last day of its orders.
///
/// # Errors
/// The run holds no such table, or not what was published: what was owed is then not known, and nothing may be offered.
pub fn read_loan_evidence(
    previous: Option<&PreviousRun>,
    open: &OpenOffers,
    monitor: &Monitor,
    (as_of, orders_until): (Date, Option<Date>),
    buckets: u32,
) -> Result<LoanEvidence, PublishError> {
    let mut loans = rows::<RememberedLoan>(previous)?;
    put_under_borrowers(&mut loans, &monitor.borrower_corrected);
    let loans = loans.into_iter().filter(|loan| !monitor.no_longer_sent.contains(&loan.loan_id)).map(|loan| {
        let is_corrected = monitor.payments_corrected.holds(&loan.loan_id, as_of);
        let loan = if is_corrected { loan.with_corrected_payments() } else { loan };
        if monitor.terms_corrected.contains(&loan.loan_id) { loan.with_corrected_terms() } else { loan }
    });
    let evidence = LoanEvidence::new(loans, buckets);
    let offers = open.iter().flat_map(|(merchant, offers)| {
        offers.iter().map(move |offer| {
            let made = OfferMade {
                merchant_id: merchant.to_owned(),
                product: offer.product.clone(),
                limit_minor: offer.limit_minor,
                daily_rate_ppm: offer.daily_rate_ppm,
                term_days: offer.term_days,
                sales_share_ppm: offer.sales_share_ppm,
                offered_on: offer.offered_on,
                valid_until_on: offer.valid_until_on,
                replaces: offer.replaces_offer_id.clone(),
            };
            (offer.offer_id.clone(), made)
        })
    });
    let evidence = evidence.with_offers(offers, rows::<LoanException>(previous)?);
    let evidence = evidence.with_payments_confirmed(monitor.payments_confirmed.clone());
    Ok(evidence.with_night_before(previous.map(|run| run.as_of)).with_orders_until(orders_until))
}

/// Members of guarantee groups, for shards of so many `buckets`, as the night before left them, the file's bytes checked, but for merchants whose
/// memberships are no longer sent; none on a first night.
///
/// # Errors
/// The run holds no such table, or not what was published: who answers for whom is then not known.
pub fn read_members_before(
    previous: Option<&PreviousRun>,
    no_longer_sent: &BTreeSet<String>,
    buckets: u32,
) -> Result<MembersBefore, PublishError> {
    let rows = rows::<RememberedMember>(previous)?.into_iter().filter(|row| !no_longer_sent.contains(&row.merchant_id));
    Ok(previous.map_or_else(MembersBefore::default, |night| MembersBefore::new(rows, night.as_of, buckets)))
}

/// Owners of shops, for shards of so many `buckets`, as the night before left them, the file's bytes checked, but for owners that were named by mistake; none on
/// a first night, or where an earlier version of the program published it.
///
/// # Errors
/// The run does not hold what was published.
pub fn read_owners_before(
    previous: Option<&PreviousRun>,
    corrected: &BTreeSet<String>,
    buckets: u32,
) -> Result<OwnersBefore, PublishError> {
    let rows: Vec<RememberedOwner> = previous.map(rows_if_left).transpose()?.flatten().unwrap_or_default();
    Ok(OwnersBefore::new(rows, corrected, buckets))
}

/// What the scores of the night before said of the members of guarantee groups: probabilities of default in parts per million, rounded up, the file's
/// bytes checked; none on a first night, nor of a member who was not scored.
///
/// # Errors
/// The run holds no scores, or not what was published.
pub fn read_member_risks(
    previous: Option<&PreviousRun>,
    members: &BTreeSet<String>,
) -> Result<BTreeMap<String, u32>, PublishError> {
    let Some(previous) = previous.filter(|_| !members.is_empty()) else { return Ok(BTreeMap::new()) };
    let name = format!("{}.parquet", MerchantScore::table().name);
    let path = previous.run_dir.join(&name);
    let Some(path) = previous.file(&name)? else {
        return Err(PublishError::Malformed { path, why: "the night before has no scores".to_owned() });
    };
    let mut risks = BTreeMap::new();
    for score in TableReader::<MerchantScore>::open(&path)? {
        let score = score?;
        if let Some(pd) = score.pd_prob.filter(|_| members.contains(&score.merchant_id)) {
            risks.insert(score.merchant_id, parts_per_million(pd));
        }
    }
    Ok(risks)
}

/// A probability in parts per million, rounded up.
pub fn parts_per_million(probability: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held within 0 and a million")]
    let ppm = (probability.clamp(0.0, 1.0) * 1e6).ceil() as u32;
    ppm
}

/// The alerts that stood after the night before, the file's bytes checked; none on a first night.
///
/// # Errors
/// The run holds no such table, or not what was published: which trouble is new, and which is over, is then not known.
pub fn read_standing_alerts(previous: Option<&PreviousRun>) -> Result<StandingAlerts, PublishError> {
    Ok(StandingAlerts::new(rows::<Alert>(previous)?))
}

/// Orders to deduct that may be under way: those that the night before left, and those of runs that were published beside it, the files' bytes checked. Of a run
/// that left none, the orders that it gave.
///
/// # Errors
/// A run does not hold what was published: what is under way is then not known, and nothing may be deducted.
pub fn read_open_deductions(
    previous: Option<&PreviousRun>,
    beside: &[PreviousRun],
) -> Result<OpenDeductions, PublishError> {
    let mut orders = Vec::new();
    for run in previous.into_iter().chain(beside) {
        orders.extend(open_deductions_of(run)?);
    }
    Ok(OpenDeductions::new(orders))
}

fn open_deductions_of(run: &PreviousRun) -> Result<Vec<OpenDeduction>, PublishError> {
    if let Some(left) = rows_if_left(run)? {
        return Ok(left);
    }
    let given = rows::<Deduction>(Some(run))?.into_iter().map(|order| OpenDeduction {
        merchant_id: order.merchant_id,
        loan_id: order.loan_id,
        key: order.key,
        ordered_minor: order.amount_minor,
        left_minor: order.amount_minor,
        ordered_on: run.as_of,
        given_on: run.as_of,
        deducted_minor: None,
    });
    Ok(given.collect())
}

/// How good every borrower was on the night before, the file's bytes checked; none on a first night.
///
/// # Errors
/// The run holds no such table, or not what was published: who has been in default is then not known.
pub fn read_states_before(previous: Option<&PreviousRun>) -> Result<StatesBefore, PublishError> {
    Ok(StatesBefore::new(rows::<BorrowerState>(previous)?))
}

/// The rows of every merchant of the night before, the file's bytes checked; none on a first night, or where the night before did not count them. Tables in
/// `forgiven` may have lost rows; trade of days past of those `confirmed` is believed however it grew.
///
/// # Errors
/// The run does not hold what was published.
pub fn read_rows_before(
    previous: Option<&PreviousRun>,
    buckets: u32,
    (forgiven, confirmed): (BTreeSet<String>, &BTreeSet<String>),
    days: u16,
) -> Result<RowsBefore, PublishError> {
    let rows: Vec<RememberedRows> = previous.map(rows_if_left).transpose()?.flatten().unwrap_or_default();
    Ok(RowsBefore::new(rows, buckets, forgiven, days).confirming(confirmed))
}

/// The indices of the night before and the history that they carry, the file's bytes checked; none on a first night.
///
/// # Errors
/// The run holds no such table, or not what was published: what jumped since is then not known.
pub fn read_drift_before(previous: Option<&PreviousRun>) -> Result<Vec<DriftLine>, PublishError> {
    rows(previous)
}

/// How many merchants lay in which bin on the night before and on its model's first, the file's bytes checked; none on a first night, or where the night before
/// did not count them.
///
/// # Errors
/// The run does not hold what was published.
pub fn read_drift_bins_before(previous: Option<&PreviousRun>) -> Result<Vec<DriftBin>, PublishError> {
    Ok(previous.map(rows_if_left).transpose()?.flatten().unwrap_or_default())
}

/// The loan book of the night before and the history that it carries, the files' bytes checked; `None` on a first night.
///
/// # Errors
/// The run holds no such tables, or not what was published: where the money went since is then not known.
pub fn read_book_before(previous: Option<&PreviousRun>) -> Result<Option<BookBefore>, PublishError> {
    let read = |run: &PreviousRun| {
        let book = rows::<LoanLine>(previous)?;
        let (portfolio, provisions) = (rows::<PortfolioLine>(previous)?, rows::<ProvisionLine>(previous)?);
        let (rolls, forecasts) = (rows::<RollRate>(previous)?, rows::<LoanForecast>(previous)?);
        Ok(BookBefore::new(run.as_of, book, portfolio, provisions, rolls, forecasts))
    };
    previous.map(read).transpose()
}

/// A table of a run, its bytes checked; `None` where an earlier version of the program published the run without it.
fn rows_if_left<T: OutputRow + DeserializeOwned>(run: &PreviousRun) -> Result<Option<Vec<T>>, PublishError> {
    let path = run.file(&format!("{}.parquet", T::table().name))?;
    path.map(|path| TableReader::<T>::open(&path)?.collect()).transpose()
}

fn rows<T: OutputRow + DeserializeOwned>(previous: Option<&PreviousRun>) -> Result<Vec<T>, PublishError> {
    table::<T>(previous)?.map_or_else(|| Ok(Vec::new()), Iterator::collect)
}

/// A table of the night before, its bytes checked; `None` on a first night.
fn table<T: OutputRow + DeserializeOwned>(
    previous: Option<&PreviousRun>,
) -> Result<Option<TableReader<T>>, PublishError> {
    let Some(previous) = previous else { return Ok(None) };
    let name = format!("{}.parquet", T::table().name);
    let Some(path) = previous.file(&name)? else {
        let path = previous.run_dir.join(name);
        let why = "the night before was published by another version of the program: what it offered and what was owed is not known. \
                   Publish that night again, or begin in an empty output folder once every offer has lapsed";
        return Err(PublishError::Malformed { path, why: why.to_owned() });
    };
    TableReader::<T>::open(&path).map(Some)
}
