//! The `integrity` command: a thin shell around [`integrity::cli`].

fn main() {}
