//! The monitor file: how loans are read, how lateness is classed, what raises an alert and what may be deducted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::alert_rule::{AlertKind, AlertRule};
use super::drift::{DriftLimits, RawDrift};
use super::hazard_terms::{HazardTerms, RawHazard};
use super::officers::{OfficerTerms, RawOfficerTerms};
use super::portfolio::{PortfolioTerms, RESERVED_PLACES, RawPortfolio, RawProvisions};
use super::queue::{QueueTerms, RawQueue};
use super::restoration::{RawRestoration, RestorationTerms};
use super::restructure::{RawRestructure, RestructureTerms};
use super::rules::keys::RuleKeys;
use super::rules::unknown_loan::{self, UNKNOWN_LOAN_RULE};
use crate::config::{ConfigError, ConfigFile, bounds};
use crate::features::FeatureUses;
use crate::repayment::{
    ConfirmedPayments, CorrectedPayments, Materiality, Overpayment, RawLedger, RawMateriality, RawWaterfall, Retention,
    UnknownLimit, Waterfall,
};

/// A checked monitor file.
#[derive(Debug, Clone)]
pub struct Monitor {
    /// Who is watched.
    pub watch: Watch,
    /// How payments are allocated.
    pub waterfall: Waterfall,
    /// Which arrears count towards default.
    pub materiality: Materiality,
    /// How much a loan may have been overpaid.
    pub overpayment: Overpayment,
    /// How long a repaid loan has to be sent again.
    pub retention: Retention,
    /// How many loans may be unknown.
    pub unknown_limit: UnknownLimit,
    /// Loans that may be missing although the night before knew them: the lender says that they are settled elsewhere.
    pub no_longer_sent: BTreeSet<String>,
    /// Loans of which payments that the night before knew may be missing: the lender says that they were taken back.
    pub payments_corrected: CorrectedPayments,
    /// Loans whose terms are right as they are sent tonight, although an earlier night knew others.
    pub terms_corrected: BTreeSet<String>,
    /// Loans with the merchants whose they are, although an earlier night knew them under others.
    pub borrower_corrected: BTreeMap<String, String>,
    /// Loans on which payments of one sum within minutes of one another are several.
    pub payments_confirmed: ConfirmedPayments,
    /// Merchants whose memberships of guarantee groups may be missing although the night before knew them.
    pub members_no_longer_sent: BTreeSet<String>,
    /// Owners that earlier nights knew by mistake: they bind no shop whose row does not name them.
    pub owners_corrected: BTreeSet<String>,
    /// Merchants whose trade of days past is believed as it is sent, although the night before did not know it.
    pub trade_confirmed: BTreeSet<String>,
    /// Buckets of days past due, from 0 up, without gap or overlap; the last has no end.
    pub buckets: Vec<Bucket>,
    /// Regulatory classes of lateness.
    pub classes: ClassThresholds,
    /// What may be deducted; `None` deducts nothing.
    pub deduction: Option<DeductionTerms>,
    /// Of the principal that is not repaid on open loans the largest share that a night may order to be deducted; `None` for no bound.
    pub max_deducted_share: Option<f64>,
    /// The most that a night may deduct of what pledged orders have released, as a share of the principal not repaid on open loans; `None` without a bound.
    pub max_released_share: Option<f64>,
    /// Easier terms that are proposed; `None` proposes none.
    pub restructure: Option<RestructureTerms>,
    /// What an officer's work saves.
    pub queue: QueueTerms,
    /// How the portfolio is reported, and what is set aside.
    pub portfolio: PortfolioTerms,
    /// What it takes to be a good borrower again.
    pub restoration: RestorationTerms,
    /// How far a night may differ from the one before.
    pub drift: DriftLimits,
    /// What officers may decide about alerts.
    pub officers: OfficerTerms,
    /// How trouble to come is foreseen; `None` where it is not.
    pub hazard: Option<HazardTerms>,
    /// Alert rules in file order.
    pub rules: Vec<AlertRule>,
    /// The program's own rule, which no file declares.
    unknown_loan: AlertRule,
    file: ConfigFile,
    feature_uses: FeatureUses,
}

