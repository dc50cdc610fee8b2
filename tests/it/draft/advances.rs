//! Exports of payment services that lend against sales, of lenders that count in months, of warehouses that keep what was, and of carriers that bring parcels back.

use super::erp_and_tags::shop_orders;
use super::in_doubt::ORDERS;
use super::payment_services::table;
use super::*;

/// What a gap or a guess says of a drafted column.
fn note(draft: &Draft, table: &str, column: &str) -> String {
    let tables = draft.tables.iter().chain(&draft.aside).filter(|t| t.table.name == table);
    let mut columns = tables.flat_map(|t| &t.columns).filter(|c| c.column == column);
    columns.next().and_then(|c| c.note.clone()).unwrap_or_default()
}

/// Shops as ever, and orders of other columns, a row of an order's number, shop and buyer.
fn shops_and(data: &Path, head: &str, row: &dyn Fn(usize, usize, usize) -> String) {
    shop_orders(data, "", &|_| String::new());
    table(data, "orders.csv", head, (0..ORDERS).map(|n| row(n, n % 20, n % 170)));
}

#[test]
fn an_order_ends_with_the_arrival_of_its_parcel_and_not_with_its_way_back() {
    let (_folder, data, out) = folders();
    shop_orders(&data, ",status", &|n| if n.is_multiple_of(25) { ",RTO" } else { ",DELIVERED" }.to_owned());
    let parcel = |n: usize| {
        let (arrived, back) = (instant(n + 9), instant(n + 20));
        let (arrived, back) = if n.is_multiple_of(25) { ("", back.as_str()) } else { (arrived.as_str(), "") };
        format!("AWB{n:07},O{n:06},{},{arrived},{back}", instant(n + 4))
    };
    table(
        &data,
        "shipments.csv",
        "AWB No,Order ID,Dispatched On,Delivered On,RTO Received On",
        (0..ORDERS).map(parcel),
    );
    let draft = draft_of(&data, &out);
    assert_origins(
        &draft,
        &[
            ("orders.completed_at", "shipments.\"Delivered On\""),
            ("shipments.delivered_at", "shipments.\"Delivered On\""),
        ],
    );
    let orders = read(&out.join("job.toml"), "orders");
    let (ended, cancelled) = (cells(&orders, "order_id", "completed_at"), cells(&orders, "order_id", "cancelled_at"));
    assert_eq!(ended["O000025"], None);
    assert!(cancelled["O000025"].is_some());
    assert!(ended["O000026"].is_some() && cancelled["O000026"].is_none());
}

#[test]
fn advances_repaid_by_a_share_of_sales_owe_their_fee_however_soon_they_are_repaid() {
    let (_folder, data, out) = folders();
    shop_orders(&data, "", &|_| String::new());
    let advance = |n: usize| {
        let fee = 20 + n % 7;
        format!("A{n:05},S{:03},{},\"$1,000.00\",${fee}.50,1{}.5%,9", n % 20, day(30 + n), n % 5)
    };
    let head = "Loan ID,Shop ID,Funded On,Loan Amount,Loan Fee,Daily Repayment Rate,Term (months)";
    table(&data, "advances_loans.csv", head, (0..90).map(advance));
    let paid = |n: usize| format!("P{n:06},A{:05},{},$55.00", n / 3, day(60 + n / 3 + n % 3));
    table(&data, "loan_payments.csv", "Payment ID,Loan ID,Paid On,Amount", (0..270).map(paid));
    let draft = draft_of(&data, &out);
    assert!(draft.no_loan_book.is_none(), "{:?}", draft.no_loan_book);
    let loans = read(&out.join("job.toml"), "loans");
    assert_eq!(cells(&loans, "loan_id", "repayment")["A00003"].as_deref(), Some("sales-share"));
    assert_eq!(cells(&loans, "loan_id", "sales_share_ppm")["A00003"].as_deref(), Some("135000"));
    assert_eq!(cells(&loans, "loan_id", "daily_rate_ppm")["A00003"].as_deref(), Some("0"));
    assert_eq!(cells(&loans, "loan_id", "principal_minor")["A00003"].as_deref(), Some("102350"));
    let milestones = read(&out.join("job.toml"), "instalments");
    assert_eq!(milestones.height(), 90);
    assert_eq!(cells(&milestones, "loan_id", "principal_minor")["A00003"].as_deref(), Some("102350"));
    assert_eq!(cells(&milestones, "loan_id", "fee_minor")["A00003"].as_deref(), Some("0"));
    // Paid out on 3 February: nine months later.
    assert_eq!(cells(&milestones, "loan_id", "due_on")["A00003"].as_deref(), Some("2022-11-03"));
}

