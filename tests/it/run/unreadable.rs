//! A record that cannot be read never buys credit: whatever it would have said, nobody is offered more, or for less, than if it were read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;
use std::sync::OnceLock;

use integrity::offer::{Cap, Decline, Offer};
use integrity::publish::TableReader;
use integrity::report::explain;
use integrity::run::RunOutcome;
use integrity::score::MerchantScore;
use polars::prelude::*;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use super::fixture::{AS_OF, job, options, run_with, simulated};

/// A history long enough for receipts of half a year to be judged out of time, or nobody is offered a credit loan.
fn data() -> &'static Path {
    static DATA: OnceLock<TempDir> = OnceLock::new();
    DATA.get_or_init(|| simulated(200, 27)).path()
}

/// The demo's rules with every band served, each dearer than the one before it, and half a loss expected: what a record says of the risk is felt.
fn job_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    for file in fs::read_dir(job().parent().unwrap()).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    let policy = fs::read_to_string(job().with_file_name("policy.toml")).unwrap();
    let rates = "A = 400\nB = 420\nC = 450\nD = 480\nE = 500\nF = 520\nG = 540\nH = 560\nI = 580\n";
    let is_rate = |line: &&str| line.len() == 7 && line.as_bytes()[1..4] == *b" = ";
    let policy: String = policy.lines().filter(|line| !is_rate(line)).flat_map(|line| [line, "\n"]).collect();
    let policy = policy
        .replace("[product.daily_rate_ppm]\n", &format!("[product.daily_rate_ppm]\n{rates}"))
        .replace("loss_given_default_prob = 0.6", "loss_given_default_prob = 0.02")
        .replace("max_broken_record_share = 0.1", "max_broken_record_share = 1.0")
        .replace("at_least = 180", "at_least = 30");
    fs::write(folder.path().join("policy.toml"), policy).unwrap();
    let job = fs::read_to_string(job()).unwrap();
    fs::write(folder.path().join("job.toml"), job.replace("max_quarantine_share = 0.2", "max_quarantine_share = 1.0"))
        .unwrap();
    folder
}

/// The night on which everything is read, and its folder.
fn base() -> &'static (TempDir, RunOutcome) {
    static BASE: OnceLock<(TempDir, RunOutcome)> = OnceLock::new();
    BASE.get_or_init(|| {
        let folder = job_folder();
        let outcome = run_with(&folder.path().join("job.toml"), &options(data(), folder.path())).unwrap();
        (folder, outcome)
    })
}

fn rows<R: integrity::publish::OutputRow>(run: &RunOutcome) -> Vec<R> {
    let name = R::table().name;
    TableReader::open(&run.published.run_dir.join(format!("{name}.parquet"))).unwrap().map(Result::unwrap).collect()
}

fn table(name: &str) -> DataFrame {
    ParquetReader::new(File::open(data().join(format!("{name}.parquet"))).unwrap()).finish().unwrap()
}

