//! The SQL of sources: its functions, each with an example that a test runs. docs/sql.md is made of it.

use std::fmt::Write as _;

/// One function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SqlFunction {
    /// Its name, in lower case.
    pub name: &'static str,
    /// How it is called.
    pub form: &'static str,
    /// What it gives.
    pub doc: &'static str,
    /// A call over the table of examples.
    pub example: &'static str,
    /// What the call gives for that table's first row.
    pub gives: &'static str,
}

const fn of(
    name: &'static str,
    form: &'static str,
    doc: &'static str,
    example: &'static str,
    gives: &'static str,
) -> SqlFunction {
    SqlFunction { name, form, doc, example, gives }
}

/// Functions of one row's values: a SELECT that uses no others, no join and no grouping runs batch by batch.
pub(crate) const ROW_FUNCTIONS: [SqlFunction; 76] = [
    of(
        "minor_units",
        "minor_units(x, currency [, decimal])",
        "whole minor units of an amount, exactly, with the currency's own decimals; half a unit is rounded away from zero. The currency is an ISO 4217 code, or a column of them (null where a row has none). The amount may have thousands marks, a sign of any kind or brackets, and the currency's symbol or code beside it; `decimal` is its decimal mark, `'.'` or `','`. Null where anything else is written (`1.5K`, `12%`, `<5`) or another currency",
        "minor_units('1.234,50 €', 'EUR', ',')",
        "123450",
    ),
    of(
        "to_number",
        "to_number(x [, decimal])",
        "a number of a cell as people write it, with thousands marks, a sign of any kind or brackets, and a currency's symbol or code beside it; null where anything else is written (`1.5K`, `12%`, `<5`)",
        "to_number('R$ 1.234,5', ',')",
        "1234.5",
    ),
    of(
        "try_strptime",
        "try_strptime(x, format, …)",
        "an instant, read by the first of the formats that fits; null where none does. Directives: %Y %y %m %d %H %I %M %S %.f %p %b %B %z and their kin; names of months in English, Spanish, Portuguese, French, German or Italian, halves of the day in English, Spanish, German, Chinese, Japanese, Korean or Turkish. Without an offset it is UTC",
        "try_strptime('17.08.2018 09:30', '%d/%m/%Y', '%d.%m.%Y %H:%M')",
        "2018-08-17 09:30:00.000000",
    ),
    of(
        "try_timestamp",
        "try_timestamp(x)",
        "an instant of a time, a date or a text in the contract's form, as try_cast(x AS TIMESTAMP); null where there is none",
        "try_timestamp('2018-08-17 12:30:00')",
        "2018-08-17 12:30:00.000000",
    ),
    of(
        "try_date",
        "try_date(x)",
        "the day of a time, a date or a text in the contract's form, as try_cast(x AS DATE); null where there is none",
        "try_date('2018-08-17 12:30:00')",
        "2018-08-17",
    ),
    of(
        "try_boolean",
        "try_boolean(x)",
        "true of the texts true, t, yes, y and 1, false of false, f, no, n and 0, in letters of either case, as try_cast(x AS BOOLEAN); null of others",
        "try_boolean('Yes')",
        "true",
    ),
    of(
        "cast_timestamp",
        "cast_timestamp(x)",
        "the same as cast(x AS TIMESTAMP): what try_timestamp gives, and an error at other texts. A whole number is microseconds since 1970: of milliseconds `CAST(CAST(x AS BIGINT) * 1000 AS TIMESTAMP)`",
        "cast_timestamp('2018-08-17T12:30:00Z')",
        "2018-08-17 12:30:00.000000",
    ),
    of(
        "cast_date",
        "cast_date(x)",
        "the same as cast(x AS DATE): what try_date gives, and an error at other texts",
        "cast_date('2018-08-17 12:30:00')",
        "2018-08-17",
    ),
    of(
        "cast_boolean",
        "cast_boolean(x)",
        "the same as cast(x AS BOOLEAN): the words of try_boolean, and an error at others",
        "cast_boolean('Yes')",
        "true",
    ),
    of(
        "cast_varchar",
        "cast_varchar(x)",
        "the same as cast(x AS VARCHAR): a double that is a whole number is written as one, `123`, and beyond 2^53, where doubles are not exact, in powers of ten, which is no id",
        "cast_varchar(123.0)",
        "123",
    ),
    of(
        "date_trunc",
        "date_trunc(unit, x)",
        "when the second, minute, hour, day, week (from Monday), month, quarter or year began",
        "date_trunc('month', at)",
        "2018-08-01 00:00:00.000000",
    ),
    of(
        "date_diff",
        "date_diff(unit, from, to)",
        "how many such units begin between two instants: for days, the midnights between them",
        "date_diff('month', '2018-01-31', '2018-03-01')",
        "2",
    ),
    of(
        "add_months",
        "add_months(x, n)",
        "the same day so many months later, the last of the month where it has no such day",
        "add_months('2018-01-31', 1)",
        "2018-02-28 00:00:00.000000",
    ),
    of("add_days", "add_days(x, n)", "so many days later", "add_days('2018-02-27', n)", "2018-03-02 00:00:00.000000"),
    of(
        "regexp_replace",
        "regexp_replace(x, pattern, with)",
        "every match of a regular expression replaced; `$1` in `with` is the first group",
        "regexp_replace('a1b22', '[0-9]+', '#')",
        "a#b#",
    ),
    of(
        "regexp_extract",
        "regexp_extract(x, pattern [, group])",
        "the first match of a regular expression, or a group of it; null where there is none",
        "regexp_extract('order 17 of 20', '([0-9]+) of', 1)",
        "17",
    ),
    of(
        "regexp_like",
        "regexp_like(x, pattern)",
        "whether a regular expression matches",
        "regexp_like(name, '^a')",
        "true",
    ),
    of("abs", "abs(x)", "without its sign", "abs(-3)", "3"),
    of("ceil", "ceil(x)", "the next whole number up", "ceil(1.2)", "2.0"),
    of("ceiling", "ceiling(x)", "the same as ceil", "ceiling(1.2)", "2.0"),
    of("floor", "floor(x)", "the next whole number down", "floor(1.8)", "1.0"),
    of(
        "round",
        "round(x [, digits])",
        "rounded; half goes to the even neighbour (2.5 to 2, 3.5 to 4), where minor_units rounds half away from zero",
        "round(2.5)",
        "2.0",
    ),
    of("sign", "sign(x)", "-1, 0 or 1", "sign(-2.5)", "-1.0"),
    of("sqrt", "sqrt(x)", "square root", "sqrt(9.0)", "3.0"),
    of("pow", "pow(x, y)", "x to the power of y (there is no `^`)", "pow(2.0, 3)", "8.0"),
    of("power", "power(x, y)", "the same as pow", "power(2.0, 3)", "8.0"),
    of("exp", "exp(x)", "e to the power of x", "exp(0.0)", "1.0"),
    of("ln", "ln(x)", "natural logarithm", "ln(1.0)", "0.0"),
    of("log10", "log10(x)", "logarithm to base 10", "log10(100.0)", "2.0"),
    of("log2", "log2(x)", "logarithm to base 2", "log2(8.0)", "3.0"),
    of("log1p", "log1p(x)", "logarithm of 1 + x", "log1p(0.0)", "0.0"),
    of("log", "log(x, base)", "logarithm to a base", "log(100.0, 10)", "2.0"),
    of("div", "div(x, y)", "quotient, rounded down: `div(-7, 2)` is -4", "div(-7, 2)", "-4"),
    of("mod", "mod(x, y)", "remainder of div, as `x % y`, with the sign of y: `mod(-7, 2)` is 1", "mod(-7, 2)", "1"),
    of("coalesce", "coalesce(x, y, …)", "the first that is not null", "coalesce(NULL, name)", "ab c"),
    of("ifnull", "ifnull(x, y)", "y where x is null", "ifnull(NULL, name)", "ab c"),
    of("nullif", "nullif(x, y)", "null where x is y", "nullif(name, 'x')", "ab c"),
    of("if", "if(condition, x, y)", "x where the condition holds, else y", "if(n > 2, 'many', 'few')", "many"),
    of("greatest", "greatest(x, y, …)", "the largest", "greatest(n, 2)", "3"),
    of("least", "least(x, y, …)", "the smallest", "least(n, 2)", "2"),
    of(
        "try_cast",
        "try_cast(x AS type)",
        "x as another type, null where it cannot be; cast(x AS type) is an error there. Types: BIGINT, DOUBLE, VARCHAR, DATE, TIMESTAMP, BOOLEAN. try_cast takes text in the contract's form for times (`2018-08-17 12:30:00`, `2018-08-17`), and the words of try_boolean",
        "try_cast('12' AS BIGINT)",
        "12",
    ),
    of("date", "date(x)", "a date of a text", "date('2018-08-17')", "2018-08-17"),
    of(
        "timestamp",
        "timestamp(x)",
        "an instant of a text",
        "timestamp('2018-08-17 12:30:00')",
        "2018-08-17 12:30:00.000000",
    ),
    of(
        "strptime",
        "strptime(x, format)",
        "an instant of a text in one format; an error where it does not fit",
        "strptime('17.08.2018 09:30', '%d.%m.%Y %H:%M')",
        "2018-08-17 09:30:00.000000",
    ),
    of(
        "date_part",
        "date_part(part, x)",
        "a part of a time: year, quarter, month, week, day, hour, minute, second",
        "date_part('year', timestamp('2018-08-17 12:30:00'))",
        "2018",
    ),
    of("lower", "lower(x)", "in lower case", "lower('AbC')", "abc"),
    of("upper", "upper(x)", "in upper case", "upper('AbC')", "ABC"),
    of("trim", "trim(x)", "without blanks around it", "trim('  a ')", "a"),
    of("ltrim", "ltrim(x [, characters])", "without blanks, or those characters, before it", "ltrim('007', '0')", "7"),
    of("rtrim", "rtrim(x [, characters])", "without blanks, or those characters, after it", "rtrim('7 ')", "7"),
    of("lpad", "lpad(x, length, with)", "filled up from the left", "lpad('7', 3, '0')", "007"),
    of("rpad", "rpad(x, length, with)", "filled up from the right", "rpad('7', 3, '0')", "700"),
    of("left", "left(x, n)", "the first characters", "left('abc', 2)", "ab"),
    of("right", "right(x, n)", "the last characters", "right('abc', 2)", "bc"),
    of(
        "substr",
        "substr(x, from [, length])",
        "characters from a place, which counts from 1",
        "substr('abcd', 2, 2)",
        "bc",
    ),
    of("substring", "substring(x, from [, length])", "the same as substr", "substring('abcd', 2, 2)", "bc"),
    of("split_part", "split_part(x, separator, n)", "the nth part, from 1", "split_part('a-b-c', '-', 2)", "b"),
    of("replace", "replace(x, what, with)", "every occurrence replaced", "replace('a.b', '.', '-')", "a-b"),
    of("reverse", "reverse(x)", "backwards", "reverse('abc')", "cba"),
    of("concat", "concat(x, y, …)", "texts one after the other, as x || y", "concat('a', 'b')", "ab"),
    of(
        "concat_ws",
        "concat_ws(separator, x, y, …)",
        "texts with a separator between",
        "concat_ws('-', 'a', 'b')",
        "a-b",
    ),
    of("length", "length(x)", "characters", "length('größe')", "5"),
    of("char_length", "char_length(x)", "the same as length", "char_length('größe')", "5"),
    of("octet_length", "octet_length(x)", "bytes", "octet_length('größe')", "7"),
    of("bit_length", "bit_length(x)", "bits", "bit_length('a')", "8"),
    of(
        "strpos",
        "strpos(x, what)",
        "where a text begins in another, from 1; 0 where nowhere, and where either is null",
        "strpos('abc', 'c')",
        "3",
    ),
    of("starts_with", "starts_with(x, what)", "whether it begins so", "starts_with('abc', 'ab')", "true"),
    of("ends_with", "ends_with(x, what)", "whether it ends so", "ends_with('abc', 'bc')", "true"),
    of("normalize", "normalize(x)", "Unicode in its composed form", "normalize('é')", "é"),
    of(
        "array_get",
        "array_get(list, n)",
        "the nth element of a list, from 1; null where there is none",
        "array_get(string_to_array(name, ' '), 2)",
        "c",
    ),
    of("array_sum", "array_sum(list)", "the sum of a list", "array_sum([1, 2])", "3"),
    of(
        "array_length",
        "array_length(list)",
        "how many elements it has",
        "array_length(string_to_array(name, ' '))",
        "2",
    ),
    of(
        "array_contains",
        "array_contains(list, x)",
        "whether a list has an element",
        "array_contains(string_to_array(name, ' '), 'c')",
        "true",
    ),
    of(
        "generate_series",
        "generate_series(from, to)",
        "the whole numbers from one to another as a list; empty where to is less, null where either is and where they are more than 4,000. unnest makes rows of them, as instalments of a loan",
        "array_sum(generate_series(1, n))",
        "6",
    ),
    of(
        "array_to_string",
        "array_to_string(list, separator)",
        "its elements as one text",
        "array_to_string(string_to_array(name, ' '), '-')",
        "ab-c",
    ),
    of(
        "string_to_array",
        "string_to_array(x, separator)",
        "the parts of a text as a list",
        "array_length(string_to_array('a-b-c', '-'))",
        "3",
    ),
];

