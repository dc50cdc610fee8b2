//! Exports of how sales were settled: refunds that are sent again or are of several merchants, fees of lines and of loans, shops that are called by their names.

use super::in_doubt::{Export, ORDERS, PLAIN, export, gap, plain, sellers, total};
use super::*;

fn minor(n: usize) -> i64 {
    total(n).replace('.', "").parse().unwrap()
}

/// What a person should look at in a drafted column.
fn note(draft: &Draft, table: &str, column: &str) -> String {
    let tables = draft.tables.iter().chain(&draft.aside);
    let columns = tables.filter(|t| t.table.name == table).flat_map(|t| &t.columns);
    columns.filter(|c| c.column == column).find_map(|c| c.note.clone()).unwrap_or_default()
}

#[test]
fn refunds_that_are_sent_again_count_once() {
    // As a table with numbers of their own, of which the second file corrects one.
    let (_folder, data, out) = folders();
    export(&data, &PLAIN);
    let refunds = data.join("refunds");
    let of = |n: usize, amount: &str| format!("R{n:04},O{n:04},{},{amount}", instant(n + 20));
    let head = "refund_id,order_id,refunded_at,amount".to_owned();
    let mut first = vec![head.clone()];
    first.extend((0..600).step_by(3).map(|n| of(n, "5.00")));
    let mut second = vec![head];
    second.extend((480..600).step_by(3).map(|n| of(n, if n == 480 { "6.00" } else { "5.00" })));
    second.extend((601..700).step_by(3).map(|n| of(n, "5.00")));
    file(&refunds, "refunds_2022-06-01.csv", &first);
    file(&refunds, "refunds_2022-06-02.csv", &second);
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0, "{:?}", draft.tables);
    let back = cells(&read(&out.join("job.toml"), "orders"), "order_id", "refund_minor");
    let of = |order: &str| back[order].as_deref();
    assert_eq!((of("O0480"), of("O0483"), of("O0003"), of("O0001")), (Some("600"), Some("500"), Some("500"), None));

    // As rows of reversals among the orders, named by another number.
    let (_folder, data, out) = folders();
    file(&data, "sellers.csv", &sellers());
    let orders = data.join("orders");
    let head = format!("{},type,original_id", PLAIN.head);
    let reversal = |n: usize| {
        let row = plain(n).replace(&format!("O{n:04}"), &format!("X{n:04}")).replace(&total(n), "-5.00");
        format!("{},reversal,O{n:04}", row.replace(&instant(n), &instant(n + 16)))
    };
    let mut first = vec![head.clone()];
    first.extend((0..ORDERS).map(|n| format!("{},sale,", plain(n))));
    first.extend((0..700).step_by(20).map(reversal));
    let mut second = vec![head];
    second.extend((600..700).step_by(20).map(reversal));
    file(&orders, "orders_2022-06-01.csv", &first);
    file(&orders, "orders_2022-06-02.csv", &second);
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0, "{:?}", draft.tables);
    let back = cells(&read(&out.join("job.toml"), "orders"), "order_id", "refund_minor");
    assert_eq!((back["O0640"].as_deref(), back["O0040"].as_deref()), (Some("500"), Some("500")));
}

#[test]
fn what_an_order_of_several_merchants_gave_back_is_shared_and_adds_up() {
    let (_folder, data, out) = folders();
    file(&data, "sellers.csv", &sellers());
    let mut rows = vec!["line_id,order_id,seller_id,buyer_id,created_at,currency,price,refunded_amount".to_owned()];
    for n in 0..ORDERS {
        for line in 0..3 {
            // The first line alone says what the order gave back.
            let back =
                if line == 0 && n.is_multiple_of(5) { format!("{}.{:02}", 5 + n % 7, n % 100) } else { String::new() };
            let (seller, buyer, at, price) = ((n + line) % 20, n * 7 % 330, instant(n), total(n + line));
            rows.push(format!("N{n:04}{line},O{n:04},S{seller:02},B{buyer:03},{at},EUR,{price},{back}"));
        }
    }
    file(&data, "order_lines.csv", &rows);
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0, "{:?}", draft.tables);
    assert!(note(&draft, "orders", "refund_minor").contains("shared by what each part costs"));
    let back = cells(&read(&out.join("job.toml"), "orders"), "order_id", "refund_minor");
    for n in (0..ORDERS).step_by(5) {
        let share = |line: usize| -> i64 {
            back[&format!("O{n:04}-S{:02}", (n + line) % 20)].as_deref().unwrap_or("0").parse().unwrap()
        };
        let whole = i64::try_from(100 * (5 + n % 7) + n % 100).unwrap();
        assert_eq!((0..3).map(share).sum::<i64>(), whole, "O{n:04}");
        let order: i64 = (0..3).map(|line| minor(n + line)).sum();
        assert!((0..3).all(|line| (share(line) * order - whole * minor(n + line)).abs() <= order), "O{n:04}");
    }
    assert_eq!(back["O0001-S01"], None);
}

