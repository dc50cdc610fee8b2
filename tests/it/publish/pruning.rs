//! Which runs may be removed, and that each is there whole or gone at any instant.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use integrity::exposure::{OfferState, OpenOffer};
use integrity::monitor::{Alert, AlertState, LoanLine};
use integrity::offer::Offer;
use integrity::publish::{
    Begun, KeepReason, OutputRow, Pointing, PointingOrder, PruningOrder, PruningPlan, PublishError, Publisher,
    RestatedNight, Retention, RunIdentity, RunState, ScoreBook, Stage, Step, plan_pruning, previous_run, run_list,
    verify,
};
use integrity::score::MerchantScore;
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;

use super::fixture::{alert, copy_folder, files_below, identity_on, offer, provenance, score};

/// What a night of the tests leaves in its tables.
#[derive(Debug, Clone, Default)]
struct Night {
    as_of: Date,
    /// Merchant, and the last day of the offer.
    offers: BTreeMap<String, Date>,
    /// Dates of earlier nights whose offers are open.
    open: BTreeSet<Date>,
    /// Dates on which alerts were opened, and whether they stand.
    alerts: BTreeMap<Date, bool>,
    /// Merchant, and when the loan was paid out.
    loans: BTreeMap<String, Option<Date>>,
}

fn night(as_of: Date) -> Night {
    Night { as_of, ..Night::default() }
}

fn fill(stage: &mut Stage<'_, '_>, night: &Night) -> Result<(), PublishError> {
    let mut scores = stage.table(MerchantScore::table())?;
    scores.push(score("m1", 1))?;
    stage.seal(scores)?;
    let mut offers = stage.table(Offer::table())?;
    offers
        .extend(night.offers.iter().map(|(m, until)| Offer { valid_until_on: *until, ..offer(m, "credit-loan", 1) }))?;
    stage.seal(offers)?;
    let declines = stage.table::<integrity::offer::Decline>(integrity::offer::Decline::table())?;
    stage.seal(declines)?;
    let mut open = stage.table(OpenOffer::table())?;
    open.extend(night.open.iter().enumerate().map(|(number, on)| open_offer(number, *on)))?;
    stage.seal(open)?;
    let mut alerts = stage.table(Alert::table())?;
    alerts.extend(night.alerts.iter().map(|(on, stands)| Alert {
        opened_on: *on,
        state: if *stands { AlertState::Opened } else { AlertState::Cleared },
        ..alert("m1", &on.to_string())
    }))?;
    stage.seal(alerts)?;
    let mut loans = stage.table(LoanLine::table())?;
    loans.extend(night.loans.iter().map(|(merchant, on)| loan(merchant, *on)))?;
    stage.seal(loans).map(|_| ())
}

fn open_offer(number: usize, offered_on: Date) -> OpenOffer {
    OpenOffer {
        offer_id: format!("offer-{number}"),
        merchant_id: format!("m{number:03}"),
        product: "credit-loan".to_owned(),
        state: OfferState::Open,
        limit_minor: 1,
        daily_rate_ppm: Some(1),
        term_days: Some(1),
        sales_share_ppm: None,
        drawn_minor: 0,
        drawn_before_minor: 0,
        held_minor: 1,
        offered_on,
        valid_until_on: offered_on,
        replaces_offer_id: None,
        pledged_order_ids: Vec::new(),
    }
}

fn loan(merchant: &str, disbursed_on: Option<Date>) -> LoanLine {
    LoanLine {
        merchant_id: merchant.to_owned(),
        loan_id: Some("l".to_owned()),
        place: if disbursed_on.is_some() { "current" } else { "unknown" }.to_owned(),
        product: None,
        category: None,
        region: None,
        owner_id: None,
        group_id: None,
        disbursed_on,
        principal_minor: None,
        outstanding_minor: None,
        arrears_minor: None,
        dpd: None,
        class: None,
        marked_by: None,
        band: None,
        pd_prob: None,
        stage: None,
        provision_minor: None,
    }
}

/// Publishes a night on the one before; its run folder, below the output folder.
fn publish(out: &Path, tag: u8, night: &Night) -> String {
    let mut publisher = Publisher::open(out).unwrap();
    let mut identity = identity_on(tag, night.as_of);
    identity.previous = previous_run(out, night.as_of).unwrap().map(|run| run.identity());
    let run = identity.run_path();
    if let Begun::Stage(mut stage) = publisher.begin(identity, Pointing::Forward).unwrap() {
        fill(&mut stage, night).unwrap();
        stage.publish(provenance(tag)).unwrap();
    }
    run
}

