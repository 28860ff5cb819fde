//! Which objects are being rolled out by an upgrade, by the objects alone: another process finds the same.

use std::any::Any;

use super::{Rollout, is_marked};
use crate::{
    conditions::is_rolled_out,
    managed::{Deployment, Job, StatefulSet},
    resources::migration_job,
};

/// The rollout that an upgrade has begun with the object, and that has not ended. One that an upgrade has
/// ended is none, whatever happens to its pods later.
pub fn under_way(object: &dyn Any) -> Option<Rollout> {
    if let Some(set) = object.downcast_ref::<StatefulSet>() {
        return (is_marked(&set.metadata) && is_restarting(set)).then_some(Rollout::Database);
    }
    if let Some(deployment) = object.downcast_ref::<Deployment>() {
        let is_under_way = is_marked(&deployment.metadata) && is_rolling_out(deployment);
        return is_under_way.then_some(Rollout::Api);
    }
    let job = object.downcast_ref::<Job>()?;
    let is_needed = job.metadata.deletion_timestamp.is_none() && !migration_job::complete(job);
    (is_marked(&job.metadata) && is_needed).then_some(Rollout::Api)
}

/// The controller sets the current revision when a pod of the last template is ready.
pub(super) fn is_restarting(set: &StatefulSet) -> bool {
    let Some(status) = &set.status else { return true };
    status.observed_generation < set.metadata.generation
        || status.current_revision != status.update_revision
        || status.updated_replicas.unwrap_or_default() < status.replicas
}

/// The controller keeps the reason until the next rollout.
pub(super) fn is_rolling_out(deployment: &Deployment) -> bool {
    let status = deployment.status.as_ref();
    let is_current = status.is_some_and(|status| {
        status.observed_generation >= deployment.metadata.generation
            && status.updated_replicas == status.replicas
    });
    let mut conditions = status.iter().flat_map(|status| status.conditions.iter().flatten());
    let was_available = conditions
        .any(|it| it.type_ == "Progressing" && it.reason.as_deref() == Some("NewReplicaSetAvailable"));
    !(is_current && (was_available || is_rolled_out(deployment)))
}
