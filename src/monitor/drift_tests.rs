use std::path::Path;

use jiff::civil::date;

use super::*;

fn line(variable: &str, rows: i64, missing_share: f64) -> DriftLine {
    DriftLine {
        as_of: date(2025, 7, 1),
        variable: Some(variable.to_owned()),
        model_version: "m/1".to_owned(),
        reference_rows: 1_000,
        rows,
        index: Some(0.0),
        critical: Some(0.1),
        reference_missing_share: Some(0.0),
        missing_share: Some(missing_share),
        score_shift: Some(0.0),
        first_night_on: Some(date(2025, 7, 1)),
        first_night_index: None,
        first_night_critical: None,
    }
}

fn limits(text: &str) -> DriftLimits {
    let file = ConfigFile::from_text(Path::new("drift.toml"), text);
    file.parse::<RawDrift>().and_then(|raw| raw.check(&file)).unwrap()
}

#[test]
fn without_bounds_nothing_stops() {
    let figures = NightFigures { bands: Some((9.0, 0.1)), offered: Some((100, 0)) };
    assert_eq!(limits("").judge(&[line("a", 500, 0.0)], &[line("a", 500, 1.0)], &figures), Ok(()));
}

#[test]
fn scores_must_shift_beyond_the_bound_and_beyond_chance() {
    let limits = limits("max_score_index = 0.25");
    let of = |bands| limits.judge(&[], &[], &NightFigures { bands, offered: None });
    assert_eq!(of(None), Ok(()), "a first night");
    assert_eq!(of(Some((0.25, 0.1))), Ok(()));
    assert_eq!(of(Some((0.4, 0.5))), Ok(()), "so few rows differ so much by chance");
    let fault = of(Some((0.4, 0.1))).unwrap_err();
    assert!(fault.to_string().contains("0.400"), "{fault}");
}

#[test]
fn a_surge_of_missing_values_is_more_than_a_few_rows() {
    let limits = limits("max_missing_rise_share = 0.1");
    let of = |rows, was, is| limits.judge(&[line("a", rows, was)], &[line("a", rows, is)], &NightFigures::default());
    assert_eq!(of(500, 0.2, 0.3), Ok(()), "no more than the bound");
    assert_eq!(of(20, 0.2, 0.4), Ok(()), "four of twenty");
    let fault = of(500, 0.2, 0.4).unwrap_err();
    assert!(fault.to_string().contains("40.0 %"), "{fault}");
    assert_eq!(of(500, 0.4, 0.2), Ok(()), "values that come back");
    assert_eq!(
        limits.judge(&[], &[line("new", 500, 1.0)], &NightFigures::default()),
        Ok(()),
        "no night to compare with"
    );
}

#[test]
fn the_sum_offered_may_not_jump_or_fall() {
    let limits = limits("max_offered_change_share = 0.5");
    let of = |was, is| limits.judge(&[], &[], &NightFigures { bands: None, offered: Some((was, is)) });
    assert_eq!(
        [of(100, 150), of(100, 50), of(0, 7)],
        [Ok(()), Ok(()), Ok(())],
        "after nothing there is nothing to compare with"
    );
    assert!(of(100, 151).is_err() && of(100, 49).is_err());
    assert!(of(100, 0).is_err());
}

#[test]
fn bounds_out_of_range_are_refused() {
    for text in ["max_score_index = -1.0", "max_missing_rise_share = 1.5", "max_offered = 1.0"] {
        let file = ConfigFile::from_text(Path::new("drift.toml"), text);
        assert!(file.parse::<RawDrift>().and_then(|raw| raw.check(&file)).is_err(), "{text}");
    }
}
