//! What a file is by its first bytes, whatever its name says.

/// What the first bytes of a file say that it is, and what to do about it; `None` where they say nothing.
pub(super) fn kind_of(first: &[u8]) -> Option<(&'static str, &'static str)> {
    const UNPACK: &str = "unpack it and give the file inside";
    const EXPORT: &str = "export it as CSV or Parquet";
    const RECODE: &str = "convert it to UTF-8, for example with: iconv -f UTF-16 -t UTF-8";
    const KINDS: [(&[u8], &str, &str); 13] = [
        (b"PAR1", "a Parquet file", "name it .parquet"),
        (b"PARE", "a Parquet file with an encrypted footer", "give it unencrypted"),
        (b"\x1f\x8b", "packed with gzip", UNPACK),
        (b"\x28\xb5\x2f\xfd", "packed with zstd", UNPACK),
        (b"\xfd7zXZ\0", "packed with xz", UNPACK),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
        (b"PK\x03\x04", "a zip archive or a spreadsheet", "unpack it, or export the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0", "an old spreadsheet", "export the sheet as CSV"),
        (b"ARROW1", "an Arrow file", EXPORT),
        (b"Obj\x01", "an Avro file", EXPORT),
        (b"SQLite format 3\0", "an SQLite database", EXPORT),
        (b"\xff\xfe", "text in UTF-16", RECODE),
        (b"\xfe\xff", "text in UTF-16", RECODE),
    ];
    if first.starts_with(b"BZh") && first.get(4..10) == Some(b"1AY&SY") {
        return Some(("packed with bzip2", UNPACK));
    }
    let by_magic = KINDS.iter().find(|(magic, ..)| first.starts_with(magic)).map(|(_, what, todo)| (*what, *todo));
    by_magic.or_else(|| {
        let pairs = first.chunks_exact(2).take(64).len();
        let nul_first = first.chunks_exact(2).take(64).filter(|pair| pair.first() == Some(&0)).count();
        let nul_last = first.chunks_exact(2).take(64).filter(|pair| pair.last() == Some(&0)).count();
        let is_wide = |nuls: usize| pairs >= 4 && nuls * 4 >= pairs * 3;
        (is_wide(nul_first) != is_wide(nul_last)).then_some(("text in UTF-16", RECODE))
    })
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
            (b"\xff\xfea\0", "UTF-16"),
            (b"o\0r\0d\0e\0r\0,\0", "UTF-16"),
            (b"\0o\0r\0d\0e\0r", "UTF-16"),
        ] {
            assert!(kind_of(bytes).unwrap().0.contains(word), "{word}");
        }
    }
}
