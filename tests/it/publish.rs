//! Published runs: whole or not at all, to the byte, and found again.

mod atomicity;
mod book;
mod fixture;
mod tables;
mod tampering;
