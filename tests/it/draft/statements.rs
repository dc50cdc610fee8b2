//! What is no table of sales: statements with columns of debits and credits, and files that say month by month how loans stood.

use super::erp_and_tags::shop_orders;
use super::in_doubt::{gap, total};
use super::payment_services::table;
use super::*;

const ROWS: usize = 900;

/// Fills the gap of a job whose data name no buyers as the draft says.
fn without_buyers(draft: &Draft, out: &Path) {
    let why = gap(draft, "orders", "buyer_id").unwrap();
    let stand_in = why.split_once("say it nowhere, ").unwrap().1.split_once(", by which").unwrap().0;
    let path = out.join("sources/orders.sql");
    let sql: Vec<String> = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .map(|line| if line.contains("AS buyer_id") { format!("    {stand_in} AS buyer_id,") } else { line.to_owned() })
        .collect();
    fs::write(path, sql.join("\n")).unwrap();
}

#[test]
fn of_a_statement_s_two_columns_the_credits_are_the_receipts() {
    for (head, zero) in [
        ("Transaction Ref,Account Number,Transaction Date,Description,Withdrawals,Deposits,Balance", ""),
        ("Sıra No,Hesap No,Tarih,Açıklama,Borç,Alacak,Bakiye", "0.00"),
        ("Receipt No.,Till Number,Completion Time,Details,Withdrawn,Paid In,Balance", ""),
        ("Ref,Account No,Value Date,Narration,Debit Amount,Credit Amount,Closing Balance", "0.00"),
    ] {
        let (_folder, data, out) = folders();
        let row = |n: usize| {
            let account = 20_450_000 + n % 20 * 13;
            let (debit, credit) =
                if n.is_multiple_of(6) { (total(n), zero.to_owned()) } else { (zero.to_owned(), total(n)) };
            format!("B{n:06},{account},{},transfer of K{},{debit},{credit},{n}.17", instant(n), n * 7 % 330)
        };
        table(&data, "statement.csv", head, (0..ROWS).map(row));
        let options = DraftOptions {
            name: "mine".to_owned(),
            currency: integrity::domain::Currency::new("EUR").ok(),
            amounts: None,
            today: None,
        };
        let draft = draft_job(&data, &out, &options, &|_| {}).unwrap();
        write_draft(&draft, &out).unwrap();
        without_buyers(&draft, &out);
        let orders = read(&out.join("job.toml"), "orders");
        let amounts = cells(&orders, "order_id", "amount_minor");
        assert_eq!(amounts.len(), ROWS - ROWS / 6, "{head}");
        for n in [1, 7, 899] {
            let expected = total(n).replace('.', "");
            assert_eq!(amounts[&format!("B{n:06}")].as_deref(), Some(expected.as_str()), "{head}");
        }
        let notes = draft.tables.iter().find(|t| t.table.name == "orders").map(|t| t.columns.clone()).unwrap();
        let amount = notes
            .iter()
            .find(|c| c.column == "amount_minor")
            .and_then(integrity::draft::ColumnDraft::to_look_at)
            .unwrap();
        assert!(amount.contains("taken for sales"), "{head}: {amount}");
    }
}

#[test]
fn of_one_column_of_sides_the_debits_are_no_sales() {
    for (head, incoming, outgoing, are_sides) in [
        ("Reference,Agent ID,Date,Narration,Dr/Cr,Amount,Customer Phone", "CR", "DR", true),
        ("Reference,Agent ID,Date,Narration,Entry,Amount,Customer Phone", "Cr", "Dr", true),
        ("Reference,Agent ID,Date,Narration,Transaction Type,Amount,Balance", "Credit", "Debit", true),
        // A card is one of credit or debit.
        ("Reference,Agent ID,Date,Narration,Card Type,Amount,Customer Phone", "Credit", "Debit", false),
    ] {
        let (_folder, data, out) = folders();
        let row = |n: usize| {
            let side = if n.is_multiple_of(6) { outgoing } else { incoming };
            format!("T{n:06},AGT{:02},{},by hand,{side},{},0800{:04}", n % 20, instant(n), total(n), n * 7 % 330)
        };
        table(&data, "history.csv", &head.replace("Amount", "Amount EUR"), (0..ROWS).map(row));
        let draft = draft_of(&data, &out);
        if gap(&draft, "orders", "buyer_id").is_some() {
            without_buyers(&draft, &out);
        }
        let left = if are_sides { ROWS / 6 } else { 0 };
        assert_eq!(read(&out.join("job.toml"), "orders").height(), ROWS - left, "{head}");
    }
}

