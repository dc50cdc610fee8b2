//! The loan book of one merchant: what is asked for, lent, paid, paid late and never paid.

mod sales_share;

use sales_share::Accrual;

use super::calendar::{Calendar, DAY, Second};
use super::cash::Purse;
use super::dealings::MoneyCost;
use super::draw::{Draw, whole};
use super::schedule::{Instalment, MONTH_DAYS, Repayment, ScheduleVersion, eased, interest, schedule, settle};
use super::trade::{Nature, Trade};
use super::traits::Traits;
use crate::domain::elementary::{exp, sigmoid};

/// A loan and how it went.
#[derive(Debug, Clone)]
pub(super) struct Loan {
    pub(super) product: &'static str,
    pub(super) disbursed: Second,
    pub(super) principal: i64,
    pub(super) term_days: i64,
    pub(super) daily_rate_ppm: i64,
    pub(super) repayment: Repayment,
    /// The schedule as it was promised, then as it was eased.
    pub(super) versions: Vec<ScheduleVersion>,
    /// The lender's offer on which it was drawn; the lender of the history published none.
    pub(super) offer: Option<u128>,
    /// Positions of the merchant's orders that secure it.
    pub(super) pledged: Vec<usize>,
    /// What is promised and paid by now.
    instalments: Vec<Instalment>,
    accrual: Accrual,
    pub(super) written_off: Option<Second>,
    pub(super) restructured: Option<Second>,
    pub(super) group: Option<u64>,
    pub(super) worst_dpd: i64,
    /// Paid by now, bounced payments left out.
    pub(super) received: i64,
    /// Principal not repaid, summed over the evenings on which the loan was open.
    pub(super) principal_days: i128,
    /// The borrower has put paying off until this day.
    postponed_until: i64,
    /// Until this day a payment is under way that will bounce: nobody knows yet, and nothing is deducted.
    bounces_until: i64,
    pub(super) is_open: bool,
    pub(super) opened_day: i64,
}

/// A repayment; `loan` is a position in the merchant's loans.
#[derive(Debug, Clone)]
pub(super) struct Payment {
    pub(super) loan: usize,
    pub(super) at: Second,
    pub(super) amount: i64,
    pub(super) channel: &'static str,
    pub(super) reversed: Option<Second>,
}

/// An application; `orders` are positions in the merchant's orders.
#[derive(Debug, Clone)]
pub(super) struct Application {
    pub(super) at: Second,
    pub(super) product: &'static str,
    pub(super) requested: i64,
    pub(super) orders: Vec<usize>,
    pub(super) gross_sales: i64,
    pub(super) operating_costs: i64,
    pub(super) gross_assets: i64,
    pub(super) gross_liabilities: i64,
}

/// What a merchant stands in on a day.
#[derive(Clone, Copy)]
pub(super) struct Today<'a> {
    pub(super) traits: &'a Traits,
    pub(super) calendar: &'a Calendar,
    pub(super) day: i64,
    /// Net escrow receipts of the day.
    pub(super) received: f64,
    /// Expected demand against the year's mean; above 1 in season.
    pub(super) season: f64,
    /// Pays nothing of its own will any more.
    pub(super) is_dark: bool,
    pub(super) group: Option<u64>,
}

/// What a loan is granted on.
pub(super) struct Terms {
    pub(super) product: &'static str,
    pub(super) principal: i64,
    pub(super) term_days: i64,
    pub(super) daily_rate_ppm: i64,
    pub(super) repayment: Repayment,
    /// Days from one instalment to the next.
    pub(super) spacing: i64,
    pub(super) fee: i64,
    pub(super) group: Option<u64>,
    pub(super) offer: Option<u128>,
    pub(super) pledged: Vec<usize>,
}

/// One merchant's credit.
#[derive(Debug, Default, Clone)]
pub(super) struct Credit {
    pub(super) loans: Vec<Loan>,
    pub(super) payments: Vec<Payment>,
    pub(super) applications: Vec<Application>,
    /// Orders that secure a loan of the last weeks, open or not.
    pub(super) pledged: Vec<usize>,
    pub(super) open: Vec<usize>,
    /// Sales of the last twelve months that the merchant would honestly declare.
    pub(super) sales_12m: f64,
}

/// Days past due from which a loan is bad, by product.
pub(super) fn bad_from(product: &str) -> i64 {
    if product == "order-loan" { 30 } else { 90 }
}

