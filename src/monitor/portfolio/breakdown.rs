//! The portfolio cut along each of its dimensions, night after night: what analysts plot, and where concentrations show.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::loan_line::LoanLine;
use super::roll::WRITTEN_OFF;
use super::totals::sum;
use crate::monitor::class::Class;
use crate::monitor::error::MonitorError;

/// What loans are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dimension {
    /// All open loans together.
    All,
    /// Open, written off or unknown: the only dimension with loans that are not open.
    Status,
    /// Product.
    Product,
    /// The borrower's category.
    Category,
    /// The borrower's region.
    Region,
    /// Bucket of days past due.
    Bucket,
    /// Regulatory class.
    Class,
    /// The borrower's risk band tonight.
    Band,
    /// Stage of the provisions.
    Stage,
    /// Who owes most: the largest borrower, the next nine, the next ten, and all others.
    LargestBorrowers,
    /// The same by owner: the shops of one owner are one borrower; a shop without a named owner is its own.
    LargestOwners,
    /// The same by guarantee group, and loans that are of none.
    LargestGroups,
}

impl Dimension {
    /// Those over open loans whose members a loan by itself tells.
    pub const OF_OPEN_LOANS: [Self; 8] =
        [Self::All, Self::Product, Self::Category, Self::Region, Self::Bucket, Self::Class, Self::Band, Self::Stage];

    /// Those over open loans whose members the whole book tells.
    pub const LARGEST: [Self; 3] = [Self::LargestBorrowers, Self::LargestOwners, Self::LargestGroups];

    /// The member that a loan belongs to; `None` where that is not known, and where the whole book tells it.
    fn member(self, loan: &LoanLine) -> Option<String> {
        match self {
            Self::All => Some("all".to_owned()),
            Self::Status => Some(if loan.is_open() { "open".to_owned() } else { loan.place.clone() }),
            Self::Product => loan.product.clone(),
            Self::Category => loan.category.clone(),
            Self::Region => loan.region.clone(),
            Self::Bucket => Some(loan.place.clone()),
            Self::Class => loan.class.map(|class| class.name().to_owned()),
            Self::Band => loan.band.clone(),
            Self::Stage => loan.stage.map(|stage| stage.name().to_owned()),
            Self::LargestBorrowers | Self::LargestOwners | Self::LargestGroups => None,
        }
    }
}

/// One member of one dimension on one night: a row of `portfolio.parquet`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PortfolioLine {
    /// The night.
    pub night_on: Date,
    /// What loans are told apart by.
    pub dimension: Dimension,
    /// The member; `None` where it is not known.
    pub member: Option<String>,
    /// Borrowers with a loan in it.
    pub borrowers: i64,
    /// Loans.
    pub loans: i64,
    /// What was lent on them, as far as it is known.
    pub lent_minor: i64,
    /// Principal not repaid; `None` for loans of which nothing is known.
    pub outstanding_minor: Option<i64>,
    /// Due and unpaid; `None` for loans of which nothing is known.
    pub arrears_minor: Option<i64>,
    /// Principal not repaid of loans 30 or more days past due.
    pub over_30_minor: i64,
    /// The same from 60 days on.
    pub over_60_minor: i64,
    /// The same from 90 days on.
    pub over_90_minor: i64,
    /// The same of non-performing loans.
    pub non_performing_minor: i64,
    /// Weighted provisions; `None` where none are configured.
    pub provision_minor: Option<i64>,
    /// Principal not repaid ÷ that of all open loans; `None` where nothing is owed, and for loans that are not open.
    pub share: Option<f64>,
}

impl PortfolioLine {
    /// Whether it holds the loans of a place: a bucket, or `written-off`.
    pub(super) fn is_of_place(&self, place: &str) -> bool {
        let dimension = if place == WRITTEN_OFF { Dimension::Status } else { Dimension::Bucket };
        self.dimension == dimension && self.member.as_deref() == Some(place)
    }
}

/// Sums over loans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sums {
    borrowers: i64,
    loans: i64,
    lent_minor: i64,
    outstanding_minor: Option<i64>,
    arrears_minor: Option<i64>,
    over: [i64; 3],
    non_performing_minor: i64,
    provision_minor: Option<i64>,
}

/// From how many days past due on loans are counted apart.
const OVER: [i64; 3] = [30, 60, 90];

