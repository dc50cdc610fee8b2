//! Exports of further makes: tests marked by tags, reviews within orders, loans without a schedule, refunds sent again, dumps of an ERP, Turkish.

use super::*;

const ORDERS: usize = 1_000;

/// Orders of twenty shops, with more cells behind each.
pub(super) fn shop_orders(data: &Path, head: &str, more: &dyn Fn(usize) -> String) {
    let shops = (0..20).map(|n| format!("S{n:03},{},toys,north", day(0)));
    let shops: Vec<String> = std::iter::once("shop_id,opened_at,category,region".to_owned()).chain(shops).collect();
    file(data, "shops.csv", &shops);
    let orders = (0..ORDERS).map(|n| {
        let (shop, buyer, at) = (n % 20, n % 170, instant(n));
        format!("O{n:06},S{shop:03},C{buyer:04},{at},{}.50,EUR{}", 10 + n % 70, more(n))
    });
    let head = format!("order_id,shop_id,customer_id,created_at,amount,currency{head}");
    file(data, "orders.csv", &std::iter::once(head).chain(orders).collect::<Vec<_>>());
}

#[test]
fn orders_that_a_tag_calls_tests_are_skipped() {
    let (_folder, data, out) = folders();
    let tags = |n: usize| match n % 50 {
        7 => ",\"gift, Test\"",
        8 => ",test",
        9 => ",contested",
        _ => ",gift",
    };
    shop_orders(&data, ",Tags", &|n| tags(n).to_owned());
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0);
    let job = fs::read_to_string(out.join("job.toml")).unwrap();
    assert!(job.contains("# GUESS: 40 row(s) that \"Tags\" calls 'gift, Test', 'test' are tests."), "{job}");
    assert_eq!(read(&out.join("job.toml"), "orders").height(), ORDERS - 40);
}

