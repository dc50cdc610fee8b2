use std::collections::BTreeMap;
use std::path::Path;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::dates::Dates;
use super::follow::{Followed, Sums};
use super::loan_fate::{MadeLoan, MadeLoans};
use super::night::{LoanOnDate, MerchantNight, Night, Offered};
use super::*;
use crate::offer::Policy;
use crate::repayment::{LoanEarnings, LoanHistory, LoanStanding};
use crate::run::backtest::BacktestError;

const START: Date = date(2024, 1, 1);
const DATES: usize = 3;
const STEP: i64 = 30;
const PRODUCTS: [&str; 2] = ["credit-loan", "order-loan"];

fn day(n: i64) -> Date {
    START.saturating_add(n.days())
}

#[test]
fn dates_reach_from_a_year_before_the_last_window_that_has_closed() {
    let how = OfferBacktestOptions { from: None, to: None, every_days: 30, retrain_days: None, against: None };
    let as_of = date(2025, 7, 1);
    let usual = Dates::new(as_of, 180, &how).unwrap();
    assert_eq!(usual.dates.last(), Some(&date(2025, 1, 2)));
    assert_eq!((usual.dates.len(), usual.until), (13, date(2025, 2, 1)));
    // Later dates may be asked for: what is not known yet is a range.
    let late = Dates::new(as_of, 180, &OfferBacktestOptions { to: Some(date(2025, 6, 30)), ..how.clone() }).unwrap();
    assert_eq!(late.until, as_of);
    let none = Dates::new(as_of, 180, &OfferBacktestOptions { to: Some(as_of), ..how });
    assert!(matches!(none, Err(BacktestError::NothingFollows { .. })), "{none:?}");
}

/// How a random loan ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Repaid { was_in_default: bool },
    WrittenOff,
    Open { is_in_default: bool },
    UnknownBooks,
}

#[derive(Debug, Clone)]
struct RandomLoan {
    merchant: usize,
    product: usize,
    drawn: i64,
    days: i64,
    principal: i64,
    unpaid: i64,
    earned: i64,
    owed_days: i64,
    to_come: i64,
    agreed: i64,
    end: End,
}

prop_compose! {
    fn any_loan()(
        merchant in 0_usize..3,
        product in 0_usize..2,
        drawn in -20_i64..100,
        days in 1_i64..40,
        principal in 1_i64..2_000,
        share in 0.0_f64..1.0,
        earned in 0_i64..200,
        owed_days in 0_i64..60,
        (to_come, agreed) in (0_i64..100, 0_i64..300),
        end in prop_oneof![
            any::<bool>().prop_map(|was_in_default| End::Repaid { was_in_default }),
            Just(End::WrittenOff),
            any::<bool>().prop_map(|is_in_default| End::Open { is_in_default }),
            Just(End::UnknownBooks),
        ],
    ) -> RandomLoan {
        let unpaid = if matches!(end, End::Repaid { .. }) { 0 } else { 1 + (share * (principal - 1) as f64) as i64 };
        RandomLoan { merchant, product, drawn, days, principal, unpaid, earned, owed_days, to_come, agreed, end }
    }
}

impl RandomLoan {
    fn closed(&self) -> Option<i64> {
        matches!(self.end, End::Repaid { .. }).then_some(self.drawn + self.days)
    }

    fn made(&self, at: usize) -> MadeLoan {
        let standing = LoanStanding {
            merchant_id: format!("m{}", self.merchant),
            loan_id: format!("l{at:02}"),
            principal_minor: self.principal,
            outstanding_minor: self.unpaid,
            is_closed: matches!(self.end, End::Repaid { .. }),
            is_written_off: self.end == End::WrittenOff,
            history: LoanHistory {
                disbursed_on: Some(day(self.drawn)),
                default_first_on: self.is_bad().filter(|bad| *bad).map(|_| day(self.drawn + 1)),
                ..LoanHistory::default()
            },
            ..crate::repayment::fixture::overdue_loan(PRODUCTS[self.product], 0)
        };
        let known = MadeLoan::known(LoanEarnings {
            closed_on: self.closed().map(|on| crate::domain::days_since_epoch(day(on))),
            earned_minor: self.earned,
            money_days: i128::from(self.owed_days * self.principal),
            to_come_minor: self.to_come,
            money_days_to_come: i128::from(5 * self.unpaid),
            agreed_minor: self.agreed,
            agreed_money_days: i128::from(7 * self.principal),
            standing,
        });
        if self.end == End::UnknownBooks { known.with_unknown_books() } else { known }
    }

