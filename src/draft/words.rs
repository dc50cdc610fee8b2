//! Words of exports that mean a word of the contract: statuses, outcomes, reasons, products.

use std::collections::BTreeMap;

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
                        "not received", "non receipt", "not delivered", "undelivered", "nao recebido", "no recibido",
                        "non recu", "nicht erhalten", "nicht geliefert", "没收到", "未收到", "no llego", "non arrive",
                        "missing", "short delivery", "nicht angekommen", "non arrivato", "nie otrzyman", "nie dotar",
                        "未着", "届かない", "teslim edilmedi", "ulasmadi", "미수령", "미배송",
                    ],
                ),
                (
                    "counterfeit",
                    &[
                        "counterfeit", "fake", "falso", "falsificad", "contrefacon", "falschung", "podrob", "假",
                        "偽物", "sahte", "가품", "위조",
                    ],
                ),
                (
                    "not-as-described",
                    &[
                        "not as described", "defect", "quality", "damaged", "wrong item", "diferente", "nao conforme",
                        "non conforme", "mangel", "beschadigt", "danad", "danific", "endommag", "danneggiat", "质量",
                        "描述不符", "niezgodn", "uszkodz", "異なる", "不良", "kusurlu", "hasarli", "yanlis", "불량",
                        "파손", "오배송",
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
                        "buyer won", "of guest", "lost", "customer", "client", "accepted", "upheld", "cardholder",
                        "perdido", "perdida", "verloren", "refund", "reembols", "rembours", "erstattet", "rimbors",
                        "退款", "买家", "buyer", "kunde", "karteninhaber", "acheteur", "comprador", "granted",
                        "approved", "procedente", "uznan", "認容", "返金", "kabul", "구매자", "인용", "anerkannt",
                        "berechtigt",
                    ],
                ),
                (
                    "merchant-won",
                    &[
                        "merchant won", "of host", "seller won", "won", "rejected", "denied", "dismissed", "reversed",
                        "ganho", "ganado", "gewonnen", "abgelehnt", "rechaz", "recus", "refus", "rejet", "respint",
                        "驳回", "卖家", "merchant", "seller", "freelancer", "contractor", "provider", "supplier",
                        "vendor", "handler", "haendler", "verkaufer", "vendeur", "vendedor", "improcedente", "odrzuc",
                        "棄却", "却下", "reddedil", "기각", "판매자", "unberechtigt",
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
                (
                    "equal-principal",
                    // A German Ratentilgung repays the same principal each time; what stays the same of an Annuität is the instalment.
                    &[
                        "equal principal", "linear", "sac", "ratentilgung", "tilgungsdarlehen", "capital constante",
                        "constant principal",
                    ],
                ),
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
                (
                    "none",
                    &["none", "no", "false", "unverified", "nao", "nein", "non", "nie", "n", "f", "0", "未", "미인증"],
                ),
                (
                    "full",
                    &[
                        "full", "true", "yes", "verified", "sim", "si", "ja", "oui", "tak", "y", "j", "t", "1", "済",
                        "onayl", "是", "인증완료",
                    ],
                ),
                ("basic", &["basic", "partial", "pending", "basico", "beklemede"]),
            ],
            None,
        ),
        _ => (&[], None),
    }
}

