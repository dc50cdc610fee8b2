//! The generated chapters of `docs/` say what the code says.

use std::path::Path;

use integrity::features::FeatureConfig;

fn assert_current(name: &str, generated: &str, command: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        written.trim_end(),
        generated.trim_end(),
        "docs/{name} is not current; write it anew with: {command} > docs/{name}"
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
        let command = format!("integrity schema --job pipelines/{job}/job.toml");
        assert_current(&format!("features-{job}.md"), &integrity::features::dictionary_markdown(&features), &command);
    }
}
