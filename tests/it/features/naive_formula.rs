//! A reader of printed formulas. It knows the words of the dictionary and the rows of the views, and nothing of how features are computed.

use std::collections::{BTreeMap, BTreeSet};

use integrity::domain::AsOf;
use integrity::domain::elementary::pow;
use integrity::features::FeatureConfig;
use integrity::store::Shard;
use integrity::tiles::{MeasureSpec, RowSql, Suspects, ViewKind, Views};
use jiff::civil::Date;
use polars::prelude::*;

use super::shards::views_under;

/// What a formula is, if it is a sentence and not arithmetic.
enum Reading {
    Value(Option<f64>),
    Arithmetic,
}

/// One row of a measure.
struct Row {
    /// Days from its local date to as-of: 1 for yesterday.
    age: i64,
    at: i64,
    buyer: Option<String>,
    value: i64,
}

/// Days before as-of, `from < age <= to`.
#[derive(Clone, Copy)]
struct Window {
    from: i64,
    to: i64,
}

/// A shard that is a whole market, row by row.
pub struct Market {
    /// By measure, then by merchant.
    rows: BTreeMap<String, Vec<Vec<Row>>>,
    tenure_days: Vec<i64>,
    categories: Vec<String>,
    columns: BTreeMap<&'static str, Vec<Option<Cell>>>,
}

#[derive(Clone)]
enum Cell {
    Word(String),
    Number(i64),
}

fn age(as_of: &AsOf, micros: i64) -> i64 {
    let date: Date = as_of.local_date(micros).unwrap();
    i64::from(date.until(as_of.date()).unwrap().get_days())
}

fn number_of(merchant: &str) -> usize {
    merchant.strip_prefix('m').unwrap().parse().unwrap()
}

fn wholes(frame: &DataFrame, column: &str) -> Vec<Option<i64>> {
    let physical = frame.column(column).unwrap().as_materialized_series().to_physical_repr().into_owned();
    physical.cast(&DataType::Int64).unwrap().i64().unwrap().iter().collect()
}

fn words(frame: &DataFrame, column: &str) -> Vec<Option<String>> {
    frame.column(column).unwrap().str().unwrap().iter().map(|w| w.map(str::to_owned)).collect()
}

fn measure_rows(views: &Views, spec: &MeasureSpec, merchants: usize) -> Vec<Vec<Row>> {
    let mut by_merchant: Vec<Vec<Row>> = (0..merchants).map(|_| Vec::new()).collect();
    let frame = &views.by_name[spec.view.name].frame;
    let value = spec.value.as_ref().map_or_else(|| lit(1_i64), RowSql::expr);
    let filter = spec.filter.as_ref().map_or_else(|| lit(true), RowSql::expr);
    let with = frame.clone().lazy().with_columns([value.alias("the value"), filter.alias("the filter")]);
    let with = with.collect().unwrap();
    let (owners, values) = (words(&with, "merchant_id"), wholes(&with, "the value"));
    let keep: Vec<Option<bool>> = with.column("the filter").unwrap().bool().unwrap().iter().collect();
    let suspect: Vec<bool> = match with.column("suspect") {
        Ok(suspect) => suspect.bool().unwrap().iter().map(|s| s == Some(true)).collect(),
        Err(_) => vec![false; with.height()],
    };
    let is_judged = with.column("suspect").is_ok();
    let at = wholes(&with, spec.at.name);
    let buyers = with.column("buyer_id").is_ok().then(|| words(&with, "buyer_id"));
    for row in 0..with.height() {
        let wanted = match spec.suspects {
            Suspects::Include => true,
            _ if !is_judged => true,
            Suspects::Exclude => !suspect[row],
            Suspects::Only => suspect[row],
        };
        let (Some(value), Some(at), Some(true), true) = (values[row], at[row], keep[row], wanted) else { continue };
        let age = match spec.at.kind {
            ViewKind::Day => i64::from(views.as_of.days_since_epoch()) - at,
            _ => age(&views.as_of, at),
        };
        let owner = number_of(owners[row].as_ref().unwrap());
        by_merchant[owner].push(Row { age, at, buyer: buyers.as_ref().and_then(|b| b[row].clone()), value });
    }
    by_merchant
}

