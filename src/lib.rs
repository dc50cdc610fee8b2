//! Turns kept promises into credit: a batch pipeline from a marketplace's records to credit offers and repayment monitoring.
//!
//! ```text
//! raw exports (CSV, Parquet)
//!   └─ source ── one SELECT a table ──▶ contract tables
//!        └─ wash ── quarantine, ledger ──▶ store: clean events and broken records by merchant bucket
//!             ├─ authenticity ── suspect orders and reviews
//!             ├─ repayment ── schedules, payments, days past due, or Unknown
//!             └─ tiles ── integer measures a merchant and day
//!                  └─ features ── windows at an as-of date, integrity capital
//!                       └─ score ── PD, points, reasons, index   ◀── model (trained by a job, or by an analyst at the workbench)
//!                            ├─ exposure ── owed, offered, pledged   ◀── last night's published run
//!                            │    └─ offer ── eligibility, limit, price
//!                            └─ monitor ── alerts, deductions, portfolio
//!                                 └─ publish ──▶ run folder ──▶ loan service, analysts, other systems (interchange)
//! ```
//!
//! Between two nights, `answer` answers the applications of the day from the run and from what was answered since; the next night reads it.
//!
//! `simulate` makes a marketplace with causes, and in a `trial` a job lends in it, night after night.
//!
//! `profile` and `draft` make a job of a folder of raw exports; `core_system` holds the lender's own books against the loan book here.
//!
//! Everything between `store` and `publish` is a pure function of one merchant bucket and small broadcast tables; `run` drives
//! it. The modules follow in the order the data flows.

#![forbid(unsafe_code)]

pub mod domain;

pub mod config;
pub mod contract;

pub mod spill;

pub mod page;

pub mod source;
pub mod wash;

pub mod authenticity;

pub mod store;

pub mod scenario;

pub mod repayment;

pub mod tiles;

pub mod features;

pub mod model;
pub mod workbench;

pub mod core_system;

pub mod score;

pub mod exposure;

pub mod optimise;

pub mod offer;

pub mod monitor;

pub mod publish;

pub mod interchange;

pub mod report;

pub mod run;

pub mod answer;

pub mod simulate;

pub mod trial;

pub mod profile;

pub mod draft;

pub mod cli;
