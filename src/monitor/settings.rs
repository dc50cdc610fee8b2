//! The monitor file: how loans are read, how lateness is classed, what raises an alert and what may be deducted.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::rules::unknown_loan::UNKNOWN_LOAN_RULE;
use crate::config::{ConfigError, ConfigFile, bounds};
use crate::domain::ReasonCode;
use crate::features::FeatureUses;
use crate::repayment::{
    Materiality, Overpayment, RawLedger, RawMateriality, RawWaterfall, Retention, UnknownLimit, Waterfall,
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
    /// Buckets of days past due, from 0 up, without gap or overlap; the last has no end.
    pub buckets: Vec<Bucket>,
    /// Regulatory classes of lateness.
    pub classes: ClassThresholds,
    /// What may be deducted; `None` deducts nothing.
    pub deduction: Option<DeductionTerms>,
    /// Alert rules in file order.
    pub rules: Vec<AlertRule>,
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

/// What may be deducted from a merchant's payment account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeductionTerms {
    /// Feature that holds what the account took in over a window, in minor units.
    pub receipts_feature: String,
    /// Days of that window.
    pub receipts_days: u16,
    /// The most that is taken a night of what an average day took in, over all loans of the merchant, in parts per million.
    pub receipts_share_ppm: i64,
    /// Smaller sums are not worth a deduction.
    pub min_minor: i64,
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

/// One alert rule.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRule {
    /// Stable code.
    pub code: ReasonCode,
    /// What it means, in words.
    pub text: String,
    /// How grave it is.
    pub severity: Severity,
    /// What it asks for.
    pub action: Action,
    /// What it looks at.
    pub kind: AlertKind,
}

