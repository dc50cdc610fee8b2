//! What is written is what is read, and the bytes depend on the rows alone.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Date32Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use integrity::core_system::{Difference, DifferenceKind};
use integrity::domain::{Reason, ReasonCode};
use integrity::exposure::{DebtState, OfferState, OpenOffer, RememberedOwner, Statement};
use integrity::features::Group;
use integrity::model::ability::MerchantReceipts;
use integrity::monitor::{
    Action, Alert, AlertState, BorrowerState, Class, ClearedBecause, CreditState, Deduction, Dimension, DriftBin,
    DriftLine, EvidenceValue, ForecastBy, ForecastLine, ForecastOutcome, Handling, LoanForecast, LoanLine, MarkedBy,
    OpenDeduction, PortfolioLine, ProposedInstalment, ProvisionLine, QueueLine, RollBasis, RollRate, Severity, Stage,
    Standing, StateChange, Verdict, VintageLine,
};
use integrity::offer::{
    BankReferral, Cap, CapName, CaseRecord, Decline, Invitation, InvitationGroup, Offer, RepaymentKind,
};
use integrity::publish::{
    EvidenceRow, FeatureRow, GatheredTable, OutputRow, OutputTable, PublishError, TableReader, TableWriter, WideValue,
    output_tables,
};
use integrity::repayment::{LastKnown, LoanException, RememberedLoan};
use integrity::score::MerchantScore;
use integrity::wash::QuarantineRow;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::fixture::{alert, decline, failed, merchant, offer, score};

fn write<R: OutputRow>(path: &Path, table: OutputTable, rows: Vec<R>) -> Result<(), PublishError> {
    let mut writer = TableWriter::create(path, table)?;
    writer.extend(rows)?;
    writer.finish().map(|_| ())
}

fn read<R: OutputRow>(path: &Path) -> Vec<R> {
    TableReader::open(path).unwrap().collect::<Result<_, _>>().unwrap()
}

/// Rows come back as they were, and their key is what stands in the columns that the table says it is sorted by.
fn round_trip<R>(table: OutputTable, rows: &[R])
where
    R: OutputRow + Clone + PartialEq + std::fmt::Debug,
    for<'a> R::Key<'a>: serde::Serialize,
{
    for row in rows {
        let fields = serde_json::to_value(row).unwrap();
        let sorted_by: Vec<_> = table.sorted_by.iter().map(|column| fields[column].clone()).collect();
        let key = match serde_json::to_value(row.key()).unwrap() {
            serde_json::Value::Array(parts) => parts,
            single => vec![single],
        };
        assert_eq!(key, sorted_by);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    write(&path, table, rows.to_vec()).unwrap();
    assert_eq!(read::<R>(&path), rows);
}

fn dates() -> impl Strategy<Value = Date> {
    (-30_000_i64..60_000).prop_map(|days| date(1970, 1, 1).checked_add(days.days()).unwrap())
}

fn finite() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("finite", |v| v.is_finite())
}

fn reasons() -> impl Strategy<Value = Vec<Reason>> {
    vec(
        ("[a-z]{1,4}(-[a-z0-9]{1,4}){0,2}", ".{0,12}")
            .prop_map(|(code, text)| Reason { code: ReasonCode::new(&code).unwrap(), text }),
        0..5,
    )
}

const CAP_NAMES: [CapName; 15] = {
    use CapName::{
        Ability, DebtService, DeclaredDebtService, DeclaredLeverage, ExposureLeft, Group, Growth, HardCap,
        IntegrityCapital, LowestMonth, OrderReceivables, PortfolioBudget, Product, Regrowth, Requested,
    };
    [
        Ability, DebtService, IntegrityCapital, LowestMonth, OrderReceivables, DeclaredDebtService, DeclaredLeverage,
        Growth, Requested, Group, Regrowth, ExposureLeft, PortfolioBudget, Product, HardCap,
    ]
};
const REPAYMENTS: [RepaymentKind; 4] =
    [RepaymentKind::Bullet, RepaymentKind::EqualPrincipal, RepaymentKind::EqualInstalment, RepaymentKind::SalesShare];
const OFFER_STATES: [OfferState; 4] =
    [OfferState::Open, OfferState::Withdrawn, OfferState::Replaced, OfferState::Drawn];
