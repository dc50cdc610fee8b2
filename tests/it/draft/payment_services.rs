//! Exports as payment services, lenders and tills keep them: numbers of two systems and lines of every kind.

use super::erp_and_tags::{refusal, replaced, shop_orders};
use super::in_doubt::ORDERS;
use super::*;

/// A table of comma-separated lines.
pub(super) fn table(data: &Path, name: &str, header: &str, rows: impl Iterator<Item = String>) {
    let lines: Vec<String> = std::iter::once(header.to_owned()).chain(rows).collect();
    file(data, name, &lines);
}

/// Twenty merchants of toys, their ids by their letter and a number.
fn merchants(data: &Path, letter: char) {
    let merchant = |n: usize| format!("{letter}{n:03},{},toys", day(0));
    table(data, "merchants.csv", "merchant_id,opened_at,category", (0..20).map(merchant));
}

/// Charges that name the shop's own order too, with the disputes and transfers that name a charge.
fn charges(data: &Path, disputes: &str) {
    let charge = |n: usize| format!("ch_{:08}", n * 7);
    table(
        data,
        "accounts.csv",
        "id,created,category",
        (0..20).map(|n| format!("acct_{n:04},{}T08:00:00Z,toys", day(n))),
    );
    table(
        data,
        "charges.csv",
        "id,destination,customer,created,amount,currency,metadata.order_id",
        (0..1_200).map(|n| {
            format!(
                "{},acct_{:04},cus_{:05},{}T10:00:00Z,{}.50,eur,web-{:06}",
                charge(n),
                n % 20,
                n % 310,
                day(n / 4),
                20 + n % 70,
                n + 500
            )
        }),
    );
    let transfer = |n: usize| format!("tr_{n:08},{},acct_{:04},{}T11:00:00Z", charge(n), n % 20, day(n / 4));
    table(data, "transfers.csv", "id,source_transaction,destination,created", (0..1_200).map(transfer));
    let named = |n: usize| if disputes == "charge" { charge(n) } else { format!("web-{:06}", n + 500) };
    let dispute = |n: usize| format!("dp_{n:06},{},{}T09:00:00Z,fraudulent", named(n * 9), day(n * 9 / 4 + 8));
    table(data, "disputes.csv", &format!("id,{disputes},created,reason"), (0..120).map(dispute));
}

#[test]
fn a_key_that_other_tables_name_is_the_order_s_number_before_one_that_is_called_so() {
    let (_folder, data, out) = folders();
    charges(&data, "charge");
    let draft = draft_of(&data, &out);
    assert_origins(&draft, &[("orders.order_id", "charges.id"), ("disputes.dispute_id", "disputes.id")]);
    let orders = fs::read_to_string(out.join("sources/orders.sql")).unwrap();
    assert!(
        orders.contains("rows of disputes, transfers name it, and none name charges.\"metadata.order_id\""),
        "{orders}"
    );
    let (orders, disputes) = (read(&out.join("job.toml"), "orders"), read(&out.join("job.toml"), "disputes"));
    let known = cells(&orders, "order_id", "amount_minor");
    let of_orders = cells(&disputes, "dispute_id", "order_id");
    assert_eq!(of_orders.len(), 120);
    assert!(of_orders.values().flatten().all(|order| known.contains_key(order)));

    // Where others name the number that is called so, it stays.
    let (_folder, data, out) = folders();
    charges(&data, "order_id");
    assert_origins(&draft_of(&data, &out), &[("orders.order_id", "charges.\"metadata.order_id\"")]);
}

