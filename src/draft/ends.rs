//! When an order was completed or cancelled, where no column of its table says it outright.

use std::collections::{BTreeMap, BTreeSet};

use super::assign::{assign, free_name};
use super::landscape::{Found, Landscape};
use super::orders::PARCEL_TIMES;
use super::orders_plan::OrdersPlan;
use super::scope::{Piece, Scope};
use super::states::States;
use super::table_draft::{Certainty, TableDraft};
use super::vocabulary::Concept as C;
use super::words;
use crate::contract::{SHIPMENTS, Type};
use crate::domain::MICROS_PER_DAY;
use crate::profile::{ColumnAt, ValueKind};

/// Milestones of an order before its end.
const BEFORE_ITS_END: [&str; 3] = ["placed_at", "paid_at", "refunded_at"];

/// A state has so many words at most.
pub(super) const MAX_STATES: usize = 20;

/// What stands for a confirmation that no column states.
pub(super) const DELIVERY_STANDS_FOR_IT: &str = "the buyer's confirmation is not stated: delivery stands for it";

/// What lines say of their order, where a row of the orders' table is a line: all of them have to say the same.
pub(super) struct StatedByLines<'a> {
    pub is_by_line: bool,
    /// The part of the SELECT with one row an order.
    pub stated: &'a str,
    /// Its columns.
    pub aggregated: &'a mut Vec<String>,
    /// The part with what the last file says of each order, where orders come in several files.
    pub newest: Option<&'a str>,
    /// Its columns.
    pub of_last_file: &'a mut Vec<String>,
}

impl StatedByLines<'_> {
    /// A state of the order, which may have changed from file to file: the last one counts.
    fn state_of_order(&mut self, sql: String, name: &str) -> String {
        let Some(newest) = self.newest.filter(|_| self.is_by_line) else { return self.of_order(sql, name, "MIN") };
        self.of_last_file.push(format!("MIN({sql}) AS {name}"));
        format!("{newest}.{name}")
    }

    fn of_order(&mut self, sql: String, name: &str, aggregate: &str) -> String {
        if !self.is_by_line {
            return sql;
        }
        self.aggregated.push(format!("{aggregate}({sql}) AS {name}"));
        format!("{}.{name}", self.stated)
    }
}

/// Orders that came to nothing: the words of a column that say so.
struct Failed {
    at: ColumnAt,
    words: Vec<String>,
    /// Whether the column says nothing but yes and no.
    is_flag: bool,
    why: String,
}

/// Words of a column, and the column as SQL.
#[derive(Clone)]
struct State<'a> {
    sql: String,
    words: Vec<&'a str>,
}

impl State<'_> {
    fn is_met(&self) -> String {
        format!("{} IN ({})", self.sql, words::listed(&self.words))
    }
}

