//! The history of one key: which of its versions was seen when, which is usable now, and since when none is.
//!
//! Versions of a key are ordered by the instant at which the source learnt of them, their `recorded_at` (none: first; one that cannot be
//! read, or that contradicts its own row as [`super::order`] says: last). Versions of one instant have no order. Of those the *fullest* counts: the one that says all that the others say and
//! perhaps more. Where there is none, two of them contradict each other (two amounts, two borrowers, or each has a cell that the
//! other lacks) and nobody can tell which is right: the key is not usable until a version of a later instant settles it. A version that is
//! broken itself counts after the sound ones of its instant, and makes the key unusable likewise.
//!
//! What contradicts depends on when one looks. Versions that differ only in a milestone contradict each other from the day on which
//! the later of the two milestones lies in the past; versions without `recorded_at` are known each from its own event. Until then the
//! fullest of what was known counts. As time goes on more cells and more versions are seen, and a version that is not the fullest never
//! becomes it; so the fullest just before the contradiction was the fullest on every day before.
//!
//! An earlier version is seen until the first version of a later instant is known, be that sound or broken, which is its
//! `superseded_at`; one that could never be seen is dropped. A version that is sound but whose parent broke is seen until the parent
//! did. A version that says the same as the one before it is a repetition, whatever its `recorded_at`: the first stays.

use std::collections::BTreeSet;

use super::parents::{ALWAYS, NEVER_ENDS};
use super::version::{Place, Version, some_time};

/// The rule of versions of one instant that contradict each other.
pub(crate) const VERSIONS_CONTRADICT: &str = "versions-contradict";

/// What became of the versions of one key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KeyHistory {
    /// Versions that could be seen at some instant, the latest first.
    pub seen: Vec<Seen>,
    /// The version that counts now; none where the key is not usable.
    pub usable: Option<Place>,
    /// Sound versions that contradict another of their instant, each content once, and which of the content columns shows it.
    pub contradicting: Vec<(Place, usize)>,
    /// Why the key was not usable, and is not where nothing repaired it.
    pub breaks: Vec<Break>,
}

/// A version that could be seen at some instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub place: Place,
    /// Since when, where its row does not say so itself ([`Version::since`]).
    pub since: Option<i64>,
    /// From when on it no longer is.
    pub until: Option<i64>,
}

/// One reason why a key was not usable for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Break {
    /// The broken version; none where sound ones contradict each other.
    pub place: Option<Place>,
    pub known_at: Option<i64>,
    /// When a version of a later instant, or a later one of the same, made the key usable again.
    pub repaired_at: Option<i64>,
}

/// What counts from an instant on: a version, or nothing.
struct Entry<'a> {
    version: Option<&'a Version>,
    known: i64,
    until: i64,
    /// Nothing that came later of the same instant can be used.
    is_broken: bool,
}

impl Entry<'_> {
    fn is_ever_seen(&self) -> bool {
        self.version.is_some() && self.until > self.known
    }

    fn repeats(&self, earlier: &Self) -> bool {
        // What is broken itself says nothing that could be repeated.
        let says_the_same = |own: &Version, earlier: &Version| own.cells == earlier.cells;
        self.until > ALWAYS
            && (self.is_broken, self.until) == (earlier.is_broken, earlier.until)
            && self.version.zip(earlier.version).is_some_and(|(own, earlier)| says_the_same(own, earlier))
    }
}

/// Where the versions of one instant stand.
struct Contradiction<'a> {
    /// The fullest just before; none where they contradicted each other from the start.
    before: Option<&'a Version>,
    since: i64,
}

