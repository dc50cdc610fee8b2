//! What crosses merchants does not depend on how merchants are cut into shards.

use integrity::features::{FeatureConfig, FeatureTable, IndustryTotals, PreparedFeatures, measure_shard, prepare};
use integrity::store::Shard;
use integrity::tiles::ReadColumns;
use polars::prelude::*;

use super::shards::{features_of, prepared_of, views_with};
use super::world::world;

/// The rows of a market that belong to the merchants of one of `parts` shards.
fn part(market: &Shard, number: usize, parts: usize) -> Shard {
    let mut shard = market.clone();
    for frame in shard.tables.values_mut() {
        let owners = frame.column("merchant_id").unwrap().str().unwrap();
        let place = |id: &str| id.strip_prefix('m').unwrap().parse::<usize>().unwrap();
        let mine: BooleanChunked = owners.iter().map(|id| id.is_some_and(|id| place(id) % parts == number)).collect();
        *frame = frame.filter(&mine).unwrap();
    }
    shard
}

fn value(table: &FeatureTable, feature: &str, merchant: &str) -> Option<f64> {
    table.value(feature, table.position(merchant)?)
}

#[test]
fn any_cut_into_shards_gives_the_same_features() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/demo/features.toml");
    let config = FeatureConfig::open(&path).unwrap();
    let mut compared = 0;
    for seed in 0..3 {
        let market = world(seed);
        let whole = features_of(&market, &config);
        for parts in [2, 7] {
            let mut prepared: Vec<PreparedFeatures> =
                (0..parts).map(|number| prepared_of(&part(&market, number, parts), &config)).collect();
            prepared.reverse();
            let mut totals = IndustryTotals::default();
            for shard in &prepared {
                totals.merge(&IndustryTotals::of_shard(shard));
            }
            let mut seen = 0;
            for shard in prepared {
                let table = shard.finish(&totals, &config).unwrap();
                for merchant in &table.merchants {
                    for spec in &config.features {
                        let (a, b) = (value(&table, &spec.name, merchant), value(&whole, &spec.name, merchant));
                        assert_eq!(a.map(f64::to_bits), b.map(f64::to_bits), "{} of {merchant}", spec.name);
                        compared += usize::from(a.is_some() && !spec.kind.industry_reads().is_empty());
                    }
                }
                seen += table.merchants.len();
            }
            assert_eq!(seen, whole.merchants.len());
        }
    }
    assert!(compared > 100, "too few merchants were compared with their category: {compared}");
}

/// A past night of the hazard model totals everybody, and measures only borrowers.
#[test]
fn some_merchants_measured_beside_the_totals_of_all_are_as_if_all_were_measured() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/demo/features.toml");
    let config = FeatureConfig::open(&path).unwrap();
    for seed in 0..3 {
        let market = world(seed);
        let whole = prepared_of(&market, &config);
        let views = views_with(&market, &config.authenticity, Some(&config.industry_columns())).unwrap();
        let totals = IndustryTotals::of_views(&views, &config).unwrap();
        assert_eq!(totals, IndustryTotals::of_shard(&whole));
        let table = whole.finish(&totals, &config).unwrap();

        let theirs = market.of_merchants(|merchant| merchant.ends_with(['1', '4', '7'])).unwrap();
        let read = ReadColumns::of(&config.measures);
        let views = views_with(&theirs, &config.authenticity, Some(&read)).unwrap();
        let some = prepare(&measure_shard(&views, &config).unwrap(), &config).unwrap();
        let some = some.finish(&totals, &config).unwrap();
        let expected: Vec<&String> = table.merchants.iter().filter(|id| id.ends_with(['1', '4', '7'])).collect();
        assert_eq!(some.merchants.iter().collect::<Vec<_>>(), expected);
        for merchant in &some.merchants {
            for spec in &config.features {
                let (a, b) = (value(&some, &spec.name, merchant), value(&table, &spec.name, merchant));
                assert_eq!(a.map(f64::to_bits), b.map(f64::to_bits), "{} of {merchant}", spec.name);
            }
        }
    }
}
