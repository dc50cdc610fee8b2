//! A small marketplace, simulated once, and the demo's own rules over it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use integrity::domain::{Currency, Digest};
use integrity::model::ModelError;
use integrity::model::registry::approve_folder;
use integrity::run::{RunError, RunOptions, RunOutcome, Silent, run_job};
use integrity::simulate::{SimulationSettings, simulate};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use tempfile::TempDir;

/// Two months before the data ends: later rows are there to be ignored.
pub const AS_OF: Date = date(2025, 5, 1);

/// The simulated data, shared by all tests and never written to.
pub fn data() -> &'static Path {
    static DATA: OnceLock<TempDir> = OnceLock::new();
    DATA.get_or_init(|| simulated(120, 20)).path()
}

/// The data of as many merchants and months.
pub fn simulated(merchants: u64, months: u16) -> TempDir {
    let folder = TempDir::new().unwrap();
    let settings = SimulationSettings::new(merchants, months, 11, Currency::new("CNY").unwrap());
    simulate(&settings, folder.path(), &|_, _| {}).unwrap();
    folder
}

/// Whether a line of the monitor file bounds what may jump.
fn monitor_bounds(line: &str) -> bool {
    [
        "max_score_index",
        "max_missing_rise_share",
        "max_offered_change_share",
        "max_deducted_share",
        "max_released_share",
    ]
    .iter()
    .any(|key| line.starts_with(key))
}

/// A job folder: the demo's rules, with fewer and shorter snapshots.
pub fn job() -> &'static Path {
    static JOB: OnceLock<TempDir> = OnceLock::new();
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let folder = JOB.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/demo");
        fs::copy(demo.join("policy.toml"), folder.path().join("policy.toml")).unwrap();
        // What few merchants are offered and owe changes by half from one night to the next: tests of the gates set bounds of their own.
        let monitor = fs::read_to_string(demo.join("monitor.toml")).unwrap();
        let is_bound = |line: &&str| line.starts_with("[drift]") || monitor_bounds(line);
        let unbounded: Vec<&str> = monitor.lines().filter(|line| !is_bound(line)).collect();
        fs::write(folder.path().join("monitor.toml"), unbounded.join("\n") + "\n").unwrap();
        // So few merchants see too little real distress to learn from: here, falling short of double counts.
        let strict = "net_receipts_after * 5 < net_receipts_before";
        let features = fs::read_to_string(demo.join("features.toml")).unwrap();
        assert!(features.contains(strict));
        let lax = features.replace(strict, "net_receipts_after < net_receipts_before * 2");
        fs::write(folder.path().join("features.toml"), lax).unwrap();
        let text = fs::read_to_string(demo.join("job.toml")).unwrap();
        let (before, _) = text.split_once("[model]").unwrap();
        // Files that a test splits.
        let before = before.replace("\"orders.parquet", "\"orders*.parquet").replace("\"payments.parquet", "\"payments*.parquet");
        let before: String = before.lines().filter(|l| !l.starts_with("max_quarantine_share")).fold(
            String::new(),
            |mut all, line| {
                all.push_str(line);
                all.push('\n');
                if line == "[wash]" {
                    all.push_str("max_quarantine_share = 0.2\n");
                }
                all
            },
        );
        let model = "[store]\nbuckets = 4\n\n[model]\nname = \"small\"\nlabel = \"trade-distress\"\nability_measure = \"net_receipts\"\n\
                     performance_days = 180\nsnapshot_every_days = 90\nsnapshots = 3\ntest_snapshots = 1\napprove_as = \"test\"\napprove_min_auc = 0.0\n\
                     expires_after_days = 90\n";
        fs::write(folder.path().join("job.toml"), format!("{before}{model}")).unwrap();
        folder
    });
    PATH.get_or_init(|| folder.path().join("job.toml"))
}

/// Options for publishing into `out`, with models of its own.
pub fn options(data: &Path, out: &Path) -> RunOptions {
    RunOptions {
        as_of: Some(AS_OF.into()),
        guess_as_of: false,
        force_as_of: None,
        rehash: false,
        clock: || Timestamp::UNIX_EPOCH,
        peak_memory: || None,
        data: Some(data.to_owned()),
        data_root: None,
        out: Some(out.join("published")),
        models: Some(out.join("models")),
        started_at: Timestamp::UNIX_EPOCH,
        command_line: vec!["test".to_owned()],
        code_version: "test".to_owned(),
    }
}

/// Runs the job over `data` into `out`.
pub fn run(data: &Path, out: &Path) -> Result<RunOutcome, RunError> {
    run_with(job(), &options(data, out))
}

/// Runs a job. So few merchants teach a model nothing that a job may approve: a person does, and the job runs again.
pub fn run_with(job: &Path, options: &RunOptions) -> Result<RunOutcome, RunError> {
    match run_job(job, options, &Silent) {
        Err(RunError::Model(ModelError::Refused { path, .. })) if !path.join("approval.json").exists() => {
            approve_folder(&path, "a test", AS_OF).unwrap();
            run_job(job, options, &Silent)
        }
        other => other,
    }
}

/// One run over the shared data, for tests that only read it.
pub fn base() -> &'static (TempDir, RunOutcome) {
    static BASE: OnceLock<(TempDir, RunOutcome)> = OnceLock::new();
    BASE.get_or_init(|| {
        let out = TempDir::new().unwrap();
        let outcome = run(data(), out.path()).unwrap();
        (out, outcome)
    })
}

/// Digests of what a run published, by path: tables, summary and the trained model, not what describes the input files.
pub fn bytes_of(run: &RunOutcome) -> BTreeMap<String, Digest> {
    let mut found = BTreeMap::new();
    collect(&run.published.run_dir, &run.published.run_dir, &mut found);
    found
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, Digest>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(root, &path, found);
        } else if !name.starts_with("manifest.json") && name != "wash_ledger.json" {
            found.insert(name, Digest::of_file(&path).unwrap());
        }
    }
}
