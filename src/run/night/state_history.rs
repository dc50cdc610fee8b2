//! Transitions of borrowers' states that the nights before published: they are carried on, block by block.

use super::decided_tables::DecidedTables;
use crate::monitor::{BorrowerState, StateChange};
use crate::publish::{OutputRow as _, PreviousRun, PublishError, TableReader};

/// Rows that are handed on at once.
const BLOCK_ROWS: usize = 4_096;

/// Adds the transitions of the nights before, the file's bytes checked. Of a night that was published without them, the newest of each borrower.
///
/// # Errors
/// The run does not hold what was published, or the system refuses to write.
pub fn carry_state_changes(previous: Option<&PreviousRun>, tables: &DecidedTables) -> Result<(), PublishError> {
    let Some(previous) = previous else { return Ok(()) };
    if let Some(path) = previous.file(&format!("{}.parquet", StateChange::table().name))? {
        return in_blocks(TableReader::<StateChange>::open(&path)?, tables);
    }
    match previous.file(&format!("{}.parquet", BorrowerState::table().name))? {
        Some(path) => in_blocks(
            TableReader::<BorrowerState>::open(&path)?.map(|row| row.map(|row| StateChange::newest(&row))),
            tables,
        ),
        None => Ok(()),
    }
}

fn in_blocks(
    mut rows: impl Iterator<Item = Result<StateChange, PublishError>>,
    tables: &DecidedTables,
) -> Result<(), PublishError> {
    loop {
        let block = rows.by_ref().take(BLOCK_ROWS).collect::<Result<Vec<_>, _>>()?;
        if block.is_empty() {
            return Ok(());
        }
        tables.add_state_changes(block)?;
    }
}
