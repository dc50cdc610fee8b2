use std::collections::BTreeSet;
use std::path::Path;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

use super::fate::{LoanNight, LoanStory};
use super::judge::{JOIN_DAYS, LEAD_DAYS, judge};
use super::panel::{MerchantSeries, Panel, PanelRule, Standing};
use super::plan::{NightScope, Plan};
use super::replay::Replayed;
use super::*;
use crate::domain::{AsOf, Currency};
use crate::run::Job;
use crate::run::night_tables::ingest_job;
use crate::run::progress::Silent;
use crate::run::rules::JobRules;
use crate::simulate::{SimulationSettings, simulate};
use proptest::prelude::*;

const START: Date = date(2024, 1, 1);

fn day(number: i64) -> Date {
    START.saturating_add(number.days())
}

fn as_of(day: Date) -> AsOf {
    AsOf::new(day, TimeZone::UTC).unwrap()
}

fn plan(as_of_day: i64, from: Option<i64>, to: Option<i64>) -> Result<Plan, BacktestError> {
    let how = BacktestOptions { from: from.map(day), to: to.map(day), every_days: 7 };
    Plan::new(&as_of(day(as_of_day)), 90, &how)
}

#[test]
fn what_is_chosen_rests_on_nothing_of_the_judged_period() {
    let plan = plan(900, None, None).unwrap();
    let choosing = plan.choosing.unwrap();
    assert_eq!(plan.judged.known_by, day(900));
    assert!(plan.judged.to.saturating_add(90.days()) <= plan.judged.known_by);
    assert!(choosing.to.saturating_add(90.days()) <= plan.judged.from);
    assert!(choosing.known_by <= plan.judged.from);
    let looked: Vec<Date> =
        plan.nights.iter().filter(|(_, look)| *look == NightScope::Alerts).map(|(n, _)| *n).collect();
    assert!(looked.contains(&choosing.from) && looked.contains(&plan.judged.to));
    assert_eq!(looked.last(), Some(&plan.judged.to), "after it the ledger alone is looked at");
    assert!(plan.nights.last().unwrap().0 > day(893), "up to the observation date");
}

#[test]
fn a_period_without_room_for_choosing_is_judged_as_configured_and_one_without_outcomes_is_refused() {
    let short = plan(900, Some(700), Some(800)).unwrap();
    assert_eq!((short.choosing, short.judged.from, short.judged.to), (None, day(700), day(798)));
    assert!(matches!(plan(900, None, Some(811)), Err(BacktestError::NoOutcomes { last, .. }) if last == day(810)));
    assert!(plan(900, None, Some(810)).is_ok());
    assert!(matches!(plan(900, Some(800), Some(810)), Err(BacktestError::TooShort { nights: 2, .. })));
}

#[test]
fn the_hazard_model_learns_from_nights_whose_outcomes_are_known_when_judging_begins() {
    let bare = plan(900, None, None).unwrap();
    let plan = bare.clone().learning(104, 120);
    let learnt = |look| plan.nights.iter().filter(move |(_, l)| *l == look).map(|(night, _)| *night);
    let last = bare.judged.from.saturating_sub(120.days());
    assert!(learnt(NightScope::Features).all(|night| night <= last));
    assert!(learnt(NightScope::FeaturesAlone).all(|night| night < bare.nights[0].0));
    let all: Vec<Date> = plan.nights.iter().map(|(night, _)| *night).collect();
    assert!(all.windows(2).all(|pair| pair[0].saturating_add(7.days()) == pair[1]), "weekly, without a gap");
    let from = all[0];
    assert!(from >= last.saturating_sub((103 * 7).days()) && from < last.saturating_sub((102 * 7).days()), "{from}");
    // What is told of the rules stays as it is.
    let watched = |plan: &Plan| -> Vec<Date> {
        plan.nights.iter().filter(|(_, look)| *look == NightScope::Alerts).map(|(night, _)| *night).collect()
    };
    assert_eq!((watched(&plan), plan.judged, plan.choosing), (watched(&bare), bare.judged, bare.choosing));
}

