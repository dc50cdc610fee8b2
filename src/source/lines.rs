//! Physical lines of a file with the byte at which each begins, whatever ends them: `\n`, `\r\n` or `\r`.

use std::collections::VecDeque;
use std::io::BufRead;

use super::unpack::SourceBytes;

/// Bytes of one line, without its end, that are kept in memory; what is longer is passed over up to the line's end.
pub(super) const MAX_LINE_BYTES: usize = 1 << 20;

/// One physical line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it begins in the file.
    pub byte: u64,
    /// Its bytes without the line end, at most [`MAX_LINE_BYTES`].
    pub bytes: Vec<u8>,
    /// Its line end; empty for the last line of a file that ends without one.
    pub end: &'static [u8],
    /// Whether it is longer than what is kept.
    pub is_cut: bool,
}

/// Reads lines one after the other, and looks as far forward as is asked.
pub(super) struct Lines<R> {
    reader: R,
    byte: u64,
    source: SourceBytes,
    peeked: VecDeque<Line>,
}

impl<R: BufRead> Lines<R> {
    /// Lines of `reader`, whose first byte is the file's byte number `byte`; `source` says how its text lies in the file.
    pub fn new(reader: R, byte: u64, source: SourceBytes) -> Self {
        Self { reader, byte, source, peeked: VecDeque::new() }
    }

    /// The next line; `None` at the end of the file.
    pub fn next(&mut self) -> std::io::Result<Option<Line>> {
        match self.peeked.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.read(),
        }
    }

    /// The line `distance` lines after the next one, which stays where it is.
    pub fn peek(&mut self, distance: usize) -> std::io::Result<Option<&Line>> {
        while self.peeked.len() <= distance {
            match self.read()? {
                Some(line) => self.peeked.push_back(line),
                None => return Ok(None),
            }
        }
        Ok(self.peeked.get(distance))
    }

    /// Passes over the next `count` lines.
    pub fn skip(&mut self, count: usize) -> std::io::Result<()> {
        for _ in 0..count {
            self.next()?;
        }
        Ok(())
    }

    fn read(&mut self) -> std::io::Result<Option<Line>> {
        let begin = self.byte;
        let mut line = Line { byte: begin, bytes: Vec::new(), end: b"", is_cut: false };
        let mut is_empty = true;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok((!is_empty).then_some(line));
            }
            is_empty = false;
            let ends = buffer.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let text = buffer.get(..ends.unwrap_or(buffer.len())).unwrap_or_default();
            let room = MAX_LINE_BYTES - line.bytes.len();
            line.is_cut |= text.len() > room;
            line.bytes.extend(text.iter().take(room));
            let is_return = ends.and_then(|at| buffer.get(at)) == Some(&b'\r');
            let used = text.len() + usize::from(ends.is_some());
            self.byte += self.source.count(buffer.get(..used).unwrap_or_default());
            self.reader.consume(used);
            if ends.is_none() {
                continue;
            }
            line.end = if is_return { b"\r" } else { b"\n" };
            if is_return && self.reader.fill_buf()?.first() == Some(&b'\n') {
                self.reader.consume(1);
                self.byte += self.source.count(b"\n");
                line.end = b"\r\n";
            }
            return Ok(Some(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use encoding_rs::UTF_8;

    use super::*;

    #[test]
    fn every_line_end_ends_a_line_and_bytes_are_counted() {
        // A buffer of one byte: line ends fall on its edge.
        let mut lines = Lines::new(BufReader::with_capacity(1, &b"a\nbc\r\n\rd\r\n"[..]), 3, SourceBytes::of(UTF_8));
        let mut seen = Vec::new();
        assert_eq!(lines.peek(1).unwrap().unwrap().bytes, b"bc");
        while let Some(line) = lines.next().unwrap() {
            seen.push((line.byte, String::from_utf8(line.bytes).unwrap(), line.end));
        }
        let expected: [(u64, &str, &[u8]); 4] =
            [(3, "a", b"\n"), (5, "bc", b"\r\n"), (9, "", b"\r"), (10, "d", b"\r\n")];
        assert_eq!(seen, expected.map(|(byte, text, end)| (byte, text.to_owned(), end)));
        assert!(lines.peek(0).unwrap().is_none());
    }

    #[test]
    fn a_long_line_is_cut_and_passed_over() {
        let text = [vec![b'x'; MAX_LINE_BYTES + 5], b"\ny".to_vec()].concat();
        let mut lines = Lines::new(BufReader::new(text.as_slice()), 0, SourceBytes::of(UTF_8));
        let long = lines.next().unwrap().unwrap();
        assert_eq!((long.bytes.len(), long.is_cut), (MAX_LINE_BYTES, true));
        let next = lines.next().unwrap().unwrap();
        assert_eq!((next.byte, next.bytes), (MAX_LINE_BYTES as u64 + 6, b"y".to_vec()));
    }
}
