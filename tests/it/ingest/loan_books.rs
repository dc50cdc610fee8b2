//! Raw rows of loans to what is said of their borrowers, with faults planted under existing keys: broken evidence never makes a borrower look better.

use std::collections::{BTreeMap, BTreeSet};

use integrity::repayment::{
    BorrowerRecord, CreditRecord, LedgerRules, LoanEvidence, RememberedLoan, exceptions_without_merchant,
    repayment_tables,
};
use jiff::civil::{Date, date};

use super::utc;
use super::world::{Dice, World};

const AS_OF: Date = date(2018, 8, 1);
const BORROWERS: usize = 40;

const HEADERS: [(&str, &str); 3] = [
    (
        "loans",
        "loan_id,merchant_id,product,disbursed_at,principal_minor,term_days,daily_rate_ppm,repayment,recorded_at",
    ),
    ("instalments", "loan_id,number,due_on,principal_minor,interest_minor,fee_minor,recorded_at"),
    ("payments", "payment_id,loan_id,paid_at,amount_minor,channel,recorded_at"),
];

/// Rows of the three tables, each with its borrower's number.
type Books = [Vec<(usize, Vec<String>)>; 3];

const LOANS: usize = 0;
const INSTALMENTS: usize = 1;
const PAYMENTS: usize = 2;

/// Borrowers with a loan each, all of it due long ago and a part of it paid.
fn sound_books() -> Books {
    let mut books = Books::default();
    let row = |text: String| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    for n in 0..BORROWERS {
        let at = "2018-01-10 09:00:00";
        books[LOANS]
            .push((n, row(format!("L{n},M{n},credit-loan,2018-01-10 08:00:00,100000,60,500,equal-principal,{at}"))));
        books[INSTALMENTS].push((n, row(format!("L{n},1,2018-02-09,50000,1500,0,{at}"))));
        books[INSTALMENTS].push((n, row(format!("L{n},2,2018-03-11,50000,750,0,{at}"))));
        let paid = if n % 3 == 0 { 51_500 } else { 20_000 + n };
        let paid_at = "2018-02-20 10:00:00";
        books[PAYMENTS].push((n, row(format!("P{n},L{n},{paid_at},{paid},voluntary,2018-02-20 11:00:00"))));
    }
    books
}

/// What is said of each borrower, and how many lines lead to none.
fn records(books: &Books) -> (BTreeMap<usize, BorrowerRecord>, usize) {
    let Said { records, without_merchant, .. } = night(books, &BTreeSet::new(), AS_OF, &[]);
    (records, without_merchant)
}

/// What a night says.
struct Said {
    /// Of each borrower who can be seen.
    records: BTreeMap<usize, BorrowerRecord>,
    /// Lines of the officers' list that lead to no merchant.
    without_merchant: usize,
    /// What the next night compares loans with.
    left: Vec<RememberedLoan>,
}