#[test]
fn reviews_beside_their_orders_are_reviews_and_lists_of_them_are_told() {
    let (_folder, data, out) = folders();
    shops_of_json(&data);
    let order = |n: usize, more: &str| {
        format!(
            r#"{{"orderId":"O{n:06}","shopId":"S{:03}","customer":{{"id":"C{:04}"}},"createdAt":"{}","amount":{}.5,"currency":"EUR",{more}}}"#,
            n % 20,
            n % 170,
            instant(n),
            10 + n % 70
        )
    };
    let one = |n: usize| match n % 3 {
        0 => r#""review":null"#.to_owned(),
        _ => format!(r#""review":{{"stars":{},"at":"{}"}}"#, 1 + n % 5, instant(n + 20)),
    };
    file(&data, "orders.jsonl", &(0..ORDERS).map(|n| order(n, &one(n))).collect::<Vec<_>>());
    let draft = draft_of(&data, &out);
    assert!(draft.open_gaps() == 0 && draft.nested.is_empty(), "{:?}", draft.nested);
    let reviews = read(&out.join("job.toml"), "reviews");
    assert_eq!(reviews.height(), (0..ORDERS).filter(|n| n % 3 > 0).count());
    assert_eq!(cells(&reviews, "order_id", "stars")["O000004"].as_deref(), Some("5"));
    assert_eq!(cells(&reviews, "order_id", "buyer_id")["O000004"].as_deref(), Some("C0004"));

    let (_folder, data, out) = folders();
    shops_of_json(&data);
    let several = |n: usize| format!(r#""reviews":[{{"stars":{},"at":"{}"}}]"#, 1 + n % 5, instant(n + 20));
    file(&data, "orders.jsonl", &(0..ORDERS).map(|n| order(n, &several(n))).collect::<Vec<_>>());
    let draft = draft_of(&data, &out);
    let [rows] = draft.nested.as_slice() else { panic!("{:?}", draft.nested) };
    assert_eq!((rows.input.as_str(), rows.column.as_str()), ("orders", "reviews"));
    let copy = r#"COPY (SELECT "orderId" AS order_id, unnest(reviews, max_depth := 2) FROM 'orders.jsonl') TO 'reviews.parquet'"#;
    assert!(rows.words().contains(copy), "{}", rows.words());
    assert!(fs::read_to_string(out.join("GAPS.md")).unwrap().contains(copy));
}

#[test]
fn refunds_without_a_day_are_dated_at_the_order_s_end() {
    let (_folder, data, out) = folders();
    let more = |n: usize| format!(",{},{}", instant(n + 12), if n.is_multiple_of(25) { "5.00" } else { "" });
    shop_orders(&data, ",delivered_at,refund_amount", &more);
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0);
    let orders = read(&out.join("job.toml"), "orders");
    assert_eq!(orders.height(), ORDERS, "none is quarantined");
    let refunded = orders.column("refunded_at").unwrap();
    assert_eq!(refunded.len() - refunded.null_count(), ORDERS / 25);
    let (refunded, ended) = (cells(&orders, "order_id", "refunded_at"), cells(&orders, "order_id", "completed_at"));
    assert_eq!(refunded["O000025"], ended["O000025"]);
}

#[test]
fn who_reviews_is_read_where_reviews_name_people_as_orders_do() {
    for (written, is_read) in [("C", true), ("nick-", false)] {
        let (_folder, data, out) = folders();
        shop_orders(&data, "", &|_| String::new());
        let reviews = (0..ORDERS).step_by(2).map(|n| {
            let who = if n.is_multiple_of(50) { 3 } else { n % 170 };
            format!("R{n:06},O{n:06},{written}{who:04},{},{}", 1 + n % 5, instant(n + 20))
        });
        let head = "review_id,order_id,customer_id,rating,created_at".to_owned();
        file(&data, "reviews.csv", &std::iter::once(head).chain(reviews).collect::<Vec<_>>());
        let draft = draft_of(&data, &out);
        assert_eq!(draft.open_gaps(), 0);
        let who = cells(&read(&out.join("job.toml"), "reviews"), "order_id", "buyer_id");
        assert_eq!(who["O000050"].as_deref(), Some(if is_read { "C0003" } else { "C0050" }), "{written}");
        assert_eq!(who["O000052"].as_deref(), Some("C0052"), "{written}");
    }
}

/// Shops with loans of three to five months with a rate a month, and what was paid; nothing says when instalments fall due.
fn shops_with_loans(data: &Path, head: &str, more: &str) {
    shop_orders(data, "", &|_| String::new());
    let mut loans = vec![format!("loan_id,shop_id,disbursement_date,loan_amount{head}")];
    let mut paid = vec!["payment_id,loan_id,payment_date,amount".to_owned()];
    for shop in 0..20 {
        let months = 3 + shop % 3;
        loans.push(format!(
            "L{shop:05},S{shop:03},{},1000.00{}",
            day(60 + shop),
            more.replace('#', &months.to_string())
        ));
        for k in 1..=months {
            paid.push(format!("P{shop:03}{k:03},L{shop:05},{},350.00", day(60 + shop + 30 * k)));
        }
    }
    file(data, "loans.csv", &loans);
    file(data, "repayments.csv", &paid);
}

#[test]
fn a_schedule_is_made_of_the_terms_of_loans_that_state_them() {
    let (_folder, data, out) = folders();
    shops_with_loans(&data, ",term_months,monthly_rate_percent", ",#,1.5");
    let draft = draft_of(&data, &out);
    assert_eq!((draft.open_gaps(), draft.label, &draft.no_loan_book), (0, "loan-default", &None), "{:#?}", draft.aside);
    let job = out.join("job.toml");
    let instalments = read(&job, "instalments");
    assert_eq!(instalments.height(), (0..20).map(|n| 3 + n % 3).sum::<usize>());
    let mut by_loan: BTreeMap<String, Vec<(i64, i64, i64)>> = BTreeMap::new();
    let whole = |name: &str| instalments.column(name).unwrap().i64().unwrap().to_vec();
    let loans_of: Vec<Option<&str>> = instalments.column("loan_id").unwrap().str().unwrap().iter().collect();
    let rows = whole("number").into_iter().zip(whole("principal_minor")).zip(whole("interest_minor"));
    for (loan, ((number, principal), interest)) in loans_of.into_iter().zip(rows) {
        let row = (number.unwrap(), principal.unwrap(), interest.unwrap());
        by_loan.entry(loan.unwrap().to_owned()).or_default().push(row);
    }
    for (loan, rows) in &mut by_loan {
        rows.sort_unstable();
        let numbers: Vec<i64> = rows.iter().map(|row| row.0).collect();
        assert_eq!(numbers, (1..=i64::try_from(rows.len()).unwrap()).collect::<Vec<_>>(), "{loan}");
        assert_eq!(rows.iter().map(|row| row.1).sum::<i64>(), 100_000, "{loan}");
    }
    // 1.5 % of 1,000.00 a month, on what a level schedule of three months owes: 2/3 on average.
    assert!((995..=1_005).contains(&by_loan["L00000"][0].2), "{:?}", by_loan["L00000"]);
    let due = cells(&instalments, "number", "due_on");
    assert!(due["5"].is_some());
    let terms = cells(&read(&job, "loans"), "loan_id", "term_days");
    assert_eq!(terms["L00000"].as_deref(), Some("92"), "three calendar months from the 2nd of March");

    let (_folder, data, out) = folders();
    shops_with_loans(&data, "", "");
    let draft = draft_of(&data, &out);
    let why = draft.no_loan_book.as_deref().unwrap();
    assert!(draft.label == "trade-distress" && why.contains("there is no table of instalments"), "{why}");
    assert!(!fs::read_to_string(out.join("job.toml")).unwrap().contains("approve_as ="), "no model approves itself");
    assert!(fs::read_to_string(out.join("GAPS.md")).unwrap().contains("every merchant is taken to owe nothing"));
}

#[test]
fn refunds_without_a_number_count_once_where_a_later_file_sends_them_again() {
    let (_folder, data, out) = folders();
    shop_orders(&data, "", &|_| String::new());
    let head = "order_id,refund_date,refund_amount".to_owned();
    let refund = |n: usize| format!("O{n:06},{},1.00", instant(n + 20));
    // Order 40 was given a unit back twice at one time; each file holds the last orders of the one before again.
    for month in 0..5 {
        let orders = (month * 200_usize).saturating_sub(200)..month * 200 + 200;
        let mut lines = vec![head.clone()];
        lines.extend(orders.clone().filter(|n| n % 10 == 0).map(refund));
        if orders.contains(&40) {
            lines.push(refund(40));
        }
        file(&data, &format!("refunds_{month}.csv"), &lines);
    }
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0);
    let refunds = cells(&read(&out.join("job.toml"), "orders"), "order_id", "refund_minor");
    for n in 0..ORDERS {
        let expected = (n % 10 == 0).then_some(if n == 40 { "200" } else { "100" });
        assert_eq!(refunds[&format!("O{n:06}")].as_deref(), expected, "{n}");
    }
}

