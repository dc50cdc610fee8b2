//! A clerk with a calendar and a cash box: the specification of the ledger, against which a hundred thousand random loans with faults planted
//! under their own keys are checked.
//!
//! The clerk knows nothing of running totals or of events. Every morning from the day of disbursement on, the clerk notes what is late; in
//! the course of the day the clerk takes in money, keeps it in the box until a promise falls due, and pays promises out of it, the
//! oldest first, part by part. Whether the books can be believed is asked row by row, pair by pair.

use std::collections::BTreeMap;

use jiff::civil::date;

use super::*;
use crate::domain::AsOf;
use crate::repayment::{
    BrokenRow, BusinessDays, LedgerRules, LoanTerms, Materiality, Overpayment, Part, Payment, PaymentRow, Retention,
    ScheduleRow, Waterfall,
};

/// Numbers that look random: splitmix64 (Steele, Lea and Flood 2014), for it is quick without optimisation.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `n` − 1.
    fn below(&mut self, n: u64) -> i64 {
        i64::try_from(self.next() % n.max(1)).unwrap()
    }

    fn whole(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(u64::try_from(high - low + 1).unwrap())
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

#[derive(Debug, Clone, Copy)]
struct Promise {
    number: i64,
    day: i32,
    principal: i64,
    interest: i64,
    fee: i64,
    told: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Money {
    at: i64,
    sum: i64,
    back: Option<i64>,
    channel: &'static str,
}

/// One loan's rows.
#[derive(Debug, Clone)]
struct Books {
    lent_at: i64,
    principal: i64,
    term: i64,
    ppm: i64,
    /// Repaid by a share of sales.
    is_share: bool,
    product: &'static str,
    eased_at: Option<i64>,
    written_off_at: Option<i64>,
    promises: Vec<Promise>,
    money: Vec<Money>,
    broken: Vec<&'static str>,
}

/// Midnights of a zone: element `n` begins day `first + n`.
struct Calendar {
    first: i32,
    midnights: Vec<i64>,
    days: BusinessDays,
}

const LAST: jiff::civil::Date = date(2019, 12, 31);

impl Calendar {
    /// From 2018-01-01 on, so that two years of clock changes lie within.
    fn of(zone: &str) -> Self {
        let zone = AsOf::zone(zone).unwrap();
        let mut day = AsOf::new(date(2018, 1, 1), zone.clone()).unwrap();
        let days = BusinessDays::spanning(day.micros(), &AsOf::new(LAST, zone.clone()).unwrap()).unwrap();
        let (first, mut midnights) = (day.days_since_epoch(), Vec::new());
        while day.date() <= LAST {
            midnights.push(day.micros());
            day = AsOf::new(day.date().tomorrow().unwrap(), zone.clone()).unwrap();
        }
        Self { first, midnights, days }
    }

    fn begins(&self, day: i32) -> i64 {
        self.midnights[usize::try_from(day - self.first).unwrap()]
    }

    /// An instant of a day: often the first or the last, where mistakes live.
    fn instant(&self, day: i32, dice: &mut Dice) -> i64 {
        let (from, to) = (self.begins(day), self.begins(day + 1));
        match dice.below(6) {
            0 => from,
            1 => to - 1,
            _ => from + dice.below(u64::try_from(to - from).unwrap()),
        }
    }
}

/// What is said of a loan.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    dpd: i64,
    worst_dpd: i64,
    material_dpd: i64,
    worst_material_dpd: i64,
    arrears: i64,
    interest_arrears: i64,
    fee_arrears: i64,
    outstanding: i64,
    payoff: i64,
    closed_at: Option<i64>,
    in_default: bool,
}

/// Which promises count, where all the books can be believed.
fn believed(books: &Books, rules: &LedgerRules, calendar: &Calendar) -> Option<Vec<Promise>> {
    let on = |instant: i64| {
        let mut day = calendar.first;
        while calendar.begins(day + 1) <= instant {
            day += 1;
        }
        day
    };
    // Lenders may be off by a minor unit in each instalment; what is too little may also be the loss of the last one, unless nothing can follow.
    let is_complete = |promises: &[Promise]| {
        let repaid: i128 = promises.iter().map(|p| i128::from(p.principal)).sum();
        let (lent, each) = (i128::from(books.principal), i128::try_from(promises.len()).unwrap());
        let last = promises.iter().max_by_key(|p| p.number).map(|p| p.day);
        let is_over =
            last.is_some_and(|day| i64::from(day - on(books.lent_at)) == books.term) && books.eased_at.is_none();
        (1..=promises.len()).all(|n| promises.iter().filter(|p| p.number == i64::try_from(n).unwrap()).count() == 1)
            && repaid <= lent + each
            && repaid >= if is_over { lent - each } else { lent }
    };
    let newest = books.promises.iter().map(|p| p.told).max()?;
    let (fresh, old): (Vec<Promise>, Vec<Promise>) = books.promises.iter().copied().partition(|p| p.told == newest);
    let mut promises = match books.eased_at {
        _ if old.is_empty() => fresh,
        None => return None,
        Some(_) if is_complete(&fresh) => fresh,
        Some(eased) if old.iter().any(|p| p.day > on(eased)) => return None,
        Some(_) => books.promises.clone(),
    };
    promises.sort_by_key(|p| p.number);
    if !is_complete(&promises) || promises.iter().any(|p| p.principal < 0 || p.interest < 0 || p.fee < 0) {
        return None;
    }
    // The last promise repays what the others leave of the loan, and comes to what it came to; charges make up for it.
    let others: i64 = promises.iter().rev().skip(1).map(|p| p.principal).sum();
    if let Some(last) = promises.last_mut() {
        let comes_to = i128::from(last.principal) + i128::from(last.interest) + i128::from(last.fee);
        last.principal = books.principal - others;
        // What is beyond numbers is beyond what a loan can owe.
        let charges = i64::try_from((comes_to - i128::from(last.principal)).max(0)).ok()?;
        last.fee = last.fee.min(charges);
        last.interest = charges - last.fee;
        if last.principal < 0 {
            return None;
        }
    }
    let lent_on = on(books.lent_at);
    for (n, promise) in promises.iter().enumerate() {
        let is_first = n == 0;
        if promise.day < lent_on || (!is_first && promise.day <= promises[n - 1].day) {
            return None;
        }
        if books.eased_at.is_none() && i64::from(promise.day - lent_on) > books.term {
            return None;
        }
    }
    if !books.broken.is_empty() || !rules.default_dpd.contains_key(books.product) {
        return None;
    }
    let (mut received, mut owed) = (0_i128, 0_i128);
    for promise in &promises {
        owed += i128::from(promise.principal) + i128::from(promise.interest) + i128::from(promise.fee);
    }
    if owed > 10_000_000_000_000 {
        return None;
    }
    for (n, money) in books.money.iter().enumerate() {
        let is_known_channel = money.channel == "voluntary" || money.channel == "deduction";
        if money.sum < 1 || !is_known_channel || money.at < books.lent_at || money.back.is_some_and(|b| b < money.at) {
            return None;
        }
        if money.back.is_some() {
            continue;
        }
        received += i128::from(money.sum);
        for other in &books.money[n + 1..] {
            let is_like = other.sum == money.sum && (other.at - money.at).abs() <= 10 * 60 * 1_000_000;
            if is_like && other.back.is_none() {
                return None;
            }
        }
    }
    let most = owed
        + owed * i128::from(rules.overpayment.most_ppm) / 1_000_000
        + i128::from(rules.waterfall.early_close_tolerance_minor);
    (received <= most).then_some(promises)
}

/// A promise that has fallen due and its unpaid parts, in the order in which they are paid.
struct Open {
    day: i32,
    unpaid: [(Part, i64); 3],
}

/// The clerk's word on the morning of `today`; `None` where the books cannot be believed.
fn clerk(books: &Books, rules: &LedgerRules, calendar: &Calendar, today: i32) -> Option<Said> {
    let promises = believed(books, rules, calendar)?;
    let mut payments: Vec<Money> = books.money.iter().copied().filter(|m| m.back.is_none()).collect();
    payments.sort_by_key(|m| m.at);
    let mut payments = payments.into_iter().peekable();
    let mut open: Vec<Open> = Vec::new();
    let (mut cash, mut undue, mut accrued) = (0_i64, books.principal, 0_i128);
    let mut closed_at = None;
    let (mut worst_dpd, mut material, mut worst_material) = (0, 0, 0);
    let mut day = calendar.first;
    while calendar.begins(day + 1) <= books.lent_at {
        day += 1;
    }
    let (dpd, arrears, interest_arrears, fee_arrears) = loop {
        // The morning: what was due yesterday or before and is not paid is late.
        let late = || open.iter().filter(|o| o.unpaid.iter().any(|(_, sum)| *sum > 0) && closed_at.is_none());
        let dpd = late().map(|o| i64::from(day - o.day)).max().unwrap_or(0);
        worst_dpd = worst_dpd.max(dpd);
        let arrears = late().flat_map(|o| o.unpaid).map(|(_, sum)| sum).sum::<i64>();
        let unpaid = |kind| late().flat_map(|o| o.unpaid).filter(|(part, _)| *part == kind).map(|(_, sum)| sum).sum();
        let (interest_arrears, fee_arrears): (i64, i64) = (unpaid(Part::Interest), unpaid(Part::Fee));
        let share = arrears as f64 / (arrears + undue).max(1) as f64;
        let is_material =
            arrears > rules.materiality.absolute_minor && share > rules.materiality.relative_ppm as f64 / 1e6;
        material = if is_material { material + 1 } else { 0 };
        worst_material = worst_material.max(material);
        if day == today || closed_at.is_some() {
            break (dpd, arrears, interest_arrears, fee_arrears);
        }
        // Then promises fall due, and money comes in.
        let falls_due: Vec<&Promise> = promises.iter().filter(|p| p.day == day).collect();
        let mut moments: Vec<(i64, i64)> = Vec::new();
        if !falls_due.is_empty() {
            for promise in falls_due {
                undue -= promise.principal;
                let unpaid = rules.waterfall.within.map(|part| {
                    let sum = match part {
                        Part::Fee => promise.fee,
                        // Half a unit is asked for, less is not.
                        Part::Interest if books.is_share => {
                            let whole = i64::try_from(accrued / 1_000_000).unwrap();
                            promise.interest.min(whole + i64::from(accrued % 1_000_000 >= 500_000))
                        }
                        Part::Interest => promise.interest,
                        Part::Principal => promise.principal,
                    };
                    (part, sum)
                });
                // Promises fall due one a day, so that all that has accrued is this one's.
                open.push(Open { day, unpaid });
            }
            accrued = 0;
            moments.push((calendar.begins(day).max(books.lent_at), 0));
        }
        while let Some(money) = payments.next_if(|m| m.at < calendar.begins(day + 1)) {
            moments.push((money.at, money.sum));
        }
        for (at, sum) in moments {
            cash += sum;
            for (_, unpaid) in open.iter_mut().flat_map(|o| &mut o.unpaid) {
                let paid = cash.min(*unpaid);
                *unpaid -= paid;
                cash -= paid;
            }
            let is_paid = open.iter().flat_map(|o| o.unpaid).all(|(_, sum)| sum == 0);
            let interest = i64::try_from(accrued / 1_000_000).unwrap();
            let price = undue + (interest - rules.waterfall.early_close_tolerance_minor).max(0);
            if closed_at.is_none() && is_paid && cash >= price {
                closed_at = Some(at);
            }
        }
        // The night: interest accrues on what was lent, is not due and is not covered.
        accrued += i128::from((undue - cash).max(0)) * i128::from(books.ppm);
        day += 1;
    };
    let unpaid_principal: i64 =
        open.iter().flat_map(|o| o.unpaid).filter(|(part, _)| *part == Part::Principal).map(|(_, sum)| sum).sum();
    let is_closed = closed_at.is_some();
    Some(Said {
        dpd,
        worst_dpd,
        material_dpd: material,
        worst_material_dpd: worst_material,
        arrears,
        interest_arrears,
        fee_arrears,
        outstanding: if is_closed { 0 } else { (undue + unpaid_principal - cash).max(0) },
        payoff: if is_closed {
            0
        } else {
            (arrears + undue + i64::try_from(accrued / 1_000_000).unwrap() - cash).max(0)
        },
        closed_at,
        in_default: !is_closed
            && (books.written_off_at.is_some() || material >= i64::from(rules.default_dpd[books.product])),
    })
}

/// The ledger's word.
fn ledger(books: &Books, rules: &LedgerRules, calendar: &Calendar, today: i32) -> Result<Said, Vec<&'static str>> {
    let record = LoanRecord {
        merchant_id: "m",
        product: books.product,
        terms: LoanTerms {
            loan_id: "l",
            disbursed_at: books.lent_at,
            principal_minor: books.principal,
            term_days: books.term,
            daily_rate_ppm: books.ppm,
            sales_share_ppm: books.is_share.then_some(100_000),
        },
        written_off_at: books.written_off_at,
        restructured_at: books.eased_at,
        group_id: None,
        offer_id: None,
        pledged_order_ids: Vec::new(),
        schedule: books
            .promises
            .iter()
            .map(|p| ScheduleRow {
                instalment: Instalment {
                    number: p.number,
                    due_on: p.day,
                    principal_minor: p.principal,
                    interest_minor: p.interest,
                    fee_minor: p.fee,
                },
                recorded_at: p.told,
            })
            .collect(),
        payments: books
            .money
            .iter()
            .map(|m| PaymentRow {
                payment_id: "",
                payment: Payment { paid_at: m.at, amount_minor: m.sum, reversed_at: m.back },
                channel: Some(m.channel).filter(|c| !c.is_empty()),
            })
            .collect(),
        broken: books.broken.iter().map(|table| BrokenRow { table, key: Some("k"), rule: "out-of-range" }).collect(),
    };
    let point = ObservationPoint { micros: calendar.begins(today), day: today, days: &calendar.days };
    match assess(&record, rules, &point) {
        Err(causes) => {
            assert!(!causes.is_empty(), "unknown for no reason");
            Err(causes
                .into_iter()
                .map(|cause| match cause.code {
                    std::borrow::Cow::Borrowed(code) => code,
                    std::borrow::Cow::Owned(code) => unreachable!("{code} comes from no rule"),
                })
                .collect())
        }
        Ok(assessment) => {
            let standing = assessment.standing(&record, rules, &point);
            Ok(Said {
                dpd: standing.dpd,
                worst_dpd: standing.worst_dpd,
                material_dpd: standing.material_dpd,
                worst_material_dpd: standing.worst_material_dpd,
                arrears: standing.arrears_minor,
                interest_arrears: standing.interest_arrears_minor,
                fee_arrears: standing.fee_arrears_minor,
                outstanding: standing.outstanding_minor,
                payoff: standing.payoff_minor,
                closed_at: assessment.repayment.closed_at,
                in_default: standing.is_in_default,
            })
        }
    }
}

