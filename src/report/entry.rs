//! One merchant's published entry, for a terminal.

use std::fmt::{Result, Write};

use crate::domain::{Currency, Money, counted, whole};
use crate::exposure::{DebtState, Statement};
use crate::offer::{CapName, Decline, Offer};
use crate::publish::{AnswerByDay, Entry};
use crate::score::MerchantScore;

/// The entry as text.
#[must_use]
pub fn entry_text(entry: &Entry) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_entry(&mut text, entry);
    text
}

pub(super) fn write_entry(out: &mut String, entry: &Entry) -> Result {
    writeln!(out, "merchant {} as of {} (run {})", entry.merchant_id, entry.as_of, entry.run_id)?;
    if let Some(note) = &entry.note {
        writeln!(out, "  note       {note}")?;
    }
    let amount = |minor: i64| amount(minor, entry.currency);
    if let Some(score) = &entry.score {
        write_score(out, score, debt_is_unknown(entry.account.as_ref()), amount)?;
    }
    if let Some(account) = &entry.account {
        let known = |minor: Option<i64>| minor.map_or("not known".to_owned(), amount);
        writeln!(
            out,
            "  account    owes {} · offered {} · held by earlier offers {} · receivables {} · {} orders pledged",
            known(account.owed_minor),
            amount(account.offered_minor),
            amount(account.held_minor),
            known(account.receivables_minor),
            account.pledged_orders
        )?;
        if account.owner_id.is_some() || account.owner_shops.is_some() {
            let owner = account.owner_id.as_deref().unwrap_or("not named by its row");
            let shops = match account.owner_shops {
                Some(shops) => format!(
                    "{shops} shops that are one borrower · they owed and could draw {} before tonight",
                    known(account.owner_committed_minor)
                ),
                None => "no other shop".to_owned(),
            };
            writeln!(out, "  owner      {owner} · {shops}")?;
        }
    }
    for ahead in &entry.receipts {
        writeln!(
            out,
            "  receipts   {} days ahead: lower bound {}, median {}; {} came in over the last 90 days",
            ahead.horizon_days,
            amount(ahead.lower_minor),
            amount(ahead.median_minor),
            amount(ahead.last_90_days_minor)
        )?;
    }
    for offer in &entry.offers {
        write_offer(out, offer, amount)?;
    }
    for decline in &entry.declines {
        write_decline(out, decline, amount)?;
    }
    for (at, answer) in entry.answered.iter().enumerate() {
        let is_newest = entry.answered.iter().skip(at + 1).all(|later| later.product != answer.product);
        write_answer(out, answer, is_newest.then_some(entry), amount)?;
    }
    for alert in &entry.alerts {
        let loan = alert.loan_id.as_deref().map_or(String::new(), |l| format!(" on loan {l}"));
        writeln!(out, "  alert      {} ({}){loan}: {}", alert.rule, alert.severity, alert.action)?;
    }
    Ok(())
}

/// An answer by day, and which of the run's offers it put out of use; without the `entry` one that a later answer took the place of.
fn write_answer(
    out: &mut String,
    answer: &AnswerByDay,
    entry: Option<&Entry>,
    amount: impl Fn(i64) -> String + Copy,
) -> Result {
    let AnswerByDay { at, application_id, product, offer, decline, .. } = answer;
    let what = if offer.is_some() { "an offer" } else { "nothing" };
    let Some(entry) = entry else {
        return writeln!(
            out,
            "  answered   {at:.0} application {application_id}: {what} of {product}; a later answer took its place"
        );
    };
    let stands = |published: &&Offer| offer.as_ref().is_none_or(|offer| offer.offer_id != published.offer_id);
    let of_product = entry.offers.iter().filter(|published| published.product == *product);
    let gone: Vec<&str> = of_product.filter(stands).map(|published| published.offer_id.as_str()).collect();
    let instead = match gone.as_slice() {
        [] => String::new(),
        gone => format!("; the run's offer {} can be drawn no more", gone.join(", ")),
    };
    writeln!(out, "  answered   {at:.0} application {application_id}: {what} of {product}{instead}")?;
    offer.iter().try_for_each(|offer| write_offer(out, offer, amount))?;
    decline.iter().try_for_each(|decline| write_decline(out, decline, amount))
}

/// Whether a loan of the merchant is not known, and so left out of the score.
pub(super) fn debt_is_unknown(account: Option<&Statement>) -> bool {
    account.is_some_and(|account| account.debt == DebtState::Unknown)
}

