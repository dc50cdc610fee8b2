//! Labels before anything is trained: how many each snapshot gives, what training would refuse, and which settings of `[model]` would do.
//!
//! A snapshot is counted as training counts it (`training.rs`), without its features. Only where the job's own settings would be refused, or
//! their test is too small to approve a model on, others are tried: more or fewer snapshots first, then other performance windows, the nearest
//! first.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::Serialize;

use super::job_training::TrainingError;
use super::labels::{Outcomes, outcomes};
use super::snapshots::{Part, ability_group, part_of};
use crate::domain::{AsOf, grouped, parallel};
use crate::features::MOST_BEFORE_DAYS;
use crate::model::MIN_OUTCOMES;
use crate::model::ability::{self, AbilityGroup, ReceiptHistory};
use crate::model::validation::auc_standard_error;
use crate::repayment::LoanEvidence;
use crate::run::population::PopulationError;
use crate::run::progress::Progress;
use crate::run::rules::JobRules;
use crate::run::{LabelKind, ModelSettings};
use crate::store::Store;

/// Performance windows that are tried where the job's own does not do, days.
const OTHER_WINDOWS: [u16; 7] = [30, 60, 90, 120, 180, 270, 365];

/// How many other windows are tried, the nearest first.
const WINDOWS_TRIED: usize = 4;

/// Snapshots that are looked at for one performance window, at most.
const SNAPSHOTS_TRIED: u16 = 24;

/// Snapshots in a row without a label beyond the job's own, after which older ones are not looked at.
const EMPTY_IN_A_ROW: usize = 2;

/// The AUC out of time that merchant data usually give, and the most that is believed without suspecting leakage (project judgement, after the
/// ranges published for scores on marketplaces and small merchants).
const USUAL_AUC: f64 = 0.75;
const HIGHEST_AUC: f64 = 0.85;

/// Two-sided 95 %.
const Z: f64 = 1.96;

/// What training would learn from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelSurvey {
    /// What makes a merchant bad.
    pub label: LabelKind,
    /// Days of future that decide a label.
    pub performance_days: u16,
    /// Every snapshot of the job's settings, oldest first.
    pub snapshots: Vec<SnapshotLabels>,
    /// Sums of what is learnt from.
    pub train: Labels,
    /// Sums of what is measured on, out of time.
    pub test: Labels,
    /// What training refuses, or what keeps its model from being approved by the job.
    pub findings: Vec<LabelFinding>,
    /// Settings that would do, the smallest change first; empty where the job's own do, or none that was tried does.
    pub would_do: Vec<SuggestedSettings>,
    /// What was tried: empty where the job's own settings do.
    pub tried: Vec<TriedWindow>,
}

/// One snapshot's labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SnapshotLabels {
    /// Snapshot date.
    pub as_of: Date,
    /// First day after its performance window.
    pub until: Date,
    /// What it is used for.
    pub part: Part,
    /// How many labels of each kind.
    #[serde(flatten)]
    pub labels: Labels,
    /// Merchants by outcome, those without a label included.
    pub outcomes: BTreeMap<String, u64>,
}

/// Merchants of one or several snapshots by label. A merchant counts once in each snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Labels {
    /// Merchants seen.
    pub merchants: u64,
    /// Good among them.
    pub good: u64,
    /// Bad among them.
    pub bad: u64,
    /// Of which neither is known.
    pub unknown: u64,
    /// Whose receipts over the window are known: what ability learns from.
    pub with_receipts: u64,
    /// Of them, those that ability is fitted to where the snapshot is one to learn from: half of the merchants, with receipts in the year before.
    pub receipts_to_fit: u64,
    /// Of them, those that calibrate it: a quarter of the merchants.
    pub receipts_to_calibrate: u64,
}

/// What is wrong with the labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabelFinding {
    /// What: a stable word.
    pub what: LabelFault,
    /// In full, with the figures.
    pub why: String,
}

/// Kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelFault {
    /// Every performance window of an earlier snapshot reaches into the test period.
    NoTrainSnapshot,
    /// Too few bad or good merchants to learn from: training is refused.
    TooFewToLearn,
    /// Too few merchants whose receipts are known: training of ability is refused.
    TooFewReceipts,
    /// The test holds one class: there is no out-of-time AUC, and the job approves no model without one.
    TestOneClass,
    /// Not even the best model to be expected would be approved by the job on so small a test.
    TestTooSmall,
    /// The usual model would not be approved by the job on so small a test. Nothing is refused for it.
    TestSmall,
}

/// Settings of `[model]` that would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuggestedSettings {
    /// What makes a merchant bad.
    pub label: LabelKind,
    /// Days of future that decide a label; `pd_horizon_days` of the policy must be the same.
    pub performance_days: u16,
    /// Snapshots taken.
    pub snapshots: u16,
    /// The latest of them, measured on.
    pub test_snapshots: u16,
    /// What would be learnt from.
    pub train: Labels,
    /// What would be measured on.
    pub test: Labels,
    /// Training would go through, but on so small a test the job might approve no model.
    pub is_test_small: bool,
    /// `before_days` of the job's label by which its outcome would mean what it means now, where it compares the days after a snapshot with those before it.
    pub before_days: Option<u16>,
}

/// One performance window that was tried, with all snapshots that history allows, at most [`SNAPSHOTS_TRIED`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TriedWindow {
    /// What makes a merchant bad.
    pub label: LabelKind,
    /// Days of future that decide a label.
    pub performance_days: u16,
    /// Snapshots looked at.
    pub snapshots: u16,
    /// Labels in all of them.
    pub labels: Labels,
}

impl Labels {
    fn add(&mut self, other: &Self) {
        self.merchants += other.merchants;
        self.good += other.good;
        self.bad += other.bad;
        self.unknown += other.unknown;
        self.with_receipts += other.with_receipts;
        self.receipts_to_fit += other.receipts_to_fit;
        self.receipts_to_calibrate += other.receipts_to_calibrate;
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} good, {} bad, {} unknown", grouped(self.good), grouped(self.bad), grouped(self.unknown))
    }
}

impl LabelFault {
    /// The word, as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoTrainSnapshot => "no-train-snapshot",
            Self::TooFewToLearn => "too-few-to-learn",
            Self::TooFewReceipts => "too-few-receipts",
            Self::TestOneClass => "test-one-class",
            Self::TestTooSmall => "test-too-small",
            Self::TestSmall => "test-small",
        }
    }

    /// Whether training stops for it, or the job approves no model.
    const fn refuses(self) -> bool {
        !matches!(self, Self::TestSmall)
    }

    /// Whether training stops for it.
    const fn stops_training(self) -> bool {
        matches!(self, Self::NoTrainSnapshot | Self::TooFewToLearn | Self::TooFewReceipts)
    }
}

impl LabelSurvey {
    /// Why training would stop; `None` where it would not for want of labels.
    pub(in crate::run) fn refusal(&self, as_of: Date) -> Option<TrainingError> {
        let stops = self.findings.iter().any(|finding| finding.what.stops_training());
        stops.then(|| {
            let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
            for (reason, count) in self.snapshots.iter().filter(|s| s.part == Part::Train).flat_map(|s| &s.outcomes) {
                *outcomes.entry(reason).or_default() += count;
            }
            TrainingError::too_few(as_of, self.train.good + self.train.bad, self.train.bad, &outcomes)
        })
    }
}

/// Counts the labels of every snapshot that training at `as_of` would take, and says what would be refused.
///
/// # Errors
/// A shard that cannot be read, a broken table, or snapshots before any date.
pub fn survey_labels(
    settings: &ModelSettings,
    rules: &JobRules,
    store: &Store,
    as_of: &AsOf,
    progress: &dyn Progress,
) -> Result<LabelSurvey, TrainingError> {
    let mut counter = Counter { rules, store, as_of, progress, found: BTreeMap::new() };
    progress.stage("count labels", Some(u64::from(settings.snapshots) * u64::from(store.buckets())));
    let mut snapshots = Vec::new();
    for n in (0..settings.snapshots).rev() {
        let mut snapshot = counter.snapshot(settings, n)?;
        snapshot.part = part_of(settings, n);
        snapshots.push(snapshot);
    }
    let of_part = |part: Part| sum(snapshots.iter().filter(|s| s.part == part));
    let (train, test) = (of_part(Part::Train), of_part(Part::Test));
    let findings = judge(settings, train, test, snapshots.iter().any(|s| s.part == Part::Train));
    let mut survey = LabelSurvey {
        label: settings.label,
        performance_days: settings.performance_days,
        snapshots,
        train,
        test,
        findings,
        would_do: Vec::new(),
        tried: Vec::new(),
    };
    if !survey.findings.is_empty() {
        progress.stage("try other settings of [model]", None);
        let must_improve = !survey.findings.iter().any(|f| f.what.refuses());
        (survey.would_do, survey.tried) = counter.other_settings(settings, must_improve)?;
    }
    Ok(survey)
}

