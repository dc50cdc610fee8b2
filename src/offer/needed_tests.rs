use std::collections::BTreeMap;

use jiff::civil::date;
use jiff::tz::TimeZone;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::super::limit::caps_of;
use super::super::property_tests::{Shop, policy};
use super::super::{Decline, Limit, Offer, ProductDecision, decide_one, judge, least_of, single_changes};
use super::*;
use crate::domain::AsOf;
use crate::model::binning::{Bin, BinKind, BinRole, Bins, Trend};
use crate::model::calibration::CalibrationMap;
use crate::model::{ScoreScale, Scorecard, fixture};

/// Scores of 0 to 100; the probability of default falls from 30 % to nothing, and only the two safer bands are served.
fn scale() -> ScoreScale {
    let pd = (0..=100).map(|score| Probability::new(0.3 * f64::from(100 - score) / 100.0).unwrap());
    ScoreScale::made(0, pd.collect(), &[("C", 0), ("B", 30), ("A", 70)])
}

/// Changes to a case, and to its caps where a cap is what is needed.
#[derive(Debug, Clone, Default)]
struct Changes {
    features: BTreeMap<String, f64>,
    score: Option<i32>,
    caps: BTreeMap<String, i64>,
    /// Declared sales are held against those observed: what is needed of their ratio.
    ratio: Option<f64>,
}

impl Changes {
    fn of(needed: &[Verdict]) -> Self {
        let mut changes = Self::default();
        for verdict in needed {
            changes.set(verdict, verdict.threshold.expect("all of these have a value"));
        }
        changes
    }

    #[expect(clippy::cast_possible_truncation, reason = "whole numbers of a test")]
    fn set(&mut self, verdict: &Verdict, value: f64) {
        match verdict.rule.as_str() {
            SCORE => self.score = Some(value as i32),
            "dispute_share" => drop(self.features.insert(verdict.rule.clone(), value)),
            rule if rule.starts_with("declared-sales") => self.ratio = Some(value),
            _ => drop(self.caps.insert(verdict.rule.clone(), value as i64)),
        }
    }

    /// Whether the product would be offered, recomputed from the changed case: rules, caps, price.
    fn is_offered(&self, shop: &Shop, score: i32, product: &Product) -> bool {
        self.limit(shop, score, product).is_some()
    }

    fn limit(&self, shop: &Shop, score: i32, product: &Product) -> Option<i64> {
        let scale = scale();
        let score = self.score.unwrap_or(score);
        let band = scale.bands().iter().find(|band| (band.low..=band.high).contains(&score)).unwrap();
        let at = (score, band.band.as_str(), scale.probability(score));
        shop.with_case(at, Some(&scale), |case| {
            let features: BTreeMap<String, Option<f64>> = ["dispute_share", "gmv_year", "gmv_low"]
                .iter()
                .map(|name| {
                    ((*name).to_owned(), self.features.get(*name).copied().or_else(|| case.features.value(name)))
                })
                .collect();
            let case = MerchantCase { features: &features, ..case.clone() };
            let passes = |verdict: Verdict| {
                let is_ratio = verdict.rule.starts_with("declared-sales");
                verdict.passed || (is_ratio && self.ratio.is_some_and(|ratio| ratio <= verdict.threshold.unwrap()))
            };
            if !judge(policy(), product, &case).unwrap().into_iter().all(passes) {
                return None;
            }
            let mut caps = caps_of(policy(), product, &case, case.account).unwrap();
            for cap in &mut caps {
                cap.value_minor = self.caps.get(&cap.name.to_string()).copied().or(cap.value_minor);
            }
            let Limit::Known { limit_minor, .. } = least_of(&caps, policy().limit_step_minor) else { return None };
            let Price::Rate(rate, _) = price(policy(), product, case.foreseen, case.band, case.pd).unwrap() else {
                return None;
            };
            let cost = CostOfLoan::of(product, limit_minor.max(1), rate, None).unwrap();
            let is_lawful = cost.apr <= policy().price.max_apr_prob;
            (limit_minor >= product.min_limit_minor && is_lawful).then_some(limit_minor)
        })
    }
}

