//! Repeated: one order sent under several ids.

use super::judge::{OrderFacts, Seen};

/// Rule name.
pub const RULE: &str = "repeated";

/// A sign on every order but one of those that one buyer placed with the merchant at the same instant over the same sum. Observed is how
/// many there are.
///
/// They are one order that was sent again under a fresh id, or nobody can tell them from one: trade counts once. The one that tells
/// most against the merchant stays (in trouble before not, fewer stars before more, then by id), or a copy would hide what became of the
/// first. The sign makes an order suspect alone, and has no knob: two ids for one sale are no matter of degree. Source: project judgement.
pub(super) fn look(orders: &[&OrderFacts]) -> Vec<Option<Seen>> {
    let mut seen: Vec<Option<Seen>> = vec![None; orders.len()];
    let mut rows: Vec<(usize, &OrderFacts)> = orders.iter().copied().enumerate().collect();
    let sale = |o: &OrderFacts| (o.placed_at, o.amount_minor);
    rows.sort_by(|(_, a), (_, b)| {
        let by_sale = (sale(a), a.buyer_id).cmp(&(sale(b), b.buyer_id));
        by_sale.then_with(|| standing(a).cmp(&standing(b)))
    });
    for copies in rows.chunk_by(|(_, a), (_, b)| sale(a) == sale(b) && a.buyer_id == b.buyer_id) {
        for (n, _) in copies.iter().skip(1) {
            if let Some(slot) = seen.get_mut(*n) {
                *slot = Some(Seen { observed: copies.len() as f64, threshold: 2.0 });
            }
        }
    }
    seen
}

/// Which of several copies stays: the first.
fn standing<'a>(order: &OrderFacts<'a>) -> (bool, i64, &'a str) {
    (!order.is_troubled, order.stars.unwrap_or(i64::MAX), order.order_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order<'a>(order_id: &'a str, buyer_id: &'a str, placed_at: i64, amount_minor: i64) -> OrderFacts<'a> {
        OrderFacts {
            order_id,
            buyer_id,
            placed_at,
            amount_minor,
            shipped_at: None,
            delivered_at: None,
            has_tracking: None,
            is_troubled: false,
            stars: None,
            reviewed_at: None,
        }
    }

    fn marked(orders: &[OrderFacts]) -> Vec<String> {
        let seen = look(&orders.iter().collect::<Vec<_>>());
        orders.iter().zip(seen).filter(|(_, seen)| seen.is_some()).map(|(o, _)| o.order_id.to_owned()).collect()
    }

    #[test]
    fn all_but_one_of_one_sale_are_marked() {
        let [a, b, c] = ["a", "b", "c"].map(|id| order(id, "x", 5, 900));
        assert_eq!(marked(&[c, a, b]), ["c", "b"]);
        for other in [order("b", "y", 5, 900), order("b", "x", 6, 900), order("b", "x", 5, 901)] {
            assert_eq!(marked(&[a, other]), Vec::<String>::new(), "{other:?} is another sale");
        }
    }

    #[test]
    fn a_copy_does_not_hide_what_became_of_the_first() {
        let [a, b] = ["a", "b"].map(|id| order(id, "x", 5, 900));
        assert_eq!(marked(&[a, OrderFacts { is_troubled: true, ..b }]), ["a"]);
        assert_eq!(marked(&[OrderFacts { stars: Some(5), ..a }, OrderFacts { stars: Some(1), ..b }]), ["a"]);
        assert_eq!(marked(&[a, OrderFacts { stars: Some(1), ..b }]), ["a"]);
    }
}
