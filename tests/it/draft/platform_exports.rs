//! Exports as platforms, banks and lenders send them: several currencies, test orders, parcels apart, flags, days without separators, sheets called anything.

use super::*;

/// Writes a file of lines.
/// Instant `n` of the made-up exports, four a day.
fn instant(n: usize) -> String {
    format!("{}T{:02}:00:00Z", day(n / 4), 3 + n % 4 * 6)
}

/// A platform: every seventh order in another currency, one of fifty a test, parcels in a table of their own, a third of the buyers unknown.
fn platform(folder: &Path) {
    let mut shops = vec!["id,name,created_at,currency,industry".to_owned()];
    shops.extend((0..20).map(|n| format!("{},Shop {n},{},usd,{}", 700 + n, instant(0), ["toys", "food"][n % 2])));
    let mut orders = vec!["id,shop_id,customer_id,created_at,currency,total_price,test,voided".to_owned()];
    let mut parcels = vec!["id,order_id,created_at,tracking_company,tracking_number,delivered_at".to_owned()];
    for n in 0..1_400 {
        let currency = if n % 7 == 0 { "cad" } else { "usd" };
        let buyer = if n % 3 == 0 { String::new() } else { format!("{}", 9_000 + n % 310) };
        let (test, voided) = (n % 50 == 49, n % 40 == 39);
        orders.push(format!(
            "{},{},{buyer},{},{currency},{}.50,{test},{voided}",
            50_000 + n,
            700 + n % 20,
            instant(n),
            10 + n % 90
        ));
        for parcel in 0..=n % 2 {
            let arrived = if n % 11 == 0 && parcel == 1 { String::new() } else { instant(n + 8 + parcel) };
            parcels.push(format!("p{n}-{parcel},{},{},Post,T{n}{parcel},{arrived}", 50_000 + n, instant(n + 2)));
        }
    }
    file(folder, "shops.csv", &shops);
    file(folder, "orders.csv", &orders);
    file(folder, "fulfillments.csv", &parcels);
}

#[test]
fn other_currencies_and_tests_are_skipped_and_parcels_say_when_an_order_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("job"));
    platform(&data);
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0);
    assert_origins(
        &draft,
        &[
            ("orders.completed_at", "fulfillments.delivered_at"),
            ("shipments.shipped_at", "fulfillments.created_at"),
            ("shipments.carrier", "fulfillments.tracking_company"),
            ("shipments.tracking", "fulfillments.tracking_number"),
        ],
    );
    let job = Job::open(&out.join("job.toml")).unwrap();
    let orders = rows_of(&job, "orders");
    let (currencies, completed) = (cells(&orders, "order_id", "currency"), cells(&orders, "order_id", "completed_at"));
    let (cancelled, buyers) = (cells(&orders, "order_id", "cancelled_at"), cells(&orders, "order_id", "buyer_id"));
    let is_meant = |n: &usize| !n.is_multiple_of(7) && n % 50 != 49;
    assert_eq!(currencies.len(), (0..1_400).filter(is_meant).count());
    for n in (0..1_400).filter(is_meant) {
        let id = (50_000 + n).to_string();
        assert_eq!(currencies[&id].as_deref(), Some("USD"));
        let (is_void, on_its_way) = (n % 40 == 39, n % 2 == 1 && n % 11 == 0);
        assert_eq!(completed[&id].is_none(), is_void || on_its_way, "{id}");
        assert_eq!(cancelled[&id].is_some(), is_void, "{id}");
        let anonymous = format!("no-buyer-{id}");
        assert_eq!(buyers[&id].as_deref() == Some(anonymous.as_str()), n % 3 == 0, "{id}");
        if !is_void && !on_its_way {
            // The last of two parcels.
            let said = completed[&id].as_deref().unwrap().replace(' ', "T");
            assert_eq!(said[..13], instant(n + 8 + n % 2)[..13], "{id}");
        }
    }
}