/// Tables of SAP's ERP: numbers of documents called alike, days of eight digits or zeros, a minus behind.
#[test]
fn an_erp_is_read_by_the_names_of_its_tables_and_fields() {
    let (_folder, data, out) = folders();
    let plain = |n: usize| day(n / 4).to_string().replace('-', "");
    let number = |n: usize| format!("{:010}", 45_000_000 + n);
    let table = |name: &str, head: &str, rows: Vec<String>| {
        let lines: Vec<String> =
            std::iter::once(head.to_owned()).chain(rows).map(|line| line.replace(' ', "\t")).collect();
        file(&data, name, &lines);
    };
    let orders = |n: usize| format!("100 {} {} {},50 EUR {:010}", number(n), plain(n), 10 + n % 70, 200_000 + n % 170);
    table("VBAK.txt", "MANDT VBELN ERDAT NETWR WAERK KUNNR", (0..ORDERS).map(orders).collect());
    // Two lines an order.
    let items = |n: usize| {
        let (order, line) = (n / 2, n % 2);
        let amount = if line == 0 { "10,00".to_owned() } else { format!("{},50", order % 70) };
        format!("100 {} 0000{}0 {amount} {:010}", number(order), line + 1, 100_000 + order % 20)
    };
    table("VBAP.txt", "MANDT VBELN POSNR NETWR LIFNR", (0..2 * ORDERS).map(items).collect());
    let vendors = |n: usize| format!("100 {:010} Vendor{n} 0{} {} B001", 100_000 + n, 1 + n % 3, plain(0));
    table("LFA1.txt", "MANDT LIFNR NAME1 REGIO ERDAT BRSCH", (0..20).map(vendors).collect());
    let parcel = |n: usize| {
        let arrived = if n.is_multiple_of(10) { "00000000".to_owned() } else { plain(n + 16) };
        format!("100 {:010} {} {} {} {arrived}", 80_000_000 + n, number(n), plain(n), plain(n + 8))
    };
    table("LIKP.txt", "MANDT VBELN VGBEL ERDAT WADAT_IST PODAT", (0..ORDERS).map(parcel).collect());
    let credit = |n: usize| format!("100 {:010} {} {} 4,25- EUR", 90_000_000 + n, number(n * 20), plain(n * 20 + 24));
    table("VBRK.txt", "MANDT VBELN VGBEL FKDAT NETWR WAERK", (0..50).map(credit).collect());
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0, "{:#?}", draft.tables);
    let job = out.join("job.toml");
    let orders = read(&job, "orders");
    assert_eq!(orders.height(), ORDERS);
    let cell = |column: &str| {
        let cells = cells(&orders, "order_id", column);
        let key = cells.keys().find(|key| key.starts_with(&number(20))).cloned().unwrap();
        cells[&key].clone()
    };
    assert_eq!(cell("amount_minor").as_deref(), Some("3050"));
    assert_eq!(cell("refund_minor").as_deref(), Some("425"));
    assert_eq!(cell("merchant_id").as_deref(), Some("0000100000"));
    assert_eq!(cell("buyer_id").as_deref(), Some("0000200020"));
    let shipments = read(&job, "shipments");
    let delivered = shipments.column("delivered_at").unwrap();
    assert_eq!((shipments.height(), delivered.null_count()), (ORDERS, ORDERS / 10), "zeros are no day");
}

