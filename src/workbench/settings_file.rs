//! A file of training settings, for tables that an analyst brings.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, ConfigFile};
use crate::model::TrainSettings;
use crate::model::table::Direction;

/// What `train --settings` reads: how to train, and what is expected of some columns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SettingsFile {
    /// What is known of a column before any data is seen: binning and points are held to it.
    pub directions: BTreeMap<String, Direction>,
    /// Settings of training; those left out keep their defaults.
    pub training: TrainSettings,
}

impl SettingsFile {
    /// Reads a file. Values are checked when training begins, with what the command line adds.
    ///
    /// # Errors
    /// The file cannot be read; a key that is not known, a value of another type, with their line.
    pub fn open(path: &Path) -> Result<Self, ConfigError> {
        ConfigFile::open(path)?.parse()
    }

    /// All settings with their defaults and what they mean, to begin from.
    ///
    /// # Errors
    /// Never in practice: the defaults have no value that TOML lacks.
    pub fn template() -> Result<String, toml::ser::Error> {
        let mut text = String::new();
        for line in toml::to_string(&Self::default())?.lines() {
            let key = line.split(" =").next().unwrap_or_default();
            if let Some((_, words)) = MEANINGS.iter().find(|(of, _)| *of == key) {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "# {words}");
            }
            text.push_str(line);
            text.push('\n');
        }
        Ok(text)
    }
}

/// What each table and key means, in the words of an analyst.
const MEANINGS: [(&str, &str); 36] = [
    (
        "[directions]",
        "What is known of a column beforehand: column = \"higher-safer\" or \"lower-safer\". Bins and points are held to it.",
    ),
    ("[training]", "Selecting and fitting."),
    ("specials", "Numbers with a meaning of their own, such as -9: each has a bin."),
    ("max_missing_share", "Share of the training rows that may have no value."),
    (
        "max_stability_index",
        "Population stability index between the earlier and the later half of the training rows, above which a column leaves (with --time).",
    ),
    ("min_iv", "Information value a column needs."),
    ("max_correlation", "Of two columns whose weights of evidence correlate above this, one leaves."),
    ("max_vif", "Variance inflation above which a column leaves."),
    ("max_variables", "Variables in the card at most."),
    ("force_in", "Columns that enter whatever these figures and rows not seen say of them."),
    ("min_points_range", "Points that a variable's best and worst bin must differ by."),
    (
        "members",
        "Cards whose points are averaged, 5 to 200: all of them up to 8,000 training rows, fewer beyond, down to half.",
    ),
    (
        "member_rows",
        "Rows that members share and are tested on, at most; beyond them each is fitted to no more than twice as many, and all are cut on all rows.",
    ),
    ("max_tables", "Two-variable tables at most; 0 searches none."),
    (
        "calibration",
        "Maps from score to PD to choose from out of sample: identity, platt, beta, isotonic. The last may give near scores one PD.",
    ),
    ("pd_floor", "Lowest probability of default that is ever stated."),
    ("margin_confidence", "Confidence of the margin of conservatism in the bands' stated PDs."),
    ("missing_is_never_good", "Missing values never earn more than the average row."),
    ("merge_below_rows", "Bins of missing or special values with fewer rows share the regular bin nearest in risk."),
    ("seed", "Seed of the split and of the members' parts."),
    ("[training.binning]", "Cutting. A p-value limit between neighbours is off; max_p_value = 0.05 sets it."),
    ("pre_binning", "How fine cells are found: quantile, uniform or tree."),
    (
        "max_cells",
        "Fine cells at most, 2 to 200; more than 40 only where each holds twice the rows that max_log_odds_error asks for.",
    ),
    ("objective", "What a partition maximises: iv, gini or chi-square."),
    (
        "trend",
        "Shape of the event rate: ascending, descending, monotone (either way), peak, valley, none or auto. A direction goes first.",
    ),
    ("min_bins", "Bins at least."),
    ("max_bins", "Bins at most; more than 10 only where each holds twice the rows that max_log_odds_error asks for."),
    (
        "min_size_share",
        "Share of the column's rows that a bin must hold, where that is less than what max_log_odds_error asks for.",
    ),
    (
        "max_log_odds_error",
        "Standard error that a bin's log odds may have: so many rows are enough for one. 0: shares alone count, and max_cells and max_bins hold for any size.",
    ),
    ("min_events", "Bad rows that a bin must hold."),
    ("min_non_events", "Good rows that a bin must hold."),
    ("min_rate_difference", "Least difference of event rates between neighbours."),
    ("smoothing", "Rows at the overall event rate that are added to a bin before its weight of evidence is taken."),
    ("min_level_rows", "Rows that a text level needs to stand alone; rarer ones are pooled."),
    (
        "[training.scaling]",
        "The score: base_score stands for odds good : bad of base_odds : 1, and pdo points more double them.",
    ),
    ("base_score", "A higher score is safer."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_says_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let text = SettingsFile::template().unwrap();
        std::fs::write(&path, &text).unwrap();
        assert_eq!(SettingsFile::open(&path).unwrap(), SettingsFile::default());
        for (of, words) in MEANINGS {
            assert!(text.contains(&format!("# {words}\n{of}")), "{of} is not a setting any more");
        }
        let explained = text.lines().filter(|l| l.starts_with('#')).count();
        let keys = text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).count();
        // Two keys of the scale are explained with their table.
        assert_eq!(explained + 2, keys, "a setting has no meaning:\n{text}");
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        std::fs::write(&path, "[training]\nmembers = 16\nmax_variable = 3\n").unwrap();
        let error = SettingsFile::open(&path).unwrap_err().to_string();
        assert!(error.contains("settings.toml:3: unknown field `max_variable`"), "{error}");
    }
}
