//! The book of a night: every loan's line, and the sums over them, shard by shard.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::breakdown::{Breakdown, PortfolioLine};
use super::contagion::{DefaultedGroups, Mark};
use super::forecast::{ForecastLine, ForecastSums, LoanForecast};
use super::loan_line::LoanLine;
use super::provisions::{Provision, ProvisionLine, ProvisionSums};
use super::reconcile::{self, BookDifference};
use super::roll::{Position, Positions, RollBasis, RollMatrix, RollRate, UNKNOWN, WRITTEN_OFF};
use super::settings::PortfolioTerms;
use super::totals::Portfolio;
use super::vintage::{VintageLine, Vintages};
use crate::monitor::class::bucket_of;
use crate::monitor::error::MonitorError;
use crate::monitor::settings::Monitor;
use crate::repayment::{LoanLedger, LoanStanding, UnknownLoan};

/// What the night before published of the book.
#[derive(Debug, Clone, Default)]
pub struct BookBefore {
    as_of: Date,
    by_merchant: BTreeMap<String, Vec<LoanLine>>,
    forecasts: BTreeMap<String, Vec<LoanForecast>>,
    history: History,
}

/// What is carried from night to night.
#[derive(Debug, Clone, Default)]
struct History {
    portfolio: Vec<PortfolioLine>,
    provisions: Vec<ProvisionLine>,
    rolls: Vec<RollRate>,
}

impl BookBefore {
    /// The rows of the run of a date.
    #[must_use]
    pub fn new(
        as_of: Date,
        book: Vec<LoanLine>,
        portfolio: Vec<PortfolioLine>,
        provisions: Vec<ProvisionLine>,
        rolls: Vec<RollRate>,
        forecasts: Vec<LoanForecast>,
    ) -> Self {
        let mut by_merchant: BTreeMap<String, Vec<LoanLine>> = BTreeMap::new();
        for line in book {
            by_merchant.entry(line.merchant_id.clone()).or_default().push(line);
        }
        let mut foreseen: BTreeMap<String, Vec<LoanForecast>> = BTreeMap::new();
        for forecast in forecasts {
            foreseen.entry(forecast.merchant_id.clone()).or_default().push(forecast);
        }
        Self { as_of, by_merchant, forecasts: foreseen, history: History { portfolio, provisions, rolls } }
    }

    /// Merchants with a loan or a forecast in it.
    pub fn merchants(&self) -> impl Iterator<Item = &str> {
        self.by_merchant.keys().chain(self.forecasts.keys()).map(String::as_str)
    }

    fn forecasts_of(&self, merchant_id: &str) -> &[LoanForecast] {
        self.forecasts.get(merchant_id).map_or(&[], Vec::as_slice)
    }

    fn of(&self, merchant_id: &str) -> &[LoanLine] {
        self.by_merchant.get(merchant_id).map_or(&[], Vec::as_slice)
    }

    /// What stood in a place, by the table of the portfolio and not by the loans.
    pub(super) fn outstanding_minor(&self, place: &str) -> i128 {
        let tonight = self.history.portfolio.iter().filter(|line| line.night_on == self.as_of);
        let there = tonight.filter(|line| line.is_of_place(place));
        there.map(|line| i128::from(line.outstanding_minor.unwrap_or(0))).sum()
    }
}

/// What every shard's book is made by: the same for all.
#[derive(Clone, Copy)]
pub struct BookContext<'a> {
    /// Buckets, classes and what is set aside.
    pub monitor: &'a Monitor,
    /// Guarantee groups with a loan in default, over all shards.
    pub groups: &'a DefaultedGroups,
    /// The night before; `None` on a first night.
    pub before: Option<&'a BookBefore>,
    /// Days over which the model's probability of default holds.
    pub horizon_days: u16,
    /// The night.
    pub as_of: Date,
}

/// What is known of a borrower beside the loans.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BookMerchant {
    /// Category.
    pub category: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Owner, where the merchant's row names one.
    pub owner_id: Option<String>,
    /// Whether the owner has other shops, which may lie in other shards.
    pub has_other_shops: bool,
    /// Risk band tonight.
    pub band: Option<String>,
    /// Probability of default tonight.
    pub pd_prob: Option<f64>,
}

/// Sums over the book of a shard, or of all.
#[derive(Debug, Clone, Default)]
pub struct Book {
    tonight: Breakdown,
    night: RollMatrix,
    vintages: Vintages,
    provisions: ProvisionSums,
    forecasts: ForecastSums,
}