/// Functions of several rows: with GROUP BY, or OVER (PARTITION BY … ORDER BY …).
pub(crate) const ROWS_FUNCTIONS: [SqlFunction; 10] = [
    of(
        "count",
        "count(x), count(*), count(DISTINCT x)",
        "how many are not null, how many rows, how many different",
        "count(*)",
        "3",
    ),
    of("sum", "sum(x)", "the sum", "sum(n)", "6"),
    of("min", "min(x)", "the smallest", "min(n)", "1"),
    of("max", "max(x)", "the largest", "max(n)", "3"),
    of("avg", "avg(x)", "the mean", "avg(n)", "2.0"),
    of("median", "median(x)", "the middle one", "median(n)", "2.0"),
    of("first", "first(x)", "the first row's", "first(name)", "ab c"),
    of("last", "last(x)", "the last row's", "last(name)", "x"),
    of(
        "unnest",
        "unnest(list)",
        "a row for every value of a list, beside the rest of the SELECT; a list that is empty or null leaves one row with null, and several of one SELECT are equally long",
        "unnest(string_to_array(name, ' '))",
        "ab",
    ),
    of(
        "row_number",
        "row_number() OVER (PARTITION BY … ORDER BY …)",
        "1, 2, 3 within a group: keep 1 to take one row of each",
        "row_number() OVER (ORDER BY n)",
        "3",
    ),
];