fn keep(keep_last: u16, keep_month_ends: u16) -> Retention {
    Retention { keep_last, keep_month_ends, keep_raw_files: None }
}

fn prune(out: &Path, retention: Retention) -> PruningPlan {
    Publisher::open(out).unwrap().prune(&order(retention)).unwrap().0
}

fn order(retention: Retention) -> PruningOrder {
    PruningOrder { retention, by: "officer".to_owned(), at: Timestamp::from_second(1_600_000_000).unwrap() }
}

/// Dates of runs that stay, each with its reasons.
fn stays(plan: &PruningPlan) -> BTreeMap<String, Vec<KeepReason>> {
    let stays = plan.runs.iter().filter(|run| !run.goes());
    stays.map(|run| (run.as_of.to_string()[5..].to_owned(), run.kept_for.iter().copied().collect())).collect()
}

/// Sixteen nights, four days apart, over three months; the last one has `last` in its tables.
fn sixteen_nights(out: &Path, last: impl FnOnce(Night) -> Night) -> Vec<String> {
    let dates: Vec<Date> = (0..16).map(|n| date(2018, 5, 1).saturating_add((n * 4).days())).collect();
    let mut nights: Vec<Night> = dates.iter().map(|as_of| night(*as_of)).collect();
    nights[2].offers.insert("m7".to_owned(), date(2018, 5, 20));
    nights[3].offers.insert("m7".to_owned(), date(2018, 5, 14));
    nights[6].offers.insert("m7".to_owned(), date(2018, 6, 20));
    let newest = nights.pop().unwrap();
    nights.push(last(newest));
    nights.iter().zip(1..).map(|(night, tag)| publish(out, tag, night)).collect()
}

fn expected(days: &[(&str, &[KeepReason])]) -> BTreeMap<String, Vec<KeepReason>> {
    days.iter().map(|(day, why)| ((*day).to_owned(), why.to_vec())).collect()
}

#[test]
fn newest_nights_and_month_ends_stay_with_what_they_were_made_from() {
    use KeepReason::{Current, LastNights, MonthEnd, NeededByKept};
    let folder = tempfile::tempdir().unwrap();
    sixteen_nights(folder.path(), |night| night);
    let plan = plan_pruning(folder.path(), keep(2, 1)).unwrap();
    let days = expected(&[
        ("05-25", &[NeededByKept]),
        // The last night of May; June is not over.
        ("05-29", &[MonthEnd]),
        ("06-22", &[NeededByKept]),
        ("06-26", &[LastNights, NeededByKept]),
        ("06-30", &[Current, LastNights]),
    ]);
    assert_eq!(stays(&plan), days);
    assert_eq!(plan.leaving().count(), 11);
    let all = plan_pruning(folder.path(), keep(16, 0)).unwrap();
    assert_eq!(all.leaving().count(), 0);
    assert_eq!(plan_pruning(folder.path(), keep(1, 0)).unwrap().leaving().count(), 14);
}

