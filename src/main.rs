//! The program `shopbell`. Everything is in the library; see `cli`.

use std::process::ExitCode;

/// Many small, short-lived allocations on several threads: half the resident memory of the system allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    shopbell::cli::run()
}
