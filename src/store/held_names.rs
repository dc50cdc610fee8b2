//! Who bought, who complains of what, and how a payment came in, is not said otherwise after two weeks.
//!
//! A shop that sells to one buyer would have many; a parcel that was lost, or a dispute, would move to an order of years ago and out of every window, or to somebody who bought nothing; a deduction that is under way
//! would pass for one that arrived. Corrections come within days. So what was first said for longer than [`SETTLING_DAYS`] counts, whatever a newer version says.
//!
//! Exports make buyers anonymous long after, in orders, reviews and disputes at once. What names the buyer of an order as the order's newest version does names the one who counts, or
//! complaints would be of somebody who bought nothing.
//!
//! As of amounts ([`super::held_amounts`]), only versions that the source sends can be compared.

use std::collections::BTreeMap;

use polars::prelude::{
    DataFrame, Int64Chunked, IntoColumn, PlHashMap, PlHashSet, PolarsError, PolarsResult, StringChunked,
};

use super::earlier::COUNTED_UNTIL;
use crate::contract::{DISPUTES, ORDERS, PAYMENTS, REVIEWS, SHIPMENTS, TableContract, Visibility, known_at};
use crate::domain::{AsOf, MICROS_PER_DAY};

/// Days for which a name may be put right (project judgement).
const SETTLING_DAYS: i64 = 14;

/// Tables and their columns that are held.
const HELD: [(&TableContract, &[&str]); 5] = [
    (&ORDERS, &["buyer_id"]),
    (&SHIPMENTS, &["order_id"]),
    (&REVIEWS, &["order_id", "buyer_id"]),
    (&DISPUTES, &["order_id", "buyer_id"]),
    (&PAYMENTS, &["channel"]),
];

/// A merchant and a key of its own.
type Own<'a> = (&'a str, &'a str);

/// Leaves rows the names that were first said of them for longer than [`SETTLING_DAYS`]. `before` are earlier versions of the tables' rows.
///
/// # Errors
/// A table in which a column is missing.
pub(super) fn hold_names(
    tables: &mut BTreeMap<&'static str, DataFrame>,
    before: &BTreeMap<&'static str, DataFrame>,
    as_of: &AsOf,
) -> Result<(), (&'static str, PolarsError)> {
    // As the newest versions state them, and as they count.
    let mut orders: Option<(DataFrame, DataFrame)> = None;
    for (table, columns) in HELD {
        let (Some(rows), Some(earlier)) = (tables.get(table.name), before.get(table.name)) else { continue };
        let failed = |source| (table.name, source);
        let held = hold_columns((table, columns), rows, earlier, tables.get(ORDERS.name), as_of).map_err(failed)?;
        let Some(held) = held else { continue };
        if table.name == ORDERS.name {
            orders = Some((rows.clone(), held.clone()));
        }
        tables.insert(table.name, held);
    }
    let Some((stated, counted)) = orders else { return Ok(()) };
    let renamed = renamed_buyers(&stated, &counted).map_err(|source| (ORDERS.name, source))?;
    for table in [REVIEWS.name, DISPUTES.name] {
        let held = tables.get(table).map(|rows| by_buyers_that_count(rows, &renamed)).transpose();
        if let Some(held) = held.map_err(|source| (table, source))?.flatten() {
            tables.insert(table, held);
        }
    }
    Ok(())
}

/// The rows of a table with the names that count; `None` where these are what is stated. No row comes to name an order that is not among `orders`.
fn hold_columns(
    (table, columns): (&TableContract, &[&str]),
    rows: &DataFrame,
    earlier: &DataFrame,
    orders: Option<&DataFrame>,
    as_of: &AsOf,
) -> PolarsResult<Option<DataFrame>> {
    let orders = if columns.contains(&"order_id") { orders } else { None };
    let first = FirstSaid::of(table, earlier, orders, as_of)?;
    let known_orders = orders.map(|orders| orders_named(earlier, orders)).transpose()?;
    let mut held: Option<DataFrame> = None;
    for &column in columns {
        let said = first.of_column(earlier.column(column)?.str()?);
        let stated = rows.column(column)?.str()?;
        let stands = |(own, stated): (Option<Own<'_>>, Option<&str>)| {
            let said = *said.get(&own?)?;
            let is_known = column != "order_id"
                || own
                    .zip(said)
                    .zip(known_orders.as_ref())
                    .is_some_and(|((own, order), known)| known.contains(&(own.0, order)));
            (said != stated && is_known).then_some(said)
        };
        let cells: Vec<_> = owned(rows, key(table))?.zip(stated.iter()).map(|cell| (stands(cell), cell.1)).collect();
        if cells.iter().all(|(stands, _)| stands.is_none()) {
            continue;
        }
        let cells: StringChunked = cells.into_iter().map(|(stands, stated)| stands.unwrap_or(stated)).collect();
        held.get_or_insert_with(|| rows.clone()).replace(column, cells.with_name(column.into()).into_column())?;
    }
    Ok(held)
}

