//! The fitted map from a raw PD to a calibrated one, as it stands in a model folder.

use crate::domain::elementary::{ln, ln_1p};
use serde::{Deserialize, Serialize};

use super::error::CalibrationError;
use crate::domain::elementary::sigmoid;
use crate::model::validation::clamped_logit;

/// A map from raw to calibrated PD; never falling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CalibrationMap {
    /// The raw PD as it is.
    Identity,
    /// `1 / (1 + exp(−(intercept + slope × ln(p / (1 − p)))))`, slope ≥ 0.
    Platt {
        /// Intercept.
        intercept: f64,
        /// Slope on the raw log odds.
        slope: f64,
    },
    /// `1 / (1 + exp(−(c + a × ln p − b × ln(1 − p))))`, a and b ≥ 0.
    Beta {
        /// Weight of `ln p`: shapes the safe end.
        a: f64,
        /// Weight of `−ln(1 − p)`: shapes the risky end.
        b: f64,
        /// Intercept.
        c: f64,
    },
    /// Straight lines between knots, flat outside; both lists rise (the second may stand still).
    Isotonic {
        /// Raw PDs of the knots.
        raw: Vec<f64>,
        /// Calibrated PDs of the knots.
        calibrated: Vec<f64>,
    },
}

impl CalibrationMap {
    /// The method's name, as in the JSON.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Platt { .. } => "platt",
            Self::Beta { .. } => "beta",
            Self::Isotonic { .. } => "isotonic",
        }
    }

    fn apply(&self, raw: f64) -> f64 {
        match self {
            Self::Identity => raw,
            Self::Platt { intercept, slope } => sigmoid(intercept + slope * clamped_logit(raw)),
            Self::Beta { a, b, c } => {
                let [ln_p, minus_ln_q] = beta_features(raw);
                sigmoid(c + a * ln_p + b * minus_ln_q)
            }
            Self::Isotonic { raw: knots, calibrated } => interpolate(knots, calibrated, raw),
        }
    }

    fn check(&self) -> Result<(), CalibrationError> {
        let finite = |parameter, value: f64| {
            if value.is_finite() {
                Ok(())
            } else {
                Err(CalibrationError::BadParameter { parameter, value, allowed: "a finite number" })
            }
        };
        let rising = |parameter, value: f64| {
            if value.is_finite() && value >= 0.0 {
                Ok(())
            } else {
                Err(CalibrationError::BadParameter { parameter, value, allowed: "a finite number from 0" })
            }
        };
        match self {
            Self::Identity => Ok(()),
            Self::Platt { intercept, slope } => finite("intercept", *intercept).and_then(|()| rising("slope", *slope)),
            Self::Beta { a, b, c } => rising("a", *a).and_then(|()| rising("b", *b)).and_then(|()| finite("c", *c)),
            Self::Isotonic { raw, calibrated } => check_knots(raw, calibrated),
        }
    }
}

fn check_knots(raw: &[f64], calibrated: &[f64]) -> Result<(), CalibrationError> {
    let bad = |parameter, value, allowed| Err(CalibrationError::BadParameter { parameter, value, allowed });
    if raw.is_empty() || raw.len() != calibrated.len() {
        return bad("the number of knots", raw.len() as f64, "at least one, as many raw as calibrated");
    }
    for (parameter, values) in [("a raw knot", raw), ("a calibrated knot", calibrated)] {
        if let Some(value) = values.iter().find(|v| !(0.0..=1.0).contains(*v)) {
            return bad(parameter, *value, "a finite number from 0 to 1");
        }
    }
    if let Some([_, value]) = raw.array_windows().find(|[low, high]| low >= high) {
        return bad("a raw knot", *value, "above the knot before it");
    }
    match calibrated.array_windows().find(|[low, high]| low > high) {
        Some([_, value]) => bad("a calibrated knot", *value, "not below the knot before it"),
        None => Ok(()),
    }
}

/// `[ln p, −ln(1 − p)]`, held finite as in the log loss.
pub(super) fn beta_features(p: f64) -> [f64; 2] {
    let p = p.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
    [ln(p), -ln_1p(-p)]
}

fn interpolate(knots: &[f64], values: &[f64], x: f64) -> f64 {
    let above = knots.partition_point(|knot| *knot <= x);
    let at = |i: usize| knots.get(i).zip(values.get(i)).map(|(k, v)| (*k, *v));
    match (above.checked_sub(1).and_then(at), at(above)) {
        (Some((x0, y0)), Some((x1, y1))) => (y0 + (x - x0) / (x1 - x0) * (y1 - y0)).clamp(y0, y1),
        (Some((_, y)), None) | (None, Some((_, y))) => y,
        (None, None) => f64::NAN,
    }
}

/// A calibration map with the least PD that is ever stated.
///
/// The floor stands for what no sample can show: that nobody is without risk. Default 0.05 %, as the Basel framework (2017, CRE32.4) asks
/// of corporate exposures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct Calibration {
    map: CalibrationMap,
    pd_floor: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    map: CalibrationMap,
    pd_floor: f64,
}

impl TryFrom<Unchecked> for Calibration {
    type Error = CalibrationError;
    fn try_from(read: Unchecked) -> Result<Self, CalibrationError> {
        Self::new(read.map, read.pd_floor)
    }
}

impl From<Calibration> for Unchecked {
    fn from(calibration: Calibration) -> Self {
        Self { map: calibration.map, pd_floor: calibration.pd_floor }
    }
}

/// The floor where none is configured: 0.05 %.
pub const DEFAULT_PD_FLOOR: f64 = 0.000_5;