fn sum<'a>(snapshots: impl Iterator<Item = &'a SnapshotLabels>) -> Labels {
    snapshots.fold(Labels::default(), |mut all, snapshot| {
        all.add(&snapshot.labels);
        all
    })
}

/// What training refuses of such labels, and what the job would not approve.
fn judge(settings: &ModelSettings, train: Labels, test: Labels, has_train: bool) -> Vec<LabelFinding> {
    let mut findings = Vec::new();
    let mut find = |what: LabelFault, why: String| findings.push(LabelFinding { what, why });
    let least = MIN_OUTCOMES as u64;
    if !has_train {
        let needed = settings.test_snapshots + settings.performance_days.div_ceil(settings.snapshot_every_days);
        find(
            LabelFault::NoTrainSnapshot,
            format!(
                "the performance window of {} days of every earlier snapshot reaches into the test period: with snapshots every {} days and \
                 test_snapshots = {}, at least snapshots = {} are needed, and there are {}",
                settings.performance_days,
                settings.snapshot_every_days,
                settings.test_snapshots,
                needed,
                settings.snapshots
            ),
        );
    } else if train.bad < least || train.good < least {
        find(
            LabelFault::TooFewToLearn,
            format!("to learn from there are {train}; training needs at least {least} good and {least} bad"),
        );
    }
    let (fit, calibrate) = (ability::MIN_ROWS as u64, ability::MIN_CALIBRATING as u64);
    if has_train && (train.receipts_to_fit < fit || train.receipts_to_calibrate < calibrate) {
        find(
            LabelFault::TooFewReceipts,
            format!(
                "receipts before and over the window are known of {} merchants to fit ability to and {} to calibrate it by; it needs {fit} and {calibrate}",
                grouped(train.receipts_to_fit),
                grouped(train.receipts_to_calibrate)
            ),
        );
    }
    if test.good == 0 || test.bad == 0 {
        find(
            LabelFault::TestOneClass,
            format!(
                "the out-of-time test has {test}: there is no AUC of one class, and a job approves no model without one"
            ),
        );
        return findings;
    }
    // Any model has to beat chance surely; a job that approves by itself asks for more.
    let bar = if settings.approve_as.is_some() { settings.approve_min_auc.max(0.5) } else { 0.5 };
    let lower = |auc: f64| auc - Z * auc_standard_error(auc, test.bad as f64, test.good as f64);
    let told = |auc: f64, whom: &str| {
        format!(
            "on an out-of-time test of {test}, {whom} (AUC {auc:.2}) would have a lower end of about {:.2}, and the job approves from {bar:.2} \
             on",
            lower(auc)
        )
    };
    if lower(HIGHEST_AUC) < bar {
        find(LabelFault::TestTooSmall, told(HIGHEST_AUC, "even the best model to be expected"));
    } else if lower(USUAL_AUC) < bar {
        find(LabelFault::TestSmall, told(USUAL_AUC, "a model as good as most"));
    }
    findings
}

/// Counts labels, and remembers.
struct Counter<'a> {
    rules: &'a JobRules,
    store: &'a Store,
    as_of: &'a AsOf,
    progress: &'a dyn Progress,
    /// By label, performance window and snapshot, counted back from the latest.
    found: BTreeMap<(bool, u16, u16), SnapshotLabels>,
}

