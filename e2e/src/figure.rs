//! Figures that tests measure on the way; whether they are good enough is a benchmark's matter.

use std::{
    io::{Result, Write as _},
    time::Duration,
};

/// Writes a figure where it is seen for tests that pass too (the runner captures `println!` alone).
///
/// # Errors
/// Standard error is closed.
pub fn print(what: &str, took: Duration) -> Result<()> {
    writeln!(std::io::stderr(), "figure: {what}: {:.1} s", took.as_secs_f64())
}
