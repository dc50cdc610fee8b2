//! The joined views: what is known at an instant, and nothing else.

use std::collections::BTreeMap;

use integrity::authenticity::UNKNOWN_BUYER;
use integrity::domain::AsOf;
use integrity::store::Shard;
use integrity::tiles::{VIEWS, ViewKind, Views};
use polars::prelude::*;
use proptest::prelude::*;

use super::shards::{DAY, HOUR, Order, as_of, instants, merchants, orders, reversed, shard, texts, views_of, whole};

#[derive(Debug, Clone)]
struct Parcel {
    order: usize,
    ship_by: Option<i64>,
    shipped: Option<i64>,
    promised: Option<i64>,
    delivered: Option<i64>,
    tracking: bool,
}

#[derive(Debug, Clone)]
struct Review {
    order: usize,
    created: i64,
    stars: i64,
}

#[derive(Debug, Clone)]
struct Dispute {
    order: Option<usize>,
    opened: i64,
    closed: Option<i64>,
    outcome: Option<&'static str>,
}

#[derive(Debug, Clone, Default)]
struct Market {
    orders: Vec<Order>,
    parcels: Vec<Parcel>,
    reviews: Vec<Review>,
    disputes: Vec<Dispute>,
}

const MERCHANTS: usize = 2;

impl Market {
    fn merchant(&self, order: usize) -> Option<String> {
        self.orders.get(order).map(|o| format!("m{}", o.merchant))
    }

    /// What could be seen at an instant, as the store would show it.
    fn seen(&self, at: &AsOf) -> Shard {
        let now = at.micros();
        let past = |t: Option<i64>| t.filter(|t| *t < now);
        // Keys must not move when later orders go.
        let visible: Vec<usize> = (0..self.orders.len()).filter(|o| self.orders[*o].placed_at < now).collect();
        let rows: Vec<Order> = visible
            .iter()
            .map(|o| {
                let order = self.orders[*o].clone();
                Order {
                    paid_at: past(order.paid_at),
                    completed_at: past(order.completed_at),
                    cancelled_at: past(order.cancelled_at),
                    ..order
                }
            })
            .collect();
        let mut frame = orders(&rows);
        frame.replace("order_id", texts("order_id", visible.iter().map(|o| Some(format!("o{o}"))).collect())).unwrap();

        let parcels: Vec<(usize, &Parcel)> =
            self.parcels.iter().enumerate().filter(|(_, p)| visible.contains(&p.order)).collect();
        let reviews: Vec<(usize, &Review)> =
            self.reviews.iter().enumerate().filter(|(_, r)| r.created < now && visible.contains(&r.order)).collect();
        let disputes: Vec<(usize, &Dispute)> = self
            .disputes
            .iter()
            .enumerate()
            .filter(|(_, d)| d.opened < now && d.order.is_none_or(|o| visible.contains(&o)))
            .collect();
        let id = |prefix: &str, n: usize| Some(format!("{prefix}{n}"));
        let parcel_columns = vec![
            texts("shipment_id", parcels.iter().map(|(n, _)| id("s", *n)).collect()),
            texts("order_id", parcels.iter().map(|(_, p)| id("o", p.order)).collect()),
            texts("merchant_id", parcels.iter().map(|(_, p)| self.merchant(p.order)).collect()),
            instants("ship_by_at", parcels.iter().map(|(_, p)| past(p.ship_by)).collect()),
            instants("shipped_at", parcels.iter().map(|(_, p)| past(p.shipped)).collect()),
            instants("promised_at", parcels.iter().map(|(_, p)| past(p.promised)).collect()),
            instants("delivered_at", parcels.iter().map(|(_, p)| past(p.delivered)).collect()),
            texts(
                "tracking",
                parcels.iter().map(|(n, p)| past(p.shipped).filter(|_| p.tracking).and(id("t", *n))).collect(),
            ),
        ];
        let review_columns = vec![
            texts("review_id", reviews.iter().map(|(n, _)| id("r", *n)).collect()),
            texts("order_id", reviews.iter().map(|(_, r)| id("o", r.order)).collect()),
            texts("merchant_id", reviews.iter().map(|(_, r)| self.merchant(r.order)).collect()),
            texts("buyer_id", reviews.iter().map(|(_, r)| id("b", r.order)).collect()),
            instants("created_at", reviews.iter().map(|(_, r)| Some(r.created)).collect()),
            whole("stars", reviews.iter().map(|(_, r)| Some(r.stars)).collect()),
        ];
        let dispute_columns = vec![
            texts("dispute_id", disputes.iter().map(|(n, _)| id("d", *n)).collect()),
            texts("order_id", disputes.iter().map(|(_, d)| d.order.and_then(|o| id("o", o))).collect()),
            texts("merchant_id", disputes.iter().map(|(_, d)| self.merchant(d.order.unwrap_or(0))).collect()),
            texts("buyer_id", disputes.iter().map(|(_, d)| d.order.and_then(|o| id("b", o))).collect()),
            instants("opened_at", disputes.iter().map(|(_, d)| Some(d.opened)).collect()),
            instants("closed_at", disputes.iter().map(|(_, d)| past(d.closed)).collect()),
            texts("kind", vec![Some("other".to_owned()); disputes.len()]),
            texts("outcome", disputes.iter().map(|(_, d)| past(d.closed).and(d.outcome.map(str::to_owned))).collect()),
            whole("amount_minor", disputes.iter().map(|(n, _)| i64::try_from(*n).ok()).collect()),
        ];
        let registered = as_of().micros() - 400 * DAY;
        shard(
            at.clone(),
            vec![
                ("merchants", merchants(&[(registered, "tea"); MERCHANTS])),
                ("orders", frame),
                ("shipments", DataFrame::new(parcels.len(), parcel_columns).unwrap()),
                ("reviews", DataFrame::new(reviews.len(), review_columns).unwrap()),
                ("disputes", DataFrame::new(disputes.len(), dispute_columns).unwrap()),
            ],
        )
    }
}