impl Market {
    pub fn of(shard: &Shard, config: &FeatureConfig) -> Self {
        let views = views_under(shard, &config.authenticity).unwrap();
        let table = shard.table("merchants").unwrap();
        let places: Vec<usize> = words(table, "merchant_id").iter().map(|id| number_of(id.as_ref().unwrap())).collect();
        let placed = |values: Vec<Option<Cell>>| {
            let mut ordered = vec![None; values.len()];
            for (place, value) in places.iter().zip(values) {
                ordered[*place] = value;
            }
            ordered
        };
        let word = |column| placed(words(table, column).into_iter().map(|w| w.map(Cell::Word)).collect());
        let number = |column| placed(wholes(table, column).into_iter().map(|n| n.map(Cell::Number)).collect());
        let text = |cell: Option<Cell>| match cell {
            Some(Cell::Word(word)) => word,
            _ => String::new(),
        };
        let days = |cell: Option<Cell>| match cell {
            Some(Cell::Number(at)) => age(&shard.as_of, at),
            _ => 0,
        };
        let merchants = places.len();
        let rows = config.measures.iter().map(|m| (m.name.clone(), measure_rows(&views, m, merchants))).collect();
        Self {
            rows,
            tenure_days: number("registered_at").into_iter().map(days).collect(),
            categories: word("category").into_iter().map(text).collect(),
            columns: BTreeMap::from([
                ("verification", word("verification")),
                ("category", word("category")),
                ("region", word("region")),
                ("deposit_minor", number("deposit_minor")),
            ]),
        }
    }

    /// The value of a printed formula for one merchant; `None` where the formula says that it is null.
    pub fn value(&self, formula: &str, merchant: usize) -> Option<f64> {
        let (core, conditions) = formula.split_once("; null where ").unwrap_or((formula, ""));
        let mut conditions = conditions.split("; or where ").filter(|c| !c.is_empty());
        if conditions.any(|condition| self.holds(condition, merchant)) {
            return None;
        }
        self.core(core, &[merchant])
    }

    fn peers(&self, merchant: usize) -> Vec<usize> {
        let same = |other: &usize| *other != merchant && self.categories[*other] == self.categories[merchant];
        (0..self.categories.len()).filter(same).collect()
    }

    /// A condition of being null.
    fn holds(&self, condition: &str, merchant: usize) -> bool {
        if let Some((first, second)) = condition.split_once(" and ") {
            // "peers with rows of … < 5 and of … < 5"
            let second = second.strip_prefix("of ").map_or(second.to_owned(), |s| format!("peers with rows of {s}"));
            return self.holds(first, merchant) && self.holds(&second, merchant);
        }
        if let Some(days) = condition.strip_prefix("the merchant registered fewer than ") {
            let days: i64 = days.strip_suffix(" days before D").unwrap().parse().unwrap();
            return self.tenure_days[merchant] < days;
        }
        if let Some(mean) = condition.strip_suffix(" or there are none") {
            let (mean, least) = mean.rsplit_once(" < ").unwrap();
            return self.core(mean, &[merchant]).is_none_or(|mean| mean < least.parse().unwrap());
        }
        let (what, least) = condition.rsplit_once(" < ").unwrap_or_else(|| panic!("{condition}"));
        let least: f64 = least.parse().unwrap();
        if let Some(sum) = what.strip_prefix("a buyer's Σ ") {
            let (measure, window) = whole_read(sum);
            return self.by_buyer(measure, window, &[merchant]).values().any(|rows| (total(rows) as f64) < least);
        }
        if let Some(read) = what.strip_prefix("peers with rows of ") {
            let (measure, window) = whole_read(read);
            let there = |peer: &usize| !self.rows(measure, window, &[*peer]).is_empty();
            return (self.peers(merchant).iter().filter(|peer| there(peer)).count() as f64) < least;
        }
        let (what, who) = match what.strip_prefix("peers' ") {
            Some(what) => (what, self.peers(merchant)),
            None => (what, vec![merchant]),
        };
        self.core(what, &who).unwrap() < least
    }

