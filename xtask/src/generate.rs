//! `cargo xtask gen`: the files that are generated from the sources, and the programs that print them.

use std::path::PathBuf;

use anyhow::Context as _;
use fs_err as fs;
use todostack_testbed::{process, progress};

use crate::{cli, repository};

/// A program of this workspace, and the files that have its output.
struct Generated {
    /// What is generated, as a noun with its article.
    what: &'static str,
    package: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    /// Paths from the root of the checkout; all have the same content.
    files: &'static [&'static str],
}

const ALL: &[Generated] = &[
    Generated {
        what: "the CustomResourceDefinition",
        package: "todostack-crds",
        program: "crdgen",
        arguments: &[],
        files: &["crds/todostacks.yaml", "charts/todostack-crds/files/todostacks.yaml"],
    },
    Generated {
        what: "the page of reasons",
        package: "todostack-crds",
        program: "reasons",
        arguments: &[],
        files: &["docs/reasons.md"],
    },
    Generated {
        what: "the rules of the chart's Role",
        package: "todostack-stack",
        program: "rbac",
        arguments: &["namespaced"],
        files: &["charts/todostack-operator/files/rules/namespaced.yaml"],
    },
    Generated {
        what: "the rules of the chart's ClusterRole",
        package: "todostack-stack",
        program: "rbac",
        arguments: &["cluster"],
        files: &["charts/todostack-operator/files/rules/cluster.yaml"],
    },
    Generated {
        what: "the API's OpenAPI document",
        package: "todostack-api",
        program: "todostack-api",
        arguments: &["openapi"],
        files: &["api-server/openapi.json"],
    },
];

pub(crate) fn run(args: &cli::Gen) -> anyhow::Result<()> {
    let mut differing = Vec::new();
    for generated in ALL {
        let wanted = progress::step(&format!("Generating {}", generated.what), "", || print(generated))?;
        for file in generated.files {
            let path = repository::root().join(file);
            let present = std::fs::read_to_string(&path).unwrap_or_default();
            if present == wanted {
                continue;
            }
            if args.check {
                println!("{}", diff(file, &present, &wanted));
                differing.push(*file);
            } else {
                write(&path, &wanted)?;
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

fn print(generated: &Generated) -> anyhow::Result<String> {
    let Generated { what, package, program, arguments, .. } = generated;
    let mut cargo = repository::cargo(&["run", "--quiet", "--package", package, "--bin", program, "--"]);
    let printed =
        process::output(cargo.args(*arguments)).with_context(|| format!("failed to generate {what}"))?;
    Ok(format!("{printed}\n"))
}

fn write(path: &PathBuf, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(path, text)?)
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
        assert!(
            shown.contains("--- crds/a.yaml") && shown.contains("-two") && shown.contains("+three"),
            "{shown}"
        );
    }
}