fn build(shard: &Shard) -> Views {
    views_of(shard).unwrap()
}

/// Every view as text, its rows by their first column.
fn printed(views: &Views) -> BTreeMap<&'static str, Vec<String>> {
    let rows = |frame: &DataFrame| {
        let mut rows: Vec<String> = (0..frame.height()).map(|n| format!("{:?}", frame.get(n).unwrap())).collect();
        rows.sort();
        rows
    };
    views.by_name.iter().map(|(name, view)| (*name, rows(&view.frame))).collect()
}

fn one<T>(views: &Views, view: &str, column: &str, read: impl Fn(&Series) -> T) -> T {
    read(views.by_name[view].frame.column(column).unwrap().as_materialized_series())
}

fn flags(views: &Views, view: &str, column: &str) -> Vec<Option<bool>> {
    one(views, view, column, |s| s.bool().unwrap().iter().collect())
}

fn wholes(views: &Views, view: &str, column: &str) -> Vec<Option<i64>> {
    one(views, view, column, |s| s.to_physical_repr().i64().unwrap().iter().collect())
}

#[test]
fn an_order_knows_its_parcels_review_and_disputes() {
    let t = as_of().micros() - 20 * DAY;
    let market = Market {
        orders: vec![
            Order {
                placed_at: t,
                paid_at: Some(t + HOUR),
                completed_at: Some(t + 5 * DAY),
                amount_minor: 900,
                ..Order::default()
            },
            Order { placed_at: t + HOUR, amount_minor: 100, merchant: 1, ..Order::default() },
        ],
        parcels: vec![
            Parcel {
                order: 0,
                ship_by: Some(t + DAY),
                shipped: Some(t + DAY + HOUR / 2),
                promised: Some(t + 4 * DAY),
                delivered: Some(t + 3 * DAY),
                tracking: true,
            },
            Parcel {
                order: 0,
                ship_by: Some(t + DAY),
                shipped: Some(t + 2 * DAY),
                promised: Some(t + 4 * DAY),
                delivered: Some(t + 4 * DAY + 1),
                tracking: false,
            },
        ],
        reviews: vec![
            Review { order: 0, created: t + 6 * DAY, stars: 4 },
            Review { order: 0, created: t + 7 * DAY, stars: 2 },
        ],
        disputes: vec![
            Dispute { order: Some(0), opened: t + 6 * DAY, closed: Some(t + 8 * DAY), outcome: Some("withdrawn") },
            Dispute { order: Some(0), opened: t + 7 * DAY, closed: None, outcome: None },
            Dispute { order: None, opened: t + 7 * DAY, closed: None, outcome: None },
        ],
    };
    let views = build(&market.seen(&as_of()));
    assert_eq!(wholes(&views, "orders", "parcels"), [Some(2), Some(0)]);
    assert_eq!(flags(&views, "orders", "ship_late"), [Some(true), None]);
    assert_eq!(wholes(&views, "orders", "ship_delay_hours"), [Some(24), None]);
    assert_eq!(flags(&views, "orders", "delivery_late"), [Some(true), None]);
    assert_eq!(wholes(&views, "orders", "delivery_delay_hours"), [Some(0), None]);
    assert_eq!(flags(&views, "shipments", "delivery_late"), [Some(false), Some(true)]);
    assert_eq!(wholes(&views, "orders", "escrow_lag_hours"), [Some(119), None]);
    assert_eq!(wholes(&views, "orders", "handling_hours"), [Some(47), None]);
    assert_eq!(flags(&views, "orders", "has_tracking"), [Some(true), None]);
    assert_eq!(wholes(&views, "orders", "stars"), [Some(2), None]);
    assert_eq!(wholes(&views, "orders", "disputes"), [Some(2), Some(0)]);
    assert_eq!(wholes(&views, "orders", "disputes_open"), [Some(1), Some(0)]);
    assert_eq!(wholes(&views, "orders", "disputes_dismissed"), [Some(1), Some(0)]);
    assert_eq!(wholes(&views, "orders", "dispute_opened_at"), [Some(t + 6 * DAY), None]);
    assert_eq!(wholes(&views, "disputes", "days_to_open"), [Some(6), Some(7), None]);
}

