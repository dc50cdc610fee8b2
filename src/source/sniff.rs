//! How a text file writes its table, as far as its beginning shows.
//!
//! A night takes only what is certain: packing, byte order marks, UTF-16, and the separator that its header has. What may be read in two ways (an
//! encoding of one byte a character, a decimal comma, words for null, lines before the header, a missing header) is proposed to a person who
//! drafts a job or looks at a table, and holds at night only where the job declares it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use chardetng::EncodingDetector;
use encoding_rs::{Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1250, WINDOWS_1252, WINDOWS_1254};

use super::csv_record::{Forms, Reading, read as read_record};
use super::error::SourceError;
use super::number_text::{plain_number, with_decimal_point};
use super::text_format::{DeclaredFormat, Grammar, TextFormat};
use super::unpack::{Bytes, Packing, decoded_sample, open_unpacked};

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sniffing {
    /// Only what cannot be read otherwise.
    Certain,
    /// Whatever is likely: somebody is shown it.
    Likely,
}

/// Bytes looked at.
const SAMPLE_BYTES: usize = 1 << 18;
/// Records looked at.
pub(super) const SAMPLE_RECORDS: usize = 500;
/// Lines before a header, at most.
pub(super) const MAX_SKIPPED: usize = 30;
/// Between cells, the likeliest first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Between the cells of few exports: taken only where all lines agree on it, and the header has none of the others.
const RARE_SEPARATORS: [u8; 5] = [b'^', b'~', 0x1f, 0x01, 0x1e];
/// Of the lines, so many have as many cells as the header where a rare separator is taken.
const AGREE: f64 = 0.9;
/// Words that mean "no value" in any column, and in columns that otherwise hold numbers or times.
const DUMPED_NULL: &str = "\\N";
const NULL_WORDS: [&str; 4] = ["NULL", DUMPED_NULL, "#N/A", "<NA>"];
/// What some databases write in place of a date that is not there.
const NULL_DATES: [&str; 3] = ["00000000", "0000-00-00", "0000-00-00 00:00:00"];
const NULL_WORDS_OF_NUMBERS: [&str; 16] =
    ["null", "Null", "NA", "N/A", "n/a", "NaN", "nan", "None", "none", "nil", "-", "--", "?", ".", "(null)", "missing"];

/// The format of a file: what is declared, the rest as its beginning shows.
///
/// # Errors
/// The file cannot be read, is empty, or holds no text.
pub(super) fn format_of_text(
    path: &Path,
    declared: &DeclaredFormat,
    sniffing: Sniffing,
) -> Result<TextFormat, SourceError> {
    let (mut bytes, packing) = open_unpacked(path)?;
    let (sample, is_whole) = sample_of(&mut bytes).map_err(|e| packing.error(path, &e))?;
    if sample.is_empty() {
        return Err(SourceError::EmptyFile { file: path.to_owned() });
    }
    let (encoding, mark) = match Encoding::for_bom(&sample) {
        Some(marked) => marked,
        None => match declared.encoding.filter(|_| !is_utf_8(&sample)).or_else(|| wide_encoding(&sample)) {
            Some(encoding) => (encoding, 0),
            None if sniffing == Sniffing::Likely && is_not_utf_8(path)? => (legacy_encoding(&sample), 0),
            None => (UTF_8, 0),
        },
    };
    let text = decoded_sample(sample.get(mark..).unwrap_or_default(), encoding);
    let text = if is_whole { text.as_str() } else { text.rsplit_once('\n').map_or(text.as_str(), |(whole, _)| whole) };
    let found = Found { packing, encoding, mark };
    Ok(match sniffing {
        Sniffing::Certain => certain(&lines_of(text), declared, found),
        Sniffing::Likely => {
            let (format, width) = likely(&lines_of(text), declared, found);
            let footer_lines = match declared.footer_lines {
                Some(lines) => lines,
                None => footer_lines(path, &format, width)?,
            };
            TextFormat { footer_lines, ..format }
        }
    })
}

