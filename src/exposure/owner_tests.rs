use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::exposure::OfferState;

const NIGHT: Date = date(2025, 5, 2);

/// A shop with open offers of the night before, by product.
fn shop(receipts_minor: i64, owed_minor: Option<i64>, held: &[(&str, i64)]) -> Shops {
    let offer = |(product, held_minor): &(&str, i64)| OpenOffer {
        offer_id: (*product).to_owned(),
        merchant_id: "m".to_owned(),
        product: (*product).to_owned(),
        state: OfferState::Open,
        limit_minor: *held_minor,
        daily_rate_ppm: None,
        term_days: None,
        sales_share_ppm: None,
        drawn_minor: 0,
        drawn_before_minor: 0,
        held_minor: *held_minor,
        offered_on: NIGHT.yesterday().unwrap(),
        valid_until_on: NIGHT.tomorrow().unwrap(),
        replaces_offer_id: None,
        pledged_order_ids: Vec::new(),
    };
    let offers: Vec<OpenOffer> = held.iter().map(offer).collect();
    Shops::one(
        ShopStanding { receipts_minor, ..ShopStanding::default() },
        owed_minor,
        &offers,
        MerchantLoans::default(),
    )
}

/// What is left to shops that name an owner, and then to those that named it until some night.
fn shares(named: &[Shops], left: &[Shops], left_on: Date) -> Vec<Owners> {
    let owner = "x".to_owned();
    let named = named.iter().map(|shop| (Some(owner.clone()), Vec::new(), shop));
    let left = left.iter().map(|shop| (None, vec![(owner.clone(), left_on)], shop));
    let links = named.chain(left).map(|(named, left, shop)| OwnerLinks { named, left, shop: shop.clone() });
    let links: Vec<OwnerLinks> = links.collect();
    let mut totals = OwnerTotals::default();
    for links in &links {
        totals.add(links);
    }
    links.iter().map(|links| totals.share(links)).collect()
}

fn part(owners: &Owners, bound_minor: i64) -> Option<i64> {
    owners.shared[0].part_of(bound_minor)
}

#[test]
fn blanks_and_case_make_no_other_owner() {
    assert_eq!(compared(" DE 123-4 x").as_deref(), Some("de1234x"));
    assert_eq!(compared("de123-4X\t"), compared(" DE 123-4 x"));
    assert_eq!(compared("11.222.333/0001-00"), compared("11222333000100"));
    assert_eq!((compared(""), compared(" \u{a0}\n"), compared("\u{200b} -")), (None, None, None));
}

#[test]
fn an_owner_written_so_that_nobody_sees_the_difference_is_the_same() {
    let plain = compared("DE 123-Abc");
    for same in ["DE\u{200b}123-Abc", "ＤＥ１２３－Ａｂｃ", "DЕ123-Аbс", "dе123-АВС", "DE 123\u{2010}Abc"]
    {
        assert_eq!(compared(same), plain, "{same:?}");
        assert_eq!(compared(&compared(same).unwrap()), plain, "compared once more");
    }
    for other in ["DE 128-Abc", "DE l23-Abc", "ДЕ 123-Abc"] {
        assert_ne!(compared(other), plain, "{other:?}");
    }
    assert_eq!(compared("ООО Ромашка"), compared("ооо ромашка"));
}

#[test]
fn what_a_bound_leaves_is_divided_by_what_shops_took_in() {
    let parts = shares(&[shop(300, Some(100), &[]), shop(100, Some(0), &[("credit-loan", 60)])], &[], NIGHT);
    // 500 less 100 owed less 60 held leaves 340: three quarters and one quarter of it.
    assert_eq!((part(&parts[0], 500), part(&parts[1], 500)), (Some(255), Some(60 + 85)));
    assert_eq!(parts[0].shared[0].part_of_product("credit-loan", 100), 30);
    assert_eq!(parts[1].shared[0].part_of_product("order-loan", 100), 25);
    let idle = shares(&[shop(0, Some(0), &[]), shop(0, Some(0), &[])], &[], NIGHT);
    assert_eq!(part(&idle[0], 500), Some(250));
    assert!(shares(&[shop(300, Some(100), &[])], &[], NIGHT)[0].shared.is_empty(), "its only shop");
}

#[test]
fn who_has_left_answers_until_nothing_is_owed_or_open() {
    let (clear, owing) = (shop(100, Some(0), &[]), shop(100, Some(70), &[]));
    assert!(shares(&[clear.clone(), clear.clone()], std::slice::from_ref(&clear), NIGHT)[2].shared.is_empty());
    let bound = shares(&[clear.clone(), clear.clone()], std::slice::from_ref(&owing), NIGHT);
    assert_eq!(bound.iter().map(|owners| part(owners, 370)).collect::<Vec<_>>(), [Some(100); 3]);
    let of_the_others = shares(&[owing, clear.clone()], std::slice::from_ref(&clear), NIGHT);
    assert_eq!(part(&of_the_others[2], 370), Some(100));
    assert_eq!(of_the_others[2].owner_id, None);
    // What was offered before it left may be drawn still; what was offered since is no reason to hold it.
    let offered = [clear, shop(100, Some(0), &[("credit-loan", 40)])];
    assert_eq!(shares(&offered, &offered[..1], NIGHT)[2].shared.len(), 1);
    assert!(shares(&offered, &offered[..1], NIGHT.yesterday().unwrap())[2].shared.is_empty());
}

#[test]
fn a_shop_that_nobody_knows_the_debts_of_leaves_all_unknown() {
    let parts = shares(&[shop(100, Some(0), &[])], &[shop(0, None, &[])], NIGHT);
    assert_eq!(part(&parts[0], 500), None);
}

proptest! {
    #[test]
    fn parts_of_all_shops_stay_within_the_bound(
        shops in proptest::collection::vec((0..1_000_i64, 0..400_i64, 0..400_i64), 2..6),
        bound in 0..3_000_i64,
    ) {
        let shops: Vec<Shops> =
            shops.into_iter().map(|(receipts, owed, held)| shop(receipts, Some(owed), &[("credit-loan", held)])).collect();
        let owed: i64 = shops.iter().map(|shop| shop.owed_minor).sum();
        let parts: Vec<Owners> = shares(&shops, &[], NIGHT);
        let sum: i64 = parts.iter().map(|owners| part(owners, bound).unwrap()).sum();
        prop_assert!(sum <= (bound - owed).max(0), "{sum}");
        let of_product: i64 = parts.iter().map(|o| o.shared[0].part_of_product("credit-loan", bound)).sum();
        prop_assert!(of_product <= bound);
    }
}
