//! Reads statements as the engine does, and says what is wrong at their places.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, Query, SetExpr, Spanned, Statement, TimezoneInfo, Value, VisitMut,
    VisitorMut,
};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError, ParserOptions};
use sqlparser::tokenizer::Location;

/// Why a statement is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// 1-based line of the statement's file; 0 where the whole is meant.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What is allowed.
    pub help: String,
}

impl Refusal {
    /// A refusal of what stands at a place.
    pub fn at(place: Location, message: &str, help: impl Into<String>) -> Self {
        let line = usize::try_from(place.line).unwrap_or(0);
        let message = if line == 0 { message.to_owned() } else { format!("column {}: {message}", place.column) };
        Self { line, message, help: help.into() }
    }
}

/// What every statement of a source is.
pub(super) const ONE_SELECT: &str = "a source is one SELECT over the job's inputs";

/// The most expressions that may lie within each other. The engine walks them on the stack of any thread, however small.
const DEEPEST: usize = 48;
/// The most SELECTs that UNION and its kin may join.
const MOST_SIDES: usize = 200;
/// Chains of AND, OR and `||` beyond this length are rebuilt as trees whose depth is that of the logarithm.
const LONG_CHAIN: usize = 12;
/// Operands of such a tree's leaves.
const LEAF: usize = 4;

/// A text as the engine reads it.
pub(super) struct Parsed {
    pub statements: Vec<Statement>,
    /// Whether the statements are other than the text, though they mean the same.
    pub is_rebuilt: bool,
    /// How many expressions, or sides of a UNION, lie within each other at most.
    pub depth: usize,
}

/// Reads a text.
///
/// # Errors
/// It is no SQL, or nested too deeply.
pub(super) fn parse(text: &str) -> Result<Parsed, Refusal> {
    match read(text, None) {
        Ok(statements) => rebuild(statements),
        Err(error) => {
            // The parser tells its own limit as a fault of syntax.
            const BEYOND: usize = 400;
            let nested = read(text, Some(BEYOND)).map_err(|_| fault_of(&error))?;
            Err(rebuild(nested).err().unwrap_or_else(|| too_deep(Location::empty())))
        }
    }
}

fn read(text: &str, limit: Option<usize>) -> Result<Vec<Statement>, ParserError> {
    let options = ParserOptions { trailing_commas: true, ..ParserOptions::default() };
    let mut parser = Parser::new(&GenericDialect).with_options(options);
    if let Some(limit) = limit {
        parser = parser.with_recursion_limit(limit);
    }
    parser.try_with_sql(text)?.parse_statements()
}

fn fault_of(error: &ParserError) -> Refusal {
    let words = error.to_string();
    let (said, place) = words.rsplit_once(" at Line: ").unwrap_or((&words, ""));
    let mut numbers = place.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
    let place = Location { line: numbers.next().unwrap_or(0), column: numbers.next().unwrap_or(0) };
    let said = said.trim_start_matches("sql parser error: ");
    Refusal::at(place, &format!("this is not SQL as it is read here: {said}"), ONE_SELECT)
}

fn too_deep(place: Location) -> Refusal {
    let message = format!("more than {DEEPEST} expressions lie within each other");
    let help = "one CASE takes many WHEN; IN takes a list; compute parts in a WITH before";
    Refusal::at(place, &message, help)
}

/// Makes trees of long chains.
fn rebuild(mut statements: Vec<Statement>) -> Result<Parsed, Refusal> {
    let mut chains = Chains { is_rebuilt: false, depth: 0, deepest: 0 };
    match VisitMut::visit(&mut statements, &mut chains) {
        ControlFlow::Break(refusal) => Err(refusal),
        ControlFlow::Continue(()) => Ok(Parsed { statements, is_rebuilt: chains.is_rebuilt, depth: chains.deepest }),
    }
}

struct Chains {
    is_rebuilt: bool,
    depth: usize,
    deepest: usize,
}

