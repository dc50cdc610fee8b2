//! Exports that can be read in two ways, or that look like what they are not: what shows is drafted as it is meant, the rest is a gap with its reason.

use super::*;

pub(super) const ORDERS: usize = 800;

/// Orders of an export, one a row: what differs between tests is given for each.
pub(super) struct Export {
    pub(super) head: &'static str,
    pub(super) row: fn(usize) -> String,
}

/// An order as most exports have it: five in six have arrived, the newest are under way.
pub(super) fn plain(n: usize) -> String {
    let state = if is_new(n) { "pending" } else { "delivered" };
    with_state(n, state)
}

pub(super) const PLAIN: Export =
    Export { head: "order_id,seller_id,buyer_id,created_at,delivered_at,total,currency,status", row: plain };

fn is_new(n: usize) -> bool {
    n + 12 >= ORDERS
}

fn with_state(n: usize, state: &str) -> String {
    let arrived = if is_new(n) { String::new() } else { instant(n + 9) };
    format!("O{n:04},S{:02},B{:03},{},{arrived},{},EUR,{state}", n % 20, n * 7 % 330, instant(n), total(n))
}

pub(super) fn total(n: usize) -> String {
    format!("{}.{:02}", 20 + n * 37 % 300, n * 13 % 100)
}

pub(super) fn sellers() -> Vec<String> {
    let mut rows = vec!["seller_id,created_at,category,city".to_owned()];
    rows.extend((0..20).map(|n| format!("S{n:02},{},toys,X{}", instant(0), n % 4)));
    rows
}

pub(super) fn export(data: &Path, orders: &Export) {
    file(data, "sellers.csv", &sellers());
    let rows = std::iter::once(orders.head.to_owned()).chain((0..ORDERS).map(orders.row));
    file(data, "orders.csv", &rows.collect::<Vec<_>>());
}

pub(super) fn gap<'a>(draft: &'a Draft, table: &str, column: &str) -> Option<&'a str> {
    let tables = draft.tables.iter().chain(&draft.aside).find(|t| t.table.name == table)?;
    let found = tables.gaps().find(|gap| gap.column == column)?;
    found.note.as_deref()
}

#[test]
fn reviews_by_sellers_are_no_reviews_of_them() {
    for (column, buyer, seller) in [
        ("given_by", "buyer", "seller"),
        ("reviewer_role", "client", "provider"),
        ("direction", "buyer_to_seller", "seller_to_buyer"),
        ("reviewee", "seller", "buyer"),
    ] {
        let (_folder, data, out) = folders();
        export(&data, &PLAIN);
        let mut rows = vec![format!("review_id,order_id,created_at,rating,{column}")];
        for n in (0..600).step_by(3) {
            rows.push(format!("V{n},O{n:04},{},{},{buyer}", instant(n + 12), 1 + n % 5));
            rows.push(format!("W{n},O{n:04},{},5,{seller}", instant(n + 13)));
        }
        file(&data, "reviews.csv", &rows);
        let draft = draft_of(&data, &out);
        assert_eq!(draft.open_gaps(), 0, "{column}");
        let reviews = read(&out.join("job.toml"), "reviews");
        assert_eq!(reviews.height(), 200, "{column}");
        assert!(cells(&reviews, "review_id", "stars").keys().all(|id| id.starts_with('V')), "{column}");
    }
    // Words that nobody knows: a person must say.
    let (_folder, data, out) = folders();
    export(&data, &PLAIN);
    let mut rows = vec!["review_id,order_id,created_at,rating,given_by".to_owned()];
    rows.extend((0..600).map(|n| format!("V{n},O{n:04},{},{},{}", instant(n + 12), 1 + n % 5, ["K", "P"][n % 2])));
    file(&data, "reviews.csv", &rows);
    let draft = draft_of(&data, &out);
    let why = gap(&draft, "reviews", "buyer_id").unwrap();
    assert!(why.contains("given_by") && why.contains("'K', 'P'"), "{why}");
    assert!(draft.tables.iter().all(|table| table.table.name != "reviews"), "it is not read before");
}

