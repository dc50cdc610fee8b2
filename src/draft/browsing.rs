//! Events of a shop's web site among which its sales are: who looked at a thing or put it into a cart has bought nothing.

use super::ends::MAX_STATES;
use super::lending::skip_named;
use super::names;
use super::scope::Scope;
use super::table_draft::TableDraft;
use super::vocabulary::Concept as C;
use crate::profile::RawColumn;

/// Words of a sale, whole and in lowercase: they win over all that stands beside them.
const BOUGHT: [&str; 24] = [
    "purchase", "purchases", "purchased", "bought", "buy", "transaction", "transactions", "order", "orders", "ordered",
    "sale", "sales", "compra", "compras", "venda", "venta", "achat", "achats", "vente", "kauf", "gekauft",
    "bestellung", "购买", "下单",
];
/// What is nothing but an event of a web site, as the whole of what a cell says.
const SURELY_LOOKED: [&str; 24] = [
    "add to cart", "added to cart", "addtocart", "remove from cart", "removed from cart", "removefromcart",
    "view cart", "add to wishlist", "page view", "pageview", "page viewed", "product view", "product viewed",
    "productview", "view product", "view item", "view item list", "viewitem", "item view", "detail view", "浏览",
    "加购", "in den warenkorb", "ajout au panier",
];
/// What says so only beside another of them: `Cart` may be a way of ordering, and a view of the sea is sold. Sessions and visits are sold too.
const LOOKED: [&str; 29] = [
    "view", "views", "viewed", "pv", "cart", "carted", "warenkorb", "panier", "carrinho", "carrito", "carrello",
    "click", "clicks", "clicked", "search", "wishlist", "wish list", "fav", "favorite", "favourite", "impression",
    "browse", "session start", "login", "signup", "sign up", "checkout", "begin checkout", "收藏",
];
/// How many of them are of a thing's page or of a cart: the first of the list.
const OF_A_THING: usize = 11;

/// Leaves out what is no sale.
pub(super) fn skip_browsing(draft: &mut TableDraft, scope: &Scope) {
    let land = scope.land;
    let found = land.columns(scope.driver).find_map(|at| {
        let raw = land.column(at);
        let lower = raw.name.to_lowercase();
        let is_called_so = land.column_name(at).says(C::Kind) || lower.contains("event") || lower.contains("action");
        let looked = if is_called_so { looked(raw) } else { Vec::new() };
        (!looked.is_empty()).then_some((at, looked))
    });
    if let Some((at, looked)) = found {
        skip_named(draft, scope, at, &looked, "are no sales: nothing was bought yet");
    }
}

/// The words of a column that are no sales; none where it says no sale beside them, or where they may be anything.
fn looked(raw: &RawColumn) -> Vec<&str> {
    // Views are nearly all of what a web site records; of other words so many would be another thing than visits among sales.
    const MOST: f64 = 0.5;
    if !(2..=MAX_STATES).contains(&raw.words.len()) {
        return Vec::new();
    }
    let (mut looked, mut has_sales, mut is_sure, mut is_of_a_thing) = (Vec::new(), false, false, false);
    for word in raw.words.keys() {
        let parts = names::words(word);
        let phrase = parts.join(" ");
        if parts.iter().any(|part| BOUGHT.contains(&part.as_str())) {
            has_sales = true;
        } else if SURELY_LOOKED.contains(&phrase.as_str()) {
            is_sure = true;
            looked.push(word.as_str());
        } else if let Some(place) = LOOKED.iter().position(|known| *known == phrase) {
            is_of_a_thing |= place < OF_A_THING;
            looked.push(word.as_str());
        }
    }
    let is_few = raw.rows_with(&looked) as f64 <= MOST * (raw.rows() - raw.nulls) as f64;
    let are_events = is_sure || (looked.len() > 1 && (is_of_a_thing || is_few));
    if has_sales && are_events { looked } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_events_of_a_web_site_are_no_sales() {
        let cases: [(&[&str], &[&str]); 13] = [
            (&["view", "addtocart", "transaction"], &["addtocart", "view"]),
            (&["AddToCart", "Purchase"], &["AddToCart"]),
            (&["pv", "cart", "fav", "buy"], &["cart", "fav", "pv"]),
            (&["page_view", "view_item", "order", "pageview"], &["page_view", "pageview", "view_item"]),
            (&["Compra cartão", "Compra boleto"], &[]),
            (&["Achat carte", "Achat espèces"], &[]),
            (&["Click & Collect", "Sale", "Delivery"], &[]),
            (&["Self-checkout", "Sale"], &[]),
            (&["Purchase reviewed", "Purchase", "Purchase viewed"], &[]),
            (&["Cartridge", "Order"], &[]),
            (&["Cart", "Order by phone"], &[]),
            (&["Session", "Visit", "Sale"], &[]),
            // No sale is named, and these two are most of the rows.
            (&["view", "cart", "remove_from_cart"], &[]),
        ];
        for (cells, expected) in cases {
            let raw = RawColumn::of_texts("event", cells);
            assert_eq!(looked(&raw), expected, "{cells:?}");
        }
        let most = RawColumn::of_texts("event", &["login", "search", "sale", "login"]);
        assert!(looked(&most).is_empty());
    }
}