/// The next value on the way back to what was observed.
fn short_of(verdict: &Verdict) -> f64 {
    let (needed, observed) = (verdict.threshold.unwrap(), verdict.observed.unwrap());
    match verdict.rule.as_str() {
        "dispute_share" => needed.next_up(),
        rule if rule.starts_with("declared-sales") => needed.next_up(),
        _ => {
            assert!(observed < needed, "{verdict:?}");
            needed - 1.0
        }
    }
}

fn check_decline(decline: &Decline, shop: &Shop, score: i32, product: &Product) {
    let needed = &decline.needed;
    assert!(!needed.is_empty(), "{decline:?}");
    let enough = Changes::of(needed);
    assert!(enough.is_offered(shop, score, product), "{needed:?} are not enough for {shop:?}");
    for verdict in needed {
        let mut less = enough.clone();
        less.set(verdict, short_of(verdict));
        assert!(!less.is_offered(shop, score, product), "less of {verdict:?} is enough: {needed:?} of {shop:?}");
    }
}

fn check_offer(offer: &Offer, shop: &Shop, score: i32, product: &Product) {
    let step = policy().limit_step_minor;
    let raised = Changes::of(&offer.needed);
    assert_eq!(raised.limit(shop, score, product), Some(offer.limit_minor + step), "{offer:?}");
    for verdict in &offer.needed {
        let mut less = raised.clone();
        less.set(verdict, short_of(verdict));
        assert_eq!(less.limit(shop, score, product), Some(offer.limit_minor), "{verdict:?} {offer:?}");
    }
    let mut lifted = raised;
    lifted.caps.values_mut().for_each(|value| *value = i64::MAX);
    match offer.next_limit_minor {
        Some(next) => assert_eq!(lifted.limit(shop, score, product), Some(next), "{offer:?}"),
        None => assert_eq!(offer.needed.len(), offer.caps.len()),
    }
    assert_eq!(offer.next_cap.is_some(), offer.next_limit_minor.is_some());
    assert!(offer.needed.iter().any(|needed| needed.rule == offer.binding_cap.to_string()));
}

#[test]
fn what_is_needed_is_enough_and_nothing_less_is() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let as_of = AsOf::new(date(2018, 8, 1), TimeZone::UTC).unwrap();
    let scale = scale();
    let (mut offers, mut declines, mut by_rule) = (0, 0, BTreeMap::<String, u64>::new());
    for _ in 0..3_000 {
        let shop = Shop::random(&mut rng);
        let score = rng.random_range(0..=100);
        let band = scale.bands().iter().find(|band| (band.low..=band.high).contains(&score)).unwrap();
        let at = (score, band.band.as_str(), scale.probability(score));
        for product in &policy().products {
            let decided = shop.with_case(at, Some(&scale), |case| {
                decide_one(policy(), case, &product.name, &as_of).unwrap().unwrap()
            });
            match decided {
                ProductDecision::Offer(offer, _) => {
                    offers += 1;
                    check_offer(&offer, &shop, score, product);
                }
                ProductDecision::Decline(decline) => {
                    declines += 1;
                    check_decline(&decline, &shop, score, product);
                    for verdict in &decline.needed {
                        *by_rule.entry(verdict.rule.clone()).or_default() += 1;
                    }
                    assert!((1..=4).contains(&decline.reasons.len()) || decline.failed.is_empty());
                }
            }
        }
    }
    assert!(offers > 1_000 && declines > 1_000, "{offers} {declines}");
    for rule in ["dispute_share", SCORE, "declared-sales against gmv_year", "integrity-capital", "order-receivables"] {
        assert!(by_rule.get(rule).is_some_and(|count| *count > 20), "{rule}: {by_rule:?}");
    }
}