impl Sums {
    /// One loan, of a borrower who is counted with it or already was.
    fn of(loan: &LoanLine, is_new_borrower: bool) -> Self {
        let owed = loan.outstanding_minor.unwrap_or(0);
        let is_bad = loan.class.is_some_and(Class::is_non_performing);
        Self {
            borrowers: i64::from(is_new_borrower),
            loans: 1,
            lent_minor: loan.principal_minor.unwrap_or(0),
            outstanding_minor: loan.outstanding_minor,
            arrears_minor: loan.arrears_minor,
            over: OVER.map(|from| if loan.dpd.is_some_and(|dpd| dpd >= from) { owed } else { 0 }),
            non_performing_minor: if is_bad { owed } else { 0 },
            provision_minor: loan.provision_minor,
        }
    }

    fn merge(&mut self, other: &Self) -> Result<(), MonitorError> {
        self.borrowers = sum(self.borrowers, other.borrowers, "borrowers")?;
        self.loans = sum(self.loans, other.loans, "loans")?;
        self.lent_minor = sum(self.lent_minor, other.lent_minor, "money lent")?;
        add_known(&mut self.outstanding_minor, other.outstanding_minor)?;
        add_known(&mut self.arrears_minor, other.arrears_minor)?;
        for (over, more) in self.over.iter_mut().zip(other.over) {
            *over = sum(*over, more, "outstanding principal")?;
        }
        self.non_performing_minor =
            sum(self.non_performing_minor, other.non_performing_minor, "outstanding principal")?;
        add_known(&mut self.provision_minor, other.provision_minor)
    }
}

fn add_known(total: &mut Option<i64>, more: Option<i64>) -> Result<(), MonitorError> {
    if let Some(more) = more {
        *total = Some(sum(total.unwrap_or(0), more, "the portfolio")?);
    }
    Ok(())
}

/// The last place of each group of the largest borrowers, and its name.
const LARGEST: [(usize, &str); 3] = [(1, "1"), (10, "2 to 10"), (20, "11 to 20")];
/// Places that are told apart.
const MOST_LARGEST: usize = 20;

/// Who owes most, of those whose open loans lie in one shard, as a borrower's do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Largest {
    /// By what they owe, the most first, then by id; at most [`MOST_LARGEST`].
    first: BTreeMap<(Reverse<i64>, String), Sums>,
    others: Option<Sums>,
}

impl Largest {
    fn add(&mut self, merchant_id: &str, sums: Sums) -> Result<(), MonitorError> {
        let owed = sums.outstanding_minor.unwrap_or(0);
        self.first.insert((Reverse(owed), merchant_id.to_owned()), sums);
        if self.first.len() > MOST_LARGEST
            && let Some((_, least)) = self.first.pop_last()
        {
            self.others.get_or_insert_default().merge(&least)?;
        }
        Ok(())
    }

    fn merge(&mut self, other: &Self) -> Result<(), MonitorError> {
        other.first.iter().try_for_each(|((_, merchant_id), sums)| self.add(merchant_id, *sums))?;
        match &other.others {
            Some(others) => self.others.get_or_insert_default().merge(others),
            None => Ok(()),
        }
    }

    /// By name of the group.
    fn members(&self) -> Result<BTreeMap<&'static str, Sums>, MonitorError> {
        let mut members: BTreeMap<&'static str, Sums> = BTreeMap::new();
        for (place, sums) in (1..).zip(self.first.values()) {
            let group = LARGEST.iter().find(|(last, _)| place <= *last);
            members.entry(group.map_or(OTHERS, |(_, name)| name)).or_default().merge(sums)?;
        }
        if let Some(others) = &self.others {
            members.entry(OTHERS).or_default().merge(others)?;
        }
        Ok(members)
    }
}

/// Borrowers beyond the largest.
const OTHERS: &str = "others";
/// Loans that are of no guarantee group.
const NO_GROUP: &str = "no group";

/// Who owes most, where loans of one may lie in several shards: no place is given away before all are there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct LargestAcross {
    within: Largest,
    across: BTreeMap<String, Sums>,
}

impl LargestAcross {
    fn merge(&mut self, other: &Self) -> Result<(), MonitorError> {
        self.within.merge(&other.within)?;
        other.across.iter().try_for_each(|(id, sums)| self.across.entry(id.clone()).or_default().merge(sums))
    }

    fn members(&self) -> Result<BTreeMap<&'static str, Sums>, MonitorError> {
        let mut all = self.within.clone();
        self.across.iter().try_for_each(|(id, sums)| all.add(id, *sums))?;
        all.members()
    }
}

/// An owner; a shop without one has a name that no owner bears.
fn owner_of(loan: &LoanLine) -> String {
    loan.owner_id.as_ref().map_or_else(|| format!("m {}", loan.merchant_id), |owner| format!("o {owner}"))
}

