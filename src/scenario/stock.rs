//! Stock-takings that cannot be read.

use std::collections::BTreeMap;

use jiff::civil::Date;
use polars::prelude::*;

use super::Scenario;
use super::rows::{Cell, Row};
use crate::domain::{AsOf, days_since_epoch};
use crate::store::BrokenRecord;

/// What a merchant's stock-takings range over, as far as they can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the unit stands in every name")]
pub(super) struct Stock {
    least_value_minor: i64,
    most_value_minor: i64,
    most_cost_minor: i64,
}

impl Stock {
    /// Of each merchant with a stock-taking.
    pub fn of_merchants(inventory: &DataFrame) -> PolarsResult<BTreeMap<String, Self>> {
        let merchants = inventory.column("merchant_id")?.str()?;
        let values = inventory.column("stock_value_minor")?.i64()?;
        let costs = inventory.column("cost_of_sales_minor")?.i64()?;
        let mut all: BTreeMap<String, Self> = BTreeMap::new();
        for ((merchant, value), cost) in merchants.iter().zip(values.iter()).zip(costs.iter()) {
            let (Some(merchant), Some(value), Some(cost)) = (merchant, value, cost) else { continue };
            let own = Self { least_value_minor: value, most_value_minor: value, most_cost_minor: cost };
            all.entry(merchant.to_owned())
                .and_modify(|stock| {
                    stock.least_value_minor = stock.least_value_minor.min(value);
                    stock.most_value_minor = stock.most_value_minor.max(value);
                    stock.most_cost_minor = stock.most_cost_minor.max(cost);
                })
                .or_insert(own);
        }
        Ok(all)
    }

    /// A stock-taking that cannot be read, as a scenario has it. What its value says is taken, but where nothing was sold and nothing is left.
    pub fn taking(&self, merchant: &str, record: &BrokenRecord, scenario: Scenario, as_of: &AsOf) -> Row {
        let said = record.amount_minor;
        let (value, cost) = match scenario {
            Scenario::Favourable => (said.unwrap_or(self.least_value_minor), self.most_cost_minor),
            Scenario::Adverse => (said.unwrap_or(self.most_value_minor), 0),
            Scenario::Unresolved => (0, 0),
        };
        Row::from([
            ("merchant_id", Cell::Text(merchant.to_owned())),
            ("on", Cell::Number(i64::from(taken_on(record, as_of)))),
            ("stock_value_minor", Cell::Number(value)),
            ("cost_of_sales_minor", Cell::Number(cost)),
        ])
    }
}

/// The day of a stock-taking since 1970: its own where its key says so, or that on which it became known, or the last that can be seen.
fn taken_on(record: &BrokenRecord, as_of: &AsOf) -> i32 {
    let of_key = record.key.as_deref().and_then(|key| key.rsplit_once('|')?.1.parse::<Date>().ok());
    let known_on = || record.known_at.and_then(|at| as_of.local_date(at).ok());
    let last = as_of.days_since_epoch() - 1;
    of_key.or_else(known_on).map_or(last, |day| days_since_epoch(day).min(last))
}
