//! Events of a shop's web site among which its sales are: who looked at a thing or put it into a cart has bought nothing.

use super::ends::MAX_STATES;
use super::lending::skip_named;
use super::scope::Scope;
use super::table_draft::TableDraft;
use super::vocabulary::Concept as C;

/// What words of a sale hold, in lowercase.
const BOUGHT: [&str; 11] =
    ["purchase", "bought", "buy", "transaction", "order", "sale", "compra", "achat", "kauf", "购买", "下单"];
/// What words of something before it hold.
const LOOKED: [&str; 21] = [
    "view", "click", "cart", "search", "wish", "favo", "impression", "browse", "visit", "session", "login", "signup",
    "checkout", "warenkorb", "panier", "carrinho", "carrito", "carrello", "浏览", "加购", "收藏",
];

/// Leaves out what is no sale.
pub(super) fn skip_browsing(draft: &mut TableDraft, scope: &Scope) {
    let land = scope.land;
    let holds = |word: &str, pieces: &[&str]| pieces.iter().any(|piece| word.to_lowercase().contains(piece));
    let found = land.columns(scope.driver).find_map(|at| {
        let raw = land.column(at);
        let lower = raw.name.to_lowercase();
        let is_called_so = land.column_name(at).says(C::Kind) || lower.contains("event") || lower.contains("action");
        let words = || raw.words.keys().map(String::as_str);
        let looked: Vec<&str> = words().filter(|word| holds(word, &LOOKED)).collect();
        let has_sales = words().any(|word| holds(word, &BOUGHT) && !looked.contains(&word));
        let are_kinds = is_called_so && (2..=MAX_STATES).contains(&raw.words.len());
        (are_kinds && has_sales && !looked.is_empty()).then_some((at, looked))
    });
    if let Some((at, looked)) = found {
        skip_named(draft, scope, at, &looked, "are no sales: nothing was bought yet");
    }
}
