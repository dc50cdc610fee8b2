use std::collections::BTreeMap;

use polars::prelude::*;

use super::*;
use crate::repayment::fixture::{Books, DueRow, LoanRow, PaidRow, books, day, rules, shard};
use crate::repayment::{
    BorrowerRecord, ComingDue, ConfirmedPayments, CreditRecord, LastKnown, LedgerRules, NamedOffer, Retention,
    put_under_borrowers, repayment_tables,
};
use crate::store::Shard;

fn ledger_of(shard: &Shard) -> LoanLedger {
    repayment_tables(shard, &rules()).unwrap().unwrap().ledger
}

/// Due on day 107 of a loan of `m1`, seen on day 200: 93 days past due.
fn late() -> Books {
    books(&[LoanRow("l1", "m1", 100, 1_000, None)], &[DueRow("l1", 1, 107, 1_000)], &[])
}

fn broken(table: &str, merchant_id: Option<&str>, loan_id: Option<&str>) -> BrokenRecord {
    BrokenRecord {
        table: table.into(),
        key: Some("k1".into()),
        merchant_id: merchant_id.map(str::to_owned),
        loan_id: loan_id.map(str::to_owned),
        rule: "out-of-range:interest_minor".into(),
        ..BrokenRecord::default()
    }
}

fn codes(ledger: &LoanLedger) -> Vec<(&str, Option<&str>, &str)> {
    ledger
        .unknown
        .iter()
        .flat_map(|l| l.causes.iter().map(move |c| (l.merchant_id.as_str(), l.loan_id.as_deref(), c.code.as_ref())))
        .collect()
}

#[test]
fn a_late_loan_whose_only_instalment_is_broken_is_unknown_not_clean() {
    let sound = ledger_of(&shard(200, &late()));
    assert_eq!((sound.known[0].dpd, sound.known[0].is_in_default), (93, true));

    let mut faulted = late();
    faulted.due.clear();
    faulted.broken = vec![broken("instalments", Some("m1"), Some("l1"))];
    let ledger = ledger_of(&shard(200, &faulted));
    assert!(ledger.known.is_empty());
    assert_eq!(codes(&ledger), [("m1", Some("l1"), "no-schedule"), ("m1", Some("l1"), "broken-instalment")]);
    assert!(matches!(BorrowerRecord::of(Some(&ledger), "m1"), BorrowerRecord::Unknown(loans) if loans.len() == 1));
    let clean = BorrowerRecord::Known(CreditRecord::default());
    assert_eq!(BorrowerRecord::of(Some(&ledger), "m2"), clean, "who never borrowed");
    assert_eq!(BorrowerRecord::of(None, "m1"), BorrowerRecord::NoBook);

    let lines = ledger.exceptions();
    assert_eq!(lines.len(), 2, "a line for each cause");
    assert_eq!((lines[1].product.as_deref(), lines[1].principal_minor), (Some("order-loan"), Some(1_000)));
    assert!(lines[1].detail.contains("\"k1\"") && lines[1].detail.contains("out-of-range:interest_minor"));
}

#[test]
fn a_broken_row_beside_sound_ones_is_enough() {
    for table in ["loans", "instalments", "payments"] {
        let mut faulted = late();
        faulted.broken = vec![broken(table, None, Some("l1"))];
        assert_eq!(ledger_of(&shard(200, &faulted)).known.len(), 0, "{table}");
    }
    let mut elsewhere = late();
    elsewhere.broken = vec![broken("orders", Some("m1"), None)];
    assert_eq!(ledger_of(&shard(200, &elsewhere)).known.len(), 1, "an order says nothing of a loan");
    let mut repaired = late();
    let repaired_at = Some(day(150).micros());
    repaired.broken = vec![BrokenRecord { repaired_at, ..broken("payments", Some("m1"), Some("l1")) }];
    assert_eq!(ledger_of(&shard(200, &repaired)).known.len(), 1, "a sound version has come");
    assert_eq!(ledger_of(&shard(140, &repaired)).known.len(), 0, "but had not yet on day 140");
}

/// Equal keys in the officers' list would stop the night when it is published.
#[test]
fn a_broken_row_that_was_sent_again_is_one_line_of_the_officers_list() {
    let at = |record: BrokenRecord, known: i32| BrokenRecord { known_at: Some(day(known).micros()), ..record };
    let mut faulted = late();
    for (merchant, loan) in [("m1", Some("l1")), ("m2", Some("l1")), ("m2", Some("l7")), ("m2", None)] {
        for table in ["loans", "instalments", "payments"] {
            let record = broken(table, Some(merchant), loan);
            faulted.broken.extend([at(record.clone(), 150), at(record, 151)]);
        }
    }
    let lines = ledger_of(&shard(200, &faulted)).exceptions();
    let keys: BTreeSet<_> = lines.iter().map(|line| (&line.merchant_id, &line.loan_id, &line.code)).collect();
    assert_eq!((lines.len(), keys.len()), (12, 12), "{lines:#?}");
}

#[test]
fn rows_that_lead_to_a_merchant_only_make_an_unknown_loan_without_a_name() {
    let mut faulted = late();
    faulted.broken = vec![broken("loans", Some("m2"), None), broken("loans", Some("m2"), Some("l7"))];
    let ledger = ledger_of(&shard(200, &faulted));
    assert_eq!(codes(&ledger), [("m2", None, "broken-loan"), ("m2", Some("l7"), "broken-loan")]);
    assert_eq!((ledger.of("m1").known.len(), ledger.of("m1").unknown.len()), (1, 0));
    assert_eq!((ledger.of("m2").known.len(), ledger.of("m2").unknown.len()), (0, 2));
    assert!(ledger.of("m2").may_owe() && !ledger.of("m3").may_owe());
    // A row that names another borrower than the loan's own leaves neither with a known record.
    let mut disputed = late();
    disputed.broken = vec![broken("loans", Some("m2"), Some("l1"))];
    let found = ledger_of(&shard(200, &disputed));
    assert_eq!(codes(&found), [("m1", Some("l1"), "broken-loan"), ("m2", Some("l1"), "broken-loan")]);
}

