//! What other engines have and this one has not, with what is written here instead.
//!
//! The engine would refuse most of it too, in words about itself; some of it would give no rows, or rows that come from nowhere.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Join, JoinConstraint, JoinOperator, Query, Select, Spanned, TableFactor, Visit, Visitor};
use sqlparser::tokenizer::Location;

use super::sql_parse::Refusal;

/// Functions of other engines, in lower case, and what is written for them.
const ELSEWHERE: [(&[&str], &str); 20] = [
    (
        &["str_to_date", "to_date", "to_datetime", "parse_date", "parse_datetime", "parse_timestamp", "date_parse"],
        "try_strptime(x, '%d.%m.%Y'), or try_date(x) of text in the contract's form",
    ),
    (&["to_timestamp"], "try_timestamp(x) of text in the contract's form, or try_strptime(x, '%d.%m.%Y %H:%M')"),
    (
        &["from_unixtime", "epoch_ms", "make_timestamp", "timestamp_seconds", "timestamp_millis"],
        "CAST(CAST(x AS BIGINT) * 1000 AS TIMESTAMP) of milliseconds since 1970, * 1000000 of seconds",
    ),
    (&["datediff", "timestampdiff", "months_between", "age"], "date_diff('day', from, to)"),
    (
        &["dateadd", "date_add", "date_sub", "timestampadd", "datetime_add"],
        "add_days(x, n) and add_months(x, n); n may be below zero",
    ),
    (
        &["now", "getdate", "sysdate", "today", "current_date", "current_timestamp", "localtimestamp", "curdate"],
        "nothing: the same files give the same rows on every day, and what is not known yet as of a day is left out by recorded_at",
    ),
    (&["year", "month", "day", "hour", "minute", "quarter", "week"], "date_part('year', try_timestamp(x))"),
    (
        &["date_format", "to_char", "format_date", "format_datetime", "format_timestamp"],
        "substr(CAST(x AS VARCHAR), 1, 10), or date_trunc('month', x)",
    ),
    (&["nvl", "zeroifnull"], "coalesce(x, y)"),
    (&["isnull"], "x IS NULL, or coalesce(x, y)"),
    (&["iif", "decode", "nvl2"], "CASE WHEN … THEN … ELSE … END, or if(condition, x, y)"),
    (&["charindex", "instr", "locate"], "strpos(x, what)"),
    (&["len"], "length(x)"),
    (&["convert", "safe_cast", "try_convert", "try_parse"], "CAST(x AS type), or try_cast(x AS type)"),
    (&["try_to_number", "to_decimal", "parse_number"], "to_number(x)"),
    (&["regexp_substr"], "regexp_extract(x, pattern, group)"),
    (&["regexp_matches", "rlike", "regexp"], "regexp_like(x, pattern)"),
    (&["substring_index", "strtok", "split"], "split_part(x, separator, n), or string_to_array(x, separator)"),
    (
        &[
            "json_extract",
            "json_value",
            "json_query",
            "json_extract_string",
            "json_extract_scalar",
            "json_extract_path_text",
            "get_json_object",
            "parse_json",
        ],
        "regexp_extract(x, '\"name\": *\"?([^\",}]*)', 1) of an object without others in it; anything deeper is made columns of before",
    ),
    (
        &["explode", "flatten", "generate_subscripts", "sequence", "posexplode"],
        "unnest(list), of generate_series(1, n)",
    ),
];

/// Refuses what only other engines read.
pub(super) fn check(query: &Query) -> ControlFlow<Refusal> {
    query.visit(&mut Habits::default())
}

#[derive(Default)]
struct Habits {
    /// Of every SELECT around the visit.
    selects: Vec<InWhere>,
}

/// Where `IN (SELECT …)` stands in a WHERE, which is where the engine takes it.
#[derive(Default)]
struct InWhere {
    places: Vec<Location>,
}

