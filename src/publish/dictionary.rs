//! The dictionary of output columns, generated from the lists that the writer uses.

use std::fmt::Write as _;

use super::column::{OutputColumn, OutputTable};
use super::restated::RestatedValue;
use super::row::OutputRow;
use super::tables::{EvidenceRow, FeatureRow, WideValue};
use crate::core_system::Difference;
use crate::exposure::{OpenOffer, RememberedMember, RememberedOwner, Statement};
use crate::model::ability::MerchantReceipts;
use crate::monitor::{
    Alert, BorrowerState, Deduction, DriftBin, DriftLine, ForecastLine, LoanForecast, LoanLine, OpenDeduction,
    PortfolioLine, ProposedInstalment, ProvisionLine, QueueLine, RollRate, StateChange, VintageLine,
};
use crate::offer::{BankReferral, CaseRecord, Decline, Invitation, Offer, OverrideEffect};
use crate::repayment::{LoanException, RememberedLoan};
use crate::scenario::RememberedRows;
use crate::score::MerchantScore;
use crate::wash::QuarantineRow;

/// Every published table. Columns that a job's feature file decides stand under a name in angle brackets.
#[must_use]
pub fn output_tables() -> Vec<OutputTable> {
    let feature = f64::column(
        "<feature>",
        "as declared",
        "One column a declared feature: see the dictionary of features; null is too little history.",
    );
    let window = i64::column(
        "<measure>__<from>__<before>__sum",
        "as the measure",
        "Two columns a measure and window, `…__sum` and `…__rows`: the exact sum, and the rows it was made of.",
    );
    vec![
        MerchantScore::table(),
        Offer::table(),
        Decline::table(),
        OpenOffer::table(),
        Statement::table(),
        OverrideEffect::table(),
        CaseRecord::table(),
        Alert::table(),
        Deduction::table(),
        OpenDeduction::table(),
        QueueLine::table(),
        ProposedInstalment::table(),
        BankReferral::table(),
        MerchantReceipts::table(),
        Invitation::table(),
        LoanException::table(),
        RememberedLoan::table(),
        RememberedMember::table(),
        RememberedOwner::table(),
        RememberedRows::table(),
        LoanLine::table(),
        PortfolioLine::table(),
        ProvisionLine::table(),
        RollRate::table(),
        VintageLine::table(),
        LoanForecast::table(),
        ForecastLine::table(),
        BorrowerState::table(),
        StateChange::table(),
        DriftLine::table(),
        DriftBin::table(),
        RestatedValue::table(),
        FeatureRow::table_of(&[feature]),
        EvidenceRow::table_of(&[window]),
        QuarantineRow::table(),
        Difference::table(),
    ]
}

/// The dictionary as Markdown: a heading and a table of columns for each published table.
#[must_use]
pub fn output_dictionary_markdown() -> String {
    let mut text = String::from(
        "# Output columns\n\nGenerated from the code that writes the files. Every file is Parquet, sorted by its key. \
         `?` marks what may be null.\n",
    );
    for table in output_tables() {
        let key: Vec<String> = table.sorted_by.iter().map(|k| format!("`{k}`")).collect();
        // Writing to a String cannot fail.
        let _ = write!(text, "\n## {}\n\n{} Sorted by {}.\n\n", table.name, table.doc, key.join(", "));
        text.push_str("| column | type | unit | meaning |\n|---|---|---|---|\n");
        table.columns.iter().for_each(|column| line(&mut text, column));
    }
    text
}

fn line(text: &mut String, column: &OutputColumn) {
    let null = if column.nullable { "?" } else { "" };
    let (name, kind) = (cell(&column.name), column.kind.name());
    let _ = writeln!(text, "| `{name}` | `{kind}`{null} | {} | {} |", cell(&column.unit), cell(&column.doc));
}

/// A bar would end the cell, a line break the row.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_of_every_table_has_its_line() {
        let text = output_dictionary_markdown();
        for table in output_tables() {
            assert!(text.contains(&format!("\n## {}\n", table.name)), "{}", table.name);
            for column in &table.columns {
                assert!(!column.doc.is_empty(), "{}.{}", table.name, column.name);
                assert!(text.contains(&format!("| `{}` | `{}`", column.name, column.kind.name())), "{}", column.name);
            }
            for key in table.sorted_by {
                assert!(table.columns.iter().any(|c| c.name == *key), "{}.{key}", table.name);
            }
        }
    }
}