impl Counter<'_> {
    /// The labels of the n-th snapshot back.
    fn snapshot(&mut self, settings: &ModelSettings, n: u16) -> Result<SnapshotLabels, TrainingError> {
        let key = (settings.label == LabelKind::LoanDefault, settings.performance_days, n);
        if let Some(known) = self.found.get(&key) {
            return Ok(known.clone());
        }
        let counted = self.count(settings, n)?;
        self.found.insert(key, counted.clone());
        Ok(counted)
    }

    fn count(&self, settings: &ModelSettings, n: u16) -> Result<SnapshotLabels, TrainingError> {
        let window = i32::from(settings.performance_days);
        let back = window + i32::from(n) * i32::from(settings.snapshot_every_days);
        let snapshot = self.as_of.days_before(back)?;
        let until = snapshot.days_before(-window)?;
        let by_bucket = parallel::each((0..self.store.buckets()).collect(), |bucket| {
            let shard = self.store.shard(bucket, &snapshot)?;
            let mut views = self.rules.views(&shard).map_err(PopulationError::from)?;
            if let Some(ledger) = &mut views.ledger {
                ledger.compare_with(&shard, bucket, &LoanEvidence::default())?;
            }
            let found = outcomes(&views, &self.store.shard(bucket, &until)?, settings, self.rules)?;
            self.progress.advance(1);
            Ok::<_, TrainingError>((labels_of(views.merchants.ids(), &found), found.reasons))
        })?;
        let mut all = SnapshotLabels {
            as_of: snapshot.date(),
            until: until.date(),
            part: Part::Train,
            labels: Labels::default(),
            outcomes: BTreeMap::new(),
        };
        for (labels, reasons) in by_bucket {
            all.labels.add(&labels);
            for (reason, count) in reasons {
                *all.outcomes.entry(reason).or_default() += count;
            }
        }
        Ok(all)
    }

    /// Settings that would do, the smallest change first: one for each label and performance window that has any, up to the first window that
    /// does without reserve.
    fn other_settings(
        &mut self,
        own: &ModelSettings,
        must_improve: bool,
    ) -> Result<(Vec<SuggestedSettings>, Vec<TriedWindow>), TrainingError> {
        let (mut would_do, mut tried) = (Vec::new(), Vec::new());
        for candidate in candidates(own, self.rules) {
            let labels = self.back_in_time(&candidate)?;
            tried.push(TriedWindow {
                label: candidate.label,
                performance_days: candidate.performance_days,
                snapshots: u16::try_from(labels.len()).unwrap_or(u16::MAX),
                labels: sum(labels.iter()),
            });
            let without_reserve = nearest(&candidate, own, &labels, <[LabelFinding]>::is_empty);
            let is_done = without_reserve.is_some();
            let found = without_reserve.or_else(|| {
                let passes = |findings: &[LabelFinding]| findings.iter().all(|f| !f.what.refuses());
                (!must_improve).then(|| nearest(&candidate, own, &labels, passes)).flatten()
            });
            let before_days = self.before_days_of(own, &candidate);
            would_do.extend(found.map(|settings| SuggestedSettings { before_days, ..settings }));
            if is_done {
                break;
            }
        }
        Ok((would_do, tried))
    }

    /// The days before a snapshot that are to those after it as they are in the job.
    fn before_days_of(&self, own: &ModelSettings, candidate: &ModelSettings) -> Option<u16> {
        let label = self.rules.features.label.as_ref().filter(|label| label.compares_windows())?;
        let is_of_trade = candidate.label == LabelKind::TradeDistress && own.label == candidate.label;
        let days = in_proportion(label.before_days, own.performance_days, candidate.performance_days);
        is_of_trade.then_some(days).flatten().filter(|days| *days != label.before_days)
    }

    /// Labels from the latest snapshot back, as far as there are any.
    fn back_in_time(&mut self, settings: &ModelSettings) -> Result<Vec<SnapshotLabels>, TrainingError> {
        let mut found: Vec<SnapshotLabels> = Vec::new();
        let mut empty = 0;
        for n in 0..SNAPSHOTS_TRIED.max(settings.snapshots) {
            let snapshot = self.snapshot(settings, n)?;
            empty = if snapshot.labels.good + snapshot.labels.bad == 0 { empty + 1 } else { 0 };
            found.push(snapshot);
            if empty >= EMPTY_IN_A_ROW {
                break;
            }
        }
        Ok(found)
    }
}

