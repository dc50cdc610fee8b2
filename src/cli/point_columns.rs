//! What each variable of a card says of a row, as columns beside its score: `apply --points` and `--woe`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array};
use arrow::datatypes::{DataType, Field};

use crate::model::{BlockScores, Scorecard};

/// One column, over a variable or a two-variable table of the card, by position.
#[derive(Debug, Clone, Copy)]
pub enum PointColumn {
    /// Points of the variable's bin.
    Points(usize),
    /// Points of the table's cell. With the base points and those of all variables they add up to the score.
    TablePoints(usize),
    /// Weight of evidence of the variable's bin, as training saw it: ln of its odds good : bad over those of all rows.
    Woe(usize),
}

/// The columns asked for: points of variables and tables, then weights of evidence, in the order of the card.
#[must_use]
pub fn point_columns(card: &Scorecard, points: bool, woe: bool) -> Vec<PointColumn> {
    let variables = || 0..card.variables.len();
    let of_points = variables().map(PointColumn::Points).chain((0..card.tables.len()).map(PointColumn::TablePoints));
    let of_woe = variables().map(PointColumn::Woe);
    of_points.filter(|_| points).chain(of_woe.filter(|_| woe)).collect()
}

impl PointColumn {
    /// Name of the column.
    #[must_use]
    pub fn name(self, card: &Scorecard) -> String {
        let variable = |at: usize| card.variables.get(at).map_or("", |v| v.bins.name.as_str());
        match self {
            Self::Points(at) => format!("points_{}", variable(at)),
            Self::TablePoints(at) => format!("points_{}", card.tables.get(at).map_or("", |t| t.code.as_str())),
            Self::Woe(at) => format!("woe_{}", variable(at)),
        }
    }

    /// The column in Parquet.
    #[must_use]
    pub fn field(self, card: &Scorecard) -> Field {
        let kind = match self {
            Self::Points(_) | Self::TablePoints(_) => DataType::Int32,
            Self::Woe(_) => DataType::Float64,
        };
        Field::new(self.name(card), kind, false)
    }

    /// Its values of a block, for Parquet.
    #[must_use]
    pub fn array(self, card: &Scorecard, block: &BlockScores) -> ArrayRef {
        match self {
            Self::Points(_) | Self::TablePoints(_) => Arc::new(Int32Array::from(self.points(card, block))),
            Self::Woe(at) => Arc::new(Float64Array::from(woe(card, block, at))),
        }
    }

    /// Its values of a block, as text.
    #[must_use]
    pub fn texts(self, card: &Scorecard, block: &BlockScores) -> Vec<String> {
        match self {
            Self::Points(_) | Self::TablePoints(_) => {
                self.points(card, block).iter().map(ToString::to_string).collect()
            }
            Self::Woe(at) => woe(card, block, at).iter().map(ToString::to_string).collect(),
        }
    }

    fn points(self, card: &Scorecard, block: &BlockScores) -> Vec<i32> {
        let codes = |variable: usize| block.bins.get(variable).map_or(&[][..], Vec::as_slice);
        match self {
            Self::TablePoints(at) => card.tables.get(at).map_or_else(Vec::new, |table| {
                let pairs = codes(table.left).iter().zip(codes(table.right));
                pairs.map(|(&left, &right)| table.points_at(left, right)).collect()
            }),
            Self::Points(at) | Self::Woe(at) => {
                let points = card.variables.get(at).map_or(&[][..], |v| v.points.as_slice());
                codes(at).iter().map(|&bin| points.get(usize::from(bin)).copied().unwrap_or_default()).collect()
            }
        }
    }
}

fn woe(card: &Scorecard, block: &BlockScores, at: usize) -> Vec<f64> {
    let bins = card.variables.get(at).map_or(&[][..], |v| v.bins.bins.as_slice());
    let codes = block.bins.get(at).map_or(&[][..], Vec::as_slice);
    codes.iter().map(|&bin| bins.get(usize::from(bin)).map_or(0.0, |b| b.woe)).collect()
}
