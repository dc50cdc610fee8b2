//! A file's text in UTF-8, whatever it is packed with and whatever encoding it is in.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use encoding_rs::{CoderResult, Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::error::SourceError;
use super::file_kind;

/// What a file is packed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Packing {
    /// By the first bytes of a file.
    pub fn of(first: &[u8]) -> Self {
        if first.starts_with(b"\x1f\x8b") {
            Self::Gzip
        } else if first.starts_with(b"\x28\xb5\x2f\xfd") {
            Self::Zstd
        } else {
            Self::None
        }
    }

    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// What the system says of a file packed so, in words of the file.
    pub fn error(self, file: &Path, error: &std::io::Error) -> SourceError {
        match self.name() {
            Some(name) => SourceError::Corrupt {
                file: file.to_owned(),
                why: format!("it is packed with {name} and broken off or damaged ({error}); send it again"),
            },
            None => SourceError::Io { file: file.to_owned(), why: error.to_string() },
        }
    }
}

/// The bytes of a text, unpacked.
pub(crate) type Bytes = Box<dyn BufRead + Send>;

/// Opens a file and unpacks it as it is read.
///
/// # Errors
/// The system refuses the file, or what it holds is no text.
pub(super) fn open_unpacked(path: &Path) -> Result<(Bytes, Packing), SourceError> {
    let io = |e: std::io::Error| SourceError::Io { file: path.to_owned(), why: e.to_string() };
    let mut file = BufReader::with_capacity(1 << 20, File::open(path).map_err(io)?);
    let packing = Packing::of(file.fill_buf().map_err(io)?);
    let mut bytes: Bytes = match packing {
        Packing::None => Box::new(file),
        Packing::Gzip => Box::new(BufReader::with_capacity(1 << 18, flate2::bufread::MultiGzDecoder::new(file))),
        Packing::Zstd => {
            let unpacked = zstd::stream::read::Decoder::with_buffer(file).map_err(io)?;
            Box::new(BufReader::with_capacity(1 << 18, unpacked))
        }
    };
    let first = bytes.fill_buf().map_err(|e| packing.error(path, &e))?;
    if let Some((what, todo)) = file_kind::kind_of(first) {
        return Err(SourceError::NotText { file: path.to_owned(), what, todo });
    }
    Ok((bytes, packing))
}

/// What a text in UTF-8 was in its file: how many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SourceBytes(&'static Encoding);

impl SourceBytes {
    pub const fn of(encoding: &'static Encoding) -> Self {
        Self(encoding)
    }

    /// Bytes in the file of whole characters as they were read. A byte that [`Decoded`] could not decode is one.
    pub fn count(self, read: &[u8]) -> u64 {
        let units = |byte: &u8| match byte {
            0x80..=0xbf => 0,
            0xf0..=0xfe => 2,
            _ => 1,
        };
        if self.0 == UTF_8 {
            read.len() as u64
        } else if self.0.is_single_byte() {
            read.iter().filter(|byte| !matches!(byte, 0x80..=0xbf)).count() as u64
        } else if self.0 == UTF_16LE || self.0 == UTF_16BE {
            2 * read.iter().map(units).sum::<u64>() - undecodable(read)
        } else {
            let texts = read.split(|byte| *byte == UNDECODABLE);
            let encoded = |text: &[u8]| self.0.encode(std::str::from_utf8(text).unwrap_or_default()).0.len();
            texts.map(encoded).sum::<usize>() as u64 + undecodable(read)
        }
    }
}

/// Stands for one byte of the file that its encoding does not know; no text in UTF-8 has it, so that the record is found to be malformed.
const UNDECODABLE: u8 = 0xff;

/// How many bytes could not be decoded.
fn undecodable(read: &[u8]) -> u64 {
    read.split(|byte| *byte == UNDECODABLE).skip(1).count() as u64
}

/// Text in UTF-8 of text in another encoding. Every buffer ends with a whole character.
pub(super) struct Decoded {
    bytes: Bytes,
    decoder: Decoder,
    text: Vec<u8>,
    at: usize,
    is_done: bool,
}

/// Bytes as UTF-8, of whatever encoding they are.
pub(super) fn as_utf_8(bytes: Bytes, encoding: &'static Encoding) -> Bytes {
    if encoding == UTF_8 { bytes } else { Box::new(Decoded::new(bytes, encoding)) }
}

impl Decoded {
    pub fn new(bytes: Bytes, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_without_bom_handling();
        Self { bytes, decoder, text: Vec::new(), at: 0, is_done: false }
    }
}

impl Read for Decoded {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let text = self.fill_buf()?;
        let length = text.len().min(to.len());
        for (slot, byte) in to.iter_mut().zip(text) {
            *slot = *byte;
        }
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Decoded {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        while self.at == self.text.len() && !self.is_done {
            let bytes = self.bytes.fill_buf()?;
            let is_last = bytes.is_empty();
            self.text.resize(1 << 16, 0);
            let (result, read, written) =
                self.decoder.decode_to_utf8_without_replacement(bytes, &mut self.text, is_last);
            self.bytes.consume(read);
            self.text.truncate(written);
            self.at = 0;
            match result {
                DecoderResult::Malformed(length, _) => {
                    self.text.resize(written + usize::from(length), UNDECODABLE);
                }
                DecoderResult::InputEmpty => self.is_done = is_last,
                DecoderResult::OutputFull => {}
            }
        }
        Ok(self.text.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.text.len());
    }
}

/// Decodes a sample that may end within a character; what cannot be decoded is replaced.
pub(super) fn decoded_sample(bytes: &[u8], encoding: &'static Encoding) -> String {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len() * 3));
    let (result, ..) = decoder.decode_to_string(bytes, &mut text, false);
    debug_assert!(result == CoderResult::InputEmpty, "the buffer is large enough");
    text
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use encoding_rs::{GB18030, WINDOWS_1252};

    use super::*;

    fn decoded(bytes: &[u8], encoding: &'static Encoding) -> Vec<u8> {
        // Three bytes at a time: characters fall on the edge.
        let mut text = Vec::new();
        let bytes: Bytes = Box::new(BufReader::with_capacity(3, Cursor::new(bytes.to_vec())));
        Decoded::new(bytes, encoding).read_to_end(&mut text).unwrap();
        text
    }

    #[test]
    fn texts_are_decoded_and_their_bytes_counted() {
        let text = "größe €, 上海 😀\n";
        let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let gb = GB18030.encode(text).0.into_owned();
        let latin = WINDOWS_1252.encode("größe €").0.into_owned();
        for (bytes, encoding, expected) in
            [(utf_16, UTF_16LE, text), (gb, GB18030, text), (latin, WINDOWS_1252, "größe €")]
        {
            let read = decoded(&bytes, encoding);
            assert_eq!(std::str::from_utf8(&read).unwrap(), expected);
            assert_eq!(SourceBytes::of(encoding).count(&read), bytes.len() as u64, "{}", encoding.name());
        }
    }

    #[test]
    fn what_cannot_be_decoded_stays_visible_and_is_counted() {
        // A lone surrogate between two letters, and half a character at the end.
        let utf_16 = [0x61, 0, 0, 0xd8, 0x62, 0, 0x63];
        let read = decoded(&utf_16, UTF_16LE);
        assert!(std::str::from_utf8(&read).is_err(), "{read:?}");
        assert_eq!(undecodable(&read), 3);
        assert_eq!(SourceBytes::of(UTF_16LE).count(&read), 7);
    }
}