#[test]
fn turkish_exports_are_read_in_their_encoding() {
    let (_folder, data, out) = folders();
    let turkish = |text: &str| encoding_rs::WINDOWS_1254.encode(text).0.into_owned();
    let lines = |head: &str, rows: Vec<String>| turkish(&(head.to_owned() + "\r\n" + &rows.join("\r\n") + "\r\n"));
    fs::create_dir_all(&data).unwrap();
    let at = |n: usize| format!("{} {:02}:00", german(n / 4), 3 + n % 4 * 6);
    let state = |n: usize| if n.is_multiple_of(10) { "İptal Edildi" } else { "Teslim Edildi" };
    let orders = (0..ORDERS).map(|n| {
        format!(
            "{};{};M{:05};{};{},50;{};{}",
            9_000_000 + n,
            300_000 + n % 20,
            n % 170,
            at(n),
            10 + n % 70,
            state(n),
            at(n + 12)
        )
    });
    let head = "Sipariş Numarası;Satıcı ID;Müşteri No;Sipariş Tarihi;Satış Tutarı;Sipariş Statüsü;Teslim Tarihi";
    fs::write(data.join("siparisler.csv"), lines(head, orders.collect())).unwrap();
    let shops = (0..20).map(|n| format!("{};Yıldız {n};{};Ev;Muğla", 300_000 + n, german(0)));
    fs::write(data.join("saticilar.csv"), lines("Satıcı ID;Satıcı Ünvanı;Kayıt Tarihi;Kategori;İl", shops.collect()))
        .unwrap();
    let options = DraftOptions {
        name: "mine".to_owned(),
        currency: Some(integrity::domain::Currency::new("TRY").unwrap()),
        amounts: None,
        today: None,
    };
    let draft = draft_job(&data, &out, &options, &|_| {}).unwrap();
    write_draft(&draft, &out).unwrap();
    assert_eq!(draft.open_gaps(), 0, "{:#?}", draft.tables);
    assert_origins(
        &draft,
        &[
            ("orders.order_id", "siparisler.\"Sipariş Numarası\""),
            ("orders.buyer_id", "siparisler.\"Müşteri No\""),
            ("orders.amount_minor", "siparisler.\"Satış Tutarı\""),
            ("merchants.category", "saticilar.\"Kategori\""),
            ("merchants.region", "saticilar.\"İl\""),
        ],
    );
    let cancelled = read(&out.join("job.toml"), "orders").column("cancelled_at").unwrap().clone();
    assert_eq!(cancelled.len() - cancelled.null_count(), ORDERS / 10);
}