/// The orders that rows name, as far as they are there: few rows have earlier versions, and a shard has many orders.
fn orders_named<'a>(rows: &DataFrame, orders: &'a DataFrame) -> PolarsResult<PlHashSet<Own<'a>>> {
    let named: PlHashSet<Own<'_>> = owned(rows, "order_id")?.flatten().collect();
    Ok(owned(orders, "order_id")?.flatten().filter(|own| named.contains(own)).collect())
}

/// Since when each earlier version of a table's rows counted, and until when, those of a row one after the other.
struct FirstSaid<'a> {
    versions: PlHashMap<Own<'a>, Vec<(i64, i64, usize)>>,
}

impl<'a> FirstSaid<'a> {
    fn of(
        table: &TableContract,
        earlier: &'a DataFrame,
        orders: Option<&DataFrame>,
        as_of: &AsOf,
    ) -> PolarsResult<Self> {
        let of_orders = orders.filter(|_| table.visibility == Visibility::Parent);
        let placed = of_orders.map(|orders| placed_at(earlier, orders)).transpose()?;
        let since = known_at(table, earlier, as_of, placed.as_ref())?;
        let until = earlier.column(COUNTED_UNTIL)?.datetime()?.physical();
        let mut versions: PlHashMap<Own<'_>, Vec<(i64, i64, usize)>> = PlHashMap::default();
        for (row, own) in owned(earlier, key(table))?.enumerate() {
            if let (Some(own), Some(since), Some(until)) = (own, since.get(row), until.get(row)) {
                versions.entry(own).or_default().push((until, since, row));
            }
        }
        versions.values_mut().for_each(|versions| versions.sort_unstable());
        Ok(Self { versions })
    }

    /// By row, what a column said first without a break for longer than [`SETTLING_DAYS`]; nothing of rows that never did.
    fn of_column<'b>(&self, cells: &'b StringChunked) -> PlHashMap<Own<'a>, Option<&'b str>> {
        let long = |versions: &Vec<(i64, i64, usize)>| {
            let of_one_name = versions.chunk_by(|a, b| cells.get(a.2) == cells.get(b.2));
            let counted = of_one_name.filter_map(|same| Some((same.first()?, same.last()?)));
            let mut long = counted.filter(|(first, last)| last.0 - first.1 > SETTLING_DAYS * MICROS_PER_DAY);
            long.next().map(|(first, _)| cells.get(first.2))
        };
        self.versions.iter().filter_map(|(own, versions)| Some((*own, long(versions)?))).collect()
    }
}

/// For each row when the order that it names was placed, where that is among `orders`.
fn placed_at(rows: &DataFrame, orders: &DataFrame) -> PolarsResult<Int64Chunked> {
    let placed = orders.column("placed_at")?.datetime()?.physical();
    let named: PlHashSet<Own<'_>> = owned(rows, "order_id")?.flatten().collect();
    let of_orders = owned(orders, "order_id")?.zip(placed.iter()).filter_map(|(own, at)| own.zip(at));
    let by_order: PlHashMap<Own<'_>, i64> = of_orders.filter(|(own, _)| named.contains(own)).collect();
    Ok(owned(rows, "order_id")?.map(|own| by_order.get(&own?).copied()).collect())
}

/// By order, the buyer that its newest version names, and the one who counts.
type Renamed<'a> = PlHashMap<Own<'a>, (&'a str, &'a str)>;

