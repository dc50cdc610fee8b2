//! How a contract column is called elsewhere: combinations of concepts, each with what it is worth.

use super::names::Name;
use super::vocabulary::Concept;
use crate::contract::Type;
use crate::profile::{RawColumn, ValueKind};
use Concept as C;

/// One way to call a column: all of these concepts, and what that is worth (0 to 1).
type NamePattern = (&'static [Concept], f64);

/// Ways to call a contract column; empty where only the contract's own name is known.
#[expect(clippy::too_many_lines, reason = "a table, one line a column")]
pub(super) fn name_patterns(table: &str, column: &str) -> &'static [NamePattern] {
    match (table, column) {
        (_, "recorded_at") => &[(&[C::Recorded, C::Time], 0.8)],
        ("merchants", "registered_at") => &[
            (&[C::Registered], 0.95),
            (&[C::Opened], 0.9),
            (&[C::Joined], 0.85),
            (&[C::Created, C::Time], 0.8),
            (&[C::Created], 0.75),
            (&[C::Merchant, C::Time], 0.6),
        ],
        ("merchants", "category") => &[(&[C::Category], 0.95), (&[C::Merchant, C::Kind], 0.7), (&[C::Kind], 0.6)],
        ("merchants", "region") => {
            &[(&[C::Region], 0.95), (&[C::City], 0.8), (&[C::Country], 0.7), (&[C::PostCode], 0.45)]
        }
        ("merchants", "verification") => &[(&[C::Verified], 0.9)],
        ("merchants", "deposit_minor") => &[(&[C::Deposit], 0.9), (&[C::Deposit, C::Amount], 0.95)],
        ("merchants", "closed_at") => &[(&[C::Closed], 0.9)],
        ("orders", "placed_at") => &[
            (&[C::Placed], 0.95),
            (&[C::Placed, C::Time], 0.95),
            (&[C::Order, C::Time], 0.95),
            (&[C::Created, C::Time], 0.85),
            (&[C::Created], 0.8),
            (&[C::Time], 0.6),
        ],
        ("orders", "paid_at") => &[
            (&[C::Paid, C::Time], 0.95),
            (&[C::Paid], 0.9),
            (&[C::Payment, C::Time], 0.9),
            (&[C::Approved, C::Time], 0.9),
            (&[C::Approved], 0.85),
        ],
        ("orders", "cancelled_at") => &[(&[C::Cancelled, C::Time], 0.95), (&[C::Cancelled], 0.9)],
        ("orders", "completed_at") => &[
            (&[C::Completed, C::Time], 0.95),
            (&[C::Completed], 0.9),
            (&[C::Settled, C::Time], 0.85),
            (&[C::Settled], 0.8),
        ],
        ("orders", "refunded_at") => &[(&[C::Refund, C::Time], 0.95), (&[C::Reversed, C::Time], 0.85)],
        ("orders", "amount_minor") => &[
            (&[C::Order, C::Amount], 0.95),
            (&[C::Amount], 0.85),
            // What the buyer paid for it, in languages in which `paid` is a payment too.
            (&[C::Buyer, C::Paid, C::Payment, C::Amount], 0.9),
            (&[C::Buyer, C::Paid, C::Amount], 0.9),
            (&[C::Buyer, C::Payment, C::Amount], 0.85),
            (&[C::Item, C::Amount], 0.8),
            (&[C::Product, C::Amount], 0.8),
            (&[C::Product, C::Sales], 0.8),
            (&[C::Sales], 0.7),
            (&[C::Unit, C::Amount], 0.6),
        ],
        ("orders", "refund_minor") => {
            &[(&[C::Refund, C::Amount], 0.95), (&[C::Reversed, C::Amount], 0.85), (&[C::Refund], 0.8)]
        }
        ("orders", "currency") => &[(&[C::Currency], 0.95)],
        ("shipments", "ship_by_at") => &[
            (&[C::Shipment, C::Limit], 0.95),
            (&[C::Shipped, C::Limit], 0.95),
            (&[C::Shipment, C::Due], 0.9),
            (&[C::Shipped, C::Due], 0.9),
            (&[C::Shipped, C::Estimated], 0.9),
            (&[C::Shipment, C::Estimated], 0.85),
        ],
        ("shipments", "shipped_at") => &[
            (&[C::Shipped], 0.95),
            (&[C::Delivered, C::Carrier], 0.95),
            (&[C::Carrier, C::Time], 0.85),
            (&[C::Shipment, C::Time], 0.8),
            (&[C::Shipment, C::Created], 0.7),
        ],
        ("shipments", "promised_at") => &[
            (&[C::Requested, C::Delivered], 0.85),
            (&[C::Estimated, C::Delivered], 0.95),
            (&[C::Estimated], 0.9),
            // Of an earliest and a latest day the latest is the promise.
            (&[C::Delivered, C::Limit], 0.97),
            (&[C::Estimated, C::Delivered, C::Limit], 1.0),
            (&[C::Delivered, C::Due], 0.85),
        ],
        ("shipments", "delivered_at") => &[
            (&[C::Delivered, C::Time], 0.95),
            (&[C::Delivered, C::Buyer], 0.95),
            (&[C::Delivered], 0.9),
            (&[C::Shipment, C::Completed], 0.8),
        ],
        ("shipments", "lost_at") => &[(&[C::Lost], 0.9)],
        ("shipments", "carrier") => &[(&[C::Carrier], 0.9)],
        ("shipments", "tracking") => &[(&[C::Tracking], 0.95)],
        ("reviews", "created_at") => {
            &[(&[C::Answered], 0.95), (&[C::Review, C::Time], 0.9), (&[C::Created, C::Time], 0.85), (&[C::Time], 0.7)]
        }
        ("reviews", "stars") => &[(&[C::Stars], 0.95), (&[C::Review], 0.8)],
        ("disputes", "opened_at") => &[
            (&[C::Opened], 0.95),
            (&[C::Dispute, C::Time], 0.9),
            (&[C::Chargeback, C::Time], 0.9),
            (&[C::Application, C::Time], 0.85),
            (&[C::Created, C::Time], 0.85),
            (&[C::Created], 0.8),
            (&[C::Time], 0.7),
        ],
        ("disputes", "closed_at") => &[
            (&[C::Closed], 0.95),
            (&[C::Outcome, C::Time], 0.9),
            (&[C::Settled, C::Time], 0.85),
            (&[C::Completed, C::Time], 0.85),
        ],
        ("disputes", "kind") => &[(&[C::Reason], 0.95), (&[C::Kind], 0.85), (&[C::Category], 0.8)],
        ("disputes", "outcome") => &[(&[C::Outcome], 0.95), (&[C::Status], 0.7)],
        ("disputes", "amount_minor") => {
            &[(&[C::Dispute, C::Amount], 0.95), (&[C::Chargeback, C::Amount], 0.95), (&[C::Amount], 0.85)]
        }
        ("loans", "disbursed_at") => &[
            (&[C::Disbursed], 0.95),
            (&[C::Loan, C::Time], 0.9),
            (&[C::Registered, C::Time], 0.8),
            (&[C::Created, C::Time], 0.75),
            (&[C::Time], 0.6),
        ],
        ("loans", "principal_minor") => &[
            (&[C::Principal], 0.95),
            (&[C::Disbursed, C::Amount], 0.9),
            (&[C::Disbursed], 0.6),
            (&[C::Loan, C::Amount], 0.9),
            (&[C::Amount], 0.85),
            (&[C::Loan], 0.6),
        ],
        ("loans", "term_days") => &[(&[C::Term], 0.95), (&[C::Month], 0.6)],
        ("loans", "daily_rate_ppm") => &[(&[C::Interest, C::Rate], 0.95), (&[C::Rate], 0.9), (&[C::Interest], 0.6)],
        ("loans", "repayment") => &[(&[C::Repayment], 0.95)],
        ("loans", "written_off_at") => &[(&[C::WrittenOff], 0.95)],
        ("loans", "restructured_at") => &[(&[C::Restructured], 0.95)],
        ("loans", "offer_id") => &[(&[C::Offer, C::Id], 0.9)],
        ("instalments", "number") => &[
            (&[C::Number], 0.9),
            (&[C::Instalment, C::Number], 0.95),
            (&[C::Instalment], 0.85),
            (&[C::Instalment, C::Id], 0.7),
        ],
        ("instalments", "due_on") => &[
            (&[C::Due], 0.95),
            (&[C::Instalment, C::Time], 0.9),
            (&[C::Limit, C::Payment], 0.9),
            (&[C::Limit], 0.75),
            (&[C::Time], 0.7),
        ],
        ("instalments", "principal_minor") => &[(&[C::Principal], 0.95)],
        ("instalments", "interest_minor") => &[(&[C::Interest], 0.95)],
        ("instalments", "fee_minor") => &[(&[C::Fee], 0.95)],
        ("payments", "paid_at") => {
            &[(&[C::Paid], 0.95), (&[C::Payment, C::Time], 0.95), (&[C::Settled], 0.85), (&[C::Time], 0.8)]
        }
        ("payments", "amount_minor") => {
            &[(&[C::Payment, C::Amount], 0.95), (&[C::Paid, C::Amount], 0.95), (&[C::Amount], 0.9), (&[C::Paid], 0.6)]
        }
        ("payments", "channel") => &[(&[C::Channel], 0.9)],
        ("payments", "reversed_at") => {
            &[(&[C::Reversed], 0.95), (&[C::Chargeback, C::Time], 0.9), (&[C::Chargeback], 0.85), (&[C::Refund], 0.85)]
        }
        ("applications", "applied_at") => &[
            (&[C::Requested, C::Time], 0.95),
            (&[C::Application, C::Time], 0.95),
            (&[C::Created, C::Time], 0.85),
            (&[C::Time], 0.8),
        ],
        ("applications", "requested_minor") => &[(&[C::Requested, C::Amount], 0.95), (&[C::Amount], 0.8)],
        ("applications", "gross_sales_12m_minor") => &[(&[C::Sales], 0.9)],
        ("applications", "operating_costs_12m_minor") => &[(&[C::Cost], 0.9)],
        ("applications", "gross_assets_minor") => &[(&[C::Asset], 0.9)],
        ("applications", "gross_liabilities_minor") => &[(&[C::Liability], 0.9)],
        ("inventory", "on") => &[(&[C::Inventory, C::Time], 0.9), (&[C::Time], 0.85)],
        ("inventory", "stock_value_minor") => &[(&[C::Inventory, C::Amount], 0.95), (&[C::Amount], 0.7)],
        ("inventory", "cost_of_sales_minor") => &[(&[C::Cost, C::Sales], 0.95), (&[C::Cost], 0.8)],
        ("guarantee_groups", "joined_at") => &[(&[C::Joined], 0.95), (&[C::Time], 0.7)],
        ("guarantee_groups", "left_at") => &[(&[C::Left], 0.95)],
        _ => &[],
    }
}

