//! From a merchant's features to what the loan service reads: score, band, index, sub-indices, reasons.
//!
//! The willingness scorecard gives PD, points and reasons. The *integrity index* is the public face of a merchant's record:
//! where it stands, group by group, against the merchants that the model was trained on.

mod finding;
mod index;
mod merchant_score;
mod reference;

pub use finding::findings;
pub use index::{INDEX_TOP, IndexedFeature, MerchantIndex, merchant_index};
pub use merchant_score::MerchantScore;
pub use reference::{Reference, ReferenceError};
