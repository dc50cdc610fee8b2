//! An interpreter of its own reads the document by what the standard says of its elements, and scores as the scorecard does. `benches/pmml_export.py` does the
//! same with an engine of other authors.

use std::collections::BTreeMap;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use super::super::sql_export::tests::{Rows, rows, scoring_table};
use super::*;
use crate::domain::elementary::{exp, ln};
use crate::model::fixture::{LEVEL, NUMBER, PLAIN, card};

#[derive(Debug, Default, Clone)]
struct Element {
    tag: String,
    attributes: BTreeMap<String, String>,
    children: Vec<Element>,
    text: String,
}

impl Element {
    fn of(start: &BytesStart<'_>) -> Self {
        let attribute = |a: Result<quick_xml::events::attributes::Attribute<'_>, _>| {
            let a = a.unwrap();
            let value = a.normalized_value(XmlVersion::Implicit1_0).unwrap().into_owned();
            (String::from_utf8_lossy(a.key.as_ref().as_ref()).into_owned(), value)
        };
        let tag = String::from_utf8_lossy(start.name().as_ref().as_ref()).into_owned();
        Self { tag, attributes: start.attributes().map(attribute).collect(), ..Self::default() }
    }

    fn parse(text: &str) -> Self {
        let mut reader = quick_xml::Reader::from_str(text);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().unwrap() {
                Event::Start(start) => open.push(Self::of(&start)),
                Event::Empty(start) => open.last_mut().unwrap().children.push(Self::of(&start)),
                Event::End(_) => {
                    let closed = open.pop().unwrap();
                    open.last_mut().unwrap().children.push(closed);
                }
                Event::Text(text) => open.last_mut().unwrap().text.push_str(&text.into_inner()),
                Event::GeneralRef(entity) => {
                    let escaped = format!("&{};", entity.into_inner());
                    open.last_mut().unwrap().text.push_str(&quick_xml::escape::unescape(&escaped).unwrap());
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(open.len(), 1);
        open.pop().unwrap().children.into_iter().find(|e| e.tag == "PMML").unwrap()
    }

    fn child(&self, tag: &str) -> &Self {
        self.children.iter().find(|child| child.tag == tag).unwrap_or_else(|| panic!("{} has no {tag}", self.tag))
    }

    fn all<'a>(&'a self, tag: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.tag == tag)
    }

    fn get(&self, name: &str) -> &str {
        self.attributes.get(name).unwrap_or_else(|| panic!("{} has no {name}", self.tag))
    }

    fn number(&self, name: &str) -> f64 {
        self.get(name).parse().unwrap()
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Missing,
    Number(f64),
    Text(String),
    Truth(bool),
}

impl Value {
    fn number(&self) -> f64 {
        match self {
            Self::Number(number) => *number,
            other => panic!("{other:?} is no number"),
        }
    }

    fn typed(text: &str, like: &Self) -> Self {
        match like {
            Self::Number(_) => Self::Number(text.parse().unwrap()),
            _ => Self::Text(text.to_owned()),
        }
    }
}

type Fields = BTreeMap<String, Value>;

