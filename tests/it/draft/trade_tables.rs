//! Sales without a number or a time, beside events that are no sales, served by staff, with discounts, in tables with misleading names; and what was lent to who made them.

use super::in_doubt::{Export, ORDERS, PLAIN, export, gap, plain, sellers, total};
use super::*;

fn sales(data: &Path, name: &str, head: &str, row: &dyn Fn(usize) -> String) {
    file(data, "sellers.csv", &sellers());
    let rows = std::iter::once(format!("{head},currency")).chain((0..ORDERS).map(|n| format!("{},EUR", row(n))));
    file(data, name, &rows.collect::<Vec<_>>());
}

fn note_of(draft: &Draft, table: &str, column: &str) -> String {
    let table = draft.tables.iter().find(|t| t.table.name == table);
    let column = table.and_then(|t| t.columns.iter().find(|c| c.column == column));
    column.and_then(integrity::draft::ColumnDraft::to_look_at).unwrap_or_default()
}

#[test]
fn rows_without_a_number_are_named_by_file_and_place() {
    let (_folder, data, out) = folders();
    let row = |n: usize| format!("C{:03},S{:02},{},{}", n * 7 % 330, n % 20, total(n), instant(n / 3));
    sales(&data, "transactions.csv", "card_id,seller_id,purchase_amount,purchase_date", &row);
    let draft = draft_of(&data, &out);
    assert!(note_of(&draft, "orders", "order_id").contains("file and row"), "{draft:?}");
    let orders = read(&out.join("job.toml"), "orders");
    assert_eq!(cells(&orders, "order_id", "buyer_id").len(), ORDERS);
}

#[test]
fn sales_whose_time_is_not_read_are_drafted_with_that_gap() {
    let (_folder, data, out) = folders();
    let row = |n: usize| format!("O{n:06},S{:02},C{:03},{},{}", n % 20, n * 7 % 330, total(n), n / 4 + 1);
    sales(&data, "orders.csv", "order_id,seller_id,customer_id,amount,period_no", &row);
    let draft = draft_of(&data, &out);
    assert!(gap(&draft, "orders", "placed_at").is_some());
    assert_origins(&draft, &[("orders.merchant_id", "orders.seller_id"), ("orders.amount_minor", "orders.amount")]);
}

#[test]
fn who_looks_at_a_thing_has_bought_nothing() {
    let (_folder, data, out) = folders();
    let row = |n: usize| {
        let event = ["view", "cart", "purchase", "view", "remove_from_cart"][n % 5];
        format!("E{n:06},S{:02},C{:03},{},{},{event}", n % 20, n * 7 % 330, total(n), instant(n))
    };
    sales(&data, "events.csv", "event_id,seller_id,customer_id,price,event_time,event_type", &row);
    draft_of(&data, &out);
    assert_eq!(read(&out.join("job.toml"), "orders").height(), ORDERS / 5);
}

#[test]
fn who_serves_customers_is_no_merchant() {
    for staff in ["EmployeeID", "cashier_id", "clerk no"] {
        let (_folder, data, out) = folders();
        let rows =
            (0..ORDERS).map(|n| format!("O{n:06},C{:03},{},{},{}", n * 7 % 330, 1 + n % 9, total(n), instant(n)));
        let head = format!("order_id,customer_id,{staff},amount,order_date");
        file(&data, "orders.csv", &std::iter::once(head).chain(rows).collect::<Vec<_>>());
        let names = (1..10).map(|n| format!("{n},N{n},{}", day(n)));
        let head = format!("{staff},name,hired_on");
        file(&data, "people.csv", &std::iter::once(head).chain(names).collect::<Vec<_>>());
        let draft = draft_of(&data, &out);
        assert!(gap(&draft, "orders", "merchant_id").is_some(), "{staff}: {:?}", origins(&draft));
    }
}

#[test]
fn a_discount_beside_price_and_quantity_is_taken_off_or_named() {
    for (column, cell, owed) in
        [("discount", "0.25", Some("1500")), ("discount_pct", "25", Some("1500")), ("discount", "1.10", None)]
    {
        let (_folder, data, out) = folders();
        let row = |n: usize| {
            let cell = if n.is_multiple_of(2) { "0" } else { cell };
            format!("O{n:06},S{:02},C{:03},10.00,{},{cell},{}", n % 20, n * 7 % 330, 1 + n % 4, instant(n))
        };
        sales(
            &data,
            "orders.csv",
            &format!("order_id,seller_id,customer_id,unit_price,quantity,{column},order_date"),
            &row,
        );
        let draft = draft_of(&data, &out);
        let amounts = cells(&read(&out.join("job.toml"), "orders"), "order_id", "amount_minor");
        let expected = owed.unwrap_or("2000");
        assert_eq!(amounts["O000001"].as_deref(), Some(expected), "{column} {cell}");
        let note = note_of(&draft, "orders", "amount_minor");
        assert_eq!(note.contains("is not taken off"), owed.is_none(), "{note}");
    }
}

#[test]
fn one_correction_does_not_change_what_a_price_is() {
    let (_folder, data, out) = folders();
    let row = |n: usize| {
        let price = if n == 7 { "-90000.00".to_owned() } else { total(n) };
        format!(
            "O{n:06},S{:02},C{:03},{price},{},{}",
            n % 20,
            n * 7 % 330,
            if n == 7 { 1 } else { 1 + n % 4 },
            instant(n)
        )
    };
    sales(&data, "orders.csv", "order_id,seller_id,customer_id,price,quantity,order_date", &row);
    assert_origins(&draft_of(&data, &out), &[("orders.amount_minor", "orders.price × orders.quantity")]);
}

