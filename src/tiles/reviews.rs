//! The view `reviews`: each review with its order's date and its authenticity verdict.

use polars::prelude::{Column, DataFrame, Int64Chunked, IntoColumn, NamedFrom, PolarsResult, Series, StringChunked};

use super::column::{integers, required_texts};
use super::error::TileError;
use super::merchants::Merchants;
use super::orders::{Orders, contract_column, instants};
use super::parcels::Parcels;
use super::schema::{ViewKind, ViewSchema, column};
use super::view::{Children, ViewRules};
use crate::authenticity::{self, Author, ReviewFacts, Settings, Verdict};

/// Schema of the view.
pub static REVIEWS: ViewSchema = ViewSchema {
    name: "reviews",
    doc: "one row a review",
    needs: &["reviews"],
    columns: &[
        column("review_id", ViewKind::Text, "reviews", "the review"),
        column("order_id", ViewKind::Text, "reviews", "the order reviewed"),
        column("merchant_id", ViewKind::Text, "reviews", "the merchant reviewed"),
        column("buyer_id", ViewKind::Text, "reviews", "who reviews"),
        column("created_at", ViewKind::Instant, "reviews", "when it was given"),
        column("stars", ViewKind::Integer, "reviews", "1 (worst) to 5 (best)"),
        column("order_placed_at", ViewKind::Instant, "reviews", "when the order was placed"),
        column("order_amount_minor", ViewKind::Integer, "reviews", "value of the order"),
        column("suspect", ViewKind::Flag, "reviews", "the review or its order is judged not authentic"),
        column("suspect_rule", ViewKind::Text, "reviews", "the rules that made the review suspect, joined by +"),
    ],
};

const TABLE: &str = "reviews";

/// The authentic review that an order is rated by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rating {
    /// Its stars.
    pub stars: i64,
    /// When it was given.
    pub created_at: i64,
}

/// Reviews judged, and the one that each order is rated by.
pub struct Ratings {
    by_order: Vec<Option<Rating>>,
    is_suspect: Vec<bool>,
    rules: Vec<Option<String>>,
    /// Verdicts by review row, with the evidence.
    pub verdicts: Vec<Verdict>,
}

impl Ratings {
    /// The authentic review that the order in that row is rated by.
    pub fn of_order(&self, row: usize) -> Option<Rating> {
        self.by_order.get(row).copied().flatten()
    }
}

/// An order's latest authentic reviews, by who gave them: positions among the reviews.
#[derive(Clone, Copy, Default)]
struct Latest {
    buyers: Option<usize>,
    unknown: Option<usize>,
    others: Option<usize>,
}

impl Latest {
    fn slot(&mut self, author: Author) -> &mut Option<usize> {
        match author {
            Author::Buyer => &mut self.buyers,
            Author::Unknown => &mut self.unknown,
            Author::Another => &mut self.others,
        }
    }

    /// The buyer's own; one of which nobody knows who gave it takes its place only where it is no earlier and worse, and one by somebody else never.
    fn rating(self, rating: impl Fn(usize) -> Option<Rating>) -> Option<Rating> {
        let [buyer, unknown, another] = [self.buyers, self.unknown, self.others].map(|review| review.and_then(&rating));
        let is_worse =
            |other: &Rating| buyer.is_none_or(|own| other.created_at >= own.created_at && other.stars < own.stars);
        unknown.filter(is_worse).or(buyer).or(another)
    }
}