const DEBT_STATES: [DebtState; 3] = [DebtState::Known, DebtState::Unknown, DebtState::NoLoanBook];
const STATES: [AlertState; 3] = [AlertState::Opened, AlertState::Escalated, AlertState::Cleared];
const VERDICTS: [Verdict; 4] = [Verdict::Fired, Verdict::Quiet, Verdict::Unknown, Verdict::NotAsked];
const CLEARED: [ClearedBecause; 7] = [
    ClearedBecause::Quiet,
    ClearedBecause::LoanClosed,
    ClearedBecause::WrittenOff,
    ClearedBecause::NoLongerSent,
    ClearedBecause::BorrowerCorrected,
    ClearedBecause::NothingOwed,
    ClearedBecause::RuleWithdrawn,
];
const CLASSES: [Class; 5] = [Class::Normal, Class::SpecialMention, Class::Substandard, Class::Doubtful, Class::Loss];
const MARKS: [MarkedBy; 3] = [MarkedBy::Itself, MarkedBy::Borrower, MarkedBy::Group];
const CREDIT_STATES: [CreditState; 8] = [
    CreditState::Current,
    CreditState::Watch,
    CreditState::SpecialMention,
    CreditState::Default,
    CreditState::Probation,
    CreditState::Restored,
    CreditState::WrittenOff,
    CreditState::Unknown,
];
const STAGES: [Stage; 4] = [Stage::Performing, Stage::UnderPerforming, Stage::Impaired, Stage::Unknown];
const HANDLINGS: [Handling; 2] = [Handling::Snoozed, Handling::Suppressed];
const SEVERITIES: [Severity; 3] = [Severity::Info, Severity::Warning, Severity::Critical];
const ACTIONS: [Action; 5] = [Action::Watch, Action::Freeze, Action::Deduct, Action::Call, Action::Restructure];

prop_compose! {
    fn score_row()(
        as_of in dates(), score in option::of(any::<i32>()), pd_prob in option::of(0.0..=1.0), band in ".{0,3}", integrity_index in option::of(0..=1000),
        integrity_capital_minor in option::of(any::<i64>()), worst in option::of((any::<i32>(), 0.0..=1.0, ".{0,3}")), sub_indices in vec(option::of(0..=1000), Group::WORDS.len()), reasons in reasons(),
    ) -> MerchantScore {
        MerchantScore {
            merchant_id: String::new(), as_of, score, pd_prob, band, integrity_index, integrity_capital_minor,
            sub_indices: Group::WORDS.into_iter().map(|(_, group)| group).zip(sub_indices).collect(), reasons, model_version: "w/1".to_owned(),
            worst_case_score: worst.as_ref().map(|w| w.0), worst_case_pd_prob: worst.as_ref().map(|w| w.1), worst_case_band: worst.map(|w| w.2),
        }
    }
}

prop_compose! {
    fn offer_row()(
        limit_minor in 0..=i64::MAX, term_days in 1..=u16::MAX, apr in 0.0..10.0, repayment in select(&REPAYMENTS[..]), valid_until_on in dates(),
        binding_cap in select(&CAP_NAMES[..]), caps in vec((select(&CAP_NAMES[..]), option::of(any::<i64>()), option::of(any::<i64>())).prop_map(|(name, gross_minor, value_minor)| Cap { name, gross_minor, value_minor }), 0..4),
        pledged_order_ids in option::of(vec(".{0,4}", 0..4)), instalments in 1..=u16::MAX, term_pd_prob in 0.0..=1.0,
        [interest_minor, early_saving_minor, expected_loss_daily_ppm, funding_daily_ppm, cost_daily_ppm, margin_daily_ppm, floor_daily_ppm, band_daily_ppm]
            in proptest::array::uniform8(0..=i64::MAX),
        [sales_share_ppm, min_per_60_days_ppm] in proptest::array::uniform2(option::of(0_i64..=1_000_000)), expected_days in option::of(1..=u16::MAX),
        [expected_receipts_minor, most_interest_minor] in proptest::array::uniform2(option::of(0..=i64::MAX)),
    ) -> Offer {
        Offer {
            sales_share_ppm, min_per_60_days_ppm, expected_receipts_minor, expected_days, most_interest_minor,
            instalments, term_pd_prob, interest_minor, early_saving_minor, expected_loss_daily_ppm, funding_daily_ppm, cost_daily_ppm,
            margin_daily_ppm, floor_daily_ppm, band_daily_ppm, limit_minor, term_days, apr, repayment, valid_until_on, binding_cap, caps, pledged_order_ids, ..offer("", "p", 0) }
    }
}

