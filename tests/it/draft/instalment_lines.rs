//! Loan books whose instalments stand within loans, or say on their own line what was paid on them.

use super::erp_and_tags::shop_orders;
use super::payment_services::table;
use super::*;

/// Shops with orders, and loans in French whose instalments stand within them; given is what each loan's instalments are.
fn loans_with_instalments_within(data: &Path) -> Vec<String> {
    shop_orders(data, "", &|_| String::new());
    let due = |n: usize, part: usize| day(60 + n + 30 * part);
    let loan = |n: usize| {
        let parts: Vec<String> = (1..=3)
            .map(|part| {
                format!(
                    r#"{{"n":{part},"date_echeance":"{}","capital":200.00,"interets":{}.50}}"#,
                    due(n, part),
                    4 - part
                )
            })
            .collect();
        format!(
            r#"{{"id":"PR{n:05}","shop_id":"S{:03}","debloque_le":"{}T09:00:00Z","montant":600.00,"echeancier":[{}]}}"#,
            n % 20,
            day(60 + n),
            parts.join(",")
        )
    };
    file(data, "prets.jsonl", &(0..90).map(loan).collect::<Vec<_>>());
    let paid = |n: usize| format!("R{n:06},PR{:05},{}T10:00:00Z,202.50", n / 3, due(n / 3, n % 3 + 1));
    table(data, "remboursements.csv", "id,pret_id,paye_le,montant", (0..270).map(paid));
    (0..270)
        .map(|n| {
            let (loan, part) = (n / 3, n % 3 + 1);
            format!("PR{loan:05},{part},{},200.0,{}.5", due(loan, part), 4 - part)
        })
        .collect()
}

#[test]
fn instalments_within_loans_are_understood_once_they_are_written_as_advised() {
    let (_folder, data, out) = folders();
    let within = loans_with_instalments_within(&data);
    let draft = draft_of(&data, &out);
    let [rows] = draft.nested.as_slice() else { panic!("{:?}", draft.nested) };
    assert_eq!(rows.fields, ["capital", "date_echeance", "interets", "n"]);
    let copy = r#"COPY (SELECT "id" AS loan_id, unnest(echeancier, max_depth := 2) FROM 'prets.jsonl') TO 'echeancier.parquet'"#;
    assert!(rows.words().contains(copy), "{}", rows.words());

    table(&data, "echeancier.csv", "loan_id,n,date_echeance,capital,interets", within.into_iter());
    fs::remove_dir_all(&out).unwrap();
    let draft = draft_of(&data, &out);
    assert!(draft.nested.is_empty() && draft.label == "loan-default", "{:?} {:?}", draft.nested, draft.no_loan_book);
    assert_origins(
        &draft,
        &[
            ("loans.loan_id", "prets.id"),
            ("instalments.loan_id", "echeancier.loan_id"),
            ("instalments.due_on", "echeancier.date_echeance"),
            ("instalments.principal_minor", "echeancier.capital"),
            ("instalments.interest_minor", "echeancier.interets"),
            ("payments.paid_at", "remboursements.paye_le"),
        ],
    );
}

/// What a line says is due, by its number.
type Dues<'a> = &'a dyn Fn(usize) -> String;

/// Loans whose lines say what was due, and what was paid when, on one row. Of every fourth loan the last line is open.
fn lines_of_loans(data: &Path, name: &str, amounts: &str, due_is: Dues) {
    shop_orders(data, "", &|_| String::new());
    let loan = |n: usize| format!("PR{n:05},S{:03},{}T09:00:00Z,600.00", n % 20, day(60 + n));
    table(data, "prestamos.csv", "prestamo_id,shop_id,fecha_desembolso,capital", (0..90).map(loan));
    let line = |n: usize| {
        let (loan, part) = (n / 3, n % 3 + 1);
        let is_open = loan % 4 == 3 && part == 3;
        let paid = if is_open { ",".to_owned() } else { format!("{},203.50", day(58 + loan + 30 * part)) };
        format!("PR{loan:05},{part},{},{},{paid}", day(60 + loan + 30 * part), due_is(part))
    };
    let header = format!("prestamo_id,numero,fecha_vencimiento,{amounts},fecha_pago,monto_pagado");
    table(data, name, &header, (0..270).map(line));
}

#[test]
fn payments_that_stand_in_lines_of_instalments_are_read_from_them() {
    for (name, amounts) in
        [("cuotas.csv", "capital,interes"), ("cuotas.csv", "monto_cuota"), ("pagos.csv", "monto_cuota")]
    {
        let due_is = |part: usize| match amounts {
            "monto_cuota" => format!("20{}.50", 6 - part),
            _ => "200.00,3.50".to_owned(),
        };
        let (_folder, data, out) = folders();
        lines_of_loans(&data, name, amounts, &due_is);
        let draft = draft_of(&data, &out);
        assert_eq!(
            (draft.open_gaps(), draft.label),
            (0, "loan-default"),
            "{:?} {:#?}",
            draft.no_loan_book,
            draft.aside
        );
        let of_lines = name.trim_end_matches(".csv");
        assert_origins(
            &draft,
            &[
                ("instalments.due_on", &format!("{of_lines}.fecha_vencimiento")),
                ("payments.paid_at", &format!("{of_lines}.fecha_pago")),
                ("payments.amount_minor", &format!("{of_lines}.monto_pagado")),
            ],
        );
        let job = out.join("job.toml");
        let (instalments, payments) = (read(&job, "instalments"), read(&job, "payments"));
        assert_eq!((instalments.height(), payments.height()), (270, 270 - 22));
        let total = |column: &str| instalments.column(column).unwrap().as_materialized_series().sum::<i64>().unwrap();
        assert_eq!(total("principal_minor"), 90 * 60_000, "{name}");
        // Of lines of one amount, what 205.50, 204.50 and 203.50 leave of 200.
        let interest = if amounts == "monto_cuota" { 550 + 450 + 350 } else { 3 * 350 };
        assert_eq!(total("interest_minor"), 90 * interest, "{name}");
        let paid = cells(&payments, "payment_id", "paid_at");
        let said = paid["PR00003-2"].as_deref().unwrap();
        assert_eq!(&said[..10], day(58 + 3 + 60).to_string());
    }
}

#[test]
fn a_part_of_a_loan_book_without_gaps_is_not_said_to_have_some() {
    let (_folder, data, out) = folders();
    shop_orders(&data, "", &|_| String::new());
    let loan = |n: usize| format!("PR{n:05},S{:03},{}T09:00:00Z,600.00,90", n % 20, day(60 + n));
    table(&data, "loans.csv", "loan_id,shop_id,disbursed_at,principal,term_days", (0..90).map(loan));
    let line = |n: usize| format!("PR{:05},{},{},200.00,3.50", n / 3, n % 3 + 1, day(90 + n / 3 + 30 * (n % 3)));
    table(&data, "instalments.csv", "loan_id,number,due_on,principal,interest", (0..270).map(line));
    draft_of(&data, &out);
    let job = fs::read_to_string(out.join("job.toml")).unwrap();
    assert!(job.contains("nothing is missing in sources/loans.sql, but in what is read together with it"), "{job}");
    assert!(!job.contains("loans.sql has gaps"));
}
