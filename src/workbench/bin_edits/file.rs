//! The bins file: cuts of every variable as TOML that a person edits.

use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::export::{APART, seal};
use super::log::LogEntry;
use crate::config::{ConfigError, ConfigFile};
use crate::model::binning::{Cuts, Scale, VariableEdit};
use crate::model::table::same_number;

/// A checked bins file.
#[derive(Debug, Clone, PartialEq)]
pub struct BinsFile {
    /// Who edited, where the file says.
    pub by: Option<String>,
    /// Edited variables; the rest is as exported.
    pub edits: Vec<VariableEdit>,
    /// Edits of earlier models.
    pub log: Vec<LogEntry>,
}

/// Regular bins at most: a bin code is a byte.
const MAX_BINS: usize = 100;
const SHAPE: &str = "give `edges = [1.5, 3.5]` for numbers (bins ≤ 1.5, > 1.5 and ≤ 3.5, > 3.5) or \
                     `levels = [[\"a\", \"b\"], [\"c\"]]` for text";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    by: Option<String>,
    #[serde(default)]
    exported: Option<Spanned<String>>,
    #[serde(default)]
    log: Option<Spanned<String>>,
    #[serde(default)]
    variable: Vec<Spanned<RawVariable>>,
}

/// Levels, a list a bin.
type RawLevels = Spanned<Vec<Spanned<Vec<Spanned<String>>>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVariable {
    name: Spanned<String>,
    edges: Option<Spanned<Vec<Spanned<f64>>>>,
    levels: Option<RawLevels>,
    unseen: Option<Spanned<String>>,
    missing: Option<RawMissing>,
    #[serde(default)]
    specials: Vec<RawSpecial>,
    reason: Option<Spanned<String>>,
    exported: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMissing {
    merge_with: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSpecial {
    value: Spanned<f64>,
    merge_with: Spanned<String>,
}

impl BinsFile {
    /// Reads a bins file and checks it against the columns and special values of the table to train on.
    ///
    /// # Errors
    /// A file, line and what is allowed: unsorted edges, a level in two bins, a column or special value that is not there, a neighbour
    /// that is no bin, an edit without a reason, or `exported` lines that were altered.
    pub fn open(path: &Path, columns: &[String], specials: &[f64]) -> Result<Self, ConfigError> {
        Self::check(&ConfigFile::open(path)?, columns, specials)
    }

    fn check(file: &ConfigFile, columns: &[String], specials: &[f64]) -> Result<Self, ConfigError> {
        let raw: RawFile = file.parse()?;
        let log = read_log(file, raw.log.as_ref())?;
        check_names(file, &raw, columns)?;
        check_seal(file, &raw)?;
        let mut edits = Vec::new();
        for spanned in &raw.variable {
            let variable = spanned.get_ref();
            let name = variable.name.get_ref();
            let cuts = cuts_of(file, &spanned.span(), variable, specials)?;
            let before = exported(file, variable)?;
            if before.as_ref().is_some_and(|b| b.same(&cuts)) {
                continue;
            }
            let reason = variable.reason.as_ref().map_or("", |r| r.get_ref().trim());
            if reason.is_empty() {
                let message = format!("the bins of {name:?} were edited and no reason is given");
                let help = "add `reason = \"…\"` to this [[variable]], or put its bins back as exported";
                return Err(file.refuse(&variable.name.span(), message, help));
            }
            let reason = reason.to_owned();
            edits.push(VariableEdit { variable: name.clone(), before, cuts, reason });
        }
        Ok(Self { by: raw.by.filter(|b| !b.trim().is_empty()), edits, log })
    }
}

/// Every variable is a column of the table, once.
fn check_names(file: &ConfigFile, raw: &RawFile, columns: &[String]) -> Result<(), ConfigError> {
    let mut seen: Vec<&str> = Vec::new();
    for name in raw.variable.iter().map(|v| &v.get_ref().name) {
        let text = name.get_ref();
        if !columns.contains(text) {
            let some: Vec<&str> = columns.iter().take(20).map(String::as_str).collect();
            let help = format!("columns of the table that may be variables: {}", some.join(", "));
            return Err(file.refuse(&name.span(), format!("there is no column {text:?}"), help));
        }
        if seen.contains(&text.as_str()) {
            let message = format!("variable {text:?} stands here a second time");
            return Err(file.refuse(&name.span(), message, "keep one [[variable]] for it"));
        }
        seen.push(text);
    }
    Ok(())
}

/// What was exported may be compared with only while it is what was exported. Variables may be left out of the file.
fn check_seal(file: &ConfigFile, raw: &RawFile) -> Result<(), ConfigError> {
    let sealed: Vec<&str> = raw.exported.iter().flat_map(|s| s.get_ref().split(' ')).collect();
    let log = raw.log.as_ref().map_or("", |l| l.get_ref().as_str());
    if !(sealed.contains(&seal("log", log).as_str()) || sealed.is_empty() && raw.log.is_none()) {
        let span = raw.log.as_ref().or(raw.exported.as_ref()).map_or(0..0, Spanned::span);
        return Err(file.refuse(&span, "the log of earlier edits was altered: entries are only ever added", RESTORE));
    }
    for variable in raw.variable.iter().map(Spanned::get_ref) {
        let Some(line) = &variable.exported else { continue };
        let name = variable.name.get_ref();
        if !sealed.contains(&seal(name, line.get_ref()).as_str()) {
            let message = format!("`exported` of {name:?} was altered: it is what an edit is compared with");
            return Err(file.refuse(&line.span(), message, RESTORE));
        }
    }
    Ok(())
}

const RESTORE: &str = "edit `edges`, `levels`, `unseen`, `missing`, `specials` and `reason` only; `integrity bins MODEL --out F` writes it anew";

fn read_log(file: &ConfigFile, log: Option<&Spanned<String>>) -> Result<Vec<LogEntry>, ConfigError> {
    let Some(log) = log else { return Ok(Vec::new()) };
    serde_json::from_str(log.get_ref())
        .map_err(|e| file.refuse(&log.span(), format!("the log of earlier edits is broken: {e}"), RESTORE))
}

fn exported(file: &ConfigFile, variable: &RawVariable) -> Result<Option<Cuts>, ConfigError> {
    let Some(line) = &variable.exported else { return Ok(None) };
    serde_json::from_str(line.get_ref())
        .map(Some)
        .map_err(|e| file.refuse(&line.span(), format!("`exported` is broken: {e}"), RESTORE))
}

fn cuts_of(
    file: &ConfigFile,
    whole: &Range<usize>,
    variable: &RawVariable,
    specials: &[f64],
) -> Result<Cuts, ConfigError> {
    let scale = match (&variable.edges, &variable.levels) {
        (Some(edges), None) => {
            if let Some(unseen) = &variable.unseen {
                return Err(file.refuse(&unseen.span(), "`unseen` is for text levels", "remove it beside `edges`"));
            }
            Scale::Number { edges: checked_edges(file, edges.get_ref())? }
        }
        (None, Some(levels)) => Scale::Text { levels: checked_levels(file, levels)?, unseen: None },
        (None, None) => return Err(file.refuse(whole, "the variable has no bins", SHAPE)),
        (Some(edges), Some(_)) => return Err(file.refuse(&edges.span(), "both `edges` and `levels` are given", SHAPE)),
    };
    let mut cuts = Cuts { scale, missing_with: None, specials_with: Vec::new() };
    if cuts.bins() > MAX_BINS {
        let message = format!("{} bins are more than {MAX_BINS}", cuts.bins());
        return Err(file.refuse(whole, message, format!("up to {MAX_BINS} bins a variable")));
    }
    let labels = cuts.labels();
    let named = |label: &Spanned<String>| -> Result<usize, ConfigError> {
        labels.iter().position(|l| l == label.get_ref()).ok_or_else(|| {
            let help =
                format!("the bins are {}", labels.iter().map(|l| format!("{l:?}")).collect::<Vec<_>>().join(", "));
            file.refuse(&label.span(), format!("{:?} is no regular bin of this variable", label.get_ref()), help)
        })
    };
    if let Some(label) = variable.unseen.as_ref().filter(|u| u.get_ref() != APART) {
        let bin = named(label)?;
        if let Scale::Text { unseen, .. } = &mut cuts.scale {
            *unseen = Some(bin);
        }
    }
    cuts.missing_with = variable.missing.as_ref().map(|m| named(&m.merge_with)).transpose()?;
    for special in &variable.specials {
        let value = *special.value.get_ref();
        if !specials.iter().any(|s| same_number(*s, value)) {
            let help = format!("special values are named for the whole table: train with --special={value}");
            return Err(file.refuse(
                &special.value.span(),
                format!("{value} is no special value of this training"),
                help,
            ));
        }
        if cuts.specials_with.iter().any(|(v, _)| same_number(*v, value)) {
            let message = format!("special value {value} is merged twice");
            return Err(file.refuse(&special.value.span(), message, "keep one of the two"));
        }
        cuts.specials_with.push((value, named(&special.merge_with)?));
    }
    Ok(cuts)
}

fn checked_edges(file: &ConfigFile, edges: &[Spanned<f64>]) -> Result<Vec<f64>, ConfigError> {
    let mut out: Vec<f64> = Vec::new();
    for edge in edges {
        let value = *edge.get_ref();
        if !value.is_finite() {
            let help = "the first bin reaches down and the last up without an edge";
            return Err(file.refuse(&edge.span(), format!("edge {value} is not a finite number"), help));
        }
        if let Some(&before) = out.last()
            && value <= before
        {
            let message = format!("edge {value} does not lie above the one before it, {before}");
            let help =
                "edges rise strictly; each is the upper end, inclusive, of its bin and the lower end of the next";
            return Err(file.refuse(&edge.span(), message, help));
        }
        out.push(value);
    }
    Ok(out)
}

fn checked_levels(file: &ConfigFile, bins: &RawLevels) -> Result<Vec<Vec<String>>, ConfigError> {
    if bins.get_ref().is_empty() {
        return Err(file.refuse(&bins.span(), "the variable has no bins", SHAPE));
    }
    let mut out: Vec<Vec<String>> = Vec::new();
    for bin in bins.get_ref() {
        if bin.get_ref().is_empty() {
            return Err(file.refuse(&bin.span(), "a bin without levels", "remove it, or move levels into it"));
        }
        let mut names: Vec<String> = Vec::new();
        for level in bin.get_ref() {
            let name = level.get_ref();
            if names.contains(name) || out.iter().flatten().any(|n| n == name) {
                let message = format!("level {name:?} stands in two bins or twice in one");
                return Err(file.refuse(&level.span(), message, "keep each level once"));
            }
            names.push(name.clone());
        }
        out.push(names);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::export::render;
    use super::*;
    use crate::model::binning::{Bin, BinKind, BinRole, Bins, Trend};

    fn model() -> Vec<Bins> {
        let bin = |label: &str, role| Bin { label: label.to_owned(), role, rows: 5.0, bad: 1.0, woe: 0.0 };
        let regular = |label: &str| bin(label, BinRole::Regular);
        let age = Bins {
            name: "age \"in\\\tyears\"".to_owned(),
            kind: BinKind::Number { edges: vec![25.1 + 0.2, 60.5] },
            specials: vec![(-9.0, 3), (-8.0, 2)],
            missing: 4,
            trend: Trend::Ascending,
            iv: 0.1,
            bins: vec![
                regular("≤ 25.3"),
                regular("> 25.3"),
                regular("> 60.5"),
                bin("= -9", BinRole::Special),
                bin("missing", BinRole::Missing),
            ],
        };
        let purpose = Bins {
            name: "purpose".to_owned(),
            kind: BinKind::Text {
                levels: vec![vec!["car, \"new\"".to_owned(), "tv".to_owned()], vec!["naïve\n".to_owned()]],
                unseen: 1,
            },
            specials: vec![(-9.0, 2), (-8.0, 3)],
            missing: 1,
            trend: Trend::Ascending,
            iv: 0.1,
            bins: vec![regular("a"), regular("b"), bin("= -9", BinRole::Special), bin("= -8", BinRole::Special)],
        };
        vec![age, purpose]
    }

    const SPECIALS: [f64; 2] = [-9.0, -8.0];

    fn columns() -> Vec<String> {
        model().iter().map(|b| b.name.clone()).collect()
    }

    fn read(text: &str) -> Result<BinsFile, ConfigError> {
        BinsFile::check(&ConfigFile::from_text(Path::new("bins.toml"), text), &columns(), &SPECIALS)
    }

    /// Line and message of the refusal of a file where `from` became `to`.
    fn refused(from: &str, to: &str) -> String {
        let text = render(&model(), &[]);
        assert!(text.contains(from), "{text}");
        let error = read(&text.replacen(from, to, 1)).unwrap_err();
        assert!(error.line > 0, "{error}");
        error.to_string()
    }

    #[test]
    fn what_was_exported_is_no_edit() {
        let text = render(&model(), &[]);
        assert_eq!(read(&text).unwrap(), BinsFile { by: None, edits: vec![], log: vec![] });
        // Another order of levels and bins is none either; nor is a variable left out.
        let text = text.replace("[\"car, \\\"new\\\"\", \"tv\"]", "[\"tv\", \"car, \\\"new\\\"\"]");
        assert!(read(&text).unwrap().edits.is_empty());
        let cut = text.find("\n# \"car").unwrap();
        assert!(read(&text[..cut]).unwrap().edits.is_empty());
    }

    #[test]
    fn an_edit_needs_a_reason_and_stays_an_edit() {
        assert!(refused("edges = [25.3, ", "edges = [30, ").contains("no reason is given"));
        assert!(
            refused("unseen = \"naïve\\U0000000A\"", "unseen = \"car, \\\"new\\\" | tv\"")
                .contains("no reason is given")
        );
        assert!(refused("missing = { merge_with = \"naïve\\U0000000A\" }", "").contains("no reason is given"));
        let text = render(&model(), &[]).replacen("edges = [25.3, ", "reason = 'law of 2024'\nedges = [30, ", 1);
        let file = read(&text.replacen("# by = \"your name\"", "by = 'Ada'", 1)).unwrap();
        assert_eq!(file.by.as_deref(), Some("Ada"));
        let [edit] = file.edits.as_slice() else { panic!("{:?}", file.edits) };
        assert_eq!(edit.before, Some(Cuts::of(&model()[0])));
        assert_eq!(edit.cuts.scale, Scale::Number { edges: vec![30.0, 60.5] });
        // The model trained with it is exported: the file as it comes back is the same edit against the same past.
        let day = jiff::civil::date(2024, 1, 2);
        let log = super::super::extended(&file.log, &file.edits, file.by.as_deref(), day);
        let mut next = model();
        next[0].kind = BinKind::Number { edges: vec![30.0, 60.5] };
        let again = read(&render(&next, &log)).unwrap();
        assert_eq!((again.edits, again.log.clone()), (file.edits.clone(), log.clone()));
        assert_eq!(
            super::super::extended(&log, &file.edits, None, day),
            log,
            "what stands already is not logged twice"
        );
    }

    #[test]
    fn broken_files_are_refused_with_their_line() {
        assert!(refused("edges = [25.3, ", "edges = [70, ").contains("does not lie above"));
        assert!(refused("edges = [25.3, ", "edges = [60.5, ").contains("does not lie above"));
        assert!(refused("edges = [25.3, ", "edges = [nan, ").contains("not a finite number"));
        assert!(refused("name = \"purpose\"", "name = \"purpos\"").contains("no column \"purpos\""));
        assert!(refused("\"tv\"]", "\"tv\", \"tv\"]").contains("two bins"));
        assert!(refused("\"tv\"]", "\"tv\"], []").contains("without levels"));
        assert!(refused("merge_with = \"naïve", "merge_with = \"naive").contains("no regular bin"));
        assert!(refused("value = -8.0", "value = -7.0").contains("no special value"));
        assert!(refused("unseen = ", "unsean = ").contains("unknown field"));
        assert!(refused("name = \"purpose\"", "edges = [1]\nname = \"purpose\"").contains("both"));
        assert!(refused("exported = \"{", "exported = \"{ ").contains("was altered"));
        assert!(refused("exported = \"", "exported = \"0").contains("was altered"));
        let twice = refused(
            "[[variable]]\nname = \"purpose\"",
            "[[variable]]\nedges = []\nreason = 'x'\nname = \"purpose\"\n[[variable]]\nname = \"purpose\"",
        );
        assert!(twice.contains("second time"), "{twice}");
    }
}