#[test]
fn lines_that_name_no_order_are_left_out_and_counted_and_those_that_should_are_not() {
    for kinds in [true, false] {
        let (_folder, data, out) = folders();
        let line = |n: usize, order: &str, kind: &str, amount: &str| {
            let kind = if kinds { format!(",{kind}") } else { String::new() };
            format!("{order},S{:02},B{:03},{},EUR{kind},{amount}", n % 20, n * 7 % 330, instant(n))
        };
        let header = if kinds {
            "order_id,seller_id,buyer_id,created_at,currency,event_type,amount"
        } else {
            "order_id,seller_id,buyer_id,created_at,currency,amount"
        };
        let rows = (0..ORDERS).flat_map(|n| {
            // A sale that lost its order's number.
            let order = if kinds && n == 700 { String::new() } else { format!("O{n:04}") };
            let mut rows = vec![line(n, &order, "Sale", "12.50"), line(n, &order, "Sale", "7.25")];
            rows.extend((n % 10 == 0).then(|| line(n, "", "Transfer", "150.00")));
            rows
        });
        table(&data, "settlement.csv", header, rows);
        let draft = draft_of(&data, &out);
        assert_eq!(draft.open_gaps(), 0, "{:#?}", draft.tables);
        let job = fs::read_to_string(out.join("job.toml")).unwrap();
        let told =
            if kinds { "row(s) name no order (of 'Transfer' in \"event_type\")" } else { "row(s) name no order: " };
        assert!(job.contains(told), "{job}");
        let orders = read(&out.join("job.toml"), "orders");
        let broken = orders.column("order_id").unwrap().null_count();
        assert_eq!(broken, if kinds { 2 } else { 0 });
        let amounts = cells(&orders, "order_id", "amount_minor");
        assert_eq!((amounts.len(), amounts["O0010"].as_deref()), (ORDERS - usize::from(kinds), Some("1975")));
    }
}

#[test]
fn all_required_columns_without_a_value_are_named_at_once() {
    let (_folder, data, out) = folders();
    shop_orders(&data, "", &|_| String::new());
    draft_of(&data, &out);
    let sql = out.join("sources/orders.sql");
    replaced(&sql, "orders.shop_id AS merchant_id", "NULL AS merchant_id");
    replaced(&sql, "orders.customer_id AS buyer_id", "NULLIF(orders.customer_id, 'C0003') AS buyer_id");
    let told = refusal(&out);
    let orders = fs::read_to_string(data.join("orders.csv")).unwrap();
    let (all, without) = (orders.lines().count() - 1, orders.matches(",C0003,").count());
    let nulls =
        format!("required-null {all} (null: merchant_id in {all}, buyer_id in {without}), the first orders.csv row 1");
    assert!(told.contains(&nulls), "{told}");
}

#[test]
fn payments_at_tills_are_orders_where_nothing_else_is() {
    let (_folder, data, out) = folders();
    merchants(&data, 'T');
    let payment = |n: usize| {
        format!("QK{n:08},T{:03},07{:08},{}T10:00:00Z,{}.00,KES", n % 20, n * 7 % 330, day(n / 4), 50 + n % 70)
    };
    table(
        &data,
        "till_payments.csv",
        "payment_id,merchant_id,payer_phone,paid_at,amount,currency",
        (0..ORDERS).map(payment),
    );
    let draft = draft_of(&data, &out);
    assert_origins(
        &draft,
        &[
            ("orders.order_id", "till_payments.payment_id"),
            ("orders.merchant_id", "till_payments.merchant_id"),
            ("orders.placed_at", "till_payments.paid_at"),
            ("orders.amount_minor", "till_payments.amount"),
        ],
    );
    assert_eq!(read(&out.join("job.toml"), "orders").height(), ORDERS);
    let gaps = fs::read_to_string(out.join("GAPS.md")).unwrap();
    assert!(gaps.contains("each payment that a merchant received is taken for one"), "{gaps}");
}

#[test]
fn of_two_keys_the_one_in_which_others_find_all_their_numbers_is_meant() {
    let (_folder, data, out) = folders();
    table(&data, "sellers.csv", "seller_id,opened_at,category", (1..=20).map(|n| format!("{n},{},toys", day(0))));
    let order = |n: usize| {
        format!(
            "{},{},{},c{:04},{}T10:00:00Z,{}.50,EUR",
            n + 1,
            400 + n * 3,
            n % 20 + 1,
            n * 7 % 330,
            day(n / 4),
            20 + n % 70
        )
    };
    table(
        &data,
        "mp_orders.csv",
        "id,order_id,seller_id,customer_id,created_at,amount,currency",
        (0..ORDERS).map(order),
    );
    let refund = |n: usize| format!("{},{},{}T10:00:00Z,5.00", n + 1, 400 + n * 21, day(n * 7 / 4 + 5));
    table(&data, "mp_refunds.csv", "id,order_id,refunded_at,amount", (0..100).map(refund));
    let draft = draft_of(&data, &out);
    assert_origins(&draft, &[("orders.order_id", "orders.order_id"), ("orders.refund_minor", "refunds.amount")]);
    let back = cells(&read(&out.join("job.toml"), "orders"), "order_id", "refund_minor");
    assert_eq!(back.values().flatten().filter(|cell| *cell == "500").count(), 100);
}