#[test]
fn rows_that_lead_to_no_merchant_are_still_on_the_list() {
    let lines =
        exceptions_without_merchant(&[broken("payments", None, Some("l5")), broken("orders", None, None)], |_| true);
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].loan_id.as_deref(), lines[0].code.as_str()), (Some("l5"), "broken-payment"));
}

#[test]
fn a_payment_for_a_loan_that_cannot_be_seen_says_that_something_was_lent() {
    let mut orphan = late();
    orphan.paid = vec![PaidRow("l8", 120, 300, None), PaidRow("l8", 121, 300, None)];
    let ledger = ledger_of(&shard(200, &orphan));
    assert_eq!(codes(&ledger), [("m1", Some("l8"), "loan-not-visible")]);
}

#[test]
fn a_loan_whose_borrower_cannot_be_seen_is_unknown() {
    let stranger = books(&[LoanRow("l1", "m9", 100, 1_000, None)], &[DueRow("l1", 1, 107, 1_000)], &[]);
    let ledger = ledger_of(&shard(200, &stranger));
    assert_eq!(codes(&ledger), [("m9", Some("l1"), "merchant-not-visible")]);
}

#[test]
fn a_loan_that_is_there_twice_is_unknown_to_both_borrowers() {
    let twice = [LoanRow("l1", "m1", 100, 1_000, None), LoanRow("l1", "m2", 100, 1_000, None)];
    let ledger = ledger_of(&shard(200, &books(&twice, &[DueRow("l1", 1, 107, 1_000)], &[])));
    assert_eq!(codes(&ledger), [("m1", Some("l1"), "loan-repeated"), ("m2", Some("l1"), "loan-repeated")]);
}

/// One absurd row used to stop the whole night.
#[test]
fn an_absurd_loan_is_unknown_alone() {
    let sound = LoanRow("l2", "m2", 100, 500, None);
    let due = [DueRow("l1", 1, 107, 1_000), DueRow("l2", 1, 107, 500)];
    let ancient = books(&[LoanRow("l1", "m1", -80_000, 1_000, None), sound], &due, &[]);
    let huge = books(
        &[LoanRow("l1", "m1", 100, i64::MAX, None), sound],
        &[DueRow("l1", 1, 107, i64::MAX), DueRow("l2", 1, 107, 500)],
        &[PaidRow("l1", 101, i64::MAX, None), PaidRow("l1", 102, i64::MAX, None)],
    );
    for (books, code) in [(ancient, "date-outside-calendar"), (huge, "schedule-amounts")] {
        let ledger = ledger_of(&shard(200, &books));
        assert_eq!((ledger.known.len(), ledger.known[0].dpd), (1, 93));
        assert_eq!(codes(&ledger)[0], ("m1", Some("l1"), code));
    }
}

#[test]
fn a_loan_carries_what_the_contract_says_of_offer_group_and_pledges() {
    let mut seen = shard(200, &late());
    let loans = seen.tables.get_mut("loans").unwrap();
    loans.with_column(Column::new("offer_id".into(), [Some("offer-1")])).unwrap();
    loans.with_column(Column::new("group_id".into(), [None::<&str>])).unwrap();
    let orders = Series::new("".into(), ["o1", "o2"]);
    loans.with_column(Column::new("pledged_order_ids".into(), [orders])).unwrap();
    let loan = &ledger_of(&seen).known[0];
    assert_eq!((loan.offer_id.as_deref(), loan.group_id.as_deref()), (Some("offer-1"), None));
    assert_eq!(loan.pledged_order_ids, ["o1", "o2"]);
    assert_eq!(
        (loan.principal_minor, loan.disbursed_at / 86_400_000_000),
        (1_000, i64::from(day(100).days_since_epoch()))
    );
}

#[test]
fn a_loan_that_was_open_and_is_not_sent_again_is_unknown_to_its_borrower() {
    let before = [("m1", "l1"), ("m1", "l2"), ("m2", "l1"), ("m9", "l9")];
    let before = before.map(|(merchant, loan)| remembered(merchant, loan, LastKnown::Open).with_corrected_payments());
    let mut ledger = ledger_of(&shard(200, &late()));
    assert_eq!(ledger.open_of("m1"), BTreeSet::from(["l1"]));
    ledger.compare_with(&shard(200, &late()), 0, &LoanEvidence::new(before.clone(), 1)).unwrap();
    assert_eq!(ledger.known.len(), 1, "l1 is still m1's");
    let missing = "loan-missing";
    let m9 = ("m9", Some("l9"), missing);
    assert_eq!(codes(&ledger), [("m1", Some("l2"), missing), ("m2", Some("l1"), missing), m9], "m9 is not seen either");
    assert!(matches!(BorrowerRecord::of(Some(&ledger), "m2"), BorrowerRecord::Unknown(_)));
    assert_eq!(ledger.open_of("m1"), BTreeSet::from(["l1", "l2"]), "it is missed again a night later");
}

fn remembered(merchant: &str, loan: &str, last_known: LastKnown) -> RememberedLoan {
    RememberedLoan {
        merchant_id: merchant.to_owned(),
        loan_id: loan.to_owned(),
        product: Some("order-loan".to_owned()),
        principal_minor: Some(1_000),
        group_id: Some("g1".to_owned()),
        last_known,
        known_on: Some(day(199).date()),
        outstanding_minor: Some(700),
        payments: Some(1),
        received_minor: Some(300),
        received_json: None,
        bounced_json: None,
        lent_digest: None,
        schedule_digest: None,
        ends_on: None,
        restructured_on: None,
        is_written_off: None,
        offer_id: None,
        pledge_digest: None,
        borrower_before: None,
    }
}