/// Who is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Watch {
    /// Merchants who owe something.
    Borrowers,
    /// Every merchant: an alert on one who owes nothing keeps new credit from them.
    All,
}

/// A range of days past due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// First day past due in it.
    pub from_dpd: i64,
    /// Last day past due in it; `None` for the last bucket.
    pub to_dpd: Option<i64>,
}

/// From how many days past due a loan is in a class: special mention of any arrears, from substandard on of material arrears, each later than the one before. China's rules of 2023: any overdue is special
/// mention, more than 90 days substandard, more than 270 doubtful, more than 360 loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassThresholds {
    /// Special mention.
    pub special_mention_from_dpd: i64,
    /// Substandard: non-performing from here on.
    pub substandard_from_dpd: i64,
    /// Doubtful.
    pub doubtful_from_dpd: i64,
    /// Loss.
    pub loss_from_dpd: i64,
}

/// How long an order is awaited where the file does not say (project judgement: settlement in parts takes days, not weeks).
const UNDER_WAY_DAYS: u16 = 7;

/// What may be deducted from a merchant's payment account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeductionTerms {
    /// Feature that holds what the account took in over a window, in minor units.
    pub receipts_feature: String,
    /// Days of that window.
    pub receipts_days: u16,
    /// Feature that holds what the account took in over the last day, of which loans repaid by a share of sales take theirs; `None` for an average
    /// day of the window.
    pub day_receipts_feature: Option<String>,
    /// The most that is taken a night of what an average day took in, over all loans of the merchant, in parts per million.
    pub receipts_share_ppm: i64,
    /// Smaller sums are not worth a deduction.
    pub min_minor: i64,
    /// What must be left of an average day's receipts, in minor units.
    pub floor_minor: i64,
    /// Which of a merchant's loans is served first.
    pub order: AccountOrder,
    /// Days that the last payments may be older than they usually are: what was paid since is not known, and must not be taken again.
    pub payments_days_older: u16,
    /// Days for which an order is awaited after the last night that gave it.
    pub under_way_days: u16,
    /// What escrow has released of the orders that secure a loan repays it.
    pub released_orders_repay: bool,
}

/// In which order a merchant's late loans are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountOrder {
    /// The most days past due first: what is nearest to default.
    #[default]
    MostOverdue,
    /// The loan that was paid out first.
    OldestLoan,
    /// The least arrears first: as many loans as can be are brought up to date.
    LeastArrears,
}

