//! The one integration binary: linking polars is slow, so every integration test is a module of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod credit;
mod docs;
mod draft;
mod exposure;
mod features;
mod ingest;
mod nights;
mod publish;
mod run;
mod scorecard;
mod shards;
mod sim;
mod validator;