#[test]
fn what_is_advanced_times_its_factor_is_paid_back_however_soon() {
    for (head, share) in [("Factor Rate,Term,Specified Percentage", ",12%"), ("Factor,Term (months)", "")] {
        let (_folder, data, out) = folders();
        shop_orders(&data, "", &|_| String::new());
        let advance = |n: usize| {
            let term = if share.is_empty() { "6" } else { "6 months" };
            format!("D{n:05},S{:03},{},\"$12,500.00\",1.{},{term}{share}", n % 20, day(30 + n), 18 + n % 5)
        };
        table(&data, "deals.csv", &format!("Deal ID,Shop ID,Funding Date,Funded Amount,{head}"), (0..90).map(advance));
        let paid = |n: usize| format!("P{n:06},D{:05},{},$55.00", n / 3, day(60 + n / 3 + n % 3));
        table(&data, "ach_payments.csv", "ACH ID,Deal ID,Payment Date,Amount", (0..270).map(paid));
        let draft = draft_of(&data, &out);
        assert!(draft.no_loan_book.is_none(), "{head}: {:?}", draft.no_loan_book);
        let job = out.join("job.toml");
        let (loans, dues) = (read(&job, "loans"), read(&job, "instalments"));
        let of = |column: &str| cells(&loans, "loan_id", column)["D00003"].clone().unwrap();
        // 1.21 times what was paid out, and nothing beside it.
        assert_eq!((of("principal_minor").as_str(), of("daily_rate_ppm").as_str()), ("1512500", "0"), "{head}");
        let is_share = !share.is_empty();
        assert_eq!(of("repayment"), if is_share { "sales-share" } else { "equal-instalment" }, "{head}");
        assert_eq!(dues.height(), if is_share { 90 } else { 540 }, "{head}");
        let sum = |column: &str| dues.column(column).unwrap().i64().unwrap().sum().unwrap();
        let owed = loans.column("principal_minor").unwrap().i64().unwrap().sum().unwrap();
        assert_eq!((sum("principal_minor"), sum("interest_minor"), sum("fee_minor")), (owed, 0, 0), "{head}");
    }
}

#[test]
fn interest_of_a_made_schedule_is_that_of_the_rate_as_it_is_stated() {
    let (_folder, data, out) = folders();
    shop_orders(&data, "", &|_| String::new());
    let loan = |n: usize| format!("L{n:05},S{:03},{},5000000.00,2.5,1 month", n % 20, day(30 + n));
    table(&data, "loans.csv", "loan_id,shop_id,disbursed_on,principal,Interest % per month,Tenor", (0..90).map(loan));
    let paid = |n: usize| format!("P{n:06},L{n:05},{},5125000.00", day(60 + n));
    table(&data, "payments.csv", "payment_id,loan_id,paid_on,amount", (0..90).map(paid));
    let draft = draft_of(&data, &out);
    assert!(draft.no_loan_book.is_none(), "{:?}", draft.no_loan_book);
    let dues = cells(&read(&out.join("job.toml"), "instalments"), "loan_id", "interest_minor");
    // A rate of whole parts per million a day comes to 1,250 more.
    assert_eq!(dues["L00003"].as_deref(), Some("12500000"));
}

#[test]
fn terms_are_days_weeks_or_months_as_their_cells_or_names_say() {
    // Paid out on 4 February.
    for (column, cell, expected) in [
        ("Tenure", "3 months", "89"),
        ("Term", "90 days", "90"),
        ("Duration", "12 Weeks", "84"),
        ("Term (weeks)", "12", "84"),
        ("Tenor", "30 hari", "30"),
        ("期限", "3个月", "89"),
        ("Term in years", "1", "365"),
    ] {
        let (_folder, data, out) = folders();
        shop_orders(&data, "", &|_| String::new());
        let loan = |n: usize| format!("L{n:05},S{:03},{},600.00,12.00,{cell}", n % 20, day(30 + n));
        let head = format!("loan_id,shop_id,disbursed_on,principal,ROI (% p.a.),{column}");
        table(&data, "loans.csv", &head, (0..90).map(loan));
        let paid = |n: usize| format!("P{n:06},L{:05},{},206.00", n / 3, day(60 + n / 3 + 30 * (n % 3)));
        table(&data, "payments.csv", "payment_id,loan_id,paid_on,amount", (0..270).map(paid));
        let draft = draft_of(&data, &out);
        assert!(draft.no_loan_book.is_none(), "{column}: {:?}", draft.no_loan_book);
        let terms = cells(&read(&out.join("job.toml"), "loans"), "loan_id", "term_days");
        assert_eq!(terms["L00004"].as_deref(), Some(expected), "{column}");
    }
}

