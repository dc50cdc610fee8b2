use super::*;
use crate::domain::Currency;

const FIRST: Date = Date::constant(2024, 7, 1);

fn market(merchants: u64, lender: MarketLender) -> Market {
    let settings = SimulationSettings::new(merchants, 12, 5, Currency::new("CNY").unwrap());
    let span = MarketSpan { lends_from: FIRST, lends_until: Date::constant(2025, 3, 1), run_off_days: 720 };
    let mut market = Market::until_lending(&settings, &span).unwrap();
    market.meet(lender);
    market
}

const KNOWS_NOTHING: MarketLender = MarketLender { cost_daily_ppm: 224, knows_truth: false };

/// The same offer to all: 5,000.00 for half a year.
fn to_all(merchants: u64, from: Date) -> BTreeMap<String, Vec<MarketOffer>> {
    let offer = |merchant: u64| MarketOffer {
        offer_id: format!("{:024x}", merchant + 1),
        product: "credit-loan".to_owned(),
        limit_minor: 500_000,
        daily_rate_ppm: 480,
        term_days: 180,
        instalments: 6,
        repayment: MarketRepayment::EqualInstalment,
        valid_until_on: from.saturating_add(30.days()),
        pledged_order_ids: Vec::new(),
    };
    (0..merchants).map(|m| (format!("m{m:07}"), vec![offer(m)])).collect()
}

/// Months of lending to all, with a look at every month's end.
fn lend(market: &mut Market, merchants: u64, mut look: impl FnMut(&Market)) {
    for month in 0..8 {
        let on = FIRST.saturating_add((30 * month).days());
        market.offer(&to_all(merchants, on)).unwrap();
        market.live_until(on.saturating_add(30.days()));
        look(market);
    }
}

fn rows(market: &Market, end: Date) -> Vec<Vec<Vec<super::super::rows::Cell>>> {
    let end = market.world.calendar.midnight(market.day_of(end));
    let of = |living: &Living| Tables::of(&living.life, &market.world, end).contract;
    let mut all = vec![Vec::new(); crate::contract::TABLES.len()];
    for tables in market.lives.iter().map(of) {
        all.iter_mut().zip(tables).for_each(|(rows, own)| rows.extend(own.iter().map(<[_]>::to_vec)));
    }
    all
}

#[test]
fn what_a_later_night_sees_of_the_past_is_what_the_earlier_night_saw() {
    let mut market = market(200, KNOWS_NOTHING);
    let mut seen: Vec<(Date, _)> = Vec::new();
    lend(&mut market, 200, |market| {
        let on = FIRST.saturating_add((30 * (i64::try_from(seen.len()).unwrap() + 1)).days());
        seen.push((on, rows(market, on)));
    });
    assert!(
        market.lives.iter().any(|l| l.life.end.is_some_and(|(dark, _)| dark > market.world.calendar.midnight(365)))
    );
    for (on, then) in seen {
        assert_eq!(rows(&market, on), then, "{on}");
    }
}

#[test]
fn a_lender_changes_trade_through_money_alone() {
    let (mut lending, mut idle) = (market(200, KNOWS_NOTHING), market(200, KNOWS_NOTHING));
    lend(&mut lending, 200, |_| {});
    idle.live_until_day(lending.today);
    let mut untouched = 0;
    let mut touched = 0;
    for (one, other) in lending.lives.iter().zip(&idle.lives) {
        let orders = |living: &Living| -> Vec<_> {
            living.life.trade.orders.iter().map(|o| (o.placed, o.amount, o.completed)).collect()
        };
        if one.life.credit.loans.iter().all(|l| l.offer.is_none()) {
            untouched += 1;
            assert_eq!(orders(one), orders(other));
        } else {
            touched += usize::from(orders(one) != orders(other));
        }
    }
    assert!(untouched > 50 && touched > 10, "{untouched} and {touched}");
}

#[test]
fn money_is_accounted_for_to_the_cent() {
    let mut market = market(300, KNOWS_NOTHING);
    lend(&mut market, 300, |_| {});
    market.run_off();
    let loans: Vec<_> =
        market.lives.iter().flat_map(|l| l.life.credit.loans.iter().map(move |loan| (l, loan))).collect();
    let lent: Vec<_> = loans.iter().filter(|(_, loan)| loan.offer.is_some()).collect();
    let told = market.lent();
    assert!(lent.len() > 50 && told.iter().any(|l| l.lost_minor > 0), "{}", lent.len());
    assert_eq!(lent.len(), told.len());
    for ((living, loan), told) in lent.iter().zip(&told) {
        let at = living.life.credit.loans.iter().position(|l| std::ptr::eq(l, *loan)).unwrap();
        let paid = living.life.credit.payments.iter().filter(|p| p.loan == at && p.reversed.is_none());
        assert_eq!(told.received_minor, paid.map(|p| p.amount).sum::<i64>());
        // A loan that is neither repaid nor written off two years later would be lost; none is left.
        assert!(!loan.is_open);
        assert_eq!(told.lost_minor == 0, loan.written_off.is_none());
        assert!((0..=loan.principal).contains(&told.lost_minor));
        if told.lost_minor == 0 {
            let interest = told.received_minor - told.principal_minor;
            assert!(interest >= 0 && told.profit_minor <= interest, "{told:?}");
        }
    }
    let requests = market.requests();
    assert_eq!(
        requests.values().map(|r| r.lent_minor).sum::<i64>(),
        told.iter().map(|l| l.principal_minor).sum::<i64>()
    );
    assert!(requests.values().all(|r| r.served <= r.requests && r.lent_minor <= r.wanted_minor));
}

