//! Contract types as frame types.

use polars::prelude::{DataType, TimeUnit};

use super::table::Type;

/// The frame type of a contract type.
#[must_use]
pub fn data_type(kind: Type) -> DataType {
    match kind {
        Type::Id | Type::Text | Type::Word(_) => DataType::String,
        Type::Instant => DataType::Datetime(TimeUnit::Microseconds, None),
        Type::Day => DataType::Date,
        Type::Money | Type::Integer => DataType::Int64,
        Type::Ids => DataType::List(Box::new(DataType::String)),
    }
}
