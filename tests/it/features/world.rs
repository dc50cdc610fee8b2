//! A random market with every contract table: few merchants, from idle to busy, from new to old.

use integrity::domain::AsOf;
use integrity::store::Shard;
use polars::prelude::*;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::shards::{DAY, HOUR, Order, as_of, instants, merchants, orders, shard, texts, whole};

/// Merchants of a world. Most are in one category; the other has too few for a comparison.
pub const MERCHANTS: usize = 20;

fn days(name: &str, values: Vec<i32>) -> Column {
    Series::new(name.into(), values).cast(&DataType::Date).unwrap().into()
}

fn frame(columns: Vec<Column>) -> DataFrame {
    DataFrame::new(columns.first().map_or(0, Column::len), columns).unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "columns of texts hold what may be missing")]
fn id(prefix: &str, number: usize) -> Option<String> {
    Some(format!("{prefix}{number}"))
}

/// What was seen before as-of of something that happened at that instant.
fn past(at: i64) -> Option<i64> {
    Some(at).filter(|at| *at < as_of().micros())
}

/// A shard that is a whole market. Loans have sound schedules.
pub fn world(seed: u64) -> Shard {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let now = as_of();
    let shops: Vec<(i64, &str)> = (0..MERCHANTS)
        .map(|m| {
            let registered = [5, 40, 95, 190, 370, 700, 1_200][rng.random_range(0..7)];
            (now.micros() - registered * DAY - rng.random_range(0..DAY), if m < 15 { "tea" } else { "silk" })
        })
        .collect();
    let placed = trade(&mut rng, &shops);
    let mut tables = vec![("merchants", merchants(&shops)), ("orders", orders(&placed))];
    tables.extend(after_sales(&mut rng, &placed));
    tables.extend(lending(&mut rng, &now));
    tables.extend(declared(&mut rng, &now));
    shard(now, tables)
}

fn trade(rng: &mut ChaCha8Rng, shops: &[(i64, &str)]) -> Vec<Order> {
    let now = as_of().micros();
    let mut placed = Vec::new();
    for (merchant, (registered_at, _)) in shops.iter().enumerate() {
        let (count, buyers) = ([0, 1, 4, 12, 40, 90][rng.random_range(0..6)], [1, 3, 30][rng.random_range(0..3)]);
        let reach = (now - registered_at).min([60, 420][rng.random_range(0..2)] * DAY);
        for _ in 0..count {
            let placed_at = now - 1 - rng.random_range(0..reach);
            let amount_minor = rng.random_range(100..60_000);
            let fate = rng.random_range(0..10);
            let completed_at = past(placed_at + rng.random_range(2..20) * DAY).filter(|_| fate > 1);
            placed.push(Order {
                merchant,
                buyer: merchant * 100 + rng.random_range(0..buyers),
                placed_at,
                paid_at: past(placed_at + HOUR),
                cancelled_at: past(placed_at + DAY).filter(|_| fate == 0),
                completed_at,
                amount_minor,
                refund_minor: completed_at.filter(|_| fate == 9).map(|_| amount_minor / 3),
            });
        }
    }
    placed
}

