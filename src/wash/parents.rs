//! Foreign keys: what is known of the rows that others refer to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use polars::prelude::*;

use crate::contract::{ForeignKey, TableContract};

/// What became of the row a foreign key names.
pub(crate) const PRESENT: u32 = 0;
pub(crate) const MISSING: u32 = 1;
pub(crate) const QUARANTINED: u32 = 2;
pub(crate) const OTHER_MERCHANT: u32 = 3;
pub(crate) const NOT_MEANT: u32 = 4;

/// `until` of a row that nothing ends.
pub(crate) const NEVER_ENDS: i64 = i64::MAX;
/// `until` of a row that was never usable; `known` of a row that was always visible.
pub(crate) const ALWAYS: i64 = i64::MIN;

/// A key whose newest version is broken, or contradicted by another of its instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct UnusableKey {
    /// Every merchant that a version of it leads to.
    pub merchants: BTreeSet<String>,
    /// Merchant of its last sound version, where there was one.
    pub last_merchant: Option<String>,
    /// When its first version became known; [`ALWAYS`] where no time says so.
    pub known: i64,
    /// Since when it is broken; [`ALWAYS`] where no time says so.
    pub since: i64,
}

/// Keys of the tables washed so far, with their merchant.
#[derive(Debug, Clone, Default)]
pub struct Parents {
    /// By table: `_key`, `_merchant`, `_usable` (false: its newest version is broken or contradicted), `_known`, `_since`; one row a key.
    keys: BTreeMap<&'static str, DataFrame>,
    /// By table and unusable key: every merchant that a version of it leads to.
    leads: BTreeMap<&'static str, BTreeMap<String, BTreeSet<String>>>,
    /// By table and key: the merchants of rows that the job does not mean.
    not_meant: BTreeMap<&'static str, HashMap<String, BTreeSet<String>>>,
}

/// The state of one foreign key, row by row.
pub(crate) struct Referred {
    /// [`PRESENT`] (or no reference), [`MISSING`], [`QUARANTINED`], [`OTHER_MERCHANT`], or [`NOT_MEANT`]: there is no such row but one that the job does not
    /// mean, of the same merchant.
    pub state: UInt32Chunked,
    /// Merchant of the row referred to.
    pub merchant: StringChunked,
    /// When the row referred to became known: [`ALWAYS`] where no time says so, null where there is none.
    pub known: Int64Chunked,
    /// Until when the reference held: [`NEVER_ENDS`] where it still does, [`ALWAYS`] where it never did.
    pub until: Int64Chunked,
}

impl Parents {
    /// Remembers the keys of a washed table, if others may refer to it. `usable` holds one row a usable key,
    /// `known` when each became known (null: always).
    pub(crate) fn remember(
        &mut self,
        table: &'static TableContract,
        usable: &DataFrame,
        known: &Int64Chunked,
        unusable: BTreeMap<String, UnusableKey>,
    ) -> PolarsResult<()> {
        let ([key], true) = (table.key, table.is_referred_to()) else { return Ok(()) };
        let frame = |keys: StringChunked,
                     merchants: StringChunked,
                     is_usable: bool,
                     known: Int64Chunked,
                     since: Int64Chunked| {
            let height = keys.len();
            DataFrame::new(
                height,
                vec![
                    keys.with_name("_key".into()).into_column(),
                    merchants.with_name("_merchant".into()).into_column(),
                    BooleanChunked::full("_usable".into(), is_usable, height).into_column(),
                    known.with_name("_known".into()).into_column(),
                    since.with_name("_since".into()).into_column(),
                ],
            )
        };
        let (keys, merchants) = (usable.column(key)?.str()?, usable.column("merchant_id")?.str()?);
        let known: Int64Chunked = known.iter().map(|k| Some(k.unwrap_or(ALWAYS))).collect();
        let still = Int64Chunked::full("_since".into(), NEVER_ENDS, usable.height());
        let mut all = frame(keys.clone(), merchants.clone(), true, known, still)?;
        let merchant = |key: &'_ UnusableKey| key.last_merchant.clone().or_else(|| key.merchants.first().cloned());
        all.vstack_mut(&frame(
            unusable.keys().map(|k| Some(k.as_str())).collect(),
            unusable.values().map(merchant).collect(),
            false,
            unusable.values().map(|k| Some(k.known)).collect(),
            unusable.values().map(|k| Some(k.since)).collect(),
        )?)?;
        self.extend(table.name, &all)?;
        let leads = unusable.into_iter().map(|(key, unusable)| (key, unusable.merchants));
        self.leads.entry(table.name).or_default().extend(leads);
        Ok(())
    }

