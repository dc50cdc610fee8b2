//! Loan books and orders with what was taken back: reversals, refunds and chargebacks among the rows that they undo; and what loans cost, however it is called.

use super::in_doubt::{ORDERS, PLAIN, export, gap, plain, sellers, total};
use super::*;

const LOANS: usize = 40;

/// Loans of three equal instalments, with payments: what differs between tests is given.
struct Book<'a> {
    rate: &'a str,
    rate_of: fn(usize) -> &'static str,
    payments: &'a str,
    paid: Paid<'a>,
}

impl Book<'_> {
    fn write(&self, data: &Path) {
        export(data, &PLAIN);
        let comma = if self.rate.is_empty() { "" } else { "," };
        let mut loans = vec![format!("loan_id,seller_id,disbursed_on,principal,term_days{comma}{}", self.rate)];
        let mut instalments = vec!["loan_id,number,due_on,principal,interest".to_owned()];
        let mut payments = vec![self.payments.to_owned()];
        for n in 0..LOANS {
            loans.push(format!("L{n:03},S{:02},{},300.00,90{comma}{}", n % 20, day(20 + n), (self.rate_of)(n)));
            for k in 1..=3 {
                instalments.push(format!("L{n:03},{k},{},100.00,1.50", day(20 + n + 30 * k)));
                payments.extend((self.paid)(n, k));
            }
        }
        file(data, "loans.csv", &loans);
        file(data, "instalments.csv", &instalments);
        file(data, "payments.csv", &payments);
    }
}

/// Takes what stands at gaps as it was drafted.
fn fill_gaps(job: &Path, table: &str) {
    let path = job.join(format!("sources/{table}.sql"));
    let sql = fs::read_to_string(&path).unwrap();
    fs::write(&path, sql.replace("-- GAP", "-- taken")).unwrap();
}

const NO_RATE: fn(usize) -> &'static str = |_| "";

fn numbered(n: usize, k: usize) -> Vec<String> {
    vec![format!("P{n:03}{k},L{n:03},{},101.50", day(20 + n + 30 * k))]
}

const BOOK: Book<'static> =
    Book { rate: "", rate_of: NO_RATE, payments: "payment_id,loan_id,paid_on,amount", paid: &numbered };

#[test]
fn payments_are_named_by_whatever_every_one_of_them_has_of_its_own() {
    for (head, from) in [
        ("Receipt No", "payments.\"Receipt No\""),
        ("Receipt", "payments.\"Receipt\""),
        ("Txn Ref", "payments.\"Txn Ref\""),
        ("utr", "payments.utr"),
    ] {
        let (_folder, data, out) = folders();
        let payments = format!("loan_id,paid_on,amount,{head}");
        let paid = |n: usize, k: usize| vec![format!("L{n:03},{},101.50,MP{n}X{k}", day(20 + n + 30 * k))];
        Book { payments: &payments, paid: &paid, ..BOOK }.write(&data);
        let draft = draft_of(&data, &out);
        assert_origins(&draft, &[("payments.payment_id", from)]);
        assert_eq!(read(&out.join("job.toml"), "payments").height(), 3 * LOANS);
    }
}

#[test]
fn a_running_number_that_begins_anew_in_each_file_names_no_payment() {
    for head in ["nr", "No", "Payment No", "Receipt No"] {
        let (_folder, data, out) = folders();
        let payments = format!("loan_id,paid_on,amount,{head}");
        Book { payments: &payments, paid: &|_, _| Vec::new(), ..BOOK }.write(&data);
        fs::remove_file(data.join("payments.csv")).unwrap();
        for k in 1..=3 {
            // The last file is shorter.
            let loans = (0..LOANS).filter(|n| k < 3 || n % 10 == 0);
            let rows = loans.enumerate().map(|(at, n)| format!("L{n:03},{},101.50,{}", day(20 + n + 30 * k), at + 1));
            let lines: Vec<String> = std::iter::once(payments.clone()).chain(rows).collect();
            file(&data, &format!("payments_{k}.csv"), &lines);
        }
        let draft = draft_of(&data, &out);
        assert_origins(&draft, &[("payments.payment_id", "loan, time and amount")]);
        fill_gaps(&out, "payments");
        let payments = read(&out.join("job.toml"), "payments");
        let ids: std::collections::BTreeSet<String> = cells(&payments, "payment_id", "loan_id").into_keys().collect();
        assert_eq!((payments.height(), ids.len()), (2 * LOANS + LOANS / 10, 2 * LOANS + LOANS / 10), "{head}");
    }
}

