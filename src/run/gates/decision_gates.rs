//! Gates: what must hold of a run before anyone may read it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use super::gate_settings::Fault;
use super::intake_gates::GateFinding;
use crate::domain::Digest;
use crate::exposure::OfferState;
use crate::monitor::{BookDifference, DriftFault, Monitor, Portfolio};
use crate::offer::{CapName, Offer, Policy};
use crate::repayment::{UnknownLimit, is_broken_row_code};
use crate::run::decide::Decided;
use crate::run::loan_survey::UnknownLoans;
use crate::run::summarise::Totals;
use crate::wash::{Ingested, LedgerLine};

/// A gate that did not open. Nothing was published.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GateError {
    /// A file's rows do not add up.
    #[error("open the gate \"ledger\": {file} in table {table}: read is not kept + quarantined + duplicate + skipped")]
    Ledger {
        /// Contract table.
        table: String,
        /// Input file.
        file: String,
    },
    /// Tables that are absent, shrunk, old, or behind the as-of date.
    #[error(
        "open the gate \"tables\":\n{list}\n  Put the files right, or allow a fault by name in the job file until a date:\n    \
         [[gates.allow]]\n    table = \"{table}\"\n    what = \"{what}\"\n    until = \"YYYY-MM-DD\"\n    reason = \"…\"{force}",
        list = indented(findings),
        table = findings.first().map_or("", |f| f.table.as_str()),
        what = findings.first().map_or("", |f| f.what.word()),
        force = if findings.iter().any(|f| f.what == Fault::PastData) {
            "\n  An as-of date past the data is the caller's to force, once: --force-as-of \"reason\""
        } else { "" }
    )]
    Tables {
        /// Every fault.
        findings: Vec<GateFinding>,
    },
    /// No table has a day of usual trade.
    #[error(
        "find the data's own clock: no table has a day of usual trade to read an as-of date off; name it with --as-of or as_of in the job file"
    )]
    NoClock,
    /// No merchant could be seen.
    #[error("open the gate \"merchants\": no merchant was registered before as-of; is the as-of date within the data?")]
    NoMerchants,
    /// Merchants were lost between the store and the scores.
    #[error("open the gate \"scored\": {stored} merchants in the store, {scored} scored")]
    Unscored {
        /// In the store.
        stored: u64,
        /// Scored.
        scored: u64,
    },
    /// Too many loans of which nothing is known.
    #[error(
        "open the gate \"unknown loans\": the records of {unknown} of {loans} loans do not agree with each other, {share:.4} of them; \
         at most {max_share:.4} may (max_unknown_loan_share in the monitor file). Nothing is published; the run before stays as it was. Why, and a loan of \
         each:\n{}",
        indented(causes)
    )]
    UnknownLoans {
        /// Loans of which nothing is known.
        unknown: u64,
        /// All loans.
        loans: u64,
        /// One by the other.
        share: f64,
        /// The limit.
        max_share: f64,
        /// Why they are unknown, the commonest cause first.
        causes: Vec<UnknownLoans>,
        /// Where rows in quarantine are the commonest cause, the rules that rows of loans break, the most frequent first.
        broken_rules: Vec<String>,
    },
    /// Figures of the portfolio that should be the same and are not.
    #[error(
        "open the gate \"portfolio\": the loan book does not reconcile: {0}. The run before stays readable; run the night again, and where the \
         difference comes back report it as a defect, with the case"
    )]
    Portfolio(Box<BookDifference>),
    /// Tonight differs too much from the night before.
    #[error(
        "open the gate \"drift\":\n{list}\n  The run before stays readable. Look for a cause in what came in (the washing ledger, `integrity check`) and in what \
         changed of model and policy. Where a change is meant, allow it in the monitor file until a date:\n    \
         [[drift.allow]]\n    what = \"{what}\"\n    until = \"YYYY-MM-DD\"\n    reason = \"…\"",
        list = indented(.0),
        what = .0.first().map_or("", |fault| fault.what().word())
    )]
    Drift(Vec<DriftFault>),
    /// A night would take too much at once.
    #[error(
        "open the gate \"deductions\": {ordered_minor} minor units would be deducted, {share:.4} of the {owed_minor} of principal that is not repaid; at most {max_share:.4} may \
         ({key} under [deduction] of the monitor file). Nothing is ordered or published; the run before stays as it was. Look at what changed among payments, \
         schedules and orders since (amounts in another unit, days, reversals; `integrity reconcile` holds the books against the core system's)"
    )]
    Deductions {
        /// To be deducted.
        ordered_minor: i64,
        /// Principal not repaid on open loans.
        owed_minor: i64,
        /// One by the other.
        share: f64,
        /// The limit.
        max_share: f64,
        /// The key that sets it.
        key: &'static str,
    },
    /// A merchant without exactly one answer a product.
    #[error(
        "open the gate \"answers\": {merchants} merchants and {products} products make {expected} answers; {given} were given, \
         to {found} different questions"
    )]
    Answers {
        /// Merchants.
        merchants: u64,
        /// Products on offer.
        products: u64,
        /// Their product.
        expected: u64,
        /// Offers and declines.
        given: u64,
        /// Merchants and products that they answer, each pair once.
        found: u64,
    },
    /// An offer above its caps, or none at all.
    #[error(
        "open the gate \"caps\": offer {offer} of {limit_minor} is not positive, has no cap, or is above one: {}",
        match (cap, cap_minor) {
            (Some(cap), Some(value)) => format!("{cap} allows {value}"),
            (Some(cap), None) => format!("{cap} is not known"),
            (None, _) => "none is exceeded".to_owned(),
        }
    )]
    Caps {
        /// The offer.
        offer: String,
        /// Its limit.
        limit_minor: i64,
        /// The cap that is exceeded, where one is.
        cap: Option<CapName>,
        /// Its value; `None` where it is not known.
        cap_minor: Option<i64>,
    },
    /// A night since the one that could be read is damaged.
    #[error(
        "open the gate \"night before\": the manifest of {runs} is damaged, and what was offered and pledged then is not known; restore it from \
         a backup, or withdraw it with `integrity point OUT --run ID --reason …`, after which none of its offers may be drawn",
        runs = runs.join(", ")
    )]
    NightBeforeDamaged {
        /// The damaged runs, below the output folder, newest first.
        runs: Vec<String>,
    },
    /// One order secures two offers, or an offer and an open loan.
    #[error("open the gate \"pledges\": order {order} is pledged twice")]
    PledgedTwice {
        /// The order.
        order: String,
    },
}

