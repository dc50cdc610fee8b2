//! How loans and borrowers stand: what alerts, deductions, offers and the portfolio read.

use std::cmp::Reverse;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::ledger::LoanLedger;
use super::promise::Promise;
use super::unknown::UnknownLoan;
use crate::domain::MICROS_PER_DAY;

/// How one known loan stands.
#[expect(
    clippy::struct_excessive_bools,
    reason = "a loan may be restructured, in default, written off and closed, each by itself"
)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoanStanding {
    /// The borrower.
    pub merchant_id: String,
    /// The loan.
    pub loan_id: String,
    /// Its product.
    pub product: String,
    /// When the money was paid out, in UTC microseconds.
    pub disbursed_at: i64,
    /// What was lent.
    pub principal_minor: i64,
    /// Interest a day in parts per million.
    pub daily_rate_ppm: i64,
    /// Days to the last instalment, as it was lent.
    pub term_days: i64,
    /// Of a loan repaid by a share of sales: that share, in parts per million of a day's receipts.
    pub sales_share_ppm: Option<i64>,
    /// The guarantee group that is jointly liable.
    pub group_id: Option<String>,
    /// The published offer that was drawn.
    pub offer_id: Option<String>,
    /// Orders that secure it.
    pub pledged_order_ids: Vec<String>,
    /// Principal not repaid.
    pub outstanding_minor: i64,
    /// Due and unpaid.
    pub arrears_minor: i64,
    /// Interest among it.
    pub interest_arrears_minor: i64,
    /// Fees among it.
    pub fee_arrears_minor: i64,
    /// What would close it today; 0 once closed.
    pub payoff_minor: i64,
    /// Days past due now, of any arrears.
    pub dpd: i64,
    /// The most days past due it ever was.
    pub worst_dpd: i64,
    /// Days in a row, up to now, with material arrears.
    pub material_dpd: i64,
    /// The most days in a row with material arrears there ever were.
    pub worst_material_dpd: i64,
    /// In default now: its product's number of days past due reached with material arrears, or written off with something still owed.
    pub is_in_default: bool,
    /// Nothing is owed any more.
    pub is_closed: bool,
    /// Not closed, or closed so lately that its row has to be sent again.
    pub must_be_sent: bool,
    /// The lender wrote it off.
    pub is_written_off: bool,
    /// Its terms were eased.
    pub is_restructured: bool,
    /// Payments that arrived, reversed ones included.
    pub payments: i64,
    /// What they came to.
    pub received_minor: i64,
    /// Each of them, sorted.
    pub received: Vec<ReceivedPayment>,
    /// Those of them that bounced, sorted.
    pub bounced: Vec<ReceivedPayment>,
    /// Deductions that arrived, reversed ones included.
    pub deductions: u64,
    /// Deductions that were reversed.
    pub deductions_reversed: u64,
    /// What deductions came to, reversed ones included.
    pub deducted_minor: i64,
    /// What falls due from today on and is not paid ahead, by date; nothing once closed.
    pub coming_due: Vec<ComingDue>,
    /// What it went through, as the books tell it now.
    pub history: LoanHistory,
    /// What was agreed.
    pub promise: Promise,
}

impl LoanStanding {
    /// What was paid and has not bounced.
    #[must_use]
    pub fn paid_minor(&self) -> i64 {
        let bounced = self.bounced.iter().fold(0_i64, |sum, payment| payment.1.saturating_add(sum));
        self.received_minor.saturating_sub(bounced)
    }
}

/// A promise to come: the date by whose end it has to be paid, and how much of it in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComingDue(pub Date, pub i64);

/// A payment that arrived, reversed or not: when in UTC microseconds, how much in minor units, and its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReceivedPayment(pub i64, pub i64, pub String);

/// What a loan went through, by business date, as the books tell it now: a payment that arrives late, dated back, rewrites it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LoanHistory {
    /// When the money was paid out.
    pub disbursed_on: Option<Date>,
    /// When the last instalment of the schedule that counts falls due.
    pub ends_on: Option<Date>,
    /// First day in default: the day on which a spell of material arrears reached the product's number, or the day of writing off.
    pub default_first_on: Option<Date>,
    /// Last day in default; the observation's own while it is in default.
    pub default_last_on: Option<Date>,
    /// Last day that began with material arrears.
    pub late_last_on: Option<Date>,
    /// When its terms were eased.
    pub restructured_on: Option<Date>,
}

