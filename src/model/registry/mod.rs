//! Model folders: `models/<name>/<version>/`, JSON only, verified by digest, approved by a person, with an expiry.
//!
//! `manifest.json` names every file with its digest; `approval.json` names the manifest's digest and is sealed by a digest over its own
//! fields, so that an approval holds for exactly what was approved, by whom it says.
//!
//! ```text
//! save ── .staging-… (every file, synced) ── one rename ──▶ <version>/        approve ── .approval-… ── one rename ──▶ approval.json
//! ```
//! A kill between any two steps leaves a hidden folder or file, which the next writer sweeps, and never a version that is half there.

mod approve;
mod files;
mod layout;
mod load;
mod lock;
mod save;
mod versions;

pub use approve::{Approval, approve_folder};
pub use layout::{Bundle, Contents, Manifest, Origin};
pub use load::load_folder;
pub use lock::{Lock, wait_for_writer};
pub use save::{ApproveAs, refuse_content, save_folder, write_folder};
pub use versions::Registry;
