//! The `integrity` command: a thin shell around [`integrity::cli`].

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    integrity::cli::main(std::env::args_os()).into()
}
