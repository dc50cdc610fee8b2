//! Buyer ring: several buyers who each come back again and again.

use super::buyers::Buyers;
use super::judge::{OrderFacts, Seen};

/// Rule name.
pub(super) const RULE: &str = "buyer-ring";

/// Knobs of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuyerRingSettings {
    /// What the sign counts for.
    pub weight: u32,
    /// Length of the window.
    pub window_days: u32,
    /// Orders of one buyer within a window that make a member.
    pub min_orders_of_buyer: u32,
    /// Members that make a ring.
    pub min_buyers: u32,
}

/// A sign on every order that is one of `min_orders_of_buyer` orders of its buyer within `window_days`, where at least
/// `min_buyers` of the merchant's buyers have such orders. Observed is the number of those buyers.
///
/// One loyal buyer is custom; several that all buy at the rate of a task list are a ring. Source: project judgement after
/// Xu et al.; rings across merchants need the whole market and are not judged here.
pub(super) fn look(orders: &[&OrderFacts], buyers: &Buyers, settings: &BuyerRingSettings) -> Vec<Option<Seen>> {
    let window = i64::from(settings.window_days) * 86_400_000_000;
    let crowd = usize::try_from(settings.min_orders_of_buyer).unwrap_or(usize::MAX).max(2);
    let mut counts = vec![0_usize; buyers.len()];
    for buyer in &buyers.of_orders {
        if let Some(count) = counts.get_mut(*buyer as usize) {
            *count += 1;
        }
    }
    // Hardly any buyer comes back so often: positions are kept of those alone.
    let often = |buyer: u32| counts.get(buyer as usize).is_some_and(|count| *count >= crowd);
    let mut theirs: Vec<(u32, usize)> =
        buyers.of_orders.iter().enumerate().filter(|(_, b)| often(**b)).map(|(n, b)| (*b, n)).collect();
    theirs.sort_unstable();
    let mut frequent = vec![false; orders.len()];
    let mut members = 0_u32;
    for mine in theirs.chunk_by(|a, b| a.0 == b.0) {
        let mut is_member = false;
        for run in mine.windows(crowd) {
            let time = |n: Option<&(u32, usize)>| n.and_then(|(_, n)| orders.get(*n)).map(|o| o.placed_at);
            let Some((first, last)) = time(run.first()).zip(time(run.last())) else { continue };
            if last.saturating_sub(first) < window {
                is_member = true;
                for (_, n) in run {
                    if let Some(slot) = frequent.get_mut(*n) {
                        *slot = true;
                    }
                }
            }
        }
        members += u32::from(is_member);
    }
    let is_ring = members >= settings.min_buyers;
    let sign = Seen { observed: f64::from(members), threshold: f64::from(settings.min_buyers) };
    frequent.into_iter().map(|f| (f && is_ring).then_some(sign)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_loyal_buyer_is_no_ring() {
        let settings = BuyerRingSettings { weight: 1, window_days: 30, min_orders_of_buyer: 3, min_buyers: 2 };
        let marks = |buyers: &[(&'static str, i64)]| {
            let orders: Vec<OrderFacts> = buyers
                .iter()
                .map(|(buyer_id, day)| OrderFacts::placed("", buyer_id, day * 86_400_000_000, 1))
                .collect();
            let orders: Vec<&OrderFacts> = orders.iter().collect();
            look(&orders, &Buyers::of(&orders), &settings).iter().filter(|s| s.is_some()).count()
        };
        assert_eq!(marks(&[("a", 0), ("a", 1), ("a", 2), ("b", 3), ("c", 4)]), 0);
        assert_eq!(marks(&[("a", 0), ("a", 1), ("a", 2), ("b", 3), ("b", 4), ("b", 5), ("c", 6)]), 6);
        assert_eq!(marks(&[("a", 0), ("a", 1), ("a", 30), ("b", 3), ("b", 4), ("b", 5)]), 0);
    }
}