/// Sums by dimension and member, over the book of a shard, or of all. Merchants live in one shard each, so their counts add up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Breakdown {
    by_member: BTreeMap<(Dimension, Option<String>), Sums>,
    borrowers: Largest,
    owners: LargestAcross,
    groups: LargestAcross,
}

impl Breakdown {
    /// Of loan lines sorted by borrower. Shops of owners who `has_other_shops` may lie in other shards.
    pub fn of(lines: &[LoanLine], has_other_shops: impl Fn(&str) -> bool) -> Result<Self, MonitorError> {
        let mut all = Self::default();
        for of_one in lines.chunk_by(|a, b| a.merchant_id == b.merchant_id) {
            let mut counted: BTreeSet<(Dimension, Option<String>)> = BTreeSet::new();
            let mut open: Option<Sums> = None;
            let mut groups: BTreeSet<&str> = BTreeSet::new();
            let mut is_without_group = false;
            for loan in of_one {
                let of_open = Dimension::OF_OPEN_LOANS.into_iter().filter(|_| loan.is_open());
                for dimension in of_open.chain([Dimension::Status]) {
                    let key = (dimension, dimension.member(loan));
                    let is_new_borrower = counted.insert(key.clone());
                    all.by_member.entry(key).or_default().merge(&Sums::of(loan, is_new_borrower))?;
                }
                if loan.is_open() {
                    let is_first = open.is_none();
                    open.get_or_insert_default().merge(&Sums::of(loan, is_first))?;
                    if let Some(group) = &loan.group_id {
                        let sums = Sums::of(loan, groups.insert(group));
                        all.groups.across.entry(group.clone()).or_default().merge(&sums)?;
                    } else {
                        let sums = Sums::of(loan, !std::mem::replace(&mut is_without_group, true));
                        let key = (Dimension::LargestGroups, Some(NO_GROUP.to_owned()));
                        all.by_member.entry(key).or_default().merge(&sums)?;
                    }
                }
            }
            if let (Some(first), Some(open)) = (of_one.first(), open) {
                all.borrowers.add(&first.merchant_id, open)?;
                if has_other_shops(&first.merchant_id) {
                    all.owners.across.entry(owner_of(first)).or_default().merge(&open)?;
                } else {
                    all.owners.within.add(&owner_of(first), open)?;
                }
            }
        }
        Ok(all)
    }

    /// Adds another shard's.
    pub fn merge(&mut self, other: &Self) -> Result<(), MonitorError> {
        let mut add = |(key, sums): (&(Dimension, Option<String>), &Sums)| {
            self.by_member.entry(key.clone()).or_default().merge(sums)
        };
        other.by_member.iter().try_for_each(&mut add)?;
        self.borrowers.merge(&other.borrowers)?;
        self.owners.merge(&other.owners)?;
        self.groups.merge(&other.groups)
    }