#[test]
fn where_no_score_is_enough_or_the_scale_is_not_known_no_number_says_what_is_needed() {
    let shop = Shop::random(&mut ChaCha8Rng::seed_from_u64(1));
    let as_of = AsOf::new(date(2018, 8, 1), TimeZone::UTC).unwrap();
    let hopeless = ScoreScale::made(0, vec![Probability::ONE; 101], &[("C", 0), ("B", 30), ("A", 70)]);
    for scale in [None, Some(&hopeless)] {
        let decided = shop.with_case((10, "C", Probability::ONE), scale, |case| {
            decide_one(policy(), case, "credit-loan", &as_of).unwrap().unwrap()
        });
        let ProductDecision::Decline(decline) = decided else { panic!("band C is not served") };
        let score = decline.needed.iter().find(|needed| needed.rule == SCORE).unwrap();
        assert_eq!((score.observed, score.threshold), (Some(10.0), None));
    }
}

/// A scorecard of numbers alone, with random points.
fn random_card(rng: &mut ChaCha8Rng) -> Scorecard {
    let mut card = fixture::card(CalibrationMap::Identity);
    card.tables.clear();
    let template = card.variables[0].clone();
    card.variables = (0..5)
        .map(|at| {
            let mut variable = template.clone();
            let bin = |label: &str, role| Bin { label: label.to_owned(), role, rows: 1.0, bad: 0.5, woe: 0.0 };
            let regular = ["a", "b", "c", "d"].map(|label| bin(label, BinRole::Regular));
            variable.bins = Bins {
                name: format!("v{at}"),
                kind: BinKind::Number { edges: vec![10.0, 20.0, 30.5] },
                specials: Vec::new(),
                missing: 4,
                trend: Trend::Ascending,
                iv: 0.1,
                bins: regular.into_iter().chain([bin("missing", BinRole::Missing)]).collect(),
            };
            variable.points = (0..5).map(|_| rng.random_range(-40..40)).collect();
            variable
        })
        .collect();
    card
}

#[test]
fn each_feature_that_is_given_reaches_the_score_by_itself_and_a_smaller_change_of_it_does_not() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let bin = |value: Option<f64>| match value {
        None => 4_u8,
        Some(value) => [10.0, 20.0, 30.5].iter().filter(|edge| value > **edge).count().try_into().unwrap(),
    };
    let mut given = 0;
    for _ in 0..500 {
        let card = random_card(&mut rng);
        let values: Vec<Option<f64>> =
            (0..5).map(|_| rng.random_bool(0.8).then(|| f64::from(rng.random_range(0..45)))).collect();
        let score = |values: &[Option<f64>]| {
            let bins: Vec<u8> = values.iter().map(|value| bin(*value)).collect();
            card.base_points + card.points_of(&bins).iter().sum::<i32>()
        };
        let at_least = score(&values) + rng.random_range(1..40);
        let bins: Vec<u8> = values.iter().map(|value| bin(*value)).collect();
        let place = |name: &str| name[1..].parse::<usize>().unwrap();
        let found = single_changes(&card, &bins, at_least, |name| values[place(name)]);
        for change in &found {
            given += 1;
            let (at, observed, threshold) = (place(&change.rule), change.observed.unwrap(), change.threshold.unwrap());
            let with = |value: f64| {
                let mut changed = values.clone();
                changed[at] = Some(value);
                score(&changed)
            };
            assert!(with(threshold) >= at_least, "{change:?}");
            // Every value on the way.
            let is_up = threshold > observed;
            let short = if is_up { threshold.next_down() } else { threshold.next_up() };
            let on_the_way = (0..20).map(|part| observed + (short - observed) * f64::from(part) / 20.0);
            for value in on_the_way.chain([short]) {
                assert!(with(value) < at_least, "{value} of {change:?}");
            }
            // Nor is any value nearer in the other direction.
            let away = observed - (threshold - observed) * 0.999;
            assert!(with(away) < at_least || (away - observed).abs() > (threshold - observed).abs(), "{change:?}");
        }
        for (at, value) in values.iter().enumerate() {
            let reaches = |other: f64| {
                let mut changed = values.clone();
                changed[at] = Some(other);
                score(&changed) >= at_least
            };
            let is_given = found.iter().any(|change| place(&change.rule) == at);
            let could = value.is_some() && [5.0, 15.0, 25.0, 35.0].into_iter().any(reaches);
            assert!(is_given == could || found.len() == 4, "{at}: {found:?}");
        }
    }
    assert!(given > 300, "{given}");
}