fn after_sales(rng: &mut ChaCha8Rng, placed: &[Order]) -> Vec<(&'static str, DataFrame)> {
    let owner = |o: usize| Some(format!("m{}", placed[o].merchant));
    let buyer = |o: usize| Some(format!("b{}", placed[o].buyer));
    let some = |rng: &mut ChaCha8Rng, part: f64| -> Vec<usize> {
        (0..placed.len()).filter(|_| rng.random::<f64>() < part).collect()
    };
    let sent = some(rng, 0.9);
    let shift = |rng: &mut ChaCha8Rng, from: i64, to: i64| -> Vec<Option<i64>> {
        sent.iter().map(|o| past(placed[*o].placed_at + rng.random_range(from..to) * HOUR)).collect()
    };
    let promise = |after: i64| sent.iter().map(|o| Some(placed[*o].placed_at + after * DAY)).collect();
    let (shipped, delivered, lost) = (shift(rng, 2, 90), shift(rng, 90, 300), shift(rng, 300, 301));
    let unlucky: Vec<bool> = sent.iter().map(|_| rng.random::<f64>() < 0.05).collect();
    let shipments = frame(vec![
        texts("shipment_id", sent.iter().map(|o| id("s", *o)).collect()),
        texts("order_id", sent.iter().map(|o| id("o", *o)).collect()),
        texts("merchant_id", sent.iter().map(|o| owner(*o)).collect()),
        instants("ship_by_at", promise(2)),
        instants("shipped_at", shipped),
        instants("promised_at", promise(8)),
        instants("delivered_at", delivered.iter().zip(&unlucky).map(|(at, lost)| at.filter(|_| !lost)).collect()),
        instants("lost_at", lost.iter().zip(&unlucky).map(|(at, lost)| at.filter(|_| *lost)).collect()),
        texts("tracking", sent.iter().map(|_| (rng.random::<f64>() < 0.8).then(|| "t".to_owned())).collect()),
    ]);

    let later = |o: &usize, hours: i64| placed[*o].placed_at + hours * HOUR;
    let mut rated = some(rng, 0.5);
    rated.retain(|o| past(later(o, 310)).is_some());
    let reviews = frame(vec![
        texts("review_id", rated.iter().map(|o| id("r", *o)).collect()),
        texts("order_id", rated.iter().map(|o| id("o", *o)).collect()),
        texts("merchant_id", rated.iter().map(|o| owner(*o)).collect()),
        texts("buyer_id", rated.iter().map(|o| buyer(*o)).collect()),
        instants("created_at", rated.iter().map(|o| Some(later(o, 310))).collect()),
        whole("stars", rated.iter().map(|_| Some(rng.random_range(1..6))).collect()),
    ]);

    let mut disputed = some(rng, 0.2);
    disputed.retain(|o| past(later(o, 200)).is_some());
    let closed: Vec<Option<i64>> = disputed.iter().map(|o| past(later(o, 200 + rng.random_range(10..900)))).collect();
    let outcome = |rng: &mut ChaCha8Rng| ["merchant-won", "buyer-won", "withdrawn"][rng.random_range(0..3)].to_owned();
    let kinds = ["not-received", "not-as-described", "counterfeit", "chargeback", "lawsuit", "other"];
    let disputes = frame(vec![
        texts("dispute_id", disputed.iter().map(|o| id("d", *o)).collect()),
        texts("order_id", disputed.iter().map(|o| id("o", *o)).collect()),
        texts("merchant_id", disputed.iter().map(|o| owner(*o)).collect()),
        texts("buyer_id", disputed.iter().map(|o| buyer(*o)).collect()),
        instants("opened_at", disputed.iter().map(|o| Some(later(o, 200))).collect()),
        instants("closed_at", closed.clone()),
        texts("kind", disputed.iter().map(|_| Some(kinds[rng.random_range(0..6)].to_owned())).collect()),
        texts("outcome", closed.iter().map(|at| at.map(|_| outcome(rng))).collect()),
        whole("amount_minor", disputed.iter().map(|o| Some(placed[*o].amount_minor)).collect()),
    ]);
    vec![("shipments", shipments), ("reviews", reviews), ("disputes", disputes)]
}