#[test]
fn what_a_loan_an_open_offer_or_an_alert_goes_back_to_stays() {
    use KeepReason::{Current, LastNights, NeededByKept, OpenOffer, StandingAlert, UnpaidLoan};
    for (disbursed_on, offers_of) in [
        // One offer was valid; the later one had lapsed, and the last was not yet made.
        (Some(date(2018, 5, 16)), vec!["05-09"]),
        // None was valid: the last before.
        (Some(date(2018, 5, 22)), vec!["05-13"]),
        (Some(date(2018, 5, 2)), vec![]),
        (None, vec!["05-09", "05-13", "05-25"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        sixteen_nights(folder.path(), |night| Night {
            loans: BTreeMap::from([("m7".to_owned(), disbursed_on), ("m8".to_owned(), None)]),
            ..night
        });
        let plan = plan_pruning(folder.path(), keep(1, 0)).unwrap();
        let loans = stays(&plan).into_iter().filter(|(_, why)| why.contains(&UnpaidLoan)).map(|(day, _)| day);
        assert_eq!(loans.collect::<Vec<_>>(), offers_of, "{disbursed_on:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let runs = sixteen_nights(folder.path(), |night| Night {
        open: BTreeSet::from([date(2018, 6, 2)]),
        alerts: BTreeMap::from([(date(2018, 6, 10), true), (date(2018, 6, 14), false)]),
        ..night
    });
    let plan = prune(folder.path(), keep(1, 0));
    let days = expected(&[
        ("05-29", &[NeededByKept]),
        ("06-02", &[OpenOffer]),
        ("06-06", &[NeededByKept]),
        ("06-10", &[StandingAlert]),
        ("06-26", &[NeededByKept]),
        ("06-30", &[Current, LastNights]),
    ]);
    assert_eq!(stays(&plan), days);
    for (run, planned) in runs.iter().zip(&plan.runs) {
        assert_eq!((run, folder.path().join(run).exists()), (&planned.run, !planned.goes()));
    }
}

#[test]
fn a_restatement_made_no_open_offer_and_goes_though_its_night_stays() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let offered_on = date(2018, 6, 2);
    let runs = sixteen_nights(out, |night| Night { open: BTreeSet::from([offered_on]), ..night });
    let first = previous_run(out, offered_on.tomorrow().unwrap()).unwrap().unwrap().identity();
    let restates = Some(RestatedNight { first, known_before: date(2018, 6, 30) });
    let identity = RunIdentity { restates, ..identity_on(99, offered_on) };
    let restatement = identity.run_path();
    {
        let mut publisher = Publisher::open(out).unwrap();
        let Begun::Stage(mut stage) = publisher.begin(identity, Pointing::Beside).unwrap() else {
            panic!("it was published before")
        };
        fill(&mut stage, &night(offered_on)).unwrap();
        stage.publish(provenance(99)).unwrap();
    }
    let plan = prune(out, keep(1, 0));
    let planned = |run: &str| plan.runs.iter().find(|planned| planned.run == run).unwrap();
    assert_eq!(planned(&runs[8]).kept_for, BTreeSet::from([KeepReason::OpenOffer]));
    assert_eq!((planned(&restatement).state, planned(&restatement).goes()), (RunState::Restatement, true));
    assert!(out.join(&runs[8]).exists() && !out.join(&restatement).exists());
}

#[test]
fn without_the_books_of_the_current_run_nothing_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(plan_pruning(folder.path(), keep(1, 0)), Err(PublishError::NothingPublished(_))));
    let runs = sixteen_nights(folder.path(), |night| night);
    let book = folder.path().join(&runs[15]).join("loan_book.parquet");
    fs::write(&book, b"other").unwrap();
    let refused = Publisher::open(folder.path()).unwrap().prune(&order(keep(1, 0)));
    assert!(matches!(refused, Err(PublishError::DigestMismatch { .. })));
    assert!(runs.iter().all(|run| folder.path().join(run).exists()));
}

#[test]
fn damaged_runs_stay_for_a_person_to_look_at() {
    let folder = tempfile::tempdir().unwrap();
    let runs =
        sixteen_nights(folder.path(), |night| Night { loans: BTreeMap::from([("m1".to_owned(), None)]), ..night });
    fs::write(folder.path().join(&runs[1]).join("manifest.json"), b"{").unwrap();
    fs::write(folder.path().join(&runs[4]).join("offers.parquet"), b"other").unwrap();
    let plan = prune(folder.path(), keep(1, 0));
    let damaged: Vec<bool> = plan.runs.iter().map(|run| run.kept_for.contains(&KeepReason::Damaged)).collect();
    assert_eq!(damaged.iter().filter(|damaged| **damaged).count(), 2);
    assert!(damaged[1] && damaged[4]);
}

#[test]
fn of_a_date_that_keeps_a_run_the_one_it_stands_by_stays() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let first = publish(out, 1, &night(date(2018, 5, 1)));
    let offered = Night { offers: BTreeMap::from([("m7".to_owned(), date(2018, 5, 20))]), ..night(date(2018, 5, 2)) };
    let replaced = publish(out, 2, &offered);
    let standing = publish(out, 3, &night(date(2018, 5, 2)));
    let third = publish(out, 4, &night(date(2018, 5, 3)));
    let loans = BTreeMap::from([("m7".to_owned(), Some(date(2018, 5, 3)))]);
    let last = publish(out, 5, &Night { loans, ..night(date(2018, 5, 4)) });
    let plan = prune(out, keep(1, 0));
    let why =
        |run: &String| plan.runs.iter().find(|r| r.run == *run).unwrap().kept_for.iter().copied().collect::<Vec<_>>();
    assert_eq!(why(&replaced), [KeepReason::UnpaidLoan]);
    assert_eq!(why(&standing), [KeepReason::StandsForItsDate]);
    assert_eq!(why(&first), [KeepReason::NeededByKept]);
    assert_eq!((why(&third).len(), why(&last).len()), (1, 2));
}

