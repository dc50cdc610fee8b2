//! Exports in which one table tells everything that happened to orders, a row an event, with a column that says what kind of event it is.
//!
//! An order is put together of its events: each time is that of the first event of its kind. Every event states its whole order again, so that all
//! rows of an order are duplicates but one.

use std::collections::BTreeMap;

use super::assign::{free_name, put_found};
use super::children::{NO_PARCELS_APART, NOTHING_ALLEGED};
use super::ends::DELIVERY_STANDS_FOR_IT;
use super::landscape::{Found, Landscape};
use super::names::Name;
use super::orders_plan::OrdersPlan;
use super::scope::{Piece, Scope};
use super::table_draft::{Skipped, TableDraft};
use super::vocabulary::Concept as C;
use super::words;
use crate::contract::{DISPUTES, ORDERS, REVIEWS, SHIPMENTS, Type};
use crate::domain::Currency;
use crate::profile::{ColumnAt, ValueKind};

/// What a person should do about words that were taken for the contract's.
const COMPARE_WORDS: &str = "words as the contract's: compare them";

/// What an event says of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Placed,
    Paid,
    Cancelled,
    Completed,
    Shipped,
    Delivered,
    Refunded,
    Reviewed,
    DisputeOpened,
    DisputeClosed,
}

/// A table of events.
pub(super) struct Events {
    table: usize,
    /// The column that says what kind of event a row is, and its words by what they mean.
    kind: ColumnAt,
    words: BTreeMap<Event, Vec<String>>,
    /// When it happened.
    at: ColumnAt,
    order: ColumnAt,
}

/// The WITH part with what the events of an order say.
const TOLD: &str = "told";

/// So many kinds of event at least, or it is a table of something else.
const MIN_KINDS: usize = 3;

/// A column that so many orders have the same value of on all their rows does not tell events apart.
const MOSTLY: f64 = 0.9;

/// What more rows lack is not on all of them.
const ON_ALL: f64 = 0.02;

/// The table of events that the orders are read from, where it is one.
pub(super) fn of(land: &Landscape, plan: &OrdersPlan) -> Option<Events> {
    let table = plan.driver;
    let raw = land.table(table);
    let cells = land.column(plan.order);
    if (cells.distinct * 2) as f64 > (cells.rows() - cells.nulls) as f64 {
        return None;
    }
    let (kind, words) = land.columns(table).find_map(|at| {
        let cells = land.column(at);
        let mut words: BTreeMap<Event, Vec<String>> = BTreeMap::new();
        for word in cells.words.keys() {
            if let Some(event) = meant(word) {
                words.entry(event).or_default().push(word.clone());
            }
        }
        let is_kind = cells.kind == ValueKind::Text && words.len() >= MIN_KINDS && words.contains_key(&Event::Placed);
        // A state that an order has in the end stands on one row an order.
        let is_of_orders = raw.determines(plan.order.column, at.column);
        (is_kind && !is_of_orders).then_some((at, words))
    })?;
    let is_when = |at: &ColumnAt| {
        let (cells, name) = (land.column(*at), land.column_name(*at));
        cells.is_time() && cells.null_share() < 0.005 && !name.says(C::Recorded)
    };
    // What is the same on all rows of an order, as when it was placed, is not the time of an event.
    let is_of_an_event = |at: &ColumnAt| {
        let (orders, alike) = raw.alike_within(plan.order.column, at.column);
        (alike as f64) < MOSTLY * orders as f64
    };
    let at = land.columns(table).filter(is_when).find(is_of_an_event)?;
    Some(Events { table, kind, words, at, order: plan.order })
}

/// What the word of an event means.
fn meant(word: &str) -> Option<Event> {
    let name = Name::of(word);
    let says = |concepts: &[C]| concepts.iter().any(|concept| name.says(*concept));
    Some(match () {
        () if says(&[C::Dispute, C::Chargeback]) && says(&[C::Closed, C::Settled, C::Completed, C::Outcome]) => {
            Event::DisputeClosed
        }
        () if says(&[C::Dispute, C::Chargeback]) => Event::DisputeOpened,
        () if says(&[C::Review, C::Stars]) => Event::Reviewed,
        () if says(&[C::Refund]) => Event::Refunded,
        () if says(&[C::Cancelled]) => Event::Cancelled,
        () if says(&[C::Delivered]) => Event::Delivered,
        () if says(&[C::Shipped]) => Event::Shipped,
        () if says(&[C::Completed, C::Settled]) => Event::Completed,
        () if says(&[C::Paid, C::Payment]) => Event::Paid,
        () if says(&[C::Placed, C::Created]) || name.concepts.iter().all(|c| *c == C::Order) && says(&[C::Order]) => {
            Event::Placed
        }
        () => return None,
    })
}