/// Marks suspect reviews and finds the authentic one that each order is rated by. `parcels`, `placed_at` and `buyers` belong to the orders row by row.
pub fn rate(
    reviews: &Children<'_>,
    merchants: &Merchants,
    parcels: Option<&[Parcels]>,
    placed_at: &Int64Chunked,
    buyers: &StringChunked,
    settings: &Settings,
) -> Result<Ratings, TileError> {
    let Children { table, of_order } = reviews;
    let ids = required_texts(table, TABLE, "review_id")?;
    let order_ids = required_texts(table, TABLE, "order_id")?;
    let buyer_ids = required_texts(table, TABLE, "buyer_id")?;
    let created = integers(table, TABLE, "created_at")?;
    let stars = integers(table, TABLE, "stars")?;
    let facts: Vec<ReviewFacts> = (0..table.height())
        .map(|n| {
            let order = of_order.get(n).copied().flatten();
            let parcels = order.and_then(|row| parcels?.get(row));
            ReviewFacts {
                review_id: ids.get(n).unwrap_or_default(),
                order_id: order_ids.get(n).unwrap_or_default(),
                buyer_id: buyer_ids.get(n).unwrap_or_default(),
                created_at: created.get(n).unwrap_or_default(),
                stars: stars.get(n).unwrap_or_default(),
                order_buyer_id: order.and_then(|row| buyers.get(row)),
                order_placed_at: order.and_then(|row| placed_at.get(row)),
                delivered_at: parcels.and_then(|p| p.delivered_at),
                delivery_late: parcels.and_then(|p| p.delivery_late),
                is_parcel_lost: parcels.is_some_and(|p| p.lost > 0),
                knows_parcels: parcels.is_some_and(|p| p.count > 0),
            }
        })
        .collect();
    let owners = merchants.of_rows(table, TABLE)?;
    let verdicts = authenticity::judge_reviews(&facts, &owners, settings);
    let is_suspect: Vec<bool> = verdicts.iter().map(Verdict::is_suspect).collect();
    let rules = verdicts.iter().map(Verdict::rules).collect();

    let at = |n: usize| facts.get(n).map(|fact| (fact.created_at, fact.review_id));
    let mut latest = vec![Latest::default(); placed_at.len()];
    for (n, fact) in facts.iter().enumerate() {
        if is_suspect.get(n).copied().unwrap_or(false) || stars.get(n).is_none() {
            continue;
        }
        let Some(latest) = of_order.get(n).copied().flatten().and_then(|row| latest.get_mut(row)) else { continue };
        let slot = latest.slot(fact.author());
        if slot.is_none_or(|last| at(n) > at(last)) {
            *slot = Some(n);
        }
    }
    let rating = |n: usize| facts.get(n).map(|fact| Rating { stars: fact.stars, created_at: fact.created_at });
    let by_order = latest.into_iter().map(|latest| latest.rating(rating)).collect();
    Ok(Ratings { by_order, is_suspect, rules, verdicts })
}

/// Joins the view.
pub fn build(
    reviews: &Children<'_>,
    orders: &Orders,
    ratings: &Ratings,
    rules: ViewRules<'_>,
) -> Result<DataFrame, TileError> {
    let Children { table, of_order } = reviews;
    let assemble = || -> PolarsResult<DataFrame> {
        let mut columns: Vec<Column> = Vec::with_capacity(REVIEWS.columns.len());
        for spec in rules.columns_of(&REVIEWS) {
            let name = spec.name.into();
            columns.push(match spec.name {
                "order_placed_at" => {
                    let placed = of_order.iter().map(|row| row.and_then(|row| orders.placed_at.get(row))).collect();
                    instants(spec.name, placed)?
                }
                "order_amount_minor" => {
                    let amounts: Vec<Option<i64>> =
                        of_order.iter().map(|row| row.and_then(|row| orders.amount_minor.get(row))).collect();
                    Series::new(name, amounts).into_column()
                }
                "suspect" => {
                    let suspect: Vec<bool> = of_order
                        .iter()
                        .zip(&ratings.is_suspect)
                        .map(|(row, own)| {
                            *own || row.and_then(|row| orders.is_suspect.get(row)).copied().unwrap_or(false)
                        })
                        .collect();
                    Series::new(name, suspect).into_column()
                }
                "suspect_rule" => Series::new(name, &ratings.rules).into_column(),
                _ => contract_column(table, spec)?,
            });
        }
        DataFrame::new(table.height(), columns)
    };
    assemble().map_err(|source| TileError::View { view: TABLE, source })
}
