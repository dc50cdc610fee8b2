//! The one integration binary: linking polars is slow, so every integration test is a module of it.

mod credit;
mod ingest;
mod publish;
