//! `cargo xtask bench`: which command runs each benchmark. What is measured is in `bench/` and
//! `stack/benches/`.

use std::process::Command;

use anyhow::Context as _;

use crate::cli::BenchSubject;
use crate::repository;

pub(crate) fn run(subject: BenchSubject) -> anyhow::Result<()> {
    let mut command = match subject {
        BenchSubject::Api => Command::new(repository::root().join("bench/api/run.py")),
        BenchSubject::Operator => {
            repository::cargo(&["bench", "--quiet", "--package", "todostack-stack", "--bench", "diagnose"])
        }
    };
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.current_dir(repository::root()).status();
    let status = status.with_context(|| format!("failed to run {name}"))?;
    anyhow::ensure!(status.success(), "{name} failed: {status}");
    Ok(())
}
