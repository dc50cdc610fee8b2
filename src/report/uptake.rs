//! What inviting is worth: who drew a loan after a first invitation, against the control group that was left alone.
//!
//! A merchant enters on the first night of the campaign on which an offer was made that nobody had asked for; by then its group is drawn. It **drew** where a loan
//! that was not known on that night comes to be known within so many days after it. Merchants whose days are not over yet are counted apart. Whether somebody was
//! invited is a matter of chance alone, so what the two groups differ by is what inviting does.
//!
//! | figure | definition |
//! |---|---|
//! | share | merchants who drew ÷ merchants of the group; with its exact 95 % interval |
//! | difference | share of the invited less share of the control group; its interval is made of the two (Zou & Donner, 2008, Statistics in Medicine 27) |
//! | quarter | of the night's places by expected profit, the control group's included: the first holds the most profitable |

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::path::Path;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Serialize;

use super::text_table::text_table;
use crate::domain::grouped;
use crate::model::validation::exact_interval;
use crate::offer::{Invitation, InvitationGroup};
use crate::publish::{OutputRow, PreviousRun, PublishError, TableReader, standing_dates, standing_run};
use crate::repayment::RememberedLoan;

/// How sure intervals are.
const CONFIDENCE: f64 = 0.95;

/// One group of merchants.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct UptakeGroup {
    /// Merchants whose days are over.
    pub merchants: u64,
    /// Those who drew a loan.
    pub drew: u64,
    /// Their share; null without merchants.
    pub share: Option<f64>,
    /// Its interval; null likewise.
    pub interval: Option<[f64; 2]>,
    /// What they drew, as far as it is known, minor units.
    pub drawn_minor: i64,
}

/// The invited beside the control group.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct UptakeLine {
    /// The invited.
    pub invited: UptakeGroup,
    /// Those left alone.
    pub control: UptakeGroup,
    /// Share of the invited less share of the control group; null where one of them is empty.
    pub difference: Option<f64>,
    /// Its interval; null likewise.
    pub difference_interval: Option<[f64; 2]>,
}

/// What became of a campaign's invitations.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Uptake {
    /// The campaign.
    pub campaign: String,
    /// The first night that was read.
    pub from: Date,
    /// The last one.
    pub to: Date,
    /// Nights that were read; one that was removed or withdrawn is not among them.
    pub nights: usize,
    /// Days within which a loan counts.
    pub days: u16,
    /// Merchants whose days are not over: they are in no figure below.
    pub too_young: u64,
    /// All merchants.
    pub all: UptakeLine,
    /// By quarter of the places on the night of the first invitation, from 1.
    pub by_quarter: BTreeMap<u8, UptakeLine>,
    /// By product that was offered on that night; only loans of that product count.
    pub by_product: BTreeMap<String, UptakeLine>,
}

/// What became of the invitations in an output folder's standing runs: of a campaign, or of that of the last night that invited anybody. `None` where there are none.
///
/// # Errors
/// Runs that cannot be read, or are not what was published.
pub fn uptake(out: &Path, campaign: Option<&str>, days: u16) -> Result<Option<Uptake>, PublishError> {
    let nights = standing_dates(out)?;
    let campaign = match campaign {
        Some(campaign) => Some(campaign.to_owned()),
        None => last_campaign(out, &nights)?,
    };
    let Some(campaign) = campaign else { return Ok(None) };
    let mut followed = Followed::new(&campaign, days);
    for night in &nights {
        let Some(run) = standing_run(out, *night)? else { continue };
        let loans = rows::<RememberedLoan>(&run)?;
        let invitations = rows::<Invitation>(&run)?;
        followed.night(*night, loans, invitations)?;
    }
    Ok(followed.uptake())
}

/// The campaign of the last night that invited anybody.
fn last_campaign(out: &Path, nights: &[Date]) -> Result<Option<String>, PublishError> {
    for night in nights.iter().rev() {
        let Some(run) = standing_run(out, *night)? else { continue };
        if let Some(invitation) = rows::<Invitation>(&run)?.next() {
            return Ok(Some(invitation?.campaign));
        }
    }
    Ok(None)
}

/// Rows of one of a run's tables; none where it has no such table.
fn rows<R: OutputRow>(run: &PreviousRun) -> Result<impl Iterator<Item = Result<R, PublishError>>, PublishError> {
    let file = run.file(&format!("{}.parquet", R::table().name))?;
    Ok(file.map(|file| TableReader::<R>::open(&file)).transpose()?.into_iter().flatten())
}

/// A merchant from its first invitation on.
struct Entrant {
    on: Date,
    group: InvitationGroup,
    quarter: u8,
    products: BTreeSet<String>,
    /// By product what was drawn within the days.
    drawn: BTreeMap<String, i64>,
}

/// Merchants of a campaign, night by night.
struct Followed {
    campaign: String,
    days: u16,
    entrants: BTreeMap<String, Entrant>,
    known_loans: HashSet<(String, String)>,
    nights: Vec<Date>,
}

impl Followed {
    fn new(campaign: &str, days: u16) -> Self {
        Self {
            campaign: campaign.to_owned(),
            days,
            entrants: BTreeMap::new(),
            known_loans: HashSet::new(),
            nights: Vec::new(),
        }
    }

