//! Whether a loan was drawn as it was offered.

use jiff::civil::Date;

use super::evidence::{LoanEvidence, OfferMade};
use super::standing::LoanStanding;
use super::unknown::UnknownCause;

/// The code of a loan of another product than its offer.
pub(super) const ANOTHER_PRODUCT: &str = "draw-of-another-product";

/// The code of a loan that runs longer than was offered.
pub(super) const FOR_LONGER: &str = "draw-for-longer";

/// The code of a loan repaid in another way than was offered: by a share of sales, or not.
pub(super) const ANOTHER_REPAYMENT: &str = "draw-of-another-repayment";

/// The code of a loan at another rate than was offered, or for a shorter term.
pub(super) const AT_OTHER_TERMS: &str = "draw-at-other-terms";

/// The code of a loan drawn before its offer was made, or after it had lapsed.
pub(super) const OUTSIDE_OFFER: &str = "draw-outside-offer";

/// The code of a loan that names an offer which nobody made.
pub(super) const OFFER_NOT_KNOWN: &str = "offer-not-known";

/// The code of a loan on an offer of which the terms are not known: its run was published before offers left them to the next night.
pub(super) const TERMS_NOT_KNOWN: &str = "offer-terms-not-known";

/// What leaves a loan unknown, and what an officer is told of one that is known.
const UNKNOWN: [&str; 3] = [ANOTHER_PRODUCT, FOR_LONGER, ANOTHER_REPAYMENT];
const REMARKS: [&str; 4] = [AT_OTHER_TERMS, OUTSIDE_OFFER, OFFER_NOT_KNOWN, TERMS_NOT_KNOWN];

/// Every code of a loan held against its offer: what the next night takes from the officers' list where the offer has left the accounts.
pub(super) fn codes() -> impl Iterator<Item = &'static str> {
    UNKNOWN.into_iter().chain(REMARKS)
}

/// What was found of a draw.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// Why the loan is not known.
    pub causes: Vec<UnknownCause>,
    /// What an officer is told, though the loan is known.
    pub remarks: Vec<UnknownCause>,
}

/// Holds an open loan, drawn on some day of the lender's calendar, against the offer that it names.
///
/// Another product or a longer term says from when on the loan is late and in default, so that one of the two rows is wrong about what credit hangs on: the
/// loan is not known. So does a share of sales that only one of the two has: instalments are then promises, or the least that is paid by then. A rate, another share, a shorter term or a day outside the offer's leaves what is owed, and from when, as the loan's own books say: an officer is told, and
/// the borrower loses nothing. So does an offer that no night remembers: what was drawn is owed, and uses no offer up.
///
/// Of an offer whose terms are not known no more can be said than that, and an officer is told. A restructure changes rate and term rightly. An offer leaves the accounts one day: then what was said of the loan before is said again. That nobody made an
/// offer can be said of loans alone that were drawn since the night before and are new to it: all offers of that day were on its accounts. Older loans, and those of a first
/// night, may name offers that have lapsed since.
pub(super) fn judge(loan: &LoanStanding, drawn_on: Option<Date>, evidence: &LoanEvidence) -> Findings {
    let Some(offer_id) = loan.offer_id.as_deref() else { return Findings::default() };
    let words = format!("offer {offer_id:?} ");
    let Some(offer) = evidence.offer(offer_id) else {
        let said = |code: &'static str| {
            let detail = evidence.said_before(&loan.loan_id, code, &words)?;
            Some(UnknownCause::new(code, detail))
        };
        let mut findings = Findings {
            causes: UNKNOWN.into_iter().filter_map(said).collect(),
            remarks: REMARKS.into_iter().filter_map(said).collect(),
        };
        if findings == Findings::default() && evidence.knows_all_offers(loan, drawn_on) {
            let detail = format!("{words}is on no account of the night before, when the loan was not drawn yet");
            findings.remarks.push(UnknownCause::new(OFFER_NOT_KNOWN, detail));
        }
        return findings;
    };
    let mut findings = Findings::default();
    if offer.merchant_id != loan.merchant_id {
        return findings;
    }
    let finding = |code: &'static str, told: String| UnknownCause::new(code, format!("{words}{told}"));
    if offer.product != loan.product {
        let told = format!("was made for a loan of product {:?}, and this is one of {:?}", offer.product, loan.product);
        findings.causes.push(finding(ANOTHER_PRODUCT, told));
    }
    if !loan.is_restructured {
        findings.hold_terms(loan, offer, finding);
    }
    if let Some(day) = drawn_on.filter(|day| !(offer.offered_on..=offer.valid_until_on).contains(day)) {
        let told =
            format!("stood from {} to {}, and the loan was drawn on {day}", offer.offered_on, offer.valid_until_on);
        findings.remarks.push(finding(OUTSIDE_OFFER, told));
    }
    findings
}

