//! Loans for tests: shards of two merchants' loan books, made by hand, and how one loan stands.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::promise::Promise;
use super::settings::{LedgerRules, Materiality};
use super::standing::{LoanHistory, LoanStanding};
use crate::domain::{AsOf, MICROS_PER_DAY};
use crate::store::{BrokenRecord, Shard};

/// A seven-day order loan: its id, borrower, day of disbursement, principal, and day of writing off.
#[derive(Clone, Copy)]
pub struct LoanRow(pub &'static str, pub &'static str, pub i32, pub i64, pub Option<i32>);
/// An instalment: its loan, number, due day and principal.
#[derive(Clone, Copy)]
pub struct DueRow(pub &'static str, pub i64, pub i32, pub i64);
/// A deduction: its loan, day, sum, and day of bouncing.
#[derive(Clone, Copy)]
pub struct PaidRow(pub &'static str, pub i32, pub i64, pub Option<i32>);

/// Day `n` of 2018.
pub fn day(n: i32) -> AsOf {
    AsOf::new(jiff::civil::date(2018, 1, 1), jiff::tz::TimeZone::UTC).unwrap().days_before(-n).unwrap()
}

fn instants(name: &str, days: Vec<Option<i32>>) -> Column {
    let at = |d: Option<i32>| d.map(|d| day(d).micros() + MICROS_PER_DAY / 2);
    let values: Vec<Option<i64>> = days.into_iter().map(at).collect();
    Int64Chunked::from_slice_options(name.into(), &values).into_datetime(TimeUnit::Microseconds, None).into_column()
}

fn texts(name: &str, values: Vec<&str>) -> Column {
    Column::new(name.into(), values)
}

fn numbers(name: &str, values: Vec<i64>) -> Column {
    Column::new(name.into(), values)
}

/// The books of two merchants; events happen at noon.
#[derive(Default, Clone)]
pub struct Books {
    pub loans: Vec<LoanRow>,
    pub due: Vec<DueRow>,
    pub paid: Vec<PaidRow>,
    pub broken: Vec<BrokenRecord>,
}

pub fn books(loans: &[LoanRow], due: &[DueRow], paid: &[PaidRow]) -> Books {
    Books { loans: loans.to_vec(), due: due.to_vec(), paid: paid.to_vec(), broken: Vec::new() }
}

/// Order loans of any arrears are in default from 30 days past due.
pub fn rules() -> LedgerRules {
    LedgerRules {
        materiality: Materiality { absolute_minor: 0, relative_ppm: 0 },
        default_dpd: BTreeMap::from([("order-loan".to_owned(), 30)]),
        ..LedgerRules::default()
    }
}

/// The books as they are seen at the start of day `seen`.
pub fn shard(seen: i32, books: &Books) -> Shard {
    let loans: Vec<&LoanRow> = books.loans.iter().filter(|l| l.2 < seen).collect();
    let due: Vec<&DueRow> = books.due.iter().filter(|d| loans.iter().any(|l| l.0 == d.0)).collect();
    let paid: Vec<&PaidRow> = books.paid.iter().filter(|p| p.1 < seen).collect();
    let owner = |books: &Books, loan: &str| books.loans.iter().find(|l| l.0 == loan).map_or("m1", |l| l.1);
    let merchants = DataFrame::new_infer_height(vec![texts("merchant_id", vec!["m1", "m2"])]).unwrap();
    let loan_frame = DataFrame::new_infer_height(vec![
        texts("loan_id", loans.iter().map(|l| l.0).collect()),
        texts("merchant_id", loans.iter().map(|l| l.1).collect()),
        texts("product", loans.iter().map(|_| "order-loan").collect()),
        instants("disbursed_at", loans.iter().map(|l| Some(l.2)).collect()),
        numbers("principal_minor", loans.iter().map(|l| l.3).collect()),
        numbers("term_days", loans.iter().map(|_| 7).collect()),
        numbers("daily_rate_ppm", loans.iter().map(|_| 0).collect()),
        instants("written_off_at", loans.iter().map(|l| l.4.filter(|&w| w < seen)).collect()),
        instants("restructured_at", loans.iter().map(|_| None).collect()),
    ])
    .unwrap();
    let dues: Vec<i32> = due.iter().map(|d| day(d.2).days_since_epoch()).collect();
    let due_frame = DataFrame::new_infer_height(vec![
        texts("loan_id", due.iter().map(|d| d.0).collect()),
        numbers("number", due.iter().map(|d| d.1).collect()),
        Int32Chunked::from_vec("due_on".into(), dues).into_date().into_column(),
        numbers("principal_minor", due.iter().map(|d| d.3).collect()),
        numbers("interest_minor", due.iter().map(|_| 0).collect()),
        numbers("fee_minor", due.iter().map(|_| 0).collect()),
    ])
    .unwrap();
    // The n-th payment of a loan is always the same one.
    let ids = paid.iter().enumerate().map(|(at, p)| {
        let number = paid.iter().take(at).filter(|before| before.0 == p.0).count();
        Some(format!("{}-{number}", p.0))
    });
    let paid_frame = DataFrame::new_infer_height(vec![
        ids.collect::<StringChunked>().with_name("payment_id".into()).into_column(),
        texts("merchant_id", paid.iter().map(|p| owner(books, p.0)).collect()),
        texts("loan_id", paid.iter().map(|p| p.0).collect()),
        instants("paid_at", paid.iter().map(|p| Some(p.1)).collect()),
        numbers("amount_minor", paid.iter().map(|p| p.2).collect()),
        texts("channel", paid.iter().map(|_| "deduction").collect()),
        instants("reversed_at", paid.iter().map(|p| p.3.filter(|&r| r < seen)).collect()),
    ])
    .unwrap();
    let tables = BTreeMap::from([
        ("merchants", merchants),
        ("loans", loan_frame),
        ("instalments", due_frame),
        ("payments", paid_frame),
    ]);
    Shard { as_of: day(seen), tables, earlier: BTreeMap::new(), broken: books.broken.clone() }
}

/// An open loan `l1` of 1,000 to merchant `m1`, all of it outstanding, so many days past due with material arrears of one minor unit; in default from
/// 90 days on.
pub fn overdue_loan(product: &str, dpd: i64) -> LoanStanding {
    LoanStanding {
        merchant_id: "m1".to_owned(),
        loan_id: "l1".to_owned(),
        product: product.to_owned(),
        disbursed_at: 0,
        principal_minor: 1_000,
        sales_share_ppm: None,
        payoff_minor: 1_000,
        group_id: None,
        offer_id: None,
        pledged_order_ids: Vec::new(),
        outstanding_minor: 1_000,
        arrears_minor: i64::from(dpd > 0),
        interest_arrears_minor: 0,
        fee_arrears_minor: 0,
        daily_rate_ppm: 0,
        term_days: 0,
        dpd,
        worst_dpd: dpd,
        material_dpd: dpd,
        worst_material_dpd: dpd,
        is_in_default: dpd >= 90,
        is_closed: false,
        must_be_sent: true,
        is_written_off: false,
        is_restructured: false,
        payments: 0,
        received_minor: 0,
        received: Vec::new(),
        bounced: Vec::new(),
        deductions: 0,
        deductions_reversed: 0,
        deducted_minor: 0,
        coming_due: Vec::new(),
        history: LoanHistory::default(),
        promise: Promise::default(),
    }
}