/// Days before a snapshot that are to `then` days after it as `before` are to `now`; nothing beyond what a label may look back.
fn in_proportion(before: u16, now: u16, then: u16) -> Option<u16> {
    let days = (u32::from(before) * u32::from(then)).div_ceil(u32::from(now).max(1));
    u16::try_from(days).ok().filter(|days| *days <= MOST_BEFORE_DAYS)
}

fn labels_of(merchants: &[String], found: &Outcomes) -> Labels {
    let mut labels = Labels::default();
    for merchant in merchants {
        labels.merchants += 1;
        match found.bad.get(merchant) {
            Some(true) => labels.bad += 1,
            Some(false) => labels.good += 1,
            None => labels.unknown += 1,
        }
        if !found.receipts_minor.contains_key(merchant) {
            continue;
        }
        labels.with_receipts += 1;
        let is_usable = found.histories.get(merchant).is_some_and(ReceiptHistory::is_usable);
        match ability_group(merchant, Part::Train).filter(|_| is_usable) {
            Some(AbilityGroup::Fit) => labels.receipts_to_fit += 1,
            Some(AbilityGroup::Calibrate) => labels.receipts_to_calibrate += 1,
            _ => {}
        }
    }
    labels
}

/// The job's settings with other performance windows, the nearest first; then with the other label, where the job's files have it.
fn candidates(own: &ModelSettings, rules: &JobRules) -> Vec<ModelSettings> {
    let windows = [own.performance_days].into_iter().chain(near_windows(own.performance_days));
    let other = match own.label {
        LabelKind::LoanDefault => rules.features.label.is_some().then_some(LabelKind::TradeDistress),
        LabelKind::TradeDistress => Some(LabelKind::LoanDefault),
    };
    let with = |label, performance_days| ModelSettings { label, performance_days, ..own.clone() };
    windows.map(|days| with(own.label, days)).chain(other.map(|label| with(label, own.performance_days))).collect()
}

/// Other performance windows, the nearest first. As ratios: half and double are equally far.
fn near_windows(own_days: u16) -> Vec<u16> {
    let mut windows: Vec<u16> = OTHER_WINDOWS.into_iter().filter(|days| *days != own_days).collect();
    windows.sort_by_key(|days| u32::from(*days.max(&own_days)) * 1_000 / u32::from(*days.min(&own_days)).max(1));
    windows.truncate(WINDOWS_TRIED);
    windows
}