#[test]
fn what_is_left_after_fees_is_no_amount_of_an_order() {
    let (_folder, data, out) = folders();
    let row = |n: usize| {
        let sales = 2_000 + n * 37 % 3_000;
        let cents = |cents: usize| format!("{}.{:02}", cents / 100, cents % 100);
        let (fee, left) = (sales / 7, sales - sales / 7);
        format!(
            "T{n:06},S{:02},B{:03},{},{},-{},{},EUR",
            n % 20,
            n * 7 % 330,
            instant(n),
            cents(sales),
            cents(fee),
            cents(left)
        )
    };
    table(
        &data,
        "orders.csv",
        "order_id,shop_id,buyer_id,created_at,product sales,selling fees,total,currency",
        (0..ROWS).map(row),
    );
    let draft = draft_of(&data, &out);
    let why = gap(&draft, "orders", "amount_minor").unwrap();
    assert!(why.contains("\"total\" - \"selling fees\""), "{why}");
}

#[test]
fn branches_are_merchants_where_nobody_else_is_one_and_local_marks_are_amounts() {
    // A tip is no sale, though what is given back is below zero in the column beside it.
    for (head, amount) in [("Xyzzy", "Xyzzy"), ("Total,Propina", "Total")] {
        let (_folder, data, out) = folders();
        let row = |n: usize| {
            let half = ["a. m.", "p. m."][n % 2];
            let at = format!("{}/06/2024,{:02}:17:05 {half}", 1 + n % 30, 1 + n % 11);
            let tip = if amount == "Total" { ",€1.10" } else { "" };
            format!("A-{n:06},{at},Sucursal {:02},C{:03},€{}.50{tip}", n % 18, n * 7 % 330, 12 + n % 80)
        };
        let back =
            (amount == "Total").then(|| "D-1,9/06/2024,01:17:05 p. m.,Sucursal 01,C001,(€5.50),€0.00".to_owned());
        table(
            &data,
            "ventas.csv",
            &format!("Folio,Fecha,Hora,Sucursal,Cliente,{head}"),
            (0..ROWS).map(row).chain(back),
        );
        let draft = draft_of(&data, &out);
        let amount = format!("ventas.\"{amount}\"");
        assert_origins(
            &draft,
            &[("orders.merchant_id", "ventas.\"Sucursal\""), ("orders.amount_minor", amount.as_str())],
        );
        if head != "Xyzzy" {
            continue;
        }
        let orders = read(&out.join("job.toml"), "orders");
        let placed = cells(&orders, "order_id", "placed_at");
        assert_eq!(placed["A-000001"].as_deref().and_then(|at| at.get(..19)), Some("2024-06-02 14:17:05"));
        assert_eq!(cells(&orders, "order_id", "amount_minor")["A-000001"].as_deref(), Some("1350"));
    }
}

