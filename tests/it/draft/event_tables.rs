//! Exports of other makes: events of every kind in one table, JSON, dates in parts, files that are sent again, claims of which some were refused.

use super::*;

fn shops() -> Vec<String> {
    let mut shops = vec!["merchant_id\tcreated_at\tcategory\tregion".to_owned()];
    shops.extend((0..20).map(|n| format!("m{n:03}\t{}\ttoys\tnorth", instant(0))));
    shops
}

/// Every order is placed; one in ten cancelled, the rest shipped, half of those delivered; some are refunded, reviewed or disputed.
fn events() -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut tell = |n: usize, after: usize, what: &str, amount: &str, stars: &str, note: &str| {
        let id = lines.len();
        let (order, shop, buyer) = (n, n % 20, n % 170);
        lines.push(format!(
            "{id}\t{what}\t{}\to{order:05}\tm{shop:03}\tb{buyer:04}\t{amount}\tEUR\t{stars}\t{note}",
            instant(n + after)
        ));
    };
    for n in 0..1_000 {
        tell(n, 0, "order_placed", "20.50", "\\N", "\\N");
        if n % 10 == 0 {
            tell(n, 1, "order_cancelled", "\\N", "\\N", "\\N");
            continue;
        }
        tell(n, 1, "order_paid", "20.50", "\\N", "\\N");
        tell(n, 3, "order_shipped", "\\N", "\\N", "\\N");
        if n % 2 == 0 {
            tell(n, 8, "order_delivered", "\\N", "\\N", "\\N");
            tell(n, 9, "review_left", "\\N", &format!("{}", 1 + n % 5), "\\N");
        }
        if n % 25 == 1 {
            tell(n, 10, "order_refunded", "5.25", "\\N", "\\N");
        }
        if n % 25 == 2 {
            tell(n, 10, "dispute_opened", "20.50", "\\N", "not_received");
            let outcome = if n % 50 == 2 { "seller_won" } else { "buyer_won" };
            tell(n, 20, "dispute_closed", "\\N", "\\N", outcome);
        }
    }
    let head = "event_id\tevent_type\toccurred_at\torder_id\tmerchant_id\tbuyer_id\tamount\tcurrency\tstars\tnote";
    std::iter::once(head.to_owned()).chain(lines).collect()
}

#[test]
fn orders_are_put_together_of_their_events() {
    let (_folder, data, out) = folders();
    file(&data, "events.copy", &events());
    file(&data, "merchants.copy", &shops());
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0, "{:?}", draft.tables);
    let job = Job::open(&out.join("job.toml")).unwrap();
    let orders = rows_of(&job, "orders");
    let of = |column: &str| cells(&orders, "order_id", column);
    let (placed, paid, cancelled, completed) = (of("placed_at"), of("paid_at"), of("cancelled_at"), of("completed_at"));
    let (amounts, refunds) = (of("amount_minor"), of("refund_minor"));
    let shipments = rows_of(&job, "shipments");
    let shipped = cells(&shipments, "order_id", "shipped_at");
    assert_eq!(placed.len(), 1_000);
    for n in 0..1_000 {
        let id = format!("o{n:05}");
        let hour = |text: &Option<String>| text.as_deref().map(|text| text.replace('T', " ")[..13].to_owned());
        let expected = |after: usize, is: bool| is.then(|| instant(n + after)[..13].to_owned());
        let is_sold = n % 10 != 0;
        assert_eq!(hour(&placed[&id]), expected(0, true), "{id}");
        assert_eq!(hour(&paid[&id]), expected(1, is_sold), "{id}");
        assert_eq!(hour(&cancelled[&id]), expected(1, !is_sold), "{id}");
        assert_eq!(hour(&shipped[&id]), expected(3, is_sold), "{id}");
        assert_eq!(hour(&completed[&id]), expected(8, is_sold && n % 2 == 0), "{id}");
        assert_eq!(amounts[&id].as_deref(), Some("2050"), "{id}");
        assert_eq!(refunds[&id].as_deref(), (is_sold && n % 25 == 1).then_some("525"), "{id}");
    }
    let reviews = rows_of(&job, "reviews");
    assert_eq!(reviews.height(), (0..1_000).filter(|n| n % 10 != 0 && n % 2 == 0).count());
    let disputes = rows_of(&job, "disputes");
    let outcomes = cells(&disputes, "order_id", "outcome");
    let is_disputed = |n: &usize| !n.is_multiple_of(10) && n % 25 == 2;
    assert_eq!(outcomes.len(), (0..1_000).filter(is_disputed).count());
    for n in (0..1_000).filter(is_disputed) {
        let word = if n % 50 == 2 { "merchant-won" } else { "buyer-won" };
        assert_eq!(outcomes[&format!("o{n:05}")].as_deref(), Some(word), "{n}");
    }
    let kinds = cells(&disputes, "order_id", "kind");
    assert!(kinds.values().all(|kind| kind.as_deref() == Some("not-received")));
}