/// A loan whose books agree, whatever its borrower made of it, as it can be seen on the morning of the day that is returned with it.
fn sound_loan(dice: &mut Dice, calendar: &Calendar) -> (Books, i32) {
    let lent_on = calendar.first + i32::try_from(dice.whole(0, 450)).unwrap();
    let lent_at = calendar.instant(lent_on, dice);
    let scale = dice.of(&[60, 6_000, 250_000]);
    let told = dice.of(&[None, Some(lent_at)]);
    let (mut promises, mut day) = (Vec::new(), lent_on);
    let count = dice.whole(1, 5);
    for number in 1..=count {
        let gap = if number == 1 { dice.whole(0, 20) } else { dice.whole(1, 20) };
        day += i32::try_from(gap).unwrap();
        let least = i64::from(number == count);
        let principal = dice.whole(least, scale);
        let (interest, fee) = (dice.whole(0, scale / 10), dice.whole(-scale, scale / 20).max(0));
        promises.push(Promise { number, day, principal, interest, fee, told });
    }
    let principal: i64 = promises.iter().map(|p| p.principal).sum();
    let owed: i64 = promises.iter().map(|p| p.principal + p.interest + p.fee).sum();
    let today = lent_on + i32::try_from(dice.whole(1, 150)).unwrap();
    let mut money: Vec<Money> = Vec::new();
    let mut pay = |day: i64, sum: i64, dice: &mut Dice| {
        let day = i32::try_from(day).unwrap().clamp(lent_on, lent_on + 200);
        let at = calendar.instant(day, dice).max(lent_at);
        let back =
            dice.one_in(12).then(|| calendar.instant(day + i32::try_from(dice.whole(0, 9)).unwrap(), dice).max(at));
        let channel = dice.of(&["voluntary", "voluntary", "deduction"]);
        // A payment that bounces stands until then.
        let standing: i64 = money.iter().map(|m: &Money| m.sum).sum();
        let is_repeated = money.iter().any(|m| m.sum == sum && (m.at - at).abs() <= 600_000_000);
        if sum > 0 && standing + sum <= owed + owed / 10 && !is_repeated {
            money.push(Money { at, sum, back, channel });
        }
    };
    let diligence = dice.below(4);
    for promise in &promises {
        let due = promise.principal + promise.interest + promise.fee;
        let on = i64::from(promise.day);
        match dice.below(7) + diligence {
            0 => {}
            1 | 2 => pay(on + dice.whole(1, 90), due, dice),
            3 => {
                let part = dice.whole(0, due);
                pay(on + dice.whole(0, 20), part, dice);
                pay(on + dice.whole(0, 60), due - part, dice);
            }
            4 => pay(on + dice.whole(-9, 9), dice.whole(1, due.max(1)), dice),
            _ => pay(on - dice.below(3), due, dice),
        }
    }
    if dice.one_in(8) {
        // The whole rest at once, some of its interest included.
        pay(i64::from(lent_on) + dice.whole(0, 40), principal + dice.whole(0, scale / 8), dice);
    }
    let written_off_at = dice.one_in(25).then(|| calendar.instant(lent_on + 30, dice));
    let (term, ppm) = (i64::from(day - lent_on) + dice.below(3), dice.of(&[0, 500, 20_000]));
    let books = Books {
        lent_at,
        principal,
        term,
        ppm,
        is_share: dice.one_in(3),
        product: "credit-loan",
        eased_at: None,
        written_off_at,
        promises,
        money,
        broken: Vec::new(),
    };
    (books, today)
}