/// Whole names of columns that say who stands behind a shop, in small letters without marks between words. A single word of them may name the shop itself,
/// or the owner of something else.
const OWNER_NAMES: [&str; 33] = [
    "ownerid",
    "shopownerid",
    "storeownerid",
    "beneficialownerid",
    "legalentityid",
    "legalentity",
    "legalpersonid",
    "companyid",
    "companynumber",
    "companyregistrationnumber",
    "registrationnumber",
    "businessregistrationnumber",
    "holderid",
    "accountholderid",
    "proprietorid",
    "taxid",
    "taxnumber",
    "taxpayerid",
    "vatid",
    "vatnumber",
    "inhaberid",
    "steuernummer",
    "ustid",
    "ustidnr",
    "handelsregisternummer",
    "idproprietario",
    "cnpj",
    "cpf",
    "siren",
    "rfc",
    "partitaiva",
    "vergino",
    "统一社会信用代码",
];

fn names_an_owner(raw: &str) -> bool {
    let folded: String = raw.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    OWNER_NAMES.contains(&folded.as_str())
}

/// Concepts that tell one time, amount or word from another: one too many makes it another thing.
fn is_specific(concept: Concept) -> bool {
    !matches!(concept, C::Id | C::Time | C::Amount | C::Name | C::Number | C::Worker | C::Engagement)
}

