//! The values that a rule looks at.

use crate::monitor::alert::EvidenceValue;

/// Values by name; null is too little history.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    values: Vec<EvidenceValue>,
}

impl Evidence {
    /// Adds a value; one of a name that is there already is left out.
    pub fn push(&mut self, name: &str, value: Option<f64>) {
        if self.values.iter().all(|v| v.name != name) {
            self.values.push(EvidenceValue { name: name.to_owned(), value });
        }
    }

    /// Adds a value of the night before.
    pub fn push_before(&mut self, name: &str, value: Option<f64>) {
        self.push(&before(name), value);
    }

    /// A value of the night before; `None` where it is not known.
    #[must_use]
    pub fn value_before(&self, name: &str) -> Option<f64> {
        self.value(&before(name))
    }

    /// A value; `None` for too little history, and for a name that is not there.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        self.values.iter().find(|v| v.name == name).and_then(|v| v.value)
    }

    /// The values in the order in which they were added.
    #[must_use]
    pub fn into_values(self) -> Vec<EvidenceValue> {
        self.values
    }
}

/// Under which name the evidence shows a value of the night before.
fn before(name: &str) -> String {
    format!("{name} (night before)")
}

/// Evidence of these values.
#[cfg(test)]
pub(crate) fn seen(values: &[(&str, Option<f64>)]) -> Evidence {
    let mut evidence = Evidence::default();
    for (name, value) in values {
        evidence.push(name, *value);
    }
    evidence
}
