//! What tables and columns are where their names do not say it: from what keys name, what refers to what, how often values come back, and which times
//! come first. Names go before: nothing here changes what a name has said.

use std::collections::BTreeSet;

use super::landscape::{Landscape, NumberByReference, speak_of_loans};
use super::orders::PARCEL_TIMES;
use super::vocabulary::Concept;
use super::words::meaning;
use crate::contract::{DISPUTES, LOANS, ORDERS, SHIPMENTS};
use crate::profile::{ColumnAt, RawColumn, ValueKind};
use Concept as C;

/// Parties and things that have a table of their own, of one row each.
const MASTERS: [Concept; 3] = [C::Merchant, C::Buyer, C::Product];
/// What the name of a column that names a party may say.
const PARTY_WORDS: [Concept; 8] =
    [C::Id, C::Number, C::Name, C::Account, C::Merchant, C::Buyer, C::Worker, C::Engagement];
/// A party's id comes back on so many rows, on average, or more.
const MIN_REPEATS: f64 = 2.0;
/// A merchant has about so many orders or more; a buyer seldom has.
const MANY_ORDERS: f64 = 10.0;
/// Fewer merchants than this are codes of something.
const MIN_MERCHANTS: usize = 3;
/// What more rows lack does not stand on all of them.
const ON_ALL: f64 = 0.02;
/// An order of more lines than this, on average, is not one order.
const MAX_LINES: usize = 20;

