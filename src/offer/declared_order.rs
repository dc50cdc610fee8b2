//! A borrower's own list of orders and shipping receipts, against what the platform has seen of them.
//!
//! The list is declared evidence. It names which receivables an application is about, and is compared with the platform's records; an order of which
//! the two do not say the same secures nothing. What it declares never counts for anything itself.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::error::OfferError;
use crate::domain::{AsOf, days_between};
use crate::exposure::{Account, Receivable, Receivables};

/// An order as the borrower's list has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredOrder {
    /// The order.
    pub order_id: String,
    /// Its sum, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_minor: Option<i64>,
    /// The day on the shipping receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped_on: Option<Date>,
}

/// What the platform's records say to a declared order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderVerdict {
    /// A receivable that is free, and all that was declared and can be compared is the same.
    Agrees,
    /// The records have another sum, or another day than this or another line of the list says of it: it secures nothing.
    Differs,
    /// It secures another loan or offer already.
    Pledged,
    /// No open receivable of the merchant: not its own, never shipped, settled, disputed, suspect or too old.
    NoReceivable,
    /// Which receivables the merchant has is not known.
    Unknown,
}

/// A declared order beside the platform's record of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedOrder {
    /// As it was declared.
    #[serde(flatten)]
    pub declared: DeclaredOrder,
    /// What the records say to it.
    pub verdict: OrderVerdict,
    /// What the buyer paid into escrow; null where the run does not tell.
    pub seen_amount_minor: Option<i64>,
    /// The day on which the last parcel was handed over; null where the run does not tell.
    pub seen_shipped_on: Option<Date>,
}

/// Days that a receipt's date may lie from the day of the platform's record: a parcel handed over in the evening is scanned the next day (project
/// judgement).
const RECEIPT_DAYS: i32 = 1;

/// Compares a list with the account of the merchant who applies for `product`.
///
/// # Errors
/// A time beyond the calendar.
pub fn compare_orders(
    declared: &[DeclaredOrder],
    account: &Account,
    product: &str,
    as_of: &AsOf,
) -> Result<Vec<ComparedOrder>, OfferError> {
    if declared.is_empty() {
        return Ok(Vec::new());
    }
    let named: Vec<String> = declared.iter().map(|order| order.order_id.clone()).collect();
    let free: BTreeSet<&str> =
        account.free_receivables(product, &named).into_iter().flatten().flat_map(Receivable::ids).collect();
    let compare = |order: &DeclaredOrder| {
        let seen = match &account.receivables {
            Receivables::Unknown => return Ok(beside(order, OrderVerdict::Unknown, None, None)),
            Receivables::Known(all) => all.iter().find(|r| r.ids().any(|id| id == order.order_id)),
        };
        let Some(seen) = seen else { return Ok(beside(order, OrderVerdict::NoReceivable, None, None)) };
        // Of a sale under several ids only the receivable's own sum and day are kept.
        let told = Some(seen).filter(|seen| seen.order_id == order.order_id);
        let amount = told.and_then(|seen| seen.paid_minor);
        let shipped = told.and_then(|seen| seen.shipped_at).map(|at| as_of.local_date(at)).transpose()?;
        let other_sum = order.amount_minor.zip(amount).is_some_and(|(declared, seen)| declared != seen);
        let other_day =
            order.shipped_on.zip(shipped).is_some_and(|(one, other)| days_between(one, other).abs() > RECEIPT_DAYS);
        let verdict = match () {
            () if other_sum || other_day => OrderVerdict::Differs,
            () if !free.contains(order.order_id.as_str()) => OrderVerdict::Pledged,
            () => OrderVerdict::Agrees,
        };
        Ok(beside(order, verdict, amount, shipped))
    };
    let mut compared = declared.iter().map(compare).collect::<Result<Vec<_>, OfferError>>()?;
    if let Receivables::Known(all) = &account.receivables {
        // What one line says wrongly of a receivable no other line of it mends.
        let differing = differing(&compared);
        let doubted: BTreeSet<String> = all
            .iter()
            .filter(|seen| seen.ids().any(|id| differing.contains(id)))
            .flat_map(|seen| seen.ids().map(str::to_owned))
            .collect();
        for order in compared.iter_mut().filter(|order| doubted.contains(&order.declared.order_id)) {
            order.verdict = OrderVerdict::Differs;
        }
    }
    Ok(compared)
}

fn beside(
    declared: &DeclaredOrder,
    verdict: OrderVerdict,
    seen_amount_minor: Option<i64>,
    seen_shipped_on: Option<Date>,
) -> ComparedOrder {
    ComparedOrder { declared: declared.clone(), verdict, seen_amount_minor, seen_shipped_on }
}

