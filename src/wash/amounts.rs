//! What a table's amounts are of, day by day: a day in another unit (minor for major ones, another currency) shows in no count of rows.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use polars::prelude::*;

use super::activity::{QUARTER_HOUR, back, event_column, local};
use crate::contract::{LOANS, ORDERS, PAYMENTS, SUPERSEDED_AT, TableContract};

/// Of fewer rows a day's median is chance.
const FEWEST_ROWS: u64 = 10;
/// Of fewer rows it is chance, or a busy day of one shop, up to a larger factor: of 96 orders of a simulated marketplace the median was 5.7 times the usual one.
const FEW_ROWS: u64 = 300;
/// Of fewer rows before it, what is usual is not known.
const FEWEST_BEFORE: u64 = 100;
/// Fewer large rows on a day are one shop's good customer: 8 of 153 orders were, in a simulated marketplace.
const FEWEST_LARGE: u64 = 30;
/// Where they are one in so many of at least a hundred, fewer are enough.
const ONE_IN_FEW: u64 = 5;
/// Of fewer rows of a day, a few large ones are chance.
const FEWEST_FOR_A_PART: u64 = 100;
/// Days before one that say what is usual.
const DAYS_BEFORE: i32 = 56;
/// One row in so many is larger than nearly all before it where a part of the day's rows are in another unit.
const ONE_IN: u64 = 20;
/// Larger than nearly all: than all but one in so many.
const NEARLY_ALL: u64 = 1_000;

/// Rows of one table by local day and size of their amount.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amounts {
    days: BTreeMap<Date, Sizes>,
}

/// Rows by [`size`].
type Sizes = BTreeMap<u8, u64>;

/// A day whose amounts are of another order of magnitude than those before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmountJump {
    /// The day.
    pub on: Date,
    /// Its rows.
    pub rows: u64,
    /// What is out of step, with the numbers.
    pub what: JumpedAmounts,
}

/// What of a day's amounts is out of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JumpedAmounts {
    /// Their median, minor units, about, and that of the days before.
    Median {
        /// Of the day.
        of_day: u64,
        /// Of the eight weeks before.
        usual: u64,
    },
    /// So many are larger than nearly all of the days before.
    Large {
        /// How many.
        rows: u64,
        /// All but one in a thousand of the eight weeks before were at most about so large, minor units.
        most: u64,
    },
}

/// How a table's amounts are compared.
struct Compared {
    table: &'static TableContract,
    column: &'static str,
    /// So many times the usual median, or as small a part of it, is another unit and not another trade (project judgement).
    other_unit: u64,
    /// The same of few rows.
    other_unit_of_few: u64,
    /// Whether a part of a day's rows is judged by itself: what is lent and paid at the most is the policy's to change.
    by_parts: bool,
}

/// Over 589 days of a public data set (Olist) no day of orders comes near five times. What is lent and paid differs more from day to day: a few order loans on one, credit loans on another; deductions on
/// working days, and whole loans repaid on others.
const COMPARED: [Compared; 3] = [
    Compared { table: &ORDERS, column: "amount_minor", other_unit: 5, other_unit_of_few: 10, by_parts: true },
    Compared { table: &PAYMENTS, column: "amount_minor", other_unit: 30, other_unit_of_few: 50, by_parts: false },
    Compared { table: &LOANS, column: "principal_minor", other_unit: 30, other_unit_of_few: 50, by_parts: false },
];

fn compared(table: &str) -> Option<&'static Compared> {
    COMPARED.iter().find(|compared| compared.table.name == table)
}

