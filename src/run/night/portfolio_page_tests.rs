use jiff::civil::date;
use proptest::prelude::*;

use super::*;

const TONIGHT: Date = date(2025, 7, 1);

fn breakdown(night_on: Date, dimension: Dimension, member: &str, owed: Option<i64>) -> PortfolioLine {
    PortfolioLine {
        night_on,
        dimension,
        member: Some(member.to_owned()),
        borrowers: 1,
        loans: i64::from(owed.is_some_and(|owed| owed > 0)),
        lent_minor: 500_000,
        outstanding_minor: owed,
        arrears_minor: owed,
        over_30_minor: owed.unwrap_or(0) / 4,
        over_60_minor: owed.unwrap_or(0) / 5,
        over_90_minor: owed.unwrap_or(0) / 10,
        non_performing_minor: owed.unwrap_or(0) / 8,
        provision_minor: Some(7),
        share: Some(0.25),
    }
}

fn roll(from: &str, to: &str, moved_minor: i64) -> RollRate {
    RollRate {
        basis: RollBasis::Night,
        from_on: date(2025, 6, 30),
        to_on: TONIGHT,
        from_place: from.to_owned(),
        to_place: to.to_owned(),
        loans: 1,
        moved_minor,
        increased_minor: 0,
        moved_share: None,
    }
}

fn page(tables: &PortfolioTables) -> String {
    let bucket = |name: &str, from_dpd, to_dpd| Bucket { name: name.to_owned(), from_dpd, to_dpd };
    let buckets = [bucket("current", 0, Some(0)), bucket("1-30", 1, Some(30)), bucket("over-30", 31, None)];
    let currency = Currency::new("CNY").unwrap();
    PortfolioPage { job: "shops", as_of: TONIGHT, currency, tables, drift: &[], buckets: &buckets }.html().unwrap()
}

/// Cells of the row of a table that begins with a text.
fn row(page: &str, first: &str) -> Vec<String> {
    let row = page.split("<tr><td>").find(|row| row.starts_with(&format!("{first}</td>"))).unwrap();
    let cells = row.split("</tr>").next().unwrap().split("<td>");
    cells.map(|cell| cell.trim_end_matches("</td>").to_owned()).collect()
}

#[test]
fn money_has_its_currency_and_places_stand_in_the_order_of_lateness() {
    let tables = PortfolioTables {
        portfolio: vec![breakdown(TONIGHT, Dimension::All, "all", Some(1_000_000))],
        rolls: vec![
            roll("over-30", "paid-off", 100),
            roll("current", "current", 200),
            roll("current", "1-30", 100),
            roll("new", "current", 50),
        ],
        ..PortfolioTables::default()
    };
    let page = page(&tables);
    assert_eq!(row(&page, "outstanding")[1], "10,000.00 CNY");
    assert_eq!(row(&page, "60 days and more")[1], "2,000.00 CNY, 20.00 %");
    assert_eq!(row(&page, "current"), ["current", "3.00 CNY", "66.7 %", "33.3 %", "–"]);
    assert_eq!(row(&page, "at the end, CNY"), ["at the end, CNY", "", "2.50", "1.00", "1.00"]);
    let places: Vec<usize> =
        ["new", "current", "over-30"].map(|place| page.find(&format!("<tr><td>{place}</td>")).unwrap()).to_vec();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn a_night_without_a_loan_book_is_a_gap_and_no_zero() {
    let blind = date(2025, 6, 30);
    let tables = PortfolioTables {
        portfolio: vec![
            breakdown(TONIGHT, Dimension::All, "all", Some(400)),
            breakdown(blind, Dimension::All, "all", Some(0)),
            breakdown(blind, Dimension::Status, "unknown", None),
            breakdown(date(2025, 6, 29), Dimension::All, "all", Some(300)),
        ],
        ..PortfolioTables::default()
    };
    let page = page(&tables);
    assert!(
        page.contains("<title>outstanding, 2025-06-29: 3</title>")
            && page.contains("<title>outstanding, 2025-07-01: 4</title>")
    );
    assert!(!page.contains("<title>outstanding, 2025-06-30"), "{page}");
    assert!(page.contains("<title>unknown, lent, 2025-06-30: 5000</title>"), "{page}");
}

#[test]
fn members_that_come_from_data_stay_text_and_the_small_ones_stand_together() {
    let of = |number: i64| breakdown(TONIGHT, Dimension::Category, &format!("<script>{number}"), Some(number * 100));
    let tables = PortfolioTables {
        portfolio: std::iter::once(breakdown(TONIGHT, Dimension::All, "all", Some(12_000)))
            .chain((1..=15).map(of))
            .collect(),
        ..PortfolioTables::default()
    };
    let page = page(&tables);
    assert!(!page.contains("<script"));
    assert_eq!(row(&page, "3 others")[3], "6.00 CNY");
    assert!(page.find("&#62;15</td>").unwrap() < page.find("&#62;4</td>").unwrap(), "who owes most comes first");
}

#[test]
fn a_curve_goes_as_far_as_the_youngest_of_its_loans() {
    let vintage = |month: i8, months_on_book, defaulted_minor| VintageLine {
        disbursed_in: Some(date(2024, month, 1)),
        product: "loan".to_owned(),
        months_on_book,
        loans: 1,
        lent_minor: 1_000,
        outstanding_minor: 0,
        written_off_minor: 0,
        defaulted_loans: 0,
        defaulted_minor,
        unpaid_minor: 0,
        defaulted_share: None,
    };
    let mut lines = Vec::new();
    for month in 1..=12 {
        lines.push(vintage(month, None, 300));
        lines.extend((1..=15 - i32::from(month)).map(|age| vintage(month, Some(age), i64::from(age) * 10)));
    }
    let curves = VintageCurve::all(&lines);
    let found: Vec<(&str, i32, i64)> =
        curves.iter().map(|curve| (curve.name.as_str(), curve.ages(), curve.lent_minor)).collect();
    assert_eq!(found, [("2024 Q1", 12, 3_000), ("2024 Q2", 9, 3_000), ("2024 Q3", 6, 3_000), ("2024 Q4", 3, 3_000)]);
    assert_eq!((curves[0].share(5), curves[0].share(13), curves[0].share_so_far()), (Some(0.05), None, Some(0.3)));
}

#[test]
fn numbers_on_axes_are_short() {
    for (value, text) in [
        (0.0, "0"),
        (0.05, "0.05"),
        (12.5, "12.5"),
        (250.0, "250"),
        (45_000.0, "45 k"),
        (1_250_000.0, "1.25 M"),
        (3e9, "3 bn"),
    ] {
        assert_eq!(short(value), text);
    }
}

proptest! {
    /// However a row is divided: what is shown of it adds up to 100 %, and no cell is further than a tenth of a per cent from its share.
    #[test]
    fn shares_of_a_row_add_up(parts in prop::collection::vec(0_i64..i64::MAX / 16, 1..12)) {
        let shares = permilles(&parts);
        let sum: i64 = parts.iter().sum();
        prop_assert_eq!(shares.iter().sum::<u64>(), if sum > 0 { 1000 } else { 0 });
        for (part, share) in parts.iter().zip(&shares) {
            let exact = if sum > 0 { *part as f64 / sum as f64 * 1000.0 } else { 0.0 };
            prop_assert!((exact - *share as f64).abs() <= 1.0, "{:?} {:?}", parts, shares);
        }
    }
}