/// Days past due from which the lender writes a loan off: 120 as US banks do with loans in instalments (FFIEC, Uniform Retail Credit
/// Classification and Account Management Policy, 2000); 90 for an order loan, whose orders have long been paid out by then.
fn written_off_from(product: &str) -> i64 {
    if product == "order-loan" { 90 } else { 120 }
}

/// Orders older than this are not lent against.
const OLDEST_RECEIVABLE: i64 = 45 * DAY;

pub(super) const MAX_ORDER_LOAN: f64 = 999_000.0;
pub(super) const MAX_LOAN: i64 = 100_000_000;

impl Credit {
    /// Principal, interest and fees still owed on open loans.
    pub(super) fn outstanding(&self) -> f64 {
        self.open.iter().filter_map(|&l| self.loans.get(l)).map(|l| l.outstanding() as f64).sum()
    }

    /// Whether a loan is open, and no open one is past due on the eve of a day.
    pub(super) fn owes_and_is_current(&self, day: i64) -> bool {
        let mut open = self.loans.iter().filter(|l| l.is_open).peekable();
        open.peek().is_some() && open.all(|l| l.days_past_due(day) == 0)
    }

    fn is_troubled(&self, day: i64) -> bool {
        self.loans.iter().any(|l| l.worst_dpd >= 25 || (l.is_open && l.days_past_due(day) > 4))
    }

    /// Pays what is due, as cash and will allow; the platform deducts from escrow what stays overdue.
    pub(super) fn repay(&mut self, draw: &mut Draw, purse: &mut Purse, today: Today) {
        let mut deductible = 0.4 * today.received.max(0.0);
        for index in self.open.clone() {
            let Some(loan) = self.loans.get_mut(index) else { continue };
            if !today.is_dark {
                if let Some(payment) = loan.pay_willingly(draw, purse, today, index) {
                    self.payments.push(payment);
                }
                if let Some(payment) = loan.repay_early(draw, purse, today, index) {
                    self.payments.push(payment);
                }
            }
            let is_deducted = loan.days_past_due(today.day) >= 3 && today.day >= loan.bounces_until;
            let late = if is_deducted { whole(deductible).min(loan.overdue(today.day)) } else { 0 };
            let amount = late + loan.share_of(today.received, deductible - late as f64);
            if (is_deducted && deductible >= 100.0) || amount >= 100 {
                loan.settle(amount);
                purse.cash -= amount as f64;
                deductible -= amount as f64;
                let at = today.calendar.midnight(today.day) + draw.whole(21 * 3_600, DAY - 60);
                self.payments.push(Payment { loan: index, at, amount, channel: "deduction", reversed: None });
            }
            loan.age(draw, purse, today);
        }
        let loans = &self.loans;
        self.open.retain(|&l| loans.get(l).is_some_and(|l| l.is_open));
    }

    /// Asks for loans, and takes what the lender (who only looks at arrears, tenure and sales) grants.
    pub(super) fn borrow(&mut self, draw: &mut Draw, purse: &mut Purse, trade: &Trade, today: Today) {
        let tenure = today.calendar.midnight(today.day) - today.traits.registered;
        if today.is_dark || tenure < 75 * DAY {
            return;
        }
        // Applications of the last month still wait for an answer more often than not.
        let is_recent = today.calendar.end() - today.calendar.midnight(today.day) <= 30 * DAY;
        let rush = if is_recent { 3.0 } else { 1.0 };
        let pending = if is_recent { 2.0 / 3.0 } else { 0.08 };
        let need = 0.5 + 2.2 * purse.strain + (today.season - 1.05).clamp(0.0, 0.6);
        if draw.chance((today.traits.credit_taste * need * rush / 365.0).min(0.5)) {
            self.ask_credit_loan(draw, purse, today, pending);
        }
        let need = 0.6 + 1.8 * purse.strain;
        if draw.chance((today.traits.order_loan_taste * need * rush).min(0.8)) {
            self.ask_order_loan(draw, purse, trade, today, pending);
        }
    }