/// A lender's tape: tables called after nothing, days of six digits without a name that asks for them, yes and no.
fn tape(folder: &Path) {
    let six = |n: usize| day(n).strftime("%y%m%d").to_string();
    let mut shops = vec!["STORE_NO;SEGMENT;ONBOARDED".to_owned()];
    shops.extend((0..30).map(|n| format!("{n:04};{};{}", ["hair", "food", "cell"][n % 3], six(n))));
    let mut sales = vec!["SALE_NO;STORE_NO;CUSTOMER_NO;BOOKED;AMOUNT".to_owned()];
    sales.extend((0..2_000).map(|n| format!("{n:06};{:04};{:05};{};{},50", n % 30, n % 290, six(n / 4), 10 + n % 70)));
    let (mut book, mut plan, mut money) = (
        vec!["LOAN REF;STORE_NO;WERTSTELLUNG;AMOUNT FINANCED;TENOR (DAYS);INTEREST P.D. %".to_owned()],
        vec!["LOAN REF;DUE;CAPITAL;INTEREST".to_owned()],
        vec!["RECEIPT;LOAN REF;VALUE DATE;AMOUNT".to_owned()],
    );
    for n in 0..150 {
        book.push(format!("K{n:05};{:04};{};600,00;60;0,04", n % 30, six(60 + n)));
        for part in 1..=2 {
            plan.push(format!("K{n:05};{};300,00;7,20", six(60 + n + 30 * part)));
            money.push(format!("{:07};K{n:05};{};307,20", n * 2 + part, six(60 + n + 30 * part)));
        }
    }
    for (name, lines) in [
        ("stores.txt", shops),
        ("pos.txt", sales),
        ("tape.txt", book),
        ("amortisation.txt", plan),
        ("collections.txt", money),
    ] {
        file(folder, name, &lines);
    }
}

#[test]
fn a_loan_book_is_known_by_its_keys_and_days_by_their_digits() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("job"));
    tape(&data);
    let options = DraftOptions {
        name: "mine".to_owned(),
        currency: Some(integrity::domain::Currency::new("ZAR").unwrap()),
        amounts: None,
        today: None,
    };
    let draft = draft_job(&data, &out, &options, &|_| {}).unwrap();
    write_draft(&draft, &out).unwrap();
    assert_eq!((draft.label, draft.open_gaps()), ("loan-default", 0), "{:?}", draft.tables);
    assert_origins(
        &draft,
        &[
            ("orders.placed_at", "pos.\"BOOKED\""),
            ("loans.loan_id", "tape.\"LOAN REF\""),
            ("loans.disbursed_at", "tape.\"WERTSTELLUNG\""),
            ("loans.principal_minor", "tape.\"AMOUNT FINANCED\""),
            ("instalments.due_on", "amortisation.\"DUE\""),
            ("payments.paid_at", "collections.\"VALUE DATE\""),
        ],
    );
    let loans = read(&out.join("job.toml"), "loans");
    let rates = cells(&loans, "loan_id", "daily_rate_ppm");
    assert_eq!(rates["K00000"].as_deref(), Some("400"), "0.04 % a day");
}

#[test]
fn a_table_that_ends_early_does_not_stop_the_first_night() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("job"));
    platform(&data);
    let mut reviews = vec!["review_id,order_id,stars,review_date".to_owned()];
    reviews.extend((0..600).map(|n| format!("r{n},{},{},{}", 50_000 + n, 1 + n % 5, day(n / 4 + 3))));
    file(&data, "reviews.csv", &reviews);
    draft_of(&data, &out);
    let job = fs::read_to_string(out.join("job.toml")).unwrap();
    let (_, allowed) = job.split_once("[[gates.allow]]").unwrap();
    assert!(allowed.contains("table = \"reviews\"\nwhat = \"older\""), "{allowed}");
    assert_eq!(job.matches("[[gates.allow]]").count(), 1);
    Job::open(&out.join("job.toml")).unwrap();
}