/// A night over the books, without the rows of the merchants `gone`, after one that left `before`.
fn night(books: &Books, gone: &BTreeSet<usize>, as_of: Date, before: &[RememberedLoan]) -> Said {
    let world = World::new("csv");
    let sent = (0..BORROWERS).filter(|n| !gone.contains(n));
    let merchants: Vec<String> = sent.map(|n| format!("M{n},2017-01-01 00:00:00,toys,SP")).collect();
    let merchants = merchants.join("\n");
    world.csv("merchants.csv", &format!("merchant_id,registered_at,category,region\n{merchants}"));
    world.csv(
        "orders.csv",
        "order_id,merchant_id,buyer_id,placed_at,amount_minor,currency\nO1,M1,B1,2018-07-31 00:00:00,10,CNY\n",
    );
    for ((table, header), rows) in HEADERS.iter().zip(books) {
        let lines: String = rows.iter().map(|(_, cells)| cells.join(",") + "\n").collect();
        world.csv(&format!("{table}.csv"), &format!("{header}\n{lines}"));
    }
    let made = world.run(as_of).unwrap();
    let rules = LedgerRules { default_dpd: BTreeMap::from([("credit-loan".to_owned(), 90)]), ..LedgerRules::default() };
    let evidence = LoanEvidence::new(before.to_vec(), made.store.buckets());
    let (mut found, mut left) = (BTreeMap::new(), Vec::new());
    let mut lines = BTreeSet::new();
    for bucket in 0..made.store.buckets() {
        let shard = made.store.shard(bucket, &utc(as_of)).unwrap();
        let mut ledger = repayment_tables(&shard, &rules).unwrap().unwrap().ledger;
        ledger.compare_with(&shard, bucket, &evidence).unwrap();
        left.extend(ledger.to_remember(bucket, &evidence, as_of));
        for line in ledger.exceptions() {
            let key = (line.merchant_id, line.loan_id, line.code, line.detail);
            assert!(lines.insert(key.clone()), "{key:?} is on the officers' list twice");
        }
        for id in shard.table("merchants").unwrap().column("merchant_id").unwrap().str().unwrap().iter().flatten() {
            found.insert(id[1..].parse().unwrap(), BorrowerRecord::of(Some(&ledger), id));
        }
    }
    Said { records: found, without_merchant: exceptions_without_merchant(&made.unattributed, |_| false).len(), left }
}

fn known(record: &BorrowerRecord) -> Option<CreditRecord> {
    match record {
        BorrowerRecord::Known(record) => Some(record.clone()),
        BorrowerRecord::NoBook | BorrowerRecord::Unknown(_) => None,
    }
}

/// Cells that no column of these tables takes, but for texts and for times that may be left out.
const BAD: [&str; 7] = ["", "x", "-1", "1800-01-01", "9999999999999999999", "2018-13-40", "2101-01-01 00:00:00"];

/// Plants one fault among the rows of a borrower; the column that alone leads from a loan to its borrower is left as it is.
fn plant(books: &mut Books, borrower: usize, dice: &mut Dice) {
    let table = dice.below(3);
    let own: Vec<usize> = (0..books[table].len()).filter(|&row| books[table][row].0 == borrower).collect();
    let row = own[dice.below(own.len())];
    let columns = books[table][row].1.len();
    let column = loop {
        let column = dice.below(columns);
        if (table, column) != (LOANS, 1) {
            break column;
        }
    };
    let mut again = books[table][row].clone();
    match dice.below(8) {
        0 => dice.one_of(&BAD).clone_into(&mut books[table][row].1[column]),
        // A newer version of the row, broken.
        1 => {
            "2018-07-01 00:00:00".clone_into(&mut again.1[columns - 1]);
            let column = [4, 4, 3][table];
            dice.one_of(&BAD).clone_into(&mut again.1[column]);
            books[table].push(again);
        }
        // A newer version with half the amount.
        2 => {
            "2018-07-01 00:00:00".clone_into(&mut again.1[columns - 1]);
            let column = [4, 3, 3][table];
            again.1[column] = (again.1[column].parse::<i64>().unwrap() / 2).to_string();
            books[table].push(again);
        }
        3 => books[INSTALMENTS].retain(|(of, cells)| *of != borrower || (dice.chance(50) && cells[1] == "1")),
        4 => {
            let mut payment = books[PAYMENTS].iter().find(|(of, _)| *of == borrower).unwrap().clone();
            payment.1[0] += "-again";
            books[PAYMENTS].push(payment);
        }
        // A broken row, sent again with a later stamp.
        5 => {
            let bad = dice.one_of(&BAD);
            bad.clone_into(&mut books[table][row].1[column]);
            bad.clone_into(&mut again.1[column]);
            if column != columns - 1 {
                "2018-07-01 00:00:00".clone_into(&mut again.1[columns - 1]);
            }
            books[table].push(again);
        }
        // A broken loan, whose schedule and payments were sent again.
        6 => {
            let loan = books[LOANS].iter_mut().find(|(of, _)| *of == borrower).unwrap();
            dice.one_of(&["-1", "", "x"]).clone_into(&mut loan.1[4]);
            for table in [INSTALMENTS, PAYMENTS] {
                let mut later: Vec<_> = books[table].iter().filter(|(of, _)| *of == borrower).cloned().collect();
                for (_, cells) in &mut later {
                    "2018-07-01 00:00:00".clone_into(cells.last_mut().unwrap());
                }
                books[table].extend(later);
            }
        }
        _ => {
            let payment = books[PAYMENTS].iter_mut().find(|(of, _)| *of == borrower).unwrap();
            "2018-01-09 00:00:00".clone_into(&mut payment.1[2]);
        }
    }
}

