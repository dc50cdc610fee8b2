//! Records that are in no contract table: malformed ones, and rows that no SELECT returned. As far as their cells can be told apart they
//! still say which key, merchant, loan or order they refer to.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::record::cell_text;
use super::rules::RowTerms;
use super::version::{RecordReferences, Unparsed};
use crate::contract::{INSTANTS, TableContract, Type};
use crate::domain::AsOf;
use crate::source::{MalformedRecord, instant_of_text};

/// What the records seem to say. One that seems to be of a day not before as-of is left out: its day has not come.
pub(crate) fn unparsed(
    table: &TableContract,
    malformed: &[MalformedRecord],
    not_mapped: Option<&DataFrame>,
    as_of: &AsOf,
    terms: &RowTerms,
) -> PolarsResult<Vec<Unparsed>> {
    let mut records: Vec<Unparsed> =
        malformed.iter().filter_map(|record| read(table, record.rule, &record.cells, as_of, terms)).collect();
    if let Some(frame) = not_mapped {
        let names: Vec<&str> = frame.get_column_names().into_iter().map(PlSmallStr::as_str).collect();
        let names: Vec<&str> = names.into_iter().filter(|name| table.column(name).is_some()).collect();
        for at in 0..frame.height() {
            let mut cells = BTreeMap::new();
            for name in &names {
                if let Some(text) = cell_text(frame.column(name)?, at)? {
                    cells.insert((*name).to_owned(), text);
                }
            }
            // A SELECT may drop rows on purpose: they do not break the key of those that it returned.
            records.extend(
                read(table, "not-mapped", &cells, as_of, terms).map(|record| Unparsed { key: Vec::new(), ..record }),
            );
        }
    }
    Ok(records)
}

fn read(
    table: &TableContract,
    rule: &str,
    cells: &BTreeMap<String, String>,
    as_of: &AsOf,
    terms: &RowTerms,
) -> Option<Unparsed> {
    let instant = |name: &str| {
        let text = table.column(name).filter(|c| c.kind == Type::Instant).and_then(|c| cells.get(c.name))?;
        instant_of_text(text).filter(|at| *at <= INSTANTS.1)
    };
    // What a restatement counts though it was recorded later is taken for recorded just before as-of.
    let late = as_of.micros()..as_of.known_before();
    let recorded = instant("recorded_at").map(|at| if late.contains(&at) { as_of.micros() - 1 } else { at });
    let event = table.visibility.event().and_then(instant);
    // As with rows: what says it was recorded before its own event waits for nothing but its stamp.
    let known = match (event, recorded) {
        (Some(event), Some(recorded)) if event.saturating_sub(recorded) > terms.recorded_before_event_micros => {
            Some(recorded)
        }
        _ => event.max(recorded),
    };
    let is_later = known.is_some_and(|at| at >= as_of.micros());
    if is_later {
        return None;
    }
    let cell = |name: &str| {
        let wanted = table.column(name).is_some();
        cells.get(name).filter(|_| wanted).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    Some(Unparsed {
        rule: rule.to_owned(),
        key: table.key.iter().map(|name| cell(name)).collect::<Option<Vec<_>>>().unwrap_or_default(),
        lead: RecordReferences { merchant: cell("merchant_id"), loan: cell("loan_id"), order: cell("order_id") },
    })
}