    fn ask_credit_loan(&mut self, draw: &mut Draw, purse: &mut Purse, today: Today, pending: f64) {
        let month = 30.0 * purse.planned_sales;
        let open: Vec<&Loan> =
            self.open.iter().filter_map(|&l| self.loans.get(l)).filter(|l| l.product != "order-loan").collect();
        let owed: f64 = open.iter().map(|l| l.outstanding() as f64).sum();
        let room = 3.2 * month - owed;
        let wanted = draw.between(0.7, 2.4) * month;
        let requested = (whole(wanted / 10_000.0) * 10_000).min(MAX_LOAN);
        let principal = (whole(wanted.min(room) / 10_000.0) * 10_000).min(MAX_LOAN);
        let is_full = open.len() >= 3;
        if requested < 100_000 {
            return;
        }
        let group = today.group.filter(|_| draw.chance(0.5));
        let product = if group.is_some() { "group-loan" } else { "credit-loan" };
        let at = today.calendar.midnight(today.day) + draw.whole(9 * 3_600, 18 * 3_600);
        self.apply(draw, purse, today, at, product, requested, Vec::new());
        if is_full || principal < 100_000 || self.is_troubled(today.day) || draw.chance(pending) {
            return;
        }
        let term_days = draw.choose(&[90, 90, 90, 120, 180, 270, 365], 180);
        let daily_rate_ppm = draw.choose(&[450, 500, 500, 550], 500);
        let repayment =
            if group.is_some() || draw.chance(0.4) { Repayment::EqualPrincipal } else { Repayment::EqualInstalment };
        let fee = if group.is_some() { principal / 200 } else { 0 };
        let pledged = Vec::new();
        let (spacing, offer) = (MONTH_DAYS, None);
        let terms =
            Terms { product, principal, term_days, daily_rate_ppm, repayment, spacing, fee, group, offer, pledged };
        self.disburse(today, at + draw.whole(180, 7_200), terms);
        let used = draw.between(0.4, 0.9) * principal as f64;
        purse.cash += principal as f64 - used;
        // Goods bought on credit may sell better or worse than hoped.
        purse.stock += used * draw.log_normal(0.98, 0.25) * exp(0.03 * today.traits.diligence);
    }

    fn ask_order_loan(&mut self, draw: &mut Draw, purse: &mut Purse, trade: &Trade, today: Today, pending: f64) {
        let now = today.calendar.midnight(today.day) + draw.whole(9 * 3_600, 18 * 3_600);
        let (receivables, mut orders) = self.free_receivables(trade, now);
        let wanted = (draw.between(0.7, 0.95) * receivables).min(MAX_ORDER_LOAN);
        let principal = whole(wanted / 1_000.0) * 1_000;
        if principal < 20_000 {
            return;
        }
        orders.sort_unstable();
        self.apply(draw, purse, today, now, "order-loan", principal, orders.clone());
        if self.is_troubled(today.day) || draw.chance(pending) {
            return;
        }
        self.pledged.extend(&orders);
        let terms = Terms {
            product: "order-loan",
            principal,
            term_days: draw.choose(&[3, 3, 4, 4, 5, 5, 7], 4),
            daily_rate_ppm: 500,
            repayment: Repayment::Bullet,
            spacing: MONTH_DAYS,
            fee: 0,
            group: None,
            offer: None,
            pledged: orders,
        };
        self.disburse(today, now + draw.whole(60, 600), terms);
        purse.cash += 0.5 * principal as f64;
        purse.stock += 0.5 * principal as f64;
    }

    /// Orders shipped, not yet settled and pledged to nothing, and what they come to; no more of them than the largest order loan needs.
    pub(super) fn free_receivables(&mut self, trade: &Trade, now: Second) -> (f64, Vec<usize>) {
        let mut receivables = 0.0;
        let mut orders = Vec::new();
        let is_recent = |placed: Second| placed > now - OLDEST_RECEIVABLE;
        self.pledged.retain(|&p| trade.orders.get(p).is_some_and(|o| is_recent(o.placed)));
        for (position, order) in trade.orders.iter().enumerate().rev().take_while(|(_, o)| is_recent(o.placed)) {
            let shipped = order.parcel.as_ref().and_then(|p| p.shipped).is_some_and(|s| s < now);
            let is_settled =
                [order.completed, order.cancelled, order.refunded].iter().any(|m| m.is_some_and(|m| m < now));
            if shipped && !is_settled && order.nature == Nature::Genuine && !self.pledged.contains(&position) {
                receivables += order.amount as f64;
                orders.push(position);
            }
            if receivables > 2.0 * MAX_ORDER_LOAN {
                break;
            }
        }
        (receivables, orders)
    }

