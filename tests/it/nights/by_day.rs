//! Applications answered between two nights: what is offered by day is held, replaced and used up like what the night offers.

use std::fs;

use integrity::answer::{Answer, AnswerError, Answered, Desk, DeskOptions, Draw, Outcome};
use integrity::exposure::{OfferState, OpenOffer};
use integrity::offer::{self, Application, DeclaredOrder, OrderVerdict};
use integrity::publish::{PublishError, ScoreBook, verify};
use integrity::report::entry_text;
use integrity::run::RunError;
use jiff::ToSpan;
use jiff::civil::Date;

use super::books::{check_night, rows};
use super::{
    FIRST_NIGHT, Lender, Marketplace, at, grouped_marketplace, offers_of, shipped_orders, trading_marketplace,
};

fn day(number: i64) -> Date {
    FIRST_NIGHT.saturating_add(number.days())
}

/// An application for a product.
pub fn application(id: &str, merchant: &str, product: &str, requested_minor: i64) -> Application {
    Application {
        application_id: id.to_owned(),
        merchant_id: merchant.to_owned(),
        product: product.to_owned(),
        requested_minor,
        order_ids: Vec::new(),
        orders: Vec::new(),
        gross_sales_12m_minor: Some(10_000_000),
        operating_costs_12m_minor: Some(1_000_000),
        gross_assets_minor: Some(100_000_000),
        gross_liabilities_minor: Some(0),
    }
}

/// Answers on a day, at an hour.
pub fn answer(
    lender: &Lender,
    (on, hour): (Date, i8),
    draws: Option<Vec<Draw>>,
    applications: Vec<Application>,
) -> Result<Answered, AnswerError> {
    let options = DeskOptions { out: Some(lender.out()), on: Some(on), now: at(on, hour), draws, log: true };
    Desk::open(&lender.job(), options)?.answer(applications.into_iter().map(Ok).collect())
}

fn one(answered: Answered) -> Answer {
    let [answer] = <[Answer; 1]>::try_from(answered.answers).unwrap();
    answer
}

fn night(lender: &Lender, market: &Marketplace, number: i64) -> (Vec<offer::Offer>, Vec<OpenOffer>) {
    let run = lender.night(market, day(number)).published.run_dir;
    check_night(market, &run, at(day(number), 0));
    (rows(&run), rows(&run))
}

/// The offers of the current run, as the loan service keeps them.
fn served(lender: &Lender) -> Vec<super::Offer> {
    offers_of(ScoreBook::open(&lender.out()).unwrap().run_dir())
}

#[test]
fn a_night_of_yesterday_knows_what_was_offered_today() {
    let lender = Lender::new();
    let market = trading_marketplace(&lender, 2);
    night(&lender, &market, 0);
    let asked = application("a1", "m01", "credit-loan", 60_000);
    let given = one(answer(&lender, (day(2), 10), Some(Vec::new()), vec![asked]).unwrap());
    assert_eq!(given.outcome, Outcome::Offer);
    lender.night(&market, day(1));
    assert_eq!(ScoreBook::open(&lender.out()).unwrap().manifest().answers_read().lines, 1);
}

#[test]
fn a_desk_that_a_night_has_overtaken_answers_nobody() {
    let lender = Lender::new();
    let market = trading_marketplace(&lender, 2);
    night(&lender, &market, 0);
    let options =
        DeskOptions { out: Some(lender.out()), on: Some(day(1)), now: at(day(1), 10), draws: None, log: true };
    let desk = Desk::open(&lender.job(), options).unwrap();
    night(&lender, &market, 1);
    let answered = desk.answer(vec![Ok(application("a1", "m01", "credit-loan", 60_000))]);
    assert!(matches!(answered, Err(AnswerError::Replaced { .. })), "{answered:?}");
}

