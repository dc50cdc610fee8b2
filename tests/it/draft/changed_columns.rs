//! Exports whose files got other columns from some day on.

use super::*;

/// Two months of orders by shops in one form, and two in another. `newer`: names of the newer columns.
fn months(folder: &Path, newer: &str) {
    let mut shops = vec!["shop_id,shop_name,category,region,opened_on".to_owned()];
    shops.extend((0..30).map(|n| format!("T{n:03},Shop {n},{},North,{}", ["toys", "food"][n % 2], day(0))));
    file(folder, "shops.csv", &shops);
    let mut reviews = vec!["review_id,order_id,review_date,stars".to_owned()];
    for month in 1..=4 {
        let is_older = month <= 2;
        let older = "OrderNo,ShopId,CustomerId,OrderDate,Total,Currency";
        let mut lines = vec![if is_older { older } else { newer }.to_owned()];
        for n in 0..112 {
            let number = month * 1_000 + n;
            let (shop, buyer, cents) = (n % 30, n % 41, 1_000 + n * 37 % 9_000);
            let on = format!("2022-{month:02}-{:02}", n % 28 + 1);
            lines.push(if is_older {
                let us = format!("{month:02}/{:02}/2022", n % 28 + 1);
                format!("RR{number},T{shop:03},U{buyer:03},{us},{}.{:02},EUR", cents / 100, cents % 100)
            } else {
                format!("RR{number},T{shop:03},U{buyer:03},{on}T10:00:00,{cents},EUR,2")
            });
            if n % 4 == 0 {
                reviews.push(format!("V{number},RR{number},{on},{}", n % 5 + 1));
            }
        }
        file(&folder.join(format!("2022-{month:02}")), "orders.csv", &lines);
    }
    file(folder, "reviews.csv", &reviews);
}

#[test]
fn each_form_of_the_orders_files_is_a_source_of_orders() {
    let (_folder, data, out) = folders();
    months(&data, "order_id,shop_id,customer_id,placed_at,total_cents,currency,schema_version");
    let draft = draft_of(&data, &out);
    let of_orders = draft.tables.iter().filter(|table| table.table.name == "orders");
    let froms: BTreeSet<&str> = of_orders.map(|table| table.from.as_str()).collect();
    assert_eq!(froms, BTreeSet::from(["orders", "orders_2"]));
    assert_eq!(draft.open_gaps(), 0);
    assert!(draft.as_of.unwrap() >= jiff::civil::date(2022, 4, 28), "{:?}", draft.as_of);
    let text = fs::read_to_string(out.join("job.toml")).unwrap();
    assert!(text.contains("add those that come next"), "next month's folder is in no pattern: {text}");
    let job = Job::open(&out.join("job.toml")).unwrap();
    let orders = rows_of(&job, "orders");
    assert_eq!(orders.height(), 448);
    let amounts = orders.column("amount_minor").unwrap().i64().unwrap();
    let expected: i64 = (0..112).map(|n| 4 * (1_000 + n * 37 % 9_000)).sum();
    assert_eq!(amounts.sum(), Some(expected), "units of both forms");
    let reviews = rows_of(&job, "reviews");
    assert_eq!(reviews.column("merchant_id").unwrap().null_count(), 0, "orders of both forms say whose a review is");
}

#[test]
fn files_of_another_form_that_nothing_can_be_made_of_are_a_gap_with_their_days() {
    let (_folder, data, out) = folders();
    months(&data, "aa,bb,cc,dd,ee,ff,gg");
    // Nothing names an order there: each row has the same first cell.
    for month in 3..=4 {
        let path = data.join(format!("2022-{month:02}/orders.csv"));
        let text = fs::read_to_string(&path).unwrap();
        let same: Vec<String> = text.lines().map(|line| with_one_number(line, month)).collect();
        fs::write(&path, same.join("\n")).unwrap();
    }
    let draft = draft_of(&data, &out);
    let orders = draft.tables.iter().find(|table| table.table.name == "orders").unwrap();
    let gap = orders.gaps().find_map(|gap| gap.note.clone()).unwrap_or_default();
    assert!(gap.contains("from 2022-03-01 to 2022-04-28 are missing"), "{gap}");
    assert!(draft.as_of.unwrap() >= jiff::civil::date(2022, 4, 28), "{:?}", draft.as_of);
}

/// A line with another first cell.
fn with_one_number(line: &str, month: usize) -> String {
    let rest = line.split_once(',').map_or("", |(_, rest)| rest);
    if line.starts_with('R') { format!("R{month},{rest}") } else { line.to_owned() }
}
