//! `[[measure]]`: what is added up.

use serde::Deserialize;
use toml::Spanned;

use crate::config::{ConfigError, ConfigFile};
use crate::contract;
use crate::tiles::{MeasureSpec, RowSql, Suspects, VIEWS, ViewKind, ViewSchema, Yields, view_schema};

/// A measure as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawMeasure {
    name: Spanned<String>,
    table: Spanned<String>,
    at: Spanned<String>,
    #[serde(rename = "where")]
    filter: Option<Spanned<String>>,
    value: Option<Spanned<String>>,
    #[serde(default)]
    needs: Vec<Spanned<String>>,
    suspect: Option<Spanned<Suspects>>,
    doc: Option<String>,
}

impl RawMeasure {
    /// Where its name stands.
    pub(crate) fn name_span(&self) -> std::ops::Range<usize> {
        self.name.span()
    }

    /// Checks a measure against the view it is declared on.
    pub(crate) fn check(self, file: &ConfigFile) -> Result<MeasureSpec, ConfigError> {
        let name = checked_name(file, &self.name)?;
        let Some(view) = view_schema(self.table.get_ref()) else {
            let names: Vec<&str> = VIEWS.iter().map(|v| v.name).collect();
            let message = format!("measure {name:?} is declared on the unknown table {:?}", self.table.get_ref());
            return Err(file.refuse(&self.table.span(), message, format!("one of: {}", names.join(", "))));
        };
        let at = view.columns.iter().filter(|c| matches!(c.kind, ViewKind::Instant | ViewKind::Day));
        let Some(at) = at.clone().find(|c| c.name == self.at.get_ref()) else {
            let names: Vec<&str> = at.map(|c| c.name).collect();
            let message = format!("{:?} is not a date or instant of table {:?}", self.at.get_ref(), view.name);
            return Err(file.refuse(&self.at.span(), message, format!("one of: {}", names.join(", "))));
        };
        let filter = self.filter.map(|sql| row_sql(file, &sql, view, Yields::Flag)).transpose()?;
        let value = self.value.map(|sql| row_sql(file, &sql, view, Yields::Whole)).transpose()?;
        if let Some(suspect) = self.suspect.as_ref().filter(|_| !view.is_judged()) {
            let judged: Vec<&str> = VIEWS.iter().filter(|v| v.is_judged()).map(|v| v.name).collect();
            let message = format!("rows of {:?} are not judged for authenticity", view.name);
            return Err(file.refuse(
                &suspect.span(),
                message,
                format!("leave suspect out; judged are: {}", judged.join(", ")),
            ));
        }

        let mut needs: Vec<&'static str> = view.needs.to_vec();
        needs.push(at.from);
        let named = filter.iter().chain(&value).flat_map(RowSql::columns);
        needs.extend(named.filter_map(|column| view.column(column)).map(|c| c.from));
        for table in &self.needs {
            let Some(known) = contract::table(table.get_ref()) else {
                let names: Vec<&str> = contract::TABLES.iter().map(|t| t.name).collect();
                let message = format!("{:?} is not a contract table", table.get_ref());
                return Err(file.refuse(&table.span(), message, format!("one of: {}", names.join(", "))));
            };
            needs.push(known.name);
        }
        needs.sort_unstable();
        needs.dedup();
        Ok(MeasureSpec {
            name,
            view,
            at,
            filter,
            value,
            needs,
            suspects: self.suspect.map_or(Suspects::Exclude, Spanned::into_inner),
            doc: self.doc.unwrap_or_default(),
        })
    }
}

/// Names become column names: lowercase words joined by underscores.
pub(crate) fn checked_name(file: &ConfigFile, name: &Spanned<String>) -> Result<String, ConfigError> {
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if name.get_ref().split('_').all(word) {
        Ok(name.get_ref().clone())
    } else {
        let message = format!("name = {:?} cannot name a column", name.get_ref());
        Err(file.refuse(&name.span(), message, "lowercase letters and digits in words joined by _"))
    }
}

fn row_sql(file: &ConfigFile, sql: &Spanned<String>, view: &ViewSchema, yields: Yields) -> Result<RowSql, ConfigError> {
    RowSql::parse(sql.get_ref(), view.empty_frame().schema(), yields)
        .map_err(|refusal| file.refuse(&sql.span(), refusal.message, refusal.help))
}