impl KeyHistory {
    /// Of all versions of one key, ordered by their [`Version::instant`].
    pub fn of(versions: &[Version]) -> Self {
        let mut history = Self::default();
        let mut entries: Vec<Entry<'_>> = Vec::new();
        // For each break the number of entries up to the end of its instant.
        let mut breaks: Vec<(Option<Place>, i64, usize)> = Vec::new();
        for of_one_instant in versions.chunk_by(|a, b| a.instant() == b.instant()) {
            let (lost, saying): (Vec<&Version>, Vec<&Version>) =
                of_one_instant.iter().partition(|version| version.is_broken_itself());
            let contradiction = contradiction(&saying);
            if let Some(Contradiction { before, since }) = contradiction {
                let until = before.map_or(ALWAYS, |version| version.until.min(since));
                let (known, earlier) = match before {
                    Some(version) => fullest_first(&saying, version),
                    None => (since, Vec::new()),
                };
                entries.extend(earlier);
                entries.push(Entry { version: before, known, until, is_broken: true });
                history.contradicting.extend(contradicting(&saying));
                breaks.push((None, since, entries.len()));
            } else if let Some(fullest) = fullest(&saying, NEVER_ENDS) {
                let Version { until, is_broken, .. } = *fullest;
                let (known, earlier) = fullest_first(&saying, fullest);
                entries.extend(earlier);
                entries.push(Entry { version: Some(fullest), known, until, is_broken });
            }
            let after_saying = entries.len();
            entries.extend(lost.iter().map(|version| Entry {
                version: Some(version),
                known: version.known,
                until: ALWAYS,
                is_broken: true,
            }));
            let broken = of_one_instant.iter().filter(|version| version.is_broken);
            breaks.extend(broken.map(|version| (Some(version.place), version.breaks_at(), after_saying)));
        }
        history.breaks = breaks
            .into_iter()
            .map(|(place, known, later)| {
                let later = entries.get(later..).unwrap_or_default();
                let repaired_at = later.iter().filter(|entry| entry.is_ever_seen()).map(|entry| entry.known).min();
                Break { place, known_at: some_time(known), repaired_at }
            })
            .collect();
        let entries = without_repetitions(entries);
        let newest = entries.last().filter(|entry| !entry.is_broken);
        history.usable = newest.and_then(|entry| entry.version).map(|version| version.place);
        history.seen = seen(&entries);
        history
    }
}

/// The version that, of those known just after an instant, says all that the others say. Of several that say the same the first.
fn fullest<'a>(versions: &[&'a Version], instant: i64) -> Option<&'a Version> {
    let known = || versions.iter().copied().filter(|version| version.known <= instant);
    let most = known().min_by(|a, b| {
        let by_cells = b.seen_cells(instant).cmp(&a.seen_cells(instant));
        by_cells.then_with(|| (&a.cells, a.lineage).cmp(&(&b.cells, b.lineage)))
    })?;
    known().all(|version| version.is_part_of(most, instant)).then_some(most)
}

/// From when on the fullest version of an instant is known, and what counted before that: versions come to stand beside others only once they report something
/// ([`super::order::place_unstamped`]), and until then the fullest of the others counts, or nothing where these contradict each other.
fn fullest_first<'a>(versions: &[&'a Version], last: &'a Version) -> (i64, Vec<Entry<'a>>) {
    if versions.iter().all(|version| version.since.is_none()) {
        return (last.known, Vec::new());
    }
    let instants: BTreeSet<i64> = versions.iter().map(|v| v.known).filter(|instant| *instant <= last.known).collect();
    let mut entries: Vec<Entry<'a>> = Vec::new();
    for instant in instants {
        let version = fullest(versions, instant);
        if version.is_some_and(|version| version.place == last.place) {
            return (instant, entries);
        }
        let (until, is_broken) = version.map_or((ALWAYS, true), |version| (version.until, version.is_broken));
        entries.push(Entry { version, known: instant, until, is_broken });
    }
    (last.known, entries)
}

/// Since when versions of one instant, none of them broken itself, contradict each other.
fn contradiction<'a>(versions: &[&'a Version]) -> Option<Contradiction<'a>> {
    let first_known = versions.iter().map(|version| version.known).min()?;
    if fullest(versions, NEVER_ENDS).is_some() {
        return None;
    }
    // Nothing changes but when a version or a milestone becomes known.
    let cells = versions.iter().flat_map(|version| version.cells.iter().flatten()).map(|cell| cell.seen_from);
    let instants: BTreeSet<i64> = versions.iter().map(|version| version.known).chain(cells).collect();
    let instants: Vec<i64> = instants.into_iter().filter(|instant| *instant >= first_known).collect();
    let agreed = instants.partition_point(|instant| fullest(versions, *instant).is_some());
    let before = agreed.checked_sub(1).and_then(|last| instants.get(last)).and_then(|last| fullest(versions, *last));
    Some(Contradiction { before, since: instants.get(agreed).copied().unwrap_or(first_known) })
}

