//! The way to the lender: rows come late, twice, in versions, and broken.
//!
//! Most rows carry no `recorded_at`: the platform's dump does not say when the lender learnt of them, and they are as visible
//! as their events. Schedules carry one, because a restructure replaces them. Rows that came late or were sent again are stamped, and
//! no version shows a milestone later than its stamp.

use std::collections::BTreeMap;

use super::calendar::Second;
use super::damage::{break_beside, break_row};
use super::draw::Draw;
use super::ledger_faults::plant_in_ledgers;
use super::life::World;
use super::planted::{Effect, Fault, Planted};
use super::rows::{Cell, Id, Rows, cell, set};
use super::slip::slipped;
use super::stamps::{Stamps, stamped};
use super::tables::Tables;
use super::truth;
use crate::contract::TableContract;

/// Tables whose own rows are faulty under their own keys. What breaks a loan's ledger is planted loan by loan.
const FAULTY: [&str; 8] =
    ["merchants", "orders", "shipments", "reviews", "disputes", "loans", "payments", "applications"];
/// Of these, the tables of a loan's ledger: only such faults as leave the loan known.
const LEDGER: [&str; 2] = ["loans", "payments"];

/// Sends one merchant's rows on their way; what was done to them goes to the `planted` truth.
pub(super) fn deliver(mut tables: Tables, world: &World, merchant: u64) -> Tables {
    let mut feed = Feed {
        draw: Draw::new(world.settings.seed, "feed", merchant),
        world,
        planted: Planted::new(),
        late_loans: BTreeMap::new(),
    };
    let mut sent: Vec<Rows> = tables.contract.iter().map(|rows| feed.send_table(rows)).collect();
    let mut draw = Draw::new(world.settings.seed, "ledger faults", merchant);
    plant_in_ledgers(&mut sent, &mut draw, world, &mut feed.planted);
    tables.contract = sent;
    if let Some(truth) = tables.truth.iter_mut().find(|t| std::ptr::eq(t.table, &raw const truth::PLANTED)) {
        truth.append(feed.planted.rows());
    }
    tables
}

struct Feed<'a> {
    draw: Draw,
    world: &'a World,
    planted: Planted,
    /// Loans that came late, and when: their schedules came with them.
    late_loans: BTreeMap<Id, Second>,
}

impl Feed<'_> {
    fn send_table(&mut self, rows: &Rows) -> Rows {
        let table = rows.table;
        let mut sent = Rows::new(table);
        let mut tail = Rows::new(table);
        let mut broken = 0;
        for row in rows.iter() {
            if !self.send_otherwise(table, row, &mut sent) {
                sent.push(self.with_its_loan(table, row));
                if self.draw.chance(self.world.settings.duplicate_share) {
                    self.planted.note(Fault::new(table.name, "duplicate", Effect::None, row));
                    tail.push(self.with_its_loan(table, row));
                }
            }
            if self.draw.chance(self.world.settings.broken_share) {
                broken += 1;
                if let Some((rule, bad)) = break_beside(&mut self.draw, self.world, table, row, broken) {
                    let fault = Fault::new(table.name, "broken", Effect::Quarantined, &bad).breaking(rule);
                    self.planted.note(match bad.first() {
                        // A loan of which only this is known.
                        Some(Cell::Id(loan)) if table.name == "loans" => fault.of_loan(*loan),
                        _ => fault,
                    });
                    tail.push(bad);
                }
            }
        }
        sent.append(tail);
        sent
    }

    /// Sends a row late, in versions or with a fault under its own key; `false` where none of these befalls it.
    fn send_otherwise(&mut self, table: &'static TableContract, row: &[Cell], sent: &mut Rows) -> bool {
        // A schedule is one version: all of its rows come at once, with their loan.
        if table.name == "instalments" {
            return false;
        }
        let settings = &self.world.settings;
        let end = self.world.calendar.end();
        let stamps = Stamps::of(table, row);
        // A restructured loan has two schedules, which must not seem to have come at once.
        let has_come_late = if cell(table, row, "restructured_at").is_none_or(|c| *c == Cell::Null) {
            stamps.late(&mut self.draw, settings.late_share, end)
        } else {
            None
        };
        if let Some(late) = has_come_late {
            self.planted.note(Fault::new(table.name, "late", Effect::None, row));
            if let ("loans", Some(Cell::Id(loan))) = (table.name, row.first()) {
                self.late_loans.insert(*loan, late);
            }
            sent.push(stamped(table, row, late));
            true
        } else if let Some((early, again)) = stamps.twice(&mut self.draw, settings.resent_share, end) {
            self.planted.note(Fault::new(table.name, "resent", Effect::Superseded, row));
            sent.push(stamped(table, row, early));
            sent.push(stamped(table, row, again));
            true
        } else if FAULTY.contains(&table.name) && self.draw.chance(settings.key_fault_share) {
            self.send_faulty(table, row, &stamps, sent).is_some()
        } else {
            false
        }
    }

    /// A fault under the row's own key; `None` where the one drawn does not suit the row, and nothing was sent.
    fn send_faulty(
        &mut self,
        table: &'static TableContract,
        row: &[Cell],
        stamps: &Stamps,
        sent: &mut Rows,
    ) -> Option<()> {
        let end = self.world.calendar.end();
        let kinds: &[&str] = if LEDGER.contains(&table.name) {
            &["resent-equal", "resent-changed"]
        } else {
            &["resent-equal", "resent-changed", "broken-in-place", "broken-later"]
        };
        let kind = self.draw.choose(kinds, "resent-equal");
        let afterwards = stamps.afterwards(&mut self.draw, end);
        let fault = Fault::new(table.name, kind, Effect::Quarantined, row);
        let (fault, versions) = match kind {
            "broken-in-place" => {
                let (rule, bad) = break_row(&mut self.draw, self.world, table, row, |_, _| true)?;
                (fault.breaking(rule), vec![bad])
            }
            "broken-later" => {
                let (rule, bad) = break_row(&mut self.draw, self.world, table, row, |_, _| true)?;
                let mut later = bad;
                set(table, &mut later, "recorded_at", Cell::At(afterwards?));
                (fault.breaking(rule), vec![row.to_vec(), later])
            }
            "resent-changed" => {
                let early = stamps.early(&mut self.draw)?;
                let wrong = slipped(table, &stamped(table, row, early))?;
                let fault = Fault { effect: Effect::Superseded, ..fault };
                (fault, vec![wrong, stamped(table, row, afterwards?)])
            }
            _ => (Fault { effect: Effect::None, ..fault }, vec![row.to_vec(), stamped(table, row, afterwards?)]),
        };
        self.planted.note(fault);
        for version in versions {
            sent.push(version);
        }
        Some(())
    }

    /// The row; an instalment of a loan that came late came with it.
    fn with_its_loan(&self, table: &TableContract, row: &[Cell]) -> Vec<Cell> {
        let mut row = row.to_vec();
        if let ("instalments", Some(Cell::Id(loan))) = (table.name, row.first())
            && let Some(late) = self.late_loans.get(loan)
        {
            set(table, &mut row, "recorded_at", Cell::At(*late));
        }
        row
    }
}