/// A shard's rows of the book.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BookRows {
    /// A line a loan, by merchant and loan.
    pub lines: Vec<LoanLine>,
    /// Forecasts: tonight's, and those of the nights before.
    pub forecasts: Vec<LoanForecast>,
}

impl Book {
    /// The book of a shard and its rows: of its `merchants`, whether or not they borrow, and their ledger.
    ///
    /// # Errors
    /// Sums beyond 64 bits.
    pub fn of(
        ledger: &LoanLedger,
        merchants: &BTreeMap<String, BookMerchant>,
        context: &BookContext<'_>,
    ) -> Result<(Self, BookRows), MonitorError> {
        let mut book = Self { vintages: Vintages::of(ledger)?, ..Self::default() };
        let (mut lines, mut forecasts) = (Vec::new(), Vec::new());
        let nobody = BookMerchant::default();
        let of_merchant = |id: &str| merchants.get(id).unwrap_or(&nobody);
        for loans in ledger.known.chunk_by(|a, b| a.merchant_id == b.merchant_id) {
            let mark = Mark::of(loans, &context.monitor.classes, context.groups);
            for loan in loans.iter().filter(|loan| !loan.is_closed) {
                lines.push(book.add_known(loan, mark, of_merchant(&loan.merchant_id), context)?);
            }
            forecasts.extend(forecasts_of_borrower(loans, of_merchant, context));
        }
        for loan in &ledger.unknown {
            lines.push(book.add_unknown(loan, of_merchant(&loan.merchant_id), context)?);
        }
        lines.sort_by(|a, b| (&a.merchant_id, &a.loan_id).cmp(&(&b.merchant_id, &b.loan_id)));
        book.tonight = Breakdown::of(&lines, |id| of_merchant(id).has_other_shops)?;
        if let Some(before) = context.before {
            let borrowers = ledger.known.iter().map(|loan| &loan.merchant_id);
            let borrowers = borrowers.chain(ledger.unknown.iter().map(|loan| &loan.merchant_id));
            let seen: BTreeSet<&String> = merchants.keys().chain(borrowers).collect();
            let mut then = Positions::default();
            for line in seen.iter().flat_map(|merchant| before.of(merchant)) {
                then.insert(&line.merchant_id, line.loan_id.as_deref(), line.position());
            }
            let now = Positions::of(ledger, &context.monitor.buckets);
            book.night = RollMatrix::between(&then, before.as_of, &now)?;
            let known: BTreeSet<&str> = ledger.known.iter().map(|loan| loan.loan_id.as_str()).collect();
            let without = seen.iter().flat_map(|merchant| before.forecasts_of(merchant));
            forecasts.extend(without.filter(|forecast| !known.contains(forecast.loan_id.as_str())).cloned());
        }
        forecasts.iter().try_for_each(|forecast| book.forecasts.add(forecast))?;
        Ok((book, BookRows { lines, forecasts }))
    }

    /// The book of a night without a loan book: all that was there the night before, unknown.
    ///
    /// # Errors
    /// Sums beyond 64 bits.
    pub fn without_ledger(context: &BookContext<'_>) -> Result<(Self, BookRows), MonitorError> {
        let (mut book, mut lines) = (Self::default(), Vec::new());
        let Some(before) = context.before else { return Ok((book, BookRows::default())) };
        let (mut then, mut now) = (Positions::default(), Positions::default());
        for line in before.by_merchant.values().flatten() {
            let position = line.position();
            now.insert(
                &line.merchant_id,
                line.loan_id.as_deref(),
                Position { place: UNKNOWN.to_owned(), ..position.clone() },
            );
            then.insert(&line.merchant_id, line.loan_id.as_deref(), position);
            let mut unknown = line.unknown_tonight();
            if let Some(terms) = &context.monitor.portfolio.provisions {
                let provision = terms.of_unknown(line.principal_minor);
                (unknown.stage, unknown.provision_minor) = (Some(provision.stage), Some(provision.weighted_minor));
                book.provisions.add(terms, &provision)?;
            }
            lines.push(unknown);
        }
        book.tonight = Breakdown::of(&lines, |_| false)?;
        book.night = RollMatrix::between(&then, before.as_of, &now)?;
        let forecasts: Vec<LoanForecast> = before.forecasts.values().flatten().cloned().collect();
        forecasts.iter().try_for_each(|forecast| book.forecasts.add(forecast))?;
        Ok((book, BookRows { lines, forecasts }))
    }