    /// Files an application with what the merchant declares; the dishonest declare more sales and fewer debts.
    #[expect(clippy::too_many_arguments, reason = "who asks, when, and what for: each is named where it is drawn")]
    pub(super) fn apply(
        &mut self,
        draw: &mut Draw,
        purse: &Purse,
        today: Today,
        at: Second,
        product: &'static str,
        requested: i64,
        orders: Vec<usize>,
    ) {
        let puff = 1.0 + 0.5 * sigmoid(-1.6 * today.traits.honesty - 1.5) + 0.04 * draw.normal();
        let sales = self.sales_12m * puff;
        let costs = self.sales_12m * (1.0 - today.traits.margin + today.traits.fixed_share) / puff;
        let assets =
            (purse.cash.max(0.0) + purse.stock + 20.0 * purse.planned_sales) * puff * draw.log_normal(1.0, 0.1);
        let debts = (self.outstanding() - purse.cash.min(0.0)) / puff;
        let declared = |amount: f64| (whole(amount.max(0.0) / 10_000.0)) * 10_000;
        self.applications.push(Application {
            at,
            product,
            requested,
            orders,
            gross_sales: declared(sales),
            operating_costs: declared(costs),
            gross_assets: declared(assets),
            gross_liabilities: declared(debts),
        });
    }

    /// Pays a loan out.
    pub(super) fn disburse(&mut self, today: Today, at: Second, terms: Terms) {
        let promised = schedule(today.day, &terms);
        let mut instalments = promised.clone();
        if terms.repayment.share_ppm().is_some() {
            for instalment in &mut instalments {
                instalment.interest = 0;
            }
        }
        let Terms { product, principal, term_days, daily_rate_ppm, repayment, group, offer, pledged, .. } = terms;
        self.open.push(self.loans.len());
        let mut loan = Loan {
            product,
            disbursed: at,
            principal,
            term_days,
            daily_rate_ppm,
            repayment,
            versions: vec![ScheduleVersion { recorded: at, instalments: promised }],
            offer,
            pledged,
            instalments,
            accrual: Accrual::default(),
            written_off: None,
            restructured: None,
            group,
            worst_dpd: 0,
            received: 0,
            principal_days: 0,
            postponed_until: 0,
            bounces_until: 0,
            is_open: true,
            opened_day: today.day,
        };
        loan.accrue(today.day);
        self.loans.push(loan);
    }
}

impl Loan {
    /// Puts a payment on the oldest instalments.
    fn settle(&mut self, amount: i64) {
        self.received += amount;
        if self.repayment.share_ppm().is_some() {
            self.settle_anew();
        } else {
            settle(&mut self.instalments, amount);
        }
    }

    /// Principal not repaid: a payment on an instalment covers its fee and interest first.
    pub(super) fn principal_left(&self) -> i64 {
        let left = |i: &Instalment| i.principal - (i.paid - i.interest - i.fee).clamp(0, i.principal);
        self.instalments.iter().map(left).sum()
    }

    /// What was paid less what was lent, and less the cost of money for every evening on which it was owed.
    pub(super) fn profit(&self, cost: MoneyCost) -> i64 {
        let carried = self.principal_days * i128::from(cost.daily_ppm) / 1_000_000;
        self.received - self.principal - i64::try_from(carried).unwrap_or(i64::MAX)
    }

    /// As many days past due at the worst as make its product's loans bad.
    pub(super) fn has_defaulted(&self) -> bool {
        self.worst_dpd >= bad_from(self.product)
    }

    /// More than 90 days past due now, or at any time as many days as make its product's loans bad.
    pub(super) fn is_non_performing(&self, day: i64) -> bool {
        self.days_past_due(day) > 90 || self.has_defaulted()
    }

    /// What is still owed, interest not yet due included.
    pub(super) fn outstanding(&self) -> i64 {
        self.instalments.iter().map(Instalment::owed).sum()
    }

    /// Owed by the end of `day` or before.
    fn due(&self, day: i64) -> i64 {
        self.instalments.iter().filter(|i| i.due_day <= day).map(Instalment::owed).sum()
    }

    /// Owed from days before `day`.
    fn overdue(&self, day: i64) -> i64 {
        self.due(day - 1)
    }

    fn days_past_due(&self, day: i64) -> i64 {
        self.instalments.iter().find(|i| i.owed() > 0).map_or(0, |i| (day - i.due_day).max(0))
    }