#[test]
fn faults_under_existing_keys_never_make_a_borrower_look_better() {
    let (sound, without_merchant) = records(&sound_books());
    assert_eq!(without_merchant, 0);
    let sound: BTreeMap<usize, CreditRecord> = sound.iter().map(|(n, r)| (*n, known(r).unwrap())).collect();
    assert!(sound.values().all(|r| r.is_in_default && r.loans == 1));
    assert_eq!((sound[&0].dpd, sound[&1].dpd, sound[&1].arrears_minor), (143, 173, 102_250 - 20_001));
    let mut dice = Dice::new(8);
    let (mut unknown, mut still_known) = (0, 0);
    for _ in 0..12 {
        let mut books = sound_books();
        for borrower in (0..BORROWERS).filter(|n| n % 4 != 0) {
            plant(&mut books, borrower, &mut dice);
        }
        let (found, _) = records(&books);
        assert_eq!(found.len(), BORROWERS);
        for (borrower, record) in found {
            let rows: Vec<_> = books.iter().flatten().filter(|(of, _)| *of == borrower).collect();
            let was = sound[&borrower].clone();
            match known(&record) {
                None => unknown += 1,
                Some(now) if borrower % 4 == 0 => assert_eq!(now, was, "a neighbour's fault is not a fault"),
                Some(now) => {
                    still_known += 1;
                    let is_no_better = now.loans == 1 && now.dpd >= was.dpd && now.arrears_minor >= was.arrears_minor;
                    assert!(is_no_better && now.is_in_default, "{borrower}: {now:?} was {was:?} of {rows:#?}");
                }
            }
        }
    }
    assert!(unknown > 200 && still_known > 15, "{unknown} unknown, {still_known} known");
}

/// Takes away, between two nights, something that the first one knew of a borrower. The merchant may be gone for the night.
fn take_away(books: &mut Books, borrower: usize, gone: &mut BTreeSet<usize>, dice: &mut Dice) {
    let lose = |rows: &mut Vec<(usize, Vec<String>)>| rows.retain(|(of, _)| *of != borrower);
    let payment = books[PAYMENTS].iter().position(|(of, _)| *of == borrower).unwrap();
    match dice.below(7) {
        0 => lose(&mut books[PAYMENTS]),
        1 => "L999".clone_into(&mut books[PAYMENTS][payment].1[1]),
        2 => "2018-09-01 00:00:00".clone_into(&mut books[PAYMENTS][payment].1[2]),
        // Less, and no later stamp says since when; a new payment over as much beside it.
        3 => {
            let mut new = books[PAYMENTS][payment].clone();
            "7".clone_into(&mut books[PAYMENTS][payment].1[3]);
            new.1[0] += "-new";
            "2018-08-01 09:00:00".clone_into(&mut new.1[2]);
            "2018-08-01 09:00:00".clone_into(&mut new.1[5]);
            books[PAYMENTS].push(new);
        }
        4 => books[LOANS].retain(|(of, _)| *of != borrower),
        5 => books.iter_mut().for_each(lose),
        _ => {
            books.iter_mut().for_each(lose);
            gone.insert(borrower);
        }
    }
}

