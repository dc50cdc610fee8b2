//! A model's bins written as a file to edit.

use super::log::LogEntry;
use crate::domain::Hasher;
use crate::model::binning::{Bins, Cuts, Scale};

const HEAD: &str = "\
# Bins to edit. Merge, split or move them, say why with `reason = \"…\"` in the same [[variable]], and train again with
#   integrity train --table F --target COL --bins THIS_FILE --out NEW_MODEL
# Numbers: `edges` are the upper ends, inclusive, of all bins but the last. Text: `levels` holds one list a bin; `unseen` names the
# bin of levels in no list (\"missing\": that of missing values). To share a bin, named by its label as in the comment above it:
#   missing = { merge_with = \"> 1.5\" }          specials = [{ value = -9, merge_with = \"> 1.5\" }]
# What shares none has a bin of its own. Variables left as exported, or left out, are cut by the engine as before; an edited one is
# taken as it stands. Lines called `exported` and `log` are what edits are compared with: leave them as they are.

# by = \"your name\"";

/// The bins of a model as a file to edit. `log` holds the edits the model was trained with; what stood before the first edit of a
/// variable remains what later edits are compared with, so that an edit that stands is an edit still when the file comes back.
#[must_use]
pub fn render<'a>(variables: impl IntoIterator<Item = &'a Bins>, log: &[LogEntry]) -> String {
    let past = if log.is_empty() { String::new() } else { serde_json::to_string(log).unwrap_or_default() };
    let mut seals = vec![seal("log", &past)];
    let mut body = Vec::new();
    for bins in variables {
        let cuts = Cuts::of(bins);
        let mut own = log.iter().filter(|e| e.variable == bins.name);
        let first = own.clone().next();
        let kept = own.next_back().filter(|e| e.after.same(&cuts));
        let before = match (kept, first) {
            (Some(_), Some(first)) => first.before.clone(),
            _ => Some(cuts.clone()),
        };
        body.extend(variable_lines(&bins.name, &cuts));
        body.extend(kept.map(|e| format!("reason = {}", quoted(&e.reason))));
        if let Some(line) = before.and_then(|b| serde_json::to_string(&b).ok()) {
            seals.push(seal(&bins.name, &line));
            body.push(format!("exported = {}", quoted(&line)));
        }
    }
    let mut lines = vec![HEAD.to_owned(), format!("exported = {}", quoted(&seals.join(" ")))];
    if !log.is_empty() {
        lines.push(format!("log = {}", quoted(&past)));
    }
    lines.extend(body);
    lines.join("\n") + "\n"
}

/// Digest of a line that edits are compared with.
pub(super) fn seal(name: &str, line: &str) -> String {
    let mut hasher = Hasher::default();
    hasher.field(name.as_bytes());
    hasher.field(line.as_bytes());
    hasher.finish().short()
}

fn variable_lines(name: &str, cuts: &Cuts) -> Vec<String> {
    let labels: Vec<String> = cuts.labels().iter().map(|l| quoted(l)).collect();
    let label = |bin: usize| labels.get(bin).cloned().unwrap_or_default();
    let mut lines = vec![
        String::new(),
        format!("# {}", labels.join(" ")),
        "[[variable]]".to_owned(),
        format!("name = {}", quoted(name)),
    ];
    match &cuts.scale {
        Scale::Number { edges } => {
            let edges: Vec<String> = edges.iter().map(|e| number(*e)).collect();
            lines.push(format!("edges = [{}]", edges.join(", ")));
        }
        Scale::Text { levels, unseen } => {
            lines.push("levels = [".to_owned());
            lines.extend(levels.iter().map(|names| {
                let names: Vec<String> = names.iter().map(|n| quoted(n)).collect();
                format!("  [{}],", names.join(", "))
            }));
            lines.push("]".to_owned());
            lines.push(format!("unseen = {}", unseen.map_or_else(|| quoted("missing"), label)));
        }
    }
    lines.extend(cuts.missing_with.map(|bin| format!("missing = {{ merge_with = {} }}", label(bin))));
    if !cuts.specials_with.is_empty() {
        let each =
            |&(value, bin): &(f64, usize)| format!("{{ value = {}, merge_with = {} }}", number(value), label(bin));
        let list: Vec<String> = cuts.specials_with.iter().map(each).collect();
        lines.push(format!("specials = [{}]", list.join(", ")));
    }
    lines
}

fn number(value: f64) -> String {
    toml::Value::Float(value).to_string()
}

/// A TOML basic string on one line.
fn quoted(text: &str) -> String {
    let each = |c: char| match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        c if c.is_control() => format!("\\U{:08X}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(each).collect::<String>())
}
