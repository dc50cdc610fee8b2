//! What a configuration file may hold, key by key: declared beside the raw settings, printed by `integrity schema`.

use std::fmt::Write as _;

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What may stand there: `whole number`, `text`, `date`, `table`.
    pub kind: &'static str,
    /// What is counted.
    pub unit: &'static str,
    /// What holds where it is left out; `None`: it must be given.
    pub default: Option<&'static str>,
    /// What is allowed.
    pub range: &'static str,
    /// A value as written; empty for sections of their own.
    pub example: &'static str,
    /// What it does.
    pub doc: &'static str,
}

impl Key {
    /// A key that must be given.
    #[must_use]
    pub const fn new(name: &'static str, kind: &'static str, example: &'static str, doc: &'static str) -> Self {
        Self { name, kind, unit: "", default: None, range: "", example, doc }
    }

    /// A key that stands for a section of its own.
    #[must_use]
    pub const fn section(name: &'static str, doc: &'static str) -> Self {
        Self::new(name, "section", "", doc)
    }

    /// What is counted.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// What is allowed.
    #[must_use]
    pub const fn range(mut self, range: &'static str) -> Self {
        self.range = range;
        self
    }

    /// It may be left out, and then this holds.
    #[must_use]
    pub const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }
}

/// Keys that stand together.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// What stands above them in the file, line by line, with names of the writer's choice in it (`[inputs.orders]`); empty for the top.
    pub head: &'static str,
    /// What they are about.
    pub doc: &'static str,
    /// The keys.
    pub keys: &'static [Key],
}

/// The keys of a file as Markdown.
#[must_use]
pub fn reference_markdown(title: &str, about: &str, sections: &[&Section]) -> String {
    let mut text = format!("# {title}\n\n{about}\n");
    for section in sections {
        let head = section.head.lines().last().map_or("Top of the file".to_owned(), |line| format!("`{line}`"));
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n## {head}\n\n{}\n\n| key | what | unit | left out | allowed | example | meaning |\n|---|---|---|---|---|---|---|\n",
            section.doc
        );
        for key in section.keys {
            let default = key.default.unwrap_or("must be given");
            let example =
                if key.example.is_empty() { String::new() } else { format!("`{} = {}`", key.name, key.example) };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {default} | {} | {example} | {} |",
                key.name, key.kind, key.unit, key.range, key.doc
            );
        }
    }
    text
}

/// A file made of the examples of its sections: what a reader would copy.
#[must_use]
pub fn reference_example(sections: &[&Section]) -> String {
    let mut text = String::new();
    for section in sections {
        // A section below another one of the same list goes on where that one stands.
        let head = section.head.lines().last().unwrap_or_default();
        let _ = writeln!(text, "{head}");
        for key in section.keys.iter().filter(|key| !key.example.is_empty()) {
            let _ = writeln!(text, "{} = {}", key.name, key.example);
        }
        text.push('\n');
    }
    text
}
