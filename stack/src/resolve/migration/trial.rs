//! SQLite: another image of the API is tried on a copy of the file before the pod that serves is replaced.
//! The memory is the Deployment: an image that its pods have needs no trial. What a Job holds is in
//! `resources/migration_job/trial.rs`.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt as _;
use todostack_crds::TodoStack;

use super::{Course, Run, RunKey};
use crate::{
    names,
    requirements::Requirements,
    resolve::Inputs,
    resources::{api_deployment, migration_job},
    stack::Migration,
};

/// The trial of `image`. It is done where none is needed.
pub(super) fn trial(image: &str, todostack: &TodoStack, inputs: Inputs<'_>) -> Migration {
    let observed = inputs.observed;
    let deployment = observed.deployment.as_deref();
    let released = deployment.and_then(api_deployment::released);
    let has_image = released.as_ref().is_some_and(|release| release.image == image);
    let first = names::migration(&todostack.name_any(), image, "");
    let run = Run {
        remembered: has_image.then_some(Timestamp::MIN),
        ..Run::new(RunKey { image, revision: "", first: &first }, None, inputs)
    };
    let is_desired = Requirements::from(&todostack.spec).replicas > 0;
    // A pod that does not serve is replaced at once. A trial that has begun decides, whatever becomes of it.
    let has_begun =
        run.attempts.last().is_some_and(|it| !migration_job::waits_to_start(it.job, &observed.pods));
    let is_needed =
        released.is_some() && !has_image && is_desired && (deployment.is_some_and(serves) || has_begun);
    let is_done = !is_needed || run.completed.is_some();
    let course = Course { is_run: is_done, available_until: None, now: inputs.now, run: &run };
    Migration {
        is_done,
        is_contradicted: false,
        job: Some(course.job()),
        plan: course.plan(inputs),
        failed: run.failed().filter(|_| !is_done),
        completed: None,
    }
}

fn serves(deployment: &Deployment) -> bool {
    let ready = deployment.status.as_ref().and_then(|status| status.ready_replicas);
    ready.is_some_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests;