impl Events {
    /// The time of an order.
    pub(super) fn placed(&self) -> Found {
        Found { at: self.at, path: Vec::new(), score: 0.9 }
    }

    /// The tables that it gives.
    pub(super) fn drafts(&self, land: &Landscape, plan: &OrdersPlan, currency: Option<Currency>) -> Vec<TableDraft> {
        let mut drafts = vec![self.orders(land, plan, currency)];
        if [Event::Shipped, Event::Delivered].iter().any(|event| self.words.contains_key(event)) {
            drafts.push(self.shipments(land, plan, currency));
        }
        if self.words.contains_key(&Event::Reviewed) {
            drafts.push(self.reviews(land, plan, currency));
        }
        if self.words.contains_key(&Event::DisputeOpened) {
            drafts.push(self.disputes(land, plan, currency));
        }
        drafts
    }

    /// The words of a kind of event; none where the export does not tell of it.
    fn words_of(&self, event: Event) -> Vec<&str> {
        self.words.get(&event).into_iter().flatten().map(String::as_str).collect()
    }

    /// What the events of a kind say, one value an order; `None` where the export does not tell of such events.
    fn told(&self, scope: &Scope, aggregate: &str, event: Event, value: &str, name: &str) -> Option<String> {
        let (words, kind) = (self.words_of(event), scope.id_of(self.kind, &scope.name(self.kind)));
        let is_kind = format!("{kind} IN ({})", words::listed(&words));
        (!words.is_empty()).then(|| format!("{aggregate}(CASE WHEN {is_kind} THEN {value} ELSE NULL END) AS {name}"))
    }

    fn when(&self, scope: &Scope) -> String {
        scope.render(Type::Instant, "placed_at", self.at, &scope.name(self.at)).sql
    }

    /// Order, merchant and buyer of a row. What only some events of an order name is told by any of them, read from `rows`: columns of the part that puts events
    /// together are given.
    fn parties(
        &self,
        draft: &mut TableDraft,
        (scope, rows): (&mut Scope, &Scope),
        plan: &OrdersPlan,
        key: Option<&str>,
    ) -> Vec<String> {
        let order = scope.id_of(self.order, &scope.name(self.order));
        let from = scope.name(self.order);
        draft.put("order_id", Piece::sure(order.clone()), from.clone(), plan.order_score);
        if let Some(key) = key {
            let note = "no column names it: its order does";
            draft.put(key, Piece::guess(order, note), from, 0.6);
        }
        let mut told = Vec::new();
        for (column, found) in [("merchant_id", &plan.merchant), ("buyer_id", &plan.buyer)] {
            let Some(found) = found else { continue };
            let is_on_some = found.path.is_empty() && scope.land.column(found.at).null_share() > ON_ALL;
            let sql = if is_on_some {
                told.push(format!("MIN({}) AS {column}", rows.id_of(found.at, &rows.name(found.at))));
                format!("{}.{column}", free_name(scope.land, TOLD))
            } else {
                scope.reach_id(found)
            };
            draft.put(column, Piece::sure(sql), scope.name(found.at), found.score);
        }
        told
    }

