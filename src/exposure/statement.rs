//! A merchant's account as officers and the loan service read it: a row of the published table `accounts`.

use serde::{Deserialize, Serialize};

use super::account::{Account, Owed};
use super::open_offer::OfferState;

/// Whether a merchant's debts are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DebtState {
    /// Every loan reconciles.
    Known,
    /// The loan book is absent, or a loan does not reconcile.
    Unknown,
    /// The lender keeps no loan book.
    NoLoanBook,
}

/// One merchant's account after tonight's decisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The merchant.
    pub merchant_id: String,
    /// Whether the debts are known.
    pub debt: DebtState,
    /// Principal not repaid; `None` where it is not known.
    pub owed_minor: Option<i64>,
    /// Loans that are not closed, or that may not be, sorted. The next night misses each that it does not see.
    pub open_loan_ids: Vec<String>,
    /// Loans that were repaid, for as long as they have to be sent again, sorted. The next night misses each that it does not see.
    pub closed_loan_ids: Vec<String>,
    /// What tonight's offers let the merchant draw.
    pub offered_minor: i64,
    /// What withdrawn and replaced offers of earlier nights still hold.
    pub held_minor: i64,
    /// What shipped, unconfirmed orders count for; `None` where they are not known.
    pub receivables_minor: Option<i64>,
    /// Orders that secure an open loan or an offer.
    pub pledged_orders: i64,
    /// What the guarantee groups allow the merchant to hold in offers; `None` for merchants in none, and where it is not known.
    pub group_allowance_minor: Option<i64>,
    /// Group loans of other members, which the merchant answers for.
    pub group_liability_minor: i64,
    /// Who stands behind the shop; `None` where its row names nobody.
    pub owner_id: Option<String>,
    /// Shops that share bounds with this one, itself included; `None` where it stands alone.
    pub owner_shops: Option<i64>,
    /// What these shops owed and could draw before tonight; `None` where it stands alone, and where it is not known.
    pub owner_committed_minor: Option<i64>,
}

impl Account {
    /// The account as it stands.
    #[must_use]
    pub fn statement(&self) -> Statement {
        let sum = |is_open: bool| {
            let counted = self.offers().iter().filter(|offer| (offer.state == OfferState::Open) == is_open);
            counted.fold(0_i64, |sum, offer| sum.saturating_add(offer.held_minor))
        };
        let most_shops = self.owner_shares().iter().max_by_key(|share| share.all.number);
        Statement {
            merchant_id: self.merchant_id.clone(),
            debt: match self.owed {
                Owed::NoLoanBook => DebtState::NoLoanBook,
                Owed::Known(_) => DebtState::Known,
                Owed::Unknown => DebtState::Unknown,
            },
            owed_minor: self.owed_minor(),
            open_loan_ids: self.open_loan_ids.clone(),
            closed_loan_ids: self.closed_loan_ids.clone(),
            offered_minor: sum(true),
            held_minor: sum(false),
            receivables_minor: self.receivables_minor(),
            pledged_orders: i64::try_from(self.pledged_orders().len()).unwrap_or(i64::MAX),
            group_allowance_minor: self.group.as_ref().and_then(|group| group.allowance_minor),
            group_liability_minor: self.group.as_ref().map_or(0, |group| group.liability_minor),
            owner_id: self.owners.as_ref().and_then(|owners| owners.owner_id.clone()),
            owner_shops: most_shops.map(|share| i64::from(share.all.number)),
            owner_committed_minor: most_shops.and_then(|share| share.all.committed_minor()),
        }
    }
}
