//! Applications that come by day, answered at once from the night's run and from all that was answered since.
//!
//! ```text
//! published run: case, score, features, open offers ─┐
//! decisions.jsonl: answers since that run ───────────┼──▶ the merchant's account by day ── offer::decide_one ──▶ answer
//! draws of the day, as the loan service knows them ──┘                                                            │
//!                                        next night ◀── decisions.jsonl ◀── forced to disk before it is given ────┘
//! ```
//!
//! **Promise.** What an answer offers, together with all that is owed, drawn and may still be drawn, stays within every cap, as the night's
//! offers do; and each answer is in the log before anybody reads it.
//!
//! **An offer that stands.** Where the merchant holds an open offer of the product, it may have been drawn this very hour. Only who knows the
//! day's draws (`--draws`) can put another in its place; else the offer stands as it is, or is withdrawn where the application speaks against it.

mod answers;
mod decide;
mod desk;
mod draws;
mod error;
mod known;

pub use answers::{Answer, Answered, Outcome};
pub use desk::{Desk, DeskOptions};
pub use draws::{Draw, read_draws};
pub use error::AnswerError;