#[test]
fn json_is_read_and_of_claims_those_count_that_were_upheld() {
    let (_folder, data, out) = folders();
    shops_of_json(&data);
    let purchases: Vec<String> = (0..1_000)
        .map(|n| {
            let (shop, buyer, at) = (n % 20, n % 170, instant(n));
            format!(
                r#"{{"purchaseId":"P{n:05}","shopId":"S{shop:03}","customer":{{"id":"C{buyer:04}"}},"createdAt":"{at}","total":{{"amount":{}.5,"currency":"EUR"}}}}"#,
                10 + n % 70
            )
        })
        .collect();
    file(&data, "purchases.jsonl", &purchases);
    // One claim in three is refused, one is open; what is claimed is a little more than the order, freight with it.
    let claims: Vec<String> = (0..300)
        .map(|n| {
            let resolution = [r#""ACCEPTED""#, r#""REJECTED""#, "null"][n % 3];
            let closed = if n % 3 == 2 { "null".to_owned() } else { format!("\"{}\"", instant(n * 3 + 40)) };
            format!(
                r#"{{"claimId":"K{n:04}","purchaseId":"P{:05}","openedAt":"{}","type":"NOT_RECEIVED","refundAmount":{}.5,"resolution":{resolution},"resolvedAt":{closed}}}"#,
                n * 3,
                instant(n * 3 + 12),
                11 + n * 3 % 70
            )
        })
        .collect();
    file(&data, "claims.jsonl", &claims);
    let draft = draft_of(&data, &out);
    assert_eq!(draft.open_gaps(), 0, "{:?}", draft.tables);
    let orders = read(&out.join("job.toml"), "orders");
    let (amounts, refunds) = (cells(&orders, "order_id", "amount_minor"), cells(&orders, "order_id", "refund_minor"));
    assert_eq!(orders.height(), 1_000);
    for n in 0..300 {
        let id = format!("P{:05}", n * 3);
        let refund = if n % 3 == 0 { amounts[&id].clone() } else { None };
        assert_eq!(refunds[&id], refund, "{id}");
    }
}

#[test]
fn files_sent_again_in_another_encoding_are_orders_of_one_table_with_a_key() {
    let (_folder, data, out) = folders();
    let head =
        "Numer zamówienia;Data zamówienia;Data płatności;Sprzedawca;Login kupującego;Kwota zamówienia;Waluta;Status";
    let month = |m: usize| -> String {
        let lines: Vec<String> = (m * 400..(m + 1) * 400)
            .map(|n| {
                let status = if n % 8 == 0 { "Anulowane" } else { "Zakończone" };
                let (at, paid) = (instant(n), instant(n + 1));
                format!("ZAM/{n:05};{at};{paid};sklep_{:03};klient{};{},50;PLN;{status}", n % 20, n % 170, 10 + n % 70)
            })
            .collect();
        format!("{head}\n{}\n", lines.join("\n"))
    };
    fs::create_dir_all(&data).unwrap();
    for (name, m, is_utf_8) in
        [("z_1.csv", 0, false), ("z_2.csv", 1, true), ("z_3.csv", 2, false), ("z_3 again.csv", 2, false)]
    {
        let text = month(m);
        let bytes = if is_utf_8 { text.into_bytes() } else { encoding_rs::WINDOWS_1250.encode(&text).0.into_owned() };
        fs::write(data.join(name), bytes).unwrap();
    }
    let draft = draft_of(&data, &out);
    let from = origins(&draft);
    assert_eq!(draft.inputs.len(), 1, "{:?}", draft.inputs);
    assert!(from["orders.order_id"].contains("Numer zamówienia"), "{from:?}");
    let orders = read(&out.join("job.toml"), "orders");
    let cancelled = cells(&orders, "order_id", "cancelled_at");
    assert_eq!((orders.height(), cancelled.len()), (1_600, 1_200));
    assert_eq!(cancelled.values().filter(|at| at.is_some()).count(), 150);
}

#[test]
fn a_date_in_parts_is_a_date_and_a_bank_s_receipts_are_its_sales() {
    let (_folder, data, out) = folders();
    let mut lines = vec!["trans_id;account_id;Year;Month;Day;Time;type;amount;account".to_owned()];
    for n in 0..2_000 {
        let on = day(n / 4);
        let kind = if n % 3 == 0 { "VYDAJ" } else { "PRIJEM" };
        lines.push(format!(
            "{n};{};{};{};{};{:02}:15;{kind};{}.50;{}",
            5_000 + n % 40,
            on.year(),
            on.month(),
            on.day(),
            n % 24,
            10 + n % 60,
            880_000 + n % 300
        ));
    }
    file(&data, "trans.asc", &lines);
    let options = DraftOptions {
        name: "mine".to_owned(),
        currency: Some(integrity::domain::Currency::new("CZK").unwrap()),
        amounts: None,
        today: None,
    };
    let draft = draft_job(&data, &out, &options, &|_| {}).unwrap();
    write_draft(&draft, &out).unwrap();
    let from = origins(&draft);
    assert!(from["orders.buyer_id"].contains("trans.account"), "{from:?}");
    let orders = read(&out.join("job.toml"), "orders");
    let placed = cells(&orders, "order_id", "placed_at");
    assert_eq!(placed.len(), (0..2_000).filter(|n| n % 3 != 0).count());
    let at = placed["1999"].as_deref().unwrap().replace('T', " ");
    assert_eq!(at[..16], format!("{} {:02}:15", day(1_999 / 4), 1_999 % 24));
}

#[test]
fn lines_without_a_number_count_once_where_their_file_is_sent_again() {
    let (_folder, data, out) = folders();
    let head = "Name,Email,Vendor,Created at,Lineitem quantity,Lineitem price,Currency";
    let month = |m: usize| -> Vec<String> {
        let lines = (m * 400..(m + 1) * 400).flat_map(|n| {
            let line =
                format!("#{n:05},c{}@x.org,v{:03},{} -0400,1,{}.50,USD", n % 170, n % 20, instant(n), 10 + n % 70);
            // Every third order is of two pieces of one thing.
            std::iter::repeat_n(line, 1 + usize::from(n.is_multiple_of(3)))
        });
        std::iter::once(head.to_owned()).chain(lines).collect()
    };
    for (name, m) in [("orders_1.csv", 0), ("orders_2.csv", 1), ("orders_3.csv", 2), ("orders_3 (1).csv", 2)] {
        file(&data, name, &month(m));
    }
    draft_of(&data, &out);
    let orders = read(&out.join("job.toml"), "orders");
    let amounts = cells(&orders, "order_id", "amount_minor");
    assert_eq!(amounts.len(), 1_200);
    for n in 0..1_200_usize {
        let price = (10 + n % 70) * 100 + 50;
        let expected = price * (1 + usize::from(n.is_multiple_of(3)));
        assert_eq!(amounts[&format!("#{n:05}")].as_deref(), Some(expected.to_string().as_str()), "{n}");
    }
}
