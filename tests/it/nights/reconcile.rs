//! A core system's books held against the loan book: the export is written from the loan service's own books, which know nothing of the ledger.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use integrity::cli::{ExitCode, main};
use integrity::core_system::{CoreField, CoreSystemError, Difference, DifferenceKind};
use integrity::publish::TableReader;
use integrity::run::{ReconcileReport, RunError, RunOptions, Silent, reconcile_books};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use tempfile::TempDir;

use super::{Drawn, FIRST_NIGHT, Lender, Marketplace, Offer, at, trading_marketplace};
use crate::run::fixture;

const TONIGHT: i64 = 40;

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

fn offer(merchant: &str, product: &str, term_days: i32) -> Offer {
    Offer {
        offer_id: format!("elsewhere-{merchant}-{product}"),
        merchant_id: merchant.to_owned(),
        product: product.to_owned(),
        limit_minor: 90_000,
        daily_rate_ppm: 450,
        term_days,
        valid_until_on: day(60),
        pledged_order_ids: Vec::new(),
    }
}

/// Six loans: one repaid, one late since long, one late in part, one paid ahead, two untouched.
fn lending(lender: &Lender) -> Marketplace {
    let mut market = trading_marketplace(lender, 6);
    let mut draw = |merchant: &str, product: &str, term, on: i64| {
        market.draw(&offer(merchant, product, term), 80_000 + on, at(day(on), 9))
    };
    let repaid = draw("m01", "order-loan", 7, 0);
    let late = draw("m02", "order-loan", 7, 5);
    let partly = draw("m03", "credit-loan", 180, 1);
    let ahead = draw("m04", "credit-loan", 180, 2);
    draw("m05", "credit-loan", 180, 20);
    draw("m06", "order-loan", 7, 38);
    let owed = market.loans()[&repaid].owed_minor(at(day(6), 9));
    market.repay(&repaid, owed, at(day(6), 9));
    market.repay(&late, 700, at(day(20), 9));
    market.repay(&partly, 500, at(day(31), 9));
    market.repay(&ahead, 30_000, at(day(10), 9));
    market
}

/// What the loan service's books say: outstanding, interest due, arrears, days past due. Within an instalment interest is paid first.
fn said(loan: &Drawn, now: Timestamp) -> [i64; 4] {
    let today = now.to_zoned(TimeZone::UTC).date();
    let mut left: i64 = loan.paid.iter().filter(|(paid_at, _)| *paid_at < now).map(|(_, sum)| sum).sum();
    let (mut unpaid_interest, mut unpaid, mut oldest) = (0, 0, None);
    for (due_on, principal, interest) in loan.dues.iter().filter(|(due_on, ..)| *due_on < today) {
        let of_interest = left.min(*interest);
        let of_principal = (left - of_interest).min(*principal);
        left -= of_interest + of_principal;
        unpaid_interest += interest - of_interest;
        let rest = principal + interest - of_interest - of_principal;
        unpaid += rest;
        oldest = oldest.or((rest > 0).then_some(*due_on));
    }
    let days = oldest.map_or(0, |due_on: Date| i64::from((today - due_on).get_days()));
    [loan.principal_owed_minor(now), unpaid_interest, unpaid, days]
}