/// What can be seen of the books on a morning: the one as-of filter's work, done here by hand.
fn seen(books: &Books, calendar: &Calendar, today: i32) -> Books {
    let now = calendar.begins(today);
    let before = |instant: Option<i64>| instant.filter(|i| *i < now);
    let mut books = books.clone();
    books.eased_at = before(books.eased_at);
    books.written_off_at = before(books.written_off_at);
    books.promises.retain(|p| p.told.is_none_or(|told| told < now));
    books.money.retain(|m| m.at < now);
    books.money.iter_mut().for_each(|m| m.back = before(m.back));
    books
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    DropInstalment,
    DropSchedule,
    BreakInstalment,
    BreakPayment,
    BreakLoan,
    DropPayment,
    ChangeAmount,
    ChangeAmountLater,
    HugeAmount,
    NegativeAmount,
    DuplicateLater,
    Renumber,
    MoveDueDate,
    MovePayment,
    ReversePayment,
    DoublePayment,
    InflatePayment,
    LoseChannel,
    ChangePrincipal,
    RenameProduct,
    Restructure,
    HalfRestructure,
}

const FAULTS: [Fault; 22] = [
    Fault::DropInstalment,
    Fault::DropSchedule,
    Fault::BreakInstalment,
    Fault::BreakPayment,
    Fault::BreakLoan,
    Fault::DropPayment,
    Fault::ChangeAmount,
    Fault::ChangeAmountLater,
    Fault::HugeAmount,
    Fault::NegativeAmount,
    Fault::DuplicateLater,
    Fault::Renumber,
    Fault::MoveDueDate,
    Fault::MovePayment,
    Fault::ReversePayment,
    Fault::DoublePayment,
    Fault::InflatePayment,
    Fault::LoseChannel,
    Fault::ChangePrincipal,
    Fault::RenameProduct,
    Fault::Restructure,
    Fault::HalfRestructure,
];