/// Adds both, as far as anything speaks for them.
pub(super) fn ends(
    draft: &mut TableDraft,
    scope: &mut Scope,
    plan: &OrdersPlan,
    taken: &BTreeSet<ColumnAt>,
    mut lines: StatedByLines,
) {
    let land = scope.land;
    let parcels = assign(land, plan.driver, &SHIPMENTS, &PARCEL_TIMES, true, taken);
    let status = status_column(land, plan.driver).or_else(|| unread_states(land, plan));
    let status_sql = status.map(|at| lines.state_of_order(scope.id_of(at, &scope.name(at)), "state"));
    let names_refunds = draft.has("refunded_at") || draft.has("refund_minor");
    let failed = failed_orders(land, plan, status, names_refunds);
    let mut state_of = |at: ColumnAt, n: usize| match &status_sql {
        Some(sql) if Some(at) == status => sql.clone(),
        _ => lines.state_of_order(scope.id_of(at, &scope.name(at)), &numbered("code", n)),
    };
    let came_to_nothing: Vec<State> = failed
        .iter()
        .enumerate()
        .map(|(n, failed)| State {
            sql: state_of(failed.at, n),
            words: failed.words.iter().map(String::as_str).collect(),
        })
        .collect();
    let is_completed = draft.has("completed_at");
    let own_completion = || land.column_at(plan.driver, &draft.column("completed_at")?.from);
    let own_delivery = || parcels.get("delivered_at").filter(|found| found.path.is_empty()).map(|found| found.at);
    let arrived = own_completion().or_else(own_delivery);
    let placed = plan.placed.as_ref().filter(|found| found.at.table == plan.driver).map(|found| found.at);
    let mut states = status.map(|at| States::of(land, at, arrived, placed));
    if let Some(states) = &mut states {
        let known = failed.iter().filter(|failed| Some(failed.at) == status).flat_map(|failed| &failed.words);
        states.forget(&known.map(String::as_str).collect());
    }
    let words = states.as_ref().map_or(Vec::new(), |states| states.done.clone());
    let done = status_sql.clone().map(|sql| State { sql, words });
    if is_completed {
        not_completed_if_undone(draft, land, &failed, &came_to_nothing);
    } else {
        completed(draft, scope, plan, parcels.get("delivered_at"), (done, &came_to_nothing), &mut lines);
    }
    cancelled(draft, scope, &parcels, &failed, &came_to_nothing, &mut lines);
    for undone in failed.iter().filter(|failed| failed.is_flag) {
        let words: Vec<&str> = undone.words.iter().map(String::as_str).collect();
        let (name, said) = (scope.column_name(undone.at), words::listed(&words));
        let rows = land.column(undone.at).rows_with(&words);
        draft.look_at(
            "cancelled_at",
            &format!("{rows} row(s) with {said} in {name} count as cancelled, and never as completed"),
        );
    }
    if let (Some(at), Some(states)) = (status, states) {
        let is_stated = is_completed || parcels.contains_key("delivered_at") || arrives_by_parcel(land, plan);
        doubt_states(draft, &scope.column_name(at), status_sql.as_deref(), &states, is_stated, is_completed);
    }
}

/// Names the words of a state that are not known; where they are many, or where none says that an order reached its end and nothing else does, a person
/// must say. `is_stated`: a time says when an order arrived.
fn doubt_states(
    draft: &mut TableDraft,
    column: &str,
    sql: Option<&str>,
    states: &States,
    is_stated: bool,
    is_completed: bool,
) {
    // Where completion has a time of its own, words tell of cancelled orders alone.
    let target = if is_completed { "cancelled_at" } else { "completed_at" };
    let is_open_end = states.lacks_end && !is_stated;
    if states.is_in_doubt() || is_open_end {
        let unknown = match states.unknown_words() {
            words if words.is_empty() => String::new(),
            words => format!(" Not known: {words}."),
        };
        let went_back =
            states.note_of_returns().map_or(String::new(), |note| format!(" Words that say that something {note}."));
        let wanted = if is_completed { "came to nothing" } else { "were completed" };
        if !draft.has(target) {
            draft.put(target, Piece::guess("NULL", "no word is known"), column, 0.0);
        }
        if is_open_end && let Some((drafted, sql)) = draft.column_mut(target).zip(sql) {
            drafted.sql = format!("CASE WHEN {sql} IN ('?') THEN {} ELSE NULL END", drafted.sql);
        }
        let has_case = draft.column(target).is_some_and(|drafted| drafted.sql.contains("CASE WHEN"));
        let place = if has_case { "the CASE" } else { "CASE WHEN … IN (…) THEN … ELSE NULL END" };
        let why = format!(
            "which words of {column} say that orders {wanted}?{unknown}{went_back} Name them in {place}, or leave them out"
        );
        draft.doubt(target, &why);
    } else if let Some(note) = states.note() {
        let target = if draft.has(target) { target } else { "completed_at" };
        draft.look_at(target, &format!("words of {column} {note}"));
    }
}

/// Whether a table of parcels says when those of an order arrived.
fn arrives_by_parcel(land: &Landscape, plan: &OrdersPlan) -> bool {
    parcels_of_orders(land, plan).is_some()
}

/// `code`, `code_2`, …
fn numbered(name: &str, n: usize) -> String {
    if n == 0 { name.to_owned() } else { format!("{name}_{}", n + 1) }
}

/// The condition that one of the states is met.
fn any_of(states: &[State]) -> String {
    states.iter().map(State::is_met).collect::<Vec<_>>().join(" OR ")
}

