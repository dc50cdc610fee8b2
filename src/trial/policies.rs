//! Policies derived from the job's own.

use crate::domain::Probability;
use crate::offer::Policy;

/// The policy without its refusals: no eligibility rule, every band served at the dearest rate that the product asks of any, and no floor for
/// expected loss. Limits, terms and whatever the code always asks stay as they are. The lender who knows the truth lends under it.
pub(super) fn without_refusals(policy: &Policy) -> Policy {
    let mut open = policy.clone();
    open.rules.clear();
    open.price.loss_given_default_prob = Probability::ZERO;
    for product in &mut open.products {
        let Some(dearest) = product.daily_rate_ppm.values().copied().max_by_key(|rate| rate.ppm()) else { continue };
        for band in &open.bands {
            product.daily_rate_ppm.entry(band.clone()).or_insert(dearest);
        }
    }
    open
}

/// For each band that any product serves, safest first: its name, and the policy that serves no band beyond it.
pub(super) fn cut_off_after_each_band(policy: &Policy) -> Vec<(String, Policy)> {
    let is_served = |band: &&String| policy.products.iter().any(|p| p.daily_rate_ppm.contains_key(*band));
    let served: Vec<&String> = policy.bands.iter().filter(is_served).collect();
    let cut = |(at, band): (usize, &&String)| {
        let kept = served.get(..=at).unwrap_or(&served);
        let mut policy = policy.clone();
        for product in &mut policy.products {
            product.daily_rate_ppm.retain(|name, _| kept.contains(&name));
        }
        ((*band).clone(), policy)
    };
    served.iter().enumerate().map(cut).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn demo() -> Policy {
        Policy::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/demo/policy.toml")).unwrap()
    }

    #[test]
    fn without_refusals_nothing_but_refusals_has_changed() {
        let (own, open) = (demo(), without_refusals(&demo()));
        assert!(open.rules.is_empty() && !own.rules.is_empty());
        for (own, open) in own.products.iter().zip(&open.products) {
            for (band, rate) in &own.daily_rate_ppm {
                assert_eq!(open.daily_rate_ppm.get(band), Some(rate));
            }
            assert_eq!(open.daily_rate_ppm.len(), demo().bands.len());
            assert_eq!(
                (&own.caps, own.term_days, own.min_limit_minor),
                (&open.caps, open.term_days, open.min_limit_minor)
            );
        }
    }

    #[test]
    fn each_cut_serves_one_band_more_and_the_last_is_the_policy() {
        let cuts = cut_off_after_each_band(&demo());
        let names: Vec<&str> = cuts.iter().map(|(band, _)| band.as_str()).collect();
        assert_eq!(names, ["A", "B", "C", "D", "E", "F"]);
        for (at, (_, policy)) in cuts.iter().enumerate() {
            assert!(policy.products.iter().all(|p| p.daily_rate_ppm.len() <= at + 1));
        }
        assert_eq!(cuts.last().map(|(_, policy)| policy.products.clone()), Some(demo().products));
    }
}