fn renamed_buyers<'a>(newest: &'a DataFrame, held: &'a DataFrame) -> PolarsResult<Renamed<'a>> {
    let (stated, counted) = (newest.column("buyer_id")?.str()?, held.column("buyer_id")?.str()?);
    let mut renamed = Renamed::default();
    for ((own, stated), counted) in owned(held, "order_id")?.zip(stated.iter()).zip(counted.iter()) {
        let Some((own, (stated, counted))) = own.zip(stated.zip(counted)) else { continue };
        if stated != counted {
            renamed.insert(own, (stated, counted));
        }
    }
    Ok(renamed)
}

/// Reviews or disputes of which those that name the buyer of their order by another name name the one who counts; `None` where there are no such.
fn by_buyers_that_count(rows: &DataFrame, renamed: &Renamed<'_>) -> PolarsResult<Option<DataFrame>> {
    if renamed.is_empty() {
        return Ok(None);
    }
    let named = rows.column("buyer_id")?.str()?;
    let counts = |own: Option<Own<'_>>, named: Option<&str>| {
        let (stated, counted) = renamed.get(&own?)?;
        (named? == *stated).then_some(*counted)
    };
    let counted: Vec<_> =
        owned(rows, "order_id")?.zip(named.iter()).map(|(own, named)| (counts(own, named), named)).collect();
    if counted.iter().all(|(counts, _)| counts.is_none()) {
        return Ok(None);
    }
    let cells: StringChunked = counted.into_iter().map(|(counts, named)| counts.or(named)).collect();
    let mut held = rows.clone();
    held.replace("buyer_id", cells.with_name("buyer_id".into()).into_column())?;
    Ok(Some(held))
}

fn key(table: &TableContract) -> &'static str {
    table.key.first().copied().unwrap_or_default()
}