/// Where completion has a time of its own, an order that a flag calls undone has none.
fn not_completed_if_undone(draft: &mut TableDraft, land: &Landscape, failed: &[Failed], states: &[State]) {
    let Some(drafted) = draft.column("completed_at") else { return };
    let completed_at = failed.first().and_then(|failed| land.column_at(failed.at.table, &drafted.from));
    let is_completed = |undone: &Failed| {
        let filled = completed_at
            .map(|time| land.table(undone.at.table).filled_by_word(undone.at.column, time.column, |_| true));
        filled.is_none_or(|filled| undone.words.iter().any(|word| filled.get(word).is_some_and(|share| *share > 0.0)))
    };
    let undone: Vec<State> = failed
        .iter()
        .zip(states)
        .filter(|(failed, _)| failed.is_flag && is_completed(failed))
        .map(|(_, state)| state.clone())
        .collect();
    if let (false, Some(drafted)) = (undone.is_empty(), draft.column_mut("completed_at")) {
        drafted.sql = format!("CASE WHEN {} THEN NULL ELSE {} END", any_of(&undone), drafted.sql);
        drafted.remark("what was undone was not completed");
    }
}

/// Completed with delivery, else with payment, else at once; only orders of a state that says so, or none of a state that denies it.
fn completed(
    draft: &mut TableDraft,
    scope: &mut Scope,
    plan: &OrdersPlan,
    delivered: Option<&Found>,
    (done, failed): (Option<State>, &[State]),
    lines: &mut StatedByLines,
) {
    let own = delivered.map(|found| {
        let sql = scope.reach(found);
        let sql = scope.render(Type::Instant, "completed_at", found.at, &sql).sql;
        (lines.of_order(sql, "arrived_at", "MAX"), scope.name(found.at), DELIVERY_STANDS_FOR_IT)
    });
    let found = own.or_else(|| arrival_of_parcels(draft, scope, plan)).or_else(|| {
        let paid = draft.column("paid_at").map(|c| {
            (c.sql.clone(), c.from.clone(), "neither confirmation nor delivery is stated: payment stands for it")
        });
        let at_once = || {
            let why =
                "neither confirmation, delivery nor payment is stated: an order counts as completed when it was placed";
            draft.column("placed_at").map(|c| (c.sql.clone(), "placed_at".to_owned(), why))
        };
        paid.or_else(at_once)
    });
    let Some((sql, from, why)) = found else {
        let why =
            "nothing says when an order was placed, paid, delivered or completed: write when it counts as completed";
        draft.put_gap("completed_at", "nothing found", why);
        return;
    };
    let done = done.filter(|done| !done.words.is_empty());
    // Words that say completed leave out those of the same column that say it came to nothing.
    let failed: Vec<State> =
        failed.iter().filter(|failed| done.as_ref().is_none_or(|done| done.sql != failed.sql)).cloned().collect();
    let sql = match (done, failed.is_empty()) {
        (Some(done), true) => format!("CASE WHEN {} THEN {sql} ELSE NULL END", done.is_met()),
        (Some(done), false) => {
            format!("CASE WHEN {} THEN NULL WHEN {} THEN {sql} ELSE NULL END", any_of(&failed), done.is_met())
        }
        (None, false) => format!("CASE WHEN {} THEN NULL ELSE {sql} END", any_of(&failed)),
        (None, true) => sql,
    };
    let is_stand_in = from == "placed_at" || draft.column("paid_at").is_some_and(|paid| paid.from == from);
    let later = if is_stand_in { later_times(scope.land, plan) } else { String::new() };
    draft.put("completed_at", Piece::guess(sql, format!("{why}{later}")), from, 0.7);
    if let Some(drafted) = draft.column_mut("completed_at").filter(|_| why != DELIVERY_STANDS_FOR_IT) {
        drafted.is_told = true;
    }
}

/// Times of orders that lie after they were placed, and that may be their end though no name says so.
fn later_times(land: &Landscape, plan: &OrdersPlan) -> String {
    const MOSTLY: f64 = 0.5;
    let Some(placed) = plan.placed.as_ref().map(|found| found.at).filter(|at| at.table == plan.driver) else {
        return String::new();
    };
    let names: Vec<String> = land
        .columns(plan.driver)
        .filter(|at| {
            let (cells, name) = (land.column(*at), land.column_name(*at));
            let is_other = [C::Due, C::Recorded, C::Paid, C::Cancelled, C::Refund, C::Limit, C::Estimated];
            let is_apart = !land.table(plan.driver).are_of_one_day(placed.column, at.column);
            let is_later =
                land.table(plan.driver).not_after(placed.column, at.column).is_some_and(|share| share > 0.95);
            *at != placed
                && cells.is_time()
                && cells.null_share() < MOSTLY
                && is_later
                && is_apart
                && !is_other.iter().any(|concept| name.says(*concept))
        })
        .map(|at| format!("\"{}\"", land.column(at).name))
        .collect();
    if names.is_empty() {
        return String::new();
    }
    format!("; later times of its table are {}: where one of them ends an order, write it", names.join(", "))
}