#[test]
fn months_are_calendar_months_and_a_stated_end_is_a_term() {
    for (column, cell) in [("Tenure (Months)", "3".to_owned()), ("target_end", day(34 + 90).to_string())] {
        let (_folder, data, out) = folders();
        shop_orders(&data, "", &|_| String::new());
        let loan = |n: usize| {
            let last = if column == "target_end" { day(30 + n + 90).to_string() } else { cell.clone() };
            format!("L{n:05},S{:03},{},600.00,12.00,{last}", n % 20, day(30 + n))
        };
        let head = format!("loan_id,shop_id,disbursed_on,principal,ROI (% p.a.),{column}");
        table(&data, "loans.csv", &head, (0..90).map(loan));
        let paid = |n: usize| format!("P{n:06},L{:05},{},206.00", n / 3, day(60 + n / 3 + 30 * (n % 3)));
        table(&data, "payments.csv", "payment_id,loan_id,paid_on,amount", (0..270).map(paid));
        let draft = draft_of(&data, &out);
        assert!(draft.no_loan_book.is_none(), "{column}: {:?}", draft.no_loan_book);
        assert_eq!(note(&draft, "loans", "daily_rate_ppm"), "a yearly rate in percent");
        let terms = cells(&read(&out.join("job.toml"), "loans"), "loan_id", "term_days");
        // 4 February to 4 May are 89 days.
        let expected = if column == "target_end" { "90" } else { "89" };
        assert_eq!(terms["L00004"].as_deref(), Some(expected), "{column}");
    }
}

#[test]
fn a_table_of_what_merchants_were_gives_versions_under_the_number_that_orders_name() {
    let (_folder, data, out) = folders();
    let order = |n: usize| {
        format!("{},{},C{:04},{},{}.50,EUR", 5_000_000 + n * 7, 700_000 + n % 20, n % 170, instant(n), 10 + n % 70)
    };
    let head = "order_id,merchant_id,customer_id,created_at,amount,currency";
    table(&data, "fct_orders.csv", head, (0..ORDERS).map(order));
    let row = |n: usize| {
        let (merchant, version) = (700_000 + n / 2, n % 2);
        let (since, until) = if version == 0 { (day(0), day(40)) } else { (day(40), day(9_000)) };
        let tier = if version == 0 { "north" } else { "south" };
        format!("{},{merchant},toys,{tier},{},{since} 00:00:00,{until} 00:00:00", n + 1, instant(0))
    };
    let head = "merchant_sk,merchant_id,category,region,registered_at,valid_from,valid_to";
    table(&data, "dim_merchant.csv", head, (0..40).map(row));
    let draft = draft_of(&data, &out);
    assert_origins(
        &draft,
        &[("merchants.merchant_id", "dim_merchant.merchant_id"), ("merchants.recorded_at", "dim_merchant.valid_from")],
    );
    let merchants = read(&out.join("job.toml"), "merchants");
    assert_eq!(merchants.height(), 40);
    // The last row of a merchant is the one that holds since day 40.
    assert_eq!(cells(&merchants, "merchant_id", "region")["700003"].as_deref(), Some("south"));
    assert!(cells(&merchants, "merchant_id", "recorded_at")["700003"].as_deref().unwrap().starts_with("2022-02-10"));
}

#[test]
fn rows_that_are_loaded_again_as_they_stood_are_versions_and_no_events() {
    let (_folder, data, out) = folders();
    shop_orders(&data, "", &|_| String::new());
    let head = "order_id,shop_id,customer_id,order_status,created_at,paid_at,delivered_at,amount,currency,_loaded_at";
    let states = ["created", "paid", "delivered"];
    let row = |n: usize| {
        let (order, stage) = (n / 3, n % 3);
        let at = |from: usize, hours: usize| {
            if stage < from { String::new() } else { instant(order + hours) }
        };
        format!(
            "O{order:06},S{:03},C{:04},{},{},{},{},{}.50,EUR,{}",
            order % 20,
            order % 170,
            states[stage],
            instant(order),
            at(1, 1),
            at(2, 9),
            10 + order % 70,
            instant(order + 1 + 10 * stage)
        )
    };
    table(&data, "orders.csv", head, (0..3 * ORDERS).map(row));
    let draft = draft_of(&data, &out);
    assert_origins(
        &draft,
        &[
            ("orders.placed_at", "orders.created_at"),
            ("orders.paid_at", "orders.paid_at"),
            ("orders.recorded_at", "orders._loaded_at"),
        ],
    );
    assert_eq!(read(&out.join("job.toml"), "orders").height(), 3 * ORDERS);
}

