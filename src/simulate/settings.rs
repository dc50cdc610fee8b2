//! What to simulate.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Serialize, Serializer};

use super::error::SimulateError;
use crate::domain::Currency;

/// A simulated marketplace, fully determined: equal settings give equal bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SimulationSettings {
    /// How many merchants register, over the years before the simulated span and within it.
    pub merchants: u64,
    /// Simulated calendar months, ending at `end_on`.
    pub months: u16,
    /// Chooses the marketplace.
    pub seed: u64,
    /// The day after the last simulated one: the natural as-of date.
    #[serde(serialize_with = "as_text")]
    pub end_on: Date,
    /// Currency of every good amount.
    pub currency: Currency,
    /// Orders a year of the median merchant in an ordinary year. Default 36: with registrations, closures and the heavy
    /// tail the mean merchant then sees some fifty orders in a year.
    pub median_orders_a_year: f64,
    /// Share of merchants who ever take loans. Default 0.6.
    pub borrower_share: f64,
    /// Share of merchants who place fake orders with themselves. Default 0.05.
    pub brusher_share: f64,
    /// Share of merchants attacked with malicious reviews and complaints. Default 0.03.
    pub attacked_share: f64,
    /// Share of rows that reach the lender days after the fact. Default 0.003.
    pub late_share: f64,
    /// Share of rows sent early and again when more is known: two versions of one key. Default 0.02.
    pub resent_share: f64,
    /// Share of rows sent twice, byte for byte. Default 0.003.
    pub duplicate_share: f64,
    /// Share of rows added that break the contract, under keys of their own. Default 0.003.
    pub broken_share: f64,
    /// Share of rows with a fault under their own key: sent again equal or corrected and, but for loans and payments, broken or
    /// sent again broken. Default 0.003.
    pub key_fault_share: f64,
    /// Share of loans with a fault in their ledger: loan, instalments or payments. Default 0.004.
    pub ledger_fault_share: f64,
    /// A folder a night (`2025-06-30/orders.parquet`), which holds what was recorded on that day, instead of one file a table. The rows are
    /// the same. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub nightly: bool,
    /// How often each borrower's life is gone on with from weekly nights of a year, for `truth/outlooks`: what could be foreseen at all. Default 0:
    /// not at all.
    #[serde(skip_serializing_if = "is_none")]
    pub outlook_lives: u16,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
const fn is_none(lives: &u16) -> bool {
    *lives == 0
}

/// A date as `2025-07-01`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
pub(super) fn as_text<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}

/// The demo's last day but one: a fixed date keeps simulated bytes free of the clock.
const DEFAULT_END: Date = Date::constant(2025, 7, 1);

impl SimulationSettings {
    /// The given size and seed with every other knob at its documented default: `end_on` 2025-07-01.
    #[must_use]
    pub const fn new(merchants: u64, months: u16, seed: u64, currency: Currency) -> Self {
        Self {
            merchants,
            months,
            seed,
            end_on: DEFAULT_END,
            currency,
            median_orders_a_year: 36.0,
            borrower_share: 0.6,
            brusher_share: 0.05,
            attacked_share: 0.03,
            late_share: 0.003,
            resent_share: 0.02,
            duplicate_share: 0.003,
            broken_share: 0.003,
            key_fault_share: 0.003,
            ledger_fault_share: 0.004,
            nightly: false,
            outlook_lives: 0,
        }
    }

    /// The first simulated day.
    ///
    /// # Errors
    /// A knob out of its range, or a span that leaves the calendar.
    pub(super) fn checked_start(&self) -> Result<Date, SimulateError> {
        let refuse = |knob: &'static str, value: String, allowed: &'static str| {
            Err(SimulateError::BadSetting { knob, value, allowed })
        };
        if !(1..=100_000_000).contains(&self.merchants) {
            return refuse("merchants", self.merchants.to_string(), "1 to 100,000,000");
        }
        if !(1..=240).contains(&self.months) {
            return refuse("months", self.months.to_string(), "1 to 240");
        }
        if !(0.1..=100_000.0).contains(&self.median_orders_a_year) {
            return refuse("median_orders_a_year", self.median_orders_a_year.to_string(), "0.1 to 100,000");
        }
        for (knob, share) in [
            ("borrower_share", self.borrower_share),
            ("brusher_share", self.brusher_share),
            ("attacked_share", self.attacked_share),
            ("late_share", self.late_share),
            ("resent_share", self.resent_share),
            ("duplicate_share", self.duplicate_share),
            ("broken_share", self.broken_share),
            ("key_fault_share", self.key_fault_share),
            ("ledger_fault_share", self.ledger_fault_share),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return refuse(knob, share.to_string(), "0 to 1");
            }
        }
        self.end_on.checked_sub(i32::from(self.months).months()).map_err(|_| SimulateError::BadSetting {
            knob: "end_on",
            value: self.end_on.to_string(),
            allowed: "a date whose span of months lies within the calendar",
        })
    }

    /// The command that would make the same files.
    pub(super) fn command(&self) -> String {
        format!(
            "integrity simulate --out DIR --merchants {} --months {} --seed {} --end-on {} --currency {}{}{}",
            self.merchants,
            self.months,
            self.seed,
            self.end_on,
            self.currency,
            if self.nightly { " --nightly" } else { "" },
            if self.outlook_lives > 0 { format!(" --outlooks {}", self.outlook_lives) } else { String::new() }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knobs_are_checked() {
        let good = SimulationSettings::new(10, 12, 1, Currency::new("CNY").unwrap());
        assert_eq!(good.checked_start().unwrap(), Date::constant(2024, 7, 1));
        for bad in [
            SimulationSettings { merchants: 0, ..good.clone() },
            SimulationSettings { months: 0, ..good.clone() },
            SimulationSettings { late_share: f64::NAN, ..good.clone() },
            SimulationSettings { brusher_share: 1.5, ..good.clone() },
            SimulationSettings { end_on: Date::MIN, ..good.clone() },
        ] {
            assert!(bad.checked_start().is_err(), "{bad:?}");
        }
    }
}
