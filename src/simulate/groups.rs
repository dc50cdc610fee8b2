//! Guarantee groups: neighbours who answer for one another.

use super::calendar::{DAY, Second};
use super::draw::Draw;
use super::life::World;
use super::traits::Traits;

/// Membership of a guarantee group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Membership {
    pub(super) group: u64,
    pub(super) joined: Second,
}

/// Merchants who know each other.
const NEIGHBOURHOOD: u64 = 100;
/// Places within the neighbourhood of those who may form a group.
const CANDIDATES: std::ops::Range<u64> = 10..22;
/// The fewest who can answer for one another.
const FEWEST: usize = 3;

/// In each neighbourhood three to five established merchants, no newcomers, sign for one another on the same day.
pub(super) fn membership_of(index: u64, world: &World) -> Option<Membership> {
    let (group, place) = (index / NEIGHBOURHOOD, index % NEIGHBOURHOOD);
    if !CANDIDATES.contains(&place) {
        return None;
    }
    let mut draw = Draw::new(world.settings.seed, "group", group);
    let size = usize::try_from(draw.whole(3, 5)).unwrap_or(FEWEST);
    let signed = world.calendar.midnight(draw.whole(10, 40)) + draw.whole(9 * 3_600, 17 * 3_600);
    let neighbours = CANDIDATES.map(|p| group * NEIGHBOURHOOD + p).filter(|&m| m < world.settings.merchants);
    let members: Vec<u64> = neighbours.filter(|&m| is_established(m, world)).take(size).collect();
    let exists = members.len() >= FEWEST && signed < world.calendar.end() && members.contains(&index);
    exists.then(|| Membership { group, joined: signed + i64::try_from(place).unwrap_or(0) * 60 })
}

/// Open for a month at least when the simulation begins.
fn is_established(merchant: u64, world: &World) -> bool {
    let mut draw = Draw::new(world.settings.seed, "merchant", merchant);
    let traits = Traits::draw(&mut draw, &world.settings, &world.calendar);
    traits.registered < world.calendar.midnight(0) - 30 * DAY
}
