//! Answers to applications, for a terminal.

use std::fmt::{Result, Write};

use crate::answer::{Answer, Answered, Outcome};
use crate::offer::OrderVerdict;
use crate::report::{amount, write_decline, write_offer};

/// The answers as text.
#[must_use]
pub fn answers_text(answered: &Answered) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_answers(&mut text, answered);
    text
}

fn write_answers(out: &mut String, answered: &Answered) -> Result {
    let Answered { run_id, as_of, on, .. } = answered;
    writeln!(out, "answered on {on} from run {run_id} of {as_of}")?;
    if let Some(note) = &answered.note {
        writeln!(out, "  note       {note}")?;
    }
    if !answered.is_logged {
        writeln!(out, "  note       a dry run: these answers are in no log, and may be given to nobody")?;
    }
    for answer in &answered.answers {
        write_answer(out, answer, answered)?;
    }
    Ok(())
}

fn write_answer(out: &mut String, answer: &Answer, answered: &Answered) -> Result {
    let unknown = || "?".to_owned();
    let (application, merchant) =
        (answer.application_id.clone().unwrap_or_else(unknown), answer.merchant_id.clone().unwrap_or_else(unknown));
    let outcome = match answer.outcome {
        Outcome::Offer => "a new offer",
        Outcome::Standing => "the offer that stands",
        Outcome::Decline => "declined",
        Outcome::Refused => "cannot be answered",
    };
    let repeated = if answer.is_repeated { ", as answered before" } else { "" };
    let number = answer.number.map_or(String::new(), |number| format!(" (answer {number})"));
    writeln!(out, "application {application} of merchant {merchant}: {outcome}{repeated}{number}")?;
    let money = |minor: i64| amount(minor, answered.currency);
    if let Some(offer) = &answer.offer {
        write_offer(out, offer, money)?;
    }
    if let Some(decline) = &answer.decline {
        write_decline(out, decline, money)?;
    }
    if let Some(referral) = &answer.referral {
        writeln!(out, "  referral   a bank might carry {}", money(referral.supportable_minor))?;
    }
    for compared in answer.orders_compared.iter().filter(|order| order.verdict == OrderVerdict::Differs) {
        let record = match (compared.seen_amount_minor, compared.seen_shipped_on) {
            (Some(sum), Some(day)) => format!("{}, handed over on {day}", money(sum)),
            (sum, day) => sum.map(money).into_iter().chain(day.map(|day| day.to_string())).collect::<String>(),
        };
        writeln!(out, "  order      {} is not what the list says: {record}", compared.declared.order_id)?;
    }
    if !answer.orders_not_counted.is_empty() {
        writeln!(out, "  orders     secure nothing: {}", answer.orders_not_counted.join(", "))?;
    }
    if let Some(why) = &answer.refused {
        writeln!(out, "  why        {why}")?;
    }
    Ok(())
}
