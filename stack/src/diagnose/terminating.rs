//! Objects that are being deleted while the stack needs them. Pods that are stuck terminating are in
//! `lifecycle.rs`.

use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{Evidence, Finding, Part};
use crate::{
    finding::Severity,
    labels::{self, Component},
    managed::{Key, Kind},
    observed::claim,
    reclaim,
    stack::{Database, Stack},
};

/// Objects that are created again when they are gone. A claim of the stack has a finding of its own, since it
/// holds data.
pub(super) fn findings(evidence: Evidence<'_>) -> impl Iterator<Item = Finding> {
    let Evidence { observed, applied, .. } = evidence;
    let is_earlier = |key: &Key| observed.leftover.contains(key);
    let awaited = applied.terminating.iter();
    let awaited = awaited.filter(move |key| key.kind != Kind::PersistentVolumeClaim || is_earlier(key));
    awaited.map(move |key| {
        let problem = if is_earlier(key) {
            "belongs to an earlier TodoStack of the same name, and the garbage collector deletes it"
        } else {
            "is being deleted"
        };
        Finding::new(Part::Objects, Reason::Progressing, key.to_string())
            .problem(problem)
            .remedy("The operator creates it again when it is gone")
            .evidence(format!("deletionTimestamp and ownerReferences of {key}"))
            .related(key.reference(&evidence.stack.id.namespace))
            .severity(Severity::Transient)
    })
}

/// Kubernetes keeps the claim of a running pod until the pod ends. A volume that outlives its claim is bound
/// to a new one.
pub(super) fn finding(evidence: Evidence<'_>) -> Option<Finding> {
    let Evidence { stack, observed, .. } = evidence;
    let claim = observed.claim.as_deref()?;
    claim.metadata.deletion_timestamp.as_ref()?;
    let pod = delete_pod(stack);
    let volume = observed.data_volume.as_deref();
    let is_retained = volume.is_some_and(|volume| claim::reclaim_policy(volume) == Some("Retain"));
    let (problem, remedy) = match claim::volume(claim) {
        Some(_) if is_retained => (
            "is being deleted, and its volume is retained: when its pod stops, the operator binds the volume to a new claim",
            format!("Stop the pod when the interruption suits: {pod}"),
        ),
        Some(volume) => (
            "is being deleted: when its pod stops, its volume and the data are deleted",
            format!(
                "Keep the volume, and have it bound to a new claim: {} && {pod}",
                reclaim::retain_command(volume)
            ),
        ),
        None => (
            "is being deleted: it has no volume, so no data is lost",
            format!("The operator creates it again when its pod has stopped: {pod}"),
        ),
    };
    Some(
        Finding::new(
            Part::Storage,
            Reason::VolumeTerminating,
            format!("PersistentVolumeClaim {}", claim.name_any()),
        )
        .problem(problem)
        .remedy(remedy)
        .evidence("deletionTimestamp of the PersistentVolumeClaim")
        .related(claim.object_ref(&())),
    )
}

/// The command that stops the pod of the volume; its controller creates another one.
pub(super) fn delete_pod(stack: &Stack) -> String {
    let component = match stack.database {
        Database::Sqlite(_) => Component::Api,
        Database::Postgres(_) | Database::External(_) => Component::Database,
    };
    let (namespace, name) = (&stack.id.namespace, &stack.id.name);
    format!("kubectl -n {namespace} delete pod --selector {}", labels::selector_text(name, component))
}
