//! The `integrity` command: a thin shell around [`integrity::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    integrity::cli::main(std::env::args_os()).into()
}