    /// A formula without its conditions, over these merchants together.
    fn core(&self, text: &str, who: &[usize]) -> Option<f64> {
        if let Some(inner) = text.strip_prefix("½ × (") {
            let (inner, definitions) = inner.split_once("), r = ").unwrap();
            let (trend, _) = inner.split_once(", less the same of the peers").unwrap();
            let trend = format!("{trend}, r = {definitions}");
            return Some(0.5 * (self.core(&trend, who)? - self.core(&trend, &self.peers(who[0]))?));
        }
        if let Some(inner) = text.strip_suffix(", less the same of the peers") {
            return Some(self.core(inner, who)? - self.core(inner, &self.peers(who[0]))?);
        }
        if let Some((inner, definitions)) = text.split_once(" of the merchant and its peers together, ") {
            let mut all = self.peers(who[0]);
            all.extend(who);
            return self.core(&format!("{inner}, {definitions}"), &all);
        }
        if let Some(inner) = text.strip_suffix(", cut to 0–1") {
            return self.core(inner, who).map(|v| v.clamp(0.0, 1.0));
        }
        if let Some(inner) = text.strip_suffix(", rounded to a whole number") {
            return self.core(inner, who).map(f64::round);
        }
        match self.sentence(text, who) {
            Reading::Value(value) => value,
            Reading::Arithmetic => self.arithmetic(text, who),
        }
    }

    fn arithmetic(&self, text: &str, who: &[usize]) -> Option<f64> {
        let mut text = text;
        let mut names = Names::default();
        for name in ["n", "e", "r", "x", "v"] {
            if let Some((before, definition)) = text.split_once(&format!(", {name} = ")) {
                text = before;
                names.define(self, name, definition, who);
            }
        }
        let mut reader = Reader { market: self, who, text, names: &names, last: None };
        let value = reader.sum();
        assert!(reader.text.is_empty(), "{:?} was not read", reader.text);
        value
    }

    /// Formulas that are sentences.
    fn sentence(&self, text: &str, who: &[usize]) -> Reading {
        let merchant = who[0];
        if text == "days from the date of merchants.registered_at to D" {
            return Reading::Value(Some(self.tenure_days[merchant] as f64));
        }
        if let Some(column) = text.strip_prefix("merchants.") {
            let (column, scale) = column.split_once(" with ").unwrap_or((column, ""));
            let cell = self.columns[column][merchant].clone();
            return Reading::Value(cell.and_then(|cell| match cell {
                Cell::Number(n) => Some(n as f64),
                Cell::Word(word) => {
                    let mut places = scale.split(", ").filter_map(|place| place.split_once(" = "));
                    places.find(|(w, _)| *w == word).map(|(_, n)| n.parse().unwrap())
                }
            }));
        }
        if let Some(read) = text.strip_prefix("most days in a row without a row of ") {
            let (measure, window) = whole_read(read);
            let active: BTreeSet<i64> = self.rows(measure, window, who).iter().map(|r| r.age).collect();
            let days: Vec<bool> = (window.from + 1..=window.to).map(|age| active.contains(&age)).collect();
            let longest = days.split(|active| *active).map(<[bool]>::len).max().unwrap();
            return Reading::Value(Some(longest as f64));
        }
        if let Some(rest) = text.strip_prefix("days from the last row of ") {
            let (read, otherwise) = rest.split_once(" to D, ").unwrap();
            let otherwise: i64 = otherwise.strip_suffix(" where there is none").unwrap().parse().unwrap();
            let (measure, window) = whole_read(read);
            let last = self.rows(measure, window, who).iter().map(|r| r.age).min();
            return Reading::Value(Some(last.unwrap_or(otherwise) as f64));
        }
        if let Some(read) = text.strip_prefix("last value of ") {
            let (measure, window) = whole_read(read);
            let rows = self.rows(measure, window, who);
            let last = rows.iter().map(|r| r.at).max();
            let at_last = rows.iter().filter(|r| Some(r.at) == last);
            return Reading::Value(at_last.map(|r| r.value).min().map(|v| v as f64));
        }
        if let Some(rest) = text.strip_prefix('⌈') {
            let (q, read) = rest.split_once(" n⌉-th smallest of the n values of ").unwrap();
            let (measure, window) = whole_read(read);
            let mut values: Vec<i64> = self.rows(measure, window, who).iter().map(|r| r.value).collect();
            values.sort_unstable();
            // In whole thousandths the rank is exact.
            let (ones, decimals) = q.split_once('.').unwrap_or((q, ""));
            let thousandths: usize = format!("{ones}{decimals:0<3}").parse().unwrap();
            let rank = (thousandths * values.len()).div_ceil(1_000).max(1);
            return Reading::Value(values.get(rank - 1).map(|v| *v as f64));
        }
        if let Some(rest) = text.strip_prefix("Σ over days d in ") {
            let (window, rest) = rest.split_once(" of 2^(−(D − d) ÷ ").unwrap();
            let (half_life, rest) = rest.split_once(") × (").unwrap();
            let (half_life, window): (f64, _) = (half_life.parse().unwrap(), whole_window(window));
            let body = rest.strip_suffix(')').unwrap();
            let (gain, loss) = body.split_once(" − ").map_or((body, None), |(gain, loss)| (gain, Some(loss)));
            let decayed = |measure: &str| -> f64 {
                let rows = self.rows(measure.strip_suffix("(d)").unwrap(), window, who);
                rows.iter().map(|r| r.value as f64 * pow(0.5, r.age as f64 / half_life)).sum()
            };
            let loss = loss.map_or(0.0, |loss| {
                let (penalty, measure) = loss.split_once(" × ").unwrap();
                penalty.parse::<f64>().unwrap() * decayed(measure)
            });
            return Reading::Value(Some(decayed(gain) - loss));
        }
        Reading::Arithmetic
    }

