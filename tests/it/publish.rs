//! Published runs: whole or not at all, to the byte, and found again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's fixtures may fail as loudly as the test itself")]

mod archive;
mod atomicity;
mod book;
mod fixture;
mod history;
mod pruning;
mod snippets;
mod tables;
mod tampering;