    fn is_bad(&self) -> Option<bool> {
        match self.end {
            End::Repaid { was_in_default } => Some(was_in_default),
            End::WrittenOff | End::Open { is_in_default: true } => Some(true),
            End::Open { is_in_default: false } | End::UnknownBooks => None,
        }
    }
}

/// Offers of every date: by merchant and product, the limit.
type Limits = Vec<Vec<Vec<Option<i64>>>>;

fn any_limits() -> impl Strategy<Value = Limits> {
    let limit = prop::option::weighted(0.6, 1_i64..2_500);
    prop::collection::vec(prop::collection::vec(prop::collection::vec(limit, 2..3), 3..4), DATES..=DATES)
}

fn policy() -> Policy {
    Policy::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/demo/policy.toml")).unwrap()
}

fn night(limits: &[Vec<Option<i64>>], loans: BTreeMap<usize, LoanOnDate>) -> Night {
    let merchant = |(at, limits): (usize, &Vec<Option<i64>>)| {
        let offers = limits.iter().zip(PRODUCTS).filter_map(|(limit, product)| {
            Some((product.to_owned(), Offered { limit_minor: (*limit)?, term_pd_prob: 0.25 }))
        });
        let night = MerchantNight { band: ["A", "B", "B"][at].to_owned(), offers: offers.collect(), asked: Vec::new() };
        (format!("m{at}"), night)
    };
    Night { merchants: limits.iter().enumerate().map(merchant).collect(), loans }
}

/// Everything that is visible on a date: drawn before it.
fn seen(loans: &[RandomLoan], order: &[usize], on: i64) -> BTreeMap<usize, LoanOnDate> {
    let state = |loan: &RandomLoan| match loan.end {
        End::UnknownBooks => LoanOnDate::Unknown,
        End::Repaid { .. } if loan.drawn + loan.days < on => LoanOnDate::Over,
        End::WrittenOff => LoanOnDate::Over,
        End::Open { is_in_default: true } => LoanOnDate::Open { outstanding_minor: loan.unpaid, performs: false },
        _ => LoanOnDate::Open { outstanding_minor: loan.unpaid, performs: true },
    };
    let visible = order.iter().enumerate().filter(|(_, at)| loans[**at].drawn < on);
    visible.map(|(place, at)| (place, state(&loans[*at]))).collect()
}

fn follow(loans: &[RandomLoan], own: &Limits, against: Option<&Limits>) -> Sums {
    // As they are read: by borrower and loan.
    let mut order: Vec<usize> = (0..loans.len()).collect();
    order.sort_by_key(|at| (loans[*at].merchant, *at));
    let made: Vec<MadeLoan> = order.iter().map(|at| loans[*at].made(*at)).collect();
    let by_id = made.iter().enumerate().map(|(at, loan)| (loan.loan_id.clone(), at)).collect();
    let made = MadeLoans { loans: made, by_id, days: 400, nameless: 0 };
    let policy = policy();
    let mut followed = Followed::new(&made, &policy, against.map(|_| &policy));
    for at in 0..DATES {
        let on = STEP * at as i64;
        let other = against.map(|limits| night(&limits[at], BTreeMap::new()));
        followed.add_date(day(on), night(&own[at], seen(loans, &order, on)), other);
    }
    let end = STEP * DATES as i64;
    followed.end(day(end), seen(loans, &order, end));
    followed.close()
}

/// What a lender would write down, loan after loan, from the definitions alone.
#[derive(Debug, Default, PartialEq)]
struct Twin {
    loans: u64,
    above: u64,
    lent: i64,
    good: u64,
    bad: u64,
    unknown: u64,
    loss: (i64, i64),
    profit: (i64, i64),
}

