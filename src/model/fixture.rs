//! A small scorecard with everything that is awkward: hostile names and levels, special values, empty bins, a two-variable table.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::domain::Digest;
use crate::model::binning::{Bin, BinKind, BinRole, Bins, Trend};
use crate::model::calibration::{Calibration, CalibrationMap};
use crate::model::registry::{Bundle, Manifest, Origin};
use crate::model::{Band, PairTable, Scaling, Scorecard, ScoredVariable};

pub(crate) const NUMBER: &str = "gross \"margin\", 90d\n-- x";
pub(crate) const LEVEL: &str = "città's";
pub(crate) const PLAIN: &str = "age";

fn bin(label: &str, role: BinRole, rows: f64, bad: f64, woe: f64) -> Bin {
    Bin { label: label.to_owned(), role, rows, bad, woe }
}

fn variable(bins: Bins, points: &[i32]) -> ScoredVariable {
    ScoredVariable {
        code: crate::model::reason_code(&bins.name, 0),
        log_odds: points.iter().map(|p| f64::from(*p) / 57.7).collect(),
        points: points.to_vec(),
        reference_points: 0,
        bins,
    }
}

/// Three variables and one table, calibrated as asked.
pub(crate) fn card(map: CalibrationMap) -> Scorecard {
    use BinRole::{Missing, Regular, Special};
    let number = Bins {
        name: NUMBER.to_owned(),
        kind: BinKind::Number { edges: vec![-0.5, 0.1, 1e9] },
        specials: vec![(-9.0, 4), (7.0, 5)],
        missing: 6,
        trend: Trend::Descending,
        iv: 0.4,
        bins: vec![
            bin("≤ -0.5", Regular, 100.0, 40.0, -0.9),
            bin("> -0.5 and ≤ 0.1", Regular, 200.0, 40.0, 0.1),
            bin("> 0.1 and ≤ 1000000000", Regular, 150.0, 15.0, 0.8),
            bin("> 1000000000", Regular, 50.0, 4.0, 1.0),
            bin("= -9", Special, 40.0, 20.0, -1.2),
            bin("= 7", Special, 0.0, 0.0, 0.0),
            bin("missing", Missing, 60.0, 21.0, -0.6),
        ],
    };
    let level = Bins {
        name: LEVEL.to_owned(),
        kind: BinKind::Text {
            levels: vec![
                vec!["it's \"safe\"".to_owned(), "Ärger; DROP TABLE x".to_owned()],
                vec!["B|<b>".to_owned(), "7".to_owned(), "none".to_owned()],
            ],
            unseen: 1,
        },
        specials: vec![(-9.0, 2)],
        missing: 3,
        trend: Trend::Ascending,
        iv: 0.2,
        bins: vec![
            bin("it's \"safe\" | Ärger; DROP TABLE x", Regular, 300.0, 45.0, 0.4),
            bin("B|<b> | 7 | none", Regular, 200.0, 70.0, -0.5),
            bin("= -9", Special, 20.0, 5.0, 0.0),
            bin("missing", Missing, 80.0, 20.0, 0.1),
        ],
    };
    let plain = Bins {
        name: PLAIN.to_owned(),
        kind: BinKind::Number { edges: vec![30.0] },
        specials: Vec::new(),
        missing: 2,
        trend: Trend::Descending,
        iv: 0.1,
        bins: vec![
            bin("≤ 30", Regular, 300.0, 90.0, -0.3),
            bin("> 30", Regular, 300.0, 50.0, 0.4),
            bin("missing", Missing, 0.0, 0.0, 0.0),
        ],
    };
    let table = PairTable {
        code: "margin-with-age".to_owned(),
        left: 0,
        left_groups: vec![0, 0, 1, 1, 2, 2, 0],
        left_labels: ["low", "high", "special"].map(str::to_owned).to_vec(),
        right: 2,
        right_groups: vec![0, 1, 1],
        right_labels: ["≤ 30", "> 30 or missing"].map(str::to_owned).to_vec(),
        points: vec![vec![-7, 3], vec![0, 5], vec![4, -2]],
        log_odds: vec![vec![-0.12, 0.05], vec![0.0, 0.09], vec![0.07, -0.03]],
        reference_points: 1,
    };
    let band = |name: &str, min_score| Band { name: name.to_owned(), min_score };
    Scorecard {
        format: crate::model::FORMAT,
        scaling: Scaling::default(),
        base_points: 480,
        variables: vec![
            variable(number, &[-45, 4, 31, 40, -52, 0, -20]),
            variable(level, &[22, -30, 0, 6]),
            variable(plain, &[-18, 19, 0]),
        ],
        tables: vec![table],
        calibration: Calibration::new(map, 0.05).unwrap(),
        bands: vec![band("A", Some(520)), band("B's", Some(470)), band("C", None)],
    }
}

/// Where a model comes from.
pub(crate) fn origin() -> Origin {
    let digest = Digest::of(b"training rows");
    Origin {
        data_digest: digest,
        config_digest: digest,
        training_window: None,
        trained_on: Date::constant(2026, 1, 31),
        expires_on: None,
        limitations: vec!["not for pricing".to_owned()],
    }
}

/// A model folder with that scorecard, not approved.
pub(crate) fn bundle(scorecard: Scorecard) -> Bundle {
    let digest = Digest::of(b"training rows");
    let files = BTreeMap::from([("model.json".to_owned(), digest)]);
    Bundle {
        folder: "models/willingness/1".into(),
        manifest: Manifest {
            format: 1,
            name: "willingness".to_owned(),
            version: "1".to_owned(),
            origin: origin(),
            files,
        },
        approval: None,
        scorecard,
        ability: None,
        validation: serde_json::Value::Null,
        attachments: BTreeMap::new(),
    }
}
