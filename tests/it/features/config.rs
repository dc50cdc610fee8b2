//! What the feature files that ship hold, and what is refused.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use integrity::config::{ConfigError, ConfigFile};
use integrity::features::dictionary_markdown;
use integrity::features::{FeatureConfig, Group};

fn shipped(pipeline: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(pipeline).join("features.toml")
}

#[test]
fn shipped_files_are_good_and_cover_their_groups() {
    for (pipeline, least, groups) in [("demo", 60, 9), ("olist", 35, 7)] {
        let config = FeatureConfig::open(&shipped(pipeline)).unwrap_or_else(|e| panic!("{e}"));
        assert!(config.features.len() >= least, "{pipeline} has {} features", config.features.len());
        let held: BTreeSet<Group> = config.features.iter().map(|f| f.group).collect();
        assert_eq!(held.len(), groups, "{pipeline}: {held:?}");
        assert!(config.feature("integrity_capital_minor").is_some_and(|f| f.group == Group::Capital));
        assert!(config.measure("net_receipts").is_some());
        let unread: Vec<&str> = (0..config.measures.len())
            .filter(|id| config.forms(*id) == integrity::tiles::Forms::default())
            .map(|id| config.measures[id].name.as_str())
            .collect();
        assert!(unread.is_empty(), "{pipeline}: no feature reads {unread:?}");
        let dictionary = dictionary_markdown(&config);
        assert!(config.features.iter().all(|f| dictionary.contains(&format!("| `{}` |", f.name))));
    }
}

const GOOD: &str = r#"[[measure]]
name = "orders"
table = "orders"
at = "placed_at"

[[measure]]
name = "stock"
table = "inventory"
at = "on"
value = "stock_value_minor"

[[feature]]
name = "orders_count_90d"
kind = "sum"
measure = "orders"
window_days = 90
group = "trade"
direction = "higher-safer"
unit = "count"
why = "w"
source = "s"

[label]
name = "l"
before_days = 90
eligible = "orders_before > 5"
outcome = "orders_after < orders_before"
why = "w"
"#;

fn parse(text: &str) -> Result<FeatureConfig, ConfigError> {
    FeatureConfig::from_files(&[ConfigFile::from_text(Path::new("f.toml"), text)])
}

#[test]
fn what_is_wrong_is_refused_with_its_line() {
    parse(GOOD).unwrap();
    // (line that goes, what comes, line the error names, what it says, what help says)
    for (from, to, line, message, help) in [
        ("table = \"orders\"", "table = \"order\"", 3, "unknown table", "shipments"),
        ("at = \"placed_at\"", "at = \"amount_minor\"", 4, "not a date or instant", "completed_at"),
        ("at = \"placed_at\"", "at = \"placed_at\"\nwhere = \"amont > 1\"", 5, "unknown column", "amount_minor"),
        ("at = \"placed_at\"", "at = \"placed_at\"\nwhere = \"amount_minor >\"", 5, "not an SQL expression", "WHERE"),
        ("at = \"placed_at\"", "at = \"placed_at\"\nwhere = \"amount_minor\"", 5, "not true or false", "predicate"),
        (
            "at = \"placed_at\"",
            "at = \"placed_at\"\nvalue = \"amount_minor / 2\"",
            5,
            "not a whole number",
            "no division",
        ),
        ("at = \"placed_at\"", "at = \"placed_at\"\nneeds = [\"dispute\"]", 5, "not a contract table", "disputes"),
        ("at = \"placed_at\"", "at = \"placed_at\"\nsuspect = \"maybe\"", 5, "maybe", ""),
        ("at = \"on\"", "at = \"on\"\nsuspect = \"only\"", 10, "not judged", "orders"),
        ("name = \"stock\"", "name = \"orders\"", 7, "twice", "once"),
        ("name = \"stock\"", "name = \"Stock\"", 7, "cannot name a column", "lowercase"),
        ("kind = \"sum\"", "kind = \"some\"", 14, "not allowed", "lowest-period"),
        ("measure = \"orders\"", "measure = \"order\"", 15, "not allowed", "stock"),
        ("window_days = 90", "window_days = 0", 16, "not allowed", "3660"),
        ("window_days = 90", "window_days = 30", 13, "does not say so", "30d"),
        ("window_days = 90", "", 12, "window_days is missing", "window_days = 90"),
        ("window_days = 90", "window_days = 90\nquantile = 0.5", 17, "takes no key \"quantile\"", "maturity_days"),
        ("group = \"trade\"", "group = \"trades\"", 17, "not allowed", "fulfilment"),
        ("unit = \"count\"", "unit = \"minor\"", 13, "does not say so", "minor"),
        ("source = \"s\"", "", 12, "source is missing", ""),
        ("eligible = \"orders_before > 5\"", "eligible = \"orders_after > 5\"", 26, "unknown column", "orders_before"),
        (
            "outcome = \"orders_after < orders_before\"",
            "outcome = \"order_after < 5\"",
            27,
            "unknown column",
            "orders_after",
        ),
        ("before_days = 90\n", "before_days = 90\nafter_days = 90\n", 26, "unknown field", ""),
        ("[label]", "[authenticity.burst]\nmin_order = 3\n[label]", 24, "no knob", "burst.min_orders"),
        ("[label]", "[authenticity.burst]\nmin_orders = 0\n[label]", 24, "not allowed", "whole number from 1"),
        ("[label]", "[authenticity.burst]\nmin_orders = 2.5\n[label]", 24, "not allowed", "whole number"),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let error = parse(&text).err().unwrap_or_else(|| panic!("{to} passed"));
        assert!(error.message.contains(message) && error.help.contains(help), "{to}: {error}");
        assert_eq!(error.line, line, "{to}: {error}");
    }
}

#[test]
fn a_folder_is_one_set_in_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    let (measures, rest) = GOOD.split_at(GOOD.find("[[feature]]").unwrap());
    std::fs::write(folder.path().join("b.toml"), rest).unwrap();
    std::fs::write(folder.path().join("a.toml"), measures).unwrap();
    std::fs::write(folder.path().join("notes.md"), "no configuration").unwrap();
    let config = FeatureConfig::open(folder.path()).unwrap();
    assert_eq!(config.features.len(), 1);
    assert_eq!(config.digest, FeatureConfig::open(folder.path()).unwrap().digest);

    std::fs::write(folder.path().join("c.toml"), measures).unwrap();
    let error = FeatureConfig::open(folder.path()).unwrap_err();
    assert!(error.path.ends_with("c.toml") && error.message.contains("twice"), "{error}");

    std::fs::remove_file(folder.path().join("c.toml")).unwrap();
    std::fs::remove_file(folder.path().join("b.toml")).unwrap();
    assert!(FeatureConfig::open(folder.path()).unwrap_err().message.contains("no [[feature]]"));
    let empty = tempfile::tempdir().unwrap();
    assert!(FeatureConfig::open(empty.path()).unwrap_err().message.contains("no *.toml"));
}
