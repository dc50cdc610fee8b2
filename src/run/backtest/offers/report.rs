//! What a backtest of offers tells.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use jiff::civil::Date;
use serde::Serialize;

use super::dates::OfferBacktestOptions;
use super::figures::{Approval, LoanFigures, MoneyRange, OfferFigures, ShareRange};
use super::follow::{Breakdown, DateLine, SideSums, Sums, Swaps};
use super::model_shelf::ShelfModel;
use super::side::Side;
use crate::domain::{AsOf, Currency, Money, grouped};
use crate::run::Job;
use crate::run::summary::write_table;

/// A model that decided some of the dates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelUsed {
    /// `name/version`.
    pub id: String,
    /// It knows nothing of this date and later.
    pub trained_on: Date,
    /// Trained for the backtest; otherwise one of the job's models, which held then.
    pub trained_for_this: bool,
    /// Out-of-time AUC as it was trained; null where it is not known.
    pub auc: Option<f64>,
    /// Why the job would not have approved it by itself; null where it would, or somebody did.
    pub shortfall: Option<String>,
}

/// One policy's figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SideReport {
    /// The policy's or job's file.
    pub file: String,
    /// Models, in the order of their dates.
    pub models: Vec<ModelUsed>,
    /// How many are offered something.
    pub approval: Approval,
    /// The same by risk band.
    pub approval_by_band: BTreeMap<String, Approval>,
    /// Offers, and whether loans were made on them.
    pub offers: OfferFigures,
    /// The same by risk band.
    pub offers_by_band: BTreeMap<String, OfferFigures>,
    /// The same by product.
    pub offers_by_product: BTreeMap<String, OfferFigures>,
    /// Of the loans that were really made, those that the policy would have made, up to its limits.
    pub followed: LoanFigures,
    /// The same by risk band.
    pub followed_by_band: BTreeMap<String, LoanFigures>,
    /// The same by month of the draw.
    pub followed_by_vintage: BTreeMap<String, LoanFigures>,
    /// The same by product.
    pub followed_by_product: BTreeMap<String, LoanFigures>,
    /// Of the loans that were really made, those that it would not have made, as they were.
    pub refused: LoanFigures,
    /// The same by risk band.
    pub refused_by_band: BTreeMap<String, LoanFigures>,
}

/// The result of a backtest of offers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OfferBacktest {
    /// Job.
    pub job: String,
    /// Currency of all amounts.
    pub currency: Currency,
    /// First date.
    pub from: Option<Date>,
    /// Last date.
    pub to: Option<Date>,
    /// Days from one to the next.
    pub every_days: u16,
    /// What became of loans is known up to this day.
    pub known_by: Date,
    /// The job's policy.
    #[serde(flatten)]
    pub own: SideReport,
    /// The one that it is compared with; null without one.
    pub against: Option<SideReport>,
    /// The loans that were really made in the period, as they were.
    pub book: LoanFigures,
    /// The same by risk band under the job's policy.
    pub book_by_band: BTreeMap<String, LoanFigures>,
    /// The same by month of the draw.
    pub book_by_vintage: BTreeMap<String, LoanFigures>,
    /// The same by product.
    pub book_by_product: BTreeMap<String, LoanFigures>,
    /// Offers here and not there.
    pub swaps: Swaps,
    /// Date by date; the last line is the day up to which loans were made that are followed.
    pub dates: Vec<DateLine>,
    /// Loans whose books do not agree, and that no date shows to have been made in the period: they are in no figure.
    pub unknown_loans_of_other_dates: u64,
    /// Records of loans that name none: they are in no figure.
    pub nameless_loans: u64,
}

/// Draws the report up.
pub fn report(
    job: &Job,
    as_of: &AsOf,
    how: &OfferBacktestOptions,
    sums: Sums,
    own: &Side<'_>,
    against: Option<&Side<'_>>,
) -> OfferBacktest {
    let replayed = sums.lines.len().saturating_sub(1);
    let Breakdown { all: book, by_band, by_vintage, by_product } = sums.book;
    OfferBacktest {
        job: job.name.clone(),
        currency: job.intake.currency,
        from: sums.lines.first().map(|line| line.on),
        to: sums.lines.iter().take(replayed).next_back().map(|line| line.on),
        every_days: how.every_days,
        known_by: as_of.date(),
        own: side_report(own, sums.own),
        against: against.zip(sums.against).map(|(side, sums)| side_report(side, sums)),
        book,
        book_by_band: by_band,
        book_by_vintage: by_vintage,
        book_by_product: by_product,
        swaps: sums.swaps,
        dates: sums.lines,
        unknown_loans_of_other_dates: sums.unplaced,
        nameless_loans: sums.nameless,
    }
}

