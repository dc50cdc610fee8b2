//! Files for other systems: each says what the tables say, lies in the manifest, and is there only where the job asks for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use integrity::monitor::{Alert, Deduction};
use integrity::publish::{Manifest, verify};
use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::Value;

use super::books::rows;
use super::{FIRST_NIGHT, Lender, Marketplace, Offer, at, trading_marketplace};

const ALL: &str = r#"
[interchange]
alerts = true
metrics = true
lineage_namespace = "test"

[interchange.fineract]
payment_type = "Deduction"
payment_type_id = 2

[interchange.frappe]
mode_of_payment = "Deduction"
"#;

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

/// Three borrowers who repaid nothing of loans that are due.
fn late_marketplace(lender: &Lender) -> Marketplace {
    let mut market = trading_marketplace(lender, 3);
    for merchant in ["m01", "m02", "m03"] {
        let offer = Offer {
            offer_id: format!("elsewhere-{merchant}"),
            merchant_id: merchant.to_owned(),
            product: "order-loan".to_owned(),
            limit_minor: 90_000,
            daily_rate_ppm: 450,
            term_days: 7,
            valid_until_on: day(30),
            pledged_order_ids: Vec::new(),
        };
        market.draw(&offer, 60_000, at(day(-20), 9));
    }
    market
}

#[test]
fn every_file_says_what_the_tables_say() {
    let lender = Lender::with(&[("job.toml", "[model]", &format!("{ALL}\n[model]"))]);
    let market = late_marketplace(&lender);
    let night = lender.night(&market, FIRST_NIGHT);
    let folder = &night.published.run_dir;
    let read = |name: &str| fs::read_to_string(folder.join("interchange").join(name)).unwrap();

    let alerts: Vec<Alert> = rows(folder);
    let lines: Vec<Alert> = read("alerts.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(alerts.len() > 2);
    assert_eq!(lines, alerts);
    let night_of_each = format!("{{\"as_of\":\"{FIRST_NIGHT}\",");
    assert!(read("alerts.ndjson").lines().all(|line| line.starts_with(&night_of_each)));

    let deductions: Vec<Deduction> = rows(folder);
    assert_eq!(deductions.len(), 3);
    let csv = read("frappe-loan-repayments.csv");
    let found: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(found[0][..3], ["Against Loan", "Posting Date", "Amount Paid"]);
    let posted: BTreeMap<&str, (&str, &str)> =
        found[1..].iter().map(|cells| (cells[5], (cells[0], cells[2]))).collect();
    for deduction in &deductions {
        let amount = format!("{}.{:02}", deduction.amount_minor / 100, deduction.amount_minor % 100);
        assert_eq!(posted[deduction.key.as_str()], (deduction.loan_id.as_str(), amount.as_str()));
    }
    let workbook = fs::read(folder.join("interchange/fineract-loan-repayments-1.xls")).unwrap();
    let holds = |text: &str| workbook.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(deductions.iter().all(|deduction| holds(&deduction.key) && holds(&deduction.loan_id)));

    assert!(night.summary.not_imported.is_empty(), "no id of theirs would be misread");

    let metrics = read("metrics.prom");
    let sum: i64 = deductions.iter().map(|deduction| deduction.amount_minor).sum();
    let job = &night.summary.job;
    for line in [
        format!("integrity_deductions{{job_name=\"{job}\"}} 3"),
        format!("integrity_deducted_minor{{job_name=\"{job}\"}} {sum}"),
        format!("integrity_open_loans{{job_name=\"{job}\"}} 3"),
        format!("integrity_as_of_timestamp_seconds{{job_name=\"{job}\"}} {}", at(FIRST_NIGHT, 0).as_second()),
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }

    let manifest: Manifest = serde_json::from_str(&fs::read_to_string(folder.join("manifest.json")).unwrap()).unwrap();
    let events: Vec<Value> =
        read("openlineage.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names = |key: &str| -> BTreeSet<String> {
        events[1][key].as_array().unwrap().iter().map(|set| set["name"].as_str().unwrap().to_owned()).collect()
    };
    let inputs: BTreeSet<String> = manifest.inputs.iter().map(|input| input.name.clone()).collect();
    assert_eq!(names("inputs"), inputs);
    let others = manifest.files.iter().filter(|file| file.path != "interchange/openlineage.ndjson");
    assert_eq!(names("outputs"), others.map(|file| format!("{job}/{}", file.path)).collect());
    assert_eq!(events[1]["eventTime"], at(FIRST_NIGHT, 0).to_string());
    assert!(verify(&lender.out(), None).unwrap().is_sound());
}

#[test]
fn loans_that_fineract_knows_by_their_external_id_are_repaid_whatever_their_id() {
    let by_id = ALL.replace("payment_type_id = 2", "payment_type_id = 2\nloans_by = \"external-id\"");
    let lender = Lender::with(&[("job.toml", "[model]", &format!("{by_id}\n[model]"))]);
    let market = late_marketplace(&lender);
    let night = lender.night(&market, FIRST_NIGHT);
    let folder = &night.published.run_dir;
    let file = fs::read_to_string(folder.join("interchange/fineract-loan-repayments.ndjson")).unwrap();
    let requests: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let deductions: Vec<Deduction> = rows(folder);
    let expected = |deduction: &Deduction| {
        (
            format!("loans/external-id/{}/transactions?command=repayment", deduction.loan_id),
            deduction.key.clone(),
            deduction.amount_minor as f64 / 100.0,
        )
    };
    let found = |request: &Value| {
        let body = &request["body"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&request["path"]), text(&body["externalId"]), body["transactionAmount"].as_f64().unwrap())
    };
    assert_eq!(deductions.len(), 3);
    assert_eq!(requests.iter().map(found).collect::<Vec<_>>(), deductions.iter().map(expected).collect::<Vec<_>>());
    assert!(!folder.join("interchange/fineract-loan-repayments-1.xls").exists(), "nobody imports a deduction twice");
    assert!(night.summary.not_imported.is_empty());
}

#[test]
fn nothing_is_written_that_is_not_asked_for_and_a_failed_night_tells_why_until_the_next() {
    let lender = Lender::with(&[("job.toml", "[model]", "[interchange]\nlineage_namespace = \"test\"\n\n[model]")]);
    let market = late_marketplace(&lender);
    let failed = lender.out().join("openlineage-failed.ndjson");
    let stopped = lender.night_without(&market, FIRST_NIGHT, &["merchants"]).unwrap_err();
    let events: Vec<Value> =
        fs::read_to_string(&failed).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!([&events[0]["eventType"], &events[1]["eventType"]], ["START", "FAIL"]);
    assert_eq!(events[1]["run"]["facets"]["errorMessage"]["message"], stopped.to_string());
    let night = lender.night(&market, FIRST_NIGHT);
    assert!(!failed.exists());
    let written: Vec<String> = fs::read_dir(night.published.run_dir.join("interchange"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(written, ["openlineage.ndjson"]);
}
