//! Words of exports that mean a word of the contract: statuses, outcomes, reasons, products.

use crate::profile::RawColumn;

/// A contract word with the pieces of raw words that mean it.
type Meaning = (&'static str, &'static [&'static str]);

/// What the words of a column may mean, and the contract word for all others, where there is an honest one.
#[expect(clippy::too_many_lines, reason = "a table of words")]
pub(super) fn meanings(table: &str, column: &str) -> (&'static [Meaning], Option<&'static str>) {
    match (table, column) {
        ("disputes", "kind") => (
            &[
                (
                    "not-received",
                    &[
                        "not received",
                        "non receipt",
                        "not delivered",
                        "undelivered",
                        "nao recebido",
                        "no recibido",
                        "non recu",
                        "nicht erhalten",
                        "nicht geliefert",
                        "没收到",
                        "未收到",
                        "no llego",
                        "non arrive",
                        "missing",
                        "short delivery",
                        "nicht angekommen",
                        "non arrivato",
                    ],
                ),
                ("counterfeit", &["counterfeit", "fake", "falso", "falsificado", "contrefacon", "falschung", "假"]),
                (
                    "not-as-described",
                    &[
                        "not as described",
                        "defect",
                        "quality",
                        "damaged",
                        "wrong item",
                        "diferente",
                        "nao conforme",
                        "non conforme",
                        "mangel",
                        "beschadigt",
                        "danad",
                        "danific",
                        "endommag",
                        "danneggiat",
                        "质量",
                        "描述不符",
                    ],
                ),
                (
                    "chargeback",
                    &["chargeback", "fraud", "unauthorized", "unauthorised", "fraude", "betrug", "missbrauch"],
                ),
                ("lawsuit", &["lawsuit", "court", "legal", "judicial", "klage", "proces"]),
            ],
            Some("other"),
        ),
        ("disputes", "outcome") => (
            &[
                ("withdrawn", &["withdrawn", "retracted", "desistencia", "retirado", "zuruckgezogen"]),
                (
                    "buyer-won",
                    &[
                        "buyer won",
                        "lost",
                        "customer",
                        "accepted",
                        "upheld",
                        "cardholder",
                        "perdido",
                        "perdida",
                        "verloren",
                        "refund",
                        "reembols",
                        "rembours",
                        "erstattet",
                        "rimbors",
                        "退款",
                        "买家",
                        "buyer",
                        "kunde",
                        "karteninhaber",
                        "acheteur",
                        "comprador",
                    ],
                ),
                (
                    "merchant-won",
                    &[
                        "merchant won",
                        "seller won",
                        "won",
                        "rejected",
                        "denied",
                        "dismissed",
                        "reversed",
                        "ganho",
                        "ganado",
                        "gewonnen",
                        "abgelehnt",
                        "rechaz",
                        "recus",
                        "refus",
                        "rejet",
                        "respint",
                        "驳回",
                        "卖家",
                        "merchant",
                        "seller",
                        "handler",
                        "haendler",
                        "verkaufer",
                        "vendeur",
                        "vendedor",
                    ],
                ),
            ],
            None,
        ),
        ("loans" | "applications", "product") => (
            &[
                ("order-loan", &["order", "receivable", "invoice", "factoring", "fatura"]),
                ("group-loan", &["group", "alliance", "joint", "grupo", "gruppe"]),
            ],
            Some("credit-loan"),
        ),
        ("loans", "repayment") => (
            &[
                ("bullet", &["bullet", "balloon", "at maturity", "endfallig"]),
                ("equal-principal", &["equal principal", "linear", "sac"]),
                ("sales-share", &["sales", "share", "holdback"]),
            ],
            Some("equal-instalment"),
        ),
        ("payments", "channel") => (
            &[("deduction", &["deduct", "auto", "sweep", "holdback", "garnish", "forced", "retencao", "einzug"])],
            Some("voluntary"),
        ),
        ("merchants", "verification") => (
            &[
                ("none", &["none", "no", "false", "unverified", "nao", "nein", "non", "n", "0"]),
                ("full", &["full", "true", "yes", "verified", "sim", "ja", "oui", "y", "j", "1"]),
                ("basic", &["basic", "partial", "pending", "basico"]),
            ],
            None,
        ),
        _ => (&[], None),
    }
}

/// SQL that turns the words of a column into the contract's; `None` where it has no word that means any and the contract offers no other.
pub(super) fn mapped(table: &str, column: &str, raw: &RawColumn, sql: &str, allowed: &[&str]) -> Option<String> {
    // Words that are none of the contract's are errors where they are rare: they are quarantined as they were written.
    let rows: usize = raw.words.values().sum();
    let allowed_rows: usize =
        raw.words.iter().filter(|(word, _)| allowed.contains(&word.as_str())).map(|(_, rows)| rows).sum();
    if allowed_rows as f64 >= 0.97 * rows as f64 {
        return Some(sql.to_owned());
    }
    let (meanings, other) = meanings(table, column);
    let mut whens: Vec<String> = Vec::new();
    let mut placed: Vec<&str> = Vec::new();
    for (word, pieces) in meanings {
        let meant: Vec<&str> = raw
            .words
            .keys()
            .map(String::as_str)
            .filter(|raw| !placed.contains(raw) && pieces.iter().any(|piece| holds(raw, piece)))
            .collect();
        if !meant.is_empty() {
            whens.push(format!("WHEN {sql} IN ({}) THEN '{word}'", listed(&meant)));
            placed.extend(meant);
        }
    }
    match (whens.is_empty(), other) {
        (true, None) => None,
        (true, Some(other)) => Some(format!("'{other}'")),
        (false, None) => Some(format!("CASE {} ELSE NULL END", whens.join(" "))),
        (false, Some(other)) => Some(format!("CASE {} ELSE '{other}' END", whens.join(" "))),
    }
}

/// Words of a status column that say that an order came to nothing.
const FAILED: [&str; 22] = [
    "cancel",
    "unavailable",
    "void",
    "fail",
    "declin",
    "reject",
    "refus",
    "denied",
    "expired",
    "aborted",
    "storniert",
    "abgelehnt",
    "annul",
    "anulad",
    "negad",
    "recusad",
    "rechazad",
    "indispon",
    "取消",
    "失败",
    "拒绝",
    "关闭",
];
/// Words of a status column that say that an order reached its end.
const DONE: [&str; 22] = [
    "deliver",
    "complet",
    "settled",
    "success",
    "approved",
    "paid",
    "closed",
    "done",
    "fulfilled",
    "entregue",
    "entregad",
    "concluid",
    "aprovad",
    "livre",
    "geliefert",
    "zugestellt",
    "abgeschlossen",
    "bezahlt",
    "完成",
    "成功",
    "签收",
    "posted",
];

/// Values that say that an order was cancelled or refused.
pub(super) fn failed(raw: &RawColumn) -> Vec<&str> {
    raw.words.keys().map(String::as_str).filter(|word| FAILED.iter().any(|piece| holds(word, piece))).collect()
}

/// Values that say that an order reached its end, among those of finer steps the last: `delivered` where there is one.
pub(super) fn done(raw: &RawColumn) -> Vec<&str> {
    let all: Vec<&str> = raw.words.keys().map(String::as_str).filter(|word| !failed(raw).contains(word)).collect();
    let ends = |pieces: &[&str]| -> Vec<&str> {
        all.iter()
            .copied()
            .filter(|word| pieces.iter().any(|piece| holds(word, piece)) && !holds(word, "partial"))
            .collect()
    };
    let last = ends(&[
        "deliver",
        "complet",
        "fulfilled",
        "entregue",
        "entregad",
        "livre",
        "geliefert",
        "zugestellt",
        "签收",
        "完成",
    ]);
    if last.is_empty() { ends(&DONE) } else { last }
}

/// Values of a flag that say yes.
pub(super) fn yes(raw: &RawColumn) -> Vec<&str> {
    const YES: [&str; 12] = ["1", "true", "t", "yes", "y", "ja", "j", "oui", "si", "sim", "s", "x"];
    raw.words.keys().map(String::as_str).filter(|word| YES.contains(&word.to_lowercase().as_str())).collect()
}

/// Words of a flag that say no.
pub(super) fn no(raw: &RawColumn) -> Vec<&str> {
    const NO: [&str; 8] = ["0", "false", "f", "no", "n", "nein", "non", "nao"];
    raw.words.keys().map(String::as_str).filter(|word| NO.contains(&word.to_lowercase().as_str())).collect()
}

/// `'a', 'b'`.
pub(super) fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("'{}'", word.replace('\'', "''"))).collect::<Vec<_>>().join(", ")
}

fn holds(raw: &str, piece: &str) -> bool {
    let plain: String = raw
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .map(crate::profile::without_accent)
        .collect();
    let negated =
        plain.starts_with("not ") || plain.starts_with("un") || plain.starts_with("in") || plain.starts_with("nao ");
    // `unpaid` is not paid; `unavailable` is in the list as it stands.
    if negated
        && !piece.starts_with("un")
        && !piece.starts_with("in")
        && !piece.starts_with("not")
        && !piece.starts_with("nao")
    {
        return false;
    }
    if piece.chars().count() <= 3 && piece.is_ascii() {
        plain.split(' ').any(|word| word == piece)
    } else {
        plain.contains(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_found_in_words() {
        assert!(
            holds("Canceled", "cancel")
                && holds("goods not-received", "not received")
                && holds("Não Recebido", "nao recebido")
        );
        assert!(!holds("unpaid", "paid") && holds("unavailable", "unavailable"));
        assert!(!holds("now", "no") && holds("no", "no"));
    }
}
