//! What the tables of a folder are about: which is the orders, which column names a merchant.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::debit_credit::{self, DebitCredit};
use super::names::Name;
use super::scope::{cell_of, quoted};
use super::signature::{fits, name_score};
use super::units::AmountUnit;
use super::vocabulary::Concept;
use crate::contract::{TableContract, Type};
use crate::profile::{ColumnAt, Folder, RawColumn, RawTable, Reference, ValueKind};
use crate::source::is_currency_mark;
use Concept as C;

/// Things that tables are about. Where a name speaks of several, the first is meant: `order_items` are items.
const ENTITIES: [Concept; 15] = [
    C::Item,
    C::Review,
    C::Chargeback,
    C::Dispute,
    C::Shipment,
    C::Instalment,
    C::Payment,
    C::Application,
    C::Inventory,
    C::Group,
    C::Loan,
    C::Order,
    C::Product,
    C::Merchant,
    C::Buyer,
];

/// Tables whose columns say nothing of a row of a contract table that joins them: what a loan says of itself is nothing of its merchant's.
fn are_others(contract: &TableContract) -> &'static [Concept] {
    match contract.name {
        "merchants" => {
            &[C::Order, C::Item, C::Shipment, C::Review, C::Dispute, C::Loan, C::Instalment, C::Payment, C::Application]
        }
        "orders" => {
            &[C::Loan, C::Instalment, C::Merchant, C::Buyer, C::Application, C::Inventory, C::Group, C::Product]
        }
        _ => &[],
    }
}

/// References are followed so far from the driving table.
const MAX_HOPS: usize = 2;
/// A column without a value in more of the rows is not believed by its name alone.
const MOSTLY_THERE: f64 = 0.5;
/// What the order of times counts for beside a name.
const ORDER_COUNTS: f64 = 0.08;
/// What the first of a row's times scores as its event, whatever it is called.
const EVENT_BY_ORDER: f64 = 0.55;
/// What the column of a statement's credits scores as an amount, whatever it is called.
const CREDITED: f64 = 0.9;
/// A column that scores less is not proposed.
pub(super) const MIN_SCORE: f64 = 0.5;

/// A folder with what its names mean.
pub(super) struct Landscape<'a> {
    pub folder: &'a Folder,
    /// What whole numbers are, where a person says it.
    pub amounts: Option<AmountUnit>,
    pub(super) table_names: Vec<Name>,
    pub(super) column_names: Vec<Vec<Name>>,
    /// What each table is about.
    pub(super) roles: Vec<Option<Concept>>,
    /// What each column names, if it is an identifier.
    pub(super) named: BTreeMap<ColumnAt, (Concept, f64)>,
    /// The table of payments that are taken for orders, as there are no others.
    pub(super) payments_as_orders: Option<usize>,
    /// Where the orders' key counts before a column that is called the order's number: why.
    pub(super) number_by_reference: Option<NumberByReference>,
    /// The columns of debits and credits of each table that has such.
    debit_credit: Vec<Option<DebitCredit>>,
    /// What the order of a table's times says of one of them, once it was asked for; and whether the later or the earlier was wanted.
    orders_of_times: RefCell<BTreeMap<(ColumnAt, bool), f64>>,
}

/// An order's number that is known by what refers to it.
pub(super) struct NumberByReference {
    /// The key.
    pub key: ColumnAt,
    /// The column that is called so, and that nothing refers to.
    pub passed_over: ColumnAt,
    /// The tables that refer to the key.
    pub tables: Vec<usize>,
}

/// A raw column that a contract column can be made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub at: ColumnAt,
    /// The references that lead there from the driving table.
    pub path: Vec<Reference>,
    /// 0 to 1.
    pub score: f64,
}