fn write_score(
    out: &mut String,
    score: &MerchantScore,
    debt_is_unknown: bool,
    amount: impl Fn(i64) -> String,
) -> Result {
    writeln!(
        out,
        "  score      {} · band {} · PD {} · model {}",
        score.score.map_or("none".to_owned(), |s| s.to_string()),
        score.band,
        score.pd_prob.map_or("not known".to_owned(), |pd| format!("{:.2} %", 100.0 * pd)),
        score.model_version
    )?;
    if let (Some(worst), Some(band), Some(pd)) =
        (score.worst_case_score, &score.worst_case_band, score.worst_case_pd_prob)
    {
        let which =
            if debt_is_unknown { "some records of trade cannot be read" } else { "some records cannot be read" };
        let but = if debt_is_unknown { ", loans left out" } else { "" };
        writeln!(out, "             {worst} · band {band} · PD {:.2} % at worst{but}: {which}", 100.0 * pd)?;
    }
    if debt_is_unknown && score.score.is_some() {
        writeln!(out, "             loans are not all known: the score leaves those out, and may be too high")?;
    }
    let groups: Vec<String> =
        score.sub_indices.iter().filter_map(|(group, index)| index.map(|i| format!("{} {i}", group.word()))).collect();
    match score.integrity_index {
        Some(index) => writeln!(out, "  integrity  index {index} of 1000: {}", groups.join(" · "))?,
        None => writeln!(out, "  integrity  index not known")?,
    }
    if let Some(capital) = score.integrity_capital_minor {
        writeln!(out, "             capital {}", amount(capital))?;
    }
    for reason in &score.reasons {
        writeln!(out, "  because    {} ({})", reason.text, reason.code)?;
    }
    Ok(())
}

pub(crate) fn write_offer(out: &mut String, offer: &Offer, amount: impl Fn(i64) -> String + Copy) -> Result {
    writeln!(
        out,
        "  offer      {} up to {} at {} ppm a day (APR {:.2} %), {} days, {}, until {} · {}",
        offer.product,
        amount(offer.limit_minor),
        offer.daily_rate_ppm,
        100.0 * offer.apr,
        offer.term_days,
        offer.repayment,
        offer.valid_until_on,
        offer.offer_id
    )?;
    writeln!(
        out,
        "             {}, {} interest in all, {} of it saved by repaying halfway; simple interest by actual days",
        counted(offer.instalments.into(), "instalment"),
        amount(offer.interest_minor),
        amount(offer.early_saving_minor)
    )?;
    if let (Some(share), Some(min), Some(receipts), Some(days), Some(most)) = (
        offer.sales_share_ppm,
        offer.min_per_60_days_ppm,
        offer.expected_receipts_minor,
        offer.expected_days,
        offer.most_interest_minor,
    ) {
        writeln!(
            out,
            "             {share} ppm of each day's receipts, {min} ppm of the loan per 60 days as the minimum; assumes receipts of {} over {} days: repaid after \
             {days}; {} interest at the minimum",
            amount(receipts),
            offer.term_days,
            amount(most)
        )?;
    }
    writeln!(
        out,
        "             rate: band {} · floor {} ppm = expected loss {} (PD {:.2} % over the term) + funding {} + cost {} + margin {}, or the policy's minimum rate",
        offer.band_daily_ppm,
        offer.floor_daily_ppm,
        offer.expected_loss_daily_ppm,
        100.0 * offer.term_pd_prob,
        offer.funding_daily_ppm,
        offer.cost_daily_ppm,
        offer.margin_daily_ppm
    )?;
    if let Some(fails) = offer.guarantee_fails_prob {
        writeln!(
            out,
            "             guarantee: where the borrower defaults, too few other members stand with {:.2} % probability",
            100.0 * fails
        )?;
    }
    if let Some(rate) = offer.optimised_rate_ppm {
        let own = offer.floor_daily_ppm.max(offer.band_daily_ppm);
        writeln!(out, "             rate: portfolio optimisation chose {rate} ppm in place of {own}")?;
    }
    for cap in &offer.caps {
        let binds = if cap.name == offer.binding_cap { "  ← binds" } else { "" };
        let value = cap.value_minor.map_or("not known".to_owned(), amount);
        // What is owed and offered elsewhere comes off what the evidence carries.
        let less = match (cap.gross_minor, cap.value_minor) {
            (Some(gross), Some(value)) if gross != value => format!("  of {}", amount(gross)),
            _ => String::new(),
        };
        writeln!(out, "             cap {:<18} {value:>18}{less}{binds}", cap.name)?;
    }
    let holding: Vec<String> = offer.needed.iter().map(|needed| needed.rule.clone()).collect();
    match offer.next_cap.zip(offer.next_limit_minor) {
        Some((next, limit)) => writeln!(
            out,
            "             held by {}: without it up to {}, where {next} binds",
            holding.join(" and "),
            amount(limit)
        )?,
        None if !holding.is_empty() => writeln!(out, "             held by {}", holding.join(" and "))?,
        None => {}
    }
    for decided in offer.overrides.iter().flatten() {
        writeln!(out, "             officer: {decided}")?;
    }
    for order in offer.pledged_order_ids.iter().flatten() {
        writeln!(out, "             pledges order {order}")?;
    }
    Ok(())
}