/// A merchant's record with this lender, over all loans. All zero for a merchant who never borrowed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CreditRecord {
    /// Loans ever disbursed.
    pub loans: u64,
    /// Principal not repaid, written-off loans included.
    pub outstanding_minor: i64,
    /// Due and unpaid.
    pub arrears_minor: i64,
    /// The most days past due now.
    pub dpd: i64,
    /// The most days past due ever.
    pub worst_dpd: i64,
    /// The most days in a row, up to now, with material arrears on one loan.
    pub material_dpd: i64,
    /// A loan is in default now.
    pub is_in_default: bool,
    /// A loan was ever written off.
    pub is_written_off: bool,
    /// Loans that were repaid in full and never materially late, among those drawn after the last loan that was materially late, restructured
    /// or written off: one slip takes all that went before away. The largest first; without those that count for no more than another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clean_loans: Vec<CleanLoan>,
}

/// A loan that was repaid in full and never materially late, and how long it was owed: until half of it was paid back. A loan that comes back
/// within the hour shows nothing of how its borrower repays, nor does one of which but a trifle is left open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CleanLoan {
    /// What was lent.
    pub principal_minor: i64,
    /// It was owed for half of its own term or longer.
    pub for_half_its_term: bool,
    /// Whole days.
    pub days_owed: i64,
}

impl CleanLoan {
    /// Those of a merchant's loans.
    fn among<'a>(loans: impl Iterator<Item = &'a LoanStanding> + Clone) -> Vec<Self> {
        let last_slip = last_slip(loans.clone());
        let is_clean = |loan: &&LoanStanding| loan.is_closed && last_slip.is_none_or(|slip| loan.disbursed_at > slip);
        let mut clean: Vec<Self> = loans.filter(is_clean).filter_map(Self::of).collect();
        clean.sort_unstable_by_key(|loan| Reverse(*loan));
        let mut kept: Vec<Self> = Vec::new();
        for loan in clean {
            // Those before it are no smaller.
            let counts_with = |before: &Self| {
                before.for_half_its_term || (!loan.for_half_its_term && before.days_owed >= loan.days_owed)
            };
            if !kept.iter().any(counts_with) {
                kept.push(loan);
            }
        }
        kept
    }

    /// `None` of a loan of which half was never paid back.
    fn of(loan: &LoanStanding) -> Option<Self> {
        let mut paid_minor = 0_i64;
        let mut stood = loan.received.iter().filter(|payment| loan.bounced.binary_search(payment).is_err());
        let half = stood.find(|payment| {
            paid_minor = paid_minor.saturating_add(payment.1);
            paid_minor.saturating_mul(2) >= loan.principal_minor
        })?;
        let days_owed = half.0.saturating_sub(loan.disbursed_at).max(0) / MICROS_PER_DAY;
        let for_half_its_term = days_owed.saturating_mul(2) >= loan.term_days;
        Some(Self { principal_minor: loan.principal_minor, for_half_its_term, days_owed })
    }
}

impl CreditRecord {
    /// The record over all loans of one merchant, every one of them known. Sums stop at the largest number: more debt than that is
    /// no better.
    #[must_use]
    pub fn over<'a>(loans: impl IntoIterator<Item = &'a LoanStanding, IntoIter: Clone>) -> Self {
        let loans = loans.into_iter();
        let sums = loans.clone().fold(Self::default(), |record, loan| Self {
            loans: record.loans + 1,
            outstanding_minor: record.outstanding_minor.saturating_add(loan.outstanding_minor),
            arrears_minor: record.arrears_minor.saturating_add(loan.arrears_minor),
            dpd: record.dpd.max(loan.dpd),
            worst_dpd: record.worst_dpd.max(loan.worst_dpd),
            material_dpd: record.material_dpd.max(loan.material_dpd),
            is_in_default: record.is_in_default | loan.is_in_default,
            is_written_off: record.is_written_off | loan.is_written_off,
            ..record
        });
        Self { clean_loans: CleanLoan::among(loans), ..sums }
    }

    /// Principal of the largest of the clean loans that was owed for so many days, or for half of its own term; 0 for none.
    #[must_use]
    pub fn clean_principal_minor(&self, least_days_owed: i64) -> i64 {
        largest_clean(self.clean_loans.iter(), least_days_owed)
    }
}