/// SQL that turns the words of a column into the contract's; `None` where it has no word that means any and the contract offers no other.
pub(super) fn mapped(table: &str, column: &str, raw: &RawColumn, sql: &str, allowed: &[&str]) -> Option<String> {
    // Words that the contract does not have are errors where they are rare: they are quarantined as they were written.
    let rows: usize = raw.words.values().sum();
    let allowed_rows: usize =
        raw.words.iter().filter(|(word, _)| allowed.contains(&word.as_str())).map(|(_, rows)| rows).sum();
    if allowed_rows as f64 >= 0.97 * rows as f64 {
        return Some(sql.to_owned());
    }
    let (meanings, other) = meanings(table, column);
    let levels = if (table, column) == ("merchants", "verification") { levels(raw) } else { BTreeMap::new() };
    let mut whens: Vec<String> = Vec::new();
    let mut placed: Vec<&str> = Vec::new();
    for (word, pieces) in meanings {
        let means = |raw: &str| match levels.get(raw) {
            Some(level) => level == word,
            None => pieces.iter().any(|piece| holds(raw, piece)),
        };
        let meant: Vec<&str> =
            raw.words.keys().map(String::as_str).filter(|raw| !placed.contains(raw) && means(raw)).collect();
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

/// Numbered levels of verification as the contract's words: 0 is none, the highest of two or more is full, what lies between is basic. Of 0 and 1 alone
/// without a word beside them nothing is said here: they are a flag.
fn levels(raw: &RawColumn) -> BTreeMap<&str, &'static str> {
    const HIGHEST: u32 = 9;
    let numbered: BTreeMap<&str, u32> =
        raw.words.keys().filter_map(|word| Some((word.as_str(), level_of(word)?))).collect();
    let highest = numbered.values().copied().max().unwrap_or(0);
    let is_flag = highest < 2 && numbered.keys().all(|word| word.trim().bytes().all(|b| b.is_ascii_digit()));
    if is_flag || highest > HIGHEST {
        return BTreeMap::new();
    }
    let said = |level: u32| match level {
        0 => "none",
        _ if level == highest && highest >= 2 => "full",
        _ => "basic",
    };
    numbered.into_iter().map(|(word, level)| (word, said(level))).collect()
}

/// The number of a level: `Tier 2`, `level_2`, `KYC Tier 2`, `T2`, `2`.
fn level_of(word: &str) -> Option<u32> {
    const LEVELS: [&str; 18] = [
        "tier", "level", "lvl", "t", "l", "kyc", "kyb", "stufe", "nivel", "nível", "niveau", "livello", "poziom",
        "seviye", "step", "等级", "レベル", "레벨",
    ];
    let lower = word.trim().to_lowercase();
    let before = lower.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = lower.strip_prefix(before)?.parse().ok()?;
    let mut said = before.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    said.all(|word| LEVELS.contains(&word)).then_some(number)
}

/// Values of a column that mean a word of the contract.
pub(super) fn meaning<'a>(table: &str, column: &str, word: &str, raw: &'a RawColumn) -> Vec<&'a str> {
    let (meanings, _) = meanings(table, column);
    let mut placed: Vec<&str> = Vec::new();
    for (meant, pieces) in meanings {
        let found = raw.words.keys().map(String::as_str).filter(|raw| {
            !placed.contains(raw) && (raw.eq_ignore_ascii_case(meant) || pieces.iter().any(|piece| holds(raw, piece)))
        });
        let found: Vec<&str> = found.collect();
        if *meant == word {
            return found;
        }
        placed.extend(found);
    }
    Vec::new()
}

/// Words of a status column that say that an order came to nothing.
const FAILED: [&str; 39] = [
    // Parcels that nobody took go back to where they came from.
    "rto", "to origin", "revers", "estorn", "disapprov", "cancel", "unavailable", "void", "fail", "declin", "reject",
    "refus", "denied", "expired", "aborted", "storniert", "abgelehnt", "annul", "anulad", "negad", "recusad",
    "rechazad", "indispon", "取消", "失败", "拒绝", "关闭", "anulowan", "キャンセル", "iptal", "basarisiz", "reddedil",
    "취소", "실패", "거절", "batal", "dibatalkan", "gagal", "ditolak",
];
/// Words of a status column that say that an order arrived, or was completed.
const ARRIVED: [&str; 35] = [
    "deliver",
    "complet",
    "fulfilled",
    "entregue",
    "entregad",
    "livre",
    "geliefert",
    "zugestellt",
    "erledigt",
    "consegnat",
    "bezorgd",
    "geleverd",
    "levererad",
    "leveret",
    "levert",
    "dorucen",
    "doreczon",
    "livrat",
    "доставлен",
    "выполнен",
    "签收",
    "完成",
    "dostarczon",
    "zakonczon",
    "zrealizowan",
    "odebran",
    "処理済",
    "配達完了",
    "teslim edildi",
    "배송완료",
    "구매확정",
    "handed over",
    "picked up by customer",
    "selesai",
    "diterima",
];
/// Words that say that it is over with success, where no word says more.
const OVER: [&str; 19] = [
    "settled", "success", "closed", "done", "finish", "finaliz", "terminad", "termine", "concluid", "conclus",
    "abgeschlossen", "afgerond", "posted", "成功", "tamamland", "완료", "released", "завершен", "berhasil",
];
/// Words that say that it was paid.
const PAID: [&str; 20] = [
    "paid", "approved", "aprovad", "captured", "pago", "pagad", "pagat", "paye", "regle", "bezahlt", "betaald",
    "betalt", "oplacon", "zaplacen", "оплачен", "odendi", "付款", "支付", "入金済", "결제완료",
];
/// Words that say that it is on its way, or that something else became of it.
const ON_ITS_WAY: [&str; 62] = [
    "new", "open", "pending", "process", "progress", "created", "placed", "received", "hold", "draft", "await", "wait",
    "confirm", "accepted", "prepar", "pack", "ready", "charged back", "chargeback", "disput", "unpaid", "not paid",
    "invoiced", "active", "authorized", "authorised", "scheduled", "nowe", "nowy", "realizacji", "oczekuj", "zwrocon",
    "przygotow", "offen", "neu", "bearbeitung", "retour", "erstattet", "pendente", "pendiente", "pendient",
    "en proceso", "processando", "devolvid", "devuelt", "reembols", "criad", "faturad", "attente", "en cours",
    "rembours", "attesa", "rimbors", "hazirlan", "bekle", "iade", "yeni", "待", "退", "処理中", "返", "준비",
];
/// Words of those that come after payment: an order that is paid has not arrived where there are such.
const SENT_OFF: [&str; 18] = [
    "ship", "sent", "transit", "patch", "wyslan", "versand", "versendet", "verschickt", "unterwegs", "enviad",
    "despachad", "transito", "expedi", "spedit", "kargo", "发货", "発送", "dikirim",
];

