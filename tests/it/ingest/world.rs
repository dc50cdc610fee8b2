//! Small random marketplaces as text tables, with faults on request.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use integrity::config::ConfigError;
use integrity::contract::{TableContract, Type};
use integrity::run::Job;
use integrity::wash::{IngestError, Ingested, ingest};
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, date};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The observation of all random worlds.
pub fn as_of() -> Date {
    date(2018, 7, 1)
}

/// A table as text: an empty cell is null.
#[derive(Debug, Clone, Default)]
pub struct Text {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Text {
    pub fn new(columns: &str) -> Self {
        Self { columns: columns.split(',').map(str::to_owned).collect(), rows: Vec::new() }
    }

    pub fn at(&self, column: &str) -> usize {
        self.columns.iter().position(|c| c == column).unwrap()
    }

    pub fn push<const N: usize>(&mut self, cells: [&str; N]) {
        assert_eq!(N, self.columns.len());
        self.rows.push(cells.iter().map(|&c| c.to_owned()).collect());
    }

    pub fn csv(&self, rows: &[Vec<String>]) -> String {
        let mut text = self.columns.join(",") + "\n";
        for row in rows {
            text += &(row.join(",") + "\n");
        }
        text
    }
}

pub type Tables = BTreeMap<&'static str, Text>;

/// A job over files in a folder of its own.
pub struct World {
    folder: tempfile::TempDir,
    extension: &'static str,
    pub limit: f64,
    pub by_table: BTreeMap<&'static str, f64>,
    pub buckets: u32,
    /// Further lines of sources that have a SELECT.
    pub of_sql: &'static str,
    /// What the job says of single inputs, instead of where their files are.
    pub of_input: BTreeMap<&'static str, &'static str>,
    /// Further lines of the job file.
    pub more: &'static str,
}

pub const TABLES: [&str; 11] = [
    "merchants", "orders", "shipments", "reviews", "disputes", "loans", "instalments", "payments", "applications",
    "inventory", "guarantee_groups",
];

impl World {
    pub fn new(extension: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = Self {
            folder,
            extension,
            limit: 1.0,
            by_table: BTreeMap::new(),
            buckets: 4,
            of_sql: "",
            of_input: BTreeMap::new(),
            more: "",
        };
        for stub in ["features.toml", "policy.toml", "monitor.toml"] {
            fs::write(world.path(stub), "").unwrap();
        }
        fs::create_dir(world.path("data")).unwrap();
        world
    }