impl<'a> Landscape<'a> {
    pub(super) fn of(folder: &'a Folder, amounts: Option<AmountUnit>) -> Self {
        let mut table_names: Vec<Name> =
            folder.tables.iter().map(|t| Name::of(if t.title.is_ascii() { &t.name } else { &t.title })).collect();
        let mut column_names: Vec<Vec<Name>> =
            folder.tables.iter().map(|t| t.columns.iter().map(|c| Name::of(&c.name)).collect()).collect();
        note_amounts_by_their_mark(folder, &mut column_names);
        settle_who_rides(folder, &mut table_names, &mut column_names);
        // Bank books speak of accounts where a marketplace speaks of merchants.
        let speaks_of_merchants = column_names.iter().flatten().chain(&table_names).any(|name| name.says(C::Merchant));
        // A lender's branches serve its clients; a chain's sell.
        let lends_to_clients = table_names
            .iter()
            .zip(&column_names)
            .any(|(table, columns)| table.says(C::Loan) && columns.iter().any(|name| name.says(C::Buyer)));
        // Work is sold by who does it and agreed in a contract, where no shop and no order is named; loans have contracts too.
        let has_id_of = |entity: Concept| {
            let is_id = |name: &Name| name.says(entity) && (name.says(C::Id) || name.says(C::Number));
            table_names.iter().any(|name| name.says(entity)) || column_names.iter().flatten().any(is_id)
        };
        let (has_merchants, has_orders) = (has_id_of(C::Merchant), has_id_of(C::Order));
        let is_of_loans = table_names.iter().zip(&column_names).any(|(table, columns)| {
            (table.says(C::Loan) || speak_of_loans(columns)) && columns.iter().any(|name| name.says(C::Engagement))
        });
        let entity = |name: &Name| {
            let meant = ENTITIES.into_iter().find(|e| name.says(*e));
            let stands_in = name.says(C::Account) || (!lends_to_clients && name.says(C::Branch));
            let sells_work = !has_merchants && name.says(C::Worker);
            let is_agreed = !has_orders && !is_of_loans && name.says(C::Engagement);
            meant
                .or_else(|| sells_work.then_some(C::Merchant))
                .or_else(|| (!speaks_of_merchants && stands_in).then_some(C::Merchant))
                .or_else(|| is_agreed.then_some(C::Order))
        };
        let roles = table_names
            .iter()
            .map(|name| if name.says(C::Category) { None } else { entity(name) })
            .map(|role| if role == Some(C::Chargeback) { Some(C::Dispute) } else { role })
            .zip(&folder.tables)
            .map(|(role, table)| if is_called_sales(table, role) { Some(C::Order) } else { role })
            .collect();
        let mut landscape = Self {
            folder,
            amounts,
            table_names,
            column_names,
            roles,
            named: BTreeMap::new(),
            payments_as_orders: None,
            number_by_reference: None,
            debit_credit: folder.tables.iter().enumerate().map(|(at, raw)| debit_credit::of(raw, at)).collect(),
            orders_of_times: RefCell::default(),
        };
        landscape.name_columns(&entity);
        landscape.infer();
        // Times were asked for while roles were still open.
        landscape.orders_of_times.borrow_mut().clear();
        landscape
    }

    fn name_columns(&mut self, entity: &dyn Fn(&Name) -> Option<Concept>) {
        for (table, raw) in self.folder.tables.iter().enumerate() {
            for (column, cells) in raw.columns.iter().enumerate().filter(|(_, c)| c.is_like_an_id()) {
                let Some(name) = self.column_names.get(table).and_then(|names| names.get(column)) else { continue };
                let is_bare = name.unknown == 0
                    && name.says(C::Id)
                    && name.concepts.iter().all(|c| matches!(c, C::Id | C::Number));
                // A number of nothing in particular that is another table's key is that table's.
                let at = ColumnAt { table, column };
                let is_anothers = || {
                    let refers = self.folder.references.iter().any(|r| r.from == at);
                    let has_own_key = || {
                        raw.columns
                            .iter()
                            .enumerate()
                            .any(|(other, c)| other != column && c.is_key() && c.is_like_an_id())
                    };
                    refers && !cells.is_unique_counter() && (!cells.is_key() || has_own_key())
                };
                if is_bare && is_anothers() {
                    continue;
                }
                let own = if is_bare { self.roles.get(table).copied().flatten() } else { entity(name) };
                let Some(meant) = own else { continue };
                // How many there were says nothing of who.
                let is_count = cells.is_number() && super::numberless::is_called_a_count(&cells.name);
                if meant == C::Buyer && is_count && !self.folder.references.iter().any(|r| r.from == at) {
                    continue;
                }
                // A buyer's mail address is a name of the buyer; a merchant's is not.
                if meant == C::Buyer && self.roles.get(table).copied().flatten() == Some(C::Merchant) {
                    continue;
                }
                // A number of an account that no other row of loans or orders has is their own.
                let is_own_account = !name.says(C::Merchant)
                    && meant == C::Merchant
                    && cells.is_key()
                    && matches!(self.roles.get(table).copied().flatten(), Some(C::Loan | C::Order | C::Payment));
                if is_own_account {
                    continue;
                }
                let others = |c: &Concept| {
                    !matches!(c, C::Id | C::Number | C::Name)
                        && !ENTITIES.contains(c)
                        && !matches!(c, C::Account | C::Worker | C::Engagement | C::Paid)
                };
                // A chain's branches are its merchants, where nobody else is one.
                let is_branch = |c: &Concept| meant == C::Merchant && *c == C::Branch;
                if name.concepts.iter().any(|c| others(c) && !is_branch(c)) {
                    continue;
                }
                // What only the first line of an order says does not tell which order a line is of.
                let is_of_orders = self.roles.get(table).copied().flatten() == Some(C::Order);
                if meant == C::Order && is_of_orders && cells.null_share() > 0.02 {
                    continue;
                }
                let worth = match () {
                    () if name.says(C::Id) => 1.0,
                    () if name.says(C::Number) => 0.95,
                    () if name.says(C::Name) => 0.6,
                    () if cells.distinct > 2 => 0.85,
                    () => continue,
                };
                let meant = if meant == C::Chargeback { C::Dispute } else { meant };
                // Of two numbers of an order the one that speaks of nobody else is meant.
                let is_of_party = meant == C::Order && (name.says(C::Buyer) || name.says(C::Merchant));
                let worth = worth - 0.04 * name.unknown as f64 - if is_of_party { 0.03 } else { 0.0 };
                self.named.insert(at, (meant, worth));
            }
        }
        self.name_what_refers();
    }

