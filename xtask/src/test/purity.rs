//! The pure crates stay pure: nothing in their dependency tree does I/O, runs tasks, reads a clock or draws
//! randomness.

use std::collections::BTreeSet;

use anyhow::Context as _;
use todostack_testbed::process;

use crate::repository;

/// The crates that a test can call with literals.
const PURE: [&str; 2] = ["todostack-crds", "todostack-stack"];

// Most clients and servers have one of the first in their tree.
const IMPURE: [&[&str]; 6] = [
    // Runtimes and sockets.
    &["tokio", "mio", "socket2", "async-std", "smol"],
    // HTTP and TLS.
    &["hyper", "hyper-util", "reqwest", "ureq", "axum", "tower", "rustls", "native-tls", "ring", "aws-lc-rs"],
    // Kubernetes clients and controllers.
    &["kube-client", "kube-runtime"],
    // Databases.
    &["sqlx"],
    // Randomness.
    &["rand", "getrandom", "fastrand"],
    // The clock of chrono.
    &["iana-time-zone"],
];

/// Fails with every impure crate, and the path by which it came in.
pub(super) fn check() -> anyhow::Result<()> {
    let mut faults = Vec::new();
    for package in PURE {
        let crates = impure(&tree(package, &["--prefix", "none"])?);
        println!("{package}: {} impure crates in its dependency tree", crates.len());
        for spec in crates {
            let path = tree(package, &["--invert", &spec])?;
            faults.push(format!("{package} must not depend on {spec}; it comes in by this path:\n{path}"));
        }
    }
    anyhow::ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

fn tree(package: &str, arguments: &[&str]) -> anyhow::Result<String> {
    // Of the package alone: in a build of the workspace, features of other crates are enabled too.
    let mut cargo = repository::cargo(&["tree", "--locked", "--edges", "normal", "--package", package]);
    process::output(cargo.args(arguments)).with_context(|| format!("failed to list the crates of {package}"))
}

/// The impure crates among the lines of a tree, as `name@version`.
fn impure(tree: &str) -> BTreeSet<String> {
    let spec = |line: &str| {
        let (name, rest) = line.split_once(" v")?;
        let version = rest.split(' ').next()?;
        IMPURE.iter().any(|group| group.contains(&name)).then(|| format!("{name}@{version}"))
    };
    tree.lines().filter_map(spec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_impure_crate_is_found_by_its_whole_name() {
        let tree =
            "todostack-stack v0.1.0 (/src/stack)\nring v0.17.14\nstring v1.0.0\nrand v0.9.1\nring v0.17.14";
        assert_eq!(Vec::from_iter(impure(tree)), ["rand@0.9.1", "ring@0.17.14"]);
    }
}
