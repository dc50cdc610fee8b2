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

fn read_of_root(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_readme_lists_every_exit_code() {
    let readme = read_of_root("README.md");
    let listed: Vec<&str> = readme
        .lines()
        .skip_while(|line| !line.starts_with("| exit code |"))
        .skip(2)
        .take_while(|l| !l.is_empty())
        .collect();
    let codes = ExitCode::ALL.map(|(code, meaning)| format!("| {} | {meaning} |", code as u8));
    assert_eq!(listed, codes);
}

#[test]
fn the_readme_names_every_published_table() {
    let readme = read_of_root("README.md");
    let (_, holds) = readme.split_once("The run folder holds").unwrap();
    let (holds, _) = holds.split_once("Columns: ").unwrap();
    for table in integrity::publish::output_tables() {
        match table.name {
            "quarantine" => assert!(holds.contains("`quarantine/<table>.parquet`")),
            // Of `integrity reconcile`, beside the runs.
            "differences" => {}
            name => assert!(holds.contains(&format!("`{name}.parquet`")), "{name}"),
        }
    }
}

/// Words of a query that name columns: neither SQL's own, which it writes in capitals, nor functions, aliases and fields of a column.
fn columns_of(query: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let unquoted: String = query.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    let aliases: BTreeSet<&str> =
        unquoted.split(" AS ").skip(1).filter_map(|rest| rest.split(|c| !is_part(c)).next()).collect();
    let mut found = BTreeSet::new();
    for (at, _) in unquoted.match_indices(is_part) {
        let before = unquoted[..at].chars().next_back();
        let (word, after) =
            unquoted[at..].split_at(unquoted[at..].find(|c| !is_part(c)).unwrap_or(unquoted.len() - at));
        let is_start = before.is_none_or(|c| !is_part(c) && c != '.');
        if is_start
            && word.starts_with(|c: char| c.is_ascii_lowercase())
            && !after.starts_with(['(', '.'])
            && !aliases.contains(word)
        {
            found.insert(word.to_owned());
        }
    }
    found
}

#[test]
fn the_notebook_reads_what_is_published() {
    let tables = integrity::publish::output_tables();
    let current = integrity::publish::Current {
        format: String::new(),
        as_of: jiff::civil::date(2025, 7, 1),
        run_id: String::new(),
        run: String::new(),
        manifest_sha256: integrity::domain::Digest::of(b""),
    };
    let current = serde_json::to_value(current).unwrap();
    let notebook: serde_json::Value = serde_json::from_str(&read_of_root("notebooks/read_a_run.ipynb")).unwrap();
    let (mut keys, mut queries) = (0, 0);
    let lines = notebook["cells"].as_array().unwrap().iter().filter(|cell| cell["cell_type"] == "code");
    for line in lines.flat_map(|cell| cell["source"].as_array().unwrap()).map(|line| line.as_str().unwrap()) {
        for key in line.split("current[\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(current.get(key).is_some(), "current.json has no {key}");
            keys += 1;
        }
        let Some((_, query)) = line.split_once("duckdb.sql(f\"") else { continue };
        let (_, file) = query.split_once("'{run}/").unwrap();
        let table = tables.iter().find(|table| file.starts_with(&format!("{}.parquet'", table.name))).unwrap();
        for column in columns_of(query.trim_end_matches("\")")) {
            assert!(table.columns.iter().any(|known| known.name == column), "{} has no {column}", table.name);
            queries += 1;
        }
    }
    assert!(keys > 0 && queries > 10, "{keys} keys, {queries} columns");
}