impl Visitor for Habits {
    type Break = Refusal;

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Refusal> {
        select.from.iter().flat_map(|from| &from.joins).try_for_each(check_join)?;
        let mut in_where = InWhere::default();
        if let Some(condition) = &select.selection {
            let _: ControlFlow<()> = condition.visit(&mut in_where);
        }
        self.selects.push(in_where);
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &Select) -> ControlFlow<Refusal> {
        self.selects.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Refusal> {
        let (what, help) = match factor {
            TableFactor::UNNEST { .. } => {
                ("UNNEST in FROM", "UNNEST stands in SELECT: SELECT _file, _row, unnest(list) AS x FROM …")
            }
            TableFactor::Derived { lateral: true, .. } | TableFactor::Function { lateral: true, .. } => (
                "LATERAL",
                "a SELECT in FROM does not see the tables beside it: group it by a key, and join that ON the key",
            ),
            TableFactor::Table { sample: Some(_), .. } => {
                ("TABLESAMPLE", "WHERE, or `where` under [[source]], takes rows")
            }
            TableFactor::Pivot { .. } | TableFactor::Unpivot { .. } => {
                ("PIVOT", "MAX(CASE WHEN kind = 'a' THEN x END) AS a, with GROUP BY")
            }
            _ => return ControlFlow::Continue(()),
        };
        refuse(factor.span().start, what, help)
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Refusal> {
        let place = expr.span().start;
        match expr {
            Expr::Function(function) => {
                let name = function.name.to_string();
                let lower = name.to_lowercase();
                match ELSEWHERE.iter().find(|(names, _)| names.contains(&lower.as_str())) {
                    Some((_, instead)) => {
                        let message = format!("there is no function {name}");
                        ControlFlow::Break(Refusal::at(
                            place,
                            &message,
                            format!("{instead}; docs/sql.md lists all functions"),
                        ))
                    }
                    None => ControlFlow::Continue(()),
                }
            }
            Expr::SimilarTo { .. } => refuse(place, "SIMILAR TO", "regexp_like(x, pattern)"),
            Expr::AtTimeZone { .. } => refuse(
                place,
                "AT TIME ZONE",
                "instants are UTC: try_strptime(x, '… %z') reads an offset, and time_zone of the job says when days begin",
            ),
            Expr::Collate { .. } => refuse(place, "COLLATE", "lower(x) = lower(y) compares without regard to case"),
            Expr::Convert { .. } => refuse(place, "CONVERT", "CAST(x AS type), or try_cast(x AS type)"),
            Expr::AnyOp { .. } | Expr::AllOp { .. } => refuse(place, "ANY and ALL", "x IN (SELECT …) in WHERE"),
            Expr::Exists { .. } => refuse(
                place,
                "EXISTS",
                "WHERE o.id IN (SELECT id FROM other WHERE …); or, for a value, LEFT JOIN (SELECT DISTINCT id FROM other WHERE …) AS e ON o.id = e.id, and ask \
                 e.id IS NOT NULL",
            ),
            Expr::InSubquery { .. } if !self.is_in_where(expr) => refuse(
                place,
                "IN (SELECT …) outside of WHERE",
                "LEFT JOIN (SELECT DISTINCT id FROM other WHERE …) AS e ON o.id = e.id, and ask e.id IS NOT NULL",
            ),
            _ => ControlFlow::Continue(()),
        }
    }
}

impl Habits {
    fn is_in_where(&self, expr: &Expr) -> bool {
        let place = expr.span().start;
        // A condition alone has no SELECT around it.
        self.selects.last().is_none_or(|select| select.places.contains(&place))
    }
}

impl Visitor for InWhere {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if matches!(expr, Expr::InSubquery { .. }) {
            self.places.push(expr.span().start);
        }
        ControlFlow::Continue(())
    }
}

fn check_join(join: &Join) -> ControlFlow<Refusal> {
    let place = join.relation.span().start;
    let (what, help) = match &join.join_operator {
        JoinOperator::Right(_) | JoinOperator::RightOuter(_) | JoinOperator::FullOuter(_) => (
            "RIGHT and FULL JOIN",
            "their rows may come from no row of the input that is accounted for: write that input first, and LEFT JOIN the other; rows of the other input that are to be in \
             the table too need a [[source]] of their own",
        ),
        JoinOperator::Semi(_) | JoinOperator::LeftSemi(_) | JoinOperator::RightSemi(_) => {
            ("SEMI JOIN", "WHERE o.id IN (SELECT id FROM other WHERE …)")
        }
        JoinOperator::Anti(_) | JoinOperator::LeftAnti(_) | JoinOperator::RightAnti(_) => {
            ("ANTI JOIN", "WHERE o.id NOT IN (SELECT id FROM other WHERE …)")
        }
        JoinOperator::CrossApply | JoinOperator::OuterApply => {
            ("APPLY", "group the other table by a key in a subquery, and join that ON the key")
        }
        JoinOperator::AsOf { .. } => {
            ("ASOF JOIN", "join ON the key, and keep the latest with row_number() OVER (…) = 1")
        }
        JoinOperator::Join(JoinConstraint::Natural)
        | JoinOperator::Inner(JoinConstraint::Natural)
        | JoinOperator::Left(JoinConstraint::Natural)
        | JoinOperator::LeftOuter(JoinConstraint::Natural) => {
            ("NATURAL JOIN", "every table has _file and _row: name the key, ON o.id = e.id or USING (id)")
        }
        _ => return ControlFlow::Continue(()),
    };
    refuse(place, what, help)
}

fn refuse(place: Location, what: &str, help: &str) -> ControlFlow<Refusal> {
    let verb = if what.contains(" and ") { "are" } else { "is" };
    ControlFlow::Break(Refusal::at(place, &format!("{what} {verb} not understood here"), help))
}

#[cfg(test)]
mod tests {
    use super::super::sql::{self, Inputs};