/// Of each row the merchant and a key.
fn owned<'a>(rows: &'a DataFrame, key: &str) -> PolarsResult<impl Iterator<Item = Option<Own<'a>>>> {
    let (merchants, keys) = (rows.column("merchant_id")?.str()?, rows.column(key)?.str()?);
    Ok(merchants.iter().zip(keys.iter()).map(|(merchant, key)| merchant.zip(key)))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;
    use polars::prelude::{DataType, Field, IntoSeries, NewChunkedArray, Schema, TimeUnit};

    use super::*;
    use crate::contract::data_type;

    /// A row of a table: its cells of text, and since when and until when it counted, in days.
    type Row<'a> = (&'a [(&'a str, Option<&'a str>)], i64, i64);

    fn as_of() -> AsOf {
        AsOf::new(date(2025, 7, 1), TimeZone::UTC).unwrap()
    }

    /// Rows of merchant `m`, with until when they counted.
    fn rows(table: &TableContract, rows: &[Row<'_>]) -> DataFrame {
        let instant = DataType::Datetime(TimeUnit::Microseconds, None);
        let days = |days: Vec<i64>, name: &str| {
            let micros: Vec<i64> = days.into_iter().map(|day| (19_000 + day) * MICROS_PER_DAY).collect();
            Int64Chunked::from_slice(name.into(), &micros).into_series().cast(&instant).unwrap().into_column()
        };
        let fields = table.columns.iter().map(|column| Field::new(column.name.into(), data_type(column.kind)));
        let mut frame = DataFrame::full_null(&fields.collect::<Schema>(), rows.len());
        let key = key(table);
        for name in ["merchant_id", key, "order_id", "buyer_id", "channel"] {
            let of = |row: &Row<'_>| {
                row.0.iter().find(|(column, _)| *column == name).and_then(|cell| cell.1).map(str::to_owned)
            };
            let cells: StringChunked = match name {
                "merchant_id" => rows.iter().map(|_| Some("m")).collect(),
                name if name == key => rows.iter().map(|row| of(row).or(Some("x".to_owned()))).collect(),
                _ => rows.iter().map(of).collect(),
            };
            frame.with_column(cells.with_name(name.into()).into_column()).unwrap();
        }
        let event = table.visibility.event().unwrap();
        frame.with_column(days(rows.iter().map(|row| row.1).collect(), event)).unwrap();
        frame.with_column(days(rows.iter().map(|row| row.2).collect(), COUNTED_UNTIL)).unwrap();
        frame
    }

    fn texts(frame: &DataFrame, column: &str) -> Vec<Option<String>> {
        frame.column(column).unwrap().str().unwrap().iter().map(|text| text.map(str::to_owned)).collect()
    }

    /// What counts of a column after the newest row and earlier versions, each with since when and until when it counted.
    fn counts(
        table: &'static TableContract,
        column: &str,
        newest: Option<&str>,
        earlier: &[(Option<&str>, i64, i64)],
    ) -> Option<String> {
        let newest = [(column, newest)];
        let earlier: Vec<_> = earlier.iter().map(|(name, since, until)| ([(column, *name)], *since, *until)).collect();
        let earlier: Vec<Row<'_>> = earlier.iter().map(|(cells, since, until)| (&cells[..], *since, *until)).collect();
        let mut tables = BTreeMap::from([
            (ORDERS.name, rows(&ORDERS, &[(&[("order_id", Some("o1"))], 0, 0), (&[("order_id", Some("o2"))], 0, 0)])),
            (table.name, rows(table, &[(&newest, 0, 0)])),
        ]);
        hold_names(&mut tables, &BTreeMap::from([(table.name, rows(table, &earlier))]), &as_of()).unwrap();
        texts(&tables[table.name], column).remove(0)
    }

    #[test]
    fn a_name_that_counted_for_two_weeks_is_not_said_otherwise() {
        let buyer = |newest: &str, earlier: &[(Option<&str>, i64, i64)]| {
            counts(&ORDERS, "buyer_id", Some(newest), earlier).unwrap()
        };
        assert_eq!(buyer("b2", &[(Some("b1"), 0, 15)]), "b1");
        assert_eq!(buyer("b2", &[(Some("b1"), 0, 14)]), "b2", "it was put right within two weeks");
        assert_eq!(buyer("b3", &[(Some("b1"), 0, 3), (Some("b2"), 3, 40)]), "b2", "after it was put right");
        assert_eq!(buyer("b3", &[(Some("b2"), 20, 60), (Some("b1"), 0, 20)]), "b1", "the first, whichever comes first");
        assert_eq!(buyer("b2", &[(Some("b1"), 0, 8), (Some("b1"), 8, 16)]), "b1", "two versions that say the same");
        let channel = |newest, first| counts(&PAYMENTS, "channel", Some(newest), &[(Some(first), 0, 30)]).unwrap();
        assert_eq!([channel("deduction", "voluntary"), channel("voluntary", "deduction")], ["voluntary", "deduction"]);
    }

    #[test]
    fn a_dispute_stays_with_its_order_as_far_as_that_is_there_and_with_who_complained() {
        let order = |first| counts(&DISPUTES, "order_id", Some("o2"), &[(Some(first), 0, 30)]).unwrap();
        assert_eq!([order("o1"), order("gone")], ["o1", "o2"]);
        assert_eq!(counts(&DISPUTES, "buyer_id", Some("b9"), &[(None, 0, 30)]), None, "nobody was named");
        assert_eq!(counts(&REVIEWS, "buyer_id", Some("b9"), &[(Some("b1"), 0, 30)]).unwrap(), "b1");
    }

    #[test]
    fn who_is_named_as_an_orders_newest_version_names_its_buyer_is_the_buyer() {
        let order = |buyer| [("order_id", Some("o1")), ("buyer_id", Some(buyer))];
        let review = |buyer| [("review_id", Some(buyer)), ("order_id", Some("o1")), ("buyer_id", Some(buyer))];
        let mut tables = BTreeMap::from([
            (ORDERS.name, rows(&ORDERS, &[(&order("anonymous"), 0, 0)])),
            (
                REVIEWS.name,
                rows(&REVIEWS, &[(&review("anonymous"), 0, 0), (&review("b1"), 0, 0), (&review("b2"), 0, 0)]),
            ),
        ]);
        let before = BTreeMap::from([(ORDERS.name, rows(&ORDERS, &[(&order("b1"), 0, 400)]))]);
        hold_names(&mut tables, &before, &as_of()).unwrap();
        assert_eq!(texts(&tables[ORDERS.name], "buyer_id"), [Some("b1".to_owned())]);
        let named = ["b1", "b1", "b2"].map(|buyer| Some(buyer.to_owned()));
        assert_eq!(texts(&tables[REVIEWS.name], "buyer_id"), named);
    }
}
