use std::path::Path;

use jiff::civil::date;

use super::*;

fn line(variable: &str, rows: i64, missing_share: f64) -> DriftLine {
    DriftLine {
        night_on: date(2025, 7, 1),
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

/// What stops the night: the first fault.
fn judged(
    limits: &DriftLimits,
    before: &[DriftLine],
    tonight: &[DriftLine],
    figures: &NightFigures,
) -> Result<(), DriftFault> {
    let verdict = limits.judge(date(2025, 7, 1), before, tonight, figures);
    assert!(verdict.allowed.is_empty());
    verdict.faults.into_iter().next().map_or(Ok(()), Err)
}

#[test]
fn without_bounds_nothing_stops() {
    let figures = NightFigures { bands: Some((9.0, 0.1)), offered: Some((100, 0)), ..NightFigures::default() };
    assert_eq!(judged(&limits(""), &[line("a", 500, 0.0)], &[line("a", 500, 1.0)], &figures), Ok(()));
}

#[test]
fn scores_must_shift_beyond_the_bound_and_beyond_chance() {
    let limits = limits("max_score_index = 0.25");
    let of = |bands| judged(&limits, &[], &[], &NightFigures { bands, ..NightFigures::default() });
    assert_eq!(of(None), Ok(()), "a first night");
    assert_eq!(of(Some((0.25, 0.1))), Ok(()));
    assert_eq!(of(Some((0.4, 0.5))), Ok(()), "so few rows differ so much by chance");
    let fault = of(Some((0.4, 0.1))).unwrap_err();
    assert!(fault.to_string().contains("0.400"), "{fault}");
}

#[test]
fn a_surge_of_missing_values_is_more_than_a_few_rows() {
    let limits = limits("max_missing_rise_share = 0.1");
    let none = NightFigures::default();
    let of = |rows, was, is| judged(&limits, &[line("a", rows, was)], &[line("a", rows, is)], &none);
    assert_eq!(of(500, 0.2, 0.3), Ok(()), "no more than the bound");
    assert_eq!(of(20, 0.2, 0.4), Ok(()), "four of twenty");
    let fault = of(500, 0.2, 0.4).unwrap_err();
    assert!(fault.to_string().contains("40.0 %"), "{fault}");
    assert_eq!(of(500, 0.4, 0.2), Ok(()), "values that come back");
    assert_eq!(judged(&limits, &[], &[line("new", 500, 1.0)], &none), Ok(()), "no night to compare with");
}

#[test]
fn the_sum_offered_may_not_jump_or_fall() {
    let limits = limits("max_offered_change_share = 0.5");
    let of = |was, is| judged(&limits, &[], &[], &NightFigures { offered: Some((was, is)), ..NightFigures::default() });
    assert_eq!(
        [of(100, 150), of(100, 50), of(0, 7)],
        [Ok(()), Ok(()), Ok(())],
        "after nothing there is nothing to compare with"
    );
    assert!(of(100, 151).is_err() && of(100, 49).is_err());
    assert!(of(100, 0).is_err());
}

#[test]
fn all_that_jumped_is_told_and_what_is_meant_is_allowed_until_its_date() {
    let bounds = "max_missing_rise_share = 0.1\nmax_offered_change_share = 0.5\n";
    let (before, tonight) = ([line("a", 500, 0.0), line("b", 500, 0.0)], [line("a", 500, 1.0), line("b", 500, 1.0)]);
    let figures = NightFigures { offered: Some((100, 0)), ..NightFigures::default() };
    let judge = |allow: &str| limits(&format!("{bounds}{allow}")).judge(date(2025, 7, 1), &before, &tonight, &figures);
    let what = |verdict: &DriftVerdict| verdict.faults.iter().map(DriftFault::what).collect::<Vec<_>>();
    assert_eq!(what(&judge("")), [Jump::Missing, Jump::Missing, Jump::Offered]);

    let allow =
        |what: &str, until: &str| format!("[[allow]]\nwhat = {what}\nuntil = \"{until}\"\nreason = \"a new policy\"\n");
    let verdict = judge(&allow("\"missing\"\nvariable = \"a\"", "2025-07-01"));
    assert_eq!(what(&verdict), [Jump::Missing, Jump::Offered]);
    assert!(
        matches!(&verdict.allowed[..], [AllowedJump { fault: DriftFault::Missing { variable, .. }, .. }] if variable == "a")
    );
    assert_eq!(what(&judge(&allow("\"missing\"", "2025-07-01"))), [Jump::Offered]);
    assert_eq!(judge(&allow("\"missing\"", "2025-06-30")).faults.len(), 3, "it has run out");
    let both = allow("\"missing\"", "2025-07-02") + &allow("\"offered\"", "2025-07-02");
    assert_eq!((judge(&both).faults.len(), judge(&both).allowed.len()), (0, 3));

    let absent = NightFigures { may_be_missing: ["a".to_owned()].into(), ..NightFigures::default() };
    let verdict = limits(bounds).judge(date(2025, 7, 1), &before, &tonight, &absent);
    assert!(matches!(&verdict.faults[..], [DriftFault::Missing { variable, .. }] if variable == "b"));
}

#[test]
fn bounds_out_of_range_are_refused() {
    let allow = |keys: &str| format!("[[allow]]\n{keys}\n");
    for text in [
        "max_score_index = -1.0".to_owned(),
        "max_missing_rise_share = 1.5".to_owned(),
        "max_offered = 1.0".to_owned(),
        allow("what = \"offered\"\nuntil = \"soon\"\nreason = \"x\""),
        allow("what = \"offered\"\nuntil = \"2025-07-01\"\nreason = \" \""),
        allow("what = \"offered\"\nvariable = \"a\"\nuntil = \"2025-07-01\"\nreason = \"x\""),
    ] {
        let file = ConfigFile::from_text(Path::new("drift.toml"), &text);
        assert!(file.parse::<RawDrift>().and_then(|raw| raw.check(&file)).is_err(), "{text}");
    }
}