#[test]
fn a_column_that_may_say_what_is_no_sale_is_named() {
    for (column, usual, other) in [
        ("is_fraud", "0", "1"),
        ("doc_type", "Invoice", "Credit Memo"),
        ("reject_code", "", "R03"),
        ("mti", "0200", "0420"),
    ] {
        let (_folder, data, out) = folders();
        let row = |n: usize| {
            let said = if n % 20 == 3 { other } else { usual };
            format!("O{n:06},S{:02},C{:03},{},{},{said}", n % 20, n * 7 % 330, total(n), instant(n))
        };
        sales(&data, "orders.csv", &format!("order_id,seller_id,customer_id,amount,order_date,{column}"), &row);
        let note = note_of(&draft_of(&data, &out), "orders", "amount_minor");
        assert!(note.contains(column) && note.contains("5.0 %"), "{column}: {note}");
    }
}

#[test]
fn sales_of_shops_are_no_shops() {
    for name in ["shop_sales.csv", "merchant_sales.csv", "card_sales.csv"] {
        let (_folder, data, out) = folders();
        let row = |n: usize| format!("T{n:06},S{:02},C{:03},{},{}", n % 20, n * 7 % 330, total(n), instant(n));
        sales(&data, name, "sale_id,seller_id,customer_id,amount,sold_at", &row);
        draft_of(&data, &out);
        assert_eq!(read(&out.join("job.toml"), "orders").height(), ORDERS, "{name}");
    }
}

#[test]
fn what_is_left_or_was_paid_back_was_not_lent_and_receipts_are_no_orders() {
    let (_folder, data, out) = folders();
    export(&data, &Export { row: plain, ..PLAIN });
    let mut finance = vec!["FacilityNo,seller_id,DrawdownDate,Amount,PrincipalBalance,AnnualRatePct,Months".to_owned()];
    let mut schedule = vec!["FacilityNo,Instalment,DueDate,Principal,Interest".to_owned()];
    let mut receipts = vec!["ReceiptNo,FacilityNo,ReceiptDate,Amount".to_owned()];
    for n in 0..40 {
        finance.push(format!("FAC{n:05},S{:02},{},300.00,{}.00,12.0,3", n % 20, day(20 + n), n * 7 % 290));
        for k in 1..=3 {
            let at = day(20 + n + 30 * k);
            schedule.push(format!("FAC{n:05},{k},{at},100.00,1.50"));
            receipts.push(format!("RCT{n:04}{k},FAC{n:05},{at},101.50"));
        }
    }
    for (name, rows) in
        [("seller_finance", finance), ("seller_finance_schedule", schedule), ("seller_finance_receipts", receipts)]
    {
        file(&data, &format!("{name}.csv"), &rows);
    }
    let draft = draft_of(&data, &out);
    let expected = [
        ("orders.order_id", "orders.order_id"),
        ("loans.loan_id", "seller_finance.\"FacilityNo\""),
        ("loans.principal_minor", "seller_finance.\"Amount\""),
        ("payments.payment_id", "receipts.\"ReceiptNo\""),
        ("instalments.due_on", "schedule.\"DueDate\""),
    ];
    assert_origins(&draft, &expected);
}

#[test]
fn merchants_that_products_name_are_told_and_their_lines_summed() {
    let (_folder, data, out) = folders();
    let mut orders = vec!["order_id,customer_id,order_date,currency".to_owned()];
    let mut lines = vec!["order_id,product_id,unit_price,quantity".to_owned()];
    for n in 0..ORDERS {
        orders.push(format!("O{n:06},C{:03},{},EUR", n * 7 % 330, instant(n)));
        lines.extend((0..2).map(|k| format!("O{n:06},P{:05},10.00,{}", (n * 3 + k * 17) % 60, 1 + (n + k) % 4)));
    }
    let products = (0..60).map(|n| format!("P{n:05},S{:02},N{n}", n % 20));
    let head = "product_id,seller_id,product_name".to_owned();
    file(&data, "products.csv", &std::iter::once(head).chain(products).collect::<Vec<_>>());
    file(&data, "sellers.csv", &sellers());
    file(&data, "orders.csv", &orders);
    file(&data, "order_items.csv", &lines);
    let draft = draft_of(&data, &out);
    let why = gap(&draft, "orders", "merchant_id").unwrap_or_default();
    assert!(why.contains("lead to who sells") && why.contains("products.\"seller_id\""), "{why} {:?}", origins(&draft));
    let amount = "sum of order_items.unit_price × order_items.quantity";
    assert_origins(&draft, &[("orders.amount_minor", amount)]);
}

#[test]
fn a_zero_behind_the_point_of_an_id_is_no_part_of_it() {
    let (_folder, data, out) = folders();
    let shops = (0..20).map(|n| format!("{},{},toys", 500 + n, instant(0)));
    let head = "shop_id,created_at,category".to_owned();
    file(&data, "shops.csv", &std::iter::once(head).chain(shops).collect::<Vec<_>>());
    let rows = (0..ORDERS).map(|n| {
        let buyer = if n % 5 == 0 { String::new() } else { format!("{}.0", 12_000 + n * 7 % 330) };
        format!("O{n:06},{}.0,{buyer},{},{},EUR", 500 + n % 20, total(n), instant(n))
    });
    let head = "order_id,shop_id,customer_id,amount,order_date,currency".to_owned();
    file(&data, "orders.csv", &std::iter::once(head).chain(rows).collect::<Vec<_>>());
    draft_of(&data, &out);
    let orders = read(&out.join("job.toml"), "orders");
    assert_eq!(cells(&orders, "order_id", "merchant_id")["O000003"].as_deref(), Some("503"));
    let buyers = cells(&orders, "order_id", "buyer_id");
    assert_eq!(buyers["O000001"].as_deref(), Some("12007"));
    assert_eq!(buyers["O000005"].as_deref(), Some("no-buyer-O000005"));
}
