//! What a category does to receipts beyond what its merchants' own levels say, shrunk to what all categories do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Rows of a category at which its own figure counts half.
const ROWS_HALF: f64 = 50.0;

/// Logarithms added by category. A category's is shrunk to 0, which is what all of them do; that of its new merchants is shrunk to the
/// category's and never above it: a shorter history is no advantage.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CategoryEffects {
    by_category: BTreeMap<String, Effect>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Effect {
    all: f64,
    new: f64,
    rows: usize,
    new_rows: usize,
}

/// A row that a category's effect is learnt from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Residual<'a> {
    pub category: &'a str,
    pub is_new: bool,
    /// What the levels left unexplained.
    pub left: f64,
}

impl CategoryEffects {
    /// `rows ÷ (rows + 50) × (quantile within the category − quantile over all)`.
    pub(super) fn learn(rows: &[Residual<'_>], level: f64) -> Self {
        let everything = quantile(rows.iter().map(|r| r.left).collect(), level).unwrap_or_default();
        let mut by_name: BTreeMap<&str, Vec<&Residual<'_>>> = BTreeMap::new();
        for row in rows {
            by_name.entry(row.category).or_default().push(row);
        }
        let shrunk = |own: Option<f64>, rows: usize, to: f64| {
            let weight = rows as f64 / (rows as f64 + ROWS_HALF);
            weight * own.unwrap_or(to) + (1.0 - weight) * to
        };
        let by_category = by_name
            .into_iter()
            .map(|(name, rows)| {
                let own = quantile(rows.iter().map(|r| r.left).collect(), level);
                let all = shrunk(own.map(|q| q - everything), rows.len(), 0.0);
                let new: Vec<f64> = rows.iter().filter(|r| r.is_new).map(|r| r.left).collect();
                let new_rows = new.len();
                let new = shrunk(quantile(new, level).map(|q| q - everything), new_rows, all).min(all);
                (name.to_owned(), Effect { all, new, rows: rows.len(), new_rows })
            })
            .collect();
        Self { by_category }
    }

    /// What is added for a merchant. A category that training did not see counts as the worst that it saw, and never as better than all of them
    /// together.
    pub(super) fn of(&self, category: &str, is_new: bool) -> f64 {
        let of = |effect: &Effect| if is_new { effect.new } else { effect.all };
        let worst = || self.by_category.values().map(of).fold(0.0, f64::min);
        self.by_category.get(category).map_or_else(worst, of)
    }
}

/// The `⌈level × n⌉`-th smallest value.
fn quantile(mut values: Vec<f64>, level: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
    let rank = (level * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_categories_say_little_and_new_merchants_never_more_than_old_ones() {
        let mut rows = Vec::new();
        for n in 0..2_000_u32 {
            let noise = f64::from(n % 100) / 100.0;
            rows.push(Residual {
                category: "large",
                is_new: n % 2 == 0,
                left: noise + f64::from(u8::from(n % 2 == 0)),
            });
        }
        for n in 0..5_u32 {
            rows.push(Residual { category: "small", is_new: false, left: 9.0 + f64::from(n) });
        }
        let effects = CategoryEffects::learn(&rows, 0.5);
        let all = effects.of("large", false);
        assert!(all.abs() < 0.1, "{all}");
        // New merchants of the large category do better by 1: that is not granted.
        assert!((effects.of("large", true) - all).abs() < 1e-12);
        let small = effects.of("small", false);
        assert!(small > 0.0 && small < 1.5, "{small}");
        assert!(effects.of("unseen", false) <= all.min(0.0));
    }
}