impl Amounts {
    /// Counts the latest versions of a washed table's rows; nothing for a table without amounts that are compared.
    ///
    /// # Errors
    /// A column is missing or of another type.
    pub fn of_table(table: &TableContract, clean: &DataFrame, zone: &TimeZone) -> PolarsResult<Self> {
        let Some((Compared { column, .. }, event)) = compared(table.name).zip(event_column(table)) else {
            return Ok(Self::default());
        };
        let latest = clean.column(SUPERSEDED_AT)?.is_null();
        let (events, amounts) = (clean.column(event)?.datetime()?.physical(), clean.column(column)?.i64()?);
        let mut by_quarter: PlHashMap<(i64, u8), u64> = PlHashMap::default();
        for ((latest, event), amount) in latest.iter().zip(events.iter()).zip(amounts.iter()) {
            let (Some(true), Some(event), Some(size)) = (latest, event, amount.and_then(size)) else { continue };
            *by_quarter.entry((event.div_euclid(QUARTER_HOUR), size)).or_default() += 1;
        }
        let mut counted = Self::default();
        for ((quarter, size), rows) in by_quarter {
            let Some(local) = local(quarter, zone) else { continue };
            *counted.days.entry(local.date()).or_default().entry(size).or_default() += rows;
        }
        Ok(counted)
    }

    /// Adds the counts of other rows.
    pub(crate) fn add(&mut self, other: &Self) {
        for (day, sizes) in &other.days {
            let own = self.days.entry(*day).or_default();
            for (size, rows) in sizes {
                *own.entry(*size).or_default() += rows;
            }
        }
    }

    /// Days from one on, and before another, whose amounts are of another order of magnitude than those of the eight weeks before each.
    #[must_use]
    pub fn jumps(&self, table: &str, from: Date, until: Date) -> Vec<AmountJump> {
        let Some(compared) = compared(table) else { return Vec::new() };
        let judge = |(day, sizes): (&Date, &Sizes)| {
            let rows = sizes.values().sum();
            let mut before = Sizes::new();
            for (size, rows) in self.days.range(back(*day, DAYS_BEFORE)..*day).flat_map(|(_, sizes)| sizes) {
                *before.entry(*size).or_default() += rows;
            }
            if rows < FEWEST_ROWS || before.values().sum::<u64>() < FEWEST_BEFORE {
                return None;
            }
            let (of_day, usual) = (quantile(sizes, 2), quantile(&before, 2));
            let factor = if rows < FEW_ROWS { compared.other_unit_of_few } else { compared.other_unit };
            if of_day >= usual.saturating_mul(factor) || usual >= of_day.saturating_mul(factor) {
                let what = JumpedAmounts::Median { of_day, usual };
                return Some(AmountJump { on: *day, rows, what });
            }
            let most = quantile(&before, NEARLY_ALL);
            let large: u64 = sizes.iter().filter(|(size, _)| least(**size) > most).map(|(_, rows)| rows).sum();
            let is_large = |fewest: u64, one_in: u64| large >= fewest && large.saturating_mul(one_in) >= rows;
            let is_part = compared.by_parts
                && (is_large(FEWEST_LARGE, ONE_IN) || (rows >= FEWEST_FOR_A_PART && is_large(FEWEST_ROWS, ONE_IN_FEW)));
            let what = JumpedAmounts::Large { rows: large, most };
            is_part.then_some(AmountJump { on: *day, rows, what })
        };
        self.days.range(from..until).filter_map(judge).collect()
    }
}

/// The size of an amount: four to a doubling. `None` for none.
fn size(amount: i64) -> Option<u8> {
    let amount = u64::try_from(amount).ok().filter(|amount| *amount > 0)?;
    let doublings = amount.ilog2();
    let quarter = if doublings < 2 { 0 } else { (amount >> (doublings - 2)) & 3 };
    u8::try_from(u64::from(doublings) * 4 + quarter).ok()
}

/// The least amount of a size.
const fn least(size: u8) -> u64 {
    let (doublings, quarter) = (size / 4, size % 4);
    if doublings < 2 { 1 << doublings } else { (4 + quarter as u64) << (doublings - 2) }
}

