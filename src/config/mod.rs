//! Configuration: raw structs mirror the files, checked structs are all that the program sees.
//!
//! Every element has a file of its own here: a private raw struct (`deny_unknown_fields`, values in [`toml::Spanned`] where a
//! bad value must be pointed at), a public checked struct, and one function from the first to the second. What is wrong is
//! refused with file, line and what is allowed; the command line exits with code 78. Paths are relative to the job file.

mod bounds;
mod features;
mod file;
mod job;
mod monitor;
mod policy;

pub use features::{Direction, FeatureConfig, FeatureFiles, FeatureSpec, Group, LabelSpec, Unit};
pub use file::{ConfigError, ConfigFile};
pub use job::{InputSpec, Job, JobFiles, LabelKind, ModelSettings, SourceSpec, StoreSettings, WashSettings};
pub use monitor::{
    Action, AlertKind, AlertRule, Bucket, ClassThresholds, DeductionTerms, Monitor, Part, Severity, Watch, Waterfall,
};
pub use policy::{
    Bound, EligibilityRule, EvidenceCaps, HARD_CAP_MINOR, LoanBookUse, LowestMonthCap, PRODUCTS, Policy, PriceTerms,
    Product, Repayment, RuleKind,
};
