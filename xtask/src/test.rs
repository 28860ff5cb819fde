//! `cargo xtask test`: which checks there are, and their order. Each check is a file below.

mod charts;
mod database;
mod dependencies;
mod kind_configuration;
mod limits;
mod page;
mod purity;
mod report;
mod schemas;
mod shell;
mod snapshots;

use std::process::Command;

use fs_err as fs;
use todostack_testbed::local::Owner;
use todostack_testbed::process;

use crate::cli::{self, ProviderName, Up};
use crate::{generate, provider, repository, up};
use report::Report;

pub(crate) fn run(args: &cli::Test) -> anyhow::Result<()> {
    let mut report = Report::new(args.only.clone());
    report.check("limits", "lines of each file, columns of each line", |_| limits::check());
    report.check("format", "all Rust is as rustfmt writes it", |_| cargo(&["fmt", "--all", "--check"]));
    report.check("generated files", "they are what the sources generate", |_| generate::run(true));
    report.check("dependencies", "no dependency is unused", |_| dependencies::check_use());
    report.check("purity", "no I/O in the dependencies of the pure crates", |_| purity::check());
    report.check("licenses", "licenses and sources of all crates are allowed", |_| {
        dependencies::check_licenses()
    });
    report.check("clippy", "no warning of rustc or clippy", |_| {
        cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
    });
    report.check("docs", "no warning of rustdoc", |_| {
        let mut doc = repository::cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
        Ok(process::stream(doc.env("RUSTDOCFLAGS", "-D warnings"), |_| {})?)
    });
    report.check("shell scripts", "no warning of shellcheck", |_| shell::check());
    report.check("queries", "the stores' prepared queries fit the migrated schema", |_| {
        database::check_queries()
    });
    report.check("unit tests", "all tests that need no cluster; no unread snapshot", unit);
    // By its name only: Chromium takes some ten minutes, and the other checks already take an hour.
    if args.only.is_some() {
        report.check("page", "the page's modules in Node, and all of it in Chromium", page::check);
    }
    report.check("charts", "charts, examples and manifests match the schemas of their kinds", |_| {
        charts::check()
    });
    report.check("kind configuration", "kind accepts kind/cluster.yaml", |_| kind_configuration::check());
    if !args.fast {
        cluster(&mut report, args);
    }
    report.close()
}

fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    Ok(process::stream(&mut repository::cargo(arguments), |_| {})?)
}

fn unit(summaries: &mut Vec<String>) -> anyhow::Result<()> {
    // One server for all crates; each test has its own database on it.
    let database = database::start()?;
    let references = repository::target().join("snapshots-referenced");
    fs::write(&references, "")?;
    let arguments = ["test", "--workspace", "--exclude", "todostack-e2e", "--locked", "--no-fail-fast"];
    let mut workspace = repository::cargo(&arguments);
    workspace.env(snapshots::VARIABLE, &references).env("DATABASE_URL", database.url());
    let workspace = tests(&mut workspace, summaries);
    // Its other tests need a cluster.
    let e2e = tests(&mut repository::cargo(&["test", "-p", "todostack-e2e", "--lib", "--locked"]), summaries);
    workspace.and(e2e)?;
    snapshots::check(&references)
}

fn cluster(report: &mut Report, args: &cli::Test) {
    let shape = Up {
        provider: Some(ProviderName::Local),
        nodes: Some(1),
        nfs_node: true,
        replace: true,
        images: cli::GivenImages { release: args.release, ..cli::GivenImages::default() },
        ..Up::default()
    };
    // A new cluster, so that nothing of an earlier run can help a test pass.
    let is_up = report.check("cluster: up", "a new cluster with the operator and the demo stack", |_| {
        provider::stop(ProviderName::Local, Owner::Any)?;
        up::run(&shape)
    });
    report.check("cluster: tests", "operator, plugin and charts on the cluster", |summaries| {
        anyhow::ensure!(is_up, "there is no cluster to run them on");
        // All at once: e2e/src/permit.rs limits how many use the cluster at a time. With fewer threads than
        // tests, those that wait until they are alone would leave too few for the others.
        let arguments =
            ["test", "-p", "todostack-e2e", "--test", "it", "--locked", "--", "--test-threads=256"];
        tests(repository::cargo(&arguments).env("KUBECONFIG", repository::kubeconfig()), summaries)
    });
    if !args.keep {
        report.check("cluster: down", "nothing of the cluster stays on this machine", |_| {
            provider::stop(ProviderName::Local, Owner::Any)
        });
    }
}

fn tests(command: &mut Command, summaries: &mut Vec<String>) -> anyhow::Result<()> {
    Ok(process::stream(command, |line| {
        if is_summary(line) {
            summaries.push(line.to_owned());
        }
    })?)
}

/// Whether a line is the summary of a crate that has tests.
fn is_summary(line: &str) -> bool {
    line.starts_with("test result:") && !line.contains(" 0 passed; 0 failed;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_crates_without_tests_are_not_repeated() {
        assert!(is_summary("test result: ok. 12 passed; 0 failed; 0 ignored"));
        assert!(is_summary("test result: FAILED. 0 passed; 1 failed; 0 ignored"));
        assert!(!is_summary("test result: ok. 0 passed; 0 failed; 0 ignored"));
        assert!(!is_summary("test a ... ok"));
    }
}