    /// Adds keys that another's [`Self::keys`] gave.
    pub(crate) fn extend(&mut self, table: &'static str, keys: &DataFrame) -> PolarsResult<()> {
        match self.keys.get_mut(table) {
            Some(all) => {
                all.vstack_mut(keys)?;
            }
            None => {
                self.keys.insert(table, keys.clone());
            }
        }
        Ok(())
    }

    /// Adds what another's [`Self::leads`] gave.
    pub(crate) fn extend_leads(&mut self, table: &'static str, leads: &DataFrame) -> PolarsResult<()> {
        let of_table = self.leads.entry(table).or_default();
        for (key, merchant) in leads.column("_key")?.str()?.iter().zip(leads.column("_merchant")?.str()?.iter()) {
            if let (Some(key), Some(merchant)) = (key, merchant) {
                of_table.entry(key.to_owned()).or_default().insert(merchant.to_owned());
            }
        }
        Ok(())
    }

    /// `_key` and `_merchant` of rows of a table whose key is this column.
    pub(crate) fn keys_of(rows: &DataFrame, key: &str) -> PolarsResult<DataFrame> {
        let named =
            |column: &str, name: &str| Ok::<_, PolarsError>(rows.column(column)?.clone().with_name(name.into()));
        DataFrame::new(rows.height(), vec![named(key, "_key")?, named("merchant_id", "_merchant")?])
    }

    /// Adds keys of rows that the job does not mean: `_key` and `_merchant`.
    pub(crate) fn add_not_meant(&mut self, table: &'static str, keys: &DataFrame) -> PolarsResult<()> {
        let of_table = self.not_meant.entry(table).or_default();
        for (key, merchant) in keys.column("_key")?.str()?.iter().zip(keys.column("_merchant")?.str()?.iter()) {
            if let Some(key) = key {
                of_table.entry(key.to_owned()).or_default().extend(merchant.map(str::to_owned));
            }
        }
        Ok(())
    }

    /// The keys of a table as one row each: `_key` and what is known of it.
    pub(crate) fn keys(&self, table: &str) -> Option<&DataFrame> {
        self.keys.get(table)
    }

    /// The merchants that a table's unusable keys lead to, as rows of `_key` and `_merchant`.
    pub(crate) fn leads(&self, table: &str) -> PolarsResult<DataFrame> {
        let of_table = self.leads.get(table);
        let pairs: Vec<(&str, &str)> = of_table
            .into_iter()
            .flatten()
            .flat_map(|(key, merchants)| merchants.iter().map(move |merchant| (key.as_str(), merchant.as_str())))
            .collect();
        let keys: StringChunked = pairs.iter().map(|(key, _)| Some(*key)).collect();
        let merchants: StringChunked = pairs.iter().map(|(_, merchant)| Some(*merchant)).collect();
        let columns =
            vec![keys.with_name("_key".into()).into_column(), merchants.with_name("_merchant".into()).into_column()];
        DataFrame::new(pairs.len(), columns)
    }

    /// The rows of [`Self::keys`] or [`Self::leads`] whose key is wanted.
    pub(crate) fn only(keys: &DataFrame, wanted: &BTreeSet<String>) -> PolarsResult<DataFrame> {
        let is_wanted = keys.column("_key")?.str()?.iter().map(|key| key.is_some_and(|key| wanted.contains(key)));
        keys.filter(&is_wanted.collect::<BooleanChunked>())
    }