impl Twin {
    fn of(figures: &LoanFigures) -> Self {
        let both = |range: MoneyRange| (range.lowest_minor, range.highest_minor);
        Self {
            loans: figures.loans,
            above: figures.above_limit,
            lent: figures.lent_minor,
            good: figures.good,
            bad: figures.bad,
            unknown: figures.unknown,
            loss: both(figures.loss_minor),
            profit: both(figures.profit_minor),
        }
    }

    /// 184 ppm of funding and 40 of running cost a day, in the demo's policy; the dearest rate is 650 over 180 days.
    fn add(&mut self, loan: &RandomLoan, lent: i64) {
        let carry = |days: i64, money: i64| (days * money * 224 + 999_999) / 1_000_000;
        let part = |minor: i64| (minor * lent) as f64 / loan.principal as f64;
        let is_cut = lent < loan.principal;
        let kept = loan.earned - carry(loan.owed_days, loan.principal);
        let by_schedule = loan.agreed - carry(7, loan.principal);
        let coming = (loan.to_come - carry(5, loan.unpaid)).max(0);
        self.loans += 1;
        self.above += u64::from(is_cut);
        self.lent += lent;
        let (bad, loss, profit) = match (loan.end, is_cut) {
            (End::UnknownBooks, _) => {
                (None, (0, lent), (-lent - carry(400, lent), (lent * 650 * 180 + 999_999) / 1_000_000))
            }
            (End::Repaid { was_in_default }, false) => (Some(was_in_default), (0, 0), (kept, kept)),
            (End::WrittenOff, false) => {
                (Some(true), (loan.unpaid, loan.unpaid), (kept - loan.unpaid, kept - loan.unpaid))
            }
            (End::Open { is_in_default }, false) => {
                (is_in_default.then_some(true), (0, loan.unpaid), (kept - loan.unpaid, kept + coming))
            }
            (End::Repaid { was_in_default: false }, true) => {
                (Some(false), (0, 0), (part(kept).floor() as i64, part(kept).ceil() as i64))
            }
            (end, true) => {
                let lost = lent.min(loan.unpaid);
                let best = match end {
                    End::Open { .. } => kept + coming,
                    End::WrittenOff => kept - loan.unpaid,
                    _ => kept,
                };
                let best = part(best).ceil().max(part(by_schedule).ceil()) as i64;
                let worst = part(kept).floor() as i64 - lost;
                (None, (0, lost), (worst, best.max(worst)))
            }
        };
        match bad {
            Some(true) => self.bad += 1,
            Some(false) => self.good += 1,
            None => self.unknown += 1,
        }
        self.loss = (self.loss.0 + loss.0, self.loss.1 + loss.1);
        self.profit = (self.profit.0 + profit.0, self.profit.1 + profit.1);
    }
}

/// The date on whose offers a loan was drawn: the last one at or before its day. Nothing shows the day of one of unknown books, but that it
/// was drawn before the first date that sees it and after the one before.
fn date_of(loan: &RandomLoan) -> Option<usize> {
    let known = |at: &usize| STEP * *at as i64 <= loan.drawn && loan.drawn < STEP * (*at as i64 + 1);
    (0..DATES).find(known)
}

/// Loans in the order in which they were drawn; of unknown days last.
fn in_order(loans: &[RandomLoan]) -> Vec<(usize, &RandomLoan)> {
    let mut all: Vec<(usize, &RandomLoan)> = loans.iter().enumerate().collect();
    all.sort_by_key(|(at, loan)| {
        (loan.end == End::UnknownBooks, if loan.end == End::UnknownBooks { 0 } else { loan.drawn }, *at)
    });
    all
}

/// Made and refused under limits, and by date, merchant and product what became of the loans that were made.
type Outcomes = BTreeMap<(usize, usize, usize), Vec<Option<bool>>>;