impl Fault {
    /// Takes evidence away and adds none.
    const fn removes_evidence(self) -> bool {
        matches!(
            self,
            Self::DropInstalment
                | Self::DropSchedule
                | Self::BreakInstalment
                | Self::BreakPayment
                | Self::BreakLoan
                | Self::DropPayment
                | Self::LoseChannel
                | Self::RenameProduct
        )
    }

    #[expect(clippy::too_many_lines, reason = "one arm a fault")]
    fn plant(self, books: &mut Books, dice: &mut Dice, calendar: &Calendar, today: i32) {
        let promise = usize::try_from(dice.below(books.promises.len() as u64)).unwrap();
        let payment = usize::try_from(dice.below(books.money.len() as u64)).unwrap();
        let later = calendar.begins(today) - 1 - dice.below(1_000_000);
        match self {
            Self::DropInstalment | Self::BreakInstalment => {
                if !books.promises.is_empty() {
                    books.promises.remove(promise);
                }
                if self == Self::BreakInstalment {
                    books.broken.push("instalments");
                }
            }
            Self::DropSchedule => books.promises.clear(),
            Self::DropPayment | Self::BreakPayment => {
                if !books.money.is_empty() {
                    books.money.remove(payment);
                }
                if self == Self::BreakPayment {
                    books.broken.push("payments");
                }
            }
            Self::BreakLoan => books.broken.push("loans"),
            Self::ChangeAmount | Self::ChangeAmountLater | Self::HugeAmount | Self::NegativeAmount => {
                let change = match self {
                    Self::HugeAmount => i64::MAX / 2,
                    Self::NegativeAmount => -books.principal - 1,
                    _ => dice.whole(-50, 50),
                };
                let part = dice.below(3);
                if let Some(p) = books.promises.get_mut(promise) {
                    let cell = match part {
                        0 => &mut p.principal,
                        1 => &mut p.interest,
                        _ => &mut p.fee,
                    };
                    *cell = cell.saturating_add(change);
                    if self == Self::ChangeAmountLater {
                        p.told = Some(later);
                    }
                }
            }
            Self::DuplicateLater => {
                if let Some(p) = books.promises.get(promise).copied() {
                    let day = p.day + dice.of(&[0, 0, 7]);
                    books.promises.push(Promise { told: Some(later), day, ..p });
                }
            }
            Self::Renumber => {
                if let Some(p) = books.promises.get_mut(promise) {
                    p.number = dice.whole(0, 6);
                }
            }
            Self::MoveDueDate => {
                if let Some(p) = books.promises.get_mut(promise) {
                    p.day += i32::try_from(dice.whole(-30, 30)).unwrap();
                }
            }
            Self::MovePayment => {
                let days = dice.whole(-40, 40);
                if let Some(m) = books.money.get_mut(payment) {
                    m.at += days * 86_400_000_000;
                    m.back = m.back.map(|back| back + dice.of(&[0, days]) * 86_400_000_000);
                }
            }
            Self::ReversePayment => {
                let days = dice.whole(-3, 60);
                if let Some(m) = books.money.get_mut(payment) {
                    m.back = Some(m.at + days * 86_400_000_000);
                }
            }
            Self::DoublePayment => {
                let later = dice.of(&[0, 60_000_000, 600_000_000, 600_000_001]);
                let channel = dice.of(&["voluntary", "deduction"]);
                books.money.extend(books.money.get(payment).map(|m| Money { at: m.at + later, channel, ..*m }));
            }
            Self::InflatePayment => {
                let factor = dice.of(&[2, 10, i64::MAX]);
                if let Some(m) = books.money.get_mut(payment) {
                    m.sum = m.sum.saturating_mul(factor);
                }
            }
            Self::LoseChannel => {
                let channel = dice.of(&["", "gift"]);
                if let Some(m) = books.money.get_mut(payment) {
                    m.channel = channel;
                }
            }
            Self::ChangePrincipal => books.principal += dice.whole(-20, 20),
            Self::RenameProduct => books.product = "gold-loan",
            Self::Restructure | Self::HalfRestructure => {
                let eased_on = today - i32::try_from(dice.whole(1, 30)).unwrap();
                let eased_at = calendar.instant(eased_on.max(calendar.first), dice).max(books.lent_at);
                let delay = i32::try_from(dice.whole(1, 40)).unwrap();
                let is_whole = dice.one_in(3);
                let mut is_left = self == Self::HalfRestructure;
                for p in books.promises.iter_mut().filter(|p| is_whole || p.day > eased_on) {
                    if is_left {
                        is_left = false;
                        continue;
                    }
                    p.day += delay;
                    p.told = Some(eased_at);
                }
                books.eased_at = Some(eased_at);
            }
        }
    }
}

