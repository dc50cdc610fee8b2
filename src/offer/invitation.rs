//! Invitations: offers to merchants who have not asked, the most valuable first, less a control group that is left alone.
//!
//! The control group is drawn by hash of the merchant and the campaign's name: a merchant stays in it, or out of it, for as long as the campaign
//! runs, whatever else changes. What the invited take up beyond what the control group takes up by itself is what inviting is worth.

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::decision::Offer;
use super::limit::CapName;
use crate::config::{ConfigError, ConfigFile, Key, Section, bounds};
use crate::domain::Hasher;

/// How invitations are made.
#[derive(Debug, Clone, PartialEq)]
pub struct InvitationTerms {
    /// Names the campaign; another name draws another control group.
    pub campaign: String,
    /// Share of merchants in the control group.
    pub control_share: f64,
}

/// Which group a merchant is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InvitationGroup {
    /// To be invited.
    Invite,
    /// Left alone, to compare with. An application is answered as anybody's.
    Control,
}

/// One offer that nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The merchant.
    pub merchant_id: String,
    /// The product.
    pub product: String,
    /// The offer.
    pub offer_id: String,
    /// The campaign.
    pub campaign: String,
    /// Invite or control.
    pub group: InvitationGroup,
    /// Place by value among all invitations, from 1; the control group has places too, so that both can be compared by rank.
    pub rank: i64,
    /// Interest of a full draw less funding, cost and expected loss, minor units.
    pub expected_profit_minor: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInvitations {
    campaign: Spanned<String>,
    control_share: Spanned<f64>,
}

impl RawInvitations {
    pub(super) fn check(&self, file: &ConfigFile) -> Result<InvitationTerms, ConfigError> {
        Ok(InvitationTerms {
            campaign: bounds::slug(file, &self.campaign, "campaign")?,
            control_share: bounds::unit(file, &self.control_share, "control_share")?,
        })
    }
}

pub(super) static INVITATION_KEYS: Section = Section {
    head: "[invitations]",
    doc: "Offers to merchants who have not asked are ranked by expected profit in `invitations.parquet`; a control group is left alone. `integrity uptake OUT` tells who \
          drew a loan after an invitation, against the control group.",
    keys: &[
        Key::new("campaign", "word", "\"summer-2025\"", "names the campaign; another name draws another control group")
            .range("a name"),
        Key::new("control_share", "number", "0.1", "share of merchants in the control group")
            .unit("share")
            .range("0 to 1"),
    ],
};

impl Invitation {
    /// The invitation to an offer, not yet ranked; `None` where the merchant asked: the answer goes to the applicant.
    #[must_use]
    pub fn of(terms: &InvitationTerms, offer: &Offer) -> Option<Self> {
        let is_unasked = offer.caps.iter().all(|cap| cap.name != CapName::Requested);
        is_unasked.then(|| Self {
            merchant_id: offer.merchant_id.clone(),
            product: offer.product.clone(),
            offer_id: offer.offer_id.clone(),
            campaign: terms.campaign.clone(),
            group: group_of(terms, &offer.merchant_id),
            rank: 0,
            expected_profit_minor: offer.expected_profit_minor(),
        })
    }

    /// Ranks all invitations of a night by expected profit, then by merchant and product.
    pub fn rank(all: &mut [Self]) {
        all.sort_by(|a, b| {
            let by_value = b.expected_profit_minor.cmp(&a.expected_profit_minor);
            by_value.then_with(|| (&a.merchant_id, &a.product).cmp(&(&b.merchant_id, &b.product)))
        });
        for (rank, invitation) in (1..).zip(all) {
            invitation.rank = rank;
        }
    }
}

fn group_of(terms: &InvitationTerms, merchant_id: &str) -> InvitationGroup {
    let mut hasher = Hasher::default();
    hasher.field(b"control group");
    hasher.field(terms.campaign.as_bytes());
    hasher.field(merchant_id.as_bytes());
    let digits: String = hasher.finish().to_string().chars().take(8).collect();
    let part = u32::from_str_radix(&digits, 16).map_or(0.0, |n| f64::from(n) / 4_294_967_296.0);
    if part < terms.control_share { InvitationGroup::Control } else { InvitationGroup::Invite }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_merchants_is_left_alone_and_stays_so() {
        let terms = |campaign: &str, control_share| InvitationTerms { campaign: campaign.to_owned(), control_share };
        let controls = |terms: &InvitationTerms| -> Vec<usize> {
            (0..10_000).filter(|n| group_of(terms, &format!("m{n}")) == InvitationGroup::Control).collect()
        };
        let spring = controls(&terms("spring", 0.1));
        assert!((900..1_100).contains(&spring.len()), "{}", spring.len());
        assert_eq!(spring, controls(&terms("spring", 0.1)));
        let larger = controls(&terms("spring", 0.2));
        assert!(spring.iter().all(|n| larger.contains(n)), "a larger group holds the smaller one");
        let summer = controls(&terms("summer", 0.1));
        let both = spring.iter().filter(|n| summer.contains(n)).count();
        assert!((50..170).contains(&both), "{both} in both of two campaigns");
        assert_eq!((controls(&terms("spring", 0.0)).len(), controls(&terms("spring", 1.0)).len()), (0, 10_000));
    }
}
