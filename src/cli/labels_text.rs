//! The labels of every snapshot as text: `integrity check --train`.

use std::fmt::{Result, Write};

use crate::domain::grouped;
use crate::run::{LabelSurvey, Labels, Part, SnapshotLabels, SuggestedSettings, write_table};

/// Writes counts, findings, and what would do.
pub fn write(survey: &LabelSurvey, out: &mut String) -> Result {
    writeln!(out, "  labels     {} within {} days after each snapshot", survey.label.name(), survey.performance_days)?;
    let head = ["snapshot", "until", "used for", "merchants", "good", "bad", "unknown", "receipts known", "by outcome"];
    write_table(out, &head, &survey.snapshots.iter().map(row).collect::<Vec<_>>())?;
    writeln!(out, "  to learn   {}", survey.train)?;
    writeln!(out, "  to measure {}", survey.test)?;
    for finding in &survey.findings {
        writeln!(out, "             {}: {}", finding.what.name(), finding.why)?;
    }
    for settings in &survey.would_do {
        writeln!(out, "  would do   {}", proposal(survey, settings))?;
    }
    if survey.would_do.is_empty() && !survey.tried.is_empty() {
        writeln!(out, "  would do   nothing that was tried: more history, or another outcome, is needed. Tried:")?;
        for tried in &survey.tried {
            writeln!(
                out,
                "             {} within {} days, {} snapshots back: {}",
                tried.label.name(),
                tried.performance_days,
                tried.snapshots,
                tried.labels
            )?;
        }
    }
    Ok(())
}

fn row(snapshot: &SnapshotLabels) -> Vec<String> {
    let part = match snapshot.part {
        Part::Train => "learning",
        Part::Purged => "nothing",
        Part::Test => "the test",
    };
    let Labels { merchants, good, bad, unknown, with_receipts, .. } = snapshot.labels;
    let outcomes: Vec<String> = snapshot.outcomes.iter().map(|(why, n)| format!("{why} {}", grouped(*n))).collect();
    let counts = [merchants, good, bad, unknown, with_receipts].map(grouped);
    [snapshot.as_of.to_string(), snapshot.until.to_string(), part.to_owned()]
        .into_iter()
        .chain(counts)
        .chain([outcomes.join(" · ")])
        .collect()
}

/// The settings as the job file has them, those alone that would have to change.
fn proposal(survey: &LabelSurvey, settings: &SuggestedSettings) -> String {
    let own = (survey.snapshots.len(), survey.snapshots.iter().filter(|s| s.part == Part::Test).count());
    let mut keys = Vec::new();
    if settings.label != survey.label {
        keys.push(format!("label = \"{}\"", settings.label.name()));
    }
    if settings.performance_days != survey.performance_days {
        keys.push(format!(
            "performance_days = {0} and, in the policy, pd_horizon_days = {0}",
            settings.performance_days
        ));
    }
    if let Some(days) = settings.before_days {
        keys.push(format!(
            "before_days = {days} under [label], since its outcome compares the days after a snapshot with those before it (counted here without that: check again)"
        ));
    }
    if usize::from(settings.snapshots) != own.0 {
        keys.push(format!("snapshots = {}", settings.snapshots));
    }
    if usize::from(settings.test_snapshots) != own.1 {
        keys.push(format!("test_snapshots = {}", settings.test_snapshots));
    }
    let doubt = if settings.is_test_small { " (trains, but so small a test may approve no model)" } else { "" };
    format!("{}: to learn {}; to measure {}{doubt}", keys.join(", "), settings.train, settings.test)
}