#[test]
fn fees_of_lines_are_not_what_the_buyer_owes() {
    let head = "order_id,seller_id,buyer_id,created_at,currency,transaction_type,amount_type,amount";
    let settled = |other: Option<&str>| {
        let mut rows = vec![head.to_owned(), format!(",,,{},EUR,,,", instant(0))];
        for n in 0..ORDERS {
            let line = |at: usize, kind: &str, of: &str, amount: &str| {
                format!("O{n:04},S{:02},B{:03},{},,{kind},{of},{amount}", n % 20, n * 7 % 330, instant(at))
            };
            rows.push(line(n, "Order", "ItemPrice", &total(n)));
            rows.push(line(n, "Order", "ItemFees", "-1.50"));
            rows.extend(other.map(|of| line(n, "Order", of, "-0.25")));
            if n.is_multiple_of(20) {
                rows.push(line(n + 20, "Refund", "ItemPrice", "-5.00"));
                rows.push(line(n + 20, "Refund", "ItemFees", "0.75"));
            }
        }
        rows
    };
    let (_folder, data, out) = folders();
    file(&data, "sellers.csv", &sellers());
    file(&data, "settlements.csv", &settled(None));
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0, "{:?}", draft.tables);
    assert!(note(&draft, "orders", "amount_minor").contains("'ItemFees' in \"amount_type\""));
    let orders = read(&out.join("job.toml"), "orders");
    let of = |column: &str| cells(&orders, "order_id", column)["O0040"].clone();
    assert_eq!(of("amount_minor"), Some(minor(40).to_string()));
    assert_eq!((of("refund_minor").as_deref(), of("currency").as_deref()), (Some("500"), Some("EUR")));
    // A kind below zero that may be a discount or a fee: a person must say.
    let (_folder, data, out) = folders();
    file(&data, "sellers.csv", &sellers());
    file(&data, "settlements.csv", &settled(Some("Xyzzy")));
    let why = gap(&draft_of(&data, &out), "orders", "amount_minor").map(str::to_owned);
    assert!(why.as_deref().is_some_and(|why| why.contains("'Xyzzy' in \"amount_type\"")), "{why:?}");
}

/// Loans with a fee, and their payments; no instalments.
fn advances(data: &Path, fee: &str, cell: fn(usize) -> String) {
    export(data, &PLAIN);
    let mut loans = vec![format!("loan_id,seller_id,disbursed_on,principal,term_days,{fee}")];
    let mut payments = vec!["payment_id,loan_id,paid_on,amount".to_owned()];
    for n in 0..40 {
        loans.push(format!("L{n:03},S{:02},{},300.00,90,{}", n % 20, day(20 + n), cell(n)));
        payments.extend((1..4).map(|k| format!("P{n:03}{k},L{n:03},{},140.00", day(20 + n + 25 * k))));
    }
    file(data, "loans.csv", &loans);
    file(data, "payments.csv", &payments);
}

#[test]
fn fees_of_loans_are_owed_and_no_rates() {
    for (fee, cell) in [
        ("facility_fee", (|n| format!("{}.00", 120 + n % 9)) as fn(usize) -> String),
        ("Fee", |n| format!("€{}.00", 20 + n % 9)),
    ] {
        let (_folder, data, out) = folders();
        advances(&data, fee, cell);
        let draft = draft_of(&data, &out);
        assert_eq!((draft.label, draft.open_gaps()), ("loan-default", 0), "{fee}: {:?}", draft.aside);
        let loans = cells(&read(&out.join("job.toml"), "loans"), "loan_id", "daily_rate_ppm");
        assert_eq!(loans["L003"].as_deref(), Some("0"), "{fee}");
        let fees = cells(&read(&out.join("job.toml"), "instalments"), "loan_id", "fee_minor");
        let expected = if fee == "Fee" { "2300" } else { "12300" };
        assert_eq!(fees["L003"].as_deref(), Some(expected), "{fee}");
    }
    // Beside instalments that have none, and of a kind that may be due once or never, it is to be looked at.
    let (_folder, data, out) = folders();
    advances(&data, "late_fee", |n| format!("{}.00", 120 + n % 9));
    let draft = draft_of(&data, &out);
    let why = note(&draft, "instalments", "fee_minor");
    assert!(why.contains("\"late_fee\""), "{why}");
    let (_folder, data, out) = folders();
    advances(&data, "facility_fee", |n| format!("{}.00", 120 + n % 9));
    let mut rows = vec!["loan_id,number,due_on,principal,interest".to_owned()];
    rows.extend((0..40).map(|n| format!("L{n:03},1,{},300.00,0.00", day(110 + n))));
    file(&data, "instalments.csv", &rows);
    let why = note(&draft_of(&data, &out), "instalments", "fee_minor");
    assert!(why.contains("\"facility_fee\""), "{why}");
}

