//! Amounts in cents, nested Parquet, loans in other currencies, days of sheets: what an export's own way of writing must not turn into another meaning.

use super::*;

/// Orders of twenty shops, two a day each, with what they cost in cents as `amount` says it.
fn shop_orders(head: &str, amount: &dyn Fn(usize, usize) -> String) -> Vec<String> {
    let mut lines = vec![format!("order_id,shop_id,customer_id,created_at,currency,{head}")];
    for n in 0..800 {
        let cents = 1_000 + n % 70 * 100 + [99, 50, 0, 95][n % 4];
        let (shop, buyer) = (700 + n % 20, 9_000 + n % 97);
        lines.push(format!("o{n:05},shop{shop},c{buyer},{},USD,{}", day(n / 4), amount(n, cents)));
    }
    lines
}

/// The amount of the first order, in minor units, and what was guessed of it.
fn first_amount(data: &Path, out: &Path) -> (Option<String>, Option<String>) {
    let draft = draft_of(data, out);
    let orders = draft.tables.iter().find(|table| table.table.name == "orders").unwrap();
    let note = orders.columns.iter().find(|column| column.column == "amount_minor").unwrap().note.clone();
    (cells(&read(&out.join("job.toml"), "orders"), "order_id", "amount_minor")["o00000"].clone(), note)
}

#[test]
fn whole_amounts_are_cents_where_something_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let case = |name: &str, head: &str, amount: &dyn Fn(usize, usize) -> String, text: &str| {
        let data = root.join(name).join("data");
        file(&data, "orders.csv", &shop_orders(head, amount));
        if !text.is_empty() {
            fs::write(data.join("README.md"), text).unwrap();
        }
        first_amount(&data, &root.join(name).join("job"))
    };
    let plain = |n: usize, _: usize| (12 + n % 71).to_string();
    let cents = |_: usize, cents: usize| cents.to_string();
    let first = || Some("1099".to_owned());
    assert_eq!(case("name", "amount_cents", &cents, ""), (first(), None), "its name says it");
    let (amount, note) = case("ends", "amount", &cents, "");
    assert_eq!(amount, first());
    assert!(note.unwrap().contains("end as prices do"));
    let (amount, note) = case("main", "amount", &plain, "");
    assert_eq!(amount.as_deref(), Some("1200"));
    assert!(note.unwrap().contains("taken as USD"));
    let (amount, note) = case("text", "amount", &plain, "# Fields\n\nAll amounts are integers, in cents.\n");
    assert_eq!(amount.as_deref(), Some("12"));
    assert!(note.unwrap().contains("README.md says so"));
    let both = |n: usize, cents: usize| format!("{}.{:02},{}", cents / 100, cents % 100, cents + usize::from(n == 3));
    let (amount, _) = case("beside", "shipping_price,amount", &both, "");
    assert_eq!(amount, first(), "a hundred times what another column says with decimals");
}

#[test]
fn fields_of_nested_parquet_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("job"));
    fs::create_dir(&data).unwrap();
    let rows = 600_usize;
    let texts =
        |name: &str, of: &dyn Fn(usize) -> String| Column::new(name.into(), (0..rows).map(of).collect::<Vec<String>>());
    let pack =
        |name: &str, fields: &[Column]| StructChunked::from_columns(name.into(), rows, fields).unwrap().into_column();
    let seconds: Vec<i64> = (0..rows).map(|n| 1_700_000_000 + i64::try_from(n).unwrap() * 3_600).collect();
    let cents: Vec<i64> = (0..rows).map(|n| 1_999 + i64::try_from(n % 40).unwrap() * 100).collect();
    let parts = Series::new("part_cents".into(), [5_i64, 7]);
    let part = StructChunked::from_columns("".into(), 2, &[parts.into_column()]).unwrap().into_series();
    let lists = Series::new("lines".into(), vec![part; rows]);
    let mut charges = DataFrame::new(
        rows,
        vec![
            texts("order_id", &|n| format!("ord_{n:06}")),
            Column::new("created".into(), seconds),
            Column::new("amount_cents".into(), cents),
            texts("currency", &|_| "usd".to_owned()),
            pack("buyer", &[texts("customer_id", &|n| format!("cus_{:05}", n % 130))]),
            pack("transfer", &[pack("to", &[texts("merchant_id", &|n| format!("acct_{:04}", n % 15))])]),
            lists.into_column(),
        ],
    )
    .unwrap();
    let file = fs::File::create(data.join("charges.parquet")).unwrap();
    ParquetWriter::new(file).finish(&mut charges).unwrap();
    let draft = draft_of(&data, &out);
    let from = origins(&draft);
    assert_eq!(from["orders.merchant_id"], "charges.\"transfer.to.merchant_id\"");
    assert_eq!(from["orders.buyer_id"], "charges.\"buyer.customer_id\"");
    let orders = read(&out.join("job.toml"), "orders");
    assert_eq!(orders.height(), rows);
    assert_eq!(cells(&orders, "order_id", "merchant_id")["ord_000016"].as_deref(), Some("acct_0001"));
    assert_eq!(cells(&orders, "order_id", "amount_minor")["ord_000001"].as_deref(), Some("2099"));
    // The list of a field's values is there for SQL.
    let sql = out.join("sources/orders.sql");
    let text = fs::read_to_string(&sql).unwrap();
    let amount = text.lines().find(|line| line.contains(" AS amount_minor")).unwrap();
    let summed = text.replace(amount, "    ARRAY_SUM(charges.\"lines.part_cents\") AS amount_minor,");
    assert_ne!(summed, text);
    fs::write(&sql, summed).unwrap();
    let orders = read(&out.join("job.toml"), "orders");
    assert_eq!(cells(&orders, "order_id", "amount_minor")["ord_000001"].as_deref(), Some("12"));
}

