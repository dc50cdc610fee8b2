//! The buyers of one merchant by number, so that rules that count orders by buyer compare numbers and no texts.

use polars::prelude::PlHashMap;

use super::judge::OrderFacts;
use super::repeated::{UNKNOWN_BUYER, buyer_key};

/// Who placed each of a merchant's orders.
pub(super) struct Buyers {
    /// For each order its buyer: 0, 1, … in the order in which they first come.
    pub of_orders: Vec<u32>,
    /// For each buyer the first whose id is the same whatever its case and spaces ([`buyer_key`]); `None` of nobody known.
    pub as_written: Vec<Option<u32>>,
}

impl Buyers {
    pub fn of(orders: &[&OrderFacts]) -> Self {
        let mut numbers: PlHashMap<&str, u32> = PlHashMap::default();
        let mut ids: Vec<&str> = Vec::new();
        let of_orders = orders
            .iter()
            .map(|order| {
                *numbers.entry(order.buyer_id).or_insert_with(|| {
                    ids.push(order.buyer_id);
                    number_of(ids.len() - 1)
                })
            })
            .collect();
        // Only an id that is written otherwise than its key can be another's.
        let mut odd: PlHashMap<String, u32> = PlHashMap::default();
        let as_written = (0..)
            .zip(&ids)
            .map(|(number, id)| {
                let key = buyer_key(id);
                if *id == UNKNOWN_BUYER {
                    None
                } else if key == *id {
                    Some(number)
                } else {
                    let known = numbers.get(key.as_ref()).copied();
                    Some(known.unwrap_or_else(|| *odd.entry(key.into_owned()).or_insert(number)))
                }
            })
            .collect();
        Self { of_orders, as_written }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.as_written.len()
    }
}

fn number_of(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_differ_in_case_and_spaces_are_two_buyers_written_as_one() {
        let orders: Vec<OrderFacts> = ["B", "a", "b ", "a", UNKNOWN_BUYER, "A", "C", " c"]
            .into_iter()
            .map(|buyer| OrderFacts::placed("o", buyer, 0, 1))
            .collect();
        let buyers = Buyers::of(&orders.iter().collect::<Vec<_>>());
        assert_eq!(buyers.of_orders, [0, 1, 2, 1, 3, 4, 5, 6]);
        let written = [Some(0), Some(1), Some(0), None, Some(1), Some(5), Some(5)];
        assert_eq!(buyers.as_written, written);
        assert_eq!(buyers.len(), 7);
    }
}