#[test]
fn rows_beside_orders_name_merchants_and_buyers_as_orders_do() {
    let (_folder, data, out) = folders();
    let mut shops = vec!["Shop Name,Shop ID,Opened On,Category".to_owned()];
    shops.extend((0..20).map(|n| format!("Craft {n},{},{},toys", 10_000 + n, day(0))));
    file(&data, "shops.csv", &shops);
    let mut orders = vec![
        "Order ID,Buyer User ID,Shop Name,Sale Date,Date Shipped,Order Total,Currency,Status,Date Posted".to_owned(),
    ];
    let mut reviews = vec!["Review ID,Order ID,Date,Rating".to_owned()];
    for n in 0..ORDERS {
        let buyer = if n.is_multiple_of(10) { String::new() } else { format!("B{:03}", n * 7 % 330) };
        let (sold, sent, state) = (day(n / 4), day(n / 4 + 2), if n % 9 == 1 { "Cancelled" } else { "Completed" });
        orders.push(format!("O{n:04},{buyer},Craft {},{sold},{sent},{},EUR,{state},{sold}", n % 20, total(n)));
        if n % 2 == 0 {
            reviews.push(format!("V{n:04},O{n:04},{},{}", day(n / 4 + 9), 1 + n % 5));
        }
    }
    file(&data, "orders.csv", &orders);
    file(&data, "reviews.csv", &reviews);
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0, "{:?}", draft.tables);
    let job = out.join("job.toml");
    let orders = read(&job, "orders");
    let merchants = cells(&orders, "order_id", "merchant_id");
    assert_eq!(merchants["O0003"].as_deref(), Some("10003"));
    assert_eq!(cells(&read(&job, "shipments"), "order_id", "merchant_id"), merchants);
    let (of_orders, of_reviews) =
        (cells(&orders, "order_id", "buyer_id"), cells(&read(&job, "reviews"), "order_id", "buyer_id"));
    assert_eq!(of_reviews["O0020"].as_deref(), Some("no-buyer-O0020"));
    assert!(of_reviews.iter().all(|(order, buyer)| of_orders[order] == *buyer));
    // The day on which it was posted is that of every sale, of cancelled ones too.
    assert_eq!(cells(&orders, "order_id", "completed_at")["O0001"], None, "{}", note(&draft, "orders", "completed_at"));
}

#[test]
fn words_of_what_went_back_are_told() {
    let (_folder, data, out) = folders();
    let state = |n: usize| plain(n).replace("delivered", if n % 20 == 7 { "Devuelta" } else { "Entregada" });
    export(&data, &Export { row: state, ..PLAIN });
    let draft = draft_of(&data, &out);
    let told = note(&draft, "orders", "completed_at") + &note(&draft, "orders", "cancelled_at");
    assert!(told.contains("went back") && told.contains("'Devuelta' (5.0 %)"), "{told}");
}

#[test]
fn rows_that_are_left_out_have_no_part_in_sums_and_the_job_can_be_read() {
    let (_folder, data, out) = folders();
    file(&data, "sellers.csv", &sellers());
    let mut rows = vec!["line_id,order_id,seller_id,buyer_id,created_at,currency,price,tags".to_owned()];
    for n in 0..ORDERS {
        for line in 0..2 {
            let (seller, buyer, at, price) = (n % 20, n * 7 % 330, instant(n), total(n + line));
            let tag = if n % 100 == 7 { "test" } else { "" };
            rows.push(format!("N{n:04}{line},O{n:04},S{seller:02},B{buyer:03},{at},EUR,{price},{tag}"));
        }
    }
    file(&data, "order_lines.csv", &rows);
    let draft = draft_of(&data, &out);
    assert_eq!((draft.open_gaps(), draft.left_out().count()), (0, 1), "{:?}", draft.tables);
    let orders = cells(&read(&out.join("job.toml"), "orders"), "order_id", "amount_minor");
    assert_eq!(orders["O0040"].as_deref(), Some((minor(40) + minor(41)).to_string().as_str()));
    assert!(!orders.contains_key("O0007"));
    let keys = fs::read_to_string(out.join("job.toml")).unwrap();
    assert!(keys.contains("all_order_lines = \"order_id\""), "{keys}");

    // Loans that were never paid out have no instalments.
    let (_folder, data, out) = folders();
    advances(&data, "facility_fee", |n| format!("{}.00", 120 + n % 9));
    let loans = fs::read_to_string(data.join("loans.csv")).unwrap();
    let mut rows: Vec<String> = loans.lines().map(|line| format!("{line},active")).collect();
    rows[0] = rows[0].replace(",active", ",status");
    rows.extend((0..6).map(|n| format!("X{n:03},S{n:02},,300.00,90,{}.00,rejected", 120 + n)));
    file(&data, "loans.csv", &rows);
    let draft = draft_of(&data, &out);
    assert_eq!((draft.label, draft.left_out().count()), ("loan-default", 2), "{:?}", draft.aside);
    let instalments = cells(&read(&out.join("job.toml"), "instalments"), "loan_id", "fee_minor");
    assert_eq!((instalments.len(), instalments["L003"].as_deref()), (40, Some("12300")));
}
