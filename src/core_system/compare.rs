//! Holds an export against the ledger. A pure function of both.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::difference::{Difference, DifferenceKind};
use super::export::{Cell, CoreLine, Export};
use super::settings::{ClosedLoans, CoreField, CoreStatus, CoreTerms};
use crate::repayment::{LoanLedger, LoanStanding, UnknownLoan};

/// How many loans were found where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LoanCounts {
    /// Loans of our ledger, known or not.
    pub ours: u64,
    /// Rows of the export that are loans.
    pub theirs: u64,
    /// Loans that were compared.
    pub compared: u64,
    /// Of those, without any difference.
    pub equal: u64,
    /// Of those, with differences that are all within the tolerance.
    pub within_tolerance: u64,
    /// Of those, with differences that count.
    pub different: u64,
    /// Closed loans that one side alone has, as the job allows.
    pub closed_on_one_side: u64,
}

/// Sums of a field: the ledger's known loans are `ours` and `only_ours`, the export's cells `theirs` and `only_theirs`. Sums stop at the
/// largest number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct AmountTotals {
    /// By our books, of loans for which both sides give a number.
    pub ours: i64,
    /// By the export, of the same loans.
    pub theirs: i64,
    /// The export's less ours.
    pub difference: i64,
    /// Of loans that the ledger knows and for which the export gives no number, or several.
    pub only_ours: i64,
    /// Of loans that the ledger does not know, and of those that the export has several times.
    pub only_theirs: i64,
}

/// The result.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Every difference, by loan and kind.
    pub differences: Vec<Difference>,
    /// How many loans were found where.
    pub loans: LoanCounts,
    /// By field, the amounts.
    pub totals: BTreeMap<CoreField, AmountTotals>,
}

impl Comparison {
    /// Whether no difference counts.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.differences.iter().all(|difference| difference.is_tolerated)
    }

    /// Differences by kind: those that count, and those within the tolerance.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<DifferenceKind, [u64; 2]> {
        let mut counts: BTreeMap<DifferenceKind, [u64; 2]> = BTreeMap::new();
        for difference in &self.differences {
            let [counted, tolerated] = counts.entry(difference.what).or_default();
            *(if difference.is_tolerated { tolerated } else { counted }) += 1;
        }
        counts
    }
}

/// A loan as our books have it.
#[derive(Clone, Copy)]
enum BookedLoan<'a> {
    Known(&'a LoanStanding),
    Unknown(&'a UnknownLoan),
}

impl BookedLoan<'_> {
    fn merchant_id(&self) -> &str {
        match self {
            Self::Known(loan) => &loan.merchant_id,
            Self::Unknown(loan) => &loan.merchant_id,
        }
    }

    fn causes(&self) -> Option<String> {
        match self {
            Self::Known(_) => None,
            Self::Unknown(loan) => Some(causes(loan)),
        }
    }
}

/// Compares the ledger, as of an instant, with the export of the books as of the same instant.
#[must_use]
pub fn compare(ledger: &LoanLedger, export: &Export, terms: &CoreTerms) -> Comparison {
    let loans = LoanCounts { ours: ledger.len() as u64, theirs: export.lines.len() as u64, ..LoanCounts::default() };
    let totals = AMOUNTS.into_iter().filter(|field| export.fields.contains(field));
    let totals = totals.map(|field| (field, AmountTotals::default())).collect();
    let mut work = Work { terms, export, found: Comparison { loans, totals, ..Comparison::default() } };

    let mut ours: HashMap<&str, BookedLoan<'_>> =
        ledger.known.iter().map(|loan| (loan.loan_id.as_str(), BookedLoan::Known(loan))).collect();
    for loan in &ledger.unknown {
        match &loan.loan_id {
            // A loan that several borrowers have is unknown under each of them.
            Some(id) => drop(ours.insert(id, BookedLoan::Unknown(loan))),
            None => work.push(Difference {
                merchant_id: Some(loan.merchant_id.clone()),
                detail: Some(causes(loan)),
                ..blank(DifferenceKind::UnknownHere, None)
            }),
        }
    }
    let mut theirs: BTreeMap<&str, Vec<&CoreLine>> = BTreeMap::new();
    for line in &export.lines {
        if let Some(id) = &line.loan_id {
            theirs.entry(id).or_default().push(line);
        } else {
            work.add_only_theirs(line);
            work.push(of_line(DifferenceKind::NoLoanId, line, None));
        }
    }
    for (id, lines) in &theirs {
        let known = ours.remove(id);
        match lines.as_slice() {
            [line] => work.add_line(id, line, known),
            several => work.add_repeated(id, several, known),
        }
    }
    for (id, loan) in ours {
        work.add_missing_in_export(id, loan);
    }
    let mut found = work.found;
    found.differences.sort_by(|a, b| order(a).cmp(&order(b)));
    for (difference, number) in found.differences.iter_mut().zip(1_i64..) {
        difference.number = number;
    }
    found
}