    /// A world whose tables stand in one CSV file each.
    pub fn of(tables: &Tables) -> Self {
        let world = Self::new("csv");
        for (name, table) in tables {
            world.csv(&format!("{name}.csv"), &table.csv(&table.rows));
        }
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn data(&self, name: &str) -> PathBuf {
        self.path("data").join(name)
    }

    pub fn job(&self) -> Job {
        self.try_job().unwrap()
    }

    pub fn try_job(&self) -> Result<Job, ConfigError> {
        let mut text = format!(
            "name = 'test'\ncurrency = 'CNY'\ndata = 'data'\nout = 'out'\nmodels = 'models'\nfeatures = 'features.toml'\n\
             policy = 'policy.toml'\nmonitor = 'monitor.toml'\n[wash]\nmax_quarantine_share = {:?}\n\
             [wash.max_quarantine_share_by_table]\n",
            self.limit
        );
        for (table, limit) in &self.by_table {
            writeln!(text, "{table} = {limit:?}").unwrap();
        }
        writeln!(text, "[store]\nbuckets = {}", self.buckets).unwrap();
        text += "[model]\nname = 'm'\nlabel = 'loan-default'\nability_measure = 'gmv'\n\
                 performance_days = 90\nsnapshot_every_days = 30\nsnapshots = 3\ntest_snapshots = 1\nexpires_after_days = 30\n";
        for table in TABLES {
            let optional = !["merchants", "orders"].contains(&table);
            let extension = self.extension;
            let files = format!("files = '**/{table}*.{extension}'");
            let input = self.of_input.get(table).copied().unwrap_or(&files);
            writeln!(text, "[inputs.{table}]\n{input}\noptional = {optional}").unwrap();
            writeln!(text, "[[source]]\ntable = '{table}'\nfrom = '{table}'").unwrap();
            let sql = self.path(&format!("{table}.sql"));
            if sql.exists() {
                writeln!(text, "sql = '{table}.sql'\n{}", self.of_sql).unwrap();
            }
        }
        text += self.more;
        fs::write(self.path("job.toml"), text).unwrap();
        Job::open(&self.path("job.toml"))
    }

    pub fn csv(&self, file: &str, text: &str) {
        let path = self.data(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn run(&self, day: Date) -> Result<Ingested, IngestError> {
        ingest(&self.job().intake, day, &self.path("store"), &|_| {})
    }
}

/// Every file of a store with its bytes.
pub fn store_bytes(store: &Path) -> BTreeMap<String, Vec<u8>> {
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

pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0.random_range(0..n)
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let other = self.below(at + 1);
            items.swap(at, other);
        }
    }
}

/// Minutes after 2018-01-01, as the tables write instants.
pub fn instant(minutes: usize) -> String {
    let start: DateTime = date(2018, 1, 1).at(0, 0, 0, 0);
    (start + i64::try_from(minutes).unwrap().minutes()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Minutes from 2018-01-01 to as-of.
pub const HORIZON: usize = 181 * 1_440;

/// A consistent marketplace: some of it lies after as-of, some rows come in several versions.
#[expect(clippy::too_many_lines, reason = "one table after the other, merchant by merchant")]
pub fn marketplace(dice: &mut Dice) -> Tables {
    let mut merchants = Text::new("merchant_id,registered_at,category,region,verification,closed_at,recorded_at");
    let mut orders = Text::new(
        "order_id,merchant_id,buyer_id,placed_at,paid_at,cancelled_at,completed_at,refunded_at,amount_minor,refund_minor,\
         currency,recorded_at",
    );
    let mut shipments = Text::new(
        "shipment_id,order_id,merchant_id,ship_by_at,shipped_at,promised_at,delivered_at,lost_at,carrier,tracking,recorded_at",
    );
    let mut reviews = Text::new("review_id,order_id,merchant_id,buyer_id,created_at,stars,recorded_at");
    let mut disputes =
        Text::new("dispute_id,order_id,merchant_id,buyer_id,opened_at,closed_at,kind,outcome,amount_minor,recorded_at");
    let mut loans = Text::new(
        "loan_id,merchant_id,product,disbursed_at,principal_minor,term_days,daily_rate_ppm,repayment,written_off_at,recorded_at",
    );
    let mut instalments = Text::new("loan_id,number,due_on,principal_minor,interest_minor,fee_minor,recorded_at");
    let mut payments = Text::new("payment_id,loan_id,paid_at,amount_minor,channel,reversed_at,recorded_at");
    let maybe = |dice: &mut Dice, percent, text: String| if dice.chance(percent) { text } else { String::new() };

    for m in 0..6 {
        let id = format!("M{m}");
        let opened = dice.below(if m == 5 { HORIZON * 2 } else { 20_000 });
        let closed = {
            let at = instant(opened + dice.below(300_000));
            maybe(dice, 20, at)
        };
        let verified = dice.one_of(&["none", "basic", "full", ""]);
        merchants.push([&id, &instant(opened), dice.one_of(&["toys", "books"]), "SP", verified, &closed, ""]);
        if dice.chance(30) {
            let recorded = instant(opened + 1_000 + dice.below(400_000));
            merchants.push([&id, &instant(opened), "moved", "RJ", "full", &closed, &recorded]);
        }
        for o in 0..dice.below(9) {
            let order = format!("O{m}{o}");
            let placed = opened + dice.below(300_000);
            let (paid, shipped) = (placed + dice.below(3_000), placed + dice.below(9_000));
            let delivered = shipped + dice.below(30_000);
            let buyer = format!("B{}", dice.below(9));
            let amount = 1_000 + dice.below(90_000);
            let is_refunded = dice.chance(15);
            let refunded = if is_refunded { instant(delivered + dice.below(9_000)) } else { String::new() };
            let refund = if is_refunded { (amount / 2).to_string() } else { String::new() };
            let (paid, cancelled) = (instant(paid), {
                let at = instant(delivered);
                maybe(dice, 10, at)
            });
            let completed = {
                let at = instant(delivered + 5_000);
                maybe(dice, 70, at)
            };
            let first_recorded = {
                let at = instant(placed + dice.below(4_000));
                maybe(dice, 50, at)
            };
            let amount = amount.to_string();
            if dice.chance(25) {
                // An early version: only placed.
                let early =
                    [&order, &id, &buyer, &instant(placed), "", "", "", "", &amount, "", "CNY", &first_recorded];
                orders.push(early.map(|c: &str| c));
                let later = instant(placed + 5_000 + dice.below(200_000));
                orders.push([
                    &order,
                    &id,
                    &buyer,
                    &instant(placed),
                    &paid,
                    &cancelled,
                    &completed,
                    &refunded,
                    &amount,
                    &refund,
                    "CNY",
                    &later,
                ]);
            } else {
                orders.push([
                    &order,
                    &id,
                    &buyer,
                    &instant(placed),
                    &paid,
                    &cancelled,
                    &completed,
                    &refunded,
                    &amount,
                    &refund,
                    "CNY",
                    &first_recorded,
                ]);
            }
            if dice.chance(80) {
                let lost = {
                    let at = instant(delivered);
                    maybe(dice, 5, at)
                };
                let arrived = {
                    let at = instant(delivered);
                    maybe(dice, 80, at)
                };
                shipments.push([
                    &format!("S{m}{o}"),
                    &order,
                    &id,
                    &instant(placed + 4_000),
                    &instant(shipped),
                    &instant(placed + 20_000),
                    &arrived,
                    &lost,
                    "C",
                    "T",
                    "",
                ]);
            }
            if dice.chance(50) {
                let (at, stars) = (instant(delivered + dice.below(9_000)), (1 + dice.below(5)).to_string());
                reviews.push([&format!("R{m}{o}"), &order, &id, &buyer, &at, &stars, ""]);
            }
            if dice.chance(20) {
                let (opened, closed) = (instant(delivered), instant(delivered + dice.below(60_000)));
                disputes.push([
                    &format!("D{m}{o}"),
                    &order,
                    &id,
                    &buyer,
                    &opened,
                    &closed,
                    "other",
                    "buyer-won",
                    &amount,
                    "",
                ]);
            }
        }
        if dice.chance(60) {
            let loan = format!("L{m}");
            let lent = opened + 10_000 + dice.below(200_000);
            let lost = {
                let at = instant(lent + 100_000);
                maybe(dice, 20, at)
            };
            loans.push([&loan, &id, "credit-loan", &instant(lent), "90000", "90", "500", "equal-principal", &lost, ""]);
            let restructured = dice.chance(30).then(|| lent + 20_000 + dice.below(90_000));
            for n in 1..4 {
                let due = &instant(lent + n * 43_200)[..10];
                instalments.push([&loan, &n.to_string(), due, "30000", "400", "0", ""]);
                if let Some(at) = restructured {
                    let due = &instant(lent + n * 43_200 + 40_000)[..10];
                    instalments.push([&loan, &n.to_string(), due, "30000", "500", "0", &instant(at)]);
                }
                let bounced = {
                    let at = instant(lent + n * 43_200 + 3_000);
                    maybe(dice, 10, at)
                };
                payments.push([
                    &format!("P{m}{n}"),
                    &loan,
                    &instant(lent + n * 43_200),
                    "30400",
                    "voluntary",
                    &bounced,
                    "",
                ]);
            }
        }
    }
    [
        ("merchants", merchants),
        ("orders", orders),
        ("shipments", shipments),
        ("reviews", reviews),
        ("disputes", disputes),
        ("loans", loans),
        ("instalments", instalments),
        ("payments", payments),
    ]
    .into_iter()
    .collect()
}

/// Breaks about one row in `one_in`: garbage, nulls, wrong words, impossible numbers, wrong times, strangers, repeats.
pub fn plant_faults(tables: &mut Tables, dice: &mut Dice, one_in: usize) {
    for table in tables.values_mut() {
        let mut again = Vec::new();
        for row in &mut table.rows {
            if dice.below(one_in) != 0 {
                continue;
            }
            if dice.chance(25) {
                again.push(row.clone());
                continue;
            }
            let at = dice.below(row.len());
            let long = "M0".repeat(200);
            let fault = [
                "",
                " ",
                " M0",
                "O00 ",
                "M0\u{200b}",
                "B1\u{7}",
                "1.23457E+18",
                &long,
                "garbage",
                "-1",
                "99999999999999999999",
                "2018-02-30 00:00:00",
                "USD",
                "M0",
                "O00",
                "nobody",
                "2017-01-01 00:00:00",
                "2018-03-03 03:03:03",
                "2031-01-01 00:00:00",
                "1800-01-01 00:00:00",
                "1800-01-01",
                "2999-12-31 00:00:00",
                "2999-12-31",
                "9223372036854775807",
                "-9223372036854775808",
            ];
            dice.one_of(&fault).clone_into(&mut row[at]);
        }
        table.rows.extend(again);
    }
}

/// Sends about one row in `one_in` again under its key, broken in a column that is not of its key, or with an event that lies after its
/// stamp; half of these come after the row, and some of the others are themselves mended by a third sending.
pub fn resend_broken(tables: &mut Tables, dice: &mut Dice, one_in: usize) {
    for (name, table) in tables.iter_mut() {
        let contract = integrity::contract::table(name).unwrap();
        let recorded = table.at("recorded_at");
        let breakable: Vec<usize> = (0..table.columns.len())
            .filter(|at| {
                let column = contract.column(&table.columns[*at]).unwrap();
                let is_masked =
                    contract.masks.iter().any(|m| m.milestone == column.name || m.reveals.contains(&column.name));
                column.required
                    && !contract.key.contains(&column.name)
                    && !is_masked
                    && contract.visibility.event() != Some(column.name)
            })
            .collect();
        let mut again = Vec::new();
        for row in &table.rows {
            if dice.below(one_in) != 0 {
                continue;
            }
            let stamp = instant(dice.below(HORIZON + 60_000));
            let mut broken = row.clone();
            let event = contract.visibility.event().filter(|event| !contract.key.contains(event));
            if let (Some(event), true) = (event, dice.chance(30)) {
                // The event lies ahead of the stamp, by up to two months or, within a day, by nothing that matters.
                let stamped: DateTime = stamp.parse().unwrap();
                let ahead = i64::try_from(dice.below(90_000)).unwrap();
                broken[table.at(event)] = (stamped + ahead.minutes()).strftime("%Y-%m-%d %H:%M:%S").to_string();
            } else {
                // A broken version of a row that nobody has seen yet is alone: it names its owner.
                let is_ahead = |column: &str| row[table.at(column)] >= instant(HORIZON);
                let is_alone = is_ahead("recorded_at") || event.is_some_and(is_ahead);
                let names_owner =
                    |at: usize| contract.foreign_keys.iter().any(|reference| reference.column == table.columns[at]);
                let cells: Vec<usize> = breakable.iter().copied().filter(|at| !is_alone || !names_owner(*at)).collect();
                if cells.is_empty() {
                    continue;
                }
                broken[cells[dice.below(cells.len())]].clear();
            }
            broken[recorded].clone_from(&stamp);
            if dice.chance(20) {
                broken[recorded].clone_from(&row[recorded]);
            }
            again.push(broken);
            if dice.chance(30) {
                let mut mended = row.clone();
                mended[recorded] = instant(dice.below(HORIZON + 60_000));
                again.push(mended);
            }
        }
        table.rows.extend(again);
    }
}

/// Sends about one row in `one_in` again under its key and at the same instant, saying something else: another number, word, time or
/// name, or a cell left out. Now and then a third sending at a later instant settles it, with the owner and the parents of the first.
pub fn resend_contradicting(tables: &mut Tables, dice: &mut Dice, one_in: usize) {
    for (name, table) in tables.iter_mut() {
        let contract = integrity::contract::table(name).unwrap();
        let recorded = table.at("recorded_at");
        let is_changeable = |at: &usize| !contract.key.contains(&table.columns[*at].as_str()) && *at != recorded;
        let changeable: Vec<usize> = (0..table.columns.len()).filter(is_changeable).collect();
        let mut again = Vec::new();
        for row in &table.rows {
            if dice.below(one_in) != 0 {
                continue;
            }
            let mut others = Vec::new();
            for _ in 0..=dice.below(2) {
                let mut other = row.clone();
                for _ in 0..=dice.below(2) {
                    let at = changeable[dice.below(changeable.len())];
                    other[at] = another(&other, at, table, contract, dice);
                }
                others.push(other);
            }
            if dice.chance(40) {
                let mut settled = if dice.chance(50) { row.clone() } else { others[0].clone() };
                for reference in contract.foreign_keys {
                    let at = table.at(reference.column);
                    settled[at].clone_from(&row[at]);
                }
                settled[recorded] = instant(dice.below(HORIZON + 60_000));
                others.push(settled);
            }
            again.extend(others);
        }
        table.rows.extend(again);
    }
}

/// What a sender might have written in place of a cell. A milestone and what it reveals stay together: what is revealed without its
/// milestone would be known before it.
fn another(row: &[String], at: usize, text: &Text, table: &TableContract, dice: &mut Dice) -> String {
    let cell = row[at].as_str();
    let column = table.column(&text.columns[at]).unwrap();
    let is_empty = |name: &str| row[text.at(name)].is_empty();
    let mask = table.masks.iter().find(|m| m.milestone == column.name || m.reveals.contains(&column.name));
    let pair = mask.filter(|mask| !mask.reveals.is_empty());
    if pair.is_some_and(|mask| is_empty(mask.milestone)) {
        return cell.to_owned();
    }
    let is_milestone_of_pair = pair.is_some_and(|mask| mask.milestone == column.name);
    if !column.required && !is_milestone_of_pair && dice.chance(40) {
        return String::new();
    }
    match column.kind {
        Type::Money | Type::Integer => {
            let number = cell.parse::<i64>().unwrap_or(4).saturating_add(1);
            column.bounds().map_or(number, |(low, high)| number.clamp(low, high)).to_string()
        }
        Type::Word(words) => dice.one_of(words).to_owned(),
        Type::Instant => {
            // A milestone that another may not precede moves back: a row stays as sound or as broken as it was, whenever one looks.
            let is_followed =
                mask.is_some() && table.checks.iter().any(|c| c.holds.ends_with(&format!(">= {}", column.name)));
            let minutes = i64::try_from(dice.below(40_000)).unwrap() * if is_followed { -1 } else { 1 };
            let moved =
                cell.parse::<DateTime>().map(|at| (at + minutes.minutes()).strftime("%Y-%m-%d %H:%M:%S").to_string());
            moved.unwrap_or_else(|_| instant(dice.below(HORIZON * 2)))
        }
        Type::Day => cell.parse::<Date>().map_or_else(|_| cell.to_owned(), |on| (on + 3.days()).to_string()),
        Type::Id if column.name == "merchant_id" => format!("M{}", dice.below(6)),
        Type::Id if column.name == "order_id" => format!("O{}{}", dice.below(6), dice.below(4)),
        Type::Id if column.name == "loan_id" => format!("L{}", dice.below(6)),
        Type::Id | Type::Text | Type::Ids if column.name == "currency" => cell.to_owned(),
        Type::Id | Type::Text | Type::Ids => format!("{cell}x"),
    }
}