/// The sound ones of versions that contradict each other, the first of each content, with the first column of which two texts are there,
/// or else the first that only some fill in. None where the contradiction is with a version whose parent broke: that one is in quarantine,
/// and they count as replaced by it.
fn contradicting(versions: &[&Version]) -> Vec<(Place, usize)> {
    let mut sound: Vec<&Version> = versions.iter().copied().filter(|version| !version.is_broken).collect();
    if sound.is_empty() || fullest(&sound, NEVER_ENDS).is_some() {
        return Vec::new();
    }
    let texts = |column: usize| -> BTreeSet<Option<&str>> {
        sound.iter().map(|version| Some(version.cells.get(column)?.as_ref()?.text.as_str())).collect()
    };
    let columns = || 0..sound.first().map_or(0, |version| version.cells.len());
    let has_two_texts = |column: &usize| texts(*column).iter().flatten().count() > 1;
    let column = columns().find(has_two_texts).or_else(|| columns().find(|column| texts(*column).len() > 1));
    let column = column.unwrap_or(0);
    sound.sort_by(|a, b| (&a.cells, a.lineage).cmp(&(&b.cells, b.lineage)));
    sound.dedup_by(|later, first| later.cells == first.cells);
    sound.into_iter().map(|version| (version.place, column)).collect()
}