fn twin(loans: &[RandomLoan], limits: &Limits) -> (Twin, Twin, Outcomes) {
    let (mut made, mut refused) = (Twin::default(), Twin::default());
    let mut outcomes = Outcomes::new();
    let mut drawn: Vec<(usize, &RandomLoan, i64)> = Vec::new();
    for (_, loan) in in_order(loans) {
        let Some(at) = date_of(loan) else { continue };
        let Some(limit) = limits[at][loan.merchant][loan.product] else {
            refused.add(loan, loan.principal);
            continue;
        };
        let same = drawn
            .iter()
            .filter(|(on, other, _)| *on == at && (other.merchant, other.product) == (loan.merchant, loan.product));
        let still_owed: i64 = same
            .filter(|(_, other, _)| match (other.closed(), loan.end) {
                (Some(_), End::UnknownBooks) => false,
                (Some(closed), _) => closed > loan.drawn,
                (None, _) => true,
            })
            .map(|(_, _, lent)| *lent)
            .sum();
        let lent = loan.principal.min(limit - still_owed);
        if lent <= 0 {
            refused.add(loan, loan.principal);
            continue;
        }
        made.add(loan, lent);
        drawn.push((at, loan, lent));
        let is_cut_bad = lent < loan.principal && loan.is_bad() != Some(false);
        outcomes.entry((at, loan.merchant, loan.product)).or_default().push(if is_cut_bad {
            None
        } else {
            loan.is_bad()
        });
    }
    (made, refused, outcomes)
}

fn offers(limits: &Limits) -> impl Iterator<Item = ((usize, usize, usize), i64)> {
    limits.iter().enumerate().flat_map(|(at, merchants)| {
        merchants.iter().enumerate().flat_map(move |(m, products)| {
            products.iter().enumerate().filter_map(move |(p, limit)| Some(((at, m, p), (*limit)?)))
        })
    })
}

fn offer_twin<'a>(chosen: impl Iterator<Item = ((usize, usize, usize), i64)> + 'a, outcomes: &Outcomes) -> [u64; 5] {
    let mut counts = [0; 5];
    for (key, _) in chosen {
        counts[0] += 1;
        match outcomes.get(&key) {
            None => counts[4] += 1,
            Some(loans) => {
                counts[1] += 1;
                counts[2] += u64::from(loans.contains(&Some(true)));
                counts[3] += u64::from(!loans.contains(&Some(true)) && loans.contains(&None));
            }
        }
    }
    counts
}

fn counts(figures: &OfferFigures) -> [u64; 5] {
    [figures.offers, figures.with_loan, figures.bad, figures.unknown, figures.without_loan]
}