#[test]
fn a_parcel_or_a_review_sent_twice_counts_once() {
    let t = as_of().micros() - 20 * DAY;
    let parcel = |shipped| Parcel {
        order: 0,
        ship_by: Some(t + DAY),
        shipped: Some(shipped),
        promised: Some(t + 4 * DAY),
        delivered: Some(t + 3 * DAY),
        tracking: false,
    };
    let review = |created, stars| Review { order: 0, created, stars };
    let market = Market {
        orders: vec![Order { placed_at: t, ..Order::default() }],
        parcels: vec![parcel(t + HOUR), parcel(t + 2 * HOUR), parcel(t + HOUR)],
        reviews: vec![review(t + 5 * DAY, 5), review(t + 6 * DAY, 5), review(t + 7 * DAY, 3)],
        ..Market::default()
    };
    let views = build(&market.seen(&as_of()));
    assert_eq!(wholes(&views, "orders", "parcels"), [Some(2)]);
    assert_eq!(wholes(&views, "orders", "parcels_delivered"), [Some(2)]);
    assert_eq!(flags(&views, "shipments", "suspect"), [Some(false), Some(false), Some(true)]);
    assert_eq!(flags(&views, "reviews", "suspect"), [Some(false), Some(true), Some(false)]);
    assert_eq!(wholes(&views, "orders", "stars"), [Some(3)]);
}

