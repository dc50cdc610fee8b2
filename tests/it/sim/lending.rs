//! The loan book of the marketplace: sound schedules, orders pledged once, groups, and a portfolio of the right size.

use std::collections::{BTreeMap, BTreeSet};

use tempfile::TempDir;

use super::{MICROS_PER_DAY, Row, Value, good_rows, int, read, run, settings, sound, text};

/// Schedules by loan and by when they were recorded, each by number.
type Schedules = BTreeMap<String, BTreeMap<i64, BTreeMap<i64, Row>>>;

fn schedules(folder: &TempDir) -> Schedules {
    let mut schedules = Schedules::new();
    for row in good_rows(folder, "instalments") {
        let recorded = int(&row, "recorded_at").expect("schedules say when they were recorded");
        let version =
            schedules.entry(text(&row, "loan_id").unwrap().to_owned()).or_default().entry(recorded).or_default();
        let before = version.insert(int(&row, "number").unwrap(), row.clone());
        assert!(before.is_none_or(|b| b == row), "one version, one number, two rows");
    }
    schedules
}

/// The newest version of each loan.
fn loans(folder: &TempDir) -> BTreeMap<String, Row> {
    let mut loans: BTreeMap<String, Row> = BTreeMap::new();
    for row in good_rows(folder, "loans") {
        let is_newer = |known: &Row| int(known, "recorded_at") <= int(&row, "recorded_at");
        let id = text(&row, "loan_id").unwrap().to_owned();
        if loans.get(&id).is_none_or(is_newer) {
            loans.insert(id, row);
        }
    }
    loans
}

fn ids(row: &Row, column: &str) -> Vec<String> {
    match &row[column] {
        Some(Value::Texts(ids)) => ids.clone(),
        _ => Vec::new(),
    }
}

fn day_of(micros: i64) -> i64 {
    micros.div_euclid(MICROS_PER_DAY)
}

#[test]
fn every_schedule_sums_to_the_principal_within_the_term_at_the_daily_rate() {
    let (folder, _) = run(&sound(&settings(400, 24, 6)));
    let (loans, schedules) = (loans(&folder), schedules(&folder));
    let mut restructured = 0;
    for (id, loan) in &loans {
        let [principal, term, rate] = ["principal_minor", "term_days", "daily_rate_ppm"].map(|c| int(loan, c).unwrap());
        let disbursed = int(loan, "disbursed_at").unwrap();
        let eased = int(loan, "restructured_at");
        let versions = &schedules[id];
        assert_eq!(versions.len(), if eased.is_some() { 2 } else { 1 }, "{loan:?}");
        assert!(versions.keys().next().unwrap() >= &disbursed);
        restructured += i64::from(eased.is_some());
        for (recorded, version) in versions {
            assert!(*recorded >= disbursed && version.keys().copied().eq(1..=i64::try_from(version.len()).unwrap()));
            assert_eq!(
                version.values().map(|i| int(i, "principal_minor").unwrap()).sum::<i64>(),
                principal,
                "{loan:?}"
            );
            let (mut owed, mut previous) = (principal, day_of(disbursed));
            for row in version.values() {
                let [due, part, interest] =
                    ["due_on", "principal_minor", "interest_minor"].map(|c| int(row, c).unwrap());
                assert!(due > previous && part >= 0, "{row:?}");
                let exact = i128::from(owed) * i128::from(due - previous) * i128::from(rate);
                assert_eq!(i128::from(interest), (exact + 500_000) / 1_000_000, "{row:?}");
                (owed, previous) = (owed - part, due);
            }
            let is_first = recorded == versions.keys().next().unwrap();
            assert!(!is_first || previous == day_of(disbursed) + term, "{loan:?}");
        }
        if let Some(at) = eased {
            let [old, new] = [versions.values().next().unwrap(), versions.values().last().unwrap()];
            assert_eq!(versions.keys().last(), Some(&at));
            assert!(new.len() > old.len(), "no instalment of the old schedule is left over");
            for (number, row) in new {
                let same = |column: &str| old.get(number).is_some_and(|o| o[column] == row[column]);
                let is_past = int(row, "due_on").unwrap() < day_of(at);
                let kept = ["due_on", "principal_minor", "interest_minor", "fee_minor"].into_iter().all(same);
                assert_eq!(is_past, kept, "the past stays, the future is new: {row:?}");
            }
        }
    }
    assert!(restructured > 3, "{restructured} of {} loans", loans.len());
}

