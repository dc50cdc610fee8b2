//! Attribute: what the merchant is.

use std::collections::BTreeMap;

use super::kind::{FeatureKind, Names, OwnKind, Read};
use super::measured::MerchantTiles;
use super::params::Params;
use crate::config::ConfigError;
use crate::contract::{MERCHANTS, Type};

/// A column of the table `merchants`: a number as it is, a word by its place on a scale (`words`). Null where the column is null, and
/// where a free text has no place on the scale.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attribute {
    /// The column.
    pub column: String,
    /// Numbers by word; empty where the column is a number itself.
    pub words: BTreeMap<String, i64>,
}

impl Attribute {
    /// Keys: `column`, `words` (for columns of words, every one of them).
    ///
    /// # Errors
    /// Another column, or words that do not fit it.
    pub fn read(p: &mut Params) -> Result<Self, ConfigError> {
        let numbers = ["deposit_minor"];
        let texts = ["verification", "category", "region"];
        let allowed: Vec<(&str, &str)> = numbers.iter().chain(&texts).map(|name| (*name, *name)).collect();
        let column = p.word("column", &allowed)?;
        let words = p.words("words")?.unwrap_or_default();
        match MERCHANTS.column(column).map(|c| c.kind) {
            Some(Type::Money | Type::Integer) if !words.is_empty() => {
                return Err(p.refuse(format!("{column} is a number and takes no words"), "leave words out"));
            }
            Some(Type::Word(all)) if words.len() != all.len() || !all.iter().all(|word| words.contains_key(*word)) => {
                let help = format!("a number for each of: {}", all.join(", "));
                return Err(p.refuse(format!("words does not match what {column} may hold"), help));
            }
            Some(Type::Text) if words.is_empty() => {
                return Err(p.refuse(format!("{column} is a text and needs words"), "words = { grocery = 1, … }"));
            }
            _ => {}
        }
        Ok(Self { column: column.to_owned(), words })
    }
}

impl FeatureKind for Attribute {
    fn reads(&self) -> Vec<Read> {
        Vec::new()
    }

    fn attribute(&self) -> Option<&Attribute> {
        Some(self)
    }

    fn formula(&self, _names: Names) -> String {
        if self.words.is_empty() {
            return format!("merchants.{}", self.column);
        }
        let scale: Vec<String> = self.words.iter().map(|(word, n)| format!("{word} = {n}")).collect();
        format!("merchants.{} with {}", self.column, scale.join(", "))
    }
}

impl OwnKind for Attribute {
    fn value(&self, merchant: &MerchantTiles) -> Option<f64> {
        merchant.attribute(self).map(|n| n as f64)
    }
}
