//! Repeated review: one review sent under several ids.

use std::borrow::Cow;

use super::judge::{ReviewFacts, Seen};
use super::repeated::{RepeatedSettings, UNKNOWN_BUYER, buyer_key};

/// A sign on every review but one of those that may be one: of one order and one buyer, and given within the window of one another or with as many
/// stars. Observed is how many reviews of the order the buyer has.
///
/// Of reviews within the window the one with the fewest stars stays; of those with as many stars the first. A buyer who thinks better of it later has
/// two reviews. The sign makes a review suspect alone, as [`super::repeated`] does an order. Source: project judgement.
pub(super) fn look(reviews: &[&ReviewFacts], settings: RepeatedSettings) -> Vec<Option<Seen>> {
    let mut seen: Vec<Option<Seen>> = vec![None; reviews.len()];
    let known = reviews.iter().enumerate().filter(|(_, review)| review.buyer_id != UNKNOWN_BUYER);
    let mut rows: Vec<(&str, Cow<'_, str>, usize, &ReviewFacts)> =
        known.map(|(n, review)| (review.order_id, buyer_key(review.buyer_id), n, *review)).collect();
    // Reviews come in the order of time, which rows of one order and buyer keep.
    rows.sort_by(|a, b| (a.0, &a.1, a.2).cmp(&(b.0, &b.1, b.2)));
    for own in rows.chunk_by(|a, b| (a.0, &a.1) == (b.0, &b.1)).filter(|own| own.len() > 1) {
        let sign = Seen { observed: own.len() as f64, threshold: 2.0 };
        let mut stars_said: Vec<i64> = Vec::new();
        for together in own.chunk_by(|a, b| settings.is_near(a.3.created_at, b.3.created_at)) {
            let stays = together.iter().min_by_key(|(_, _, n, review)| (review.stars, *n));
            for (_, _, n, review) in together {
                let is_the_one = stays.is_some_and(|stays| stays.2 == *n) && !stars_said.contains(&review.stars);
                if let Some(slot) = seen.get_mut(*n).filter(|_| !is_the_one) {
                    *slot = Some(sign);
                }
            }
            stars_said.extend(stays.map(|stays| stays.3.stars));
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    /// Positions of the marked ones among reviews of minute, order, buyer and stars.
    fn marked(reviews: &[(i64, &'static str, &'static str, i64)]) -> Vec<usize> {
        let facts: Vec<ReviewFacts> = reviews
            .iter()
            .map(|(minute, order_id, buyer_id, stars)| ReviewFacts {
                review_id: "r",
                order_id,
                buyer_id,
                created_at: minute * MINUTE,
                stars: *stars,
                order_buyer_id: None,
                order_placed_at: None,
                delivered_at: None,
                delivery_late: None,
                is_parcel_lost: false,
                knows_parcels: false,
            })
            .collect();
        let seen = look(&facts.iter().collect::<Vec<_>>(), RepeatedSettings { window_minutes: 10, amount_bps: 100 });
        (0..seen.len()).filter(|n| seen[*n].is_some()).collect()
    }

    #[test]
    fn a_review_sent_twice_counts_once_and_a_second_opinion_is_one_of_its_own() {
        assert_eq!(marked(&[(0, "o", "x", 5), (0, "o", "x", 5), (9_000, "o", "x", 5)]), [1, 2]);
        assert_eq!(marked(&[(0, "o", "x", 5), (9, "o", "X ", 1)]), [0], "the worse of two of one moment stays");
        assert_eq!(marked(&[(0, "o", "x", 1), (11, "o", "x", 5)]), Vec::<usize>::new());
        assert_eq!(marked(&[(0, "o", "x", 5), (0, "o", "y", 5), (0, "p", "x", 5)]), Vec::<usize>::new());
        assert_eq!(marked(&[(0, "o", "x", 1), (11, "o", "x", 5), (22, "o", "x", 1), (33, "o", "x", 5)]), [2, 3]);
    }
}