prop_compose! {
    fn decline_row()(
        failed in vec(
            (".{0,4}", option::of(finite()), option::of(finite()))
                .prop_map(|(rule, observed, threshold)| failed(&rule, observed, threshold)),
            0..4,
        ),
        reasons in reasons(),
    ) -> Decline {
        Decline { failed, reasons, ..decline("", "p") }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scores_come_back(ids in btree_set(".{0,70}", 0..20), rows in vec(score_row(), 20)) {
        let rows = ids.into_iter().zip(rows).map(|(merchant_id, row)| MerchantScore { merchant_id, ..row }).collect::<Vec<_>>();
        round_trip(MerchantScore::table(), &rows);
    }

    #[test]
    fn offers_come_back(ids in btree_set((".{0,3}", "[a-c]", "[a-c]"), 0..20), rows in vec(offer_row(), 20)) {
        let rows = ids.into_iter().zip(rows);
        let rows = rows.map(|((merchant_id, product, offer_id), row)| Offer { merchant_id, product, offer_id, ..row });
        round_trip(Offer::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn declines_come_back(ids in btree_set((".{0,3}", "[a-c]"), 0..20), rows in vec(decline_row(), 20)) {
        let rows = ids.into_iter().zip(rows).map(|((merchant_id, product), row)| Decline { merchant_id, product, ..row });
        round_trip(Decline::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn alerts_come_back(
        ids in btree_set((".{0,3}", "[a-c]"), 0..20), loan_id in option::of(".{0,3}"), observed in option::of(finite()),
        severity in select(&SEVERITIES[..]), action in select(&ACTIONS[..]), state in select(&STATES[..]), tonight in select(&VERDICTS[..]),
        evidence in vec((".{0,3}", option::of(finite())).prop_map(|(name, value)| EvidenceValue { name, value }), 0..3),
        cleared_because in option::of(select(&CLEARED[..])), handling in option::of(select(&HANDLINGS[..])), opened_on in dates(),
        since_on in dates(), quiet_since_on in option::of(dates()), handled_until_on in option::of(dates()), handled_by in option::of(".{0,3}"),
    ) {
        let rows = ids.into_iter().map(|(merchant_id, alert_id)| Alert {
            loan_id: loan_id.clone(), severity, observed, threshold: None, action, state, tonight, evidence: evidence.clone(), cleared_because, handling, opened_on, since_on,
            quiet_since_on, trouble_prob: observed, at_risk_minor: loan_id.as_ref().map(|_| 7), handled_until_on, handled_by: handled_by.clone(), handled_why: handled_by.clone(), ..alert(&merchant_id, &alert_id)
        });
        round_trip(Alert::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn differences_come_back(
        rows in vec((option::of(".{0,4}"), option::of(any::<i64>()), any::<bool>(), select(&[DifferenceKind::MissingHere, DifferenceKind::Arrears, DifferenceKind::NoLoanId][..])), 0..20),
    ) {
        let rows: Vec<Difference> = (1_i64..).zip(rows).map(|(number, (text, value, is_tolerated, what))| Difference {
            number, loan_id: text.clone(), merchant_id: text.clone(), row: value, what, ours: text.clone(), theirs: text.clone(), difference: value,
            is_tolerated, detail: text,
        }).collect();
        round_trip(Difference::table(), &rows);
    }

    #[test]
    fn queues_come_back(rows in vec((".{0,3}", 0..=i64::MAX, option::of(0.0..=1.0), vec(".{0,4}", 0..3), dates(), select(&ACTIONS[..])), 0..20)) {
        let rows: Vec<QueueLine> = (1_i64..).zip(rows).map(|(rank, (merchant_id, minor, pd_prob, rules, opened_on, action))| QueueLine {
            rank, merchant_id, action, expected_saved_minor: minor, expected_loss_minor: minor, owed_minor: minor, arrears_minor: minor, dpd: (rank % 2 == 0).then_some(3),
            trouble_prob: pd_prob.map(|pd| pd / 2.0), pd_prob, unknown_loans: 1, rules, opened_on,
        }).collect();
        round_trip(QueueLine::table(), &rows);
    }

    #[test]
    fn proposals_come_back(
        ids in btree_set((".{0,3}", ".{0,3}", any::<i64>()), 0..20), minor in any::<i64>(), affordable_minor in option::of(any::<i64>()), due_on in dates(),
    ) {
        let rows = ids.into_iter().map(|(merchant_id, loan_id, number)| ProposedInstalment {
            merchant_id, loan_id, number, instalments: 3, due_on, principal_minor: minor, interest_minor: minor, carried_minor: minor, daily_rate_ppm: 5,
            affordable_minor, is_affordable: affordable_minor.is_some(), why: "w".to_owned(),
        });
        round_trip(ProposedInstalment::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn deductions_come_back(ids in btree_set((".{0,3}", ".{0,3}"), 0..20), amount_minor in 1..=i64::MAX) {
        let rows = ids.into_iter().map(|(merchant_id, key)| Deduction {
            key, merchant_id, loan_id: "l".to_owned(), amount_minor, released_minor: Some(amount_minor / 2), why: "overdue".to_owned(),
        });
        round_trip(Deduction::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn open_deductions_come_back(
        ids in btree_set((".{0,3}", ".{0,3}"), 0..20), ordered_minor in 1..=i64::MAX, left_minor in 1..=i64::MAX, ordered_on in dates(), given_on in dates(),
        deducted_minor in option::of(any::<i64>()),
    ) {
        let rows = ids.into_iter().map(|(merchant_id, key)| OpenDeduction {
            key, merchant_id, loan_id: "l".to_owned(), ordered_minor, left_minor, ordered_on, given_on, deducted_minor,
        });
        round_trip(OpenDeduction::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn cases_come_back(ids in btree_set(".{0,3}", 0..20), facts_json in ".{0,40}") {
        let rows = ids.into_iter().map(|merchant_id| CaseRecord { merchant_id, facts_json: facts_json.clone() });
        round_trip(CaseRecord::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn referrals_come_back(ids in btree_set((".{0,3}", "[a-c]"), 0..20), supportable_minor in 0..=i64::MAX, pd_prob in 0.0..=1.0) {
        let rows = ids.into_iter().map(|(merchant_id, product)| BankReferral {
            merchant_id, product, supportable_minor, cap_minor: 100_000_000, score: -5, pd_prob,
        });
        round_trip(BankReferral::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn invitations_come_back(ids in btree_set((".{0,3}", "[a-c]"), 0..20), rank in 1..=i64::MAX, expected_profit_minor in any::<i64>(), is_control in any::<bool>()) {
        let group = if is_control { InvitationGroup::Control } else { InvitationGroup::Invite };
        let rows = ids.into_iter().map(|(merchant_id, product)| Invitation {
            merchant_id, product, offer_id: "o".to_owned(), campaign: "spring".to_owned(), group, rank, expected_profit_minor,
        });
        round_trip(Invitation::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn receipts_come_back(ids in btree_set((".{0,3}", 1..400_u16), 0..20), amounts in vec(0..=i64::MAX, 5), season in finite(), history_days in 0..900_u16) {
        let rows = ids.into_iter().map(|(merchant_id, horizon_days)| MerchantReceipts {
            merchant_id, horizon_days, history_days, season, last_90_days_minor: -amounts[0], last_360_days_minor: amounts[1],
            lower_minor: amounts[2], median_minor: amounts[3], upper_minor: amounts[4],
        });
        round_trip(MerchantReceipts::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn open_offers_come_back(
        ids in btree_set((".{0,3}", "[a-c]", "[a-c]"), 0..20), state in select(&OFFER_STATES[..]), sums in vec(0..=i64::MAX, 4),
        unsure in vec(option::of(any::<i64>()), 2), sales_share_ppm in option::of(1..=1_000_000_i64), offered_on in dates(),
        valid_until_on in dates(), replaces_offer_id in option::of(".{0,4}"), pledged_order_ids in vec(".{0,4}", 0..4),
    ) {
        let rows = ids.into_iter().map(|(merchant_id, product, offer_id)| OpenOffer {
            offer_id, merchant_id, product, state, limit_minor: sums[0], drawn_minor: sums[1], drawn_before_minor: sums[2],
            daily_rate_ppm: unsure[0], term_days: unsure[1], sales_share_ppm,
            held_minor: sums[3], offered_on, valid_until_on, replaces_offer_id: replaces_offer_id.clone(),
            pledged_order_ids: pledged_order_ids.clone(),
        });
        round_trip(OpenOffer::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn accounts_come_back(
        ids in btree_set(".{0,3}", 0..20), debt in select(&DEBT_STATES[..]), unsure in vec(option::of(0..=i64::MAX), 3),
        sums in vec(0..=i64::MAX, 4), open_loan_ids in vec(".{0,4}", 0..4),
        closed_loan_ids in vec(".{0,4}", 0..4),
    ) {
        let rows = ids.into_iter().map(|merchant_id| Statement {
            open_loan_ids: open_loan_ids.clone(), closed_loan_ids: closed_loan_ids.clone(),
            merchant_id, debt, owed_minor: unsure[0], offered_minor: sums[0], held_minor: sums[1], receivables_minor: unsure[1],
            pledged_orders: sums[2], group_allowance_minor: unsure[2], group_liability_minor: sums[3],
            owner_id: open_loan_ids.first().cloned(), owner_shops: unsure[0], owner_committed_minor: unsure[1],
        });
        round_trip(Statement::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn remembered_owners_come_back(ids in btree_set((".{0,3}", ".{0,3}"), 0..20), left_on in option::of(dates())) {
        let rows = ids.into_iter().map(|(merchant_id, owner_id)| RememberedOwner { merchant_id, owner_id, left_on });
        round_trip(RememberedOwner::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn remembered_loans_come_back(
        ids in btree_set((".{0,3}", ".{0,3}"), 0..20), texts in vec(option::of(".{0,3}"), 2), minor in option::of(any::<i64>()),
        known_on in option::of(dates()),
    ) {
        let rows = ids.into_iter().map(|(merchant_id, loan_id)| RememberedLoan {
            merchant_id, loan_id, product: texts[0].clone(), group_id: texts[1].clone(), principal_minor: minor,
            last_known: if minor.is_some() { LastKnown::InDefault } else { LastKnown::Never },
            known_on, outstanding_minor: minor, payments: minor, received_minor: minor,
            received_json: texts[0].clone(), bounced_json: texts[1].clone(), lent_digest: texts[0].clone(), schedule_digest: texts[1].clone(), ends_on: known_on,
            restructured_on: known_on, is_written_off: known_on.map(|on| on.day() > 15),
            offer_id: None,
            pledge_digest: None,
            borrower_before: texts[1].clone(),
        });
        round_trip(RememberedLoan::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn loan_exceptions_come_back(
        ids in btree_set((option::of(".{0,3}"), option::of(".{0,3}"), "[a-c]", ".{0,3}"), 0..20), product in option::of("[a-c]"),
        principal_minor in option::of(any::<i64>()), is_unknown in any::<bool>(),
    ) {
        let rows = ids.into_iter().map(|(merchant_id, loan_id, code, detail)| LoanException {
            merchant_id, loan_id, product: product.clone(), code, detail, principal_minor, is_unknown,
        });
        round_trip(LoanException::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn loan_books_come_back(
        ids in btree_set((".{0,3}", option::of(".{0,3}")), 0..20), words in vec(option::of(".{0,3}"), 6), sums in vec(option::of(any::<i64>()), 5),
        disbursed_on in option::of(dates()), class in option::of(select(&CLASSES[..])), marked_by in option::of(select(&MARKS[..])),
        stage in option::of(select(&STAGES[..])), pd_prob in option::of(0.0..=1.0),
    ) {
        let rows = ids.into_iter().map(|(merchant_id, loan_id)| LoanLine {
            merchant_id, loan_id, place: "current".to_owned(), product: words[0].clone(), category: words[1].clone(), region: words[2].clone(),
            owner_id: words[4].clone(), group_id: words[5].clone(), disbursed_on, principal_minor: sums[0], outstanding_minor: sums[1], arrears_minor: sums[2], dpd: sums[3], class, marked_by,
            band: words[3].clone(), pd_prob, stage, provision_minor: sums[4],
        });
        round_trip(LoanLine::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn portfolios_come_back(
        ids in btree_set((dates(), option::of(".{0,3}")), 0..20), counts in vec(0..=i64::MAX, 2), sums in vec(any::<i64>(), 5),
        known in vec(option::of(any::<i64>()), 3), share in option::of(0.0..=1.0),
    ) {
        let rows = ids.into_iter().map(|(as_of, member)| PortfolioLine {
            night_on: as_of, dimension: Dimension::Region, member, borrowers: counts[0], loans: counts[1], lent_minor: sums[0], outstanding_minor: known[0],
            arrears_minor: known[1], over_30_minor: sums[1], over_60_minor: sums[2], over_90_minor: sums[3], non_performing_minor: sums[4],
            provision_minor: known[2], share,
        });
        round_trip(PortfolioLine::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn provisions_and_roll_rates_come_back(
        ids in btree_set((dates(), dates(), "[a-c]", "[a-c]"), 0..20), loans in 0..=i64::MAX, sums in vec(any::<i64>(), 2), stage in select(&STAGES[..]),
        basis in select(&[RollBasis::Night, RollBasis::Month][..]), moved_share in option::of(0.0..=1.0),
    ) {
        let rolls = ids.iter().cloned().map(|(to_on, from_on, from_place, to_place)| RollRate {
            basis, from_on, to_on, from_place, to_place, loans, moved_minor: sums[0], increased_minor: sums[1], moved_share,
        });
        round_trip(RollRate::table(), &rolls.collect::<Vec<_>>());
        let nights: std::collections::BTreeSet<(Date, String)> = ids.into_iter().map(|(as_of, _, scenario, _)| (as_of, scenario)).collect();
        let provisions = nights.into_iter().map(|(as_of, scenario)| ProvisionLine {
            night_on: as_of, scenario, stage, loans, exposure_minor: sums[0], provision_minor: sums[1],
        });
        round_trip(ProvisionLine::table(), &provisions.collect::<Vec<_>>());
    }

    #[test]
    fn borrower_states_come_back(
        ids in btree_set(".{0,3}", 0..20), state in select(&CREDIT_STATES[..]), came_from in option::of(select(&CREDIT_STATES[..])), since_on in dates(),
        seen in vec(option::of(dates()), 2), sums in vec(option::of(any::<i64>()), 2), clean_days_needed in 0..=3_660_i64,
        evidence in vec((".{0,3}", option::of(finite())).prop_map(|(name, value)| EvidenceValue { name, value }), 0..3),
    ) {
        let rows = ids.into_iter().map(|merchant_id| BorrowerState {
            merchant_id, state, since_on, came_from, known_state: state, known_since_on: since_on, because: "late-again".to_owned(),
            evidence: evidence.clone(), last_unclean_on: seen[0], last_default_on: seen[1], clean_days_needed, most_minor: sums[0],
            help_minor: sums[1], help_evidence: evidence.clone(),
        });
        round_trip(BorrowerState::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn state_changes_come_back(
        ids in btree_set((".{0,3}", dates()), 0..20), state in select(&CREDIT_STATES[..]), came_from in option::of(select(&CREDIT_STATES[..])),
        seen in vec(option::of(dates()), 2), clean_days_needed in 0..=3_660_i64,
        evidence in vec((".{0,3}", option::of(finite())).prop_map(|(name, value)| EvidenceValue { name, value }), 0..3),
    ) {
        let rows = ids.into_iter().map(|(merchant_id, changed_on)| StateChange {
            merchant_id, changed_on, came_from, state, known_state: state, because: "late-again".to_owned(), evidence: evidence.clone(),
            last_unclean_on: seen[0], last_default_on: seen[1], clean_days_needed,
        });
        round_trip(StateChange::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn drift_comes_back(
        ids in btree_set((dates(), option::of("[a-c]")), 0..20), rows in vec(0..=i64::MAX, 2), numbers in vec(option::of(finite()), 5),
        shares in vec(option::of(0.0..=1.0), 2), first_night_on in option::of(dates()),
    ) {
        let lines = ids.into_iter().map(|(as_of, variable)| DriftLine {
            night_on: as_of, variable, model_version: "m/1".to_owned(), reference_rows: rows[0], rows: rows[1], index: numbers[0], critical: numbers[1],
            reference_missing_share: shares[0], missing_share: shares[1], score_shift: numbers[2], first_night_on,
            first_night_index: numbers[3], first_night_critical: numbers[4],
        });
        round_trip(DriftLine::table(), &lines.collect::<Vec<_>>());
    }

    #[test]
    fn bins_of_drift_come_back(
        ids in btree_set((option::of("[a-c]"), 0..=i32::MAX), 0..20), rows in vec(0..=i64::MAX, 3), first_night_on in dates(), label in ".{0,3}",
    ) {
        let bins = ids.into_iter().map(|(variable, bin)| DriftBin {
            variable, bin, label: label.clone(), model_version: "m/1".to_owned(), reference_rows: rows[0], first_night_on, first_night_rows: rows[1],
            rows: rows[2],
        });
        round_trip(DriftBin::table(), &bins.collect::<Vec<_>>());
    }

    #[test]
    fn vintages_come_back(
        ids in btree_set((option::of(dates()), "[a-c]", option::of(1..=60_i32)), 0..20), counts in vec(0..=i64::MAX, 2), sums in vec(any::<i64>(), 5),
        defaulted_share in option::of(0.0..=1.0),
    ) {
        let rows = ids.into_iter().map(|(disbursed_in, product, months_on_book)| VintageLine {
            disbursed_in, product, months_on_book, loans: counts[0], lent_minor: sums[0], outstanding_minor: sums[1], written_off_minor: sums[2],
            defaulted_loans: counts[1], defaulted_minor: sums[3], unpaid_minor: sums[4], defaulted_share,
        });
        round_trip(VintageLine::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn forecasts_come_back(
        ids in btree_set((".{0,3}", ".{0,3}"), 0..20), on in dates(), disbursed_on in option::of(dates()), pd_prob in option::of(0.0..=1.0), minor in any::<i64>(),
        maybe in option::of(any::<i64>()), outcome in select(&[ForecastOutcome::Open, ForecastOutcome::NoDefault, ForecastOutcome::Default][..]),
    ) {
        let rows = ids.into_iter().map(|(merchant_id, loan_id)| LoanForecast {
            merchant_id, loan_id, product: "p".to_owned(), disbursed_on, made_on: on, until_on: on, band: disbursed_on.map(|_| "A".to_owned()), pd_prob,
            exposure_minor: minor, expected_loss_minor: maybe, outcome, lost_minor: maybe,
        });
        round_trip(LoanForecast::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn forecast_outcomes_come_back(
        ids in btree_set(
            (select(&[ForecastBy::All, ForecastBy::Vintage, ForecastBy::Product, ForecastBy::Band][..]), option::of("[a-c]"),
             select(&[Standing::Realised, Standing::Estimated][..])), 0..20),
        counts in vec(0..=i64::MAX, 2), sums in vec(any::<i64>(), 2), shares in vec(option::of(0.0..=1.0), 4), is_as_expected in option::of(any::<bool>()),
        maybe in option::of(any::<i64>()),
    ) {
        let rows = ids.into_iter().map(|(by, member, standing)| ForecastLine {
            by, member, standing, loans: counts[0], loans_without_prob: counts[1], exposure_minor: sums[0], expected_default_share: shares[0],
            default_share: shares[1], default_share_low: shares[2], default_share_high: shares[3], is_as_expected, defaults: maybe,
            expected_loss_minor: sums[1], lost_minor: maybe,
        });
        round_trip(ForecastLine::table(), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn features_come_back(ids in btree_set(".{0,3}", 0..20), values in vec(vec(option::of(finite()), 3), 20)) {
        let columns = ["a", "b", "c"].map(|n| f64::column(n, "", ""));
        let rows = ids.into_iter().zip(values).map(|(merchant_id, values)| FeatureRow { merchant_id, values });
        round_trip(FeatureRow::table_of(&columns), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn evidence_comes_back(ids in btree_set(".{0,3}", 0..20), values in vec(vec(option::of(any::<i64>()), 2), 20)) {
        let columns = ["a", "b"].map(|n| i64::column(n, "", ""));
        let rows = ids.into_iter().zip(values).map(|(merchant_id, values)| EvidenceRow { merchant_id, values });
        round_trip(EvidenceRow::table_of(&columns), &rows.collect::<Vec<_>>());
    }

    #[test]
    fn quarantine_comes_back(ids in btree_set((".{0,3}", 1..=u32::MAX, "[a-c]", option::of("[a-c]")), 0..20), value in option::of(".{0,9}")) {
        let rows = ids.into_iter().zip(1..).map(|((file, row, rule, column), number)| QuarantineRow {
            number, file, file_index: 0, row, key: column.clone(), rule, column, value: value.clone(), record: value.clone(),
        });
        round_trip(QuarantineRow::table(), &rows.collect::<Vec<_>>());
    }
}

/// More rows than a row group holds, which come in pieces that have nothing to do with their order.
#[test]
fn gathered_rows_are_the_bytes_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let total = 70_000;
    let row = |n: usize| FeatureRow {
        merchant_id: merchant(n),
        values: vec![(!n.is_multiple_of(3)).then_some(n as f64 / 7.0)],
    };
    let table = || FeatureRow::table_of(&[f64::column("f", "", "")]);
    let whole = folder.path().join("whole.parquet");
    write(&whole, table(), (0..total).map(row).collect()).unwrap();
    for pieces in [1, 7, 40] {
        let gathered = GatheredTable::new(table(), folder.path());
        // The last piece is empty.
        for piece in (0..=pieces).rev() {
            gathered.extend((0..total).filter(|n| n * 31 % pieces == piece).map(row).collect()).unwrap();
        }
        let path = folder.path().join(format!("{pieces}.parquet"));
        let mut writer: TableWriter<FeatureRow> = TableWriter::create(&path, table()).unwrap();
        gathered.write(&mut writer).unwrap();
        assert_eq!(writer.finish().unwrap().rows, total as u64);
        assert!(fs::read(&path).unwrap() == fs::read(&whole).unwrap(), "{pieces} pieces give other bytes");
    }

    let metadata = ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Required)
        .parse_and_finish(&File::open(&whole).unwrap())
        .unwrap();
    assert_eq!(
        metadata.row_groups().iter().map(parquet::file::metadata::RowGroupMetaData::num_rows).collect::<Vec<_>>(),
        [65_536, 4_464]
    );
    assert_eq!(metadata.file_metadata().created_by(), Some("integrity"));
    for (at, group) in metadata.row_groups().iter().enumerate() {
        assert!(group.column(0).bloom_filter_offset().is_some());
        assert_eq!(group.sorting_columns().unwrap().len(), 1);
        let pages = metadata.page_index().unwrap().offset_index(at, 0).unwrap().page_locations();
        assert!(pages.windows(2).all(|p| p[1].first_row_index - p[0].first_row_index <= 2_048));
        assert!(metadata.page_index().unwrap().column_index(at, 0).is_some());
    }
}

#[test]
fn the_same_key_twice_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let gathered = GatheredTable::new(MerchantScore::table(), folder.path());
    gathered.extend(vec![score("m1", 1)]).unwrap();
    gathered.extend(vec![score("m0", 1), score("m1", 1)]).unwrap();
    let mut writer = TableWriter::<MerchantScore>::create(&folder.path().join("c"), MerchantScore::table()).unwrap();
    assert!(matches!(gathered.write(&mut writer), Err(PublishError::OutOfOrder { .. })));
}

#[test]
fn an_empty_table_is_a_file_with_its_columns() {
    let folder = tempfile::tempdir().unwrap();
    for (n, table) in output_tables().into_iter().enumerate() {
        let path = folder.path().join(n.to_string());
        let names: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
        write::<MerchantScore>(&path, table, Vec::new()).unwrap();
        let file = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap());
        let schema = file.unwrap().schema().clone();
        assert_eq!(schema.fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>(), names);
    }
}

/// serde by itself would write nulls into such a column, and read nulls from a column that is not there.
#[test]
fn a_column_without_a_field_and_a_field_without_a_column_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut extra = Alert::table();
    extra.columns.push(f64::column("typed_wrong", "", "No field bears this name."));
    let written = write(&folder.path().join("extra"), extra, vec![alert("m", "a")]);
    assert!(matches!(written, Err(PublishError::Layout { table: "alerts", why }) if why.contains("typed_wrong")));

    let mut short = Alert::table();
    short.columns.retain(|column| column.name != "loan_id");
    let path = folder.path().join("short");
    write(&path, short, vec![alert("m", "a")]).unwrap();
    let read = TableReader::<Alert>::open(&path).unwrap().next().unwrap();
    assert!(matches!(read, Err(PublishError::Malformed { why, .. }) if why.contains("loan_id is missing")));
}

/// A file that holds other types, nulls, words or days than its table documents is refused, not read as something else.
#[test]
fn columns_that_are_not_as_documented_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let read_offer = |name: &str, column: &str, array: ArrayRef| {
        let written = Offer::encode(&[offer("m", "p", 1)], &Offer::table()).unwrap();
        let at = written.schema().index_of(column).unwrap();
        let mut fields: Vec<Field> = written.schema().fields().iter().map(|f| f.as_ref().clone()).collect();
        let mut arrays = written.columns().to_vec();
        fields[at] = Field::new(column, array.data_type().clone(), true);
        arrays[at] = array;
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
        match Offer::decode(&folder.path().join(name), &batch) {
            Err(PublishError::Malformed { path, why }) if path.ends_with(name) => why,
            other => panic!("{name}: {other:?}"),
        }
    };
    let wide = read_offer("type", "term_days", Arc::new(Int64Array::from(vec![7])));
    assert!(wide.contains("term_days is Int64, expected Int32"), "{wide}");
    let null = read_offer("null", "limit_minor", Arc::new(Int64Array::from(vec![None])));
    assert!(null.contains("limit_minor is null"), "{null}");
    let word = read_offer("word", "repayment", Arc::new(StringArray::from(vec!["balloon"])));
    assert!(word.contains("balloon"), "{word}");
    for days in [i32::MAX, i32::MIN] {
        let day = read_offer("day", "valid_until_on", Arc::new(Date32Array::from(vec![days])));
        assert!(day.contains("valid_until_on") && day.contains(&days.to_string()), "{day}");
    }
    let term = read_offer("range", "term_days", Arc::new(Int32Array::from(vec![-1])));
    assert!(term.contains("term_days"), "{term}");
}

#[test]
fn rows_out_of_order_or_twice_are_refused_across_blocks_too() {
    let folder = tempfile::tempdir().unwrap();
    for (n, first) in [1_usize, 8_192, 8_193].into_iter().enumerate() {
        for (m, bad) in [first - 1, 0].into_iter().enumerate() {
            let path = folder.path().join(format!("{n}-{m}"));
            let table = FeatureRow::table_of(&[]);
            let mut writer = TableWriter::create(&path, table).unwrap();
            let row = |n| FeatureRow { merchant_id: merchant(n), values: Vec::new() };
            writer.extend((0..first).map(row)).unwrap();
            assert!(matches!(writer.push(row(bad)), Err(PublishError::OutOfOrder { .. })), "{bad} after {}", first - 1);
        }
    }
}

#[test]
fn numbers_that_are_not_finite_or_out_of_range_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let scores = |change: fn(&mut MerchantScore)| {
        let mut row = score("m7", 1);
        change(&mut row);
        let path = folder.path().join("s");
        let result = write(&path, MerchantScore::table(), vec![row]);
        fs::remove_file(&path).unwrap();
        result
    };
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut row = decline("m7", "p");
        row.failed[1].threshold = Some(bad);
        let path = folder.path().join("d");
        let no_rule_failed = |merchant| Decline { failed: Vec::new(), ..decline(merchant, "p") };
        let rows = vec![decline("m5", "p"), no_rule_failed("m6"), row, no_rule_failed("m8"), decline("m9", "p")];
        match write(&path, Decline::table(), rows) {
            Err(PublishError::NonFinite { table: "declines", column, row, value }) => {
                assert_eq!((column.as_str(), value), ("failed", bad.to_string()));
                assert!(row.contains("m7"), "{row}");
            }
            other => panic!("{other:?}"),
        }
        fs::remove_file(&path).unwrap();
    }
    assert!(
        matches!(scores(|r| r.pd_prob = Some(f64::NAN)), Err(PublishError::NonFinite { column, .. }) if column == "pd_prob")
    );
    for change in [
        (|r| r.pd_prob = Some(1.000_001)) as fn(&mut MerchantScore),
        |r| r.pd_prob = Some(-0.1),
        |r| r.integrity_index = Some(1_001),
        |r| r.sub_indices.extend([(Group::Trade, Some(-1))]),
    ] {
        assert!(matches!(scores(change), Err(PublishError::OutOfRange { .. })));
    }
    assert!(scores(|_| ()).is_ok());
    let below_zero = Offer { limit_minor: -1, ..offer("m", "p", 0) };
    assert!(matches!(
        write(&folder.path().join("o"), Offer::table(), vec![below_zero]),
        Err(PublishError::OutOfRange { .. })
    ));
}
