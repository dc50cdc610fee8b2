//! What names do not say: keys, references, repetition and the order of times tell what tables and columns are.

use super::*;

const DAYS: usize = 400;

fn at(n: usize, hour: usize) -> String {
    format!("{} {hour:02}:00:00", day(n))
}

fn write(folder: &Path, file: &str, text: &str) {
    fs::write(folder.join(file), text).unwrap();
}

/// A job whose tables and columns are named by nothing that any language knows; only times, amounts and what a place is say what they are.
fn unnamed(folder: &Path) {
    let mut places = "qx,wv,region,category\n".to_owned();
    for place in 0..12 {
        let _ = writeln!(
            places,
            "QX-{place:04},Place {place},{},{}",
            ["north", "south"][place % 2],
            ["tea", "rice"][place / 6]
        );
    }
    let mut jobs = "zk,qx,hj,t0,t1,t2,z_state,amount\n".to_owned();
    let (mut marks, mut faults) = ("zk,score,t9\n".to_owned(), "fk,zk,t7,reason\n".to_owned());
    for n in 0..1_200 {
        let on = n * DAYS / 1_200;
        let fails = n % 17 == 3;
        let later = |hour| if fails { String::new() } else { at(on, hour) };
        let _ = writeln!(
            jobs,
            "ZK-{n:06},QX-{:04},HJ-{:05},{},{},{},{},{}.50",
            n % 12,
            n * 7 % 301,
            at(on, 8),
            later(9),
            later(11),
            if fails { 4 } else { 2 },
            10 + n % 90
        );
        if n % 3 == 0 && !fails {
            let _ = writeln!(marks, "ZK-{n:06},{},{}", 1 + n / 3 % 5, at(on, 15));
        }
        if n % 20 == 5 {
            let _ = writeln!(faults, "FK-{n:06},ZK-{n:06},{},{}", at(on, 20), ["never delivered", "damaged"][n % 2]);
        }
    }
    for (file, text) in [("aa.csv", &places), ("bb.csv", &jobs), ("cc.csv", &marks), ("dd.csv", &faults)] {
        write(folder, file, text);
    }
}

#[test]
fn tables_without_telling_names_are_known_by_their_keys_and_times() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("job"));
    fs::create_dir(&data).unwrap();
    unnamed(&data);
    let draft = draft_of(&data, &out);
    assert_origins(
        &draft,
        &[
            ("merchants.merchant_id", "aa.qx"),
            ("orders.order_id", "bb.zk"),
            ("orders.merchant_id", "bb.qx"),
            ("orders.buyer_id", "bb.hj"),
            ("orders.placed_at", "bb.t0"),
            ("orders.cancelled_at", "bb.z_state"),
            ("orders.amount_minor", "bb.amount"),
            ("reviews.order_id", "cc.zk"),
            ("reviews.stars", "cc.score"),
            ("reviews.created_at", "cc.t9"),
            ("disputes.order_id", "dd.zk"),
            ("disputes.opened_at", "dd.t7"),
            ("disputes.kind", "dd.reason"),
        ],
    );
}

/// What `sales` and `who` hold, with a state that is called one of a place and a table of sellers that is called anything.
#[test]
fn a_register_is_a_table_of_merchants_and_a_state_that_says_cancelled_is_a_state() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("job"));
    fs::create_dir(&data).unwrap();
    let mut register = "vendor_no,trading_name,county,member_since\n".to_owned();
    for n in 0..9 {
        let _ = writeln!(register, "V{n:03},Stall {n},{},{}", ["East", "West"][n % 2], day(n));
    }
    let mut sales = "sale_no,vendor_no,client_no,sold_on,paid_on,total_eur,sale_state\n".to_owned();
    for n in 0..900 {
        let state = if n % 10 == 4 { "cancelled" } else { "delivered" };
        let paid = if n % 10 == 4 { String::new() } else { day(20 + n / 3).to_string() };
        let _ = writeln!(
            sales,
            "S{n:05},V{:03},C{:04},{},{paid},{}.20,{state}",
            n % 9,
            n * 11 % 200,
            day(20 + n / 3),
            5 + n % 70
        );
    }
    write(&data, "register.csv", &register);
    write(&data, "sales.csv", &sales);
    let from = origins(&draft_of(&data, &out));
    assert_eq!(from["merchants.merchant_id"], "register.vendor_no");
    assert_eq!(from["merchants.region"], "register.county");
    assert_eq!(from["orders.cancelled_at"], "sales.sale_state");
    let rows = read(&out.join("job.toml"), "orders");
    for (order, cancelled) in cells(&rows, "order_id", "cancelled_at") {
        let number: usize = order[1..].parse().unwrap();
        assert_eq!(cancelled.is_some(), number % 10 == 4, "{order}");
    }
}

