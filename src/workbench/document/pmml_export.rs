//! A scorecard as PMML 4.4, which decision engines read: `<Scorecard>` with reason codes, and PD and band as outputs.
//!
//! ```text
//! column ──▶ attribute (the first whose predicate holds) ──▶ points ──▶ score ──▶ pd_prob, band, reason_1 … reason_4
//! ```
//!
//! It answers as [`Scorecard::score`] and `integrity apply` do: a missing value has a bin of its own, special values come before edges, texts are trimmed, words that
//! mean "no value" are missing unless they are a level, levels that training never saw take the stated fallback, an infinite number is invalid.
//! A table of two variables is a characteristic whose attributes ask for the bins of both. An engine ranks all characteristics, whether or not
//! points were lost; the document counts those that were (`lost`) and gives as many reasons, the others are empty. What it does not say: where a row lost no points against the
//! average, `apply` gives reasons against the best bins. Reasons of equal loss may come in another order.
//! NaN is to be handed over as missing.

use std::fmt::Write as _;

use super::error::DocumentError;
use super::sql_export::check;
use crate::model::Scorecard;
use crate::model::binning::{BinKind, Bins};
use crate::model::calibration::CalibrationMap;
use crate::model::table::number_as_text;
use crate::workbench::table::MISSING_WORDS;

/// Reasons given at most, as `apply` does.
const REASONS: usize = 4;

