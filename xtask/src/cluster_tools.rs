//! kubectl and helm against one cluster. What is applied or installed is decided elsewhere.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{self, Error};

/// A cluster that can be talked to.
#[derive(Clone, Debug)]
pub(crate) struct ClusterTools {
    /// Its kubeconfig.
    pub(crate) kubeconfig: PathBuf,
    /// The kubectl to use.
    pub(crate) kubectl: PathBuf,
    /// The helm to use.
    pub(crate) helm: PathBuf,
}

impl ClusterTools {
    /// `kubectl`, for the caller's arguments.
    pub(crate) fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.env("KUBECONFIG", &self.kubeconfig);
        command
    }

    /// `helm`, for the caller's arguments.
    pub(crate) fn helm(&self) -> Command {
        let mut command = Command::new(&self.helm);
        command.env("KUBECONFIG", &self.kubeconfig);
        command
    }

    /// Standard output of `kubectl ARGUMENTS`.
    pub(crate) fn get(&self, arguments: &[&str]) -> Result<String, Error> {
        process::output(self.kubectl().args(arguments))
    }

    /// Whether the API server answers that it is ready.
    pub(crate) fn is_ready(&self) -> bool {
        process::succeeds(self.kubectl().args(["get", "--raw", "/readyz", "--request-timeout=5s"]))
    }
}
