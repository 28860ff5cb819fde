//! `cargo xtask bench`: runs the commands of bench/.

use crate::cli::{Bench, BenchSubject};
use crate::repository;

/// Runs the command.
pub(crate) fn run(args: &Bench) -> anyhow::Result<()> {
    let folder = match args.subject {
        BenchSubject::Api => "bench/api",
        BenchSubject::Operator => "bench/operator",
    };
    anyhow::bail!(
        "{} does not exist: there is no such benchmark yet",
        repository::root().join(folder).display()
    )
}