    /// A column that refers to a table's key names what the table is about.
    pub(super) fn name_what_refers(&mut self) {
        for reference in &self.folder.references {
            let Some(role) = self.role(reference.to.table) else { continue };
            if self.named.get(&reference.to).is_some_and(|(meant, _)| *meant == role) {
                self.named.entry(reference.from).or_insert((role, 0.8 * reference.coverage));
            }
        }
    }

    pub(super) fn table(&self, at: usize) -> &'a RawTable {
        // Places come from this folder: every one of them exists.
        &self.folder.tables[at]
    }

    pub(super) fn column(&self, at: ColumnAt) -> &'a RawColumn {
        &self.folder.tables[at.table].columns[at.column]
    }

    /// The columns of a table.
    pub(super) fn columns(&self, table: usize) -> impl Iterator<Item = ColumnAt> + Clone + use<> {
        (0..self.table(table).columns.len()).map(move |column| ColumnAt { table, column })
    }

    /// The column that SQL calls `table.column`.
    pub(super) fn column_called(&self, sql: &str) -> Option<&'a RawColumn> {
        let called = |table: &RawTable, column: &RawColumn| {
            let table = format!("{}.", table.name);
            cell_of(&table, column) == sql || format!("{table}{}", quoted(&column.name)) == sql
        };
        self.folder.tables.iter().find_map(|table| table.columns.iter().find(|column| called(table, column)))
    }

    /// The column of a table that SQL calls so.
    pub(super) fn column_at(&self, table: usize, sql: &str) -> Option<ColumnAt> {
        let raw = self.column_called(sql)?;
        self.columns(table).find(|at| std::ptr::eq(self.column(*at), raw))
    }

    pub(super) fn column_name(&self, at: ColumnAt) -> &Name {
        &self.column_names[at.table][at.column]
    }

    /// What the columns of a table are called.
    pub(super) fn column_names(&self, table: usize) -> &[Name] {
        &self.column_names[table]
    }

    pub(super) fn table_name(&self, table: usize) -> &Name {
        &self.table_names[table]
    }

    /// The columns of debits and credits of a table.
    pub(super) fn debit_credit(&self, table: usize) -> Option<DebitCredit> {
        self.debit_credit.get(table).copied().flatten()
    }

    /// What a table is about, by its name.
    pub(super) fn role(&self, table: usize) -> Option<Concept> {
        self.roles.get(table).copied().flatten()
    }

    pub(super) fn set_role(&mut self, table: usize, role: Concept) {
        if let Some(known) = self.roles.get_mut(table) {
            *known = Some(role);
        }
    }

    /// Whether a column of a joined table speaks of something else than a row of `contract` does.
    pub(super) fn is_of_another(&self, found: &Found, contract: &TableContract) -> bool {
        !found.path.is_empty() && self.role(found.at.table).is_some_and(|role| are_others(contract).contains(&role))
    }

    /// Tables about something.
    pub(super) fn about(&self, role: Concept) -> impl Iterator<Item = usize> {
        (0..self.folder.tables.len()).filter(move |table| self.role(*table) == Some(role))
    }

    /// The column of a table that names such things, the surest one; in their own table its key before others.
    pub(super) fn naming(&self, table: usize, entity: Concept) -> Option<(ColumnAt, f64)> {
        let columns = self.named.iter().filter(|(at, (meant, _))| at.table == table && *meant == entity);
        let is_own = self.role(table) == Some(entity);
        // Numbers from 1 on are found in any key: the one that most of them are found in is meant.
        let referred = |at: ColumnAt| {
            let of_key = self.folder.references.iter().filter(|r| r.to == at);
            of_key.map(|r| r.coverage).fold(0.0, f64::max)
        };
        let rank = |at: ColumnAt, worth: f64| {
            let is_key = is_own && self.column(at).is_key();
            worth + if is_key { 0.5 + 0.2 * referred(at) } else { 0.0 }
        };
        columns
            .map(|(at, (_, worth))| (*at, *worth))
            .max_by(|a, b| rank(a.0, a.1).total_cmp(&rank(b.0, b.1)).then_with(|| b.0.cmp(&a.0)))
    }

    /// The table about something that has most of a contract table's columns.
    pub(super) fn best_about(
        &self,
        role: Concept,
        contract: &TableContract,
        passes: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let columns = |table: usize| {
            contract.columns.iter().filter(|c| !self.candidates(table, contract, c.name, true).is_empty()).count()
        };
        self.about(role).filter(|table| passes(*table)).max_by_key(|table| (columns(*table), self.table(*table).rows))
    }

    /// The key that names what the table is about.
    pub(super) fn key(&self, table: usize, entity: Concept) -> Option<ColumnAt> {
        self.naming(table, entity).map(|(at, _)| at).filter(|at| self.column(*at).is_key())
    }

    /// Tables that a row of `driver` meets at most one row of, with the way there: the driver itself first.
    pub(super) fn reachable(&self, driver: usize) -> Vec<(usize, Vec<Reference>)> {
        let mut reached = vec![(driver, Vec::new())];
        let mut at = 0;
        while let Some((table, path)) = reached.get(at).cloned() {
            at += 1;
            if path.len() == MAX_HOPS {
                continue;
            }
            let mut onward: Vec<&Reference> = self.folder.references.iter().filter(|r| r.from.table == table).collect();
            onward.sort_by(|a, b| b.coverage.total_cmp(&a.coverage).then_with(|| a.from.cmp(&b.from)));
            for reference in onward {
                if reached.iter().all(|(known, _)| *known != reference.to.table) {
                    let mut longer = path.clone();
                    longer.push(*reference);
                    reached.push((reference.to.table, longer));
                }
            }
        }
        reached
    }

    /// The column that names such things for each row of `driver`.
    pub(super) fn find_entity(&self, driver: usize, entity: Concept) -> Option<Found> {
        let found = self.reachable(driver).into_iter().filter_map(|(table, path)| {
            let (at, worth) = self.naming(table, entity)?;
            let reach: f64 = path.iter().map(|r| r.coverage).product();
            let score = worth * reach - 0.05 * path.len() as f64;
            Some(at_its_reference(Found { at, path, score }))
        });
        found.filter(|f| f.score >= MIN_SCORE).max_by(|a, b| a.score.total_cmp(&b.score))
    }

    /// Raw columns that a contract column can be made of for each row of `driver`, the best first.
    pub(super) fn candidates(&self, driver: usize, table: &TableContract, column: &str, own_only: bool) -> Vec<Found> {
        let Some(wanted) = table.column(column) else { return Vec::new() };
        let mut all = Vec::new();
        for (reached, path) in self.reachable(driver) {
            if own_only && !path.is_empty() {
                break;
            }
            let reach: f64 = path.iter().map(|r| r.coverage).product();
            for (at, raw) in self.table(reached).columns.iter().enumerate() {
                let at = ColumnAt { table: reached, column: at };
                // What names a row is no sum, whatever it is the number of.
                let says = |concept| self.column_name(at).says(concept);
                let is_number_of = wanted.kind == Type::Money && says(C::Id) && !says(C::Amount);
                if !fits(wanted.kind, column, raw) || is_number_of {
                    continue;
                }
                // Of a statement's two columns one says what came in, and that is the amount; the other none.
                let side = self.debit_credit(reached).filter(|sides| [sides.debit, sides.credit].contains(&at));
                let is_credit = side.is_some_and(|sides| sides.credit == at && column == "amount_minor");
                if side.is_some() && !is_credit {
                    continue;
                }
                let name = name_score(table.name, column, &raw.name, self.column_name(at), self.table_name(reached));
                let name = if is_credit { name.max(CREDITED) } else { name };
                let nulls = if wanted.required && !is_credit { 0.5 * raw.null_share() } else { 0.0 };
                let score = name * reach - 0.05 * path.len() as f64 - nulls;
                let is_event = path.is_empty() && table.visibility.event() == Some(column);
                if !is_event && score + ORDER_COUNTS < MIN_SCORE {
                    continue;
                }
                // What bears the column's own name is it, though some rows have none: those are of another state.
                let bears_its_name = path.is_empty() && name >= 1.0 && raw.null_share() < MOSTLY_THERE;
                let order = if bears_its_name { nulls } else { self.order_of_times(at, table, column) };
                // That a row of another table began then is no event of this one.
                let order = if path.is_empty() { order } else { order.min(0.0) };
                let score = score + order;
                let score =
                    if is_event && self.is_the_event(at, table, column) { score.max(EVENT_BY_ORDER) } else { score };
                let found = Found { at, path: path.clone(), score: score.min(1.0) };
                // When a merchant or a buyer came is no event of a row that names them.
                let is_anothers = table.visibility.event() == Some(column) && self.is_of_another(&found, table);
                if score >= MIN_SCORE && !is_anothers {
                    all.push(found);
                }
            }
        }
        all.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.at.cmp(&b.at)));
        all
    }

    /// The best of [`Self::candidates`].
    pub(super) fn best(&self, driver: usize, table: &TableContract, column: &str, own_only: bool) -> Option<Found> {
        self.candidates(driver, table, column, own_only).into_iter().next()
    }

    /// Columns of a table that may say a state: called so (in words that mean a region too), and of two words or more, `most` at the most.
    pub(super) fn states(&self, table: usize, most: usize) -> impl Iterator<Item = ColumnAt> + Clone + '_ {
        self.columns(table).filter(move |at| {
            let name = self.column_name(*at);
            let is_called_so = [C::Status, C::Region, C::Outcome].iter().any(|concept| name.says(*concept));
            is_called_so && (2..=most).contains(&self.column(*at).words.len())
        })
    }

    /// The event that makes a row is always there and before all others; a review is known only when it was written, so later of two times.
    fn order_of_times(&self, at: ColumnAt, table: &TableContract, column: &str) -> f64 {
        if table.visibility.event() != Some(column) || !self.column(at).is_time() {
            return 0.0;
        }
        let asked = (at, table.name == "reviews");
        if let Some(known) = self.orders_of_times.borrow().get(&asked) {
            return *known;
        }
        let counts = self.measured_order(at, table);
        self.orders_of_times.borrow_mut().insert(asked, counts);
        counts
    }

    /// Whether a time that is always there is the event of its row by its place alone: the only time, or before all others.
    fn is_the_event(&self, at: ColumnAt, table: &TableContract, column: &str) -> bool {
        const OTHERWISE: [Concept; 8] =
            [C::Due, C::Limit, C::Estimated, C::Recorded, C::Closed, C::Delivered, C::Registered, C::Lost];
        let raw = self.table(at.table);
        let says_otherwise = OTHERWISE.iter().any(|concept| self.column_name(at).says(*concept));
        if says_otherwise || self.column(at).nulls > 0 || !self.column(at).is_time() {
            return false;
        }
        let is_only = raw.columns.iter().filter(|c| c.is_time()).count() == 1;
        is_only || self.order_of_times(at, table, column) > 0.0
    }

    fn measured_order(&self, at: ColumnAt, table: &TableContract) -> f64 {
        let raw = self.table(at.table);
        let others = (0..raw.columns.len()).filter(|other| *other != at.column && raw.columns[*other].is_time());
        let shares: Vec<f64> = others
            .filter_map(|other| {
                if table.name == "reviews" { raw.not_after(other, at.column) } else { raw.not_after(at.column, other) }
            })
            .collect();
        match shares.iter().copied().reduce(f64::min) {
            Some(share) if share > 0.95 => ORDER_COUNTS,
            Some(share) if share < 0.5 => -ORDER_COUNTS,
            _ => 0.0,
        }
    }
}

