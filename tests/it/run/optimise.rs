//! Portfolio optimisation over a whole night: off unless the policy asks, within every bound, reproduced, and carried on by day.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use integrity::answer::{Desk, DeskOptions, Outcome};
use integrity::domain::Digest;
use integrity::exposure::{OpenOffer, Statement};
use integrity::offer::{Application, BoundName, CapName, Decline, Offer, OptimisationSummary, reproduce};
use integrity::optimise::Varied;
use integrity::publish::{OutputRow, TableReader};
use integrity::report::{entry_text, explain, policy_diff, policy_diff_text, policy_optimum};
use integrity::run::{RunOptions, RunOutcome};
use jiff::Timestamp;
use tempfile::TempDir;

use super::fixture::{AS_OF, bytes_of, data, options, run_with};
use super::policies::job_folder;

/// A job and its runs, which share a model.
struct Lender {
    folder: TempDir,
    policy: String,
}

impl Lender {
    fn new() -> Self {
        let folder = job_folder();
        let policy = fs::read_to_string(folder.path().join("policy.toml")).unwrap();
        Self { folder, policy }
    }

    /// The policy with a budget and a section.
    fn asks(&self, budget: Option<i64>, section: &str) {
        let budget = budget.map(|budget| format!("portfolio_budget_minor = {budget}\n")).unwrap_or_default();
        let text =
            format!("{budget}{}", self.policy).replacen("[receivables]", &format!("{section}\n[receivables]"), 1);
        fs::write(self.folder.path().join("policy.toml"), text).unwrap();
    }

    fn run(&self, out: &str) -> RunOutcome {
        let options = options(data(), &self.folder.path().join(out));
        let models = Some(self.folder.path().join("models"));
        run_with(&self.folder.path().join("job.toml"), &RunOptions { models, ..options }).unwrap()
    }
}

fn rows<T: OutputRow>(run: &Path, table: &str) -> Vec<T> {
    TableReader::open(&run.join(table)).unwrap().map(Result::unwrap).collect()
}

/// The same terms, whatever caps say of them.
fn terms(offers: &[Offer]) -> Vec<(&str, &str, i64, i64)> {
    offers.iter().map(|o| (o.merchant_id.as_str(), o.product.as_str(), o.limit_minor, o.daily_rate_ppm)).collect()
}

fn within(found: &OptimisationSummary) {
    for line in &found.bounds {
        assert!(line.used_minor <= line.most_minor.max(0), "{line:?}");
        assert!(line.shadow_price >= 0.0, "{line:?}");
    }
    assert!(found.profit_minor <= found.profit_bound_minor, "{found:?}");
}

