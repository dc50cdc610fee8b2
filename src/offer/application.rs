//! What a merchant asks for by day, as the loan service sends it: JSON, with the columns of the contract table `applications`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::declared_order::DeclaredOrder;
use super::policy::Policy;
use crate::contract::APPLICATIONS;
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
    /// What is wrong with it.
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
            declared: Declared {
                gross_sales_12m_minor: self.gross_sales_12m_minor,
                operating_costs_12m_minor: self.operating_costs_12m_minor,
                gross_assets_minor: self.gross_assets_minor,
                gross_liabilities_minor: self.gross_liabilities_minor,
            },
        }
    }

    /// Every order that it names, in either list, once.
    #[must_use]
    pub fn named_orders(&self) -> Vec<String> {
        let listed = self.orders.iter().map(|order| &order.order_id).filter(|id| !self.order_ids.contains(id));
        self.order_ids.iter().chain(listed).cloned().collect()
    }

    /// What is wrong with it by the contract and by the products on offer; `None` where nothing is.
    #[must_use]
    pub fn fault(&self, policy: &Policy) -> Option<String> {
        for (name, id) in [("application_id", &self.application_id), ("merchant_id", &self.merchant_id)] {
            if id.trim().is_empty() {
                return Some(format!("{name} is empty"));
            }
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
        let listed = self.orders.iter().map(|order| &order.order_id).collect();
        for (name, ids) in [("order_ids", self.order_ids.iter().collect()), ("orders", listed)] {
            let ids: Vec<&String> = ids;
            let distinct: BTreeSet<&&String> = ids.iter().collect();
            if distinct.len() < ids.len() || ids.iter().any(|id| id.trim().is_empty()) {
                return Some(format!("{name} holds an order twice, or an empty id"));
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
    let values: Vec<Result<serde_json::Value, String>> = match serde_json::from_str(text) {
        Ok(serde_json::Value::Array(all)) => all.into_iter().map(Ok).collect(),
        Ok(one) => vec![Ok(one)],
        Err(_) => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            lines.map(|line| serde_json::from_str(line).map_err(|e| e.to_string())).collect()
        }
    };
    let read = |(at, value): (usize, Result<serde_json::Value, String>)| {
        let refused = |application_id, why| RefusedApplication { number: at + 1, application_id, why };
        let value = value.map_err(|why| refused(None, format!("it is not JSON: {why}")))?;
        let id = value.get("application_id").and_then(|id| id.as_str()).map(ToOwned::to_owned);
        serde_json::from_value(value).map_err(|e| refused(id, e.to_string()))
    };
    values.into_iter().enumerate().map(read).collect()
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
}