#[test]
fn a_loan_is_remembered_until_it_is_seen_again_whether_or_not_its_borrower_is() {
    let night = |books: &Books, seen: i32, before: Vec<RememberedLoan>| night_after(books, seen, &before);
    // A first night: the loan is known, and stands as it does.
    let (_, left) = night(&late(), 200, Vec::new());
    let [known] = left.as_slice() else { panic!("{left:?}") };
    assert_eq!((known.last_known, known.known_on), (LastKnown::InDefault, Some(day(200).date())));
    assert_eq!((known.outstanding_minor, known.principal_minor), (Some(1_000), Some(1_000)));
    // m9 has no row, and neither have its loans: the open one is unknown, the repaid one is remembered all the same.
    let none = books(&[], &[], &[]);
    let gone = [remembered("m9", "l8", LastKnown::Closed), remembered("m9", "l9", LastKnown::InDefault)];
    let (ledger, left) = night(&none, 201, gone.to_vec());
    assert_eq!(codes(&ledger), [("m9", Some("l9"), "loan-missing")]);
    let lost = &ledger.unknown[0];
    assert_eq!((lost.principal_minor, lost.group_id.as_deref()), (Some(1_000), Some("g1")), "what was known of it");
    assert_eq!(left, gone, "nothing is forgotten, not even how it stood");
    // A broken row later says less than what was known.
    let mut faulted = books(&[], &[], &[]);
    faulted.broken = vec![broken("loans", Some("m1"), Some("l1"))];
    let before = remembered("m1", "l1", LastKnown::Open);
    let (_, left) = night(&faulted, 202, vec![before.clone()]);
    assert_eq!(left, [before]);
    // A loan that never was known is to be seen again too.
    let (_, left) = night(&faulted, 202, Vec::new());
    assert_eq!((left.len(), left[0].last_known, left[0].known_on), (1, LastKnown::Never, None));
}

#[test]
fn a_loan_that_an_earlier_night_knew_under_another_merchant_is_nobodys_until_the_lender_says_whose() {
    let moved = |books: Books| {
        let loans = books.loans.iter().map(|row| LoanRow("l1", "m2", row.2, row.3, row.4)).collect();
        Books { loans, ..books }
    };
    let (_, known) = night_after(&late(), 120, &[]);
    let nobodys = [("m1", Some("l1"), "loan-missing"), ("m2", Some("l1"), "borrower-changed")];
    let (ledger, left) = night_after(&moved(late()), 121, &known);
    assert_eq!((ledger.known.len(), codes(&ledger)), (0, nobodys.to_vec()));
    let (ledger, left) = night_after(&moved(late()), 122, &left);
    assert_eq!(codes(&ledger), nobodys);
    // Back under its borrower it is known, and the other merchant never had it.
    let (ledger, back) = night_after(&late(), 123, &left);
    assert_eq!((codes(&ledger), ledger.known.len(), back.len()), (vec![], 1, 1));
    // The lender says whose it is: what was known of it is held against its rows there.
    let whose = |merchant: &str| {
        let mut left = left.clone();
        put_under_borrowers(&mut left, &BTreeMap::from([("l1".to_owned(), merchant.to_owned())]));
        left
    };
    let paid = Books { paid: vec![PaidRow("l1", 110, 300, None)], ..late() };
    assert_eq!(codes(&night_after(&moved(late()), 123, &whose("m2")).0), []);
    assert_eq!(codes(&night_after(&late(), 123, &whose("m1")).0), []);
    let (_, mut left) = night_after(&paid, 120, &[]);
    put_under_borrowers(&mut left, &BTreeMap::from([("l1".to_owned(), "m2".to_owned())]));
    let (ledger, _) = night_after(&moved(late()), 121, &left);
    assert_eq!(codes(&ledger), [("m2", Some("l1"), "payments-missing")]);
    // A repaid loan that need not be sent any more is not forgotten by being moved.
    let repaid = Books { paid: vec![PaidRow("l1", 108, 1_000, None)], ..late() };
    let (_, known) = night_after(&repaid, 120, &[]);
    let settled = vec![RememberedLoan { last_known: LastKnown::Settled, ..known[0].clone() }];
    let (_, left) = night_after(&moved(repaid.clone()), 121, &settled);
    assert_eq!(left.len(), 1);
    assert_eq!(codes(&night_after(&moved(repaid), 122, &left).0), [("m2", Some("l1"), "borrower-changed")]);
}

#[test]
fn a_loan_is_found_under_its_earlier_borrower_in_whatever_bucket_that_is() {
    for buckets in [1, 2, 7, 64] {
        let rows = ["m1", "m3", "m4"].map(|merchant| remembered(merchant, merchant, LastKnown::Open));
        let never = RememberedLoan { known_on: None, ..remembered("m5", "m1", LastKnown::Never) };
        let evidence = LoanEvidence::new(rows.into_iter().chain([never]), buckets);
        assert_eq!(evidence.is_loan_of_another("m2", "m1"), Some("m1"));
        assert_eq!(evidence.is_loan_of_another("m5", "m1"), Some("m1"));
        assert_eq!(evidence.is_loan_of_another("m1", "m1"), None, "it was never known to be m5's");
        assert_eq!(evidence.is_loan_of_another("m3", "m3"), None);
        assert_eq!(evidence.is_loan_of_another("m2", "l9"), None, "a new loan");
    }
}

/// A night over `books` on day `seen`, after one that left `before`: its ledger, and what it leaves.
fn night_after(books: &Books, seen: i32, before: &[RememberedLoan]) -> (LoanLedger, Vec<RememberedLoan>) {
    compare_after(&shard(seen, books), before)
}

/// Payments of `l1` that were made up to a day, or all, are right.
fn confirmed_until(until: Option<Date>) -> ConfirmedPayments {
    let mut confirmed = ConfirmedPayments::default();
    confirmed.confirm("l1", until);
    confirmed
}

fn compare_after(shard: &Shard, before: &[RememberedLoan]) -> (LoanLedger, Vec<RememberedLoan>) {
    let evidence = LoanEvidence::new(before.to_vec(), 1);
    let mut ledger = ledger_of(shard);
    ledger.compare_with(shard, 0, &evidence).unwrap();
    let left = ledger.to_remember(0, &evidence, shard.as_of.date());
    (ledger, left)
}