impl Findings {
    /// Adds what is other about a loan that was never restructured than its offer says of term, rate and way of repaying.
    fn hold_terms(
        &mut self,
        loan: &LoanStanding,
        offer: &OfferMade,
        finding: impl Fn(&'static str, String) -> UnknownCause,
    ) {
        let (Some(offered), Some(offered_ppm)) = (offer.term_days, offer.daily_rate_ppm) else {
            let told = "was made by a version of the program that did not say for how long and at what rate; the loan's own row is believed";
            self.remarks.push(finding(TERMS_NOT_KNOWN, told.to_owned()));
            return;
        };
        let told = || format!("was made for {offered} days, and the loan runs for {}", loan.term_days);
        if loan.term_days > offered {
            self.causes.push(finding(FOR_LONGER, told()));
        } else if loan.term_days < offered {
            self.remarks.push(finding(AT_OTHER_TERMS, told()));
        }
        match (offer.sales_share_ppm, loan.sales_share_ppm) {
            (Some(share), None) => {
                let told = format!("is repaid by {share} ppm of sales, and the loan says no share");
                self.causes.push(finding(ANOTHER_REPAYMENT, told));
            }
            (None, Some(share)) => {
                let told = format!("is not repaid by a share of sales, and the loan is by {share} ppm");
                self.causes.push(finding(ANOTHER_REPAYMENT, told));
            }
            (Some(offered), Some(drawn)) if offered != drawn => {
                let told = format!("is repaid by {offered} ppm of sales, and the loan by {drawn}");
                self.remarks.push(finding(AT_OTHER_TERMS, told));
            }
            _ => {}
        }
        if offered_ppm != loan.daily_rate_ppm {
            let told = format!("was made at {offered_ppm} ppm a day, and the loan bears {}", loan.daily_rate_ppm);
            self.remarks.push(finding(AT_OTHER_TERMS, told));
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::repayment::fixture::overdue_loan;
    use crate::repayment::{OfferMade, RememberedLoan};

    const OFFERED_ON: Date = date(2025, 3, 1);

    fn offer() -> OfferMade {
        OfferMade {
            merchant_id: "m1".to_owned(),
            product: "credit-loan".to_owned(),
            limit_minor: 5_000,
            daily_rate_ppm: Some(450),
            term_days: Some(180),
            sales_share_ppm: None,
            offered_on: OFFERED_ON,
            valid_until_on: date(2025, 3, 31),
            replaces: None,
        }
    }

    fn loan() -> LoanStanding {
        LoanStanding {
            offer_id: Some("x".to_owned()),
            term_days: 180,
            daily_rate_ppm: 450,
            ..overdue_loan("credit-loan", 0)
        }
    }

    fn codes_of(loan: &LoanStanding, drawn_on: Date, evidence: &LoanEvidence) -> (Vec<String>, Vec<String>) {
        let Findings { causes, remarks } = judge(loan, Some(drawn_on), evidence);
        let codes = |found: Vec<UnknownCause>| found.into_iter().map(|cause| cause.code.into_owned()).collect();
        (codes(causes), codes(remarks))
    }

    fn nothing() -> (Vec<String>, Vec<String>) {
        (Vec::new(), Vec::new())
    }

    #[test]
    fn what_was_not_offered_is_told_and_leaves_the_loan_unknown_where_credit_hangs_on_it() {
        let evidence = LoanEvidence::default().with_offers([("x".to_owned(), offer())], []);
        let of = |change: fn(&mut LoanStanding), day: Date| {
            let mut loan = loan();
            change(&mut loan);
            codes_of(&loan, day, &evidence)
        };
        let unknown = |code: &str| (vec![code.to_owned()], Vec::new());
        let told = |code: &str| (Vec::new(), vec![code.to_owned()]);
        for day in [OFFERED_ON, date(2025, 3, 31)] {
            assert_eq!(of(|_| {}, day), nothing(), "{day}");
        }
        assert_eq!(of(|l| l.product = "order-loan".to_owned(), OFFERED_ON), unknown(ANOTHER_PRODUCT));
        assert_eq!(of(|l| l.term_days = 181, OFFERED_ON), unknown(FOR_LONGER));
        assert_eq!(of(|l| l.term_days = 179, OFFERED_ON), told(AT_OTHER_TERMS));
        assert_eq!(of(|l| l.sales_share_ppm = Some(100_000), OFFERED_ON), unknown(ANOTHER_REPAYMENT));
        assert_eq!(of(|l| l.daily_rate_ppm = 449, OFFERED_ON), told(AT_OTHER_TERMS));
        for day in [date(2025, 2, 28), date(2025, 4, 1)] {
            assert_eq!(of(|_| {}, day), told(OUTSIDE_OFFER), "{day}");
        }
        let eased = |l: &mut LoanStanding| (l.is_restructured, l.term_days, l.daily_rate_ppm) = (true, 400, 100);
        assert_eq!(of(eased, OFFERED_ON), nothing());
        assert_eq!(of(|l| l.offer_id = None, date(2025, 9, 1)), nothing());
        assert_eq!(of(|l| l.merchant_id = "m2".to_owned(), OFFERED_ON), nothing(), "another cause says so");
    }

    #[test]
    fn a_loan_without_the_share_of_sales_that_was_offered_is_not_known() {
        let by_share = OfferMade { sales_share_ppm: Some(100_000), ..offer() };
        let evidence = LoanEvidence::default().with_offers([("x".to_owned(), by_share)], []);
        let of = |share: Option<i64>, is_restructured: bool| {
            codes_of(&LoanStanding { sales_share_ppm: share, is_restructured, ..loan() }, OFFERED_ON, &evidence)
        };
        assert_eq!(of(Some(100_000), false), nothing());
        assert_eq!(of(Some(150_000), false), (Vec::new(), vec![AT_OTHER_TERMS.to_owned()]));
        assert_eq!(of(None, false), (vec![ANOTHER_REPAYMENT.to_owned()], Vec::new()));
        assert_eq!(of(None, true), nothing(), "what was restructured is repaid by its new schedule");
    }

    #[test]
    fn an_offer_of_unknown_terms_is_told_to_an_officer_and_judged_by_everything_else() {
        let made = OfferMade { daily_rate_ppm: None, term_days: None, ..offer() };
        let evidence = LoanEvidence::default().with_offers([("x".to_owned(), made)], []);
        let longer = LoanStanding { term_days: 400, sales_share_ppm: Some(100_000), ..loan() };
        assert_eq!(codes_of(&longer, OFFERED_ON, &evidence), (Vec::new(), vec![TERMS_NOT_KNOWN.to_owned()]));
        let another = LoanStanding { product: "order-loan".to_owned(), ..loan() };
        let (causes, _) = codes_of(&another, OFFERED_ON, &evidence);
        assert_eq!(causes, [ANOTHER_PRODUCT]);
        let eased = LoanStanding { is_restructured: true, ..loan() };
        assert_eq!(codes_of(&eased, OFFERED_ON, &evidence), nothing());
    }

    #[test]
    fn an_offer_that_nobody_made_is_told_of_loans_drawn_since_the_night_before_alone() {
        let night = date(2025, 3, 10);
        let since = |evidence: LoanEvidence| evidence.with_night_before(Some(night));
        let told = (Vec::new(), vec![OFFER_NOT_KNOWN.to_owned()]);
        let evidence = since(LoanEvidence::default());
        assert_eq!(codes_of(&loan(), night, &evidence), told);
        assert_eq!(codes_of(&loan(), date(2025, 3, 9), &evidence), nothing(), "its offer may have lapsed since");
        assert_eq!(codes_of(&loan(), night, &LoanEvidence::default()), nothing(), "a first night");
        let remembered = RememberedLoan::known(&loan(), None, night);
        let knows = since(LoanEvidence::new([remembered.clone()], 1));
        assert_eq!(codes_of(&loan(), night, &knows), nothing(), "an offer that was used up has left the account");
        // What was said once is said for as long as the loan is open.
        let mut ledger = crate::repayment::LoanLedger::default();
        ledger.remark(&loan(), &judge(&loan(), Some(night), &evidence).remarks);
        let later = since(LoanEvidence::new([remembered], 1)).with_offers([], ledger.exceptions());
        assert_eq!(codes_of(&loan(), night, &later), told);
        let mended = LoanStanding { offer_id: Some("y".to_owned()), ..loan() };
        assert_eq!(codes_of(&mended, night, &later), nothing());
    }
}
