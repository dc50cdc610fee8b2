//! Figures in Prometheus' text exposition format, for the node exporter's textfile collector.

use std::fmt::Write as _;

/// The file, below the run folder.
pub const METRICS: &str = "interchange/metrics.prom";

/// One gauge with its samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its name, without the prefix `integrity_`.
    pub name: &'static str,
    /// What it is, with its unit.
    pub help: &'static str,
    /// Labels beside those of all metrics, and the value.
    pub samples: Vec<(Vec<(&'static str, String)>, f64)>,
}

impl Metric {
    /// A gauge with one sample.
    #[must_use]
    pub fn single(name: &'static str, help: &'static str, value: f64) -> Self {
        Self { name, help, samples: vec![(Vec::new(), value)] }
    }

    /// A gauge with a sample a value of one label.
    #[must_use]
    pub fn by(
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: impl IntoIterator<Item = (String, f64)>,
    ) -> Self {
        let samples = values.into_iter().map(|(word, value)| (vec![(label, word)], value)).collect();
        Self { name, help, samples }
    }
}

/// The text of all metrics; `job` labels every sample. A metric without samples is left out.
#[must_use]
pub fn exposition(job: &str, metrics: &[Metric]) -> String {
    let mut text = String::new();
    for metric in metrics.iter().filter(|metric| !metric.samples.is_empty()) {
        let name = metric.name;
        // Writing to a String cannot fail.
        let _ =
            write!(text, "# HELP integrity_{name} {}\n# TYPE integrity_{name} gauge\n", escaped(metric.help, false));
        for (labels, value) in &metric.samples {
            let _ = write!(text, "integrity_{name}{{job_name=\"{}\"", escaped(job, true));
            for (label, word) in labels {
                let _ = write!(text, ",{label}=\"{}\"", escaped(word, true));
            }
            let _ = writeln!(text, "}} {value}");
        }
    }
    text
}

fn escaped(text: &str, is_label: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    if is_label { text.replace('"', "\\\"") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_as_the_format_has_it() {
        let metrics = [
            Metric::single("merchants_scored", "Merchants scored.", 1_500.0),
            Metric::by("alerts", "Alerts that stand.", "rule", [("a\"b".to_owned(), 2.0), ("c".to_owned(), 0.5)]),
            Metric::by("offers", "Offers.", "product", []),
        ];
        let expected = "# HELP integrity_merchants_scored Merchants scored.\n# TYPE integrity_merchants_scored gauge\n\
                        integrity_merchants_scored{job_name=\"demo\"} 1500\n\
                        # HELP integrity_alerts Alerts that stand.\n# TYPE integrity_alerts gauge\n\
                        integrity_alerts{job_name=\"demo\",rule=\"a\\\"b\"} 2\nintegrity_alerts{job_name=\"demo\",rule=\"c\"} 0.5\n";
        assert_eq!(exposition("demo", &metrics), expected);
    }
}
