//! Faults in the ledger of a loan: after most of them nobody can say what is owed.
//!
//! A loan has one fault at most, and one on which its books disagree visibly. What no reader could notice (a payment lost without a
//! trace, say) is not planted: there would be no right answer.

use super::calendar::{DAY, Second};
use super::damage::{PLANTED_FROM, break_row, displaced};
use super::draw::Draw;
use super::life::World;
use super::planted::{Effect, Fault, Planted};
use super::rows::{Cell, Id, Rows, cell, set};
use super::stamps::Stamps;
use crate::contract::TableContract;

/// Every kind of fault, as the truth names it.
const KINDS: [&str; 10] = [
    "loan-broken-in-place",
    "loan-broken-later",
    "instalment-broken-in-place",
    "instalment-broken-later",
    "instalment-dropped",
    "schedule-resent-equal",
    "schedule-changed",
    "payment-broken-in-place",
    "payment-broken-later",
    "payment-under-two-ids",
];

/// Plants faults in the tables of one merchant.
pub(super) fn plant_in_ledgers(sent: &mut [Rows], draw: &mut Draw, world: &World, planted: &mut Planted) {
    let loans: Vec<Id> = match sent.iter().find(|rows| rows.table.name == "loans") {
        Some(rows) => rows.iter().filter_map(|row| id_of(row.first())).filter(is_real).collect(),
        None => return,
    };
    let mut previous = None;
    for loan in loans {
        // Versions of one loan follow each other.
        if previous.replace(loan) == Some(loan) || !draw.chance(world.settings.ledger_fault_share) {
            continue;
        }
        let kind = draw.choose(&KINDS, KINDS[0]);
        if let Some(fault) = plant(sent, draw, world, loan, kind) {
            planted.note(fault);
        }
    }
}

/// Plants one fault; `None` where it does not suit the loan, and nothing was changed.
fn plant(sent: &mut [Rows], draw: &mut Draw, world: &World, loan: Id, kind: &'static str) -> Option<Fault> {
    let (table, what) = kind.split_once('-')?;
    let table = match table {
        "loan" => "loans",
        "payment" => "payments",
        _ => "instalments",
    };
    let rows = sent.iter_mut().find(|rows| rows.table.name == table)?;
    let table = rows.table;
    let end = world.calendar.end();
    let mine: Vec<usize> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| cell(table, row, "loan_id") == Some(&Cell::Id(loan)))
        .map(|(at, _)| at)
        .collect();
    let chosen = *mine.get(usize::try_from(draw.whole(0, i64::try_from(mine.len()).ok()? - 1)).ok()?)?;
    // The newest version of the chosen row's key counts.
    let key = |row: &[Cell]| table.key.iter().map(|column| cell(table, row, column).cloned()).collect::<Vec<_>>();
    let chosen_key = key(rows.row(chosen)?);
    let versions: Vec<usize> =
        mine.iter().copied().filter(|&at| rows.row(at).is_some_and(|row| key(row) == chosen_key)).collect();
    let newest = *versions.iter().max_by_key(|&&at| rows.row(at).and_then(|row| recorded(table, row)))?;
    let row = rows.row(newest)?.to_vec();
    let fault = Fault::new(table.name, kind, Effect::None, &row);
    match what {
        "broken-in-place" => {
            let (rule, bad) = break_row(draw, world, table, &row, is_traceable)?;
            for &at in &versions {
                rows.replace(at, bad.clone());
            }
            Some(fault.breaking(rule).of_loan(loan))
        }
        "broken-later" => {
            let stamp = after(table, &row, draw, end)?;
            // A payment that later names a loan that does not exist is still known to have been another's.
            let (rule, mut bad) = break_row(draw, world, table, &row, |_, _| true)?;
            set(table, &mut bad, "recorded_at", Cell::At(stamp));
            rows.push(bad);
            Some(fault.breaking(rule).of_loan(loan))
        }
        "dropped" => {
            rows.remove(&versions);
            Some(fault.of_loan(loan))
        }
        "resent-equal" => {
            let stamp = after(table, &row, draw, end)?;
            let newest = recorded(table, &row);
            let of_version = mine.iter().filter_map(|&at| rows.row(at)).filter(|row| recorded(table, row) == newest);
            let again: Vec<Vec<Cell>> =
                of_version.map(|row| with(table, row, "recorded_at", Cell::At(stamp))).collect();
            for row in again {
                rows.push(row);
            }
            Some(fault)
        }
        "changed" => {
            let stamp = after(table, &row, draw, end)?;
            let newest = recorded(table, &row);
            // A loan with two schedules was restructured, and may be so again.
            if mine.iter().any(|&at| rows.row(at).is_some_and(|row| recorded(table, row) != newest)) {
                return None;
            }
            let days = i32::try_from(draw.whole(7, 60)).ok()?;
            let of_version = mine.iter().filter_map(|&at| rows.row(at)).filter(|row| recorded(table, row) == newest);
            let postponed = of_version.map(|row| match cell(table, row, "due_on") {
                Some(Cell::Day(day)) => with(table, row, "due_on", Cell::Day(day + days)),
                _ => row.to_vec(),
            });
            let changed: Vec<Vec<Cell>> =
                postponed.map(|row| with(table, &row, "recorded_at", Cell::At(stamp))).collect();
            for row in changed {
                rows.push(row);
            }
            Some(fault.of_loan(loan))
        }
        "under-two-ids" => {
            if cell(table, &row, "reversed_at") != Some(&Cell::Null) {
                return None;
            }
            let id = id_of(row.first())?;
            let Id::Payment(_, number) = id else { return None };
            rows.push(with(table, &row, "payment_id", Cell::Id(displaced(id, PLANTED_FROM + number))));
            Some(fault.of_loan(loan))
        }
        _ => None,
    }
}

/// Whether a row broken this way still leads to its loan.
fn is_traceable(rule: &str, column: &str) -> bool {
    rule != "orphan" && column != "loan_id"
}

/// An instant after everything in the row, before the simulation ends.
fn after(table: &TableContract, row: &[Cell], draw: &mut Draw, end: Second) -> Option<Second> {
    let facts = Stamps::of(table, row).last();
    let latest = facts.into_iter().chain(recorded(table, row)).max()?;
    let stamp = latest + draw.whole(3_601, 20 * DAY);
    (stamp < end).then_some(stamp)
}

fn recorded(table: &TableContract, row: &[Cell]) -> Option<Second> {
    match cell(table, row, "recorded_at") {
        Some(Cell::At(at)) => Some(*at),
        _ => None,
    }
}

fn with(table: &TableContract, row: &[Cell], column: &str, value: Cell) -> Vec<Cell> {
    let mut row = row.to_vec();
    set(table, &mut row, column, value);
    row
}

fn id_of(cell: Option<&Cell>) -> Option<Id> {
    match cell {
        Some(Cell::Id(id)) => Some(*id),
        _ => None,
    }
}

/// Not one of the broken rows that were planted under keys of their own.
fn is_real(id: &Id) -> bool {
    matches!(id, Id::Loan(_, number) if *number < PLANTED_FROM)
}
