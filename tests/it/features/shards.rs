//! Shards made by hand.

use std::collections::BTreeMap;
use std::path::Path;

use integrity::authenticity::Settings;
use integrity::config::ConfigFile;
use integrity::domain::AsOf;
use integrity::features::FeatureConfig;
use integrity::features::{FeatureTable, IndustryTotals, PreparedFeatures, measure_shard, prepare};
use integrity::repayment::LedgerRules;
use integrity::store::Shard;
use integrity::tiles::{ReadColumns, TileError, ViewRules, Views, views};
use polars::prelude::*;

pub const HOUR: i64 = 3_600_000_000;
pub const DAY: i64 = 24 * HOUR;

/// As of 2018-03-01 in a zone whose clocks went back on 2018-02-18.
pub fn as_of() -> AsOf {
    AsOf::new(jiff::civil::date(2018, 3, 1), AsOf::zone("America/Sao_Paulo").unwrap()).unwrap()
}

pub fn instants(name: &str, values: Vec<Option<i64>>) -> Column {
    Series::new(name.into(), values).cast(&DataType::Datetime(TimeUnit::Microseconds, None)).unwrap().into()
}

pub fn texts(name: &str, values: Vec<Option<String>>) -> Column {
    Series::new(name.into(), values).into()
}

pub fn whole(name: &str, values: Vec<Option<i64>>) -> Column {
    Series::new(name.into(), values).into()
}

/// Merchant `m0`, `m1`, …, each with registration time and category.
pub fn merchants(rows: &[(i64, &str)]) -> DataFrame {
    let n = rows.len();
    let columns = vec![
        texts("merchant_id", (0..n).map(|m| Some(format!("m{m}"))).collect()),
        instants("registered_at", rows.iter().map(|r| Some(r.0)).collect()),
        texts("category", rows.iter().map(|r| Some(r.1.to_owned())).collect()),
        texts("region", vec![Some("r".to_owned()); n]),
        texts("verification", (0..n).map(|m| ["none", "basic", "full"].get(m % 4).map(|w| (*w).to_owned())).collect()),
        whole("deposit_minor", (0_i64..).take(n).map(|m| (m != 1).then_some(m * 1_000)).collect()),
    ];
    DataFrame::new(n, columns).unwrap()
}

/// One order.
#[derive(Debug, Clone, Default)]
pub struct Order {
    pub merchant: usize,
    pub buyer: usize,
    pub placed_at: i64,
    pub paid_at: Option<i64>,
    pub cancelled_at: Option<i64>,
    pub completed_at: Option<i64>,
    pub amount_minor: i64,
    pub refund_minor: Option<i64>,
}

/// Orders `o0`, `o1`, … in the order given.
pub fn orders(rows: &[Order]) -> DataFrame {
    let n = rows.len();
    let columns = vec![
        texts("order_id", (0..n).map(|o| Some(format!("o{o}"))).collect()),
        texts("merchant_id", rows.iter().map(|o| Some(format!("m{}", o.merchant))).collect()),
        texts("buyer_id", rows.iter().map(|o| Some(format!("b{}", o.buyer))).collect()),
        instants("placed_at", rows.iter().map(|o| Some(o.placed_at)).collect()),
        instants("paid_at", rows.iter().map(|o| o.paid_at).collect()),
        instants("cancelled_at", rows.iter().map(|o| o.cancelled_at).collect()),
        instants("completed_at", rows.iter().map(|o| o.completed_at).collect()),
        instants("refunded_at", rows.iter().map(|o| o.refund_minor.and(o.completed_at)).collect()),
        whole("amount_minor", rows.iter().map(|o| Some(o.amount_minor)).collect()),
        whole("refund_minor", rows.iter().map(|o| o.refund_minor).collect()),
        texts("currency", vec![Some("BRL".to_owned()); n]),
    ];
    DataFrame::new(n, columns).unwrap()
}

/// A shard of these tables.
pub fn shard(as_of: AsOf, tables: Vec<(&'static str, DataFrame)>) -> Shard {
    Shard {
        as_of,
        tables: tables.into_iter().collect::<BTreeMap<_, _>>(),
        earlier: BTreeMap::new(),
        broken: Vec::new(),
    }
}

pub fn config(text: &str) -> FeatureConfig {
    FeatureConfig::from_files(&[ConfigFile::from_text(Path::new("features.toml"), text)])
        .unwrap_or_else(|e| panic!("{e}"))
}

/// A shard's views under the customary rules of suspicion and repayment.
pub fn views_of(shard: &Shard) -> Result<Views, TileError> {
    views_under(shard, &Settings::default())
}

pub fn views_under(shard: &Shard, authenticity: &Settings) -> Result<Views, TileError> {
    views_with(shard, authenticity, None)
}

/// Views with no more than the columns that are read.
pub fn views_with(shard: &Shard, authenticity: &Settings, columns: Option<&ReadColumns>) -> Result<Views, TileError> {
    let products = ["order-loan", "credit-loan", "group-loan"];
    let ledger = LedgerRules {
        default_dpd: products.into_iter().map(|product| (product.to_owned(), 90)).collect(),
        ..LedgerRules::default()
    };
    views(shard, ViewRules { authenticity, ledger: &ledger, columns })
}

/// The features of one shard that is the whole market.
pub fn features_of(shard: &Shard, config: &FeatureConfig) -> FeatureTable {
    let prepared = prepared_of(shard, config);
    let totals = IndustryTotals::of_shard(&prepared);
    prepared.finish(&totals, config).unwrap()
}

/// One shard of a market, before the industry is known.
pub fn prepared_of(shard: &Shard, config: &FeatureConfig) -> PreparedFeatures {
    let views = views_under(shard, &config.authenticity).unwrap();
    prepare(&measure_shard(&views, config).unwrap(), config).unwrap()
}

/// The rows of a frame in another order.
pub fn reversed(frame: &DataFrame) -> DataFrame {
    let rows: Vec<IdxSize> = (0..IdxSize::try_from(frame.height()).unwrap()).rev().collect();
    frame.take(&IdxCa::from_vec("rows".into(), rows)).unwrap()
}
