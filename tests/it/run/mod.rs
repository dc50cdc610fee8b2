//! Whole runs of a small simulated job: what is published, and what may not change it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot read its files has failed"
)]

mod fixture;
mod invariance;
mod published;
