//! kubectl and helm against one cluster. What is applied or installed is decided elsewhere.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{self, Error};

/// A cluster that can be talked to.
#[derive(Clone, Debug)]
pub struct ClusterTools {
    /// Its kubeconfig.
    pub kubeconfig: PathBuf,
    /// The kubectl to use.
    pub kubectl: PathBuf,
    /// The helm to use.
    pub helm: PathBuf,
}

impl ClusterTools {
    /// `kubectl`, for the caller's arguments.
    #[must_use]
    pub fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.env("KUBECONFIG", &self.kubeconfig);
        command
    }

    /// `helm`, for the caller's arguments.
    #[must_use]
    pub fn helm(&self) -> Command {
        let mut command = Command::new(&self.helm);
        command.env("KUBECONFIG", &self.kubeconfig);
        command
    }

    /// Standard output of `kubectl ARGUMENTS`.
    pub fn get(&self, arguments: &[&str]) -> Result<String, Error> {
        process::output(self.kubectl().args(arguments))
    }

    /// Whether the API server answers that it is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        process::succeeds(self.kubectl().args(["get", "--raw", "/readyz", "--request-timeout=5s"]))
    }
}