/// Lines at the end of a file that are no records of a table so wide: totals, or who made the export. Of a packed file, and of one in letters of two
/// bytes, the end is not looked at. One line without an end may be a record that was cut off.
fn footer_lines(path: &Path, format: &TextFormat, width: usize) -> Result<u32, SourceError> {
    if format.packing != Packing::None || width < 3 || [UTF_16LE, UTF_16BE].contains(&format.encoding) {
        return Ok(0);
    }
    let mut end = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(SAMPLE_BYTES as u64)))?;
        file.read_to_end(&mut end)
    });
    read.map_err(|e| format.packing.error(path, &e))?;
    let text = decoded_sample(&end, format.encoding);
    let is_cut_off = !text.ends_with(['\n', '\r']);
    let lines = lines_of(&text);
    let mut last = lines.iter().rev().filter(|line| !line.trim().is_empty());
    let is_other = |line: &&&str| cells_of(line, format.grammar).is_some_and(|cells| cells.len() * 2 <= width);
    let footer = last.by_ref().take_while(is_other).take(MAX_SKIPPED + 1).count();
    let is_table = lines
        .iter()
        .rev()
        .filter(|line| !line.trim().is_empty())
        .nth(footer)
        .is_some_and(|line| cells_of(line, format.grammar).is_some_and(|cells| cells.len() == width));
    let is_footer = is_table && footer <= MAX_SKIPPED && !(is_cut_off && footer == 1);
    Ok(if is_footer { u32::try_from(footer).unwrap_or(0) } else { 0 })
}

/// What the bytes say.
struct Found {
    packing: Packing,
    encoding: &'static Encoding,
    mark: usize,
}

impl Found {
    /// The format with all that is declared; `grammar`, and defaults for the rest.
    fn format(self, declared: &DeclaredFormat, separator: u8) -> TextFormat {
        let quote = declared.quote.unwrap_or(Grammar::default().quote);
        TextFormat {
            packing: self.packing,
            encoding: self.encoding,
            mark: self.mark,
            grammar: Grammar { separator: declared.separator.unwrap_or(separator), quote },
            has_decimal_comma: declared.decimal_comma.unwrap_or(false),
            nulls: declared.nulls.clone(),
            has_header: declared.has_header.unwrap_or(true),
            columns: declared.columns.clone(),
            skip_lines: declared.skip_lines.unwrap_or(0),
            footer_lines: declared.footer_lines.unwrap_or(0),
        }
    }
}

fn sample_of(bytes: &mut Bytes) -> std::io::Result<(Vec<u8>, bool)> {
    let mut sample = Vec::new();
    while sample.len() < SAMPLE_BYTES {
        let buffer = bytes.fill_buf()?;
        if buffer.is_empty() {
            return Ok((sample, true));
        }
        let taken = buffer.len().min(SAMPLE_BYTES - sample.len());
        sample.extend_from_slice(buffer.get(..taken).unwrap_or_default());
        bytes.consume(taken);
    }
    Ok((sample, false))
}

/// Whether a sample has letters of several bytes and all of it is UTF-8: text of an older encoding is so by no chance that matters. Files of one input may
/// be of several times.
fn is_utf_8(sample: &[u8]) -> bool {
    let sound = std::str::from_utf8(sample).map_or_else(
        |e| if e.error_len().is_none() { sample.get(..e.valid_up_to()) } else { None },
        |whole| Some(whole.as_bytes()),
    );
    sound.is_some_and(|sound| !sound.is_ascii() && !sound.contains(&0))
}

/// UTF-16 without a mark: every second byte of text in Latin letters is 0.
pub(super) fn wide_encoding(sample: &[u8]) -> Option<&'static Encoding> {
    let pairs = || sample.chunks_exact(2).take(64);
    let is_wide = |nuls: usize| pairs().len() >= 4 && nuls * 4 >= pairs().len() * 3;
    let (first, last) = (
        is_wide(pairs().filter(|pair| pair.first() == Some(&0)).count()),
        is_wide(pairs().filter(|pair| pair.last() == Some(&0)).count()),
    );
    match (first, last) {
        (true, false) => Some(UTF_16BE),
        (false, true) => Some(UTF_16LE),
        _ => None,
    }
}

/// Whether a whole file is likelier in an older encoding than in UTF-8: more bytes that UTF-8 does not know than letters of several bytes.
fn is_not_utf_8(path: &Path) -> Result<bool, SourceError> {
    let (mut bytes, packing) = open_unpacked(path)?;
    let (mut letters, mut broken) = (0_u64, 0_u64);
    let mut carried: Vec<u8> = Vec::new();
    loop {
        let buffer = bytes.fill_buf().map_err(|e| packing.error(path, &e))?;
        let (length, is_last) = (buffer.len(), buffer.is_empty());
        carried.extend_from_slice(buffer);
        bytes.consume(length);
        let mut unfinished = 0;
        for chunk in carried.utf8_chunks() {
            letters += chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count() as u64;
            unfinished = chunk.invalid().len();
            broken += u64::from(unfinished > 0);
        }
        // A letter that goes on in the next buffer.
        if unfinished > 0 && !is_last && unfinished < 4 && carried.len() > unfinished {
            broken -= 1;
            carried.drain(..carried.len() - unfinished);
        } else {
            carried.clear();
        }
        if is_last {
            return Ok(broken > letters);
        }
    }
}