/// Columns of what has happened.
const HAPPENED: [&str; 5] = ["paid_at", "completed_at", "shipped_at", "delivered_at", "lost_at"];

/// How well a raw column's name says that it is a contract column, 0 to 1. `context` is what its table's name says.
pub(super) fn name_score(table: &str, column: &str, raw: &str, name: &Name, context: &Name) -> f64 {
    if raw.eq_ignore_ascii_case(column) {
        return 1.0;
    }
    if (table, column) == ("merchants", "owner_id") {
        return if names_an_owner(raw) { 0.95 } else { 0.0 };
    }
    if (table, column) == ("loans", "principal_minor") && is_no_principal(raw) {
        return 0.0;
    }
    // What is expected has not happened.
    if HAPPENED.contains(&column) && name.says(C::Estimated) {
        return 0.0;
    }
    let score = |(way, worth): &NamePattern| {
        let own = way.iter().filter(|c| name.says(**c)).count();
        let borrowed = way.iter().filter(|c| !name.says(**c) && context.says(**c)).count();
        if own == 0 || own + borrowed < way.len() {
            return 0.0;
        }
        let too_many =
            name.concepts.iter().filter(|c| is_specific(**c) && !way.contains(c) && !context.says(**c)).count();
        worth - 0.2 * too_many as f64 - 0.05 * borrowed as f64 - 0.04 * name.unknown as f64
    };
    name_patterns(table, column).iter().map(score).fold(0.0, f64::max)
}