fn order(difference: &Difference) -> (Option<&str>, DifferenceKind, Option<i64>, Option<&str>, Option<&str>) {
    let Difference { loan_id, what, row, merchant_id, detail, .. } = difference;
    (loan_id.as_deref(), *what, *row, merchant_id.as_deref(), detail.as_deref())
}

/// The comparison on its way.
struct Work<'a> {
    terms: &'a CoreTerms,
    export: &'a Export,
    found: Comparison,
}

impl Work<'_> {
    fn push(&mut self, difference: Difference) {
        self.found.differences.push(difference);
    }

    /// Whether a loan on which nothing is owed any more may be missing on the other side.
    fn may_be_missing(&self, is_closed: bool) -> bool {
        is_closed && self.terms.closed_loans == ClosedLoans::MayBeMissing
    }

    fn add_line(&mut self, id: &str, line: &CoreLine, ours: Option<BookedLoan<'_>>) {
        if let Some(BookedLoan::Known(loan)) = ours {
            self.add_compared(loan, line);
            return;
        }
        self.add_only_theirs(line);
        match ours {
            None if self.may_be_missing(line.status == Some(CoreStatus::Closed)) => {
                self.found.loans.closed_on_one_side += 1;
            }
            None => self.push(of_line(DifferenceKind::MissingHere, line, Some(id))),
            Some(loan) => {
                let ours = Some("unknown".to_owned());
                self.push(Difference {
                    ours,
                    merchant_id: Some(loan.merchant_id().to_owned()),
                    detail: loan.causes(),
                    ..of_line(DifferenceKind::UnknownHere, line, Some(id))
                });
            }
        }
    }

    fn add_repeated(&mut self, id: &str, lines: &[&CoreLine], ours: Option<BookedLoan<'_>>) {
        let rows: Vec<String> = lines.iter().take(10).map(|line| line.row.to_string()).collect();
        let more = if lines.len() > rows.len() { ", …" } else { "" };
        let (first, merchant_id) = (lines.first(), ours.map(|loan| loan.merchant_id().to_owned()));
        self.push(Difference {
            row: first.map(|line| line.row),
            merchant_id: merchant_id.or_else(|| first.and_then(|line| line.merchant_id.clone())),
            detail: Some(format!("{} rows of the export: {}{more}", lines.len(), rows.join(", "))),
            ..blank(DifferenceKind::RepeatedInExport, Some(id))
        });
        for line in lines {
            self.add_only_theirs(line);
        }
        if let Some(BookedLoan::Known(loan)) = ours {
            for field in AMOUNTS {
                self.add_only_ours(loan, field);
            }
        }
    }

    fn add_missing_in_export(&mut self, id: &str, ours: BookedLoan<'_>) {
        let mut difference = Difference {
            merchant_id: Some(ours.merchant_id().to_owned()),
            detail: ours.causes(),
            ours: Some("unknown".to_owned()),
            ..blank(DifferenceKind::MissingInExport, Some(id))
        };
        if let BookedLoan::Known(loan) = ours {
            for field in AMOUNTS {
                self.add_only_ours(loan, field);
            }
            if self.may_be_missing(loan.is_closed) {
                self.found.loans.closed_on_one_side += 1;
                return;
            }
            difference.ours = Some(status_of(loan).word().to_owned());
            difference.detail = Some(format!("{} minor units of principal not repaid", loan.outstanding_minor));
        }
        self.push(difference);
    }

    fn add_compared(&mut self, loan: &LoanStanding, line: &CoreLine) {
        let before = self.found.differences.len();
        self.compare_words(loan, line);
        for (&field, cell) in &line.numbers {
            self.compare_numbers(loan, line, field, cell);
        }
        let loans = &mut self.found.loans;
        loans.compared += 1;
        let of_loan = self.found.differences.get(before..).unwrap_or_default();
        if of_loan.is_empty() {
            loans.equal += 1;
        } else if of_loan.iter().all(|difference| difference.is_tolerated) {
            loans.within_tolerance += 1;
        } else {
            loans.different += 1;
        }
    }

    fn compare_words(&mut self, loan: &LoanStanding, line: &CoreLine) {
        let ours = status_of(loan);
        let words = [
            (CoreField::MerchantId, DifferenceKind::Merchant, loan.merchant_id.as_str(), line.merchant_id.as_deref()),
            (CoreField::Status, DifferenceKind::Status, ours.word(), line.status.map(CoreStatus::word)),
        ];
        for (field, what, ours, theirs) in words {
            let given = |what, detail| Difference {
                merchant_id: Some(loan.merchant_id.clone()),
                ours: Some(ours.to_owned()),
                theirs: theirs.map(str::to_owned),
                detail,
                ..of_line(what, line, Some(&loan.loan_id))
            };
            match theirs {
                None if self.export.fields.contains(&field) => {
                    self.push(given(DifferenceKind::NotGiven, Some(is_blank(field))));
                }
                Some(theirs) if theirs != ours => self.push(given(what, None)),
                _ => {}
            }
        }
    }

    fn compare_numbers(&mut self, loan: &LoanStanding, line: &CoreLine, field: CoreField, cell: &Cell) {
        let ours = ours_of(loan, field);
        let (tolerance, what) = match field {
            CoreField::Outstanding => (self.terms.tolerance_minor, DifferenceKind::Outstanding),
            CoreField::Interest => (self.terms.tolerance_minor, DifferenceKind::Interest),
            CoreField::Arrears => (self.terms.tolerance_minor, DifferenceKind::Arrears),
            CoreField::DaysPastDue => (self.terms.tolerance_days, DifferenceKind::DaysPastDue),
            CoreField::LoanId | CoreField::MerchantId | CoreField::Status => return,
        };
        let given = |what, theirs| Difference {
            merchant_id: Some(loan.merchant_id.clone()),
            ours: Some(ours.to_string()),
            theirs,
            ..of_line(what, line, Some(&loan.loan_id))
        };
        match cell {
            Cell::Number(theirs) => {
                let difference = theirs - ours;
                if let Some(totals) = self.found.totals.get_mut(&field) {
                    totals.ours = totals.ours.saturating_add(ours);
                    totals.theirs = totals.theirs.saturating_add(*theirs);
                    totals.difference = totals.difference.saturating_add(difference);
                }
                if difference != 0 {
                    self.push(Difference {
                        difference: Some(difference),
                        is_tolerated: difference.abs() <= tolerance,
                        ..given(what, Some(theirs.to_string()))
                    });
                }
            }
            Cell::Blank => {
                self.add_only_ours(loan, field);
                self.push(Difference { detail: Some(is_blank(field)), ..given(DifferenceKind::NotGiven, None) });
            }
            Cell::Unreadable(text) => {
                self.add_only_ours(loan, field);
                let detail = Some(format!("{} cannot be read", field.name()));
                self.push(Difference { detail, ..given(DifferenceKind::Unreadable, Some(text.clone())) });
            }
        }
    }

    fn add_only_ours(&mut self, loan: &LoanStanding, field: CoreField) {
        if let Some(totals) = self.found.totals.get_mut(&field) {
            totals.only_ours = totals.only_ours.saturating_add(ours_of(loan, field));
        }
    }

    fn add_only_theirs(&mut self, line: &CoreLine) {
        for (field, cell) in &line.numbers {
            if let (Some(totals), Cell::Number(theirs)) = (self.found.totals.get_mut(field), cell) {
                totals.only_theirs = totals.only_theirs.saturating_add(*theirs);
            }
        }
    }
}