impl Landscape<'_> {
    /// Fills in what names have left open.
    pub(super) fn infer(&mut self) {
        self.borrowers();
        self.masters_by_their_keys();
        self.loans_by_their_key();
        self.loans_by_their_terms();
        self.keys_of_loans();
        self.book_of_loans();
        self.payments_of_buyers();
        let Some(first) = self.trade_table() else { return };
        let behind = self.sales_behind(first);
        if let Some(sales) = behind {
            self.set_role(sales, C::Order);
            // What only some rows of an order say, such as the number of an item, is no order's number.
            let blank = |at: &ColumnAt| self.column(*at).null_share() > ON_ALL;
            let of_items: Vec<ColumnAt> = self.columns(sales).filter(blank).collect();
            self.named.retain(|at, (meant, _)| *meant != C::Order || !of_items.contains(at));
        }
        let trade = behind.unwrap_or(first);
        if !self.about(C::Order).any(|table| self.is_like_trade(table)) {
            self.set_role(trade, C::Order);
        }
        self.number_that_others_name(trade);
        self.number_of_orders(trade);
        self.name_what_refers();
        self.keys_of_named_tables();
        self.name_what_refers();
        self.merchant_of_trade(trade);
        self.buyer_of_trade(trade);
        self.what_follows_trade(trade);
        self.keys_of_named_tables();
        self.name_what_refers();
    }

    /// A table whose key names merchants, and that other tables refer to, is the merchants' table, whatever it is called.
    fn masters_by_their_keys(&mut self) {
        for entity in MASTERS {
            if self.about(entity).any(|table| self.key(table, entity).is_some()) {
                continue;
            }
            let referred = |key: ColumnAt| self.folder.references.iter().filter(|r| r.to == key).count();
            let tables = (0..self.folder.tables.len()).filter(|table| self.role(*table).is_none());
            let found = tables.filter_map(|table| Some((referred(self.key(table, entity)?), table)));
            let best = found.filter(|(count, _)| *count > 0).max_by_key(|(count, table)| (*count, usize::MAX - table));
            if let Some((_, table)) = best {
                self.set_role(table, entity);
            }
        }
    }

    /// In a lender's books the client is who borrows. Where no name speaks of merchants, who takes loans is the merchant, and who else buys is the buyer.
    fn borrowers(&mut self) {
        let speaks_of_merchants =
            self.column_names.iter().flatten().chain(&self.table_names).any(|n| n.says(C::Merchant));
        let loans = self.about(C::Loan).find(|table| self.key(*table, C::Loan).is_some());
        let (Some(loans), false) = (loans, speaks_of_merchants) else { return };
        let Some((borrower, _)) = self.naming(loans, C::Buyer) else { return };
        let references = || self.folder.references.iter().copied();
        let Some(master) = references().find(|r| r.from == borrower).map(|r| r.to) else { return };
        let refer: Vec<ColumnAt> = references().filter(|r| r.to == master).map(|r| r.from).collect();
        let named = |at: &ColumnAt| self.named.get(at).is_some_and(|(meant, _)| *meant == C::Buyer);
        let borrowers: Vec<ColumnAt> = refer.into_iter().filter(named).chain([master, borrower]).collect();
        self.named.retain(|_, (meant, _)| *meant != C::Merchant);
        for at in borrowers {
            self.named.insert(at, (C::Merchant, 0.95));
        }
        self.set_role(master.table, C::Merchant);
    }

    /// A table whose key names loans, with an amount and a time, is the loans', whatever it is called.
    fn loans_by_their_key(&mut self) {
        if self.about(C::Loan).any(|table| self.key(table, C::Loan).is_some()) {
            return;
        }
        let columns = |table: usize| {
            ["disbursed_at", "principal_minor", "term_days", "daily_rate_ppm"]
                .iter()
                .filter(|column| !self.candidates(table, &LOANS, column, true).is_empty())
                .count()
        };
        let tables = (0..self.folder.tables.len()).filter(|table| self.role(*table).is_none());
        let keyed = tables.filter(|table| self.key(*table, C::Loan).is_some());
        let best = keyed.map(|table| (columns(table), table)).filter(|(count, _)| *count >= 2);
        if let Some((_, table)) = best.max_by_key(|(count, table)| (*count, usize::MAX - table)) {
            self.set_role(table, C::Loan);
        }
    }

    /// Where no table is called after loans: one whose rows say when money was paid out, at what rate or with what interest, and for how long, and whose key other tables refer
    /// to. A name that speaks of merchants says whose loans they are.
    fn loans_by_their_terms(&mut self) {
        if self.about(C::Loan).next().is_some() {
            return;
        }
        let says = |table: usize, any: &[C]| {
            self.column_names[table].iter().any(|name| any.iter().any(|concept| name.says(*concept)))
        };
        let is_paid_out = |at: &ColumnAt| self.column(*at).is_time() && self.column_name(*at).says(C::Disbursed);
        let has_terms = |table: usize| {
            (says(table, &[C::Rate, C::Interest, C::Principal]) || super::rates::payback_factor(self, table).is_some())
                && says(table, &[C::Term, C::Month])
                && self.columns(table).any(|at| is_paid_out(&at))
        };
        let key_of = |table: usize| {
            let refers = |key: ColumnAt| self.folder.references.iter().any(|r| r.to == key);
            self.columns(table).find(|at| self.column(*at).is_key() && self.column(*at).is_like_an_id() && refers(*at))
        };
        let is_open = |table: usize| match self.role(table) {
            None => true,
            Some(party @ (C::Merchant | C::Buyer)) => self.key(table, party).is_none(),
            Some(_) => false,
        };
        let mut tables = (0..self.folder.tables.len()).filter(|table| is_open(*table) && has_terms(*table));
        let Some((table, key)) = tables.find_map(|table| Some((table, key_of(table)?))) else { return };
        self.set_role(table, C::Loan);
        self.named.insert(key, (C::Loan, 0.8));
        let of_loans: Vec<ColumnAt> = self.folder.references.iter().filter(|r| r.to == key).map(|r| r.from).collect();
        for at in of_loans {
            self.named.insert(at, (C::Loan, 0.7));
            // What names them by the row belongs to them, though its name says whose they are.
            let is_of_party = self
                .role(at.table)
                .is_some_and(|role| matches!(role, C::Merchant | C::Buyer) && self.key(at.table, role).is_none());
            if is_of_party {
                self.set_role(at.table, C::Loan);
            }
        }
    }

    /// The key of a table of loans that other tables refer to, whatever it is called: `LAN`.
    fn keys_of_loans(&mut self) {
        let is_referred = |at: ColumnAt| self.folder.references.iter().any(|r| r.to == at);
        let unnamed = self.about(C::Loan).filter(|table| self.naming(*table, C::Loan).is_none());
        let keys: Vec<ColumnAt> =
            unnamed.filter_map(|table| self.unnamed_key(table)).filter(|key| is_referred(*key)).collect();
        for key in keys {
            self.named.insert(key, (C::Loan, 0.6));
        }
        self.name_what_refers();
    }

    /// Tables that name a loan on several rows are what belongs to it: instalments where they say what falls due, payments where they say what was paid
    /// and when.
    fn book_of_loans(&mut self) {
        if !self.about(C::Loan).any(|table| self.key(table, C::Loan).is_some()) {
            return;
        }
        for table in 0..self.folder.tables.len() {
            // A table that is called after loans and has a key of its own belongs to another's loans where it refers to them.
            let refers = |at: ColumnAt| self.folder.references.iter().any(|r| r.from == at && r.to.table != table);
            let of_loans = self.named.iter().any(|(at, (meant, _))| {
                let is_of_loans = at.table == table && *meant == C::Loan && !self.column(*at).is_key();
                is_of_loans && (self.role(table).is_none() || refers(*at))
            });
            let (true, None | Some(C::Loan | C::Order)) = (of_loans, self.role(table)) else { continue };
            // An order names who sells or who buys; what is paid on a loan names the loan alone.
            let names_party = [C::Merchant, C::Buyer].iter().any(|party| self.naming(table, *party).is_some());
            if self.role(table) == Some(C::Order) && names_party {
                continue;
            }
            let columns = || self.table(table).columns.iter().zip(&self.column_names[table]);
            let has_due = columns().any(|(cells, name)| cells.is_time() && name.says(C::Due));
            let is_dated = columns().any(|(cells, _)| cells.is_time());
            let has_amount =
                columns().any(|(cells, name)| cells.is_number() && !name.says(C::Id) && !name.says(C::Number));
            if is_dated && has_amount {
                let role = if has_due { C::Instalment } else { C::Payment };
                self.set_role(table, role);
                // Its own key was taken for a loan's.
                let of_table = |at: &ColumnAt| at.table == table && self.column(*at).is_key();
                let own: Vec<ColumnAt> = self.named.keys().copied().filter(of_table).collect();
                for at in own {
                    self.named.insert(at, (role, 1.0));
                }
            }
        }
    }

    /// Whether rows of a table may be orders, or lines of them: no name speaks against it, and each is dated.
    fn is_like_trade(&self, table: usize) -> bool {
        let is_dated = self.table(table).columns.iter().any(|c| c.is_time() && c.null_share() < 0.02);
        matches!(self.role(table), None | Some(C::Order | C::Item)) && is_dated
    }

    /// Where nothing else could be orders, what buyers paid to merchants is: a till's payments, or those of a payment service.
    fn payments_of_buyers(&mut self) {
        let has_amount = |table: usize| !self.candidates(table, &ORDERS, "amount_minor", true).is_empty();
        let names_who =
            |table: usize| self.naming(table, C::Merchant).is_some() || self.parties(table).next().is_some();
        let mut tables = 0..self.folder.tables.len();
        if tables.any(|table| self.is_like_trade(table) && has_amount(table) && names_who(table)) {
            return;
        }
        let is_dated = |table: usize| self.table(table).columns.iter().any(|c| c.is_time() && c.null_share() < 0.02);
        let are_of_buyers = |table: &usize| {
            self.naming(*table, C::Loan).is_none() && is_dated(*table) && has_amount(*table) && names_who(*table)
        };
        let best = self
            .about(C::Payment)
            .filter(are_of_buyers)
            .max_by_key(|table| (self.table(*table).rows, usize::MAX - table));
        let Some(table) = best else { return };
        self.set_role(table, C::Order);
        for (at, (meant, _)) in &mut self.named {
            if at.table == table && *meant == C::Payment {
                *meant = C::Order;
            }
        }
        self.payments_as_orders = Some(table);
    }

    /// The table of orders, or of their lines: what others follow, with an amount and with parties that come back.
    fn trade_table(&self) -> Option<usize> {
        let tables: Vec<usize> = (0..self.folder.tables.len()).filter(|table| self.is_like_trade(*table)).collect();
        let most = tables.iter().map(|table| self.table(*table).rows).max()?;
        let score = |table: usize| {
            let named = match self.role(table) {
                Some(C::Order) => 1.0,
                Some(C::Item) => 0.5,
                _ => 0.0,
            };
            let from_dated = |at: ColumnAt| self.table(at.table).columns.iter().any(RawColumn::is_time);
            let references = || self.folder.references.iter();
            let is_followed = references().any(|r| r.to.table == table && from_dated(r.from));
            let follows = references().any(|r| r.from.table == table && tables.contains(&r.to.table));
            let has_amount = !self.candidates(table, &ORDERS, "amount_minor", true).is_empty();
            let parties = self.parties(table).count().min(3);
            let rows = self.table(table).rows as f64 / most.max(1) as f64;
            let said = |is_so: bool, worth: f64| if is_so { worth } else { 0.0 };
            let is_of_loans = speak_of_loans(self.column_names(table));
            named + 0.3 * rows + said(is_followed, 0.4) - said(follows, 0.6) - said(is_of_loans, 0.8)
                + said(has_amount, 0.3)
                + 0.1 * parties as f64
        };
        tables.iter().copied().max_by(|a, b| score(*a).total_cmp(&score(*b)).then_with(|| b.cmp(a)))
    }

    /// The sales themselves, where the table of trade is a book of money whose lines name them.
    fn sales_behind(&self, book: usize) -> Option<usize> {
        let has_amount = |table: usize| !self.candidates(table, &ORDERS, "amount_minor", true).is_empty();
        let mut tables = (0..self.folder.tables.len()).filter(|table| *table != book && self.is_dated_sale(*table));
        tables.find(|table| {
            let mut numbers = self.named.iter().filter(|(at, (meant, _))| {
                at.table == *table && *meant == C::Order && self.column(**at).null_share() <= ON_ALL
            });
            numbers.any(|(order, _)| super::orders_plan::order_in_book(self, book, *order).is_some())
                && has_amount(*table)
        })
    }

    /// Whether rows of a table may be orders whose items stand beneath them, without a time of their own.
    fn is_dated_sale(&self, table: usize) -> bool {
        const MOST_ITEMS: f64 = 0.5;
        let is_dated = self.table(table).columns.iter().any(|c| c.is_time() && c.null_share() < MOST_ITEMS);
        let names_who = self.naming(table, C::Merchant).is_some() && self.naming(table, C::Buyer).is_some();
        matches!(self.role(table), None | Some(C::Order | C::Item)) && is_dated && names_who
    }

    /// Columns of a table that may name a party: nothing in their names says that they are something else, and their values come back.
    fn parties(&self, table: usize) -> impl Iterator<Item = ColumnAt> + '_ {
        self.columns(table).filter(move |at| {
            let (cells, name) = (self.column(*at), self.column_name(*at));
            let is_plain = name.concepts.iter().all(|c| PARTY_WORDS.contains(c));
            let refers = self.folder.references.iter().any(|r| r.from == *at);
            let names = cells.kind == ValueKind::Text || refers || name.says(C::Id) || name.says(C::Number);
            let there = (cells.rows() - cells.nulls) as f64;
            let repeats = there / cells.distinct.max(1) as f64;
            is_plain
                && names
                && cells.is_like_an_id()
                && cells.null_share() < 0.1
                && repeats > 1.02
                && cells.distinct > 2
        })
    }

    /// Of two columns that name each order, other tables refer to one: that is the order's number, though the other is called so, as the number that a shop's own
    /// system gave it.
    fn number_that_others_name(&mut self, trade: usize) {
        let Some((called_so, _)) = self.naming(trade, C::Order) else { return };
        let references = || self.folder.references.iter();
        let meets_another = references().any(|r| r.from == called_so || r.to == called_so);
        let cells = self.column(called_so);
        // Rows that share a number are lines of an order.
        let names_rows = cells.distinct * 10 >= (cells.rows() - cells.nulls) * 9;
        if meets_another || !names_rows {
            return;
        }
        let is_own = |at: ColumnAt| {
            let name = self.column_name(at);
            let is_bare = name.unknown == 0 && name.concepts.iter().all(|c| matches!(c, C::Id | C::Number));
            is_bare || !references().any(|r| r.from == at)
        };
        let keys = self.columns(trade).filter(|at| {
            let meant = self.named.get(at).map(|(meant, _)| *meant);
            let cells = self.column(*at);
            cells.is_key() && cells.is_like_an_id() && matches!(meant, None | Some(C::Order)) && is_own(*at)
        });
        let tables_of = |key: ColumnAt| -> Vec<usize> {
            let tables: BTreeSet<usize> = references().filter(|r| r.to == key).map(|r| r.from.table).collect();
            tables.into_iter().collect()
        };
        let best =
            keys.map(|key| (tables_of(key), key)).max_by_key(|(tables, key)| (tables.len(), std::cmp::Reverse(*key)));
        let Some((tables, key)) = best.filter(|(tables, _)| !tables.is_empty()) else { return };
        self.named.remove(&called_so);
        self.named.insert(key, (C::Order, 0.9));
        self.number_by_reference = Some(NumberByReference { key, passed_over: called_so, tables });
    }

    /// The order's number where no name says it: the table's key, that others refer to first; where rows are lines, what tells orders apart: all lines
    /// of a number are of one time.
    fn number_of_orders(&mut self, trade: usize) {
        if self.naming(trade, C::Order).is_some() {
            return;
        }
        if let Some(at) = self.unnamed_key(trade) {
            self.named.insert(at, (C::Order, 0.75));
            return;
        }
        let raw = self.table(trade);
        let dated: Vec<usize> =
            (0..raw.columns.len()).filter(|c| raw.columns[*c].is_time() && raw.columns[*c].nulls == 0).collect();
        let is_number = |at: &ColumnAt| {
            let cells = self.column(*at);
            let there = cells.rows() - cells.nulls;
            cells.nulls == 0
                && cells.is_like_an_id()
                && !self.named.contains_key(at)
                && cells.distinct < there
                && cells.distinct * MAX_LINES >= there
                && !dated.is_empty()
                && dated.iter().all(|time| raw.determines(at.column, *time))
        };
        if let Some(at) = self.columns(trade).filter(is_number).min_by_key(|at| (self.column(*at).distinct, *at)) {
            self.named.insert(at, (C::Order, 0.7));
        }
    }

    /// A table's key of which no name says what it names: one that others refer to before one that is called a key, and that before any.
    fn unnamed_key(&self, table: usize) -> Option<ColumnAt> {
        let keys = self.columns(table).filter(|at| {
            let cells = self.column(*at);
            cells.is_key() && cells.is_like_an_id() && !self.named.contains_key(at)
        });
        keys.max_by_key(|at| {
            let referred = self.folder.references.iter().filter(|r| r.to == *at).count();
            let name = self.column_name(*at);
            let is_called_so = name.says(C::Id) || name.says(C::Number);
            (referred, is_called_so, std::cmp::Reverse(at.column))
        })
    }

    /// The key of a table names what the table is about, where no other column does.
    fn keys_of_named_tables(&mut self) {
        for table in 0..self.folder.tables.len() {
            let Some(role) = self.role(table) else { continue };
            if matches!(role, C::Item | C::Instalment | C::Inventory | C::Group) || self.naming(table, role).is_some() {
                continue;
            }
            if let Some(key) = self.unnamed_key(table) {
                self.named.insert(key, (role, 0.6));
            }
        }
    }

    /// Who sells, where no column of any table of orders says it: who comes back most often, and has a table that describes it.
    fn merchant_of_trade(&mut self, trade: usize) {
        let tables = 0..self.folder.tables.len();
        let is_said = self.find_entity(trade, C::Merchant).is_some()
            || tables.into_iter().any(|t| self.naming(t, C::Order).is_some() && self.naming(t, C::Merchant).is_some());
        if is_said {
            return;
        }
        if let Some(at) = self.merchant_of_sales(trade) {
            self.named.insert(at, (C::Merchant, 0.7));
            return;
        }
        let described = |table: usize| {
            let says = |concept: Concept| self.column_names[table].iter().any(|name| name.says(concept));
            [C::Category, C::Region, C::City, C::Registered, C::Opened, C::Verified].into_iter().any(says)
        };
        let open = self.parties(trade).filter(|at| !self.named.contains_key(at) && !is_staff(&self.column(*at).name));
        let found = open.filter_map(|at| {
            let cells = self.column(at);
            let repeats = (cells.rows() - cells.nulls) as f64 / cells.distinct.max(1) as f64;
            if cells.distinct < MIN_MERCHANTS || repeats < MIN_REPEATS {
                return None;
            }
            let master = self.folder.references.iter().find(|r| {
                r.from == at && matches!(self.role(r.to.table), None | Some(C::Merchant)) && r.to.table != trade
            });
            let name = self.column_name(at);
            let mut score = 0.0_f64;
            score += if master.is_some() { 0.35 } else { 0.0 };
            score += if master.is_some_and(|r| described(r.to.table)) { 0.15 } else { 0.0 };
            score += if repeats >= MANY_ORDERS { 0.15 } else { 0.0 };
            score += if name.says(C::Id) || name.says(C::Number) { 0.2 } else { 0.0 };
            (score >= 0.3).then_some((score, at, master.copied()))
        });
        let fewest = |at: ColumnAt| std::cmp::Reverse((self.column(at).distinct, at));
        let best = found.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| fewest(a.1).cmp(&fewest(b.1))));
        let Some((_, at, master)) = best else { return };
        self.named.insert(at, (C::Merchant, 0.65));
        if let Some(master) = master {
            self.named.insert(master.to, (C::Merchant, 0.9));
            self.set_role(master.to.table, C::Merchant);
        }
        self.name_what_refers();
    }

    /// Among rows of which some give money back, who received the others: nearly all of them name a merchant there, and those that give back name somebody else.
    fn merchant_of_sales(&self, trade: usize) -> Option<ColumnAt> {
        const NEARLY_ALL: f64 = 0.9;
        let amount = self.candidates(trade, &ORDERS, "amount_minor", true).into_iter().next()?.at;
        let below: BTreeSet<usize> = self.column(amount).numbers.negative.iter().copied().collect();
        let sales: Vec<usize> = (0..self.table(trade).rows).filter(|row| !below.contains(row)).collect();
        let key =
            self.about(C::Merchant).find_map(|table| self.key(table, C::Merchant)).filter(|_| !below.is_empty())?;
        let columns = self.columns(trade).filter(|at| {
            let cells = self.column(*at);
            cells.kind == ValueKind::Text && cells.is_like_an_id() && cells.distinct >= MIN_MERCHANTS
        });
        let shares = columns.map(|at| (self.folder.share_of_rows_found(at, key, &sales), at));
        let best = shares.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(&a.1)));
        best.filter(|(share, _)| *share >= NEARLY_ALL).map(|(_, at)| at)
    }

    /// Who buys, where no column says it: a party of which there are more than merchants, and that a merchant does not decide.
    fn buyer_of_trade(&mut self, trade: usize) {
        if self.find_entity(trade, C::Buyer).is_some() {
            return;
        }
        let merchant = self.naming(trade, C::Merchant).map(|(at, _)| at);
        let merchants = merchant.map_or(0, |at| self.column(at).distinct);
        let raw = self.table(trade);
        let found = self.parties(trade).filter(|at| {
            let of_merchant = merchant.is_some_and(|merchant| raw.determines(merchant.column, at.column));
            let is_open = !self.named.contains_key(at) && !is_staff(&self.column(*at).name);
            is_open && self.column(*at).distinct > merchants && !of_merchant && !is_of_words(self.column(*at))
        });
        let is_called_so = |at: ColumnAt| self.column_name(at).says(C::Id) || self.column_name(at).says(C::Number);
        let best = found.max_by_key(|at| (is_called_so(*at), self.column(*at).distinct, std::cmp::Reverse(*at)));
        if let Some(at) = best {
            self.named.insert(at, (C::Buyer, 0.6));
        }
    }

    /// Tables that tell of orders what came after: stars are reviews; times of parcels are shipments; few rows with a reason, an outcome or money given
    /// back are disputes.
    fn what_follows_trade(&mut self, trade: usize) {
        let orders = self.table(trade).rows;
        for table in (0..self.folder.tables.len()).filter(|table| *table != trade) {
            if self.role(table).is_some() || self.naming(table, C::Order).is_none() {
                continue;
            }
            let raw = self.table(table);
            let says = |concept: Concept| self.column_names[table].iter().any(|name| name.says(concept));
            let is_dated = raw.columns.iter().any(RawColumn::is_time);
            let has_parcels =
                PARCEL_TIMES.iter().any(|time| !self.candidates(table, &SHIPMENTS, time, true).is_empty());
            let tells_trouble = [C::Reason, C::Outcome, C::Refund].into_iter().any(says)
                || self.table_name(table).says(C::Refund)
                || !self.candidates(table, &DISPUTES, "kind", true).is_empty();
            let role = if is_dated && (self.is_called_reviews(table) || self.columns(table).any(|at| self.is_stars(at)))
            {
                C::Review
            } else if has_parcels {
                C::Shipment
            } else if is_dated && self.gives_back(table) {
                C::Refund
            } else if is_dated && tells_trouble && raw.rows * 2 < orders {
                C::Dispute
            } else {
                continue;
            };
            self.set_role(table, role);
        }
    }

    /// Whether the one kind of a table's rows is a review.
    fn is_called_reviews(&self, table: usize) -> bool {
        let says_so = |word: &String| super::names::Name::of(word).says(C::Review);
        self.columns(table).any(|at| {
            let mut words = self.column(at).words.keys();
            self.column_name(at).says(C::Kind) && words.len() == 1 && words.all(says_so)
        })
    }

    /// Whether a table says what went back to buyers, and not what they claimed and how that was decided.
    fn gives_back(&self, table: usize) -> bool {
        let name = self.table_name(table);
        let is_called_so = name.says(C::Refund) && !name.says(C::Dispute) && !name.says(C::Chargeback);
        let is_decision = |at: ColumnAt| {
            let has = |word: &str| !meaning(DISPUTES.name, "outcome", word, self.column(at)).is_empty();
            has("buyer-won") && has("merchant-won")
        };
        is_called_so && !self.columns(table).any(is_decision)
    }

    /// Whether a column gives stars: whole numbers up to 5, of which there are several, and no name that says otherwise.
    fn is_stars(&self, at: ColumnAt) -> bool {
        let (cells, name) = (self.column(at), self.column_name(at));
        let is_other = name.concepts.iter().any(|c| !matches!(c, C::Stars | C::Review | C::Rate | C::Number));
        super::stars::are_stars(cells)
            && !is_other
            && cells.kind == ValueKind::Whole
            && (4..=6).contains(&cells.distinct)
    }
}

