//! A job's rules: features, policy and monitor files, checked one by one and against each other.

use std::collections::BTreeSet;

use super::receipts;
use crate::config::ConfigError;
use crate::contract::LOANS;
use crate::domain::{Digest, Hasher};
use crate::exposure::RECEIVABLE_COLUMNS;
use crate::features::FeatureConfig;
use crate::monitor::{AlertKind, Monitor, Officers};
use crate::offer::{Overrides, Policy};
use crate::repayment::LedgerRules;
use crate::run::job::Faults;
use crate::run::{Job, LabelKind, ModelSettings};
use crate::store::Shard;
use crate::tiles::{self, ReadColumns, TileError, ViewRules, Views};

/// What a run judges by.
#[derive(Debug, Clone)]
pub struct JobRules {
    /// Feature set.
    pub features: FeatureConfig,
    /// Credit policy.
    pub policy: Policy,
    /// Monitoring rules.
    pub monitor: Monitor,
    /// What officers decided about alerts; nothing where the job names no file.
    pub officers: Officers,
    /// What officers decided about credit; nothing where the job names no file.
    pub overrides: Overrides,
    /// How loans are read: the monitor file's sections on it, and the policy's definition of default.
    pub ledger: LedgerRules,
}

impl JobRules {
    /// Checks the three files of a job.
    ///
    /// # Errors
    /// What one of them holds that is not allowed, or a name in one that another does not know.
    pub fn open(job: &Job) -> Result<Self, ConfigError> {
        let rules = Self::of(
            FeatureConfig::from_files(&job.files.features.files)?,
            Policy::check(job.files.policy.clone())?,
            Monitor::check(job.files.monitor.clone())?,
            officers(job)?,
            overrides(job)?,
        );
        match rules.disagreements(job).into_iter().next() {
            Some(first) => Err(first),
            None => Ok(rules),
        }
    }

    /// As [`JobRules::open`], with every fault that can be found: of each file all that is not of its form, or the first that is not allowed; or all in which
    /// sound files disagree.
    ///
    /// # Errors
    /// At least one fault.
    pub fn open_telling_all(job: &Job) -> Result<Self, Vec<ConfigError>> {
        let features = FeatureConfig::from_files(&job.files.features.files);
        let policy = Policy::check_telling_all(job.files.policy.clone());
        let monitor = Monitor::check_telling_all(job.files.monitor.clone());
        match (features, policy, monitor, officers(job), overrides(job)) {
            (Ok(features), Ok(policy), Ok(monitor), Ok(officers), Ok(overrides)) => {
                let rules = Self::of(features, policy, monitor, officers, overrides);
                let faults = rules.disagreements(job);
                if faults.is_empty() { Ok(rules) } else { Err(faults) }
            }
            (features, policy, monitor, officers, overrides) => {
                let mut all: Vec<ConfigError> = features.err().into_iter().collect();
                all.extend(policy.err().into_iter().chain(monitor.err()).flatten());
                all.extend(officers.err().into_iter().chain(overrides.err()));
                Err(all)
            }
        }
    }

    /// A job file's faults and those of the files that it names, as far as these can be checked without it.
    #[must_use]
    pub fn with_own_faults(faults: Faults) -> Vec<ConfigError> {
        let Faults { mut all, features, policy, monitor } = faults;
        all.extend(features.and_then(|files| FeatureConfig::from_files(&files.files).err()));
        all.extend(policy.and_then(|file| Policy::check_telling_all(file).err()).into_iter().flatten());
        all.extend(monitor.and_then(|file| Monitor::check_telling_all(file).err()).into_iter().flatten());
        all
    }

    /// The same rules under another policy.
    ///
    /// # Errors
    /// The policy names what the job does not have.
    pub fn under(&self, job: &Job, policy: Policy) -> Result<Self, ConfigError> {
        let Self { features, monitor, officers, .. } = self.clone();
        // Under another policy officers may do other things: their decisions are left out.
        let rules = Self::of(features, policy, monitor, officers, Overrides::default());
        match rules.disagreements(job).into_iter().next() {
            Some(first) => Err(first),
            None => Ok(rules),
        }
    }

    fn of(features: FeatureConfig, policy: Policy, monitor: Monitor, officers: Officers, overrides: Overrides) -> Self {
        let ledger = LedgerRules {
            waterfall: monitor.waterfall.clone(),
            materiality: monitor.materiality,
            overpayment: monitor.overpayment,
            retention: monitor.retention,
            payments_confirmed: monitor.payments_confirmed.clone(),
            default_dpd: policy.default_dpd.clone(),
        };
        let policy = policy.with_words_of(&features);
        Self { features, policy, monitor, officers, overrides, ledger }
    }

