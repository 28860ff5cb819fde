//! Migration Jobs that failed.

use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{Evidence, Finding, Part, pods, quote};
use crate::resources::migration_job;

/// The finding on the Job of the desired image.
pub(super) fn findings(evidence: Evidence<'_>) -> Option<Finding> {
    let login = evidence.stack.credentials()?.app.as_ref()?;
    let name = migration_job::name(evidence.stack, login);
    let job = evidence.observed.jobs.iter().find(|job| job.name_any() == name)?;
    if !migration_job::failed(job) {
        return None;
    }
    let message = termination_message(evidence).unwrap_or_else(|| "its pods left no message".to_owned());
    let remedy = format!(
        "The pods of the previous image keep serving. Fix the cause or correct spec.api.image, then retry: kubectl -n {} delete job {name}",
        evidence.stack.id.namespace
    );
    Some(
        Finding::new(Part::Migrations, Reason::MigrationFailed, format!("Job {name}"))
            .problem(format!("failed after its last retry: {}", message.trim_end_matches('.')))
            .remedy(remedy)
            .evidence("condition Failed of the Job, and the termination messages of its pods")
            .related(job.object_ref(&())),
    )
}

fn termination_message(evidence: Evidence<'_>) -> Option<String> {
    pods::places(evidence)
        .filter(|place| place.part == Part::Migrations)
        .flat_map(|place| pods::containers(place.pod))
        .filter_map(|container| container.state.as_ref()?.terminated.as_ref())
        .filter(|terminated| terminated.exit_code != 0)
        .find_map(|terminated| quote::last_line(terminated.message.as_deref()?))
}