/// The older encoding that a text is likely in. Letters with accents stand alone among others: that is Western, by far the most frequent. Where such bytes
/// stand side by side (Chinese, Cyrillic, Greek …), or would be signs within words (`wys³ane` is Polish), their frequencies say which encoding it is.
fn legacy_encoding(sample: &[u8]) -> &'static Encoding {
    let high = |at: usize| sample.get(at).is_some_and(|byte| *byte >= 0x80);
    let all = (0..sample.len()).filter(|at| high(*at)).count();
    let beside =
        (0..sample.len()).filter(|at| high(*at) && (high(at + 1) || at.checked_sub(1).is_some_and(high))).count();
    let is_letter = |at: usize| sample.get(at).is_some_and(u8::is_ascii_alphabetic);
    // ¡ to ¿ but for the two ordinals that Spanish and Portuguese write.
    let is_sign =
        |at: &usize| sample.get(*at).is_some_and(|byte| matches!(byte, 0xa1..=0xbf) && !matches!(byte, 0xaa | 0xba));
    let is_within = |at: &usize| is_sign(at) && at.checked_sub(1).is_some_and(is_letter) && is_letter(at + 1);
    let signs = (0..sample.len()).filter(is_within).count();
    // Names of columns hold no signs.
    let header = sample.iter().position(|byte| *byte == b'\n').unwrap_or(sample.len());
    let is_western = signs * 20 < all && !(0..header).any(|at| is_within(&at));
    if (beside * 2 < all && is_western) || all == 0 {
        return if is_turkish(sample) { WINDOWS_1254 } else { WINDOWS_1252 };
    }
    let mut detector = EncodingDetector::new();
    detector.feed(sample, false);
    // GB18030 reads whatever GBK does, and what it leaves out.
    let found = detector.guess(None, false);
    match found {
        _ if found == GBK => GB18030,
        _ if found == WINDOWS_1252 && !is_western => WINDOWS_1250,
        _ => found,
    }
}

/// Whether a text of Western letters is Turkish: six bytes are letters of Icelandic else, which never goes without its acute accents.
fn is_turkish(sample: &[u8]) -> bool {
    let count = |is_one: fn(&u8) -> bool| sample.iter().filter(|byte| is_one(byte)).count();
    let turkish = count(|byte| matches!(byte, 0xd0 | 0xdd | 0xde | 0xf0 | 0xfd | 0xfe));
    let acute =
        count(|byte| matches!(byte, 0xc1 | 0xc9 | 0xcd | 0xd3 | 0xda | 0xe1 | 0xe6 | 0xe9 | 0xed | 0xf3 | 0xfa));
    turkish > acute
}

/// Lines, whatever ends them.
fn lines_of(text: &str) -> Vec<&str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r')).collect()
}

/// Cells of a line by a separator; `None` where it is no whole record.
fn cells_of(line: &str, grammar: Grammar) -> Option<Vec<String>> {
    match read_record(line.as_bytes(), grammar) {
        Reading::Whole(cells) if !line.is_empty() => {
            Some(cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect())
        }
        _ => None,
    }
}

/// The separator is what the header has most of outside quotes.
fn certain(lines: &[&str], declared: &DeclaredFormat, found: Found) -> TextFormat {
    let format = found.format(declared, b',');
    if declared.separator.is_some() {
        return format;
    }
    let skipped = usize::try_from(format.skip_lines).unwrap_or(usize::MAX);
    let header = lines.iter().skip(skipped).find(|line| !line.is_empty()).copied().unwrap_or_default();
    let mut counts = SEPARATORS.map(|separator| (separator, 0_usize));
    let mut is_quoted = false;
    for byte in header.bytes() {
        if Some(byte) == format.grammar.quote {
            is_quoted = !is_quoted;
        } else if let Some(count) = counts.iter_mut().find(|(separator, _)| *separator == byte && !is_quoted) {
            count.1 += 1;
        }
    }
    let separator = counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(separator, _)| *separator);
    let rare = || rare_separator(lines.get(skipped..).unwrap_or_default(), format.grammar);
    let separator = if counts.iter().all(|(_, count)| *count == 0) { rare().unwrap_or(separator) } else { separator };
    TextFormat { grammar: Grammar { separator, ..format.grammar }, ..format }
}