fn indented<T: fmt::Display>(lines: &[T]) -> String {
    lines.iter().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// So many loans are unknown that the rest cannot be believed either.
fn check_unknown_loans<'a>(
    portfolio: &Portfolio,
    causes: Vec<UnknownLoans>,
    lines: impl Iterator<Item = &'a LedgerLine>,
    limit: UnknownLimit,
) -> Result<(), GateError> {
    match portfolio.unknown_share() {
        Some(share) if share > limit.max_share => Err(GateError::UnknownLoans {
            unknown: portfolio.unknown.loans,
            loans: portfolio.known_loans + portfolio.unknown.loans,
            share,
            max_share: limit.max_share,
            broken_rules: match causes.first() {
                Some(cause) if is_broken_row_code(&cause.code) => rules_of_loan_rows(lines),
                _ => Vec::new(),
            },
            causes,
        }),
        _ => Ok(()),
    }
}

/// The rules that quarantined rows of loans and what belongs to them break, the most frequent first.
fn rules_of_loan_rows<'a>(lines: impl Iterator<Item = &'a LedgerLine>) -> Vec<String> {
    let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
    for line in lines.filter(|line| ["loans", "instalments", "payments"].contains(&line.table.as_str())) {
        for (rule, count) in &line.rules {
            *rows.entry(rule).or_default() += count;
        }
    }
    let mut rules: Vec<(&str, u64)> = rows.into_iter().collect();
    rules.sort_by_key(|(_, rows)| Reverse(*rows));
    rules.into_iter().map(|(rule, _)| rule.to_owned()).collect()
}

/// Every row that was read is kept, quarantined, a duplicate or skipped.
fn check_ledger<'a>(mut lines: impl Iterator<Item = &'a LedgerLine>) -> Result<(), GateError> {
    match lines.find(|line| !line.balances()) {
        Some(line) => Err(GateError::Ledger { table: line.table.clone(), file: line.file.clone() }),
        None => Ok(()),
    }
}