fn main_units(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

/// The export as a core system writes it: its own names, main units, closed loans with blank cells.
fn export(market: &Marketplace, night: Date) -> String {
    let mut text = "account,client,state,principal balance,interest overdue,total overdue,dpd\n".to_owned();
    for (id, loan) in market.loans().iter().filter(|(_, loan)| loan.at < at(night, 0)) {
        let [outstanding, interest, arrears, days] = said(loan, at(night, 0));
        let line = if loan.owed_minor(at(night, 0)) == 0 {
            format!("{id},{},Closed (obligations met),,,,", loan.merchant_id)
        } else {
            let [outstanding, interest, arrears] = [outstanding, interest, arrears].map(main_units);
            format!("{id},{},ACTIVE,{outstanding},{interest},{arrears},{days}", loan.merchant_id)
        };
        writeln!(text, "{line}").unwrap();
    }
    text.push_str("x1,m01,Rejected,,,,\n");
    text
}

const MAPPING: &str = r#"
[reconcile]
tolerance_minor = 1
blank_is_zero = ["outstanding", "interest", "arrears", "days_past_due"]

[reconcile.columns]
loan_id = "account"
merchant_id = "client"
status = "state"
outstanding = "principal balance"
interest = "interest overdue"
arrears = "total overdue"
days_past_due = "dpd"

[reconcile.status]
closed = ["Closed (obligations met)"]
no_loan = ["Rejected"]
"#;

struct Desk {
    lender: Lender,
    folder: TempDir,
}

impl Desk {
    fn new(mapping: &str) -> (Self, Marketplace) {
        let lender = Lender::with(&[("job.toml", "[model]", &format!("{mapping}\n[model]"))]);
        let market = lending(&lender);
        let folder = TempDir::new().unwrap();
        market.write_until(&folder.path().join("data"), at(day(TONIGHT), 0));
        (Self { lender, folder }, market)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn compare(&self, export: &Path, columns: &[(CoreField, String)]) -> Result<ReconcileReport, RunError> {
        let options =
            RunOptions { as_of: Some(day(TONIGHT).into()), ..fixture::options(&self.data(), self.folder.path()) };
        reconcile_books(&self.lender.job(), &options, export, columns, &Silent)
    }

    fn command(&self, export: &Path, more: &[&str]) -> ExitCode {
        let (job, data, night) = (self.lender.job(), self.data(), day(TONIGHT).to_string());
        let [job, data, export] =
            [job.as_path(), data.as_path(), export].map(|path| path.to_string_lossy().into_owned());
        let fixed = ["integrity", "-q", "reconcile", &job, "--data", &data, "--as-of", &night, "--ledger", &export];
        main(fixed.iter().chain(more).map(Into::into))
    }
}

#[test]
fn books_of_their_own_agree_and_what_is_planted_is_found() {
    let (desk, market) = Desk::new(MAPPING);
    let text = export(&market, day(TONIGHT));
    let sound = desk.write("sound.csv", &text);
    let report = desk.compare(&sound, &[]).unwrap();
    assert!(report.agrees && report.differences.is_empty(), "{:#?}", report.differences);
    assert_eq!((report.loans.compared, report.loans.equal, report.skipped), (6, 6, 1));
    assert_eq!(report.not_compared, []);
    let sums: [i64; 4] = market.loans().values().fold([0; 4], |sums, loan| {
        let said = said(loan, at(day(TONIGHT), 0));
        [0, 1, 2, 3].map(|at| sums[at] + said[at])
    });
    assert!(sums.iter().all(|sum| *sum > 0), "{sums:?}: the books show all that is compared");
    let fields = [CoreField::Outstanding, CoreField::Interest, CoreField::Arrears];
    assert_eq!(fields.map(|field| report.totals[&field].ours), sums[..3]);
    assert_eq!(desk.command(&sound, &[]), ExitCode::Ok);

    // A loan lost, another's status, a cent (tolerated), a yuan, a day, a loan that we do not have.
    let ids: Vec<&String> = market.loans().keys().collect();
    let broken: Vec<String> = text
        .lines()
        .filter(|line| !line.starts_with(ids[5].as_str()))
        .map(|line| {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            let add = |cell: &str, cents: i64| main_units(cell.replace('.', "").parse::<i64>().unwrap() + cents);
            match ids.iter().position(|id| **id == cells[0]) {
                Some(1) => cells[6] = (cells[6].parse::<i64>().unwrap() + 1).to_string(),
                Some(2) => cells[5] = add(&cells[5], 1),
                Some(3) => cells[3] = add(&cells[3], -100),
                Some(4) => cells[2] = "closed (obligations met)".to_owned(),
                _ => {}
            }
            cells.join(",")
        })
        .chain(["l999999,m01,active,1,0,0,0".to_owned()])
        .collect();
    let broken = desk.write("broken.csv", &broken.join("\n"));
    let report = desk.compare(&broken, &[]).unwrap();
    let found: Vec<(&str, DifferenceKind, Option<i64>, bool)> = report
        .differences
        .iter()
        .map(|d| (d.loan_id.as_deref().unwrap(), d.what, d.difference, d.is_tolerated))
        .collect();
    let expected = [
        (ids[1].as_str(), DifferenceKind::DaysPastDue, Some(1), false),
        (ids[2], DifferenceKind::Arrears, Some(1), true),
        (ids[3], DifferenceKind::Outstanding, Some(-100), false),
        (ids[4], DifferenceKind::Status, None, false),
        (ids[5], DifferenceKind::MissingInExport, None, false),
        ("l999999", DifferenceKind::MissingHere, None, false),
    ];
    assert_eq!(found, expected);

    let (csv, parquet) = (desk.folder.path().join("d.csv"), desk.folder.path().join("d.parquet"));
    for path in [&csv, &parquet] {
        assert_eq!(desk.command(&broken, &["--write", &path.to_string_lossy()]), ExitCode::Data);
    }
    let written: Vec<Difference> = TableReader::open(&parquet).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(written, report.differences);
    let lines: Vec<String> = fs::read_to_string(&csv).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(lines[0], "number,loan_id,merchant_id,row,what,ours,theirs,difference,is_tolerated,detail");
    assert_eq!((lines.len(), lines[4].split(',').nth(4).unwrap()), (7, "status"));
    assert_eq!(desk.command(&sound, &["--write", &csv.to_string_lossy()]), ExitCode::RefusesToOverwrite);
}

#[test]
fn a_name_or_word_that_is_not_understood_is_told() {
    let (desk, market) = Desk::new("");
    let text = export(&market, day(TONIGHT));
    let path = desk.write("e.csv", &text);
    let message = |result: Result<ReconcileReport, RunError>| result.unwrap_err().to_string();
    let nameless = message(desk.compare(&path, &[]));
    assert!(nameless.contains("\"loan_id\"") && nameless.contains("account, client"), "{nameless}");
    let mapped = [(CoreField::LoanId, "account".to_owned()), (CoreField::Status, "state".to_owned())];
    match desk.compare(&path, &mapped) {
        Err(RunError::CoreSystem(CoreSystemError::UnknownStatus { words })) => {
            let told: Vec<(&str, u64)> = words.iter().map(|unknown| (unknown.word.as_str(), unknown.rows)).collect();
            assert_eq!(told, [("Closed (obligations met)", 1), ("Rejected", 1)]);
            for unknown in &words {
                let row = usize::try_from(unknown.first_row).unwrap();
                assert!(text.lines().nth(row).unwrap().contains(&unknown.word), "data row {row}: {}", unknown.word);
            }
            let message = CoreSystemError::UnknownStatus { words }.to_string();
            assert!(message.contains("\"Rejected\" in data row "), "{message}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(desk.command(&path, &["--column", "loan_id=account", "--column", "status=state"]), ExitCode::Config);
    assert_eq!(desk.command(&path, &["--column", "loan=account"]), ExitCode::Usage);
    // The rejected application is a loan that we do not have; nothing but ids can be compared.
    let report = desk.compare(&path, &mapped[..1]).unwrap();
    assert_eq!(report.counts.keys().collect::<Vec<_>>(), [&DifferenceKind::MissingHere]);
    assert_eq!(report.compared, [CoreField::LoanId]);
    assert_eq!(desk.command(Path::new("no-such-export.csv"), &[]), ExitCode::InputMissing);
}
