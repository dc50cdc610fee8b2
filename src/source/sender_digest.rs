//! The digest that a sender states beside a file, in the form of `sha256sum`: `orders.csv.sha256` or `orders.sha256`.

use std::path::{Path, PathBuf};

use super::error::SourceError;
use crate::domain::Digest;

/// Whether a name is that of a statement, never of data.
pub(super) fn is_statement(name: &str) -> bool {
    name.to_lowercase().ends_with(".sha256")
}

/// Compares a file's digest with what its sender states; `false` where there is no statement.
///
/// # Errors
/// The statement cannot be read, or says something else.
pub(super) fn verify(file: &Path, digest: Digest) -> Result<bool, SourceError> {
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut own = file.as_os_str().to_owned();
    own.push(".sha256");
    for (path, is_own) in [(PathBuf::from(own), true), (file.with_extension("sha256"), false)] {
        let text = match std::fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(SourceError::Io { file: path, why: e.to_string() }),
        };
        let Some(expected) = stated(&text, &name, is_own) else {
            if is_own {
                let why = format!(
                    "it states no SHA-256 of {name:?}; its form is that of sha256sum: 64 hexadecimal digits and the name"
                );
                return Err(SourceError::Corrupt { file: path, why });
            }
            continue;
        };
        let got = digest.to_string();
        if expected != got {
            return Err(SourceError::DigestDiffers { file: file.to_owned(), statement: path, expected, got });
        }
        return Ok(true);
    }
    Ok(false)
}

/// The digest that a statement gives for a file: the line that names it, or the only line where that names nothing.
fn stated(text: &str, name: &str, is_own: bool) -> Option<String> {
    let lines: Vec<(String, &str)> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (digest, named) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
            let named = named.trim_start().trim_start_matches('*');
            (digest.to_lowercase(), named.rsplit(['/', '\\']).next().unwrap_or(named))
        })
        .collect();
    let of_file = lines.iter().find(|(_, named)| *named == name);
    let only = match lines.as_slice() {
        [only] if only.1.is_empty() || is_own => Some(only),
        _ => None,
    };
    let (digest, _) = of_file.or(only)?;
    (digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| digest.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(statement: (&str, &str)) -> Result<bool, SourceError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("orders.csv");
        std::fs::write(&file, "x\n1\n").unwrap();
        std::fs::write(folder.path().join(statement.0), statement.1).unwrap();
        verify(&file, Digest::of(b"x\n1\n"))
    }

    #[test]
    fn statements_are_compared() {
        let right = Digest::of(b"x\n1\n").to_string();
        let wrong = Digest::of(b"y").to_string();
        assert_eq!(outcome(("other.csv.sha256", &wrong)), Ok(false));
        assert_eq!(outcome(("orders.csv.sha256", &right)), Ok(true));
        assert_eq!(outcome(("orders.csv.sha256", &format!("{}  ./out/orders.csv\n", right.to_uppercase()))), Ok(true));
        assert_eq!(outcome(("orders.sha256", &format!("{wrong}  a.csv\n{right} *orders.csv\n"))), Ok(true));
        assert_eq!(outcome(("orders.sha256", &format!("{wrong}  orders.parquet\n"))), Ok(false), "of another file");
        for name in ["orders.csv.sha256", "orders.sha256"] {
            assert!(matches!(outcome((name, &wrong)), Err(SourceError::DigestDiffers { .. })), "{name}");
        }
        assert!(matches!(outcome(("orders.csv.sha256", "hello\n")), Err(SourceError::Corrupt { .. })));
    }
}
