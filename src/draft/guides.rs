//! The drafted job's `GAPS.md` and `README.md`.

use std::collections::BTreeSet;

use super::Draft;
use super::add::add;
use super::features_file::FeaturesDraft;
use super::table_draft::{Certainty, TableDraft};
use crate::contract::TABLES;
use crate::profile::Folder;

/// What could not be filled and what credit loses by it.
pub(super) fn gaps(draft: &Draft, features: &FeaturesDraft, folder: &Folder) -> String {
    let Draft { tables, aside, .. } = draft;
    let mut text = String::from(
        "# What is missing\n\nColumns of the contract (`integrity schema`) that the drafted SELECTs do not fill, and the features that are lost for want \
         of them. A column found later goes into\nthe SELECT of its table; its features can then be copied from the demo job's features.toml.\n",
    );
    let gaps: Vec<String> = tables
        .iter()
        .chain(aside)
        .flat_map(|table| {
            table.gaps().map(move |gap| {
                format!("- {}: `{}` ({})", table.file(), gap.column, gap.note.as_deref().unwrap_or_default())
            })
        })
        .collect();
    if !gaps.is_empty() {
        add(
            &mut text,
            &format!(
                "\n## To be filled by hand\n\nRequired columns that nothing in the data speaks for, and places where the data can be read in two ways:\n\n{}\n",
                gaps.join("\n")
            ),
        );
    }
    text.push_str("\n## Guessed\n\n");
    let mut guesses = 0;
    for table in tables.iter().chain(aside) {
        for column in table.columns.iter().filter(|c| c.certainty == Certainty::Guess) {
            guesses += 1;
            let note = column.note.as_deref().map_or(String::new(), |note| format!(": {note}"));
            add(
                &mut text,
                &format!(
                    "- `{}.{}` from {} (confidence {:.2}){note}\n",
                    table.table.name, column.column, column.from, column.confidence
                ),
            );
        }
    }
    if guesses == 0 {
        text.push_str("Nothing.\n");
    }
    text.push_str(&left_out(tables, aside));
    text.push_str("\n## Not filled\n\n| contract column | what it says | features lost |\n|---|---|---|\n");
    for table in TABLES {
        let drafted = tables.iter().find(|d| d.table.name == table.name);
        let lost = |column: &str| features.lost.get(&(table.name.to_owned(), column.to_owned()));
        let words = |lost: Option<&BTreeSet<String>>| {
            lost.map_or("none".to_owned(), |lost| lost.iter().map(|f| format!("`{f}`")).collect::<Vec<_>>().join(", "))
        };
        match drafted {
            None => {
                let all: BTreeSet<String> =
                    table.columns.iter().filter_map(|c| lost(c.name)).flatten().cloned().collect();
                add(
                    &mut text,
                    &format!(
                        "| all of {} | {} | {} |\n",
                        table.name,
                        table.doc,
                        words(Some(&all).filter(|all| !all.is_empty()))
                    ),
                );
            }
            Some(drafted) => {
                for column in table.columns.iter().filter(|c| !drafted.has(c.name) && c.name != "recorded_at") {
                    add(
                        &mut text,
                        &format!(
                            "| {}.{} | {} | {} |\n",
                            table.name,
                            column.name,
                            column.doc,
                            words(lost(column.name))
                        ),
                    );
                }
            }
        }
    }
    let has_book = ["loans", "instalments", "payments"].iter().all(|name| tables.iter().any(|t| t.table.name == *name));
    if !has_book {
        text.push_str(
            "\nWithout loans, instalments and payments nobody's repayment is known: willingness is learnt from distress of trade, every merchant is \
             taken to owe nothing, and\n`loan_book = \"none\"` in policy.toml says so. Where there are loans elsewhere, this is wrong: add them before lending.\n",
        );
    }
    text.push_str(&not_read(draft, folder));
    text
}

/// What lies in the folder and no SELECT reads.
fn not_read(draft: &Draft, folder: &Folder) -> String {
    let mut text = String::new();
    if let Some(why) = &draft.no_loan_book {
        add(&mut text, &format!("\n## Loans without a loan book\n\n- {why}.\n"));
    }
    if !(draft.unread_orders.is_empty() && draft.unread_sums.is_empty()) {
        text.push_str("\n## Orders and sums of orders that are not read\n\n");
        for why in draft.unread_orders.iter().chain(&draft.unread_sums) {
            add(&mut text, &format!("- {why}.\n"));
        }
    }
    if !draft.nested.is_empty() {
        text.push_str("\n## Rows within rows\n\n");
        for rows in &draft.nested {
            add(&mut text, &format!("- {}\n", rows.words()));
        }
    }
    if !folder.unread.is_empty() {
        text.push_str("\n## Files left aside\n\n");
        for file in &folder.unread {
            add(&mut text, &format!("- {}: {}\n", file.file, file.why));
        }
    }
    text
}

/// Rows that the job's `where` leaves out.
fn left_out(tables: &[TableDraft], aside: &[TableDraft]) -> String {
    let left_out: Vec<String> = tables
        .iter()
        .chain(aside)
        .flat_map(|table| table.skipped.iter().map(|rows| format!("- {}: {}", table.table.name, rows.why)))
        .collect();
    if left_out.is_empty() {
        return String::new();
    }
    format!(
        "\n## Left out\n\nRows that `where` in job.toml does not mean. They are counted as skipped, and with them the rows of other tables that name \
         them.\n\n{}\n",
        left_out.join("\n")
    )
}

/// How to go on.
pub(super) fn readme(name: &str, has_gaps: bool) -> String {
    let first = if has_gaps {
        "1. `integrity check job.toml` leads to the gaps one by one; GAPS.md lists them all.\n2. Read the guesses"
    } else {
        "1. `integrity check job.toml` rehearses the night and writes nothing.\n2. Read the guesses"
    };
    format!(
        "# {name}\n\nA job drafted by `integrity init`.\n\n{first} in sources/*.sql (each has a comment `GUESS` with its confidence) and in job.toml; correct what \
         is wrong.\n3. `integrity run job.toml` publishes the first night to `out/`.\n4. Before money is lent: replace policy.toml by your own policy, take \
         `approve_as` out of job.toml, and read GAPS.md.\n\n| file | what it is |\n|---|---|\n| job.toml | inputs, sources, training |\n| sources/ | one SELECT a \
         contract table |\n| features.toml | what is measured |\n| policy.toml | who may borrow, how much, at what price |\n| monitor.toml | what is watched \
         |\n| GAPS.md | what is missing, what was guessed |\n"
    )
}