/// Writes the document.
///
/// # Errors
/// Names or levels that XML cannot carry, or a scorecard whose parts do not fit each other.
pub fn export_pmml(card: &Scorecard) -> Result<String, DocumentError> {
    check(card)?;
    for variable in &card.variables {
        can_be_written(&variable.bins.name)?;
        if let BinKind::Text { levels, .. } = &variable.bins.kind {
            levels.iter().flatten().try_for_each(|level| can_be_written(level))?;
        }
    }
    let names = Names::of(card);
    let mut xml = Xml::default();
    xml.open("PMML", &[("xmlns", "http://www.dmg.org/PMML-4_4"), ("version", "4.4")]);
    xml.open("Header", &[("description", "Points of a scorecard; a higher score is safer.")]);
    xml.leaf("Application", &[("name", "integrity")]);
    xml.close("Header");
    dictionary(&mut xml, card);
    derived_fields(&mut xml, card, &names);
    let base = card.base_points.to_string();
    let scorecard = [
        ("modelName", "scorecard"),
        ("functionName", "regression"),
        ("initialScore", base.as_str()),
        ("useReasonCodes", "true"),
        ("reasonCodeAlgorithm", "pointsBelow"),
        ("baselineMethod", "mean"),
    ];
    xml.open("Scorecard", &scorecard);
    xml.open("MiningSchema", &[]);
    for variable in &card.variables {
        let treatment = if is_number(&variable.bins) { "returnInvalid" } else { "asIs" };
        xml.leaf("MiningField", &[("name", &variable.bins.name), ("invalidValueTreatment", treatment)]);
    }
    xml.close("MiningSchema");
    output(&mut xml, card, &names);
    xml.open("Characteristics", &[]);
    for (k, variable) in card.variables.iter().enumerate() {
        characteristic(&mut xml, &variable.bins.name, &variable.code, variable.reference_points);
        attributes(&mut xml, &variable.bins, &variable.points, &names, k);
        xml.close("Characteristic");
    }
    for table in &card.tables {
        let name = |at: usize| card.variables.get(at).map_or("", |variable| variable.bins.name.as_str());
        let both = format!("{} × {}", name(table.left), name(table.right));
        characteristic(&mut xml, &both, &table.code, table.reference_points);
        for (i, row) in table.points.iter().enumerate() {
            for (j, points) in row.iter().enumerate() {
                let (left, right) = (members(&table.left_groups, i), members(&table.right_groups, j));
                if left.is_empty() || right.is_empty() {
                    continue;
                }
                xml.open("Attribute", &[("partialScore", &points.to_string())]);
                xml.open("CompoundPredicate", &[("booleanOperator", "and")]);
                xml.any_of(&names.bin(table.left), "equal", &left);
                xml.any_of(&names.bin(table.right), "equal", &right);
                xml.close("CompoundPredicate");
                xml.close("Attribute");
            }
        }
        xml.close("Characteristic");
    }
    xml.close("Characteristics");
    xml.close("Scorecard");
    xml.close("PMML");
    Ok(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", xml.text))
}

/// XML 1.0 knows no control characters but tab and line ends.
fn can_be_written(text: &str) -> Result<(), DocumentError> {
    let is_refused = |c: char| (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}');
    if text.chars().any(is_refused) {
        return Err(DocumentError::BadName {
            name: text.to_owned(),
            reason: "XML cannot carry its control characters",
        });
    }
    Ok(())
}

const fn is_number(bins: &Bins) -> bool {
    matches!(bins.kind, BinKind::Number { .. })
}

/// Names of fields of the document's own, which no column has.
struct Names {
    ending: String,
}

impl Names {
    fn of(card: &Scorecard) -> Self {
        let own = |ending: &str| {
            let fixed = ["score", "raw_pd", "pd_prob", "band", "lost"].map(|name| format!("{name}{ending}"));
            let numbered = ["text", "lower", "bin", "reason", "ranked"]
                .into_iter()
                .flat_map(move |name| (1..=card.variables.len().max(REASONS)).map(move |k| format!("{name}_{k}")));
            fixed.into_iter().chain(numbered.map(|name| format!("{name}{ending}"))).collect::<Vec<_>>()
        };
        let mut ending = String::new();
        while own(&ending).iter().any(|name| card.variables.iter().any(|variable| variable.bins.name == *name)) {
            ending.push('_');
        }
        Self { ending }
    }

    fn of_kind(&self, kind: &str, at: usize) -> String {
        format!("{kind}_{}{}", at + 1, self.ending)
    }

    fn text(&self, at: usize) -> String {
        self.of_kind("text", at)
    }

    fn lower(&self, at: usize) -> String {
        self.of_kind("lower", at)
    }

    fn bin(&self, at: usize) -> String {
        self.of_kind("bin", at)
    }

    fn plain(&self, name: &str) -> String {
        format!("{name}{}", self.ending)
    }
}

fn dictionary(xml: &mut Xml, card: &Scorecard) {
    let (least, most) = (number(f64::MIN), number(f64::MAX));
    xml.open("DataDictionary", &[("numberOfFields", &card.variables.len().to_string())]);
    for variable in &card.variables {
        let name = variable.bins.name.as_str();
        if is_number(&variable.bins) {
            xml.open("DataField", &[("name", name), ("optype", "continuous"), ("dataType", "double")]);
            let finite = [("closure", "closedClosed"), ("leftMargin", least.as_str()), ("rightMargin", most.as_str())];
            xml.leaf("Interval", &finite);
            xml.close("DataField");
        } else {
            xml.leaf("DataField", &[("name", name), ("optype", "categorical"), ("dataType", "string")]);
        }
    }
    xml.close("DataDictionary");
}

/// Texts trimmed and in lower case, the bin of every variable, and how many characteristics lost points against the average.
fn derived_fields(xml: &mut Xml, card: &Scorecard, names: &Names) {
    xml.open("TransformationDictionary", &[]);
    for (k, variable) in card.variables.iter().enumerate() {
        let BinKind::Text { levels, .. } = &variable.bins.kind else { continue };
        let derived = |name: &str| {
            [("name", name.to_owned()), ("optype", "categorical".to_owned()), ("dataType", "string".to_owned())]
        };
        xml.open_owned("DerivedField", &derived(&names.text(k)));
        // As the readers of files do, unless the levels themselves hold outer spaces.
        if levels.iter().flatten().any(|level| level.trim() != level) {
            xml.leaf("FieldRef", &[("field", &variable.bins.name)]);
        } else {
            xml.apply("trimBlanks", |xml| xml.leaf("FieldRef", &[("field", &variable.bins.name)]));
        }
        xml.close("DerivedField");
        xml.open_owned("DerivedField", &derived(&names.lower(k)));
        xml.apply("lowercase", |xml| xml.leaf("FieldRef", &[("field", &names.text(k))]));
        xml.close("DerivedField");
    }
    for (k, variable) in card.variables.iter().enumerate() {
        xml.open("DerivedField", &[("name", &names.bin(k)), ("optype", "categorical"), ("dataType", "integer")]);
        let cases = cases(&variable.bins, names, k);
        for case in &cases {
            let Some(field) = &case.field else {
                xml.constant("integer", &case.bin.to_string());
                continue;
            };
            xml.open("Apply", &[("function", "if")]);
            xml.condition(field, case);
            xml.constant("integer", &case.bin.to_string());
        }
        for _ in cases.iter().filter(|case| case.field.is_some()) {
            xml.close("Apply");
        }
        xml.close("DerivedField");
    }
    let lost = names.plain("lost");
    xml.open("DerivedField", &[("name", &lost), ("optype", "continuous"), ("dataType", "integer")]);
    count_of_losses(xml, card, names);
    xml.close("DerivedField");
    xml.close("TransformationDictionary");
}

/// Characteristics that have fewer points than in the average training row.
fn count_of_losses(xml: &mut Xml, card: &Scorecard, names: &Names) {
    let lower = |points: &[i32], reference: i32| -> Vec<String> {
        points.iter().enumerate().filter(|(_, points)| **points < reference).map(|(bin, _)| bin.to_string()).collect()
    };
    let mut losing: Vec<Vec<(String, Vec<String>)>> = Vec::new();
    for (k, variable) in card.variables.iter().enumerate() {
        losing.push(vec![(names.bin(k), lower(&variable.points, variable.reference_points))]);
    }
    for table in &card.tables {
        // One after another: a row has one pair of bins, so that at most one of its pairs can have lost.
        for (i, row) in table.points.iter().enumerate() {
            let groups = lower(row, table.reference_points);
            let of_groups = |group: &String| members(&table.right_groups, group.parse().unwrap_or(usize::MAX));
            let (left, right) = (members(&table.left_groups, i), groups.iter().flat_map(of_groups).collect());
            losing.push(vec![(names.bin(table.left), left), (names.bin(table.right), right)]);
        }
    }
    losing.retain(|parts| parts.iter().all(|(_, bins)| !bins.is_empty()));
    for parts in &losing {
        xml.open("Apply", &[("function", "+")]);
        xml.open("Apply", &[("function", "if")]);
        let is_one_of = |xml: &mut Xml, (field, bins): &(String, Vec<String>)| {
            let equal = |xml: &mut Xml, bin: &String| {
                xml.apply("equal", |xml| {
                    xml.leaf("FieldRef", &[("field", field)]);
                    xml.constant("integer", bin);
                });
            };
            match bins.as_slice() {
                [only] => equal(xml, only),
                several => xml.apply("or", |xml| several.iter().for_each(|bin| equal(xml, bin))),
            }
        };
        match parts.as_slice() {
            [only] => is_one_of(xml, only),
            several => xml.apply("and", |xml| several.iter().for_each(|part| is_one_of(xml, part))),
        }
        xml.constant("integer", "1");
        xml.constant("integer", "0");
        xml.close("Apply");
    }
    xml.constant("integer", "0");
    for _ in &losing {
        xml.close("Apply");
    }
}

/// A bin, and what puts a value into it that no case before it has taken.
struct Case {
    bin: usize,
    /// The field that is asked; `None`: whatever is left.
    field: Option<String>,
    operator: &'static str,
    /// One of these values.
    values: Vec<String>,
    data_type: &'static str,
}

/// How a value finds its bin, in the order in which it is tried: the last case takes all that is left.
fn cases(bins: &Bins, names: &Names, k: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |bin: usize, field: &str, operator: &'static str, values: Vec<String>, data_type: &'static str| {
        cases.push(Case { bin, field: Some(field.to_owned()), operator, values, data_type });
    };
    let rest = match &bins.kind {
        BinKind::Number { edges } => {
            let field = bins.name.as_str();
            add(bins.missing, field, "isMissing", Vec::new(), "double");
            for (special, bin) in &bins.specials {
                add(*bin, field, "equal", vec![number(*special)], "double");
            }
            for (bin, edge) in edges.iter().enumerate() {
                add(bin, field, "lessOrEqual", vec![number(*edge)], "double");
            }
            edges.len()
        }
        BinKind::Text { levels, unseen } => {
            let field = names.text(k);
            add(bins.missing, &field, "isMissing", Vec::new(), "string");
            for (special, bin) in &bins.specials {
                add(*bin, &field, "equal", vec![number_as_text(*special)], "string");
            }
            for (bin, levels) in levels.iter().enumerate().filter(|(_, levels)| !levels.is_empty()) {
                add(bin, &field, "equal", levels.clone(), "string");
            }
            add(bins.missing, &names.lower(k), "equal", MISSING_WORDS.map(str::to_owned).to_vec(), "string");
            *unseen
        }
    };
    cases.push(Case { bin: rest, field: None, operator: "", values: Vec::new(), data_type: "" });
    cases
}

fn characteristic(xml: &mut Xml, name: &str, code: &str, reference_points: i32) {
    xml.open(
        "Characteristic",
        &[("name", name), ("reasonCode", code), ("baselineScore", &reference_points.to_string())],
    );
}

fn attributes(xml: &mut Xml, bins: &Bins, points: &[i32], names: &Names, k: usize) {
    for case in cases(bins, names, k) {
        let points = points.get(case.bin).copied().unwrap_or_default();
        xml.open("Attribute", &[("partialScore", &points.to_string())]);
        match &case.field {
            None => xml.leaf("True", &[]),
            Some(field) => xml.any_of(field, case.operator, &case.values),
        }
        xml.close("Attribute");
    }
}

fn output(xml: &mut Xml, card: &Scorecard, names: &Names) {
    let [score, raw_pd] = ["score", "raw_pd"].map(|name| names.plain(name));
    xml.open("Output", &[]);
    xml.leaf(
        "OutputField",
        &[("name", &score), ("optype", "continuous"), ("dataType", "double"), ("feature", "predictedValue")],
    );
    for k in 0..REASONS {
        let rank = (k + 1).to_string();
        let field = [
            ("name", names.of_kind("ranked", k)),
            ("optype", "categorical".to_owned()),
            ("dataType", "string".to_owned()),
            ("isFinalResult", "false".to_owned()),
        ];
        xml.leaf_owned(
            "OutputField",
            &[field.as_slice(), &[("feature", "reasonCode".to_owned()), ("rank", rank)]].concat(),
        );
    }
    let transformed = |name: &str, optype: &str, data_type: &str| {
        [("name", name), ("optype", optype), ("dataType", data_type), ("feature", "transformedValue")]
            .map(|(key, value)| (key, value.to_owned()))
    };
    for k in 0..REASONS {
        xml.open_owned("OutputField", &transformed(&names.of_kind("reason", k), "categorical", "string"));
        xml.open("Apply", &[("function", "if")]);
        xml.apply("greaterOrEqual", |xml| {
            xml.leaf("FieldRef", &[("field", &names.plain("lost"))]);
            xml.constant("integer", &(k + 1).to_string());
        });
        xml.leaf("FieldRef", &[("field", &names.of_kind("ranked", k))]);
        xml.constant("string", "");
        xml.close("Apply");
        xml.close("OutputField");
    }
    // Safer scores have lower PDs: log odds of bad are (offset − score) / factor.
    xml.open_owned("OutputField", &transformed(&raw_pd, "continuous", "double"));
    xml.sigmoid(|xml| log_odds_of_bad(xml, card, &score));
    xml.close("OutputField");
    xml.open_owned("OutputField", &transformed(&names.plain("pd_prob"), "continuous", "double"));
    xml.apply("max", |xml| {
        calibrated(xml, card, &score, &raw_pd);
        xml.constant("double", &number(card.calibration.pd_floor()));
    });
    xml.close("OutputField");
    xml.open_owned("OutputField", &transformed(&names.plain("band"), "categorical", "string"));
    let mut open = 0;
    for band in &card.bands {
        let Some(least) = band.min_score else { break };
        xml.open("Apply", &[("function", "if")]);
        xml.apply("greaterOrEqual", |xml| {
            xml.leaf("FieldRef", &[("field", &score)]);
            xml.constant("double", &least.to_string());
        });
        xml.constant("string", &band.name);
        open += 1;
    }
    let last = card.bands.iter().find(|band| band.min_score.is_none());
    xml.constant("string", last.map_or("", |band| band.name.as_str()));
    (0..open).for_each(|_| xml.close("Apply"));
    xml.close("OutputField");
    xml.close("Output");
}

fn log_odds_of_bad(xml: &mut Xml, card: &Scorecard, score: &str) {
    xml.apply("/", |xml| {
        xml.apply("-", |xml| {
            xml.constant("double", &number(card.scaling.offset()));
            xml.leaf("FieldRef", &[("field", score)]);
        });
        xml.constant("double", &number(card.scaling.factor()));
    });
}

/// The calibrated PD, not yet floored.
fn calibrated(xml: &mut Xml, card: &Scorecard, score: &str, raw_pd: &str) {
    match card.calibration.map() {
        CalibrationMap::Identity => xml.leaf("FieldRef", &[("field", raw_pd)]),
        CalibrationMap::Platt { intercept, slope } => xml.sigmoid(|xml| {
            xml.apply("+", |xml| {
                xml.constant("double", &number(*intercept));
                xml.apply("*", |xml| {
                    xml.constant("double", &number(*slope));
                    log_odds_of_bad(xml, card, score);
                });
            });
        }),
        CalibrationMap::Beta { a, b, c } => xml.sigmoid(|xml| {
            let held = |xml: &mut Xml| {
                xml.apply("min", |xml| {
                    xml.apply("max", |xml| {
                        xml.leaf("FieldRef", &[("field", raw_pd)]);
                        xml.constant("double", &number(f64::EPSILON));
                    });
                    xml.constant("double", &number(1.0 - f64::EPSILON));
                });
            };
            xml.apply("-", |xml| {
                xml.apply("+", |xml| {
                    xml.constant("double", &number(*c));
                    xml.apply("*", |xml| {
                        xml.constant("double", &number(*a));
                        xml.apply("ln", held);
                    });
                });
                xml.apply("*", |xml| {
                    xml.constant("double", &number(*b));
                    xml.apply("ln", |xml| {
                        xml.apply("-", |xml| {
                            xml.constant("double", "1");
                            held(xml);
                        });
                    });
                });
            });
        }),
        // Straight lines between knots, flat outside.
        CalibrationMap::Isotonic { raw, calibrated } => match (raw.as_slice(), calibrated.as_slice()) {
            ([_], [only]) => xml.constant("double", &number(*only)),
            (raw, calibrated) => {
                xml.open("NormContinuous", &[("field", raw_pd), ("outliers", "asExtremeValues")]);
                for (raw, calibrated) in raw.iter().zip(calibrated) {
                    xml.leaf("LinearNorm", &[("orig", &number(*raw)), ("norm", &number(*calibrated))]);
                }
                xml.close("NormContinuous");
            }
        },
    }
}

/// Bins of a group.
fn members(groups: &[u8], group: usize) -> Vec<String> {
    let of_group = groups.iter().enumerate().filter(|(_, of)| usize::from(**of) == group);
    of_group.map(|(bin, _)| bin.to_string()).collect()
}

/// A number, digit for digit.
fn number(value: f64) -> String {
    format!("{value:e}")
}

/// Elements as text, indented.
#[derive(Default)]
struct Xml {
    text: String,
    depth: usize,
}

impl Xml {
    fn element<T: AsRef<str>>(&mut self, tag: &str, attributes: &[(&str, T)], end: &str) {
        let _ = write!(self.text, "{:1$}<{tag}", "", 2 * self.depth);
        for (name, value) in attributes {
            let _ = write!(self.text, " {name}=\"{}\"", escaped(value.as_ref()));
        }
        self.text.push_str(end);
        self.text.push('\n');
    }

    fn open(&mut self, tag: &str, attributes: &[(&str, &str)]) {
        self.element(tag, attributes, ">");
        self.depth += 1;
    }

    fn open_owned(&mut self, tag: &str, attributes: &[(&str, String)]) {
        self.element(tag, attributes, ">");
        self.depth += 1;
    }

    fn leaf(&mut self, tag: &str, attributes: &[(&str, &str)]) {
        self.element(tag, attributes, "/>");
    }

    fn leaf_owned(&mut self, tag: &str, attributes: &[(&str, String)]) {
        self.element(tag, attributes, "/>");
    }

    fn close(&mut self, tag: &str) {
        self.depth = self.depth.saturating_sub(1);
        let _ = writeln!(self.text, "{:1$}</{tag}>", "", 2 * self.depth);
    }

    fn constant(&mut self, data_type: &str, value: &str) {
        let _ = writeln!(
            self.text,
            "{:2$}<Constant dataType=\"{data_type}\">{}</Constant>",
            "",
            escaped(value),
            2 * self.depth
        );
    }

    fn apply(&mut self, function: &str, arguments: impl FnOnce(&mut Self)) {
        self.open("Apply", &[("function", function)]);
        arguments(self);
        self.close("Apply");
    }

    /// `1 / (1 + exp(−x))`.
    fn sigmoid(&mut self, argument: impl FnOnce(&mut Self)) {
        self.apply("/", |xml| {
            xml.constant("double", "1");
            xml.apply("+", |xml| {
                xml.constant("double", "1");
                xml.apply("exp", |xml| {
                    xml.apply("-", |xml| {
                        xml.constant("double", "0");
                        argument(xml);
                    });
                });
            });
        });
    }

    /// A predicate: the field is one of the values, or compares with the only one.
    fn any_of(&mut self, field: &str, operator: &str, values: &[String]) {
        let simple = |xml: &mut Self, value: Option<&str>| {
            let mut attributes = vec![("field", field), ("operator", operator)];
            attributes.extend(value.map(|value| ("value", value)));
            xml.leaf("SimplePredicate", &attributes);
        };
        match values {
            [] => simple(self, None),
            [only] => simple(self, Some(only)),
            several => {
                self.open("CompoundPredicate", &[("booleanOperator", "or")]);
                for value in several {
                    simple(self, Some(value));
                }
                self.close("CompoundPredicate");
            }
        }
    }

    /// The same as an expression.
    fn condition(&mut self, field: &str, case: &Case) {
        let simple = |xml: &mut Self, value: Option<&String>| {
            // Some engines take the quotes off a constant that ends with one; in an attribute a text stays as it is.
            if let (Some(value), "string") = (value, case.data_type) {
                return xml.apply(case.operator, |xml| {
                    xml.leaf("NormDiscrete", &[("field", field), ("value", value)]);
                    xml.constant("double", "1");
                });
            }
            xml.apply(case.operator, |xml| {
                xml.leaf("FieldRef", &[("field", field)]);
                if let Some(value) = value {
                    xml.constant(case.data_type, value);
                }
            });
        };
        match case.values.as_slice() {
            [] => simple(self, None),
            [only] => simple(self, Some(only)),
            several => self.apply("or", |xml| several.iter().for_each(|value| simple(xml, Some(value)))),
        }
    }
}

/// Text in an attribute or an element: line ends are kept, which attributes would otherwise turn into blanks.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
#[path = "pmml_export_tests.rs"]
mod tests;