/// A lender's own books: clients, their sales, loans of which some are in dollars and some were never paid out, and one table of all transactions.
fn lenders_books(folder: &Path) {
    let mut clients = vec!["id,account_no,activation_date,display_name".to_owned()];
    let mut sales = vec!["sale_id,client_id,customer_phone,sale_time,total_amount,currency".to_owned()];
    let mut loans = vec!["id,account_no,client_id,loan_status_id,disbursedon_date,currency_code,principal_amount,annual_interest_rate,term_months".to_owned()];
    let mut due = vec!["id,loan_id,duedate,installment,principal_amount,interest_amount".to_owned()];
    let mut paid = vec!["id,loan_id,transaction_type_enum,transaction_date,amount,is_reversed".to_owned()];
    for client in 1..=40 {
        clients.push(format!("{client},{client:09},{},Trader {client}", day(client % 20)));
        for n in 0..30 {
            let sale = client * 100 + n;
            sales.push(format!(
                "{sale},{client},2547{:06},{} 10:00:00,{}.50,KES",
                sale * 7 % 900,
                day(30 + n * 9 + client % 5),
                100 + sale % 300
            ));
        }
        let (status, day_paid_out) =
            if client % 8 == 0 { (500, String::new()) } else { (300, day(90 + client).to_string()) };
        let currency = if client % 10 == 3 { "USD" } else { "KES" };
        loans.push(format!("{client},{client:09},{client},{status},{day_paid_out},{currency},3000.000000,24.0,3"));
        if client % 8 == 0 {
            continue;
        }
        paid.push(format!("{},{client},1,{day_paid_out},3000.000000,0", client * 10));
        for k in 1..=3 {
            due.push(format!("{},{client},{},{k},1000.000000,60.000000", client * 10 + k, day(90 + client + 30 * k)));
            let reversed = usize::from(k == 2 && client % 7 == 1);
            paid.push(format!("{},{client},2,{},1060.000000,{reversed}", client * 10 + k, day(89 + client + 30 * k)));
        }
    }
    for (name, lines) in [
        ("m_client", clients),
        ("pos_sales", sales),
        ("m_loan", loans),
        ("m_loan_repayment_schedule", due),
        ("m_loan_transaction", paid),
    ] {
        file(folder, &format!("{name}.csv"), &lines);
    }
}

#[test]
fn a_lenders_own_books_are_read_as_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("job"));
    lenders_books(&data);
    let draft = draft_of(&data, &out);
    assert_eq!((draft.open_gaps(), draft.label), (0, "loan-default"), "{:#?}", draft.aside);
    let from = origins(&draft);
    for (column, raw) in [
        ("orders.merchant_id", "client_id"),
        ("orders.buyer_id", "customer_phone"),
        ("loans.merchant_id", "client_id"),
        ("instalments.number", "installment"),
        ("payments.payment_id", "id"),
    ] {
        let of = from.get(column).and_then(|from| from.split_once('.'));
        assert_eq!(of.map(|(_, name)| name), Some(raw), "{column}");
    }
    let job = out.join("job.toml");
    // Of 40 loans 5 were never paid out, and 4 of the others are in dollars.
    let loans = read(&job, "loans");
    assert_eq!(loans.height(), 31);
    let paid = read(&job, "payments");
    // Neither payouts nor what was reversed; the payments of loans in dollars are skipped with their loans, not here.
    let all = 35 * 3 - (1..=40).filter(|client| client % 8 != 0 && client % 7 == 1).count();
    assert_eq!(paid.height(), all);
    let gaps = fs::read_to_string(out.join("GAPS.md")).unwrap();
    assert!(gaps.contains("## Left out") && gaps.contains("USD") && gaps.contains("never paid out"), "{gaps}");
}
