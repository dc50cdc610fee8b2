//! Officers' decisions about credit, over whole nights: in the offers, in a table of their own, in the log, and explained.

use std::fs;
use std::path::{Path, PathBuf};

use integrity::monitor::{Handling, OfficerDecision};
use integrity::offer::{Decline, Offer, Override, OverrideEffect};
use integrity::publish::{DecidedByOfficers, DecisionEvent, OutputRow, TableReader, read_officer_log, verify};
use integrity::report::{entry_text, explain, policy_diff};
use integrity::run::{CheckOptions, Job, JobRules, RunError, Silent, check_job};
use tempfile::TempDir;

use super::fixture::{AS_OF, data, options, run_with};
use super::policies::job_folder;

const TERMS: &str = "[overrides]\nlongest_days = 60\n[[overrides.officer]]\nname = \"Li Wei\"\nmay = [\"decline\", \"lower-limit\"]\n\n";

fn rows<T: OutputRow>(run: &Path, table: &str) -> Vec<T> {
    TableReader::open(&run.join(table)).unwrap().map(Result::unwrap).collect()
}

fn entry(merchant: &str, product: &str, change: &str) -> String {
    format!(
        "[[override]]\nmerchant_id = {merchant:?}\nproduct = {product:?}\n{change}\nfrom = \"2025-05-01\"\nuntil = \"2025-05-31\"\n\
         reason = \"seen on site\"\nby = \"Li Wei\"\n"
    )
}

/// A job of its own whose file of officers' decisions holds these.
fn job_with_overrides(entries: &str) -> (TempDir, PathBuf) {
    let folder = job_folder();
    let job = folder.path().join("job.toml");
    let text = fs::read_to_string(&job).unwrap();
    fs::write(&job, text.replacen("[inputs]", "overrides = \"overrides.toml\"\n\n[inputs]", 1)).unwrap();
    fs::write(folder.path().join("overrides.toml"), entries).unwrap();
    (folder, job)
}

/// Lets the job's policy say what officers may decide.
fn allow_officers(folder: &TempDir) -> PathBuf {
    let policy = folder.path().join("policy.toml");
    let text = fs::read_to_string(&policy).unwrap();
    fs::write(&policy, text.replacen("[receivables]", &format!("{TERMS}[receivables]"), 1)).unwrap();
    policy
}

#[test]
fn what_officers_decide_is_in_the_offers_the_table_the_log_and_the_explanation() {
    let (folder, job) = job_with_overrides("");
    let policy = allow_officers(&folder);
    let file = folder.path().join("overrides.toml");
    let run = |out: &str| {
        // Models are shared: what officers decide teaches them nothing.
        let options = options(data(), &folder.path().join(out));
        run_with(&job, &integrity::run::RunOptions { models: Some(folder.path().join("models")), ..options })
    };
    let plain = run("plain").unwrap();
    let offers: Vec<Offer> = rows(&plain.published.run_dir, "offers.parquet");
    let [first, second] = [0, 1].map(|at| offers.iter().filter(|offer| offer.limit_minor > 20_000).nth(at).unwrap());
    assert!(rows::<OverrideEffect>(&plain.published.run_dir, "overrides.parquet").is_empty());
    assert!(!folder.path().join("plain/published").join(Override::LOG).exists());

    let lowered = entry(&second.merchant_id, &second.product, "change = \"lower-limit\"\nlimit_minor = 10_000");
    fs::write(&file, entry(&first.merchant_id, &first.product, "change = \"decline\"") + &lowered).unwrap();
    let decided = run("decided").unwrap();
    let run_dir = &decided.published.run_dir;
    let of = |offer: &Offer| {
        let after: Vec<Offer> = rows(run_dir, "offers.parquet");
        after.into_iter().find(|o| (&o.merchant_id, &o.product) == (&offer.merchant_id, &offer.product))
    };
    assert!(of(first).is_none());
    let smaller = of(second).unwrap();
    assert_eq!((smaller.limit_minor, smaller.binding_cap.to_string().as_str()), (10_000, "officer"));
    let declines: Vec<Decline> = rows(run_dir, "declines.parquet");
    let decline =
        declines.iter().find(|d| (&d.merchant_id, &d.product) == (&first.merchant_id, &first.product)).unwrap();
    assert_eq!(decline.reasons[0].code.as_str(), "officer-decision");
    assert!(decline.overrides.as_ref().unwrap()[0].contains("Li Wei until 2025-05-31: seen on site"));

    let effects: Vec<OverrideEffect> = rows(run_dir, "overrides.parquet");
    let seen = |offer: &Offer| {
        effects.iter().find(|e| e.merchant_id == offer.merchant_id && e.product == offer.product).unwrap()
    };
    assert_eq!((seen(first).limit_without_minor, seen(first).limit_minor), (Some(first.limit_minor), None));
    assert_eq!((seen(second).limit_without_minor, seen(second).limit_minor), (Some(second.limit_minor), Some(10_000)));

    let out = folder.path().join("decided/published");
    let log = read_officer_log::<Override>(&out).unwrap();
    assert_eq!(log.len(), 2);
    assert!(log.iter().all(|line| line.event == DecisionEvent::InForce && line.as_of == AS_OF));
    let explained = explain(run_dir, &second.merchant_id).unwrap().unwrap();
    assert!(
        entry_text(&explained.entry).contains("officer: limit lowered to 10000 minor units by Li Wei"),
        "{}",
        entry_text(&explained.entry)
    );
    // The published cases hold what officers decided: the same is decided again.
    let again = policy_diff(run_dir, &policy, &policy).unwrap();
    assert_eq!((again.before_differs_from_published, again.changes.len()), (0, 0));

    let whole = fs::read(out.join(Override::LOG)).unwrap();
    let found = || verify(&out, None).unwrap().all_findings().map(|f| f.path.clone()).collect::<Vec<_>>();
    let nothing: [String; 0] = [];
    assert_eq!(found(), nothing);
    // A log that was cut or removed does not hold what the run wrote.
    let first_line = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    fs::write(out.join(Override::LOG), &whole[..first_line]).unwrap();
    assert_eq!(found(), [Override::LOG]);
    fs::remove_file(out.join(Override::LOG)).unwrap();
    assert_eq!(found(), [Override::LOG]);
    // A log that was changed stops the next night, before anything is published.
    fs::write(out.join(Override::LOG), String::from_utf8(whole).unwrap().replace("seen on site", "seen in town"))
        .unwrap();
    assert_eq!(found(), [Override::LOG]);
    fs::write(&file, &lowered).unwrap();
    assert!(matches!(run("decided"), Err(RunError::Publish(_))));
}