/// Faults planted under existing keys over two nights, and a third on which the merchants are back: what the first night knew does not vanish.
#[test]
fn what_one_night_knew_of_a_loan_does_not_vanish_on_the_next() {
    let mut sound = sound_books();
    // Every fifth loan is repaid.
    for (borrower, cells) in &mut sound[PAYMENTS] {
        if *borrower % 5 == 0 {
            "102250".clone_into(&mut cells[3]);
        }
    }
    let nobody = BTreeSet::new();
    let first = night(&sound, &nobody, AS_OF, &[]);
    assert_eq!(first.left.len(), BORROWERS);
    let was: Vec<CreditRecord> = first.records.values().map(|record| known(record).unwrap()).collect();
    assert!(was.iter().any(|record| record.outstanding_minor == 0) && was.iter().any(|record| record.is_in_default));
    let mut dice = Dice::new(21);
    for _ in 0..3 {
        let (mut books, mut gone) = (sound.clone(), BTreeSet::new());
        for borrower in (0..BORROWERS).filter(|n| n % 4 != 0) {
            take_away(&mut books, borrower, &mut gone, &mut dice);
        }
        let second = night(&books, &gone, AS_OF.tomorrow().unwrap(), &first.left);
        let third = night(&books, &nobody, AS_OF.tomorrow().unwrap().tomorrow().unwrap(), &second.left);
        for (said, night) in [(second.records, "second"), (third.records, "third")] {
            for (borrower, record) in said {
                match known(&record) {
                    None => assert_ne!(borrower % 4, 0, "a neighbour's fault is not a fault"),
                    Some(now) => {
                        assert_eq!(borrower % 4, 0, "{borrower} is known on the {night} night: {now:?}");
                        assert_eq!(now.outstanding_minor, was[borrower].outstanding_minor);
                    }
                }
            }
        }
        // All is sent again, and all is known again.
        let back = night(&sound, &nobody, AS_OF.tomorrow().unwrap().tomorrow().unwrap(), &second.left);
        assert!(back.records.values().all(|record| known(record).is_some()));
    }
}

/// The only instalment of a loan long overdue gets a negative interest: it goes to quarantine, and the loan must not seem on time.
#[test]
fn an_overdue_loan_with_an_absurd_instalment_is_not_a_loan_on_time() {
    let mut books = sound_books();
    books[INSTALMENTS].retain(|(of, cells)| *of != 7 || cells[1] == "1");
    let bullet = books[INSTALMENTS].iter_mut().find(|(of, _)| *of == 7).unwrap();
    "100000".clone_into(&mut bullet.1[3]);
    assert!(known(&records(&books).0[&7]).unwrap().is_in_default, "sound, it is in default");
    let bullet = books[INSTALMENTS].iter_mut().find(|(of, _)| *of == 7).unwrap();
    "-1".clone_into(&mut bullet.1[4]);
    let BorrowerRecord::Unknown(loans) = &records(&books).0[&7] else { panic!("it is known") };
    let codes: Vec<&str> = loans[0].causes.iter().map(|c| c.code.as_ref()).collect();
    assert_eq!((loans[0].loan_id.as_deref(), loans[0].principal_minor), (Some("L7"), Some(100_000)));
    assert_eq!(codes, ["no-schedule", "broken-instalment"]);
    assert!(
        loans[0].causes[1].detail.contains("\"L7|1\") is in quarantine: it breaks out-of-range"),
        "{:?}",
        loans[0].causes
    );
}

/// A loan that names no borrower concerns no known merchant, but an officer must see it.
#[test]
fn rows_that_lead_to_no_borrower_are_on_the_officers_list() {
    let mut books = sound_books();
    books[LOANS][5].1[1] = String::new();
    let (_, without_merchant) = records(&books);
    assert!(without_merchant >= 1);
}