/// Loans of two equal instalments; a payment of either may be early, late, a deduction, or missing.
fn lending(rng: &mut ChaCha8Rng, now: &AsOf) -> Vec<(&'static str, DataFrame)> {
    let loans: Vec<(usize, i64)> = (0..MERCHANTS)
        .flat_map(|m| std::iter::repeat_n(m, [0, 1, 3][m % 3]))
        .map(|m| (m, rng.random_range(3_i64..500)))
        .collect();
    let n = loans.len();
    let disbursed_at = |age: i64| now.micros() - age * DAY;
    let (principal, interest) = (200_000, 3_000);
    let loan_table = frame(vec![
        texts("loan_id", (0..n).map(|l| id("l", l)).collect()),
        texts("merchant_id", loans.iter().map(|(m, _)| id("m", *m)).collect()),
        texts("product", vec![Some("credit-loan".to_owned()); n]),
        instants("disbursed_at", loans.iter().map(|(_, age)| Some(disbursed_at(*age))).collect()),
        whole("principal_minor", vec![Some(principal); n]),
        whole("term_days", vec![Some(60); n]),
        whole("daily_rate_ppm", vec![Some(500); n]),
        texts("repayment", vec![Some("equal-principal".to_owned()); n]),
        instants("written_off_at", vec![None; n]),
        instants("restructured_at", vec![None; n]),
    ]);
    let due: Vec<(usize, i64)> = (0..n).flat_map(|l| [(l, 1), (l, 2)]).collect();
    let borrower = |l: usize| id("m", loans[l].0);
    let due_on = |l: usize, number: i64| now.days_since_epoch() - i32::try_from(loans[l].1 - 30 * number).unwrap();
    let instalments = frame(vec![
        texts("loan_id", due.iter().map(|(l, _)| id("l", *l)).collect()),
        texts("merchant_id", due.iter().map(|(l, _)| borrower(*l)).collect()),
        whole("number", due.iter().map(|(_, number)| Some(*number)).collect()),
        days("due_on", due.iter().map(|(l, number)| due_on(*l, *number)).collect()),
        whole("principal_minor", vec![Some(principal / 2); due.len()]),
        whole("interest_minor", vec![Some(interest); due.len()]),
        whole("fee_minor", vec![Some(0); due.len()]),
    ]);
    let mut paid = Vec::new();
    for (l, number) in &due {
        let at = disbursed_at(loans[*l].1) + (30 * number + [-20, -1, 0, 5, 40][rng.random_range(0..5)]) * DAY;
        if past(at).is_some() && rng.random::<f64>() < 0.85 {
            paid.push((*l, at, if rng.random::<f64>() < 0.2 { "deduction" } else { "voluntary" }));
        }
    }
    let payments = frame(vec![
        texts("payment_id", (0..paid.len()).map(|p| id("p", p)).collect()),
        texts("loan_id", paid.iter().map(|(l, ..)| id("l", *l)).collect()),
        texts("merchant_id", paid.iter().map(|(l, ..)| borrower(*l)).collect()),
        instants("paid_at", paid.iter().map(|(_, at, _)| Some(*at)).collect()),
        whole("amount_minor", vec![Some(principal / 2 + interest); paid.len()]),
        texts("channel", paid.iter().map(|(.., channel)| Some((*channel).to_owned())).collect()),
        instants("reversed_at", vec![None; paid.len()]),
    ]);
    vec![("loans", loan_table), ("instalments", instalments), ("payments", payments)]
}

/// What merchants declare: applications and stock.
fn declared(rng: &mut ChaCha8Rng, now: &AsOf) -> Vec<(&'static str, DataFrame)> {
    let applied: Vec<(usize, i64)> = (0..MERCHANTS)
        .flat_map(|m| std::iter::repeat_n(m, m % 3))
        .map(|m| (m, now.micros() - rng.random_range(1..500) * DAY))
        .collect();
    let money = |rng: &mut ChaCha8Rng| applied.iter().map(|_| Some(rng.random_range(0..5_000_000))).collect();
    let n = applied.len();
    let applications = frame(vec![
        texts("application_id", (0..n).map(|a| id("a", a)).collect()),
        texts("merchant_id", applied.iter().map(|(m, _)| id("m", *m)).collect()),
        instants("applied_at", applied.iter().map(|(_, at)| Some(*at)).collect()),
        texts("product", vec![Some("credit-loan".to_owned()); n]),
        whole("requested_minor", vec![Some(100_000); n]),
        whole("gross_sales_12m_minor", money(rng)),
        whole("operating_costs_12m_minor", money(rng)),
        whole("gross_assets_minor", money(rng)),
        whole("gross_liabilities_minor", money(rng)),
    ]);
    let counted: Vec<(usize, i32)> = (0..MERCHANTS)
        .filter(|m| m % 4 != 0)
        .flat_map(|m| (0..12).map(move |k| (m, 5 + 30 * k)))
        .filter(|_| rng.random::<f64>() < 0.6)
        .collect();
    let stock = |rng: &mut ChaCha8Rng| counted.iter().map(|_| Some(rng.random_range(0..900_000))).collect();
    let inventory = frame(vec![
        texts("merchant_id", counted.iter().map(|(m, _)| id("m", *m)).collect()),
        days("on", counted.iter().map(|(_, age)| now.days_since_epoch() - age).collect()),
        whole("stock_value_minor", stock(rng)),
        whole("cost_of_sales_minor", stock(rng)),
    ]);
    vec![("applications", applications), ("inventory", inventory)]
}