    /// Adds a night, later than those before.
    fn night(
        &mut self,
        on: Date,
        loans: impl Iterator<Item = Result<RememberedLoan, PublishError>>,
        invitations: impl Iterator<Item = Result<Invitation, PublishError>>,
    ) -> Result<(), PublishError> {
        let days = i64::from(self.days).days();
        for loan in loans {
            let RememberedLoan { merchant_id, loan_id, product, principal_minor, borrower_before, .. } = loan?;
            // One that an earlier night knew under another merchant was not drawn now.
            if !self.known_loans.insert((merchant_id.clone(), loan_id)) || borrower_before.is_some() {
                continue;
            }
            let entrant = self.entrants.get_mut(&merchant_id).filter(|e| on <= e.on.saturating_add(days));
            if let Some(entrant) = entrant {
                let drawn = entrant.drawn.entry(product.unwrap_or_default()).or_default();
                *drawn = drawn.saturating_add(principal_minor.unwrap_or_default());
            }
        }
        let tonight: Vec<Invitation> = invitations.collect::<Result<_, _>>()?;
        let places = tonight.len().max(1) as f64;
        for Invitation { merchant_id, product, campaign, group, rank, .. } in tonight {
            if campaign != self.campaign {
                continue;
            }
            let quarter = quarter_of(rank, places);
            let entrant = self.entrants.entry(merchant_id).or_insert_with(|| Entrant {
                on,
                group,
                quarter,
                products: BTreeSet::new(),
                drawn: BTreeMap::new(),
            });
            if entrant.on == on {
                entrant.quarter = entrant.quarter.min(quarter);
                entrant.products.insert(product);
            }
        }
        self.nights.push(on);
        Ok(())
    }

    /// `None` where nobody was invited.
    fn uptake(self) -> Option<Uptake> {
        let (from, to) = (*self.nights.first()?, *self.nights.last()?);
        if self.entrants.is_empty() {
            return None;
        }
        let days = i64::from(self.days).days();
        let mut uptake = Uptake {
            campaign: self.campaign,
            from,
            to,
            nights: self.nights.len(),
            days: self.days,
            too_young: 0,
            all: UptakeLine::default(),
            by_quarter: BTreeMap::new(),
            by_product: BTreeMap::new(),
        };
        for entrant in self.entrants.into_values() {
            if entrant.on.saturating_add(days) > to {
                uptake.too_young += 1;
                continue;
            }
            let all =
                (!entrant.drawn.is_empty()).then(|| entrant.drawn.values().fold(0, |a: i64, b| a.saturating_add(*b)));
            uptake.all.count(entrant.group, all);
            uptake.by_quarter.entry(entrant.quarter).or_default().count(entrant.group, all);
            for product in entrant.products {
                let drawn = entrant.drawn.get(&product).copied();
                uptake.by_product.entry(product).or_default().count(entrant.group, drawn);
            }
        }
        uptake.all.finish();
        uptake.by_quarter.values_mut().chain(uptake.by_product.values_mut()).for_each(UptakeLine::finish);
        Some(uptake)
    }
}

/// The quarter of so many places in which one lies, from 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 4")]
fn quarter_of(rank: i64, places: f64) -> u8 {
    (4.0 * rank as f64 / places).ceil().clamp(1.0, 4.0) as u8
}

impl UptakeLine {
    /// Counts a merchant and what it drew, if anything.
    fn count(&mut self, group: InvitationGroup, drawn_minor: Option<i64>) {
        let group = match group {
            InvitationGroup::Invite => &mut self.invited,
            InvitationGroup::Control => &mut self.control,
        };
        group.merchants += 1;
        group.drew += u64::from(drawn_minor.is_some());
        group.drawn_minor = group.drawn_minor.saturating_add(drawn_minor.unwrap_or_default());
    }

    fn finish(&mut self) {
        for group in [&mut self.invited, &mut self.control] {
            if group.merchants > 0 {
                group.share = Some(group.drew as f64 / group.merchants as f64);
                group.interval = Some(exact_interval(group.drew, group.merchants, CONFIDENCE));
            }
        }
        let of = |group: &UptakeGroup| group.share.zip(group.interval);
        if let (Some((invited, of_invited)), Some((control, of_control))) = (of(&self.invited), of(&self.control)) {
            let difference = invited - control;
            let apart = |a: f64, b: f64| (a * a + b * b).sqrt();
            let below = apart(invited - of_invited[0], of_control[1] - control);
            let above = apart(of_invited[1] - invited, control - of_control[0]);
            self.difference = Some(difference);
            self.difference_interval = Some([difference - below, difference + above]);
        }
    }

    fn row(&self, name: &str) -> Vec<String> {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let between = |share: Option<f64>, interval: Option<[f64; 2]>| {
            share.zip(interval).map_or_else(
                || "–".to_owned(),
                |(share, [low, high])| format!("{} ({} to {})", percent(share), percent(low), percent(high)),
            )
        };
        let group = |group: &UptakeGroup| {
            [format!("{} of {}", grouped(group.drew), grouped(group.merchants)), between(group.share, group.interval)]
        };
        let mut row = vec![name.to_owned()];
        row.extend(group(&self.invited));
        row.extend(group(&self.control));
        row.push(between(self.difference, self.difference_interval));
        row
    }
}

impl Uptake {
    /// For a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "campaign {}: loans drawn within {} days of the first invitation, nights looked at from {} to {}: {}; merchants whose days are not over: {}",
            self.campaign,
            self.days,
            self.from,
            self.to,
            grouped(self.nights as u64),
            grouped(self.too_young)
        );
        let mut rows = vec![self.all.row("all")];
        rows.extend(self.by_quarter.iter().map(|(quarter, line)| line.row(&format!("quarter {quarter} by value"))));
        rows.extend(self.by_product.iter().map(|(product, line)| line.row(product)));
        text.push_str(&text_table(
            &["", "invited: drew", "share (95 %)", "control: drew", "share (95 %)", "difference (95 %)"],
            &rows,
        ));
        text
    }
}

#[cfg(test)]
#[path = "uptake_tests.rs"]
mod tests;