/// What bears a currency's mark is an amount, where its name says nothing that is known.
fn note_amounts_by_their_mark(folder: &Folder, columns: &mut [Vec<Name>]) {
    let cells = folder.tables.iter().flat_map(|table| &table.columns);
    for (raw, name) in cells.zip(columns.iter_mut().flatten()) {
        let has_mark = matches!(&raw.kind, ValueKind::Decimal(form) if is_currency_mark(form.symbol.trim(), None));
        if has_mark && name.concepts.is_empty() {
            name.concepts.insert(C::Amount);
        }
    }
}

/// Whether a dated table is called the sales of somebody: `shop_sales` are no shops.
fn is_called_sales(table: &RawTable, role: Option<Concept>) -> bool {
    const SALES: [&str; 6] = ["sales", "ventas", "vendas", "ventes", "verkaufe", "umsatze"];
    let lower = table.name.to_lowercase();
    let last = lower.rsplit(|c: char| !c.is_alphabetic()).find(|word| !word.is_empty()).unwrap_or_default();
    let is_dated = table.columns.iter().any(|column| column.is_time() && column.nulls * 50 < table.rows);
    matches!(role, Some(C::Merchant | C::Buyer | C::Dispute)) && SALES.contains(&last) && is_dated
}

/// Whether several columns of a table say what only loans have.
pub(super) fn speak_of_loans(columns: &[Name]) -> bool {
    const OF_LOANS: [Concept; 6] = [C::Loan, C::Principal, C::Interest, C::Instalment, C::Disbursed, C::Term];
    OF_LOANS.iter().filter(|concept| columns.iter().any(|name| name.says(**concept))).count() >= 2
}

