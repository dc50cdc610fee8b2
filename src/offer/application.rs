//! What a merchant asks for by day, as the loan service sends it: JSON, with the columns of the contract table `applications`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::declared_order::DeclaredOrder;
use super::policy::Policy;
use crate::contract::APPLICATIONS;
use crate::domain::{CheckedJson, fault_in_line, id_fault};
use crate::exposure::{Declared, Request};

/// One application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Names it: the same application is answered once.
    pub application_id: String,
    /// Who applies.
    pub merchant_id: String,
    /// For what.
    pub product: String,
    /// How much, minor units.
    pub requested_minor: i64,
    /// Orders offered as receivables; empty where none are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order_ids: Vec<String>,
    /// The borrower's own list of such orders, with sums and shipping receipts: named like `order_ids`, and compared with the platform's records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<DeclaredOrder>,
    /// Declared sales of the last twelve months, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gross_sales_12m_minor: Option<i64>,
    /// Declared operating costs, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operating_costs_12m_minor: Option<i64>,
    /// Declared assets, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gross_assets_minor: Option<i64>,
    /// Declared liabilities, minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gross_liabilities_minor: Option<i64>,
}

/// An application that cannot be answered: no row of the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedApplication {
    /// Which, counted from 1 in the file.
    pub number: usize,
    /// Its id, where it has one.
    pub application_id: Option<String>,
    /// Where it stands, and what is wrong with it.
    pub why: String,
}

impl Application {
    /// What it asks, as an account holds it.
    #[must_use]
    pub fn request(&self) -> Request {
        Request {
            product: self.product.clone(),
            requested_minor: self.requested_minor,
            order_ids: self.named_orders(),
            declared: self.declared(),
        }
    }

    /// The four figures that it declares.
    #[must_use]
    pub const fn declared(&self) -> Declared {
        Declared {
            gross_sales_12m_minor: self.gross_sales_12m_minor,
            operating_costs_12m_minor: self.operating_costs_12m_minor,
            gross_assets_minor: self.gross_assets_minor,
            gross_liabilities_minor: self.gross_liabilities_minor,
        }
    }

    /// Every order that it names, in either list, once.
    #[must_use]
    pub fn named_orders(&self) -> Vec<String> {
        let listed = self.orders.iter().map(|order| &order.order_id).filter(|id| !self.order_ids.contains(id));
        self.order_ids.iter().chain(listed).cloned().collect()
    }

    /// What is wrong with its identifiers; `None` where nothing is.
    fn id_fault(&self) -> Option<String> {
        for (name, id) in [("application_id", &self.application_id), ("merchant_id", &self.merchant_id)] {
            if let Some(why) = id_fault(id) {
                return Some(format!("{name} {why}"));
            }
        }
        let listed = self.orders.iter().map(|order| &order.order_id).collect();
        let lists: [(&str, Vec<&String>); 2] = [("order_ids", self.order_ids.iter().collect()), ("orders", listed)];
        for (name, ids) in lists {
            let mut seen = BTreeSet::new();
            for id in ids {
                if let Some(why) = id_fault(id) {
                    return Some(format!("an order in {name} {why}"));
                }
                if !seen.insert(id) {
                    return Some(format!("{name} holds order {id:?} twice"));
                }
            }
        }
        None
    }

    /// What is wrong with it by the contract and by the products on offer; `None` where nothing is.
    #[must_use]
    pub fn fault(&self, policy: &Policy) -> Option<String> {
        if let Some(fault) = self.id_fault() {
            return Some(fault);
        }
        if policy.products.iter().all(|product| product.name != self.product) {
            let names: Vec<&str> = policy.products.iter().map(|product| product.name.as_str()).collect();
            return Some(format!("product {:?} is not on offer: {}", self.product, names.join(", ")));
        }
        let figures = [
            ("requested_minor", Some(self.requested_minor)),
            ("gross_sales_12m_minor", self.gross_sales_12m_minor),
            ("operating_costs_12m_minor", self.operating_costs_12m_minor),
            ("gross_assets_minor", self.gross_assets_minor),
            ("gross_liabilities_minor", self.gross_liabilities_minor),
        ];
        for (name, value) in figures {
            let range = APPLICATIONS.columns.iter().find(|column| column.name == name).and_then(|column| column.range);
            if let (Some(value), Some((least, most))) = (value, range)
                && !(least..=most).contains(&value)
            {
                return Some(format!("{name} is {value}, outside {least} to {most}"));
            }
        }
        if let Some(order) = self.orders.iter().find(|order| order.amount_minor.is_some_and(|amount| amount < 0)) {
            return Some(format!("amount_minor of order {} is negative", order.order_id));
        }
        None
    }
}

