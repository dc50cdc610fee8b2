//! How a contract table is described.

/// First and last day that a date may name, in days since 1970-01-01: 1990-01-01 and 2100-01-01. Online marketplaces are younger than
/// the first, and no credit of this pipeline runs to the last; a date outside is a slip of a clock, a unit or a pen.
pub const DAYS: (i64, i64) = (7_305, 47_482);

/// The same range for instants, in UTC microseconds.
pub const INSTANTS: (i64, i64) = (DAYS.0 * 86_400_000_000, DAYS.1 * 86_400_000_000);

/// Largest amount of money in either direction, in minor units, where a column says nothing narrower: 10^15, ten million million of a
/// currency with two decimals. Nine thousand such amounts can be added up in 64 bits.
pub const MAX_MONEY: i64 = 1_000_000_000_000_000;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// An identifier: a string without white space around it, see [`is_id`](super::is_id).
    Id,
    /// Free text or a category: a string.
    Text,
    /// One of a closed set of words.
    Word(&'static [&'static str]),
    /// UTC microseconds: `Datetime(Microseconds)`.
    Instant,
    /// A calendar date: `Date`.
    Day,
    /// Minor units of the job's currency: `Int64`.
    Money,
    /// A whole number: `Int64`.
    Integer,
    /// A list of identifiers: `List(String)`.
    Ids,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Name in the contract.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// A null quarantines the row. A column that is not required may also be absent from the source.
    pub required: bool,
    /// Inclusive range, where it is narrower than that of the type (see [`Column::bounds`]).
    pub range: Option<(i64, i64)>,
    /// What it holds, for the dictionary.
    pub doc: &'static str,
}

impl Column {
    /// A required column.
    #[must_use]
    pub const fn required(name: &'static str, kind: Type, doc: &'static str) -> Self {
        Self { name, kind, required: true, range: None, doc }
    }

    /// A column that may be null or absent.
    #[must_use]
    pub const fn optional(name: &'static str, kind: Type, doc: &'static str) -> Self {
        Self { name, kind, required: false, range: None, doc }
    }

    /// The stamp of a version, which every table has that can be sent again.
    #[must_use]
    pub const fn recorded_at() -> Self {
        Self::optional(
            "recorded_at",
            Type::Instant,
            "when the source learnt of this version of the row; of a row joined from several files the latest of theirs (`GREATEST`)",
        )
    }

    /// Restricts a number to `low..=high`.
    #[must_use]
    pub const fn within(mut self, low: i64, high: i64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// What a cell may hold, both ends included: the column's own range, else that of its type. Instants count in UTC
    /// microseconds, dates in days since 1970-01-01. `None` for texts.
    #[must_use]
    pub const fn bounds(&self) -> Option<(i64, i64)> {
        match (self.range, self.kind) {
            (Some(range), _) => Some(range),
            (None, Type::Instant) => Some(INSTANTS),
            (None, Type::Day) => Some(DAYS),
            (None, Type::Money) => Some((-MAX_MONEY, MAX_MONEY)),
            (None, _) => None,
        }
    }
}

/// When a row can be seen at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// When this instant is before as-of.
    Instant(&'static str),
    /// When this date is before the as-of date.
    Day(&'static str),
    /// When its parent row (see [`TableContract::parent`]) is.
    Parent,
}

impl Visibility {
    /// The column of the event time, where the table has one.
    #[must_use]
    pub const fn event(self) -> Option<&'static str> {
        match self {
            Self::Instant(event) | Self::Day(event) => Some(event),
            Self::Parent => None,
        }
    }
}

/// A later milestone: where it lies at or after as-of it is nulled, and so are the columns that only it makes known.
#[derive(Debug, Clone, Copy)]
pub struct Mask {
    /// The milestone's column.
    pub milestone: &'static str,
    /// Columns known only once the milestone is.
    pub reveals: &'static [&'static str],
    /// Whether it may be known before it comes: a promise, or an end that was agreed.
    pub is_foreseen: bool,
}

/// A rule within a row, beyond types, nulls and ranges. Null operands pass: what is unknown breaks no rule.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Kebab-case name, given as the quarantine reason.
    pub rule: &'static str,
    /// The column shown as evidence.
    pub column: &'static str,
    /// SQL predicate that a good row satisfies.
    pub holds: &'static str,
}

impl Check {
    /// The column that may not lie before `earlier`, where this is what the check says.
    #[must_use]
    pub fn follows(&self, earlier: &str) -> Option<&'static str> {
        self.holds.split_once(" >= ").filter(|(_, other)| *other == earlier).map(|(later, _)| later)
    }
}

/// A reference to another table's key.
#[derive(Debug, Clone, Copy)]
pub struct ForeignKey {
    /// Column here.
    pub column: &'static str,
    /// Table it names.
    pub table: &'static str,
    /// Key column there.
    pub key: &'static str,
    /// Both rows must name the same merchant.
    pub same_merchant: bool,
}

/// One contract table.
#[derive(Debug, Clone, Copy)]
pub struct TableContract {
    /// Its name.
    pub name: &'static str,
    /// May be absent from a job.
    pub optional: bool,
    /// What a row is, for the dictionary.
    pub doc: &'static str,
    /// Columns that identify a row; re-sent rows share them.
    pub key: &'static [&'static str],
    /// Columns in contract order.
    pub columns: &'static [Column],
    /// When a row is visible.
    pub visibility: Visibility,
    /// Later milestones. Promises (`ship_by_at`, `promised_at`) are masked too: they count once they are due.
    pub masks: &'static [Mask],
    /// Rules within a row.
    pub checks: &'static [Check],
    /// References, the parent (where there is one) first.
    pub foreign_keys: &'static [ForeignKey],
}

impl TableContract {
    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// The reference whose row owns this one: loans own instalments, orders own shipments.
    #[must_use]
    pub fn parent(&self) -> Option<&'static ForeignKey> {
        self.foreign_keys.first()
    }

    /// Whether rows of other tables name this one's keys.
    #[must_use]
    pub fn is_referred_to(&self) -> bool {
        super::TABLES.iter().any(|child| child.foreign_keys.iter().any(|reference| reference.table == self.name))
    }

    /// The order in which the store holds rows: merchant, event time, key and `recorded_at`.
    #[must_use]
    pub fn sort_columns(&self) -> Vec<&'static str> {
        let event = match self.visibility {
            Visibility::Instant(event) | Visibility::Day(event) => Some(event),
            Visibility::Parent => None,
        };
        let recorded = self.has_recorded_at().then_some("recorded_at");
        let mut order = Vec::new();
        for name in std::iter::once("merchant_id").chain(event).chain(self.key.iter().copied()).chain(recorded) {
            if !order.contains(&name) {
                order.push(name);
            }
        }
        order
    }

    /// Whether rows say when the source learnt of them.
    #[must_use]
    pub fn has_recorded_at(&self) -> bool {
        self.column("recorded_at").is_some()
    }
}