/// The same to all, repaid by a share of sales: a quarter of the principal by each of three milestones at the least.
fn by_share_of_sales(merchants: u64, from: Date) -> BTreeMap<String, Vec<MarketOffer>> {
    let mut offers = to_all(merchants, from);
    for offer in offers.values_mut().flatten() {
        offer.repayment = MarketRepayment::SalesShare { share_ppm: 150_000, min_ppm: 250_000, every_days: 60 };
    }
    offers
}

/// What the marketplace makes of every loan is what the loan's book makes of the rows that it sends: closed on the same day, as late at the worst, and
/// owing as much.
#[test]
fn the_book_of_a_loan_by_share_of_sales_says_what_the_marketplace_does() {
    use crate::domain::AsOf;
    use crate::repayment::{BusinessDays, Instalment, LoanTerms, ObservationPoint, Payment, Waterfall};
    let mut market = market(150, KNOWS_NOTHING);
    for month in 0..8 {
        let on = FIRST.saturating_add((30 * month).days());
        market.offer(&by_share_of_sales(150, on)).unwrap();
        market.live_until(on.saturating_add(30.days()));
    }
    let (waterfall, zone) =
        (Waterfall { early_close_tolerance_minor: 1, ..Waterfall::default() }, AsOf::zone("UTC").unwrap());
    let (mut open, mut closed, mut late, mut shares) = (0, 0, 0, 0);
    for look in 0..12 {
        let day = market.today;
        let calendar = &market.world.calendar;
        let seen = AsOf::new(date_of_days(calendar.date32(day).into()).unwrap(), zone.clone()).unwrap();
        for credit in market.lives.iter().map(|living| &living.life.credit) {
            for (at, loan) in credit.loans.iter().enumerate().filter(|(_, l)| l.offer.is_some()) {
                let days = BusinessDays::spanning(loan.disbursed * 1_000_000, &seen).unwrap();
                let point = ObservationPoint { micros: seen.micros(), day: seen.days_since_epoch(), days: &days };
                let due = loan.versions[0].instalments.iter().zip(1..).map(|(due, number)| Instalment {
                    number,
                    due_on: calendar.date32(due.due_day),
                    principal_minor: due.principal,
                    interest_minor: due.interest,
                    fee_minor: due.fee,
                });
                let due: Vec<Instalment> = due.collect();
                let paid = credit.payments.iter().filter(|p| p.loan == at);
                shares += paid.clone().filter(|p| p.channel == "deduction").count();
                let paid: Vec<Payment> = paid
                    .map(|p| Payment {
                        paid_at: p.at * 1_000_000,
                        amount_minor: p.amount,
                        reversed_at: p.reversed.map(|at| at * 1_000_000).filter(|at| *at < seen.micros()),
                    })
                    .collect();
                let terms = LoanTerms {
                    loan_id: "l",
                    disbursed_at: loan.disbursed * 1_000_000,
                    principal_minor: loan.principal,
                    term_days: loan.term_days,
                    daily_rate_ppm: loan.daily_rate_ppm,
                    sales_share_ppm: loan.repayment.share_ppm(),
                };
                let stands = waterfall.allocate(&terms, &due, &paid, &point).unwrap();
                // A payment under way that will bounce counts in the book until it has.
                if paid.iter().any(|p| p.reversed_at.is_none_or(|r| r >= seen.micros())) && loan.bounces_after(day) {
                    continue;
                }
                if loan.written_off.is_none() {
                    assert_eq!(stands.closed_at.is_some(), !loan.is_open, "{loan:?} {stands:?}");
                    assert!((stands.payoff_minor - loan.outstanding()).abs() <= 1, "{loan:?} {stands:?}");
                    assert_eq!(stands.dpd, if loan.is_open { loan.days_past_due_on(day) } else { 0 });
                }
                (open, closed) = (open + u32::from(loan.is_open), closed + u32::from(stands.closed_at.is_some()));
                late += u32::from(stands.dpd > 0);
            }
        }
        market.live_until_day(day + 17 + look);
    }
    assert!(open > 20 && closed > 200 && late > 5 && shares > 1_000, "{open} {closed} {late} {shares}");
    market.run_off();
    assert!(market.lent().iter().all(|l| l.received_minor >= l.principal_minor || l.lost_minor > 0));
}

#[test]
fn who_knows_the_truth_earns_more_and_loses_less_on_the_same_offers() {
    let [blind, knowing] = [false, true].map(|knows_truth| {
        let mut market = market(300, MarketLender { knows_truth, ..KNOWS_NOTHING });
        lend(&mut market, 300, |_| {});
        market.run_off();
        let lent = market.lent();
        let lost: i64 = lent.iter().map(|l| l.lost_minor).sum();
        let earned: i64 = lent.iter().map(|l| l.profit_minor).sum();
        (lost, earned)
    });
    assert!(knowing.0 * 5 < blind.0, "{knowing:?} against {blind:?}");
    assert!(knowing.1 > blind.1, "{knowing:?} against {blind:?}");
}

#[test]
fn offers_that_no_merchant_could_take_are_refused() {
    let mut market = market(3, KNOWS_NOTHING);
    let good = to_all(3, FIRST);
    let spoilt = |spoil: fn(&mut MarketOffer)| {
        let mut offers = good.clone();
        offers.values_mut().flatten().for_each(spoil);
        offers
    };
    assert!(market.offer(&good).is_ok());
    assert!(market.offer(&spoilt(|o| o.product = "pawn".to_owned())).is_err());
    assert!(market.offer(&spoilt(|o| o.offer_id = "x".to_owned())).is_err());
    assert!(market.offer(&spoilt(|o| o.pledged_order_ids = vec!["o1".to_owned()])).is_err());
    assert!(market.offer(&BTreeMap::from([("m9999999".to_owned(), good.values().next().unwrap().clone())])).is_err());
}