fn night(on: i64, dpd: i64, owed: i64, is_in_default: bool) -> LoanNight {
    LoanNight { on: day(on), dpd, outstanding_minor: owed, is_in_default, is_over: false }
}

fn story(disbursed: i64, nights: Vec<LoanNight>) -> LoanStory {
    LoanStory { loan_id: "l".to_owned(), disbursed_on: day(disbursed), principal_minor: 1_000, nights }
}

#[test]
fn the_first_missed_payment_is_the_earliest_of_the_spell_that_ended_in_default() {
    let nights = vec![
        night(7, 0, 900, false),
        night(14, 3, 900, false), // made good
        night(21, 0, 800, false),
        night(28, 4, 800, false), // due on 24
        night(35, 2, 700, false), // that one was paid, the next not: the spell goes on
        night(70, 37, 700, false),
        night(126, 93, 700, true),
    ];
    let default = story(0, nights.clone()).default(day(200)).unwrap();
    assert_eq!((default.first_missed_on, default.default_on, default.money_minor), (day(24), day(126), 800));
    assert_eq!(story(0, nights).default(day(125)), None, "not known yet");
    assert_eq!(story(0, vec![night(7, 95, 900, true)]).default(day(200)), None, "it was in default from the first");
    let young = story(5, vec![night(14, 6, 900, false), night(42, 34, 900, true)]);
    assert_eq!(young.default(day(200)).unwrap().money_minor, 1_000, "no night lies before");
}

/// What judging should find, day by day from its definitions.
#[derive(Debug, PartialEq, Default)]
struct Found {
    money: i64,
    flagged_money: i64,
    flags: u64,
    right: u64,
    owed: i64,
    foreseen: i64,
    nights: [u64; 2],
}

fn twin(panel: &Panel, period: Period, performance: i64) -> Found {
    let mut found = Found::default();
    for series in panel.merchants.values() {
        let is_flagged = |on: Date| on <= period.to && series.standing.get(&on).is_some_and(|s| !s.is_empty());
        let stories: Vec<_> =
            series.loans.values().filter_map(|l| l.default(period.known_by).map(|d| (l, d))).collect();
        let foresees = |on: Date, d: &super::fate::LoanDefault| {
            is_flagged(on) && on < d.first_missed_on && on.saturating_add(performance.days()) >= d.default_on
        };
        for (loan, default) in &stories {
            let act_by = default.first_missed_on.saturating_sub(LEAD_DAYS.days());
            if act_by < period.from || act_by > period.to {
                continue;
            }
            found.money += default.money_minor;
            // On the night at or before act_by (one in seven days is a night), or any since the loan was paid out.
            let last_night = |on: Date| on > act_by.saturating_sub(7.days());
            let early = (LEAD_DAYS..=performance).map(|lead| default.first_missed_on.saturating_sub(lead.days()));
            if early.into_iter().any(|on| foresees(on, default) && (on >= loan.disbursed_on || last_night(on))) {
                found.flagged_money += default.money_minor;
            }
        }
        let is_late = |on: Date| {
            series.loans.values().any(|l| l.on(on).is_some_and(|n| n.is_in_default))
                || stories.iter().any(|(_, d)| d.first_missed_on <= on && on <= d.default_on)
        };
        let days: Vec<Date> = std::iter::successors(Some(period.from), |day| Some(day.saturating_add(1.days())))
            .take_while(|d| *d <= period.to)
            .collect();
        let mut flags: Vec<Vec<Date>> = Vec::new();
        for on in days.into_iter().filter(|on| is_flagged(*on)) {
            let last = flags.last().and_then(|flag| flag.last());
            if last.is_some_and(|last| last.saturating_add(JOIN_DAYS.days()) >= on) {
                flags.last_mut().unwrap().push(on);
            } else {
                flags.push(vec![on]);
            }
        }
        for flag in flags.iter().filter(|flag| !is_late(flag[0])) {
            let caught: i64 = stories
                .iter()
                .filter(|(_, d)| flag.iter().any(|on| foresees(*on, d)))
                .map(|(_, d)| d.money_minor)
                .sum();
            let owed = |on: &Date| -> i64 {
                series
                    .loans
                    .values()
                    .filter_map(|l| l.on(*on))
                    .filter(|n| !n.is_over)
                    .map(|n| n.outstanding_minor)
                    .sum()
            };
            let most = flag.iter().map(owed).max().unwrap();
            found.flags += 1;
            found.right += u64::from(caught > 0);
            found.owed += most;
            found.foreseen += caught.min(most);
            for on in flag.iter().filter(|on| !is_late(**on)) {
                found.nights[0] += 1;
                found.nights[1] += u64::from(stories.iter().any(|(_, d)| foresees(*on, d)));
            }
        }
    }
    found
}

