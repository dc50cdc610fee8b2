//! How a job's models are trained and accepted: the section `[model]` of the job file.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};

/// A model that barely tells good from bad is not a model to lend by.
const APPROVE_MIN_AUC: f64 = 0.6;

/// So many rows settle a scorecard of any marketplace.
const MOST_LEARNT_ROWS: u64 = 300_000;

/// What the willingness model learns to foresee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelKind {
    /// Days past due in the loan book reach the product's default threshold within the performance window.
    LoanDefault,
    /// The outcome predicate of the feature file, for lenders without a loan book.
    TradeDistress,
}

impl LabelKind {
    /// As the job file has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoanDefault => "loan-default",
            Self::TradeDistress => "trade-distress",
        }
    }
}

/// How the willingness and ability models are trained and accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelSettings {
    /// Folder below `models`.
    pub name: String,
    /// Takes this version only; `None` takes the latest approved one that fits.
    pub version: Option<String>,
    /// What makes a merchant bad.
    pub label: LabelKind,
    /// Measure whose sum over the next window the ability model foresees: net receipts.
    pub ability_measure: String,
    /// Days of future that decide a label.
    pub performance_days: u16,
    /// Days between snapshots.
    pub snapshot_every_days: u16,
    /// Snapshots taken, counted back from the last one whose performance window has closed.
    pub snapshots: u16,
    /// How many of the latest snapshots are the out-of-time test.
    pub test_snapshots: u16,
    /// Labelled merchant snapshots that are learnt from or measured on, about at most, and borrowers' nights of the hazard model: of a larger
    /// marketplace a part of the merchants is looked at.
    pub most_learnt_rows: u64,
    /// Who approves a model that the run itself trained; `None` leaves it unapproved, and the run stops with 80.
    pub approve_as: Option<String>,
    /// What the lower end of the out-of-time AUC's interval must reach for that; below it a person has to approve.
    pub approve_min_auc: f64,
    /// Days after training until the model expires.
    pub expires_after_days: u16,
}

impl ModelSettings {
    /// Settings that tests start from.
    #[cfg(test)]
    pub(super) fn fixture() -> Self {
        Self {
            name: "m".to_owned(),
            version: None,
            label: LabelKind::LoanDefault,
            ability_measure: "net_receipts".to_owned(),
            performance_days: 90,
            snapshot_every_days: 30,
            snapshots: 6,
            test_snapshots: 2,
            most_learnt_rows: 300_000,
            approve_as: Some("a job".to_owned()),
            approve_min_auc: 0.6,
            expires_after_days: 90,
        }
    }

    /// The settings that change what is trained, as text. What only says which version is taken, or who approves it and for how long, is
    /// left out: it may change under the same model.
    #[must_use]
    pub fn trained_under(&self) -> String {
        // Every field is named: a new one does not compile until it is decided whether it changes what is trained.
        let Self {
            name: _,
            version: _,
            approve_as: _,
            approve_min_auc: _,
            expires_after_days: _,
            label,
            ability_measure,
            performance_days,
            snapshot_every_days,
            snapshots,
            test_snapshots,
            most_learnt_rows,
        } = self;
        let label = label.name();
        let mut text = format!(
            "label = {label}\nability_measure = {ability_measure}\nperformance_days = {performance_days}\n\
             snapshot_every_days = {snapshot_every_days}\nsnapshots = {snapshots}\ntest_snapshots = {test_snapshots}\n"
        );
        // Left out, it is not written: models from before there was such a key still fit.
        if *most_learnt_rows != MOST_LEARNT_ROWS {
            text = format!("{text}most_learnt_rows = {most_learnt_rows}\n");
        }
        text
    }
}

/// `[model]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::run) struct RawModel {
    name: Spanned<String>,
    version: Option<Spanned<String>>,
    pub(in crate::run) label: Spanned<LabelKind>,
    pub(in crate::run) ability_measure: Spanned<String>,
    performance_days: Spanned<i64>,
    snapshot_every_days: Spanned<i64>,
    snapshots: Spanned<i64>,
    test_snapshots: Spanned<i64>,
    most_learnt_rows: Option<Spanned<i64>>,
    approve_as: Option<String>,
    approve_min_auc: Option<Spanned<f64>>,
    expires_after_days: Spanned<i64>,
}