    /// In what the files contradict each other or the job.
    fn disagreements(&self, job: &Job) -> Vec<ConfigError> {
        let names = || self.features.features.iter().map(|f| f.name.as_str());
        let mut faults = self.policy.unknown_features(names());
        faults.extend(self.monitor.unknown_features(names()));
        let others = [
            self.officers.check_rules(self.monitor.all_rules().map(|rule| rule.code.as_str())).err(),
            self.overrides.check_policy(&self.policy).err(),
            self.policy.check_horizon(job.model.performance_days).err(),
            self.policy.check_currency(job.intake.currency).err(),
            self.policy.check_loans(Self::declared_tables(job).contains(LOANS.name)).err(),
        ];
        faults.extend(others.into_iter().flatten());
        if self.features.measure(&job.model.ability_measure).is_none() {
            faults.push(job.refuse_model_key(
                "ability_measure",
                format!(
                    "ability_measure names {:?}, which the feature file does not declare",
                    job.model.ability_measure
                ),
                "the name of a [[measure]] of the feature file",
            ));
        }
        if job.model.label == LabelKind::TradeDistress && self.features.label.is_none() {
            faults.push(job.refuse_model_key(
                "label",
                "label = \"trade-distress\" needs an outcome predicate, and the feature file has no [label]".to_owned(),
                "add [label] to the feature file, or label = \"loan-default\" where there is a loan book",
            ));
        }
        faults
    }

    /// Contract tables that the job has a source for, whether or not they are there tonight.
    #[must_use]
    pub fn declared_tables(job: &Job) -> BTreeSet<&'static str> {
        job.intake.source.sources.iter().map(|source| source.table).collect()
    }

    /// Days over which ability is trained.
    #[must_use]
    pub fn horizons(&self, settings: &ModelSettings) -> Vec<u16> {
        receipts::horizons(&self.policy, settings.performance_days)
    }

    /// A shard's views, under the job's rules of suspicion and of repayment.
    ///
    /// # Errors
    /// A broken table.
    pub fn views(&self, shard: &Shard) -> Result<Views, TileError> {
        let mut columns = ReadColumns::of(&self.features.measures);
        columns.add("orders", RECEIVABLE_COLUMNS);
        self.views_of(shard, &columns)
    }

    /// The same with only some columns.
    ///
    /// # Errors
    /// A broken table.
    pub fn views_of(&self, shard: &Shard, columns: &ReadColumns) -> Result<Views, TileError> {
        let (authenticity, ledger) = (&self.features.authenticity, &self.ledger);
        tiles::views(shard, ViewRules { authenticity, ledger, columns: Some(columns) })
    }

    /// What a model depends on: features, label and training settings, in a written form of their own that does not change with the code.
    /// Policy and monitoring may change under the same model, but for what a default is and how loans are read; so may what `[model]`
    /// says of choosing and approving.
    #[must_use]
    pub fn model_digest(&self, job: &Job) -> Digest {
        let mut hasher = Hasher::default();
        hasher.field(self.features.digest.to_string().as_bytes());
        hasher.field(job.model.trained_under().as_bytes());
        // Amounts and days of another market are other figures under the same names. Under a new name the job's market is the same.
        hasher.field(job.formerly.first().unwrap_or(&job.name).as_bytes());
        hasher.field(job.intake.currency.code().as_bytes());
        hasher.field(job.intake.time_zone.iana_name().unwrap_or("UTC").as_bytes());
        self.ledger.digest_into(&mut hasher);
        if let Some(hazard) = &self.monitor.hazard {
            hasher.field(hazard.trained_under().as_bytes());
            // What rules measure is learnt from.
            for rule in &self.monitor.rules {
                if let AlertKind::Features(judge) = &rule.kind
                    && judge.measures_one_thing()
                {
                    hasher.field(format!("{} {judge:?}", rule.code.as_str()).as_bytes());
                }
            }
        }
        for source in &job.intake.source.sources {
            hasher.field(source.table.as_bytes());
            for part in &source.parts {
                if let Some(filter) = &part.filter {
                    hasher.field(filter.text.as_bytes());
                }
                hasher.field(part.sql.as_ref().map_or(b"", |s| s.text.as_bytes()));
            }
        }
        hasher.finish()
    }
}

fn overrides(job: &Job) -> Result<Overrides, ConfigError> {
    job.files.overrides.clone().map_or_else(|| Ok(Overrides::default()), Overrides::check)
}

fn officers(job: &Job) -> Result<Officers, ConfigError> {
    job.files.officers.clone().map_or_else(|| Ok(Officers::default()), Officers::check)
}