fn rule(code: &str) -> PanelRule {
    PanelRule {
        code: code.to_owned(),
        is_lower_worse: false,
        threshold: Some(1.0),
        unjudged: 0,
        asked: 0,
        is_graded: false,
    }
}

prop_compose! {
    /// A loan that is paid until a day, and from then on no more.
    fn any_loan()(disbursed in 0_i64..250, runs in 0_i64..200, stops in any::<bool>(), owed in 1_i64..1_000) -> LoanStory {
        let missed = disbursed + runs;
        let nights = (0..70).map(|n| 7 * n).filter(|on| *on > disbursed).map(|on| {
            let dpd = if stops { (on - missed).max(0) } else { 0 };
            night(on, dpd, owed, dpd >= 30)
        });
        story(disbursed, nights.collect())
    }
}

prop_compose! {
    fn any_series()(
        loans in prop::collection::vec(any_loan(), 0..3),
        flags in prop::collection::btree_map(0_i64..60, prop::collection::btree_set(0_usize..2, 1..3), 0..25),
    ) -> MerchantSeries {
        let standing = |rules: BTreeSet<usize>| rules.into_iter().map(|rule| Standing { rule, beyond: 0.5, is_new: true }).collect();
        MerchantSeries {
            standing: flags.into_iter().map(|(n, rules)| (day(7 * n), standing(rules))).collect(),
            loans: loans.into_iter().enumerate().map(|(n, l)| (n.to_string(), l)).collect(),
            unknown_loans: 0,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn figures_are_what_their_definitions_say(merchants in prop::collection::vec(any_series(), 1..6)) {
        let panel = Panel {
            rules: vec![rule("a"), rule("b")],
            merchants: merchants.into_iter().enumerate().map(|(n, s)| (n.to_string(), s)).collect(),
            nights: (0..60).map(|n| day(7 * n)).collect(),
            ..Panel::default()
        };
        let period = Period { from: day(70), to: day(280), known_by: day(480) };
        let found = judge(&panel, period, 7, 180, |_| true);
        let expected = twin(&panel, period, 180);
        let seen = Found {
            money: found.defaulted_minor,
            flagged_money: found.flagged_minor,
            flags: found.flags,
            right: found.right_flags,
            owed: found.owed_under_flags_minor,
            foreseen: found.foreseen_minor,
            nights: expected.nights,
        };
        prop_assert_eq!(&seen, &expected);
        let [nights, foreseeing] = expected.nights;
        prop_assert_eq!(found.night_precision_share, (nights > 0).then(|| foreseeing as f64 / nights as f64));
        prop_assert!(found.flagged_money_share.is_none_or(|s| (0.0..=1.0).contains(&s)));
        // A rule alone never flags more money than all together.
        let alone = judge(&panel, period, 7, 180, |standing| standing.rule == 0);
        prop_assert!(alone.flagged_minor <= found.flagged_minor);
        let none = judge(&panel, period, 7, 180, |_| false);
        prop_assert_eq!((none.flagged_minor, none.flags, none.precision_share), (0, 0, None));
    }

    #[test]
    fn what_is_chosen_finds_the_money_with_fewer_flags_than_any_rule_alone(merchants in prop::collection::vec(any_series(), 1..8)) {
        let panel = Panel {
            rules: vec![rule("a"), rule("b")],
            merchants: merchants.into_iter().enumerate().map(|(n, s)| (n.to_string(), s)).collect(),
            ..Panel::default()
        };
        let period = Period { from: day(0), to: day(280), known_by: day(480) };
        let by = |counts: &dyn Fn(&Standing) -> bool| judge(&panel, period, 7, 180, counts);
        let chosen = super::choose::choose(&panel, period, 7, 180);
        let found = by(&|s| super::choose::is_chosen(&chosen, s));
        prop_assert_eq!(chosen.is_empty(), by(&|_| true).flagged_minor == 0, "whatever can be found is looked for");
        let share = |f: &Figures| f.flagged_money_share.unwrap_or(0.0).min(super::choose::LEAST_MONEY_SHARE);
        for counts in [&(|s: &Standing| s.rule == 0) as &dyn Fn(&Standing) -> bool, &|s| s.rule == 1, &|_| true] {
            let other = by(counts);
            prop_assert!(share(&found) >= share(&other) && (share(&found) > share(&other) || found.flags <= other.flags || other.flagged_minor == 0));
        }
    }
}

#[test]
fn a_flag_that_stands_for_months_is_right_by_the_default_that_it_saw_coming_and_counts_once() {
    let nights = (0..60).map(|n| 7 * n).map(|on| {
        let dpd = (on - 300).max(0);
        night(on, dpd, 1_000, dpd >= 30)
    });
    let standing = |from: i64, to: i64| -> std::collections::BTreeMap<Date, Vec<Standing>> {
        let flagged = (0..60).map(|n| 7 * n).filter(|on| (from..=to).contains(on));
        flagged.map(|on| (day(on), vec![Standing { rule: 0, beyond: 0.0, is_new: on == from }])).collect()
    };
    let of = |from, to| {
        let series = MerchantSeries {
            standing: standing(from, to),
            loans: [("l".to_owned(), story(0, nights.clone().collect()))].into(),
            unknown_loans: 0,
        };
        let panel = Panel { rules: vec![rule("a")], merchants: [("m".to_owned(), series)].into(), ..Panel::default() };
        judge(&panel, Period { from: day(0), to: day(294), known_by: day(480) }, 7, 180, |_| true)
    };
    let long = of(0, 294);
    assert_eq!((long.flags, long.right_flags, long.flagged_minor), (1, 1, 1_000));
    assert!(long.night_precision_share.unwrap() < 0.6, "the months before are no foresight: {long:?}");
    // Over long before: a default more than the performance window later was not foreseen, by neither share.
    let early = of(0, 140);
    assert_eq!((early.flags, early.right_flags, early.flagged_minor), (1, 0, 0));
    let short = of(280, 294);
    assert_eq!((short.flags, short.right_flags, short.flagged_minor), (1, 1, 1_000), "twenty days before");
    let too_late = of(287, 294);
    assert_eq!((too_late.right_flags, too_late.flagged_minor, too_late.median_lead_days), (1, 0, Some(13)));
}

/// The store of a small simulated market, washed as of a day.
fn replayed(data: &Path, washed_as_of: Date, plan: &Plan) -> Replayed {
    let mut job = Job::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/demo/job.toml")).unwrap();
    job.intake.source.data = data.to_owned();
    let rules = JobRules::open(&job).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ingested = ingest_job(&job, washed_as_of, folder.path(), None, &Silent).unwrap();
    replay::replay(&ingested.store, &ingested.as_of, &rules, plan, &Silent).unwrap()
}

/// No look-ahead: what stood on a night is the same, whether or not the data go on for months after it.
#[test]
fn the_future_changes_no_alert() {
    let data = tempfile::tempdir().unwrap();
    let settings = SimulationSettings::new(60, 24, 5, Currency::new("CNY").unwrap());
    simulate(&settings, data.path(), &|_, _| {}).unwrap();
    let nights = [date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)].map(|night| (night, NightScope::Alerts));
    let plan = |nights: &[(Date, NightScope)]| Plan {
        nights: nights.to_vec(),
        choosing: None,
        judged: Period { from: nights[0].0, to: nights[nights.len() - 1].0, known_by: date(2025, 7, 1) },
        every_days: 30,
        performance_days: 90,
    };
    let Replayed { panel: whole, hazard } = replayed(data.path(), date(2025, 7, 1), &plan(&nights));
    let at_risk = hazard.unwrap().take().unwrap();
    assert!(at_risk.iter().all(|(_, rows)| rows.len() > 5), "{at_risk:?}");
    let stood: usize = whole.merchants.values().map(|series| series.standing.len()).sum();
    assert!(stood > 20, "{stood} prove little");
    for until in 1..=nights.len() {
        let (last, _) = nights[until - 1];
        let Replayed { panel: blind, hazard } = replayed(data.path(), last, &plan(&nights[..until]));
        assert_eq!(format!("{:?}", hazard.unwrap().take().unwrap()), format!("{:?}", &at_risk[..until]), "{last}");
        for (merchant, series) in &whole.merchants {
            let seen: Vec<_> = series.standing.range(..=last).collect();
            let then = blind.merchants.get(merchant).map(|s| s.standing.iter().collect::<Vec<_>>()).unwrap_or_default();
            assert_eq!(then, seen, "{merchant} on {last}");
        }
    }
}

#[test]
fn the_page_draws_what_is_found_what_each_rule_adds_and_how_early() {
    let nights = (0..60).map(|n| 7 * n).map(|on| night(on, (on - 300).max(0), 1_000, on >= 330));
    // Rule a sees it coming 48 days before, rule b 13: too late to act on.
    let standing = |on: i64, rule| (day(on), vec![Standing { rule, beyond: 0.5, is_new: true }]);
    let series = |standing: Vec<(Date, Vec<Standing>)>| MerchantSeries {
        standing: standing.into_iter().collect(),
        loans: [("l".to_owned(), story(0, nights.clone().collect()))].into(),
        unknown_loans: 0,
    };
    let merchants = [series(vec![standing(252, 0)]), series(vec![standing(287, 1)]), series(vec![])];
    let panel = Panel {
        rules: vec![rule("<a>"), rule("b")],
        merchants: merchants.into_iter().enumerate().map(|(n, s)| (n.to_string(), s)).collect(),
        nights: (0..60).map(|n| day(7 * n)).collect(),
        ..Panel::default()
    };
    let judged = Period { from: day(0), to: day(294), known_by: day(480) };
    let plan = Plan { nights: Vec::new(), choosing: None, judged, every_days: 7, performance_days: 180 };
    let found = report::report("job", &plan, &panel, None);
    let spans: Vec<(i64, i64, u64)> = found.lead_times.iter().map(|s| (s.from_days, s.to_days, s.loans)).collect();
    assert_eq!(spans, [(0, 13, 1), (14, 27, 0), (28, 41, 0), (42, 55, 1)]);
    let page = found.page().unwrap();
    assert_eq!(page.matches("<svg").count(), 2);
    assert!(page.contains("&#60;a&#62;") && page.contains("33.3 %") && page.contains("42 to 55 days"), "{page}");
    assert!(page.contains("not before it") && page.contains("no hazard model") && !page.contains("<script"), "{page}");
}
