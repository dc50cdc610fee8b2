//! Disputes that were sent under several ids.

use std::borrow::Cow;
use std::cmp::Reverse;

use super::column::{integers, required_texts, texts};
use super::error::TileError;
use super::view::Children;
use crate::authenticity::{RepeatedSettings, UNKNOWN_BUYER, buyer_key};

/// What a row says of its dispute.
#[derive(Debug, Clone)]
struct DisputeRow<'a> {
    merchant_id: &'a str,
    order_id: Option<&'a str>,
    kind: Option<&'a str>,
    buyer: Cow<'a, str>,
    opened_at: i64,
    is_closed: bool,
    outcome: Option<&'a str>,
    amount_minor: Option<i64>,
    id: &'a str,
}

impl DisputeRow<'_> {
    /// Rows of one dispute have these in common.
    fn matter(&self) -> (&str, Option<&str>, Option<&str>, &str) {
        (self.merchant_id, self.order_id, self.kind, &self.buyer)
    }

    /// Which of several rows of one dispute stays: the first.
    fn standing(&self) -> impl Ord + use<'_> {
        let gravity = match (self.is_closed, self.outcome) {
            (true, Some("buyer-won")) => 0,
            (false, _) => 1,
            (true, None) => 2,
            (true, Some(_)) => 3,
        };
        (gravity, Reverse(self.amount_minor), self.opened_at, self.id)
    }
}

/// For each dispute whether another row tells of the same one, and stands for it.
///
/// Rows are of one dispute where one buyer ([`buyer_key`]) opened them against one merchant, of one kind (a lost dispute hides no lawsuit), about one order or
/// about none, within the window of one another. Sent twice under a fresh id, a dispute that was won would count as two that were, and a lost one would weigh twice. The row that tells most
/// against the merchant stays: lost before open before dismissed, then the larger sum. Source: project judgement.
pub fn dispute_copies(disputes: &Children<'_>, settings: RepeatedSettings) -> Result<Vec<bool>, TileError> {
    const TABLE: &str = "disputes";
    let table = disputes.table;
    let ids = required_texts(table, TABLE, "dispute_id")?;
    let merchants = required_texts(table, TABLE, "merchant_id")?;
    let orders = texts(table, TABLE, "order_id")?;
    let kinds = texts(table, TABLE, "kind")?;
    let buyers = texts(table, TABLE, "buyer_id")?;
    let opened = integers(table, TABLE, "opened_at")?;
    let closed = integers(table, TABLE, "closed_at")?;
    let outcomes = texts(table, TABLE, "outcome")?;
    let amounts = integers(table, TABLE, "amount_minor")?;
    let said = |n: usize| {
        let buyer = buyers.get(n).filter(|buyer| *buyer != UNKNOWN_BUYER)?;
        Some(DisputeRow {
            merchant_id: merchants.get(n)?,
            order_id: orders.get(n),
            kind: kinds.get(n),
            buyer: buyer_key(buyer),
            opened_at: opened.get(n)?,
            is_closed: closed.get(n).is_some(),
            outcome: outcomes.get(n),
            amount_minor: amounts.get(n),
            id: ids.get(n)?,
        })
    };
    let rows: Vec<(usize, DisputeRow<'_>)> = (0..table.height()).filter_map(|n| Some((n, said(n)?))).collect();
    let mut is_copy = vec![false; table.height()];
    for n in copies(rows, settings) {
        if let Some(slot) = is_copy.get_mut(n) {
            *slot = true;
        }
    }
    Ok(is_copy)
}

fn copies(mut rows: Vec<(usize, DisputeRow<'_>)>, settings: RepeatedSettings) -> Vec<usize> {
    rows.sort_unstable_by(|(_, a), (_, b)| (a.matter(), a.opened_at, a.id).cmp(&(b.matter(), b.opened_at, b.id)));
    let is_one = |a: &(usize, DisputeRow<'_>), b: &(usize, DisputeRow<'_>)| {
        a.1.matter() == b.1.matter() && settings.is_near(a.1.opened_at, b.1.opened_at)
    };
    let mut found = Vec::new();
    for rows in rows.chunk_by(is_one).filter(|rows| rows.len() > 1) {
        let stays = rows.iter().min_by(|(_, a), (_, b)| a.standing().cmp(&b.standing())).map(|(n, _)| *n);
        found.extend(rows.iter().map(|(n, _)| *n).filter(|n| Some(*n) != stays));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn dispute<'a>(id: &'a str, minute: i64, outcome: Option<&'a str>) -> DisputeRow<'a> {
        DisputeRow {
            merchant_id: "m",
            order_id: Some("o"),
            kind: Some("quality"),
            buyer: Cow::Borrowed("x"),
            opened_at: minute * MINUTE,
            is_closed: outcome.is_some(),
            outcome,
            amount_minor: Some(100),
            id,
        }
    }

    fn found(rows: &[DisputeRow<'_>]) -> Vec<usize> {
        let settings = RepeatedSettings { window_minutes: 10, amount_bps: 100 };
        let mut found = copies(rows.iter().cloned().enumerate().collect(), settings);
        found.sort_unstable();
        found
    }

    #[test]
    fn one_dispute_sent_twice_is_one_and_the_worse_row_stays() {
        let (lost, open, won) =
            (dispute("a", 0, Some("buyer-won")), dispute("b", 4, None), dispute("c", 9, Some("merchant-won")));
        assert_eq!(found(&[won.clone(), open.clone(), lost.clone()]), [0, 1]);
        assert_eq!(found(&[won.clone(), open.clone()]), [0]);
        assert_eq!(found(&[won.clone(), DisputeRow { amount_minor: Some(101), id: "d", ..won.clone() }]), [0]);
        assert_eq!(found(&[won.clone(), DisputeRow { id: "d", ..won.clone() }]), [1], "alike: one of them stays");
        // Nine minutes and nine more: each is near the one before.
        assert_eq!(found(&[dispute("a", 0, None), dispute("b", 9, None), dispute("c", 18, None)]), [1, 2]);
    }

    #[test]
    fn other_disputes_stay() {
        let one = dispute("a", 0, Some("merchant-won"));
        let others = [
            DisputeRow { order_id: Some("p"), id: "b", ..one.clone() },
            DisputeRow { order_id: None, id: "b", ..one.clone() },
            DisputeRow { kind: Some("lawsuit"), id: "b", ..one.clone() },
            DisputeRow { buyer: Cow::Borrowed("y"), id: "b", ..one.clone() },
            DisputeRow { merchant_id: "n", id: "b", ..one.clone() },
            DisputeRow { opened_at: 11 * MINUTE, id: "b", ..one.clone() },
        ];
        for other in others {
            assert_eq!(found(&[one.clone(), other.clone()]), Vec::<usize>::new(), "{other:?}");
        }
        let lawsuit = DisputeRow { order_id: None, ..one };
        assert_eq!(
            found(&[lawsuit.clone(), DisputeRow { id: "b", ..lawsuit }]),
            [1],
            "two suits of one moment are one"
        );
    }
}