#[test]
fn what_was_declared_before_stands_beside_better_figures() {
    let asked = |id: &str, merchant: &str, liabilities| Application {
        gross_liabilities_minor: Some(liabilities),
        ..application(id, merchant, "credit-loan", 60_000)
    };
    let ask = |lender: &Lender, number: i64, hour, application| {
        one(answer(lender, (day(number), hour), Some(Vec::new()), vec![application]).unwrap()).outcome
    };
    let offered_by_night = |lender: &Lender, market: &Marketplace, number| {
        night(lender, market, number).0.iter().any(|o| o.merchant_id == "m01" && o.product == "credit-loan")
    };
    let lender = Lender::new();
    let market = trading_marketplace(&lender, 2);
    assert!(offered_by_night(&lender, &market, 0));
    assert_eq!(ask(&lender, 0, 9, asked("a1", "m01", 99_000_000)), Outcome::Decline);
    assert_eq!(ask(&lender, 0, 10, asked("a2", "m01", 0)), Outcome::Decline, "the debts did not go within the hour");
    assert_eq!(ask(&lender, 0, 10, asked("b1", "m02", 0)), Outcome::Offer);
    // Nights remember what was declared by day, whether they have read of it before or not.
    for number in [1, 2] {
        assert!(!offered_by_night(&lender, &market, number), "night {number}");
        let again = format!("a{}", number + 2);
        assert_eq!(ask(&lender, number, 9, asked(&again, "m01", 0)), Outcome::Decline);
    }

    let forgetful = Lender::with(&[("policy.toml", "offer_valid_days", "declaration_days = 0\noffer_valid_days")]);
    let market = trading_marketplace(&forgetful, 2);
    assert!(offered_by_night(&forgetful, &market, 0));
    assert_eq!(ask(&forgetful, 0, 9, asked("a1", "m01", 99_000_000)), Outcome::Decline);
    assert_eq!(ask(&forgetful, 0, 10, asked("a2", "m01", 0)), Outcome::Offer);
}

#[test]
fn an_answer_by_day_takes_the_place_of_the_nights_offer_and_the_next_night_knows_it() {
    let lender = Lender::new();
    let mut market = trading_marketplace(&lender, 2);
    let (offers, _) = night(&lender, &market, 0);
    let of_night = offers.iter().find(|o| o.merchant_id == "m01" && o.product == "credit-loan").unwrap();

    // Without the day's draws what stands may have been drawn: it stays.
    let asked = application("a1", "m01", "credit-loan", 60_000);
    let stands = one(answer(&lender, (day(0), 10), None, vec![asked.clone()]).unwrap());
    assert_eq!((stands.outcome, &stands.offer.as_ref().unwrap().offer_id), (Outcome::Standing, &of_night.offer_id));
    let again = one(answer(&lender, (day(0), 11), None, vec![asked.clone()]).unwrap());
    assert!(again.is_repeated && again.number == stands.number);
    let other = Application { requested_minor: 70_000, ..asked };
    assert_eq!(one(answer(&lender, (day(0), 11), None, vec![other]).unwrap()).outcome, Outcome::Refused);

    // With them it is answered anew; half of the night's offer was drawn.
    let drawn = of_night.limit_minor / 2;
    let service = served(&lender).into_iter().find(|o| o.offer_id == of_night.offer_id).unwrap();
    market.draw(&service, drawn, at(day(0), 9));
    let (merchant_id, offer_id) = ("m01".to_owned(), service.offer_id.clone());
    let draws = vec![Draw { merchant_id, offer_id, drawn_minor: drawn, line: 7 }];
    let asked = || vec![application("a2", "m01", "credit-loan", 60_000)];
    // A draw on it under another merchant would leave the room to be granted twice.
    let misnamed = draws.iter().cloned().map(|draw| Draw { merchant_id: "m02".to_owned(), ..draw }).collect();
    let refused = answer(&lender, (day(0), 12), Some(misnamed), asked()).unwrap_err();
    assert!(matches!(refused, AnswerError::Draws { line: 7, .. }) && refused.to_string().contains("m02"), "{refused}");
    // So would one that is there twice: more than the offer let be drawn.
    let again = Draw { drawn_minor: of_night.limit_minor - drawn + 1, line: 8, ..draws[0].clone() };
    let refused = answer(&lender, (day(0), 12), Some(vec![draws[0].clone(), again]), asked()).unwrap_err();
    assert!(matches!(refused, AnswerError::Draws { line: 8, .. }), "{refused}");
    // Whoever asks first, what was drawn is known from then on: a list that lacks it is not whole.
    let of_other = |id: &str| vec![application(id, "m02", "credit-loan", 60_000)];
    answer(&lender, (day(0), 12), Some(draws.clone()), of_other("b1")).unwrap();
    for gone in [vec![], vec![Draw { drawn_minor: drawn - 1, ..draws[0].clone() }]] {
        let refused = answer(&lender, (day(0), 12), Some(gone), of_other("b2")).unwrap_err();
        assert!(
            matches!(&refused, AnswerError::DrawsGone { offer_id, .. } if *offer_id == service.offer_id),
            "{refused}"
        );
    }
    let fresh = one(answer(&lender, (day(0), 12), Some(draws), asked()).unwrap());
    let by_day = fresh.offer.unwrap();
    assert_eq!((fresh.outcome, by_day.limit_minor), (Outcome::Offer, 60_000));
    assert_eq!(by_day.replaces_offer_id.as_ref(), Some(&of_night.offer_id));
    // Net of what was drawn, and of the offers of other products.
    let others = offers.iter().filter(|o| o.merchant_id == "m01" && o.product != "credit-loan");
    let others: i64 = others.map(|o| o.limit_minor).sum();
    let serviced = by_day.caps.iter().find(|c| c.name == offer::CapName::DebtService).unwrap();
    assert_eq!(serviced.gross_minor.unwrap() - serviced.value_minor.unwrap(), drawn + others);
    assert!(verify(&lender.out(), None).unwrap().is_sound());

    let (offers, open) = night(&lender, &market, 1);
    let next = offers.iter().find(|o| o.merchant_id == "m01" && o.product == "credit-loan").unwrap();
    assert_eq!(next.replaces_offer_id.as_ref(), Some(&by_day.offer_id));
    assert_eq!(open.iter().find(|o| o.offer_id == by_day.offer_id).map(|o| o.state), Some(OfferState::Replaced));
    // Nothing new: the same log gives the same night.
    assert!(!lender.night(&market, day(1)).is_new);
}

