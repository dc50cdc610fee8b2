//! What a merchant is, before it does anything: the hidden causes.

use super::calendar::{Calendar, DAY, Second};
use super::draw::{Draw, whole};
use super::industry::INDUSTRIES;
use super::settings::SimulationSettings;
use crate::domain::elementary::{exp, ln, pow, sigmoid};

const REGIONS: [&str; 8] = ["anhui", "fujian", "guangdong", "hebei", "jiangsu", "shandong", "sichuan", "zhejiang"];

/// Hidden traits. Amounts are in minor units as `f64`, rounded only where they become rows.
#[derive(Clone)]
pub(super) struct Traits {
    /// Care with promises, in standard deviations.
    pub(super) diligence: f64,
    /// Will to deal fairly, in standard deviations; leans with diligence.
    pub(super) honesty: f64,
    pub(super) industry: usize,
    pub(super) region: &'static str,
    /// Expected orders a day in an ordinary year.
    pub(super) daily_orders: f64,
    /// Growth of demand a year, as a log.
    pub(super) growth: f64,
    /// Median amount of an order.
    pub(super) order_value: f64,
    pub(super) margin: f64,
    /// Fixed costs as a share of planned sales.
    pub(super) fixed_share: f64,
    /// Cash kept, in days of sales, on the first day.
    pub(super) cash_days: f64,
    pub(super) repeat_share: f64,
    pub(super) registered: Second,
    pub(super) verification: Option<&'static str>,
    pub(super) deposit: Option<i64>,
    pub(super) is_borrower: bool,
    /// Expected credit-loan requests a year when cash is at ease.
    pub(super) credit_taste: f64,
    /// Chance a day to look into an order loan.
    pub(super) order_loan_taste: f64,
    pub(super) is_brusher: bool,
    pub(super) is_attacked: bool,
}

/// How an order's amount scatters about the merchant's median, as the sigma of a log-normal.
pub(super) const AMOUNT_SIGMA: f64 = 0.7;

impl Traits {
    pub(super) fn draw(draw: &mut Draw, settings: &SimulationSettings, calendar: &Calendar) -> Self {
        let diligence = draw.normal();
        let honesty = 0.35 * diligence + 0.937 * draw.normal();
        let industry = draw_industry(draw);
        let kind = INDUSTRIES.get(industry).unwrap_or(&INDUSTRIES[0]);
        let orders_a_year = draw_size(draw) * settings.median_orders_a_year;
        let margin = (kind.margin + 0.012 * diligence + 0.045 * draw.normal()).clamp(0.08, 0.55);
        let fixed_share = (margin - 0.03 - 0.1 - 0.02 * diligence + 0.055 * draw.normal()).clamp(0.02, 0.4);
        let registered = draw_registration(draw, calendar);
        let verification = draw_verification(draw, honesty, orders_a_year);
        let deposit = (verification == Some("full") || draw.chance(0.25))
            .then(|| whole(draw.log_normal(1_000.0, 0.6) / 500.0).max(1) * 50_000);
        Self {
            diligence,
            honesty,
            industry,
            region: draw.choose(&REGIONS, REGIONS[0]),
            daily_orders: orders_a_year / 365.0,
            growth: 0.05 + 0.05 * diligence + 0.3 * draw.normal(),
            order_value: 100.0 * draw.log_normal(kind.order_value, 0.5),
            margin,
            fixed_share,
            cash_days: draw.log_normal(30.0, 0.8).min(200.0),
            repeat_share: (0.25 + 0.06 * diligence + 0.1 * draw.normal()).clamp(0.02, 0.7),
            registered,
            verification,
            deposit,
            is_borrower: draw.chance(settings.borrower_share),
            credit_taste: draw.log_normal(2.5, 0.7),
            order_loan_taste: draw.log_normal(0.019, 1.0).min(0.5),
            is_brusher: draw.chance(settings.brusher_share * 2.0 * sigmoid(-1.5 * honesty)),
            is_attacked: draw.chance(settings.attacked_share),
        }
    }

    /// Mean amount of an order.
    pub(super) fn mean_amount(&self) -> f64 {
        self.order_value * exp(AMOUNT_SIGMA * AMOUNT_SIGMA / 2.0)
    }
}

fn draw_industry(draw: &mut Draw) -> usize {
    let mut left = draw.uniform() * INDUSTRIES.iter().map(|i| i.weight).sum::<f64>();
    INDUSTRIES
        .iter()
        .position(|i| {
            left -= i.weight;
            left < 0.0
        })
        .unwrap_or(0)
}

/// Size as a multiple of the median: log-normal, with a long Pareto tail and a crowd of occasional sellers.
fn draw_size(draw: &mut Draw) -> f64 {
    let body = draw.log_normal(1.15, 0.85);
    let kind = draw.uniform();
    if kind < 0.015 {
        body * (3.0 * pow(1.0 - draw.uniform(), -1.0 / 1.5)).min(80.0)
    } else if kind < 0.13 {
        body * 0.15
    } else {
        body
    }
}

/// Most shops are older than the simulated span; the rest open within it, evenly.
fn draw_registration(draw: &mut Draw, calendar: &Calendar) -> Second {
    let years = calendar.days as f64 / 365.0;
    let newcomers = 0.2 * years / (1.0 + 0.2 * years);
    let day = if draw.chance(newcomers) {
        whole(draw.uniform() * calendar.days as f64)
    } else {
        -30 - whole((-900.0 * ln(1.0 - draw.uniform())).min(3_600.0))
    };
    calendar.midnight(day) + draw.whole(8 * 3_600, DAY - 2 * 3_600)
}

fn draw_verification(draw: &mut Draw, honesty: f64, orders_a_year: f64) -> Option<&'static str> {
    let readiness = 0.5 * honesty + 0.3 * ln((orders_a_year / 36.0).max(0.01)) + draw.normal();
    if draw.chance(0.02) {
        None
    } else if readiness > 0.3 {
        Some("full")
    } else if readiness > -1.1 {
        Some("basic")
    } else {
        Some("none")
    }
}
