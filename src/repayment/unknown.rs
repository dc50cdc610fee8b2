//! Loans of which nothing is known, and why.

use std::borrow::Cow;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::remembered::RememberedLoan;

/// A loan whose books do not agree. What it owes and how late it is are not known, which is not nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnknownLoan {
    /// The borrower.
    pub merchant_id: String,
    /// The loan; `None` for rows that lead to a borrower, but to none of its loans.
    pub loan_id: Option<String>,
    /// Its product, where a sound row says so.
    pub product: Option<String>,
    /// What was lent, where a sound row says so.
    pub principal_minor: Option<i64>,
    /// The guarantee group that is jointly liable, where a sound row says so.
    pub group_id: Option<String>,
    /// Every reason; never empty.
    pub causes: Causes,
}

/// Why a loan is not known: every reason once, in the order in which they were found. Two records may say the same of a loan: a broken row that
/// was sent again, and its first version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Causes(Vec<UnknownCause>);

impl Causes {
    /// Adds a reason, unless it is there already.
    pub fn add(&mut self, cause: UnknownCause) {
        if !self.0.contains(&cause) {
            self.0.push(cause);
        }
    }
}

impl Deref for Causes {
    type Target = [UnknownCause];

    fn deref(&self) -> &[UnknownCause] {
        &self.0
    }
}

impl Extend<UnknownCause> for Causes {
    fn extend<T: IntoIterator<Item = UnknownCause>>(&mut self, causes: T) {
        causes.into_iter().for_each(|cause| self.add(cause));
    }
}

impl FromIterator<UnknownCause> for Causes {
    fn from_iter<T: IntoIterator<Item = UnknownCause>>(causes: T) -> Self {
        let mut all = Self::default();
        all.extend(causes);
        all
    }
}

/// One reason why a loan is not known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnknownCause {
    /// Stable kebab-case code; [`super::reconcile`] lists them.
    pub code: Cow<'static, str>,
    /// In words, with the numbers.
    pub detail: String,
}

impl UnknownLoan {
    /// A loan that the night before remembered and of which tonight nothing is sent.
    pub(super) fn missing(loan: &RememberedLoan) -> Self {
        let detail = "the night before knew the loan, and tonight no row shows it under this borrower; send its row again, or name it in \
                      no_longer_sent, or whose it is in borrower_corrected, under [ledger] of the monitor file";
        Self {
            merchant_id: loan.merchant_id.clone(),
            loan_id: Some(loan.loan_id.clone()),
            product: loan.product.clone(),
            principal_minor: loan.principal_minor,
            group_id: loan.group_id.clone(),
            causes: Causes::from_iter([UnknownCause::new("loan-missing", detail)]),
        }
    }
}

impl UnknownLoan {
    /// Adds what was known of the loan and no row of tonight says.
    pub(super) fn fill_in(&mut self, before: &RememberedLoan) {
        let said = |tonight: &mut Option<String>, then: &Option<String>| {
            if tonight.is_none() {
                tonight.clone_from(then);
            }
        };
        said(&mut self.product, &before.product);
        said(&mut self.group_id, &before.group_id);
        self.principal_minor = self.principal_minor.or(before.principal_minor);
    }
}

impl UnknownCause {
    pub(super) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code: Cow::Borrowed(code), detail: detail.into() }
    }

    /// An earlier night knew the loan under another merchant.
    pub(super) fn borrower_changed(before: &str) -> Self {
        let detail = format!(
            "an earlier night knew it as a loan of {before:?}; send its row as it was, or name the loan and whose it is in borrower_corrected under \
             [ledger] of the monitor file"
        );
        Self::new("borrower-changed", detail)
    }

    /// A loan that a group answers for, and that names no group.
    pub(super) fn group_not_named() -> Self {
        let detail =
            "it is a loan that a guarantee group answers for, and its row names no group: nobody would answer for it";
        Self::new("group-not-named", detail.to_owned())
    }

    /// The loan names an offer that another merchant was made.
    pub(super) fn offer_of_another(offer_id: &str) -> Self {
        Self::new(OFFER_OF_ANOTHER, format!("it names offer {offer_id:?}, which was made to another merchant"))
    }

    /// The offer that the loan names was made to this merchant, and its row is another's (`said`) or nobody's.
    pub(super) fn drawn_under_another(offer_id: &str, said: Option<&str>) -> Self {
        let whose = said.map_or_else(|| "of no merchant that is known".to_owned(), |said| format!("of {said:?}"));
        let detail = format!(
            "{} it is a loan {whose}; send its row with its borrower, or with the offer that was drawn, or say in borrower_corrected under \
             [ledger] of the monitor file that it is its row's merchant's",
            Self::of_own_offer(offer_id)
        );
        Self::new(DRAWN_UNDER_ANOTHER, detail)
    }

    /// How the words of [`Self::drawn_under_another`] begin.
    pub(super) fn of_own_offer(offer_id: &str) -> String {
        format!("it names offer {offer_id:?}, which was made to this merchant, and by its row")
    }

    /// More was drawn on the loan's offer than that was made over.
    pub(super) fn draw_above_offer(detail: impl Into<String>) -> Self {
        Self::new(DRAW_ABOVE_OFFER, detail)
    }

    /// A row that washing set aside: of a loan, or an application for one.
    pub(super) fn broken(table: &str, key: Option<&str>, rule: &str) -> Self {
        let (code, what) = match table {
            "loans" => ("broken-loan", "the loan's own row"),
            "instalments" => ("broken-instalment", "an instalment"),
            "applications" => ("broken-application", "an application that leads to no merchant"),
            _ => ("broken-payment", "a payment"),
        };
        let key = key.map_or_else(|| "without a readable key".to_owned(), |key| format!("{key:?}"));
        Self::new(code, format!("{what} ({key}) is in quarantine: it breaks {rule}"))
    }
}

/// Whether a code is that of [`UnknownCause::broken`].
#[must_use]
pub fn is_broken_row_code(code: &str) -> bool {
    ["broken-loan", "broken-instalment", "broken-application", "broken-payment"].contains(&code)
}

/// The code of a loan that names an offer made to another merchant.
pub(super) const OFFER_OF_ANOTHER: &str = "offer-of-another-merchant";

/// The code of a loan that draws on a merchant's offer under another borrower.
pub(super) const DRAWN_UNDER_ANOTHER: &str = "drawn-under-another";

/// The code of a loan on which one payment may count twice.
pub(super) const PAYMENT_REPEATED: &str = "payment-repeated";

/// The code of a loan on whose offer more was drawn than may be.
pub(super) const DRAW_ABOVE_OFFER: &str = "draw-above-offer";

/// A line of the officers' list: one cause of one loan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LoanException {
    /// The borrower; `None` where no row leads to one.
    pub merchant_id: Option<String>,
    /// The loan; `None` where no row leads to one.
    pub loan_id: Option<String>,
    /// Its product, where a sound row says so.
    pub product: Option<String>,
    /// Why it is not known, or what is odd about it; a code of [`UnknownCause`].
    pub code: String,
    /// In words, with the numbers.
    pub detail: String,
    /// What was lent, where a sound row says so.
    pub principal_minor: Option<i64>,
    /// Whether this leaves the loan unknown. Otherwise its books agree, and an officer is told.
    pub is_unknown: bool,
}