#[test]
fn states_of_unknown_words_are_named_and_payment_is_no_arrival() {
    // Payment is not arrival: times show which word is.
    let (_folder, data, out) = folders();
    let paid = |n: usize| with_state(n, if is_new(n) { "bezahlt" } else { "xyzzy" });
    export(&data, &Export { row: paid, ..PLAIN });
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0);
    let completed = draft
        .tables
        .iter()
        .find(|t| t.table.name == "orders")
        .and_then(|t| t.columns.iter().find(|c| c.column == "completed_at").and_then(|c| c.note.clone()));
    assert!(completed.as_deref().is_some_and(|note| note.contains("'xyzzy' is taken")), "{completed:?}");
    let orders = read(&out.join("job.toml"), "orders");
    assert_eq!(ORDERS - orders.column("completed_at").unwrap().null_count(), ORDERS - 12);

    // Without any time of arrival nobody knows what the words say.
    let bare = |n: usize| {
        let state = ["opłacone", "xyzzy", "anulowane"][n % 3];
        format!("O{n:04},S{:02},B{:03},{},{},EUR,{state}", n % 20, n * 7 % 330, instant(n), total(n))
    };
    let (_folder, data, out) = folders();
    export(&data, &Export { head: "order_id,seller_id,buyer_id,created_at,total,currency,status", row: bare });
    let draft = draft_of(&data, &out);
    let why = gap(&draft, "orders", "completed_at").unwrap();
    assert!(why.contains("orders.status") && why.contains("'xyzzy' (33.4 %)"), "{why}");

    // A word that few orders have is named.
    let (_folder, data, out) = folders();
    let rare = |n: usize| {
        with_state(
            n,
            if n % 200 == 7 {
                "xyzzy"
            } else if is_new(n) {
                "pending"
            } else {
                "delivered"
            },
        )
    };
    export(&data, &Export { row: rare, ..PLAIN });
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0);
    let sql = fs::read_to_string(out.join("sources/orders.sql")).unwrap();
    assert!(sql.contains("'xyzzy' (0.5 %)"), "{sql}");
}

#[test]
fn rows_that_are_parts_are_summed_and_rows_that_repeat_the_whole_are_not() {
    let without_amount = |n: usize| format!("O{n:04},S{:02},B{:03},{},EUR", n % 20, n * 7 % 330, instant(n));
    let cents = |n: usize| 2_000 + n * 37 % 300 * 100;
    // Equal halves, with numbers of their own: orders of one part tell.
    let (_folder, data, out) = folders();
    export(&data, &Export { head: "order_id,seller_id,buyer_id,created_at,currency", row: without_amount });
    let mut rows = vec!["part_id,order_id,amount".to_owned()];
    for n in 0..ORDERS {
        let parts = 1 + n % 2;
        rows.extend(
            (0..parts).map(|part| format!("P{n}-{part},O{n:04},{:.2}", cents(n) as f64 / 100.0 / parts as f64)),
        );
    }
    file(&data, "order_parts.csv", &rows);
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0, "{:?}", draft.tables);
    let amounts = cells(&read(&out.join("job.toml"), "orders"), "order_id", "amount_minor");
    for n in 0..ORDERS {
        assert_eq!(amounts[&format!("O{n:04}")], Some(cents(n).to_string()), "{n}");
    }
}

#[test]
fn dates_of_two_forms_are_both_read_or_named() {
    let german_later = |n: usize| {
        let row = plain(n);
        let date = day(n / 4);
        if n > 500 { row.replacen(&date.to_string(), &date.strftime("%d.%m.%Y").to_string(), 1) } else { row }
    };
    let (_folder, data, out) = folders();
    export(&data, &Export { row: german_later, ..PLAIN });
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0, "{:?}", draft.tables);
    let placed = cells(&read(&out.join("job.toml"), "orders"), "order_id", "placed_at");
    for n in [3, 600, 799] {
        assert_eq!(placed[&format!("O{n:04}")].as_deref().map(|at| &at[..16]), Some(&instant(n)[..16]), "{n}");
    }

    let turned = |n: usize| {
        let (row, date) = (plain(n), day(n / 4));
        let form = if n > 500 { "%m/%d/%Y" } else { "%d/%m/%Y" };
        row.replacen(&date.to_string(), &date.strftime(form).to_string(), 1)
    };
    let (_folder, data, out) = folders();
    export(&data, &Export { row: turned, ..PLAIN });
    let draft = draft_of(&data, &out);
    let why = gap(&draft, "orders", "placed_at").unwrap();
    assert!(why.contains("day/month/year") && why.contains("month/day/year"), "{why}");
}

