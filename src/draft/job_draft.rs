//! A job drafted of a folder: its tables, features and files, in the order in which one follows from the other.

use std::path::Path;

use jiff::ToSpan;
use jiff::civil::Date;

use super::error::DraftError;
use super::features_file::{self, FeaturesDraft};
use super::fed::Fed;
use super::finding::{Draft, inputs};
use super::job_file::{self, JobFacts, Windows};
use super::landscape::Landscape;
use super::names::Name;
use super::policy_file::{self, PolicyFacts};
use super::table_draft::TableDraft;
use super::units::AmountUnit;
use super::{
    children, events, forms, guides, lending, measured, merchants, monitor_file, nested, numberless, orders,
    orders_plan, scope, unread, versions, write,
};
use crate::contract::{MERCHANTS, ORDERS, SHIPMENTS};
use crate::domain::Currency;
use crate::profile::{CurrencyHint, Folder, profile_folder};
use crate::run::TableLimits;

/// What the caller decides.
#[derive(Debug, Clone)]
pub struct DraftOptions {
    /// The job's name.
    pub name: String,
    /// Its currency, where the caller knows it.
    pub currency: Option<Currency>,
    /// What amounts without decimals are, where the caller knows it.
    pub amounts: Option<AmountUnit>,
    /// The day of drafting, where the caller knows it: no first night is later.
    pub today: Option<Date>,
}

/// Profiles a folder and drafts a job of it. `place` is where the job will be written: its files name the data from there.
///
/// # Errors
/// Nothing can be read in the folder, or nothing in it is like orders.
pub fn draft_job(data: &Path, place: &Path, options: &DraftOptions, told: &dyn Fn(&str)) -> Result<Draft, DraftError> {
    let mut folder = profile_folder(data, &|name| Name::of(name).digits(), told)?;
    versions::note_dumps_of_loans(&mut folder);
    numberless::number_rows(&mut folder, options.amounts);
    let folder = folder;
    let land = Landscape::of(&folder, options.amounts);
    let hint = currency_of(&folder, options);
    let currency = hint.as_ref().and_then(|hint| Currency::new(&hint.code).ok());
    let mut plan = orders_plan::plan(&land)
        .ok_or_else(|| DraftError::NoOrders { tables: orders_plan::lacks(&land), left_aside: left_aside(&folder) })?;
    let events = events::of(&land, &plan);
    if let Some(events) = &events {
        plan.placed = Some(events.placed());
        plan.other_forms.clear();
    } else {
        versions::mark(&land, &mut plan);
    }
    let DraftedTables { mut tables, aside, has_loan_book, no_loan_book } =
        drafted_tables(&land, &plan, events.as_ref(), currency);
    let span = forms::trading_days(&land, &plan).map(|(first, as_of)| {
        let until = options.today.filter(|today| *today > first).unwrap_or(as_of);
        (first, as_of.min(until))
    });
    if let Some((_, as_of)) = span {
        for table in &mut tables {
            tell_milestones_ahead(table, &land, as_of);
        }
    }
    let days = span.map_or(0, |(first, as_of)| crate::domain::days_between(first, as_of));
    let windows = Windows::of(days, has_loan_book);
    let fed = Fed::of(tables.iter());
    let mut features = features_file::draft(&fed, &options.name, has_loan_book);
    if !has_loan_book {
        features_file::add_with_loans(&mut features, &fed, &options.name);
    }
    let drafted: Vec<&TableDraft> = tables.iter().chain(&aside).collect();
    let mut draft = Draft {
        name: options.name.clone(),
        inputs: inputs(&folder, &tables, &aside),
        unread: folder.unread.clone(),
        currency: hint.clone(),
        as_of: span.map(|(_, as_of)| as_of),
        features: features.features.len(),
        label: if has_loan_book { "loan-default" } else { "trade-distress" },
        files: Vec::new(),
        no_loan_book,
        unread_orders: unread::may_be_orders(&land, &plan, &drafted),
        unread_sums: unread::may_be_of_orders(&land, &plan, &drafted),
        nested: nested::unread(&land, tables.iter().chain(&aside)),
        tables,
        aside,
    };
    let facts = JobFacts {
        name: &options.name,
        currency: currency.zip(hint).map(|(currency, hint)| {
            let mark = if hint.confidence < 0.75 { "GUESS: " } else { "" };
            (currency, format!("{mark}{}", hint.evidence))
        }),
        as_of: span.map(|(_, as_of)| (as_of, "The day after the last day of usual trade in the data.".to_owned())),
        data: &write::relative(place, data),
        folder: &folder,
        tables: &draft.tables,
        aside: &draft.aside,
        has_loan_label: has_loan_book,
        lacks_loan_book: draft.no_loan_book.is_some(),
        windows,
        behind: span.map_or_else(Vec::new, |(_, as_of)| behind(&land, &draft.tables, as_of)),
    };
    let files = files(&facts, &features, &draft, &fed, order_value(&land, &plan, currency), currency);
    draft.files = files;
    Ok(draft)
}