    /// The WITH part that puts the events of an order together, read from `rows`, and the columns made of it.
    fn put_together(
        &self,
        draft: &mut TableDraft,
        (scope, rows): (&Scope, &Scope),
        events: &[(&'static str, Event)],
        more: Vec<String>,
    ) {
        let (name, when) = (free_name(scope.land, TOLD), self.when(rows));
        let order_in = |scope: &Scope| scope.id_of(self.order, &scope.name(self.order));
        let order = order_in(rows);
        let mut columns = vec![format!("{order} AS order_number")];
        for (column, event) in events {
            let Some(told) = self.told(rows, "MIN", *event, &when, column) else { continue };
            columns.push(told);
            let from = format!("{} of {}", scope.name(self.at), self.words_of(*event).join(", "));
            draft.put(column, Piece::sure(format!("{name}.{column}")), from, 0.9);
        }
        columns.extend(more);
        let body = format!("SELECT\n    {}\nFROM {}\nGROUP BY {order}", columns.join(",\n    "), rows.driver_name());
        draft.with.push((name.clone(), body));
        draft.keys.push((self.order, self.order));
        draft.joins.push(format!("LEFT JOIN {name} ON {} = {name}.order_number", order_in(scope)));
    }

    fn orders(&self, land: &Landscape, plan: &OrdersPlan, currency: Option<Currency>) -> TableDraft {
        let mut scope = Scope::new(land, self.table, currency);
        let mut draft = TableDraft::new(&ORDERS, &scope);
        let kind = scope.column_name(self.kind);
        draft
            .head
            .push("Orders: one row an order of one buyer with one merchant, put together of its events.".to_owned());
        draft.head.push(format!(
            "Each time is that of the first event of its kind ({kind}); all rows of an order say the same."
        ));
        let rows = Scope::new(land, self.table, currency);
        let mut more = self.parties(&mut draft, (&mut scope, &rows), plan, None);
        let name = free_name(land, TOLD);
        let amount = super::amount::main_amount(land, self.table, &|_| true);
        let amount = amount.or_else(|| land.best(self.table, &DISPUTES, "amount_minor", true));
        if let Some(at) = amount.map(|found| found.at) {
            let (minor, from) = (scope.minor(at, &scope.name(at)), scope.name(at));
            for (aggregate, event, column) in
                [("MAX", Event::Placed, "amount_minor"), ("SUM", Event::Refunded, "refund_minor")]
            {
                if let Some(told) = self.told(&scope, aggregate, event, &minor.sql, column) {
                    more.push(told);
                    let piece = Piece { sql: format!("{name}.{column}"), note: minor.note.clone() };
                    draft.put(column, piece, from.clone(), 0.85);
                }
            }
        }
        // When each event was recorded says nothing of the order that all of them make.
        if let Some(at) = land.best(self.table, &ORDERS, "currency", true).map(|found| found.at) {
            let cell = scope.id_of(at, &scope.name(at));
            if let Some(told) = self.told(&scope, "MIN", Event::Placed, &cell, "currency") {
                more.push(told);
                draft.put("currency", Piece::sure(format!("{name}.currency")), scope.name(at), 0.85);
            }
        }
        if let (false, Some(currency)) = (draft.has("currency"), currency) {
            draft.put("currency", Piece::sure(format!("'{}'", currency.code())), "the job's currency", 1.0);
        }
        let events = [
            ("placed_at", Event::Placed),
            ("paid_at", Event::Paid),
            ("cancelled_at", Event::Cancelled),
            ("completed_at", Event::Completed),
            ("refunded_at", Event::Refunded),
            ("arrived_at", Event::Delivered),
        ];
        self.put_together(&mut draft, (&scope, &scope), &events, more);
        if !draft.has("completed_at") && self.words.contains_key(&Event::Delivered) {
            let piece = Piece::guess(format!("{name}.arrived_at"), DELIVERY_STANDS_FOR_IT);
            draft.put("completed_at", piece, scope.name(self.at), 0.7);
        }
        super::refunds::at_most_the_amount(&mut draft, &scope);
        draft.finish(&scope)
    }

    fn shipments(&self, land: &Landscape, plan: &OrdersPlan, currency: Option<Currency>) -> TableDraft {
        let mut scope = Scope::new(land, self.table, currency);
        let mut draft = TableDraft::new(&SHIPMENTS, &scope);
        draft.head.push(NO_PARCELS_APART.to_owned());
        let rows = Scope::new(land, self.table, currency);
        let mut more = self.parties(&mut draft, (&mut scope, &rows), plan, Some("shipment_id"));
        let name = free_name(land, TOLD);
        for column in ["carrier", "tracking"] {
            let Some(found) = land.best(self.table, &SHIPMENTS, column, true) else { continue };
            let sql = scope.id_of(found.at, &scope.name(found.at));
            if let Some(told) = self.told(&scope, "MIN", Event::Shipped, &sql, column) {
                more.push(told);
                draft.put(column, Piece::sure(format!("{name}.{column}")), scope.name(found.at), found.score);
            }
        }
        let events = [("shipped_at", Event::Shipped), ("delivered_at", Event::Delivered)];
        self.put_together(&mut draft, (&scope, &scope), &events, more);
        draft.finish(&scope)
    }

    /// Rows of other kinds are skipped.
    fn skip_others(&self, draft: &mut TableDraft, scope: &Scope, event: Event, what: &str) {
        let (cells, words) = (scope.land.column(self.kind), self.words_of(event));
        draft.skip(Skipped {
            why: format!("Rows of other kinds than {} are no {what}.", words::listed(&words)),
            keeps: format!("{} IN ({})", scope.id_of(self.kind, &scope.bare(self.kind)), words::listed(&words)),
            share: 1.0 - cells.rows_with(&words) as f64 / cells.rows().max(1) as f64,
        });
    }

    fn reviews(&self, land: &Landscape, plan: &OrdersPlan, currency: Option<Currency>) -> TableDraft {
        let mut scope = Scope::new(land, self.table, currency);
        let mut draft = TableDraft::new(&REVIEWS, &scope);
        draft.head.push("Reviews: one row a review of an order of one merchant.".to_owned());
        // Other events are skipped as rows: a second input of the same files has them.
        let rows = scope.twin("all_events");
        let more = self.parties(&mut draft, (&mut scope, &rows), plan, Some("review_id"));
        if !more.is_empty() {
            self.put_together(&mut draft, (&scope, &rows), &[], more);
            draft.twin = rows.twin_of();
            draft.needs_all = true;
        }
        let when = self.when(&scope);
        draft.put("created_at", Piece::sure(when), scope.name(self.at), 0.9);
        for column in ["stars", "recorded_at"] {
            if let Some(found) =
                land.candidates(self.table, &REVIEWS, column, true).into_iter().find(|f| f.at != self.at)
            {
                put_found(&mut draft, &mut scope, column, &found);
            }
        }
        self.skip_others(&mut draft, &scope, Event::Reviewed, "reviews");
        draft.finish(&scope)
    }

    fn disputes(&self, land: &Landscape, plan: &OrdersPlan, currency: Option<Currency>) -> TableDraft {
        let mut scope = Scope::new(land, self.table, currency);
        let mut draft = TableDraft::new(&DISPUTES, &scope);
        draft.head.push("Disputes: one row a dispute.".to_owned());
        // Other events are skipped as rows: a second input of the same files has them.
        let rows = scope.twin("all_events");
        let mut more = self.parties(&mut draft, (&mut scope, &rows), plan, Some("dispute_id"));
        let when = self.when(&scope);
        draft.put("opened_at", Piece::sure(when), scope.name(self.at), 0.9);
        if let Some(found) = land.best(self.table, &DISPUTES, "amount_minor", true) {
            put_found(&mut draft, &mut scope, "amount_minor", &found);
        }
        match self.dispute_words(&scope, "kind", &["not-received", "not-as-described", "counterfeit"]) {
            Some((sql, from)) => draft.put("kind", Piece::guess(sql, COMPARE_WORDS), from, 0.6),
            None => draft.put("kind", Piece::guess("'other'", NOTHING_ALLEGED), "the table", 0.3),
        }
        if self.words.contains_key(&Event::DisputeClosed) {
            let outcome = self.dispute_words(&rows, "outcome", &["buyer-won", "merchant-won"]);
            let outcome = outcome.and_then(|(sql, _)| self.told(&rows, "MIN", Event::DisputeClosed, &sql, "outcome"));
            if outcome.is_some() {
                let piece = Piece::guess(format!("{}.outcome", free_name(land, TOLD)), COMPARE_WORDS);
                draft.put("outcome", piece, "the closing event", 0.6);
            }
            more.extend(outcome);
        }
        let closed = [("closed_at", Event::DisputeClosed)];
        if self.words.contains_key(&Event::DisputeClosed) || !more.is_empty() {
            self.put_together(&mut draft, (&scope, &rows), &closed, more);
            draft.twin = rows.twin_of();
            draft.needs_all = true;
        }
        self.skip_others(&mut draft, &scope, Event::DisputeOpened, "disputes");
        draft.finish(&scope)
    }

    /// The contract's words for a column of disputes, where a column of the events has words that mean one of `typical`; and which column that is.
    fn dispute_words(&self, rows: &Scope, column: &str, typical: &[&str]) -> Option<(String, String)> {
        let Type::Word(allowed) = DISPUTES.column(column)?.kind else { return None };
        let speaks_of_disputes = |at: &ColumnAt| {
            let cells = rows.land.column(*at);
            let means = |word: &&str| !words::meaning(DISPUTES.name, column, word, cells).is_empty();
            *at != self.kind && cells.kind == ValueKind::Text && typical.iter().any(means)
        };
        let at = rows.land.columns(self.table).find(speaks_of_disputes)?;
        let cell = rows.id_of(at, &rows.name(at));
        Some((words::mapped(DISPUTES.name, column, rows.land.column(at), &cell, allowed)?, rows.name(at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_events_say_what_they_tell() {
        for (word, event) in [
            ("order_placed", Some(Event::Placed)),
            ("ORDER_CREATED", Some(Event::Placed)),
            ("purchase", Some(Event::Placed)),
            ("order_paid", Some(Event::Paid)),
            ("OrderShipped", Some(Event::Shipped)),
            ("order.delivered", Some(Event::Delivered)),
            ("refund_issued", Some(Event::Refunded)),
            ("dispute_opened", Some(Event::DisputeOpened)),
            ("chargeback", Some(Event::DisputeOpened)),
            ("dispute_closed", Some(Event::DisputeClosed)),
            ("review_left", Some(Event::Reviewed)),
            ("page_view", None),
        ] {
            assert_eq!(meant(word), event, "{word}");
        }
    }
}
