//! Exports that say by a flag or by words of their own what became of an order, or when in the day it was placed.

use super::in_doubt::{ORDERS, gap, sellers, total};
use super::*;

/// What a person is told beside the draft.
fn told(draft: &Draft, table: &str, column: &str) -> String {
    let table = draft.tables.iter().find(|t| t.table.name == table).unwrap();
    table
        .columns
        .iter()
        .find(|c| c.column == column)
        .and_then(integrity::draft::ColumnDraft::to_look_at)
        .unwrap_or_default()
}

fn orders_with(data: &Path, head: &str, row: &dyn Fn(usize) -> String) {
    file(data, "sellers.csv", &sellers());
    let rows = (0..ORDERS).map(|n| format!("O{n:04},S{:02},B{:03},{},EUR,{}", n % 20, n * 7 % 330, total(n), row(n)));
    let head = format!("order_id,seller_id,buyer_id,total,currency,{head}");
    file(data, "orders.csv", &std::iter::once(head).chain(rows).collect::<Vec<_>>());
}

#[test]
fn a_sale_that_a_flag_calls_undone_is_cancelled_and_never_completed() {
    let is_undone = |n: usize| n % 20 == 3;
    for (head, yes, no) in [
        ("Reversed", "Y", "N"),
        ("voided", "true", "false"),
        ("Is_Cancelled", "1", "0"),
        ("storniert", "ja", ""),
        ("status,reversed", "paid,yes", "paid,no"),
        ("delivered_at,reversed", "2023-06-01 10:00:00,t", "2023-06-01 10:00:00,f"),
        ("cancelled_at,returned", ",yes", ",no"),
    ] {
        let (_folder, data, out) = folders();
        let row = |n: usize| format!("{},{}", instant(n), if is_undone(n) { yes } else { no });
        orders_with(&data, &format!("created_at,{head}"), &row);
        let draft = draft_of(&data, &out);
        assert!(told(&draft, "orders", "cancelled_at").contains("40 row(s)"), "{head}: {:?}", draft.tables);
        let orders = read(&out.join("job.toml"), "orders");
        let (completed, cancelled) =
            (cells(&orders, "order_id", "completed_at"), cells(&orders, "order_id", "cancelled_at"));
        assert_eq!(orders.column("cancelled_at").unwrap().null_count(), ORDERS - 40, "{head}");
        assert!(cancelled["O0003"].is_some() && completed["O0003"].is_none(), "{head}");
        assert!(cancelled["O0004"].is_none() && completed["O0004"].is_some(), "{head}");
    }
    // That an order may be cancelled says nothing of it.
    let (_folder, data, out) = folders();
    orders_with(&data, "created_at,cancel_allowed", &|n| format!("{},{}", instant(n), ["Y", "N"][n % 3 / 2]));
    assert!(draft_of(&data, &out).tables.iter().all(|t| t.columns.iter().all(|c| c.column != "cancelled_at")));
}

#[test]
fn states_in_words_that_nobody_knows_are_asked_about() {
    let (_folder, data, out) = folders();
    let states = ["zork", "zork", "zork", "blarg", "quux"];
    let sent = |n: usize| if n % 5 == 3 { String::new() } else { instant(n + 2) };
    orders_with(&data, "created_at,arranged_at,order_status_x", &|n| {
        format!("{},{},{}", instant(n), sent(n), states[n % 5])
    });
    let draft = draft_of(&data, &out);
    let why = gap(&draft, "orders", "completed_at").unwrap();
    assert!(why.contains("'zork' (60.0 %)") && why.contains("'quux' (20.0 %)") && !why.contains("'blarg' ("), "{why}");

    let (_folder, data, out) = folders();
    let states = ["Selesai", "Selesai", "Sedang Dikirim", "Batal", "Pengembalian Barang"];
    orders_with(&data, "created_at,Status Pesanan", &|n| format!("{},{}", instant(n), states[n % 5]));
    let draft = draft_of(&data, &out);
    assert!(told(&draft, "orders", "completed_at").contains("'Pengembalian Barang' (20.0 %)"), "{:?}", draft.tables);
    let orders = read(&out.join("job.toml"), "orders");
    assert_eq!(orders.column("completed_at").unwrap().null_count(), ORDERS * 3 / 5);
    assert_eq!(orders.column("cancelled_at").unwrap().null_count(), ORDERS * 4 / 5);
}

