//! How a job comes by its model: labels, snapshots, training, and which model a night uses.

pub(super) mod approval;
pub(super) mod job_training;
pub(super) mod label_survey;
mod labels;
pub(super) mod learnt_merchants;
pub(super) mod model_choice;
pub(super) mod model_settings;
pub(super) mod receipts;
pub(super) mod saved_models;
pub(super) mod snapshots;
pub(super) mod tonights_model;