/// How grave an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// For the record.
    Info,
    /// Look soon.
    Warning,
    /// Act now.
    Critical,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// What an alert asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Look more closely.
    Watch,
    /// No new credit.
    Freeze,
    /// Deduct arrears from the payment account.
    Deduct,
    /// Call the borrower.
    Call,
    /// Offer easier terms.
    Restructure,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMonitor {
    watch: Watch,
    waterfall: Spanned<RawWaterfall>,
    materiality: Option<RawMateriality>,
    #[serde(default)]
    ledger: RawLedger,
    class_from_dpd: Spanned<RawClasses>,
    deduction: Option<RawDeduction>,
    restructure: Option<RawRestructure>,
    #[serde(default)]
    queue: RawQueue,
    #[serde(default)]
    portfolio: RawPortfolio,
    provisions: Option<Spanned<RawProvisions>>,
    #[serde(default)]
    restoration: RawRestoration,
    #[serde(default)]
    drift: RawDrift,
    #[serde(default)]
    officers: RawOfficerTerms,
    hazard: Option<RawHazard>,
    #[serde(rename = "bucket")]
    buckets: Spanned<Vec<Spanned<RawBucket>>>,
    #[serde(rename = "rule", default)]
    rules: Vec<Spanned<BTreeMap<String, Spanned<toml::Value>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClasses {
    special_mention: Spanned<i64>,
    substandard: Spanned<i64>,
    doubtful: Spanned<i64>,
    loss: Spanned<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDeduction {
    receipts_feature: Spanned<String>,
    receipts_days: Spanned<i64>,
    day_receipts_feature: Option<Spanned<String>>,
    receipts_share_ppm: Spanned<i64>,
    min_minor: Spanned<i64>,
    floor_minor: Option<Spanned<i64>>,
    #[serde(default)]
    order: AccountOrder,
    payments_days_older: Option<Spanned<i64>>,
    max_deducted_share: Option<Spanned<f64>>,
    max_released_share: Option<Spanned<f64>>,
    under_way_days: Option<Spanned<i64>>,
    #[serde(default)]
    released_orders_repay: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBucket {
    name: Spanned<String>,
    from_dpd: Spanned<i64>,
    to_dpd: Option<Spanned<i64>>,
}

impl RawDeduction {
    fn check(&self, file: &ConfigFile, feature_uses: &mut FeatureUses) -> Result<DeductionTerms, ConfigError> {
        feature_uses.push(&self.receipts_feature);
        self.day_receipts_feature.iter().for_each(|feature| feature_uses.push(feature));
        Ok(DeductionTerms {
            receipts_feature: self.receipts_feature.get_ref().clone(),
            receipts_days: bounds::days(file, &self.receipts_days, "receipts_days", 1..=3_660)?,
            day_receipts_feature: self.day_receipts_feature.as_ref().map(|f| f.get_ref().clone()),
            receipts_share_ppm: bounds::integer(file, &self.receipts_share_ppm, "receipts_share_ppm", 1..=1_000_000)?,
            min_minor: bounds::integer(file, &self.min_minor, "min_minor", 1..=1_000_000_000)?,
            floor_minor: self
                .floor_minor
                .as_ref()
                .map_or(Ok(0), |floor| bounds::integer(file, floor, "floor_minor", 0..=1_000_000_000))?,
            order: self.order,
            payments_days_older: match &self.payments_days_older {
                None => 0,
                Some(days) => bounds::days(file, days, "payments_days_older", 0..=3_660)?,
            },
            under_way_days: match &self.under_way_days {
                None => UNDER_WAY_DAYS,
                Some(days) => bounds::days(file, days, "under_way_days", 1..=3_660)?,
            },
            released_orders_repay: self.released_orders_repay,
        })
    }
}

impl Monitor {
    /// Reads and checks a monitor file.
    ///
    /// # Errors
    /// Whatever the file holds that is not allowed, with the line.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        Self::check(ConfigFile::open(path)?)
    }

    /// As [`Self::check`], with every unknown key, value of a wrong type and value out of its range at once, and of each part what else is wrong with it.
    ///
    /// # Errors
    /// At least one fault.
    pub fn check_telling_all(file: ConfigFile) -> Result<Self, Vec<ConfigError>> {
        file.check_telling_all::<RawMonitor, Self>(Self::check)
    }

    /// Checks a monitor file that is already in memory.
    ///
    /// # Errors
    /// Whatever the text holds that is not allowed, with the line.
    pub fn check(file: ConfigFile) -> Result<Self, ConfigError> {
        let raw: RawMonitor = file.parse()?;
        let mut feature_uses = FeatureUses::default();
        let waterfall = raw.waterfall.get_ref().check(&file)?;
        let materiality =
            file.part(None, || raw.materiality.as_ref().map(|m| m.check(&file)).transpose())?.unwrap_or_default();
        let (overpayment, unknown_limit, retention) = raw.ledger.check(&file)?;
        let buckets = file.part(Vec::new(), || check_buckets(&file, &raw.buckets))?;
        let classes = check_classes(&file, &raw.class_from_dpd)?;
        let drift = file.part(DriftLimits::default(), || raw.drift.check(&file))?;
        let officers = raw.officers.check(&file)?;
        let hazard = file.part(None, || raw.hazard.as_ref().map(|hazard| hazard.check(&file)).transpose())?;
        let restoration = file.part(RestorationTerms::default(), || raw.restoration.check(&file, &mut feature_uses))?;
        let portfolio = raw.portfolio.check(&file, raw.provisions.as_ref())?;
        let restructure =
            file.part(None, || raw.restructure.as_ref().map(|raw| raw.check(&file, &mut feature_uses)).transpose())?;
        let queue = raw.queue.check(&file)?;
        let deduction =
            file.part(None, || raw.deduction.as_ref().map(|raw| raw.check(&file, &mut feature_uses)).transpose())?;
        let max_deducted_share = raw.deduction.as_ref().and_then(|deduction| deduction.max_deducted_share.as_ref());
        let max_deducted_share = file.part(None, || {
            max_deducted_share.map(|share| bounds::unit(&file, share, "max_deducted_share")).transpose()
        })?;
        let max_released_share = raw.deduction.as_ref().and_then(|deduction| deduction.max_released_share.as_ref());
        let max_released_share = file.part(None, || {
            max_released_share.map(|share| bounds::unit(&file, share, "max_released_share")).transpose()
        })?;
        let unknown_loan =
            unknown_loan::rule().map_err(|e| file.refuse(&(0..0), e.to_string(), "a defect of this program"))?;
        let mut rules: Vec<AlertRule> = Vec::new();
        for raw_rule in &raw.rules {
            let rule = file.part(None, || AlertRule::read(RuleKeys::new(&file, raw_rule, &mut feature_uses)))?;
            let Some(rule) = rule else { continue };
            let at_code = raw_rule.get_ref().get("code").map_or_else(|| raw_rule.span(), Spanned::span);
            if rules.iter().any(|r| r.code == rule.code) {
                let message = format!("alert {:?} is declared twice", rule.code.as_str());
                file.pass_over(file.refuse(&at_code, message, "one [[rule]] a code"), ())?;
            }
            if rule.code == unknown_loan.code {
                let message =
                    format!("alert {UNKNOWN_LOAN_RULE:?} is raised for every loan that is not known, without a rule");
                file.pass_over(file.refuse(&at_code, message, "another code"), ())?;
            }
            if rule.deducts() && raw.deduction.is_none() {
                let message = format!("alert {:?} deducts, but there is no [deduction]", rule.code.as_str());
                file.pass_over(file.refuse(&raw_rule.span(), message, "add [deduction] or choose another action"), ())?;
            }
            if matches!(rule.kind, AlertKind::Hazard { .. }) && raw.hazard.is_none() {
                let message = format!("alert {:?} needs a hazard model, but there is no [hazard]", rule.code.as_str());
                file.pass_over(
                    file.refuse(&raw_rule.span(), message, "add [hazard]; every key of it may be left out"),
                    (),
                )?;
            }
            rules.push(rule);
        }
        Ok(Self {
            watch: raw.watch,
            waterfall,
            materiality,
            overpayment,
            retention,
            unknown_limit,
            no_longer_sent: raw.ledger.no_longer_sent(),
            payments_corrected: file.part(CorrectedPayments::default(), || raw.ledger.payments_corrected(&file))?,
            terms_corrected: raw.ledger.terms_corrected(),
            borrower_corrected: raw.ledger.borrower_corrected(),
            payments_confirmed: file.part(ConfirmedPayments::default(), || raw.ledger.payments_confirmed(&file))?,
            members_no_longer_sent: raw.ledger.members_no_longer_sent(),
            owners_corrected: raw.ledger.owners_corrected(),
            trade_confirmed: raw.ledger.trade_confirmed(),
            buckets,
            classes,
            deduction,
            max_deducted_share,
            max_released_share,
            restructure,
            queue,
            portfolio,
            restoration,
            drift,
            officers,
            hazard,
            rules,
            unknown_loan,
            feature_uses,
            file,
        })
    }

    /// Every rule that is asked: the program's own, then those of the file.
    pub fn all_rules(&self) -> impl Iterator<Item = &AlertRule> {
        std::iter::once(&self.unknown_loan).chain(&self.rules)
    }

    /// Features of which a rule looks at the night before, each once, sorted.
    #[must_use]
    pub fn features_before(&self) -> BTreeSet<&str> {
        let judges = self.rules.iter().filter_map(|rule| match &rule.kind {
            AlertKind::Features(judge) => Some(judge),
            AlertKind::UnknownLoan
            | AlertKind::Arrears { .. }
            | AlertKind::PledgeLoss { .. }
            | AlertKind::Hazard { .. } => None,
        });
        judges.flat_map(|judge| judge.features_before()).collect()
    }

    /// Features that the rules read, each once, sorted.
    #[must_use]
    pub fn features(&self) -> BTreeSet<&str> {
        self.feature_uses.names()
    }

    /// Refuses features that the job does not define.
    ///
    /// # Errors
    /// The first unknown feature, with its line.
    pub fn check_features<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<(), ConfigError> {
        self.feature_uses.check(&self.file, names)
    }

    /// Refusals of all features that the job does not define.
    pub(crate) fn unknown_features<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Vec<ConfigError> {
        self.feature_uses.unknown(&self.file, names)
    }
}

fn check_buckets(file: &ConfigFile, raw: &Spanned<Vec<Spanned<RawBucket>>>) -> Result<Vec<Bucket>, ConfigError> {
    let mut buckets: Vec<Bucket> = Vec::new();
    // The first day past due that no bucket holds yet; `None` once a bucket has no end.
    let mut next = Some(0_i64);
    for bucket in raw.get_ref() {
        let RawBucket { name, from_dpd, to_dpd } = bucket.get_ref();
        if name.get_ref().is_empty() || buckets.iter().any(|b| b.name == *name.get_ref()) {
            let message = format!("bucket {:?} is unnamed or named twice", name.get_ref());
            file.pass_over(file.refuse(&name.span(), message, "a name of its own for each bucket"), ())?;
        }
        if RESERVED_PLACES.contains(&name.get_ref().as_str()) {
            let message = format!("bucket {:?} has the name of a place that is no bucket", name.get_ref());
            let help = format!("a name other than {}", RESERVED_PLACES.join(", "));
            file.pass_over(file.refuse(&name.span(), message, help), ())?;
        }
        let from = *from_dpd.get_ref();
        match next {
            Some(expected) if from == expected => {}
            Some(expected) if from > expected => {
                let message = format!("no bucket holds {expected} to {} days past due", from - 1);
                return Err(file.refuse(&from_dpd.span(), message, format!("from_dpd = {expected}")));
            }
            Some(expected) => {
                let message = format!("bucket {:?} overlaps the one before it", name.get_ref());
                return Err(file.refuse(&from_dpd.span(), message, format!("from_dpd = {expected}")));
            }
            None => {
                let message = format!("bucket {:?} comes after one without an end", name.get_ref());
                return Err(file.refuse(&bucket.span(), message, "only the last bucket has no to_dpd"));
            }
        }
        let to = match to_dpd {
            None => None,
            Some(to) => Some(bounds::integer(file, to, "to_dpd", from..=36_600)?),
        };
        next = to.map(|t| t + 1);
        buckets.push(Bucket { name: name.get_ref().clone(), from_dpd: from, to_dpd: to });
    }
    match next {
        None => Ok(buckets),
        Some(expected) => {
            let message = format!("no bucket holds {expected} and more days past due");
            Err(file.refuse(&raw.span(), message, "leave to_dpd out of the last [[bucket]]"))
        }
    }
}

fn check_classes(file: &ConfigFile, raw: &Spanned<RawClasses>) -> Result<ClassThresholds, ConfigError> {
    let classes = raw.get_ref();
    let mut least = 1;
    let mut next = |value: &Spanned<i64>, key: &str| -> Result<i64, ConfigError> {
        if *value.get_ref() < least {
            let message = format!("{key} = {} overlaps the class before it", value.get_ref());
            file.pass_over(file.refuse(&value.span(), message, format!("{least} or more")), ())?;
        }
        let from = bounds::integer(file, value, key, 1..=3_660)?;
        least = from + 1;
        Ok(from)
    };
    Ok(ClassThresholds {
        special_mention_from_dpd: next(&classes.special_mention, "special_mention")?,
        substandard_from_dpd: next(&classes.substandard, "substandard")?,
        doubtful_from_dpd: next(&classes.doubtful, "doubtful")?,
        loss_from_dpd: next(&classes.loss, "loss")?,
    })
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