/// The fewest changes of `snapshots` and `test_snapshots` that satisfy `passes`: test snapshots as near to the job's as possible, then snapshots.
fn nearest(
    candidate: &ModelSettings,
    own: &ModelSettings,
    labels: &[SnapshotLabels],
    passes: impl Fn(&[LabelFinding]) -> bool,
) -> Option<SuggestedSettings> {
    let most = u16::try_from(labels.len()).unwrap_or(u16::MAX);
    let mut tries: Vec<(u16, u16)> =
        (1..most).flat_map(|test| (test + 1..=most).map(move |snapshots| (test, snapshots))).collect();
    tries.sort_by_key(|(test, snapshots)| (test.abs_diff(own.test_snapshots), snapshots.abs_diff(own.snapshots)));
    tries.into_iter().find_map(|(test_snapshots, snapshots)| {
        let settings = ModelSettings { snapshots, test_snapshots, ..candidate.clone() };
        let of_part = |part: Part| {
            let chosen = (0..snapshots).zip(labels).filter(|(n, _)| part_of(&settings, *n) == part);
            sum(chosen.map(|(_, labels)| labels))
        };
        let (train, test) = (of_part(Part::Train), of_part(Part::Test));
        let has_train = (0..snapshots).any(|n| part_of(&settings, n) == Part::Train);
        let findings = judge(&settings, train, test, has_train);
        passes(&findings).then_some(SuggestedSettings {
            label: settings.label,
            performance_days: settings.performance_days,
            snapshots,
            test_snapshots,
            train,
            test,
            is_test_small: findings.iter().any(|finding| finding.what == LabelFault::TestSmall),
            before_days: None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(good: u64, bad: u64) -> Labels {
        Labels {
            merchants: good + bad + 5,
            good,
            bad,
            unknown: 5,
            with_receipts: good + bad,
            receipts_to_fit: 30,
            receipts_to_calibrate: 20,
        }
    }

    fn faults(train: Labels, test: Labels) -> Vec<LabelFault> {
        judge(&ModelSettings::fixture(), train, test, true).iter().map(|f| f.what).collect()
    }

    #[test]
    fn each_fault_is_found_at_its_bound() {
        let sound = labels(1_000, 60);
        assert_eq!(faults(labels(10, 30), sound), []);
        assert_eq!(faults(labels(9, 90), sound), [LabelFault::TooFewToLearn]);
        assert_eq!(faults(labels(90, 9), sound), [LabelFault::TooFewToLearn]);
        assert_eq!(faults(Labels { receipts_to_fit: 29, ..sound }, sound), [LabelFault::TooFewReceipts]);
        assert_eq!(faults(Labels { receipts_to_calibrate: 19, ..sound }, sound), [LabelFault::TooFewReceipts]);
        assert_eq!(faults(sound, labels(900, 0)), [LabelFault::TestOneClass]);
        assert_eq!(faults(sound, labels(900, 2)), [LabelFault::TestTooSmall]);
        assert_eq!(faults(sound, labels(900, 12)), [LabelFault::TestSmall]);
        let none = judge(&ModelSettings::fixture(), Labels::default(), sound, false);
        assert_eq!(none.len(), 1);
        assert!(none[0].why.contains("snapshots = 5"), "{}", none[0].why);
    }

    /// Naive: of all settings that pass, none is nearer.
    #[test]
    fn no_smaller_change_would_do() {
        let of_snapshot = |bad: u64| SnapshotLabels {
            as_of: Date::default(),
            until: Date::default(),
            part: Part::Train,
            labels: labels(200, bad),
            outcomes: BTreeMap::new(),
        };
        let found: Vec<SnapshotLabels> = [1, 2, 4, 9, 11, 12, 14, 0, 8, 7].map(of_snapshot).into();
        let is_sound = |f: &[LabelFinding]| f.is_empty();
        let chosen = nearest(&ModelSettings::fixture(), &ModelSettings::fixture(), &found, is_sound).unwrap();
        let passes = |test: u16, snapshots: u16| {
            let bad = |numbers: std::ops::Range<u16>| sum(numbers.filter_map(|n| found.get(usize::from(n))));
            // Every 30 days, a window of 90: two snapshots between the test and what is learnt from.
            let first = test + 2;
            first < snapshots && judge(&ModelSettings::fixture(), bad(first..snapshots), bad(0..test), true).is_empty()
        };
        assert!(passes(chosen.test_snapshots, chosen.snapshots));
        let distance = |t: u16, s: u16| (t.abs_diff(2), s.abs_diff(6));
        for test in 1..10 {
            for snapshots in test + 1..=10 {
                let nearer = distance(test, snapshots) < distance(chosen.test_snapshots, chosen.snapshots);
                assert!(!(nearer && passes(test, snapshots)), "{test} of {snapshots} before {chosen:?}");
            }
        }
        assert_eq!(
            chosen.test.bad,
            found[..usize::from(chosen.test_snapshots)].iter().map(|s| s.labels.bad).sum::<u64>()
        );
    }

    #[test]
    fn an_outcome_that_compares_windows_keeps_its_proportion() {
        assert_eq!(in_proportion(90, 90, 60), Some(60));
        assert_eq!(in_proportion(180, 90, 60), Some(120));
        assert_eq!(in_proportion(90, 90, 90), Some(90));
        assert_eq!(in_proportion(730, 90, 180), None);
    }

    #[test]
    fn near_windows_are_tried_before_far_ones() {
        assert_eq!(near_windows(90), [120, 60, 180, 30]);
        assert_eq!(near_windows(400), [365, 270, 180, 120]);
    }
}