#[test]
fn somebody_else_does_not_speak_for_the_buyer() {
    let t = as_of().micros() - 20 * DAY;
    let review = |order, day: i64, stars| Review { order, created: t + day * DAY, stars };
    let market = Market {
        orders: vec![Order { placed_at: t, ..Order::default() }, Order { placed_at: t + DAY, ..Order::default() }],
        reviews: vec![review(0, 5, 1), review(0, 6, 5), review(1, 7, 5)],
        ..Market::default()
    };
    let judged = |buyers: [&str; 2], reviewers: [&str; 3]| {
        let mut shard = market.seen(&as_of());
        let mut name = |table: &str, people: &[&str]| {
            let people = people.iter().map(|id| Some((*id).to_owned())).collect();
            shard.tables.get_mut(table).unwrap().replace("buyer_id", texts("buyer_id", people)).unwrap();
        };
        name("orders", &buyers);
        name("reviews", &reviewers);
        let views = build(&shard);
        (flags(&views, "reviews", "suspect"), wholes(&views, "orders", "stars"))
    };
    let (yes, no) = (Some(true), Some(false));
    assert_eq!(judged(["b", "c"], ["b", "x", "x"]), (vec![no, yes, yes], vec![Some(1), None]));
    assert_eq!(judged(["b", "c"], ["b", "b", "C "]), (vec![no; 3], vec![Some(5); 2]), "who thinks better of it");
    let nobody = UNKNOWN_BUYER;
    assert_eq!(judged(["b", "c"], ["b", nobody, nobody]), (vec![no; 3], vec![Some(1), Some(5)]));
    assert_eq!(judged([nobody; 2], ["b", "x", "x"]), (vec![no; 3], vec![Some(5); 2]), "no buyer is known");
}

#[test]
fn who_bought_nothing_disputes_nothing_until_it_is_decided() {
    let t = as_of().micros() - 20 * DAY;
    let dispute = |closed: Option<i64>, outcome| Dispute { order: Some(0), opened: t + 5 * DAY, closed, outcome };
    let over = Some(t + 8 * DAY);
    let market = Market {
        orders: vec![Order { placed_at: t, ..Order::default() }],
        disputes: vec![dispute(None, None), dispute(over, Some("merchant-won")), dispute(over, Some("buyer-won"))],
        ..Market::default()
    };
    let seen = |buyer: &str, people: [&str; 3]| {
        let mut shard = market.seen(&as_of());
        let mut name = |table: &str, people: &[&str]| {
            let people = people.iter().map(|id| Some((*id).to_owned())).collect();
            shard.tables.get_mut(table).unwrap().replace("buyer_id", texts("buyer_id", people)).unwrap();
        };
        name("orders", &[buyer]);
        name("disputes", &people);
        let views = build(&shard);
        let of_order = ["disputes", "disputes_open", "disputes_lost", "disputes_dismissed"];
        let rows = wholes(&views, "disputes", "days_to_open").len();
        (of_order.map(|column| wholes(&views, "orders", column)[0].unwrap()), rows)
    };
    // Of one buyer and one moment the three would be one dispute.
    let nobody = UNKNOWN_BUYER;
    assert_eq!(seen("b", ["x", "y", "z"]), ([1, 0, 1, 0], 1), "only what was decided against the merchant counts");
    assert_eq!(seen("b", ["B ", "y", "z"]), ([2, 1, 1, 0], 2));
    assert_eq!(seen("b", ["x", nobody, "z"]), ([2, 0, 1, 1], 2), "who opened it is not known");
    assert_eq!(seen(nobody, ["x", "y", "z"]), ([3, 1, 1, 1], 3), "no buyer is known");
}

