//! The JSON Schema of a scorecard file, for systems that read one without this program.

use serde_json::{Value, json};

/// The schema (draft 2020-12) of a serialised scorecard.
#[must_use]
pub fn scorecard_schema() -> Value {
    let number = json!({ "type": "number" });
    let integer = json!({ "type": "integer" });
    let text = json!({ "type": "string" });
    let list = |items: &Value| json!({ "type": "array", "items": items });
    let object = |properties: Value| {
        let required: Vec<String> = properties.as_object().map(|p| p.keys().cloned().collect()).unwrap_or_default();
        json!({ "type": "object", "properties": properties, "required": required })
    };
    let bin = object(json!({
        "label": text, "role": { "enum": ["regular", "special", "missing"] }, "rows": number, "bad": number, "woe": number
    }));
    let number_kind = object(json!({ "number": object(json!({ "edges": list(&number) })) }));
    let text_kind = object(json!({ "text": object(json!({ "levels": list(&list(&text)), "unseen": integer })) }));
    let bins = object(json!({
        "name": text,
        "kind": { "oneOf": [number_kind, text_kind] },
        "specials": { "type": "array", "items": { "type": "array", "prefixItems": [number, integer], "minItems": 2, "maxItems": 2 } },
        "missing": integer,
        "trend": { "enum": ["ascending", "descending", "monotone", "peak", "valley", "none", "auto"] },
        "iv": number,
        "bins": list(&bin)
    }));
    let variable = object(json!({
        "code": text, "bins": bins, "points": list(&integer), "log_odds": list(&number), "reference_points": integer
    }));
    let pair = object(json!({
        "code": text, "left": integer, "left_groups": list(&integer), "left_labels": list(&text), "right": integer,
        "right_groups": list(&integer), "right_labels": list(&text), "points": list(&list(&integer)),
        "log_odds": list(&list(&number)), "reference_points": integer
    }));
    let probability = json!({ "type": "number", "minimum": 0, "maximum": 1 });
    let rising = json!({ "type": "number", "minimum": 0 });
    let map = json!({ "oneOf": [
        object(json!({ "method": { "const": "identity" } })),
        object(json!({ "method": { "const": "platt" }, "intercept": number, "slope": rising })),
        object(json!({ "method": { "const": "beta" }, "a": rising, "b": rising, "c": number })),
        object(json!({ "method": { "const": "isotonic" }, "raw": list(&probability), "calibrated": list(&probability) })),
    ] });
    let calibration =
        object(json!({ "map": map, "pd_floor": { "type": "number", "minimum": 0, "exclusiveMaximum": 0.5 } }));
    let band = object(json!({ "name": text, "min_score": { "type": ["integer", "null"] } }));
    let scaling = object(json!({ "base_score": number, "base_odds": number, "pdo": number }));
    let mut schema = object(json!({
        "format": integer, "scaling": scaling, "base_points": integer, "variables": list(&variable), "tables": list(&pair),
        "calibration": calibration, "bands": list(&band)
    }));
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        schema.insert("title".to_owned(), json!("Scorecard: a higher score is safer"));
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::binning::Trend;
    use crate::model::calibration::CalibrationMap;
    use crate::model::fixture::card;

    /// What is wrong with a value, by the words of the schema that are used here. Keys that the schema does not name are wrong, too: a
    /// new field of the scorecard must enter the schema.
    fn fault(schema: &Value, value: &Value, at: &str) -> Option<String> {
        let wrong = |why: &str| Some(format!("{at}: {why}"));
        if let Some(choices) = schema["oneOf"].as_array() {
            let fitting = choices.iter().filter(|s| fault(s, value, at).is_none()).count();
            return if fitting == 1 { None } else { wrong(&format!("{fitting} choices fit")) };
        }
        if schema.get("const").is_some_and(|c| c != value) {
            return wrong("another constant");
        }
        if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
            return wrong("another word");
        }
        let is = |kind: &str| match kind {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64(),
            "number" => value.is_number(),
            "null" => value.is_null(),
            other => panic!("{other}"),
        };
        let kinds: Vec<&str> = match &schema["type"] {
            Value::String(kind) => vec![kind],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if !kinds.is_empty() && !kinds.iter().any(|k| is(k)) {
            return wrong("another type");
        }
        if let Some(properties) = schema["properties"].as_object() {
            let held = value.as_object()?;
            if let Some(key) = held.keys().find(|k| !properties.contains_key(*k)) {
                return wrong(&format!("{key} is not in the schema"));
            }
            for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                let Some(inner) = held.get(key) else { return wrong(&format!("{key} is missing")) };
                if let Some(found) = fault(&properties[key], inner, &format!("{at}/{key}")) {
                    return Some(found);
                }
            }
        }
        let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().enumerate().find_map(|(i, item)| {
            let of = schema["prefixItems"].get(i).or_else(|| schema.get("items"))?;
            fault(of, item, &format!("{at}/{i}"))
        })
    }

    #[test]
    fn every_scorecard_fits_and_broken_ones_do_not() {
        let schema = scorecard_schema();
        let maps = [
            CalibrationMap::Identity,
            CalibrationMap::Platt { intercept: -0.3, slope: 1.2 },
            CalibrationMap::Beta { a: 1.5, b: 0.7, c: 0.4 },
            CalibrationMap::Isotonic { raw: vec![0.2, 0.5], calibrated: vec![0.1, 0.8] },
        ];
        for map in maps {
            for trend in [Trend::Monotone, Trend::Peak, Trend::Valley, Trend::None, Trend::Auto] {
                let mut made = card(map.clone());
                made.variables[0].bins.trend = trend;
                assert_eq!(fault(&schema, &serde_json::to_value(made).unwrap(), ""), None);
            }
        }
        let good = serde_json::to_value(card(CalibrationMap::Identity)).unwrap();
        for (pointer, broken) in [
            ("/base_points", json!("480")),
            ("/variables/0/bins/kind", json!({ "other": {} })),
            ("/variables/1/bins/bins/0/role", json!("rare")),
            ("/calibration/map/method", json!("magic")),
        ] {
            let mut turned = good.clone();
            *turned.pointer_mut(pointer).unwrap() = broken;
            assert!(fault(&schema, &turned, "").is_some(), "{pointer}");
        }
    }
}
