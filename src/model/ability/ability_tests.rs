//! The whole of ability on markets whose law is known.

use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::domain::elementary::{exp, ln};
use crate::model::ability::season::CategoryReceipts;

const HORIZONS: [u16; 2] = [30, 180];

/// Merchants whose months are a size of their own times noise; one in twelve stops trading.
fn market(merchants: usize, seed: u64) -> Vec<ObservedReceipts> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut rows = Vec::new();
    for number in 0..merchants {
        let size = exp(8.0 + 4.0 * rng.random::<f64>());
        #[expect(clippy::cast_possible_truncation, reason = "amounts of a test")]
        let mut month = || (size * (0.5 + rng.random::<f64>())) as i64;
        let periods: Vec<i64> = (0..PERIODS).map(|_| month()).collect();
        let next: Vec<i64> = (0..6).map(|_| month()).collect();
        let stops = rng.random_bool(1.0 / 12.0);
        let after = |months: usize| if stops { 0 } else { next.iter().take(months).sum() };
        rows.push(ObservedReceipts {
            history: ReceiptHistory {
                category: ["toys", "books"][number % 2].to_owned(),
                history_days: 840,
                active_days: 60,
                last_year: vec![periods[11], periods.iter().skip(6).take(6).sum()],
                periods,
            },
            known_periods: 12,
            seasons: vec![0.0; 2],
            after_minor: vec![after(1), after(6)],
            group: [AbilityGroup::Fit, AbilityGroup::Fit, AbilityGroup::Calibrate, AbilityGroup::Judge][number % 4],
        });
    }
    rows
}

/// A market of one flat month in as many periods as are kept: no season.
fn all_is_known() -> CategoryReceipts {
    let mut receipts = CategoryReceipts::default();
    receipts.add(&ReceiptHistory { periods: vec![1_000_000; usize::from(PERIODS)], ..ReceiptHistory::default() });
    receipts
}

fn trained() -> &'static TrainedAbility {
    static TRAINED: std::sync::LazyLock<TrainedAbility> =
        std::sync::LazyLock::new(|| train_ability(&market(4_000, 3), &HORIZONS, &AbilitySettings::default()).unwrap());
    &TRAINED
}

#[test]
fn every_quantile_covers_what_it_says_and_rules_of_thumb_are_beaten() {
    let report = &trained().report;
    assert_eq!((report.fitted_rows, report.calibrated_rows, report.judged_rows), (2_000, 1_000, 1_000));
    assert_eq!(report.not_beaten(), []);
    for horizon in &report.horizons {
        for level in &horizon.levels {
            // One merchant in twelve stops: what a twentieth falls below is nothing, and nobody falls below that.
            let meant = if level.level < 1.0 / 12.0 { 0.0 } else { level.level };
            assert!((level.share_below - meant).abs() < 0.06, "{}: {level:?}", horizon.horizon_days);
        }
        for part in &horizon.parts {
            assert!((part.share_below - 0.1).abs() < 0.06, "{}: {part:?}", horizon.horizon_days);
        }
    }
}

/// The same where the data begin `known` periods before the observation.
fn seen_for(mut row: ObservedReceipts, known: u16) -> ObservedReceipts {
    row.history.periods.iter_mut().skip(usize::from(known)).for_each(|minor| *minor = 0);
    row.history.history_days = known * PERIOD_DAYS;
    row.history.last_year = vec![0, 0];
    row.known_periods = usize::from(known);
    row
}

