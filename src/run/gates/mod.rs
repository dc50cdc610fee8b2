//! What must hold before anything is published: of what came in, and of what was decided.

mod changed_files;
mod column_gates;
pub(super) mod decision_gates;
pub(super) mod gate_settings;
mod gone_files;
pub(super) mod intake_gates;
mod missing_days;
mod unstated;
