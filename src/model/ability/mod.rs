//! Ability to pay: next-window net receipts, as a mean and an honest lower quantile.

mod fit;
mod predict;

pub(crate) use fit::MIN_ROWS;
pub use fit::{AbilityReport, AbilitySettings, TrainedAbility, train_ability};
pub use predict::{AbilityEstimate, AbilityInput, AbilityModel, SizeGroup};
