//! Exports that say all there is again and again, each time as it stands, and exports of whole numbers.

use super::*;

/// Weekly dumps of the orders of the last four weeks: an order is accepted, then shipped, then completed or rejected.
fn dumps(folder: &Path, weeks: usize) {
    fs::create_dir_all(folder.join("orders")).unwrap();
    let mut shops = vec!["shop_id,shop_name,category,region,opened_on".to_owned()];
    shops.extend((0..30).map(|n| format!("T{n:03},Shop {n},{},North,{}", ["toys", "food"][n % 2], day(0))));
    file(folder, "shops.csv", &shops);
    for week in 1..=weeks {
        let today = 7 * week;
        let mut lines = vec!["order_id,shop_id,order_date,customer_id,total,status,shipped_on,currency".to_owned()];
        for n in (4 * today.saturating_sub(28))..(4 * today) {
            let placed = n / 4;
            let status = match today - placed {
                0..=3 => "accepted",
                4..=9 => "shipped",
                _ if n % 20 == 0 => "rejected",
                _ => "completed",
            };
            let shipped = if today - placed >= 4 { day(placed + 3).to_string() } else { String::new() };
            let (shop, buyer, total) = (n % 30, n % 211, 1_000 + n * 37 % 9_000);
            lines.push(format!(
                "R{n:06},T{shop:03},{},U{buyer},{}.{:02},{status},{shipped},EUR",
                day(placed),
                total / 100,
                total % 100
            ));
        }
        file(folder, &format!("orders/orders_{}.csv", day(today).to_string().replace('-', "")), &lines);
    }
}

#[test]
fn rows_of_an_order_that_differ_in_how_far_it_has_come_are_versions_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("job"));
    dumps(&data, 20);
    let draft = draft_of(&data, &out);
    let orders = draft.tables.iter().find(|table| table.table.name == "orders").unwrap();
    let recorded = orders.columns.iter().find(|column| column.column == "recorded_at").unwrap();
    assert_eq!(recorded.from, "the names of orders/orders_*.csv");
    let job = Job::open(&out.join("job.toml")).unwrap();
    assert!(draft.as_of.unwrap() > day(140), "the last file is seen");
    let rows = rows_of(&job, "orders");
    let (stamps, states) = (rows.column("recorded_at").unwrap(), rows.column("cancelled_at").unwrap());
    assert_eq!(stamps.null_count(), 0);
    // One row a file that holds the order, and rejected only in the files that say so.
    let expected = (1..=20).map(|week| 4 * (7 * week - (7 * week_start(week)))).sum::<usize>();
    assert_eq!(rows.height(), expected);
    assert!(states.null_count() > rows.height() * 9 / 10);
}

/// The first week whose orders a dump of `week` holds.
const fn week_start(week: usize) -> usize {
    week.saturating_sub(4)
}

#[test]
fn whole_amounts_are_a_gap_until_somebody_says_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut shops = vec!["id,name,created_at,category".to_owned()];
    shops.extend((0..20).map(|n| format!("A{n:02},Shop {n},{},toys", day(0))));
    let mut charges = vec!["id,shop_id,customer_id,created_at,currency,total".to_owned()];
    charges.extend(
        (0..900).map(|n| format!("c{n},A{:02},u{},{},eur,{}", n % 20, n % 97, day(n / 4), 1_003 + n * 7_919 % 20_011)),
    );
    file(&data, "shops.csv", &shops);
    file(&data, "orders.csv", &charges);
    for (amounts, gaps, first) in
        [(None, 1, "100300"), (Some(AmountUnit::Minor), 0, "1003"), (Some(AmountUnit::Main), 0, "100300")]
    {
        let out = folder.path().join(format!("job of {amounts:?}"));
        let options = DraftOptions { name: "mine".to_owned(), currency: None, amounts, today: None };
        let draft = draft_job(&data, &out, &options, &|_| {}).unwrap();
        assert_eq!(draft.open_gaps(), gaps, "{amounts:?}");
        write_draft(&draft, &out).unwrap();
        if gaps == 0 {
            let orders = read(&out.join("job.toml"), "orders");
            assert_eq!(cells(&orders, "order_id", "amount_minor")["c0"].as_deref(), Some(first), "{amounts:?}");
        }
    }
}

#[test]
fn a_table_that_speaks_of_loans_is_never_passed_over_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("job"));
    dumps(&data, 20);
    assert_eq!(draft_of(&data, &folder.path().join("before")).no_loan_book, None);
    let mut lines = vec!["LoanID,ShopID,CurrentBalance,DaysPastDue".to_owned()];
    lines.extend((0..60).map(|n| format!("L{n},T{:03},{}.50,{}", n % 30, 100 + n, n % 40)));
    file(&data, "perf.csv", &lines);
    let draft = draft_of(&data, &out);
    let why = draft.no_loan_book.unwrap();
    assert!(why.contains("\"perf\" (LoanID, DaysPastDue) speaks of loans"), "{why}");
    let job = fs::read_to_string(out.join("job.toml")).unwrap();
    assert!(!job.contains("\napprove_as"), "no model approves itself");
}