    fn add_known(
        &mut self,
        loan: &LoanStanding,
        mark: Mark,
        merchant: &BookMerchant,
        context: &BookContext<'_>,
    ) -> Result<LoanLine, MonitorError> {
        let Monitor { classes, buckets, portfolio, .. } = context.monitor;
        let is_open = !loan.is_written_off;
        let class = mark.class_of(loan, classes);
        let place = match bucket_of(buckets, loan.dpd) {
            Some(bucket) if is_open => bucket.name.as_str(),
            _ => WRITTEN_OFF,
        };
        let provision =
            portfolio.provisions.as_ref().filter(|_| is_open).map(|terms| {
                (terms, terms.provide(loan, class, merchant.pd_prob, context.horizon_days, context.as_of))
            });
        if let Some((terms, provision)) = &provision {
            self.provisions.add(terms, provision)?;
        }
        let provision: Option<Provision> = provision.map(|(_, provision)| provision);
        Ok(LoanLine {
            merchant_id: loan.merchant_id.clone(),
            loan_id: Some(loan.loan_id.clone()),
            place: place.to_owned(),
            product: Some(loan.product.clone()),
            category: merchant.category.clone(),
            region: merchant.region.clone(),
            owner_id: merchant.owner_id.clone(),
            group_id: loan.group_id.clone(),
            disbursed_on: loan.history.disbursed_on,
            principal_minor: Some(loan.principal_minor),
            outstanding_minor: Some(loan.outstanding_minor),
            arrears_minor: Some(loan.arrears_minor),
            dpd: Some(loan.dpd),
            class: is_open.then_some(class),
            marked_by: mark.reason(loan, classes).filter(|_| is_open),
            band: merchant.band.clone(),
            pd_prob: merchant.pd_prob,
            stage: provision.as_ref().map(|p| p.stage),
            provision_minor: provision.as_ref().map(|p| p.weighted_minor),
        })
    }

    fn add_unknown(
        &mut self,
        loan: &UnknownLoan,
        merchant: &BookMerchant,
        context: &BookContext<'_>,
    ) -> Result<LoanLine, MonitorError> {
        let mut line = LoanLine {
            merchant_id: loan.merchant_id.clone(),
            loan_id: loan.loan_id.clone(),
            place: UNKNOWN.to_owned(),
            product: loan.product.clone(),
            category: merchant.category.clone(),
            region: merchant.region.clone(),
            owner_id: merchant.owner_id.clone(),
            group_id: loan.group_id.clone(),
            disbursed_on: None,
            principal_minor: loan.principal_minor,
            outstanding_minor: None,
            arrears_minor: None,
            dpd: None,
            class: None,
            marked_by: None,
            band: merchant.band.clone(),
            pd_prob: merchant.pd_prob,
            stage: None,
            provision_minor: None,
        };
        if let Some(terms) = &context.monitor.portfolio.provisions {
            let provision = terms.of_unknown(loan.principal_minor);
            (line.stage, line.provision_minor) = (Some(provision.stage), Some(provision.weighted_minor));
            self.provisions.add(terms, &provision)?;
        }
        Ok(line)
    }

    /// Adds another shard's.
    ///
    /// # Errors
    /// Sums beyond 64 bits.
    pub fn merge(&mut self, other: &Self) -> Result<(), MonitorError> {
        self.tonight.merge(&other.tonight)?;
        self.night.merge(&other.night)?;
        self.vintages.merge(&other.vintages)?;
        self.forecasts.merge(&other.forecasts)?;
        self.provisions.merge(&other.provisions)
    }

    /// Adds what the night before knew of merchants of whom no shard speaks tonight: no row shows their loans any more. Gives their forecasts, which stay open.
    ///
    /// # Errors
    /// Sums beyond 64 bits.
    pub fn add_unseen(
        &mut self,
        before: Option<&BookBefore>,
        unseen: &BTreeSet<&str>,
    ) -> Result<Vec<LoanForecast>, MonitorError> {
        let Some(before) = before else { return Ok(Vec::new()) };
        let mut then = Positions::default();
        for line in unseen.iter().flat_map(|merchant| before.of(merchant)) {
            then.insert(&line.merchant_id, line.loan_id.as_deref(), line.position());
        }
        self.night.merge(&RollMatrix::between(&then, before.as_of, &Positions::default())?)?;
        let forecasts: Vec<LoanForecast> =
            unseen.iter().flat_map(|merchant| before.forecasts_of(merchant)).cloned().collect();
        forecasts.iter().try_for_each(|forecast| self.forecasts.add(forecast))?;
        Ok(forecasts)
    }

