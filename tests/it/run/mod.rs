//! Whole runs of a small simulated job: what is published, and what may not change it.

mod backtest;
mod earlier_versions;
pub mod fixture;
mod invariance;
mod jumps;
mod missed;
mod nights;
mod optimise;
mod overrides;
mod policies;
mod published;
mod referrals;
mod restated;
mod unreadable;
