//! How an offered loan is repaid: the one place where the kinds are told apart.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::sales_share::SalesShare;

/// How an offered loan is repaid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repayment {
    /// All at the end.
    Bullet,
    /// Equal parts of principal, interest on what is left.
    EqualPrincipal,
    /// Equal payments.
    EqualInstalment,
    /// A share of each day's receipts, with a minimum per 60 days.
    SalesShare(SalesShare),
}

/// Its word in files and tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RepaymentKind {
    /// All at the end.
    Bullet,
    /// Equal parts of principal.
    EqualPrincipal,
    /// Equal payments.
    EqualInstalment,
    /// A share of each day's receipts.
    SalesShare,
}

impl Repayment {
    /// Its word.
    #[must_use]
    pub const fn kind(self) -> RepaymentKind {
        match self {
            Self::Bullet => RepaymentKind::Bullet,
            Self::EqualPrincipal => RepaymentKind::EqualPrincipal,
            Self::EqualInstalment => RepaymentKind::EqualInstalment,
            Self::SalesShare(_) => RepaymentKind::SalesShare,
        }
    }

    /// A word with the terms that go with it; `None` where a share of sales lacks them or another kind has them.
    #[must_use]
    pub const fn of(kind: RepaymentKind, share: Option<SalesShare>) -> Option<Self> {
        match (kind, share) {
            (RepaymentKind::Bullet, None) => Some(Self::Bullet),
            (RepaymentKind::EqualPrincipal, None) => Some(Self::EqualPrincipal),
            (RepaymentKind::EqualInstalment, None) => Some(Self::EqualInstalment),
            (RepaymentKind::SalesShare, Some(share)) => Some(Self::SalesShare(share)),
            _ => None,
        }
    }

    /// The terms of a share of sales.
    #[must_use]
    pub const fn sales_share(self) -> Option<SalesShare> {
        match self {
            Self::SalesShare(share) => Some(share),
            Self::Bullet | Self::EqualPrincipal | Self::EqualInstalment => None,
        }
    }
}

impl fmt::Display for RepaymentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