fn sum_of(by: &BTreeMap<String, LoanFigures>) -> Twin {
    let mut all = Twin::default();
    for of in by.values().map(Twin::of) {
        all.loans += of.loans;
        all.above += of.above;
        all.lent += of.lent;
        all.good += of.good;
        all.bad += of.bad;
        all.unknown += of.unknown;
        all.loss = (all.loss.0 + of.loss.0, all.loss.1 + of.loss.1);
        all.profit = (all.profit.0 + of.profit.0, all.profit.1 + of.profit.1);
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn figures_are_what_their_definitions_say(
        loans in prop::collection::vec(any_loan(), 0..14),
        own in any_limits(),
        against in any_limits(),
    ) {
        let found = follow(&loans, &own, Some(&against));
        let (made, refused, outcomes) = twin(&loans, &own);
        let mut book = Twin::default();
        loans.iter().filter(|loan| date_of(loan).is_some()).for_each(|loan| book.add(loan, loan.principal));
        prop_assert_eq!(Twin::of(&found.book.all), book);
        prop_assert_eq!(Twin::of(&found.own.followed.all), made);
        prop_assert_eq!(Twin::of(&found.own.refused.all), refused);
        prop_assert_eq!(counts(&found.own.offers.all), offer_twin(offers(&own), &outcomes));
        // Whatever they are broken down by, the parts add up to the whole.
        for parts in [&found.own.followed.by_band, &found.own.followed.by_vintage, &found.own.followed.by_product] {
            prop_assert_eq!(sum_of(parts), Twin::of(&found.own.followed.all));
        }
        let foreseen = found.own.followed.all.foreseen_bad.unwrap_or(0.0);
        prop_assert!((foreseen - 0.25 * found.own.followed.all.loans as f64).abs() < 1e-9);

        let (_, _, other_outcomes) = twin(&loans, &against);
        let ins = offers(&own).filter(|((at, m, p), _)| against[*at][*m][*p].is_none());
        let outs = offers(&against).filter(|((at, m, p), _)| own[*at][*m][*p].is_none());
        prop_assert_eq!(counts(&found.swaps.ins.offers), offer_twin(ins, &outcomes));
        prop_assert_eq!(counts(&found.swaps.outs.offers), offer_twin(outs, &other_outcomes));
        let both = offers(&own).filter(|((at, m, p), _)| against[*at][*m][*p].is_some()).count() as u64;
        prop_assert_eq!(found.swaps.both, both);

        // Against the loans that were really made.
        let alone = follow(&loans, &own, None);
        prop_assert_eq!(Twin::of(&alone.swaps.outs.loans), Twin::of(&alone.own.refused.all));
        prop_assert_eq!(alone.swaps.ins.offers.offers, alone.own.offers.all.without_loan);
        prop_assert_eq!(alone.swaps.both, alone.own.offers.all.with_loan);
        prop_assert_eq!(Twin::of(&alone.own.followed.all), Twin::of(&found.own.followed.all));
    }

    #[test]
    fn the_non_performing_share_is_of_what_is_owed_on_loans_of_the_period(
        loans in prop::collection::vec(any_loan(), 0..14),
        own in any_limits(),
    ) {
        let found = follow(&loans, &own, None);
        let end = STEP * DATES as i64;
        let (mut all, mut bad, mut unknown) = (0, 0, 0);
        for loan in loans.iter().filter(|loan| date_of(loan).is_some()) {
            match loan.end {
                End::UnknownBooks => (all, unknown) = (all + loan.principal, unknown + loan.principal),
                End::Open { is_in_default } => (all, bad) = (all + loan.unpaid, bad + i64::from(is_in_default) * loan.unpaid),
                End::Repaid { .. } if loan.drawn + loan.days >= end => all += loan.unpaid,
                End::Repaid { .. } | End::WrittenOff => {}
            }
        }
        let expected = (all > 0).then(|| (bad as f64 / all as f64, (bad + unknown) as f64 / all as f64));
        let line = found.lines.last().unwrap();
        prop_assert_eq!(line.book_npl.map(|share| (share.lowest, share.highest)), expected);
        prop_assert!(line.npl.is_none_or(|share| 0.0 <= share.lowest && share.lowest <= share.highest && share.highest <= 1.0));
    }

    /// Knowing more only narrows a range: whatever becomes of a loan that is open, the figures stay within what was said before.
    #[test]
    fn how_an_open_loan_ends_is_within_the_range(
        loan in any_loan().prop_filter("it is open", |loan| matches!(loan.end, End::Open { .. })),
        room in 1_i64..2_500, unpaid in 0.0_f64..=1.0,
    ) {
        let costs = super::loan_fate::Costs::of(&policy(), 400);
        let open = loan.made(0).result(room, &costs);
        let repaid = RandomLoan { end: End::Repaid { was_in_default: true }, unpaid: 0, ..loan.clone() };
        let lost = RandomLoan { end: End::WrittenOff, unpaid: (unpaid * loan.unpaid as f64) as i64, ..loan.clone() };
        for ended in [repaid.made(0).result(room, &costs), lost.made(0).result(room, &costs)] {
            prop_assert!(open.loss_minor.lowest_minor <= ended.loss_minor.lowest_minor);
            prop_assert!(open.loss_minor.highest_minor >= ended.loss_minor.highest_minor);
            prop_assert!(open.profit_minor.lowest_minor <= ended.profit_minor.lowest_minor);
            prop_assert!(open.profit_minor.highest_minor >= ended.profit_minor.highest_minor);
        }
    }
}