fn expression(element: &Element, fields: &Fields) -> Value {
    use Value::{Missing, Number, Text, Truth};
    match element.tag.as_str() {
        "FieldRef" => fields.get(element.get("field")).cloned().unwrap_or_else(|| panic!("{element:?}")),
        "Constant" => match element.get("dataType") {
            "string" => Text(element.text.clone()),
            _ => Number(element.text.parse().unwrap()),
        },
        "NormDiscrete" => match &fields[element.get("field")] {
            Missing => Missing,
            Text(text) => Number(f64::from(u8::from(text == element.get("value")))),
            other => panic!("{other:?}"),
        },
        "NormContinuous" => {
            assert_eq!(element.get("outliers"), "asExtremeValues");
            let x = fields[element.get("field")].number();
            let knots: Vec<(f64, f64)> =
                element.all("LinearNorm").map(|knot| (knot.number("orig"), knot.number("norm"))).collect();
            assert!(knots.windows(2).all(|pair| pair[0].0 < pair[1].0));
            let at = knots.iter().position(|(orig, _)| x <= *orig);
            Number(match at {
                Some(0) => knots[0].1,
                None => knots.last().unwrap().1,
                Some(at) => {
                    let ((x0, y0), (x1, y1)) = (knots[at - 1], knots[at]);
                    y0 + (x - x0) / (x1 - x0) * (y1 - y0)
                }
            })
        }
        "Apply" => {
            let arguments = &element.children;
            let of = |at: usize| expression(&arguments[at], fields);
            let function = element.get("function");
            match function {
                "if" => return of(if of(0) == Truth(true) { 1 } else { 2 }),
                "isMissing" => return Truth(of(0) == Missing),
                _ => {}
            }
            let given: Vec<Value> = arguments.iter().map(|argument| expression(argument, fields)).collect();
            if given.contains(&Missing) {
                return Missing;
            }
            let numbers = || given.iter().map(Value::number);
            let two = || (given[0].number(), given[1].number());
            match (function, given.as_slice()) {
                ("trimBlanks", [Text(text)]) => Text(text.trim().to_owned()),
                ("lowercase", [Text(text)]) => Text(text.to_lowercase()),
                ("equal", [a, b]) => Truth(a == b),
                ("lessOrEqual", _) => Truth(two().0 <= two().1),
                ("greaterOrEqual", _) => Truth(two().0 >= two().1),
                ("and", _) => Truth(!given.contains(&Truth(false))),
                ("or", _) => Truth(given.contains(&Truth(true))),
                ("+", _) => Number(two().0 + two().1),
                ("-", _) => Number(two().0 - two().1),
                ("*", _) => Number(two().0 * two().1),
                ("/", _) => Number(two().0 / two().1),
                ("min", _) => Number(numbers().fold(f64::INFINITY, f64::min)),
                ("max", _) => Number(numbers().fold(f64::NEG_INFINITY, f64::max)),
                ("exp", [x]) => Number(exp(x.number())),
                ("ln", [x]) => Number(ln(x.number())),
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other}"),
    }
}

fn holds(predicate: &Element, fields: &Fields) -> bool {
    match predicate.tag.as_str() {
        "True" => true,
        "CompoundPredicate" => {
            let mut parts = predicate.children.iter().map(|part| holds(part, fields));
            match predicate.get("booleanOperator") {
                "and" => parts.all(|holds| holds),
                "or" => parts.any(|holds| holds),
                other => panic!("{other}"),
            }
        }
        "SimplePredicate" => {
            let value = &fields[predicate.get("field")];
            match (predicate.get("operator"), value) {
                ("isMissing", value) => *value == Value::Missing,
                (_, Value::Missing) => false,
                ("equal", value) => *value == Value::typed(predicate.get("value"), value),
                ("lessOrEqual", Value::Number(number)) => *number <= predicate.number("value"),
                other => panic!("{other:?}"),
            }
        }
        other => panic!("{other}"),
    }
}

struct Answer {
    score: f64,
    pd: f64,
    band: String,
    /// Codes, and the points that each characteristic lost, most first.
    reasons: Vec<(String, f64)>,
    /// Codes as the document gives them.
    given: Vec<String>,
}

fn answer(document: &Element, row: &Fields) -> Answer {
    let mut fields = Fields::new();
    for field in document.child("DataDictionary").all("DataField") {
        let name = field.get("name");
        fields.insert(name.to_owned(), row[name].clone());
    }
    for derived in document.child("TransformationDictionary").all("DerivedField") {
        let value = expression(&derived.children[0], &fields);
        fields.insert(derived.get("name").to_owned(), value);
    }
    let card = document.child("Scorecard");
    assert_eq!((card.get("reasonCodeAlgorithm"), card.get("useReasonCodes")), ("pointsBelow", "true"));
    let mut score = card.number("initialScore");
    let mut reasons = Vec::new();
    for characteristic in card.child("Characteristics").all("Characteristic") {
        let attribute = characteristic.all("Attribute").find(|attribute| holds(&attribute.children[0], &fields));
        let points = attribute.unwrap_or_else(|| panic!("no attribute holds: {row:?}")).number("partialScore");
        score += points;
        reasons.push((characteristic.get("reasonCode").to_owned(), characteristic.number("baselineScore") - points));
    }
    reasons.sort_by(|a, b| b.1.total_cmp(&a.1));
    for output in card.child("Output").all("OutputField") {
        let value = match output.get("feature") {
            "predictedValue" => Value::Number(score),
            "reasonCode" => {
                let rank: usize = output.get("rank").parse().unwrap();
                reasons.get(rank - 1).map_or(Value::Missing, |(code, _)| Value::Text(code.clone()))
            }
            "transformedValue" => expression(&output.children[0], &fields),
            other => panic!("{other}"),
        };
        fields.insert(output.get("name").to_owned(), value);
    }
    let Value::Text(band) = fields["band"].clone() else { panic!("no band") };
    let given = (1..=4).map(|rank| match &fields[&format!("reason_{rank}")] {
        Value::Text(code) => code.clone(),
        other => panic!("reason {rank} is {other:?}"),
    });
    let given = given.filter(|code| !code.is_empty()).collect();
    Answer { score: fields["score"].number(), pd: fields["pd_prob"].number(), band, reasons, given }
}

/// The values of a row as an engine is given them: NaN is handed over as missing.
fn fields_of(rows: &Rows, at: usize) -> Fields {
    let number = |n: Option<f64>| n.filter(|n| !n.is_nan()).map_or(Value::Missing, Value::Number);
    let level = rows.level[at].map_or(Value::Missing, |level| Value::Text(level.to_owned()));
    [(NUMBER, number(rows.number[at])), (LEVEL, level), (PLAIN, number(rows.plain[at]))]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

#[test]
#[expect(clippy::float_cmp, reason = "points are whole numbers")]
fn the_document_scores_as_the_scorecard_does() {
    let maps = [
        CalibrationMap::Identity,
        CalibrationMap::Platt { intercept: -0.3, slope: 1.2 },
        CalibrationMap::Beta { a: 1.5, b: 0.7, c: 0.4 },
        CalibrationMap::Isotonic { raw: vec![0.2, 0.5, 0.9], calibrated: vec![0.1, 0.1, 0.8] },
        CalibrationMap::Isotonic { raw: vec![0.5], calibrated: vec![0.25] },
    ];
    let rows = rows();
    let table = scoring_table(&rows);
    for (map, with_spaces) in maps.into_iter().zip([false, false, true, false, false]) {
        let mut card = card(map);
        if let (true, BinKind::Text { levels, .. }) = (with_spaces, &mut card.variables[1].bins.kind) {
            levels[0].push(" spaced ".to_owned());
        }
        let document = Element::parse(&export_pmml(&card).unwrap());
        let (mut lost, mut none_lost) = (0, 0);
        for (at, expected) in card.score(&table).unwrap().iter().enumerate() {
            let found = answer(&document, &fields_of(&rows, at));
            assert_eq!(found.score, f64::from(expected.score), "{:?}", fields_of(&rows, at));
            assert!((found.pd - expected.pd).abs() < 1e-12, "{} {}", found.pd, expected.pd);
            assert_eq!(found.band, expected.band);
            // Where points were lost against the average, the reasons are those that are given.
            let told: Vec<(String, f64)> = found.reasons.into_iter().filter(|(_, lost)| *lost > 0.0).take(4).collect();
            let codes: Vec<&str> = told.iter().map(|(code, _)| code.as_str()).collect();
            assert_eq!(found.given, codes, "as many reasons as lost points");
            if told.is_empty() {
                none_lost += 1;
            } else {
                let reasons = expected.reasons.iter().map(|r| (r.code.clone(), f64::from(r.points_lost)));
                assert_eq!(told, reasons.collect::<Vec<_>>());
                lost += 1;
            }
        }
        assert!(lost > 100 && none_lost > 0, "{lost} {none_lost}");
    }
}

#[test]
fn own_names_give_way_to_columns_and_what_xml_cannot_carry_is_refused() {
    let mut renamed = card(CalibrationMap::Identity);
    renamed.variables[2].bins.name = "score".to_owned();
    renamed.variables[0].bins.name = "bin_1".to_owned();
    let document = Element::parse(&export_pmml(&renamed).unwrap());
    let outputs: Vec<&str> =
        document.child("Scorecard").child("Output").all("OutputField").map(|field| field.get("name")).collect();
    let named = |kind: &str| (1..=4).map(|rank| format!("{kind}_{rank}_")).collect::<Vec<_>>();
    let rest = ["raw_pd_", "pd_prob_", "band_"].map(str::to_owned);
    assert_eq!(outputs, [vec!["score_".to_owned()], named("ranked"), named("reason"), rest.to_vec()].concat());
    let mut refused = card(CalibrationMap::Identity);
    refused.variables[2].bins.name = "a\u{1}".to_owned();
    assert!(matches!(export_pmml(&refused), Err(DocumentError::BadName { .. })));
    let mut broken = card(CalibrationMap::Identity);
    broken.variables[0].points.pop();
    assert!(matches!(export_pmml(&broken), Err(DocumentError::BrokenScorecard { .. })));
}