/// Every merchant of the store is scored.
fn check_scored(stored: u64, scored: u64) -> Result<(), GateError> {
    match scored {
        0 => Err(GateError::NoMerchants),
        scored if scored == stored => Ok(()),
        scored => Err(GateError::Unscored { stored, scored }),
    }
}

/// Every merchant has one answer a product: an offer or a decline.
fn check_answers(decided: &Decided, products: u64) -> Result<(), GateError> {
    let merchants = decided.scores.len() as u64;
    let expected = merchants * products;
    let offered = decided.offers.iter().map(|o| (o.merchant_id.as_str(), o.product.as_str()));
    let declined = decided.declines.iter().map(|d| (d.merchant_id.as_str(), d.product.as_str()));
    let given = (decided.offers.len() + decided.declines.len()) as u64;
    let found = offered.chain(declined).collect::<HashSet<_>>().len() as u64;
    if found == expected && given == expected {
        return Ok(());
    }
    Err(GateError::Answers { merchants, products, expected, given, found })
}

/// No offer is above one of its caps, rests on an unknown cap or on none, or offers nothing.
fn check_caps(offers: &[Offer]) -> Result<(), GateError> {
    for offer in offers {
        let above = offer.caps.iter().find(|c| c.value_minor.is_none_or(|v| v < offer.limit_minor));
        if above.is_some() || offer.caps.is_empty() || offer.limit_minor <= 0 {
            return Err(GateError::Caps {
                offer: offer.offer_id.clone(),
                limit_minor: offer.limit_minor,
                cap: above.map(|cap| cap.name),
                cap_minor: above.and_then(|cap| cap.value_minor),
            });
        }
    }
    Ok(())
}

/// Checks the gates on what a shard was decided: merchants live in one shard each.
pub fn check_shard(decided: &Decided, policy: &Policy) -> Result<(), GateError> {
    check_answers(decided, policy.products.len() as u64)?;
    check_caps(&decided.offers)
}

/// Checks the gate on offers that were settled across merchants.
pub fn check_settled(decided: &Decided) -> Result<(), GateError> {
    check_caps(&decided.offers)
}

/// The orders that secure something so far: one secures one offer that can be drawn, and none of tonight's where a loan rests on it already.
#[derive(Debug, Default)]
pub struct Pledges {
    /// Of offers that can be drawn, or were withdrawn.
    to_offers: HashMap<Order, IsOpen>,
    to_loans: HashSet<Order>,
}

/// An order by the digest of its id: so those of a whole marketplace fit in memory.
type Order = Digest;
type IsOpen = bool;

impl Pledges {
    /// Adds a shard's pledges.
    ///
    /// # Errors
    /// An order is pledged twice, whichever shards say so.
    pub fn add(&mut self, shard: &Decided) -> Result<(), GateError> {
        let twice = |order: &String| GateError::PledgedTwice { order: order.clone() };
        for order in &shard.pledged_to_loans {
            // A draw on a withdrawn offer may have arrived since: its loan rests on the offer's own orders.
            if self.to_offers.get(&digest(order)) == Some(&true) {
                return Err(twice(order));
            }
            self.to_loans.insert(digest(order));
        }
        for offer in shard.open_offers.iter().filter(|o| matches!(o.state, OfferState::Open | OfferState::Withdrawn)) {
            let is_open = offer.state == OfferState::Open;
            for order in &offer.pledged_order_ids {
                let has_loan = is_open && self.to_loans.contains(&digest(order));
                if has_loan || self.to_offers.insert(digest(order), is_open).is_some() {
                    return Err(twice(order));
                }
            }
        }
        Ok(())
    }
}

fn digest(order: &str) -> Order {
    Digest::of(order.as_bytes())
}