#[test]
fn a_day_and_the_time_of_day_beside_it_are_one_instant() {
    for (head, date, clock, zone) in [
        ("Date,Time,Time Zone", "2023-03-05", "06:02:41", ",Eastern Time"),
        ("Datum,Uhrzeit", "05.03.2023", "06:02:41", ""),
        ("Order Date,Order Time", "03/05/2023", "06:02:41 AM", ""),
    ] {
        let (_folder, data, out) = folders();
        orders_with(&data, head, &|n| {
            let (at, is_first) = (day(n), n == 0);
            let written = match date.as_bytes()[2] {
                b'.' => at.strftime("%d.%m.%Y").to_string(),
                b'/' => at.strftime("%m/%d/%Y").to_string(),
                _ => at.to_string(),
            };
            format!("{written},{}{zone}", if is_first { "" } else { clock })
        });
        let draft = draft_of(&data, &out);
        let placed = cells(&read(&out.join("job.toml"), "orders"), "order_id", "placed_at");
        let expected = format!("{} 06:02:41", day(7));
        assert!(
            placed["O0007"].as_deref().is_some_and(|at| at.starts_with(&expected)),
            "{head}: {:?}",
            placed["O0007"]
        );
        assert!(placed["O0000"].as_deref().is_some_and(|at| at.starts_with(&day(0).to_string())), "{head}");
        assert_eq!(told(&draft, "orders", "placed_at").contains("'Eastern Time'"), !zone.is_empty(), "{head}");
    }
}

#[test]
fn of_files_that_overlap_the_last_says_how_an_order_stands() {
    let (_folder, data, out) = folders();
    file(&data, "sellers.csv", &sellers());
    let head = "order_number,seller_id,customer,order_date,order_status,line_no,line_total,currency";
    for week in 1..=20_usize {
        let mut rows = vec![head.to_owned()];
        for n in (week * 40).saturating_sub(120)..week * 40 {
            let age = week * 40 - n;
            let state = ["accepted", "shipped", "delivered"][usize::from(age > 30) + usize::from(age > 70)];
            let line =
                |k: usize| format!("O{n:04},S{:02},B{:03},{},{state},{k},10.50,EUR", n % 20, n % 330, instant(n));
            rows.extend([line(1), line(2)]);
        }
        file(&data, &format!("lines_{week:02}.csv"), &rows);
    }
    draft_of(&data, &out);
    let orders = read(&out.join("job.toml"), "orders");
    let (completed, amounts) = (cells(&orders, "order_id", "completed_at"), cells(&orders, "order_id", "amount_minor"));
    assert!(completed["O0100"].is_some() && completed["O0720"].is_some(), "delivered in the last file that has it");
    assert!(completed["O0790"].is_none(), "accepted");
    assert_eq!(amounts["O0100"].as_deref(), Some("2100"));
}