/// Orders of which declaration and record do not say the same.
#[must_use]
pub fn differing(compared: &[ComparedOrder]) -> BTreeSet<&str> {
    let differing = compared.iter().filter(|order| order.verdict == OrderVerdict::Differs);
    differing.map(|order| order.declared.order_id.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::OrderVerdict::{Agrees, Differs, NoReceivable};
    use super::*;
    use crate::exposure::{Owed, Requests};

    const DAY: i64 = 86_400_000_000;

    fn as_of() -> AsOf {
        AsOf::new(Date::constant(1970, 2, 1), TimeZone::UTC).unwrap()
    }

    fn receivable(order_id: &str, paid_minor: i64, day: i64) -> Receivable {
        Receivable {
            order_id: order_id.to_owned(),
            placed_at: (day - 1) * DAY,
            counted_minor: paid_minor,
            same_sale: Vec::new(),
            paid_minor: Some(paid_minor),
            shipped_at: Some(day * DAY),
        }
    }

    fn account(receivables: Vec<Receivable>) -> Account {
        Account::empty("m1", Owed::NoLoanBook, Receivables::Known(receivables), Requests::NotTaken)
    }

    fn declared(order_id: &str, amount_minor: Option<i64>, shipped_on: Option<Date>) -> DeclaredOrder {
        DeclaredOrder { order_id: order_id.to_owned(), amount_minor, shipped_on }
    }

    fn verdicts(declared: &[DeclaredOrder], account: &Account) -> Vec<OrderVerdict> {
        let compared = compare_orders(declared, account, "order-loan", &as_of()).unwrap();
        compared.into_iter().map(|order| order.verdict).collect()
    }

    #[test]
    fn sum_and_day_are_those_of_the_record_or_differ() {
        let account = account(vec![receivable("a", 5_000, 20)]);
        let day = |day| Some(Date::constant(1970, 1, day));
        let list = [
            declared("a", None, None),
            declared("a", Some(5_000), day(21)),
            declared("a", Some(5_000), day(22)),
            declared("a", Some(5_000), day(23)),
            declared("a", Some(5_001), None),
            declared("a", Some(4_999), None),
            declared("b", Some(5_000), None),
        ];
        let alone: Vec<_> = list.iter().flat_map(|line| verdicts(std::slice::from_ref(line), &account)).collect();
        assert_eq!(alone, [Agrees, Agrees, Agrees, Differs, Differs, Differs, NoReceivable]);
        let unknown = Account::empty("m1", Owed::NoLoanBook, Receivables::Unknown, Requests::NotTaken);
        assert_eq!(verdicts(&list[..1], &unknown), [OrderVerdict::Unknown]);
    }

    #[test]
    fn what_the_run_does_not_tell_cannot_differ() {
        let silent = Receivable { paid_minor: None, shipped_at: None, ..receivable("a", 5_000, 20) };
        let twice = Receivable { same_sale: vec!["b".to_owned()], ..receivable("c", 700, 20) };
        let account = account(vec![silent, twice]);
        let list = [declared("a", Some(9), None), declared("b", Some(9), None), declared("c", Some(9), None)];
        assert_eq!(verdicts(&list[..2], &account), [Agrees, Agrees]);
        assert_eq!(verdicts(&list, &account), [Agrees, Differs, Differs], "both are of one sale");
        let twice = [list[2].clone(), declared("c", Some(700), None)];
        assert_eq!(verdicts(&twice, &account), [Differs, Differs], "a list that contradicts itself");
    }

    proptest! {
        /// Whatever a borrower declares, what its receivables come to is never more than without the declaration.
        #[test]
        fn a_declaration_never_adds(
            seen in prop::collection::vec((0_usize..6, 1_i64..100, 1_i64..30), 0..6),
            list in prop::collection::vec((0_usize..6, 0_i64..100, 1_i8..30), 0..6),
        ) {
            let of_order: std::collections::BTreeMap<usize, Receivable> =
                seen.into_iter().map(|(n, paid, day)| (n, receivable(&format!("o{n}"), paid, day))).collect();
            let before = account(of_order.into_values().collect());
            let list: Vec<DeclaredOrder> = list
                .into_iter()
                .map(|(n, sum, day)| declared(&format!("o{n}"), Some(sum), Some(Date::constant(1970, 1, day))))
                .collect();
            let compared = compare_orders(&list, &before, "order-loan", &as_of()).unwrap();
            let mut after = before.clone();
            after.set_aside(&differing(&compared));
            prop_assert!(after.receivables_minor() <= before.receivables_minor());
            let named: Vec<String> = list.iter().map(|order| order.order_id.clone()).collect();
            let sum = |account: &Account| -> i64 {
                account.free_receivables("order-loan", &named).unwrap().iter().map(|r| r.counted_minor).sum()
            };
            prop_assert!(sum(&after) <= sum(&before));
            for order in &compared {
                let counts = after.free_receivables("order-loan", std::slice::from_ref(&order.declared.order_id));
                prop_assert_eq!(!counts.unwrap().is_empty(), order.verdict == OrderVerdict::Agrees);
            }
        }
    }
}