#[test]
fn a_night_is_optimised_only_where_the_policy_asks_and_then_within_every_bound() {
    let lender = Lender::new();
    let plain = lender.run("plain");
    let before: Vec<Offer> = rows(&plain.published.run_dir, "offers.parquet");
    assert!(plain.summary.optimisation.is_none());
    assert!(before.iter().all(|offer| offer.optimised_rate_ppm.is_none()));
    let summary = fs::read_to_string(plain.published.run_dir.join("results.json")).unwrap();
    assert!(!summary.contains("optimisation"));

    // One choice for each, and nothing to stay within: every table is as it was, but for the cases, which say where merchants are.
    lender.asks(None, "[optimisation]\naccepted_rate_ppm = 560\naccepted_spread = 0.12\n");
    let free = lender.run("free");
    let found = free.summary.optimisation.as_ref().unwrap();
    assert_eq!((found.candidates, found.offered), (before.len() as u64, before.len() as u64));
    assert_eq!((found.lowered, found.repriced, found.profit_bound_minor), (0, 0, found.profit_minor));
    let tables = |run: &RunOutcome| -> BTreeMap<String, Digest> {
        let is_table = |name: &String| name.ends_with(".parquet") && name != "cases.parquet";
        bytes_of(run).into_iter().filter(|(name, _)| is_table(name)).collect()
    };
    assert_eq!(tables(&free), tables(&plain));

    let all: i64 = before.iter().map(|offer| offer.limit_minor).sum();
    let owed: i64 =
        rows::<Statement>(&plain.published.run_dir, "accounts.parquet").iter().filter_map(|a| a.owed_minor).sum();
    let section = format!(
        "[optimisation]\naccepted_rate_ppm = 560\naccepted_spread = 0.12\nrate_steps_ppm = [-40, 0, 40]\n\
         limits = [{{ share = 0.4, drawn = 0.36 }}, {{ share = 1.0, drawn = 0.7 }}]\nmax_expected_loss_minor = {}\n\
         max_category_share = 0.8\nmin_offer_share = 0.5\n",
        found.expected_loss_minor / 3
    );
    let budget = owed + all * 2 / 5;
    lender.asks(Some(budget), &section);
    let tight = lender.run("tight");
    let run_dir = &tight.published.run_dir;
    let found = tight.summary.optimisation.as_ref().unwrap();
    within(found);
    assert!(found.bounds.iter().any(|line| line.shadow_price > 0.0), "{found:?}");
    assert!(found.bounds.iter().any(|line| matches!(line.bound, BoundName::Category(_))));
    let offers: Vec<Offer> = rows(run_dir, "offers.parquet");
    let declines: Vec<Decline> = rows(run_dir, "declines.parquet");
    assert_eq!((found.candidates, found.offered), (before.len() as u64, offers.len() as u64));
    assert!(offers.len() < before.len() && !offers.is_empty());

    // The sums of the summary are those of the rows.
    let lent: i64 = offers.iter().map(|offer| offer.limit_minor).sum();
    assert_eq!(found.lent_minor, lent);
    let held: i64 = rows::<OpenOffer>(run_dir, "open_offers.parquet").iter().map(|offer| offer.held_minor).sum();
    assert!(owed + held <= budget, "{owed} and {held} of {budget}");
    let known: BTreeMap<(&str, &str), &Offer> =
        before.iter().map(|o| ((o.merchant_id.as_str(), o.product.as_str()), o)).collect();
    let is_optimised = |cap: &&integrity::offer::Cap| cap.name == CapName::Optimised;
    for offer in &offers {
        reproduce(offer).unwrap();
        let own = known[&(offer.merchant_id.as_str(), offer.product.as_str())];
        assert!(offer.limit_minor <= own.limit_minor && offer.daily_rate_ppm >= offer.floor_daily_ppm);
        assert!([-40, 0, 40].contains(&(offer.daily_rate_ppm - own.daily_rate_ppm)), "{offer:?}");
        assert_eq!(offer.optimised_rate_ppm.is_some(), offer.daily_rate_ppm != own.daily_rate_ppm);
        match offer.caps.iter().find(is_optimised) {
            Some(cap) => {
                assert_eq!((cap.gross_minor, cap.value_minor), (Some(own.limit_minor), Some(offer.limit_minor)));
                assert_eq!(offer.binding_cap, CapName::Optimised);
            }
            None => assert_eq!(offer.limit_minor, own.limit_minor),
        }
    }
    // Who is left out was possible, and is told why; nobody else changes sides.
    let left_out: BTreeSet<(&str, &str)> = declines
        .iter()
        .filter(|decline| decline.caps.iter().any(|cap| is_optimised(&cap)))
        .map(|decline| (decline.merchant_id.as_str(), decline.product.as_str()))
        .collect();
    let made: BTreeSet<(&str, &str)> = offers.iter().map(|o| (o.merchant_id.as_str(), o.product.as_str())).collect();
    assert_eq!(left_out.union(&made).copied().collect::<BTreeSet<_>>(), known.keys().copied().collect());
    assert!(left_out.is_disjoint(&made));
    let told = |d: &&Decline| d.reasons.iter().any(|reason| reason.code.as_str() == "portfolio-optimised");
    assert_eq!(declines.iter().filter(told).count(), left_out.len());

    // It is explained, and made again.
    let changed = offers.iter().find(|offer| offer.caps.iter().any(|cap| is_optimised(&cap))).unwrap();
    let text = entry_text(&explain(run_dir, &changed.merchant_id).unwrap().unwrap().entry);
    assert!(text.contains("cap optimised"), "{text}");
    assert!(tight.summary.text().contains("optimised"));
    let again = lender.run("again");
    assert_eq!(bytes_of(&again), bytes_of(&tight));
    frontier_and_day(&lender, &tight, &offers, &left_out);
}

