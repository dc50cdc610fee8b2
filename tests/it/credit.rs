//! The shipped policies and monitor files are what the program accepts, and fit their jobs.

use std::path::{Path, PathBuf};

use integrity::config::{LoanBookUse, Monitor, Policy, Watch};

fn pipeline(job: &str, file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(job).join(file)
}

#[test]
fn shipped_policies_are_accepted() {
    for (job, book) in [("demo", LoanBookUse::Required), ("olist", LoanBookUse::None)] {
        let policy = Policy::open(&pipeline(job, "policy.toml")).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(policy.loan_book, book);
        let names: Vec<&str> = policy.products.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["order-loan", "credit-loan"]);
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
