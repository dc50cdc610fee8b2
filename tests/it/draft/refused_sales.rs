//! What was asked for and refused, made void or never meant: no sale, and no repayment.

use super::in_doubt::{Export, ORDERS, PLAIN, export, gap, total};
use super::*;

fn sales(data: &Path, head: &str, further: &dyn Fn(usize) -> Vec<String>) {
    file(data, "sellers.csv", &super::in_doubt::sellers());
    let rows = std::iter::once(head.to_owned()).chain((0..ORDERS).flat_map(further));
    file(data, "sales.csv", &rows.collect::<Vec<_>>());
}

fn sale(n: usize, amount: &str, further: &str) -> String {
    format!("T{n:06},S{:02},C{:03},{},{amount},EUR,{further}", n % 20, n * 7 % 330, instant(n))
}

#[test]
fn sales_that_were_refused_are_left_out() {
    for (column, granted, refused) in [
        ("approved", "Y", "N"),
        ("authorized_flag", "Y", "N"),
        ("is_captured", "true", "false"),
        ("Response Code", "00", "05"),
        ("autorizado_aprovado", "sim", "nao"),
    ] {
        let (_folder, data, out) = folders();
        let row = |n: usize| vec![sale(n, &total(n), if n % 20 == 3 { refused } else { granted })];
        sales(&data, &format!("sale_id,seller_id,buyer_id,created_at,amount,currency,{column}"), &row);
        draft_of(&data, &out);
        assert_eq!(read(&out.join("job.toml"), "orders").height(), ORDERS - ORDERS / 20, "{column}");
    }
    // What is to be approved first was not refused.
    let (_folder, data, out) = folders();
    let row = |n: usize| vec![sale(n, &total(n), if n % 20 == 3 { "N" } else { "Y" })];
    sales(&data, "sale_id,seller_id,buyer_id,created_at,amount,currency,approval_required", &row);
    draft_of(&data, &out);
    assert_eq!(read(&out.join("job.toml"), "orders").height(), ORDERS);
}

#[test]
fn a_row_that_makes_a_sale_void_cancels_it() {
    for sign in ["", "-"] {
        let (_folder, data, out) = folders();
        let row = |n: usize| {
            let mut rows = vec![sale(n, &total(n), "SALE,")];
            if n % 20 == 3 {
                let (at, of) = (instant(n + 1), format!("T{n:06}"));
                let (who, amount) = (format!("S{:02},C{:03}", n % 20, n * 7 % 330), total(n));
                rows.push(format!("V{n:06},{who},{at},{sign}{amount},EUR,VOID,{of}"));
            }
            if n % 20 == 5 {
                let (who, of) = (format!("S{:02},C{:03}", n % 20, n * 7 % 330), format!("T{n:06}"));
                rows.push(format!("R{n:06},{who},{},-5.00,EUR,REFUND,{of}", instant(n + 2)));
            }
            rows
        };
        let head = "transaction_id,seller_id,buyer_id,created_at,amount,currency,transaction_type,original_id";
        sales(&data, head, &row);
        draft_of(&data, &out);
        let orders = read(&out.join("job.toml"), "orders");
        let nulls = |column: &str| orders.column(column).unwrap().null_count();
        assert_eq!((orders.height(), nulls("completed_at")), (ORDERS, ORDERS / 20), "{sign:?}");
        let cancelled = cells(&orders, "order_id", "cancelled_at");
        let is_void = |id: &String| id[1..].parse::<usize>().unwrap() % 20 == 3;
        assert!(cancelled.iter().all(|(id, at)| at.is_some() == is_void(id)), "{sign:?}");
        assert_eq!(nulls("refunded_at"), ORDERS - ORDERS / 20, "{sign:?}");
    }
}

#[test]
fn sales_of_a_test_environment_are_left_out() {
    for column in ["domain", "mode", "environment"] {
        let (_folder, data, out) = folders();
        let row = |n: usize| vec![sale(n, &total(n), if n % 50 == 3 { "test" } else { "live" })];
        sales(&data, &format!("sale_id,seller_id,buyer_id,created_at,amount,currency,{column}"), &row);
        draft_of(&data, &out);
        assert_eq!(read(&out.join("job.toml"), "orders").height(), ORDERS - ORDERS / 50, "{column}");
    }
}

