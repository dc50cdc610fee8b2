//! The drafted `job.toml`.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::add::add;
use super::table_draft::TableDraft;
use crate::domain::Currency;
use crate::profile::{Folder, RawTable};
use crate::source::sql_words;

/// What the job file says.
pub(super) struct JobFacts<'a> {
    pub name: &'a str,
    pub currency: Option<(Currency, String)>,
    pub as_of: Option<(Date, String)>,
    pub data: &'a str,
    pub folder: &'a Folder,
    /// Tables that the job reads.
    pub tables: &'a [TableDraft],
    /// Optional tables with gaps: written, but not read yet.
    pub aside: &'a [TableDraft],
    pub has_loan_label: bool,
    /// The export has loans, and not all of what is needed to read them.
    pub lacks_loan_book: bool,
    pub windows: Windows,
    /// Tables that end long before the first night, with the sentence that says so.
    pub behind: Vec<(&'static str, String)>,
}

/// How the past is cut into training snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Windows {
    pub performance_days: u16,
    pub every_days: u16,
    pub snapshots: u16,
    pub test_snapshots: u16,
}

impl Windows {
    /// The longest performance window, up to a quarter (half a year for loans), that leaves four snapshots or more; then as many snapshots as fit.
    pub(super) fn of(days: i32, of_loans: bool) -> Self {
        // Who is judged must have traded in a quarter before.
        let look_back = 90;
        let wanted = if of_loans { [180, 90, 60, 30] } else { [90, 60, 30, 14] };
        let every = |performance: i32| (performance / 3).max(7);
        let fits = |performance: i32| (days - look_back - performance) / every(performance) + 1;
        let performance = wanted.into_iter().find(|p| fits(*p) >= 4).unwrap_or(wanted[3]);
        let snapshots = fits(performance).clamp(2, 9);
        let small = |n: i32| u16::try_from(n).unwrap_or(1);
        Self {
            performance_days: small(performance),
            every_days: small(every(performance)),
            snapshots: small(snapshots),
            test_snapshots: small((snapshots / 4).max(1)),
        }
    }
}

/// A key of a TOML table: in quotes, where it has letters of other scripts.
fn key_of(name: &str) -> String {
    let is_bare = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_bare { name.to_owned() } else { toml::Value::String(name.to_owned()).to_string() }
}

/// The keys of an input beside its files.
fn keys_of_input(facts: &JobFacts, raw: &RawTable) -> String {
    let mut drafts = facts.tables.iter().chain(facts.aside).filter(|table| table.from == raw.name);
    let path = drafts.find_map(|table| table.path_column.clone());
    let path = path.map(|column| format!("path_column = {}", toml::Value::String(column)));
    let keys: Vec<String> = [raw.format.toml()].into_iter().chain(path).filter(|key| !key.is_empty()).collect();
    keys.join(", ")
}