/// The rare separator that all lines agree on, the header first, where the header has none of the usual ones.
fn rare_separator(lines: &[&str], grammar: Grammar) -> Option<u8> {
    let sample: Vec<&str> = lines.iter().copied().filter(|line| !line.is_empty()).take(SAMPLE_RECORDS).collect();
    let width =
        |line: &&str, separator: u8| cells_of(line, Grammar { separator, ..grammar }).map_or(0, |cells| cells.len());
    let header = sample.first()?;
    if SEPARATORS.iter().any(|separator| width(header, *separator) > 1) {
        return None;
    }
    let agree = |separator: &u8| {
        let wide = width(header, *separator);
        let alike = sample.iter().filter(|line| width(line, *separator) == wide).count();
        wide > 1 && alike as f64 >= AGREE * sample.len() as f64
    };
    RARE_SEPARATORS.into_iter().find(agree)
}

/// The likely format, and how many cells a record has; 0 where that is not seen.
fn likely(lines: &[&str], declared: &DeclaredFormat, found: Found) -> (TextFormat, usize) {
    let mut format = found.format(declared, b',');
    if declared.quote.is_none() && are_quotes_text(lines, declared) {
        format.grammar.quote = None;
    }
    let skipped = declared.skip_lines.and_then(|lines| usize::try_from(lines).ok()).unwrap_or(0);
    let rare = || rare_separator(lines.get(skipped..).unwrap_or_default(), format.grammar);
    let separators = match declared.separator.or_else(rare) {
        Some(only) => vec![only],
        None => SEPARATORS.to_vec(),
    };
    // The separator by which most lines have equally many cells.
    let mut best: Option<(usize, usize, u8)> = None;
    for separator in separators {
        let grammar = Grammar { separator, ..format.grammar };
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for cells in lines.iter().take(SAMPLE_RECORDS).filter_map(|line| cells_of(line, grammar)) {
            *counts.entry(cells.len()).or_default() += 1;
        }
        let usual = counts.into_iter().filter(|(cells, _)| *cells > 1).max_by_key(|(cells, lines)| (*lines, *cells));
        if let Some((cells, lines)) = usual
            && best.is_none_or(|(most, wide, _)| (lines, cells) > (most, wide))
        {
            best = Some((lines, cells, separator));
        }
    }
    let Some((_, width, separator)) = best else { return (format, 0) };
    format.grammar.separator = separator;
    if declared.skip_lines.is_none() {
        format.skip_lines = lines_before(lines, format.grammar, width);
    }
    let skipped = usize::try_from(format.skip_lines).unwrap_or(usize::MAX);
    let records: Vec<Vec<String>> = lines
        .iter()
        .skip(skipped)
        .take(SAMPLE_RECORDS)
        .filter_map(|line| cells_of(line, format.grammar))
        .filter(|cells| cells.len() == width)
        .collect();
    let columns: Vec<Vec<&str>> = (0..width)
        .map(|at| records.iter().skip(1).filter_map(|cells| cells.get(at)).map(|cell| cell.trim()).collect())
        .collect();
    if declared.nulls.is_empty() {
        format.nulls = null_words(&columns);
        // Databases write dumps so, and the first rows need not have a cell without a value.
        if separator == b'\t' && !format.nulls.iter().any(|word| word == DUMPED_NULL) {
            format.nulls.push(DUMPED_NULL.to_owned());
            format.nulls.sort();
        }
    }
    if let (None, Some(first)) = (declared.has_header, records.first()) {
        format.has_header = is_header(first, &columns);
    }
    if declared.decimal_comma.is_none() {
        format.has_decimal_comma = has_decimal_comma(&columns);
    }
    (format, width)
}

/// Whether quotes are characters like others: read as quotes they break many lines, and without them all lines have equally many cells.
fn are_quotes_text(lines: &[&str], declared: &DeclaredFormat) -> bool {
    let sample: Vec<&str> = lines.iter().copied().filter(|line| !line.is_empty()).take(SAMPLE_RECORDS).collect();
    let separators = declared.separator.map_or(SEPARATORS.to_vec(), |only| vec![only]);
    let alike = |separator: u8, quote: Option<u8>| {
        let grammar = Grammar { separator, quote };
        let width = sample.first().and_then(|line| cells_of(line, grammar)).map_or(0, |cells| cells.len());
        let count = |line: &&&str| cells_of(line, grammar).is_some_and(|cells| cells.len() == width);
        if width > 1 { sample.iter().filter(count).count() } else { 0 }
    };
    let quote = Grammar::default().quote;
    sample.len() > 2
        && separators
            .into_iter()
            .any(|separator| alike(separator, None) == sample.len() && alike(separator, quote) * 10 < sample.len() * 9)
}

