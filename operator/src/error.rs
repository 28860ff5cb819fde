//! Errors that end a reconcile, one variant for each step. That something is not ready yet is not an error;
//! the status reports it.

use std::time::Duration;

use todostack_crds::Reason;
use todostack_stack::{interruption::Interruption, stack_ref::Incomplete};

use crate::{
    apply::{self, cleanup, stuck_pod},
    observe, publish, unreadable,
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
    #[error("failed to report a TodoStack that cannot be read")]
    Unreadable(#[from] unreadable::Error),
    #[error("failed to end within {0:?}")]
    TimedOut(Duration),
    /// A watch ended, which happens only when the process ends.
    #[error("failed to wait for the watches: one has ended")]
    Watch(#[from] tokio::sync::watch::error::RecvError),
}

impl Error {
    /// What the status says of an error that ended the reconcile before its status was published. None for
    /// one of which the status could not be published either, and for a conflict, which the next reconcile
    /// resolves.
    pub(crate) fn interruption(&self) -> Option<Interruption> {
        let (reason, problem, source) = match self {
            Self::Observe(observe::Error::Read { kind, name, source, .. }) => {
                (Reason::ObserveFailed, format!("{kind} {name} could not be read"), source)
            }
            Self::Cleanup(cleanup::Error::Finalizer(_, source)) => (
                Reason::ApplyFailed,
                "The finalizer of the TodoStack could not be written".to_owned(),
                source,
            ),
            Self::Cleanup(cleanup::Error::Delete(object, source)) => {
                (Reason::ApplyFailed, format!("{object} could not be deleted"), source)
            }
            Self::Resolve(_)
            | Self::Apply(_)
            | Self::StuckPod(_)
            | Self::Publish(_)
            | Self::Unreadable(_)
            | Self::TimedOut(_)
            | Self::Watch(_) => return None,
        };
        let answer = match source {
            kube::Error::Api(status) if matches!(status.code, 404 | 409 | 429) => return None,
            kube::Error::Api(status) => Some((status.code, status.message.clone())),
            _ => None,
        };
        Some(Interruption { reason, problem, answer })
    }

    /// The step, for metrics.
    pub(crate) fn step(&self) -> &'static str {
        match self {
            Self::Observe(_) => "observe",
            Self::Resolve(_) => "resolve",
            Self::Apply(_) => "apply",
            Self::StuckPod(_) => "stuck-pod",
            Self::Publish(_) => "publish",
            Self::Cleanup(_) => "cleanup",
            Self::Unreadable(_) => "unreadable",
            Self::TimedOut(_) => "timeout",
            Self::Watch(_) => "watch",
        }
    }
}