    fn rows(&self, measure: &str, window: Window, who: &[usize]) -> Vec<&Row> {
        let by_merchant = self.rows.get(measure).unwrap_or_else(|| panic!("no measure {measure:?}"));
        let all = who.iter().flat_map(|merchant| &by_merchant[*merchant]);
        all.filter(|row| row.age > window.from && row.age <= window.to).collect()
    }

    fn by_buyer(&self, measure: &str, window: Window, who: &[usize]) -> BTreeMap<Option<&str>, Vec<&Row>> {
        let mut buyers: BTreeMap<Option<&str>, Vec<&Row>> = BTreeMap::new();
        for row in self.rows(measure, window, who) {
            buyers.entry(row.buyer.as_deref()).or_default().push(row);
        }
        buyers
    }
}

fn total(rows: &[&Row]) -> i64 {
    rows.iter().map(|row| row.value).sum()
}

/// `gmv over [D − 90, D)`, and what follows.
fn read(text: &str) -> (&str, Window, &str) {
    let (measure, rest) = text.split_once(" over ").unwrap_or_else(|| panic!("no window in {text:?}"));
    if let Some(rest) = rest.strip_prefix("all of history before D") {
        return (measure, Window { from: 0, to: i64::MAX }, rest);
    }
    let (bounds, rest) = rest.strip_prefix('[').and_then(|rest| rest.split_once(')')).unwrap();
    let (to, from) = bounds.split_once(", ").unwrap();
    let days = |bound: &str| if bound == "D" { 0 } else { bound.strip_prefix("D − ").unwrap().parse().unwrap() };
    (measure, Window { from: days(from), to: days(to) }, rest)
}

fn whole_read(text: &str) -> (&str, Window) {
    let (measure, window, rest) = read(text);
    assert_eq!(rest, "", "after {text:?}");
    (measure, window)
}

fn whole_window(text: &str) -> Window {
    whole_read(&format!("m over {text}")).1
}

/// What `, x = …` at a formula's end defines.
#[derive(Default)]
struct Names {
    numbers: BTreeMap<&'static str, Option<f64>>,
    lists: BTreeMap<&'static str, Vec<f64>>,
}

impl Names {
    fn define(&mut self, market: &Market, name: &'static str, definition: &str, who: &[usize]) {
        match name {
            "r" | "e" => {
                self.numbers.insert(name, market.core(definition, who));
            }
            "x" => {
                let (sum, rest) = definition.strip_prefix("Σ ").unwrap().split_once(" in each of ").unwrap();
                let (count, days) = rest.strip_suffix(" days").unwrap().split_once(" periods of ").unwrap();
                let (measure, window) = whole_read(sum);
                let (count, days): (i64, i64) = (count.parse().unwrap(), days.parse().unwrap());
                assert_eq!(window.to - window.from, count * days);
                let period = |k| Window { from: window.from + k * days, to: window.from + (k + 1) * days };
                let sums = (0..count).map(|k| total(&market.rows(measure, period(k), who)) as f64);
                self.lists.insert(name, sums.collect());
            }
            "v" => {
                let (measure, window) = whole_read(definition.strip_prefix("each buyer's Σ ").unwrap());
                let buyers = market.by_buyer(measure, window, who);
                self.lists.insert(name, buyers.values().map(|rows| total(rows) as f64).collect());
            }
            _ => assert_eq!(definition, "their number"),
        }
    }
}

