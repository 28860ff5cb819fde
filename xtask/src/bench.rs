//! `cargo xtask bench`: runs the commands of bench/.

use std::process::Command;

use anyhow::Context as _;

use crate::cli::{Bench, BenchSubject};
use crate::repository;

/// Runs the command.
pub(crate) fn run(args: &Bench) -> anyhow::Result<()> {
    let script = match args.subject {
        BenchSubject::Api => "bench/api/run.py",
        BenchSubject::Operator => "bench/operator/run.py",
    };
    let path = repository::root().join(script);
    anyhow::ensure!(path.exists(), "{} does not exist: there is no such benchmark yet", path.display());
    let status = Command::new(&path).current_dir(repository::root()).status();
    let status = status.with_context(|| format!("failed to start {script}, which takes python3"))?;
    anyhow::ensure!(status.success(), "{script} ended with {status}");
    Ok(())
}