/// No night takes more than a share of the principal that is not repaid.
fn check_deductions(
    ordered_minor: i64,
    owed_minor: i64,
    (key, max_share): (&'static str, Option<f64>),
) -> Result<(), GateError> {
    let Some(max_share) = max_share else { return Ok(()) };
    let share = ordered_minor as f64 / (owed_minor as f64).max(1.0);
    if share > max_share {
        return Err(GateError::Deductions { ordered_minor, owed_minor, share, max_share, key });
    }
    Ok(())
}

/// Checks the gates on what came in and on all that was decided.
pub fn check_gates(ingested: &Ingested, totals: &Totals, monitor: &Monitor) -> Result<(), GateError> {
    if let Some(portfolio) = &totals.portfolio {
        let lines = ingested.whole_ledger();
        check_unknown_loans(portfolio, totals.unknown_causes(), lines, monitor.unknown_limit)?;
        // What orders have released closes their loans, and has a bound of its own.
        let of_receipts_minor = totals.deducted_minor().saturating_sub(totals.released_minor());
        let owed_minor = portfolio.open.outstanding_minor;
        check_deductions(of_receipts_minor, owed_minor, ("max_deducted_share", monitor.max_deducted_share))?;
        check_deductions(totals.released_minor(), owed_minor, ("max_released_share", monitor.max_released_share))?;
    }
    check_ledger(ingested.whole_ledger())?;
    check_scored(ingested.store.rows("merchants").unwrap_or(0), totals.scored)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use jiff::civil::{Date, date};

    use super::*;
    use crate::exposure::OpenOffer;
    use crate::monitor::UnknownTally;
    use crate::offer::{Cap, Decline, RepaymentKind};
    use crate::score::MerchantScore;

    const ON: Date = date(2025, 5, 2);

    fn portfolio(known_loans: u64, unknown: u64) -> Portfolio {
        let unknown = UnknownTally { loans: unknown, ..UnknownTally::default() };
        Portfolio { known_loans, unknown, ..Portfolio::default() }
    }

    #[test]
    fn the_night_stops_above_the_share_of_what_is_owed() {
        assert_eq!(check_deductions(1_000, 100, ("max_deducted_share", None)), Ok(()));
        assert_eq!(check_deductions(1, 100, ("max_deducted_share", Some(0.01))), Ok(()));
        assert!(matches!(
            check_deductions(2, 100, ("max_deducted_share", Some(0.01))),
            Err(GateError::Deductions { .. })
        ));
        assert!(check_deductions(1, 0, ("max_deducted_share", Some(0.01))).is_err(), "nothing is owed");
        assert_eq!(check_deductions(0, 0, ("max_deducted_share", Some(0.0))), Ok(()));
    }

    #[test]
    fn the_night_stops_above_the_share_of_unknown_loans() {
        let limit = UnknownLimit { max_share: 0.02 };
        let check = |known, unknown, limit| {
            check_unknown_loans(&portfolio(known, unknown), vec![cause("no-schedule")], [].into_iter(), limit)
        };
        assert_eq!(check(0, 0, limit), Ok(()));
        assert_eq!(check(98, 2, limit), Ok(()), "two of a hundred are allowed");
        let stopped = check(97, 3, limit).unwrap_err().to_string();
        assert!(
            stopped.contains("3 of 100 loans")
                && stopped.ends_with("\n    no-schedule 3 times, as loan \"l1\": none is sent"),
            "{stopped}"
        );
        assert!(check(0, 1, limit).is_err());
        assert_eq!(check(0, 1, UnknownLimit { max_share: 1.0 }), Ok(()));
    }

    #[test]
    fn rules_of_loan_rows_are_told_where_broken_rows_are_the_commonest_cause() {
        let line = |table: &str, rule: &str, rows| {
            let mut line = LedgerLine { table: table.to_owned(), ..LedgerLine::default() };
            line.rules.insert(rule.to_owned(), rows);
            line
        };
        let lines =
            [line("payments", "range", 1), line("loans", "not-mapped", 2), line("orders", "versions-contradict", 9)];
        let broken_rules = |code: &str| {
            let limit = UnknownLimit { max_share: 0.0 };
            match check_unknown_loans(&portfolio(0, 1), vec![cause(code)], lines.iter(), limit) {
                Err(GateError::UnknownLoans { broken_rules, .. }) => broken_rules,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(broken_rules("broken-loan"), ["not-mapped", "range"]);
        assert!(broken_rules("no-schedule").is_empty());
    }

    fn cause(code: &str) -> UnknownLoans {
        let (code, first) = (code.to_owned(), Some("l1".to_owned()));
        UnknownLoans { code, times: 3, first, detail: "none is sent".to_owned() }
    }

    fn score(merchant: &str) -> MerchantScore {
        MerchantScore {
            merchant_id: merchant.to_owned(),
            as_of: ON,
            score: Some(600),
            pd_prob: Some(0.1),
            band: "C".to_owned(),
            integrity_index: None,
            integrity_capital_minor: None,
            sub_indices: BTreeMap::new(),
            reasons: Vec::new(),
            model_version: "m".to_owned(),
            worst_case_score: None,
            worst_case_pd_prob: None,
            worst_case_band: None,
        }
    }

    fn cap(name: CapName, value_minor: Option<i64>) -> Cap {
        Cap { name, gross_minor: value_minor, value_minor }
    }

    fn offer(merchant: &str, product: &str, limit_minor: i64, caps: &[Cap]) -> Offer {
        Offer {
            offer_id: format!("{merchant}-{product}"),
            merchant_id: merchant.to_owned(),
            product: product.to_owned(),
            limit_minor,
            daily_rate_ppm: 400,
            apr: 0.15,
            term_days: 7,
            repayment: RepaymentKind::Bullet,
            instalments: 1,
            sales_share_ppm: None,
            min_per_60_days_ppm: None,
            expected_receipts_minor: None,
            expected_days: None,
            most_interest_minor: None,
            interest_minor: 0,
            early_saving_minor: 0,
            term_pd_prob: 0.01,
            guarantee_fails_prob: None,
            expected_loss_daily_ppm: 60,
            funding_daily_ppm: 184,
            cost_daily_ppm: 40,
            margin_daily_ppm: 0,
            floor_daily_ppm: 284,
            band_daily_ppm: 400,
            valid_until_on: ON,
            binding_cap: CapName::Ability,
            caps: caps.to_vec(),
            needed: Vec::new(),
            next_cap: None,
            next_limit_minor: None,
            pledged_order_ids: None,
            replaces_offer_id: None,
            officer_rate_ppm: None,
            optimised_rate_ppm: None,
            overrides: None,
        }
    }

    fn decline(merchant: &str, product: &str) -> Decline {
        Decline {
            merchant_id: merchant.to_owned(),
            product: product.to_owned(),
            failed: Vec::new(),
            caps: Vec::new(),
            reasons: Vec::new(),
            needed: Vec::new(),
            score_changes: Vec::new(),
            overrides: None,
        }
    }

    fn open_offer(product: &str, state: OfferState, orders: &[&str]) -> OpenOffer {
        OpenOffer {
            offer_id: format!("{product}-{orders:?}"),
            merchant_id: "a".to_owned(),
            product: product.to_owned(),
            state,
            limit_minor: 100,
            daily_rate_ppm: Some(450),
            term_days: Some(7),
            sales_share_ppm: None,
            drawn_minor: 0,
            drawn_before_minor: 0,
            held_minor: 100,
            offered_on: ON,
            valid_until_on: ON,
            replaces_offer_id: None,
            pledged_order_ids: orders.iter().map(|o| (*o).to_owned()).collect(),
        }
    }

    #[test]
    fn a_ledger_line_that_does_not_add_up_stops_the_night() {
        let line = |kept, quarantined, duplicate| LedgerLine {
            table: "orders".to_owned(),
            file: "orders.csv".to_owned(),
            read: 10,
            kept,
            quarantined,
            duplicate,
            rules: BTreeMap::from([("null".to_owned(), quarantined)]),
            ..LedgerLine::default()
        };
        assert_eq!(check_ledger([line(7, 2, 1), line(10, 0, 0)].iter()), Ok(()));
        for lost in [line(7, 1, 1), line(7, 2, 2), line(0, 0, 0)] {
            let stopped = check_ledger([line(7, 2, 1), lost].iter());
            assert!(matches!(stopped, Err(GateError::Ledger { file, .. }) if file == "orders.csv"));
        }
    }

    #[test]
    fn a_merchant_lost_or_gained_between_store_and_scores_stops_the_night() {
        assert_eq!(check_scored(3, 3), Ok(()));
        assert_eq!(check_scored(3, 2), Err(GateError::Unscored { stored: 3, scored: 2 }));
        assert_eq!(check_scored(2, 3), Err(GateError::Unscored { stored: 2, scored: 3 }));
        assert_eq!(check_scored(3, 0), Err(GateError::NoMerchants));
        assert_eq!(check_scored(0, 0), Err(GateError::NoMerchants));
    }

    #[test]
    fn every_merchant_has_one_answer_a_product() {
        let whole = || Decided {
            scores: vec![score("a"), score("b")],
            offers: vec![offer("a", "credit-loan", 100, &[])],
            declines: vec![decline("a", "order-loan"), decline("b", "credit-loan"), decline("b", "order-loan")],
            ..Decided::default()
        };
        assert_eq!(check_answers(&whole(), 2), Ok(()));
        let mut missing = whole();
        missing.declines.pop();
        let mut twice = whole();
        twice.declines.push(decline("b", "order-loan"));
        // As many answers as there should be, but one question is answered twice and another not at all.
        let mut wrong = whole();
        wrong.declines[2] = decline("a", "credit-loan");
        for (decided, given, found) in [(missing, 3, 3), (twice, 5, 4), (wrong, 4, 3)] {
            let expected = GateError::Answers { merchants: 2, products: 2, expected: 4, given, found };
            assert_eq!(check_answers(&decided, 2), Err(expected));
        }
        assert!(check_answers(&whole(), 3).is_err());
    }

    #[test]
    fn no_offer_is_above_a_cap_or_rests_on_an_unknown_one() {
        let caps = [cap(CapName::Ability, Some(500)), cap(CapName::Product, Some(100))];
        let with = |limit_minor, caps: &[Cap]| check_caps(&[offer("a", "credit-loan", limit_minor, caps)]);
        assert_eq!(with(100, &caps), Ok(()), "as much as the least cap");
        let stopped = |cap, cap_minor, limit_minor| {
            Err(GateError::Caps { offer: "a-credit-loan".to_owned(), limit_minor, cap, cap_minor })
        };
        assert_eq!(with(101, &caps), stopped(Some(CapName::Product), Some(100), 101));
        assert_eq!(with(600, &caps), stopped(Some(CapName::Ability), Some(500), 600));
        assert_eq!(with(100, &[caps[0], cap(CapName::Group, None)]), stopped(Some(CapName::Group), None, 100));
        assert_eq!(with(0, &caps), stopped(None, None, 0));
        assert_eq!(with(-1, &caps), stopped(None, None, -1));
        assert_eq!(with(100, &[]), stopped(None, None, 100));
        let message = with(100, &[cap(CapName::Group, None)]).unwrap_err().to_string();
        assert!(message.ends_with("group is not known"), "{message}");
        let second = [offer("a", "order-loan", 100, &caps), offer("a", "credit-loan", 101, &caps)];
        assert!(check_caps(&second).is_err());
    }

    #[test]
    fn an_order_secures_one_offer_or_one_loan() {
        use OfferState::{Drawn, Open, Replaced, Withdrawn};
        let two = |first: (&str, OfferState), second: (&str, OfferState)| {
            let shard = |offer| Decided { open_offers: vec![offer], ..Decided::default() };
            let (first, second) =
                (open_offer(first.0, first.1, &["x", "y"]), open_offer(second.0, second.1, &["z", "y"]));
            let together = Pledges::default()
                .add(&Decided { open_offers: vec![first.clone(), second.clone()], ..Decided::default() });
            // Of one shard or of two.
            let mut pledges = Pledges::default();
            pledges.add(&shard(first)).unwrap();
            assert_eq!(pledges.add(&shard(second)), together);
            together
        };
        let stopped = Err(GateError::PledgedTwice { order: "y".to_owned() });
        assert_eq!(two(("order-loan", Open), ("group-loan", Open)), stopped);
        assert_eq!(two(("order-loan", Withdrawn), ("group-loan", Open)), stopped);
        assert_eq!(two(("order-loan", Withdrawn), ("group-loan", Withdrawn)), stopped);
        assert_eq!(two(("order-loan", Replaced), ("order-loan", Open)), Ok(()), "tonight's took its place");
        assert_eq!(two(("order-loan", Drawn), ("order-loan", Replaced)), Ok(()), "a draw was under way");

        let of = |state| {
            let offered =
                Decided { open_offers: vec![open_offer("order-loan", state, &["x", "y"])], ..Decided::default() };
            let lent = Decided { pledged_to_loans: BTreeSet::from(["y".to_owned()]), ..Decided::default() };
            let [one, other] = [[&offered, &lent], [&lent, &offered]].map(|shards| {
                let mut pledges = Pledges::default();
                shards.into_iter().try_for_each(|shard| pledges.add(shard))
            });
            assert_eq!(one, other);
            one
        };
        assert_eq!(of(Open), stopped);
        assert_eq!([of(Withdrawn), of(Replaced), of(Drawn)], [Ok(()), Ok(()), Ok(())], "the loan may be drawn on it");
    }
}
