//! From lives to rows: what the platform's records show by the end of the simulation, and the truth beside it.

use super::calendar::{Calendar, Second};
use super::credit::{Loan, bad_from};
use super::draw::whole;
use super::industry::INDUSTRIES;
use super::life::{End, Life, World};
use super::rows::{Cell, Id, Rows};
use super::settings::SimulationSettings;
use super::truth;
use crate::contract;

/// Rows of all contract tables, in the contract's order, and of all truth tables.
pub(super) struct Tables {
    pub(super) contract: Vec<Rows>,
    pub(super) truth: Vec<Rows>,
}

impl Tables {
    pub(super) fn new(settings: &SimulationSettings) -> Self {
        Self {
            contract: contract::TABLES.iter().map(|t| Rows::new(t)).collect(),
            truth: truth::tables(settings).map(Rows::new).collect(),
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        self.contract.iter_mut().zip(other.contract).for_each(|(mine, more)| mine.append(more));
        self.truth.iter_mut().zip(other.truth).for_each(|(mine, more)| mine.append(more));
    }

    /// What the records show of one life before the instant `end`.
    pub(super) fn of(life: &Life, world: &World, end: Second) -> Self {
        let scribe = MerchantRecords { life, calendar: &world.calendar, end, world };
        Self {
            contract: vec![
                scribe.merchants(),
                scribe.orders(),
                scribe.shipments(),
                scribe.reviews(),
                scribe.disputes(),
                scribe.loans(),
                scribe.instalments(),
                scribe.payments(),
                scribe.applications(),
                scribe.inventory(),
                scribe.guarantee_groups(),
            ],
            truth: vec![
                scribe.true_merchants(),
                scribe.true_orders(),
                scribe.true_reviews(),
                scribe.true_disputes(),
                scribe.true_loans(),
                Rows::new(&truth::PLANTED),
            ],
        }
    }
}

struct MerchantRecords<'a> {
    life: &'a Life,
    calendar: &'a Calendar,
    end: Second,
    world: &'a World,
}

/// Numbers rows from 1.
fn number(position: usize) -> u32 {
    u32::try_from(position + 1).unwrap_or(u32::MAX)
}

