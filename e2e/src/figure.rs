//! Durations and counts that tests measure and print. Benchmarks judge whether they are good enough.

use std::{
    io::{Result, Write as _},
    time::Duration,
};

// Prints to standard error, because the test runner hides the `println!` of tests that pass.
pub fn print(label: &str, took: Duration) -> Result<()> {
    writeln!(std::io::stderr(), "figure: {label}: {:.1} s", took.as_secs_f64())
}

pub fn print_count(label: &str, count: usize) -> Result<()> {
    writeln!(std::io::stderr(), "figure: {label}: {count}")
}
