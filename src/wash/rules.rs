//! The rules within a row, in the order in which they are tried: the first that fails is the row's reason.

use polars::prelude::*;
use polars::sql::sql_expr;

use super::named::NAMED_BEFORE_EVENT;
use crate::contract::{RECORDED_BEFORE, RECORDED_BEFORE_EVENT, TableContract, Type, UNREADABLE, is_id};
use crate::domain::Currency;

/// Reason of a row with an id that no id is, see [`is_id`].
pub(crate) const ID_MALFORMED: &str = "id-malformed";

/// Reason of a row that lacks what it must say.
pub(crate) const REQUIRED_NULL: &str = "required-null";

/// What a job says of rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowTerms {
    /// Currency of every amount.
    pub currency: Currency,
    /// By how much the stamp of a row may precede its event.
    pub recorded_before_event_micros: i64,
}

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

/// Rules that `frame` could break, cheapest evidence first: unreadable cells, required nulls, ids that name nothing, words, ranges, currency, stamps that
/// precede the event or a milestone, rows that name it before its event, then the contract's own checks.
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
            rules.push(rule(REQUIRED_NULL, column.name, col(column.name).is_null()));
        }
    }
    for column in table.columns {
        if matches!(column.kind, Type::Id | Type::Ids)
            && let Some(malformed) = malformed_ids(frame.column(column.name)?)?
        {
            rules.push(rule(ID_MALFORMED, column.name, lit(malformed.into_series())));
        }
    }
    for column in table.columns {
        if let Type::Word(words) = column.kind {
            let known = words.iter().fold(lit(false), |known, &word| known.or(col(column.name).eq(lit(word))));
            rules.push(rule("word-not-allowed", column.name, known.not()));
        }
    }
    for column in table.columns {
        if let Some((low, high)) = column.bounds()
            && exceeds(frame.column(column.name)?, low, high)?
        {
            let number = || col(column.name).cast(DataType::Int64);
            rules.push(rule("out-of-range", column.name, number().lt(lit(low)).or(number().gt(lit(high)))));
        }
    }
    if table.column("currency").is_some() {
        rules.push(rule("wrong-currency", "currency", col("currency").neq(lit(currency.code()))));
    }
    if let (Some(event), true) = (table.visibility.event(), frame.schema().contains(RECORDED_BEFORE_EVENT)) {
        rules.push(rule("recorded-before-event", event, col(RECORDED_BEFORE_EVENT)));
    }
    for mask in table.masks {
        let before = format!("{RECORDED_BEFORE}{}", mask.milestone);
        if frame.schema().contains(&before) {
            rules.push(rule("recorded-before-milestone", mask.milestone, col(before.as_str())));
        }
    }
    if let (Some(event), true) = (table.visibility.event(), frame.schema().contains(NAMED_BEFORE_EVENT)) {
        rules.push(rule("named-before-event", event, col(NAMED_BEFORE_EVENT)));
    }
    for check in table.checks {
        rules.push(rule(check.rule, check.column, sql_expr(check.holds)?.not()));
    }
    Ok(rules)
}

/// The rows whose id, or one of whose ids, is none by the contract; nothing where all are.
fn malformed_ids(column: &Column) -> PolarsResult<Option<BooleanChunked>> {
    let is_malformed = |id: Option<&str>| id.is_some_and(|id| !is_id(id));
    if let DataType::List(_) = column.dtype() {
        let lists = column.list()?;
        if !lists.get_inner().str()?.iter().any(is_malformed) {
            return Ok(None);
        }
        let of_list = |list: Option<Series>| list.map_or(Ok(false), |ids| Ok(ids.str()?.iter().any(is_malformed)));
        let malformed = (0..lists.len()).map(|row| of_list(lists.get_as_series(row)));
        return malformed.collect::<PolarsResult<BooleanChunked>>().map(Some);
    }
    let ids = column.str()?;
    Ok(ids.iter().any(is_malformed).then(|| ids.iter().map(is_malformed).collect()))
}

/// Whether any cell of a number, an instant or a date lies outside.
fn exceeds(column: &Column, low: i64, high: i64) -> PolarsResult<bool> {
    let physical = column.to_physical_repr().cast(&DataType::Int64)?;
    let cells = physical.i64()?;
    Ok(cells.min().is_some_and(|least| least < low) || cells.max().is_some_and(|most| most > high))
}

/// For each row the number of the first rule that fails, counted from 1; 0 where none does.
pub(crate) fn first_failing(frame: &DataFrame, rules: &[Rule]) -> PolarsResult<UInt32Chunked> {
    let height = frame.height();
    let mut codes = vec![0_u32; height];
    if !rules.is_empty() && height > 0 {
        let verdicts = rules.iter().enumerate().map(|(at, rule)| rule.fails.clone().alias(at.to_string()));
        let verdicts = frame.clone().lazy().select(verdicts.collect::<Vec<_>>()).collect()?;
        // From the last rule to the first, so that the first one that fails has the last word.
        for (code, verdict) in (1_u32..).zip(verdicts.columns()).collect::<Vec<_>>().into_iter().rev() {
            let verdict = verdict.bool()?;
            if verdict.any() {
                for (slot, fails) in codes.iter_mut().zip(verdict.iter()) {
                    if fails == Some(true) {
                        *slot = code;
                    }
                }
            }
        }
    }
    Ok(UInt32Chunked::from_vec("rule".into(), codes))
}
