//! A marketplace written event by event, and the books of a loan service that draws on published offers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use integrity::contract::{self, GROUP_LOAN, TABLES};
use integrity::domain::DailyRate;
use integrity::offer::{Policy, Terms, schedule};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::published_offer::Offer;
use super::row_writer::{Cell, Row, write_table};

/// A drawn loan as the loan service keeps it, apart from anything that the pipeline computes.
#[derive(Debug, Clone)]
pub struct Drawn {
    pub merchant_id: String,
    pub product: String,
    pub offer_id: String,
    pub at: Timestamp,
    pub principal_minor: i64,
    pub pledged_order_ids: Vec<String>,
    /// Due date, principal, interest.
    pub dues: Vec<(Date, i64, i64)>,
    /// Payments that stand: when, and how much.
    pub paid: Vec<(Timestamp, i64)>,
}

impl Drawn {
    /// Principal and interest of the whole schedule, less what was paid before `at`; nothing before the loan was drawn.
    pub fn owed_minor(&self, at: Timestamp) -> i64 {
        if at <= self.at {
            return 0;
        }
        let due: i64 = self.dues.iter().map(|(_, principal, interest)| principal + interest).sum();
        due - self.paid.iter().filter(|(paid_at, _)| *paid_at < at).map(|(_, amount)| amount).sum::<i64>()
    }

    /// The principal not repaid: payments go to the oldest instalment that has fallen due, within it to interest first; what was paid
    /// ahead is principal repaid, until the next instalment falls due. Days are those of UTC.
    pub fn principal_owed_minor(&self, at: Timestamp) -> i64 {
        if at <= self.at {
            return 0;
        }
        let today = at.to_zoned(TimeZone::UTC).date();
        let mut left: i64 = self.paid.iter().filter(|(paid_at, _)| *paid_at < at).map(|(_, amount)| amount).sum();
        let mut repaid = 0;
        for (_, principal, interest) in self.dues.iter().filter(|(due_on, ..)| *due_on < today) {
            left -= left.min(*interest);
            let part = left.min(*principal);
            left -= part;
            repaid += part;
        }
        (self.principal_minor - repaid - left).max(0)
    }
}

/// What a loan's row tells of the offer that it was drawn on; the loan service's own books know all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// The offer and its orders.
    Orders,
    /// The offer alone.
    Offer,
    /// Neither.
    Nothing,
}

/// A marketplace with its lender. Every event has an instant; `write_until` shows what had happened before one.
#[derive(Debug, Clone)]
pub struct Marketplace {
    policy: Policy,
    zone: TimeZone,
    rows: BTreeMap<&'static str, Vec<Row>>,
    /// Position of each row, by table and key.
    places: BTreeMap<(&'static str, String), usize>,
    loans: BTreeMap<String, Drawn>,
}

impl Marketplace {
    /// An empty marketplace whose loans have the terms of `policy` and fall due by the calendar of `zone`.
    pub fn new(policy: Policy, zone: TimeZone) -> Self {
        Self { policy, zone, rows: BTreeMap::new(), places: BTreeMap::new(), loans: BTreeMap::new() }
    }

    pub fn add_merchant(&mut self, merchant: &str, at: Timestamp) {
        let cells = [
            ("merchant_id", text(merchant)),
            ("registered_at", Cell::At(at)),
            ("category", text("books")),
            ("region", text("zhejiang")),
            ("verification", text("full")),
            ("deposit_minor", Cell::Number(500_000)),
        ];
        self.add("merchants", merchant, Row::new(at, cells));
    }

    /// A membership of a guarantee group.
    pub fn join_group(&mut self, group: &str, merchant: &str, at: Timestamp) {
        let cells = [("group_id", text(group)), ("merchant_id", text(merchant)), ("joined_at", Cell::At(at))];
        self.add("guarantee_groups", &format!("{group} {merchant}"), Row::new(at, cells));
    }

    /// An order placed and paid into escrow at `at`, each by a buyer of its own.
    pub fn add_order(&mut self, merchant: &str, amount_minor: i64, at: Timestamp) -> String {
        let (order, number) = self.next_id("orders", "o");
        let cells = [
            ("order_id", text(&order)),
            ("merchant_id", text(merchant)),
            ("buyer_id", text(&format!("b{number:06}"))),
            ("placed_at", Cell::At(at)),
            ("paid_at", Cell::At(at)),
            ("amount_minor", Cell::Number(amount_minor)),
            ("currency", text("CNY")),
        ];
        self.add("orders", &order, Row::new(at, cells));
        order
    }