/// Whether most cells are of several words: what is said of a thing, and no number of a party.
fn is_of_words(cells: &RawColumn) -> bool {
    const SEVERAL: usize = 3;
    let are_several = |cell: &&String| cell.split_whitespace().count() >= SEVERAL;
    cells.examples.iter().filter(are_several).count() * 2 > cells.examples.len()
}

/// Whether a name is of who serves a shop's customers for it: many orders come back to them, and they sell nothing of their own. Operators and tellers are left
/// out: the former are companies as often.
fn is_staff(name: &str) -> bool {
    const STAFF: [&str; 20] = [
        "employee", "staff", "clerk", "cashier", "salesperson", "salesrep", "waiter", "mitarbeiter", "kassierer",
        "empleado", "cajero", "funcionario", "employe", "caissier", "dipendente", "cassiere", "pracownik", "kasjer",
        "员工", "店员",
    ];
    const PAIRS: [[&str; 2]; 2] = [["sales", "person"], ["sales", "rep"]];
    // `employeeid` is written as one word, and so is everything in Chinese.
    const ENDS: [&str; 6] = ["", "s", "id", "no", "nr", "name"];
    let words = super::names::words(name);
    let is_one = |word: &String| {
        STAFF.iter().any(|staff| match word.strip_prefix(staff) {
            Some(end) => ENDS.contains(&end) || !staff.is_ascii(),
            None => false,
        })
    };
    words.iter().any(is_one) || words.windows(2).any(|pair| PAIRS.iter().any(|known| pair == known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staff_are_known_by_whole_words() {
        for name in [
            "employee_id", "EmployeeID", "employeeid", "Sales Person", "salesRep", "cashier", "Mitarbeiter-Nr",
            "员工编号",
        ] {
            assert!(is_staff(name), "{name}");
        }
        for name in [
            "besteller_nr", "operator_id", "teller_id", "storyteller", "clerkenwell_shop", "sales_report_id",
            "seller_id",
        ] {
            assert!(!is_staff(name), "{name}");
        }
    }
}