/// Drafts the file.
pub(super) fn draft(facts: &JobFacts) -> String {
    let mut text = format!(
        "# A draft made by `integrity init` from the files below `data`. README.md says how to go on, GAPS.md what is missing. `integrity schema \
         --job` explains\n# every key; what was guessed says so here and in sources/.\nname = \"{}\"\n",
        facts.name
    );
    match &facts.currency {
        Some((currency, evidence)) => add(&mut text, &format!("currency = \"{currency}\"   # {evidence}\n")),
        None => text.push_str(
            "# GAP: nothing in the data says it. Draft again with `integrity init … --currency CODE` into an empty folder, which fills it in everywhere; or write the\n# ISO 4217 code of all amounts here and, in quotes, in sources/orders.sql.\ncurrency = \"?\"   # GAP\n",
        ),
    }
    text.push_str("# GUESS: times are read as they are written, as if they were UTC. Leave it so where they are local times: days then begin and end as they do\n# there. Name a zone (e.g. \"America/Sao_Paulo\") only where the export writes UTC and its business days are those of that zone.\ntime_zone = \"UTC\"\n");
    match &facts.as_of {
        Some((date, evidence)) => add(
            &mut text,
            &format!("# {evidence} A nightly job writes as_of = \"yesterday\" or \"today\".\nas_of = \"{date}\"\n"),
        ),
        None => text.push_str("as_of = \"today\"\n"),
    }
    add(
        &mut text,
        &format!(
            "data = {}\nout = \"out\"\nmodels = \"models\"\nfeatures = \"features.toml\"\npolicy = \"policy.toml\"\nmonitor = \"monitor.toml\"\n\n[inputs]\n",
            toml::Value::String(facts.data.to_owned())
        ),
    );
    let used: BTreeSet<&str> = facts.tables.iter().flat_map(|table| inputs_of(table, facts.folder)).collect();
    for raw in &facts.folder.tables {
        let files = toml::Value::String(raw.files.clone());
        let mark = if used.contains(raw.name.as_str()) { "" } else { "# not used: " };
        let format = keys_of_input(facts, raw);
        let comma = if format.is_empty() { "" } else { ", " };
        if !raw.not_in_all.is_empty() {
            let columns = raw.not_in_all.join(", ");
            add(&mut text, &format!("# Not all files of {} have {columns}: null where they are missing.\n", raw.name));
        }
        if raw.files.starts_with('{') {
            add(&mut text, "# No pattern matches these files and no others: add those that come next.\n");
        }
        add(&mut text, &format!("{mark}{} = {{ files = {files}{comma}{format} }}\n", key_of(&raw.name)));
        let twins = twins_of(facts.tables, &raw.name);
        for twin in &twins {
            add(
                &mut text,
                &format!(
                    "# The same files once more: `where` does not touch what is read by this name.\n{} = {{ files = {files}{comma}{format} }}\n",
                    key_of(twin)
                ),
            );
        }
        for twin in twins_of(facts.aside, &raw.name).difference(&twins) {
            add(&mut text, &format!("# not used: {} = {{ files = {files}{comma}{format} }}\n", key_of(twin)));
        }
    }
    for table in facts.tables {
        add(
            &mut text,
            &format!(
                "\n[[source]]\ntable = \"{}\"\nfrom = \"{}\"\nsql = \"{}\"\n{}{}",
                table.table.name,
                table.from,
                table.file(),
                skipped(table),
                keyed_by(table)
            ),
        );
    }
    for table in facts.aside {
        text.push_str(&not_read_yet(table, facts.folder, &used));
    }
    let label = if facts.has_loan_label { "loan-default" } else { "trade-distress" };
    let Windows { performance_days, every_days, snapshots, test_snapshots } = facts.windows;
    let approval = if facts.lacks_loan_book {
        "# The export speaks of loans that are not read (GAPS.md): every merchant seems to owe nothing. No model approves itself before they are.\n"
    } else {
        "# A model that the night itself trains is taken where it ranks well enough. Before money is lent, leave this out: a person approves.\n\
         approve_as = \"drafted job: self-approved to try it\"\napprove_min_auc = 0.6\n"
    };
    add(
        &mut text,
        &format!(
            "\n[wash]\n# GUESS: a few rows in a hundred are single faults, more are a fault of the export or of a SELECT (project judgement).\n\
             max_quarantine_share = 0.03\n\n[model]\nname = \"{}-willingness\"\nlabel = \"{label}\"\nability_measure = \
         \"net_receipts\"\nperformance_days = {performance_days}\nsnapshot_every_days = {every_days}\nsnapshots = {snapshots}\ntest_snapshots = \
         {test_snapshots}\n{approval}expires_after_days = 365\n",
            facts.name
        ),
    );
    text.push_str(&ends_early(facts));
    text
}

/// What the first night lives with.
fn ends_early(facts: &JobFacts) -> String {
    let mut text = String::new();
    let Some((as_of, _)) = &facts.as_of else { return text };
    for (table, reason) in &facts.behind {
        add(
            &mut text,
            &format!(
                "\n# GUESS: the first night would stop on this table: its export ends earlier than the others', or its rows are rare. Later nights hold it to its own pace.\n\
                 [[gates.allow]]\ntable = \"{table}\"\nwhat = \"older\"\nuntil = \"{as_of}\"\nreason = \"{reason}\"\n"
            ),
        );
    }
    text
}

