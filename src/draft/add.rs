//! Adds to a text that is being drafted.

/// Adds a piece.
pub(super) fn add(text: &mut String, piece: &str) {
    text.push_str(piece);
}
