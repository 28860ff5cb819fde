//! PersistentVolumeClaims that grow, and those that cannot. The stack serves meanwhile: the volume is smaller
//! than the spec asks for, and works.

use jiff::SignedDuration;
use k8s_openapi::api::{core::v1::PersistentVolumeClaim, storage::v1::StorageClass};
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::{FIELD_MANAGER, Reason};

use super::{Evidence, Finding, Part, Severity, quote};
use crate::{
    observed::{Observed, claim},
    quantity,
    stack::{Database, Stack, Volume, VolumeSource},
    storage_class::growing_class,
};

/// How long a resizer may be silent. A running one reports `Resizing` or an error within seconds.
const GRACE: SignedDuration = SignedDuration::from_secs(60);

pub(super) fn finding(evidence: Evidence<'_>) -> Option<Finding> {
    let growth = growth(evidence.stack, evidence.observed)?;
    let Growth { claim, volume, size, class } = growth;
    let namespace = &evidence.stack.id.namespace;
    let back = format!("{}: {size}", size_field(evidence.stack));
    let wanted = &volume.size;
    let described = format!("kubectl -n {namespace} describe persistentvolumeclaim {}", volume.claim);
    let (reason, problem, remedy) = match class {
        None if evidence.observed.confined => (
            Reason::ClusterAccessNeeded,
            format!(
                "has {size} and is not grown to {wanted}: the operator has no permission to read whether {} can grow volumes",
                class_of(claim)
            ),
            format!(
                "Set {back}, or grow it: kubectl -n {namespace} patch persistentvolumeclaim {} --patch '{{\"spec\":{{\"resources\":{{\"requests\":{{\"storage\":\"{wanted}\"}}}}}}}}'",
                volume.claim
            ),
        ),
        None => (
            Reason::VolumeCannotGrow,
            format!(
                "has {size} and cannot grow to {wanted}: {} does not have allowVolumeExpansion",
                class_of(claim)
            ),
            format!("Set {back}, or create another stack with a larger volume and copy the data"),
        ),
        Some(class) => {
            let cause = error(claim).or_else(|| {
                is_silent(claim, evidence)
                    .then(|| format!("the provisioner {} does not resize volumes", class.provisioner))
            })?;
            (
                Reason::ResizeFailed,
                format!("has {size} and did not grow to {wanted}: {cause}"),
                format!(
                    "Set {back}, or fix StorageClass {} or its provisioner: {described}",
                    class.name_any()
                ),
            )
        }
    };
    Some(
        Finding::new(Part::Storage, reason, format!("PersistentVolumeClaim {}", volume.claim))
            .problem(problem)
            .remedy(remedy)
            .evidence("status of the PersistentVolumeClaim, and its StorageClass")
            .related(claim.object_ref(&()))
            .severity(Severity::Warning),
    )
}

/// What a volume that grows waits for.
pub(crate) fn progress(stack: &Stack, observed: &Observed) -> Option<String> {
    let Growth { claim, volume, size, class } = growth(stack, observed)?;
    class?;
    let stage = if has_condition(claim, "FileSystemResizePending") {
        "the node has yet to grow the file system, with some drivers only when the pod starts again"
    } else {
        "its provisioner resizes it"
    };
    Some(format!("PersistentVolumeClaim {} grows from {size} to {}: {stage}", volume.claim, volume.size))
}

struct Growth<'a> {
    claim: &'a PersistentVolumeClaim,
    volume: &'a Volume,
    /// What the volume has.
    size: &'a str,
    /// The class of the claim, if its volumes can grow.
    class: Option<&'a StorageClass>,
}

/// The bound claim of a StorageClass that is smaller than the spec asks for. The size of an NFS volume is a
/// number that nothing enforces.
fn growth<'a>(stack: &'a Stack, observed: &'a Observed) -> Option<Growth<'a>> {
    let volume = stack.volume()?;
    let VolumeSource::Class(_) = &volume.source else { return None };
    let claim = observed.claim.as_deref()?;
    let is_small = quantity::is_larger(&volume.size, claim::capacity(claim)?);
    let class = growing_class(&observed.storage_classes, claim);
    is_small.then_some(Growth { claim, volume, size: claim::bound_size(claim)?, class })
}

fn class_of(claim: &PersistentVolumeClaim) -> String {
    claim::class(claim).map_or_else(|| "no StorageClass".to_owned(), |class| format!("StorageClass {class}"))
}

fn size_field(stack: &Stack) -> &'static str {
    match stack.database {
        Database::Sqlite(_) => "spec.database.sqlite.storage.size",
        Database::Postgres(_) | Database::External(_) => "spec.database.postgres.storage.size",
    }
}

fn has_condition(claim: &PersistentVolumeClaim, type_: &str) -> bool {
    condition_message(claim, type_).is_some()
}

/// The message of a condition that is true.
fn condition_message<'a>(claim: &'a PersistentVolumeClaim, type_: &str) -> Option<&'a str> {
    let mut conditions = claim.status.as_ref()?.conditions.iter().flatten();
    let condition = conditions.find(|it| it.type_ == type_ && it.status == "True")?;
    Some(condition.message.as_deref().unwrap_or_default())
}

fn resize_status(claim: &PersistentVolumeClaim) -> Option<&str> {
    let statuses = claim.status.as_ref()?.allocated_resource_statuses.as_ref()?;
    statuses.get("storage").map(String::as_str)
}

/// The error of the driver or of the node.
fn error(claim: &PersistentVolumeClaim) -> Option<String> {
    let conditions = ["ControllerResizeError", "NodeResizeError"];
    let message = conditions.iter().find_map(|type_| condition_message(claim, type_));
    let infeasible = resize_status(claim).filter(|status| status.ends_with("Infeasible"));
    let message = message.filter(|message| !message.is_empty()).or(infeasible)?;
    Some(quote::without_ids(message.trim_end_matches('.')))
}

/// Whether nothing has answered to the request for another size: no condition, and no status.
fn is_silent(claim: &PersistentVolumeClaim, evidence: Evidence<'_>) -> bool {
    let is_answered = resize_status(claim).is_some()
        || ["Resizing", "FileSystemResizePending"].iter().any(|type_| has_condition(claim, type_));
    let mut entries = claim.metadata.managed_fields.iter().flatten();
    let applied = entries.find(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER));
    let applied = applied.and_then(|entry| entry.time.as_ref());
    !is_answered && applied.is_some_and(|time| evidence.now.duration_since(time.0) >= GRACE)
}

#[cfg(test)]
mod tests;
