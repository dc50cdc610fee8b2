//! The generated chapters of `docs/` say what the code says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use integrity::cli::ExitCode;
use integrity::config::{ConfigError, ConfigFile, Section, reference_example};
use integrity::features::FeatureConfig;
use integrity::monitor::{Monitor, monitor_reference};
use integrity::offer::{Policy, policy_reference};
use integrity::run::{Job, job_reference};

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
fn the_sql_of_sources() {
    assert_current("sql.md", &integrity::cli::sql_dialect_markdown(), "integrity schema --sql");
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
fn keys_of_the_configuration() {
    assert_current("job.md", &integrity::cli::job_keys_markdown(), "integrity schema --job");
    assert_current("policy.md", &integrity::cli::policy_keys_markdown(), "integrity schema --policy");
    assert_current("monitor.md", &integrity::cli::monitor_keys_markdown(), "integrity schema --monitor");
}

fn text_file(text: &str) -> ConfigFile {
    ConfigFile::from_text(Path::new("x.toml"), text)
}

fn open_job(text: &str) -> Result<(), ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("job.toml");
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/demo");
    for file in ["features.toml", "policy.toml", "monitor.toml"] {
        std::fs::copy(demo.join(file), folder.path().join(file)).unwrap();
    }
    std::fs::write(&path, text).unwrap();
    Job::open(&path).map(drop)
}

/// Keys that the parser knows below a head: it lists them when it meets one that it does not know.
fn known(head: &str, read: &dyn Fn(&str) -> Result<(), ConfigError>) -> BTreeSet<String> {
    let error = read(&format!("{head}\nno_such_key = 1\n")).unwrap_err();
    let (_, listed) = error.message.split_once("expected ").unwrap_or_else(|| panic!("{head}: {error}"));
    listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_reference_has_every_key_that_the_parser_knows_and_no_other() {
    type Read = dyn Fn(&str) -> Result<(), ConfigError>;
    let policy = |text: &str| Policy::check(text_file(text)).map(drop);
    let monitor = |text: &str| Monitor::check(text_file(text)).map(drop);
    let files: [(Vec<&'static Section>, &Read); 3] =
        [(job_reference(), &open_job), (policy_reference(), &policy), (monitor_reference(), &monitor)];
    for (sections, read) in files {
        let mut declared: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for section in &sections {
            declared.entry(section.head).or_default().extend(section.keys.iter().map(|key| key.name.to_owned()));
        }
        // Its keys are names of products: the parser takes any text and the check lists them.
        declared.remove("[default_dpd]");
        // Which keys a rule takes depends on its kind.
        declared.remove("[[rule]]");
        assert!(declared.len() > 6);
        for (head, keys) in declared {
            assert_eq!(keys, known(head, read), "below {head:?}");
        }
    }
}

/// Every kind of alert rule has a section, with the keys that the kind takes and no other.
#[test]
fn the_reference_has_the_keys_of_every_kind_of_rule() {
    let (rules, others): (Vec<&Section>, Vec<&Section>) =
        monitor_reference().into_iter().partition(|section| section.head == "[[rule]]");
    let refusal = |rule: &str| Monitor::check(text_file(&format!("{}{rule}", reference_example(&others)))).unwrap_err();
    let listed = |help: &str| -> BTreeSet<String> {
        let list = help.trim_start_matches("it takes ").trim_start_matches("one of: ");
        list.split(", ").map(str::to_owned).collect()
    };
    let mut kinds = BTreeSet::new();
    for rule in rules {
        let example: String = reference_example(&[rule]).trim_end().to_owned();
        let keys: BTreeSet<String> = rule.keys.iter().map(|key| key.name.to_owned()).collect();
        let error = refusal(&format!("{example}\nno_such_key = 1\n"));
        assert!(error.message.contains("no_such_key"), "{error}");
        assert_eq!(keys, listed(&error.help), "{example}");
        kinds.insert(rule.keys[0].example.trim_matches('"').to_owned());
    }
    let nothing =
        "[[rule]]\nkind = \"no-such-kind\"\ncode = \"x\"\ntext = \"x\"\nseverity = \"info\"\naction = \"watch\"\n";
    assert_eq!(kinds, listed(&refusal(nothing).help));
}

#[test]
fn the_examples_of_the_reference_are_accepted() {
    Policy::check(text_file(&reference_example(&policy_reference()))).unwrap();
    Monitor::check(text_file(&reference_example(&monitor_reference()))).unwrap();
    let (top, rest): (Vec<&Section>, Vec<&Section>) =
        job_reference().into_iter().partition(|section| section.head.is_empty());
    let rest: Vec<_> = rest.into_iter().filter(|s| !s.head.starts_with("[inputs") && s.head != "[[source]]").collect();
    let tables: String = ["merchants", "orders"]
        .map(|table| {
            format!("[inputs.{table}]\nfiles = \"{table}.csv\"\n[[source]]\ntable = \"{table}\"\nfrom = \"{table}\"\n")
        })
        .concat();
    open_job(&format!("{}{tables}{}", reference_example(&top), reference_example(&rest))).unwrap();
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
    assert_eq!(schema(&["--job"]), ExitCode::Ok);
    assert_eq!(schema(&["--policy"]), ExitCode::Ok);
    assert_eq!(schema(&["--monitor", "--policy"]), ExitCode::Usage);
    assert_eq!(schema(&["JOB", "--outputs"]), ExitCode::Usage);
    assert_eq!(schema(&["JOB", "--job", "JOB"]), ExitCode::Usage);
}