#[test]
fn what_a_loan_costs_is_read_by_its_period_and_unit() {
    for (head, rate, expected) in [
        ("Daily fee %", "0.05", 500),
        ("Daily fee", "0.05%", 500),
        ("Monthly interest", "1.5%", 493),
        ("Monthly interest", "1.5", 493),
        ("Rate p.a.", "18.25", 500),
        ("Rate p.a.", "18,25\u{a0}%", 500),
        ("Rate p.a.", "18,25\u{202f}%", 500),
        ("apr", "0.1825", 500),
    ] {
        let (_folder, data, out) = folders();
        let rate_of: fn(usize) -> &'static str = match rate {
            "0.05" => |_| "0.05",
            "0.05%" => |_| "0.05%",
            "1.5%" => |_| "1.5%",
            "1.5" => |_| "1.5",
            "18.25" => |_| "18.25",
            "18,25\u{a0}%" => |_| "\"18,25\u{a0}%\"",
            "18,25\u{202f}%" => |_| "\"18,25\u{202f}%\"",
            _ => |_| "0.1825",
        };
        Book { rate: head, rate_of, ..BOOK }.write(&data);
        let draft = draft_of(&data, &out);
        assert_eq!((draft.open_gaps(), draft.label), (0, "loan-default"), "{head}: {:?}", draft.aside);
        let rates = cells(&read(&out.join("job.toml"), "loans"), "loan_id", "daily_rate_ppm");
        assert_eq!(rates["L001"], Some(expected.to_string()), "{head} {rate}");
        let sql = fs::read_to_string(out.join("sources/loans.sql")).unwrap();
        assert!(sql.contains("-- GUESS") && sql.contains(" rate "), "{sql}");
    }
    // Where the unit does not show, a person must say; the book is read all the same.
    let (_folder, data, out) = folders();
    Book { rate: "Fee", rate_of: |_| "4.5", ..BOOK }.write(&data);
    let draft = draft_of(&data, &out);
    assert_eq!((draft.label, draft.open_gaps(), draft.no_loan_book.as_deref()), ("loan-default", 1, None));
    let why = gap(&draft, "loans", "daily_rate_ppm").unwrap();
    assert!(why.contains("nothing says for how long"), "{why}");
    // Where nothing is a rate, instalments say what is owed.
    let (_folder, data, out) = folders();
    BOOK.write(&data);
    let draft = draft_of(&data, &out);
    assert_eq!((draft.label, draft.open_gaps()), ("loan-default", 0), "{:?}", draft.aside);
}

/// Rows of payments of a loan's instalment.
type Paid<'a> = &'a dyn Fn(usize, usize) -> Vec<String>;

