//! Schedules and times that names do not give away.

use super::*;

/// Shops with orders and loans whose schedule has names of no language. `placed`: the cells of a time beside the day on which an order was closed.
fn lender(folder: &Path, placed: &dyn Fn(usize) -> String) {
    let mut shops = vec!["shop_id,category,region,opened_on".to_owned()];
    shops.extend((0..20).map(|n| format!("T{n:05},{},North,2020-01-01", ["toys", "food"][n % 2])));
    let mut orders = vec!["order_id,shop_id,customer_id,zzq,closed_on,total,currency".to_owned()];
    for n in 0..800 {
        let closed = if n % 20 == 0 { String::new() } else { day(n / 4 + 3).to_string() };
        orders.push(format!("R{n:06},T{:05},U{:05},{},{closed},{}.50,EUR", n % 20, n % 97, placed(n), 10 + n % 90));
    }
    let mut loans = vec!["loan_id,shop_id,disbursed_on,principal,annual_rate,term_months".to_owned()];
    let mut schedule = vec!["qw,xk,vb,zr,pl".to_owned()];
    let mut payments = vec!["payment_id,loan_id,paid_on,amount".to_owned()];
    for n in 0..20 {
        let (paid_out, part) = (day(n * 3), 100 + n);
        loans.push(format!("L{n:05},T{n:05},{paid_out},{}.00,12,3", 3 * part));
        for k in 1..=3 {
            let due = paid_out.saturating_add(jiff::Span::new().months(i64::from(k)));
            schedule.push(format!("L{n:05},{k},{due},{part}.00,{}.25", 4 - k));
            payments.push(format!("P{n:02}{k},L{n:05},{due},{part}.00"));
        }
    }
    for (name, lines) in
        [("shops", shops), ("orders", orders), ("loans", loans), ("zuhk", schedule), ("payments", payments)]
    {
        file(folder, &format!("{name}.csv"), &lines);
    }
}

#[test]
fn a_schedule_is_known_by_its_values() {
    let (_folder, data, out) = folders();
    lender(&data, &|n| instant(n));
    let draft = draft_of(&data, &out);
    assert_origins(
        &draft,
        &[
            ("instalments.loan_id", "zuhk.qw"),
            ("instalments.number", "zuhk.xk"),
            ("instalments.due_on", "zuhk.vb"),
            ("instalments.principal_minor", "zuhk.zr"),
            ("instalments.interest_minor", "zuhk.pl"),
            ("loans.term_days", "zuhk.vb"),
            ("payments.payment_id", "payments.payment_id"),
        ],
    );
    assert_eq!((draft.label, draft.open_gaps()), ("loan-default", 0));
    let rows = read(&out.join("job.toml"), "instalments");
    assert_eq!(rows.column("interest_minor").unwrap().i64().unwrap().sum(), Some(20 * (325 + 225 + 125)));
}

#[test]
fn a_required_time_is_not_taken_from_blank_cells_while_others_look_like_times() {
    let (_folder, data, out) = folders();
    lender(&data, &|n| format!("{} kl. 9:{:02}:24", day(n / 4), n % 60));
    let draft = draft_of(&data, &out);
    let orders = draft.tables.iter().find(|table| table.table.name == "orders").unwrap();
    let placed = orders.gaps().find(|gap| gap.column == "placed_at").unwrap();
    let why = placed.note.as_deref().unwrap_or_default();
    assert!(why.contains("\"zzq\"") && why.contains("look like times"), "{why}");
}

#[test]
fn years_that_are_ahead_are_taken_off_and_told() {
    let (_folder, data, out) = folders();
    let mut orders = vec!["order_id,shop_id,customer_id,order_date,total,currency".to_owned()];
    orders.extend((0..600).map(|n| {
        let on = day(n / 4 + 760);
        let there = format!("{:02}/{:02}/{} 14:05", on.day(), on.month(), on.year() + 543);
        format!("R{n:06},T{:05},U{:05},{there},{}.50,EUR", n % 20, n % 97, 10 + n % 50)
    }));
    file(&data, "orders.csv", &orders);
    let draft = draft_of(&data, &out);
    assert_eq!(draft.as_of, Some(day(910)));
    let drafted = draft.tables.iter().find(|table| table.table.name == "orders").unwrap();
    let gap = drafted.gaps().find(|gap| gap.column == "placed_at").unwrap();
    assert!(gap.note.as_deref().unwrap_or_default().contains("543 years ahead"), "{gap:?}");
    for table in ["merchants", "orders"] {
        let sql = out.join(format!("sources/{table}.sql"));
        let text = fs::read_to_string(&sql).unwrap();
        let filled: Vec<&str> = text.lines().map(|line| line.split("-- GAP").next().unwrap_or_default()).collect();
        fs::write(&sql, filled.join("\n")).unwrap();
    }
    let rows = read(&out.join("job.toml"), "orders");
    let placed = cells(&rows, "order_id", "placed_at");
    let leap = placed.values().flatten().filter(|at| at.starts_with("2024-02-29")).count();
    assert_eq!((leap, rows.column("placed_at").unwrap().null_count()), (4, 0), "the leap day is kept");
    let before = jiff::civil::date(2024, 3, 1);
    let options = DraftOptions { name: "mine".to_owned(), currency: None, amounts: None, today: Some(before) };
    let early = draft_job(&data, &out, &options, &|_| {}).unwrap();
    assert_eq!(early.as_of, Some(before), "no first night is after today");
}

#[test]
fn who_sells_and_who_buys_may_stand_on_one_event_of_an_order() {
    let (_folder, data, out) = folders();
    let mut events = vec!["event_id,event_name,occurred_at,order_id,shop_id,customer_id,amount,currency".to_owned()];
    for n in 0..500 {
        for (step, name) in ["order_created", "order_paid", "order_shipped", "order_delivered"].into_iter().enumerate()
        {
            let first = if step == 0 {
                format!("T{:05},U{:05},{}.50,EUR", n % 20, n % 97, 10 + n % 50)
            } else {
                ",,,".to_owned()
            };
            events.push(format!("{},{name},{} 1{step}:00:00,R{n:06},{first}", 4 * n + step, day(n / 4 + step)));
        }
    }
    file(&data, "order_events.csv", &events);
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0);
    let rows = read(&out.join("job.toml"), "orders");
    for column in ["merchant_id", "buyer_id", "amount_minor", "placed_at"] {
        assert_eq!(rows.column(column).unwrap().null_count(), 0, "{column}");
    }
}

#[test]
fn objects_in_cells_are_told_with_what_makes_columns_of_them() {
    let (_folder, data, out) = folders();
    let mut orders = vec!["order_id,shop_id,customer_id,order_date,total,currency,payload".to_owned()];
    orders.extend((0..300).map(|n| {
        let payload = format!("\"{{\"\"total\"\": {n}, \"\"gift\"\": true}}\"");
        format!("R{n:06},T{:05},U{:05},{},{}.50,EUR,{payload}", n % 20, n % 97, day(n / 4), 10 + n % 50)
    }));
    file(&data, "orders.csv", &orders);
    let draft = draft_of(&data, &out);
    let told = draft.nested.first().map(integrity::draft::NestedRows::words).unwrap_or_default();
    assert!(told.contains("payload->>'$.\"gift\"' AS \"gift\"") && told.contains("AS \"payload_total\""), "{told}");
}