/// Each entry that says something else than the one before it.
fn without_repetitions(entries: Vec<Entry<'_>>) -> Vec<Entry<'_>> {
    let mut distinct: Vec<Entry<'_>> = Vec::with_capacity(entries.len());
    for entry in entries {
        if distinct.last().is_none_or(|before| !entry.repeats(before)) {
            distinct.push(entry);
        }
    }
    distinct
}

/// The versions that could be seen at some instant.
fn seen(entries: &[Entry<'_>]) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut next_known = NEVER_ENDS;
    for entry in entries.iter().rev() {
        let ends = next_known.min(entry.until);
        if let Some(version) = entry.version.filter(|_| ends > entry.known) {
            let until = (ends < NEVER_ENDS).then_some(ends);
            seen.push(Seen { place: version.place, since: version.since, until });
        }
        next_known = next_known.min(entry.known);
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::super::version::{Cell, EventFacts, RecordReferences};
    use super::*;

    /// A sound version known at an instant; each cell with the instant from which it is seen.
    fn version(at: usize, recorded: Option<i64>, known: i64, cells: &[Option<(&str, i64)>]) -> Version {
        let cell = |&(text, seen_from): &(&str, i64)| Cell { text: text.to_owned(), seen_from };
        Version {
            place: Place::Sound(at),
            key: vec!["k".to_owned()],
            is_recorded_unreadable: false,
            recorded,
            is_broken: false,
            cells: cells.iter().map(|c| c.as_ref().map(cell)).collect(),
            times: std::collections::BTreeMap::new(),
            precedes: BTreeSet::new(),
            known,
            since: None,
            until: NEVER_ENDS,
            lead: RecordReferences::default(),
            said: EventFacts::default(),
            lineage: (0, u32::try_from(at).unwrap()),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "a cell that is there, beside those that are not")]
    fn always(text: &str) -> Option<(&str, i64)> {
        Some((text, ALWAYS))
    }

    fn broken(version: Version, until: i64) -> Version {
        let Place::Sound(at) = version.place else { return version };
        Version { place: Place::Failing(at), is_broken: true, until, ..version }
    }

    fn places(history: &KeyHistory) -> Vec<(Place, Option<i64>)> {
        history.seen.iter().map(|seen| (seen.place, seen.until)).collect()
    }

    const A: Place = Place::Sound(0);
    const C: Place = Place::Sound(2);

    #[test]
    fn the_version_that_says_more_wins_and_equal_ones_are_repetitions() {
        let less = version(0, None, 5, &[always("x"), None]);
        let more = version(1, None, 5, &[always("x"), always("y")]);
        let again = version(2, None, 5, &[always("x"), always("y")]);
        for versions in [vec![less.clone(), more.clone(), again.clone()], vec![again, more, less]] {
            let history = KeyHistory::of(&versions);
            assert_eq!(history.usable, Some(Place::Sound(1)));
            assert_eq!(places(&history), [(Place::Sound(1), None)]);
            assert_eq!((history.contradicting, history.breaks), (vec![], vec![]));
        }
    }

    #[test]
    fn two_texts_of_one_cell_make_the_key_unusable_from_the_first_instant_until_a_later_version_settles_it() {
        let versions =
            [version(0, Some(5), 5, &[always("x"), always("1")]), version(1, Some(5), 5, &[always("x"), always("9")])];
        let history = KeyHistory::of(&versions);
        assert_eq!((history.usable, places(&history)), (None, vec![]));
        assert_eq!(history.contradicting, [(A, 1), (Place::Sound(1), 1)]);
        assert_eq!(history.breaks, [Break { place: None, known_at: Some(5), repaired_at: None }]);

        let [a, b] = versions;
        let settled = version(2, Some(8), 8, &[always("x"), always("9")]);
        let history = KeyHistory::of(&[a, b, settled]);
        assert_eq!((history.usable, places(&history)), (Some(C), vec![(C, None)]));
        assert_eq!(history.contradicting.len(), 2);
        assert_eq!(history.breaks, [Break { place: None, known_at: Some(5), repaired_at: Some(8) }]);
    }

    #[test]
    fn each_filling_in_what_the_other_lacks_contradicts_too() {
        let versions = [version(0, None, 5, &[always("x"), None]), version(1, None, 5, &[None, always("y")])];
        assert_eq!(KeyHistory::of(&versions).contradicting, [(Place::Sound(1), 0), (A, 0)]);
        // A third that says both is the fullest.
        let [a, b] = versions;
        let both = version(2, None, 5, &[always("x"), always("y")]);
        assert_eq!(KeyHistory::of(&[a, b, both]).usable, Some(C));
    }

    #[test]
    fn what_was_known_before_the_other_event_or_milestone_is_seen_until_then() {
        // Two events: the second version is known later.
        let history = KeyHistory::of(&[version(0, None, 5, &[always("5")]), version(1, None, 9, &[always("9")])]);
        assert_eq!((history.usable, places(&history)), (None, vec![(A, Some(9))]));
        // Two milestones: while only the earlier has passed, its version says more.
        let history = KeyHistory::of(&[
            version(0, None, 1, &[always("x"), Some(("5", 5))]),
            version(1, None, 1, &[always("x"), Some(("9", 9))]),
        ]);
        assert_eq!((history.usable, places(&history)), (None, vec![(A, Some(9))]));
        assert_eq!(history.breaks, [Break { place: None, known_at: Some(9), repaired_at: None }]);
        // A version recorded before that settles it before it begins.
        let history = KeyHistory::of(&[
            version(0, Some(1), 1, &[always("x"), Some(("5", 5))]),
            version(1, Some(1), 1, &[always("x"), Some(("9", 9))]),
            version(2, Some(3), 3, &[always("x"), Some(("7", 7))]),
        ]);
        assert_eq!((history.usable, places(&history)), (Some(C), vec![(C, None), (A, Some(3))]));
        assert_eq!(history.breaks, [Break { place: None, known_at: Some(9), repaired_at: Some(3) }]);
    }

    #[test]
    fn a_broken_version_of_the_instant_comes_last_and_a_parent_that_broke_ends_the_fullest() {
        let sound = version(0, Some(5), 5, &[always("x")]);
        let lost = broken(version(1, Some(5), 7, &[None]), ALWAYS);
        let history = KeyHistory::of(&[sound.clone(), lost]);
        assert_eq!((history.usable, places(&history)), (None, vec![(A, Some(7))]));
        let orphaned = broken(version(1, Some(5), 5, &[always("y")]), 9);
        let history = KeyHistory::of(&[sound, orphaned]);
        assert_eq!(
            (history.usable, places(&history)),
            (None, vec![]),
            "they contradict each other before the parent broke"
        );
        assert_eq!(history.contradicting, [], "the other is in quarantine for its parent");
        assert_eq!(history.breaks.len(), 2);
    }
}