#[test]
fn what_is_not_yet_due_is_not_yet_late() {
    let d = as_of().micros();
    let order = Order { placed_at: d - 3 * DAY, ..Order::default() };
    let parcel = |promised, delivered| Parcel {
        order: 0,
        ship_by: Some(d - DAY),
        shipped: None,
        promised: Some(promised),
        delivered,
        tracking: false,
    };
    let seen = |parcel| {
        build(&Market { orders: vec![order.clone()], parcels: vec![parcel], ..Market::default() }.seen(&as_of()))
    };
    assert_eq!(flags(&seen(parcel(d, None)), "orders", "delivery_late"), [None]);
    assert_eq!(flags(&seen(parcel(d - 1, None)), "orders", "delivery_late"), [Some(true)]);
    assert_eq!(flags(&seen(parcel(d + DAY, Some(d - HOUR))), "orders", "delivery_late"), [None]);
    assert_eq!(flags(&seen(parcel(d - 1, Some(d - HOUR))), "orders", "delivery_late"), [Some(false)]);
    assert_eq!(flags(&seen(parcel(d, None)), "orders", "ship_late"), [Some(true)]);
}

#[test]
fn views_hold_exactly_their_schema() {
    let views = build(&Market::default().seen(&as_of()));
    for schema in VIEWS {
        let Some(view) = views.by_name.get(schema.name) else { continue };
        assert_eq!(view.frame.schema(), schema.empty_frame().schema(), "{}", schema.name);
    }
    assert!(["orders", "shipments", "reviews", "disputes"].iter().all(|name| views.by_name.contains_key(name)));
}

fn a_market() -> impl Strategy<Value = Market> {
    let time = || as_of().micros() - 30 * DAY..as_of().micros() + 30 * DAY;
    let maybe = move || proptest::option::of(time());
    let order = (0..MERCHANTS, 0_usize..3, time(), maybe(), maybe(), 1_i64..9_000).prop_map(
        |(merchant, buyer, placed_at, paid, completed, amount_minor)| {
            let after = |t: Option<i64>| t.map(|t| t.max(placed_at));
            Order {
                merchant,
                buyer,
                placed_at,
                paid_at: after(paid),
                completed_at: after(completed),
                amount_minor,
                ..Order::default()
            }
        },
    );
    proptest::collection::vec(order, 1..12).prop_flat_map(move |orders| {
        let n = orders.len();
        let parcel = (0..n, maybe(), maybe(), maybe(), maybe(), any::<bool>()).prop_map(
            |(order, ship_by, shipped, promised, delivered, tracking)| Parcel {
                order,
                ship_by,
                shipped,
                promised,
                delivered,
                tracking,
            },
        );
        let review = (0..n, time(), 1_i64..6).prop_map(|(order, created, stars)| Review { order, created, stars });
        let outcome = prop_oneof![Just("buyer-won"), Just("merchant-won")];
        let dispute =
            (proptest::option::of(0..n), time(), maybe(), outcome).prop_map(|(order, opened, closed, outcome)| {
                Dispute { order, opened, closed, outcome: closed.map(|_| outcome) }
            });
        (
            Just(orders),
            proptest::collection::vec(parcel, 0..12),
            proptest::collection::vec(review, 0..8),
            proptest::collection::vec(dispute, 0..6),
        )
            .prop_map(|(orders, parcels, reviews, disputes)| Market { orders, parcels, reviews, disputes })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_view_knows_the_future_and_row_order_changes_nothing(market in a_market()) {
        let now = as_of();
        let shard = market.seen(&now);
        let views = build(&shard);
        for view in views.by_name.values() {
            for column in view.schema.columns.iter().filter(|c| c.kind == ViewKind::Instant) {
                let latest = wholes(&views, view.schema.name, column.name).into_iter().flatten().max();
                prop_assert!(latest.is_none_or(|t| t < now.micros()), "{}.{}", view.schema.name, column.name);
            }
        }
        let mut flipped = shard.clone();
        for frame in flipped.tables.values_mut() {
            *frame = reversed(frame);
        }
        prop_assert_eq!(printed(&views), printed(&build(&flipped)));
    }
}
