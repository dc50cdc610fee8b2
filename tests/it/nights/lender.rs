//! A lender with a model of its own, who judges a marketplace night after night.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use integrity::contract;
use integrity::offer::Policy;
use integrity::run::{AsOfRule, RunError, RunOptions, RunOutcome, Silent, run_job};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use super::market::Marketplace;
use super::{at, copy_tree, steady_orders};
use crate::run::fixture;

/// The day on which the model is trained. It serves for ninety days.
const TRAINED_ON: Date = date(2025, 5, 1);

const BANDS: [&str; 9] = ["A", "B", "C", "D", "E", "F", "G", "H", "I"];

/// The job of the tests of whole runs, but every band is served alike and no loss is expected: what so small a model thinks of a
/// merchant is not what nights in a row are about. Three times the integrity capital leaves room beside an order loan.
fn job() -> &'static Path {
    static JOB: OnceLock<TempDir> = OnceLock::new();
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let folder = JOB.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        copy_tree(fixture::job().parent().unwrap(), folder.path());
        let path = folder.path().join("policy.toml");
        replace(&path, "loss_given_default_prob = 0.6", "loss_given_default_prob = 0.0");
        let text = fs::read_to_string(&path).unwrap();
        let is_rate = |line: &&str| line.split_once(" = ").is_some_and(|(key, _)| BANDS.contains(&key));
        let without: Vec<&str> = text.lines().filter(|l| !is_rate(l)).collect();
        let alike = |line: &str| match line.split_once(" = ") {
            Some(("integrity_capital_factor_ppm", _)) => "integrity_capital_factor_ppm = 3_000_000".to_owned(),
            _ => line.to_owned(),
        };
        fs::write(&path, without.into_iter().map(alike).collect::<Vec<_>>().join("\n")).unwrap();
        let rates = BANDS.map(|band| format!("{band} = 450\n")).concat();
        replace(&path, "[product.daily_rate_ppm]\n", &format!("[product.daily_rate_ppm]\n{rates}"));
        // So small a market begins without a dispute or an application.
        let empty = |table: &&contract::TableContract| {
            format!(
                "\n[[gates.allow]]\ntable = \"{}\"\nwhat = \"absent\"\nuntil = \"{}\"\nreason = \"nothing has happened yet\"\n",
                table.name,
                TRAINED_ON.saturating_add(30.days())
            )
        };
        let path = folder.path().join("job.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text + &contract::TABLES.iter().map(empty).collect::<String>()).unwrap();
        folder
    });
    PATH.get_or_init(|| folder.path().join("job.toml"))
}

/// The policy by which this lender lends.
pub fn policy() -> Policy {
    Policy::open(&job().with_file_name("policy.toml")).unwrap()
}

/// The model: learnt from a hundred and twenty shops whose trade goes up and down from quarter to quarter, so that it tells sales
/// to come from sales that were.
fn models() -> &'static Path {
    static MODELS: OnceLock<TempDir> = OnceLock::new();
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let trained = MODELS.get_or_init(|| {
        let mut market = Marketplace::new(policy(), TimeZone::UTC);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for number in 1..=120 {
            let merchant = format!("m{number:03}");
            market.add_merchant(&merchant, at(date(2023, 1, 1), 8));
            let mut from = date(2023, 7, 1);
            while from < TRAINED_ON {
                let until = from.saturating_add(3.months());
                let amount = 20_000 + 500 * number + random.random_range(0..20_000);
                steady_orders(&mut market, &merchant, amount, from, until);
                from = until;
            }
        }
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        market.write_until(&data, at(TRAINED_ON, 0));
        let options = RunOptions { as_of: Some(AsOfRule::Day(TRAINED_ON)), ..fixture::options(&data, folder.path()) };
        fixture::run_with(job(), &options).unwrap();
        folder
    });
    PATH.get_or_init(|| trained.path().join("models"))
}

/// A lender's folders: the job, the data it is sent, the model it trusts, and what it publishes.
pub struct Lender {
    folder: TempDir,
}

impl Lender {
    /// A lender who has a model and has not published yet.
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// The same with other rules: of each file of the job folder a text that it holds, and what stands in its place.
    pub fn with(changes: &[(&str, &str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        copy_tree(models(), &folder.path().join("models"));
        copy_tree(job().parent().unwrap(), &folder.path().join("job"));
        let lender = Self { folder };
        for (file, before, after) in changes {
            lender.change(file, before, after);
        }
        lender
    }

    /// From now on no gate on rows, bytes or age of a table stops a night: so small a market loses a large share with a single row.
    pub fn open_gates(&self) {
        let gates = "[gates]\nfewer_rows_share = 1.0\nfewer_bytes_share = 1.0\ndays_older = 60\ndays_past_data = 60\n";
        self.change("job.toml", "[model]", &format!("{gates}\n[model]"));
    }

    /// From now on a file of the job folder holds another text.
    pub fn change(&self, file: &str, before: &str, after: &str) {
        replace(&self.folder.path().join("job").join(file), before, after);
    }

    /// A second lender who has published what this one has.
    pub fn copy(&self) -> Self {
        let folder = TempDir::new().unwrap();
        for part in ["job", "models", "published"] {
            copy_tree(&self.folder.path().join(part), &folder.path().join(part));
        }
        Self { folder }
    }

    /// The policy of this lender.
    pub fn policy(&self) -> Policy {
        Policy::open(&self.folder.path().join("job/policy.toml")).unwrap()
    }

    /// The job file.
    pub fn job(&self) -> PathBuf {
        self.folder.path().join("job/job.toml")
    }

    /// Where it publishes.
    pub fn out(&self) -> PathBuf {
        self.folder.path().join("published")
    }

    /// The night of `day`: what the marketplace recorded before it is sent, judged and published.
    pub fn night(&self, market: &Marketplace, day: Date) -> RunOutcome {
        self.night_without(market, day, &[]).unwrap_or_else(|e| panic!("the night of {day}: {e}"))
    }

    /// The same, with tables that nobody sent.
    pub fn night_without(&self, market: &Marketplace, day: Date, absent: &[&str]) -> Result<RunOutcome, RunError> {
        let data = self.folder.path().join("data");
        market.write_until(&data, at(day, 0));
        for table in absent {
            fs::remove_file(data.join(format!("{table}.parquet"))).unwrap();
        }
        let options = RunOptions { as_of: Some(AsOfRule::Day(day)), ..fixture::options(&data, self.folder.path()) };
        run_job(&self.job(), &options, &Silent)
    }
}

fn replace(file: &Path, before: &str, after: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(before), "{} does not say {before:?}", file.display());
    fs::write(file, text.replace(before, after)).unwrap();
}
