//! Printed formulas say all there is to say: each is read back and recomputed from its words alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use integrity::config::ConfigFile;
use integrity::features::{FeatureConfig, FeatureSpec};
use integrity::store::Shard;

use super::naive_formula::Market;
use super::shards::features_of;
use super::world::{MERCHANTS, world};

fn file(job: &str) -> ConfigFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(job).join("features.toml");
    ConfigFile::from_text(&path, &std::fs::read_to_string(&path).unwrap())
}

fn formula(config: &FeatureConfig, spec: &FeatureSpec) -> String {
    spec.formula(&|id| config.measures[id].name.clone())
}

/// Compares every feature of every merchant; returns how many values of each feature were known.
fn recompute(shard: &Shard, config: &FeatureConfig, known: &mut BTreeMap<String, usize>) {
    let market = Market::of(shard, config);
    let table = features_of(shard, config);
    for (spec, column) in config.features.iter().zip(&table.columns) {
        let formula = formula(config, spec);
        for (merchant, value) in column.values.iter().enumerate() {
            let place = table.merchants[merchant].strip_prefix('m').unwrap().parse().unwrap();
            let naive = market.value(&formula, place);
            let agree = match (value, naive) {
                (None, None) => true,
                // A sum of powers may round to the other side of a half.
                (Some(a), Some(b)) if formula.contains("rounded to a whole number") => (a - b).abs() <= 1.0,
                (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
                _ => false,
            };
            assert!(agree, "{} of m{place} is {value:?}, its formula says {naive:?}: {formula}", spec.name);
            *known.entry(spec.name.clone()).or_default() += usize::from(value.is_some());
        }
    }
}

#[test]
fn every_printed_formula_recomputes_its_feature() {
    for job in ["demo", "olist"] {
        let config = FeatureConfig::from_files(&[file(job)]).unwrap();
        let mut known = BTreeMap::new();
        let worlds = 6;
        for seed in 0..worlds {
            recompute(&world(seed), &config, &mut known);
        }
        let never: Vec<&String> = known.iter().filter(|(_, n)| **n == 0).map(|(name, _)| name).collect();
        assert!(never.is_empty(), "{job}: no world has a value of {never:?}");
        let thin = known.values().filter(|n| **n < MERCHANTS * usize::try_from(worlds).unwrap()).count();
        assert!(thin * 2 > known.len(), "{job}: worlds must hold merchants with too little evidence");
    }
}

/// Keys of a feature that do not decide its value.
const SAYS_NOTHING: [&str; 10] =
    ["name", "kind", "group", "direction", "unit", "says", "why", "source", "column", "rules_only"];

/// The feature with one parameter changed; `None` where it has no other value to take.
fn changed(key: &str, value: &toml::Value, measures: &BTreeSet<String>) -> Option<toml::Value> {
    Some(match value {
        toml::Value::Integer(n) => toml::Value::Integer(n + 1),
        toml::Value::Float(x) => toml::Value::Float(x * 0.75),
        toml::Value::Boolean(flag) => toml::Value::Boolean(!flag),
        toml::Value::Table(words) => {
            let word =
                |(word, n): (&String, &toml::Value)| (word.clone(), toml::Value::Integer(n.as_integer().unwrap() + 1));
            toml::Value::Table(words.iter().map(word).collect())
        }
        toml::Value::String(word) if key == "statistic" => {
            toml::Value::String(if word == "top" { "hhi" } else { "top" }.to_owned())
        }
        toml::Value::String(measure) => toml::Value::String(measures.iter().find(|other| *other != measure)?.clone()),
        _ => return None,
    })
}

/// The feature under a name that fits whatever was changed: names say unit and window.
fn renamed(mut feature: toml::Table, number: usize) -> toml::Table {
    let get = |key: &str| feature.get(key).and_then(toml::Value::as_integer);
    let days = get("window_days").or_else(|| Some(get("period_days")? * get("periods")?)).unwrap_or(0);
    let name = format!("f{number}_{days}d_{}", feature["unit"].as_str().unwrap());
    feature.insert("name".to_owned(), name.into());
    feature
}

/// Every feature of a job, and each of them once more for every parameter with that one changed; and what was changed, by place.
fn variants(job: &str) -> (FeatureConfig, Vec<(String, usize, usize)>) {
    let mut all: toml::Table = toml::from_str(file(job).text()).unwrap();
    let whole = FeatureConfig::from_files(&[file(job)]).unwrap();
    let on_orders = whole.measures.iter().filter(|m| m.view.name == "orders").map(|m| m.name.clone()).collect();
    let (mut features, mut changes) = (Vec::new(), Vec::new());
    for feature in all["feature"].as_array().unwrap() {
        let feature = feature.as_table().unwrap();
        let before = features.len();
        features.push(renamed(feature.clone(), before));
        for (key, value) in feature.iter().filter(|(key, _)| !SAYS_NOTHING.contains(&key.as_str())) {
            let Some(mut value) = changed(key, value, &on_orders) else { continue };
            if key == "min_history_days" {
                // One that the windows need anyway is not a condition of its own.
                value = toml::Value::Integer(3_000);
            }
            let mut other = feature.clone();
            other.insert(key.clone(), value.clone());
            changes.push((format!("{job}, {}: {key} = {value}", feature["name"]), before, features.len()));
            features.push(renamed(other, features.len()));
        }
    }
    all.insert("feature".to_owned(), features.into());
    let text = toml::to_string(&all).unwrap();
    let config = FeatureConfig::from_files(&[ConfigFile::from_text(Path::new("features.toml"), &text)]);
    (config.unwrap_or_else(|e| panic!("{e}")), changes)
}

#[test]
fn every_parameter_stands_in_the_formula() {
    for job in ["demo", "olist"] {
        let (config, changes) = variants(job);
        let formulas: Vec<String> = config.features.iter().map(|spec| formula(&config, spec)).collect();
        assert!(changes.len() > 100, "{job}: {}", changes.len());
        for (change, before, after) in changes {
            assert_ne!(formulas[before], formulas[after], "{change} does not show");
        }
    }
}
