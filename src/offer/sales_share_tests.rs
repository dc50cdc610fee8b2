use std::path::Path;

use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::domain::{AsOf, MICROS_PER_DAY, Probability};
use crate::model::ability::HorizonForecast;
use crate::offer::property_tests::{POLICY, Shop};
use crate::offer::{CapName, CostOfLoan, Course, Repayment, Terms, course, decide, reproduce};
use crate::repayment::{BusinessDays, Instalment, LoanTerms, ObservationPoint, Payment, Waterfall};

const TERMS: &str = "sales_share = { share_ppm = 120_000, min_per_60_days_ppm = 250_000 }";

fn text() -> String {
    let by_share = POLICY.replace("repayment = \"equal-instalment\"\ninstalments = 6", "repayment = \"sales-share\"");
    by_share
        .replace("daily_rate_ppm = { A = 400, B = 500 }", &format!("daily_rate_ppm = {{ A = 400, B = 500 }}\n{TERMS}"))
}

fn policy() -> Policy {
    Policy::check(ConfigFile::from_text(Path::new("policy.toml"), &text())).unwrap()
}

fn refused(text: &str) -> String {
    Policy::check(ConfigFile::from_text(Path::new("policy.toml"), text)).unwrap_err().to_string()
}

fn terms(principal_minor: i64, ppm: i64, term_days: u16, share: SalesShare) -> Terms {
    Terms {
        principal_minor,
        rate: DailyRate::from_ppm(ppm).unwrap(),
        term_days,
        repayment: Repayment::SalesShare(share),
        instalments: milestones(term_days),
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let product = &policy().products[1];
    let share = SalesShare { share_ppm: 120_000, min_per_60_days_ppm: 250_000 };
    assert_eq!((product.repayment, product.instalments), (Repayment::SalesShare(share), 3));
    let without = refused(&text().replace(TERMS, ""));
    assert!(without.contains("do not go together"), "{without}");
    let beside = refused(&POLICY.replace("instalments = 6", &format!("instalments = 6\n{TERMS}")));
    assert!(beside.contains("do not go together"), "{beside}");
    let counted =
        refused(&text().replace("repayment = \"sales-share\"", "repayment = \"sales-share\"\ninstalments = 3"));
    assert!(counted.contains("every 60 days"), "{counted}");
    let all = refused(&text().replace("250_000", "500_000"));
    assert!(all.contains("repays all before"), "{all}");
    let short = refused(&text().replace("term_days = 180", "term_days = 60"));
    assert!(short.contains("no milestone before its end"), "{short}");
    let order_loan = text().replace(
        "caps = { receivables_advance_rate_ppm = 800_000 }",
        &format!("caps = {{ receivables_advance_rate_ppm = 800_000 }}\n{TERMS}"),
    );
    let order_loan = refused(
        &order_loan.replace("term_days = 7\nrepayment = \"bullet\"", "term_days = 70\nrepayment = \"sales-share\""),
    );
    assert!(order_loan.contains("credit-loan may be"), "{order_loan}");
}

#[test]
fn milestones_ask_for_the_minimum_and_the_last_for_the_rest() {
    let share = SalesShare { share_ppm: 100_000, min_per_60_days_ppm: 300_000 };
    let dues = schedule(&terms(100_000, 1_000, 150, share)).unwrap();
    let told: Vec<(u16, i64, i64)> = dues.iter().map(|d| (d.day, d.principal_minor, d.interest_minor)).collect();
    // 60 days on 100,000, 60 on 70,000, 30 on 40,000 at 0.1 %.
    assert_eq!(told, [(60, 30_000, 6_000), (120, 30_000, 4_200), (150, 40_000, 1_200)]);
}

#[test]
fn a_course_by_hand() {
    let share = SalesShare { share_ppm: 100_000, min_per_60_days_ppm: 300_000 };
    // 1,000 a day from receipts of 1,800,000 over 180 days, without interest: 100 days.
    let free = course(&terms(100_000, 0, 180, share), share, 1_800_000, None).unwrap();
    assert_eq!((free.closes_on_day(), free.interest_minor, free.payments.len()), (100, 0, 100));
    assert!(free.payments.iter().all(|&(_, paid)| paid == 1_000));
    // 100 a day: 6,000 by day 60, where 24,000 are missing, and again by day 120; the rest on the last day.
    let slow = course(&terms(100_000, 0, 180, share), share, 180_000, None).unwrap();
    assert_eq!((slow.payments[58], slow.payments[59]), ((59, 100), (60, 24_100)));
    assert_eq!(slow.payments.last(), Some(&(180, 100_000 - 60_000 - 59 * 100)));
    // Nothing comes in: the milestones, and their own interest.
    let none = course(&terms(100_000, 1_000, 180, share), share, 0, None).unwrap();
    assert_eq!(none.payments, [(60, 36_000), (120, 34_200), (180, 42_400)]);
    let paid_off = course(&terms(100_000, 1_000, 180, share), share, 0, Some(90)).unwrap();
    assert_eq!((paid_off.payments.last(), paid_off.interest_minor), (Some(&(90, 72_100)), 6_000 + 2_100));
}

/// What the loan's book says of payments made at noon of the days of a course, seen on the morning after day `seen`: `(closed, worst days past due)`.
fn in_the_book(terms: &Terms, share: SalesShare, payments: &[(u16, i64)], seen: u16) -> (Option<i64>, i64) {
    let begin = AsOf::new(date(2018, 1, 1), TimeZone::UTC).unwrap();
    let zero = begin.days_since_epoch();
    let days = BusinessDays::spanning(begin.micros(), &begin.days_before(-900).unwrap()).unwrap();
    let number = |at: usize| i64::try_from(at).unwrap() + 1;
    let promised: Vec<Instalment> = schedule(terms)
        .unwrap()
        .iter()
        .enumerate()
        .map(|(at, due)| Instalment {
            number: number(at),
            due_on: zero + i32::from(due.day),
            principal_minor: due.principal_minor,
            interest_minor: due.interest_minor,
            fee_minor: 0,
        })
        .collect();
    let paid = |&(day, amount_minor): &(u16, i64)| Payment {
        paid_at: begin.micros() + i64::from(day) * MICROS_PER_DAY + MICROS_PER_DAY / 2,
        amount_minor,
        reversed_at: None,
    };
    let paid: Vec<Payment> = payments.iter().map(paid).collect();
    let loan = LoanTerms {
        loan_id: "l",
        disbursed_at: begin.micros(),
        principal_minor: terms.principal_minor,
        term_days: i64::from(terms.term_days),
        daily_rate_ppm: terms.rate.ppm(),
        sales_share_ppm: Some(share.share_ppm),
    };
    let waterfall = Waterfall { early_close_tolerance_minor: 0, ..Waterfall::default() };
    let day = zero + i32::from(seen) + 1;
    let point = ObservationPoint { micros: begin.micros() + (i64::from(seen) + 1) * MICROS_PER_DAY, day, days: &days };
    let stands = waterfall.allocate(&loan, &promised, &paid, &point).unwrap();
    (stands.closed_at.map(|at| (at - begin.micros()) / MICROS_PER_DAY), stands.worst_dpd)
}

/// The annual rate that makes the payments worth the advance, by another road: Newton's steps on the discount of a day.
fn oracle_apr(advance: i64, payments: &[(u16, i64)]) -> f64 {
    let mut discount = 1.0_f64;
    for _ in 0..200 {
        let (mut worth, mut slope) = (-(advance as f64), 0.0);
        for &(day, paid) in payments {
            let before = discount.powi(i32::from(day) - 1);
            worth += paid as f64 * discount * before;
            slope += paid as f64 * f64::from(day) * before;
        }
        discount -= worth / slope;
    }
    365.0 * (1.0 / discount - 1.0)
}

prop_compose! {
    fn loans()(
        principal_minor in 1_000_i64..50_000_000,
        ppm in 0_i64..2_000,
        term_days in 61_u16..400,
        share_ppm in 10_000_i64..400_000,
        min in 1_i64..1_000_000,
        // Of what is lent, over the term: from a hundredth to thirty times.
        turnover in 0.01_f64..30.0,
    ) -> (Terms, SalesShare, i64) {
        let most = 999_999 / i64::from(milestones(term_days) - 1);
        let share = SalesShare { share_ppm, min_per_60_days_ppm: min.min(most) };
        #[expect(clippy::cast_possible_truncation, reason = "amounts of a test")]
        let receipts = (principal_minor as f64 * turnover) as i64;
        (terms(principal_minor, ppm, term_days, share), share, receipts)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The book of the loan, which knows nothing of courses, closes it on the same day and never calls it late; with a minor unit less it stays open.
    #[test]
    fn a_course_is_what_the_loans_book_makes_of_it((terms, share, receipts) in loans()) {
        let run = course(&terms, share, receipts, None).unwrap();
        let last = run.closes_on_day();
        prop_assert_eq!(in_the_book(&terms, share, &run.payments, last), (Some(i64::from(last)), 0));
        let mut short = run.payments.clone();
        short.last_mut().unwrap().1 -= 1;
        prop_assert_eq!(in_the_book(&terms, share, &short, last).0, None);
        let half = terms.term_days / 2;
        let paid_off = course(&terms, share, receipts, Some(half)).unwrap();
        if last > half {
            prop_assert_eq!(in_the_book(&terms, share, &paid_off.payments, half).0, Some(i64::from(half)));
        }
        prop_assert!(paid_off.interest_minor <= run.interest_minor);
    }

    #[test]
    fn annual_rates_agree_with_an_oracle((terms, share, receipts) in loans()) {
        let cost = CostOfLoan::of_terms(&terms, Some(receipts)).unwrap();
        let Course { payments, interest_minor, .. } = course(&terms, share, receipts, None).unwrap();
        prop_assert_eq!(payments.iter().map(|p| p.1).sum::<i64>(), terms.principal_minor + interest_minor);
        prop_assert_eq!(cost.interest_minor, interest_minor);
        prop_assert!(interest_minor <= cost.most_interest_minor.unwrap());
        let nominal = 365e-6 * terms.rate.ppm() as f64;
        if terms.principal_minor > 1_000_000 && interest_minor > 1_000 {
            // Unit-periods of a day where a payment comes on most days; of longer ones the regulation's own rounding applies.
            if payments.len() > usize::from(run_days(&payments)) / 2 {
                let expected = oracle_apr(terms.principal_minor, &payments);
                prop_assert!((cost.apr - expected).abs() < 1e-6 * (1.0 + expected), "{} against {}", cost.apr, expected);
            }
            // Interest that falls due at milestones costs no more a year than the daily rate does, an eighth of a point for rounding.
            prop_assert!(cost.most_apr <= nominal + 0.001_25, "{} against {}", cost.most_apr, nominal);
            prop_assert!(cost.apr > nominal * 0.9 - 0.001_25, "{} against {}", cost.apr, nominal);
        }
    }

    /// Of the largest loan that the low case carries every milestone is met out of the share of the low receipts by then, at any lawful rate; of one
    /// noticeably larger some is not, at the dearest.
    #[test]
    fn the_low_case_meets_every_milestone(
        lows in prop::array::uniform3(0_i64..500_000_000), ppm in 0_i64..=900,
        debt_share in prop::option::of(10_000_i64..1_000_000),
    ) {
        let mut policy = policy();
        let product = &mut policy.products[1];
        product.caps.debt_service_share_ppm = debt_share;
        let product = product.clone();
        let share = product.repayment.sales_share().unwrap();
        let ahead = |(days, low): (u16, i64)| HorizonForecast { horizon_days: days, lower_minor: low, median_minor: low, upper_minor: low };
        let foreseen = ReceiptForecast { horizons: [60, 120, 180].into_iter().zip(lows).map(ahead).collect() };
        let carried = low_case_carries_minor(&policy, &product, share, &foreseen).unwrap().unwrap();
        let short = |principal: i64, ppm: i64| {
            let dues = schedule(&terms(principal, ppm, 180, share)).unwrap();
            let taken = share.share_ppm.min(debt_share.unwrap_or(1_000_000));
            let mut asked = 0;
            dues.iter().zip(lows).any(|(due, low)| {
                asked += due.amount_minor();
                i128::from(asked) * 1_000_000 > i128::from(low) * i128::from(taken)
            })
        };
        prop_assert!(carried <= 0 || !short(carried, ppm));
        prop_assert!(short(carried + carried / 1_000 + 20, 900));
        // Less foreseen never carries more.
        let mut less = foreseen.clone();
        less.horizons[1].lower_minor /= 2;
        prop_assert!(low_case_carries_minor(&policy, &product, share, &less).unwrap().unwrap() <= carried);
        less.horizons.remove(0);
        prop_assert_eq!(low_case_carries_minor(&policy, &product, share, &less).unwrap(), None);
    }
}

fn run_days(payments: &[(u16, i64)]) -> u16 {
    payments.last().map_or(0, |p| p.0)
}

/// A price that follows the hazard, by hand: with the same hazard every day the expected loss a day does not hang on how fast a loan is repaid.
#[test]
fn with_a_constant_hazard_the_floor_does_not_hang_on_receipts() {
    let flat = text()
        .replace("term_structure = [{ days = 30, hazard_share = 0.08 }, { days = 180, hazard_share = 1.0 }]\n", "");
    let policy = Policy::check(ConfigFile::from_text(Path::new("policy.toml"), &flat)).unwrap();
    let pd = Probability::new(0.05).unwrap();
    let loss_under = |policy: &Policy, median_minor: i64| {
        let ahead = |days: u16| HorizonForecast {
            horizon_days: days,
            lower_minor: 1_000_000,
            median_minor,
            upper_minor: median_minor,
        };
        let foreseen = ReceiptForecast { horizons: [60, 120, 180].map(ahead).to_vec() };
        match crate::offer::price(policy, &policy.products[1], &foreseen, "A", pd).unwrap() {
            crate::offer::Price::Rate(_, parts) => parts.expected_loss_ppm,
            other => panic!("{other:?}"),
        }
    };
    let floor = |median_minor: i64| loss_under(&policy, median_minor);
    // 0.6 × (0.95^(−1/180) − 1) = 171.002 ppm a day, rounded up.
    assert_eq!([floor(1_000_000), floor(4_000_000), floor(90_000_000)], [172; 3]);
    // Of a hazard that rises, a loan that is repaid sooner bears less.
    let rising = self::policy();
    let at = |median_minor: i64| loss_under(&rising, median_minor);
    assert!(at(90_000_000) < at(4_000_000) && at(4_000_000) < at(1_000_000));
}

#[test]
fn every_offer_says_what_it_rests_on_and_every_number_of_it_follows() {
    let policy = policy();
    let as_of = AsOf::new(date(2018, 8, 1), TimeZone::UTC).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(20_260_131);
    let (mut offers, mut held_by_milestones) = (0, 0);
    for _ in 0..8_000 {
        let shop = Shop::random(&mut rng);
        let decision = shop.with_case((600, "A", Probability::new(0.02).unwrap()), None, |case| {
            decide(&policy, case, &as_of).unwrap()
        });
        for offer in decision.offers.iter().filter(|offer| offer.product == "credit-loan") {
            offers += 1;
            reproduce(offer).unwrap();
            assert_eq!((offer.sales_share_ppm, offer.min_per_60_days_ppm), (Some(120_000), Some(250_000)));
            let least = offer.caps.iter().filter_map(|cap| cap.value_minor).min().unwrap();
            assert!(offer.limit_minor <= least);
            held_by_milestones += u32::from(offer.binding_cap == CapName::DebtService);
            assert!(offer.expected_days.unwrap() <= 180 && offer.interest_minor <= offer.most_interest_minor.unwrap());
            // Any of the numbers that was written otherwise is found. Receipts that repay all within days say little by themselves.
            let spoils: [fn(&mut crate::offer::Offer); 6] = [
                |o| o.expected_receipts_minor = o.expected_receipts_minor.map(|n| n / 2 - 1),
                |o| o.expected_days = o.expected_days.map(|n| n + 1),
                |o| o.most_interest_minor = None,
                |o| o.sales_share_ppm = None,
                |o| o.min_per_60_days_ppm = Some(400_000),
                |o| o.apr += 1e-9,
            ];
            let told = usize::from(!(2..150).contains(&offer.expected_days.unwrap()));
            for spoil in spoils.into_iter().skip(told) {
                let mut spoilt = offer.clone();
                spoil(&mut spoilt);
                assert!(reproduce(&spoilt).is_err() || spoilt.interest_minor < 10, "{spoilt:?}");
            }
        }
    }
    assert!(offers > 60 && held_by_milestones > 50, "{offers} {held_by_milestones}");
}
