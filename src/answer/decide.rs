//! One application decided: rules and caps on the merchant's account by day, then what crosses merchants.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::Outcome;
use super::desk::Desk;
use super::error::AnswerError;
use super::known::Known;
use crate::domain::{Reason, ReasonCode};
use crate::exposure::{Account, Declared, OfferState, OpenOffer, grant, withdraw};
use crate::features::ValuesByName;
use crate::offer::{
    Application, BankReferral, Cap, CaseFacts, CaseScore, Decline, Offer, OfferError, ProductDecision, at_terms,
    compare_orders, decide_one, differing, opened, within_budget,
};
use crate::optimise::Place;
use crate::publish::LoggedAnswer;

/// What is known of one merchant while several applications are answered.
pub(super) struct CreditFile<'a> {
    pub(super) known: Option<&'a Known>,
    pub(super) open: Vec<OpenOffer>,
    pub(super) answered: Vec<Offer>,
    /// What it declared since the night.
    pub(super) declared: BTreeSet<Declared>,
    pub(super) draws: BTreeMap<&'a str, i64>,
}

impl CreditFile<'_> {
    /// An offer of the night, or one given by day since.
    fn offer(&self, offer_id: &str) -> Option<Offer> {
        let of_night = self.known.into_iter().flat_map(|known| &known.offers);
        self.answered.iter().chain(of_night).find(|offer| offer.offer_id == offer_id).cloned()
    }

    fn grant(&mut self, granted: OpenOffer, offer: &Offer) {
        grant(&mut self.open, granted);
        self.answered.push(offer.clone());
    }

    fn withdraw(&mut self, product: &str) {
        withdraw(&mut self.open, product);
    }
}

impl Desk {
    /// The open offer that was chosen together with all others: it stands for as long as rules and caps allow so much. `None` where the policy does
    /// not optimise.
    fn chosen_before(&self, earlier: Option<&OpenOffer>, file: &CreditFile<'_>, allowed: &Offer) -> Option<Offer> {
        self.optimisation.as_ref()?;
        let open = earlier.filter(|earlier| earlier.state == OfferState::Open)?;
        file.offer(&open.offer_id).filter(|stands| stands.limit_minor <= allowed.limit_minor)
    }

    /// The offer at the limit and rate of the largest reduced profit at the night's shadow prices; as it is where the policy does not optimise.
    fn at_prices(&self, offer: Offer, account: &Account, facts: &CaseFacts) -> Result<Priced, AnswerError> {
        let Some((grid, optimisation)) = &self.optimisation else { return Ok(Priced::Offer(Box::new(offer))) };
        let place = facts.place().ok_or_else(|| AnswerError::Incomplete {
            run: self.book.run_id().to_owned(),
            what: "where merchants stand in the portfolio",
        })?;
        let held = account.replaced(&offer.product).map_or(0, |replaced| replaced.held_minor);
        let candidate = grid.candidate(&self.policy, &offer, held, Place::default())?;
        match optimisation.choose(grid, &candidate, place) {
            Some(terms) => Ok(Priced::Offer(Box::new(at_terms(&self.policy, offer, terms, account, &self.on)?))),
            None => Ok(Priced::WorthMoreElsewhere(Box::new(offer))),
        }
    }

    pub(super) fn decide(
        &self,
        application: &Application,
        file: &mut CreditFile<'_>,
        left: Option<&mut i64>,
    ) -> Result<(Outcome, LoggedAnswer), AnswerError> {
        let mut entry = self.unanswered(application);
        let Some(known) = file.known else {
            entry.decline = Some(unknown_merchant(application)?);
            return Ok((Outcome::Decline, entry));
        };
        let (request, product) = (application.request(), &application.product);
        file.declared.insert(request.declared);
        let mut account = known.facts.account().clone().by_day(&file.open, &file.draws, request);
        if self.policy.declaration_days > 0 {
            account.declarations.extend(&file.declared);
        }
        entry.orders_compared = compare_orders(&application.orders, &account, product, &self.on)?;
        account.set_aside(&differing(&entry.orders_compared));
        let named_orders = application.named_orders();
        let counted: BTreeSet<&str> = account
            .free_receivables(product, &named_orders)
            .unwrap_or_default()
            .into_iter()
            .map(|receivable| receivable.order_id.as_str())
            .collect();
        entry.orders_not_counted = named_orders.iter().filter(|id| !counted.contains(id.as_str())).cloned().collect();
        let earlier = account.replaced(&application.product).cloned();
        let score = CaseScore::of(&known.score, &self.scale)?;
        let features = ValuesByName { names: &self.names, values: &known.features };
        let facts = known.facts.clone().with_account(account.clone());
        let case = facts.case(&application.merchant_id, score, &features);
        match decide_one(&self.policy, &case, &application.product, &self.on)? {
            Some(ProductDecision::Offer(offer, referral)) => {
                let allowed = AllowedOffer { offer: *offer, referral, account: &account, facts: &known.facts, earlier };
                self.settle_allowed(allowed, entry, file, left)
            }
            Some(ProductDecision::Decline(decline)) => {
                file.withdraw(&application.product);
                entry.decline = Some(*decline);
                Ok((Outcome::Decline, entry))
            }
            None => Err(AnswerError::Incomplete { run: self.book.run_id().to_owned(), what: "the product" }),
        }
    }