#[test]
fn an_order_loan_pledges_shipped_unconfirmed_orders_once() {
    let (folder, _) = run(&sound(&settings(300, 12, 7)));
    let orders: BTreeMap<String, Row> =
        good_rows(&folder, "orders").into_iter().map(|o| (text(&o, "order_id").unwrap().to_owned(), o)).collect();
    let shipped: BTreeMap<String, i64> = good_rows(&folder, "shipments")
        .into_iter()
        .filter_map(|s| Some((text(&s, "order_id")?.to_owned(), int(&s, "shipped_at")?)))
        .collect();
    let applied: BTreeSet<Vec<String>> =
        good_rows(&folder, "applications").iter().map(|a| ids(a, "order_ids")).collect();
    let (mut pledged, mut order_loans) = (BTreeSet::new(), 0);
    for loan in loans(&folder).values() {
        let orders_of_loan = ids(loan, "pledged_order_ids");
        assert_eq!(text(loan, "offer_id"), None);
        if text(loan, "product") != Some("order-loan") {
            assert!(orders_of_loan.is_empty());
            continue;
        }
        order_loans += 1;
        assert!(applied.contains(&orders_of_loan), "asked for with the same orders: {loan:?}");
        let disbursed = int(loan, "disbursed_at").unwrap();
        let mut worth = 0;
        for id in &orders_of_loan {
            assert!(pledged.insert(id.clone()), "{id} is pledged twice");
            let order = &orders[id];
            assert_eq!(order["merchant_id"], loan["merchant_id"]);
            assert!(shipped[id] < disbursed);
            // Between looking at the orders and paying out lie ten minutes at most.
            assert!(int(order, "completed_at").is_none_or(|c| c > disbursed - 600_000_000), "{order:?}");
            worth += int(order, "amount_minor").unwrap();
        }
        assert!(int(loan, "principal_minor").unwrap() < worth);
    }
    assert!(order_loans > 100, "{order_loans}");
}

#[test]
fn groups_have_three_members_or_more_and_borrow_as_members() {
    let (folder, _) = run(&sound(&settings(1_000, 18, 3)));
    let mut groups: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for row in good_rows(&folder, "guarantee_groups") {
        let members = groups.entry(text(&row, "group_id").unwrap().to_owned()).or_default();
        members.insert(text(&row, "merchant_id").unwrap().to_owned(), int(&row, "joined_at").unwrap());
    }
    assert!(groups.len() >= 9, "{groups:?}");
    assert!(groups.values().all(|members| (3..=5).contains(&members.len())), "{groups:?}");
    let mut borrowing = BTreeSet::new();
    for loan in loans(&folder).values() {
        assert_eq!(text(loan, "group_id").is_some(), text(loan, "product") == Some("group-loan"));
        if let Some(group) = text(loan, "group_id") {
            let joined = groups[group][text(loan, "merchant_id").unwrap()];
            assert!(joined < int(loan, "disbursed_at").unwrap());
            borrowing.insert(group.to_owned());
        }
    }
    assert!(borrowing.len() >= 5, "{borrowing:?}");
}

/// A loan as its rows tell: what was due when, and what was paid.
struct Told {
    /// Due day, principal, interest and fees, by number.
    due: Vec<(i64, i64, i64)>,
    /// Day and amount of payments that stand, in time's order.
    paid: Vec<(i64, i64)>,
}

impl Told {
    /// Payments cover instalments oldest first. Gives the worst days past due by `end_day`, those at its end, and the principal not
    /// repaid. What falls due after the loan was paid off is not owed.
    fn standing(&self, end_day: i64) -> (i64, i64, i64) {
        let all_paid: i64 = self.paid.iter().map(|(_, amount)| amount).sum();
        let last_paid = self.paid.last().map_or(i64::MIN, |(day, _)| *day);
        let reached: i64 = self.due.iter().filter(|d| d.0 <= last_paid).map(|(_, p, i)| p + i).sum();
        let ahead: i64 = self.due.iter().filter(|d| d.0 > last_paid).map(|(_, p, _)| p).sum();
        let is_paid_off = all_paid >= reached + ahead;
        let (mut worst, mut now, mut owed_before) = (0, 0, 0);
        for &(due_day, principal, charges) in self.due.iter().filter(|d| !is_paid_off || d.0 <= last_paid) {
            owed_before += principal + charges;
            let mut paid = 0;
            let cleared = self.paid.iter().find_map(|&(day, amount)| {
                paid += amount;
                (paid >= owed_before).then_some(day)
            });
            worst = worst.max(cleared.unwrap_or(end_day).min(end_day) - due_day);
            if cleared.is_none() {
                now = now.max(end_day - due_day);
            }
        }
        let mut left = all_paid;
        let mut outstanding = 0;
        for &(_, principal, charges) in self.due.iter().filter(|_| !is_paid_off) {
            left -= charges.min(left);
            let repaid = principal.min(left);
            left -= repaid;
            outstanding += principal - repaid;
        }
        (worst, now, outstanding)
    }
}

