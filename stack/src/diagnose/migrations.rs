//! Migration Jobs that failed.

use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{Evidence, Finding, Part, Severity, containers, crashes, pods::Place};
use crate::{
    labels::{self, Component},
    resources::migration_job,
};

/// The finding on the Job that failed last, by what the last of its pods left. It is the same as while the
/// Job still retried.
pub(super) fn finding(evidence: Evidence<'_>) -> Option<Finding> {
    let name = evidence.stack.migration.failed.as_ref()?;
    let job = evidence.observed.jobs.iter().find(|job| job.metadata.name.as_ref() == Some(name))?;
    let pods = migration_job::pods_of(job, &evidence.observed.pods);
    let last = pods.max_by_key(|pod| pod.creation_timestamp().map(|time| time.0));
    let left = last.and_then(|pod| {
        let place = Place { part: Part::Migrations, pod };
        containers::pod_findings(&place, evidence).into_iter().next()
    });
    let silent = || {
        let (namespace, stack) = (&evidence.stack.id.namespace, &evidence.stack.id.name);
        let selector = labels::selector_text(stack, Component::Migration);
        Finding::new(Part::Migrations, Reason::MigrationFailed, "The migration")
            .problem("failed, and its pods left no message")
            .remedy(crashes::retried(namespace, &selector))
    };
    Some(Finding {
        severity: Severity::Blocking,
        related: Some(job.object_ref(&())),
        evidence: "condition Failed of the Job, and the termination messages of its pods".to_owned(),
        ..left.unwrap_or_else(silent)
    })
}
