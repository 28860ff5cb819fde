//! kubectl and helm for one cluster. What is applied or installed is decided by the callers.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{self, Error};

/// The programs to talk to a cluster, and the kubeconfig to do it with.
#[derive(Clone, Debug)]
pub struct ClusterTools {
    /// The kubeconfig file of the cluster.
    pub kubeconfig: PathBuf,
    /// The path of a kubectl of the cluster's version.
    pub kubectl: PathBuf,
    /// The path of helm 3 or later.
    pub helm: PathBuf,
}

impl ClusterTools {
    /// A `kubectl` command that the caller adds arguments to.
    pub fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.env("KUBECONFIG", &self.kubeconfig);
        command
    }

    /// A `helm` command that the caller adds arguments to.
    pub fn helm(&self) -> Command {
        let mut command = Command::new(&self.helm);
        command.env("KUBECONFIG", &self.kubeconfig);
        command
    }

    /// The standard output of `kubectl ARGUMENTS`.
    pub fn kubectl_output(&self, arguments: &[&str]) -> Result<String, Error> {
        process::output(self.kubectl().args(arguments))
    }

    /// Whether the API server reports ready at `/readyz`.
    pub fn is_ready(&self) -> bool {
        process::succeeds(self.kubectl().args(["get", "--raw", "/readyz", "--request-timeout=5s"]))
    }
}