pub(crate) fn write_decline(out: &mut String, decline: &Decline, amount: impl Fn(i64) -> String + Copy) -> Result {
    writeln!(out, "  declined   {}", decline.product)?;
    for reason in &decline.reasons {
        writeln!(out, "             {} ({})", reason.text, reason.code)?;
    }
    for verdict in &decline.failed {
        let number = |v: Option<f64>| v.map_or("not known".to_owned(), plain);
        let said = match (verdict.observed, verdict.threshold) {
            // A rule that looks at no number.
            (None, None) => "does not hold".to_owned(),
            (observed @ Some(_), None) => format!("observed {}", number(observed)),
            (observed, threshold) => format!("observed {}, threshold {}", number(observed), number(threshold)),
        };
        writeln!(out, "             rule {}: {said}", verdict.rule)?;
    }
    for cap in &decline.caps {
        let value = cap.value_minor.map_or("not known".to_owned(), amount);
        writeln!(out, "             cap {:<18} {value:>18}", cap.name)?;
    }
    let number = |v: Option<f64>, unknown: &str| v.map_or(unknown.to_owned(), plain);
    for decided in decline.overrides.iter().flatten() {
        writeln!(out, "             officer: {decided}")?;
    }
    for needed in &decline.needed {
        if needed.observed.is_none() && needed.threshold.is_none() {
            writeln!(out, "             needed: {} ({})", condition(&needed.rule), needed.rule)?;
            continue;
        }
        // What a cap carries is money; what a rule looks at is a number of its own.
        let is_cap = needed.rule.parse::<CapName>().is_ok();
        let told = |v: Option<f64>, unknown: &str| match v.filter(|_| is_cap).and_then(whole) {
            Some(minor) => amount(minor),
            None => number(v, unknown),
        };
        let (observed, enough) = (told(needed.observed, "not known"), told(needed.threshold, "no number says it"));
        writeln!(out, "             needed: {} from {observed} to {enough}", needed.rule)?;
    }
    for change in &decline.score_changes {
        let (observed, enough) = (number(change.observed, "not known"), number(change.threshold, "–"));
        writeln!(out, "             the score by itself: {} from {observed} to {enough}", change.rule)?;
    }
    Ok(())
}

/// What has to hold by a rule that looks at no number.
fn condition(rule: &str) -> &str {
    match rule {
        "shop-open" => "the shop is open",
        "not-frozen" => "no alert freezes new credit",
        "officer" => "no officer declines it",
        "credit-record" => "the borrower's loans are all known",
        "in-default" => "no loan is in default",
        "written-off" => "nothing is written off",
        "group-in-default" => "no member of the guarantee group is in default",
        _ => "the rule holds",
    }
}

/// A number without the last bits of its binary fraction: 10000.000000000002 is 10000.
fn plain(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    // Beyond that such a multiple has no fraction, or is none any more.
    if value.abs() < 1e9 && (rounded != 0.0 || value == 0.0) { rounded.to_string() } else { value.to_string() }
}

/// An amount in the run's currency; bare minor units where an older run did not record it.
pub(crate) fn amount(minor: i64, currency: Option<Currency>) -> String {
    currency.map_or_else(|| format!("{minor} minor units"), |currency| Money::new(minor, currency).to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::civil::date;

    use super::*;

    fn told(worst: Option<i32>, debt_is_unknown: bool) -> String {
        let score = MerchantScore {
            merchant_id: "m".to_owned(),
            as_of: date(2025, 7, 1),
            score: Some(618),
            pd_prob: Some(0.02),
            band: "C".to_owned(),
            integrity_index: None,
            integrity_capital_minor: None,
            sub_indices: BTreeMap::new(),
            reasons: Vec::new(),
            model_version: "demo/1".to_owned(),
            worst_case_score: worst,
            worst_case_pd_prob: worst.map(|_| 0.03),
            worst_case_band: worst.map(|_| "D".to_owned()),
        };
        let mut text = String::new();
        write_score(&mut text, &score, debt_is_unknown, |minor| minor.to_string()).unwrap();
        text
    }

    #[test]
    fn numbers_are_told_without_the_last_bits_of_their_fraction() {
        let told: Vec<String> = [10_000.000_000_000_002, 0.1 + 0.2, -0.5, 0.0, 1.25e-9, 3e12].map(plain).into();
        assert_eq!(told, ["10000", "0.3", "-0.5", "0", "0.00000000125", "3000000000000"]);
    }

    #[test]
    fn the_worst_case_is_not_claimed_of_loans_that_are_not_known() {
        let too_high = "loans are not all known: the score leaves those out, and may be too high";
        assert!(told(Some(600), false).contains("600 · band D · PD 3.00 % at worst: some records cannot be read"));
        assert!(!told(Some(600), false).contains(too_high));
        let both = told(Some(600), true);
        assert!(both.contains("PD 3.00 % at worst, loans left out: some records of trade cannot be read"), "{both}");
        assert!(both.contains(too_high), "{both}");
        let loans_alone = told(None, true);
        assert!(loans_alone.contains(too_high) && !loans_alone.contains("at worst"), "{loans_alone}");
    }
}