/// Second names by which tables read the files of an input.
fn twins_of<'a>(tables: &'a [TableDraft], input: &str) -> BTreeSet<&'a str> {
    let twins = tables.iter().filter_map(|table| table.twin.as_ref());
    twins.filter(|(_, of)| of == input).map(|(twin, _)| twin.as_str()).collect()
}

/// A source whose SELECT has gaps, in comments.
fn not_read_yet(table: &TableDraft, folder: &Folder, used: &BTreeSet<&str>) -> String {
    let (name, file) = (table.table.name, table.file());
    let inputs: Vec<&str> = inputs_of(table, folder).into_iter().filter(|name| !used.contains(name)).collect();
    let also = if inputs.is_empty() {
        String::new()
    } else {
        format!(", and the comment marks before {} above", inputs.join(", "))
    };
    let why = if table.gaps().count() > 0 {
        format!("{file} has gaps. Fill them")
    } else {
        format!("nothing is missing in {file}, but in what is read together with it (GAPS.md). Add that")
    };
    format!(
        "\n# Not read yet: {why}, then take the comment marks away{also}.\n# [[source]]\n# table = \"{name}\"\n# from = \"{}\"\n# sql = \"{file}\"\n{}",
        table.from,
        commented(&skipped(table))
    )
}

/// The same lines, none of which is read.
fn commented(text: &str) -> String {
    text.lines().map(|line| if line.starts_with('#') { format!("{line}\n") } else { format!("# {line}\n") }).collect()
}

/// Which rows are read, with a comment.
fn skipped(table: &TableDraft) -> String {
    if table.skipped.is_empty() {
        return String::new();
    }
    let mut text = String::new();
    for rows in &table.skipped {
        add(&mut text, &format!("# GUESS: {}\n", rows.why));
    }
    let keeps: Vec<&str> = table.skipped.iter().map(|rows| rows.keeps.as_str()).collect();
    add(&mut text, &format!("where = {}\n", toml::Value::String(keeps.join(" AND "))));
    text
}

/// How the inputs of a SELECT that joins may be split, with a comment.
fn keyed_by(table: &TableDraft) -> String {
    if table.keyed_by.is_empty() {
        return String::new();
    }
    let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let keys: Vec<String> =
        table.keyed_by.iter().map(|(input, column)| format!("{} = {}", key_of(input), text(column))).collect();
    format!(
        "# Rows of different keys never meet in this SELECT: large inputs are split by these columns and worked on part by part. It is tried on a sample \
         before it is\n# believed; where you change the SELECT so that it is no longer true, take the line away.\nkeyed_by = {{ {} }}\n",
        keys.join(", ")
    )
}

/// Inputs that a SELECT names.
pub(super) fn inputs_of<'a>(table: &TableDraft, folder: &'a Folder) -> Vec<&'a str> {
    let named: BTreeSet<String> = sql_words(&table.sql()).into_iter().map(|word| word.name).collect();
    folder.tables.iter().map(|raw| raw.name.as_str()).filter(|name| named.contains(*name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_source_that_is_not_read_are_comments() {
        assert_eq!(commented("# GUESS: x\nwhere = \"y\"\n"), "# GUESS: x\n# where = \"y\"\n");
        assert_eq!(commented(""), "");
    }

    #[test]
    fn windows_fit_the_past() {
        let two_years = Windows::of(730, false);
        assert_eq!(
            (two_years.performance_days, two_years.every_days, two_years.snapshots, two_years.test_snapshots),
            (90, 30, 9, 2)
        );
        let half_a_year = Windows::of(180, false);
        let used = 90 + i32::from(half_a_year.performance_days + (half_a_year.snapshots - 1) * half_a_year.every_days);
        assert!(used <= 180 && half_a_year.snapshots >= 4, "{half_a_year:?}");
        let nothing = Windows::of(0, false);
        assert!(nothing.snapshots > nothing.test_snapshots);
    }
}