fn rules(dice: &mut Dice) -> LedgerRules {
    LedgerRules {
        waterfall: Waterfall {
            within: dice.of(&[
                [Part::Fee, Part::Interest, Part::Principal],
                [Part::Principal, Part::Fee, Part::Interest],
                [Part::Interest, Part::Principal, Part::Fee],
            ]),
            early_close_tolerance_minor: dice.of(&[0, 3, 100]),
        },
        // A quarter, so that shares as floating-point numbers are exact where they meet the threshold.
        materiality: Materiality { absolute_minor: dice.of(&[0, 100, 10_000]), relative_ppm: dice.of(&[0, 250_000]) },
        overpayment: Overpayment { most_ppm: 100_000 },
        retention: Retention::default(),
        payments_confirmed: super::super::confirmed::ConfirmedPayments::default(),
        default_dpd: BTreeMap::from([("credit-loan".to_owned(), 30)]),
    }
}

const ZONES: [&str; 5] = ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo"];

/// What has been checked, so that a check that no longer sees anything is seen itself.
#[derive(Debug, Default)]
struct Seen {
    late: u64,
    material: u64,
    below_material: u64,
    closed: u64,
    restructured_and_known: u64,
    unknown_by_fault: BTreeMap<Fault, u64>,
    codes: BTreeMap<&'static str, u64>,
}

