//! Policies compared on a published run, and who stands for a policy.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use integrity::offer::Offer;
use integrity::publish::TableReader;
use integrity::report::{Cause, ChangeKind, PolicyDiff, PolicyDiffError, explain, policy_diff};
use integrity::run::{RunError, RunOutcome};
use tempfile::TempDir;

use super::fixture::{data, job, options, run_with};

/// The demo's policy, but for every band, with one rule only and without caps or prices that rest on a model: so few
/// merchants teach it nothing.
fn own_policy() -> String {
    let demo = fs::read_to_string(job().with_file_name("policy.toml")).unwrap();
    let (before, _) = demo.split_once("# Reasons are given in this order.").unwrap();
    let bands = before.replace("F = 600\n", "F = 600\nG = 600\nH = 600\nI = 600\n");
    let bands = bands.replace("ability_share_ppm = 300_000\n", "");
    let bands = bands.replace("loss_given_default_prob = 0.6", "loss_given_default_prob = 0.02");
    let bands = bands.replace("min_limit_minor = 50_000", "min_limit_minor = 10_000");
    let bands: String =
        bands.lines().filter(|line| !line.starts_with("lowest_month")).flat_map(|line| [line, "\n"]).collect();
    let bands = bands.replace("E = 550\n\n", "E = 550\nF = 600\nG = 600\nH = 600\nI = 600\n\n");
    format!(
        "{bands}\n[[rule]]\nkind = \"feature\"\ncode = \"young\"\ntext = \"not open for a month\"\nfeature = \"tenure_days\"\nat_least = 30\n"
    )
}

/// The job under that policy, in a folder of its own.
pub(super) fn job_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    for file in fs::read_dir(job().parent().unwrap()).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    fs::write(folder.path().join("policy.toml"), own_policy()).unwrap();
    folder
}

/// One run under that policy.
fn base() -> &'static (TempDir, RunOutcome) {
    static BASE: OnceLock<(TempDir, RunOutcome)> = OnceLock::new();
    BASE.get_or_init(|| {
        let folder = job_folder();
        let outcome = run_with(&folder.path().join("job.toml"), &options(data(), folder.path())).unwrap();
        (folder, outcome)
    })
}

/// The run's own policy against a changed one.
fn diff(change: impl Fn(&str) -> String) -> Result<PolicyDiff, PolicyDiffError> {
    let folder = TempDir::new().unwrap();
    let [before, after]: [PathBuf; 2] = ["before.toml", "after.toml"].map(|name| folder.path().join(name));
    fs::write(&before, own_policy()).unwrap();
    fs::write(&after, change(&own_policy())).unwrap();
    policy_diff(&base().1.published.run_dir, &before, &after)
}

fn offers() -> Vec<Offer> {
    TableReader::open(&base().1.published.run_dir.join("offers.parquet")).unwrap().map(Result::unwrap).collect()
}

#[test]
fn the_runs_own_policy_decides_again_as_was_published() {
    let diff = diff(str::to_owned).unwrap();
    assert_eq!(diff.merchants, base().1.summary.merchants_scored);
    assert_eq!((diff.before_differs_from_published, diff.changes), (0, Vec::new()));
    let before: u64 = diff.products.values().map(|p| p.offers_before).sum();
    assert!(before > 0, "{:?}", base().1.summary.declined_by);
    assert_eq!(before, offers().len() as u64);
    assert_eq!(
        diff.products.values().map(|p| p.limit_before_minor).sum::<i64>(),
        offers().iter().map(|o| o.limit_minor).sum::<i64>()
    );
}

#[test]
fn a_rule_that_nobody_passes_takes_every_offer_and_is_named() {
    let rule = "\n[[rule]]\nkind = \"feature\"\ncode = \"too-young\"\ntext = \"not open for a century\"\nfeature = \"tenure_days\"\nat_least = 36500\n";
    let lost = diff(|own| format!("{own}{rule}")).unwrap();
    let who = |diff: &PolicyDiff| -> BTreeSet<(String, String)> {
        diff.changes.iter().map(|c| (c.merchant_id.clone(), c.product.clone())).collect()
    };
    let offered: BTreeSet<_> = offers().into_iter().map(|o| (o.merchant_id, o.product)).collect();
    assert_eq!(who(&lost), offered);
    for change in &lost.changes {
        assert_eq!((change.kind, change.limit_after_minor), (ChangeKind::Loses, None));
        let [Cause::Rule { rule, observed, threshold }] = change.why.as_slice() else { panic!("{change:?}") };
        assert_eq!((rule.as_str(), *threshold), ("tenure_days", Some(36_500.0)));
        assert!(observed.is_some());
    }
    assert!(lost.products.values().all(|p| p.offers_after == 0 && p.expected_loss_after_minor <= 0.0));
}