/// Lines before the first with as many cells as most have; they are a title, and not a header that lacks a cell, where they have far fewer.
fn lines_before(lines: &[&str], grammar: Grammar, width: usize) -> u32 {
    let count = |line: &str| cells_of(line, grammar).map_or(0, |cells| cells.len());
    let first = lines.iter().position(|line| count(line) == width).unwrap_or(0);
    let are_titles = lines.iter().take(first).all(|line| count(line) * 2 <= width);
    if are_titles && first <= MAX_SKIPPED { u32::try_from(first).unwrap_or(0) } else { 0 }
}

/// Whether a cell is a number or a time, decimal comma or not.
fn is_figure(cell: &str) -> bool {
    let mut figures = Forms::of(b"1");
    figures.add(Forms::of(b"2018-01-01"));
    let is_date = || {
        let digits = cell.bytes().filter(u8::is_ascii_digit).count();
        digits >= 6 && cell.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'/' | b'.' | b'-' | b':' | b' '))
    };
    !cell.is_empty() && (figures.has(Forms::of(cell.as_bytes())) || with_decimal_point(cell).is_some() || is_date())
}

/// Whether a cell is written like a date with its year first.
fn is_like_a_date(cell: &str) -> bool {
    let digits: String = cell.chars().filter(char::is_ascii_digit).collect();
    let is_year_first = ["00", "19", "20"].iter().any(|century| digits.starts_with(century));
    is_year_first && if cell.contains('-') { cell.len() >= 10 } else { cell.len() == 8 && digits.len() == 8 }
}

/// Cells from which on a column of null words alone says something.
const MIN_UNFILLED: usize = 20;

fn is_null_word(cell: &str) -> bool {
    cell.is_empty() || NULL_WORDS.contains(&cell) || NULL_WORDS_OF_NUMBERS.contains(&cell)
}

/// Whether a column holds numbers or times, null words aside.
fn is_of_figures(column: &[&str]) -> bool {
    let mut cells = column.iter().filter(|cell| !is_null_word(cell)).peekable();
    cells.peek().is_some() && cells.all(|cell| is_figure(cell))
}

pub(super) fn null_words(columns: &[Vec<&str>]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for column in columns {
        let is_of_figures = is_of_figures(column);
        let is_of_dates = column.iter().any(|cell| !is_null_word(cell) && !NULL_DATES.contains(cell))
            && column.iter().all(|cell| is_null_word(cell) || is_like_a_date(cell));
        // A column of dashes alone holds nothing yet: what they stand for there, they stand for in columns of numbers further down.
        let is_unfilled = column.len() >= MIN_UNFILLED && column.iter().all(|cell| is_null_word(cell));
        for cell in column {
            let is_word = (is_of_dates && NULL_DATES.contains(cell))
                || NULL_WORDS.contains(cell)
                || ((is_of_figures || is_unfilled) && NULL_WORDS_OF_NUMBERS.contains(cell));
            if is_word && !words.iter().any(|word| word == cell) {
                words.push((*cell).to_owned());
            }
        }
    }
    words.sort();
    words
}

/// A header names every column: where a column holds figures only, the header's cell is none.
pub(super) fn is_header(first: &[String], columns: &[Vec<&str>]) -> bool {
    let of_figures = || first.iter().zip(columns).filter(|(_, column)| is_of_figures(column));
    of_figures().count() == 0 || of_figures().any(|(cell, _)| !is_figure(cell.trim()) && !is_null_word(cell.trim()))
}

/// A column of numbers in which a comma can only be the decimal mark, and none in which a point is it.
pub(super) fn has_decimal_comma(columns: &[Vec<&str>]) -> bool {
    let is_thousands = |cell: &&str| plain_number(cell, '.', Some(',')).is_some();
    let has_commas = |column: &&Vec<&str>| {
        let mut cells = column.iter().filter(|cell| !is_null_word(cell));
        column.iter().any(|cell| cell.contains(',') && !is_thousands(cell))
            && cells.all(|cell| plain_number(cell, ',', None).is_some() || with_decimal_point(cell).is_some())
    };
    let is_plain_fraction = |cell: &&str| cell.contains('.') && plain_number(cell, '.', None).is_some();
    let has_points = |column: &&Vec<&str>| {
        is_of_figures(column) && column.iter().any(|cell| is_plain_fraction(cell) && with_decimal_point(cell).is_none())
    };
    columns.iter().any(|column| has_commas(&column)) && !columns.iter().any(|column| has_points(&column))
}

#[cfg(test)]
#[path = "sniff_tests.rs"]
mod tests;
