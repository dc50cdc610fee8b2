//! A document as one HTML file: style and plots inside, no script, nothing fetched.

use std::fmt::Write;

use super::blocks::Block;

const STYLE: &str = "
:root { color-scheme: light; }
body { font: 15px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif; color: #1f2937; background: #f8fafc; margin: 0; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 40px 80px; background: #fff; }
h1 { font-size: 28px; margin: 0 0 8px; } h2 { font-size: 20px; margin: 40px 0 12px; padding-top: 12px; border-top: 1px solid #e2e8f0; }
h3 { font-size: 16px; margin: 26px 0 8px; } p { max-width: 76ch; margin: 0 0 12px; } ul { max-width: 76ch; }
.scroll { overflow-x: auto; margin: 0 0 18px; }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 12px; text-align: right; border-bottom: 1px solid #e2e8f0; white-space: nowrap; }
th { color: #475569; font-weight: 600; border-bottom: 2px solid #cbd5e1; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 9em; max-width: 34em; }
.plots { display: flex; flex-wrap: wrap; gap: 16px; margin: 8px 0 20px; }
figure { margin: 0; border: 1px solid #e2e8f0; border-radius: 6px; padding: 8px; }
figcaption { font-size: 13px; color: #475569; padding: 2px 6px 4px; } svg { display: block; max-width: 100%; height: auto; }
@media print { body { background: #fff; } main { padding: 0; } h2, figure, tr { break-inside: avoid; } }
";

/// Renders blocks as a whole page.
pub(super) fn html(title: &str, blocks: &[Block]) -> String {
    let mut text = String::new();
    let _ = write!(
        text,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{}</title><style>{STYLE}</style></head><body><main>\n",
        escaped(title)
    );
    for block in blocks {
        write_block(&mut text, block);
    }
    text.push_str("</main></body></html>\n");
    text
}

fn write_block(text: &mut String, block: &Block) {
    match block {
        Block::Heading(level, heading) => {
            let _ = writeln!(text, "<h{level}>{}</h{level}>", escaped(heading));
        }
        Block::Paragraph(paragraph) => {
            let _ = writeln!(text, "<p>{}</p>", escaped(paragraph));
        }
        Block::List(items) => {
            text.push_str("<ul>");
            for item in items {
                let _ = write!(text, "<li>{}</li>", escaped(item));
            }
            text.push_str("</ul>\n");
        }
        Block::Table { head, rows } => {
            text.push_str("<div class=\"scroll\"><table><thead><tr>");
            for cell in head {
                let _ = write!(text, "<th>{}</th>", escaped(cell));
            }
            text.push_str("</tr></thead><tbody>");
            for row in rows {
                text.push_str("<tr>");
                for cell in row {
                    let _ = write!(text, "<td>{}</td>", escaped(cell));
                }
                text.push_str("</tr>");
            }
            text.push_str("</tbody></table></div>\n");
        }
        Block::Plots(plots) => {
            text.push_str("<div class=\"plots\">");
            for plot in plots {
                let _ = write!(text, "<figure><figcaption>{}</figcaption>{}</figure>", escaped(&plot.title), plot.svg);
            }
            text.push_str("</div>\n");
        }
    }
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_labels_stay_text_and_nothing_is_fetched() {
        let page = html("<x>", &[Block::Paragraph("<script>alert('1')</script> & more".into())]);
        assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; more"));
        assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
    }
}