impl Calibration {
    /// Joins a map and a floor.
    ///
    /// # Errors
    /// Parameters that are not finite, that would let the PD fall, or a floor outside 0 to below 0.5.
    pub fn new(map: CalibrationMap, pd_floor: f64) -> Result<Self, CalibrationError> {
        map.check()?;
        if (0.0..0.5).contains(&pd_floor) {
            Ok(Self { map, pd_floor })
        } else {
            let allowed = "from 0 to below 0.5";
            Err(CalibrationError::BadParameter { parameter: "pd_floor", value: pd_floor, allowed })
        }
    }

    /// The raw PD, floored at 0.05 %.
    #[must_use]
    pub fn identity() -> Self {
        Self { map: CalibrationMap::Identity, pd_floor: DEFAULT_PD_FLOOR }
    }

    /// The calibrated PD of a raw PD, from the floor to 1. A raw PD that is not a probability gives NaN: unknown stays unknown.
    #[must_use]
    pub fn apply(&self, raw_pd: f64) -> f64 {
        if (0.0..=1.0).contains(&raw_pd) { self.map.apply(raw_pd).clamp(self.pd_floor, 1.0) } else { f64::NAN }
    }

    /// The map.
    #[must_use]
    pub fn map(&self) -> &CalibrationMap {
        &self.map
    }

    /// The least PD stated.
    #[must_use]
    pub fn pd_floor(&self) -> f64 {
        self.pd_floor
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::elementary::exp;
    use proptest::prelude::*;

    use super::*;
    use crate::model::validation::fixture::assert_close;

    fn maps() -> impl Strategy<Value = CalibrationMap> {
        let knots = prop::collection::btree_map(0_u16..=1000, 0_u16..=1000, 1..12).prop_map(|knots| {
            let raw = knots.keys().map(|k| f64::from(*k) / 1000.0).collect();
            let mut calibrated: Vec<f64> = knots.values().map(|v| f64::from(*v) / 1000.0).collect();
            calibrated.sort_by(f64::total_cmp);
            CalibrationMap::Isotonic { raw, calibrated }
        });
        prop_oneof![
            Just(CalibrationMap::Identity),
            (-5.0..5.0, 0.0..5.0).prop_map(|(intercept, slope)| CalibrationMap::Platt { intercept, slope }),
            (0.0..4.0, 0.0..4.0, -5.0..5.0).prop_map(|(a, b, c)| CalibrationMap::Beta { a, b, c }),
            knots,
        ]
    }

    proptest! {
        #[test]
        fn never_falls_and_stays_in_range(map in maps(), floor in 0.0..0.1, mut raw in prop::collection::vec(0.0..=1.0, 2..40)) {
            let calibration = Calibration::new(map, floor).unwrap();
            raw.extend([0.0, 1.0, 1e-300, 1.0 - 1e-16]);
            raw.sort_by(f64::total_cmp);
            let calibrated: Vec<f64> = raw.iter().map(|p| calibration.apply(*p)).collect();
            prop_assert!(calibrated.iter().all(|p| (floor..=1.0).contains(p)));
            prop_assert!(calibrated.is_sorted());
        }

        #[test]
        fn survives_json(map in maps()) {
            let calibration = Calibration::new(map, 0.001).unwrap();
            let value = serde_json::to_value(&calibration).unwrap();
            prop_assert_eq!(serde_json::from_value::<Calibration>(value).unwrap(), calibration);
        }
    }

    #[test]
    fn known_values() {
        let platt = Calibration::new(CalibrationMap::Platt { intercept: -1.0, slope: 0.5 }, 0.0).unwrap();
        // 1 / (1 + exp(1 − 0.5 × ln 9)) by hand
        assert_close(platt.apply(0.9), 1.0 / (1.0 + exp(1.0_f64) / 3.0), 1e-15);
        let same = Calibration::new(CalibrationMap::Beta { a: 1.0, b: 1.0, c: 0.0 }, 0.0).unwrap();
        assert_close(same.apply(0.37), 0.37, 1e-15);
        let steps = CalibrationMap::Isotonic { raw: vec![0.1, 0.2, 0.4], calibrated: vec![0.05, 0.05, 0.25] };
        let steps = Calibration::new(steps, 0.0).unwrap();
        for (raw, expected) in [(0.0, 0.05), (0.15, 0.05), (0.3, 0.15), (0.4, 0.25), (1.0, 0.25)] {
            assert_close(steps.apply(raw), expected, 1e-15);
        }
        assert_close(Calibration::identity().apply(0.0), 0.000_5, 0.0);
    }

    #[test]
    fn what_is_no_probability_stays_unknown() {
        for raw in [f64::NAN, f64::INFINITY, -0.1, 1.1] {
            assert!(Calibration::identity().apply(raw).is_nan());
        }
    }

    #[test]
    fn files_that_would_turn_the_order_are_refused() {
        for text in [
            r#"{"map":{"method":"platt","intercept":0,"slope":-1},"pd_floor":0}"#,
            r#"{"map":{"method":"beta","a":1,"b":-0.1,"c":0},"pd_floor":0}"#,
            r#"{"map":{"method":"isotonic","raw":[0.1,0.2],"calibrated":[0.3,0.2]},"pd_floor":0}"#,
            r#"{"map":{"method":"isotonic","raw":[0.2,0.2],"calibrated":[0.2,0.3]},"pd_floor":0}"#,
            r#"{"map":{"method":"isotonic","raw":[],"calibrated":[]},"pd_floor":0}"#,
            r#"{"map":{"method":"identity"},"pd_floor":0.5}"#,
            r#"{"map":{"method":"identity"},"pd_floor":0,"other":1}"#,
        ] {
            assert!(serde_json::from_str::<Calibration>(text).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<Calibration>(r#"{"map":{"method":"identity"},"pd_floor":0}"#).is_ok());
    }
}