/// Contract tables as they are drafted.
struct DraftedTables {
    /// Those that the job reads.
    tables: Vec<TableDraft>,
    /// Optional ones with gaps.
    aside: Vec<TableDraft>,
    /// Whether the loan book is among those that are read.
    has_loan_book: bool,
    /// What a loan book that was found in part lacks.
    no_loan_book: Option<String>,
}

/// Drafts every contract table that the data speak for.
fn drafted_tables(
    land: &Landscape,
    plan: &orders_plan::OrdersPlan,
    events: Option<&events::Events>,
    currency: Option<Currency>,
) -> DraftedTables {
    let mut drafts = Vec::new();
    drafts.extend(merchants::draft(land, Some(plan), currency));
    if drafts.is_empty() {
        // No column names a merchant: the draft says so where it must be filled.
        let scope = scope::Scope::new(land, plan.driver, currency);
        drafts.push(TableDraft::new(&MERCHANTS, &scope).finish(&scope));
    }
    if let Some(events) = events {
        drafts.extend(events.drafts(land, plan, currency));
    } else {
        drafts.push(orders::draft(land, plan, currency));
        drafts.extend(children::shipments(land, plan, currency));
        drafts.extend(children::reviews(land, plan, currency));
        drafts.extend(children::disputes(land, plan, currency));
        forms::of_orders(land, plan, currency, &mut drafts);
    }
    drafts.extend(lending::standing_alone(land, currency));
    forms::doubt_unread(land, &mut drafts);
    let mut book = lending::loan_book(land, currency);
    forms::doubt_unread(land, &mut book);
    measured::doubt_references(land, &mut drafts, &mut book);
    for table in &mut book {
        versions::stamp_dumps(table, land);
    }
    // A loan book with a part missing makes every loan unknown, and the night stops: all of it or nothing.
    let has_rows = |table: &TableDraft| table.skipped.iter().map(|rows| rows.share).sum::<f64>() < 1.0;
    let has_loan_book = book.len() == 3 && book.iter().all(|table| lending::is_complete(table) && has_rows(table));
    let no_loan_book = if has_loan_book { None } else { lending::why_no_book(land, &book) };
    let no_loan_book = no_loan_book.or_else(|| unread::may_be_loans(land, &drafts).filter(|_| !has_loan_book));
    let is_read = |draft: &TableDraft| !draft.table.optional || draft.gaps().count() == 0;
    let (mut tables, mut aside): (Vec<_>, Vec<_>) = drafts.into_iter().partition(is_read);
    if has_loan_book { &mut tables } else { &mut aside }.extend(book);
    let place_of = |t: &TableDraft| crate::contract::TABLES.iter().position(|known| known.name == t.table.name);
    tables.sort_by_key(place_of);
    aside.sort_by_key(place_of);
    DraftedTables { tables, aside, has_loan_book, no_loan_book }
}

/// Files that were left aside, as a part of a sentence.
fn left_aside(folder: &Folder) -> String {
    const SHOWN: usize = 5;
    let files: Vec<String> =
        folder.unread.iter().take(SHOWN).map(|unread| format!("{}: {}", unread.file, unread.why)).collect();
    if files.is_empty() { String::new() } else { format!(". Left aside: {}", files.join("; ")) }
}

fn currency_of(folder: &Folder, options: &DraftOptions) -> Option<CurrencyHint> {
    if let Some(currency) = options.currency {
        return Some(CurrencyHint { code: currency.code(), confidence: 1.0, evidence: "as asked for".to_owned() });
    }
    folder.currencies.first().filter(|hint| hint.confidence >= 0.5).cloned()
}

