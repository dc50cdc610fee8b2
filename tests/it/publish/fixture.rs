//! A small run whose every row tells which run it is of.

use std::fs;
use std::path::Path;

use integrity::domain::{Currency, Digest, Reason, ReasonCode};
use integrity::features::Group;
use integrity::monitor::{Action, Alert, AlertState, Deduction, EvidenceValue, Severity, Verdict as AlertVerdict};
use integrity::offer::{BankReferral, Cap, CapName, Decline, Offer, RepaymentKind, Verdict};
use integrity::publish::{
    Begun, EvidenceRow, FeatureRow, InputFile, OutputColumn, OutputRow, Pointing, Provenance, PublishError, Published,
    Publisher, RunIdentity, Stage, WideValue,
};
use integrity::score::MerchantScore;
use integrity::wash::QuarantineRow;
use jiff::Timestamp;
use jiff::civil::{Date, date};

/// Run number `tag` of the first business day.
pub(crate) fn identity(tag: u8) -> RunIdentity {
    identity_on(tag, date(2018, 8, 1))
}

pub(crate) fn identity_on(tag: u8, as_of: Date) -> RunIdentity {
    RunIdentity {
        as_of,
        config_digest: Digest::of(b"config"),
        model_digest: Digest::of(b"model"),
        code_version: "0.1.0".to_owned(),
        inputs: vec![InputFile {
            name: "orders.csv".to_owned(),
            bytes: 1,
            sha256: Digest::of(&[tag]),
            is_verified: false,
        }],
        time_zone: "UTC".to_owned(),
        currency: Currency::new("CNY").unwrap(),
        as_of_guessed: false,
        as_of_forced: None,
        previous: None,
        beside: Vec::new(),
        answers: integrity::publish::LogPosition::default(),
        restates: None,
    }
}

pub(crate) fn provenance(tag: u8) -> Provenance {
    Provenance {
        started_at: Timestamp::from_second(1_533_081_600 + i64::from(tag)).unwrap(),
        finished_at: Timestamp::from_second(1_533_085_200 + i64::from(tag)).unwrap(),
        command_line: vec!["integrity".to_owned(), "run".to_owned(), "job.toml".to_owned()],
        config: Vec::new(),
        notes: Vec::new(),
        stages: Vec::new(),
        officers: integrity::publish::OfficerLogs::default(),
    }
}

pub(crate) fn reason(code: &str) -> Reason {
    Reason { code: ReasonCode::new(code).unwrap(), text: format!("because of {code}") }
}

pub(crate) fn score(merchant: &str, tag: u8) -> MerchantScore {
    MerchantScore {
        merchant_id: merchant.to_owned(),
        as_of: date(2018, 8, 1),
        score: Some(600 + i32::from(tag)),
        pd_prob: Some(0.0125),
        band: "B".to_owned(),
        integrity_index: Some(740),
        integrity_capital_minor: Some(1_234_567),
        sub_indices: Group::WORDS.into_iter().map(|(_, g)| (g, (g == Group::Trade).then_some(710))).collect(),
        reasons: vec![reason("ship-late"), reason("dispute-share-high")],
        model_version: format!("willingness/{tag}"),
        worst_case_score: None,
        worst_case_pd_prob: None,
        worst_case_band: None,
    }
}

pub(crate) fn offer(merchant: &str, product: &str, tag: u8) -> Offer {
    Offer {
        offer_id: format!("{merchant}-{product}-{tag}"),
        merchant_id: merchant.to_owned(),
        product: product.to_owned(),
        limit_minor: 1_300_000,
        daily_rate_ppm: 500,
        apr: 0.1825,
        term_days: 90,
        repayment: RepaymentKind::Bullet,
        instalments: 1,
        sales_share_ppm: None,
        min_per_60_days_ppm: None,
        expected_receipts_minor: None,
        expected_days: None,
        most_interest_minor: None,
        interest_minor: 58_500,
        early_saving_minor: 29_250,
        term_pd_prob: 0.015,
        guarantee_fails_prob: None,
        expected_loss_daily_ppm: 100,
        funding_daily_ppm: 184,
        cost_daily_ppm: 60,
        margin_daily_ppm: 0,
        floor_daily_ppm: 344,
        band_daily_ppm: 500,
        valid_until_on: date(2018, 8, 31),
        binding_cap: CapName::Ability,
        caps: vec![
            Cap { name: CapName::Ability, gross_minor: Some(1_400_000), value_minor: Some(1_300_999) },
            Cap { name: CapName::Group, gross_minor: None, value_minor: None },
        ],
        needed: vec![failed("ability", Some(1_300_999.0), Some(1_310_000.0))],
        next_cap: Some(CapName::Product),
        next_limit_minor: Some(5_000_000),
        officer_rate_ppm: None,
        optimised_rate_ppm: None,
        overrides: Some(vec!["rule tenure-short waived by Li Wei until 2018-08-31: seen on site".to_owned()]),
        replaces_offer_id: None,
        pledged_order_ids: (product == "order-loan").then(|| vec![format!("o-{merchant}"), "o-2".to_owned()]),
    }
}

pub(crate) fn failed(rule: &str, observed: Option<f64>, threshold: Option<f64>) -> Verdict {
    Verdict { rule: rule.to_owned(), passed: false, observed, threshold, reason: None }
}

