//! JSON with what a plain reader passes over in silence: a key that an object names twice, of which the last alone would count.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A value of JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedJson {
    /// The value; of a key that is named twice, the last.
    pub value: Value,
    /// The first key that some object in it names twice.
    pub twice: Option<String>,
}

/// Why one line of a file is not what it should be; the line is the caller's to name.
#[must_use]
pub fn fault_in_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

impl<'de> Deserialize<'de> for CheckedJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

const fn plain(value: Value) -> CheckedJson {
    CheckedJson { value, twice: None }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = CheckedJson;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<CheckedJson, E> {
        Ok(plain(Value::Bool(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<CheckedJson, E> {
        Ok(plain(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<CheckedJson, E> {
        Ok(plain(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<CheckedJson, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number that is not finite"))?;
        Ok(plain(Value::Number(number)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<CheckedJson, E> {
        Ok(plain(value.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<CheckedJson, E> {
        Ok(plain(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<CheckedJson, A::Error> {
        let (mut list, mut twice) = (Vec::new(), None);
        while let Some(one) = all.next_element::<CheckedJson>()? {
            twice = twice.or(one.twice);
            list.push(one.value);
        }
        Ok(CheckedJson { value: Value::Array(list), twice })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<CheckedJson, A::Error> {
        let (mut object, mut twice) = (Map::new(), None);
        while let Some((key, one)) = all.next_entry::<String, CheckedJson>()? {
            twice = twice.or(one.twice);
            if object.insert(key.clone(), one.value).is_some() {
                twice = twice.or(Some(key));
            }
        }
        Ok(CheckedJson { value: Value::Object(object), twice })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_a_plain_reader_reads_and_names_keys_that_stand_twice() {
        for (text, twice) in [
            (r#"{"a": 1, "b": [true, null, -2, 2.5, "x"], "c": {"a": 18446744073709551615}}"#, None),
            (r#"{"a": 1, "a": 2}"#, Some("a")),
            (r#"[{"b": 1}, {"c": {"d": 1, "d": 1}}]"#, Some("d")),
            (r#"[{"a": 1}, {"a": 1}]"#, None),
        ] {
            let read: CheckedJson = serde_json::from_str(text).unwrap();
            assert_eq!(read.value, serde_json::from_str::<Value>(text).unwrap());
            assert_eq!(read.twice.as_deref(), twice, "{text}");
        }
        let error = serde_json::from_str::<CheckedJson>("{").unwrap_err();
        assert!(fault_in_line(&error).ends_with(" at column 1"), "{error}");
    }
}