/// When the last parcel of an order arrived, where a table of parcels says it; null while one is on its way.
fn arrival_of_parcels(
    draft: &mut TableDraft,
    scope: &Scope,
    plan: &OrdersPlan,
) -> Option<(String, String, &'static str)> {
    let land = scope.land;
    let (order, delivered) = parcels_of_orders(land, plan)?;
    let inner = Scope::new(land, order.table, scope.currency);
    let key = inner.id_of(order, &inner.name(order));
    let at = inner.render(Type::Instant, "completed_at", delivered, &inner.name(delivered)).sql;
    let name = free_name(land, "arrived");
    draft.with.push((
        name.clone(),
        format!(
            "SELECT\n    {key} AS order_number,\n    CASE WHEN COUNT({at}) = COUNT(*) THEN MAX({at}) ELSE NULL END AS arrived_at\nFROM {}\nGROUP BY {key}",
            inner.driver_name()
        ),
    ));
    draft.keys.push((plan.order, order));
    let number = scope.id_of(plan.order, &scope.name(plan.order));
    draft.joins.push(format!("LEFT JOIN {name} ON {number} = {name}.order_number"));
    let why = "the buyer's confirmation is not stated: the arrival of the last parcel stands for it";
    Some((format!("{name}.arrived_at"), inner.name(delivered), why))
}

/// Of a table of parcels that names orders, the order's number and the time of arrival.
fn parcels_of_orders(land: &Landscape, plan: &OrdersPlan) -> Option<(ColumnAt, ColumnAt)> {
    let names_orders = |table: usize| {
        let order = land.naming(table, C::Order).map(|(at, _)| at);
        table != plan.driver && land.folder.references.iter().any(|r| Some(r.from) == order && r.to == plan.order)
    };
    let table = land.best_about(C::Shipment, &SHIPMENTS, names_orders)?;
    let (order, _) = land.naming(table, C::Order)?;
    let mut times = assign(land, table, &SHIPMENTS, &PARCEL_TIMES, true, &BTreeSet::new());
    Some((order, times.remove("delivered_at")?.at))
}

/// Cancelled at the last milestone, where a state or a flag without a time says that an order came to nothing. A column with the time goes before, and what a flag
/// says is added to it.
fn cancelled(
    draft: &mut TableDraft,
    scope: &mut Scope,
    parcels: &BTreeMap<&'static str, Found>,
    failed: &[Failed],
    states: &[State],
    lines: &mut StatedByLines,
) {
    let stated = draft.column("cancelled_at").filter(|stated| stated.certainty != Certainty::Gap).cloned();
    let counts = |failed: &(&Failed, &State)| stated.is_none() || failed.0.is_flag;
    let (failed, states): (Vec<&Failed>, Vec<State>) =
        failed.iter().zip(states).filter(counts).map(|(failed, state)| (failed, state.clone())).unzip();
    let Some(first) = states.first() else { return };
    let drafted = |column: &&str| draft.column(column).map(|c| c.sql.clone());
    let mut times: Vec<String> = BEFORE_ITS_END.iter().filter_map(drafted).collect();
    for (column, found) in parcels {
        let sql = scope.reach(found);
        let sql = scope.render(Type::Instant, "cancelled_at", found.at, &sql).sql;
        times.push(lines.of_order(sql, &format!("parcel_{column}"), "MAX"));
    }
    times.extend(stated.iter().map(|stated| stated.sql.clone()));
    scope.as_one_type(&mut times);
    let before = stated.as_ref().and_then(|_| times.pop());
    let last = match times.as_slice() {
        [] => return,
        [only] => only.clone(),
        several => format!("GREATEST({})", several.join(", ")),
    };
    let sql = format!("CASE WHEN {} THEN {last} ELSE NULL END", any_of(&states));
    if let (Some(before), Some(drafted)) = (before, draft.column_mut("cancelled_at")) {
        drafted.sql = format!("COALESCE({before}, {sql})");
        return;
    }
    let mut whys: Vec<&str> = failed.iter().map(|failed| failed.why.as_str()).collect();
    whys.dedup();
    draft.put("cancelled_at", Piece::guess(sql, whys.join("; ")), first.sql.clone(), 0.7);
}