#[test]
fn a_schedule_of_terms_holds_the_stated_payment_and_longer_loans_of_tomorrow() {
    let (_folder, data, out) = folders();
    shop_orders(&data, "", &|_| String::new());
    let loan = |n: usize, months: usize| {
        let payment = 60_000 / months + 700;
        format!(
            "L{n:05},S{:03},{}T09:00:00Z,600.00,{months},24.0%,{}.{:02}",
            n % 20,
            day(60 + n),
            payment / 100,
            payment % 100
        )
    };
    let header = "loan_id,shop_id,disbursed_at,principal,term_months,apr,Monthly Payment";
    table(&data, "loans.csv", header, (0..90).map(|n| loan(n, 3 + n % 2 * 3)));
    let paid = |n: usize| format!("R{n:06},L{:05},{}T10:00:00Z,203.00", n / 3, day(90 + n / 3 + 30 * (n % 3)));
    table(&data, "repayments.csv", "repayment_id,loan_id,paid_at,amount", (0..270).map(paid));
    let draft = draft_of(&data, &out);
    assert_eq!(draft.label, "loan-default", "{:?}", draft.no_loan_book);
    let sum = |what: &str| -> BTreeMap<String, (usize, i64)> {
        let rows = read(&out.join("job.toml"), "instalments");
        let texts = |name: &str| rows.column(name).unwrap().cast(&DataType::String).unwrap();
        let (loans, parts) = (texts("loan_id"), texts(what));
        let mut sums: BTreeMap<String, (usize, i64)> = BTreeMap::new();
        for (loan, part) in loans.str().unwrap().iter().zip(parts.str().unwrap().iter()) {
            let known = sums.entry(loan.unwrap().to_owned()).or_default();
            *known = (known.0 + 1, known.1 + part.unwrap().parse::<i64>().unwrap());
        }
        sums
    };
    // What is paid each month leaves 7.00 beside the principal, whatever the rate says.
    let interest = sum("interest_minor");
    assert_eq!((interest["L00000"], interest["L00001"]), ((3, 2_100), (6, 4_200)));
    let longer = (0..90).map(|n| loan(n, if n == 4 { 48 } else { 3 + n % 2 * 3 }));
    table(&data, "loans.csv", header, longer);
    assert_eq!(sum("principal_minor")["L00004"], (48, 60_000));
}

#[test]
fn a_number_times_a_number_is_not_said_to_be_none() {
    let (_folder, data, out) = folders();
    shop_orders(&data, "", &|_| String::new());
    draft_of(&data, &out);
    let signed = "-1 * minor_units(orders.amount, 'EUR')";
    let statement = format!(
        "SELECT MIN(orders._file) AS _file, MIN(orders._row) AS _row, orders.order_id AS order_id, orders.shop_id AS merchant_id, orders.customer_id AS \
         buyer_id, orders.created_at AS placed_at, {signed} AS amount_minor, orders.currency AS currency\nFROM orders\nGROUP BY orders.order_id, \
         orders.shop_id, orders.customer_id, orders.created_at, {signed}, orders.currency\n"
    );
    fs::write(out.join("sources/orders.sql"), statement).unwrap();
    let told = refusal(&out);
    assert!(!told.contains("takes numbers") && told.contains("compute it in WITH, and group by its column"), "{told}");
}

