//! Exports in which one table tells everything that happened to orders, a row an event, with a column that says what kind of event it is.
//!
//! An order is put together of its events: each time is that of the first event of its kind. Every event states its whole order again, so that all
//! rows of an order are duplicates but one.

use std::collections::BTreeMap;

use super::assign::free_name;
use super::landscape::{Found, Landscape};
use super::names::Name;
use super::orders_plan::OrdersPlan;
use super::scope::{Piece, Scope};
use super::table_draft::{Skipped, TableDraft};
use super::vocabulary::Concept as C;
use super::words;
use crate::contract::{DISPUTES, ORDERS, REVIEWS, SHIPMENTS, TableContract, Type};
use crate::domain::Currency;
use crate::profile::{ColumnAt, ValueKind};

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

/// So many kinds of event at least, or it is a table of something else.
const MIN_KINDS: usize = 3;

/// The table of events that the orders are read from, where it is one.
pub(super) fn of(land: &Landscape, plan: &OrdersPlan) -> Option<Events> {
    let table = plan.driver;
    let raw = land.table(table);
    let cells = land.column(plan.order);
    if (cells.distinct * 2) as f64 > (cells.rows() - cells.nulls) as f64 {
        return None;
    }
    let columns = || (0..raw.columns.len()).map(|column| ColumnAt { table, column });
    let (kind, words) = columns().find_map(|at| {
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
    let at = columns().find(is_when)?;
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

    /// `table.kind IN ('a', 'b')`.
    fn is(&self, scope: &Scope, event: Event) -> Option<String> {
        let words: Vec<&str> = self.words.get(&event)?.iter().map(String::as_str).collect();
        Some(format!("{} IN ({})", scope.id_of(self.kind, &scope.name(self.kind)), words::listed(&words)))
    }

    /// What the events of a kind say, one value an order.
    fn told(&self, scope: &Scope, aggregate: &str, event: Event, value: &str, name: &str) -> Option<String> {
        Some(format!("{aggregate}(CASE WHEN {} THEN {value} ELSE NULL END) AS {name}", self.is(scope, event)?))
    }

    fn when(&self, scope: &Scope) -> String {
        scope.render(Type::Instant, "placed_at", self.at, &scope.name(self.at)).sql
    }

    /// Order, merchant and buyer of a row.
    fn who(&self, draft: &mut TableDraft, scope: &mut Scope, plan: &OrdersPlan, key: Option<&str>) {
        let order = scope.id_of(self.order, &scope.name(self.order));
        let from = scope.name(self.order);
        draft.put("order_id", Piece::sure(order.clone()), from.clone(), plan.order_score);
        if let Some(key) = key {
            let note = "no column names it: its order does";
            draft.put(key, Piece::guess(order, note), from, 0.6);
        }
        for (column, found) in [("merchant_id", &plan.merchant), ("buyer_id", &plan.buyer)] {
            if let Some(found) = found {
                let sql = scope.reach_id(found);
                draft.put(column, Piece::sure(sql), scope.name(found.at), found.score);
            }
        }
    }

    /// The WITH part that puts the events of an order together, and the columns made of it.
    fn put_together(
        &self,
        draft: &mut TableDraft,
        scope: &Scope,
        table: &'static TableContract,
        events: &[(&'static str, Event)],
        more: Vec<String>,
    ) {
        let (name, when) = (free_name(scope.land, "told"), self.when(scope));
        let order = scope.id_of(self.order, &scope.name(self.order));
        let mut columns = vec![format!("{order} AS order_number")];
        for (column, event) in events {
            let Some(told) = self.told(scope, "MIN", *event, &when, column) else { continue };
            columns.push(told);
            let words = self.words.get(event).map_or(String::new(), |words| words.join(", "));
            let from = format!("{} of {words}", scope.name(self.at));
            if table.column(column).is_some() {
                draft.put(column, Piece::sure(format!("{name}.{column}")), from, 0.9);
            }
        }
        columns.extend(more);
        let body = format!("SELECT\n    {}\nFROM {}\nGROUP BY {order}", columns.join(",\n    "), scope.driver_name());
        draft.with.push((name.clone(), body));
        draft.keys.push((self.order, self.order));
        draft.joins.push(format!("LEFT JOIN {name} ON {order} = {name}.order_number"));
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
        self.who(&mut draft, &mut scope, plan, None);
        let mut more = Vec::new();
        let name = free_name(land, "told");
        let amount = super::amount::main_amount(land, self.table, &|_| true).map(|found| found.at);
        let amount =
            amount.or_else(|| land.candidates(self.table, &DISPUTES, "amount_minor", true).first().map(|f| f.at));
        if let Some(at) = amount {
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
        let currencies = land.candidates(self.table, &ORDERS, "currency", true).into_iter().next();
        if let Some(at) = currencies.map(|found| found.at) {
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
        self.put_together(&mut draft, &scope, &ORDERS, &events, more);
        if !draft.has("completed_at") && self.words.contains_key(&Event::Delivered) {
            let note = "the buyer's confirmation is not stated: delivery stands for it";
            draft.put("completed_at", Piece::guess(format!("{name}.arrived_at"), note), scope.name(self.at), 0.7);
        }
        super::refunds::at_most_the_amount(&mut draft, &scope, plan);
        draft.finish(&scope)
    }

    fn shipments(&self, land: &Landscape, plan: &OrdersPlan, currency: Option<Currency>) -> TableDraft {
        let mut scope = Scope::new(land, self.table, currency);
        let mut draft = TableDraft::new(&SHIPMENTS, &scope);
        draft.head.push(
            "Shipments: the export tells no parcels apart; what one merchant sends for one order is one.".to_owned(),
        );
        self.who(&mut draft, &mut scope, plan, Some("shipment_id"));
        let name = free_name(land, "told");
        let mut more = Vec::new();
        for column in ["carrier", "tracking"] {
            let Some(found) = land.candidates(self.table, &SHIPMENTS, column, true).into_iter().next() else {
                continue;
            };
            let sql = scope.id_of(found.at, &scope.name(found.at));
            if let Some(told) = self.told(&scope, "MIN", Event::Shipped, &sql, column) {
                more.push(told);
                draft.put(column, Piece::sure(format!("{name}.{column}")), scope.name(found.at), found.score);
            }
        }
        let events = [("shipped_at", Event::Shipped), ("delivered_at", Event::Delivered)];
        self.put_together(&mut draft, &scope, &SHIPMENTS, &events, more);
        draft.finish(&scope)
    }

    /// Rows of other kinds are skipped.
    fn skip_others(&self, draft: &mut TableDraft, scope: &Scope, event: Event, what: &str) {
        let cells = scope.land.column(self.kind);
        let words: Vec<&str> = self.words.get(&event).into_iter().flatten().map(String::as_str).collect();
        let rows: usize = words.iter().filter_map(|word| cells.words.get(*word)).sum();
        let own = super::scope::quoted(&cells.name);
        draft.skip(Skipped {
            why: format!("Rows of other kinds than {} are no {what}.", words::listed(&words)),
            keeps: format!("{} IN ({})", scope.id_of(self.kind, &own), words::listed(&words)),
            share: 1.0 - rows as f64 / cells.rows().max(1) as f64,
        });
    }

    fn reviews(&self, land: &Landscape, plan: &OrdersPlan, currency: Option<Currency>) -> TableDraft {
        let mut scope = Scope::new(land, self.table, currency);
        let mut draft = TableDraft::new(&REVIEWS, &scope);
        draft.head.push("Reviews: one row a review of an order of one merchant.".to_owned());
        self.who(&mut draft, &mut scope, plan, Some("review_id"));
        let when = self.when(&scope);
        draft.put("created_at", Piece::sure(when), scope.name(self.at), 0.9);
        for column in ["stars", "recorded_at"] {
            if let Some(found) =
                land.candidates(self.table, &REVIEWS, column, true).into_iter().find(|f| f.at != self.at)
            {
                super::assign::put_found(&mut draft, &mut scope, column, &found);
            }
        }
        self.skip_others(&mut draft, &scope, Event::Reviewed, "reviews");
        draft.finish(&scope)
    }

    fn disputes(&self, land: &Landscape, plan: &OrdersPlan, currency: Option<Currency>) -> TableDraft {
        let mut scope = Scope::new(land, self.table, currency);
        let mut draft = TableDraft::new(&DISPUTES, &scope);
        draft.head.push("Disputes: one row a dispute.".to_owned());
        self.who(&mut draft, &mut scope, plan, Some("dispute_id"));
        let when = self.when(&scope);
        draft.put("opened_at", Piece::sure(when), scope.name(self.at), 0.9);
        if let Some(found) = land.candidates(self.table, &DISPUTES, "amount_minor", true).into_iter().next() {
            super::assign::put_found(&mut draft, &mut scope, "amount_minor", &found);
        }
        // Of what happened to the order the column tells too: one whose words speak of disputes.
        let columns = (0..land.table(self.table).columns.len()).map(|column| ColumnAt { table: self.table, column });
        let told_by = |column: &str, of: &[&str]| {
            columns.clone().find(|at| {
                let cells = land.column(*at);
                *at != self.kind
                    && cells.kind == ValueKind::Text
                    && of.iter().any(|word| !words::meaning(DISPUTES.name, column, word, cells).is_empty())
            })
        };
        let kind = told_by("kind", &["not-received", "not-as-described", "counterfeit"]);
        let mapped = kind.and_then(|at| {
            let Type::Word(allowed) = DISPUTES.column("kind")?.kind else { return None };
            let cell = scope.id_of(at, &scope.name(at));
            Some((words::mapped(DISPUTES.name, "kind", land.column(at), &cell, allowed)?, scope.name(at)))
        });
        match mapped {
            Some((sql, from)) => {
                draft.put("kind", Piece::guess(sql, "words as the contract's: compare them"), from, 0.6);
            }
            None => draft.put("kind", Piece::guess("'other'", "nothing says what is alleged"), "the table", 0.3),
        }
        if self.words.contains_key(&Event::DisputeClosed) {
            let outcome = told_by("outcome", &["buyer-won", "merchant-won"]).and_then(|at| {
                let Type::Word(allowed) = DISPUTES.column("outcome")?.kind else { return None };
                let cell = scope.id_of(at, &scope.name(at));
                words::mapped(DISPUTES.name, "outcome", land.column(at), &cell, allowed)
            });
            let name = free_name(land, "told");
            let more: Vec<String> = outcome
                .and_then(|sql| self.told(&scope, "MIN", Event::DisputeClosed, &sql, "outcome"))
                .into_iter()
                .collect();
            if !more.is_empty() {
                draft.put(
                    "outcome",
                    Piece::guess(format!("{name}.outcome"), "words as the contract's: compare them"),
                    "the closing event",
                    0.6,
                );
            }
            let (own, twin) = (scope.driver_name().to_owned(), free_name(land, "all_events"));
            self.put_together(&mut draft, &scope, &DISPUTES, &[("closed_at", Event::DisputeClosed)], more);
            // Closing events are skipped as rows: a second input of the same files has them.
            if let Some((_, body)) = draft.with.last_mut() {
                *body = body
                    .replace(&format!("{own}."), &format!("{twin}."))
                    .replace(&format!("FROM {own}"), &format!("FROM {twin}"));
            }
            draft.twin = Some((twin, own));
            draft.needs_all = true;
        }
        self.skip_others(&mut draft, &scope, Event::DisputeOpened, "disputes");
        draft.finish(&scope)
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
