//! Checks all shell scripts of the repository by shellcheck.

use std::process::Command;

use todostack_testbed::{prerequisites, process};

use crate::repository;

pub(super) fn check() -> anyhow::Result<()> {
    prerequisites::programs(prerequisites::SHELL)?;
    let is_script = |file: &String| {
        // By the first line, because some have no extension.
        std::fs::read(repository::root().join(file)).is_ok_and(|content| is_shell(&content))
    };
    let scripts: Vec<String> = repository::files(&[])?.into_iter().filter(is_script).collect();
    anyhow::ensure!(!scripts.is_empty(), "there is no shell script to check");
    let mut shellcheck = Command::new("shellcheck");
    shellcheck.current_dir(repository::root()).args(["--severity", "warning"]).args(scripts);
    Ok(process::stream(&mut shellcheck, |_| {})?)
}

fn is_shell(content: &[u8]) -> bool {
    let first = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    first.starts_with(b"#!") && (first.ends_with(b"sh") || first.ends_with(b"sh -e"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("#!/bin/sh\necho", true)]
    #[case("#!/usr/bin/env bash\n", true)]
    #[case("#!/usr/bin/env python3\n", false)]
    #[case("//! Rust", false)]
    fn the_first_line_of_a_script_names_a_shell(#[case] content: &str, #[case] shell: bool) {
        assert_eq!(is_shell(content.as_bytes()), shell);
    }
}