/// What a row says instead of what it said.
#[derive(Debug, Clone)]
enum Spoilt {
    Nothing,
    Number(i64),
    Text(&'static str),
    /// The year 1800.
    Ancient,
    /// A year later than it was, though what followed it has its times still.
    Ahead,
    /// An order of another merchant.
    Stranger,
}

/// A table, a column, and a cell that cannot be used there.
const FAULTS: &[(&str, &str, Spoilt)] = &[
    ("orders", "amount_minor", Spoilt::Number(-1)),
    ("orders", "placed_at", Spoilt::Nothing),
    ("orders", "placed_at", Spoilt::Ancient),
    ("orders", "placed_at", Spoilt::Ahead),
    ("orders", "order_id", Spoilt::Nothing),
    ("orders", "currency", Spoilt::Text("XXX")),
    ("orders", "merchant_id", Spoilt::Nothing),
    ("shipments", "merchant_id", Spoilt::Nothing),
    ("shipments", "order_id", Spoilt::Nothing),
    ("shipments", "shipment_id", Spoilt::Nothing),
    ("reviews", "stars", Spoilt::Number(0)),
    ("reviews", "merchant_id", Spoilt::Nothing),
    ("reviews", "order_id", Spoilt::Nothing),
    ("reviews", "created_at", Spoilt::Nothing),
    ("disputes", "amount_minor", Spoilt::Number(-5)),
    ("disputes", "kind", Spoilt::Text("quarrel")),
    ("disputes", "merchant_id", Spoilt::Text("nobody")),
    ("disputes", "opened_at", Spoilt::Nothing),
    ("disputes", "opened_at", Spoilt::Ahead),
    ("disputes", "order_id", Spoilt::Text("nothing")),
    ("disputes", "order_id", Spoilt::Nothing),
    ("disputes", "order_id", Spoilt::Stranger),
    ("inventory", "stock_value_minor", Spoilt::Number(-1)),
    ("inventory", "stock_value_minor", Spoilt::Nothing),
    ("inventory", "cost_of_sales_minor", Spoilt::Number(-1)),
    ("inventory", "on", Spoilt::Nothing),
    ("inventory", "on", Spoilt::Ancient),
];

/// What followed an event that is moved ahead.
const FOLLOWERS: [(&str, &str); 2] = [("orders", "paid_at"), ("disputes", "closed_at")];

/// Rows that tell against their merchant.
fn tells_against(name: &str, frame: &DataFrame) -> Vec<bool> {
    let set = |column: &str| frame.column(column).unwrap().is_not_null();
    let bad = match name {
        "orders" => set("refunded_at") | set("cancelled_at"),
        "shipments" => set("lost_at"),
        "reviews" => frame.column("stars").unwrap().i64().unwrap().lt_eq(2),
        // Slow stock: more of it than a month's sales cost.
        "inventory" => {
            let money = |column: &str| frame.column(column).unwrap().i64().unwrap();
            let (stock, cost) = (money("stock_value_minor"), money("cost_of_sales_minor"));
            stock.iter().zip(cost.iter()).map(|(stock, cost)| Some(stock > cost)).collect()
        }
        _ => frame.column("outcome").unwrap().str().unwrap().not_equal("merchant-won"),
    };
    bad.iter().map(|bad| bad == Some(true)).collect()
}

/// Rows that could be seen on the night.
fn seen(name: &str, frame: &DataFrame) -> Vec<bool> {
    let midnight = AS_OF.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_microsecond();
    let event = match name {
        "orders" => "placed_at",
        "shipments" => "shipped_at",
        "reviews" => "created_at",
        "inventory" => "on",
        _ => "opened_at",
    };
    let before = |column: &str| before(frame, column, midnight);
    before(event).iter().zip(before("recorded_at")).map(|(e, r)| *e == Some(true) && r != Some(false)).collect()
}

fn before(frame: &DataFrame, column: &str, midnight: i64) -> Vec<Option<bool>> {
    let cells = frame.column(column).unwrap().cast(&DataType::Datetime(TimeUnit::Microseconds, None)).unwrap();
    cells.datetime().unwrap().physical().iter().map(|cell| cell.map(|at| at < midnight)).collect()
}

/// Rows of which a fault can be told: an event that is moved ahead by what followed it.
fn tells(fault: &(&str, &str, Spoilt), frame: &DataFrame) -> Vec<bool> {
    let midnight = AS_OF.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_microsecond();
    match (&fault.2, FOLLOWERS.iter().find(|(table, _)| *table == fault.0)) {
        (Spoilt::Ahead, Some((_, follower))) => {
            before(frame, follower, midnight).into_iter().map(|is_past| is_past == Some(true)).collect()
        }
        _ => vec![true; frame.height()],
    }
}

/// An order of another merchant than the row's.
fn order_of_another(frame: &DataFrame, row: usize) -> Column {
    let owner = frame.column("merchant_id").unwrap().str().unwrap().get(row);
    let orders = table("orders");
    let (ids, owners) =
        (orders.column("order_id").unwrap().str().unwrap(), orders.column("merchant_id").unwrap().str().unwrap());
    let other = ids.iter().zip(owners.iter()).find(|(id, other)| id.is_some() && *other != owner).unwrap().0;
    StringChunked::full("order_id".into(), other.unwrap(), 1).into_column()
}

fn spoil(frame: &mut DataFrame, column: &str, row: usize, cell: &Spoilt) {
    let before = frame.column(column).unwrap().clone();
    let value = match cell {
        Spoilt::Nothing => Column::full_null(column.into(), 1, before.dtype()),
        Spoilt::Number(number) => Int64Chunked::full(column.into(), *number, 1).into_column(),
        Spoilt::Text(text) => StringChunked::full(column.into(), text, 1).into_column(),
        Spoilt::Ancient | Spoilt::Ahead => {
            let micros = before.cast(&DataType::Datetime(TimeUnit::Microseconds, None)).unwrap();
            let was = micros.datetime().unwrap().physical().get(row);
            let is = if matches!(cell, Spoilt::Ancient) {
                Some(-5_364_662_400_000_000)
            } else {
                was.map(|at| at + 365 * 86_400_000_000)
            };
            let instant = DataType::Datetime(TimeUnit::Microseconds, None);
            let cell: Int64Chunked = [is].into_iter().collect();
            cell.with_name(column.into()).into_column().cast(&instant).unwrap()
        }
        Spoilt::Stranger => order_of_another(frame, row),
    };
    let value = value.cast(before.dtype()).unwrap();
    let at = i64::try_from(row).unwrap();
    let mut after = before.slice(0, row);
    after.append(&value).unwrap();
    after.append(&before.slice(at + 1, before.len())).unwrap();
    frame.with_column(after).unwrap();
}

/// A broken row: which, of which merchant, and whether it told against the merchant.
#[derive(Debug, Clone)]
struct Broken {
    merchant: String,
    fault: (&'static str, &'static str, Spoilt),
    row: usize,
    was_bad: bool,
}

/// The night on which these rows are broken.
fn night(broken: &[Broken]) -> (TempDir, RunOutcome) {
    let folder = TempDir::new().unwrap();
    let sent = folder.path().join("data");
    fs::create_dir(&sent).unwrap();
    let names: BTreeSet<&str> = broken.iter().map(|broken| broken.fault.0).collect();
    for file in fs::read_dir(data()).unwrap().map(Result::unwrap).filter(|file| file.path().is_file()) {
        fs::copy(file.path(), sent.join(file.file_name())).unwrap();
    }
    for name in names {
        fs::remove_file(sent.join(format!("{name}.parquet.sha256"))).unwrap();
        let mut frame = table(name);
        for Broken { fault, row, .. } in broken.iter().filter(|broken| broken.fault.0 == name) {
            spoil(&mut frame, fault.1, *row, &fault.2);
        }
        let file = File::create(sent.join(format!("{name}.parquet"))).unwrap();
        ParquetWriter::new(file).finish(&mut frame).unwrap();
    }
    copy(&base().0.path().join("models"), &folder.path().join("models"));
    let outcome = run_with(&base().0.path().join("job.toml"), &options(&sent, folder.path())).unwrap();
    (folder, outcome)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Some merchants: of each category one, because merchants of a category are compared with each other.
fn some_merchants(random: &mut ChaCha8Rng, offered: &BTreeSet<String>) -> Vec<String> {
    let merchants = table("merchants");
    let ids = merchants.column("merchant_id").unwrap().str().unwrap();
    let categories = merchants.column("category").unwrap().str().unwrap();
    let mut by_category: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, category) in ids.iter().zip(categories.iter()) {
        if let (Some(id), Some(category)) = (id, category)
            && offered.contains(id)
        {
            by_category.entry(category).or_default().push(id);
        }
    }
    by_category.values().filter_map(|ids| ids.choose(random).map(|id| (*id).to_owned())).collect()
}

/// One visible row of each merchant, and what is broken in it.
fn draw(random: &mut ChaCha8Rng, merchants: &[String], already: &[Broken]) -> Vec<Broken> {
    let mut broken = Vec::new();
    for merchant in merchants {
        let mut faults = FAULTS.to_vec();
        faults.shuffle(random);
        // A row that tells against the merchant where there is one.
        let wants_bad = random.random_bool(0.8);
        let found = faults.iter().find_map(|fault| {
            let frame = table(fault.0);
            let owners = frame.column("merchant_id").unwrap().str().unwrap();
            let bad = tells_against(fault.0, &frame);
            let (seen, tells) = (seen(fault.0, &frame), tells(fault, &frame));
            // A record that names neither its merchant nor an order is nobody's.
            let names = |column: &str| ["merchant_id", "order_id"].contains(&column);
            let is_nobodys = |row: usize| {
                let is_same = |other: &&Broken| other.fault.0 == fault.0 && other.row == row;
                names(fault.1) && already.iter().filter(is_same).any(|other| names(other.fault.1))
            };
            let is_wanted = |row: &usize| {
                let is_theirs = owners.get(*row) == Some(merchant) && seen[*row] && !is_nobodys(*row);
                is_theirs && tells[*row] && (!wants_bad || bad[*row])
            };
            let rows: Vec<usize> = (0..frame.height()).filter(is_wanted).collect();
            let row = *rows.choose(random)?;
            Some(Broken { merchant: merchant.clone(), fault: fault.clone(), row, was_bad: bad[row] })
        });
        broken.extend(found);
    }
    broken
}

#[test]
fn a_record_that_cannot_be_read_never_raises_an_offer_nor_lowers_its_price() {
    let read = &base().1;
    let offers: Vec<Offer> = rows(read);
    let untouched: BTreeSet<String> = rows::<MerchantScore>(read)
        .into_iter()
        .filter(|score| score.worst_case_score.is_none())
        .map(|score| score.merchant_id)
        .collect();
    let offered: BTreeSet<String> =
        offers.iter().map(|o| o.merchant_id.clone()).filter(|merchant| untouched.contains(merchant)).collect();
    assert!(offered.len() > 10, "{} of {} offers, {:?}", offered.len(), offers.len(), read.summary.declined_by);
    let mut random = ChaCha8Rng::seed_from_u64(20_250_501);
    let mut bought: Vec<String> = Vec::new();
    let (mut tried, mut bad, mut measured, mut felt) = (0, 0, 0, 0);
    for night_of in 0..NIGHTS {
        let merchants = some_merchants(&mut random, &offered);
        let mut broken = draw(&mut random, &merchants, &[]);
        // The season of all merchants is that of other broken records too: with these every figure of receipts may differ by a trace.
        let is_alone = night_of % 2 == 0;
        if is_alone {
            broken.truncate(1);
        }
        let trace = |figure: i64| if is_alone { 0 } else { figure / TRACE };
        let (_folder, outcome) = night(&broken);
        assert_eq!(
            outcome.published.run_dir.parent().unwrap().file_name().unwrap().to_str().unwrap(),
            format!("as_of={AS_OF}")
        );
        let after: Vec<Offer> = rows(&outcome);
        let scores: Vec<MerchantScore> = rows(&outcome);
        let declines: Vec<Decline> = rows(&outcome);
        for one in &broken {
            let of = |offers: &[Offer]| -> Vec<Offer> {
                offers.iter().filter(|offer| offer.merchant_id == one.merchant).cloned().collect()
            };
            let (was, is) = (of(&offers), of(&after));
            let sum = |offers: &[Offer]| offers.iter().map(|offer| offer.limit_minor).sum::<i64>();
            if sum(&is) > sum(&was) {
                bought.push(format!("{one:?}: {was:?} became {is:?}"));
            }
            for offer in &is {
                let Some(before) = was.iter().find(|before| before.product == offer.product) else {
                    bought.push(format!("{one:?}: {offer:?} was not offered before"));
                    continue;
                };
                if offer.daily_rate_ppm < before.daily_rate_ppm {
                    bought.push(format!("{one:?}: {} became {}", before.daily_rate_ppm, offer.daily_rate_ppm));
                }
                let dearer = |cap: &Cap| {
                    let known = before.caps.iter().find(|known| known.name == cap.name).unwrap();
                    let at_most = known.gross_minor.map(|gross| gross + trace(gross));
                    (cap.gross_minor > at_most).then(|| format!("{one:?}: {known:?} became {cap:?}"))
                };
                bought.extend(offer.caps.iter().filter_map(dearer));
            }
            tried += 1;
            bad += usize::from(one.was_bad);
            let score = scores.iter().find(|score| score.merchant_id == one.merchant).unwrap();
            let explained = explain(&outcome.published.run_dir, &one.merchant).unwrap().unwrap();
            assert_eq!(explained.scenarios.is_empty(), score.worst_case_score.is_none(), "{one:?}");
            // A row that a later one of its key corrects says nothing any more.
            if let Some(worst) = score.worst_case_score {
                measured += 1;
                assert!(Some(worst) <= score.score, "{one:?}: {score:?}");
            }
            let is_named = declines.iter().any(|decline| {
                decline.merchant_id == one.merchant
                    && decline.reasons.iter().any(|reason| reason.code.as_str() == "broken-records-at-worst")
            });
            felt += usize::from(is_named || sum(&is) < sum(&was));
        }
    }
    assert!(bought.is_empty(), "{} of {tried}: {bought:#?}", bought.len());
    assert!(
        tried > 20 && bad > tried / 2 && measured > tried * 3 / 4 && felt > 0,
        "{tried} tried, {bad} of them bad, {measured} measured at worst, {felt} felt"
    );
    println!("{tried} tried, {bad} of them bad, {measured} measured at worst, {felt} felt");
}

/// Nights, by turns with one broken record and with one in every category: so many that some record is felt.
const NIGHTS: usize = 16;

/// Broken records of some merchants move the season and the categories of all by less than this part.
const TRACE: i64 = 200;

/// Limits are whole multiples of this: a trace may lift one of them over the next.
const ROUNDING_MINOR: i64 = 10_000;

/// Whatever is broken already, one more broken cell never makes it better: neither of a row nor of several, one after the other.
#[test]
fn one_more_broken_cell_never_raises_an_offer_nor_lowers_its_price() {
    let offers: Vec<Offer> = rows(&base().1);
    let offered: BTreeSet<String> = offers.iter().map(|offer| offer.merchant_id.clone()).collect();
    let mut better: Vec<String> = Vec::new();
    let mut tried = 0;
    for seed in [7, 2_025] {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let merchants = some_merchants(&mut random, &offered);
        let mut broken: Vec<Broken> = Vec::new();
        let mut before = offers.clone();
        for _ in 0..STEPS {
            let more = draw(&mut random, &merchants, &broken);
            broken.extend(more);
            let after: Vec<Offer> = rows(&night(&broken).1);
            for merchant in &merchants {
                tried += 1;
                let of = |offers: &[Offer]| -> Vec<Offer> {
                    offers.iter().filter(|offer| offer.merchant_id == *merchant).cloned().collect()
                };
                let (was, is) = (of(&before), of(&after));
                let sum = |offers: &[Offer]| offers.iter().map(|offer| offer.limit_minor).sum::<i64>();
                // What one product loses another may gain, at no lower rate.
                let cheaper = is.iter().any(|offer| {
                    let known = was.iter().find(|known| known.product == offer.product);
                    let least = was.iter().map(|known| known.daily_rate_ppm).min();
                    known.map(|known| known.daily_rate_ppm).or(least).is_none_or(|rate| offer.daily_rate_ppm < rate)
                });
                if cheaper || sum(&is) > sum(&was) + sum(&was) / TRACE + ROUNDING_MINOR {
                    let faults: Vec<_> = broken.iter().filter(|one| one.merchant == *merchant).collect();
                    let told = |offers: &[Offer]| -> Vec<(String, i64, i64)> {
                        offers.iter().map(|o| (o.product.clone(), o.limit_minor, o.daily_rate_ppm)).collect()
                    };
                    better.push(format!("{faults:?}: {:?} became {:?}", told(&was), told(&is)));
                }
            }
            before = after;
        }
    }
    assert!(tried > 20, "{tried}");
    assert!(better.is_empty(), "{} of {tried}: {better:#?}", better.len());
}

/// How often one more cell of each merchant is broken.
const STEPS: usize = 3;
