//! Sales and payments that were asked for and refused, as a flag or a code beside them says: a card that was declined brought nobody money.

use super::ends::MAX_STATES;
use super::names;
use super::not_meant::skip_words;
use super::scope::Scope;
use super::table_draft::TableDraft;
use super::words;
use crate::profile::RawColumn;

/// Where more of the rows are refused, the column means something else: that approval was asked for, or is still to come.
const MOST: f64 = 0.5;

/// Leaves out rows that were refused, whichever column says so of them.
pub(super) fn skip_refused(draft: &mut TableDraft, scope: &Scope) {
    let land = scope.land;
    for at in land.columns(scope.driver) {
        let raw = land.column(at);
        let Some(refused) = no_of_flag(raw).or_else(|| refusing_codes(raw)) else { continue };
        let which = format!(
            "with {} in {} were refused: nothing was sold or paid.",
            words::listed(&refused),
            scope.column_name(at)
        );
        skip_words(draft, scope, at, &refused, &which);
    }
}

fn is_few(raw: &RawColumn, words: &[&str]) -> bool {
    !words.is_empty() && (raw.rows_with(words) as f64) < MOST * (raw.rows() - raw.nulls) as f64
}

/// The words of a flag called approved or captured that say no.
fn no_of_flag(raw: &RawColumn) -> Option<Vec<&str>> {
    let (yes, no) = (words::yes(raw), words::no(raw));
    let is_flag = !yes.is_empty() && !no.is_empty() && yes.len() + no.len() == raw.words.len();
    (says_it_went_through(&raw.name) && is_flag && !raw.is_time() && is_few(raw, &no)).then_some(no)
}

/// Whether a name says that an order or a payment was approved or captured, and nothing else: a delivery, an address and a contract are approved too. What
/// is not paid or not confirmed may still be.
fn says_it_went_through(name: &str) -> bool {
    const WENT_THROUGH: [&str; 24] = [
        "approved", "isapproved", "approval", "authorized", "authorised", "authorization", "captured", "iscaptured",
        "succeeded", "success", "successful", "aprovado", "aprovada", "aprobado", "aprobada", "approuve", "genehmigt",
        "autorizado", "autorizada", "exitoso", "exitosa", "sucesso", "onaylandi", "승인",
    ];
    const BESIDE: [&str; 11] = [
        "order", "orders", "payment", "payments", "transaction", "transactions", "sale", "sales", "is", "flag",
        "status",
    ];
    let (said, others): (Vec<String>, Vec<String>) =
        names::words(name).into_iter().partition(|word| WENT_THROUGH.contains(&word.as_str()));
    !said.is_empty() && others.iter().all(|word| BESIDE.contains(&word.as_str()))
}

/// The codes of an issuer's answer that say why not. Besides `00` a few of ISO 8583 approve too: 08 after a look at a document, 10 a part, 11 a valued
/// customer, 16 with an update of the track, 85 where there is no reason to decline; of three digits all below 100; and `Y1` and `Y3` offline.
fn refusing_codes(raw: &RawColumn) -> Option<Vec<&str>> {
    const ANSWERS: [&str; 9] =
        ["response", "respcode", "resp_code", "resp code", "resposta", "respuesta", "reponse", "antwort", "应答"];
    const ZEROS: [&str; 2] = ["00", "000"];
    const APPROVE: [&str; 8] = ["00", "08", "10", "11", "16", "85", "Y1", "Y3"];
    let grants = |word: &str| APPROVE.contains(&word) || (word.len() == 3 && word.starts_with('0'));
    let lower = raw.name.to_lowercase();
    let is_called_so = ANSWERS.iter().any(|word| lower.contains(word));
    let are_codes = (2..=MAX_STATES).contains(&raw.words.len()) && raw.longest <= 3;
    let words = || raw.words.keys().map(String::as_str);
    let refused: Vec<&str> = words().filter(|word| !grants(word)).collect();
    let has_zero = words().any(|word| ZEROS.contains(&word));
    (is_called_so && are_codes && has_zero && is_few(raw, &refused)).then_some(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_flag_of_the_sale_itself_refuses_it() {
        let cases = [
            ("approved", true),
            ("is_approved", true),
            ("isApproved", true),
            ("Payment Approved", true),
            ("transaction_success_flag", true),
            ("captured", true),
            ("delivery_confirmed", false),
            ("email_confirmed", false),
            ("statement_confirmed", false),
            ("order_confirmed", false),
            ("marketing_accepted", false),
            ("accepted", false),
            ("is_paid", false),
            ("paid", false),
            ("email_delivery_success", false),
            ("loan_approved", false),
            ("approval_required", false),
            ("auto_approved", false),
            ("image_captured", false),
        ];
        for (name, is_one) in cases {
            let raw = RawColumn::of_texts(name, &["yes", "no", "yes", "yes"]);
            assert_eq!(no_of_flag(&raw).is_some(), is_one, "{name}");
        }
        let rarely = RawColumn::of_texts("approved", &["yes", "no", "no", "no"]);
        assert_eq!(no_of_flag(&rarely), None);
    }

    #[test]
    fn codes_that_approve_are_no_refusals() {
        let cases: [(&[&str], Option<Vec<&str>>); 5] = [
            (&["00", "00", "00", "05", "51", "00"], Some(vec!["05", "51"])),
            (&["00", "08", "10", "11", "16", "85", "00", "05"], Some(vec!["05"])),
            (&["000", "001", "000", "116"], Some(vec!["116"])),
            (&["00", "10", "85"], None),
            (&["05", "51", "10"], None),
        ];
        for (cells, refused) in cases {
            assert_eq!(refusing_codes(&RawColumn::of_texts("Response Code", cells)), refused, "{cells:?}");
        }
        assert_eq!(refusing_codes(&RawColumn::of_texts("shelf", &["00", "00", "05"])), None);
    }
}
