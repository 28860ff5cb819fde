//! kubectl and helm for one cluster. What is applied or installed is decided by the callers.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, Error};

#[derive(Clone, Debug)]
pub struct ClusterTools {
    pub kubeconfig: PathBuf,
    /// Of the cluster's version.
    pub kubectl: PathBuf,
    /// Of version 3 or later.
    pub helm: PathBuf,
}

impl ClusterTools {
    pub fn kubectl(&self) -> Command {
        self.command(&self.kubectl)
    }

    pub fn helm(&self) -> Command {
        self.command(&self.helm)
    }

    /// A command that the caller adds arguments to.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("KUBECONFIG", &self.kubeconfig);
        command
    }

    pub fn kubectl_output(&self, arguments: &[&str]) -> Result<String, Error> {
        process::output(self.kubectl().args(arguments))
    }

    pub fn is_ready(&self) -> bool {
        process::succeeds(self.kubectl().args(["get", "--raw", "/readyz", "--request-timeout=5s"]))
    }
}