#[test]
fn what_was_learnt_from_short_histories_holds_where_more_is_known() {
    // Snapshots that know two to six months, and a night that knows ten.
    let rows: Vec<ObservedReceipts> =
        market(4_000, 6).into_iter().zip((2..=6).cycle()).map(|(row, known)| seen_for(row, known)).collect();
    let ability = train_ability(&rows, &HORIZONS, &AbilitySettings::default()).unwrap().ability;
    assert_eq!(ability.reach_periods, 6);
    let tonight: Vec<ObservedReceipts> = market(1_000, 7).into_iter().map(|row| seen_for(row, 11)).collect();
    let mut seasons = CategoryReceipts::default();
    for row in &tonight {
        seasons.add(&row.history);
    }
    assert_eq!(seasons.known_periods(), 10);
    for (at, horizon_days) in HORIZONS.into_iter().enumerate() {
        let below = |of: &dyn Fn(&HorizonForecast) -> i64| {
            let is_below = |row: &&ObservedReceipts| {
                row.after_minor[at] < of(&ability.foresee(&row.history, &seasons).horizons[at])
            };
            tonight.iter().filter(is_below).count() as f64 / tonight.len() as f64
        };
        let (lower, median) = (below(&|ahead| ahead.lower_minor), below(&|ahead| ahead.median_minor));
        assert!((lower - 0.1).abs() < 0.06 && (median - 0.5).abs() < 0.1, "{horizon_days}: {lower} and {median}");
    }
}

#[test]
fn lower_figures_that_what_came_in_refutes_are_lowered_and_say_so() {
    let mut rows = market(4_000, 5);
    for row in rows.iter_mut().filter(|row| row.group == AbilityGroup::Judge) {
        // Trade fell by two thirds after all that was learnt from.
        row.after_minor.iter_mut().for_each(|minor| *minor /= 3);
    }
    let TrainedAbility { ability, report } = train_ability(&rows, &HORIZONS, &AbilitySettings::default()).unwrap();
    for (horizon, sound) in report.horizons.iter().zip(&trained().report.horizons) {
        let lowered = horizon.lowered.unwrap();
        assert!(lowered.share_below > 0.3 && lowered.factor < 0.6 && sound.lowered.is_none(), "{lowered:?}");
        let level = horizon.levels.iter().find(|level| (level.level - report.quantile).abs() < 1e-9).unwrap();
        assert!((level.share_below - 0.1).abs() < 0.01, "{level:?}");
    }
    let foreseen = ability.foresee(&rows[1].history, &all_is_known());
    let before = trained().ability.foresee(&rows[1].history, &all_is_known());
    for (now, before) in foreseen.horizons.iter().zip(&before.horizons) {
        assert!(now.lower_minor < before.lower_minor && now.median_minor > now.lower_minor, "{now:?} {before:?}");
    }
}

#[test]
fn more_than_one_in_ten_who_stop_leave_nothing_to_count_on() {
    let mut rows = market(2_000, 4);
    for (number, row) in rows.iter_mut().enumerate() {
        if number % 5 == 0 {
            row.after_minor = vec![0, 0];
        }
    }
    let ability = train_ability(&rows, &HORIZONS, &AbilitySettings::default()).unwrap().ability;
    let foreseen = ability.foresee(&rows[1].history, &all_is_known());
    assert_eq!(foreseen.lower_minor(180), Some(0));
    assert!(foreseen.horizons[1].median_minor > 0);
}

#[test]
fn a_term_rests_on_the_longest_horizon_within_it() {
    let ahead =
        |horizon_days, lower_minor| HorizonForecast { horizon_days, lower_minor, median_minor: 0, upper_minor: 0 };
    let foreseen = ReceiptForecast { horizons: vec![ahead(30, 5), ahead(180, 40)] };
    let at = |days| foreseen.lower_minor(days);
    assert_eq!([at(29), at(30), at(179), at(180), at(900)], [None, Some(5), Some(5), Some(40), Some(40)]);
    assert_eq!(ReceiptForecast::default().lower_minor(180), None);
}

#[test]
fn a_model_that_does_not_say_how_far_it_looks_back_is_refused() {
    let path = std::path::Path::new("ability.json");
    let sound = serde_json::to_value(&trained().ability).unwrap();
    let read = |value| serde_json::from_value::<AbilityModel>(value).unwrap().check(path);
    assert!(read(sound.clone()).is_ok());
    let mut earlier = sound;
    earlier["format"] = 2.into();
    assert!(earlier.as_object_mut().unwrap().remove("reach_periods").is_some());
    assert!(read(earlier).unwrap_err().to_string().contains("layout 2"));
}

