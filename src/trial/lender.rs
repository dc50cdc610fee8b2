//! A lender in a marketplace of its own: one policy, night after night.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use jiff::civil::Date;

use super::error::TrialError;
use super::report::StoppedNight;
use super::unserved::Declined;
use crate::contract;
use crate::domain::Hasher;
use crate::monitor::DriftLimits;
use crate::offer::{Decline, MILESTONE_DAYS, Offer, Policy, RepaymentKind};
use crate::publish::TableReader;
use crate::run::{Allowance, AsOfRule, Fault, Job, JobRules, RunError, RunOptions, Silent, run_opened};
use crate::simulate::{BookOnDay, Market, MarketLender, MarketOffer, MarketRepayment};

/// One lender and the marketplace that it lends in.
pub(super) struct Lender {
    pub(super) market: Market,
    pub(super) policy: Policy,
    /// Nights on which the job published nothing: offers of the night before stood until they lapsed.
    pub(super) stopped: Vec<StoppedNight>,
    /// The book on the morning of every night.
    pub(super) books: Vec<(Date, BookOnDay)>,
    /// What its nights declined.
    pub(super) declined: Declined,
    /// Whose decisions they are: part of the identity of its runs.
    name: String,
    folder: PathBuf,
    models: PathBuf,
}

impl Lender {
    pub(super) fn new(
        name: &str,
        (market, policy): (&Market, Policy),
        knows_truth: bool,
        (folder, models): (PathBuf, PathBuf),
    ) -> Self {
        let mut market = market.clone();
        let cost_daily_ppm = policy.price.funding_daily_ppm + policy.price.cost_daily_ppm;
        market.meet(MarketLender { cost_daily_ppm, knows_truth });
        Self {
            market,
            policy,
            stopped: Vec::new(),
            books: Vec::new(),
            declined: Declined::new(),
            name: name.to_owned(),
            folder,
            models,
        }
    }

    /// A night of the job, and life until the next.
    pub(super) fn night(
        &mut self,
        job: &Job,
        rules: &JobRules,
        options: &RunOptions,
        on: Date,
        next: Date,
    ) -> Result<(), TrialError> {
        let data = self.folder.join("data");
        if data.exists() {
            fs::remove_dir_all(&data).map_err(TrialError::io(&data))?;
        }
        self.market.write(&data)?;
        self.books.push((on, self.market.book()));
        let mut job = job.clone();
        job.intake.source.data = data;
        job.out = self.folder.join("out");
        job.archive = None;
        job.models.clone_from(&self.models);
        job.gates.allow.extend(quiet_tables(on));
        let mut hasher = Hasher::default();
        hasher.field(job.digest.to_string().as_bytes());
        hasher.field(self.name.as_bytes());
        job.digest = hasher.finish();
        // Simulated months may lie before the date from which the policy holds.
        let mut policy = self.policy.clone();
        policy.approval = None;
        // Nights lie days apart, and what few borrowers are offered changes by half from one to the next.
        let mut monitor = rules.monitor.clone();
        monitor.drift = DriftLimits::default();
        monitor.max_deducted_share = None;
        monitor.max_released_share = None;
        let rules = JobRules { policy, monitor, ..rules.clone() };
        let options = RunOptions {
            as_of: Some(AsOfRule::Day(on)),
            guess_as_of: false,
            force_as_of: None,
            data: None,
            data_root: None,
            out: None,
            models: None,
            ..options.clone()
        };
        match run_opened(&job, &rules, &options, &Silent) {
            Ok(outcome) => {
                let offers = TableReader::<Offer>::open(&outcome.published.run_dir.join("offers.parquet"))?;
                let mut by_merchant: BTreeMap<String, Vec<MarketOffer>> = BTreeMap::new();
                for offer in offers {
                    let offer = offer?;
                    let instalments = self.instalments(&offer.product);
                    by_merchant.entry(offer.merchant_id.clone()).or_default().push(handed_out(offer, instalments));
                }
                self.market.offer(&by_merchant)?;
                for decline in TableReader::<Decline>::open(&outcome.published.run_dir.join("declines.parquet"))? {
                    let Decline { merchant_id, product, reasons, .. } = decline?;
                    let code = reasons.into_iter().next().map_or_else(String::new, |reason| reason.code.to_string());
                    self.declined.entry((merchant_id, product)).or_default().push((on, code));
                }
            }
            // What stops a night of a real lender: the offers of the night before stand.
            Err(error @ (RunError::Gate(_) | RunError::Model(_) | RunError::Training(_))) => {
                self.stopped.push(StoppedNight { on: on.to_string(), why: error.to_string() });
            }
            Err(error) => return Err(error.into()),
        }
        self.market.live_until(next);
        Ok(())
    }

    fn instalments(&self, product: &str) -> u16 {
        self.policy.products.iter().find(|p| p.name == product).map_or(1, |p| p.instalments)
    }
}

/// Small marketplaces have weeks without a loan or a dispute. Their rows all come, so that a quiet table is no reason to stop a night.
fn quiet_tables(on: Date) -> impl Iterator<Item = Allowance> {
    contract::TABLES.iter().flat_map(move |table| {
        [Fault::Absent, Fault::Older, Fault::PastData].map(|what| Allowance {
            table: table.name.to_owned(),
            what,
            until: on,
            reason: "a simulated marketplace sends all of its rows: little has happened".to_owned(),
        })
    })
}

fn handed_out(offer: Offer, instalments: u16) -> MarketOffer {
    MarketOffer {
        offer_id: offer.offer_id,
        product: offer.product,
        limit_minor: offer.limit_minor,
        daily_rate_ppm: offer.daily_rate_ppm,
        term_days: offer.term_days,
        instalments,
        repayment: match offer.repayment {
            RepaymentKind::Bullet => MarketRepayment::Bullet,
            RepaymentKind::EqualPrincipal => MarketRepayment::EqualPrincipal,
            RepaymentKind::EqualInstalment => MarketRepayment::EqualInstalment,
            RepaymentKind::SalesShare => MarketRepayment::SalesShare {
                share_ppm: offer.sales_share_ppm.unwrap_or_default(),
                min_ppm: offer.min_per_60_days_ppm.unwrap_or_default(),
                every_days: MILESTONE_DAYS,
            },
        },
        valid_until_on: offer.valid_until_on,
        pledged_order_ids: offer.pledged_order_ids.unwrap_or_default(),
    }
}