/// Reads applications: one JSON object, a JSON array of them, or one a line. Each is read by itself: one that cannot be read costs that one.
#[must_use]
pub fn read_applications(text: &str) -> Vec<Result<Application, RefusedApplication>> {
    placed(text).into_iter().enumerate().map(|(at, placed)| read_one(at + 1, placed)).collect()
}

/// A value of the text, and where it stands there, as a sentence begins; or why there is none.
type Placed = (String, Result<CheckedJson, String>);

fn placed(text: &str) -> Vec<Placed> {
    let whole = match serde_json::from_str::<Vec<CheckedJson>>(text) {
        Ok(all) => {
            return all
                .into_iter()
                .enumerate()
                .map(|(at, one)| (format!("application {}: ", at + 1), Ok(one)))
                .collect();
        }
        Err(error) => error,
    };
    if let Ok(one) = serde_json::from_str(text) {
        return vec![(String::new(), Ok(one))];
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(at, line): (usize, &str)| {
        let value = serde_json::from_str(line).map_err(|error| fault_in_line(&error));
        (format!("line {}: ", at + 1), value)
    };
    let lines: Vec<Placed> = lines.map(read).collect();
    // Of an array that is cut off, the last line may be a whole object all the same.
    if text.trim_start().starts_with('[') && lines.first().is_some_and(|(_, read)| read.is_err()) {
        return vec![(String::new(), Err(whole.to_string()))];
    }
    lines
}

fn read_one(number: usize, (place, value): Placed) -> Result<Application, RefusedApplication> {
    let refused = |application_id, why| RefusedApplication { number, application_id, why: format!("{place}{why}") };
    let CheckedJson { value, twice } = value.map_err(|why| refused(None, format!("it is not JSON: {why}")))?;
    let id = value.get("application_id").and_then(|id| id.as_str()).filter(|id| id_fault(id).is_none());
    let id = id.map(ToOwned::to_owned);
    if let Some(key) = twice {
        return Err(refused(id, format!("it names {key:?} twice, and nobody can say which is meant")));
    }
    let application: Application = serde_json::from_value(value).map_err(|e| refused(id.clone(), e.to_string()))?;
    match application.id_fault() {
        Some(fault) => Err(refused(id, fault)),
        None => Ok(application),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"{"application_id":"a1","merchant_id":"m1","product":"credit-loan","requested_minor":500}"#;

    #[test]
    fn one_object_an_array_or_a_line_each() {
        for text in [ONE.to_owned(), format!("[{ONE},{ONE}]"), format!("{ONE}\n\n{ONE}\n")] {
            assert!(read_applications(&text).iter().all(Result::is_ok), "{text}");
        }
        assert_eq!(read_applications(&format!("{ONE}\n{ONE}\n")).len(), 2);
        assert!(read_applications("").is_empty());
    }

    #[test]
    fn a_broken_one_costs_itself_alone() {
        let unknown = ONE.replace("requested_minor", "requested");
        let read = read_applications(&format!("{ONE}\n{{\n{unknown}\n{ONE}"));
        let whys: Vec<Option<(usize, bool)>> =
            read.iter().map(|r| r.as_ref().err().map(|e| (e.number, e.application_id.is_some()))).collect();
        assert_eq!(whys, [None, Some((2, false)), Some((3, true)), None]);
    }

    #[test]
    fn what_can_be_read_in_two_ways_or_names_nothing_is_refused_with_its_line() {
        let twice = ONE.replace("\"requested_minor\"", "\"requested_minor\":9,\"requested_minor\"");
        let of_orders = ONE.replace('}', r#","orders":[{"order_id":"o1","order_id":"o2"}]}"#);
        let nul = ONE.replace("m1", "m\\u0000");
        let endless = ONE.replace("a1", &"a".repeat(100_000));
        for (broken, words) in
            [(twice, "requested_minor"), (of_orders, "order_id"), (nul, "merchant_id"), (endless, "100000 characters")]
        {
            let read = read_applications(&format!("{ONE}\n\n{broken}\n{ONE}\n"));
            let [Ok(_), Err(refused), Ok(_)] = read.as_slice() else { panic!("{read:?}") };
            assert!(refused.why.starts_with("line 3: ") && refused.why.contains(words), "{}", refused.why);
            assert!(refused.why.len() < 200, "{}", refused.why);
            let of_array = read_applications(&format!("[{ONE},{broken}]"));
            assert!(of_array[1].as_ref().unwrap_err().why.starts_with("application 2: "), "{of_array:?}");
        }
        let cut_off = read_applications(&format!("[\n{ONE},\n{ONE}\n"));
        let [Err(refused)] = cut_off.as_slice() else { panic!("{cut_off:?}") };
        assert!(refused.why.contains("EOF while parsing a list"), "{}", refused.why);
    }
}
