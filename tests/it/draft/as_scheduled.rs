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
    lender(&data, &|n| format!("{} 오전 9:{:02}:24", day(n / 4), n % 60));
    let draft = draft_of(&data, &out);
    let orders = draft.tables.iter().find(|table| table.table.name == "orders").unwrap();
    let placed = orders.gaps().find(|gap| gap.column == "placed_at").unwrap();
    let why = placed.note.as_deref().unwrap_or_default();
    assert!(why.contains("\"zzq\"") && why.contains("look like times"), "{why}");
}