    /// Looks a foreign key up for every row of `frame`. A table that the job does not have has no rows to refer to.
    pub(crate) fn look_up(&self, frame: &DataFrame, reference: &ForeignKey) -> PolarsResult<Referred> {
        let own_merchant = if reference.same_merchant && reference.column != "merchant_id" {
            frame.column("merchant_id")?.clone()
        } else {
            Column::full_null("_own".into(), frame.height(), &DataType::String)
        };
        let child = DataFrame::new(
            frame.height(),
            vec![
                frame.column(reference.column)?.clone().with_name("_key".into()),
                own_merchant.with_name("_own".into()),
            ],
        )?;
        let nothing = DataFrame::new(
            0,
            vec![
                StringChunked::full_null("_key".into(), 0).into_column(),
                StringChunked::full_null("_merchant".into(), 0).into_column(),
                BooleanChunked::full_null("_usable".into(), 0).into_column(),
                Int64Chunked::full_null("_known".into(), 0).into_column(),
                Int64Chunked::full_null("_since".into(), 0).into_column(),
            ],
        )?;
        let parent = self.keys.get(reference.table).unwrap_or(&nothing).clone();
        let mut how = JoinArgs::new(JoinType::Left);
        how.maintain_order = MaintainOrderJoin::Left;
        let differs = || col("_own").is_not_null().and(col("_own").neq(col("_merchant")));
        let state = when(col("_key").is_null())
            .then(lit(PRESENT))
            .when(col("_usable").is_null())
            .then(lit(MISSING))
            .when(col("_usable").not())
            .then(lit(QUARANTINED))
            .when(differs())
            .then(lit(OTHER_MERCHANT))
            .otherwise(lit(PRESENT));
        let until = when(col("_key").is_null())
            .then(lit(NEVER_ENDS))
            .when(col("_since").is_null().or(differs()))
            .then(lit(ALWAYS))
            .otherwise(col("_since"));
        let joined = child
            .lazy()
            .join(parent.lazy(), [col("_key")], [col("_key")], how)
            .select([
                state.cast(DataType::UInt32).alias("_state"),
                col("_key"),
                col("_own"),
                col("_merchant"),
                col("_known"),
                until.cast(DataType::Int64).alias("_until"),
            ])
            .collect()?;
        let mut state = joined.column("_state")?.u32()?.clone();
        if let Some(not_meant) = self.not_meant.get(reference.table) {
            let (keys, own) = (joined.column("_key")?.str()?, joined.column("_own")?.str()?);
            let is_not_meant = |(key, own): (Option<&str>, Option<&str>)| {
                let merchants = key.and_then(|key| not_meant.get(key));
                merchants.is_some_and(|merchants| own.is_none_or(|own| merchants.contains(own)))
            };
            let rows = state.iter().zip(keys.iter().zip(own.iter()));
            state = rows
                .map(
                    |(state, names)| {
                        if state == Some(MISSING) && is_not_meant(names) { Some(NOT_MEANT) } else { state }
                    },
                )
                .collect();
        }
        Ok(Referred {
            state,
            merchant: joined.column("_merchant")?.str()?.clone(),
            known: joined.column("_known")?.i64()?.clone(),
            until: joined.column("_until")?.i64()?.clone(),
        })
    }

    /// The merchants that the `wanted` keys of a table lead to; keys that are not there are left out.
    pub(crate) fn merchants_of(
        &self,
        table: &str,
        wanted: &BTreeSet<&str>,
    ) -> PolarsResult<HashMap<String, BTreeSet<String>>> {
        let mut found: HashMap<String, BTreeSet<String>> = HashMap::new();
        let (Some(frame), false) = (self.keys.get(table), wanted.is_empty()) else { return Ok(found) };
        let (keys, merchants) = (frame.column("_key")?.str()?, frame.column("_merchant")?.str()?);
        for (key, merchant) in keys.iter().zip(merchants.iter()) {
            if let Some(key) = key.filter(|k| wanted.contains(k)) {
                found.entry(key.to_owned()).or_default().extend(merchant.map(str::to_owned));
            }
        }
        for (key, meant) in self.leads.get(table).into_iter().flatten() {
            if let Some(merchants) = found.get_mut(key) {
                merchants.extend(meant.iter().cloned());
            }
        }
        Ok(found)
    }
}