/// Arithmetic, from left to right.
struct Reader<'a> {
    market: &'a Market,
    who: &'a [usize],
    text: &'a str,
    names: &'a Names,
    /// The last window read: what "its rows" are rows of.
    last: Option<(&'a str, Window)>,
}

impl<'a> Reader<'a> {
    fn eat(&mut self, word: &str) -> bool {
        match self.text.strip_prefix(word) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn sum(&mut self) -> Option<f64> {
        let mut value = self.product();
        loop {
            let sign = if self.eat(" + ") {
                1.0
            } else if self.eat(" − ") {
                -1.0
            } else {
                return value;
            };
            let other = self.product();
            value = value.zip(other).map(|(a, b)| a + sign * b);
        }
    }

    fn product(&mut self) -> Option<f64> {
        let mut value = self.factor();
        loop {
            if self.eat(" ÷ ") {
                let below = self.factor().filter(|below| *below != 0.0);
                value = value.zip(below).map(|(a, b)| a / b);
            } else if self.text.starts_with(" Σx") {
                self.text = &self.text[1..];
                let other = self.factor();
                value = value.zip(other).map(|(a, b)| a * b);
            } else {
                return value;
            }
        }
    }

    fn factor(&mut self) -> Option<f64> {
        let value = self.atom();
        if self.eat("²") { value.map(|v| v * v) } else { value }
    }

    fn atom(&mut self) -> Option<f64> {
        let list = |name: &str| self.names.lists.get(name).cloned().unwrap_or_default();
        let (x, v) = (list("x"), list("v"));
        for (name, list) in [("x", &x), (" v", &v)] {
            if list.is_empty() && !self.names.lists.contains_key(name.trim()) {
                continue;
            }
            if self.eat(&format!("Σ{name}²")) {
                return Some(list.iter().map(|v| v * v).sum());
            }
            if self.eat(&format!("Σ{name}")) {
                return Some(list.iter().sum());
            }
            if self.eat(&format!("max {}", name.trim())) {
                return list.iter().copied().reduce(f64::max);
            }
            if self.eat(&format!("min {}", name.trim())) {
                return list.iter().copied().reduce(f64::min);
            }
        }
        if self.eat("√") {
            // Differences of squares may come out a hair below nothing.
            return self.atom().map(|v| v.max(0.0).sqrt());
        }
        if self.eat("(") {
            let value = self.sum();
            assert!(self.eat(")"), "{:?}", self.text);
            return value;
        }
        if self.eat("|") {
            let value = self.sum();
            assert!(self.eat("|"), "{:?}", self.text);
            return value.map(f64::abs);
        }
        if self.eat("Σ ") {
            let rows = self.window();
            return Some(total(&rows) as f64);
        }
        if self.eat("its rows") {
            let (measure, window) = self.last?;
            return Some(self.market.rows(measure, window, self.who).len() as f64);
        }
        if self.eat("rows of ") {
            return Some(self.window().len() as f64);
        }
        if self.eat("distinct buyers of ") {
            self.window();
            return Some(self.buyers().len() as f64);
        }
        for (words, least) in [("buyers with 2 or more rows", 2), ("rows", 0)] {
            if self.eat(words) {
                let (_, of) = self.text.split_once(" of ").unwrap();
                let (measure, window, _) = read(of);
                self.last = Some((measure, window));
                let buyers = self.buyers();
                let again = buyers.values().filter(|rows| rows.len() >= least).count();
                let rows: usize = buyers.values().map(Vec::len).sum();
                return Some(if least == 2 { again } else { rows } as f64);
            }
        }
        if self.eat("n") {
            return Some(x.len() as f64);
        }
        for name in ["r", "e"] {
            if self.eat(name) {
                return self.names.numbers[name];
            }
        }
        let end = self.text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(self.text.len());
        let (number, rest) = self.text.split_at(end);
        self.text = rest;
        Some(number.parse().unwrap_or_else(|_| panic!("no value at {number:?}{rest:?}")))
    }

    fn window(&mut self) -> Vec<&'a Row> {
        let (measure, window, rest) = read(self.text);
        (self.last, self.text) = (Some((measure, window)), rest);
        self.market.rows(measure, window, self.who)
    }

    fn buyers(&self) -> BTreeMap<Option<&'a str>, Vec<&'a Row>> {
        self.last.map_or_else(BTreeMap::new, |(measure, window)| self.market.by_buyer(measure, window, self.who))
    }
}