/// Values that say that an order was cancelled or refused.
pub(super) fn failed(raw: &RawColumn) -> Vec<&str> {
    raw.words.keys().map(String::as_str).filter(|word| FAILED.iter().any(|piece| holds(word, piece))).collect()
}

/// Words of rows that take back what another row says.
const TAKES_BACK: [&str; 25] = [
    "revers", "refund", "chargeback", "charge back", "charged back", "bounce", "storno", "storniert", "zuruckgebucht",
    "rucklast", "ruckbuchung", "ruckzahlung", "erstatt", "estorn", "contracargo", "reembols", "rembours", "impaye",
    "rimbors", "zwrot", "iade", "冲正", "退款", "返金", "환불",
];

/// Values that say that a row takes another back.
pub(super) fn take_back(raw: &RawColumn) -> Vec<&str> {
    raw.words.keys().map(String::as_str).filter(|word| TAKES_BACK.iter().any(|piece| holds(word, piece))).collect()
}

/// Whether a word says that something failed or was taken back.
pub(super) fn never_stays(word: &str) -> bool {
    TAKES_BACK.iter().chain(&FAILED).any(|piece| holds(word, piece))
}

/// Values that say that money did not arrive, or did not stay.
pub(super) fn never_stayed(raw: &RawColumn) -> Vec<&str> {
    const NOT_ARRIVED: [&str; 11] = [
        "unpaid", "returned", "dishono", "nsf", "pending", "await", "scheduled", "initiated", "pendente", "pendient",
        "insufficient",
    ];
    let is_one = |word: &str| never_stays(word) || NOT_ARRIVED.iter().any(|piece| holds(word, piece));
    raw.words.keys().map(String::as_str).filter(|word| is_one(word)).collect()
}

/// Whether a word of a line's kind says that a marketplace keeps it.
pub(super) fn is_commission(word: &str) -> bool {
    const COMMISSIONS: [&str; 12] = [
        "fees", "commission", "comision", "comissao", "gebuhr", "provision", "prowizj", "komisyon", "佣金", "手续费",
        "手数料", "수수료",
    ];
    COMMISSIONS.iter().any(|piece| holds(word, piece))
}

/// What a word of a status column says of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It came to nothing.
    Failed,
    /// It arrived, or was completed.
    Arrived,
    /// It is over, with success.
    Over,
    /// It was paid.
    Paid,
    /// It was sent off.
    SentOff,
    /// It is on its way, or something else became of it.
    OnItsWay,
}

/// Words of something that has not happened, whatever is named beside them: `awaiting shipment`, `delivery scheduled`.
const AHEAD: [&str; 24] = [
    "yet to", "do odebrania", "a livrer", "await", "wait", "pending", "scheduled", "to be ", "ready to", "ready for",
    "oczekuj", "pendente", "pendient", "attente", "attesa", "bekle", "bereit", "待发", "待付", "待收", "대기",
    "perlu ", "menunggu", "belum ",
];
/// Words of a part, and of what goes back.
const IN_PART: [&str; 9] =
    ["partial", "teilweise", "czesciowo", "parcial", "partiel", "refund", "return", "zwrot", "sebagian"];
/// Words of what went back.
const GOES_BACK: [&str; 22] = [
    "refund", "return", "retour", "rembours", "devuelt", "devolvid", "reembols", "zuruckgegeb", "zuruckgesandt",
    "zuruckgeschickt", "ruckgabe", "erstatt", "zwrot", "zwroc", "rimbors", "reso", "resa", "iade", "退", "返",
    "pengembalian", "retur",
];
/// Whether a word of a status column says that what was ordered, or its price, went back.
pub(super) fn went_back(word: &str) -> bool {
    stage(word) == Some(Stage::OnItsWay) && GOES_BACK.iter().any(|piece| holds(word, piece))
}