#[test]
fn what_stands_on_one_line_or_on_all_of_them_is_the_order_s_and_counts_once() {
    for everywhere in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (data, out) = (folder.path().join("data"), folder.path().join("job"));
        fs::create_dir(&data).unwrap();
        let mut text =
            "Name,Email,Vendor,Status,Created at,Paid at,Currency,Total,Lineitem quantity,Lineitem sku\n".to_owned();
        for n in 0..600 {
            for line in 0..=(n % 3) {
                let is_said = everywhere || line == 0;
                let said = |text: String| if is_said { text } else { String::new() };
                let _ = writeln!(
                    text,
                    "#{},c{}@mail.example,Shop {},{},{},{},EUR,{},{},SKU-{n}-{line}",
                    1_001 + n,
                    n * 13 % 170,
                    n % 7,
                    said("paid".to_owned()),
                    at(n / 2, 10),
                    said(at(n / 2, 11)),
                    said(format!("{}.00", 20 + n % 50)),
                    1 + line,
                );
            }
        }
        write(&data, "orders_export.csv", &text);
        let draft = draft_of(&data, &out);
        assert_eq!(origins(&draft)["orders.order_id"], "orders_export.\"Name\"");
        let rows = read(&out.join("job.toml"), "orders");
        // Every line gives a row of its order; all of them say the same.
        let texts = |name: &str| -> Vec<String> {
            let column = rows.column(name).unwrap().cast(&DataType::String).unwrap();
            column.str().unwrap().iter().map(|cell| cell.unwrap_or("-").to_owned()).collect()
        };
        let mut seen: BTreeMap<String, BTreeSet<(String, String, String)>> = BTreeMap::new();
        for (((order, amount), paid), completed) in
            texts("order_id").into_iter().zip(texts("amount_minor")).zip(texts("paid_at")).zip(texts("completed_at"))
        {
            seen.entry(order).or_default().insert((amount, paid, completed));
        }
        assert_eq!(seen.len(), 600);
        for (order, said) in seen {
            let number: usize = order[1..].parse::<usize>().unwrap() - 1_001;
            let [(amount, paid, completed)] = &said.into_iter().collect::<Vec<_>>()[..] else { panic!("{order}") };
            assert_eq!(*amount, ((20 + number % 50) * 100).to_string(), "{order}, everywhere: {everywhere}");
            assert!(paid != "-" && completed != "-", "{order}: {paid} {completed}");
        }
    }
}

#[test]
fn credit_notes_among_invoices_are_skipped_and_give_back_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("job"));
    fs::create_dir(&data).unwrap();
    let mut text = "Invoice No,Doc,Supplier No,Customer No,Invoice Date,Gross Amount,Ccy,PO Ref\n".to_owned();
    for n in 0..700 {
        let _ = writeln!(
            text,
            "INV-{n:06},INV,SUP{:03},C{:04},{},{}.00,GBP,PO-{}",
            n % 8,
            n * 3 % 97,
            day(n / 2),
            100 + n,
            n * 3
        );
        if n % 9 == 2 {
            for part in 0..=(n % 2) {
                let _ = writeln!(
                    text,
                    "CRN-{n:06}{part},CRN,SUP{:03},C{:04},{},-{}.00,GBP,INV-{n:06}",
                    n % 8,
                    n * 3 % 97,
                    day(n / 2 + 10 + part),
                    10 + part
                );
            }
        }
    }
    write(&data, "invoices.csv", &text);
    let from = origins(&draft_of(&data, &out));
    assert_eq!(
        from["orders.order_id"], "invoices.\"Invoice No\"",
        "a reference to something else is no order's number"
    );
    let rows = read(&out.join("job.toml"), "orders");
    let (amounts, given, when) = (
        cells(&rows, "order_id", "amount_minor"),
        cells(&rows, "order_id", "refund_minor"),
        cells(&rows, "order_id", "refunded_at"),
    );
    assert_eq!(amounts.len(), 700, "credit notes are no orders");
    for (order, amount) in amounts {
        let n: usize = order[4..].parse().unwrap();
        assert_eq!(amount, Some(((100 + n) * 100).to_string()));
        let expected = (n % 9 == 2).then_some(if n % 2 == 1 { 2_100 } else { 1_000 });
        assert_eq!(given[&order], expected.map(|minor: i32| minor.to_string()), "{order}");
        assert_eq!(when[&order].as_ref().map(|at| at[..10].to_owned()), expected.map(|_| day(n / 2 + 10).to_string()));
    }
}

#[test]
fn folders_of_parquet_give_a_column_and_every_row_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("job"));
    for month in 1..=3_usize {
        let part = data.join(format!("orders/month=2024-{month:02}"));
        fs::create_dir_all(&part).unwrap();
        let rows = 200;
        let numbered = |text: &str, of: usize| {
            (0..rows).map(|n| format!("{text}{:05}", (month * 1_000 + n) % of)).collect::<Vec<_>>()
        };
        let mut frame = df!(
            "order_id" => numbered("O", 100_000),
            "shop_id" => numbered("shop-", 7),
            "buyer_id" => numbered("buyer-", 67),
            "placed_at" => (0..rows).map(|n| format!("2024-{month:02}-{:02} 10:00:00", 1 + n % 28)).collect::<Vec<_>>(),
            "amount_cents" => (0..rows).map(|n| 1_000 + i64::try_from(n).unwrap()).collect::<Vec<_>>(),
            "currency" => vec!["EUR"; rows],
        )
        .unwrap();
        ParquetWriter::new(fs::File::create(part.join("part-0.parquet")).unwrap()).finish(&mut frame).unwrap();
    }
    let draft = draft_of(&data, &out);
    assert_eq!((draft.inputs.len(), draft.inputs[0].name.as_str(), draft.inputs[0].rows), (1, "orders", 600));
    assert!(draft.inputs[0].columns.iter().any(|column| column.name == "month"));
    assert_eq!(cells(&read(&out.join("job.toml"), "orders"), "order_id", "amount_minor").len(), 600);
}