#[test]
fn amounts_with_a_sign_behind_are_amounts() {
    let (_folder, data, out) = folders();
    shops_and(&data, "order_id,shop_id,customer_id,created_at,amount", &|n, shop, buyer| {
        format!("O{n:06},S{shop:03},C{buyer:04},{},{}.50元", instant(n), 10 + n % 70)
    });
    let draft = draft_of(&data, &out);
    assert_origins(&draft, &[("orders.amount_minor", "orders.amount"), ("orders.buyer_id", "orders.customer_id")]);
}

#[test]
fn ratings_in_halves_are_rounded_up_and_a_scale_from_zero_is_told() {
    for (ratings, told, given) in [
        (["4.5", "3.5", "1.0", "2.0"], "halves are rounded up", ["5", "4", "1", "2"]),
        (["4.5", "0.0", "0.5", "2.0"], "ratings begin at 0", ["5", "1", "1", "2"]),
    ] {
        let (_folder, data, out) = folders();
        shop_orders(&data, "", &|_| String::new());
        let review = |n: usize| format!("R{n:05},O{n:06},C{:04},{},{}", n % 170, instant(n + 30), ratings[n % 4]);
        table(&data, "reviews.csv", "review_id,order_id,customer_id,created_at,rating", (0..400).map(review));
        let draft = draft_of(&data, &out);
        assert!(note(&draft, "reviews", "stars").contains(told), "{}", note(&draft, "reviews", "stars"));
        let stars = cells(&read(&out.join("job.toml"), "reviews"), "review_id", "stars");
        for (n, expected) in given.iter().enumerate() {
            assert_eq!(stars[&format!("R{n:05}")].as_deref(), Some(*expected), "{}", ratings[n]);
        }
    }
}

#[test]
fn a_table_of_sums_of_merchants_that_no_word_explains_keeps_the_model_from_approving_itself() {
    let (_folder, data, out) = folders();
    shop_orders(&data, "", &|_| String::new());
    let mikopo = |n: usize| format!("PJ{n:05},S{:03},{},1{:02}000.50,{}", n % 20, day(30 + n), n % 70, n % 40);
    table(&data, "mikopo.csv", "nambari,duka,tarehe_ya_kutolewa,kiasi,siku_zilizochelewa", (0..90).map(mikopo));
    let draft = draft_of(&data, &out);
    let why = draft.no_loan_book.as_deref().unwrap_or_default();
    assert!(why.contains("\"mikopo\" (\"duka\", \"kiasi\", \"tarehe_ya_kutolewa\")"), "{why}");
    let job = fs::read_to_string(out.join("job.toml")).unwrap();
    assert!(!job.contains("\napprove_as"), "{job}");

    // Of days alone, or of sums of nobody, it is not said.
    let (_folder, data, out) = folders();
    shop_orders(&data, "", &|_| String::new());
    table(&data, "besuche.csv", "nummer,laden,tag", (0..90).map(|n| format!("B{n:05},S{:03},{}", n % 20, day(30 + n))));
    assert_eq!(draft_of(&data, &out).no_loan_book, None);
}

#[test]
fn a_point_between_thousands_is_told_from_one_before_decimals() {
    let amounts = |export: &dyn Fn(usize) -> String| {
        let (folder, data, out) = folders();
        shops_and(&data, "order_id,shop_id,customer_id,created_at,amount,currency", &|n, shop, buyer| {
            format!("O{n:06},S{shop:03},C{buyer:04},{},{},IDR", instant(n), export(n))
        });
        let draft = draft_of(&data, &out);
        let gap = draft.gaps_of_cells().find(|(table, gap)| *table == "orders" && gap.column == "amount_minor");
        let gap = gap.and_then(|(_, gap)| gap.note.clone());
        let third = gap.is_none().then(|| {
            let orders = read(&out.join("job.toml"), "orders");
            cells(&orders, "order_id", "amount_minor")["O000003"].clone()
        });
        drop(folder);
        (third.flatten(), gap)
    };
    // One amount beyond a million shows what the point means.
    let (third, gap) = amounts(&|n| {
        if n % 20 == 0 { format!("Rp 1.{}.900", 100 + n % 70) } else { format!("Rp {}.900", 100 + n % 70) }
    });
    assert_eq!((third.as_deref(), gap), (Some("10390000"), None));
    let (_, gap) = amounts(&|n| format!("Rp {}.900", 100 + n % 70));
    assert!(gap.as_deref().is_some_and(|why| why.contains("may be Rp 100900 or a fraction")), "{gap:?}");
    let (third, gap) = amounts(&|n| format!("Rp {}.90", 100 + n % 70));
    assert_eq!((third.as_deref(), gap), (Some("10390"), None));
}