#[test]
fn what_is_offered_twice_a_day_on_the_same_terms_is_one_offer() {
    let lender = Lender::new();
    let mut market = trading_marketplace(&lender, 1);
    shipped_orders(&mut market, "m01", 3, day(-3));
    night(&lender, &market, 0);
    // After midnight, before the night of that day.
    let asked = application("a1", "m01", "order-loan", 900_000);
    let given = one(answer(&lender, (day(1), 1), Some(Vec::new()), vec![asked]).unwrap()).offer.unwrap();
    let (offers, open) = night(&lender, &market, 1);
    let again = offers.iter().find(|o| o.product == "order-loan").unwrap();
    assert_eq!((&again.offer_id, &again.replaces_offer_id), (&given.offer_id, &given.replaces_offer_id));
    assert_eq!(
        open.iter().filter(|o| o.offer_id == given.offer_id).map(|o| o.state).collect::<Vec<_>>(),
        [OfferState::Open]
    );
    night(&lender, &market, 2);
}

#[test]
fn what_is_left_of_the_budget_does_not_hang_on_who_asks_with_whom() {
    // What the night holds, and 150,000 more.
    const BUDGET: i64 = 270_000;
    let lender = || {
        let written = format!("portfolio_budget_minor = {BUDGET}\noffer_valid_days = 30");
        let lender = Lender::with(&[("policy.toml", "offer_valid_days = 30", &written)]);
        let mut market = trading_marketplace(&lender, 3);
        for merchant in ["m01", "m02", "m03"] {
            // It declares nothing, and is offered no credit loan by night.
            market.apply(merchant, "credit-loan", 60_000, &[], at(day(-1), 12));
        }
        let (_, open) = night(&lender, &market, 0);
        assert_eq!(open.iter().map(|offer| offer.held_minor).sum::<i64>(), 120_000, "{open:?}");
        assert!(open.iter().all(|offer| offer.product == "order-loan"), "{open:?}");
        lender
    };
    let credit = |id, merchant, minor| application(id, merchant, "credit-loan", minor);
    let outcomes = |answered: Answered| answered.answers.iter().map(|a| a.outcome).collect::<Vec<_>>();

    // 80,000 to m01 in the end, and 70,000 to m02, are all that is left, in one call and in several.
    let asked = || vec![credit("a1", "m01", 60_000), credit("a2", "m01", 80_000), credit("a3", "m02", 70_000)];
    for calls in [vec![asked()], asked().into_iter().map(|one| vec![one]).collect()] {
        let lender = lender();
        let mut given = Vec::new();
        for call in calls {
            given.extend(outcomes(answer(&lender, (day(0), 10), Some(Vec::new()), call).unwrap()));
        }
        assert_eq!(given, [Outcome::Offer; 3]);
        let last = answer(&lender, (day(0), 11), Some(Vec::new()), vec![credit("a4", "m03", 60_000)]).unwrap();
        assert_eq!(outcomes(last), [Outcome::Decline], "nothing is left");
    }

    // What was drawn of the offer that is replaced is owed beside the new one.
    let lender = lender();
    let first = one(answer(&lender, (day(0), 9), Some(Vec::new()), vec![credit("a1", "m01", 60_000)]).unwrap());
    let offer_id = first.offer.unwrap().offer_id;
    let drawn = Draw { merchant_id: "m01".to_owned(), offer_id, drawn_minor: 10_000, line: 1 };
    let draws = || Some(vec![drawn.clone()]);
    let renewed = answer(&lender, (day(0), 10), draws(), vec![credit("a2", "m01", 80_000)]).unwrap();
    assert_eq!(renewed.answers[0].offer.as_ref().unwrap().limit_minor, 80_000);
    let last = answer(&lender, (day(0), 11), draws(), vec![credit("a3", "m01", 70_000), credit("a4", "m02", 70_000)]);
    assert_eq!(outcomes(last.unwrap()), [Outcome::Offer, Outcome::Decline], "60,000 are left");
    let less = answer(&lender, (day(0), 12), draws(), vec![credit("a5", "m02", 60_000)]).unwrap();
    assert_eq!(outcomes(less), [Outcome::Offer]);
}

