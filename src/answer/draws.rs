//! What was drawn of offers since the night: read, joined with what earlier calls named, and held against the offers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::desk::Desk;
use super::error::AnswerError;
use crate::domain::{fault_in_line, id_fault};
use crate::exposure::OpenOffer;
use crate::publish::{AnswersSince, NamedDraw};

/// What was drawn of an offer since the run's observation date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// Who drew.
    pub merchant_id: String,
    /// On which offer.
    pub offer_id: String,
    /// Principal, minor units.
    pub drawn_minor: i64,
    /// Line of the file that it was read from, from 1.
    #[serde(skip)]
    pub line: usize,
}

/// Reads draws, a JSON object a line. All count: one that cannot be read leaves it open what was drawn.
///
/// # Errors
/// The first line that is not a draw.
pub fn read_draws(text: &str) -> Result<Vec<Draw>, AnswerError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(at, line): (usize, &str)| {
        let refuse = |why| AnswerError::Draws { line: at + 1, why };
        let draw: Draw = serde_json::from_str(line).map_err(|e| refuse(fault_in_line(&e)))?;
        for (name, id) in [("merchant_id", &draw.merchant_id), ("offer_id", &draw.offer_id)] {
            if let Some(why) = id_fault(id) {
                return Err(refuse(format!("{name} {why}")));
            }
        }
        match draw.drawn_minor {
            ..0 => Err(refuse(format!("drawn_minor is {}: no draw is negative", draw.drawn_minor))),
            _ => Ok(Draw { line: at + 1, ..draw }),
        }
    };
    lines.map(read).collect()
}

/// What was drawn since the night, by merchant and offer.
pub(super) type DrawsByMerchant<'a> = BTreeMap<&'a str, BTreeMap<&'a str, i64>>;

impl Desk {
    /// What was drawn since the night, as this call and the ones before it name it; and what no call before it named.
    pub(super) fn draws_with<'a>(
        &'a self,
        before: &'a AnswersSince,
    ) -> Result<(DrawsByMerchant<'a>, Vec<NamedDraw>), AnswerError> {
        let mut named: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for draw in self.options.draws.iter().flatten() {
            let sum = named.entry((&draw.merchant_id, &draw.offer_id)).or_default();
            *sum = sum.saturating_add(draw.drawn_minor);
        }
        let known = before.draws();
        let is_new = |(of, drawn): &(&(&str, &str), &i64)| known.get(*of).is_none_or(|known| known < *drawn);
        let new = named.iter().filter(is_new).map(|((merchant, offer), drawn)| NamedDraw {
            merchant_id: (*merchant).to_owned(),
            offer_id: (*offer).to_owned(),
            drawn_minor: *drawn,
        });
        let new: Vec<NamedDraw> = new.collect();
        for (&(merchant, offer), &known_minor) in &known {
            let drawn = named.entry((merchant, offer)).or_default();
            if self.options.draws.is_some() && *drawn < known_minor {
                return Err(AnswerError::DrawsGone {
                    merchant_id: merchant.to_owned(),
                    offer_id: offer.to_owned(),
                    drawn_minor: *drawn,
                    known_minor,
                });
            }
            *drawn = known_minor.max(*drawn);
        }
        let mut draws = DrawsByMerchant::new();
        for ((merchant, offer), drawn) in named {
            draws.entry(merchant).or_default().insert(offer, drawn);
        }
        Ok((draws, new))
    }

    /// A draw that names another merchant's offer was drawn by one of the two, and nobody knows by which. Draws of more than an offer let be drawn were
    /// counted twice, or are another offer's.
    pub(super) fn check_draws<'a>(&self, open: impl Iterator<Item = &'a OpenOffer>) -> Result<(), AnswerError> {
        let offers: BTreeMap<&str, &OpenOffer> = open.map(|offer| (offer.offer_id.as_str(), offer)).collect();
        let mut drawn: BTreeMap<&str, i64> = BTreeMap::new();
        for draw in self.options.draws.iter().flatten() {
            let Some(offer) = offers.get(draw.offer_id.as_str()) else { continue };
            let refuse = |why| Err(AnswerError::Draws { line: draw.line, why });
            let (id, merchant) = (&offer.offer_id, &offer.merchant_id);
            if *merchant != draw.merchant_id {
                return refuse(format!(
                    "offer {id:?} was made to merchant {merchant:?}, not to {:?}",
                    draw.merchant_id
                ));
            }
            let sum = drawn.entry(&draw.offer_id).or_default();
            *sum = sum.saturating_add(draw.drawn_minor);
            let most = offer.limit_minor.saturating_sub(offer.drawn_minor).max(0);
            if *sum > most {
                return refuse(format!(
                    "with it {sum} was drawn of offer {id:?} since the night, which let {most} be drawn: give every draw once"
                ));
            }
        }
        Ok(())
    }
}
