//! SQL that is evaluated row by row: predicates and integer values of measures, label predicates.

use polars::prelude::{AggExpr, DataFrame, DataType, Expr, Field, FunctionExpr, IntoLazy, Schema};
use polars::sql::sql_expr;

/// What an expression must evaluate to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yields {
    /// True, false or null.
    Flag,
    /// A whole number, never a float.
    Whole,
}

/// A checked expression over one row's columns.
#[derive(Debug, Clone)]
pub struct RowSql {
    text: String,
    expr: Expr,
    columns: Vec<String>,
}

/// Why a text is not such an expression, and what would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlRefusal {
    /// What is wrong, as a fragment.
    pub message: String,
    /// What is allowed.
    pub help: String,
}

/// Functions that look at nothing but their own row. What looks across rows would make a merchant's measure depend on who
/// shares the bucket.
const ROW_FUNCTIONS: [&str; 18] = [
    "is_null", "is_not_null", "is_in", "is_between", "not", "any_horizontal", "all_horizontal", "coalesce",
    "fill_null", "max_horizontal", "min_horizontal", "abs", "negate", "sign", "floor", "ceil", "is_nan", "is_finite",
];

impl RowSql {
    /// Parses an expression and checks it against the columns it may name.
    ///
    /// # Errors
    /// Bad syntax, unknown columns, functions across rows, or the wrong type of result.
    pub fn parse(text: &str, schema: &Schema, yields: Yields) -> Result<Self, SqlRefusal> {
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let refuse = |message: String, help: String| SqlRefusal { message, help };
        let expr = sql_expr(&flat).map_err(|e| {
            refuse(format!("{flat:?} is not an SQL expression: {e}"), "one expression, as after WHERE".into())
        })?;
        let mut columns = Vec::new();
        for node in &expr {
            match node {
                Expr::Column(name) => {
                    if !schema.contains(name) {
                        let names: Vec<&str> = schema.iter_names().map(AsRef::as_ref).collect();
                        return Err(refuse(
                            format!("{flat:?} names the unknown column {name:?}"),
                            format!("one of: {}", names.join(", ")),
                        ));
                    }
                    columns.push(name.to_string());
                }
                Expr::Function { function, .. } if !is_row_function(function) => {
                    return Err(refuse(
                        format!("{flat:?} uses {function}, which may look across rows"),
                        format!("functions of one row: {}, and those of text and time", ROW_FUNCTIONS.join(", ")),
                    ));
                }
                Expr::Alias(..)
                | Expr::Literal(_)
                | Expr::BinaryExpr { .. }
                | Expr::Cast { .. }
                | Expr::Ternary { .. }
                | Expr::Function { .. } => {}
                // The list of an IN.
                Expr::Agg(AggExpr::Implode { input, .. }) if matches!(**input, Expr::Literal(_)) => {}
                other => {
                    return Err(refuse(
                        format!("{flat:?} holds {other:?}, which looks across rows"),
                        "an expression of one row's columns; sums and counts are taken over windows later".into(),
                    ));
                }
            }
        }
        columns.sort_unstable();
        columns.dedup();
        let sql = Self { text: flat, expr, columns };
        sql.check_type(schema, yields)?;
        Ok(sql)
    }

    fn check_type(&self, schema: &Schema, yields: Yields) -> Result<(), SqlRefusal> {
        let refuse = |message: String, help: &str| SqlRefusal { message, help: help.to_owned() };
        // Also evaluated, on no rows: some type errors are raised only then.
        let frame = DataFrame::empty_with_schema(schema);
        let result =
            frame.lazy().select([self.expr.clone().alias("value")]).collect().map_err(|e| {
                refuse(format!("{:?} does not evaluate: {e}", self.text), "check the types of its columns")
            })?;
        let dtype = result.dtypes().into_iter().next().unwrap_or(DataType::Null);
        match yields {
            Yields::Flag if dtype == DataType::Boolean => Ok(()),
            Yields::Flag => Err(refuse(
                format!("{:?} yields {dtype}, not true or false", self.text),
                "a predicate, for example amount_minor > 0",
            )),
            Yields::Whole if dtype.is_integer() => Ok(()),
            Yields::Whole => Err(refuse(
                format!("{:?} yields {dtype}, not a whole number", self.text),
                "an integer expression: integer columns, +, -, *, CASE WHEN … THEN 1 ELSE 0 END; no division, no decimals",
            )),
        }
    }

    /// The SQL, on one line.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The expression.
    pub fn expr(&self) -> Expr {
        self.expr.clone()
    }

    /// Columns it names, sorted, each once.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }
}

/// A schema from names and types.
pub fn schema_of<'a>(columns: impl Iterator<Item = (&'a str, DataType)>) -> Schema {
    columns.map(|(name, dtype)| Field::new(name.into(), dtype)).collect()
}

fn is_row_function(function: &FunctionExpr) -> bool {
    match function {
        FunctionExpr::StringExpr(_) | FunctionExpr::TemporalExpr(_) => true,
        other => ROW_FUNCTIONS.contains(&other.to_string().as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiles::view_schema;

    fn parse(text: &str, yields: Yields) -> Result<RowSql, SqlRefusal> {
        RowSql::parse(text, view_schema("orders").unwrap().empty_frame().schema(), yields)
    }

    #[test]
    fn rows_own_columns_only() {
        for good in [
            "completed_at IS NOT NULL AND NOT delivery_late",
            "dispute_kind IN ('counterfeit', 'lawsuit')",
            "delivery_late = FALSE AND (disputes_lost = 0 OR disputes_lost IS NULL)",
            "stars BETWEEN 1 AND 2",
            "buyer_id LIKE 'b%'",
            "COALESCE(refund_minor, 0) > 0",
            "completed_at - placed_at > INTERVAL '30 days'",
            "date_part('hour', placed_at) < 6",
            "GREATEST(amount_minor, 5) > 4",
            "ABS(amount_minor) > 4",
        ] {
            let sql = parse(good, Yields::Flag).unwrap_or_else(|e| panic!("{good}: {e:?}"));
            assert!(!sql.columns().is_empty());
        }
        for good in [
            "amount_minor - COALESCE(refund_minor, 0)",
            "1",
            "CASE WHEN delivery_late THEN 1 ELSE 0 END",
            "2 * amount_minor",
            "-amount_minor",
        ] {
            parse(good, Yields::Whole).unwrap_or_else(|e| panic!("{good}: {e:?}"));
        }
    }

    #[test]
    fn refuses_what_is_not_a_row_expression() {
        for (bad, yields, why) in [
            ("amount_minor >", Yields::Flag, "not an SQL expression"),
            ("amont_minor > 0", Yields::Flag, "unknown column"),
            ("amount_minor > AVG(amount_minor)", Yields::Flag, "across rows"),
            ("RANK() OVER (ORDER BY amount_minor) > 3", Yields::Flag, ""),
            ("amount_minor", Yields::Flag, "not true or false"),
            ("amount_minor / 2", Yields::Whole, "not a whole number"),
            ("amount_minor * 0.5", Yields::Whole, "not a whole number"),
            ("delivery_late", Yields::Whole, "not a whole number"),
            ("buyer_id", Yields::Whole, "not a whole number"),
            ("COUNT(*)", Yields::Whole, "across rows"),
            ("FIRST(amount_minor)", Yields::Whole, "across rows"),
        ] {
            let refusal = parse(bad, yields).err().unwrap_or_else(|| panic!("{bad} passed"));
            assert!(refusal.message.contains(why), "{bad}: {refusal:?}");
        }
    }
}