#[test]
fn a_payment_that_an_earlier_night_knew_does_not_vanish() {
    let paid = |paid: &[PaidRow]| Books { paid: paid.to_vec(), ..late() };
    let (first, second) = (PaidRow("l1", 110, 300, None), PaidRow("l1", 115, 200, None));
    let both = paid(&[first, second]);
    let (_, known) = night_after(&both, 120, &[]);
    assert_eq!(
        (known[0].payments, known[0].received_minor, known[0].outstanding_minor),
        (Some(2), Some(500), Some(500))
    );
    let missing = [("m1", Some("l1"), "payments-missing")];
    let lost: [(&str, &[PaidRow]); 5] = [
        ("one", &[first]),
        ("all", &[]),
        ("one, and another came in since", &[second, PaidRow("l1", 120, 300, None)]),
        ("a part of one", &[first, PaidRow("l1", 115, 150, None)]),
        ("one is dated to a day to come", &[first, PaidRow("l1", 130, 200, None)]),
    ];
    for (what, rows) in lost {
        let (ledger, left) = night_after(&paid(rows), 121, &known);
        assert_eq!(codes(&ledger), missing, "{what}");
        assert_eq!(left, known, "{what}: what was known is known still");
        // Still missing a night later, and known again once it is back.
        assert_eq!(codes(&night_after(&paid(rows), 122, &left).0), missing, "{what}");
        assert_eq!(codes(&night_after(&both, 123, &left).0), [], "{what}");
        let corrected: Vec<_> = left.into_iter().map(RememberedLoan::with_corrected_payments).collect();
        assert_eq!(codes(&night_after(&paid(rows), 122, &corrected).0), [], "{what}: the lender says so");
    }
    // Another of its sum, dated back, does not make up for it; numbered anew, it is the same money.
    let dated_back = paid(&[first, PaidRow("l1", 112, 300, None), PaidRow("l1", 116, 200, None)]);
    let lost = |books: &Books, ids: &[&str]| {
        let mut seen = shard(121, books);
        seen.tables.get_mut("payments").unwrap().with_column(Column::new("payment_id".into(), ids)).unwrap();
        compare_after(&seen, &known).0
    };
    assert_eq!(codes(&lost(&dated_back, &["l1-0", "x", "y"])), missing);
    assert_eq!(codes(&lost(&dated_back, &["l1-0", "x", "l1-1"])), [], "its instant was put right");
    assert_eq!(codes(&lost(&paid(&[first, second]), &["x", "y"])), []);
    let bounced = paid(&[first, PaidRow("l1", 115, 200, Some(120))]);
    let (ledger, left) = night_after(&bounced, 121, &known);
    assert_eq!(
        (codes(&ledger), left[0].outstanding_minor),
        (vec![], Some(700)),
        "a payment that bounced stays on record"
    );
    // A lower amount in a version that was recorded since is a correction; one recorded before is not.
    let lowered = |recorded: i32| {
        let mut seen = shard(121, &paid(&[first, PaidRow("l1", 115, 150, None)]));
        let stamps = [Some(day(110).micros()), Some(day(recorded).micros())];
        let stamps = Int64Chunked::from_slice_options("recorded_at".into(), &stamps);
        let stamps = stamps.into_datetime(TimeUnit::Microseconds, None).into_column();
        seen.tables.get_mut("payments").unwrap().with_column(stamps).unwrap();
        compare_after(&seen, &known).0
    };
    assert_eq!((codes(&lowered(120)), codes(&lowered(119))), (vec![], missing.to_vec()));
}

#[test]
fn a_payment_that_had_bounced_has_bounced_still_unless_a_later_version_says_otherwise() {
    let paid = |bounced: Option<i32>| Books { paid: vec![PaidRow("l1", 110, 300, bounced)], ..late() };
    let (_, known) = night_after(&paid(Some(112)), 120, &[]);
    assert_eq!((known[0].outstanding_minor, known[0].bounced().unwrap().len()), (Some(1_000), 1));
    assert_eq!(codes(&night_after(&paid(Some(112)), 121, &known).0), []);
    let missing = [("m1", Some("l1"), "reversal-missing")];
    let (ledger, left) = night_after(&paid(None), 121, &known);
    assert_eq!((codes(&ledger), &left), (missing.to_vec(), &known));
    assert_eq!(codes(&night_after(&paid(None), 122, &left).0), missing, "and a night later");
    let corrected = left.into_iter().map(RememberedLoan::with_corrected_payments).collect::<Vec<_>>();
    assert_eq!(codes(&night_after(&paid(None), 122, &corrected).0), [], "the lender says so");
    let earlier = [RememberedLoan { bounced_json: None, ..known[0].clone() }];
    assert_eq!(codes(&night_after(&paid(None), 121, &earlier).0), [], "a run that did not leave it");
    // Numbered anew, it is the same payment.
    let renumbered = |bounced| {
        let mut seen = shard(121, &paid(bounced));
        seen.tables.get_mut("payments").unwrap().with_column(Column::new("payment_id".into(), ["x"])).unwrap();
        compare_after(&seen, &known).0
    };
    assert_eq!((codes(&renumbered(Some(112))), codes(&renumbered(None))), (vec![], missing.to_vec()));
    // A version that was recorded since is believed, and told.
    let recorded = |on: i32| {
        let mut seen = shard(121, &paid(None));
        let stamp = Int64Chunked::from_slice("recorded_at".into(), &[day(on).micros()]);
        let stamp = stamp.into_datetime(TimeUnit::Microseconds, None).into_column();
        seen.tables.get_mut("payments").unwrap().with_column(stamp).unwrap();
        compare_after(&seen, &known).0
    };
    assert_eq!(codes(&recorded(119)), missing);
    let ledger = recorded(120);
    let told: Vec<&str> = ledger.remarks.iter().map(|line| line.code.as_str()).collect();
    assert_eq!((codes(&ledger), told), (vec![], vec!["payment-no-longer-reversed"]));
}