#[test]
fn loans_and_withdrawals_among_sales_are_none_and_refunds_find_their_sale() {
    let (_folder, data, out) = folders();
    merchants(&data, 'M');
    let row = |id: String, n: usize, kind: &str, gross: String, of: String| {
        format!("{id},M{:03},C{:04},{},{kind},{gross},USD,{of}", n % 20, n * 7 % 330, instant(n))
    };
    let rows = (0..ORDERS).flat_map(|n| {
        let mut rows =
            vec![row(format!("T{n:06}"), n, "Express Checkout", format!("{}.50", 20 + n % 70), String::new())];
        let other = |mark: &str, kind: &str, gross: &str| {
            row(format!("{mark}{n:06}"), n + 1, kind, gross.to_owned(), String::new())
        };
        rows.extend(n.is_multiple_of(20).then(|| other("W", "General Withdrawal", "-300.00")));
        rows.extend(n.is_multiple_of(10).then(|| other("H", "Reserve", "-2.00")));
        rows.extend(n.is_multiple_of(40).then(|| other("D", "Working Capital Loan Disbursement", "900.00")));
        rows.extend(n.is_multiple_of(16).then(|| other("R", "Working Capital Loan Payment", "-40.00")));
        rows.extend(
            n.is_multiple_of(25)
                .then(|| row(format!("B{n:06}"), n + 8, "Payment Refund", "-5.00".to_owned(), format!("T{n:06}"))),
        );
        rows
    });
    let header = "transaction_id,merchant_id,customer_id,created_at,type,gross,currency,reference_id";
    table(&data, "activity.csv", header, rows);
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0, "{:#?}", draft.tables);
    let orders = read(&out.join("job.toml"), "orders");
    let (amounts, back) = (cells(&orders, "order_id", "amount_minor"), cells(&orders, "order_id", "refund_minor"));
    assert!(amounts.len() == ORDERS && amounts.keys().all(|id| id.starts_with('T')), "{}", amounts.len());
    assert_eq!(back.values().flatten().count(), ORDERS / 25);
    assert_eq!(back["T000025"].as_deref(), Some("500"));
    let gaps = fs::read_to_string(out.join("GAPS.md")).unwrap();
    assert!(gaps.contains("of \"type\" these kinds are taken for sales: 'Express Checkout'"), "{gaps}");
}

#[test]
fn disputes_reach_their_order_by_another_key_and_amounts_in_brackets_are_below_zero() {
    let (_folder, data, out) = folders();
    merchants(&data, 'M');
    let sale = |n: usize| {
        format!(
            "T{:08},PAY{:08},M{:03},C{:04},{},${}.50,Payment",
            n * 3,
            n * 7,
            n % 20,
            n * 7 % 330,
            instant(n),
            20 + n % 70
        )
    };
    let refund = |n: usize| {
        format!(
            "T{:08},PAY{:08},M{:03},C{:04},{},($5.00),Refund",
            n * 3,
            n * 7 + 1,
            n % 20,
            n * 7 % 330,
            instant(n + 8)
        )
    };
    let rows = (0..ORDERS).flat_map(|n| std::iter::once(sale(n)).chain(n.is_multiple_of(20).then(|| refund(n))));
    let header = "Transaction ID,Payment ID,merchant_id,customer_id,created_at,Gross Sales,Event Type";
    table(&data, "transactions.csv", header, rows);
    let dispute =
        |n: usize| format!("dp_{n:05},PAY{:08},M{:03},{},FRAUD,$9.50", n * 63, n * 9 % 20, instant(n * 9 + 20));
    table(&data, "disputes.csv", "Dispute ID,Payment ID,merchant_id,Reported At,Reason,Amount", (0..80).map(dispute));
    let options = DraftOptions {
        name: "mine".to_owned(),
        currency: integrity::domain::Currency::new("USD").ok(),
        amounts: None,
        today: None,
    };
    let draft = draft_job(&data, &out, &options, &|_| {}).unwrap();
    write_draft(&draft, &out).unwrap();
    assert_eq!(draft.open_gaps(), 0, "{:#?}", draft.tables);
    let job = out.join("job.toml");
    let (orders, disputes) = (read(&job, "orders"), read(&job, "disputes"));
    let (amounts, back) = (cells(&orders, "order_id", "amount_minor"), cells(&orders, "order_id", "refund_minor"));
    assert_eq!((amounts.len(), amounts["T00000060"].as_deref()), (ORDERS, Some("4050")));
    assert_eq!((back["T00000060"].as_deref(), back["T00000063"].as_deref()), (Some("500"), None));
    let of = cells(&disputes, "dispute_id", "order_id");
    assert_eq!((of.len(), of["dp_00002"].as_deref()), (80, Some("T00000054")));
}