#[test]
fn times_in_forms_of_their_own_are_read_as_they_are_written() {
    for (cell, expected) in [
        ("18/06/2024, 17:24:33", "2024-06-18T17:24:33"),
        ("6/18/2024, 5:24:33 PM", "2024-06-18T17:24:33"),
        ("\"Jun 18, 2024 5:24:33 PM PDT\"", "2024-06-18T17:24:33"),
        ("18-JUN-24 05.24.33.000000 PM", "2024-06-18T17:24:33"),
        ("\"Tue, 18 Jun 2024 22:54:33 +0530\"", "2024-06-18T17:24:33"),
        ("06/18/2024 22:54:33 +05:30", "2024-06-18T17:24:33"),
        ("Tue Jun 18 17:24:33 IST 2024", "2024-06-18T17:24:33"),
        ("20240618 172433", "2024-06-18T17:24:33"),
        ("1718731473000000123", "2024-06-18T17:24:33"),
        ("1718731473.0", "2024-06-18T17:24:33"),
    ] {
        let (_folder, data, out) = folders();
        let cell = cell.replace("18/06/2024, 17", "\"18/06/2024, 17").replace("6/18/2024, 5", "\"6/18/2024, 5");
        let cell = if cell.starts_with('"') && !cell.ends_with('"') { cell + "\"" } else { cell };
        let row = |n: usize| format!("O{n:05},S{:02},B{:03},{cell},{},EUR", n % 20, n * 7 % 330, total(n));
        table(&data, "orders.csv", "order_id,shop_id,buyer_id,order_date,amount,currency", (0..ROWS).map(row));
        draft_of(&data, &out);
        let placed = cells(&read(&out.join("job.toml"), "orders"), "order_id", "placed_at");
        let read = placed["O00007"].as_deref().map(|at| at.replace(' ', "T"));
        assert_eq!(read.as_deref().and_then(|at| at.get(..19)), Some(expected), "{cell}");
    }
}

#[test]
fn a_line_that_adds_up_its_file_is_no_sale_and_what_the_buyer_paid_is_the_amount() {
    let (_folder, data, out) = folders();
    let head = "Nº do pedido;ID Restaurante;Data do pedido;Status;Cliente;Valor dos itens;Taxa;Total pago pelo cliente";
    let brl = |cents: usize| format!("R$ {},{:02}", cents / 100, cents % 100);
    let items = |n: usize| 2_500 + n * 37 % 9_000;
    for month in 0..3 {
        let mut rows = vec![head.to_owned()];
        let of_month = month * 300..(month + 1) * 300;
        rows.extend(of_month.clone().map(|n| {
            let at = format!("{}/{:02}/2024 {:02}:17", 1 + n % 28, 4 + month, 9 + n % 12);
            let (who, cost) = (format!("Cliente {:03}", n * 7 % 330), items(n));
            format!("70{n:04};R{:02};{at};Concluído;{who};{};{};{}", n % 20, brl(cost), brl(590), brl(cost + 590))
        }));
        rows.push(format!("Total;;;;;;;{}", brl(of_month.map(|n| items(n) + 590).sum())));
        file(&data, &format!("pedidos_2024-{:02}.csv", 4 + month), &rows);
    }
    let draft = draft_of(&data, &out);
    assert_origins(&draft, &[("orders.amount_minor", "pedidos.\"Total pago pelo cliente\"")]);
    let orders = read(&out.join("job.toml"), "orders");
    let amounts = cells(&orders, "order_id", "amount_minor");
    assert_eq!((amounts.len(), amounts["700033"].as_deref()), (900, Some((items(33) + 590).to_string().as_str())));
    let told = draft.left_out().map(|(_, why)| why.to_owned()).collect::<Vec<_>>().join("; ");
    assert!(told.contains("3 row(s)") && told.contains("add up"), "{told}");
}