/// Fields that are money.
const AMOUNTS: [CoreField; 3] = [CoreField::Outstanding, CoreField::Interest, CoreField::Arrears];

fn blank(what: DifferenceKind, loan_id: Option<&str>) -> Difference {
    Difference {
        number: 0,
        loan_id: loan_id.map(str::to_owned),
        merchant_id: None,
        row: None,
        what,
        ours: None,
        theirs: None,
        difference: None,
        is_tolerated: false,
        detail: None,
    }
}

/// A difference that a row of the export shows.
fn of_line(what: DifferenceKind, line: &CoreLine, loan_id: Option<&str>) -> Difference {
    Difference {
        row: Some(line.row),
        merchant_id: line.merchant_id.clone(),
        theirs: line.status.map(|status| status.word().to_owned()),
        ..blank(what, loan_id)
    }
}

fn is_blank(field: CoreField) -> String {
    format!("{} is blank", field.name())
}

/// What our books say of a field: minor units, or days.
const fn ours_of(loan: &LoanStanding, field: CoreField) -> i64 {
    match field {
        CoreField::Outstanding => loan.outstanding_minor,
        CoreField::Interest => loan.interest_arrears_minor,
        CoreField::Arrears => loan.arrears_minor,
        CoreField::DaysPastDue => loan.dpd,
        CoreField::LoanId | CoreField::MerchantId | CoreField::Status => 0,
    }
}

const fn status_of(loan: &LoanStanding) -> CoreStatus {
    match (loan.is_closed, loan.is_written_off) {
        (true, _) => CoreStatus::Closed,
        (false, true) => CoreStatus::WrittenOff,
        (false, false) => CoreStatus::Open,
    }
}

fn causes(loan: &UnknownLoan) -> String {
    loan.causes.iter().map(|cause| format!("{}: {}", cause.code, cause.detail)).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
