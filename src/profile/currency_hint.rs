//! What speaks for a currency: a column of codes, a word in a name, a symbol, a country, a large city.

use std::collections::BTreeMap;

use super::column::{RawColumn, ValueKind};
use super::letters::is_accent;
use super::table::RawTable;

/// A currency and what speaks for it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct CurrencyHint {
    /// ISO 4217 code.
    pub code: String,
    /// 0 to 1.
    pub confidence: f64,
    /// What was seen.
    pub evidence: String,
}

/// Currencies with the symbols, country names and codes, and the large cities that speak for them.
const PLACES: [(&str, &[&str], &[&str]); 40] = [
    (
        "BRL",
        &["R$"],
        &["br", "bra", "brazil", "brasil", "sao paulo", "são paulo", "rio de janeiro", "belo horizonte", "curitiba"],
    ),
    ("USD", &["US$"], &["us", "usa", "united states", "new york", "los angeles", "chicago", "houston", "phoenix"]),
    (
        "EUR",
        &["€"],
        &[
            "de", "deu", "germany", "deutschland", "fr", "fra", "france", "es", "esp", "spain", "españa", "it", "ita",
            "italy", "italia", "nl", "netherlands", "pt", "portugal", "berlin", "hamburg", "münchen", "munich",
            "paris", "lyon", "madrid", "barcelona", "roma", "milano", "wien", "lisboa", "amsterdam",
        ],
    ),
    ("GBP", &["£"], &["gb", "gbr", "uk", "united kingdom", "england", "london", "manchester", "birmingham", "glasgow"]),
    (
        "CNY",
        &["RMB", "元"],
        &["cn", "chn", "china", "shanghai", "beijing", "shenzhen", "guangzhou", "hangzhou", "上海", "北京", "杭州"],
    ),
    (
        "INR",
        &["₹"],
        &["in", "ind", "india", "mumbai", "delhi", "new delhi", "bangalore", "bengaluru", "chennai", "kolkata"],
    ),
    ("ARS", &[], &["ar", "arg", "argentina", "buenos aires", "rosario", "córdoba"]),
    ("CLP", &[], &["cl", "chl", "chile", "valparaíso", "concepción"]),
    ("PEN", &[], &["pe", "per", "peru", "perú", "lima", "arequipa"]),
    ("UYU", &[], &["uy", "ury", "uruguay", "montevideo"]),
    ("CHF", &[], &["ch", "che", "switzerland", "schweiz", "zürich", "zurich", "basel", "genève"]),
    ("SEK", &[], &["se", "swe", "sweden", "sverige", "stockholm", "göteborg"]),
    ("AUD", &["A$"], &["au", "aus", "australia", "sydney", "melbourne", "brisbane"]),
    ("AED", &[], &["ae", "are", "united arab emirates", "dubai", "abu dhabi"]),
    ("EGP", &[], &["eg", "egy", "egypt", "cairo", "alexandria"]),
    ("GHS", &["₵"], &["gh", "gha", "ghana", "accra", "kumasi"]),
    ("UGX", &[], &["ug", "uga", "uganda", "kampala"]),
    ("TZS", &[], &["tz", "tza", "tanzania", "dar es salaam"]),
    ("LKR", &[], &["lk", "lka", "sri lanka", "colombo"]),
    ("UAH", &["₴"], &["ua", "ukr", "ukraine", "kyiv", "kharkiv"]),
    ("JPY", &["円"], &["jp", "jpn", "japan", "tokyo", "osaka", "kyoto", "nagoya"]),
    ("KRW", &["₩"], &["kr", "kor", "south korea", "seoul", "busan"]),
    ("IDR", &["Rp"], &["id", "idn", "indonesia", "jakarta", "surabaya", "bandung"]),
    ("VND", &["₫"], &["vn", "vnm", "vietnam", "hanoi", "ho chi minh city"]),
    ("THB", &["฿"], &["th", "tha", "thailand", "bangkok"]),
    ("PHP", &["₱"], &["ph", "phl", "philippines", "manila", "quezon city"]),
    ("MYR", &["RM"], &["my", "mys", "malaysia", "kuala lumpur"]),
    ("SGD", &["S$"], &["sg", "sgp", "singapore"]),
    ("PKR", &[], &["pk", "pak", "pakistan", "karachi", "lahore"]),
    ("BDT", &["৳"], &["bd", "bgd", "bangladesh", "dhaka", "chittagong"]),
    ("NGN", &["₦"], &["ng", "nga", "nigeria", "lagos", "kano", "abuja"]),
    ("KES", &["KSh"], &["ke", "ken", "kenya", "nairobi", "mombasa"]),
    ("ZAR", &["R"], &["za", "zaf", "south africa", "johannesburg", "cape town", "durban"]),
    ("MXN", &["MX$"], &["mx", "mex", "mexico", "méxico", "ciudad de mexico", "guadalajara", "monterrey"]),
    ("COP", &[], &["co", "col", "colombia", "bogota", "bogotá", "medellin"]),
    ("TRY", &["₺"], &["tr", "tur", "turkey", "türkiye", "istanbul", "ankara", "izmir"]),
    ("PLN", &["zł"], &["pl", "pol", "poland", "polska", "warszawa", "krakow", "kraków"]),
    ("CZK", &["Kč"], &["cz", "cze", "czech republic", "praha", "prague", "brno"]),
    ("RUB", &["₽"], &["ru", "rus", "russia", "moscow", "saint petersburg"]),
    ("CAD", &["C$"], &["ca", "can", "canada", "toronto", "montreal", "vancouver"]),
];

