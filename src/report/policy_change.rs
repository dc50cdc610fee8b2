//! What one policy makes of a merchant and product that another does not, and why.

use serde::Serialize;

use crate::offer::{CapName, Decision, Decline, Offer, RepaymentKind};

/// What changes for a merchant and product.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The merchant.
    pub merchant_id: String,
    /// The product.
    pub product: String,
    /// In one word.
    pub kind: ChangeKind,
    /// Limit before; null where there was no offer.
    pub limit_before_minor: Option<i64>,
    /// Limit after; null where there is no offer.
    pub limit_after_minor: Option<i64>,
    /// Daily rate before.
    pub rate_before_ppm: Option<i64>,
    /// Daily rate after.
    pub rate_after_ppm: Option<i64>,
    /// Days to the last instalment before.
    pub term_before_days: Option<u16>,
    /// Days to the last instalment after.
    pub term_after_days: Option<u16>,
    /// Probability of default; null for a merchant of whom nothing is known.
    pub pd_prob: Option<f64>,
    /// Why: the rules, caps or prices that differ.
    pub why: Vec<Cause>,
}

/// A change in one word. Where limit and price both change, the limit names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Is offered the product, and was not.
    Gains,
    /// Was offered the product, and is not.
    Loses,
    /// A larger limit.
    Larger,
    /// A smaller limit.
    Smaller,
    /// The same limit at a higher rate.
    Dearer,
    /// The same limit at a lower rate.
    Cheaper,
    /// The same limit and rate on other terms.
    OtherTerms,
}

/// What makes the difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "cause", rename_all = "kebab-case")]
pub enum Cause {
    /// A rule that one of the policies fails the merchant on.
    Rule {
        /// What it asks: a feature's name, or the rule's own.
        rule: String,
        /// What was observed; null where it is not known.
        observed: Option<f64>,
        /// The bound.
        threshold: Option<f64>,
    },
    /// The cap that binds, or whose absence leaves no loan.
    Cap {
        /// It binds before; null where no cap was reached, or its value is not known.
        before: Option<CapName>,
        /// Its value before.
        before_minor: Option<i64>,
        /// It binds after.
        after: Option<CapName>,
        /// Its value after.
        after_minor: Option<i64>,
    },
    /// The rate.
    Price {
        /// Before.
        before_ppm: i64,
        /// After.
        after_ppm: i64,
    },
    /// Term or repayment.
    Terms,
    /// One of the policies does not have the product.
    Product,
}

impl Cause {
    /// In a word or two: what it is counted under.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Rule { rule, .. } => format!("rule {rule}"),
            Self::Cap { before, after, .. } => match (before, after) {
                (Some(before), Some(after)) if before == after => format!("cap {after}"),
                (Some(before), Some(after)) => format!("cap {before} → {after}"),
                (Some(cap), None) | (None, Some(cap)) => format!("cap {cap}"),
                (None, None) => "cap".to_owned(),
            },
            Self::Price { .. } => "price".to_owned(),
            Self::Terms => "terms".to_owned(),
            Self::Product => "product".to_owned(),
        }
    }
}

/// The cap that binds among those of a decision: the least, or the first whose value is not known.
fn binding(caps: &[crate::offer::Cap]) -> (Option<CapName>, Option<i64>) {
    let unknown = caps.iter().find(|cap| cap.value_minor.is_none());
    let least = || caps.iter().filter_map(|cap| cap.value_minor.map(|value| (value, cap.name))).min();
    match unknown {
        Some(cap) => (Some(cap.name), None),
        None => least().map_or((None, None), |(value, name)| (Some(name), Some(value))),
    }
}

fn why_refused(decline: Option<&Decline>, offer: &Offer, is_before: bool) -> Vec<Cause> {
    let Some(decline) = decline else { return vec![Cause::Product] };
    if decline.failed.is_empty() {
        let (refused, granted) = (binding(&decline.caps), (Some(offer.binding_cap), binding(&offer.caps).1));
        let ((before, before_minor), (after, after_minor)) =
            if is_before { (refused, granted) } else { (granted, refused) };
        return vec![Cause::Cap { before, before_minor, after, after_minor }];
    }
    let rule =
        |v: &crate::offer::Verdict| Cause::Rule { rule: v.rule.clone(), observed: v.observed, threshold: v.threshold };
    decline.failed.iter().map(rule).collect()
}

/// What changes for one merchant and product; `None` where nothing does.
pub(super) fn change(
    merchant_id: &str,
    product: &str,
    pd_prob: Option<f64>,
    before: &Decision,
    after: &Decision,
) -> Option<Change> {
    let offer = |decision: &'_ Decision| decision.offers.iter().find(|o| o.product == product).cloned();
    let decline = |decision: &'_ Decision| decision.declines.iter().find(|d| d.product == product).cloned();
    let (old, new) = (offer(before), offer(after));
    let (kind, why) = match (&old, &new) {
        (None, None) => return None,
        (None, Some(new)) => (ChangeKind::Gains, why_refused(decline(before).as_ref(), new, true)),
        (Some(old), None) => (ChangeKind::Loses, why_refused(decline(after).as_ref(), old, false)),
        (Some(old), Some(new)) => between(old, new)?,
    };
    Some(Change {
        merchant_id: merchant_id.to_owned(),
        product: product.to_owned(),
        kind,
        limit_before_minor: old.as_ref().map(|o| o.limit_minor),
        limit_after_minor: new.as_ref().map(|o| o.limit_minor),
        rate_before_ppm: old.as_ref().map(|o| o.daily_rate_ppm),
        rate_after_ppm: new.as_ref().map(|o| o.daily_rate_ppm),
        term_before_days: old.as_ref().map(|o| o.term_days),
        term_after_days: new.as_ref().map(|o| o.term_days),
        pd_prob,
        why,
    })
}

/// What a borrower would see as other terms.
fn terms_of(offer: &Offer) -> (u16, RepaymentKind, Option<i64>, Option<i64>) {
    (offer.term_days, offer.repayment, offer.sales_share_ppm, offer.min_per_60_days_ppm)
}

fn between(old: &Offer, new: &Offer) -> Option<(ChangeKind, Vec<Cause>)> {
    let mut why = Vec::new();
    if old.limit_minor != new.limit_minor {
        why.push(Cause::Cap {
            before: Some(old.binding_cap),
            before_minor: binding(&old.caps).1,
            after: Some(new.binding_cap),
            after_minor: binding(&new.caps).1,
        });
    }
    if old.daily_rate_ppm != new.daily_rate_ppm {
        why.push(Cause::Price { before_ppm: old.daily_rate_ppm, after_ppm: new.daily_rate_ppm });
    }
    if terms_of(old) != terms_of(new) {
        why.push(Cause::Terms);
    }
    let kind = match (new.limit_minor.cmp(&old.limit_minor), new.daily_rate_ppm.cmp(&old.daily_rate_ppm)) {
        (std::cmp::Ordering::Greater, _) => ChangeKind::Larger,
        (std::cmp::Ordering::Less, _) => ChangeKind::Smaller,
        (_, std::cmp::Ordering::Greater) => ChangeKind::Dearer,
        (_, std::cmp::Ordering::Less) => ChangeKind::Cheaper,
        _ => ChangeKind::OtherTerms,
    };
    (!why.is_empty()).then_some((kind, why))
}
