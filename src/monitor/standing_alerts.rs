//! What the night before left standing.

use std::collections::BTreeMap;

use super::alert::Alert;
use super::life;

/// The alerts that stood after the night before, by merchant; none on a first night.
#[derive(Debug, Clone, Default)]
pub struct StandingAlerts {
    by_merchant: BTreeMap<String, Vec<Alert>>,
}

impl StandingAlerts {
    /// Sorts rows of `alerts.parquet` by merchant; what was cleared is over and left out.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = Alert>) -> Self {
        let mut by_merchant: BTreeMap<String, Vec<Alert>> = BTreeMap::new();
        for row in rows.into_iter().filter(Alert::stands) {
            by_merchant.entry(row.merchant_id.clone()).or_default().push(row);
        }
        Self { by_merchant }
    }

    /// Those of one merchant.
    #[must_use]
    pub fn of(&self, merchant_id: &str) -> &[Alert] {
        self.by_merchant.get(merchant_id).map_or(&[], Vec::as_slice)
    }

    /// Tonight's rows for merchants who cannot be seen tonight: that their records are not sent does not end their trouble.
    pub fn of_unseen<'a>(&'a self, is_seen: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = Alert> + 'a {
        let unseen = self.by_merchant.iter().filter(move |(merchant, _)| !is_seen(merchant));
        unseen.flat_map(|(_, alerts)| alerts.iter().map(life::unseen))
    }
}
