//! Programs that people use on a cluster: `kubectl`, `helm`, `sh`. What a README says is run in `readme.rs`.

use std::{ffi::OsString, process::Stdio};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use crate::cluster::{Cluster, repository};

impl Cluster {
    /// Runs `kubectl` and gives back what it printed.
    ///
    /// # Errors
    /// Its exit code is not 0: what it printed is in the error.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        output(self.command("kubectl").args(arguments)).await
    }

    /// Runs `helm` and gives back what it printed.
    ///
    /// # Errors
    /// Its exit code is not 0: what it printed is in the error.
    pub async fn helm(&self, arguments: &[&str]) -> Result<String> {
        output(self.command("helm").args(arguments)).await
    }

    /// A program on the cluster, with the cluster's own `kubectl` and `helm` before the machine's.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut path = OsString::from(repository().join("target/cluster/bin"));
        if let Some(rest) = std::env::var_os("PATH") {
            path.push(":");
            path.push(rest);
        }
        let mut command = Command::new("env");
        command.arg(program).env("PATH", path).env("KUBECONFIG", &self.kubeconfig).current_dir(repository());
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }
}

/// Runs a command to its end.
pub(crate) async fn output(command: &mut Command) -> Result<String> {
    let words: Vec<_> = command.as_std().get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    let line = words.join(" ");
    let ran = command.output().await.with_context(|| format!("failed to run `{line}`"))?;
    let printed = String::from_utf8_lossy(&ran.stdout).into_owned();
    if !ran.status.success() {
        let complaint = String::from_utf8_lossy(&ran.stderr);
        bail!("`{line}` ended with {}:\n{printed}{complaint}", ran.status);
    }
    Ok(printed)
}
