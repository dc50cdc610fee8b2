//! The order of a key's versions where a stamp contradicts the row that it stands in, and where some have none.
//!
//! A version that says it was recorded before something that it reports is broken; either that instant or the stamp is wrong. If it is the stamp, nobody knows
//! how old the version is, and an older clean one must not pass for the newer. So it counts as the newest, like one whose stamp cannot be read, until a
//! version that is not broken itself shows which of the two was wrong:
//!
//! - the event was, where such a version says that it had happened by the stamp (plus the tolerance);
//! - the milestone was, where one that was recorded later reports the same milestone, as of before its own stamp.
//!
//! A version without a stamp is older than those with one, unless it reports what happened after their stamps: then it cannot be. Nobody knows by how much it is newer, and it
//! stands with the last version that was stamped before, as one of the same instant: it counts where it says all that the other says, and contradicts it otherwise.
//!
//! From when on that version is known the contradicted one is older than it. What became of its parent since makes no difference: it was known before. One that says nothing of the milestone does not tell: it may be from before.

use std::collections::BTreeSet;

use super::version::Version;
use crate::contract::TableContract;

/// Gives each version of a key whose stamp contradicts itself its place among the others, as its stamp or as that of the version that settles it.
pub(super) fn place_contradicted(table: &TableContract, versions: &mut [Version], tolerance_micros: i64) {
    let event = table.visibility.event();
    let placed: Vec<(usize, Option<i64>)> = versions
        .iter()
        .enumerate()
        .filter(|(_, version)| !version.precedes.is_empty())
        .filter_map(|(at, version)| Some((at, version, version.recorded?)))
        .map(|(at, version, recorded)| {
            let telling = || versions.iter().filter(|other| !other.is_broken_itself());
            let mut settled_at = version.precedes.iter().map(|name| {
                let by = |other: &Version| {
                    let time = *other.times.get(name)?;
                    if event == Some(*name) {
                        (time <= recorded.saturating_add(tolerance_micros))
                            .then_some(other.recorded.unwrap_or(recorded))
                    } else {
                        other.recorded.filter(|later| *later > recorded && time <= *later)
                    }
                };
                telling().filter_map(by).min()
            });
            let last = settled_at.try_fold(recorded, |last, settled| {
                settled.map(|settled| if settled > recorded { last.max(settled - 1) } else { last })
            });
            (at, last)
        })
        .collect();
    for (at, recorded) in placed {
        if let Some(version) = versions.get_mut(at) {
            match recorded {
                Some(recorded) => version.recorded = Some(recorded),
                None => version.is_recorded_unreadable = true,
            }
        }
    }
}

/// Gives each version of a key without a stamp that reports something later than another's the place of the last such version. `until`: what happens from then on, in UTC
/// microseconds, nobody has seen.
///
/// Returns the versions as whoever looks back finds them: until such a version has reported something later than another's it is the oldest, so that it stands once in each place,
/// and in each says what it said by then. `None` where nothing is moved.
pub(super) fn place_unstamped(versions: &mut [Version], tolerance_micros: i64, until: i64) -> Option<Vec<Version>> {
    let places: Vec<Vec<(i64, i64)>> =
        versions.iter().map(|version| places(version, versions, tolerance_micros, until)).collect();
    if places.iter().all(Vec::is_empty) {
        return None;
    }
    let past = versions.iter().zip(&places).flat_map(|(version, places)| in_each_place(version, places)).collect();
    for (version, places) in versions.iter_mut().zip(places) {
        version.recorded = version.recorded.or(places.last().map(|(stamp, _)| *stamp));
    }
    Some(past)
}

/// A version as it stood before the first of its places, and in each.
fn in_each_place(version: &Version, places: &[(i64, i64)]) -> Vec<Version> {
    let ends = places.iter().map(|(_, since)| Some(*since)).chain([None]);
    let begins = [None].into_iter().chain(places.iter().copied().map(Some));
    let stood = |(place, ends): (Option<(i64, i64)>, Option<i64>)| {
        let mut then = version.clone();
        if let Some((stamp, since)) = place {
            then.recorded = Some(stamp);
            then.known = version.known.max(since);
            then.since = Some(since);
        }
        if let Some(ends) = ends {
            then.cells.iter_mut().for_each(|cell| *cell = cell.take().filter(|cell| cell.seen_from < ends));
        }
        then
    };
    begins.zip(ends).map(stood).collect()
}

/// The stamps with which a version without one comes to stand, one after the other, each with the time that it reports from which on it cannot be older.
fn places(version: &Version, versions: &[Version], tolerance_micros: i64, until: i64) -> Vec<(i64, i64)> {
    let mut places: Vec<(i64, i64)> = Vec::new();
    if version.recorded.is_some() || version.is_recorded_unreadable {
        return places;
    }
    let reported: BTreeSet<i64> = version.times.values().copied().filter(|time| *time < until).collect();
    for time in reported {
        let Some(latest) = time.checked_sub(tolerance_micros) else { continue };
        let stamps = versions.iter().filter_map(|other| other.recorded);
        let stamp = stamps.filter(|stamp| *stamp < latest).max();
        places.extend(
            stamp.filter(|stamp| places.last().is_none_or(|(last, _)| last < stamp)).map(|stamp| (stamp, time)),
        );
    }
    places
}