/// Whether a name is of what is left of a loan, of what was paid back of it, or of what is still to be paid out: none of it is what was lent.
fn is_no_principal(raw: &str) -> bool {
    const PIECES: [&str; 14] = [
        "balance", "outstanding", "remaining", "repaid", "pymnt", "recover", "undisbursed", "derived", "saldo",
        "restschuld", "restante", "encours", "kalan", "余额",
    ];
    let lower = raw.to_lowercase();
    let is_due = || lower.split(|c: char| !c.is_alphabetic()).any(|word| word == "due");
    PIECES.iter().any(|piece| lower.contains(piece)) || is_due()
}

/// Whether cells are 0 and 1 and nothing else.
fn is_flag(raw: &RawColumn) -> bool {
    raw.kind == ValueKind::Whole && raw.distinct == 2 && raw.numbers.range == (0.0, 1.0)
}

/// Whether the cells can be what the contract column holds.
pub(super) fn fits(kind: Type, column: &str, raw: &RawColumn) -> bool {
    match kind {
        Type::Id | Type::Ids => raw.is_like_an_id(),
        Type::Text => {
            !raw.is_time() && !matches!(raw.kind, ValueKind::Empty | ValueKind::Decimal(_)) && raw.longest <= 80
        }
        Type::Word(_) => {
            matches!(raw.kind, ValueKind::Text | ValueKind::Flag | ValueKind::Whole) && !raw.words.is_empty()
        }
        Type::Instant | Type::Day => raw.is_time(),
        Type::Money => raw.is_number() && !raw.is_unique_counter() && !is_flag(raw),
        Type::Integer if column == "stars" => super::stars::are_ratings(raw),
        Type::Integer if column == "term_days" => raw.is_number() || matches!(raw.kind, ValueKind::Span(_)),
        Type::Integer => raw.is_number(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::TABLES;

    fn best(table: &str, column: &str, names: &[&str], context: &str) -> String {
        let score = |raw: &str| name_score(table, column, raw, &Name::of(raw), &Name::of(context));
        let best = names.iter().max_by(|a, b| score(a).total_cmp(&score(b))).unwrap();
        assert!(score(best) >= 0.5, "{column}: {best} {}", score(best));
        (*best).to_owned()
    }

    #[test]
    fn names_of_several_languages_find_their_column() {
        let english =
            ["order_status", "order_date", "approved_on", "delivered_to_carrier", "delivered", "eta", "total"];
        let german =
            ["Bestellstatus", "Bestelldatum", "Bezahlt am", "Versendet am", "Zugestellt am", "Geplant", "Betrag"];
        let portuguese =
            ["status_pedido", "data_pedido", "data_aprovacao", "data_despachado", "data_entrega", "previsto", "valor"];
        for names in [english, german, portuguese] {
            assert_eq!(best("orders", "placed_at", &names, "orders"), names[1]);
            assert_eq!(best("orders", "paid_at", &names, "orders"), names[2]);
            assert_eq!(best("shipments", "shipped_at", &names, "orders"), names[3]);
            assert_eq!(best("shipments", "delivered_at", &names, "orders"), names[4]);
            assert_eq!(best("shipments", "promised_at", &names, "orders"), names[5]);
            assert_eq!(best("orders", "amount_minor", &names, "orders"), names[6]);
        }
        let polish = ["Status", "Data zamówienia", "Data płatności", "Data wysyłki", "Data dostarczenia", "Kwota"];
        let japanese = ["ステータス", "注文日時", "入金日", "発送日", "お届け日", "請求金額"];
        for names in [polish, japanese] {
            assert_eq!(best("orders", "placed_at", &names, "orders"), names[1]);
            assert_eq!(best("orders", "paid_at", &names, "orders"), names[2]);
            assert_eq!(best("shipments", "shipped_at", &names, "orders"), names[3]);
            assert_eq!(best("shipments", "delivered_at", &names, "orders"), names[4]);
            assert_eq!(best("orders", "amount_minor", &names, "orders"), names[5]);
        }
        assert_eq!(best("orders", "refund_minor", &["Valor bruto", "Valor estornado"], "vendas"), "Valor estornado");
        assert_eq!(best("orders", "refunded_at", &["Data da venda", "Data do estorno"], "vendas"), "Data do estorno");
        let both = ["Minimum Estimated Delivery Date", "Maximum Estimated Delivery Date", "Delivery Date"];
        assert_eq!(best("shipments", "promised_at", &both, "orders"), both[1]);
        assert_eq!(best("shipments", "carrier", &["物流单号", "物流公司"], "订单"), "物流公司");
        assert_eq!(best("shipments", "tracking", &["物流公司", "物流单号"], "订单"), "物流单号");
    }

    #[test]
    fn an_owner_is_named_by_whole_names_alone() {
        let score = |raw: &str| name_score("merchants", "owner_id", raw, &Name::of(raw), &Name::of("shops"));
        assert!(["owner_id", "Tax-ID", "Legal Entity Id", "USt-IdNr."].into_iter().all(|raw| score(raw) > 0.9));
        assert!(
            ["owner", "company", "tax", "seller_id", "owner_name", "tax_rate"].into_iter().all(|raw| score(raw) < 0.1)
        );
    }

    #[test]
    fn every_way_belongs_to_a_column_of_the_contract() {
        let known = TABLES
            .iter()
            .flat_map(|t| t.columns.iter().map(|c| name_patterns(t.name, c.name).len()))
            .filter(|n| *n > 0);
        assert!(known.count() > 40);
        assert!(name_score("orders", "placed_at", "placed_at", &Name::of("placed_at"), &Name::of("x")) > 0.99);
        let delivered = |raw: &str| name_score("shipments", "delivered_at", raw, &Name::of(raw), &Name::of("orders"));
        assert!(delivered("Minimum Estimated Delivery Date") < 0.01 && delivered("Delivered Date") > 0.9);
        assert!(name_score("orders", "refund_minor", "amount", &Name::of("amount"), &Name::of("orders")) < 0.01);
    }
}
