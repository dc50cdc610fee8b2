//! Whether the books of one loan agree with each other: only then is anything known of it.
//!
//! Every rule says what must hold and gives a cause where it does not; a loan with one cause is Unknown, and all its causes are told.
//!
//! | cause | what must hold |
//! |---|---|
//! | `no-schedule` | there is a schedule |
//! | `schedule-numbers` | its instalments are numbered 1, 2, … n, each once |
//! | `schedule-principal` | their principal adds up to the principal lent, but for a minor unit an instalment: lenders round. It is short of it only where the last instalment falls due on the term's last day, so that none after it was lost. The last instalment bears the difference, and asks for as much in all as before, as far as its interest and fee give way. Of a restructured loan it is never short |
//! | `schedule-amounts` | no part of an instalment is negative, and all together stay below [`MOST_OWED_MINOR`] |
//! | `schedule-dates` | each falls due after the one before it |
//! | `schedule-before-disbursement` | none falls due before the day of disbursement |
//! | `schedule-beyond-term` | none falls due later than the term's days after disbursement; a restructure may extend it |
//! | `schedule-versions` | all its rows are of one version |
//! | `broken-loan`, `broken-instalment`, `broken-payment` | no row of the loan is in quarantine |
//! | `payment-amount` | every payment is positive |
//! | `payment-channel` | every payment is voluntary or a deduction |
//! | `payment-before-disbursement` | none was made before the money was paid out |
//! | `payment-reversed-before-paid` | none bounced before it was made |
//! | `payment-repeated` | no two that stand are of the same sum and lie within ten minutes of one another: one payment sent under two ids would count twice; nor within a day, where an earlier night knew the one and, though it was made before that night, not the other. The lender may confirm that they are two, of payments made up to a day (`payments_confirmed`) |
//! | `overpaid` | payments that stand are at most the whole schedule and a stated share more |
//! | `product-without-default` | the policy says from which days past due the product is in default |
//! | `merchant-not-visible` | the borrower can be seen |
//! | `pledge-not-own` | every order that an open loan pledges is one of its borrower's, sound or broken, that can be seen; where tonight's orders end before the loan was drawn, only an order that another merchant has is known not to be |
//! | `offer-of-another-merchant` | the offer that an open loan names was not made to another merchant, as far as the nights before tell |
//! | `drawn-under-another` | an offer made to the merchant is named by no loan of another merchant, or of none that is known, as far as the nights before tell: what was drawn may be this merchant's |
//! | `draw-above-offer` | the loans that name an offer come to no more than it was made over, as far as the nights before tell; looked at where the loan is open |
//! | `draw-of-another-product`, `draw-for-longer` | an open loan is of the product of the offer that it names, and runs no longer, unless it was restructured |
//! | `pledge-repeated` | no other open loan, but those drawn on the same offer, pledges an order that this open loan pledges |
//! | `loan-missing` | a loan that was open on the night before, or repaid not longer ago than repaid loans are to be sent, is seen tonight, under the same borrower |
//! | `borrower-changed` | no earlier night knew the loan under another merchant; the lender may say whose it is (`borrower_corrected`) |
//! | `payments-missing` | payments that an earlier night knew are seen tonight, reversed or not, over as much; less only where a version recorded since says so |
//! | `payment-raised` | no payment comes to more than the night before knew under its id, unless the lender confirms it (`payments_confirmed`) |
//! | `reversal-missing` | payments that had bounced on an earlier night have bounced tonight, unless versions recorded since say otherwise |
//! | `terms-changed` | what an earlier night knew was agreed of the loan stands: product, principal, group and day of paying out always, schedule, term and rate unless it was restructured since; and it is still written off or restructured where it was |
//! | `date-outside-calendar` | the day of disbursement lies within the calendar |
//!
//! What these rules cannot see is a change that leaves all of them true and came before a first night knew the loan: a lower fee, say, in a source that
//! does not date its rows, or the loss of a last instalment that repaid no principal.
//!
//! **Versions.** Rows of one version carry the same `recorded_at`; washing drops a row that is sent again with equal content, so a later
//! `recorded_at` means changed content. A loan that was never restructured has one version: rows of several mean that a part of a new
//! schedule is missing, or that a promise was changed without a restructure.
//!
//! A restructured loan follows its newest version:
//! 1. rows of the newest `recorded_at`, where they alone are a whole schedule (numbers from 1, principal that adds up): all older rows are
//!    replaced, those with higher numbers included;
//! 2. otherwise these rows together with older ones, each of which fell due on or before the day of the restructure: a restructure
//!    may leave the past as it was. An older row that falls due later is a leftover, and the schedule mixes versions.
//!
//! A restructure may change dates, also beyond the term, the number of instalments, interest, fees, and how principal is split; never the sum of
//! principal. Days past due then count on the new schedule; that the terms were eased stays on record as `is_restructured`.

mod payments;
mod schedule;

use super::calendar::BusinessDays;
use super::record::LoanRecord;
use super::settings::LedgerRules;
use super::unknown::UnknownCause;
use super::waterfall::Instalment;

/// The most a loan can owe, in minor units: 10^13, five times what the contract's ranges allow one loan. Below it sums over
/// nine hundred thousand loans stay within 64 bits.
pub const MOST_OWED_MINOR: i64 = 10_000_000_000_000;

/// The loan's schedule, where its books agree.
///
/// # Errors
/// Every cause why nothing is known of the loan, in the order of the table above.
pub fn reconcile(
    record: &LoanRecord<'_>,
    rules: &LedgerRules,
    days: &BusinessDays,
) -> Result<Vec<Instalment>, Vec<UnknownCause>> {
    let mut causes = Vec::new();
    let schedule = if let Ok(disbursed_on) = days.day_of(record.terms.disbursed_at) {
        schedule::judge(record, disbursed_on, days, &mut causes)
    } else {
        let detail = "the loan was paid out on a day that lies too far back to compute with";
        causes.push(UnknownCause::new("date-outside-calendar", detail));
        Vec::new()
    };
    for row in &record.broken {
        causes.push(UnknownCause::broken(row.table, row.key, row.rule));
    }
    payments::judge(record, &schedule, (rules, days), &mut causes);
    if !rules.default_dpd.contains_key(record.product) {
        let detail = format!("the policy's default_dpd says nothing of product {:?}", record.product);
        causes.push(UnknownCause::new("product-without-default", detail));
    }
    if causes.is_empty() { Ok(schedule) } else { Err(causes) }
}