fn told(folder: &TempDir) -> BTreeMap<String, Told> {
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    for (loan, versions) in schedules(folder) {
        let newest = versions.values().last().unwrap();
        let due = newest.values().map(|row| {
            let [day, principal, interest, fee] =
                ["due_on", "principal_minor", "interest_minor", "fee_minor"].map(|c| int(row, c).unwrap());
            (day, principal, interest + fee)
        });
        told.insert(loan, Told { due: due.collect(), paid: Vec::new() });
    }
    let mut payments: BTreeMap<String, Row> = BTreeMap::new();
    for row in good_rows(folder, "payments") {
        let id = text(&row, "payment_id").unwrap().to_owned();
        if payments.get(&id).is_none_or(|known| int(known, "recorded_at") <= int(&row, "recorded_at")) {
            payments.insert(id, row);
        }
    }
    for row in payments.values().filter(|row| int(row, "reversed_at").is_none()) {
        let paid = (day_of(int(row, "paid_at").unwrap()), int(row, "amount_minor").unwrap());
        told.get_mut(text(row, "loan_id").unwrap()).unwrap().paid.push(paid);
    }
    for loan in told.values_mut() {
        loan.paid.sort_unstable();
    }
    told
}

#[test]
fn the_portfolio_is_of_the_right_size() {
    let settings = sound(&settings(2_000, 15, 4));
    let (folder, _) = run(&settings);
    let end_day = i64::from(jiff::civil::date(1970, 1, 1).until(settings.end_on).unwrap().get_days());
    let truth: BTreeMap<String, i64> = read(&folder, "truth/loans.parquet")
        .iter()
        .map(|r| (text(r, "loan_id").unwrap().to_owned(), int(r, "worst_days_past_due").unwrap()))
        .collect();
    let (loans, told) = (loans(&folder), told(&folder));
    let (mut bad, mut lent, mut agree, mut compared) = (0, 0, 0, 0);
    let (mut outstanding, mut non_performing) = (0, 0);
    for (id, loan) in &loans {
        let (worst, now, owed) = told[id].standing(end_day);
        let is_order_loan = text(loan, "product") == Some("order-loan");
        let is_eased = int(loan, "restructured_at").is_some();
        let written_off = int(loan, "written_off_at");
        bad += i64::from(truth[id] >= if is_order_loan { 30 } else { 90 });
        lent += int(loan, "principal_minor").unwrap();
        // The schedule before a restructure is not told here, and the simulator stops counting when it writes off.
        if !is_eased && written_off.is_none() {
            compared += 1;
            // The simulator counts at the end of each day, a reader at the end of the last.
            agree += i64::from((worst.max(0) - truth[id]).abs() <= 1);
        }
        if let Some(at) = written_off {
            assert!(owed > 0, "{loan:?}");
            let late = now - (end_day - day_of(at));
            assert_eq!(late, if is_order_loan { 90 } else { 120 }, "{loan:?}");
        } else {
            assert!(now <= if is_order_loan { 90 } else { 120 }, "{now} days past due and not written off: {loan:?}");
            outstanding += owed;
            non_performing += if now > 90 { owed } else { 0 };
        }
        assert_eq!(told[id].due.len() == 1, text(loan, "repayment") == Some("bullet"));
        if is_order_loan {
            assert!(int(loan, "principal_minor").unwrap() < 1_000_000 && int(loan, "term_days").unwrap() <= 7);
        }
    }
    let count = i64::try_from(loans.len()).unwrap();
    assert!(agree * 100 >= compared * 98, "days past due agree with the truth on {agree} of {compared} loans");
    let bad_rate = bad as f64 / count as f64;
    assert!((0.01..0.04).contains(&bad_rate), "bad rate {bad_rate}");
    let non_performing = non_performing as f64 / outstanding as f64;
    assert!((0.003..0.07).contains(&non_performing), "non-performing {non_performing}");
    let mean = lent as f64 / count as f64 / 100.0;
    assert!((8_000.0..20_000.0).contains(&mean), "mean loan {mean}");
    assert!(count > 2 * 2_000, "{count} loans");
}
