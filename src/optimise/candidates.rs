//! What is chosen among.

/// One choice of a candidate: what it gives, and what it uses of the bounds. Minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choice {
    /// Expected profit.
    pub profit_minor: i64,
    /// What is lent; never negative.
    pub lent_minor: i64,
    /// Expected loss; never negative.
    pub loss_minor: i64,
}

impl Choice {
    /// Choosing nothing.
    pub const NOTHING: Self = Self { profit_minor: 0, lent_minor: 0, loss_minor: 0 };
}

/// Where a candidate stands: positions among the categories and regions of the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Category.
    pub category: u32,
    /// Region.
    pub region: u32,
}

/// Candidates, each with its choices. Of each candidate one choice is taken, or nothing.
pub trait Candidates: Sync {
    /// How many.
    fn count(&self) -> usize;

    /// Where one stands.
    fn place(&self, candidate: usize) -> Place;

    /// Appends the choices of one to `choices`, at most 255, always in the same order.
    fn choices(&self, candidate: usize, choices: &mut Vec<Choice>);
}
