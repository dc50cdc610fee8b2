//! What another policy would change, for a terminal.

use std::fmt::{Result, Write};

use super::policy_change::{Change, ChangeKind};
use super::policy_diff::{PolicyDiff, PolicyName};
use super::policy_optimum::optimisation_text;
use crate::domain::{Money, grouped};

/// Merchants listed by name; all of them are in the JSON.
const LISTED: usize = 20;

/// The comparison as text: totals by product, then the changes of most money.
#[must_use]
pub fn policy_diff_text(diff: &PolicyDiff) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut text, diff);
    text
}

const fn word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Gains => "gain",
        ChangeKind::Loses => "lose",
        ChangeKind::Larger => "larger",
        ChangeKind::Smaller => "smaller",
        ChangeKind::Dearer => "dearer",
        ChangeKind::Cheaper => "cheaper",
        ChangeKind::OtherTerms => "other terms",
    }
}

fn write(out: &mut String, diff: &PolicyDiff) -> Result {
    let money = |minor: i64| match diff.currency {
        Some(currency) => Money::new(minor, currency).to_string(),
        None => format!("{minor} minor units"),
    };
    writeln!(out, "run {} as of {}: {} merchants decided again", diff.run_id, diff.as_of, grouped(diff.merchants))?;
    write_policy(out, "before", &diff.before)?;
    write_policy(out, "after", &diff.after)?;
    if diff.before_differs_from_published > 0 {
        writeln!(
            out,
            "  note       \"before\" is not the policy of this run: {} offers differ from what was published",
            grouped(diff.before_differs_from_published)
        )?;
    }
    for (when, found) in [("before", &diff.optimisation_before), ("after", &diff.optimisation_after)] {
        if let (Some(found), Some(currency)) = (found, diff.currency) {
            write!(out, "  {when}:\n{}", optimisation_text(found, currency))?;
        }
    }
    for (product, totals) in &diff.products {
        let changes: Vec<String> =
            totals.changes.iter().map(|(k, n)| format!("{} {}", word(*k), grouped(*n))).collect();
        let causes: Vec<String> = totals.causes.iter().map(|(cause, n)| format!("{cause} {}", grouped(*n))).collect();
        let none = |list: Vec<String>| if list.is_empty() { "nothing".to_owned() } else { list.join(" · ") };
        writeln!(
            out,
            "  {product:<10} {} → {} offers, {} → {} in all",
            grouped(totals.offers_before),
            grouped(totals.offers_after),
            money(totals.limit_before_minor),
            money(totals.limit_after_minor)
        )?;
        writeln!(out, "             changes: {}", none(changes))?;
        writeln!(out, "             because of: {}", none(causes))?;
    }
    let mut changes: Vec<&Change> = diff.changes.iter().collect();
    let moved = |c: &Change| (c.limit_after_minor.unwrap_or(0) - c.limit_before_minor.unwrap_or(0)).abs();
    changes.sort_by_key(|c| std::cmp::Reverse(moved(c)));
    for change in changes.iter().take(LISTED) {
        let side = |limit: Option<i64>, rate: Option<i64>| match (limit, rate) {
            (Some(limit), Some(rate)) => format!("{} at {rate} ppm", money(limit)),
            _ => "none".to_owned(),
        };
        let why: Vec<String> = change.why.iter().map(super::policy_change::Cause::name).collect();
        writeln!(
            out,
            "  {} {} {}: {} → {}; {}",
            change.merchant_id,
            change.product,
            word(change.kind),
            side(change.limit_before_minor, change.rate_before_ppm),
            side(change.limit_after_minor, change.rate_after_ppm),
            why.join(", ")
        )?;
    }
    if diff.changes.len() > LISTED {
        writeln!(out, "  … and {} more (--format json)", grouped((diff.changes.len() - LISTED) as u64))?;
    }
    Ok(())
}

fn write_policy(out: &mut String, which: &str, policy: &PolicyName) -> Result {
    write!(out, "  {which:<10} {}", policy.file)?;
    match &policy.approval {
        Some(a) => write!(out, ": {}, approved by {}, holds from {}", a.version, a.approved_by, a.holds_from)?,
        None => write!(out, ": no approval")?,
    }
    writeln!(out, "{}", if policy.holds { "" } else { " (not yet on this date)" })
}