#[test]
fn a_check_writes_no_log_and_a_decision_about_nobody_is_told() {
    let (folder, job) = job_with_overrides(&entry("m999", "credit-loan", "change = \"decline\""));
    allow_officers(&folder);
    let options = options(data(), folder.path());
    let run = run_with(&job, &options).unwrap();
    assert_eq!(read_officer_log::<Override>(&folder.path().join("published")).unwrap().len(), 1);
    let unpublished = folder.path().join("unpublished");
    let dry = integrity::run::RunOptions { out: Some(unpublished.clone()), ..options };
    let checked = check_job(&job, &dry, CheckOptions::default(), &Silent).unwrap();
    assert!(checked.stopped.is_none() && checked.results.is_some());
    assert!(!unpublished.join(Override::LOG).exists());
    let manifest = fs::read_to_string(run.published.run_dir.join("manifest.json")).unwrap();
    assert!(manifest.contains("the decision of Li Wei about merchant \\\"m999\\\" (decline) does nothing"));
}

#[test]
fn decisions_about_alerts_stand_in_a_log_of_their_own_that_nobody_changes() {
    let folder = job_folder();
    let job = folder.path().join("job.toml");
    let text = fs::read_to_string(&job).unwrap();
    fs::write(&job, text.replacen("[inputs]", "officers = \"officers.toml\"\n\n[inputs]", 1)).unwrap();
    let snooze = |merchant: &str, until: &str| {
        let text = format!(
            "[[decision]]\nhandling = \"snoozed\"\nmerchant_id = {merchant:?}\nfrom = \"2025-05-01\"\nuntil = {until:?}\n\
             reason = \"seen on site\"\nby = \"Li Wei\"\n"
        );
        fs::write(folder.path().join("officers.toml"), text).unwrap();
    };
    let run = || run_with(&job, &options(data(), folder.path()));
    let out = folder.path().join("published");
    let log = || read_officer_log::<OfficerDecision>(&out).unwrap();

    snooze("m1", "2025-05-31");
    let night = run().unwrap();
    let first = log();
    let is_known = |line: &integrity::publish::LoggedDecision<OfficerDecision>| {
        (line.as_of, line.event, line.decided.handling) == (AS_OF, DecisionEvent::InForce, Handling::Snoozed)
    };
    assert!(first.len() == 1 && first.iter().all(is_known), "{first:?}");
    let manifest = fs::read_to_string(night.published.run_dir.join("manifest.json")).unwrap();
    assert!(manifest.contains("\"alert_decisions\""));
    // Nothing was decided about credit: that log has no line.
    assert!(read_officer_log::<Override>(&out).unwrap().is_empty());

    let path = out.join(OfficerDecision::LOG);
    let whole = fs::read_to_string(&path).unwrap();
    let found = || verify(&out, None).unwrap().all_findings().map(|f| f.path.clone()).collect::<Vec<_>>();
    assert!(found().is_empty());
    fs::write(&path, whole.replace("Li Wei", "Li Wai")).unwrap();
    assert_eq!(found(), [OfficerDecision::LOG]);
    // Another date ends the one decision and begins another; not upon a log that was changed.
    snooze("m1", "2025-05-30");
    assert!(matches!(run(), Err(RunError::Publish(_))));
    fs::write(&path, whole).unwrap();
    run().unwrap();
    let events: Vec<DecisionEvent> = log().iter().map(|line| line.event).collect();
    assert_eq!(events, [DecisionEvent::InForce, DecisionEvent::Ended, DecisionEvent::InForce]);
}

#[test]
fn a_decision_that_the_policy_does_not_allow_is_refused_with_its_line() {
    let (_folder, job) = job_with_overrides(&entry("m", "credit-loan", "change = \"decline\""));
    let refused = JobRules::open(&Job::open(&job).unwrap()).unwrap_err();
    assert!(refused.message.contains("nobody decide") && refused.line == 1, "{refused}");
}
