//! What the numbers of a column say of it.

use std::collections::BTreeMap;

/// What the last digits of whole numbers say: prices in minor units end as prices do.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Endings {
    /// Share of the numbers, zeros left out, that are below 100.
    pub below_hundred: f64,
    /// Share whose last two digits are those of a price: 00, 50, or just below a round one.
    pub of_prices: f64,
    /// Share whose last two digits are just below a round price: 99, 95, 90, 49.
    pub just_below: f64,
}

impl Endings {
    pub(super) fn of(numbers: impl Iterator<Item = f64>) -> Self {
        const JUST_BELOW: [i64; 8] = [99, 98, 95, 90, 89, 79, 69, 49];
        let (mut all, mut small, mut prices, mut just_below) = (0_usize, 0_usize, 0_usize, 0_usize);
        for number in numbers.map(f64::abs).filter(|number| *number > 0.0) {
            #[expect(clippy::cast_possible_truncation, reason = "below a hundred")]
            let last = (number % 100.0) as i64;
            let is_just_below = JUST_BELOW.contains(&last);
            all += 1;
            small += usize::from(number < 100.0);
            just_below += usize::from(is_just_below);
            prices += usize::from(is_just_below || last == 0 || last == 50);
        }
        let share = |count: usize| count as f64 / all.max(1) as f64;
        Self { below_hundred: share(small), of_prices: share(prices), just_below: share(just_below) }
    }
}

/// Numbers of a column.
#[derive(Debug, Clone, Default)]
pub struct NumberProfile {
    /// Mean of the numbers.
    pub mean: f64,
    /// Smallest and largest number.
    pub range: (f64, f64),
    /// Rows with a negative number.
    pub negative: Vec<usize>,
    /// Most digits after the decimal mark.
    pub decimals: usize,
    /// Of whole numbers, what their last digits say.
    pub endings: Endings,
    /// Of amounts with a symbol, what stands around others, such as `C $` among `$`, and how often.
    pub other_symbols: BTreeMap<String, usize>,
    /// Numbers of the first rows.
    pub sample: Vec<Option<f64>>,
    /// A column of the same table with decimals, of which this one is the hundredfold.
    pub hundredfold_of: Option<String>,
}
