//! Exports as payment services, lenders and tills keep them: numbers of two systems, lines of every kind, instalments that say what was paid on them.

use super::*;

/// A table of comma-separated lines.
fn table(data: &Path, name: &str, header: &str, rows: impl Iterator<Item = String>) {
    let lines: Vec<String> = std::iter::once(header.to_owned()).chain(rows).collect();
    file(data, name, &lines);
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
