//! A run that an earlier version of the program published is followed: columns that were added to its tables since are read as what they say of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::Schema;
use integrity::domain::Digest;
use integrity::publish::{OutputRow as _, ScoreBook, TableReader, TableWriter, output_tables, verify};
use integrity::repayment::LoanException;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use super::fixture::{base, bytes_of, data};
use super::invariance::read;
use super::nights::{after_the_first_night, next_night};

/// Writes a table again without some columns, and others under the names that they had.
fn strip(path: &Path, columns: &[&str], renamed: &[(&str, &str)]) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let schema = reader.schema().clone();
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    let all = concat_batches(&schema, &batches).unwrap();
    let kept: Vec<usize> =
        (0..schema.fields().len()).filter(|at| !columns.contains(&schema.field(*at).name().as_str())).collect();
    let earlier = all.project(&kept).unwrap();
    let schema = earlier.schema();
    let fields = schema.fields().iter().map(|field| {
        let formerly = renamed.iter().find(|(now, _)| now == field.name()).map(|(_, formerly)| *formerly);
        field.as_ref().clone().with_name(formerly.unwrap_or(field.name()))
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let earlier = RecordBatch::try_new(schema, earlier.columns().to_vec()).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), earlier.schema(), None).unwrap();
    writer.write(&earlier).unwrap();
    writer.close().unwrap();
}

/// Makes the current run what the first version would have published: without every column that was added later,
/// its digests as they are then.
fn publish_as_first_version(out: &Path) {
    let pointer_path = out.join("current.json");
    let pointer = fs::read_to_string(&pointer_path).unwrap();
    let of_pointer: Value = serde_json::from_str(&pointer).unwrap();
    let run = out.join(of_pointer["run"].as_str().unwrap());
    // Both are read in the very form in which they are written.
    let mut manifest = fs::read_to_string(run.join("manifest.json")).unwrap();
    let mut stripped = 0;
    for table in output_tables() {
        let name = format!("{}.parquet", table.name);
        let later: Vec<&str> = table.columns.iter().filter(|c| c.earlier.is_some()).map(|c| c.name.as_str()).collect();
        let renamed: Vec<(&str, &str)> =
            table.columns.iter().filter_map(|c| Some((c.name.as_str(), c.formerly?))).collect();
        if (later.is_empty() && renamed.is_empty()) || !run.join(&name).exists() {
            continue;
        }
        let before = fs::read(run.join(&name)).unwrap();
        strip(&run.join(&name), &later, &renamed);
        let bytes = fs::read(run.join(&name)).unwrap();
        let (head, entry) = manifest.split_once(&format!("\"path\": \"{name}\"")).unwrap();
        let entry = entry
            .replacen(&format!("\"bytes\": {}", before.len()), &format!("\"bytes\": {}", bytes.len()), 1)
            .replacen(&Digest::of(&before).to_string(), &Digest::of(&bytes).to_string(), 1);
        manifest = format!("{head}\"path\": \"{name}\"{entry}");
        stripped += later.len() + renamed.len();
    }
    assert!(stripped > 5, "{stripped}");
    let digest = Digest::of(manifest.as_bytes()).to_string();
    fs::write(run.join("manifest.json"), &manifest).unwrap();
    fs::write(run.join("manifest.json.sha256"), format!("{digest}  manifest.json\n")).unwrap();
    let before = of_pointer["manifest_sha256"].as_str().unwrap();
    for path in [pointer_path, run.parent().unwrap().join("current.json")] {
        let pointer = fs::read_to_string(&path).unwrap();
        fs::write(&path, pointer.replacen(before, &digest, 1)).unwrap();
    }
}

#[test]
fn the_night_after_a_run_of_an_earlier_version_is_the_night_that_would_have_been() {
    let usual = after_the_first_night();
    let expected = next_night(data(), usual.path()).unwrap();
    let earlier = after_the_first_night();
    publish_as_first_version(&earlier.path().join("published"));
    let found = next_night(data(), earlier.path()).unwrap();
    // What a night leaves names the run that it follows; credit is granted alike.
    let tables = |name: &str| {
        let of = |run: &integrity::run::RunOutcome| read(&run.published.run_dir.join(format!("{name}.parquet")));
        (of(&expected), of(&found))
    };
    for name in ["offers", "declines", "open_offers", "accounts", "deductions", "loan_book"] {
        let (expected, found) = tables(name);
        assert!(expected.equals_missing(&found), "{name}");
    }
    assert_eq!(bytes_of(&expected).len(), bytes_of(&found).len());
}

#[test]
fn an_earlier_run_is_served_and_verified() {
    let folder = after_the_first_night();
    let out = folder.path().join("published");
    publish_as_first_version(&out);
    assert!(verify(&out, None).unwrap().is_sound());
    let book = ScoreBook::open(&out).unwrap();
    let scores = read(&base().1.published.run_dir.join("scores.parquet"));
    let merchants = scores.column("merchant_id").unwrap().str().unwrap().clone();
    let merchant = merchants.get(0).unwrap();
    assert!(book.get(merchant).unwrap().is_some());
}

#[test]
fn what_an_earlier_run_did_not_say_is_not_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loan_exceptions.parquet");
    let line = |code: &str, is_unknown: bool| LoanException {
        merchant_id: Some("m1".to_owned()),
        loan_id: Some("l1".to_owned()),
        product: None,
        code: code.to_owned(),
        detail: "why".to_owned(),
        principal_minor: None,
        is_unknown,
    };
    let mut writer = TableWriter::create(&path, LoanException::table()).unwrap();
    writer.extend([line("a", false), line("b", true)]).unwrap();
    writer.finish().unwrap();
    assert!(!TableReader::<LoanException>::open(&path).unwrap().is_earlier());
    strip(&path, &["is_unknown"], &[]);
    let reader = TableReader::<LoanException>::open(&path).unwrap();
    assert!(reader.is_earlier());
    let lines: Vec<LoanException> = reader.map(Result::unwrap).collect();
    assert_eq!(lines, [line("a", true), line("b", true)]);
    strip(&path, &["code"], &[]);
    let refused = TableReader::<LoanException>::open(&path).unwrap().next().unwrap();
    assert!(refused.unwrap_err().to_string().contains("code"));
}

/// A column that is added to a table must say what the rows of runs published before are read with.
#[test]
fn columns_that_were_added_say_what_earlier_runs_are_read_with() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/run/first-columns.txt");
    let mut found = String::new();
    for table in output_tables() {
        for column in table.columns.iter().filter(|column| column.earlier.is_none()) {
            writeln!(found, "{}.{}", table.name, column.formerly.unwrap_or(&column.name)).unwrap();
        }
    }
    if std::env::var_os("UPDATE_FIRST_COLUMNS").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    let (first, found): (BTreeSet<&str>, BTreeSet<&str>) = (text.lines().collect(), found.lines().collect());
    let added: Vec<_> = found.difference(&first).collect();
    assert!(
        added.is_empty(),
        "{added:?}: runs that lack them cannot be followed; say what they are read with (added_later)"
    );
    let gone: Vec<_> = first.difference(&found).collect();
    assert!(gone.is_empty(), "{gone:?}: no longer written");
}
