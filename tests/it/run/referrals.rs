//! What a bank gets to know of the merchants that a run refers.

use std::fs;
use std::path::Path;

use integrity::offer::{BankReferral, Offer};
use integrity::publish::{OutputRow, TableReader};
use integrity::report::bank_file;

use super::fixture::{data, options, run_with};
use super::policies::job_folder;

fn rows<T: OutputRow>(run: &Path, table: &str) -> Vec<T> {
    TableReader::open(&run.join(table)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn every_referred_merchant_is_in_the_file_with_a_schedule_that_adds_up() {
    let folder = job_folder();
    let policy = folder.path().join("policy.toml");
    // A lender who may lend little refers many.
    let mut text = fs::read_to_string(&policy).unwrap();
    for (key, before) in [
        ("hard_cap_minor", "100_000_000"),
        ("max_limit_minor", "100_000_000"),
        ("max_limit_minor", "1_000_000"),
        ("min_limit_minor", "50_000"),
    ] {
        text = text.replace(&format!("{key} = {before}"), &format!("{key} = 20_000"));
    }
    let text: String =
        text.lines().filter(|line| !line.starts_with("growth = {")).flat_map(|line| [line, "\n"]).collect();
    fs::write(&policy, text).unwrap();
    let run = run_with(&folder.path().join("job.toml"), &options(data(), folder.path())).unwrap();
    let run_dir = &run.published.run_dir;
    let referrals: Vec<BankReferral> = rows(run_dir, "referrals.parquet");
    assert!(!referrals.is_empty(), "nothing is tried");
    let offers: Vec<Offer> = rows(run_dir, "offers.parquet");

    let file = bank_file(run_dir).unwrap();
    assert_eq!(file.referred.iter().map(|r| r.referral.clone()).collect::<Vec<_>>(), referrals);
    let page = file.page().unwrap();
    let [figures, schedules, features] = file.csv_files().unwrap().map(|(_, bytes)| String::from_utf8(bytes).unwrap());
    assert_eq!(figures.lines().count(), 1 + referrals.len());
    assert!(features.lines().count() > referrals.len());
    for referred in &file.referred {
        let (asked, merchant) = (&referred.asked, &referred.referral.merchant_id);
        assert_eq!(asked.principal_minor, referred.referral.supportable_minor);
        assert_eq!(asked.payments.iter().map(|due| due.principal_minor).sum::<i64>(), asked.principal_minor);
        assert_eq!(asked.payments.iter().map(|due| due.interest_minor).sum::<i64>(), asked.interest_minor);
        let own = offers.iter().find(|o| o.merchant_id == *merchant && o.product == referred.referral.product).unwrap();
        assert_eq!((asked.daily_rate_ppm, asked.term_days), (own.daily_rate_ppm, own.term_days));
        assert!(asked.principal_minor > own.limit_minor);
        assert!(page.contains(&format!("Merchant {merchant}")));
        let of_merchant = schedules.lines().filter(|line| line.starts_with(&format!("{merchant},")));
        assert_eq!(of_merchant.count(), asked.payments.len());
    }
    // Nothing of anybody else.
    for offer in offers.iter().filter(|o| referrals.iter().all(|r| r.merchant_id != o.merchant_id)) {
        assert!(!figures.contains(&offer.merchant_id) && !page.contains(&offer.merchant_id));
    }
}