fn side_report(side: &Side<'_>, sums: SideSums) -> SideReport {
    let used = |model: &Rc<ShelfModel>| ModelUsed {
        id: model.bundle.id(),
        trained_on: model.bundle.manifest.origin.trained_on,
        trained_for_this: model.is_own,
        auc: model.bundle.test_figures().and_then(|test| test.auc),
        shortfall: model.shortfall.clone(),
    };
    SideReport {
        file: side.file.display().to_string(),
        models: side.models.iter().map(used).collect(),
        approval: sums.approval,
        approval_by_band: sums.approval_by_band,
        offers: sums.offers.all,
        offers_by_band: sums.offers.by_band,
        offers_by_product: sums.offers.by_product,
        followed: sums.followed.all,
        followed_by_band: sums.followed.by_band,
        followed_by_vintage: sums.followed.by_vintage,
        followed_by_product: sums.followed.by_product,
        refused: sums.refused.all,
        refused_by_band: sums.refused.by_band,
    }
}

/// A share in per cent: one figure where it is known, two where it is not.
pub(super) fn percents(range: Option<ShareRange>) -> String {
    match range {
        None => "–".to_owned(),
        Some(ShareRange { lowest, highest }) => {
            let (low, high) = (format!("{:.1}", 100.0 * lowest), format!("{:.1}", 100.0 * highest));
            if low == high { format!("{low} %") } else { format!("{low} to {high} %") }
        }
    }
}