#[test]
fn a_payment_that_comes_to_light_beside_an_equal_one_of_its_day_may_be_the_same_money() {
    const HOUR: i64 = 3_600_000_000;
    /// Payments of 300 on day 110, so many hours after noon.
    fn seen(on: i32, hours: &[i64]) -> Shard {
        let rows = vec![PaidRow("l1", 110, 300, None); hours.len()];
        let mut shard = shard(on, &Books { paid: rows, ..late() });
        let paid_at: Vec<i64> = hours.iter().map(|hour| day(110).micros() + (12 + hour) * HOUR).collect();
        let paid_at = Int64Chunked::from_slice("paid_at".into(), &paid_at).into_datetime(TimeUnit::Microseconds, None);
        shard.tables.get_mut("payments").unwrap().with_column(paid_at.into_column()).unwrap();
        shard
    }
    let repeated = [("m1", Some("l1"), "payment-repeated")];
    let (_, known) = compare_after(&seen(120, &[0]), &[]);
    let (ledger, left) = compare_after(&seen(121, &[0, 2]), &known);
    assert_eq!(codes(&ledger), repeated);
    assert_eq!(codes(&compare_after(&seen(122, &[0, 2]), &left).0), repeated, "and it stays so");
    assert_eq!(codes(&compare_after(&seen(121, &[0, 24]), &known).0), [], "a day later");
    let (_, both) = compare_after(&seen(120, &[0, 2]), &[]);
    assert_eq!(codes(&compare_after(&seen(121, &[0, 2]), &both).0), [], "both were known on one night");
    for (until, found) in [(None, &[][..]), (Some(day(110).date()), &[]), (Some(day(109).date()), &repeated)] {
        let confirmed = LoanEvidence::new(known.clone(), 1).with_payments_confirmed(confirmed_until(until));
        let mut ledger = ledger_of(&seen(121, &[0, 2]));
        ledger.compare_with(&seen(121, &[0, 2]), 0, &confirmed).unwrap();
        assert_eq!(codes(&ledger), found, "the lender says that they are two, of payments up to {until:?}");
    }
}

#[test]
fn a_payment_that_is_dated_back_a_little_every_night_is_missed_when_it_comes_to_a_day() {
    let seen = |on: i32, hours_back: i64| {
        let mut shard = shard(on, &Books { paid: vec![PaidRow("l1", 110, 300, None)], ..late() });
        let paid_at = [day(110).micros() - hours_back * 3_600_000_000];
        let paid_at = Int64Chunked::from_slice("paid_at".into(), &paid_at).into_datetime(TimeUnit::Microseconds, None);
        shard.tables.get_mut("payments").unwrap().with_column(paid_at.into_column()).unwrap();
        shard
    };
    let (_, mut known) = compare_after(&seen(120, 0), &[]);
    for (night, hours_back, found) in [(121, 10, 0), (122, 20, 0), (123, 25, 1), (124, 30, 1), (125, 15, 0)] {
        let (ledger, left) = compare_after(&seen(night, hours_back), &known);
        assert_eq!(codes(&ledger).len(), found, "{hours_back} hours");
        known = left;
    }
}

#[test]
fn a_payment_that_comes_to_more_than_it_did_is_confirmed_or_the_loan_is_unknown() {
    let seen = |on: i32, minor: i64| {
        let mut shard = shard(on, &Books { paid: vec![PaidRow("l1", 110, minor, None)], ..late() });
        let stamp = Int64Chunked::from_slice("recorded_at".into(), &[day(on - 1).micros()]);
        let stamp = stamp.into_datetime(TimeUnit::Microseconds, None).into_column();
        shard.tables.get_mut("payments").unwrap().with_column(stamp).unwrap();
        shard
    };
    let (_, known) = compare_after(&seen(120, 300), &[]);
    let raised = [("m1", Some("l1"), "payment-raised")];
    let (ledger, left) = compare_after(&seen(121, 400), &known);
    assert_eq!(codes(&ledger), raised, "though a version recorded since says so");
    assert_eq!(codes(&compare_after(&seen(122, 400), &left).0), raised, "and it stays so");
    assert_eq!(codes(&compare_after(&seen(122, 300), &left).0), [], "until it is as it was");
    assert_eq!(codes(&compare_after(&seen(121, 200), &known).0), [], "a smaller sum is believed");
    for (until, found) in [(None, &[][..]), (Some(day(110).date()), &[]), (Some(day(109).date()), &raised)] {
        let confirmed = LoanEvidence::new(known.clone(), 1).with_payments_confirmed(confirmed_until(until));
        let mut ledger = ledger_of(&seen(121, 400));
        ledger.compare_with(&seen(121, 400), 0, &confirmed).unwrap();
        assert_eq!(codes(&ledger), found, "the lender says that it is so much, of payments up to {until:?}");
    }
}

#[test]
fn a_payment_that_is_dated_back_by_a_day_is_not_the_one_that_was_known() {
    let paid = |on: i32| Books { paid: vec![PaidRow("l1", on, 300, None)], ..late() };
    let (_, known) = night_after(&paid(110), 120, &[]);
    for (on, is_known) in [(108, false), (109, false), (110, true), (112, true)] {
        assert_eq!(codes(&night_after(&paid(on), 121, &known).0).is_empty(), is_known, "{on}");
    }
}

#[test]
fn a_repaid_loan_whose_payment_vanishes_is_unknown_however_long_ago_it_was_repaid() {
    let repaid = Books { paid: vec![PaidRow("l1", 108, 1_000, None)], ..late() };
    for closed_days in [0, 1_095] {
        let rules = LedgerRules { retention: Retention { closed_days }, ..rules() };
        let shard = shard(120, &repaid);
        let ledger = repayment_tables(&shard, &rules).unwrap().unwrap().ledger;
        let known = ledger.to_remember(0, &LoanEvidence::default(), shard.as_of.date());
        let settled = closed_days == 0;
        assert_eq!(known[0].last_known, if settled { LastKnown::Settled } else { LastKnown::Closed });
        let (ledger, _) = night_after(&late(), 121, &known);
        assert_eq!(codes(&ledger), [("m1", Some("l1"), "payments-missing")]);
        // Not sent at all, it is missed only while it has to be sent.
        let (ledger, left) = night_after(&books(&[], &[], &[]), 121, &known);
        assert_eq!((ledger.unknown.is_empty(), left.is_empty()), (settled, settled));
    }
}

/// The books of [`late`], where the loan pledges an order of its borrower and another one, whose row belongs to `owner`.
fn pledging(owner: Option<&str>, books: &Books) -> Shard {
    let mut seen = shard(200, books);
    let orders = Series::new("".into(), ["o1", "o2"]);
    let loans = seen.tables.get_mut("loans").unwrap();
    loans.with_column(Column::new("pledged_order_ids".into(), [orders])).unwrap();
    let rows = [Some(("o1", "m1")), owner.map(|owner| ("o2", owner))];
    let (ids, merchants): (Vec<&str>, Vec<&str>) = rows.into_iter().flatten().unzip();
    seen.tables.insert("orders", df!("order_id" => ids, "merchant_id" => merchants).unwrap());
    seen
}