/// Names milestones of which some lie after all that was traded: what is still to come was planned, and has not happened.
fn tell_milestones_ahead(table: &mut TableDraft, land: &Landscape, as_of: Date) {
    const HAPPENED: [&str; 6] =
        ["paid_at", "completed_at", "cancelled_at", "shipped_at", "delivered_at", "refunded_at"];
    const MIN_ROWS: usize = 10;
    if table.table.name != ORDERS.name && table.table.name != SHIPMENTS.name {
        return;
    }
    let Ok(until) = as_of.checked_add(1.day()).and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC)) else { return };
    let until = until.timestamp().as_microsecond();
    for milestone in HAPPENED {
        let raw = table.column(milestone).and_then(|drafted| land.column_called(&drafted.from));
        let ahead = raw.map_or(0, |raw| raw.micros.iter().flatten().filter(|at| **at > until).count());
        if ahead >= MIN_ROWS {
            let note = format!(
                "{ahead} row(s) lie after {as_of}, when trade ends: a planned day has not happened, or later orders are not read"
            );
            table.look_at(milestone, &note);
        }
    }
}

/// Tables whose events end so long before the first night that it would stop on them.
fn behind(land: &Landscape, tables: &[TableDraft], as_of: Date) -> Vec<(&'static str, String)> {
    let pace_of = |table: &TableDraft| {
        let event = crate::wash::event_column(table.table)?;
        land.column_called(&table.column(event)?.from)?.activity().first_night_pace(as_of)
    };
    let found = tables.iter().filter_map(|table| {
        let pace = pace_of(table)?;
        // Files of an older form end early.
        let goes_on = |other: &TableDraft| {
            other.table.name == table.table.name && pace_of(other).is_some_and(|its| its.last_on > pace.last_on)
        };
        if tables.iter().any(goes_on) {
            return None;
        }
        let is_late = pace.days_behind > pace.tolerated(TableLimits::default().first_night_days);
        is_late.then(|| {
            let reason = format!(
                "first night of a drafted job: its last day of usual trade is {}, {} days before the day before",
                pace.last_on, pace.days_behind
            );
            (table.table.name, reason)
        })
    });
    found.collect()
}

/// About what an order is worth: the power of ten of minor units below what half of them are worth. Rows that take money back do not count.
fn order_value(land: &Landscape, plan: &orders_plan::OrdersPlan, currency: Option<Currency>) -> i64 {
    let table = plan.lines.as_ref().map_or(plan.driver, |lines| lines.table);
    let found = land.best(table, &ORDERS, "amount_minor", true);
    let scope = scope::Scope::new(land, table, currency);
    let minor = found.map_or(10_000.0, |found| {
        let raw = land.column(found.at);
        raw.median_above_zero().unwrap_or(raw.numbers.mean) * scope.minor_units(found.at).0 as f64
    });
    let mut step = 1_i64;
    while (step as f64) * 10.0 <= minor && step < 1_000_000_000 {
        step *= 10;
    }
    step
}

fn files(
    facts: &JobFacts,
    features: &FeaturesDraft,
    draft: &Draft,
    fed: &Fed,
    step_minor: i64,
    currency: Option<Currency>,
) -> Vec<(String, String)> {
    let policy = policy_file::draft(&PolicyFacts {
        features: &features.features,
        has_loan_book: facts.has_loan_label,
        has_disputes: fed.has_table("disputes"),
        has_receivables: fed.has("shipments", "shipped_at"),
        step_minor,
        hard_cap_minor: 1_000_000 * currency.map_or(1, |c| c.minor_units()),
        performance_days: facts.windows.performance_days,
    });
    let mut files = vec![
        ("job.toml".to_owned(), job_file::draft(facts)),
        ("features.toml".to_owned(), features.text.clone()),
        ("policy.toml".to_owned(), policy),
        ("monitor.toml".to_owned(), monitor_file::draft(&features.features, facts.has_loan_label, step_minor)),
        ("GAPS.md".to_owned(), guides::gaps(draft, features, facts.folder)),
        ("README.md".to_owned(), guides::readme(facts.name, draft.open_gaps() > 0)),
    ];
    for table in draft.tables.iter().chain(&draft.aside) {
        files.push((table.file(), table.sql()));
    }
    files
}
