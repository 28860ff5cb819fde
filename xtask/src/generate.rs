//! `cargo xtask gen`: the files that are generated from the sources, and the programs that print them.

use anyhow::Context as _;
use fs_err as fs;
use todostack_testbed::{process, progress};

use crate::repository;

struct Generated {
    /// What is generated, as a noun with its article.
    what: &'static str,
    /// The package, the program in it, and its arguments.
    command: &'static [&'static str],
    /// Paths from the root of the checkout; all have the same content.
    files: &'static [&'static str],
}

const ALL: &[Generated] = &[
    Generated {
        what: "the CustomResourceDefinition",
        command: &["todostack-crds", "--bin", "crdgen"],
        files: &["crds/todostacks.yaml", "charts/todostack-crds/files/todostacks.yaml"],
    },
    Generated {
        what: "the page of reasons",
        command: &["todostack-crds", "--bin", "reasons"],
        files: &["docs/reasons.md"],
    },
    Generated {
        what: "the rules of the chart's Role",
        command: &["todostack-stack", "--bin", "rbac", "--", "namespaced"],
        files: &["charts/todostack-operator/files/rules/namespaced.yaml"],
    },
    Generated {
        what: "the rules of the chart's ClusterRole",
        command: &["todostack-stack", "--bin", "rbac", "--", "cluster"],
        files: &["charts/todostack-operator/files/rules/cluster.yaml"],
    },
    Generated {
        what: "the rules of the chart's Role in the operator's own namespace",
        command: &["todostack-stack", "--bin", "rbac", "--", "own"],
        files: &["charts/todostack-operator/files/rules/own.yaml"],
    },
    Generated {
        what: "the rules for a label selector of namespaces",
        command: &["todostack-stack", "--bin", "rbac", "--", "selection"],
        files: &["charts/todostack-operator/files/rules/selection.yaml"],
    },
    Generated {
        what: "the API's OpenAPI document",
        command: &["todostack-api", "--bin", "todostack-api", "--", "openapi"],
        files: &["api-server/openapi.json"],
    },
];

/// Writes the files; with `check`, fails with a diff of each that is out of date instead.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let mut differing = Vec::new();
    for Generated { what, command, files } in ALL {
        let mut cargo = repository::cargo(&["run", "--quiet", "--package"]);
        let wanted = progress::step(&format!("Generating {what}"), "", || {
            process::output(cargo.args(*command)).with_context(|| format!("failed to generate {what}"))
        })?;
        let wanted = format!("{wanted}\n");
        for file in *files {
            let path = repository::root().join(file);
            let present = std::fs::read_to_string(&path).unwrap_or_default();
            if present == wanted {
                continue;
            }
            if check {
                println!("{}", diff(file, &present, &wanted));
                differing.push(*file);
            } else {
                fs::write(&path, &wanted)?;
                println!("wrote {file}");
            }
        }
    }
    anyhow::ensure!(
        differing.is_empty(),
        "not up to date: {}: run `cargo xtask gen` and commit the result",
        differing.join(", ")
    );
    Ok(())
}

fn diff(file: &str, present: &str, wanted: &str) -> String {
    let diff = similar::TextDiff::from_lines(present, wanted);
    let shown = diff.unified_diff().header(file, &format!("{file} as generated")).to_string();
    // The first lines show which change it is; git diff shows all after `cargo xtask gen`.
    shown.lines().take(60).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_has_the_file_and_the_lines() {
        let shown = diff("crds/a.yaml", "one\ntwo\n", "one\nthree\n");
        for expected in ["--- crds/a.yaml", "-two", "+three"] {
            assert!(shown.contains(expected), "{shown}");
        }
    }
}