/// Settles what drivers and riders are. Who drives sells rides where nobody else sells anything, and else brings what others sell. Who rides buys rides
/// where drivers or trips are named and nobody else buys, and else brings parcels and meals.
fn settle_who_rides(folder: &Folder, tables: &mut [Name], columns: &mut [Vec<Name>]) {
    const RIDES: [&str; 8] = ["trip", "ride", "taxi", "cab", "fare", "fahrt", "corrida", "viaje"];
    let raw_names =
        || folder.tables.iter().flat_map(|t| std::iter::once(&t.name).chain(t.columns.iter().map(|c| &c.name)));
    let is_of_rides = |name: &str| {
        let lower = name.to_lowercase();
        lower.split(|c: char| !c.is_alphanumeric()).any(|word| RIDES.contains(&word.strip_suffix('s').unwrap_or(word)))
    };
    let says = |concept: Concept| tables.iter().chain(columns.iter().flatten()).any(|name| name.says(concept));
    let (others_sell, has_drivers) = (says(C::Merchant), says(C::Driver));
    let sells_rides = !others_sell && !says(C::Shipment);
    let names_trips = raw_names().any(|name| is_of_rides(name));
    // An address for mail is the rider's own.
    let is_buyer = |raw: &str, name: &Name| {
        let is_named = name.says(C::Id) || name.says(C::Number) || name.concepts.len() == 1;
        name.says(C::Buyer) && !name.says(C::Rider) && is_named && !raw.to_lowercase().contains("mail")
    };
    let mut named = folder.tables.iter().zip(columns.iter()).flat_map(|(table, names)| table.columns.iter().zip(names));
    let others_buy =
        tables.iter().any(|name| name.says(C::Buyer)) || named.any(|(raw, name)| is_buyer(&raw.name, name));
    let driver = if others_sell { C::Carrier } else { C::Worker };
    let rider = match () {
        () if sells_rides && !others_buy && (has_drivers || names_trips) => C::Buyer,
        // In some countries who drives a motorcycle taxi is called so.
        () if sells_rides && !has_drivers && names_trips => C::Worker,
        () => C::Carrier,
    };
    for name in tables.iter_mut().chain(columns.iter_mut().flatten()) {
        for (means, instead) in [(C::Driver, driver), (C::Rider, rider)] {
            if name.concepts.remove(&means) {
                name.concepts.insert(instead);
            }
        }
    }
}

/// A key that a row refers to is what the row itself says: no need to look it up.
fn at_its_reference(mut found: Found) -> Found {
    while let Some(last) = found.path.last().copied().filter(|last| last.to == found.at) {
        found.at = last.from;
        found.path.pop();
    }
    found
}