pub(crate) fn decline(merchant: &str, product: &str) -> Decline {
    Decline {
        merchant_id: merchant.to_owned(),
        product: product.to_owned(),
        failed: vec![failed("tenure-at-least", Some(31.0), Some(180.0)), failed("no-open-lawsuit", None, None)],
        caps: vec![Cap { name: CapName::Ability, gross_minor: None, value_minor: None }],
        reasons: vec![reason("tenure-short")],
        needed: vec![failed("score", Some(431.0), Some(470.0)), failed("ability", None, Some(50_000.0))],
        score_changes: vec![failed("tenure_days", Some(31.0), Some(90.5))],
        overrides: None,
    }
}

pub(crate) fn alert(merchant: &str, id: &str) -> Alert {
    Alert {
        alert_id: id.to_owned(),
        merchant_id: merchant.to_owned(),
        loan_id: None,
        rule: "trade-drop".to_owned(),
        state: AlertState::Opened,
        opened_on: date(2018, 7, 30),
        since_on: date(2018, 7, 30),
        tonight: AlertVerdict::Fired,
        quiet_since_on: None,
        severity: Severity::Critical,
        observed: Some(0.31),
        threshold: Some(0.5),
        evidence: vec![EvidenceValue { name: "gmv_trend_30d".to_owned(), value: Some(-0.4) }],
        action: Action::Watch,
        trouble_prob: None,
        at_risk_minor: None,
        cleared_because: None,
        handling: None,
        handled_by: None,
        handled_why: None,
        handled_until_on: None,
    }
}

pub(crate) fn feature_columns() -> Vec<OutputColumn> {
    ["orders_count_90d", "dispute_share_90d"].map(|name| f64::column(name, "1", "A feature.")).to_vec()
}

pub(crate) fn evidence_columns() -> Vec<OutputColumn> {
    ["orders__2018-05-03__2018-08-01__sum", "orders__2018-05-03__2018-08-01__rows"]
        .map(|name| i64::column(name, "1", "A window."))
        .to_vec()
}

pub(crate) fn merchant(n: usize) -> String {
    format!("m{n:06}")
}

/// Puts every kind of file into the stage.
pub(crate) fn fill(stage: &mut Stage<'_, '_>, tag: u8) -> Result<(), PublishError> {
    let mut scores = stage.table(MerchantScore::table())?;
    scores.extend((0..40).map(|n| score(&merchant(n), tag)))?;
    stage.seal(scores)?;
    let mut offers = stage.table(Offer::table())?;
    for n in (0..40).step_by(2) {
        offers.push(offer(&merchant(n), "credit-loan", tag))?;
        offers.push(offer(&merchant(n), "order-loan", tag))?;
    }
    stage.seal(offers)?;
    let mut declines = stage.table(Decline::table())?;
    declines.extend((1..50).step_by(2).map(|n| decline(&merchant(n), "credit-loan")))?;
    stage.seal(declines)?;
    let mut alerts = stage.table(Alert::table())?;
    alerts.extend([alert(&merchant(3), "a1"), alert(&merchant(3), "a2")])?;
    stage.seal(alerts)?;
    let mut deductions = stage.table(Deduction::table())?;
    deductions.push(Deduction {
        key: "k".to_owned(),
        merchant_id: merchant(3),
        loan_id: "l".to_owned(),
        amount_minor: 5,
        released_minor: Some(3),
        why: "overdue".to_owned(),
    })?;
    stage.seal(deductions)?;
    let referrals = stage.table::<BankReferral>(BankReferral::table())?;
    stage.seal(referrals)?;
    let mut features = stage.table(FeatureRow::table_of(&feature_columns()))?;
    features.extend((0..40).map(|n| FeatureRow { merchant_id: merchant(n), values: vec![Some(n as f64), None] }))?;
    stage.seal(features)?;
    let mut evidence = stage.table(EvidenceRow::table_of(&evidence_columns()))?;
    evidence.extend((0..40).map(|n| EvidenceRow { merchant_id: merchant(n), values: vec![Some(7), None] }))?;
    stage.seal(evidence)?;
    let mut quarantine = stage.table_named("quarantine/orders.parquet", QuarantineRow::table())?;
    quarantine.push(QuarantineRow {
        number: 1,
        file_index: 0,
        key: Some("o7".to_owned()),
        record: Some("{}".to_owned()),
        file: "orders.csv".to_owned(),
        row: 7,
        rule: "amount-in-range".to_owned(),
        column: Some("amount_minor".to_owned()),
        value: Some("-1".to_owned()),
    })?;
    stage.seal(quarantine)?;
    stage.write_json("results.json", &serde_json::json!({ "merchants_scored": 40 }))?;
    stage.write_bytes("wash_ledger.json", b"{}\n")
}

/// Publishes run number `tag`.
pub(crate) fn publish(out: &Path, tag: u8) -> Published {
    publish_with(&mut Publisher::open(out).unwrap(), identity(tag), tag, Pointing::Forward).unwrap()
}

pub(crate) fn publish_with(
    publisher: &mut Publisher<'_>,
    identity: RunIdentity,
    tag: u8,
    pointing: Pointing,
) -> Result<Published, PublishError> {
    match publisher.begin(identity, pointing)? {
        Begun::Stage(mut stage) => {
            fill(&mut stage, tag)?;
            stage.publish(provenance(tag))
        }
        Begun::NothingNew(published) | Begun::Repointed(published) => Ok(published),
    }
}

/// Every file below a folder but the lock, by relative path.
pub(crate) fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().unwrap() != ".lock" {
                found.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// A copy of a folder as it stands at this moment.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
