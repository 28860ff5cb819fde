//! `cargo xtask gen`: what is generated from the sources, and where it stands.

use std::path::PathBuf;

use anyhow::Context as _;
use fs_err as fs;
use todostack_testbed::{process, progress};

use crate::{cli, repository};

/// A generator, and the files that hold what it prints.
struct Generated {
    /// What it is, as people say it.
    what: &'static str,
    /// Package, program and its arguments.
    package: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    /// Paths from the checkout's root; all hold the same.
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
        what: "the API's OpenAPI document",
        package: "todostack-api",
        program: "todostack-api",
        arguments: &["openapi"],
        files: &["api-server/openapi.json"],
    },
];

/// Runs the command.
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
        "{} not what the sources generate: run `cargo xtask gen` and commit it",
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
    // Enough to see what it is about; the command that writes it shows the rest.
    shown.lines().take(60).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_names_the_file_and_the_lines() {
        let shown = diff("crds/a.yaml", "one\ntwo\n", "one\nthree\n");
        assert!(
            shown.contains("--- crds/a.yaml") && shown.contains("-two") && shown.contains("+three"),
            "{shown}"
        );
    }
}
