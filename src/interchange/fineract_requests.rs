//! Deductions for Apache Fineract as requests to its API, for loans that are known there by their external id.
//!
//! `POST /loans/external-id/{loanExternalId}/transactions?command=repayment`. The deduction's key is the repayment's own external id, which Fineract keeps unique: a
//! request that is sent again is refused, and a loan that it does not know too.

use jiff::civil::Date;
use serde::Serialize;

use super::settings::FineractTerms;
use crate::domain::Currency;
use crate::monitor::Deduction;

/// The file, below the run folder.
pub const FINERACT_REQUESTS: &str = "interchange/fineract-loan-repayments.ndjson";

/// One line of the file.
#[derive(Serialize)]
struct Request<'a> {
    method: &'static str,
    /// Below the address of the API, `…/fineract-provider/api/v1/`.
    path: String,
    body: Repayment<'a>,
}

/// A repayment in Fineract's own words.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Repayment<'a> {
    date_format: &'static str,
    locale: &'static str,
    transaction_date: String,
    transaction_amount: f64,
    payment_type_id: i64,
    external_id: &'a str,
    note: &'a str,
}

/// The request for a deduction that is dated `on`, as a line.
///
/// # Errors
/// It is no JSON: never, with amounts that are finite.
pub fn fineract_request(
    deduction: &Deduction,
    on: Date,
    terms: &FineractTerms,
    currency: Currency,
) -> Result<Vec<u8>, serde_json::Error> {
    let request = Request {
        method: "POST",
        path: format!("loans/external-id/{}/transactions?command=repayment", path_segment(&deduction.loan_id)),
        body: Repayment {
            date_format: "yyyy-MM-dd",
            locale: "en",
            transaction_date: on.to_string(),
            // Exact to the cent below 2^53 minor units, which no loan reaches.
            transaction_amount: deduction.amount_minor as f64 / currency.minor_units() as f64,
            payment_type_id: terms.payment_type_id,
            external_id: &deduction.key,
            note: &deduction.why,
        },
    };
    let mut line = serde_json::to_vec(&request)?;
    line.push(b'\n');
    Ok(line)
}

/// A text as one segment of a path (RFC 3986): an id cannot lead to another address.
fn path_segment(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
        // A segment of dots alone is another folder.
        b'.' if text.bytes().any(|other| other != b'.') => ".".to_owned(),
        byte => format!("%{byte:02X}"),
    });
    encoded.collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::{Value, json};

    use super::*;
    use crate::interchange::settings::LoansBy;

    fn request(loan_id: &str) -> Value {
        let deduction: Deduction = serde_json::from_value(json!({
            "key": "0123", "merchant_id": "m1", "loan_id": loan_id, "amount_minor": 1_205, "released_minor": null, "why": "arrears",
        }))
        .unwrap();
        let terms = FineractTerms {
            payment_type: "Deduction".to_owned(),
            payment_type_id: 2,
            office: String::new(),
            has_outstanding: true,
            loans_by: LoansBy::ExternalId,
        };
        let line = fineract_request(&deduction, date(2025, 7, 1), &terms, Currency::new("CNY").unwrap()).unwrap();
        let line = String::from_utf8(line).unwrap();
        assert_eq!(line.lines().count(), 1);
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn a_deduction_becomes_a_repayment_of_a_loan_with_hyphens() {
        let body = json!({
            "dateFormat": "yyyy-MM-dd", "locale": "en", "transactionDate": "2025-07-01", "transactionAmount": 12.05, "paymentTypeId": 2,
            "externalId": "0123", "note": "arrears",
        });
        let path = "loans/external-id/m01-l-7/transactions?command=repayment";
        assert_eq!(request("m01-l-7"), json!({ "method": "POST", "path": path, "body": body }));
    }

    #[test]
    fn no_id_leads_elsewhere() {
        for (id, segment) in [("../1?a=b", "..%2F1%3Fa%3Db"), ("..", "%2E%2E"), ("l 7/é", "l%207%2F%C3%A9")] {
            let path = format!("loans/external-id/{segment}/transactions?command=repayment");
            assert_eq!(request(id)["path"], path);
        }
    }
}
