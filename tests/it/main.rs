//! The one integration binary: linking polars is slow, so every integration test is a module of it.

mod credit;
mod docs;
mod features;
mod ingest;
mod publish;
mod run;
mod scorecard;
mod sim;