#[test]
fn a_point_that_may_mark_thousands_is_named() {
    let mixed = |n: usize| {
        let row = plain(n);
        if (300..340).contains(&n) {
            row.replace(&format!(",{},EUR", total(n)), &format!(",1.{:03},EUR", n * 10 % 1000))
        } else {
            row
        }
    };
    let (_folder, data, out) = folders();
    export(&data, &Export { row: mixed, ..PLAIN });
    let draft = draft_of(&data, &out);
    let why = gap(&draft, "orders", "amount_minor").unwrap();
    assert!(why.contains("three digits"), "{why}");
}

#[test]
fn refunds_and_credit_notes_are_what_went_back() {
    for (name, head) in
        [("refunds", "refund_id,order_id,refunded_at,amount"), ("Credit Notes", "Credit Note No,order_id,Date,Amount")]
    {
        let (_folder, data, out) = folders();
        export(&data, &PLAIN);
        let mut rows = vec![head.to_owned()];
        rows.extend((0..700).step_by(20).map(|n| format!("R{n:04},O{n:04},{},5.00", instant(n + 20))));
        file(&data, &format!("{name}.csv"), &rows);
        let draft = draft_of(&data, &out);
        assert_eq!(draft.open_gaps(), 0, "{name}");
        let drafted: Vec<&str> = draft.tables.iter().chain(&draft.aside).map(|t| t.table.name).collect();
        assert_eq!(drafted, ["merchants", "orders", "shipments"], "{name}");
        let orders = read(&out.join("job.toml"), "orders");
        let (amounts, days) = (cells(&orders, "order_id", "refund_minor"), cells(&orders, "order_id", "refunded_at"));
        assert_eq!(amounts["O0040"].as_deref(), Some("500"), "{name}");
        assert_eq!(days["O0040"].as_deref().map(|at| &at[..16]), Some(&instant(60)[..16]), "{name}");
        assert_eq!(orders.column("refund_minor").unwrap().null_count(), ORDERS - 35, "{name}");
    }
}

#[test]
fn months_with_other_columns_are_one_table_that_next_month_s_file_joins() {
    let (_folder, data, out) = folders();
    file(&data, "sellers.csv", &sellers());
    // March has a column more, April calls the amount otherwise, May has tabs.
    for (month, rows) in [("2022-02", 0..200), ("2022-03", 200..400), ("2022-04", 400..600), ("2022-05", 600..800)] {
        let mut lines = vec![match month {
            "2022-03" => format!("{},voucher", PLAIN.head),
            "2022-04" => PLAIN.head.replace("total", "gross"),
            _ => PLAIN.head.to_owned(),
        }];
        lines.extend(rows.map(|n| plain(n) + if month == "2022-03" { ",V1" } else { "" }));
        if month == "2022-05" {
            for line in &mut lines {
                *line = line.replace(',', "\t");
            }
        }
        file(&data.join("orders"), &format!("orders_{month}.csv"), &lines);
    }
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0, "{:?}", draft.tables);
    let inputs: Vec<_> =
        draft.inputs.iter().map(|input| (input.name.as_str(), input.files.as_str(), input.rows)).collect();
    assert_eq!(inputs, [("orders", "orders/orders_*.csv", ORDERS), ("sellers", "sellers.csv", 20)]);
    let amounts = cells(&read(&out.join("job.toml"), "orders"), "order_id", "amount_minor");
    for n in [0, 250, 450, 799] {
        assert_eq!(amounts[&format!("O{n:04}")], Some(total(n).replace('.', "")), "{n}");
    }
}