impl MerchantRecords<'_> {
    /// A milestone, if it lies within the simulation.
    fn seen(&self, at: Option<Second>) -> Option<Second> {
        at.filter(|a| *a < self.end)
    }

    const fn merchant(&self) -> Id {
        Id::Merchant(self.life.index)
    }

    fn order(&self, position: usize) -> Id {
        Id::Order(self.life.index, number(position))
    }

    /// A list of orders; null where it is empty.
    fn orders_named(&self, positions: &[usize]) -> Cell {
        if positions.is_empty() {
            return Cell::Null;
        }
        Cell::Ids(positions.iter().map(|&p| self.order(p)).collect())
    }

    fn merchants(&self) -> Rows {
        let mut rows = Rows::new(&contract::MERCHANTS);
        let traits = &self.life.traits;
        if traits.registered >= self.end {
            return rows;
        }
        rows.push([
            Cell::Id(self.merchant()),
            Cell::At(traits.registered),
            Cell::word(INDUSTRIES.get(traits.industry).map(|i| i.name)),
            Cell::Word(traits.region),
            Cell::word(traits.verification),
            // Every merchant of the simulated market is its own owner, and none is named.
            Cell::Null,
            traits.deposit.map_or(Cell::Null, Cell::Int),
            Cell::at(self.seen(self.life.closed)),
            Cell::Null,
        ]);
        rows
    }

    fn orders(&self) -> Rows {
        let mut rows = Rows::new(&contract::ORDERS);
        let currency = self.world.settings.currency;
        for (position, order) in self.life.trade.orders.iter().enumerate().filter(|(_, o)| o.placed < self.end) {
            let refunded = self.seen(order.refunded);
            rows.push([
                Cell::Id(self.order(position)),
                Cell::Id(self.merchant()),
                Cell::Id(Id::Buyer(order.buyer)),
                Cell::At(order.placed),
                Cell::at(self.seen(order.paid)),
                Cell::at(self.seen(order.cancelled)),
                Cell::at(self.seen(order.completed)),
                Cell::at(refunded),
                Cell::Int(order.amount),
                refunded.map_or(Cell::Null, |_| Cell::Int(order.refund)),
                Cell::Id(Id::Currency(currency)),
                Cell::Null,
            ]);
        }
        rows
    }

    fn shipments(&self) -> Rows {
        let mut rows = Rows::new(&contract::SHIPMENTS);
        for (position, order) in self.life.trade.orders.iter().enumerate() {
            let (Some(parcel), Some(_)) = (&order.parcel, self.seen(order.paid)) else { continue };
            let shipped = self.seen(parcel.shipped);
            rows.push([
                Cell::Id(Id::Shipment(self.life.index, number(position))),
                Cell::Id(self.order(position)),
                Cell::Id(self.merchant()),
                Cell::At(parcel.ship_by),
                Cell::at(shipped),
                Cell::At(parcel.promised),
                Cell::at(self.seen(parcel.delivered)),
                Cell::at(self.seen(parcel.lost)),
                Cell::word(parcel.carrier.filter(|_| shipped.is_some())),
                Cell::id(
                    (parcel.is_tracked && shipped.is_some()).then_some(Id::Tracking(self.life.index, number(position))),
                ),
                Cell::Null,
            ]);
        }
        rows
    }

    fn reviews(&self) -> Rows {
        let mut rows = Rows::new(&contract::REVIEWS);
        for (position, review) in self.life.trade.reviews.iter().enumerate().filter(|(_, r)| r.created < self.end) {
            rows.push([
                Cell::Id(Id::Review(self.life.index, number(position))),
                Cell::Id(self.order(review.order)),
                Cell::Id(self.merchant()),
                Cell::id(self.life.trade.orders.get(review.order).map(|o| Id::Buyer(o.buyer))),
                Cell::At(review.created),
                Cell::Int(review.stars),
                Cell::Null,
            ]);
        }
        rows
    }

    fn disputes(&self) -> Rows {
        let mut rows = Rows::new(&contract::DISPUTES);
        for (position, dispute) in self.life.trade.disputes.iter().enumerate().filter(|(_, d)| d.opened < self.end) {
            let closed = self.seen(Some(dispute.closed));
            let buyer = dispute.order.and_then(|o| self.life.trade.orders.get(o)).map(|o| Id::Buyer(o.buyer));
            rows.push([
                Cell::Id(Id::Dispute(self.life.index, number(position))),
                Cell::id(dispute.order.map(|o| self.order(o))),
                Cell::Id(self.merchant()),
                Cell::id(buyer),
                Cell::At(dispute.opened),
                Cell::at(closed),
                Cell::Word(dispute.kind),
                closed.map_or(Cell::Null, |_| Cell::Word(dispute.outcome)),
                Cell::Int(dispute.amount),
                Cell::Null,
            ]);
        }
        rows
    }

    fn booked_loans(&self) -> impl Iterator<Item = (Id, &Loan)> {
        let loans = self.life.credit.loans.iter().enumerate().filter(|(_, l)| l.disbursed < self.end);
        loans.map(|(position, loan)| (Id::Loan(self.life.index, number(position)), loan))
    }

    fn loans(&self) -> Rows {
        let mut rows = Rows::new(&contract::LOANS);
        for (id, loan) in self.booked_loans() {
            rows.push([
                Cell::Id(id),
                Cell::Id(self.merchant()),
                Cell::Word(loan.product),
                Cell::At(loan.disbursed),
                Cell::Int(loan.principal),
                Cell::Int(loan.term_days),
                Cell::Int(loan.daily_rate_ppm),
                Cell::Word(loan.repayment.word()),
                loan.repayment.share_ppm().map_or(Cell::Null, Cell::Int),
                Cell::at(self.seen(loan.written_off)),
                Cell::at(self.seen(loan.restructured)),
                Cell::id(loan.group.map(Id::Group)),
                // The lender of the history published no offers yet.
                Cell::id(loan.offer.map(Id::Offer)),
                self.orders_named(&loan.pledged),
                Cell::Null,
            ]);
        }
        rows
    }

    fn instalments(&self) -> Rows {
        let mut rows = Rows::new(&contract::INSTALMENTS);
        for (id, loan) in self.booked_loans() {
            for version in loan.versions.iter().filter(|v| v.recorded < self.end) {
                for (position, instalment) in version.instalments.iter().enumerate() {
                    rows.push([
                        Cell::Id(id),
                        Cell::Int(i64::from(number(position))),
                        Cell::Day(self.calendar.date32(instalment.due_day)),
                        Cell::Int(instalment.principal),
                        Cell::Int(instalment.interest),
                        Cell::Int(instalment.fee),
                        Cell::At(version.recorded),
                    ]);
                }
            }
        }
        rows
    }

    fn payments(&self) -> Rows {
        let mut rows = Rows::new(&contract::PAYMENTS);
        for (position, payment) in self.life.credit.payments.iter().enumerate().filter(|(_, p)| p.at < self.end) {
            rows.push([
                Cell::Id(Id::Payment(self.life.index, number(position))),
                Cell::Id(Id::Loan(self.life.index, number(payment.loan))),
                Cell::At(payment.at),
                Cell::Int(payment.amount),
                Cell::Word(payment.channel),
                Cell::at(self.seen(payment.reversed)),
                Cell::Null,
            ]);
        }
        rows
    }

    fn applications(&self) -> Rows {
        let mut rows = Rows::new(&contract::APPLICATIONS);
        let applications = self.life.credit.applications.iter().enumerate().filter(|(_, a)| a.at < self.end);
        for (position, application) in applications {
            rows.push([
                Cell::Id(Id::Application(self.life.index, number(position))),
                Cell::Id(self.merchant()),
                Cell::At(application.at),
                Cell::Word(application.product),
                Cell::Int(application.requested),
                self.orders_named(&application.orders),
                Cell::Int(application.gross_sales),
                Cell::Int(application.operating_costs),
                Cell::Int(application.gross_assets),
                Cell::Int(application.gross_liabilities),
                Cell::Null,
            ]);
        }
        rows
    }

    fn inventory(&self) -> Rows {
        let mut rows = Rows::new(&contract::INVENTORY);
        let taken = |day: i64| self.calendar.midnight(day) < self.end;
        for taking in self.life.stock_takings.iter().filter(|t| taken(t.day)) {
            rows.push([
                Cell::Id(self.merchant()),
                Cell::Day(self.calendar.date32(taking.day)),
                Cell::Int(taking.stock_value),
                Cell::Int(taking.cost_of_sales),
                Cell::Null,
            ]);
        }
        rows
    }

    fn guarantee_groups(&self) -> Rows {
        let mut rows = Rows::new(&contract::GUARANTEE_GROUPS);
        if let Some(membership) = self.life.membership().filter(|m| m.joined < self.end) {
            let left = self.seen(self.life.closed);
            rows.push([
                Cell::Id(Id::Group(membership.group)),
                Cell::Id(self.merchant()),
                Cell::At(membership.joined),
                Cell::at(left),
                Cell::Null,
            ]);
        }
        rows
    }

    fn true_merchants(&self) -> Rows {
        let mut rows = Rows::new(&truth::MERCHANTS);
        let traits = &self.life.traits;
        let ppm = |value: f64| Cell::Int(whole(value * 1e6));
        let downturn = self.world.tides.turns_down.get(traits.industry).copied().unwrap_or(false);
        let end = self.life.end;
        rows.push([
            Cell::Id(self.merchant()),
            ppm(traits.diligence),
            ppm(traits.honesty),
            Cell::Int(whole(traits.daily_orders * 365.0)),
            ppm(traits.margin),
            ppm(traits.fixed_share),
            Cell::Int(whole(self.life.starting_cash)),
            Cell::Int(i64::from(traits.is_borrower)),
            Cell::Int(i64::from(traits.is_brusher)),
            Cell::Int(i64::from(traits.is_attacked)),
            Cell::Int(i64::from(downturn)),
            Cell::at(self.seen(end.map(|e| e.0))),
            Cell::word(end.map(|e| e.1.word())),
        ]);
        rows
    }

    fn true_orders(&self) -> Rows {
        let mut rows = Rows::new(&truth::ORDERS);
        for (position, order) in self.life.trade.orders.iter().enumerate().filter(|(_, o)| o.placed < self.end) {
            if let Some(nature) = order.nature.word() {
                rows.push([Cell::Id(self.order(position)), Cell::Id(self.merchant()), Cell::Word(nature)]);
            }
        }
        rows
    }

    fn true_reviews(&self) -> Rows {
        let mut rows = Rows::new(&truth::REVIEWS);
        for (position, review) in self.life.trade.reviews.iter().enumerate().filter(|(_, r)| r.created < self.end) {
            if let Some(nature) = review.nature.word() {
                let id = Id::Review(self.life.index, number(position));
                rows.push([Cell::Id(id), Cell::Id(self.merchant()), Cell::Word(nature)]);
            }
        }
        rows
    }

    fn true_disputes(&self) -> Rows {
        let mut rows = Rows::new(&truth::DISPUTES);
        for (position, dispute) in self.life.trade.disputes.iter().enumerate().filter(|(_, d)| d.opened < self.end) {
            if let Some(nature) = dispute.nature.word() {
                let id = Id::Dispute(self.life.index, number(position));
                rows.push([Cell::Id(id), Cell::Id(self.merchant()), Cell::Word(nature)]);
            }
        }
        rows
    }

    fn true_loans(&self) -> Rows {
        let mut rows = Rows::new(&truth::LOANS);
        let will_went = self.life.end.is_some_and(|e| e.1 == End::Will);
        for (id, loan) in self.booked_loans() {
            let outcome = if loan.worst_dpd >= bad_from(loan.product) {
                if will_went { "bad-will" } else { "bad-cash" }
            } else if loan.outstanding() > 0 {
                "running"
            } else {
                "repaid"
            };
            rows.push([Cell::Id(id), Cell::Id(self.merchant()), Cell::Word(outcome), Cell::Int(loan.worst_dpd)]);
        }
        rows
    }
}
