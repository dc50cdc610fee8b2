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
pub(super) fn place_unstamped(versions: &mut [Version], tolerance_micros: i64, until: i64) {
    let stamps: Vec<i64> = versions.iter().filter_map(|version| version.recorded).collect();
    for version in versions.iter_mut().filter(|version| version.recorded.is_none() && !version.is_recorded_unreadable) {
        let reported = version.times.values().copied().filter(|time| *time < until).max();
        let Some(latest) = reported.and_then(|time| time.checked_sub(tolerance_micros)) else { continue };
        version.recorded = stamps.iter().copied().filter(|stamp| *stamp < latest).max();
    }
}