#[test]
fn what_is_not_read_or_may_be_meant_otherwise_is_told() {
    // Sums of orders in a table that no word explains.
    let (_folder, data, out) = folders();
    orders_with(&data, "created_at", &instant);
    let entries = (0..ORDERS).map(|n| format!("O{n:04},x{},{}", n % 3, total(n)));
    file(&data, "zorks.csv", &std::iter::once("bezug,art,wert".to_owned()).chain(entries).collect::<Vec<_>>());
    let draft = draft_of(&data, &out);
    assert!(draft.unread_sums.iter().any(|why| why.contains("\"zorks\"") && why.contains("\"bezug\"")), "{draft:?}");
    assert!(fs::read_to_string(out.join("GAPS.md")).unwrap().contains("nothing is made of \"zorks\""));

    // A day of arrival that lies ahead, and sums beside the one that was taken.
    let (_folder, data, out) = folders();
    orders_with(&data, "created_at,delivered_at,net_amount", &|n| {
        format!("{},{},{}.10", instant(n), instant(n + 40), 15 + n * 37 % 300)
    });
    let draft = draft_of(&data, &out);
    assert!(told(&draft, "shipments", "delivered_at").contains("a planned day has not happened"), "{:?}", draft.tables);
    let sums = told(&draft, "orders", "amount_minor");
    assert!(sums.contains("\"total\" is taken") && sums.contains("\"net_amount\" "), "{sums}");
}

#[test]
fn what_a_job_needs_that_reads_loans_later_stands_ready_in_comments() {
    let (_folder, data, out) = folders();
    orders_with(&data, "created_at,delivered_at", &|n| format!("{},{}", instant(n), instant(n + 9)));
    draft_of(&data, &out);
    // What stands below the heading, without the comment marks.
    let ready = |file: &str| {
        let text = fs::read_to_string(out.join(file)).unwrap();
        let (before, later) = text.split_once("# With loans: ").unwrap();
        let bare = later.lines().skip(1).filter(|line| !line.contains("and loss_given_default_prob"));
        let bare: Vec<&str> =
            bare.map(|line| line.strip_prefix("# ").or(line.strip_prefix('#')).unwrap_or(line)).collect();
        let text = format!("{before}{}", bare.join("\n")).replace("loan_book = \"none\"", "loan_book = \"required\"");
        fs::write(out.join(file), text).unwrap();
        out.join(file)
    };
    let policy = Policy::open(&ready("policy.toml")).unwrap();
    assert_eq!(policy.blind_to_arrears(), None);
    let monitor = Monitor::open(&ready("monitor.toml")).unwrap();
    assert_eq!(monitor.rules.iter().filter(|rule| rule.code.as_str().starts_with("arrears")).count(), 3);
    let features = fs::read_to_string(ready("features.toml")).unwrap();
    assert!(
        features.contains("table = \"loan_status\"") || features.contains("table = \"instalment_status\""),
        "{features}"
    );
    FeatureConfig::open(&out.join("features.toml")).unwrap();
}

#[test]
fn rows_that_were_deleted_are_left_out_and_sums_that_were_paid_are_not_net_ones() {
    let (_folder, data, out) = folders();
    orders_with(&data, "created_at,deleted_at,Net amount,Gross amount", &|n| {
        let deleted = if n % 10 == 0 { instant(n + 3) } else { String::new() };
        format!("{},{deleted},{}.50,{}.50", instant(n), 10 + n * 37 % 300, 12 + n * 37 % 300)
    });
    let orders = data.join("orders.csv");
    let text = fs::read_to_string(&orders).unwrap().replace(",total,", ",reference,");
    fs::write(&orders, text).unwrap();
    let draft = draft_of(&data, &out);
    let orders = read(&out.join("job.toml"), "orders");
    assert_eq!(orders.height(), ORDERS * 9 / 10, "{:?}", draft.tables);
    assert_eq!(cells(&orders, "order_id", "amount_minor")["O0001"].as_deref(), Some("4950"));
    assert!(told(&draft, "orders", "amount_minor").contains("\"Net amount\""), "{:?}", draft.tables);
    assert!(told(&draft, "orders", "completed_at").contains("when it was placed"), "{:?}", draft.tables);
}

