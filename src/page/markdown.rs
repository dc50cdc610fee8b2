//! A document as Markdown; plots are files beside it.

use std::fmt::Write;

use super::blocks::Block;

/// Renders blocks. Text from data is escaped: a level named `|` or `<b>` stays itself.
#[must_use]
pub fn markdown(blocks: &[Block]) -> String {
    let mut text = String::new();
    for block in blocks {
        match block {
            Block::Heading(level, heading) => {
                let marks = "#".repeat(usize::from(*level));
                let _ = writeln!(text, "{marks} {}\n", escaped(heading));
            }
            Block::Paragraph(paragraph) => {
                let _ = writeln!(text, "{}\n", escaped(paragraph));
            }
            Block::List(items) => {
                for item in items {
                    let _ = writeln!(text, "- {}", escaped(item));
                }
                text.push('\n');
            }
            Block::Table { head, rows } => {
                let _ = writeln!(text, "| {} |", cells(head));
                let rule: Vec<&str> = (0..head.len()).map(|i| if i == 0 { "---" } else { "---:" }).collect();
                let _ = writeln!(text, "|{}|", rule.join("|"));
                for row in rows {
                    let _ = writeln!(text, "| {} |", cells(row));
                }
                text.push('\n');
            }
            Block::Bars(bars) => {
                for bar in bars {
                    let _ = writeln!(text, "- {}: {}", escaped(&bar.label), escaped(&bar.text));
                }
                text.push('\n');
            }
            Block::Plots(plots) => {
                for plot in plots {
                    let _ = writeln!(text, "![{}]({})\n", escaped(&plot.title), plot.file);
                }
            }
        }
    }
    text
}

fn cells(values: &[String]) -> String {
    values.iter().map(|value| escaped(value)).collect::<Vec<_>>().join(" | ")
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '|' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '#' => {
                safe.push('\\');
                safe.push(c);
            }
            '\n' | '\r' => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::table;

    #[test]
    fn hostile_labels_stay_text() {
        let found = markdown(&[table(&["a", "b"], vec![vec!["x | <b>".into(), "1\n2".into()]])]);
        assert_eq!(found, "| a | b |\n|---|---:|\n| x \\| \\<b\\> | 1 2 |\n\n");
    }
}
