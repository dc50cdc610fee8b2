//! Lines of business: what they sell for, their seasons, and the ones that turn down.

use super::draw::Draw;
use crate::domain::elementary::exp;

/// One line of business.
pub(super) struct Industry {
    pub(super) name: &'static str,
    /// Median amount of an order, major units.
    pub(super) order_value: f64,
    /// Median gross margin, share of the order.
    pub(super) margin: f64,
    /// Strength of the yearly season: the peak stands this far above the mean, as a log.
    pub(super) season: f64,
    /// Day of the year on which demand peaks.
    pub(super) peak_day: f64,
    /// Likelihood that a merchant is in it.
    pub(super) weight: f64,
}

const fn industry(
    name: &'static str,
    order_value: f64,
    margin: f64,
    season: f64,
    peak_day: f64,
    weight: f64,
) -> Industry {
    Industry { name, order_value, margin, season, peak_day, weight }
}

pub(super) static INDUSTRIES: [Industry; 12] = [
    industry("apparel", 2_100.0, 0.30, 0.30, 310.0, 0.18),
    industry("home-textiles", 2_520.0, 0.27, 0.20, 300.0, 0.10),
    industry("kitchenware", 1_850.0, 0.26, 0.15, 330.0, 0.09),
    industry("toys", 1_600.0, 0.29, 0.45, 335.0, 0.08),
    industry("electronics-parts", 4_700.0, 0.20, 0.10, 320.0, 0.11),
    industry("phone-accessories", 1_760.0, 0.24, 0.15, 315.0, 0.09),
    industry("tools-hardware", 3_190.0, 0.25, 0.10, 110.0, 0.08),
    industry("packaging", 2_860.0, 0.22, 0.08, 280.0, 0.06),
    industry("furniture", 6_550.0, 0.28, 0.15, 260.0, 0.05),
    industry("cosmetics", 1_930.0, 0.33, 0.18, 65.0, 0.06),
    industry("food-specialities", 1_510.0, 0.25, 0.35, 20.0, 0.06),
    industry("garden-outdoor", 2_690.0, 0.27, 0.40, 130.0, 0.04),
];

/// How demand in each industry moves, day by day: the same for all its merchants.
pub(super) struct IndustryTides {
    factors: Vec<Vec<f64>>,
    /// Whether it turns down in the last year.
    pub(super) turns_down: Vec<bool>,
}

/// Industries that turn down.
const DOWNTURNS: usize = 2;

impl IndustryTides {
    /// Weekly wander about the mean, for `days` days; in two industries demand slides, over the year before day `until`, to some half of what
    /// it was.
    pub(super) fn new(seed: u64, days: usize, until: usize) -> Self {
        let mut ranks: Vec<(f64, usize)> =
            (0..INDUSTRIES.len()).map(|i| (Draw::new(seed, "industry rank", i as u64).uniform(), i)).collect();
        ranks.sort_by(|a, b| a.0.total_cmp(&b.0));
        let chosen: Vec<usize> = ranks.iter().take(DOWNTURNS).map(|r| r.1).collect();
        let turns_down: Vec<bool> = (0..INDUSTRIES.len()).map(|i| chosen.contains(&i)).collect();
        let factors = turns_down
            .iter()
            .enumerate()
            .map(|(i, &down)| {
                let mut draw = Draw::new(seed, "industry tide", i as u64);
                let depth = draw.between(0.45, 0.8);
                let starts = until as f64 - draw.between(240.0, 340.0);
                let mut wander = 0.0;
                (0..days)
                    .map(|day| {
                        wander = 0.995 * wander + 0.012 * draw.normal();
                        let slide = if down { ((day as f64 - starts) / 120.0).clamp(0.0, 1.0) } else { 0.0 };
                        exp(wander - depth * slide)
                    })
                    .collect()
            })
            .collect();
        Self { factors, turns_down }
    }

    pub(super) fn factor(&self, industry: usize, day: usize) -> f64 {
        self.factors.get(industry).and_then(|days| days.get(day)).copied().unwrap_or(1.0)
    }
}