#[test]
fn an_open_loan_pledges_orders_of_its_borrower_only() {
    let not_own = [("m1", Some("l1"), "pledge-not-own")];
    let owned_by = |merchants: &[&str]| {
        let owners = merchants.iter().map(|m| (*m).to_owned()).collect();
        let evidence = LoanEvidence::default().with_order_owners([("o2".to_owned(), owners)].into());
        let mut ledger = ledger_of(&pledging(None, &late()));
        ledger.compare_with(&pledging(None, &late()), 0, &evidence).unwrap();
        ledger
    };
    assert_eq!(
        codes(&owned_by(&["m2"])),
        not_own,
        "too new to be seen under its borrower, but another merchant has it"
    );
    assert_eq!(codes(&owned_by(&["m1", "m2"])), []);
    // The loan was drawn on day 100 of 2018: 11 April.
    let seen_until = |seen: &Shard, until: jiff::civil::Date| {
        let mut ledger = ledger_of(seen);
        ledger.compare_with(seen, 0, &LoanEvidence::default().with_orders_until(Some(until))).unwrap();
        ledger
    };
    let drawn_on = day(100).date();
    let ledger_of = |seen: &Shard| seen_until(seen, drawn_on);
    let stale = seen_until(&pledging(Some("m2"), &late()), drawn_on.yesterday().unwrap());
    assert_eq!(codes(&stale), [], "the orders end before the loan was drawn: nothing can be said");
    assert_eq!(codes(&ledger_of(&pledging(Some("m1"), &late()))), []);
    let ledger = ledger_of(&pledging(Some("m2"), &late()));
    assert_eq!(codes(&ledger), not_own);
    assert!(ledger.unknown[0].causes[0].detail.starts_with("1 of the 2 orders"), "{:?}", ledger.unknown[0].causes);
    assert_eq!(codes(&ledger_of(&pledging(None, &late()))), not_own, "an order that nobody has");
    let mut lost = pledging(None, &late());
    let record =
        |merchant: &str| BrokenRecord { order_id: Some("o2".into()), ..broken("orders", Some(merchant), None) };
    lost.broken = vec![record("m2")];
    assert_eq!(codes(&ledger_of(&lost)), not_own);
    lost.broken.push(record("m1"));
    assert_eq!(codes(&ledger_of(&lost)), [], "its own order, broken: it is there");
    let mut repaid = late();
    repaid.paid = vec![PaidRow("l1", 110, 1_000, None)];
    assert_eq!(codes(&ledger_of(&pledging(Some("m2"), &repaid))), [], "repaid, it rests on nothing any more");
}

#[test]
fn an_open_loan_that_names_an_offer_made_to_another_merchant_is_unknown_for_as_long_as_it_names_it() {
    let naming = |offer: &str, books: &Books| {
        let mut seen = shard(200, books);
        seen.tables.get_mut("loans").unwrap().with_column(Column::new("offer_id".into(), [Some(offer)])).unwrap();
        seen
    };
    let of = |merchant: &str| LoanEvidence::default().with_offers([("x".to_owned(), made(merchant, 1_000))], []);
    let compare = |seen: &Shard, evidence: &LoanEvidence| {
        let mut ledger = ledger_of(seen);
        ledger.compare_with(seen, 0, evidence).unwrap();
        ledger
    };
    let compared = |evidence: &LoanEvidence, offer: &str| compare(&naming(offer, &late()), evidence);
    let strange = [("m1", Some("l1"), "offer-of-another-merchant")];
    assert_eq!(codes(&compared(&of("m1"), "x")), []);
    assert_eq!(codes(&compared(&of("m2"), "y")), [], "an offer that nobody remembers");
    let ledger = compared(&of("m2"), "x");
    assert_eq!((codes(&ledger), ledger.known.len()), (strange.to_vec(), 0));
    assert_eq!(ledger.unknown[0].principal_minor, Some(1_000));
    // The offer has left the accounts since; the officers' list remembers.
    let later = LoanEvidence::default().with_offers([], ledger.exceptions());
    assert_eq!(codes(&compared(&later, "x")), strange);
    assert_eq!(codes(&compared(&later, "y")), [], "the row was mended");
    let mut repaid = late();
    repaid.paid = vec![PaidRow("l1", 110, 1_000, None)];
    assert_eq!(codes(&compare(&naming("x", &repaid), &of("m2"))), []);
}

#[test]
fn a_loan_that_draws_on_a_merchants_offer_under_another_borrower_is_unknown_for_that_merchant() {
    let named = |merchant: Option<&str>| NamedOffer {
        offer_id: "x".to_owned(),
        loan_id: Some("l9".to_owned()),
        merchant_id: merchant.map(str::to_owned),
        product: None,
        principal_minor: Some(900),
    };
    let corrected = |to: &str| BTreeMap::from([("l9".to_owned(), to.to_owned())]);
    let seen = shard(200, &late());
    let compared = |evidence: LoanEvidence, merchant: Option<&str>, borrowers: &BTreeMap<String, String>| {
        let evidence = evidence.with_named_offers([named(merchant)], borrowers);
        let mut ledger = ledger_of(&seen);
        ledger.compare_with(&seen, 0, &evidence).unwrap();
        ledger
    };
    let made_to_m1 = || LoanEvidence::new([], 1).with_offers([("x".to_owned(), made("m1", 1_000))], []);
    let drawn = [("m1", Some("l9"), "drawn-under-another")];
    for row_of in [Some("m2"), None] {
        let ledger = compared(made_to_m1(), row_of, &BTreeMap::new());
        assert_eq!(codes(&ledger), drawn, "{row_of:?}");
        assert_eq!(ledger.of("m1").unknown[0].principal_minor, Some(900));
        let left = ledger.to_remember(0, &LoanEvidence::default(), Date::constant(2025, 1, 1));
        assert!(left.iter().all(|loan| loan.loan_id != "l9"), "its row's merchant remembers it");
        // The offer has left the accounts since; the officers' list remembers.
        let later = || LoanEvidence::new([], 1).with_offers([], ledger.exceptions());
        assert_eq!(codes(&compared(later(), row_of, &BTreeMap::new())), drawn, "{row_of:?}");
    }
    assert_eq!(codes(&compared(made_to_m1(), Some("m1"), &BTreeMap::new())), [], "it is its own");
    assert_eq!(codes(&compared(made_to_m1(), Some("m2"), &corrected("m2"))), [], "the lender says that it is m2's");
    assert_eq!(codes(&compared(made_to_m1(), None, &corrected("m2"))), drawn, "and its row does not");
}