    fn pay_willingly(&mut self, draw: &mut Draw, purse: &mut Purse, today: Today, index: usize) -> Option<Payment> {
        let due = self.due(today.day);
        if due <= 0 || today.day < self.postponed_until {
            return None;
        }
        let past_due = self.days_past_due(today.day);
        let forgetful = 0.07 + 0.16 * sigmoid(-today.traits.diligence - 2.2);
        if past_due == 0 && draw.chance(forgetful) {
            self.postponed_until = today.day + whole(draw.log_normal(2.5, 0.9).clamp(1.0, 24.0));
            return None;
        }
        // Those who care less for their word keep more back for the shop.
        let kept = purse.planned_sales * (1.0 + 5.0 * sigmoid(-1.3 * today.traits.honesty));
        let available = whole(purse.cash - kept);
        let at = today.calendar.midnight(today.day) + draw.whole(8 * 3_600, 20 * 3_600);
        let voluntary = |amount, reversed| Payment { loan: index, at, amount, channel: "voluntary", reversed };
        if available < due + due / 2 && available > due / 3 && draw.chance(0.05) {
            // It bounces within two days.
            self.bounces_until = today.day + 3;
            self.postponed_until = today.day + draw.whole(3, 5);
            return Some(voluntary(due, Some(at + draw.whole(DAY / 2, 2 * DAY))));
        }
        let is_part = available < due;
        if is_part && (past_due < 2 || available < due / 5 || available < 1_000) {
            return None;
        }
        let amount = available.min(due);
        self.settle(amount);
        purse.cash -= amount as f64;
        if is_part {
            self.postponed_until = today.day + draw.whole(3, 9);
        }
        Some(voluntary(amount, None))
    }

    /// Pays the whole rest, where cash is ample: interest runs to the day of payment only.
    fn repay_early(&mut self, draw: &mut Draw, purse: &mut Purse, today: Today, index: usize) -> Option<Payment> {
        let rest = self.outstanding();
        let ample = purse.cash > 2.2 * rest as f64 + 8.0 * purse.planned_sales;
        let age = today.day - self.opened_day;
        if rest <= 0 || !ample || age < 2 || self.due(today.day) > 0 {
            return None;
        }
        let eager = if self.product == "order-loan" { 0.15 } else { 0.05 };
        if !draw.chance(eager) {
            return None;
        }
        if self.repayment.share_ppm().is_none() {
            self.forgive_interest_to_come(today.day);
        }
        let amount = self.outstanding();
        self.settle(amount);
        purse.cash -= amount as f64;
        let at = today.calendar.midnight(today.day) + draw.whole(8 * 3_600, 20 * 3_600);
        Some(Payment { loan: index, at, amount, channel: "voluntary", reversed: None })
    }

    /// Who pays everything off today owes interest up to today.
    fn forgive_interest_to_come(&mut self, day: i64) {
        let last_due = self.instalments.iter().rev().find(|i| i.due_day <= day).map_or(self.opened_day, |i| i.due_day);
        let not_yet_due = self.instalments.iter_mut().filter(|i| i.due_day > day);
        let mut principal = 0;
        for instalment in not_yet_due {
            principal += instalment.principal;
            instalment.interest = 0;
        }
        let accrued = interest(principal, day - last_due, self.daily_rate_ppm);
        if let Some(next) = self.instalments.iter_mut().find(|i| i.due_day > day) {
            next.interest = accrued;
        }
    }

    /// The end of the day: closes, counts days past due, eases terms, writes off.
    fn age(&mut self, draw: &mut Draw, purse: &Purse, today: Today) {
        if self.outstanding() <= 0 {
            self.is_open = false;
            return;
        }
        self.accrue(today.day);
        self.principal_days += i128::from(self.principal_left());
        let past_due = self.days_past_due(today.day);
        self.worst_dpd = self.worst_dpd.max(past_due);
        let office_hours = today.calendar.midnight(today.day) + draw.whole(9 * 3_600, 17 * 3_600);
        let can_recover = !today.is_dark && purse.strain < 0.9 && today.traits.honesty > -0.5;
        // Milestones of a share of sales are eased by sales themselves.
        if self.product != "order-loan"
            && self.repayment.share_ppm().is_none()
            && self.restructured.is_none()
            && (35..=75).contains(&past_due)
            && can_recover
            && draw.chance(0.02)
        {
            self.restructured = Some(office_hours);
            let more = draw.whole(1, 3);
            self.instalments = eased(&self.instalments, self.opened_day, today.day, self.daily_rate_ppm, more);
            let instalments = self.instalments.clone();
            self.versions.push(ScheduleVersion { recorded: office_hours, instalments });
            return;
        }
        if past_due >= written_off_from(self.product) {
            self.written_off = Some(office_hours);
            self.is_open = false;
        }
    }
}
