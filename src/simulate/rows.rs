//! Rows before they are columns: flat cells, cheap to copy, to corrupt and to send twice.

use std::fmt;

use super::calendar::Second;
use crate::contract::TableContract;
use crate::domain::Currency;

/// An identifier, kept as numbers until it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Id {
    Merchant(u64),
    Buyer(u64),
    Group(u64),
    /// An offer of the lender: 24 hexadecimal digits.
    Offer(u128),
    /// A carrier's number: the sender's account and a serial.
    Tracking(u64, u32),
    Currency(Currency),
    Order(u64, u32),
    Shipment(u64, u32),
    Review(u64, u32),
    Dispute(u64, u32),
    Loan(u64, u32),
    Payment(u64, u32),
    Application(u64, u32),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Merchant(n) => write!(f, "m{n:07}"),
            Self::Buyer(n) => write!(f, "b{n:08}"),
            Self::Group(n) => write!(f, "g{n:06}"),
            Self::Offer(n) => write!(f, "{n:024x}"),
            Self::Tracking(m, n) => write!(f, "T{m:07}{n:06}"),
            Self::Currency(currency) => fmt::Display::fmt(&currency, f),
            Self::Order(m, n) => write!(f, "o{m:07}-{n:06}"),
            Self::Shipment(m, n) => write!(f, "s{m:07}-{n:06}"),
            Self::Review(m, n) => write!(f, "r{m:07}-{n:06}"),
            Self::Dispute(m, n) => write!(f, "d{m:07}-{n:06}"),
            Self::Loan(m, n) => write!(f, "l{m:07}-{n:05}"),
            Self::Payment(m, n) => write!(f, "p{m:07}-{n:06}"),
            Self::Application(m, n) => write!(f, "a{m:07}-{n:05}"),
        }
    }
}

/// One value of one row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    /// Money or a whole number.
    Int(i64),
    At(Second),
    /// Days since 1970.
    Day(i32),
    Word(&'static str),
    Id(Id),
    Ids(Box<[Id]>),
}

impl Cell {
    pub(super) fn at(instant: Option<Second>) -> Self {
        instant.map_or(Self::Null, Self::At)
    }

    pub(super) fn word(word: Option<&'static str>) -> Self {
        word.map_or(Self::Null, Self::Word)
    }

    pub(super) fn id(id: Option<Id>) -> Self {
        id.map_or(Self::Null, Self::Id)
    }
}

/// The cell of a named column.
pub(super) fn cell<'a>(table: &TableContract, row: &'a [Cell], column: &str) -> Option<&'a Cell> {
    table.columns.iter().position(|c| c.name == column).and_then(|i| row.get(i))
}

/// Replaces the cell of a named column.
pub(super) fn set(table: &TableContract, row: &mut [Cell], column: &str, cell: Cell) {
    let position = table.columns.iter().position(|c| c.name == column);
    if let Some(slot) = position.and_then(|i| row.get_mut(i)) {
        *slot = cell;
    }
}

/// Rows of one table, cell after cell in contract order.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) table: &'static TableContract,
    cells: Vec<Cell>,
}

impl Rows {
    pub(super) const fn new(table: &'static TableContract) -> Self {
        Self { table, cells: Vec::new() }
    }

    pub(super) fn width(&self) -> usize {
        self.table.columns.len()
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len() / self.width().max(1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    pub(super) fn push(&mut self, row: impl IntoIterator<Item = Cell>) {
        self.cells.extend(row);
    }

    pub(super) fn append(&mut self, mut other: Self) {
        self.cells.append(&mut other.cells);
    }

    /// Row `index`, counted from 0.
    pub(super) fn row(&self, index: usize) -> Option<&[Cell]> {
        self.cells.chunks_exact(self.width().max(1)).nth(index)
    }

    pub(super) fn replace(&mut self, index: usize, row: Vec<Cell>) {
        let width = self.width().max(1);
        if let Some(slot) = self.cells.chunks_exact_mut(width).nth(index) {
            slot.iter_mut().zip(row).for_each(|(mine, new)| *mine = new);
        }
    }

    /// Removes the rows of these indices.
    pub(super) fn remove(&mut self, indices: &[usize]) {
        let width = self.width().max(1);
        let mut at = 0;
        self.cells.retain(|_| {
            at += 1;
            !indices.contains(&((at - 1) / width))
        });
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunks_exact(self.width().max(1))
    }

    /// The values of column `index`, top to bottom.
    pub(super) fn column(&self, index: usize) -> impl Iterator<Item = &Cell> {
        self.cells.iter().skip(index).step_by(self.width().max(1))
    }

    /// Cells that do not fill a row: a defect of whoever pushed them.
    pub(super) fn is_ragged(&self) -> bool {
        !self.cells.len().is_multiple_of(self.width().max(1))
    }
}
