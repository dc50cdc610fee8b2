//! Tiles and features: naive twins, visibility, absence, configuration errors, and the feature files that ship.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what a test finds wrong it reports by panicking"
)]

mod config;
mod naive_twins;
mod shards;