/// - A loan whose books agree is known.
/// - Of faulted books the ledger says what the clerk says of the same books, Known or Unknown and every figure.
/// - No fault that only takes evidence away makes a loan less late or leaves less in arrears: the loan is unknown, or it is no better.
#[test]
fn a_hundred_thousand_loans_with_faults_under_their_own_keys() {
    let calendars = ZONES.map(Calendar::of);
    let mut dice = Dice(20_260_131);
    let mut counts = Seen::default();
    for n in 0..100_000_usize {
        let calendar = &calendars[n % ZONES.len()];
        let rules = rules(&mut dice);
        let (books, today) = sound_loan(&mut dice, calendar);
        let sound = seen(&books, calendar, today);
        let fault = FAULTS[n / ZONES.len() % FAULTS.len()];
        let mut faulted = sound.clone();
        fault.plant(&mut faulted, &mut dice, calendar, today);
        let is_single = !dice.one_in(4);
        if !is_single {
            dice.of(&FAULTS).plant(&mut faulted, &mut dice, calendar, today);
        }
        let faulted = seen(&faulted, calendar, today);
        let place = || format!("loan {n} in {}, {fault:?}, on {today}: {rules:?} {faulted:?}", ZONES[n % ZONES.len()]);

        let base = ledger(&sound, &rules, calendar, today).unwrap_or_else(|why| panic!("{why:?}: {sound:?}"));
        if n % 4 == 0 {
            assert_eq!(Some(&base), clerk(&sound, &rules, calendar, today).as_ref(), "{rules:?} {sound:?} on {today}");
        }
        let said = ledger(&faulted, &rules, calendar, today);
        assert_eq!(said.as_ref().ok(), clerk(&faulted, &rules, calendar, today).as_ref(), "{}", place());
        match &said {
            Ok(said) if fault.removes_evidence() && is_single => {
                assert!(said.dpd >= base.dpd && said.arrears >= base.arrears, "{} {base:?} {said:?}", place());
                assert!(said.worst_dpd >= base.worst_dpd && said.material_dpd >= base.material_dpd, "{}", place());
                assert!(said.outstanding >= base.outstanding, "{}", place());
            }
            Ok(_) => {}
            Err(codes) => {
                *counts.unknown_by_fault.entry(fault).or_default() += 1;
                for code in codes {
                    *counts.codes.entry(code).or_default() += 1;
                }
            }
        }
        let known = said.as_ref().ok();
        counts.late += u64::from(base.dpd > 0);
        counts.material += u64::from(base.material_dpd > 0);
        counts.below_material += u64::from(base.dpd > base.material_dpd);
        counts.closed += u64::from(base.closed_at.is_some());
        counts.restructured_and_known += u64::from(known.is_some() && faulted.eased_at.is_some());
    }
    assert!(counts.late > 20_000 && counts.material > 10_000 && counts.below_material > 5_000, "{counts:?}");
    assert!(counts.closed > 20_000 && counts.restructured_and_known > 2_000, "{counts:?}");
    let always =
        [Fault::DropInstalment, Fault::DropSchedule, Fault::BreakInstalment, Fault::BreakPayment, Fault::BreakLoan];
    for fault in always.into_iter().chain([Fault::RenameProduct]) {
        let planted = 100_000 / FAULTS.len() as u64;
        assert!(counts.unknown_by_fault[&fault] > planted * 98 / 100, "{fault:?}: {counts:?}");
    }
    let codes = [
        "no-schedule",
        "schedule-numbers",
        "schedule-principal",
        "schedule-amounts",
        "schedule-dates",
        "schedule-before-disbursement",
        "schedule-beyond-term",
        "schedule-versions",
        "broken-loan",
        "broken-instalment",
        "broken-payment",
        "payment-channel",
        "payment-before-disbursement",
        "payment-reversed-before-paid",
        "payment-repeated",
        "overpaid",
        "product-without-default",
    ];
    assert!(
        codes.iter().all(|code| counts.codes.get(code) > Some(&100)),
        "every rule has been seen to refuse: {counts:?}"
    );
}
