//! `[authenticity]`: knobs of the rules that doubt orders and reviews.

use std::collections::BTreeMap;

use toml::{Spanned, Value};

use super::settings::{RuleSettingValue, Settings};
use crate::config::{ConfigError, ConfigFile};

/// Knobs as written: rule, then knob.
pub(crate) type RawAuthenticity = BTreeMap<String, Spanned<BTreeMap<String, Spanned<Value>>>>;

/// Turns the knobs given; those not given keep their defaults.
pub(crate) fn turn(file: &ConfigFile, raw: &RawAuthenticity, settings: &mut Settings) -> Result<(), ConfigError> {
    for (rule, table) in raw {
        for (name, value) in table.get_ref() {
            let mut knobs = settings.all();
            let names: Vec<String> = knobs.iter().map(|k| format!("{}.{}", k.rule, k.name)).collect();
            let Some(knob) = knobs.iter_mut().find(|k| k.rule == rule && k.name == name) else {
                let message = format!("authenticity has no knob {rule}.{name}");
                return Err(file.refuse(&value.span(), message, format!("one of: {}", names.join(", "))));
            };
            let whole = value.get_ref().as_integer();
            let number = value.get_ref().as_float().or_else(|| whole.map(|n| n as f64));
            let (least, most) = (knob.least, knob.most);
            let in_range = number.filter(|n| (least..=most).contains(n));
            let done = match (&mut knob.value, in_range, whole) {
                (RuleSettingValue::Real(place), Some(n), _) => {
                    **place = n;
                    true
                }
                (RuleSettingValue::Whole(place), Some(_), Some(n)) => {
                    **place = u32::try_from(n).unwrap_or(u32::MAX);
                    true
                }
                _ => false,
            };
            if !done {
                let kind = if matches!(knob.value, RuleSettingValue::Whole(_)) { "a whole number" } else { "a number" };
                let message = format!("{rule}.{name} = {} is not allowed", value.get_ref());
                return Err(file.refuse(&value.span(), message, format!("{kind} from {least} to {most}")));
            }
        }
    }
    Ok(())
}
