//! `OpenLineage` run events: what a night read and wrote (specification 2-0-2).
//!
//! A published night has a START and a COMPLETE event whose `eventTime` is the instant of the observation, so that the file is the same whenever the
//! night is run again; when it really ran stands in `manifest.json`. A night that stops publishes nothing: its START and FAIL events lie in the
//! output folder, with the clock's own times, until the next night ends.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::{Digest, Hasher};

/// The file of a published night, below the run folder.
pub const LINEAGE: &str = "interchange/openlineage.ndjson";
/// The file of a night that stopped, in the output folder.
pub const LINEAGE_FAILED: &str = "openlineage-failed.ndjson";

const PRODUCER: &str = "urn:integrity:night";
const RUN_EVENT: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// A night as `OpenLineage` knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineageRun<'a> {
    /// Namespace of the job and its data.
    pub namespace: &'a str,
    /// Job.
    pub job: &'a str,
    /// Version of the program.
    pub code_version: &'a str,
    /// What tells this run from every other.
    pub run: &'a str,
    /// The observation.
    pub nominal_at: Option<Timestamp>,
}

/// A file that was read or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineageFile {
    /// Path below the data folder, or below the run folder.
    pub path: String,
    /// Digest of its bytes.
    pub sha256: Digest,
    /// Its size.
    pub bytes: u64,
    /// Its rows, where it is a table that was written.
    pub rows: Option<u64>,
}

/// The events of a published night, a line each.
#[must_use]
pub fn published_events(
    run: &LineageRun<'_>,
    at: Timestamp,
    inputs: &[LineageFile],
    outputs: &[LineageFile],
) -> String {
    let start = event(run, "START", at, inputs, &[], None);
    let complete = event(run, "COMPLETE", at, inputs, outputs, None);
    format!("{start}\n{complete}\n")
}

/// The events of a night that stopped, a line each.
#[must_use]
pub fn failed_events(run: &LineageRun<'_>, started_at: Timestamp, stopped_at: Timestamp, why: &str) -> String {
    let start = event(run, "START", started_at, &[], &[], None);
    let fail = event(run, "FAIL", stopped_at, &[], &[], Some(why));
    format!("{start}\n{fail}\n")
}

fn event(
    run: &LineageRun<'_>,
    kind: &str,
    at: Timestamp,
    inputs: &[LineageFile],
    outputs: &[LineageFile],
    failure: Option<&str>,
) -> Value {
    let mut run_facets = serde_json::Map::new();
    if let Some(nominal_at) = run.nominal_at {
        run_facets.insert(
            "nominalTime".to_owned(),
            facet("1-0-1/NominalTimeRunFacet", json!({ "nominalStartTime": nominal_at.to_string() })),
        );
    }
    if let Some(why) = failure {
        let message = json!({ "message": why, "programmingLanguage": "Rust" });
        run_facets.insert("errorMessage".to_owned(), facet("1-0-1/ErrorMessageRunFacet", message));
    }
    let input = |file: &LineageFile| dataset(run.namespace, &file.path, &[version(file)]);
    let output = |file: &LineageFile| {
        let mut statistics = json!({ "size": file.bytes });
        if let (Some(rows), Some(members)) = (file.rows, statistics.as_object_mut()) {
            members.insert("rowCount".to_owned(), json!(rows));
        }
        let mut output = dataset(run.namespace, &format!("{}/{}", run.job, file.path), &[version(file)]);
        if let Some(members) = output.as_object_mut() {
            let statistics = facet("1-0-2/OutputStatisticsOutputDatasetFacet", statistics);
            members.insert("outputFacets".to_owned(), json!({ "outputStatistics": statistics }));
        }
        output
    };
    json!({
        "eventType": kind,
        "eventTime": at.to_string(),
        "producer": PRODUCER,
        "schemaURL": RUN_EVENT,
        "run": { "runId": run_uuid(run), "facets": run_facets },
        "job": {
            "namespace": run.namespace,
            "name": run.job,
            "facets": {
                "jobType": facet("2-0-3/JobTypeJobFacet", json!({ "processingType": "BATCH", "integration": "INTEGRITY", "jobType": "JOB" })),
            },
        },
        "inputs": inputs.iter().map(input).collect::<Vec<_>>(),
        "outputs": outputs.iter().map(output).collect::<Vec<_>>(),
    })
}

fn dataset(namespace: &str, name: &str, facets: &[(&str, Value)]) -> Value {
    let facets: serde_json::Map<String, Value> =
        facets.iter().map(|(name, facet)| ((*name).to_owned(), facet.clone())).collect();
    json!({ "namespace": namespace, "name": name, "facets": facets })
}

fn version(file: &LineageFile) -> (&'static str, Value) {
    ("version", facet("1-0-1/DatasetVersionDatasetFacet", json!({ "datasetVersion": file.sha256.to_string() })))
}

/// A facet says who made it and by which schema.
fn facet(schema: &str, mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut() {
        let (version, name) = schema.split_once('/').unwrap_or(("", schema));
        let url = format!("https://openlineage.io/spec/facets/{version}/{name}.json#/$defs/{name}");
        members.insert("_producer".to_owned(), json!(PRODUCER));
        members.insert("_schemaURL".to_owned(), json!(url));
    }
    value
}

/// A UUID of version 8 (RFC 9562) that is a digest of what tells the run from others: the same night has the same.
fn run_uuid(run: &LineageRun<'_>) -> String {
    let mut hasher = Hasher::default();
    for field in ["openlineage", run.namespace, run.job, run.code_version, run.run] {
        hasher.field(field.as_bytes());
    }
    let hex: String = hasher.finish().to_string().chars().take(32).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-8{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str) -> LineageRun<'_> {
        LineageRun { namespace: "n", job: "demo", code_version: "1", run: id, nominal_at: Some(Timestamp::UNIX_EPOCH) }
    }

    #[test]
    fn both_events_are_of_one_run_and_say_what_was_read_and_written() {
        let file = |path: &str, rows| LineageFile { path: path.to_owned(), sha256: Digest::of(b"x"), bytes: 7, rows };
        let text = published_events(
            &run("a"),
            Timestamp::UNIX_EPOCH,
            &[file("orders.parquet", None)],
            &[file("scores.parquet", Some(3))],
        );
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(events.iter().map(|e| e["eventType"].as_str().unwrap()).collect::<Vec<_>>(), ["START", "COMPLETE"]);
        assert_eq!(events[0]["run"]["runId"], events[1]["run"]["runId"]);
        let id = events[0]["run"]["runId"].as_str().unwrap();
        assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!((id.as_bytes()[14], id.as_bytes()[19]), (b'8', b'8'));
        assert_eq!(events[0]["outputs"], json!([]));
        assert_eq!(events[1]["inputs"][0]["facets"]["version"]["datasetVersion"], Digest::of(b"x").to_string());
        assert_eq!(events[1]["outputs"][0]["name"], "demo/scores.parquet");
        assert_eq!(events[1]["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"], 3);
        assert_eq!(events[1]["run"]["facets"]["nominalTime"]["nominalStartTime"], "1970-01-01T00:00:00Z");
        assert_ne!(run_uuid(&run("a")), run_uuid(&run("b")));
    }

    #[test]
    fn a_failure_says_why() {
        let text = failed_events(&run("a"), Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, "a gate stopped it");
        let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(last["eventType"], "FAIL");
        assert_eq!(last["run"]["facets"]["errorMessage"]["message"], "a gate stopped it");
    }
}