#[test]
fn what_speaks_against_the_merchant_withdraws_what_stands() {
    let lender = Lender::new();
    let market = trading_marketplace(&lender, 1);
    let (offers, _) = night(&lender, &market, 0);
    assert!(offers.iter().any(|o| o.product == "credit-loan"));
    let indebted = Application {
        gross_liabilities_minor: Some(100_000_000),
        gross_assets_minor: Some(1),
        ..application("a1", "m01", "credit-loan", 60_000)
    };
    let declined = one(answer(&lender, (day(0), 10), None, vec![indebted]).unwrap());
    assert_eq!(declined.outcome, Outcome::Decline);
    assert!((1..=4).contains(&declined.decline.unwrap().reasons.len()));
    let unsettled =
        one(answer(&lender, (day(0), 11), None, vec![application("a2", "m01", "credit-loan", 60_000)]).unwrap());
    assert_eq!(unsettled.outcome, Outcome::Decline, "what was withdrawn may have been drawn before");
    let stranger =
        one(answer(&lender, (day(0), 11), None, vec![application("a3", "nobody", "credit-loan", 60_000)]).unwrap());
    assert_eq!(
        stranger.decline.unwrap().reasons.first().map(|r| r.code.to_string()).as_deref(),
        Some("merchant-unknown")
    );
    let odd = one(answer(&lender, (day(0), 11), None, vec![application("a4", "m01", "mortgage", 60_000)]).unwrap());
    assert_eq!(odd.outcome, Outcome::Refused);
}

#[test]
fn orders_named_by_day_are_pledged_once() {
    let lender = Lender::with(&super::pledges::GROUP_LOAN);
    let mut market = grouped_marketplace(&lender, 3);
    let orders = shipped_orders(&mut market, "m01", 2, day(-3));
    market.apply("m01", "order-loan", 60_000, &orders[..1], at(day(-1), 12));
    night(&lender, &market, 0);
    let named = Application { order_ids: orders.clone(), ..application("a1", "m01", "group-loan", 90_000) };
    let Answered { answers, .. } = answer(&lender, (day(0), 10), Some(Vec::new()), vec![named]).unwrap();
    let [answer] = <[Answer; 1]>::try_from(answers).unwrap();
    assert_eq!(answer.orders_not_counted, orders[..1]);
    if let Some(offer) = answer.offer {
        assert_eq!(offer.pledged_order_ids.as_deref(), Some(&orders[1..]));
    }
    night(&lender, &market, 1);
}