/// All that speaks for a currency, the strongest first.
#[must_use]
pub(super) fn currency_hints(tables: &[RawTable]) -> Vec<CurrencyHint> {
    let mut best: BTreeMap<String, (f64, String)> = BTreeMap::new();
    let mut speak = |code: &str, confidence: f64, evidence: String| {
        let before = best.entry(code.to_owned()).or_insert((0.0, String::new()));
        if confidence > before.0 {
            *before = (confidence, evidence);
        }
    };
    for table in tables {
        for column in &table.columns {
            let place = format!("{}.{}", table.name, column.name);
            if let Some((code, share)) = code_of(column) {
                speak(code, share, format!("{place} holds {code}"));
            }
            for (code, symbols, places) in PLACES {
                if let Some(share) =
                    share_of_words(column, |word| word.eq_ignore_ascii_case(code)).filter(|_| column.longest == 3)
                {
                    speak(code, share, format!("{place} holds {code}"));
                }
                let named =
                    column.name.to_lowercase().split(|c: char| !c.is_alphabetic()).any(|w| w == code.to_lowercase());
                if named && column.is_number() {
                    speak(code, 0.85, format!("{place} is named by {code}"));
                }
                if let ValueKind::Decimal(form) = &column.kind
                    && symbols.contains(&form.symbol.as_str())
                {
                    speak(code, 0.9, format!("{place} writes {:?}", form.symbol));
                }
                let is_named_by = |symbol: &&str| !symbol.is_ascii() && column.name.contains(*symbol);
                if symbols.iter().any(is_named_by) && column.is_number() {
                    speak(code, 0.8, format!("{place} is named by the symbol of {code}"));
                }
                if let Some(share) = share_of_mail_from(column, places) {
                    speak(
                        code,
                        0.6 * share,
                        format!("{place}: mail addresses end as in a country where {code} is paid"),
                    );
                }
                let lower: String = column.name.to_lowercase().chars().filter(|c| !is_accent(*c)).collect();
                let names = |words: &[&str]| lower.split(|c: char| !c.is_alphanumeric()).any(|w| words.contains(&w));
                let is_country = names(&["country", "pais", "país", "pays", "land", "nation", "国家"]);
                let is_city = names(&[
                    "city", "cidade", "ciudad", "ville", "stadt", "ort", "town", "城市", "il", "sehir", "şehir", "도시",
                ]);
                if is_country
                    && let Some(share) = share_of_words(column, |word| places.contains(&word.to_lowercase().as_str()))
                {
                    speak(code, 0.8 * share, format!("{place} names the country"));
                }
                let is_large_city = |word: &str| {
                    let plain: String = word.chars().filter(|c| !is_accent(*c)).collect();
                    plain.chars().count() > 3 && places.contains(&plain.as_str())
                };
                if is_city && column.has_any(is_large_city) {
                    speak(code, 0.6, format!("{place} holds a large city where {code} is paid"));
                }
            }
        }
    }
    let mut hints: Vec<CurrencyHint> =
        best.into_iter().map(|(code, (confidence, evidence))| CurrencyHint { code, confidence, evidence }).collect();
    hints.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then_with(|| a.code.cmp(&b.code)));
    hints
}

/// The code that most cells of a column hold which is called after currencies, whatever the currency, and their share.
fn code_of(column: &RawColumn) -> Option<(&str, f64)> {
    const NAMES: [&str; 14] = [
        "currency", "ccy", "moeda", "moneda", "devise", "wahrung", "währung", "waehrung", "waluta", "valuta", "waers",
        "waerk", "通貨", "통화",
    ];
    let lower = column.name.to_lowercase();
    let is_called_so = lower.split(|c: char| !c.is_alphanumeric()).any(|word| NAMES.contains(&word));
    let is_code = |word: &str| word.len() == 3 && word.bytes().all(|b| b.is_ascii_uppercase());
    if !is_called_so || column.words.is_empty() || !column.words.keys().all(|word| is_code(word)) {
        return None;
    }
    let all: usize = column.words.values().sum();
    let (code, rows) = column.words.iter().max_by_key(|(_, rows)| **rows)?;
    let share = *rows as f64 / all as f64;
    (share > 0.5).then_some((code.as_str(), share))
}

/// Share of mail addresses that end in the letters of one of these countries; `None` below nine tenths, and where they are no addresses.
fn share_of_mail_from(column: &RawColumn, places: &[&str]) -> Option<f64> {
    // These endings are used the world over.
    const EVERYWHERE: [&str; 5] = ["co", "in", "my", "id", "us"];
    let ending =
        |word: &str| word.rsplit_once('@').and_then(|(_, host)| host.rsplit_once('.')).map(|(_, e)| e.to_owned());
    let is_there =
        |word: &str| ending(word).is_some_and(|e| places.contains(&e.as_str()) && !EVERYWHERE.contains(&e.as_str()));
    let share = column.share_of_seen(is_there);
    (share >= 0.9).then_some(share)
}

/// Share of cells whose value passes, among columns of few values; `None` below a half.
fn share_of_words(column: &RawColumn, passes: impl Fn(&str) -> bool) -> Option<f64> {
    let all: usize = column.words.values().sum();
    let passing: usize = column.words.iter().filter(|(word, _)| passes(word)).map(|(_, rows)| rows).sum();
    let share = passing as f64 / all.max(1) as f64;
    (share > 0.5).then_some(share)
}