/// Which orders came to nothing: by the words of their state and by flags, or else by codes of which no order ever goes on. `names_refunds`: what went back is stated.
fn failed_orders(land: &Landscape, plan: &OrdersPlan, status: Option<ColumnAt>, names_refunds: bool) -> Vec<Failed> {
    let by_words = status.and_then(|at| {
        let words: Vec<String> = words::failed(land.column(at)).into_iter().map(ToOwned::to_owned).collect();
        let why = "no column was taken for the time of the status: dated at the last milestone, so that no look back sees it too early";
        (!words.is_empty()).then(|| Failed { at, words, is_flag: false, why: why.to_owned() })
    });
    let stated: Vec<Failed> =
        by_words.into_iter().chain(failure_flags(land, plan.driver, status, names_refunds)).collect();
    if !stated.is_empty() {
        return stated;
    }
    failure_codes(land, plan).or_else(|| errors(land, plan.driver)).into_iter().collect()
}

/// A column of errors that most rows have none in: a payment that was refused is no sale.
fn errors(land: &Landscape, table: usize) -> Option<Failed> {
    const ERRORS: [&str; 8] = ["error", "failure", "decline", "declined", "fehler", "erro", "erreur", "错误"];
    const MOST: f64 = 0.5;
    let mut called = land.columns(table).filter(|at| {
        let lower = land.column(*at).name.to_lowercase();
        let mut words = lower.split(|c: char| !c.is_alphabetic());
        words.any(|word| ERRORS.contains(&word) || word.strip_suffix('s').is_some_and(|one| ERRORS.contains(&one)))
    });
    called.find_map(|at| {
        let raw = land.column(at);
        let words: Vec<String> = raw.words.keys().cloned().collect();
        let why = "rows with an error are taken as refused, dated when they were made".to_owned();
        (raw.kind == ValueKind::Text && raw.null_share() > MOST && !words.is_empty()).then_some(Failed {
            at,
            words,
            is_flag: false,
            why,
        })
    })
}

/// Columns that are called cancelled, voided or reversed, and say yes or no; those called refunded or returned too, where nothing else says what went back.
fn failure_flags(
    land: &Landscape,
    table: usize,
    status: Option<ColumnAt>,
    names_refunds: bool,
) -> impl Iterator<Item = Failed> {
    /// Where more rows say yes, it means something else: that an order may be cancelled.
    const MOST: f64 = 0.5;
    /// Words of what may be done and is not.
    const MAY_BE: [&str; 6] = ["allow", "elig", "possib", "polic", "able", "until"];
    let is_called_so = move |at: &ColumnAt| {
        let (name, raw) = (land.column_name(*at), land.column(*at).name.to_lowercase());
        let is_undone = name.says(C::Cancelled) || name.says(C::Reversed) || (name.says(C::Refund) && !names_refunds);
        let may_be = MAY_BE.iter().any(|word| raw.contains(word));
        is_undone && !may_be && Some(*at) != status && !land.column(*at).is_time()
    };
    land.columns(table).filter(is_called_so).filter_map(move |at| {
        let raw = land.column(at);
        let mut yes = words::yes(raw);
        // Beside a no any other word says yes.
        if let (true, [no], 2) = (yes.is_empty(), words::no(raw).as_slice(), raw.words.len()) {
            yes.extend(raw.words.keys().map(String::as_str).filter(|word| word != no));
        }
        let is_flag = !yes.is_empty() && raw.words.len() <= 3 && yes.len() < raw.words.len().max(2);
        let is_few = (raw.rows_with(&yes) as f64) < MOST * raw.rows() as f64;
        let why = "a flag without a time: dated at the last milestone, so that no look back sees it too early";
        let words = yes.into_iter().map(ToOwned::to_owned).collect();
        (is_flag && is_few).then(|| Failed { at, words, is_flag: true, why: why.to_owned() })
    })
}

