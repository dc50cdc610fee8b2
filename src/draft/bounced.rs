//! Payments that did not stay, where a time of their own says when they failed: `failed_at`, `declined_on`, `bounce date`.

use super::scope::{Piece, Scope};
use super::table_draft::TableDraft;
use super::words;
use crate::contract::Type;
use crate::profile::ColumnAt;

/// Of the payments of a table so many did not stay at the most.
const MAX_SHARE: f64 = 0.5;

/// Reverses payments on the day on which they failed, where no column is called a reversal.
pub(super) fn put_day(draft: &mut TableDraft, scope: &Scope) {
    let land = scope.land;
    let paid = draft.column("paid_at").and_then(|paid| land.column_at(scope.driver, &paid.from));
    let (Some(paid), None) = (paid, draft.column("reversed_at")) else { return };
    let is_later_of_few = |at: &ColumnAt| {
        let cells = land.column(*at);
        let is_of_few = cells.nulls < cells.rows() && 1.0 - cells.null_share() < MAX_SHARE;
        let is_later = || land.table(scope.driver).not_after(paid.column, at.column) == Some(1.0);
        *at != paid && cells.is_time() && is_of_few && is_later()
    };
    let times: Vec<ColumnAt> = land.columns(scope.driver).filter(is_later_of_few).collect();
    let Some(at) = times.iter().copied().find(|at| tells_failure(&land.column(*at).name)) else {
        tell_later(draft, scope, &times);
        return;
    };
    let piece = scope.render(Type::Instant, "reversed_at", at, &scope.name(at));
    let note = format!("{:?} is taken for the day on which a payment did not stay", land.column(at).name);
    draft.put("reversed_at", Piece::guess(piece.sql, note.clone()), scope.column_name(at), 0.7);
    if let Some(drafted) = draft.column_mut("reversed_at") {
        drafted.is_told = true;
    }
}

/// Whether a time is called that of a payment that did not stay.
fn tells_failure(name: &str) -> bool {
    const ALSO: [&str; 4] = ["nsf", "unpaid", "dishono", "returned"];
    let lower = name.to_lowercase();
    words::never_stays(name) || ALSO.iter().any(|word| lower.contains(word))
}

/// Names a time that few payments have, after they were paid, and that nothing reads.
fn tell_later(draft: &mut TableDraft, scope: &Scope, times: &[ColumnAt]) {
    let is_read = |at: &ColumnAt| {
        let from = scope.column_name(*at);
        draft.columns.iter().any(|drafted| drafted.from == from)
    };
    let Some(at) = times.iter().copied().find(|at| !is_read(at)) else { return };
    let raw = scope.land.column(at);
    let note = format!(
        "{:?} has a time after the payment in {} row(s): where it says that those did not stay, write it as reversed_at",
        raw.name,
        raw.rows() - raw.nulls
    );
    draft.look_at("paid_at", &note);
}