#[test]
fn what_is_authorised_and_then_captured_is_one_sale() {
    for names_order in [true, false] {
        let (_folder, data, out) = folders();
        let mut rows = vec!["id,order_ref,merchant_id,created_at,operation,amount,currency,card".to_owned()];
        for n in 0..ROWS {
            let row = |id: usize, names: String, at: usize, operation: &str| {
                let (merchant, card) = (n % 20, n * 7 % 330);
                format!("{id},{names},M{merchant:02},{},{operation},{},EUR,C{card:03}", instant(at), total(n))
            };
            let first = if names_order { format!("R{n:05}") } else { String::new() };
            rows.push(row(2 * n, first.clone(), n, "AUTHORIZATION"));
            // One in ten is never captured.
            let later = if names_order { first } else { (2 * n).to_string() };
            rows.extend((n % 10 != 0).then(|| row(2 * n + 1, later, n + 1, "CAPTURE")));
        }
        file(&data, "transactions.csv", &rows);
        draft_of(&data, &out);
        let orders = read(&out.join("job.toml"), "orders");
        assert_eq!(orders.height(), ROWS - ROWS / 10, "{names_order}");
        let sum: i64 =
            (0..ROWS).filter(|n| n % 10 != 0).map(|n| total(n).replace('.', "").parse::<i64>().unwrap()).sum();
        assert_eq!(orders.column("amount_minor").unwrap().i64().unwrap().sum(), Some(sum), "{names_order}");
    }
}

#[test]
fn how_many_guests_there_were_is_no_buyer() {
    for column in ["Guests", "No. of guests"] {
        let (_folder, data, out) = folders();
        let bill = |n: usize| {
            let (at, minute) = (day(n / 12), n * 7 % 60);
            format!("{at},{:02}:{minute:02}:11 PM,Cantina {:02},{},{}", 1 + n % 11, n % 10, 1 + n % 6, total(n))
        };
        let head = format!("Date,Time,Restaurant,{column},Total EUR");
        table(&data, "bills.csv", &head, (0..ROWS).map(bill));
        let draft = draft_of(&data, &out);
        without_buyers(&draft, &out);
        let rows = read(&out.join("job.toml"), "orders");
        assert_eq!(rows.height(), ROWS, "{column}");
        let placed = rows.column("placed_at").unwrap().cast(&DataType::String).unwrap();
        // Half past one in the afternoon, and no more before noon.
        assert!(
            placed.str().unwrap().iter().flatten().all(|at| at.get(11..13).is_some_and(|hour| hour >= "12")),
            "{column}"
        );
    }
}

/// Loans of which each month says how they stood, as agencies publish them: without names of columns.
fn performance(data: &Path, month: &dyn Fn(usize) -> String) {
    let mut rows = Vec::new();
    for loan in 0..150 {
        for n in loan % 5..14 {
            rows.push(format!(
                "{}|{}|Bank {}|4.5|{}.17|{}|{}|0{}|N",
                100_000_000_000_usize + loan * 977,
                month(n),
                loan % 3,
                240_000 - 300 * n - loan,
                n - loan % 5,
                360 - n,
                usize::from(n * loan % 17 == 3)
            ));
        }
    }
    file(data, "2024Q2.txt", &rows);
}

#[test]
fn rows_that_say_each_month_how_loans_stood_are_never_orders() {
    let forms: [&dyn Fn(usize) -> String; 4] = [
        &|n| format!("{}{:02}", 2022 + n / 12, n % 12 + 1),
        &|n| format!("{:02}{}", n % 12 + 1, 2022 + n / 12),
        &|n| format!("{:02}/01/{}", n % 12 + 1, 2022 + n / 12),
        &|n| format!("{}-{:02}-01", 2022 + n / 12, n % 12 + 1),
    ];
    for month in forms {
        let (_folder, data, out) = folders();
        performance(&data, month);
        let options = DraftOptions { name: "mine".to_owned(), currency: None, amounts: None, today: None };
        let why = match draft_job(&data, &out, &options, &|_| {}) {
            Err(error) => error.to_string(),
            Ok(draft) => panic!("{}: {:?}", month(0), draft.tables),
        };
        assert!(why.contains("how things stood"), "{}: {why}", month(0));
        // Beside a shop's orders nothing of the shop changes.
        shop_orders(&data, "", &|_| String::new());
        let draft = draft_of(&data, &out);
        assert_origins(&draft, &[("orders.order_id", "orders.order_id"), ("orders.amount_minor", "orders.amount")]);
    }
}