#[test]
fn payments_that_were_taken_back_are_reversed_and_never_money() {
    let reversed = |n: usize, k: usize| n.is_multiple_of(8) && k == 2;
    let later = |n: usize, k: usize| day(24 + n + 30 * k);
    let by_kind = |n: usize, k: usize| {
        let mut rows = vec![format!("{},repayment,", numbered(n, k)[0])];
        if reversed(n, k) {
            rows.push(format!("R{n:03}{k},L{n:03},{},101.50,reversal,P{n:03}{k}", later(n, k)));
        }
        rows
    };
    let by_sign = |n: usize, k: usize| {
        let mut rows = vec![format!("{},", numbered(n, k)[0])];
        if reversed(n, k) {
            rows.push(format!("R{n:03}{k},L{n:03},{},-101.50,P{n:03}{k}", later(n, k)));
        }
        rows
    };
    let by_number = |n: usize, k: usize| {
        let mut rows = numbered(n, k);
        if reversed(n, k) {
            rows.push(format!("P{n:03}{k},L{n:03},{},-101.50", later(n, k)));
        }
        rows
    };
    let head = "payment_id,loan_id,paid_on,amount";
    let cases: [(&str, Paid); 3] = [(",type,original_id", &by_kind), (",reverses", &by_sign), ("", &by_number)];
    for (more, paid) in cases {
        let (_folder, data, out) = folders();
        let payments = format!("{head}{more}");
        Book { payments: &payments, paid, ..BOOK }.write(&data);
        let draft = draft_of(&data, &out);
        assert_eq!((draft.label, draft.open_gaps()), ("loan-default", 0), "{more}: {:?}", draft.aside);
        let payments = read(&out.join("job.toml"), "payments");
        assert_eq!(payments.height(), 3 * LOANS, "{more}: rows that take back are skipped");
        let days = cells(&payments, "payment_id", "reversed_at");
        assert_eq!(days["P0082"].as_deref().map(|at| &at[..10]), Some(later(8, 2).to_string().as_str()), "{more}");
        assert_eq!(payments.column("reversed_at").unwrap().null_count(), 3 * LOANS - 5, "{more}");
    }
    // Nothing names the payment: the book waits for a person.
    let unnamed = |n: usize, k: usize| {
        let mut rows = numbered(n, k);
        if reversed(n, k) {
            rows.push(format!("R{n:03}{k},L{n:03},{},-101.50", later(n, k)));
        }
        rows
    };
    let (_folder, data, out) = folders();
    Book { paid: &unnamed, ..BOOK }.write(&data);
    let draft = draft_of(&data, &out);
    let why = gap(&draft, "payments", "reversed_at").unwrap();
    assert!(why.contains("5 row(s)") && why.contains("nothing says which payment"), "{why}");
    assert_eq!(draft.label, "trade-distress");
    // A state on the payment itself.
    let by_state = |n: usize, k: usize| {
        vec![format!("{},{}", numbered(n, k)[0], if reversed(n, k) { "Reversed" } else { "Settled" })]
    };
    let (_folder, data, out) = folders();
    Book { payments: "payment_id,loan_id,paid_on,amount,status", paid: &by_state, ..BOOK }.write(&data);
    let draft = draft_of(&data, &out);
    assert_eq!(draft.label, "loan-default", "{:?}", draft.aside);
    assert_eq!(read(&out.join("job.toml"), "payments").height(), 3 * LOANS - 5);
    // A day on which it did not stay, however it is called.
    for head in ["returned_on", "Bounce Date", "dishonoured", "bounced", "Rückgabe"] {
        let by_day = |n: usize, k: usize| {
            let day = if reversed(n, k) { later(n, k).to_string() } else { String::new() };
            vec![format!("{},{day}", numbered(n, k)[0])]
        };
        let (_folder, data, out) = folders();
        let payments = format!("payment_id,loan_id,paid_on,amount,{head}");
        Book { payments: &payments, paid: &by_day, ..BOOK }.write(&data);
        let draft = draft_of(&data, &out);
        assert_eq!((draft.label, draft.open_gaps()), ("loan-default", 0), "{head}: {:?}", draft.aside);
        let days = cells(&read(&out.join("job.toml"), "payments"), "payment_id", "reversed_at");
        assert_eq!(days["P0082"].as_deref().map(|at| &at[..10]), Some(later(8, 2).to_string().as_str()), "{head}");
    }
    // Nothing but a mark on those that bounced.
    let by_flag = |n: usize, k: usize| vec![format!("{},{}", numbered(n, k)[0], if reversed(n, k) { "Y" } else { "" })];
    let (_folder, data, out) = folders();
    Book { payments: "payment_id,loan_id,paid_on,amount,returned", paid: &by_flag, ..BOOK }.write(&data);
    assert_eq!(draft_of(&data, &out).label, "loan-default");
    assert_eq!(read(&out.join("job.toml"), "payments").height(), 3 * LOANS - 5);
}

