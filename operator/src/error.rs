//! What can end a pass: one variant a step, and how long to wait after it. That something is not ready yet is no
//! error; it stands in the status.

use crate::{apply, cleanup, observe, publish, resolve};

/// Why a pass over one stack ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Step 1.
    #[error("failed to observe")]
    Observe(#[from] observe::Error),
    /// Step 2.
    #[error("failed to resolve")]
    Resolve(#[from] resolve::Error),
    /// Step 4.
    #[error("failed to apply")]
    Apply(#[from] apply::Error),
    /// After step 6.
    #[error("failed to publish")]
    Publish(#[from] publish::Error),
    /// Deletion.
    #[error("failed to clean up")]
    Cleanup(#[from] cleanup::Error),
    /// A feed has ended, which it does only when the process does.
    #[error("failed to wait for the watches: a feed has ended")]
    Watch(#[from] tokio::sync::watch::error::RecvError),
}

impl Error {
    /// The step, for metrics.
    #[must_use]
    pub fn step(&self) -> &'static str {
        match self {
            Self::Observe(_) => "observe",
            Self::Resolve(_) => "resolve",
            Self::Apply(_) => "apply",
            Self::Publish(_) => "publish",
            Self::Cleanup(_) => "cleanup",
            Self::Watch(_) => "watch",
        }
    }
}