#[test]
fn smaller_bounds_and_higher_prices_are_told_apart() {
    let smaller = diff(|own| own.replace("max_limit_minor = 1_000_000 ", "max_limit_minor = 100_000 ")).unwrap();
    assert!(!smaller.changes.is_empty());
    for change in &smaller.changes {
        // What an order loan no longer takes of a merchant's means, a credit loan may.
        let grows = change.product == "credit-loan";
        assert!(
            matches!(change.kind, ChangeKind::Smaller) != grows || matches!(change.kind, ChangeKind::Gains),
            "{change:?}"
        );
        let (before, after) = (change.limit_before_minor.unwrap_or(0), change.limit_after_minor.unwrap_or(0));
        assert_eq!(after > before, grows, "{change:?}");
        assert!(change.why.iter().all(|cause| matches!(cause, Cause::Cap { .. } | Cause::Rule { .. })), "{change:?}");
    }
    let dearer = diff(|own| {
        let mut text = own.to_owned();
        for (band, rate) in [("A", 400), ("B", 420), ("C", 450), ("D", 500), ("E", 550)]
            .into_iter()
            .chain(["F", "G", "H", "I"].map(|band| (band, 600)))
        {
            text = text.replace(&format!("{band} = {rate}\n"), &format!("{band} = {}\n", rate + 5));
        }
        text
    })
    .unwrap();
    assert!(!dearer.changes.is_empty());
    assert!(
        dearer.changes.iter().all(|c| c.kind == ChangeKind::Dearer && c.rate_before_ppm < c.rate_after_ppm),
        "{:?}",
        dearer.changes
    );
}

#[test]
fn accounts_drawn_up_differently_are_not_compared() {
    let other = diff(|own| own.replace("offer_valid_days = 30", "offer_valid_days = 20"));
    assert!(matches!(other, Err(PolicyDiffError::Accounts { what }) if what == "offer_valid_days"));
    let unknown = diff(|own| own.replace("feature = \"tenure_days\"", "feature = \"no_such_feature\""));
    assert!(matches!(unknown, Err(PolicyDiffError::Config(_))));
}

#[test]
fn a_policy_says_who_stands_for_it_and_decides_no_earlier_date() {
    let folder = job_folder();
    let signed = |from: &str| {
        let approval =
            format!("\n[approval]\nversion = \"7\"\napproved_by = \"the committee\"\nholds_from = \"{from}\"\n");
        fs::write(folder.path().join("policy.toml"), format!("{}{approval}", own_policy())).unwrap();
    };
    let options = options(data(), folder.path());
    signed("2025-05-02");
    let refused = run_with(&folder.path().join("job.toml"), &options);
    let Err(RunError::Config(error)) = refused else { panic!("a policy of tomorrow has decided") };
    assert!(error.message.contains("2025-05-02"), "{error}");
    signed("2025-05-01");
    let outcome = run_with(&folder.path().join("job.toml"), &options).unwrap();
    let policy = outcome.summary.policy.clone().unwrap();
    assert_eq!((policy.version.as_str(), policy.approved_by.as_str()), ("7", "the committee"));
    let merchant = &offers()[0].merchant_id;
    let walk = explain(&outcome.published.run_dir, merchant).unwrap().unwrap();
    assert_eq!(walk.policy, Some(policy));
    for (wrong, why) in [("version = \"7\"", "version = \" \""), ("2025-05-01", "some day")] {
        let text = fs::read_to_string(folder.path().join("policy.toml")).unwrap().replace(wrong, why);
        fs::write(folder.path().join("policy.toml"), text).unwrap();
        assert!(matches!(run_with(&folder.path().join("job.toml"), &options), Err(RunError::Config(_))));
        signed("2025-05-01");
    }
}