/// The analyst's view of the night, and the applications of the day after.
fn frontier_and_day(lender: &Lender, night: &RunOutcome, offers: &[Offer], left_out: &BTreeSet<(&str, &str)>) {
    let policy = lender.folder.path().join("policy.toml");
    let optimum = policy_optimum(&night.published.run_dir, &policy, Some((Varied::Loss, 6))).unwrap();
    assert_eq!(Some(&optimum.optimisation), night.summary.optimisation.as_ref());
    assert_eq!(optimum.frontier.len(), 6);
    assert!(optimum.frontier.windows(2).all(|pair| pair[0].profit_minor <= pair[1].profit_minor || !pair[0].is_enough));
    assert!(optimum.text().contains("frontier"));
    assert!(optimum.page().unwrap().contains("<svg"));

    let options = DeskOptions {
        out: Some(lender.folder.path().join("tight/published")),
        on: Some(AS_OF),
        now: Timestamp::UNIX_EPOCH,
        draws: Some(Vec::new()),
        log: false,
    };
    let ask = |number: usize, merchant: &str, product: &str| {
        Ok(Application {
            application_id: format!("a{number}"),
            merchant_id: merchant.to_owned(),
            product: product.to_owned(),
            requested_minor: 100_000_000,
            order_ids: Vec::new(),
            orders: Vec::new(),
            gross_sales_12m_minor: Some(500_000_000),
            operating_costs_12m_minor: Some(100_000_000),
            gross_assets_minor: Some(500_000_000),
            gross_liabilities_minor: Some(0),
        })
    };
    let asked: Vec<(&str, &str)> = left_out
        .iter()
        .copied()
        .chain(terms(offers).iter().map(|(merchant, product, ..)| (*merchant, *product)))
        .collect();
    let applications = asked.iter().enumerate().map(|(number, (merchant, product))| ask(number, merchant, product));
    let desk = Desk::open(&lender.folder.path().join("job.toml"), options).unwrap();
    let answered = desk.answer(applications.collect()).unwrap();
    for (answer, key) in answered.answers.iter().zip(&asked) {
        let of_night = offers.iter().find(|o| (o.merchant_id.as_str(), o.product.as_str()) == *key);
        match (answer.outcome, of_night) {
            // At the night's prices it is worth no more by day than it was at night.
            (Outcome::Decline, None) | (Outcome::Standing, Some(_)) => {}
            (Outcome::Offer, None) => reproduce(answer.offer.as_ref().unwrap()).unwrap(),
            // Whom the night has chosen no bound of the portfolio takes it from; a rule for applicants may.
            (Outcome::Decline, Some(_)) => {
                let reasons = &answer.decline.as_ref().unwrap().reasons;
                assert!(reasons.iter().all(|reason| !reason.code.as_str().starts_with("portfolio")), "{answer:?}");
            }
            other => panic!("{other:?} {answer:?}"),
        }
    }
    let declined = answered.answers.iter().filter_map(|answer| answer.decline.as_ref());
    let codes: Vec<&str> = declined.flat_map(|d| &d.reasons).map(|reason| reason.code.as_str()).collect();
    assert!(codes.contains(&"portfolio-optimised"), "{codes:?}");
}

#[test]
fn policies_that_cross_merchants_are_compared_as_they_would_settle_a_night() {
    let lender = Lender::new();
    let own = lender.folder.path().join("policy.toml");
    let plain = lender.folder.path().join("plain.toml");
    fs::copy(&own, &plain).unwrap();
    let unbound = lender.run("plain").published.run_dir;
    let before: Vec<Offer> = rows(&unbound, "offers.parquet");
    let all: i64 = before.iter().map(|offer| offer.limit_minor).sum();
    let owed: i64 = rows::<Statement>(&unbound, "accounts.parquet").iter().filter_map(|a| a.owed_minor).sum();
    let section = "[optimisation]\naccepted_rate_ppm = 560\naccepted_spread = 0.12\nrate_steps_ppm = [-40, 0, 40]\n\
                   limits = [{ share = 0.4, drawn = 0.36 }, { share = 1.0, drawn = 0.7 }]\nmax_category_share = 0.8\n";
    for (out, section) in [("budget", ""), ("together", section)] {
        lender.asks(Some(owed + all / 3), section);
        let tight = lender.run(out);
        let offers: Vec<Offer> = rows(&tight.published.run_dir, "offers.parquet");
        assert!(!offers.is_empty() && offers.len() < before.len(), "{out}: {} of {}", offers.len(), before.len());
        // Its own policy settles the published night again, offer by offer.
        let again = policy_diff(&tight.published.run_dir, &own, &own).unwrap();
        assert_eq!((again.before_differs_from_published, again.changes.len()), (0, 0), "{out}");
        assert_eq!(again.optimisation_after, tight.summary.optimisation, "{out}");
        // Against the policy without bounds, what is lost is put down to the bound.
        let diff = policy_diff(&tight.published.run_dir, &plain, &own).unwrap();
        let (lent, limits) = diff.products.values().fold((0, 0), |(lent, limits), product| {
            (lent + product.limit_after_minor, limits + product.limit_before_minor)
        });
        assert_eq!((lent, limits), (offers.iter().map(|offer| offer.limit_minor).sum::<i64>(), all), "{out}");
        // So it does on the run of the policy without bounds.
        let tried = policy_diff(&unbound, &plain, &own).unwrap();
        let after: i64 = tried.products.values().map(|product| product.limit_after_minor).sum();
        assert_eq!((after, tried.before_differs_from_published), (lent, 0), "{out}");
        for change in &tried.changes {
            let offer = offers.iter().find(|o| (&o.merchant_id, &o.product) == (&change.merchant_id, &change.product));
            assert_eq!(change.limit_after_minor, offer.map(|offer| offer.limit_minor), "{change:?}");
        }
        let causes: BTreeSet<&String> = diff.products.values().flat_map(|product| product.causes.keys()).collect();
        let bound = if section.is_empty() { "portfolio-budget" } else { "optimised" };
        assert!(causes.iter().any(|cause| cause.contains(bound)), "{out}: {causes:?}");
        assert_eq!(policy_diff_text(&diff).contains("optimised"), !section.is_empty(), "{out}");
    }
}