/// When the last loan was drawn that was materially late, restructured or written off, UTC microseconds.
fn last_slip<'a>(loans: impl Iterator<Item = &'a LoanStanding>) -> Option<i64> {
    let slipped = |loan: &&LoanStanding| loan.worst_material_dpd > 0 || loan.is_restructured || loan.is_written_off;
    loans.filter(slipped).map(|loan| loan.disbursed_at).max()
}

/// What the records of several merchants say together, as if they were one borrower. Parts of them merge in any order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JointRecord {
    /// The most days past due now.
    pub dpd: i64,
    /// The most days past due ever.
    pub worst_dpd: i64,
    last_slip: Option<i64>,
    /// Clean loans ([`CreditRecord::clean_loans`]) with when they were drawn, sorted.
    clean: Vec<(i64, CleanLoan)>,
}

impl JointRecord {
    /// Of loans of one merchant.
    #[must_use]
    pub fn over(loans: &[LoanStanding]) -> Self {
        let clean = loans.iter().filter(|loan| loan.is_closed);
        let clean = clean.filter_map(|loan| Some((loan.disbursed_at, CleanLoan::of(loan)?)));
        let mut record = Self {
            dpd: loans.iter().map(|loan| loan.dpd).max().unwrap_or(0),
            worst_dpd: loans.iter().map(|loan| loan.worst_dpd).max().unwrap_or(0),
            last_slip: last_slip(loans.iter()),
            clean: clean.collect(),
        };
        record.drop_slipped();
        record
    }

    /// Adds the record of other merchants: a slip of one takes the clean loans of all before it away.
    pub fn merge(&mut self, other: &Self) {
        self.dpd = self.dpd.max(other.dpd);
        self.worst_dpd = self.worst_dpd.max(other.worst_dpd);
        self.last_slip = self.last_slip.max(other.last_slip);
        self.clean.extend_from_slice(&other.clean);
        self.drop_slipped();
    }

    fn drop_slipped(&mut self) {
        let slip = self.last_slip;
        self.clean.retain(|(drawn_at, _)| slip.is_none_or(|slip| *drawn_at > slip));
        self.clean.sort_unstable();
    }

    /// As [`CreditRecord::clean_principal_minor`].
    #[must_use]
    pub fn clean_principal_minor(&self, least_days_owed: i64) -> i64 {
        largest_clean(self.clean.iter().map(|(_, loan)| loan), least_days_owed)
    }
}

/// Principal of the largest of some clean loans that was owed for so many days, or for half of its own term; 0 for none.
fn largest_clean<'a>(loans: impl Iterator<Item = &'a CleanLoan>, least_days_owed: i64) -> i64 {
    let counts = |loan: &&CleanLoan| loan.for_half_its_term || loan.days_owed >= least_days_owed;
    loans.filter(counts).map(|loan| loan.principal_minor).max().unwrap_or(0)
}

/// What is known of a merchant as a borrower: what an offer rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BorrowerRecord {
    /// The job has no loan book.
    NoBook,
    /// Every loan is known; all zero for a merchant who never borrowed.
    Known(CreditRecord),
    /// These loans are not known, and so neither is what the merchant owes.
    Unknown(Vec<UnknownLoan>),
}