#[test]
fn a_borrowers_own_list_is_compared_and_never_adds() {
    let lender = Lender::new();
    let mut market = trading_marketplace(&lender, 1);
    let orders = shipped_orders(&mut market, "m01", 3, day(-3));
    night(&lender, &market, 0);
    let list = |amounts: [i64; 3]| -> Vec<DeclaredOrder> {
        let declare = |(order_id, amount): (&String, i64)| DeclaredOrder {
            order_id: order_id.clone(),
            amount_minor: Some(amount),
            shipped_on: Some(day(-2)),
        };
        orders.iter().zip(amounts).map(declare).collect()
    };
    let ask = |id: &str, orders: Vec<DeclaredOrder>| {
        let asked = Application { orders, ..application(id, "m01", "order-loan", 900_000) };
        // A dry run: each is asked of the same night.
        let (out, now) = (Some(lender.out()), at(day(0), 10));
        let options = DeskOptions { out, on: Some(day(0)), now, draws: Some(Vec::new()), log: false };
        one(Desk::open(&lender.job(), options).unwrap().answer(vec![Ok(asked)]).unwrap())
    };
    let limit = |answer: &Answer| answer.offer.as_ref().map_or(0, |offer| offer.limit_minor);
    let verdicts = |answer: &Answer| answer.orders_compared.iter().map(|order| order.verdict).collect::<Vec<_>>();
    let honest = ask("a1", list([90_000; 3]));
    assert_eq!(verdicts(&honest), [OrderVerdict::Agrees; 3]);
    assert!(limit(&honest) > 0 && limit(&honest) <= limit(&ask("a2", Vec::new())));
    let puffed = ask("a3", list([90_000, 900_000, 90_000]));
    assert_eq!(verdicts(&puffed), [OrderVerdict::Agrees, OrderVerdict::Differs, OrderVerdict::Agrees]);
    assert_eq!(puffed.orders_compared[1].seen_amount_minor, Some(90_000));
    assert_eq!(puffed.orders_not_counted, orders[1..2]);
    assert!(limit(&puffed) < limit(&honest), "{} and {}", limit(&puffed), limit(&honest));
    assert!(!puffed.offer.unwrap().pledged_order_ids.unwrap().contains(&orders[1]));
    let stranger = DeclaredOrder { order_id: "of-another".to_owned(), amount_minor: Some(1), shipped_on: None };
    let unknown = ask("a4", vec![stranger]);
    assert_eq!((verdicts(&unknown), unknown.outcome), (vec![OrderVerdict::NoReceivable], Outcome::Decline));
}