/// Codes of a state that say nothing in words: those of which no row, however old, ever reached a later time that rows of the other codes reach.
fn failure_codes(land: &Landscape, plan: &OrdersPlan) -> Option<Failed> {
    const OLD_MICROS: i64 = 30 * MICROS_PER_DAY;
    const MAX_CODES: usize = 8;
    let placed = plan.placed.as_ref().filter(|found| found.at.table == plan.driver)?.at;
    let placed_at = &land.column(placed).micros;
    let old = placed_at.iter().flatten().max()?.checked_sub(OLD_MICROS)?;
    let is_old = |row: usize| placed_at.get(row).copied().flatten().is_some_and(|at| at < old);
    let raw = land.table(plan.driver);
    let is_late_milestone = |at: &ColumnAt| {
        let cells = land.column(*at);
        *at != placed && cells.is_time() && (0.001..0.6).contains(&cells.null_share())
    };
    let times: Vec<ColumnAt> = land.columns(plan.driver).filter(is_late_milestone).collect();
    let mut pairs = land.states(plan.driver, MAX_CODES).flat_map(|state| times.iter().map(move |time| (state, *time)));
    pairs.find_map(|(state, time)| {
        let filled = raw.filled_by_word(state.column, time.column, is_old);
        let (never, ever): (Vec<_>, Vec<_>) = filled.into_iter().partition(|(_, share)| *share <= 0.01);
        let is_clear = !never.is_empty() && !ever.is_empty() && ever.iter().all(|(_, share)| *share >= 0.9);
        let codes: Vec<String> = never.into_iter().map(|(word, _)| word).collect();
        let why = format!(
            "rows with {} never have {}: taken as cancelled, dated at the last milestone",
            words::listed(&codes.iter().map(String::as_str).collect::<Vec<_>>()),
            land.column(time).name
        );
        is_clear.then_some(Failed { at: state, words: codes, is_flag: false, why })
    })
}

/// The column with the order's state: the one called so, or else the one whose words say how orders end.
fn status_column(land: &Landscape, table: usize) -> Option<ColumnAt> {
    let speaks = |at: &ColumnAt| {
        let raw = land.column(*at);
        let is_state = land.column_name(*at).says(C::Status) || land.column_name(*at).says(C::Outcome);
        is_state
            && matches!(raw.kind, ValueKind::Text)
            && !raw.words.is_empty()
            && !(words::done(raw).is_empty() && words::failed(raw).is_empty())
    };
    land.columns(table).filter(speaks).max_by_key(|at| land.column(*at).distinct).or_else(|| {
        let ends = |at: &ColumnAt| {
            let raw = land.column(*at);
            let is_other = [C::Reason, C::Kind, C::Channel, C::Name].iter().any(|c| land.column_name(*at).says(*c));
            let is_state = matches!(raw.kind, ValueKind::Text) && (2..=MAX_STATES).contains(&raw.words.len());
            is_state && !is_other && !words::failed(raw).is_empty() && !words::done(raw).is_empty()
        };
        land.columns(table).find(ends).or_else(|| land.columns(table).find(|at| is_plain_state(land, *at)))
    })
}

/// A column that is called a state and of which no word is known, where the times of its rows show that some of them came to nothing.
fn unread_states(land: &Landscape, plan: &OrdersPlan) -> Option<ColumnAt> {
    let at = failure_codes(land, plan)?.at;
    let raw = land.column(at);
    let are_words = matches!(raw.kind, ValueKind::Text) && raw.words.keys().all(|word| word.chars().count() > 2);
    (are_words && land.column_name(at).says(C::Status)).then_some(at)
}

/// Whether a column is called the state of an order and nothing more, and has the few words of one, whatever they mean.
fn is_plain_state(land: &Landscape, at: ColumnAt) -> bool {
    let (raw, name) = (land.column(at), land.column_name(at));
    let is_called_so = name.unknown == 0
        && name.says(C::Status)
        && name.concepts.iter().all(|concept| matches!(concept, C::Status | C::Order));
    is_called_so && matches!(raw.kind, ValueKind::Text) && (2..=MAX_STATES).contains(&raw.words.len())
}
