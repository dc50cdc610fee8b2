//! Advances that are repaid by a share of each day's sales, as marketplaces and payment services make them to their merchants.

use super::rates::{self, Fees};
use super::scope::{Piece, Scope};
use super::table_draft::TableDraft;
use super::vocabulary::Concept as C;
use crate::profile::{ColumnAt, RawColumn};

/// How loans are repaid whose table says which share of sales is taken.
const BY_SALES: &str = "'sales-share'";

/// Words that alone say that a part of receipts is kept back.
const KEPT_BACK: [&str; 8] =
    ["holdback", "withholding", "withheld", "retention", "retenção", "retencion", "retención", "einbehalt"];
/// Words of repaying, of sales, and of a share: a share of one of the others is what is taken of sales.
const REPAYING: [&str; 7] = ["repayment", "remittance", "deduction", "split", "sweep", "payback", "recoupment"];
const SALES: [&str; 9] =
    ["sales", "receipts", "revenue", "payouts", "payout", "settlements", "settlement", "takings", "turnover"];
const SHARE: [&str; 6] = ["rate", "share", "percent", "percentage", "pct", "portion"];

/// Whether a column says which share of a merchant's sales repays a loan.
pub(super) fn is_share_of_sales(raw: &RawColumn) -> bool {
    let lower = raw.name.to_lowercase();
    let is_share = raw.is_called(&SHARE) || lower.contains('%');
    let joined: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let is_called_so = joined.contains("specifiedpercent")
        || KEPT_BACK.iter().any(|word| joined.contains(word))
        || (is_share && (raw.is_called(&REPAYING) || raw.is_called(&SALES)) && !raw.is_called(&["interest", "tax"]));
    is_called_so
        && raw.is_number()
        && raw.numbers.range.0 >= 0.0
        && raw.numbers.range.1 > 0.0
        && raw.numbers.range.1 <= 100.0
}

/// Whether drafted loans are repaid by a share of sales.
pub(super) fn are_repaid_by_sales(loans: &TableDraft) -> bool {
    loans.column("repayment").is_some_and(|repayment| repayment.sql == BY_SALES)
}

/// Says how advances are repaid, where a column states the share of sales; their fixed fee is then part of what they have to repay.
pub(super) fn repaid_by_sales(loans: &mut TableDraft, scope: &Scope) {
    let land = scope.land;
    let is_stated =
        loans.column("repayment").is_some_and(|repayment| repayment.is_found() && repayment.sql != BY_SALES);
    let Some(share) = land.columns(scope.driver).find(|at| is_share_of_sales(land.column(*at))) else { return };
    if is_stated || land.column(share).nulls > 0 {
        return;
    }
    let raw = land.column(share);
    let is_in_percent = raw.numbers.range.1 > 1.0 || rates::is_in_percent(raw);
    let (factor, unit) = if is_in_percent { (10_000, "percent") } else { (1_000_000, "fractions") };
    let cell = scope.name(share);
    let made = format!("TRY_CAST(ROUND({} * {factor}) AS BIGINT)", scope.number(share, &cell));
    let note = format!("the share of each day's sales that is taken, in {unit}");
    loans.put("sales_share_ppm", Piece::guess(scope.as_written(&made, share, &cell), note), cell.clone(), 0.7);
    let note = format!("{cell} is taken of each day's sales");
    loans.put("repayment", Piece::guess(BY_SALES, note), cell, 0.7);
    put_owed(loans, scope);
}

/// Says what advances owe that are repaid in fixed sums, where a column says how many times what was advanced that is.
pub(super) fn owed_by_factor(loans: &mut TableDraft, scope: &Scope) {
    if rates::payback_factor(scope.land, scope.driver).is_some() {
        put_owed(loans, scope);
    }
}

/// Makes what has to be repaid the principal.
fn put_owed(loans: &mut TableDraft, scope: &Scope) {
    if let Some(principal) = loans.column("principal_minor").and_then(|c| scope.land.column_at(scope.driver, &c.from))
        && let Some(owed) = with_its_fee(scope, principal)
    {
        let cell = scope.name(principal);
        let owed = Piece { sql: scope.as_written(&owed.sql, principal, &cell), note: owed.note };
        loans.put("principal_minor", owed, cell, 0.7);
    }
}

/// What an advance has to repay, as a number: what was paid out and its fixed fee, which is owed however soon it is repaid. None where no fee is stated, or
/// the sum holds it.
pub(super) fn with_its_fee(scope: &Scope, principal: ColumnAt) -> Option<Piece> {
    let land = scope.land;
    let name = land.column_name(principal);
    let lower = land.column(principal).name.to_lowercase();
    let holds_it =
        name.says(C::Repayment) || ["total", "owed", "repay", "payback"].iter().any(|word| lower.contains(word));
    if holds_it {
        return None;
    }
    if let Some(factor) = rates::payback_factor(land, principal.table) {
        let (paid_out, cell) = (scope.name(principal), scope.name(factor));
        let made = format!(
            "TRY_CAST(ROUND({} * {}) AS BIGINT)",
            scope.minor(principal, &paid_out).sql,
            scope.number(factor, &cell)
        );
        let note = format!("times {cell}: who repays an advance sooner owes all of it");
        return Some(Piece::guess(made, note));
    }
    let Fees::Owed(fee) = rates::fees(land, principal.table) else { return None };
    let (paid_out, fee_cell) = (scope.name(principal), scope.name(fee));
    let made = format!("({} + {})", scope.minor(principal, &paid_out).sql, rates::fee_minor(scope, fee));
    let note = format!(
        "with its fee {fee_cell}: who repays an advance sooner owes all of it, where a fee of later instalments would be waived"
    );
    Some(Piece::guess(made, note))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_sales_are_told_from_rates_of_interest() {
        for (name, cells) in [
            ("Daily Repayment Rate", &["10.7%", "17.2%"][..]),
            ("payout_share_pct", &["25", "10"]),
            ("Repayment Percentage", &["20%", "10%"]),
            ("holdback_pct", &["12", "9"]),
            ("Specified Percentage", &["12%", "9%"]),
            ("Share of sales", &["0.12", "0.09"]),
            ("withholdingRate", &["0.12", "0.09"]),
        ] {
            assert!(is_share_of_sales(&RawColumn::of_texts(name, cells)), "{name}");
        }
        for (name, cells) in [
            ("Daily interest rate", &["0.05%", "0.08%"][..]),
            ("interest_rate", &["18.5", "24"]),
            ("Repayment", &["100.00", "50.00"]),
            ("Sales", &["100.00", "50.00"]),
            ("Repayment amount %", &["180.00", "150.00"]),
        ] {
            assert!(!is_share_of_sales(&RawColumn::of_texts(name, cells)), "{name}");
        }
    }
}
