//! What a bound over all merchants leaves for one offer after another.
//!
//! What is owed and held by open offers was counted against the bound before. While that is within it, an offer needs room only for what it holds
//! beyond the one whose place it takes. Where more is owed and held than the bound allows, nothing new fits, and offers are renewed only as far as
//! those that come after them can give back enough: the last ones are the first to go. What is given back covers the overdraft and nothing else,
//! since an offer that is not renewed may have been drawn the hour before.
//!
//! Example: of a bound of 150, two open offers of 100 hold 200. The first is renewed, the second is not: 100 are on offer.

/// What is left of a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RoomLeft {
    /// Negative where the bound is overdrawn.
    left_minor: i64,
    /// Held by the open offers whose place will be taken and has not been yet.
    held_minor: i64,
}

impl RoomLeft {
    /// So much is left before anything is offered; it is told next what open offers [hold](Self::hold).
    pub(super) const fn new(left_minor: i64) -> Self {
        Self { left_minor, held_minor: 0 }
    }

    /// An offer is to have its turn that takes the place of one which holds so much.
    pub(super) const fn hold(&mut self, held_minor: i64) {
        self.held_minor = self.held_minor.saturating_add(held_minor);
    }

    /// The turn of an offer: what is left for it, beside what it takes over. Negative where even all that come after it give back too little.
    pub(super) fn turn(&mut self, held_minor: i64) -> i64 {
        self.held_minor = self.held_minor.saturating_sub(held_minor);
        if self.left_minor < 0 { self.left_minor.saturating_add(self.held_minor).min(0) } else { self.left_minor }
    }

    /// It holds so much now; 0 where it is not made.
    pub(super) fn settle(&mut self, held_minor: i64, limit_minor: i64) {
        let more = limit_minor.saturating_sub(held_minor);
        self.left_minor = if self.left_minor < 0 {
            self.left_minor.saturating_sub(more).min(0)
        } else {
            self.left_minor.saturating_sub(more.max(0))
        };
    }
}

/// The most that an offer may be: what is left for it, and what it takes over from the one whose place it takes.
pub(super) fn room_minor(left_minor: i64, taken_over_minor: i64) -> i64 {
    left_minor.saturating_add(taken_over_minor).max(0)
}