    /// The order's parcel is handed over; it is due in ten days.
    pub fn ship(&mut self, order: &str, at: Timestamp) {
        let merchant = self.value("orders", order, "merchant_id");
        let cells = [
            ("shipment_id", text(&format!("s-{order}"))),
            ("order_id", text(order)),
            ("merchant_id", merchant),
            ("ship_by_at", Cell::At(at + 24.hours())),
            ("shipped_at", Cell::At(at)),
            ("promised_at", Cell::At(at + 240.hours())),
            ("carrier", text("carrier")),
            ("tracking", text(&format!("t-{order}"))),
        ];
        self.add("shipments", order, Row::new(at, cells));
    }

    /// The parcel arrives and the buyer confirms: escrow is released.
    pub fn confirm(&mut self, order: &str, at: Timestamp) {
        self.set("shipments", order, at, "delivered_at", Cell::At(at));
        self.set("orders", order, at, "completed_at", Cell::At(at));
    }

    /// The whole amount goes back to the buyer.
    pub fn refund(&mut self, order: &str, at: Timestamp) {
        let amount = self.value("orders", order, "amount_minor");
        self.set("orders", order, at, "refunded_at", Cell::At(at));
        self.set("orders", order, at, "refund_minor", amount);
    }

    /// A buyer's claim for half of an order, not decided yet.
    pub fn dispute(&mut self, order: &str, at: Timestamp) {
        let (merchant, buyer) = (self.value("orders", order, "merchant_id"), self.value("orders", order, "buyer_id"));
        let Cell::Number(amount_minor) = self.value("orders", order, "amount_minor") else {
            panic!("{order} has no amount")
        };
        let cells = [
            ("dispute_id", text(&format!("d-{order}"))),
            ("order_id", text(order)),
            ("merchant_id", merchant),
            ("buyer_id", buyer),
            ("opened_at", Cell::At(at)),
            ("kind", text("not-received")),
            ("amount_minor", Cell::Number(amount_minor / 2)),
        ];
        self.add("disputes", order, Row::new(at, cells));
    }

    /// An application; `orders` are named by those that want an order loan.
    pub fn apply(
        &mut self,
        merchant: &str,
        product: &str,
        requested_minor: i64,
        orders: &[String],
        at: Timestamp,
    ) -> String {
        let (application, _) = self.next_id("applications", "a");
        let cells = [
            ("application_id", text(&application)),
            ("merchant_id", text(merchant)),
            ("applied_at", Cell::At(at)),
            ("product", text(product)),
            ("requested_minor", Cell::Number(requested_minor)),
        ];
        let mut row = Row::new(at, cells);
        if !orders.is_empty() {
            row.set(at, "order_ids", Cell::Texts(orders.to_vec()));
        }
        self.add("applications", &application, row);
        application
    }

