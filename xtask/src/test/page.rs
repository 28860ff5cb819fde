//! The tests of the page: its modules in Node, and all of it in Chromium, on the real API and both databases.
//! The tests themselves are in `api-server/page-tests`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;
use todostack_testbed::{prerequisites, process};

use super::database;
use crate::repository;

/// The Debian packages of what runs the page's tests; with psql they create databases.
const PROGRAMS: &[(&str, &str)] = &[
    ("node", "nodejs"),
    ("npm", "npm"),
    ("chromium", "chromium fonts-dejavu-core"),
    ("psql", "postgresql-client"),
];

/// The first version whose test runner has all that the tests use.
const NODE: u32 = 20;
/// Debian 12 has version 18.
const INSTALL_NODE: &str = "`npm install --global n && n 20` installs it";

/// `summaries` gets the lines with which Node ends each of the two runs.
pub(super) fn check(summaries: &mut Vec<String>) -> anyhow::Result<()> {
    prerequisites::programs(PROGRAMS)?;
    let version = process::output(Command::new("node").arg("--version"))?;
    anyhow::ensure!(
        major(&version).is_some_and(|major| major >= NODE),
        "the page's tests need Node {NODE} or later, and this machine has {version}: {INSTALL_NODE}"
    );
    process::run(&mut npm(&["ci", "--prefer-offline", "--no-audit", "--no-fund"]))?;
    run(&mut npm(&["run", "--silent", "unit"]), summaries)?;
    process::stream(&mut repository::cargo(&["build", "-p", "todostack-api", "--locked"]), |_| {})?;
    let database = database::start()?;
    let chromium = prerequisites::find("chromium").context("chromium is not on the PATH")?;
    let mut browser = npm(&["run", "--silent", "browser"]);
    // The page as it was compiled.
    browser.env_remove("PAGE_FOLDER");
    browser.env("CHROMIUM", chromium).env("DATABASE_URL", database.url());
    run(browser.env("TODOSTACK_API", repository::target().join("debug/todostack-api")), summaries)
}

fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder()).args(arguments);
    command
}

fn folder() -> PathBuf {
    repository::root().join("api-server/page-tests")
}

fn run(command: &mut Command, summaries: &mut Vec<String>) -> anyhow::Result<()> {
    let mut passed = 0;
    let outcome = process::stream(command, |line| {
        if is_summary(line) {
            summaries.push(line.to_owned());
        }
        passed = count(line, "pass").unwrap_or(passed);
    });
    outcome?;
    // Node succeeds too when it finds no test.
    anyhow::ensure!(passed > 0, "no test of the page was run");
    Ok(())
}

fn is_summary(line: &str) -> bool {
    ["tests", "pass", "fail", "skipped"].iter().any(|name| count(line, name).is_some())
}

/// The number of a line such as `ℹ pass 77`.
fn count(line: &str, name: &str) -> Option<u32> {
    line.strip_prefix("ℹ ")?.strip_prefix(name)?.trim().parse().ok()
}

/// The 20 of `v20.1.0`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_node_is_repeated() {
        assert!(is_summary("ℹ pass 77"));
        assert!(is_summary("ℹ fail 0"));
        assert!(!is_summary("ℹ duration_ms 1947.9"));
        assert!(!is_summary("✔ pass 77"));
    }

    #[test]
    fn the_version_of_node_is_read() {
        assert_eq!(major("v20.1.0"), Some(20));
        assert_eq!(major("20.1.0"), None);
    }
}