impl OfferBacktest {
    /// For a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text);
        text
    }

    pub(super) fn money(&self, minor: i64) -> String {
        Money::new(minor, self.currency).to_string()
    }

    pub(super) fn moneys(&self, range: MoneyRange) -> String {
        if range.lowest_minor == range.highest_minor {
            return self.money(range.lowest_minor);
        }
        format!("{} to {}", self.money(range.lowest_minor), self.money(range.highest_minor))
    }

    pub(super) const LOAN_HEAD: [&'static str; 10] =
        ["", "loans", "above limit", "lent", "bad", "not known", "bad share", "foreseen bad", "loss share", "profit"];

    pub(super) fn loan_row(&self, name: &str, of: &LoanFigures) -> Vec<String> {
        vec![
            name.to_owned(),
            grouped(of.loans),
            grouped(of.above_limit),
            self.money(of.lent_minor),
            grouped(of.bad),
            grouped(of.unknown),
            percents(of.bad_share),
            of.foreseen_bad.map_or("–".to_owned(), |foreseen| format!("{foreseen:.1}")),
            percents(of.loss_share),
            self.moneys(of.profit_minor),
        ]
    }

    pub(super) fn loan_rows(&self, by: &BTreeMap<String, LoanFigures>) -> Vec<Vec<String>> {
        by.iter().map(|(key, figures)| self.loan_row(key, figures)).collect()
    }

    /// The two sides of the swaps, in words.
    pub(super) fn swap_rows(&self) -> Vec<Vec<String>> {
        let Swaps { ins, outs, .. } = &self.swaps;
        let row = |name: &str, of: &super::SwapSet| {
            let offers = |number: u64| if of.offers.offers > 0 { grouped(number) } else { "–".to_owned() };
            vec![
                name.to_owned(),
                offers(of.offers.offers),
                offers(of.offers.without_loan),
                grouped(of.loans.loans),
                grouped(of.loans.bad),
                grouped(of.loans.unknown),
                percents(of.loans.bad_share),
                percents(of.offers.bad_share),
                percents(of.loans.loss_share),
            ]
        };
        vec![row("in: offered here alone", ins), row("out: offered or lent there alone", outs)]
    }

    pub(super) const SWAP_HEAD: [&'static str; 9] = [
        "",
        "offers",
        "without a loan",
        "loans",
        "bad",
        "not known",
        "bad share of loans",
        "bad share of offers",
        "loss share",
    ];

    pub(super) fn approval_text(side: &SideReport) -> String {
        let percent = |share: Option<f64>| share.map_or("–".to_owned(), |share| format!("{:.1} %", 100.0 * share));
        format!(
            "{} of {} merchants and dates are offered something ({}), {} of {} requests ({})",
            grouped(side.approval.offered),
            grouped(side.approval.decided),
            percent(side.approval.offered_share),
            grouped(side.approval.asked_offered),
            grouped(side.approval.asked),
            percent(side.approval.asked_offered_share),
        )
    }

    pub(super) fn model_lines(side: &SideReport) -> Vec<String> {
        let line = |model: &ModelUsed| {
            let auc = model.auc.map_or("–".to_owned(), |auc| format!("{auc:.3}"));
            let kind = if model.trained_for_this { "trained for this" } else { "the job's own" };
            let shortfall = model.shortfall.as_ref().map(|why| format!("; nobody would have approved it: {why}"));
            format!("{} from {} on, {kind}, AUC {auc}{}", model.id, model.trained_on, shortfall.unwrap_or_default())
        };
        side.models.iter().map(line).collect()
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let day = |day: Option<Date>| day.map_or("–".to_owned(), |day| day.to_string());
        writeln!(
            out,
            "{}: offers of {} to {}, every {} days, on what was known then; what became of loans is known up to {}",
            self.job,
            day(self.from),
            day(self.to),
            self.every_days,
            self.known_by
        )?;
        let sides = [Some(("the job", &self.own)), self.against.as_ref().map(|side| ("against", side))];
        for (name, side) in sides.into_iter().flatten() {
            writeln!(out, "  {name}: {}", side.file)?;
            Self::model_lines(side).iter().try_for_each(|line| writeln!(out, "    model {line}"))?;
            writeln!(out, "    {}", Self::approval_text(side))?;
            writeln!(
                out,
                "    {} offers; on {} a loan was made, of the others nobody knows what would have become: bad share of all {}",
                grouped(side.offers.offers),
                grouped(side.offers.with_loan),
                percents(side.offers.bad_share)
            )?;
        }
        writeln!(out, "  loans really made in the period, and what became of them")?;
        let mut rows = vec![self.loan_row("all, as they were", &self.book)];
        rows.push(self.loan_row("the job would have made", &self.own.followed));
        rows.push(self.loan_row("the job would have refused", &self.own.refused));
        if let Some(against) = &self.against {
            rows.push(self.loan_row("against would have made", &against.followed));
            rows.push(self.loan_row("against would have refused", &against.refused));
        }
        write_table(out, &Self::LOAN_HEAD, &rows)?;
        for (name, by) in [
            ("band", &self.own.followed_by_band),
            ("product", &self.own.followed_by_product),
            ("vintage", &self.own.followed_by_vintage),
        ] {
            writeln!(out, "  the job would have made, by {name}")?;
            write_table(out, &Self::LOAN_HEAD, &self.loan_rows(by))?;
        }
        let there = if self.against.is_some() { "the other" } else { "the loans really made" };
        writeln!(out, "  swaps against {there}; {} offers are of both", grouped(self.swaps.both))?;
        write_table(out, &Self::SWAP_HEAD, &self.swap_rows())?;
        writeln!(out, "  non-performing share of the period's loans, by date")?;
        write_table(out, &["", "loans", "made here", "really made", "here", "against"], &self.date_rows())?;
        if self.unknown_loans_of_other_dates + self.nameless_loans > 0 {
            writeln!(
                out,
                "  {} loans of unknown books were not made in the period, or nobody can say; {} records name no loan: they are in no figure",
                grouped(self.unknown_loans_of_other_dates),
                grouped(self.nameless_loans)
            )?;
        }
        Ok(())
    }

    pub(super) fn date_rows(&self) -> Vec<Vec<String>> {
        let row = |line: &DateLine| {
            vec![
                line.on.to_string(),
                grouped(line.loans),
                grouped(line.followed),
                percents(line.book_npl),
                percents(line.npl),
                percents(line.against_npl),
            ]
        };
        self.dates.iter().map(row).collect()
    }
}