    /// A row is sent again, recorded at `at`, as it was known then but for some cells.
    pub fn resend(&mut self, table: &'static str, key: &str, at: Timestamp, but: &[(&'static str, Option<Cell>)]) {
        self.resend_stamped(table, key, (at, Some(at)), but);
    }

    /// The same as known at an instant, with another stamp or none.
    pub fn resend_stamped(
        &mut self,
        table: &'static str,
        key: &str,
        (at, stamp): (Timestamp, Option<Timestamp>),
        but: &[(&'static str, Option<Cell>)],
    ) {
        let place = self.places[&(table, key.to_owned())];
        let mut row = self.rows[table][place].as_known(at);
        for (column, cell) in but {
            row.replace(column, cell.clone());
        }
        row.replace("recorded_at", stamp.map(Cell::At));
        self.rows.get_mut(table).unwrap().push(row);
    }

    /// Draws `amount_minor` on an offer: a loan and its schedule by the product's terms, pledging the offer's orders.
    pub fn draw(&mut self, offer: &Offer, amount_minor: i64, at: Timestamp) -> String {
        self.draw_naming(Named::Orders, offer, amount_minor, at)
    }

    /// The same, where the loan's row tells less.
    pub fn draw_naming(&mut self, named: Named, offer: &Offer, amount_minor: i64, at: Timestamp) -> String {
        assert!((1..=offer.limit_minor).contains(&amount_minor), "{amount_minor} is not within {offer:?}");
        assert!(self.day_of(at) <= offer.valid_until_on, "{offer:?} has lapsed");
        let product = self.policy.products.iter().find(|p| p.name == offer.product).unwrap().clone();
        let terms = Terms {
            principal_minor: amount_minor,
            rate: DailyRate::from_ppm(offer.daily_rate_ppm).unwrap(),
            term_days: u16::try_from(offer.term_days).unwrap(),
            repayment: product.repayment,
            instalments: product.instalments,
        };
        let (loan, _) = self.next_id("loans", "l");
        let cells = [
            ("loan_id", text(&loan)),
            ("merchant_id", text(&offer.merchant_id)),
            ("product", text(&offer.product)),
            ("disbursed_at", Cell::At(at)),
            ("principal_minor", Cell::Number(amount_minor)),
            ("term_days", Cell::Number(i64::from(offer.term_days))),
            ("daily_rate_ppm", Cell::Number(offer.daily_rate_ppm)),
            ("repayment", text(&product.repayment.kind().to_string())),
        ];
        let mut row = Row::new(at, cells);
        if let Some(share) = product.repayment.sales_share() {
            row.set(at, "sales_share_ppm", Cell::Number(share.share_ppm));
        }
        let of_group = |(table, key): &&(&str, String)| {
            *table == "guarantee_groups" && key.ends_with(&format!(" {}", offer.merchant_id))
        };
        if let Some((_, key)) = self.places.keys().find(of_group).filter(|_| offer.product == GROUP_LOAN) {
            let group = self.value("guarantee_groups", key, "group_id");
            row.set(at, "group_id", group);
        }
        if named != Named::Nothing {
            row.set(at, "offer_id", text(&offer.offer_id));
        }
        if named == Named::Orders && !offer.pledged_order_ids.is_empty() {
            row.set(at, "pledged_order_ids", Cell::Texts(offer.pledged_order_ids.clone()));
        }
        self.add("loans", &loan, row);
        let mut dues = Vec::new();
        for (number, due) in (1_i64..).zip(schedule(&terms).unwrap()) {
            let due_on = self.day_of(at).saturating_add(i64::from(due.day).days());
            let cells = [
                ("loan_id", text(&loan)),
                ("number", Cell::Number(number)),
                ("due_on", Cell::On(due_on)),
                ("principal_minor", Cell::Number(due.principal_minor)),
                ("interest_minor", Cell::Number(due.interest_minor)),
                ("fee_minor", Cell::Number(0)),
                ("recorded_at", Cell::At(at)),
            ];
            self.add("instalments", &format!("{loan} {number}"), Row::new(at, cells));
            dues.push((due_on, due.principal_minor, due.interest_minor));
        }
        let drawn = Drawn {
            merchant_id: offer.merchant_id.clone(),
            product: offer.product.clone(),
            offer_id: offer.offer_id.clone(),
            at,
            principal_minor: amount_minor,
            pledged_order_ids: offer.pledged_order_ids.clone(),
            dues,
            paid: Vec::new(),
        };
        self.loans.insert(loan.clone(), drawn);
        loan
    }

    /// A payment of the borrower's own will.
    pub fn repay(&mut self, loan: &str, amount_minor: i64, at: Timestamp) -> String {
        self.pay(loan, amount_minor, at, "voluntary")
    }

    /// A deduction from the borrower's account.
    pub fn deduct(&mut self, loan: &str, amount_minor: i64, at: Timestamp) -> String {
        self.pay(loan, amount_minor, at, "deduction")
    }

    fn pay(&mut self, loan: &str, amount_minor: i64, at: Timestamp, channel: &str) -> String {
        let (payment, _) = self.next_id("payments", "p");
        let drawn = self.loans.get_mut(loan).unwrap();
        assert!((1..=drawn.owed_minor(at)).contains(&amount_minor), "{amount_minor} is not owed on {drawn:?}");
        drawn.paid.push((at, amount_minor));
        let cells = [
            ("payment_id", text(&payment)),
            ("loan_id", text(loan)),
            ("paid_at", Cell::At(at)),
            ("amount_minor", Cell::Number(amount_minor)),
            ("channel", text(channel)),
        ];
        self.add("payments", &payment, Row::new(at, cells));
        payment
    }

    /// The policy by whose terms loans are drawn.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Every loan drawn so far.
    pub const fn loans(&self) -> &BTreeMap<String, Drawn> {
        &self.loans
    }

    /// Loans drawn before `at` on which something is owed.
    pub fn open_loans(&self, at: Timestamp) -> impl Iterator<Item = (&String, &Drawn)> {
        self.loans.iter().filter(move |(_, drawn)| drawn.owed_minor(at) > 0)
    }

    /// Orders pledged to loans that are open at `at`.
    ///
    /// # Panics
    /// One order secures two of them: what no lender may let happen.
    pub fn pledged(&self, at: Timestamp) -> BTreeSet<String> {
        let mut pledged = BTreeSet::new();
        for (loan, drawn) in self.open_loans(at) {
            for order in &drawn.pledged_order_ids {
                assert!(pledged.insert(order.clone()), "{order} is pledged to {loan} and to another open loan");
            }
        }
        pledged
    }

    /// Writes a Parquet file a contract table into `folder`, with what was known before `until` and nothing else.
    pub fn write_until(&self, folder: &Path, until: Timestamp) {
        fs::create_dir_all(folder).unwrap();
        for table in TABLES {
            write_table(folder, table, self.rows.get(table.name).map_or(&[], Vec::as_slice), until);
        }
    }

    /// From now on the row of a key is sent with another cell; `None` leaves it out.
    pub fn spoil(&mut self, table: &'static str, key: &str, column: &'static str, cell: Option<Cell>) {
        assert!(contract::table(table).unwrap().column(column).is_some(), "{table} has no column {column}");
        self.row(table, key).overwrite(column, cell);
    }

    /// From now on every row of a merchant is sent with another cell.
    pub fn spoil_all(&mut self, table: &'static str, merchant: &str, column: &'static str, cell: &Cell) {
        let own = |row: &&mut Row| row.known("merchant_id", Timestamp::MAX) == Some(&text(merchant));
        let rows = self.rows.get_mut(table).into_iter().flatten().filter(own);
        rows.for_each(|row| row.overwrite(column, Some(cell.clone())));
    }

    /// From now on the row of a key is no longer sent.
    pub fn lose(&mut self, table: &'static str, key: &str) {
        self.row(table, key).lose();
    }

    /// From now on no row of a loan is sent of a table that names it.
    pub fn lose_all(&mut self, table: &'static str, loan: &str) {
        let own = |row: &&mut Row| row.known("loan_id", Timestamp::MAX) == Some(&text(loan));
        self.rows.get_mut(table).into_iter().flatten().filter(own).for_each(Row::lose);
    }

    /// From now on the row of a key is sent in two versions, the second one stamped with `at`.
    pub fn send_again(&mut self, table: &'static str, key: &str, at: Timestamp) {
        let mut again = self.row(table, key).clone();
        again.overwrite("recorded_at", Some(Cell::At(at)));
        self.add(table, &format!("{key}, again"), again);
    }

    /// From now on the row of a key is sent under another key too, with other cells.
    pub fn send_as(
        &mut self,
        table: &'static str,
        key: &str,
        (column, other): (&'static str, &str),
        but: &[(&'static str, Cell)],
    ) {
        let mut copy = self.row(table, key).clone();
        copy.overwrite(column, Some(text(other)));
        for (column, cell) in but {
            copy.overwrite(column, Some(cell.clone()));
        }
        self.add(table, other, copy);
    }

    fn row(&mut self, table: &'static str, key: &str) -> &mut Row {
        let place = self.places[&(table, key.to_owned())];
        &mut self.rows.get_mut(table).unwrap()[place]
    }

    fn day_of(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }

    fn next_id(&self, table: &'static str, prefix: &str) -> (String, usize) {
        let number = self.rows.get(table).map_or(0, Vec::len) + 1;
        (format!("{prefix}{number:06}"), number)
    }

    fn add(&mut self, table: &'static str, key: &str, row: Row) {
        let contract = contract::table(table).unwrap_or_else(|| panic!("{table} is not a contract table"));
        row.columns().for_each(|c| assert!(contract.column(c).is_some(), "{table} has no column {c}"));
        let rows = self.rows.entry(table).or_default();
        let is_new = self.places.insert((table, key.to_owned()), rows.len()).is_none();
        assert!(is_new, "{table} holds {key} already");
        rows.push(row);
    }

    fn set(&mut self, table: &'static str, key: &str, at: Timestamp, column: &'static str, cell: Cell) {
        self.row(table, key).set(at, column, cell);
    }

    fn value(&self, table: &'static str, key: &str, column: &str) -> Cell {
        self.rows[table][self.places[&(table, key.to_owned())]].known(column, Timestamp::MAX).unwrap().clone()
    }
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}