#[test]
fn months_of_parquet_with_a_further_column_and_wider_numbers_are_one_table() {
    let (_folder, data, out) = folders();
    file(&data, "sellers.csv", &sellers());
    for (month, rows) in [("2022-02", 0..200), ("2022-03", 200..400), ("2022-04", 400..800)] {
        let cells = |of: fn(usize) -> String| rows.clone().map(of).collect::<Vec<String>>();
        let whole: Vec<i64> = rows.clone().map(|n| 20 + i64::try_from(n * 37 % 300).unwrap()).collect();
        let total = match month {
            "2022-02" => Column::new("total".into(), whole).cast(&DataType::Int32).unwrap(),
            "2022-03" => Column::new("total".into(), whole),
            _ => {
                Column::new("total".into(), rows.clone().map(|n| total(n).parse::<f64>().unwrap()).collect::<Vec<_>>())
            }
        };
        let mut columns = vec![
            Column::new("order_id".into(), cells(|n| format!("O{n:04}"))),
            Column::new("seller_id".into(), cells(|n| format!("S{:02}", n % 20))),
            Column::new("buyer_id".into(), cells(|n| format!("B{:03}", n * 7 % 330))),
            Column::new("created_at".into(), cells(instant)),
            total,
            Column::new("currency".into(), cells(|_| "EUR".to_owned())),
            Column::new("status".into(), cells(|_| "delivered".to_owned())),
        ];
        if month != "2022-02" {
            columns.push(Column::new("voucher".into(), cells(|n| format!("V{}", n % 5))));
        }
        let folder = data.join("orders");
        fs::create_dir_all(&folder).unwrap();
        let mut frame = DataFrame::new_infer_height(columns).unwrap();
        let path = folder.join(format!("orders_{month}.parquet"));
        ParquetWriter::new(fs::File::create(path).unwrap()).finish(&mut frame).unwrap();
    }
    let draft = draft_of(&data, &out);
    let inputs: Vec<_> =
        draft.inputs.iter().map(|input| (input.name.as_str(), input.files.as_str(), input.rows)).collect();
    assert_eq!(
        inputs,
        [("orders", "orders/orders_*.parquet", ORDERS), ("sellers", "sellers.csv", 20)],
        "{:?}",
        draft.unread
    );
    let job = fs::read_to_string(out.join("job.toml")).unwrap();
    assert!(job.contains("# Not all files of orders have voucher: null where they are missing."), "{job}");
    let amounts = cells(&read(&out.join("job.toml"), "orders"), "order_id", "amount_minor");
    for (n, amount) in
        [(0, "2000".to_owned()), (250, format!("{}00", 20 + 250 * 37 % 300)), (450, total(450).replace('.', ""))]
    {
        assert_eq!(amounts[&format!("O{n:04}")], Some(amount), "{n}");
    }
}

#[test]
fn ratings_of_ten_or_a_hundred_become_stars() {
    for (best, note) in [(10, "ratings of 10"), (100, "ratings of 100")] {
        let (_folder, data, out) = folders();
        export(&data, &PLAIN);
        let mut rows = vec!["review_id,order_id,created_at,rating".to_owned()];
        rows.extend((0..600).map(|n| format!("V{n},O{n:04},{},{}", instant(n + 12), (1 + n % 10) * best / 10)));
        file(&data, "reviews.csv", &rows);
        let draft = draft_of(&data, &out);
        assert_eq!(draft.open_gaps(), 0);
        let stars = cells(&read(&out.join("job.toml"), "reviews"), "review_id", "stars");
        for (n, expected) in [(0, "1"), (3, "2"), (8, "5"), (9, "5")] {
            assert_eq!(stars[&format!("V{n}")].as_deref(), Some(expected), "{best}: {n}");
        }
        let sql = fs::read_to_string(out.join("sources/reviews.sql")).unwrap();
        assert!(sql.contains(note), "{sql}");
    }
    let (_folder, data, out) = folders();
    export(&data, &PLAIN);
    let mut rows = vec!["review_id,order_id,created_at,rating".to_owned()];
    rows.extend((0..600).map(|n| format!("V{n},O{n:04},{},{}", instant(n + 12), 1 + n % 8)));
    file(&data, "reviews.csv", &rows);
    let draft = draft_of(&data, &out);
    let why = gap(&draft, "reviews", "stars").unwrap();
    assert!(why.contains("from 1 to 8"), "{why}");
}