#[test]
fn orders_that_take_others_back_are_refunds_of_them_or_a_gap() {
    let is_back = |n: usize| n % 40 == 3 && n < 700;
    let kinds = |names: bool| {
        let head = if names { "type,original_id" } else { "type" };
        let mut rows = vec![format!("{},{head}", PLAIN.head)];
        for n in 0..ORDERS {
            let end = if names { "," } else { "" };
            rows.push(format!("{},sale{end}", plain(n)));
            if is_back(n) {
                let row =
                    plain(n).replace(&format!("O{n:04}"), &format!("X{n:04}")).replace(&instant(n), &instant(n + 16));
                let original = if names { format!(",O{n:04}") } else { String::new() };
                rows.push(format!("{row},{}{original}", ["refund", "chargeback"][n % 80 / 40]));
            }
        }
        rows
    };
    let (_folder, data, out) = folders();
    file(&data, "sellers.csv", &sellers());
    file(&data, "orders.csv", &kinds(true));
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0, "{:?}", draft.tables);
    let orders = read(&out.join("job.toml"), "orders");
    assert_eq!(orders.height(), ORDERS);
    let back = cells(&orders, "order_id", "refund_minor");
    assert_eq!(back["O0043"], Some(total(43).replace('.', "")));
    assert_eq!(orders.column("refund_minor").unwrap().null_count(), ORDERS - 18);

    let (_folder, data, out) = folders();
    file(&data, "sellers.csv", &sellers());
    file(&data, "orders.csv", &kinds(false));
    let draft = draft_of(&data, &out);
    let why = gap(&draft, "orders", "refund_minor").unwrap();
    assert!(why.contains("18 row(s)") && why.contains("nothing says of which order"), "{why}");
    fill_gaps(&out, "orders");
    assert_eq!(read(&out.join("job.toml"), "orders").height(), ORDERS, "they are no orders");
}

/// Orders of two lines, of two merchants where `n` is even.
fn lines() -> Vec<String> {
    let mut rows = vec!["line_id,order_id,seller_id,buyer_id,created_at,currency,price".to_owned()];
    for n in 0..ORDERS {
        for line in 0..2 {
            let seller = if n.is_multiple_of(2) { (n + line) % 20 } else { n % 20 };
            let (buyer, at, price) = (n * 7 % 330, instant(n), total(n + line));
            rows.push(format!("N{n:04}{line},O{n:04},S{seller:02},B{buyer:03},{at},EUR,{price}"));
        }
    }
    rows
}

#[test]
fn refunds_of_orders_with_several_merchants_go_to_whose_they_are() {
    for (head, by_seller) in
        [("refund_id,order_id,seller_id,refunded_at,amount", true), ("refund_id,order_id,refunded_at,amount", false)]
    {
        let (_folder, data, out) = folders();
        file(&data, "sellers.csv", &sellers());
        file(&data, "order_lines.csv", &lines());
        let mut rows = vec![head.to_owned()];
        rows.extend((0..700).step_by(20).map(|n| {
            let seller = if by_seller { format!(",S{:02}", (n + 1) % 20) } else { String::new() };
            format!("R{n:04},O{n:04}{seller},{},5.00", instant(n + 20))
        }));
        file(&data, "refunds.csv", &rows);
        let draft = draft_of(&data, &out);
        assert_eq!(gap(&draft, "orders", "refund_minor"), None);
        let back = cells(&read(&out.join("job.toml"), "orders"), "order_id", "refund_minor");
        // Of 5.00 by 300.20 and 37.33, where nothing says whose part went back.
        let expected = if by_seller { (None, Some("500")) } else { (Some("445"), Some("55")) };
        assert_eq!((back["O0040-S00"].as_deref(), back["O0040-S01"].as_deref()), expected);
        assert_eq!(back["O0042-S02"].as_deref(), None);
    }
}

#[test]
fn lines_that_come_later_with_a_minus_are_refunds_and_others_are_discounts() {
    for is_later in [true, false] {
        let (_folder, data, out) = folders();
        file(&data, "sellers.csv", &sellers());
        let mut rows = lines();
        rows.extend((0..700).step_by(20).map(|n| {
            let at = if is_later { instant(n + 20) } else { instant(n) };
            format!("N{n:04}2,O{n:04},S{:02},B{:03},{at},EUR,-5.00", n % 20, n * 7 % 330)
        }));
        file(&data, "order_lines.csv", &rows);
        let draft = draft_of(&data, &out);
        assert_eq!(draft.open_gaps(), 0, "{:?}", draft.tables);
        let orders = read(&out.join("job.toml"), "orders");
        let (amounts, back) = (cells(&orders, "order_id", "amount_minor"), cells(&orders, "order_id", "refund_minor"));
        let amount: i64 = total(40).replace('.', "").parse().unwrap();
        let expected = if is_later { (amount, Some("500".to_owned())) } else { (amount - 500, None) };
        assert_eq!(
            (amounts["O0040-S00"].clone(), back.get("O0040-S00").cloned().flatten()),
            (Some(expected.0.to_string()), expected.1)
        );
    }
}