/// What is being delivered has not arrived.
const BEING_DELIVERED: [&str; 4] = ["out for deliver", "in delivery", "in zustellung", "派送中"];

/// What a word of a status column says of an order; `None` where the word is not known.
pub(super) fn stage(word: &str) -> Option<Stage> {
    let is_one_of = |pieces: &[&str]| pieces.iter().any(|piece| holds(word, piece));
    // `Delivered, awaiting review` has arrived.
    let plain = word.trim_start().to_lowercase();
    let begins_at_the_end = !plain.starts_with("delivery") && ARRIVED.iter().any(|piece| plain.starts_with(piece));
    Some(match () {
        () if is_one_of(&FAILED) => Stage::Failed,
        () if is_one_of(&IN_PART) => Stage::OnItsWay,
        () if is_one_of(&BEING_DELIVERED) => Stage::SentOff,
        () if is_one_of(&AHEAD) && !begins_at_the_end => Stage::OnItsWay,
        () if is_one_of(&ARRIVED) => Stage::Arrived,
        () if is_one_of(&OVER) => Stage::Over,
        () if is_one_of(&SENT_OFF) => Stage::SentOff,
        () if is_one_of(&PAID) => Stage::Paid,
        () if is_one_of(&ON_ITS_WAY) || is_one_of(&GOES_BACK) => Stage::OnItsWay,
        () => return None,
    })
}

/// Values that say that an order reached its end: that it arrived where one says so, else that it is over, else that it was paid.
pub(super) fn done(raw: &RawColumn) -> Vec<&str> {
    let of = |wanted: Stage| -> Vec<&str> {
        raw.words.keys().map(String::as_str).filter(|word| stage(word) == Some(wanted)).collect()
    };
    [Stage::Arrived, Stage::Over, Stage::Paid].into_iter().map(of).find(|words| !words.is_empty()).unwrap_or_default()
}

/// Whether a word of a bank's books says that money came into the account.
pub(super) fn is_incoming(word: &str) -> bool {
    const IN: [&str; 14] = [
        "credit", "cr", "deposit", "incoming", "in", "prijem", "haben", "eingang", "einzahlung", "abono", "entrada",
        "uznanie", "收入", "入金",
    ];
    IN.iter().any(|piece| holds(word, piece))
}

/// Whether it says that money went out.
pub(super) fn is_outgoing(word: &str) -> bool {
    const OUT: [&str; 16] = [
        "debit", "dr", "withdraw", "outgoing", "out", "vydaj", "vyber", "soll", "ausgang", "auszahlung", "cargo",
        "saida", "salida", "obciazenie", "支出", "出金",
    ];
    OUT.iter().any(|piece| holds(word, piece))
}

/// Whether a kind of row says that a merchant took money off its account.
pub(super) fn is_withdrawal(word: &str) -> bool {
    const TAKEN: [&str; 8] = ["withdraw", "payout", "cash out", "cashout", "auszahlung", "retiro", "retrait", "提现"];
    TAKEN.iter().any(|piece| holds(word, piece))
}

/// Values of a flag that say yes.
pub(super) fn yes(raw: &RawColumn) -> Vec<&str> {
    const YES: [&str; 13] = ["1", "true", "t", "yes", "y", "ja", "j", "oui", "si", "sim", "s", "x", "tak"];
    raw.words.keys().map(String::as_str).filter(|word| YES.contains(&word.to_lowercase().as_str())).collect()
}

/// Words of a flag that say no.
pub(super) fn no(raw: &RawColumn) -> Vec<&str> {
    const NO: [&str; 9] = ["0", "false", "f", "no", "n", "nein", "non", "nao", "nie"];
    raw.words.keys().map(String::as_str).filter(|word| NO.contains(&word.to_lowercase().as_str())).collect()
}

/// `'a', 'b'`.
pub(super) fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("'{}'", word.replace('\'', "''"))).collect::<Vec<_>>().join(", ")
}

/// Beginnings that turn a word into its contrary.
const NEGATIONS: [&str; 4] = ["un", "in", "im", "nie"];
/// The same of further languages, and of scripts without spaces.
const FURTHER_NEGATIONS: [&str; 7] = ["ne", "on", "u", "не", "未", "待", "미"];
/// Words that do so before one.
const NOT: [&str; 10] = ["not ", "nao ", "nie ", "no ", "non ", "nicht ", "niet ", "ikke ", "inte ", "не "];

