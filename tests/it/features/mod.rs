//! Tiles and features: naive twins, visibility, absence, configuration errors, and the feature files that ship.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what a test finds wrong it reports by panicking"
)]

mod absence;
mod authenticity;
mod config;
mod formulas;
mod industry;
mod label;
mod naive_formula;
mod naive_twins;
mod overflow;
mod shards;
mod views;
mod world;
