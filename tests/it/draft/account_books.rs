//! Exports with a book of money beside the orders, and keys that are written in two ways.

use super::*;

/// What an order costs.
const fn cents(n: i64) -> i64 {
    1_000 + n * 37 % 9_000
}

/// Reports of orders, of which some have a head row and rows of items, and a book that names them net of fees.
fn reports(folder: &Path) {
    let mut sellers = vec!["Seller,Store Category,Member Since".to_owned()];
    sellers.extend((0..25).map(|n| format!("shop_{n:03},{},2020-01-01", ["toys", "food"][n % 2])));
    let mut orders = vec!["Order Number,Seller,Buyer Username,Item Title,Total Price,Sale Date".to_owned()];
    let mut book = vec![
        "Transaction creation date,Type,Order number,Seller,Buyer username,Net amount,Transaction ID,Gross transaction amount,Transaction currency".to_owned(),
    ];
    let mut row = |on: usize, kind: &str, order: &str, seller: usize, cents: i64| {
        let number = book.len();
        let [net, gross] = [cents * 87 / 100, cents]
            .map(|cents| format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100));
        book.push(format!(
            "{},{kind},{order},shop_{seller:03},buyer{},{net},T{number:07},{gross},USD",
            day(on),
            number % 140
        ));
    };
    for n in 0..1_200 {
        let (order, seller, cents) = (format!("12-{n:05}-77"), n % 25, cents(i64::try_from(n).unwrap()));
        let total = format!("{}.{:02}", cents / 100, cents % 100);
        let who = format!("shop_{seller:03},buyer{}", n % 140);
        orders.push(format!("{order},{who},Thing,{total},{}", day(n / 6)));
        if n % 8 == 0 {
            orders.extend((0..2).map(|item| format!("{order},{who},Part {item},,")));
        }
        row(n / 6, "Order", &order, seller, cents);
        if n % 25 == 0 {
            row(n / 6 + 2, "Refund", &order, seller, -cents / 2);
        }
        if n % 10 == 0 {
            row(n / 6, "Payout", "", seller, -50_000);
        }
    }
    file(folder, "sellers.csv", &sellers);
    file(folder, "orders_report.csv", &orders);
    file(folder, "transaction_report.csv", &book);
}

#[test]
fn reports_of_orders_go_before_a_book_of_money_that_names_them() {
    let (_folder, data, out) = folders();
    reports(&data);
    let draft = draft_of(&data, &out);
    assert_origins(
        &draft,
        &[
            ("orders.order_id", "orders.\"Order Number\""),
            ("orders.amount_minor", "orders.\"Total Price\""),
            ("orders.refund_minor", "transaction.\"Gross transaction amount\""),
        ],
    );
    assert_eq!(draft.open_gaps(), 0);
    let rows = read(&out.join("job.toml"), "orders");
    let amounts = cells(&rows, "order_id", "amount_minor");
    assert_eq!(amounts.len(), 1_200);
    assert_eq!(amounts.get("12-00008-77"), Some(&Some(cents(8).to_string())), "its items are no more");
    let refunds = cells(&rows, "order_id", "refund_minor");
    assert_eq!(refunds.get("12-00025-77"), Some(&Some((cents(25) / 2).to_string())));
}

#[test]
fn rows_of_a_book_alone_give_back_what_the_order_s_number_says() {
    let (_folder, data, out) = folders();
    reports(&data);
    fs::remove_file(data.join("orders_report.csv")).unwrap();
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0, "{:?}", draft.tables);
    let rows = read(&out.join("job.toml"), "orders");
    let refunded = rows.column("refund_minor").unwrap().i64().unwrap();
    let expected: i64 = (0..1_200).step_by(25).map(|n| cents(n) / 2).sum();
    assert_eq!(refunded.sum(), Some(expected));
}

#[test]
fn keys_in_two_writings_are_a_gap_that_says_how_they_meet() {
    let (_folder, data, out) = folders();
    let mut shops = vec!["shop_no,shop_name,category,region,opened_on".to_owned()];
    shops.extend((0..40).map(|n| format!("112223330{n:03}81,Shop {n},toys,North,2020-01-01")));
    let mut orders = vec!["order_id,shop_no,customer_id,order_date,total,currency".to_owned()];
    orders.extend(
        (0..900).map(|n| {
            format!("R{n:06},11.222.333/0{:03}-81,U{:05},{},{}.50,EUR", n % 40, n % 97, day(n / 5), 10 + n % 80)
        }),
    );
    file(&data, "shops.csv", &shops);
    file(&data, "orders.csv", &orders);
    let draft = draft_of(&data, &out);
    let orders = draft.tables.iter().find(|table| table.table.name == "orders").unwrap();
    let gap = orders.gaps().find(|gap| gap.column == "merchant_id").unwrap();
    let why = gap.note.as_deref().unwrap_or_default();
    assert!(
        why.starts_with("0 % of the rows") && why.contains("100 % of its values do") && why.contains("regexp_replace"),
        "{why}"
    );
}

#[test]
fn dumps_of_loans_are_versions_of_each() {
    let (_folder, data, out) = folders();
    let mut shops = vec!["shop_id,category,region,opened_on".to_owned()];
    shops.extend((0..20).map(|n| format!("T{n:05},{},North,2020-01-01", ["toys", "food"][n % 2])));
    let mut orders = vec!["order_id,shop_id,customer_id,order_date,total,currency".to_owned()];
    orders.extend(
        (0..800).map(|n| format!("R{n:06},T{:05},U{:05},{},{}.50,EUR", n % 20, n % 97, day(n / 4), 10 + n % 90)),
    );
    let mut schedule = vec!["loan_id,installment_number,due_date,principal_amount,interest_amount".to_owned()];
    let mut payments = vec!["payment_id,loan_id,paid_at,amount".to_owned()];
    for n in 0..20 {
        for k in 1..=3 {
            let due = day(n * 3 + 30 * k);
            schedule.push(format!("L{n:05},{k},{due},{}.00,1.00", 100 + n));
            payments.push(format!("P{n:02}{k},L{n:05},{due},{}.00", 101 + n));
        }
    }
    for dump in 0..12 {
        let mut loans = vec!["loan_id,shop_id,disbursed_at,principal,annual_rate,term_days,written_off_at".to_owned()];
        loans.extend((0..20).map(|n| {
            let written_off = if n == 3 && dump > 5 { day(185).to_string() } else { String::new() };
            format!("L{n:05},T{n:05},{},{}.00,12,90,{written_off}", day(n * 3), 3 * (100 + n))
        }));
        file(&data, &format!("loans_{}.csv", day(180 + dump)), &loans);
    }
    for (name, lines) in
        [("shops", shops), ("orders", orders), ("loan_schedule", schedule), ("loan_payments", payments)]
    {
        file(&data, &format!("{name}.csv"), &lines);
    }
    let draft = draft_of(&data, &out);
    assert_origins(&draft, &[("loans.loan_id", "loans.loan_id"), ("loans.recorded_at", "the names of loans_*.csv")]);
    assert_eq!((draft.label, draft.open_gaps()), ("loan-default", 0));
    let rows = read(&out.join("job.toml"), "loans");
    assert_eq!((rows.height(), rows.column("recorded_at").unwrap().null_count()), (240, 0));
    assert_eq!(rows.column("written_off_at").unwrap().null_count(), 240 - 6);
}