#[test]
fn too_few_rows_and_odd_settings_are_refused() {
    let rows = market(60, 1);
    assert!(train_ability(&rows, &HORIZONS, &AbilitySettings::default()).is_err());
    let rows = market(400, 1);
    assert!(train_ability(&rows, &[], &AbilitySettings::default()).is_err());
    let settings = AbilitySettings { quantile: 0.13, ..AbilitySettings::default() };
    assert!(train_ability(&rows, &HORIZONS, &settings).is_err());
}

fn lower(history: &ReceiptHistory) -> Vec<i64> {
    let foreseen = trained().ability.foresee(history, &all_is_known());
    foreseen.horizons.iter().map(|h| h.lower_minor).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Orders may be divided between two ids in any way.
    #[test]
    fn a_divided_trade_is_never_worth_more(
        parts in prop::collection::vec((0_i64..2_000_000, 0_i64..2_000_000), usize::from(PERIODS)),
        few in prop::collection::vec(prop::bool::weighted(0.7), usize::from(PERIODS)),
        active in (0_u16..=90, 0_u16..=90),
    ) {
        let of = |part: &dyn Fn(&(i64, i64)) -> i64, active_days: u16| {
            let periods: Vec<i64> = parts.iter().zip(&few).map(|(p, trades)| if *trades { part(p) } else { 0 }).collect();
            let last_year = vec![periods[11], periods.iter().skip(6).take(6).sum()];
            ReceiptHistory { category: "toys".to_owned(), history_days: 840, active_days, last_year, periods }
        };
        let (one, other) = (of(&|p| p.0, active.0), of(&|p| p.1, active.1));
        // A day on which either sold is a day on which the whole did.
        let whole = of(&|p| p.0 + p.1, active.0.max(active.1));
        for ((a, b), all) in lower(&one).into_iter().zip(lower(&other)).zip(lower(&whole)) {
            prop_assert!(a + b <= all + 1 + all / 1_000_000_000, "{a} + {b} > {all}");
        }
    }

    #[test]
    fn less_in_any_period_never_gives_more(
        periods in prop::collection::vec(0_i64..2_000_000, usize::from(PERIODS)),
        which in 0_usize..12,
        active in 1_u16..=90,
    ) {
        let with = |periods: Vec<i64>, active_days| {
            let last_year = vec![periods[11], periods.iter().skip(6).take(6).sum()];
            ReceiptHistory { category: "books".to_owned(), history_days: 840, active_days, last_year, periods }
        };
        let mut less = periods.clone();
        less[which] /= 2;
        let (before, after) = (lower(&with(periods.clone(), active)), lower(&with(less, active)));
        prop_assert!(after.iter().zip(&before).all(|(a, b)| a <= b), "{after:?} of {before:?}");
        let idle = lower(&with(periods, active - 1));
        prop_assert!(idle.iter().zip(&before).all(|(a, b)| a <= b));
    }
}

#[test]
fn the_fitted_exponents_make_a_figure_grow_with_the_trade() {
    for horizon in &trained().ability.horizons {
        for level in horizon.levels.iter().filter(|level| level.level < 0.5) {
            assert!(level.coefficients[1] >= 0.0 && level.coefficients[2..].iter().all(|c| *c >= 0.0), "{level:?}");
        }
    }
    // What is foreseen of twice the trade is at least twice as much.
    let history = market(4, 9)[1].history.clone();
    let mut twice = history.clone();
    twice.periods.iter_mut().chain(&mut twice.last_year).for_each(|p| *p *= 2);
    for (one, two) in lower(&history).into_iter().zip(lower(&twice)) {
        assert!(one > 0 && ln(two as f64 / one as f64) >= ln(2.0) - 1e-3, "{one} and {two}");
    }
}
