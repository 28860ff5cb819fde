//! `cargo xtask test`: which checks there are, their order, and the closing summary. Each check is a file below.

mod charts;
mod database;
mod kind_configuration;
mod length;
mod licences;
mod schemas;
mod shell;

use std::process::Command;
use std::time::Instant;

use todostack_testbed::local::Whose;
use todostack_testbed::{process, progress};

use crate::cli::{self, ProviderName, Up};
use crate::{generate, provider, repository, up};

/// What the checks said.
#[derive(Default)]
struct Report {
    /// Runs only the checks whose name contains this.
    only: Option<String>,
    /// Each check's name and, if it failed, why.
    outcomes: Vec<(&'static str, Option<String>)>,
    /// The test runners' own summary lines.
    summaries: Vec<String>,
}

impl Report {
    /// Runs one check; a failure is kept and the next one runs all the same.
    fn check(&mut self, name: &'static str, work: impl FnOnce(&mut Vec<String>) -> anyhow::Result<()>) {
        if self.only.as_deref().is_some_and(|only| !name.contains(only)) {
            return;
        }
        println!("\n=== {name}");
        let started = Instant::now();
        let failure = work(&mut self.summaries).err().map(|error| format!("{error:#}"));
        match &failure {
            None => println!("=== {name}: passed in {}", progress::format_duration(started.elapsed())),
            Some(why) => {
                println!("=== {name}: FAILED after {}\n{why}", progress::format_duration(started.elapsed()));
            }
        }
        self.outcomes.push((name, failure));
    }

    fn failed(&self) -> Vec<&'static str> {
        self.outcomes.iter().filter(|(_, failure)| failure.is_some()).map(|(name, _)| *name).collect()
    }

    /// Everything once more, the runners' own words last.
    fn close(&self) -> anyhow::Result<()> {
        println!("\n=== Summary");
        for (name, failure) in &self.outcomes {
            let outcome = if failure.is_some() { "FAILED" } else { "passed" };
            println!("{outcome}  {name}");
        }
        for line in &self.summaries {
            println!("{line}");
        }
        anyhow::ensure!(!self.outcomes.is_empty(), "no check has a name like that");
        let failed = self.failed();
        anyhow::ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
        Ok(())
    }
}

/// Runs the command.
pub(crate) fn run(args: &cli::Test) -> anyhow::Result<()> {
    let mut report = Report { only: args.only.clone(), ..Report::default() };
    report.check("file length", |_| length::check());
    report.check("format", |_| {
        Ok(process::stream(&mut repository::cargo(&["fmt", "--all", "--check"]), |_| {})?)
    });
    report.check("generated files", |_| generate::run(&cli::Gen { check: true }));
    report.check("clippy", |_| clippy());
    report.check("docs", |_| docs());
    report.check("licences and sources", |_| licences::check());
    report.check("shell scripts", |_| shell::check());
    report.check("unit tests", unit);
    report.check("charts", |_| charts::check());
    report.check("kind configuration", |_| kind_configuration::check());
    if !args.fast {
        cluster(&mut report, args.keep);
    }
    report.close()
}

fn clippy() -> anyhow::Result<()> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    Ok(process::stream(&mut repository::cargo(&arguments), |_| {})?)
}

fn docs() -> anyhow::Result<()> {
    let mut doc = repository::cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
    Ok(process::stream(doc.env("RUSTDOCFLAGS", "-D warnings"), |_| {})?)
}

fn unit(summaries: &mut Vec<String>) -> anyhow::Result<()> {
    let database = database::start()?;
    let arguments = ["test", "--workspace", "--exclude", "todostack-e2e", "--locked", "--no-fail-fast"];
    let rest = tests(repository::cargo(&arguments).env("DATABASE_URL", database.url()), summaries);
    // Of the cluster tests only what needs no cluster.
    let e2e = tests(&mut repository::cargo(&["test", "-p", "todostack-e2e", "--lib", "--locked"]), summaries);
    rest.and(e2e)
}

fn cluster(report: &mut Report, keep: bool) {
    let shape = Up {
        provider: Some(ProviderName::Local),
        nodes: Some(1),
        nfs_node: true,
        replace: true,
        bare: false,
        images: cli::GivenImages::default(),
    };
    // From nothing, so that what an earlier run left cannot help a test pass.
    report.check("cluster: up", |_| {
        provider::stop(ProviderName::Local, Whose::Anyones)?;
        up::run(&shape)
    });
    if report.failed().contains(&"cluster: up") {
        report.outcomes.push(("cluster: tests", Some("there is no cluster to run them on".to_owned())));
    } else {
        report.check("cluster: tests", |summaries| {
            // All at once: they take turns at the cluster themselves (e2e/src/turn.rs).
            let arguments =
                ["test", "-p", "todostack-e2e", "--test", "it", "--locked", "--", "--test-threads=32"];
            tests(repository::cargo(&arguments).env("KUBECONFIG", repository::kubeconfig()), summaries)
        });
    }
    if !keep {
        report.check("cluster: down", |_| provider::stop(ProviderName::Local, Whose::Anyones));
    }
}

/// Runs cargo's tests, keeping its summary lines.
fn tests(command: &mut Command, summaries: &mut Vec<String>) -> anyhow::Result<()> {
    Ok(process::stream(command, |line| {
        if is_summary(line) {
            summaries.push(line.to_owned());
        }
    })?)
}

/// A crate without tests says so too, which tells nobody anything.
fn is_summary(line: &str) -> bool {
    line.starts_with("test result:") && !line.contains(" 0 passed; 0 failed;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_does_not_keep_the_next_check_from_running() {
        let mut report = Report::default();
        report.check("first", |_| anyhow::bail!("broken"));
        report.check("second", |_| Ok(()));
        assert_eq!(report.failed(), ["first"]);
        assert_eq!(report.outcomes.len(), 2);
        assert_eq!(report.close().unwrap_err().to_string(), "failed: first");
    }

    #[test]
    fn only_summaries_that_say_something_are_repeated() {
        assert!(is_summary("test result: ok. 12 passed; 0 failed; 0 ignored"));
        assert!(is_summary("test result: FAILED. 0 passed; 1 failed; 0 ignored"));
        assert!(!is_summary("test result: ok. 0 passed; 0 failed; 0 ignored"));
        assert!(!is_summary("test a ... ok"));
    }
}