/// What an alert rule looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum AlertKind {
    /// A loan is so many days past due.
    Arrears {
        /// From which days past due.
        from_dpd: i64,
    },
    /// Trade has fallen against the merchant's own past.
    TradeDrop {
        /// Trend of trade, −1 to 1: `(r − e) ÷ (r + e)` of a recent day and an earlier one.
        trend: String,
        /// Trade over a window, for the size below which a trend is noise.
        usual: String,
        /// Smallest such trade.
        min_usual: f64,
        /// Share of the earlier trade that has gone, 0 to 1, from which the rule fires.
        drop_share: f64,
    },
    /// Disputes are frequent, and far more so than before.
    DisputeSpike {
        /// Share of orders that end in a dispute.
        share: String,
        /// Trend of disputes opened, −1 to 1.
        trend: String,
        /// Share from which the rule may fire.
        from_share: f64,
        /// Trend from which it does: ⅓ is twice as many as before.
        from_trend: f64,
    },
    /// Orders wait beyond their day and pile up.
    ShippingStall {
        /// Orders that should have been handed over.
        overdue: String,
        /// All orders that wait, against the orders of a window.
        backlog: String,
        /// Overdue orders from which the rule fires.
        from_overdue: f64,
        /// Backlog that there must be as well.
        from_backlog: f64,
    },
    /// A single feature beyond a threshold: reviews, authenticity and whatever an analyst defines.
    Feature {
        /// The feature.
        feature: String,
        /// Fires at or above.
        from: Option<f64>,
        /// Fires at or below.
        to: Option<f64>,
    },
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
    #[serde(rename = "bucket")]
    buckets: Spanned<Vec<Spanned<RawBucket>>>,
    #[serde(rename = "rule", default)]
    rules: Vec<Spanned<RawRule>>,
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
    receipts_share_ppm: Spanned<i64>,
    min_minor: Spanned<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBucket {
    name: Spanned<String>,
    from_dpd: Spanned<i64>,
    to_dpd: Option<Spanned<i64>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum RawKind {
    Arrears,
    TradeDrop,
    DisputeSpike,
    ShippingStall,
    Feature,
}

impl RawKind {
    /// The keys that a rule of the kind takes, beside `kind`, `code`, `text`, `severity` and `action`.
    const fn keys(self) -> &'static str {
        match self {
            Self::Arrears => "from_dpd",
            Self::TradeDrop => "trend, usual, min_usual, drop_share",
            Self::DisputeSpike => "share, trend, from_share, from_trend",
            Self::ShippingStall => "overdue, backlog, from_overdue, from_backlog",
            Self::Feature => "feature, and from or to",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    kind: RawKind,
    code: Spanned<String>,
    text: Spanned<String>,
    severity: Severity,
    action: Action,
    from_dpd: Option<Spanned<i64>>,
    trend: Option<Spanned<String>>,
    usual: Option<Spanned<String>>,
    min_usual: Option<Spanned<f64>>,
    drop_share: Option<Spanned<f64>>,
    share: Option<Spanned<String>>,
    from_share: Option<Spanned<f64>>,
    from_trend: Option<Spanned<f64>>,
    overdue: Option<Spanned<String>>,
    backlog: Option<Spanned<String>>,
    from_overdue: Option<Spanned<f64>>,
    from_backlog: Option<Spanned<f64>>,
    feature: Option<Spanned<String>>,
    from: Option<Spanned<f64>>,
    to: Option<Spanned<f64>>,
}

impl Monitor {
    /// Reads and checks a monitor file.
    ///
    /// # Errors
    /// Whatever the file holds that is not allowed, with the line.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        Self::check(ConfigFile::open(path)?)
    }

    /// Checks a monitor file that is already in memory.
    ///
    /// # Errors
    /// Whatever the text holds that is not allowed, with the line.
    pub fn check(file: ConfigFile) -> Result<Self, ConfigError> {
        let raw: RawMonitor = file.parse()?;
        let mut feature_uses = FeatureUses::default();
        let waterfall = raw.waterfall.get_ref().check(&file)?;
        let materiality = raw.materiality.as_ref().map(|m| m.check(&file)).transpose()?.unwrap_or_default();
        let (overpayment, unknown_limit, retention) = raw.ledger.check(&file)?;
        let buckets = check_buckets(&file, &raw.buckets)?;
        let classes = check_classes(&file, &raw.class_from_dpd)?;
        let deduction = match &raw.deduction {
            None => None,
            Some(deduction) => {
                feature_uses.push(&deduction.receipts_feature);
                Some(DeductionTerms {
                    receipts_feature: deduction.receipts_feature.get_ref().clone(),
                    receipts_days: bounds::days(&file, &deduction.receipts_days, "receipts_days", 1..=3_660)?,
                    receipts_share_ppm: bounds::integer(
                        &file,
                        &deduction.receipts_share_ppm,
                        "receipts_share_ppm",
                        1..=1_000_000,
                    )?,
                    min_minor: bounds::integer(&file, &deduction.min_minor, "min_minor", 1..=1_000_000_000)?,
                })
            }
        };
        let mut rules: Vec<AlertRule> = Vec::new();
        for rule in &raw.rules {
            let checked = check_rule(&file, rule, &mut feature_uses)?;
            if rules.iter().any(|r| r.code == checked.code) {
                let message = format!("alert {:?} is declared twice", checked.code.as_str());
                return Err(file.refuse(&rule.get_ref().code.span(), message, "one [[rule]] a code"));
            }
            if checked.code.as_str() == UNKNOWN_LOAN_RULE {
                let message =
                    format!("alert {UNKNOWN_LOAN_RULE:?} is raised for every loan that is not known, without a rule");
                return Err(file.refuse(&rule.get_ref().code.span(), message, "another code"));
            }
            if checked.action == Action::Deduct && deduction.is_none() {
                let message = format!("alert {:?} deducts, but there is no [deduction]", checked.code.as_str());
                return Err(file.refuse(&rule.span(), message, "add [deduction] or choose another action"));
            }
            rules.push(checked);
        }
        Ok(Self {
            watch: raw.watch,
            waterfall,
            materiality,
            overpayment,
            retention,
            unknown_limit,
            no_longer_sent: raw.ledger.no_longer_sent(),
            buckets,
            classes,
            deduction,
            rules,
            feature_uses,
            file,
        })
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
}

fn check_buckets(file: &ConfigFile, raw: &Spanned<Vec<Spanned<RawBucket>>>) -> Result<Vec<Bucket>, ConfigError> {
    let mut buckets: Vec<Bucket> = Vec::new();
    // The first day past due that no bucket holds yet; `None` once a bucket has no end.
    let mut next = Some(0_i64);
    for bucket in raw.get_ref() {
        let RawBucket { name, from_dpd, to_dpd } = bucket.get_ref();
        if name.get_ref().is_empty() || buckets.iter().any(|b| b.name == *name.get_ref()) {
            let message = format!("bucket {:?} is unnamed or named twice", name.get_ref());
            return Err(file.refuse(&name.span(), message, "a name of its own for each bucket"));
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
            return Err(file.refuse(&value.span(), message, format!("{least} or more")));
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

fn check_rule(
    file: &ConfigFile,
    raw: &Spanned<RawRule>,
    feature_uses: &mut FeatureUses,
) -> Result<AlertRule, ConfigError> {
    let rule = raw.get_ref();
    let code = ReasonCode::new(rule.code.get_ref())
        .map_err(|e| file.refuse(&rule.code.span(), e.to_string(), "for example code = \"trade-drop\""))?;
    let text = bounds::text(file, &rule.text, "text")?;
    let wrong_keys = || {
        let message = format!("rule {:?} lacks a key of its kind or has one of another", rule.code.get_ref());
        file.refuse(&raw.span(), message, format!("this kind takes {}", rule.kind.keys()))
    };
    if rule.count() != rule.kind_count() {
        return Err(wrong_keys());
    }
    let mut name = |value: &Option<Spanned<String>>| -> Result<String, ConfigError> {
        let value = value.as_ref().ok_or_else(wrong_keys)?;
        feature_uses.push(value);
        Ok(value.get_ref().clone())
    };
    let number = |value: &Option<Spanned<f64>>, key: &str, low: f64, high: f64| -> Result<f64, ConfigError> {
        bounds::finite(file, value.as_ref().ok_or_else(wrong_keys)?, key, low..=high)
    };
    let whole = |value: &Option<Spanned<i64>>, key: &str, low: i64, high: i64| -> Result<i64, ConfigError> {
        bounds::integer(file, value.as_ref().ok_or_else(wrong_keys)?, key, low..=high)
    };
    let kind = match rule.kind {
        RawKind::Arrears => AlertKind::Arrears { from_dpd: whole(&rule.from_dpd, "from_dpd", 1, 3_660)? },
        RawKind::TradeDrop => AlertKind::TradeDrop {
            trend: name(&rule.trend)?,
            usual: name(&rule.usual)?,
            min_usual: number(&rule.min_usual, "min_usual", 1.0, f64::MAX)?,
            drop_share: number(&rule.drop_share, "drop_share", 0.01, 1.0)?,
        },
        RawKind::DisputeSpike => AlertKind::DisputeSpike {
            share: name(&rule.share)?,
            trend: name(&rule.trend)?,
            from_share: number(&rule.from_share, "from_share", 0.000_1, 1.0)?,
            from_trend: number(&rule.from_trend, "from_trend", -1.0, 1.0)?,
        },
        RawKind::ShippingStall => AlertKind::ShippingStall {
            overdue: name(&rule.overdue)?,
            backlog: name(&rule.backlog)?,
            from_overdue: number(&rule.from_overdue, "from_overdue", 1.0, f64::MAX)?,
            from_backlog: number(&rule.from_backlog, "from_backlog", 0.0, f64::MAX)?,
        },
        RawKind::Feature => {
            let bound = |value: &Option<Spanned<f64>>, key: &str| {
                value.as_ref().map(|v| bounds::finite(file, v, key, f64::MIN..=f64::MAX)).transpose()
            };
            let (from, to) = (bound(&rule.from, "from")?, bound(&rule.to, "to")?);
            if from.is_some() == to.is_some() {
                return Err(wrong_keys());
            }
            AlertKind::Feature { feature: name(&rule.feature)?, from, to }
        }
    };
    if rule.action == Action::Deduct && !matches!(kind, AlertKind::Arrears { .. }) {
        let message = format!("rule {:?} deducts without arrears", rule.code.get_ref());
        return Err(file.refuse(&raw.span(), message, "only kind = \"arrears\" may deduct"));
    }
    Ok(AlertRule { code, text, severity: rule.severity, action: rule.action, kind })
}

impl RawRule {
    /// Keys of any kind that are given.
    fn count(&self) -> usize {
        let numbers = [&self.min_usual, &self.drop_share, &self.from_share, &self.from_trend];
        let more = [&self.from_overdue, &self.from_backlog, &self.from, &self.to];
        let names = [&self.trend, &self.usual, &self.share, &self.overdue, &self.backlog, &self.feature];
        numbers.iter().chain(&more).filter(|v| v.is_some()).count()
            + names.iter().filter(|v| v.is_some()).count()
            + usize::from(self.from_dpd.is_some())
    }

    /// How many keys the kind takes; each is then asked for by name.
    const fn kind_count(&self) -> usize {
        match self.kind {
            RawKind::Arrears => 1,
            RawKind::TradeDrop | RawKind::DisputeSpike | RawKind::ShippingStall => 4,
            RawKind::Feature => 2,
        }
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
