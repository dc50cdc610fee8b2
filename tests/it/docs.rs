//! The generated chapters of `docs/` say what the code says.

use std::path::Path;

use integrity::cli::ExitCode;
use integrity::features::FeatureConfig;

fn assert_current(name: &str, generated: &str, command: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        written.trim_end(),
        generated.trim_end(),
        "docs/{name} is not current; write it again with: {command} > docs/{name}"
    );
}

#[test]
fn output_columns() {
    assert_current("outputs.md", &integrity::publish::output_dictionary_markdown(), "integrity schema --outputs");
}

#[test]
fn contract_tables() {
    assert_current("contract.md", &integrity::cli::contract_markdown(), "integrity schema");
}

#[test]
fn features() {
    for job in ["demo", "olist"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(job).join("features.toml");
        let features = FeatureConfig::open(&path).unwrap();
        let command = format!("integrity schema pipelines/{job}/job.toml");
        assert_current(&format!("features-{job}.md"), &integrity::features::dictionary_markdown(&features), &command);
    }
}

#[test]
fn schema_takes_a_job() {
    let job = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/olist/job.toml");
    let schema = |arguments: &[&str]| {
        let job = job.to_string_lossy().into_owned();
        let arguments = arguments.iter().map(|a| if *a == "JOB" { job.clone() } else { (*a).to_owned() });
        integrity::cli::main(["integrity".to_owned(), "schema".to_owned()].into_iter().chain(arguments).map(Into::into))
    };
    assert_eq!(schema(&["JOB"]), ExitCode::Ok);
    assert_eq!(schema(&["--job", "JOB"]), ExitCode::Ok);
    assert_eq!(schema(&["JOB", "--outputs"]), ExitCode::Usage);
    assert_eq!(schema(&["JOB", "--job", "JOB"]), ExitCode::Usage);
}
