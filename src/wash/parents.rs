//! Foreign keys: what is known of the rows that others refer to.

use std::collections::{BTreeMap, HashSet};

use polars::prelude::*;

use crate::contract::{ForeignKey, TableContract};

/// What became of the row a foreign key names.
pub(crate) const PRESENT: u32 = 0;
pub(crate) const MISSING: u32 = 1;
pub(crate) const QUARANTINED: u32 = 2;
pub(crate) const OTHER_MERCHANT: u32 = 3;

/// Keys of the tables washed so far, with their merchant: all that is kept of them in memory.
#[derive(Debug, Clone, Default)]
pub struct Parents {
    /// By table: `_key`, `_merchant`, `_clean` (false: quarantined); one row a key.
    keys: BTreeMap<&'static str, DataFrame>,
}

/// The state of one foreign key, row by row.
pub(crate) struct Referred {
    /// [`PRESENT`] (or no reference), [`MISSING`], [`QUARANTINED`] or [`OTHER_MERCHANT`].
    pub state: UInt32Chunked,
    /// Merchant of the row referred to.
    pub merchant: StringChunked,
}

impl Parents {
    /// Remembers the keys of a washed table, if others refer to it. `clean` holds latest versions only.
    pub(crate) fn remember(
        &mut self,
        table: &'static TableContract,
        clean: &DataFrame,
        quarantined_keys: &[String],
    ) -> PolarsResult<()> {
        let ([key], Some(_)) = (table.key, clean.schema().get("merchant_id")) else { return Ok(()) };
        let (keys, merchants) = (clean.column(key)?.str()?, clean.column("merchant_id")?.str()?);
        let wanted: HashSet<&str> = quarantined_keys.iter().map(String::as_str).collect();
        let also_clean: HashSet<&str> = if wanted.is_empty() {
            HashSet::new()
        } else {
            keys.iter().flatten().filter(|k| wanted.contains(k)).collect()
        };
        let mut only_quarantined: Vec<&str> = wanted.difference(&also_clean).copied().collect();
        only_quarantined.sort_unstable();
        let count = only_quarantined.len();
        let mut known = DataFrame::new(
            clean.height(),
            vec![
                keys.clone().with_name("_key".into()).into_column(),
                merchants.clone().with_name("_merchant".into()).into_column(),
                BooleanChunked::full("_clean".into(), true, clean.height()).into_column(),
            ],
        )?;
        known.vstack_mut(&DataFrame::new(
            count,
            vec![
                StringChunked::from_slice("_key".into(), &only_quarantined).into_column(),
                StringChunked::full_null("_merchant".into(), count).into_column(),
                BooleanChunked::full("_clean".into(), false, count).into_column(),
            ],
        )?)?;
        self.keys.insert(table.name, known);
        Ok(())
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
                BooleanChunked::full_null("_clean".into(), 0).into_column(),
            ],
        )?;
        let parent = self.keys.get(reference.table).unwrap_or(&nothing).clone();
        let mut how = JoinArgs::new(JoinType::Left);
        how.maintain_order = MaintainOrderJoin::Left;
        let state = when(col("_key").is_null())
            .then(lit(PRESENT))
            .when(col("_clean").is_null())
            .then(lit(MISSING))
            .when(col("_clean").not())
            .then(lit(QUARANTINED))
            .when(col("_own").is_not_null().and(col("_own").neq(col("_merchant"))))
            .then(lit(OTHER_MERCHANT))
            .otherwise(lit(PRESENT));
        let joined = child
            .lazy()
            .join(parent.lazy(), [col("_key")], [col("_key")], how)
            .select([state.cast(DataType::UInt32).alias("_state"), col("_merchant")])
            .collect()?;
        Ok(Referred {
            state: joined.column("_state")?.u32()?.clone(),
            merchant: joined.column("_merchant")?.str()?.clone(),
        })
    }
}