    /// All tables of the portfolio, once they agree with each other and with `totals`. `months` are the matrices of past months, oldest first.
    ///
    /// # Errors
    /// Sums beyond 64 bits, or two figures that should be the same and are not.
    pub fn tables(
        self,
        context: &BookContext<'_>,
        totals: Option<&Portfolio>,
        months: &[(Date, Date, RollMatrix)],
    ) -> Result<Result<PortfolioTables, BookDifference>, MonitorError> {
        let as_of = context.as_of;
        let tonight = self.tonight.lines(as_of)?;
        if let Some(totals) = totals {
            let checked = reconcile::Checked { book: &self, tonight: &tonight, totals, months };
            if let Err(difference) = checked.check(context) {
                return Ok(Err(difference));
            }
        }
        let provisions = self.provisions.lines(as_of);
        let mut rolls: Vec<RollRate> =
            context.before.map(|before| self.night.rates(RollBasis::Night, before.as_of, as_of)).unwrap_or_default();
        rolls.extend(months.iter().flat_map(|(from, to, matrix)| matrix.rates(RollBasis::Month, *from, *to)));
        let mut tables = PortfolioTables {
            portfolio: tonight,
            provisions,
            rolls,
            vintages: self.vintages.lines(as_of)?,
            forecast_outcomes: self.forecasts.lines(),
        };
        if let Some(before) = context.before {
            tables.carry(&before.history);
        }
        Ok(Ok(tables))
    }

    pub(super) const fn night(&self) -> &RollMatrix {
        &self.night
    }

    pub(super) const fn vintages(&self) -> &Vintages {
        &self.vintages
    }

    pub(super) const fn provisions(&self) -> &ProvisionSums {
        &self.provisions
    }
}

/// Forecasts of a borrower's loans: what became of those made before, and tonight's of loans that are seen for the first time.
fn forecasts_of_borrower<'a>(
    loans: &'a [LoanStanding],
    of_merchant: impl Fn(&str) -> &'a BookMerchant,
    context: &BookContext<'_>,
) -> Vec<LoanForecast> {
    let is_bad = loans.iter().any(|loan| loan.is_in_default);
    let forecast = |loan: &LoanStanding| {
        let made = context.before.map_or(&[][..], |before| before.forecasts_of(&loan.merchant_id));
        match made.iter().find(|forecast| forecast.loan_id == loan.loan_id) {
            Some(forecast) => Some(forecast.clone().seen(loan, context.as_of)),
            None => LoanForecast::make(loan, of_merchant(&loan.merchant_id), is_bad, context),
        }
    };
    loans.iter().filter_map(forecast).collect()
}

/// The published tables of the portfolio.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PortfolioTables {
    /// Tonight's breakdown and those of the nights before.
    pub portfolio: Vec<PortfolioLine>,
    /// Tonight's provisions and those of the nights before.
    pub provisions: Vec<ProvisionLine>,
    /// Tonight's roll rates, those of past months, and those of the nights before.
    pub rolls: Vec<RollRate>,
    /// Vintages.
    pub vintages: Vec<VintageLine>,
    /// Forecasts beside what happened.
    pub forecast_outcomes: Vec<ForecastLine>,
}

impl PortfolioTables {
    /// Adds the rows of the nights before, and of months that are over and no longer looked at.
    fn carry(&mut self, history: &History) {
        self.portfolio.extend(history.portfolio.iter().cloned());
        self.provisions.extend(history.provisions.iter().cloned());
        let here: BTreeSet<(RollBasis, Date, Date)> =
            self.rolls.iter().map(|rate| (rate.basis, rate.from_on, rate.to_on)).collect();
        let is_over = |rate: &&RollRate| {
            !here.contains(&(rate.basis, rate.from_on, rate.to_on))
                && (rate.basis == RollBasis::Night || rate.to_on.day() == 1)
        };
        self.rolls.extend(history.rolls.iter().filter(is_over).cloned());
    }
}

impl PortfolioTerms {
    /// First days of the months whose roll rates are given, oldest first, and the night itself last.
    #[must_use]
    pub fn month_begins(&self, as_of: Date) -> Vec<Date> {
        let this = as_of.first_of_month();
        let back = (0..=i64::from(self.roll_months)).rev();
        let begins = back.filter_map(|months| this.checked_sub(jiff::Span::new().months(months)).ok());
        begins.chain((this < as_of).then_some(as_of)).collect()
    }
}