#[test]
fn a_removed_run_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let runs = sixteen_nights(out, |night| night);
    let gone = &runs[10];
    let before = run_list(out).unwrap();
    prune(out, keep(2, 1));
    let list = run_list(out).unwrap();
    assert_eq!(list.periods, before.periods, "what was current when is still known");
    let listed = list.runs.iter().find(|run| run.run == *gone).unwrap();
    assert_eq!(listed.state, RunState::Pruned);
    assert!(listed.why.as_ref().unwrap().contains("officer"));
    assert!(matches!(verify(out, Some(date(2018, 6, 10))), Err(PublishError::Pruned { .. })));
    assert!(matches!(ScoreBook::open_as_of(out, date(2018, 6, 10)), Err(PublishError::Pruned { .. })));
    assert!(matches!(ScoreBook::open_as_of(out, date(1999, 6, 10)), Err(PublishError::NoSuchRun { .. })));
    assert!(verify(out, None).unwrap().is_sound());
    let run_id = gone.rsplit('=').next().unwrap().to_owned();
    let point = |run_id: String| {
        let at = Timestamp::from_second(1_600_000_001).unwrap();
        let order = PointingOrder { run_id, reason: "test".to_owned(), by: "officer".to_owned(), at };
        Publisher::open_to_point(out).unwrap().repoint(&order)
    };
    assert!(matches!(point(run_id), Err(PublishError::Pruned { .. })));

    // A night between pruned ones would build on one that does not know what they offered.
    let after_pruned = date(2018, 6, 20);
    match previous_run(out, after_pruned) {
        Err(PublishError::NightBeforePruned { removed, .. }) => assert_eq!(removed, runs[12]),
        other => panic!("{other:?}"),
    }
    assert!(matches!(previous_run(out, date(2018, 5, 3)), Err(PublishError::NightBeforePruned { .. })));
    assert_eq!(previous_run(out, date(2018, 7, 1)).unwrap().unwrap().as_of, date(2018, 6, 30));
    assert_eq!(previous_run(out, date(2018, 5, 30)).unwrap().unwrap().as_of, date(2018, 5, 29));

    // Set back before the pruned nights, the next ones go on from there.
    point(runs[7].rsplit('=').next().unwrap().to_owned()).unwrap();
    assert_eq!(previous_run(out, after_pruned).unwrap().unwrap().as_of, date(2018, 5, 29));
    assert_eq!(prune(out, keep(1, 0)).leaving().count(), 0, "what was withdrawn is of later dates than what is kept");
}

/// What a process killed right after a step of pruning leaves behind.
fn photographs(album: &Path) -> Vec<(Step, PathBuf)> {
    let out = album.join("out");
    let runs = sixteen_nights(&out, |night| night);
    // A run beside the one that stays: it goes alone.
    publish(
        &out,
        99,
        &Night { offers: BTreeMap::from([("m1".to_owned(), date(2018, 5, 30))]), ..night(date(2018, 5, 29)) },
    );
    assert!(out.join(&runs[7]).exists());
    let mut taken: Vec<(Step, PathBuf)> = Vec::new();
    let observer = |step: &Step| {
        let copy = album.join(format!("photo-{}", taken.len()));
        copy_folder(&out, &copy);
        taken.push((step.clone(), copy));
        Ok(())
    };
    let mut publisher = Publisher::open_observed(&out, Box::new(observer)).unwrap();
    publisher.prune(&order(keep(2, 1))).unwrap();
    drop(publisher);
    taken.push((Step::Swept, out));
    taken
}

#[test]
fn a_process_killed_after_any_step_leaves_whole_runs_and_the_next_pruning_finishes() {
    let album = tempfile::tempdir().unwrap();
    let photographs = photographs(album.path());
    assert!(photographs.iter().filter(|(step, _)| matches!(step, Step::Removed(_))).count() == 12);
    let finished = files_below(&photographs.last().unwrap().1);
    for (step, out) in &photographs {
        assert!(ScoreBook::open(out).unwrap().get("m1").unwrap().is_some(), "{step:?}");
        for run in run_list(out).unwrap().runs.iter().filter(|run| run.state != RunState::Pruned) {
            assert!(verify(out, Some(run.as_of)).unwrap().is_sound(), "{step:?}");
        }
        let plan = prune(out, keep(2, 1));
        assert!(plan.runs.iter().all(|run| out.join(&run.run).exists() != run.goes()), "{step:?}");
        let left: Vec<String> = files_below(out).into_iter().filter(|file| file != "prunings.jsonl").collect();
        let expected: Vec<String> = finished.iter().filter(|file| *file != "prunings.jsonl").cloned().collect();
        assert_eq!(left, expected, "{step:?}");
        assert!(
            matches!(previous_run(out, date(2018, 6, 20)), Err(PublishError::NightBeforePruned { .. })),
            "{step:?}"
        );
    }
}