#[test]
fn comments_of_one_kind_that_is_a_review_are_no_disputes() {
    let (_folder, data, out) = folders();
    shop_orders(&data, "", &|_| String::new());
    let comment = |n: usize| format!("{},O{:06},{},1,review", n + 1, n * 2, instant(n * 2 + 9));
    table(
        &data,
        "comments.csv",
        "comment_id,order_id,comment_date,comment_approved,comment_type",
        (0..300).map(comment),
    );
    let draft = draft_of(&data, &out);
    assert!(draft.tables.iter().chain(&draft.aside).all(|table| table.table.name != "disputes"), "{:#?}", draft.tables);
    assert!(draft.aside.iter().any(|table| table.table.name == "reviews"));
}

#[test]
fn refunds_of_a_later_file_bear_the_number_of_their_sale() {
    let (_folder, data, out) = folders();
    merchants(&data, 'M');
    let row = |n: usize, at: usize, total: &str, net: &str, kind: &str| {
        format!("T{:08},M{:03},C{:04},{},{total},{net},EUR,{kind}", n * 3, n % 20, n * 7 % 330, instant(at))
    };
    let header = "Transaction ID,merchant_id,customer_id,created_at,Total,Net Total,currency,Event Type";
    let sales = |from: usize| (from..from + 400).map(move |n| row(n, n, "40.50", "39.20", "Payment"));
    let refunds = (0..400).step_by(20).map(|n| row(n, n + 500, "-5.00", "-5.00", "Refund"));
    table(&data.join("transactions"), "transactions_2022-04.csv", header, sales(0));
    table(&data.join("transactions"), "transactions_2022-07.csv", header, sales(400).chain(refunds));
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0, "{:#?}", draft.tables);
    let orders = read(&out.join("job.toml"), "orders");
    let (amounts, back) = (cells(&orders, "order_id", "amount_minor"), cells(&orders, "order_id", "refund_minor"));
    assert_eq!((amounts.len(), amounts["T00000060"].as_deref()), (800, Some("4050")));
    assert_eq!((back["T00000060"].as_deref(), back["T00000063"].as_deref()), (Some("500"), None));
}

#[test]
fn a_loan_book_is_read_by_a_key_that_no_name_gives_away() {
    let (_folder, data, out) = folders();
    shop_orders(&data, "", &|_| String::new());
    let loan = |n: usize| format!("LAN{n:06},S{:03},{},600.00", n % 20, day(60 + n));
    table(&data, "loan_accounts.csv", "LAN,shop_id,Disbursal Date,Sanctioned Amount", (0..90).map(loan));
    let due = |n: usize| day(90 + n / 3 + 30 * (n % 3));
    let line = |n: usize| format!("LAN{:06},{},{},200.00,3.50", n / 3, n % 3 + 1, due(n));
    table(&data, "repayment_schedule.csv", "LAN,EMI No,Due Date,Principal,Interest", (0..270).map(line));
    let status = |n: usize| if n.is_multiple_of(30) { "BOUNCE" } else { "SUCCESS" };
    let shown = |n: usize| format!("NP{n:06},LAN{:06},{},203.50,{}", n / 3, due(n), status(n));
    let header = "Presentation ID,LAN,Presentation Date,Amount,Presentation Status";
    table(&data, "presentations.csv", header, (0..270).map(shown));
    let draft = draft_of(&data, &out);
    assert_eq!((draft.open_gaps(), draft.label), (0, "loan-default"), "{:?}", draft.no_loan_book);
    assert_eq!(read(&out.join("job.toml"), "payments").height(), 270 - 9);
}