#[test]
fn what_an_earlier_night_knew_was_agreed_stands_until_a_restructure() {
    let of_group = |books: &Books, group: Option<&str>| {
        let mut seen = shard(120, books);
        seen.tables.get_mut("loans").unwrap().with_column(Column::new("group_id".into(), [group])).unwrap();
        seen
    };
    let left = compare_after(&of_group(&late(), Some("g1")), &[]).1;
    let after = |books: &Books, group| compare_after(&of_group(books, group), &left);
    assert_eq!(codes(&after(&late(), Some("g1")).0), []);
    let changed = [("m1", Some("l1"), "terms-changed")];
    let other = |loan: LoanRow, due: &[DueRow]| books(&[loan], due, &[]);
    let same = LoanRow("l1", "m1", 100, 1_000, None);
    let changes = [
        ("no group", late(), None),
        ("another group", late(), Some("g2")),
        (
            "paid out a day earlier",
            other(LoanRow("l1", "m1", 101, 1_000, None), &[DueRow("l1", 1, 107, 1_000)]),
            Some("g1"),
        ),
        ("due a day earlier", other(same, &[DueRow("l1", 1, 106, 1_000)]), Some("g1")),
        ("in two parts", other(same, &[DueRow("l1", 1, 106, 500), DueRow("l1", 2, 107, 500)]), Some("g1")),
    ];
    for (what, books, group) in changes {
        let (ledger, remembered) = after(&books, group);
        assert_eq!(codes(&ledger), changed, "{what}");
        let terms = |loan: &RememberedLoan| (loan.lent_digest.clone(), loan.schedule_digest.clone(), loan.ends_on);
        assert_eq!(terms(&remembered[0]), terms(&left[0]), "{what}: remembered as it was known");
        let corrected: Vec<_> = left.iter().cloned().map(RememberedLoan::with_corrected_terms).collect();
        assert_eq!(codes(&compare_after(&of_group(&books, group), &corrected).0), [], "{what}");
    }
    // A night that did not know the terms says nothing against them.
    assert_eq!(
        codes(&night_after(&late(), 200, &[remembered("m1", "l1", LastKnown::Open).with_corrected_payments()]).0),
        []
    );
}

#[test]
fn a_loan_stays_on_the_offer_or_on_the_orders_that_it_was_drawn_on() {
    let naming = |offer: Option<&str>, orders: &[&str]| {
        let mut seen = shard(120, &late());
        let loans = seen.tables.get_mut("loans").unwrap();
        loans.with_column(Column::new("offer_id".into(), [offer])).unwrap();
        loans.with_column(Column::new("pledged_order_ids".into(), [Series::new("".into(), orders)])).unwrap();
        seen
    };
    let left = compare_after(&naming(Some("x"), &["o1", "o2"]), &[]).1;
    let after = |seen: &Shard, left: &[RememberedLoan]| compare_after(seen, left).0;
    for (offer, orders) in [(Some("x"), &["o2", "o1"][..]), (Some("x"), &["o3"]), (None, &["o1", "o2"])] {
        assert_eq!(
            codes(&after(&naming(offer, orders), &left)),
            [],
            "{offer:?} {orders:?}: one of them says what it rests on"
        );
    }
    for (offer, orders) in [(None, &["o3"][..]), (Some("y"), &["o1"]), (Some("y"), &[])] {
        let seen = naming(offer, orders);
        assert_eq!(codes(&after(&seen, &left)), [("m1", Some("l1"), "terms-changed")], "{offer:?} {orders:?}");
        let corrected: Vec<_> = left.iter().cloned().map(RememberedLoan::with_corrected_terms).collect();
        assert_eq!(codes(&after(&seen, &corrected)), [], "{offer:?} {orders:?}");
    }
    let unnamed = compare_after(&naming(None, &[]), &[]).1;
    assert_eq!(codes(&after(&naming(Some("x"), &["o1"]), &unnamed)), [], "both may be named later");
}

#[test]
fn a_groups_loan_names_its_group() {
    let of_group = |group: Option<&str>| {
        let mut seen = shard(120, &late());
        let loans = seen.tables.get_mut("loans").unwrap();
        loans.with_column(Column::new("product".into(), [GROUP_LOAN])).unwrap();
        loans.with_column(Column::new("group_id".into(), [group])).unwrap();
        let rules = LedgerRules { default_dpd: BTreeMap::from([(GROUP_LOAN.to_owned(), 90)]), ..rules() };
        let mut ledger = repayment_tables(&seen, &rules).unwrap().unwrap().ledger;
        ledger.compare_with(&seen, 0, &LoanEvidence::default()).unwrap();
        ledger
    };
    assert_eq!(codes(&of_group(Some("g1"))), []);
    assert_eq!(codes(&of_group(None)), [("m1", Some("l1"), "group-not-named")]);
}

#[test]
fn a_payment_pause_is_a_restructure_that_postpones_what_falls_due() {
    let paused = |seen: i32| {
        let postponed = books(&[LoanRow("l1", "m1", 100, 1_000, None)], &[DueRow("l1", 1, 190, 1_000)], &[]);
        let mut seen = shard(seen, &postponed);
        let at = Int64Chunked::from_slice_options("restructured_at".into(), &[Some(day(105).micros())]);
        let at = at.into_datetime(TimeUnit::Microseconds, None).into_column();
        seen.tables.get_mut("loans").unwrap().with_column(at).unwrap();
        ledger_of(&seen).known.remove(0)
    };
    let (within, after) = (paused(150), paused(200));
    assert_eq!((within.dpd, within.outstanding_minor, after.dpd), (0, 1_000, 10), "days count from the postponed date");
    assert!(within.is_restructured && within.history.restructured_on == Some(day(105).date()), "it stays on record");
}

