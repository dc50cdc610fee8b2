//! A document as one HTML file: style and plots inside, no script, nothing fetched.

use askama::Template;

use super::blocks::Block;

/// A page that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write the HTML page {title:?}: {why}")]
pub struct PageError {
    /// Title of the page.
    pub title: String,
    /// The template engine's words.
    pub why: String,
}

/// The page: `templates/page.html`. What it is given is escaped, but for plots, which are drawn here.
#[derive(Template)]
#[template(path = "page.html", config = "src/page/templates/askama.toml")]
struct Page<'a> {
    title: &'a str,
    blocks: &'a [Block],
}

/// Renders blocks as a whole page.
///
/// # Errors
/// The template cannot be filled in.
pub fn html(title: &str, blocks: &[Block]) -> Result<String, PageError> {
    Page { title, blocks }.render().map_err(|e| PageError { title: title.to_owned(), why: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_labels_stay_text_and_nothing_is_fetched() {
        let page = html("<x>", &[Block::Paragraph("<script>alert('1')</script> & more".into())]).unwrap();
        assert!(page.contains("&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62; &#38; more"), "{page}");
        assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"));
    }
}