#[test]
fn repayments_that_failed_on_a_day_did_not_stay_and_are_numbered_by_their_own_table() {
    let (_folder, data, out) = folders();
    export(&data, &PLAIN);
    let mut loans = vec!["loan_id,seller_id,disbursed_on,principal,term_days,number_of_payments".to_owned()];
    let mut instalments = vec!["loan_id,number,due_on,principal,interest".to_owned()];
    let mut payments = vec!["ach_id,loan_id,received_at,amount,failed_at".to_owned()];
    for n in 0..40 {
        loans.push(format!("L{n:03},S{:02},{},300.00,90,{}", n % 20, day(20 + n), 3 * (1 + n % 3)));
        for k in 1..=3 {
            let at = day(20 + n + 30 * k);
            instalments.push(format!("L{n:03},{k},{at},100.00,1.50"));
            let failed = if n % 10 == 1 { day(22 + n + 30 * k).to_string() } else { String::new() };
            payments.push(format!("A{n:03}{k},L{n:03},{at},101.50,{failed}"));
        }
    }
    for (name, rows) in [("loans", loans), ("instalments", instalments), ("payments", payments)] {
        file(&data, &format!("{name}.csv"), &rows);
    }
    let draft = draft_of(&data, &out);
    assert_origins(
        &draft,
        &[("payments.payment_id", "payments.ach_id"), ("payments.reversed_at", "payments.failed_at")],
    );
    let payments = read(&out.join("job.toml"), "payments");
    assert_eq!(120 - payments.column("reversed_at").unwrap().null_count(), 12);
}

#[test]
fn whole_numbers_that_are_never_round_are_asked_about_in_any_currency() {
    let head = "order_id,seller_id,buyer_id,created_at,delivered_at,total,currency,status";
    let minor = |n: usize| {
        let amount = 20_000 + n * 7_919 % 90_011;
        format!("O{n:04},S{:02},B{:03},{},{},{amount},INR,delivered", n % 20, n * 7 % 330, instant(n), instant(n + 9))
    };
    let main = |n: usize| {
        let amount = 100 * (20 + n * 37 % 300);
        format!("O{n:04},S{:02},B{:03},{},{},{amount},INR,delivered", n % 20, n * 7 % 330, instant(n), instant(n + 9))
    };
    for (row, is_asked) in [(minor as fn(usize) -> String, true), (main, false)] {
        let (_folder, data, out) = folders();
        export(&data, &Export { head, row });
        let draft = draft_of(&data, &out);
        let why = gap(&draft, "orders", "amount_minor");
        assert_eq!(why.is_some_and(|why| why.contains("--amounts minor")), is_asked, "{why:?}");
    }
}

#[test]
fn what_went_back_stands_in_the_column_beside_the_one_of_sales() {
    let (_folder, data, out) = folders();
    let who = |n: usize| format!("S{:02},C{:03}", n % 20, n * 7 % 330);
    let row = |n: usize| {
        let mut rows = vec![format!("T{n:06},{},{},Settled,,{},EUR,", who(n), instant(n), total(n))];
        if n % 20 == 3 {
            rows.push(format!("R{n:06},{},{},Refunded,5.00,,EUR,T{n:06}", who(n), instant(n + 2)));
        }
        if n % 100 == 3 {
            rows.push(format!("W{n:06},{},{},ChargebackReversed,,4.00,EUR,T{n:06}", who(n), instant(n + 3)));
        }
        rows
    };
    sales(
        &data,
        "transaction_id,seller_id,buyer_id,created_at,type,gross_debit,gross_credit,currency,original_id",
        &row,
    );
    draft_of(&data, &out);
    let orders = read(&out.join("job.toml"), "orders");
    let back = cells(&orders, "order_id", "refund_minor");
    assert_eq!(
        back["T000023"].as_deref(),
        Some("500"),
        "{}",
        fs::read_to_string(out.join("sources/orders.sql")).unwrap()
    );
    assert_eq!(back["T000003"].as_deref(), Some("500"));
    assert_eq!(back.values().flatten().count(), ORDERS / 20);
}