#[test]
fn a_few_loans_are_no_orders_and_orders_of_another_form_are_told() {
    let (_folder, data, out) = folders();
    file(&data, "sellers.csv", &sellers());
    let head = "numero_venda,seller_id,data,valor,cliente,data_de_entrega";
    let sales = (0..ORDERS)
        .map(|n| format!("V{n:05},S{:02},{},{},B{:03},{}", n % 20, instant(n), total(n), n % 330, instant(n + 5)));
    file(&data, "vendas.csv", &std::iter::once(head.to_owned()).chain(sales).collect::<Vec<_>>());
    let head = "contrato,seller_id,data_liberacao,valor_financiado,taxa_de_juros,qtde_parcelas";
    let loans = (0..40).map(|n| format!("C{n:03},S{:02},{},{}.00,2.5,6", n % 20, day(n * 5), 500 + n * 10));
    file(&data, "contratos.csv", &std::iter::once(head.to_owned()).chain(loans).collect::<Vec<_>>());
    let due = |n: usize, k: usize| format!("C{n:03},{k},{},90.00,9.00", day(n * 5 + 30 * k));
    let due = (0..40).flat_map(|n| (1..=6).map(move |k| due(n, k)));
    let head = "contrato,parcela,vencimento,principal,juros".to_owned();
    file(&data, "parcelas.csv", &std::iter::once(head).chain(due).collect::<Vec<_>>());
    let draft = draft_of(&data, &out);
    let orders = draft.tables.iter().find(|t| t.table.name == "orders").unwrap();
    assert_eq!(orders.from, "vendas");

    // Half of the orders, in files whose columns are called otherwise.
    let (_folder, data, out) = folders();
    orders_with(&data, "created_at", &instant);
    let later =
        (0..ORDERS).map(|n| format!("X{n:04},S{:02},B{:03},{},{},EUR", n % 20, n * 7 % 330, total(n), instant(n)));
    let head = "Bestellnummer,Verkäufer,Kunde,Betrag,Bestelldatum,Währung".to_owned();
    file(&data, "bestellungen_neu.csv", &std::iter::once(head).chain(later).collect::<Vec<_>>());
    let draft = draft_of(&data, &out);
    assert!(draft.unread_orders.iter().any(|why| why.contains("could be orders too")), "{:?}", draft.inputs);
}

#[test]
fn a_column_that_bears_its_name_is_it_though_rows_of_another_state_have_none() {
    let (_folder, data, out) = folders();
    orders_with(&data, "created_at", &instant);
    let loans = (0..60).map(|n| {
        let (state, at) = if n % 6 == 0 { ("rejected", String::new()) } else { ("disbursed", instant(22 + n * 5)) };
        format!("L{n:03},S{:02},{},{at},300.00,90,{state}", n % 20, instant(20 + n * 5))
    });
    let head = "loan_id,seller_id,created_at,disbursed_at,principal,term_days,state".to_owned();
    file(&data, "loans.csv", &std::iter::once(head).chain(loans).collect::<Vec<_>>());
    let draft = draft_of(&data, &out);
    let loans = draft.tables.iter().chain(&draft.aside).find(|t| t.table.name == "loans").unwrap();
    let disbursed = loans.columns.iter().find(|c| c.column == "disbursed_at").unwrap();
    assert_eq!(disbursed.from, "loans.disbursed_at");
    assert!(draft.left_out().any(|(table, why)| table == "loans" && why.contains("'rejected'")), "{draft:?}");
}

#[test]
fn ratings_that_name_the_best_one_are_read() {
    let (_folder, data, out) = folders();
    orders_with(&data, "created_at", &instant);
    let ratings = (0..ORDERS).map(|n| format!("R{n:04},O{n:04},{},{}/5", instant(n + 20), 1 + n % 5));
    let head = "Rating ID,Order ID,Rated On,Rating".to_owned();
    file(&data, "ratings.csv", &std::iter::once(head).chain(ratings).collect::<Vec<_>>());
    draft_of(&data, &out);
    let stars = cells(&read(&out.join("job.toml"), "reviews"), "review_id", "stars");
    assert_eq!((stars["R0000"].as_deref(), stars["R0004"].as_deref()), (Some("1"), Some("5")));
}