    /// The rows of a night, by dimension and member.
    ///
    /// # Errors
    /// Sums beyond 64 bits.
    pub fn lines(&self, as_of: Date) -> Result<Vec<PortfolioLine>, MonitorError> {
        let mut all = self.by_member.clone();
        for (dimension, members) in [
            (Dimension::LargestBorrowers, self.borrowers.members()?),
            (Dimension::LargestOwners, self.owners.members()?),
            (Dimension::LargestGroups, self.groups.members()?),
        ] {
            all.extend(members.into_iter().map(|(member, sums)| ((dimension, Some(member.to_owned())), sums)));
        }
        // A night on which nothing is owed is a point of the curve too.
        let nothing = Sums { outstanding_minor: Some(0), arrears_minor: Some(0), ..Sums::default() };
        let whole =
            all.entry((Dimension::All, Some("all".to_owned()))).or_insert(nothing).outstanding_minor.unwrap_or(0);
        let line = |((dimension, member), sums): ((Dimension, Option<String>), Sums)| {
            let is_of_open = dimension != Dimension::Status || member.as_deref() == Some("open");
            let owed = sums.outstanding_minor.filter(|_| is_of_open && whole > 0);
            PortfolioLine {
                night_on: as_of,
                dimension,
                member,
                borrowers: sums.borrowers,
                loans: sums.loans,
                lent_minor: sums.lent_minor,
                outstanding_minor: sums.outstanding_minor,
                arrears_minor: sums.arrears_minor,
                over_30_minor: sums.over[0],
                over_60_minor: sums.over[1],
                over_90_minor: sums.over[2],
                non_performing_minor: sums.non_performing_minor,
                provision_minor: sums.provision_minor,
                share: owed.map(|owed| owed as f64 / whole as f64),
            }
        };
        Ok(all.into_iter().map(line).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn borrower(owed: i64) -> Sums {
        Sums { borrowers: 1, loans: 1, outstanding_minor: Some(owed), ..Sums::default() }
    }

    fn members(largest: &Largest) -> Vec<(&'static str, i64, i64)> {
        let members = largest.members().unwrap().into_iter();
        members.map(|(name, sums)| (name, sums.borrowers, sums.outstanding_minor.unwrap())).collect()
    }

    #[test]
    fn who_owes_most_stands_apart_and_all_add_up() {
        let mut largest = Largest::default();
        for number in 1..=25 {
            largest.add(&format!("m{number:02}"), borrower(number)).unwrap();
        }
        assert_eq!(
            members(&largest),
            [
                ("1", 1, 25),
                ("11 to 20", 10, (6..=15).sum()),
                ("2 to 10", 9, (16..=24).sum()),
                ("others", 5, (1..=5).sum()),
            ]
        );
        let mut few = Largest::default();
        few.add("a", borrower(7)).unwrap();
        assert_eq!(members(&few), [("1", 1, 7)]);
        assert_eq!(members(&Largest::default()), []);
    }

    fn line(merchant_id: &str, owner_id: Option<&str>, group_id: Option<&str>, owed: i64) -> LoanLine {
        LoanLine {
            merchant_id: merchant_id.to_owned(),
            loan_id: Some(format!("{merchant_id}-{owed}")),
            place: "current".to_owned(),
            product: None,
            category: None,
            region: None,
            owner_id: owner_id.map(str::to_owned),
            group_id: group_id.map(str::to_owned),
            disbursed_on: None,
            principal_minor: Some(owed),
            outstanding_minor: Some(owed),
            arrears_minor: Some(0),
            dpd: Some(0),
            class: None,
            marked_by: None,
            band: None,
            pd_prob: None,
            stage: None,
            provision_minor: None,
        }
    }

    fn owed(breakdown: &Breakdown, dimension: Dimension) -> Vec<(String, i64, i64, i64)> {
        let lines = breakdown.lines(jiff::civil::date(2025, 7, 1)).unwrap().into_iter();
        let own = lines.filter(|line| line.dimension == dimension);
        own.map(|l| (l.member.unwrap(), l.borrowers, l.loans, l.outstanding_minor.unwrap())).collect()
    }

    #[test]
    fn shops_of_one_owner_and_loans_of_one_group_stand_together_wherever_they_lie() {
        // Each of the owner's two shops owes less than the third borrower, both together more.
        let shards = [
            vec![line("a", Some("x"), Some("g"), 60), line("b", None, None, 100)],
            vec![line("c", Some("x"), Some("g"), 50), line("c", Some("x"), None, 5), line("d", None, Some("h"), 7)],
        ];
        let is_of_x = |merchant: &str| ["a", "c"].contains(&merchant);
        for order in [[0, 1], [1, 0]] {
            let mut all = Breakdown::default();
            for shard in order {
                all.merge(&Breakdown::of(&shards[shard], is_of_x).unwrap()).unwrap();
            }
            let named = |rows: &[(&str, i64, i64, i64)]| -> Vec<(String, i64, i64, i64)> {
                rows.iter().map(|(name, b, l, o)| ((*name).to_owned(), *b, *l, *o)).collect()
            };
            assert_eq!(owed(&all, Dimension::LargestBorrowers), named(&[("1", 1, 1, 100), ("2 to 10", 3, 4, 122)]));
            assert_eq!(owed(&all, Dimension::LargestOwners), named(&[("1", 2, 3, 115), ("2 to 10", 2, 2, 107)]));
            assert_eq!(
                owed(&all, Dimension::LargestGroups),
                named(&[("1", 2, 2, 110), ("2 to 10", 1, 1, 7), ("no group", 2, 2, 105)])
            );
        }
    }

    proptest! {
        /// However the borrowers lie in shards.
        #[test]
        fn shards_change_nothing(owed in prop::collection::vec((0_i64..5, 0_usize..4), 0..60)) {
            let mut whole = Largest::default();
            let mut shards = vec![Largest::default(); 4];
            for (number, (owed, shard)) in owed.iter().enumerate() {
                let id = format!("m{number:02}");
                whole.add(&id, borrower(*owed)).unwrap();
                shards[*shard].add(&id, borrower(*owed)).unwrap();
            }
            let mut merged = Largest::default();
            for shard in shards.iter().rev() {
                merged.merge(shard).unwrap();
            }
            prop_assert_eq!(merged, whole);
        }
    }
}