#[test]
fn a_reader_with_the_book_open_goes_on_reading() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    sixteen_nights(out, |night| night);
    let book = ScoreBook::open(out).unwrap();
    for days in 1..4 {
        publish(out, 50 + days, &night(date(2018, 7, i8::try_from(days).unwrap())));
    }
    prune(out, keep(1, 0));
    assert!(book.get("m1").unwrap().is_some(), "what was opened stays readable");
}

/// The rules once more, run by run, as they are told in docs/scheduling.md.
fn naive_stays(nights: &[Night], keep_last: usize, keep_month_ends: i64) -> BTreeSet<Date> {
    let newest = nights.last().unwrap();
    let month = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
    let mut kept = BTreeSet::new();
    for (at, night) in nights.iter().enumerate() {
        let is_month_end = nights.get(at + 1).is_some_and(|next| month(next.as_of) != month(night.as_of))
            && month(newest.as_of) - month(night.as_of) <= keep_month_ends;
        let may_have_made = |(merchant, paid): (&String, &Option<Date>)| {
            let made = |night: &Night| night.offers.get(merchant).copied();
            let Some(until) = made(night) else { return false };
            let Some(paid) = paid else { return true };
            let earlier = || nights.iter().filter(|other| other.as_of <= *paid && made(other).is_some());
            let is_any_valid = earlier().any(|other| made(other).unwrap() >= *paid);
            let is_last = earlier().next_back().is_some_and(|last| last.as_of == night.as_of);
            night.as_of <= *paid && (until >= *paid || (!is_any_valid && is_last))
        };
        if at + keep_last >= nights.len()
            || is_month_end
            || newest.open.contains(&night.as_of)
            || newest.alerts.get(&night.as_of) == Some(&true)
            || newest.loans.iter().any(may_have_made)
        {
            kept.insert(night.as_of);
        }
    }
    let before = nights.windows(2).filter(|pair| kept.contains(&pair[1].as_of)).map(|pair| pair[0].as_of);
    let before: BTreeSet<Date> = before.collect();
    kept.into_iter().chain(before).collect()
}

fn any_nights() -> impl Strategy<Value = Vec<Night>> {
    let merchants = || prop::sample::select(vec!["m1", "m2", "m3"]).prop_map(str::to_owned);
    let offers = prop::collection::btree_map(merchants(), 0..40_i64, 0..3);
    let gaps = prop::collection::vec((1..20_i64, offers), 4..9);
    let loans = prop::collection::btree_map(merchants(), prop::option::of(0..120_i64), 0..3);
    let picks = prop::collection::btree_set(0..9_usize, 0..2);
    let alerts = prop::collection::btree_map(0..9_usize, any::<bool>(), 0..2);
    (gaps, loans, picks, alerts).prop_map(|(gaps, loans, open, alerts)| {
        let start = date(2018, 1, 10);
        let mut nights = Vec::new();
        let mut as_of = start;
        for (gap, offers) in gaps {
            as_of = as_of.saturating_add(gap.days());
            let offers = offers.into_iter().map(|(m, days)| (m, as_of.saturating_add(days.days()))).collect();
            nights.push(Night { as_of, offers, ..Night::default() });
        }
        let date_of = |at: usize| nights.get(at).map(|night: &Night| night.as_of);
        let open = open.into_iter().filter_map(date_of).collect();
        let alerts = alerts.into_iter().filter_map(|(at, stands)| Some((date_of(at)?, stands))).collect();
        let loans =
            loans.into_iter().map(|(m, days)| (m, days.map(|days| start.saturating_add(days.days())))).collect();
        let newest = nights.pop().unwrap();
        nights.push(Night { open, alerts, loans, ..newest });
        nights
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_stays_is_what_the_rules_say_run_by_run(nights in any_nights(), last in 1..3_u16, months in 0..3_u16) {
        let folder = tempfile::tempdir().unwrap();
        for (night, tag) in nights.iter().zip(1..) {
            publish(folder.path(), tag, night);
        }
        let plan = plan_pruning(folder.path(), keep(last, months)).unwrap();
        let stays: BTreeSet<Date> = plan.runs.iter().filter(|run| !run.goes()).map(|run| run.as_of).collect();
        prop_assert_eq!(stays, naive_stays(&nights, usize::from(last), i64::from(months)));
    }
}