impl VisitorMut for Chains {
    type Break = Refusal;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Refusal> {
        let (mut body, mut sides) = (query.body.as_ref(), 1);
        while let SetExpr::SetOperation { left, .. } = body {
            (body, sides) = (left.as_ref(), sides + 1);
        }
        if sides <= MOST_SIDES {
            self.deepest = self.deepest.max(sides);
            return ControlFlow::Continue(());
        }
        let message = format!("{sides} SELECTs are joined by UNION, and {MOST_SIDES} may be");
        ControlFlow::Break(Refusal::at(body.span().start, &message, "put them together in several WITH"))
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Refusal> {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        if let Expr::BinaryOp { op, .. } = expr {
            let op = op.clone();
            let is_chain = matches!(op, BinaryOperator::And | BinaryOperator::Or | BinaryOperator::StringConcat);
            if is_chain && chain_length(expr, Some(&op)) > LONG_CHAIN {
                self.is_rebuilt = true;
                let operands = take_apart(expr, &op);
                *expr = tree(operands, &op);
            }
        }
        if let Expr::Cast { kind, expr: inner, data_type, .. } = expr
            && let Some(own) = own_cast(kind, data_type)
        {
            self.is_rebuilt = true;
            *expr = call(own, std::mem::replace(inner.as_mut(), null()));
        }
        if self.depth > DEEPEST || self.depth + chain_length(expr, None) > DEEPEST {
            let mut first = &*expr;
            while let Expr::BinaryOp { left, .. } = first {
                first = left.as_ref();
            }
            let place = first.span().start;
            while let Expr::BinaryOp { left, .. } = expr {
                // Link by link: to drop a long chain at once takes a stack as deep as it is long.
                let rest = std::mem::replace(left.as_mut(), null());
                *expr = rest;
            }
            return ControlFlow::Break(too_deep(place));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &mut Expr) -> ControlFlow<Refusal> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

/// The engine's casts of text to times know one form of text, which is not the contract's, none to true and false, and `123` and `123.0` are other texts to them: functions of ours do what they should.
fn own_cast(kind: &CastKind, to: &DataType) -> Option<&'static str> {
    let is_tried = matches!(kind, CastKind::TryCast | CastKind::SafeCast);
    match to {
        DataType::Timestamp(None, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) | DataType::Datetime(None) => {
            Some(if is_tried { "try_timestamp" } else { "cast_timestamp" })
        }
        DataType::Date => Some(if is_tried { "try_date" } else { "cast_date" }),
        DataType::Boolean | DataType::Bool => Some(if is_tried { "try_boolean" } else { "cast_boolean" }),
        DataType::Varchar(None) | DataType::Text | DataType::String(None) => Some("cast_varchar"),
        _ => None,
    }
}

fn call(function: &str, argument: Expr) -> Expr {
    let name = Ident { value: function.to_owned(), quote_style: None, span: argument.span() };
    let args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))];
    Expr::Function(Function {
        name: ObjectName::from(vec![name]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

fn null() -> Expr {
    Expr::Value(Value::Null.into())
}

/// How many operators follow each other, all of them `op` where it is given.
fn chain_length(mut expr: &Expr, wanted: Option<&BinaryOperator>) -> usize {
    let mut length = 0;
    while let Expr::BinaryOp { left, op, .. } = expr {
        if wanted.is_some_and(|wanted| wanted != op) {
            break;
        }
        (expr, length) = (left.as_ref(), length + 1);
    }
    length
}

/// The operands of a chain, from the left.
fn take_apart(expr: &mut Expr, chained: &BinaryOperator) -> Vec<Expr> {
    let mut operands = Vec::new();
    let mut rest = std::mem::replace(expr, null());
    loop {
        match rest {
            Expr::BinaryOp { left, op, right } if op == *chained => {
                operands.push(*right);
                rest = *left;
            }
            first => {
                operands.push(first);
                operands.reverse();
                return operands;
            }
        }
    }
}

fn tree(mut operands: Vec<Expr>, op: &BinaryOperator) -> Expr {
    let joined =
        |left: Expr, right: Expr| Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) };
    if operands.len() <= LEAF {
        return operands.into_iter().reduce(joined).unwrap_or_else(null);
    }
    let right = operands.split_off(operands.len() / 2);
    joined(Expr::Nested(Box::new(tree(operands, op))), Expr::Nested(Box::new(tree(right, op))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(of: usize, op: &str) -> String {
        (0..of).map(|n| format!("a = {n}")).collect::<Vec<_>>().join(op)
    }

    #[test]
    fn long_chains_become_shallow_trees_with_the_same_operands_in_the_same_order() {
        for length in [2, 12, 13, 400, 20_000] {
            let text = format!("SELECT * FROM t WHERE {}", chain(length, " OR "));
            let parsed = parse(&text).map(|parsed| (parsed.is_rebuilt, parsed.statements[0].to_string()));
            let (is_rebuilt, written) = parsed.unwrap();
            assert_eq!(is_rebuilt, length > LONG_CHAIN + 1);
            assert_eq!(written.replace(['(', ')'], ""), text);
            assert!(parse(&written).is_ok_and(|again| !again.is_rebuilt), "the engine reads what was written");
        }
    }

    #[test]
    fn what_is_nested_too_deeply_is_told_as_that() {
        let cases = "CASE WHEN a = 1 THEN 2 ELSE\n".repeat(60);
        for text in [
            format!("SELECT {} FROM t", vec!["a"; 50_000].join(" + ")),
            format!("SELECT {cases} 0 {} FROM t", "END ".repeat(60)),
            format!("SELECT {}a{} FROM t", "(".repeat(70), ")".repeat(70)),
        ] {
            let refusal = parse(&text).err().unwrap();
            assert!(refusal.message.contains("lie within each other") && refusal.line > 0, "{refusal:?}");
        }
        let many = vec!["SELECT a FROM t"; 1_000].join("\nUNION ALL ");
        assert!(parse(&many).err().unwrap().message.contains("1000 SELECTs"));
    }

    #[test]
    fn a_fault_of_syntax_has_its_place() {
        let refusal = parse("SELECT a\nFROM t WHERE )").err().unwrap();
        assert!(refusal.line == 2 && refusal.message.starts_with("column 14: "), "{refusal:?}");
    }
}