impl BorrowerRecord {
    /// The record of a merchant.
    #[must_use]
    pub fn of(ledger: Option<&LoanLedger>, merchant_id: &str) -> Self {
        let Some(ledger) = ledger else { return Self::NoBook };
        let loans = ledger.of(merchant_id);
        if loans.unknown.is_empty() {
            Self::Known(CreditRecord::over(loans.known))
        } else {
            Self::Unknown(loans.unknown.to_vec())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repayment::fixture::overdue_loan;

    const HOUR: i64 = MICROS_PER_DAY / 24;

    /// A repaid loan of 180 days: what was lent, and what was paid after how many hours.
    fn repaid(principal_minor: i64, paid: &[(i64, i64)]) -> LoanStanding {
        LoanStanding {
            principal_minor,
            term_days: 180,
            is_closed: true,
            received: paid.iter().map(|(hours, minor)| ReceivedPayment(hours * HOUR, *minor, String::new())).collect(),
            ..overdue_loan("credit-loan", 0)
        }
    }

    fn clean(loans: &[LoanStanding]) -> i64 {
        CreditRecord::over(loans).clean_principal_minor(30)
    }

    #[test]
    fn records_of_several_merchants_say_what_they_would_of_one_borrower() {
        let whole = repaid(90_000, &[(40 * 24, 90_000)]);
        let later = LoanStanding { disbursed_at: 5, ..repaid(30_000, &[(40 * 24, 30_000)]) };
        let slipped = LoanStanding { disbursed_at: 3, worst_material_dpd: 3, worst_dpd: 9, ..whole.clone() };
        let (own, other) = ([whole, later], [slipped]);
        let mut joint = JointRecord::over(&own);
        assert_eq!(joint.clean_principal_minor(30), 90_000);
        joint.merge(&JointRecord::over(&other));
        assert_eq!((joint.clean_principal_minor(30), joint.worst_dpd), (30_000, 9));
        let mut turned = JointRecord::over(&other);
        turned.merge(&JointRecord::over(&own));
        assert_eq!(turned, joint);
        assert_eq!(CreditRecord::over(own.iter().chain(&other)).clean_principal_minor(30), 30_000);
    }

    #[test]
    fn a_clean_loan_counts_once_half_of_it_was_owed_for_long_enough() {
        let whole = repaid(90_000, &[(40 * 24, 90_000)]);
        assert_eq!(clean(std::slice::from_ref(&whole)), 90_000);
        assert_eq!(clean(&[repaid(90_000, &[(1, 90_000)])]), 0, "an hour");
        assert_eq!(clean(&[repaid(90_000, &[(1, 89_000), (40 * 24, 1_000)])]), 0, "all but a trifle within the hour");
        assert_eq!(clean(&[repaid(90_000, &[(1, 40_000), (40 * 24, 50_000)])]), 90_000);
        let twice = repaid(90_000, &[(1, 90_000), (40 * 24, 90_000)]);
        let bounced = LoanStanding { bounced: vec![ReceivedPayment(HOUR, 90_000, String::new())], ..twice };
        assert_eq!(clean(&[bounced]), 90_000, "what bounced was never paid");
        assert_eq!(clean(&[repaid(90_000, &[(30 * 24 - 1, 90_000)])]), 0, "29 whole days");
        assert_eq!(CreditRecord::over(&[repaid(90_000, &[(1, 90_000)])]).clean_principal_minor(0), 90_000);
        let short = LoanStanding { term_days: 7, ..repaid(20_000, &[(4 * 24, 20_000)]) };
        assert_eq!(clean(std::slice::from_ref(&short)), 20_000, "half of its own term");
        assert_eq!(clean(&[LoanStanding { term_days: 9, ..short.clone() }]), 0);
        let hasty = repaid(500_000, &[(1, 500_000)]);
        assert_eq!(clean(&[hasty.clone(), short.clone(), whole.clone()]), 90_000, "the largest that counts");
        let late = LoanStanding { disbursed_at: 1, worst_material_dpd: 3, ..hasty };
        assert_eq!(clean(&[short, whole, late]), 0, "a slip takes all before it away");
    }

    #[test]
    fn loans_that_count_for_no_more_than_another_are_left_out() {
        let loans = [
            repaid(10, &[(40 * 24, 10)]),
            repaid(30, &[(50 * 24, 30)]),
            repaid(30, &[(50 * 24, 30)]),
            repaid(80, &[(24, 80)]),
            repaid(20, &[(100 * 24, 20)]),
            repaid(5, &[(120 * 24, 5)]),
        ];
        let record = CreditRecord::over(&loans);
        assert_eq!(record.clean_loans.iter().map(|loan| loan.principal_minor).collect::<Vec<_>>(), [80, 30, 20]);
        assert_eq!([0, 1, 2, 30, 51, 365].map(|days| record.clean_principal_minor(days)), [80, 80, 30, 30, 20, 20]);
    }
}