#[test]
fn who_received_the_sales_is_the_merchant_though_refunds_go_to_buyers() {
    let (_folder, data, out) = folders();
    let shop = |n: usize| format!("shop{n:03}@m.example");
    let buyer = |n: usize| format!("b{:04}@p.example", n * 7 % 700);
    table(
        &data,
        "merchants.csv",
        "merchant_email,opened_at,category",
        (0..20).map(|n| format!("{},{},toys", shop(n), day(0))),
    );
    let sale =
        |n: usize| format!("T{n:06},{},{},{},Payment,{}.50,EUR,", buyer(n), shop(n % 20), instant(n), 20 + n % 70);
    let refund =
        |n: usize| format!("B{n:06},{},{},{},Refund,-5.00,EUR,T{n:06}", shop(n % 20), buyer(n), instant(n + 8));
    let rows = (0..ORDERS).flat_map(|n| std::iter::once(sale(n)).chain(n.is_multiple_of(4).then(|| refund(n))));
    let header = "transaction_id,from_email,to_email,created_at,type,gross,currency,reference_id";
    table(&data, "activity.csv", header, rows);
    let draft = draft_of(&data, &out);
    assert_origins(&draft, &[("orders.merchant_id", "activity.to_email")]);
    assert_eq!(draft.open_gaps(), 0, "{:#?}", draft.tables);
}

#[test]
fn what_is_paid_on_loans_is_found_in_the_book_of_an_account() {
    let (_folder, data, out) = folders();
    shop_orders(&data, "", &|_| String::new());
    let loan = |n: usize| format!("LN{n:06},S{:03},{}T09:00:00Z,600.00,90,24.0%", n % 20, day(60 + n));
    table(&data, "loans.csv", "loan_id,shop_id,disbursed_at,principal,term_days,apr", (0..90).map(loan));
    let entry = |n: usize| match n % 5 {
        0 => format!("PE{n:06},{}T06:00:00Z,LOAN_PAYMENT,LN{:06},($150.50)", day(90 + n / 20), n / 5 % 90),
        1 => format!("PE{n:06},{}T06:00:00Z,FEE,,($1.05)", day(90 + n / 20)),
        _ => format!("PE{n:06},{}T06:00:00Z,CHARGE,,$40.31", day(90 + n / 20)),
    };
    table(&data, "payout_payments.csv", "entry_id,effective_at,type,loan_id,amount", (0..1_800).map(entry));
    let draft = draft_of(&data, &out);
    let payments = draft.tables.iter().find(|table| table.table.name == "payments");
    assert!(payments.is_some(), "{:?} {:#?}", draft.no_loan_book, draft.aside);
    let payments = read(&out.join("job.toml"), "payments");
    assert_eq!(payments.height(), 360);
    assert!(cells(&payments, "payment_id", "amount_minor").values().all(|cell| cell.as_deref() == Some("15050")));
}

#[test]
fn a_point_before_three_digits_in_every_cell_is_asked_about() {
    let (_folder, data, out) = folders();
    let rows = |amount: &dyn Fn(usize) -> String| -> Vec<String> {
        let row = |n: usize| format!("O{n:06};S{:03};C{:04};{};{}", n % 20, n % 170, instant(n), amount(n));
        std::iter::once("order_id;shop_id;customer_id;created_at;total".to_owned())
            .chain((0..ORDERS).map(row))
            .collect()
    };
    file(&data, "orders.csv", &rows(&|n| format!("$ {}.{:03}", 10 + n % 70, n * 10 % 1_000)));
    let draft_in = |code: &str| {
        let options = DraftOptions {
            name: "mine".to_owned(),
            currency: integrity::domain::Currency::new(code).ok(),
            amounts: None,
            today: None,
        };
        draft_job(&data, &out, &options, &|_| {}).unwrap()
    };
    let asked =
        |draft: &Draft| draft.gaps_of_cells().any(|(table, gap)| (table, gap.column) == ("orders", "amount_minor"));
    assert!(asked(&draft_in("COP")) && !asked(&draft_in("KWD")));
    // One cell of two points tells.
    file(
        &data,
        "orders.csv",
        &rows(&|n| if n == 7 { "$ 1.234.500".to_owned() } else { format!("$ {}.{:03}", 10 + n % 70, n * 10 % 1_000) }),
    );
    let draft = draft_in("COP");
    write_draft(&draft, &out).unwrap();
    assert!(!asked(&draft));
    assert!(
        fs::read_to_string(out.join("sources/orders.sql")).unwrap().contains("minor_units(orders.total, 'COP', ',')")
    );
}