    /// An entry of the log that says nothing yet.
    fn unanswered(&self, application: &Application) -> LoggedAnswer {
        LoggedAnswer {
            number: 0,
            at: self.options.now,
            on: self.on.date(),
            run_id: self.book.run_id().to_owned(),
            application: application.clone(),
            offer: None,
            decline: None,
            referral: None,
            granted: None,
            orders_not_counted: Vec::new(),
            orders_compared: Vec::new(),
            draws: Vec::new(),
        }
    }

    /// What comes of an offer that rules and caps allow: an earlier one stands, it is made, or it gives way to other merchants.
    fn settle_allowed(
        &self,
        allowed: AllowedOffer<'_>,
        mut entry: LoggedAnswer,
        file: &mut CreditFile<'_>,
        left: Option<&mut i64>,
    ) -> Result<(Outcome, LoggedAnswer), AnswerError> {
        let AllowedOffer { offer, referral, account, facts, earlier } = allowed;
        if let Some(stands) = self.chosen_before(earlier.as_ref(), file, &offer) {
            (entry.offer, entry.referral) = (Some(stands), referral);
            return Ok((Outcome::Standing, entry));
        }
        let mut offer = match self.at_prices(offer, account, facts)? {
            Priced::Offer(offer) => *offer,
            Priced::WorthMoreElsewhere(offer) => {
                file.withdraw(&offer.product);
                entry.decline = Some(offer.optimised_away()?);
                return Ok((Outcome::Decline, entry));
            }
        };
        let is_same = earlier.as_ref().is_some_and(|earlier| earlier.offer_id == offer.offer_id);
        if let Some(earlier) = earlier.as_ref().filter(|_| is_same || self.options.draws.is_none()) {
            if earlier.state == OfferState::Open {
                let stands = file.offer(&earlier.offer_id).ok_or_else(|| AnswerError::Incomplete {
                    run: self.book.run_id().to_owned(),
                    what: "the offer that stands",
                })?;
                (entry.offer, entry.referral) = (Some(stands), referral);
                return Ok((Outcome::Standing, entry));
            }
            // Withdrawn, and perhaps drawn the hour before: what it leaves cannot be known.
            entry.decline = Some(unsettled(&entry.application, offer.caps)?);
            return Ok((Outcome::Decline, entry));
        }
        if let (Some(left), Some(budget)) = (left, self.policy.portfolio_budget_minor) {
            let held = earlier.as_ref().map_or(0, |earlier| earlier.held_minor);
            // What the night left open of a budget that is overdrawn stands; what it withdrew covers the overdraft.
            let is_open = earlier.as_ref().is_some_and(|earlier| earlier.state == OfferState::Open);
            let room = if is_open { (*left).max(0) } else { *left };
            if !within_budget(&mut offer, budget, room, held, self.policy.limit_step_minor) {
                file.withdraw(&offer.product);
                entry.decline = Some(offer.over_budget()?);
                return Ok((Outcome::Decline, entry));
            }
            *left = left.saturating_sub(offer.limit_minor.saturating_sub(held).max(0));
        }
        let granted = opened(&offer, account, &self.on);
        file.grant(granted.clone(), &offer);
        (entry.offer, entry.referral, entry.granted) = (Some(offer), referral, Some(granted));
        Ok((Outcome::Offer, entry))
    }
}

/// An offer that rules and caps allow, and what it was decided on.
struct AllowedOffer<'a> {
    offer: Offer,
    referral: Option<BankReferral>,
    account: &'a Account,
    facts: &'a CaseFacts,
    /// The offer that it would replace.
    earlier: Option<OpenOffer>,
}

/// An offer at the prices of the night's bounds.
enum Priced {
    /// As it is made.
    Offer(Box<Offer>),
    /// As rules and caps would allow it: what it uses of the bounds is worth more than it gives.
    WorthMoreElsewhere(Box<Offer>),
}

fn decline(application: &Application, caps: Vec<Cap>, code: &str, text: &str) -> Result<Decline, AnswerError> {
    let code = ReasonCode::new(code).map_err(OfferError::from)?;
    Ok(Decline {
        merchant_id: application.merchant_id.clone(),
        product: application.product.clone(),
        failed: Vec::new(),
        caps,
        reasons: vec![Reason { code, text: text.to_owned() }],
        needed: Vec::new(),
        score_changes: Vec::new(),
        overrides: None,
    })
}

/// Of a merchant that the night has not seen nothing is known, and nothing is lent on that.
fn unknown_merchant(application: &Application) -> Result<Decline, AnswerError> {
    decline(application, Vec::new(), "merchant-unknown", "no record of this merchant is known yet")
}

fn unsettled(application: &Application, caps: Vec<Cap>) -> Result<Decline, AnswerError> {
    decline(
        application,
        caps,
        "earlier-offer-unsettled",
        "an earlier offer was withdrawn, and may have been drawn before",
    )
}
