//! Records that washing found broken: what can no longer be said of a merchant, a loan or an order.
//!
//! Nobody may read a table without them: a loan whose only instalment is broken has no schedule in the clean tables, and that is
//! unknown, not "nothing owed".

use polars::prelude::*;

use crate::domain::AsOf;

/// One broken record, under one merchant it leads to. A record that leads to several (two versions of a loan name two
/// borrowers) is there once for each.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BrokenRecord {
    /// Contract table; `joined` for a file whose rows are only joined to others.
    pub table: String,
    /// The record's key, its parts joined by `|`; `None` where no part can be read.
    pub key: Option<String>,
    /// The merchant it concerns: by its own cell where that names a merchant, by other versions of the same key, by the row of its loan
    /// or of its order, sound or broken. `None` where none of these leads to one.
    pub merchant_id: Option<String>,
    /// The loan it concerns: the record's own cell, or that of another version of the same key.
    pub loan_id: Option<String>,
    /// The order it concerns, likewise.
    pub order_id: Option<String>,
    /// The rule that it breaks, as in quarantine.
    pub rule: String,
    /// The instant after which it is known to be broken, in UTC microseconds. `None`: no time of it can be read, so it counts always.
    pub known_at: Option<i64>,
    /// The instant at which a later, sound version of the same key became known: from then on the record is repaired.
    pub repaired_at: Option<i64>,
    /// When it says that it happened (an order was placed, a review given, a dispute opened), in UTC microseconds: its own cell, or that of the
    /// latest other version of its key that has one. Likewise the next two.
    pub event_at: Option<i64>,
    /// The amount that it says, or the value of the stock, minor units.
    pub amount_minor: Option<i64>,
    /// The buyer whom it names.
    pub buyer_id: Option<String>,
    /// The offer that a loan names.
    pub offer_id: Option<String>,
}

impl BrokenRecord {
    /// Whether it is known, and not yet repaired, before an instant.
    #[must_use]
    pub fn counts_at(&self, as_of: &AsOf) -> bool {
        self.known_at.is_none_or(|known| known < as_of.micros())
            && self.repaired_at.is_none_or(|repaired| repaired >= as_of.micros())
    }
}

const TEXTS: [&str; 8] = ["table", "key", "merchant_id", "loan_id", "order_id", "rule", "buyer_id", "offer_id"];
const NUMBERS: [&str; 4] = ["known_at", "repaired_at", "event_at", "amount_minor"];

pub(super) fn to_frame(records: &[BrokenRecord]) -> PolarsResult<DataFrame> {
    let text = |name: &str, cell: fn(&BrokenRecord) -> Option<&str>| {
        let cells: StringChunked = records.iter().map(cell).collect();
        cells.with_name(name.into()).into_column()
    };
    let number = |name: &str, cell: fn(&BrokenRecord) -> Option<i64>| {
        let cells: Int64Chunked = records.iter().map(cell).collect();
        cells.with_name(name.into()).into_column()
    };
    let [table, key, merchant_id, loan_id, order_id, rule, buyer_id, offer_id] = TEXTS;
    let [known_at, repaired_at, event_at, amount_minor] = NUMBERS;
    DataFrame::new(
        records.len(),
        vec![
            text(table, |r| Some(&r.table)),
            text(key, |r| r.key.as_deref()),
            text(merchant_id, |r| r.merchant_id.as_deref()),
            text(loan_id, |r| r.loan_id.as_deref()),
            text(order_id, |r| r.order_id.as_deref()),
            text(rule, |r| Some(&r.rule)),
            text(buyer_id, |r| r.buyer_id.as_deref()),
            text(offer_id, |r| r.offer_id.as_deref()),
            number(known_at, |r| r.known_at),
            number(repaired_at, |r| r.repaired_at),
            number(event_at, |r| r.event_at),
            number(amount_minor, |r| r.amount_minor),
        ],
    )
}

pub(super) fn from_frame(frame: &DataFrame) -> PolarsResult<Vec<BrokenRecord>> {
    let [table, key, merchant_id, loan_id, order_id, rule, buyer_id, offer_id] =
        TEXTS.map(|name| frame.column(name)?.str());
    let [known_at, repaired_at, event_at, amount_minor] = NUMBERS.map(|name| frame.column(name)?.i64());
    let (table, key, merchant_id, loan_id, order_id, rule) = (table?, key?, merchant_id?, loan_id?, order_id?, rule?);
    let (buyer_id, offer_id, known_at, repaired_at) = (buyer_id?, offer_id?, known_at?, repaired_at?);
    let (event_at, amount_minor) = (event_at?, amount_minor?);
    let text = |column: &StringChunked, at: usize| column.get(at).map(str::to_owned);
    Ok((0..frame.height())
        .map(|at| BrokenRecord {
            table: text(table, at).unwrap_or_default(),
            key: text(key, at),
            merchant_id: text(merchant_id, at),
            loan_id: text(loan_id, at),
            order_id: text(order_id, at),
            rule: text(rule, at).unwrap_or_default(),
            known_at: known_at.get(at),
            repaired_at: repaired_at.get(at),
            event_at: event_at.get(at),
            amount_minor: amount_minor.get(at),
            buyer_id: text(buyer_id, at),
            offer_id: text(offer_id, at),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn known_before_the_instant_and_not_yet_repaired() {
        let as_of = AsOf::new(date(2018, 8, 1), TimeZone::UTC).unwrap();
        let record = |known: Option<i64>, repaired: Option<i64>| BrokenRecord {
            known_at: known.map(|k| as_of.micros() + k),
            repaired_at: repaired.map(|r| as_of.micros() + r),
            ..BrokenRecord::default()
        };
        assert!(record(None, None).counts_at(&as_of), "no time at all counts always");
        assert!(record(Some(-1), None).counts_at(&as_of));
        assert!(!record(Some(0), None).counts_at(&as_of), "nothing at as-of is known");
        assert!(record(Some(-9), Some(0)).counts_at(&as_of), "the repair is not known yet");
        assert!(!record(Some(-9), Some(-1)).counts_at(&as_of));
    }

    #[test]
    fn frames_hold_records_as_they_are() {
        let records = vec![
            BrokenRecord {
                table: "loans".into(),
                rule: "out-of-range".into(),
                loan_id: Some("L".into()),
                known_at: Some(5),
                event_at: Some(4),
                amount_minor: Some(3),
                buyer_id: Some("b".into()),
                ..BrokenRecord::default()
            },
            BrokenRecord::default(),
        ];
        assert_eq!(from_frame(&to_frame(&records).unwrap()).unwrap(), records);
    }
}
