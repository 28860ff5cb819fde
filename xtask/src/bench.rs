//! `cargo xtask bench`: which command runs each benchmark. What is measured is in `bench/`,
//! `api-server/benches/`, `api-server/page-tests/browser/first-todo.js`, `stack/benches/` and
//! `operator/src/reconcile/tests/scale.rs`.

use std::process::Command;

use anyhow::Context as _;

use crate::cli::BenchSubject;
use crate::repository;

pub(crate) fn run(subject: &BenchSubject) -> anyhow::Result<()> {
    let mut command = match subject {
        BenchSubject::Api => Command::new(repository::root().join("bench/api/run.py")),
        BenchSubject::Events => {
            repository::cargo(&["bench", "--quiet", "--package", "todostack-api", "--bench", "event_streams"])
        }
        BenchSubject::Page => {
            let mut npm = Command::new("npm");
            npm.args(["--prefix", "api-server/page-tests", "run", "--silent", "bench"]);
            npm
        }
        BenchSubject::Diagnose => {
            repository::cargo(&["bench", "--quiet", "--package", "todostack-stack", "--bench", "diagnose"])
        }
        BenchSubject::Reconcile => {
            let mut cargo = repository::static_cargo(&["test", "--locked", "--quiet", "--profile", "up"]);
            cargo.args(["--package", "todostack-operator", "--bin", "todostack-operator", "--"]);
            cargo.args(["--ignored", "--nocapture", "a_reconcile_costs_what_its_stack_has"]);
            cargo
        }
        BenchSubject::Operator { flags } => {
            // Optimized, because the floor is a part of it. As the images of `up`, whose libraries it shares.
            let mut cargo = repository::static_cargo(&["run", "--locked", "--profile", "up"]);
            cargo.args(["--package", "todostack-bench-operator", "--"]).args(flags);
            cargo
        }
    };
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.current_dir(repository::root()).status();
    let status = status.with_context(|| format!("failed to run {name}"))?;
    anyhow::ensure!(status.success(), "{name} failed: {status}");
    Ok(())
}
