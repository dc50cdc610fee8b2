//! Shipped policies and monitor files fit their jobs, and repayment agrees with books that were kept otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use integrity::domain::{AsOf, Currency, MICROS_PER_DAY};
use integrity::monitor::{Monitor, Watch};
use integrity::offer::{LoanBookUse, Policy};
use integrity::repayment::LedgerRules;
use integrity::repayment::repayment_tables;
use integrity::simulate::{SimulationSettings, simulate};
use integrity::store::Shard;
use polars::prelude::{BooleanChunked, DataFrame, ParquetReader, SerReader};

fn pipeline(job: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(job).join(file)
}

#[test]
fn shipped_policies_are_accepted() {
    let jobs = ["demo", "trial", "sales-share", "groups"].map(|job| (job, LoanBookUse::Required));
    for (job, book) in jobs.into_iter().chain([("olist", LoanBookUse::None)]) {
        let policy = Policy::open(&pipeline(job, "policy.toml")).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(policy.loan_book, book);
        let names: BTreeSet<&str> = policy.products.iter().map(|p| p.name.as_str()).collect();
        let lends_to_groups = job == "groups";
        let group_loan = lends_to_groups.then_some("group-loan");
        assert_eq!(names, ["credit-loan", "order-loan"].into_iter().chain(group_loan).collect());
        let has_dependence = policy.groups.is_some_and(|groups| groups.dependence.is_some());
        assert_eq!(
            has_dependence, lends_to_groups,
            "a guarantee is worth what it is by how members depend on one another"
        );
        assert!(policy.hard_cap_minor <= 100_000_000);
    }
}

#[test]
fn shipped_monitor_files_are_accepted() {
    for (job, watch) in [("demo", Watch::Borrowers), ("olist", Watch::All)] {
        let monitor = Monitor::open(&pipeline(job, "monitor.toml")).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(monitor.watch, watch);
        assert!(!monitor.rules.is_empty());
    }
}

fn read(folder: &Path, table: &str) -> DataFrame {
    let file = std::fs::File::open(folder.join(format!("{table}.parquet"))).expect(table);
    ParquetReader::new(file).finish().expect(table)
}

/// Of each instalment the version that was recorded last, as washing would leave it.
fn newest_versions(instalments: &DataFrame) -> DataFrame {
    let text = instalments.column("loan_id").expect("loan_id").str().expect("loan_id").clone();
    let number = instalments.column("number").expect("number").i64().expect("number").clone();
    let recorded =
        instalments.column("recorded_at").expect("recorded_at").datetime().expect("recorded_at").phys.clone();
    let mut newest: BTreeMap<(&str, i64), (Option<i64>, usize)> = BTreeMap::new();
    for row in 0..instalments.height() {
        let key = (text.get(row).expect("a loan"), number.get(row).expect("a number"));
        let version = (recorded.get(row), row);
        newest.entry(key).and_modify(|known| *known = (*known).max(version)).or_insert(version);
    }
    let rows: BTreeSet<usize> = newest.into_values().map(|(_, row)| row).collect();
    let mask: BooleanChunked = (0..instalments.height()).map(|row| rows.contains(&row)).collect();
    instalments.filter(&mask).expect("rows")
}

/// The simulator keeps its own books while it lives through each loan, day by day; the waterfall must come to the same from the
/// published tables alone. The simulator counts a day past due at its end, the waterfall at its beginning: one more, where late at all.
#[test]
fn repayment_agrees_with_the_simulators_own_books() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut settings = SimulationSettings::new(220, 18, 11, Currency::new("CNY").expect("a currency"));
    settings.late_share = 0.0;
    settings.resent_share = 0.0;
    settings.duplicate_share = 0.0;
    settings.broken_share = 0.0;
    settings.key_fault_share = 0.0;
    settings.ledger_fault_share = 0.0;
    let market = folder.path().join("market");
    simulate(&settings, &market, &|_, _| {}).expect("a marketplace");
    let as_of = AsOf::new(settings.end_on, AsOf::zone("UTC").expect("a zone")).expect("a date");
    let names = ["loans", "instalments", "payments"];
    let read_newest = |table| match table {
        "instalments" => newest_versions(&read(&market, table)),
        _ => read(&market, table),
    };
    let shard = Shard {
        as_of,
        tables: names.into_iter().map(|t| (t, read_newest(t))).collect(),
        earlier: BTreeMap::new(),
        broken: Vec::new(),
    };
    let products = ["order-loan", "credit-loan", "group-loan"];
    let rules = LedgerRules {
        default_dpd: products.into_iter().map(|product| (product.to_owned(), 90)).collect(),
        ..LedgerRules::default()
    };
    let tables = repayment_tables(&shard, &rules).expect("repayment").expect("a loan book");

    assert_eq!(tables.ledger.unknown, [], "the simulator's books agree with each other");

    let truth = read(&market.join("truth"), "loans");
    let text = |column: &str| truth.column(column).expect(column).str().expect(column).clone();
    let (ids, outcomes) = (text("loan_id"), text("outcome"));
    let worst = truth.column("worst_days_past_due").expect("worst").i64().expect("worst").clone();
    let books: BTreeMap<&str, (&str, i64)> =
        (0..truth.height()).filter_map(|row| Some((ids.get(row)?, (outcomes.get(row)?, worst.get(row)?)))).collect();

    // A payment of the last two days may bounce after the data ends, which only the simulator knows.
    let payments = &shard.tables["payments"];
    let paid_at = payments.column("paid_at").expect("paid_at").datetime().expect("paid_at").physical().clone();
    let paid_for = payments.column("loan_id").expect("loan_id").str().expect("loan_id").clone();
    let recent: BTreeSet<&str> = (0..payments.height())
        .filter(|&row| paid_at.get(row).is_some_and(|at| at >= shard.as_of.micros() - 2 * MICROS_PER_DAY))
        .filter_map(|row| paid_for.get(row))
        .collect();

    let (mut compared, mut late) = (0, 0);
    for loan in tables.ledger.known.iter().filter(|l| !recent.contains(l.loan_id.as_str())) {
        let (outcome, simulated) = books[loan.loan_id.as_str()];
        // A loan that was bad once is called so for good, repaid later or not.
        match outcome {
            "repaid" => assert!(loan.is_closed, "{loan:?} is repaid"),
            "running" => assert!(!loan.is_closed, "{loan:?} is running"),
            _ => {}
        }
        if loan.is_restructured {
            assert!(simulated >= 35, "{loan:?}: terms are eased for those who are late");
        } else if loan.is_written_off {
            assert!(loan.worst_dpd > simulated, "{loan:?}: the simulator stops counting at {simulated}");
        } else if simulated > 0 {
            assert_eq!(loan.worst_dpd, simulated + 1, "{loan:?}");
            late += 1;
        } else {
            assert!(loan.worst_dpd <= 1, "{loan:?}");
        }
        compared += 1;
    }
    let repaid_early = tables.loan_status.column("repaid_early").expect("repaid_early").bool().expect("repaid_early");
    let early = repaid_early.iter().filter(|e| *e == Some(true)).count();
    assert!(compared > 300 && late > 20 && early > 10, "{compared} loans, {late} late, {early} repaid early");
}