/// The dialect as Markdown.
pub(crate) fn sql_markdown() -> String {
    let mut text = String::from(
        "# The SQL of sources\n\nA source of a job is one SELECT over the job's inputs (`sql` under `[[source]]`); `where` is a condition on one row of its driving input. Both are \
         checked before anything runs, and what is wrong is told with file, line and column.\n\n\
         - SELECT … FROM input, LEFT / INNER JOIN … ON columns of both tables or USING, CROSS JOIN (of a table of one row, mostly), WHERE, GROUP BY, HAVING, ORDER BY, LIMIT, DISTINCT, UNION ALL of SELECTs over the same input, WITH, CASE, IN, BETWEEN, LIKE, IS NULL, subqueries in \
         FROM. Table functions and inputs that the job does not declare are refused.\n\
         - The SELECT passes `_file` and `_row` of the driving input on, in every SELECT of a UNION: every row of it is accounted for. Those of another input are refused, and so is a file \
         that has columns of these names; rows of several inputs become one table by several `[[source]]` with the same `table`, each with its own `from`. A row that it does not return is quarantined (`not-mapped`); \
         rows that are not meant at all are named by `where` under `[[source]]`, and counted as *skipped*, with the rows of other tables that name them.\n\
         - Columns of the outermost SELECT have names of the contract's; what begins with `_`, and what `*` gives beside them, is left out.\n\
         - An aggregate stands in a SELECT with GROUP BY, or with OVER (…), or beside other aggregates only.\n\
         - Fields of nested Parquet columns are columns: `\"card.brand\"` of a struct, `\"items.amount\"` of a list of structs, the list of its values \
         (`array_sum(orders.\"items.amount\")`).\n\
         - Cells of text files are text: `CAST`, `try_cast` and the functions here make something else of them. Text in the contract's form (`2018-08-17 12:30:00`, whole minor units) \
         may be passed on as it is.\n\
         - Units, formats, patterns, replacements, groups and decimal marks of the functions here are written out in the SELECT, not taken from columns.\n\
         - At most 48 expressions lie within each other, and 200 SELECTs in a UNION; chains of AND, OR and `||` may be of any length.\n\
         - Sums, differences and products of whole numbers beyond 9,223,372,036,854,775,807 start again at the other end, as the engine computes them: of amounts that may be so large \
         make `try_cast(ROUND(CAST(a AS DOUBLE) * b) AS BIGINT)`, which is null there, and is quarantined.\n\
         - One row of a file becomes several by UNION ALL or `unnest`; all of them have its `_file` and `_row`, and each counts in the ledger. A schedule of n months out of a loan's terms: \
         `WITH w AS (SELECT *, unnest(generate_series(1, CAST(n AS BIGINT))) AS number FROM loans) SELECT _file, _row, loan_id, number, try_date(add_months(day, number)) AS due_on, … FROM w`.\n\
         - IN (SELECT …) stands in WHERE. Elsewhere `LEFT JOIN (SELECT DISTINCT id FROM other WHERE …) AS e ON o.id = e.id` tells by `e.id IS NOT NULL` which rows another input names; EXISTS is \
         not understood.\n\
         - A join with several rows of another input makes several of one: sum them up in a subquery with GROUP BY, and join that.\n\
         - Calendar intervals are functions, `add_months` and `add_days`, not INTERVAL.\n\
         - A SELECT from one input, without join, grouping, order, limit and subquery, whose functions are all of the first table, runs batch by batch. Any other needs its inputs as a \
         whole, or `keyed_by` under `[[source]]`.\n\n\
         The examples are run by a test, on the table `name, n, at` with the rows `'ab c', 3, '2018-08-17 12:30:00'`; `'x', 1, null`; `'x', 2, '2018-08-18'`. Shown is what the first row \
         gives.\n",
    );
    for (title, functions) in
        [("Functions of one row", &ROW_FUNCTIONS[..]), ("Functions of several rows", &ROWS_FUNCTIONS[..])]
    {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n## {title}\n\n| function | gives | example | result |\n|---|---|---|---|\n");
        for SqlFunction { form, doc, example, gives, .. } in functions {
            let bar = |text: &str| text.replace('|', "\\|");
            let _ = writeln!(text, "| `{}` | {} | `{}` | `{gives}` |", bar(form), bar(doc), bar(example));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use polars::prelude::*;

    use super::*;
    use crate::source::sql::{self, Inputs};
    use crate::source::sql_parse::Refusal;
    use crate::source::{row_wise, sql_run};

    fn result(example: &str) -> Result<String, String> {
        let rows = df!(
            "name" => ["ab c", "x", "x"],
            "n" => [3_i64, 1, 2],
            "at" => [Some("2018-08-17 12:30:00"), None, Some("2018-08-18")],
        );
        let text = format!("SELECT {example} AS result FROM t");
        let run = || {
            let frame = sql_run::execute(&text, [("t".to_owned(), rows?.lazy())])?.collect()?;
            let first = frame.column("result")?.get(0)?.into_static();
            Ok(match first {
                AnyValue::StringOwned(text) => text.to_string(),
                AnyValue::Datetime(..) | AnyValue::DatetimeOwned(..) => {
                    frame.column("result")?.cast(&DataType::String)?.str()?.get(0).unwrap_or("null").to_owned()
                }
                AnyValue::Float64(number) => format!("{number:?}"),
                other => other.to_string(),
            })
        };
        let placed = |refusal: Refusal| format!("line {}, {}", refusal.line, refusal.message);
        sql::check(&text, &Inputs::only("t"), None).map_err(placed)?;
        run().map_err(|e: PolarsError| sql_run::in_plain_words_of(&text, &e))
    }

    #[test]
    fn every_function_gives_what_its_example_says() {
        let mut wrong = Vec::new();
        for SqlFunction { name, example, gives, .. } in ROW_FUNCTIONS.iter().chain(&ROWS_FUNCTIONS) {
            assert!(example.contains(name), "{name} is not in its example");
            let got = result(example);
            if got.as_deref() != Ok(gives) {
                wrong.push(format!("{example}: {got:?}, not {gives}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn functions_of_one_row_run_batch_by_batch_and_others_do_not() {
        for (functions, expected) in [(&ROW_FUNCTIONS[..], true), (&ROWS_FUNCTIONS[..], false)] {
            for SqlFunction { example, .. } in functions {
                let of_row = if expected { "_file, _row, " } else { "" };
                let text = format!("SELECT {of_row}{example} AS x FROM t");
                assert_eq!(sql::check(&text, &Inputs::only("t"), None), Ok(()), "{text}");
                assert_eq!(row_wise::is_row_wise(&text, "t"), expected, "{text}");
            }
        }
    }

    #[test]
    fn what_nobody_can_mean_is_refused_with_its_place() {
        for (example, words) in [
            ("date_trunc('fortnight', at)", "is not a unit"),
            ("minor_units('1', 'EURO')", "is not a currency"),
            ("minor_units('1')", "takes 2 to 3 arguments"),
            ("try_strptime('1', 'yyyy')", "is not a format"),
            ("regexp_replace('1', '(', '')", "not a regular expression"),
            ("regexp_extract('1', '1', 2)", "no group 2"),
            ("date_trunc('day', n)", "a time or a date is needed"),
            ("regexp_like(nme, 'a')", "nme"),
        ] {
            let error = result(example).unwrap_err();
            assert!(error.contains(words) && error.starts_with("line 1, column "), "{example}: {error}");
        }
    }
}
