//! The rules within a row, in the order in which they are tried: the first that fails is the row's reason.

use polars::prelude::*;
use polars::sql::sql_expr;

use crate::contract::{TableContract, Type, UNREADABLE};
use crate::domain::Currency;

/// One rule: rows for which `fails` is true break it. Unknown operands break no rule.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// Kebab-case reason.
    pub name: &'static str,
    /// Column shown as evidence.
    pub column: &'static str,
    /// The evidence is the unreadable text, not the cell.
    pub is_unreadable: bool,
    pub fails: Expr,
}

/// Rules that `frame` could break, cheapest evidence first: unreadable cells, required nulls, words, ranges, currency, then the
/// contract's own checks.
pub(crate) fn row_rules(table: &TableContract, frame: &DataFrame, currency: Currency) -> PolarsResult<Vec<Rule>> {
    let rule = |name, column, fails| Rule { name, column, is_unreadable: false, fails };
    let mut rules = Vec::new();
    for column in table.columns {
        let unreadable = format!("{UNREADABLE}{}", column.name);
        if frame.schema().contains(&unreadable) {
            let fails = col(unreadable.as_str()).is_not_null();
            rules.push(Rule { name: "type-unreadable", column: column.name, is_unreadable: true, fails });
        }
    }
    for column in table.columns {
        if column.required && frame.column(column.name)?.null_count() > 0 {
            rules.push(rule("required-null", column.name, col(column.name).is_null()));
        }
    }
    for column in table.columns {
        if let Type::Word(words) = column.kind {
            let known = words.iter().fold(lit(false), |known, &word| known.or(col(column.name).eq(lit(word))));
            rules.push(rule("word-not-allowed", column.name, known.not()));
        }
    }
    for column in table.columns {
        if let Some((low, high)) = column.range {
            let outside = col(column.name).lt(lit(low)).or(col(column.name).gt(lit(high)));
            rules.push(rule("out-of-range", column.name, outside));
        }
    }
    if table.column("currency").is_some() {
        rules.push(rule("wrong-currency", "currency", col("currency").neq(lit(currency.code()))));
    }
    for check in table.checks {
        rules.push(rule(check.rule, check.column, sql_expr(check.holds)?.not()));
    }
    Ok(rules)
}

/// For each row the number of the first rule that fails, counted from 1; 0 where none does.
pub(crate) fn first_failing(frame: &DataFrame, rules: &[Rule]) -> PolarsResult<UInt32Chunked> {
    if rules.is_empty() || frame.height() == 0 {
        return Ok(UInt32Chunked::full("rule".into(), 0, frame.height()));
    }
    let number = |n: usize| lit(u32::try_from(n).unwrap_or(u32::MAX));
    let first = rules
        .iter()
        .enumerate()
        .rev()
        .fold(number(0), |later, (at, rule)| when(rule.fails.clone()).then(number(at + 1)).otherwise(later));
    let codes = frame.clone().lazy().select([first.cast(DataType::UInt32).alias("rule")]).collect()?;
    let codes = codes.column("rule")?.u32()?;
    Ok(if codes.len() == frame.height() { codes.clone() } else { codes.new_from_index(0, frame.height()) })
}