/// The least amount of the size that all but one row in so many do not exceed.
fn quantile(sizes: &Sizes, one_in: u64) -> u64 {
    let rows: u64 = sizes.values().sum();
    let mut larger = rows;
    for (size, of_size) in sizes {
        larger -= of_size;
        if larger.saturating_mul(one_in) <= rows {
            return least(*size);
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    const TODAY: Date = date(2025, 6, 30);

    /// Eight weeks of 100 orders a day of 10.00 to 1,000.00, and today's.
    fn jumps(table: &str, today: &[i64]) -> Vec<JumpedAmounts> {
        let mut amounts = Amounts::default();
        let mut add = |day: Date, amount: i64| {
            *amounts.days.entry(day).or_default().entry(size(amount).unwrap()).or_default() += 1;
        };
        for number in 1..=56_i64 {
            (0..100).for_each(|n| add(TODAY.saturating_sub(number.days()), 1_000 + n * 990));
        }
        for amount in today {
            add(TODAY, *amount);
        }
        let until = TODAY.tomorrow().unwrap();
        amounts.jumps(table, TODAY, until).into_iter().map(|jump| jump.what).collect()
    }

    /// A usual day, of which one amount in `every` is so many times too large.
    fn times(factor: i64, every: i64) -> Vec<i64> {
        (1..=100).map(|n| (1_000 + n * 980) * if n % every == 0 { factor } else { 1 }).collect()
    }

    #[test]
    fn a_day_in_another_unit_is_found_and_a_good_day_is_not() {
        assert_eq!(jumps("orders", &times(1, 1)), []);
        assert_eq!(jumps("orders", &times(3, 1)[..40]), [], "a day of large orders");
        assert!(matches!(jumps("orders", &times(100, 1))[..], [JumpedAmounts::Median { .. }]));
        let hundredth: Vec<i64> = times(1, 1).iter().map(|amount| amount / 100).collect();
        assert!(matches!(jumps("payments", &hundredth)[..], [JumpedAmounts::Median { .. }]));
        assert!(!jumps("orders", &times(100, 1)[..10]).is_empty());
        assert_eq!(jumps("orders", &times(100, 1)[..9]), [], "too few");
        let large = vec![300_000; 30];
        assert_eq!(jumps("orders", &large[..29]), [], "few, and six times what is usual");
        assert!(!jumps("orders", &large).is_empty());
        assert_eq!(jumps("payments", &large), [], "whole loans were repaid");
    }

    #[test]
    fn a_busy_day_of_one_shop_is_no_other_unit() {
        let of = |rows: usize, amount: i64| {
            let mut amounts = Amounts::default();
            let mut add = |day: Date, amount: i64, rows: u64| {
                *amounts.days.entry(day).or_default().entry(size(amount).unwrap()).or_default() += rows;
            };
            for number in 1..=56_i64 {
                add(TODAY.saturating_sub(number.days()), 1_000, 95);
                add(TODAY.saturating_sub(number.days()), 100_000, 5);
            }
            add(TODAY, amount, rows as u64);
            amounts.jumps("orders", TODAY, TODAY.tomorrow().unwrap()).len()
        };
        assert_eq!((of(96, 6_000), of(300, 6_000), of(96, 12_000)), (0, 1, 1));
    }

    #[test]
    fn a_part_of_a_day_in_another_unit_is_found_among_orders() {
        let four_times = |every: i64| times(100, every).repeat(4);
        assert!(matches!(jumps("orders", &four_times(10))[..], [JumpedAmounts::Large { rows: 40, .. }]));
        assert_eq!(jumps("orders", &four_times(25)), [], "one in twenty-five");
        assert_eq!(jumps("orders", &times(100, 10)), [], "ten of a hundred may be one customer's");
        assert!(!jumps("orders", &times(100, 5)).is_empty(), "twenty are not");
        assert_eq!(jumps("payments", &four_times(10)), []);
    }

    proptest! {
        #[test]
        fn an_amount_is_of_the_last_size_that_it_reaches(amount in 1..=i64::MAX) {
            let size = size(amount).unwrap();
            prop_assert!(least(size) <= amount.unsigned_abs());
            // Amounts of one digit in twos have a size for each doubling only.
            let next = if amount < 4 { (size / 4 + 1) * 4 } else { size + 1 };
            prop_assert!(amount.unsigned_abs() < least(next));
        }
    }
}
