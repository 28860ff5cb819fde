//! Running `kubectl`, `helm` and `sh` on the cluster. The commands of a README are run in `readme.rs`.

use std::{env, ffi::OsString, process::Stdio};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use crate::cluster::{Cluster, repository};

impl Cluster {
    // Runs `kubectl` and returns its standard output. The error includes both outputs.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        output(self.command("kubectl")?.args(arguments)).await
    }

    // Runs `helm` and returns its standard output. The error includes both outputs.
    pub async fn helm(&self, arguments: &[&str]) -> Result<String> {
        output(self.command("helm")?.args(arguments)).await
    }

    // A command that prefers the cluster's own `kubectl` and `helm` to the machine's.
    pub fn command(&self, program: &str) -> Result<Command> {
        let mut command = Command::new(program);
        command.env("PATH", path(&["target/cluster/bin"])?).env("KUBECONFIG", &self.kubeconfig);
        command.current_dir(repository()).stdin(Stdio::null()).kill_on_drop(true);
        Ok(command)
    }
}

// `PATH`, with folders of the repository first.
pub fn path(folders: &[&str]) -> Result<OsString> {
    let first = folders.iter().map(|folder| repository().join(folder));
    let rest = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(first.chain(env::split_paths(&rest)))?)
}

pub(crate) async fn output(command: &mut Command) -> Result<String> {
    let program = command.as_std().get_program();
    let words = std::iter::once(program).chain(command.as_std().get_args());
    let line = words.map(|it| it.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ");
    let output = command.output().await.with_context(|| format!("failed to run `{line}`"))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` failed with {}:\n{stdout}{stderr}", output.status);
    }
    Ok(stdout)
}