fn holds(raw: &str, piece: &str) -> bool {
    let plain: String = raw
        .to_lowercase()
        .chars()
        .filter(|c| !crate::profile::is_accent(*c))
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .map(crate::profile::without_accent)
        .collect();
    // `unpaid`, `not delivered` and `improcedente` say the contrary; `unavailable` is in the list as it stands.
    let is_of_them = |word: &str| NEGATIONS.iter().chain(&["not", "nao"]).chain(&NOT).any(|no| word.starts_with(no));
    let negations = || NEGATIONS.iter().chain(&FURTHER_NEGATIONS);
    let negated = NOT.iter().any(|no| plain.starts_with(no))
        || negations().any(|no| plain.split(' ').any(|word| word.starts_with(&format!("{no}{piece}"))));
    if negated && !is_of_them(piece) {
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
    fn words_of_states_tell_a_stage_or_nothing() {
        for (word, expected) in [
            ("delivered", Some(Stage::Arrived)),
            ("Zrealizowane", Some(Stage::Arrived)),
            ("erledigt", Some(Stage::Arrived)),
            ("bezahlt", Some(Stage::Paid)),
            ("opłacone", Some(Stage::Paid)),
            ("unpaid", Some(Stage::OnItsWay)),
            ("partially delivered", Some(Stage::OnItsWay)),
            ("not delivered", None),
            ("shipped", Some(Stage::SentOff)),
            ("Awaiting shipment", Some(Stage::OnItsWay)),
            ("awaiting delivery", Some(Stage::OnItsWay)),
            ("refund completed", Some(Stage::OnItsWay)),
            ("teilweise geliefert", Some(Stage::OnItsWay)),
            ("do odebrania", Some(Stage::OnItsWay)),
            ("à livrer", Some(Stage::OnItsWay)),
            ("Delivery scheduled", Some(Stage::OnItsWay)),
            ("待发货", Some(Stage::OnItsWay)),
            ("Out for delivery", Some(Stage::SentOff)),
            ("delivery completed", Some(Stage::Arrived)),
            ("Delivered, awaiting review", Some(Stage::Arrived)),
            ("closed", Some(Stage::Over)),
            ("anulowane", Some(Stage::Failed)),
            ("Gagal", Some(Stage::Failed)),
            ("Berhasil", Some(Stage::Over)),
            ("xyzzy", None),
        ] {
            assert_eq!(stage(word), expected, "{word}");
        }
    }

    #[test]
    fn a_word_that_says_the_contrary_is_not_the_end() {
        let contraries = [
            "no entregado",
            "nicht zugestellt",
            "niet bezorgd",
            "nedoručeno",
            "nelivrat",
            "не доставлен",
            "non consegnato",
            "未完成",
            "待签收",
            "onbetaald",
            "ubetalt",
            "nezaplaceno",
            "non payé",
            "не оплачен",
            "未付款",
            "待付款",
            "disapproved",
            "unpaid",
            "not delivered",
        ];
        for word in contraries {
            let said = stage(word);
            assert!(!matches!(said, Some(Stage::Arrived | Stage::Over | Stage::Paid)), "{word}: {said:?}");
        }
        for word in ["betaald", "betalt", "zaplaceno", "оплачен", "付款"] {
            assert_eq!(stage(word), Some(Stage::Paid), "{word}");
        }
    }

    #[test]
    fn numbered_levels_are_known_by_their_number() {
        for (word, level) in
            [("Tier 0", 0), ("T2", 2), ("KYC Level 3", 3), ("level_1", 1), ("tier-2", 2), ("3", 3), ("Nível 2", 2)]
        {
            assert_eq!(level_of(word), Some(level), "{word}");
        }
        for word in ["verified", "Plan 2", "2x", "", "tier", "Tier 99999999999"] {
            assert_eq!(level_of(word), None, "{word}");
        }
    }

    #[test]
    fn pieces_are_found_in_words() {
        assert!(
            holds("Canceled", "cancel")
                && holds("goods not-received", "not received")
                && holds("Não Recebido", "nao recebido")
        );
        assert!(!holds("unpaid", "paid") && holds("unavailable", "unavailable"));
        assert!(holds("In favor of seller", "seller") && !holds("not delivered", "deliver"));
        assert!(!holds("Improcedente", "procedente") && holds("Procedente", "procedente"));
        assert!(!holds("now", "no") && holds("no", "no"));
    }
}
