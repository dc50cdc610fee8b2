//! An input whose rows a `where` takes, named again in its own SELECT.
//!
//! `where` tells the rows of the driving input apart before the SELECT, wherever that names it: a subquery that looks among the rows left out would find none, and
//! nobody would be told.

use std::ops::ControlFlow;

use sqlparser::ast::{ObjectName, SetExpr, Spanned, Statement, Visit, Visitor};
use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::sql_parse::{self, Refusal};

/// Refuses a statement that names the input of its `where` twice for the same rows. The sides of a UNION, each of which names it once, are allowed: all of them
/// are of rows that are meant.
pub(super) fn check_filtered(text: &str, input: &str) -> Result<(), Refusal> {
    let Ok(parsed) = sql_parse::parse(text) else { return Ok(()) };
    let [Statement::Query(query)] = parsed.statements.as_slice() else { return Ok(()) };
    let in_with: Vec<Location> =
        query.with.iter().flat_map(|with| &with.cte_tables).flat_map(|cte| mentions(&cte.query, input)).collect();
    let sides = sides(&query.body);
    let again =
        sides.iter().map(|side| in_with.iter().copied().chain(mentions(*side, input)).nth(1)).find_map(|second| second);
    match again {
        None => Ok(()),
        Some(place) => {
            let message = format!("{input} is named a second time, and `where` leaves its rows out here too");
            let help = format!(
                "declare the same files under a second name in [inputs], which `where` does not touch, and name that here; or \
                 take `where` away and write WHERE beside the first {input}"
            );
            Err(Refusal::at(place, &message, help))
        }
    }
}

/// The SELECTs that UNION and its kin join.
fn sides(body: &SetExpr) -> Vec<&SetExpr> {
    match body {
        SetExpr::SetOperation { left, right, .. } => sides(left).into_iter().chain(sides(right)).collect(),
        SetExpr::Query(query) if query.with.is_none() => sides(&query.body),
        other => vec![other],
    }
}

/// Names of the tables that a statement reads, those of its own WITH among them; nothing of a text that is no statement.
pub(super) fn relations(text: &str) -> Vec<String> {
    struct Relations(Vec<String>);
    impl Visitor for Relations {
        type Break = ();

        fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
            let name = relation.0.last().and_then(|part| part.as_ident());
            self.0.extend(name.map(|ident| ident.value.clone()));
            ControlFlow::Continue(())
        }
    }
    let Ok(parsed) = sql_parse::parse(text) else { return Vec::new() };
    let mut found = Relations(Vec::new());
    let _: ControlFlow<()> = parsed.statements.visit(&mut found);
    found.0
}

/// A word of a statement: a name or a keyword, without the quotes around it.
pub(crate) struct SqlWord {
    pub name: String,
    /// Where it stands, line and column from 1.
    pub place: (usize, usize),
}

/// The words of a text, those in comments and in texts within it aside; up to where it cannot be read.
pub(crate) fn words(text: &str) -> Vec<SqlWord> {
    let mut tokens = Vec::new();
    // A text that does not end is told by the parser.
    let _ = Tokenizer::new(&GenericDialect, text).tokenize_with_location_into_buf(&mut tokens);
    let number = |number: u64| usize::try_from(number).unwrap_or(0);
    let word = |token: TokenWithSpan| match token.token {
        Token::Word(word) => {
            let begin = token.span.start;
            Some(SqlWord { name: word.value, place: (number(begin.line), number(begin.column)) })
        }
        _ => None,
    };
    tokens.into_iter().filter_map(word).collect()
}

fn mentions(part: &impl Visit, input: &str) -> Vec<Location> {
    struct Mentions<'a> {
        input: &'a str,
        places: Vec<Location>,
    }
    impl Visitor for Mentions<'_> {
        type Break = ();

        fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
            if let [only] = relation.0.as_slice()
                && only.as_ident().is_some_and(|ident| ident.value == self.input)
            {
                self.places.push(relation.span().start);
            }
            ControlFlow::Continue(())
        }
    }
    let mut found = Mentions { input, places: Vec::new() };
    let _: ControlFlow<()> = part.visit(&mut found);
    found.places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_texts_and_comments_are_not_meant() {
        let text = "SELECT REPLACE(r.id, '--', '-') FROM reviews r LEFT JOIN orders o USING (id) -- JOIN items\n/* JOIN \"lines\" */";
        assert_eq!(relations(text), ["reviews", "orders"]);
        assert_eq!(
            relations("SELECT a.payments FROM a WHERE kind = 'JOIN b' OR id IN (SELECT id FROM \"c d\")"),
            ["a", "c d"]
        );
        assert!(relations("no statement").is_empty());
    }

    #[test]
    fn words_are_names_with_their_places() {
        let text = "SELECT a.\"Data zwrotu\", a.`customer.id`, total, '-- paid' -- a.\"Kwota\" amount\nFROM a";
        let found = words(text);
        let names: Vec<&str> = found.iter().map(|word| word.name.as_str()).collect();
        assert_eq!(names, ["SELECT", "a", "Data zwrotu", "a", "customer.id", "total", "FROM", "a"]);
        assert_eq!(found.last().map(|word| word.place), Some((2, 6)));
    }

    #[test]
    fn an_input_that_where_filters_is_named_once_by_each_side() {
        for text in [
            "SELECT * FROM paid",
            "SELECT * FROM paid JOIN others ON paid.id = others.id",
            "SELECT a FROM paid UNION ALL SELECT b FROM paid",
            "WITH p AS (SELECT * FROM paid) SELECT * FROM p JOIN others USING (id)",
        ] {
            assert_eq!(check_filtered(text, "paid"), Ok(()), "{text}");
        }
        for (text, line) in [
            ("SELECT * FROM paid\nLEFT JOIN (SELECT * FROM paid WHERE kind = 'back') AS back USING (id)", 2),
            ("SELECT * FROM paid AS a\nJOIN paid AS b ON a.id = b.back", 2),
            ("SELECT * FROM paid\nWHERE id NOT IN (SELECT back FROM paid)", 2),
            ("WITH back AS (SELECT * FROM paid)\nSELECT * FROM paid JOIN back USING (id)", 2),
            ("SELECT a FROM paid UNION ALL\nSELECT b FROM paid JOIN paid AS p USING (id)", 2),
        ] {
            let refusal = check_filtered(text, "paid").expect_err(text);
            assert_eq!(refusal.line, line, "{text}: {refusal:?}");
            assert!(refusal.help.contains("second name"), "{refusal:?}");
        }
    }
}