/// `[model]` in the reference.
pub(in crate::run) static MODEL_KEYS: Section = Section {
    head: "[model]",
    doc: "How the models of willingness and ability are trained and accepted.",
    keys: &[
        Key::new("name", "word", "\"olist-willingness\"", "folder below `models`"),
        Key::new("version", "word", "\"2025-07-01-0123456789ab\"", "takes this version only")
            .or("the latest approved one that fits"),
        Key::new(
            "label",
            "word",
            "\"trade-distress\"",
            "what makes a merchant bad: days past due in the loan book, or the outcome predicate of the feature file",
        )
        .range("loan-default, trade-distress"),
        Key::new(
            "ability_measure",
            "word",
            "\"net_receipts\"",
            "the measure whose sum over the next window the ability model foresees",
        )
        .range("a [[measure]] of the feature file"),
        Key::new(
            "performance_days",
            "whole number",
            "90",
            "how much of the future decides a label; `pd_horizon_days` of the policy must be the same",
        )
        .unit("days")
        .range("7 to 730"),
        Key::new("snapshot_every_days", "whole number", "30", "time between snapshots").unit("days").range("1 to 365"),
        Key::new(
            "snapshots",
            "whole number",
            "9",
            "snapshots taken, counted back from the last one whose performance window has closed",
        )
        .range("2 to 120"),
        Key::new("test_snapshots", "whole number", "2", "how many of the latest are the out-of-time test")
            .range("1 to 60, less than snapshots"),
        Key::new(
            "most_learnt_rows",
            "whole number",
            "1000000",
            "how many labelled merchants, over all snapshots, are learnt from, about at most, and borrowers over all nights of the hazard model: \
             of a larger marketplace a part of the merchants, chosen by hash, stands for all",
        )
        .range("100 to 10^9")
        .or("300000"),
        Key::new(
            "approve_as",
            "text",
            "\"credit committee, minutes of 3 May\"",
            "who approves a model that the night itself trained",
        )
        .or("nobody: the night stops with 80 until `integrity approve`"),
        Key::new(
            "approve_min_auc",
            "number",
            "0.6",
            "what the lower end of the out-of-time AUC's interval must reach for that",
        )
        .range("0 to 1")
        .or("0.6"),
        Key::new("expires_after_days", "whole number", "365", "how long a model may be used")
            .unit("days")
            .range("1 to 3660"),
    ],
};

/// Checks the section.
pub(in crate::run) fn check_model(file: &ConfigFile, raw: &RawModel) -> Result<ModelSettings, ConfigError> {
    let before = file.noted_count();
    let settings = ModelSettings {
        name: bounds::slug(file, &raw.name, "model.name")?,
        version: raw.version.as_ref().map(|v| bounds::slug(file, v, "model.version")).transpose()?,
        label: *raw.label.get_ref(),
        ability_measure: raw.ability_measure.get_ref().clone(),
        performance_days: bounds::whole(file, &raw.performance_days, "performance_days", 7..731)?,
        snapshot_every_days: bounds::whole(file, &raw.snapshot_every_days, "snapshot_every_days", 1..366)?,
        snapshots: bounds::whole(file, &raw.snapshots, "snapshots", 2..121)?,
        test_snapshots: bounds::whole(file, &raw.test_snapshots, "test_snapshots", 1..61)?,
        most_learnt_rows: match &raw.most_learnt_rows {
            Some(rows) => bounds::integer(file, rows, "most_learnt_rows", 100..=1_000_000_000)?.unsigned_abs(),
            None => MOST_LEARNT_ROWS,
        },
        approve_as: raw.approve_as.clone(),
        approve_min_auc: raw
            .approve_min_auc
            .as_ref()
            .map_or(Ok(APPROVE_MIN_AUC), |auc| bounds::unit(file, auc, "approve_min_auc"))?,
        expires_after_days: bounds::whole(file, &raw.expires_after_days, "expires_after_days", 1..3_661)?,
    };
    file.part_since(before, (), || {
        if settings.test_snapshots < settings.snapshots {
            return Ok(());
        }
        let message = format!("test_snapshots = {} leaves no snapshot to train on", settings.test_snapshots);
        Err(file.refuse(&raw.test_snapshots.span(), message, format!("less than snapshots = {}", settings.snapshots)))
    })?;
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_chooses_or_approves_is_no_part_of_what_is_trained() {
        let one = ModelSettings::fixture();
        let chosen = ModelSettings {
            version: Some("v".to_owned()),
            approve_as: None,
            approve_min_auc: 0.9,
            expires_after_days: 7,
            ..ModelSettings::fixture()
        };
        assert_eq!(one.trained_under(), chosen.trained_under());
        let other = [
            ModelSettings { label: LabelKind::TradeDistress, ..ModelSettings::fixture() },
            ModelSettings { ability_measure: "gmv".to_owned(), ..ModelSettings::fixture() },
            ModelSettings { performance_days: 91, ..ModelSettings::fixture() },
            ModelSettings { snapshot_every_days: 31, ..ModelSettings::fixture() },
            ModelSettings { snapshots: 7, ..ModelSettings::fixture() },
            ModelSettings { test_snapshots: 3, ..ModelSettings::fixture() },
            ModelSettings { most_learnt_rows: 1_000, ..ModelSettings::fixture() },
        ];
        assert!(other.iter().all(|o| o.trained_under() != one.trained_under()));
    }
}
