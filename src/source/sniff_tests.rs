use super::*;

fn sniffed(bytes: &[u8], sniffing: Sniffing) -> TextFormat {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    std::fs::write(&path, bytes).unwrap();
    format_of_text(&path, &DeclaredFormat::default(), sniffing).unwrap()
}

fn likely_words(text: &str) -> String {
    DeclaredFormat::of_text(&sniffed(text.as_bytes(), Sniffing::Likely)).toml()
}

#[test]
fn separators_are_told_by_the_header_alone_where_a_night_rests_on_it() {
    for (text, separator) in [
        ("a,b\n1;2,3;4\n", b','),
        ("a;b;c,d\n", b';'),
        ("\"a;b;c\",d\n", b','),
        ("a\tb\n", b'\t'),
        ("a|b|c\n", b'|'),
        ("alone\n1,5\n", b','),
        ("a^b^c\n1,5^2^3\n", b'^'),
        ("a~b\n1~2\n", b'~'),
        ("a\u{1f}b\n1\u{1f}2\n", 0x1f),
        ("a;b^2\n1;2\n", b';'),
        ("x^2\n1\n4\n9\n", b','),
    ] {
        assert_eq!(sniffed(text.as_bytes(), Sniffing::Certain).grammar.separator, separator, "{text}");
    }
    assert_eq!(likely_words("id^sum\n1^2,5\n2^3,5\n"), "separator = \"^\", decimal = \",\"");
    assert_eq!(likely_words("id\u{1f}sum\n1\u{1f}2\n2\u{1f}3\n"), "separator = \"\\u001F\"");
    let latin = sniffed(b"stra\xdfe;b\n1;2\n", Sniffing::Certain);
    assert_eq!(latin.encoding, UTF_8, "an encoding that is a guess is no night's");
}

#[test]
fn encodings_by_mark_by_nul_bytes_and_by_what_utf_8_does_not_know() {
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_be_bytes).collect() };
    for (bytes, encoding, mark) in [
        (b"\xef\xbb\xbfa,b\n".to_vec(), UTF_8, 3),
        (b"\xff\xfea\0,\0b\0\n\0".to_vec(), UTF_16LE, 2),
        (wide("order,merchant\n1,2\n"), UTF_16BE, 0),
        ("größe,b\n".as_bytes().to_vec(), UTF_8, 0),
        (b"gr\xf6\xdfe,b\n".to_vec(), WINDOWS_1252, 0),
        (["größe,ort\nä,ö\n".as_bytes(), b"\xff,x\n"].concat(), UTF_8, 0),
    ] {
        let format = sniffed(&bytes, Sniffing::Likely);
        assert_eq!((format.encoding, format.mark), (encoding, mark), "{bytes:?}");
    }
    // A letter that lies on the edge of a buffer.
    let long = format!("{}ü\n", "x".repeat((1 << 20) - 1));
    assert_eq!(sniffed(long.as_bytes(), Sniffing::Likely).encoding, UTF_8);
}

#[test]
fn likely_formats() {
    for (text, toml) in [
        ("a,b\nx,1.5\ny,2\n", ""),
        ("a;b\nx, y;1,50\nz;1.234,00\n", r#"separator = ";", decimal = ",""#),
        ("a,b\nx,\"1,5\"\ny,\"2,25\"\n", r#"decimal = ",""#),
        ("a,b\nx,\"1,500\"\ny,\"2,250\"\n", ""),
        ("a;b;c\nx;1,5;2.25\n", r#"separator = ";""#),
        (
            "o1\ts1\t2018-01-01\t12.50\no2\ts1\t2018-01-02\t3.00\n",
            r#"separator = "\t", nulls = ['\N'], header = false"#,
        ),
        ("Report of May\n\na;b\nx;1\ny;2\nz;3\n", r#"separator = ";", skip_lines = 2"#),
        ("a,b\nx,NULL\ny,1\n", r#"nulls = ["NULL"]"#),
        ("a,b\n-,-\nx,1\ny,-\n", r#"nulls = ["-"]"#),
        ("a,b\nnone,x\nsome,y\n", ""),
        ("name\nx\ny\n", ""),
        ("id,n,t\n1,a,b\n2,b,c\n", ""),
    ] {
        assert_eq!(likely_words(text), toml, "{text}");
    }
}

#[test]
fn signs_within_words_show_that_an_encoding_is_not_western() {
    let polish = "numer;status;opis\n".to_owned()
        + &"1;Wysłane;Wpłata łączna za książkę, żółty\n2;Opłacone;Łódź, świeże\n".repeat(40);
    let (bytes, _, _) = encoding_rs::WINDOWS_1250.encode(&polish);
    assert_eq!(sniffed(&bytes, Sniffing::Likely).encoding, encoding_rs::WINDOWS_1250);
    let western = "1;L'été à Málaga, 1ª vez, n°5\n2;größer ½\n".repeat(40);
    let (bytes, _, _) = WINDOWS_1252.encode(&western);
    assert_eq!(sniffed(&bytes, Sniffing::Likely).encoding, WINDOWS_1252);
}

#[test]
fn a_file_that_is_utf_8_is_read_so_among_others_of_an_older_encoding() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let declared = DeclaredFormat { encoding: Some(WINDOWS_1252), ..DeclaredFormat::default() };
    for (bytes, encoding) in [
        ("größe,b\n".as_bytes().to_vec(), UTF_8),
        (b"gr\xf6\xdfe,b\n".to_vec(), WINDOWS_1252),
        (b"plain,b\n".to_vec(), WINDOWS_1252),
        (["größe,b\n".as_bytes(), b"\xff,1\n"].concat(), WINDOWS_1252),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(format_of_text(&path, &declared, Sniffing::Certain).unwrap().encoding, encoding, "{bytes:?}");
    }
}

#[test]
fn lines_after_the_last_record_are_seen_and_a_record_that_was_cut_off_is_none() {
    let table = "id,amount,on\n1,2,2018-01-01\n2,3,2018-01-02\n";
    for (end, lines) in [
        ("", 0),
        ("\n\nTotal: 5\n\n", 1),
        ("Total amount 1: 5\nTotal amount 2: 7\n\n\n", 2),
        ("2 record(s)\nshop x", 2),
        ("3", 0),
        ("3,4\n", 0),
    ] {
        assert_eq!(sniffed(format!("{table}{end}").as_bytes(), Sniffing::Likely).footer_lines, lines, "{end:?}");
        assert_eq!(sniffed(format!("{table}{end}").as_bytes(), Sniffing::Certain).footer_lines, 0, "{end:?}");
    }
}
