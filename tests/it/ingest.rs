//! Raw files to store: the ledger, the as-of filter, order independence, and what is refused.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use integrity::config::Job;
use integrity::domain::AsOf;
use integrity::store::Store;
use integrity::wash::{AsOfChoice, IngestError, Ingested, ingest};
use jiff::civil::{Date, date};
use polars::prelude::*;

/// A job over CSV or Parquet files in a folder of its own.
struct World {
    folder: tempfile::TempDir,
    extension: &'static str,
    limit: f64,
}

const TABLES: [&str; 8] =
    ["merchants", "orders", "shipments", "reviews", "disputes", "loans", "instalments", "payments"];

impl World {
    fn new(extension: &'static str) -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap(), extension, limit: 1.0 };
        for stub in ["features.toml", "policy.toml", "monitor.toml"] {
            fs::write(world.path(stub), "").unwrap();
        }
        fs::create_dir(world.path("data")).unwrap();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn job(&self) -> Job {
        let mut text = format!(
            "name = 'test'\ncurrency = 'CNY'\ndata = 'data'\nout = 'out'\nmodels = 'models'\nfeatures = 'features.toml'\n\
             policy = 'policy.toml'\nmonitor = 'monitor.toml'\n[wash]\nmax_quarantine_share = {}\n[store]\nbuckets = 4\n\
             [model]\nname = 'm'\nperformance_days = 90\nsnapshot_every_days = 30\nsnapshots = 3\ntest_snapshots = 1\n\
             expires_after_days = 30\n",
            self.limit
        );
        for table in TABLES {
            let optional = !["merchants", "orders"].contains(&table);
            write!(
                text,
                "[inputs.{table}]\nfiles = '{table}*.{}'\noptional = {optional}\n[[source]]\ntable = '{table}'\nfrom = '{table}'\n",
                self.extension
            )
            .unwrap();
        }
        fs::write(self.path("job.toml"), text).unwrap();
        Job::open(&self.path("job.toml")).unwrap()
    }

    fn csv(&self, file: &str, text: &str) {
        fs::write(self.path("data").join(file), text).unwrap();
    }

    fn run(&self, day: Date) -> Result<Ingested, IngestError> {
        ingest(&self.job(), AsOfChoice::Day(day), &self.path("store"), &mut |_| {})
    }
}

fn utc(day: Date) -> AsOf {
    AsOf::new(day, jiff::tz::TimeZone::UTC).unwrap()
}

fn texts(frame: &DataFrame, column: &str) -> Vec<Option<String>> {
    frame.column(column).unwrap().str().unwrap().iter().map(|c| c.map(str::to_owned)).collect()
}

/// Every file of a store with its bytes.
fn store_bytes(store: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, root: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, into);
            } else {
                into.insert(path.strip_prefix(root).unwrap().display().to_string(), fs::read(&path).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(store, store, &mut files);
    files
}

/// All rows of a table over all buckets, as of a date.
fn rows_as_of(store: &Store, table: &str, day: Date) -> DataFrame {
    let mut all: Option<DataFrame> = None;
    for bucket in 0..store.buckets() {
        let shard = store.shard(bucket, &utc(day)).unwrap();
        let rows = shard.table(table).unwrap().clone();
        all = Some(match all {
            None => rows,
            Some(so_far) => so_far.vstack(&rows).unwrap(),
        });
    }
    all.unwrap()
}

const MERCHANTS: &str =
    "merchant_id,registered_at,category,region\nM1,2018-01-01 00:00:00,toys,SP\nM2,2018-01-05 00:00:00,books,RJ\n";

const ORDERS: &str = "order_id,merchant_id,buyer_id,placed_at,paid_at,completed_at,amount_minor,currency,recorded_at
O1,M1,B1,2018-02-01 10:00:00,2018-02-01 11:00:00,2018-02-10 00:00:00,1000,CNY,
O2,M2,B2,2018-03-01 10:00:00,,,2500,CNY,
";

#[test]
fn a_small_world_is_washed_and_read_back() {
    let world = World::new("csv");
    world.csv("merchants.csv", MERCHANTS);
    world.csv("orders.csv", ORDERS);
    world.csv(
        "shipments.csv",
        "shipment_id,order_id,merchant_id,ship_by_at,shipped_at,promised_at,delivered_at,carrier,tracking
S1,O1,M1,2018-02-03 00:00:00,2018-02-02 09:00:00,2018-02-12 00:00:00,2018-02-09 15:00:00,C,T1
S2,O2,M2,2018-03-03 00:00:00,,2018-03-20 00:00:00,,,
",
    );
    world.csv(
        "loans.csv",
        "loan_id,merchant_id,product,disbursed_at,principal_minor,term_days,daily_rate_ppm,repayment
L1,M1,credit-loan,2018-02-15 00:00:00,50000,90,500,bullet
",
    );
    world.csv(
        "payments.csv",
        "payment_id,loan_id,paid_at,amount_minor,channel\nP1,L1,2018-03-01 00:00:00,100,voluntary\n",
    );
    let made = world.run(date(2018, 4, 1)).unwrap();
    assert_eq!(made.rows_quarantined(), 0, "{:?}", made.ledger);
    assert_eq!(made.store.rows("orders"), Some(2));
    assert_eq!(made.store.rows("reviews"), None, "an absent table is no evidence, not zero");
    made.store.verify().unwrap();

    let payments = rows_as_of(&made.store, "payments", date(2018, 4, 1));
    assert_eq!(texts(&payments, "merchant_id"), [Some("M1".to_owned())]);

    // Looking back: O2 is not placed, O1 paid but not completed, its parcel shipped but not delivered.
    let orders = rows_as_of(&made.store, "orders", date(2018, 2, 5));
    assert_eq!(texts(&orders, "order_id"), [Some("O1".to_owned())]);
    assert_eq!(orders.column("paid_at").unwrap().null_count(), 0);
    assert_eq!(orders.column("completed_at").unwrap().null_count(), 1);
    let shipments = rows_as_of(&made.store, "shipments", date(2018, 2, 5));
    assert_eq!(texts(&shipments, "shipment_id"), [Some("S1".to_owned())]);
    assert_eq!(shipments.column("ship_by_at").unwrap().null_count(), 0);
    assert_eq!(shipments.column("delivered_at").unwrap().null_count(), 1);
    let payments = rows_as_of(&made.store, "payments", date(2018, 2, 10));
    assert_eq!(payments.height(), 0);
}

/// The folder of real data, where this machine has it.
fn real_data() -> Option<PathBuf> {
    let named = std::env::var_os("INTEGRITY_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let found = [named, Some(beside)]
        .into_iter()
        .flatten()
        .flat_map(|root| [root.join("olist"), root])
        .find(|folder| folder.join("olist_orders_dataset.csv").is_file());
    if found.is_none() {
        eprintln!("skipped: no Olist files in INTEGRITY_DATA or ../shared/data/olist");
    }
    found
}

/// The Olist job with this crate's SQL, over any folder, with settings files of its own.
fn olist_job(folder: &Path, data: &Path) -> Job {
    let pipeline = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/olist");
    fs::create_dir_all(folder.join("sources")).unwrap();
    for entry in fs::read_dir(pipeline.join("sources")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.join("sources").join(path.file_name().unwrap())).unwrap();
    }
    fs::copy(pipeline.join("job.toml"), folder.join("job.toml")).unwrap();
    for stub in ["features.toml", "policy.toml", "monitor.toml"] {
        fs::write(folder.join(stub), "").unwrap();
    }
    let mut job = Job::open(&folder.join("job.toml")).unwrap();
    job.data = data.to_owned();
    job
}

#[test]
fn olist_counts_are_as_known() {
    let Some(data) = real_data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let job = olist_job(folder.path(), &data);
    let made = ingest(&job, AsOfChoice::JobOrLatest, &folder.path().join("store"), &mut |_| {}).unwrap();
    eprintln!("{} {:#?}", made.as_of.date(), made.ledger);
}