#[test]
fn who_borrows_of_a_lender_with_branches_is_its_client() {
    let (_folder, data, out) = folders();
    let clients = (0..40).map(|n| format!("CL-{n:05},Branch {:02},Retail,{}", n % 6, day(0)));
    file(
        &data,
        "clients.csv",
        &std::iter::once("client_id,branch,sector,registration_date".to_owned()).chain(clients).collect::<Vec<_>>(),
    );
    let sales = (0..ORDERS)
        .map(|n| format!("MP{n:08},CL-{:05},2547{:06},{},{}00,KES", n % 40, n % 370, instant(n), 3 + n % 30));
    let head = "receipt_no,client_id,payer_msisdn,completed_time,paid_in,currency".to_owned();
    file(&data, "till_transactions.csv", &std::iter::once(head).chain(sales).collect::<Vec<_>>());
    let reversals = (0..50).map(|n| format!("RV{n:08},MP{:08},{},100", n * 20, instant(n * 20 + 9)));
    let head = "reversal_no,original_receipt_no,reversed_on,amount".to_owned();
    file(&data, "reversals.csv", &std::iter::once(head).chain(reversals).collect::<Vec<_>>());
    let loans = (0..40).map(|n| format!("LN{n:06},CL-{n:05},{},20000,3,24.0,{}", day(90 + n), day(181 + n)));
    let head =
        "loan_id,client_id,disbursement_date,loan_amount,tenor_months,annual_interest_rate,maturity_date".to_owned();
    file(&data, "loans.csv", &std::iter::once(head).chain(loans).collect::<Vec<_>>());
    let paid = (0..120).map(|n| format!("RP{n:06},LN{:06},{},7000", n / 3, day(120 + n / 3 + n % 3 * 30)));
    let head = "repayment_id,loan_id,repayment_date,amount".to_owned();
    file(&data, "repayments.csv", &std::iter::once(head).chain(paid).collect::<Vec<_>>());
    let draft = draft_of(&data, &out);
    assert_eq!((draft.open_gaps(), draft.label), (0, "loan-default"), "{:#?}", draft.tables);
    assert_origins(
        &draft,
        &[
            ("merchants.merchant_id", "clients.client_id"),
            ("orders.merchant_id", "till_transactions.client_id"),
            ("orders.buyer_id", "till_transactions.payer_msisdn"),
            ("orders.amount_minor", "till_transactions.paid_in"),
            ("orders.refund_minor", "reversals.amount"),
            ("loans.merchant_id", "loans.client_id"),
        ],
    );
}

/// What a check of a drafted job refuses.
pub(super) fn refusal(out: &Path) -> String {
    let options = crate::run::fixture::options(&out.with_file_name("data"), out);
    let check = integrity::run::CheckOptions { skip_training: true, ..Default::default() };
    integrity::run::check_job(&out.join("job.toml"), &options, check, &integrity::run::Silent).unwrap_err().to_string()
}

pub(super) fn replaced(path: &Path, what: &str, with: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(what), "{what} in {text}");
    fs::write(path, text.replace(what, with)).unwrap();
}

#[test]
fn a_check_tells_a_fault_of_every_statement_and_of_every_file() {
    let (_folder, data, out) = folders();
    shop_orders(&data, "", &|_| String::new());
    draft_of(&data, &out);
    replaced(&out.join("sources/orders.sql"), "customer_id", "custmer_id");
    replaced(&out.join("sources/merchants.sql"), "category", "categry");
    replaced(&out.join("sources/merchants.sql"), "AS categry", "AS category");
    let told = refusal(&out);
    assert!(told.contains("orders.sql") && told.contains("there is \"customer_id\""), "{told}");
    assert!(told.contains("merchants.sql") && told.contains("there is \"category\""), "{told}");

    replaced(&out.join("job.toml"), "currency = \"EUR\"", "currency = 7");
    replaced(&out.join("policy.toml"), "limit_step_minor", "limit_stp_minor");
    let told = refusal(&out);
    assert!(told.contains("job.toml:") && told.contains("limit_stp_minor"), "{told}");
}

#[test]
fn a_policy_that_knows_no_loans_beside_a_job_that_reads_them_is_refused() {
    let (_folder, data, out) = folders();
    shops_with_loans(&data, ",term_months,monthly_rate_percent", ",#,1.5");
    let draft = draft_of(&data, &out);
    assert_eq!(draft.label, "loan-default");
    fs::remove_file(out.join("policy.toml")).unwrap();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/olist/policy.toml"), out.join("policy.toml")).unwrap();
    let told = refusal(&out);
    assert!(told.contains("policy.toml:6: loan_book = \"none\""), "{told}");
}
