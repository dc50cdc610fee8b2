//! The bins of one variable as a person looks at them: counts, bad rates, weights of evidence, and a bar for each.

use std::fmt::Write as _;

use crate::model::binning::{Bin, Bins};
use crate::report::text_table;

/// Characters of the longest bar, on either side of the middle.
const BAR: usize = 12;

/// A table of the bins. Bars to the right are safer than average, to the left riskier.
#[must_use]
pub fn bins_text(bins: &Bins) -> String {
    let rows: f64 = bins.bins.iter().map(|bin| bin.rows).sum();
    let bad: f64 = bins.bins.iter().map(|bin| bin.bad).sum();
    let longest = bins.bins.iter().map(|bin| bin.woe.abs()).fold(0.0, f64::max);
    let share = |part: f64, of: f64| if of > 0.0 { format!("{:.1} %", 100.0 * part / of) } else { "–".to_owned() };
    let row = |label: &str, n: f64, b: f64, woe: String, bar: String| {
        vec![label.to_owned(), format!("{n:.0}"), share(n, rows), format!("{b:.0}"), share(b, n), woe, bar]
    };
    let shown = |bin: &&Bin| bin.rows > 0.0;
    let mut cells: Vec<Vec<String>> = bins
        .bins
        .iter()
        .filter(shown)
        .map(|bin| row(&bin.label, bin.rows, bin.bad, format!("{:+.3}", bin.woe), bar(bin.woe, longest)))
        .collect();
    cells.push(row("all", rows, bad, String::new(), bar(0.0, longest)));
    let mut text = format!("{}: IV {:.4}, trend {}\n", bins.name, bins.iv, format!("{:?}", bins.trend).to_lowercase());
    text.push_str(&text_table(&["bin", "rows", "share", "bad", "bad rate", "WoE", "riskier | safer"], &cells));
    let empty: Vec<&str> = bins.bins.iter().filter(|bin| bin.rows <= 0.0).map(|bin| bin.label.as_str()).collect();
    if !empty.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  no rows: {}", empty.join("; "));
    }
    text
}

/// A bar from the middle, as long as the weight's share of the largest one.
fn bar(woe: f64, longest: f64) -> String {
    let share = if longest > 0.0 { (woe.abs() / longest).min(1.0) } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a dozen")]
    let length = (share * BAR as f64).round() as usize;
    let (left, right) = if woe < 0.0 { (length, 0) } else { (0, length) };
    format!("{}{}|{}{}", " ".repeat(BAR - left), "█".repeat(left), "█".repeat(right), " ".repeat(BAR - right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::binning::{BinKind, BinRole, Trend};

    #[test]
    fn a_variable_is_shown_with_counts_rates_and_bars() {
        let bin = |label: &str, rows, bad, woe| Bin { label: label.to_owned(), role: BinRole::Regular, rows, bad, woe };
        let bins = Bins {
            name: "age".to_owned(),
            kind: BinKind::Number { edges: vec![30.0] },
            specials: Vec::new(),
            missing: 2,
            trend: Trend::Descending,
            iv: 0.25,
            bins: vec![bin("≤ 30", 40.0, 10.0, -0.8), bin("> 30", 60.0, 6.0, 0.4), bin("missing", 0.0, 0.0, 0.0)],
        };
        let expected = "age: IV 0.2500, trend descending
  bin    rows    share   bad   bad rate      WoE             riskier | safer
  ≤ 30     40   40.0 %    10     25.0 %   -0.800   ████████████|            
  > 30     60   60.0 %     6     10.0 %   +0.400               |██████      
  all     100  100.0 %    16     16.0 %                        |            
  no rows: missing
";
        let squeezed =
            |text: &str| text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>();
        assert_eq!(squeezed(&bins_text(&bins)), squeezed(expected));
        assert_eq!(bar(-0.4, 0.8), format!("{}██████|{}", " ".repeat(6), " ".repeat(12)));
        assert_eq!(bar(0.0, 0.0).chars().count(), 25);
    }
}
