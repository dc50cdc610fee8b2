//! The contract: what tables the pipeline understands, one file a table.
//!
//! Times are UTC microseconds without a zone mark, money is `Int64` minor units, ids are strings. Optional tables may be
//! absent: what depends on them is null ("no evidence"), never zero.

mod applications;
mod disputes;
mod frame_type;
mod guarantee_groups;
mod identifier;
mod instalments;
mod inventory;
mod loans;
mod merchants;
mod orders;
mod payments;
mod reviews;
mod shipments;
mod table;
mod visible;

pub use applications::APPLICATIONS;
pub use disputes::DISPUTES;
pub use frame_type::data_type;
pub use guarantee_groups::GUARANTEE_GROUPS;
pub use identifier::is_id;
pub use instalments::INSTALMENTS;
pub use inventory::INVENTORY;
pub use loans::{GROUP_LOAN, LOANS};
pub use merchants::MERCHANTS;
pub use orders::ORDERS;
pub use payments::PAYMENTS;
pub use reviews::REVIEWS;
pub use shipments::SHIPMENTS;
pub use table::{Check, Column, DAYS, ForeignKey, INSTANTS, MAX_MONEY, Mask, TableContract, Type, Visibility};
pub use visible::{
    EVENT_CONTRADICTED, RECORDED_BEFORE, RECORDED_BEFORE_EVENT, SUPERSEDED_AT, UNREADABLE, VisibleTable,
    event_contradicted, happened_and_known, known_at, not_yet_visible, recorded_before_event,
    recorded_before_milestones, unstamped, visible,
};

/// Every table, parents before children: the order in which tables are washed.
pub static TABLES: [&TableContract; 11] = [
    &MERCHANTS, &ORDERS, &SHIPMENTS, &REVIEWS, &DISPUTES, &LOANS, &INSTALMENTS, &PAYMENTS, &APPLICATIONS, &INVENTORY,
    &GUARANTEE_GROUPS,
];

/// The table of that name.
#[must_use]
pub fn table(name: &str) -> Option<&'static TableContract> {
    TABLES.iter().copied().find(|t| t.name == name)
}

/// The names of all tables, as an error's help gives them.
#[must_use]
pub fn table_names() -> String {
    let names: Vec<_> = TABLES.iter().map(|t| t.name).collect();
    format!("one of: {}", names.join(", "))
}
