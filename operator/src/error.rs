//! Errors that end a reconcile, one variant for each step. That something is not ready yet is not an error;
//! the status reports it.

use todostack_stack::stack_ref::Incomplete;

use crate::{
    apply::{self, cleanup, stuck_pod},
    observe, publish,
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("failed to observe")]
    Observe(#[from] observe::Error),
    #[error("failed to resolve")]
    Resolve(#[from] Incomplete),
    #[error("failed to apply")]
    Apply(#[from] apply::Error),
    #[error("failed to replace a pod")]
    StuckPod(#[from] stuck_pod::Error),
    #[error("failed to publish")]
    Publish(#[from] publish::Error),
    #[error("failed to clean up")]
    Cleanup(#[from] cleanup::Error),
    /// A watch ended, which happens only when the process ends.
    #[error("failed to wait for the watches: one has ended")]
    Watch(#[from] tokio::sync::watch::error::RecvError),
}

impl Error {
    /// The step, for metrics.
    pub(crate) fn step(&self) -> &'static str {
        match self {
            Self::Observe(_) => "observe",
            Self::Resolve(_) => "resolve",
            Self::Apply(_) => "apply",
            Self::StuckPod(_) => "stuck-pod",
            Self::Publish(_) => "publish",
            Self::Cleanup(_) => "cleanup",
            Self::Watch(_) => "watch",
        }
    }
}