#[test]
fn who_sells_work_by_contract_is_a_merchant_with_orders() {
    for (worker, workers) in [("freelancer", "freelancers"), ("driver", "drivers"), ("contractor", "contractors")] {
        let (_folder, data, out) = folders();
        let called = |rows: Vec<String>| -> Vec<String> {
            let head = |row: &String| {
                row.replace("seller_id", &format!("{worker}_id"))
                    .replace("order_id", "contract_id")
                    .replace("buyer_id", "client_id")
            };
            rows.iter().enumerate().map(|(n, row)| if n == 0 { head(row) } else { row.clone() }).collect()
        };
        file(&data, &format!("{workers}.csv"), &called(sellers()));
        let rows = std::iter::once(PLAIN.head.to_owned()).chain((0..ORDERS).map(plain)).collect();
        file(&data, "contracts.csv", &called(rows));
        let draft = draft_of(&data, &out);
        assert_origins(
            &draft,
            &[
                ("merchants.merchant_id", &format!("{workers}.{worker}_id")),
                ("orders.order_id", "contracts.contract_id"),
                ("orders.merchant_id", &format!("contracts.{worker}_id")),
                ("orders.buyer_id", "contracts.client_id"),
            ],
        );
        assert_eq!(draft.open_gaps(), 0, "{worker}");
    }
}

#[test]
fn who_rides_brings_meals_and_buys_rides() {
    // Of restaurants: riders and drivers bring what others sell.
    for carrier in ["Rider ID", "rider", "Driver ID", "Delivery Agent"] {
        let (_folder, data, out) = folders();
        let head = format!("order_id,restaurant_id,customer_id,placed_at,delivered_at,total,currency,status,{carrier}");
        let rows = (0..ORDERS).map(|n| format!("{},R{:02}", plain(n), n % 37));
        file(&data, "orders.csv", &std::iter::once(head).chain(rows).collect::<Vec<_>>());
        let draft = draft_of(&data, &out);
        assert_origins(
            &draft,
            &[("orders.merchant_id", "orders.restaurant_id"), ("orders.buyer_id", "orders.customer_id")],
        );
    }
    // Without a customer nobody is taken for one.
    let (_folder, data, out) = folders();
    let rows = (0..ORDERS).map(|n| plain(n).replace(&format!(",B{:03}", n * 7 % 330), &format!(",R{:02}", n % 37)));
    let head = PLAIN.head.replace("buyer_id", "Rider ID").replace("seller_id", "restaurant_id");
    file(&data, "orders.csv", &std::iter::once(head).chain(rows).collect::<Vec<_>>());
    let draft = draft_of(&data, &out);
    assert!(gap(&draft, "orders", "buyer_id").is_some());
    assert_origins(&draft, &[("shipments.carrier", "orders.\"Rider ID\"")]);
    // Of rides: drivers sell, riders buy.
    let (_folder, data, out) = folders();
    let rows = (0..ORDERS).map(plain);
    let head = "trip_id,driver_id,rider_id,requested_at,completed_at,fare,currency,status".to_owned();
    file(&data, "trips.csv", &std::iter::once(head).chain(rows).collect::<Vec<_>>());
    let draft = draft_of(&data, &out);
    assert_origins(&draft, &[("orders.merchant_id", "trips.driver_id"), ("orders.buyer_id", "trips.rider_id")]);
}

#[test]
fn numbered_levels_say_how_far_merchants_are_verified() {
    for (head, levels, expected) in [
        ("KYC Level", ["Tier 0", "Tier 1", "Tier 2", "Tier 3"], ["none", "basic", "basic", "full"]),
        ("verification", ["Level 1", "Level 2", "Level 3", "Unverified"], ["basic", "basic", "full", "none"]),
        ("kyc_tier", ["T0", "T1", "T2", "T1"], ["none", "basic", "full", "basic"]),
        ("kyc", ["0", "1", "2", "3"], ["none", "basic", "basic", "full"]),
        ("kyc_verified", ["0", "1", "0", "1"], ["none", "full", "none", "full"]),
    ] {
        let (_folder, data, out) = folders();
        export(&data, &PLAIN);
        let rows = sellers().into_iter().enumerate().map(|(n, row)| match n {
            0 => format!("{row},{head}"),
            _ => format!("{row},{}", levels[(n - 1) % 4]),
        });
        file(&data, "sellers.csv", &rows.collect::<Vec<_>>());
        draft_of(&data, &out);
        let verified = cells(&read(&out.join("job.toml"), "merchants"), "merchant_id", "verification");
        for (n, word) in expected.iter().enumerate() {
            assert_eq!(verified[&format!("S{n:02}")].as_deref(), Some(*word), "{head}: {}", levels[n]);
        }
    }
}
