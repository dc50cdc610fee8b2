//! What deciding needs of a shard beside its features: taken while the shard is in memory, kept until what crosses merchants is known.

use std::collections::BTreeMap;

use polars::prelude::PolarsError;

use serde::{Deserialize, Serialize};

use super::population::Seen;
use super::receipts;
use super::scenarios::ScenarioShard;
use crate::exposure::{
    AccountTerms, AccountsBefore, BrokenShare, ExposureError, ShardAccounts, ShopStanding, broken_shares,
    shard_accounts,
};
use crate::features::{FeatureConfig, FeatureError};
use crate::model::ability::ReceiptHistory;
use crate::monitor::{Pledges, StatesBefore};
use crate::offer::CasePlace;
use crate::repayment::{LoanLedger, RememberedLoan};
use crate::scenario::{PastTrade, RememberedRows};
use crate::store::Shard;
use crate::tiles::Views;

/// A shard whose facts could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// Accounts.
    #[error(transparent)]
    Exposure(#[from] ExposureError),
    /// Receipts.
    #[error(transparent)]
    Receipts(#[from] FeatureError),
    /// A column is missing or of another type.
    #[error("read {table} to decide on credit: {source}")]
    Frame {
        /// View or table.
        table: &'static str,
        /// The frame library's own words.
        source: PolarsError,
    },
}

/// Periods of receipts, of 30 days each, over which shops of one owner are compared.
const PERIODS_OF_A_YEAR: usize = 12;

/// One merchant's facts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct MerchantFacts {
    /// The shop was closed.
    pub is_closed: bool,
    /// An order or a loan of the merchant can be seen.
    pub has_evidence: bool,
    /// What the merchant sells.
    pub category: Option<String>,
    /// Where the shop is.
    pub region: Option<String>,
    /// The table of which the largest share of the merchant's rows is broken.
    pub broken_records: Option<BrokenShare>,
    /// Trade of days past that the night before did not know; `None` where there is none.
    pub past_trade: Option<PastTrade>,
    /// What came in before tonight; `None` where it is not known.
    pub receipts: Option<ReceiptHistory>,
}

impl MerchantFacts {
    /// Where the merchant stands in the portfolio.
    pub fn place(&self) -> CasePlace {
        CasePlace { category: self.category.clone(), region: self.region.clone() }
    }
}

/// Which receipts ability looks at.
#[derive(Clone, Copy)]
pub struct ReceiptMeasure<'a> {
    /// Where the measure is declared.
    pub features: &'a FeatureConfig,
    /// The measure of net receipts.
    pub measure: &'a str,
    /// Horizons of the model, in days.
    pub horizons: &'a [u16],
}

/// A shard's facts.
#[derive(Serialize, Deserialize)]
pub struct ShardFacts {
    /// By merchant; every merchant that can be seen has an entry.
    pub merchants: BTreeMap<String, MerchantFacts>,
    /// What is owed, offered, pledged and asked for.
    pub accounts: ShardAccounts,
    /// The loan book; `None` where there is none tonight.
    pub ledger: Option<LoanLedger>,
    /// What has become of the orders that secure loans; `None` without a loan book.
    pub pledges: Option<Pledges>,
    /// What the next night compares loans with.
    pub remembered: Vec<RememberedLoan>,
    /// Rows of trade that the next night has to see.
    pub remembered_rows: Vec<RememberedRows>,
    /// Merchants with broken records, as these might be read.
    pub scenarios: Vec<ScenarioShard>,
    /// Disputes that count for nothing because somebody else than the order's buyer opened them.
    pub disputes_of_others: u64,
}