#[test]
fn no_answer_rests_on_an_old_run_another_policy_or_a_broken_log() {
    let lender = Lender::new();
    let market = trading_marketplace(&lender, 1);
    night(&lender, &market, 0);
    let ask = |on: Date, id: &str| answer(&lender, (on, 10), None, vec![application(id, "m01", "credit-loan", 60_000)]);
    assert!(matches!(ask(day(-1), "a0"), Err(AnswerError::NotOfTheDay { .. })));
    assert!(matches!(ask(day(3), "a0"), Err(AnswerError::NotOfTheDay { .. })));
    ask(day(1), "a1").unwrap();
    assert!(matches!(ask(day(0), "a2"), Err(AnswerError::NotOfTheDay { .. })), "the clock went back");
    let log = lender.out().join("decisions.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replace("60000", "60001")).unwrap();
    assert!(matches!(ask(day(1), "a2"), Err(AnswerError::Publish(PublishError::Malformed { .. }))));
    assert!(matches!(
        lender.night_without(&market, day(1), &[]),
        Err(RunError::Publish(PublishError::Malformed { .. }))
    ));
    assert!(!verify(&lender.out(), None).unwrap().is_sound());
    fs::write(&log, text).unwrap();
    lender.change("policy.toml", "offer_valid_days = 30", "offer_valid_days = 29");
    assert!(matches!(ask(day(1), "a2"), Err(AnswerError::OtherPolicy { .. })));
}

/// A date that is published again, or a run that is set back, leaves offers behind that were served for an hour.
#[test]
fn what_a_run_of_the_same_day_offered_is_held_and_its_orders_stay_pledged() {
    let lender = Lender::with(&[("job.toml", "[model]", "[gates]\ndays_older = 30\ndays_past_data = 30\n\n[model]")]);
    // Nothing changes for the third: the same offer is made again.
    let mut market = trading_marketplace(&lender, 3);
    let mut orders = Vec::new();
    for merchant in ["m01", "m02"] {
        orders.push(shipped_orders(&mut market, merchant, 4, day(-3)));
    }
    night(&lender, &market, 0);
    night(&lender, &market, 1);
    let first = served(&lender);
    // Rows of yesterday arrive late: the same day is published again.
    for order in orders.iter().flat_map(|own| &own[..2]) {
        market.confirm(order, at(day(0), 12));
    }
    let again = lender.night(&market, day(1));
    assert!(again.is_new);
    let (offers, open) = (rows::<offer::Offer>(&again.published.run_dir), rows::<OpenOffer>(&again.published.run_dir));
    for offer in &first {
        let held =
            open.iter().find(|o| o.offer_id == offer.offer_id).unwrap_or_else(|| panic!("{offer:?} is on no account"));
        let instead = offers.iter().find(|o| o.merchant_id == offer.merchant_id && o.product == offer.product);
        match instead {
            Some(same) if same.offer_id == offer.offer_id => {}
            Some(instead) => assert_eq!(instead.replaces_offer_id.as_ref(), Some(&offer.offer_id)),
            None => assert_eq!(held.state, OfferState::Withdrawn),
        }
    }
    assert!(!lender.night(&market, day(1)).is_new, "the same data once more is nothing new");
    // The first merchant drew the first offer before it was set aside, the second one the offer that took its place.
    let drawn = |offers: &[super::Offer], merchant: &str| {
        offers.iter().filter(|o| o.merchant_id == merchant).cloned().collect::<Vec<_>>()
    };
    for offer in drawn(&first, "m01") {
        market.draw(&offer, offer.limit_minor, at(day(1), 3));
    }
    for offer in drawn(&served(&lender), "m02") {
        market.draw(&offer, offer.limit_minor, at(day(1), 9));
    }
    for number in 2..5 {
        night(&lender, &market, number);
        market.pledged(at(day(number), 0));
    }
}

#[test]
fn a_reader_of_the_run_is_told_what_was_answered_since() {
    let lender = Lender::new();
    let market = trading_marketplace(&lender, 2);
    night(&lender, &market, 0);
    let product = "credit-loan";
    let published =
        served(&lender).into_iter().find(|o| (o.merchant_id.as_str(), o.product.as_str()) == ("m01", product));
    let published = published.unwrap().offer_id;
    let told = || {
        let book = ScoreBook::open(&lender.out()).unwrap();
        let mut entry = book.get("m01").unwrap().unwrap();
        entry.answered = book.answered(&lender.out(), "m01").unwrap();
        assert!(book.answered(&lender.out(), "m02").unwrap().is_empty(), "it is another's");
        entry
    };
    assert!(told().answered.is_empty());
    let poor = Application { gross_sales_12m_minor: Some(1), ..application("a1", "m01", product, 60_000) };
    one(answer(&lender, (day(0), 9), None, vec![poor]).unwrap());
    let entry = told();
    let [answered] = entry.answered.as_slice() else { panic!("{:?}", entry.answered) };
    assert_eq!((answered.application_id.as_str(), answered.product.as_str()), ("a1", product));
    assert!(answered.offer.is_none() && answered.decline.is_some());
    let text = entry_text(&entry);
    assert!(
        text.contains(&format!("nothing of {product}; the run's offer {published} can be drawn no more")),
        "{text}"
    );
    // The next night has read it.
    night(&lender, &market, 1);
    assert!(told().answered.is_empty());
}