    #[test]
    fn what_other_engines_have_is_refused_with_what_is_written_here() {
        let refused = |text: &str| {
            let mut inputs = Inputs::only("t");
            inputs.names.insert("u");
            sql::check(text, &inputs, None).err()
        };
        for (text, help) in [
            ("SELECT DATEDIFF(day, a, b) AS x FROM t", "date_diff('day', from, to)"),
            ("SELECT CURRENT_DATE AS x FROM t", "recorded_at"),
            ("SELECT CONVERT(datetime, a) AS x FROM t", "CAST(x AS type)"),
            ("SELECT from_unixtime(a) AS x FROM t", "since 1970"),
            ("SELECT a SIMILAR TO 'b' AS x FROM t", "regexp_like"),
            ("SELECT a AT TIME ZONE 'UTC' AS x FROM t", "instants are UTC"),
            ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id)", "IN (SELECT id FROM other WHERE …)"),
            ("SELECT CASE WHEN id IN (SELECT id FROM u) THEN 1 END AS x FROM t", "LEFT JOIN (SELECT DISTINCT id"),
            ("SELECT t.a FROM t RIGHT JOIN u ON t.id = u.id", "LEFT JOIN the other"),
            ("SELECT t.a FROM t FULL JOIN u ON t.id = u.id", "[[source]] of their own"),
            ("SELECT t.a FROM t ANTI JOIN u ON t.id = u.id", "NOT IN"),
            ("SELECT t.a FROM t NATURAL JOIN u", "USING (id)"),
            ("SELECT t.a FROM t, LATERAL (SELECT a FROM u) AS v", "ON the key"),
            ("SELECT t.a, x FROM t CROSS JOIN UNNEST(t.b) AS x", "stands in SELECT"),
        ] {
            let refusal = refused(text).unwrap_or_else(|| panic!("{text} is taken"));
            assert!(refusal.line == 1 && refusal.help.contains(help), "{text}: {refusal:?}");
        }
        for text in [
            "SELECT a FROM t WHERE id IN (SELECT id FROM u WHERE b = 1) OR NOT a = 1",
            "SELECT t.a FROM t CROSS JOIN (SELECT MAX(a) AS m FROM u) AS k",
            "SELECT a FROM t WHERE id NOT IN (SELECT id FROM u)",
        ] {
            assert_eq!(refused(text), None, "{text}");
        }
    }
}