impl ShardFacts {
    /// Takes them. `states` are those of the night before.
    ///
    /// # Errors
    /// A table without the columns that it needs.
    pub fn of(
        seen: &Seen<'_>,
        before: AccountsBefore<'_>,
        terms: &AccountTerms<'_>,
        receipts: &ReceiptMeasure<'_>,
        states: &StatesBefore,
    ) -> Result<Self, FactsError> {
        let mut merchants: BTreeMap<String, MerchantFacts> =
            seen.views.merchants.ids().iter().map(|id| (id.clone(), MerchantFacts::default())).collect();
        merchant_rows(seen.shard, &mut merchants)?;
        mark_evidence(seen.views, &mut merchants);
        for (merchant, share) in broken_shares(seen.shard)? {
            if let Some(facts) = merchants.get_mut(&merchant) {
                facts.broken_records = Some(share);
            }
        }
        for row in seen.remembered_rows {
            if let Some(facts) = merchants.get_mut(&row.merchant_id) {
                facts.past_trade = PastTrade::of(row);
            }
        }
        let ReceiptMeasure { features, measure, horizons } = *receipts;
        for (merchant, history) in receipts::histories(seen.views, features, measure, horizons)? {
            if let Some(facts) = merchants.get_mut(&merchant) {
                facts.receipts = Some(history);
            }
        }
        let standing = |merchant: &str| {
            let history = merchants.get(merchant).and_then(|facts: &MerchantFacts| facts.receipts.as_ref());
            let state = states.of(merchant);
            ShopStanding {
                receipts_minor: history.map_or(0, |history| history.sum_minor(PERIODS_OF_A_YEAR)),
                is_refused: state.is_some_and(|row| row.state.is_of_default()),
                most_minor: state.and_then(|row| row.most_minor),
                is_closed: merchants.get(merchant).is_some_and(|facts| facts.is_closed),
            }
        };
        let accounts = shard_accounts(seen.shard, seen.bucket, seen.views, before, terms, standing)?;
        let ledger = seen.views.ledger.clone();
        let pledges = ledger.as_ref().map(|ledger| Pledges::of(seen.shard, ledger)).transpose();
        let pledges = pledges.map_err(|source| FactsError::Frame { table: "orders", source })?;
        let remembered = match &ledger {
            Some(ledger) => ledger.to_remember(seen.bucket, before.loans, seen.shard.as_of.date()),
            // Nothing is seen of any loan: all is to be seen again another night.
            None => before.loans.loans_in(seen.bucket).cloned().collect(),
        };
        Ok(Self {
            merchants,
            accounts,
            ledger,
            pledges,
            remembered,
            remembered_rows: seen.remembered_rows.to_vec(),
            scenarios: Vec::new(),
            disputes_of_others: seen.views.disputes_of_others,
        })
    }
}

fn merchant_rows(shard: &Shard, merchants: &mut BTreeMap<String, MerchantFacts>) -> Result<(), FactsError> {
    let Some(table) = shard.table("merchants") else { return Ok(()) };
    let mut read = || -> Result<(), PolarsError> {
        let ids = table.column("merchant_id")?.str()?;
        let closed = table.column("closed_at")?.is_not_null();
        let (category, region) = (table.column("category")?.str()?, table.column("region")?.str()?);
        for (((id, closed), category), region) in ids.iter().zip(closed.iter()).zip(category.iter()).zip(region.iter())
        {
            let Some(facts) = id.and_then(|id| merchants.get_mut(id)) else { continue };
            facts.is_closed = closed == Some(true);
            facts.category = category.map(str::to_owned);
            facts.region = region.map(str::to_owned);
        }
        Ok(())
    };
    read().map_err(|source| FactsError::Frame { table: "merchants", source })
}

/// Who has traded or borrowed at all: nobody can be judged by nothing.
fn mark_evidence(views: &Views, merchants: &mut BTreeMap<String, MerchantFacts>) {
    let ids = views.merchants.ids();
    let mut has_orders = vec![false; ids.len()];
    for owner in views.by_name.get("orders").iter().flat_map(|view| view.owners.iter().flatten()) {
        if let Some(flag) = usize::try_from(*owner).ok().and_then(|number| has_orders.get_mut(number)) {
            *flag = true;
        }
    }
    for (id, has_orders) in ids.iter().zip(has_orders) {
        let loans = views.ledger.as_ref().map(|ledger| ledger.of(id)).unwrap_or_default();
        if let Some(facts) = merchants.get_mut(id) {
            facts.has_evidence = has_orders || !loans.known.is_empty() || !loans.unknown.is_empty();
        }
    }
}
