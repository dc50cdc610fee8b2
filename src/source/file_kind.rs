//! What a file is by its first bytes, whatever its name says.

/// What the first bytes of an unpacked file say that it is, where that is no text, and what to do about it.
pub(super) fn kind_of(first: &[u8]) -> Option<(&'static str, &'static str)> {
    const UNPACK: &str = "unpack it and give the file inside";
    const EXPORT: &str = "export it as CSV or Parquet";
    const AS_TABLE: &str = "open it in a spreadsheet program and save the table as .xlsx or CSV";
    const KINDS: [(&[u8], &str, &str); 11] = [
        (b"PAR1", "a Parquet file", "Parquet files are packed within: unpack it"),
        (b"PARE", "a Parquet file with an encrypted footer", "give it unencrypted"),
        (b"\x1f\x8b", "packed with gzip twice", "unpack it once"),
        (b"\x28\xb5\x2f\xfd", "packed with zstd twice", "unpack it once"),
        (b"\xfd7zXZ\0", "packed with xz", "unpack it, or pack it with gzip or zstd"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
        (
            b"PK\x03\x04",
            "a zip archive, or a workbook that is packed once more or named otherwise",
            "unpack it; name a workbook .xlsx",
        ),
        (b"\xd0\xcf\x11\xe0", "an old workbook that is packed or named otherwise", "unpack it; name a workbook .xls"),
        (b"ARROW1", "an Arrow file", EXPORT),
        (b"Obj\x01", "an Avro file", EXPORT),
        (b"SQLite format 3\0", "an SQLite database", EXPORT),
    ];
    if first.starts_with(b"BZh") && first.get(4..10) == Some(b"1AY&SY") {
        return Some(("packed with bzip2", "unpack it, or pack it with gzip or zstd"));
    }
    if first.get(257..262) == Some(b"ustar") {
        return Some(("a tar archive", UNPACK));
    }
    // What shops call an export "for Excel" is often a page, or the XML of 2003.
    let mark = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first).trim_ascii_start().to_ascii_lowercase();
    if [&b"<html"[..], b"<!doctype html", b"<table"].iter().any(|tag| mark.starts_with(tag)) {
        return Some(("an HTML page", AS_TABLE));
    }
    if mark.starts_with(b"<?xml") {
        return Some(("an XML file", AS_TABLE));
    }
    KINDS.iter().find(|(magic, ..)| first.starts_with(magic)).map(|(_, what, todo)| (*what, *todo))
}

/// Whether bytes read as text.
pub(super) fn is_text(first: &[u8]) -> bool {
    !first.is_empty() && first.iter().all(|byte| *byte >= b' ' || matches!(byte, b'\t' | b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_first_bytes() {
        assert!(kind_of(b"order_id,merchant_id\n").is_none());
        assert!(kind_of(b"ORDER_ID,MERCHANT_ID\n").is_none());
        assert!(kind_of("größe,\u{4e2d}\n".as_bytes()).is_none());
        for (bytes, word) in [
            (&b"PAR1abc"[..], "Parquet"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"PK\x03\x04", "zip"),
            (b"\xef\xbb\xbf\n<Table border=1>", "HTML"),
            (b"<?xml version", "XML"),
        ] {
            assert!(kind_of(bytes).unwrap().0.contains(word), "{word}");
        }
    }
}