#[test]
fn what_is_paid_ahead_is_held_for_the_promises_to_come() {
    let three = [DueRow("l1", 1, 103, 400), DueRow("l1", 2, 105, 300), DueRow("l1", 3, 107, 300)];
    let standing = |seen: i32, paid: &[PaidRow]| {
        let books = books(&[LoanRow("l1", "m1", 100, 1_000, None)], &three, paid);
        ledger_of(&shard(seen, &books)).known.remove(0)
    };
    let coming = |seen, paid: &[PaidRow]| standing(seen, paid).coming_due;
    let due = |on: i32, minor| ComingDue(day(on).date(), minor);
    assert_eq!(
        coming(103, &[]),
        [due(103, 400), due(105, 300), due(107, 300)],
        "until the end of the day it is to come"
    );
    assert_eq!(coming(104, &[]), [due(105, 300), due(107, 300)], "then it is in arrears");
    assert_eq!(coming(104, &[PaidRow("l1", 102, 750, None)]), [due(107, 250)]);
    assert_eq!(coming(104, &[PaidRow("l1", 102, 1_000, None)]), [], "repaid early");
}

#[test]
fn a_repaid_loan_has_to_be_sent_for_as_long_as_the_rules_say() {
    let mut repaid = late();
    repaid.paid = vec![PaidRow("l1", 110, 1_000, None)];
    let to_be_sent = |seen: i32, closed_days: i64| {
        let rules = LedgerRules { retention: Retention { closed_days }, ..rules() };
        let ledger = repayment_tables(&shard(seen, &repaid), &rules).unwrap().unwrap().ledger;
        assert!(ledger.known[0].is_closed && ledger.open_of("m1").is_empty());
        ledger.closed_loans_still_expected("m1").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    // Repaid at noon of day 110.
    assert_eq!((to_be_sent(111, 30), to_be_sent(140, 30)), (vec!["l1".to_owned()], vec!["l1".to_owned()]));
    assert_eq!((to_be_sent(141, 30), to_be_sent(111, 0)), (vec![], vec![]));
}

#[test]
fn loans_of_which_only_rows_without_merchant_are_known_are_counted_once() {
    let records = [
        broken("loans", None, Some("l5")),
        broken("payments", None, Some("l5")),
        broken("payments", None, Some("l6")),
        broken("loans", None, None),
        broken("loans", None, None),
        broken("payments", None, None),
        broken("orders", None, None),
        broken("loans", Some("m1"), Some("l7")),
    ];
    assert_eq!(loans_without_merchant(&records), (BTreeSet::from(["l5", "l6"]), 2));
}

fn made(merchant: &str, limit_minor: i64) -> crate::repayment::OfferMade {
    crate::repayment::OfferMade {
        merchant_id: merchant.to_owned(),
        product: "order-loan".to_owned(),
        limit_minor,
        daily_rate_ppm: Some(500),
        term_days: Some(7),
        sales_share_ppm: None,
        offered_on: jiff::civil::date(2018, 1, 1),
        valid_until_on: jiff::civil::date(2018, 12, 31),
        replaces: None,
    }
}

/// Two open loans of m1 over 1,000 each, with what they name.
fn two_loans(offers: [Option<&str>; 2], orders: [&[&str]; 2]) -> Shard {
    let loans = [LoanRow("l1", "m1", 100, 1_000, None), LoanRow("l2", "m1", 101, 1_000, None)];
    let books = books(&loans, &[DueRow("l1", 1, 107, 1_000), DueRow("l2", 1, 108, 1_000)], &[]);
    let mut seen = shard(105, &books);
    let table = seen.tables.get_mut("loans").unwrap();
    table.with_column(Column::new("offer_id".into(), offers)).unwrap();
    let lists: ListChunked = orders.iter().map(|ids| Some(Series::new("".into(), *ids))).collect();
    table.with_column(lists.with_name("pledged_order_ids".into()).into_column()).unwrap();
    seen
}

fn compared(seen: &Shard, evidence: &LoanEvidence) -> LoanLedger {
    let mut ledger = ledger_of(seen);
    ledger.compare_with(seen, 0, evidence).unwrap();
    ledger
}

#[test]
fn loans_that_come_to_more_than_their_offer_are_unknown_for_as_long_as_they_name_it() {
    let of = |limit: i64| LoanEvidence::default().with_offers([("x".to_owned(), made("m1", limit))], []);
    let both = two_loans([Some("x"), Some("x")], [&[], &[]]);
    assert_eq!(codes(&compared(&both, &of(2_000))), []);
    let above = [("m1", Some("l1"), "draw-above-offer"), ("m1", Some("l2"), "draw-above-offer")];
    let ledger = compared(&both, &of(1_999));
    assert_eq!(codes(&ledger), above);
    assert!(ledger.known.is_empty() && ledger.exceptions()[0].detail.contains("1999"));
    // The offer has left the accounts since; the officers' list remembers.
    let later = LoanEvidence::default().with_offers([], ledger.exceptions());
    assert_eq!(codes(&compared(&both, &later)), above);
    let mended = two_loans([Some("x"), None], [&[], &[]]);
    assert_eq!(codes(&compared(&mended, &of(1_000))), []);
    assert_eq!(codes(&compared(&mended, &later)), above[..1]);
}

#[test]
fn an_order_that_two_open_loans_pledge_leaves_neither_known() {
    let none = LoanEvidence::default();
    let repeated = [("m1", Some("l1"), "pledge-repeated"), ("m1", Some("l2"), "pledge-repeated")];
    for offers in [[None, None], [Some("x"), None], [Some("x"), Some("y")]] {
        assert_eq!(codes(&compared(&two_loans(offers, [&["o1", "o2"], &["o2"]]), &none)), repeated, "{offers:?}");
        assert_eq!(codes(&compared(&two_loans(offers, [&["o1"], &["o2"]]), &none)), [], "{offers:?}");
    }
    let one_offer = two_loans([Some("x"), Some("x")], [&["o1"], &["o1"]]);
    assert_eq!(codes(&compared(&one_offer, &none)), [], "two draws on one offer rest on its orders together");
    let replaced = crate::repayment::OfferMade { replaces: Some("x".to_owned()), ..made("m1", 9_000) };
    let evidence = LoanEvidence::default().with_offers([("y".to_owned(), replaced)], []);
    let under_way = two_loans([Some("x"), Some("y")], [&["o1"], &["o1"]]);
    assert_eq!(codes(&compared(&under_way, &evidence)), [], "a draw on the replaced offer was under way");
}
