//! PersistentVolumeClaims that are not provisioned: a missing StorageClass, or a provisioner that fails or is
//! silent.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim};
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{Evidence, Finding, Part, quote};
use crate::{
    observed::{Observed, claim},
    stack::{Database, Stack, VolumeSource},
    storage_class::{DEFAULT, is_default},
};

/// How long a provisioner may be silent. A running one provisions a disk or reports an error within seconds.
const GRACE: SignedDuration = SignedDuration::from_secs(20);
/// Annotation of a claim that the volume controller leaves to a provisioner outside of Kubernetes.
const DELEGATED: &str = "volume.kubernetes.io/storage-provisioner";

pub(super) fn finding(evidence: Evidence<'_>) -> Option<Finding> {
    let Evidence { stack, observed, .. } = evidence;
    let volume = stack.volume()?;
    let VolumeSource::Class(wanted) = &volume.source else { return None };
    let claim = observed.claim.as_deref();
    if claim.is_some_and(claim::is_bound) {
        return None;
    }
    let missing = if observed.confined { None } else { class(wanted.as_deref(), evidence) };
    let Cause { reason, problem, remedy, evidence } =
        missing.or_else(|| claim.and_then(|claim| provisioner(claim, evidence)))?;
    Some(
        Finding::new(Part::Storage, reason, format!("PersistentVolumeClaim {}", volume.claim))
            .problem(problem)
            .remedy(remedy)
            .evidence(evidence)
            .related(claim.map(|claim| claim.object_ref(&()))),
    )
}

struct Cause {
    reason: Reason,
    problem: String,
    remedy: String,
    evidence: String,
}

fn class(wanted: Option<&str>, diagnosed: Evidence<'_>) -> Option<Cause> {
    let observed = diagnosed.observed;
    let all = &observed.storage_classes;
    let evidence = "the cluster's StorageClasses".to_owned();
    match wanted {
        Some(name) if !all.iter().any(|class| class.name_any() == name) => Some(Cause {
            reason: Reason::StorageClassNotFound,
            problem: format!("references StorageClass {name}, which does not exist"),
            remedy: match classes(observed).as_slice() {
                [] => "Create it: the cluster has no StorageClass".to_owned(),
                names => format!(
                    "Create it. Or create the stack again, because a PersistentVolumeClaim cannot change its class: {}, and set {} to one of: {}",
                    deletion(diagnosed),
                    field(diagnosed.stack),
                    names.join(", ")
                ),
            },
            evidence,
        }),
        None if !all.iter().any(|class| is_default(class)) => Some(Cause {
            reason: Reason::NoDefaultStorageClass,
            problem: "names no StorageClass, and the cluster has no default StorageClass".to_owned(),
            remedy: match classes(observed).as_slice() {
                [] => "Install a provisioner with a default StorageClass: the cluster has no StorageClass"
                    .to_owned(),
                [first, ..] => format!(
                    "Annotate a default: kubectl annotate --overwrite storageclass {first} {DEFAULT}=true. Or create the stack again: {}, and set {}: {first}",
                    deletion(diagnosed),
                    field(diagnosed.stack)
                ),
            },
            evidence,
        }),
        _ => None,
    }
}

/// A provisioner that fails or does not respond, by the Events of the claim.
fn provisioner(claim: &PersistentVolumeClaim, evidence: Evidence<'_>) -> Option<Cause> {
    let of_claim = |event: &&Event| event.involved_object.uid == claim.metadata.uid;
    let mut events = evidence.observed.events.iter().filter(of_claim);
    let class = claim.spec.as_ref()?.storage_class_name.as_deref().unwrap_or_default();
    let described = format!("kubectl -n {} describe pvc {}", evidence.stack.id.namespace, claim.name_any());
    if let Some(failed) = events.rfind(|event| event.reason.as_deref() == Some("ProvisioningFailed")) {
        let message = quote::without_ids(failed.message.as_deref()?.trim_end_matches('.'));
        return Some(Cause {
            reason: Reason::ProvisioningFailed,
            problem: format!("was not provisioned: {message}"),
            remedy: format!("Fix StorageClass {class} or its provisioner: {described}"),
            evidence: "Event ProvisioningFailed of the claim".to_owned(),
        });
    }
    let waits = claim.annotations().contains_key(DELEGATED);
    let created = claim.metadata.creation_timestamp.as_ref()?.0;
    (waits && evidence.now.duration_since(created) >= GRACE).then(|| Cause {
        reason: Reason::ProvisioningFailed,
        problem: format!("was not provisioned: the provisioner of StorageClass {class} does not respond"),
        remedy: format!("Install or restart the provisioner: {described}"),
        evidence: format!("annotation {DELEGATED} of the claim"),
    })
}

/// The field that names the class.
fn field(stack: &Stack) -> &'static str {
    match stack.database {
        Database::Sqlite(_) => "spec.database.sqlite.storage.storageClassName",
        Database::Postgres(_) | Database::External(_) => "spec.database.postgres.storage.storageClassName",
    }
}

/// The command that deletes the stack with its claim, which has no volume and so no data.
fn deletion(evidence: Evidence<'_>) -> String {
    let (id, volume) = (&evidence.stack.id, evidence.stack.volume());
    let claim = volume.map(|volume| volume.claim.as_str()).unwrap_or_default();
    format!("kubectl -n {} delete todostack/{} pvc/{claim}", id.namespace, id.name)
}

fn classes(observed: &Observed) -> Vec<String> {
    let mut names: Vec<_> = observed.storage_classes.iter().map(|class| class.name_any()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        applied::Applied,
        diagnose::diagnose,
        fixtures::{now, resolved},
    };

    fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
        serde_json::from_value(value).unwrap()
    }

    fn found(age: i64, reason: &str, annotation: Option<&str>) -> Vec<Reason> {
        let created = (now() - SignedDuration::from_secs(age)).to_string();
        let claim = json!({
            "metadata": {"name": "shop-db", "uid": "9", "creationTimestamp": created,
                "annotations": annotation.map(|key| json!({key: "example.com/none"}))},
            "spec": {"storageClassName": "standard"}, "status": {"phase": "Pending"},
        });
        let class = json!({
            "metadata": {"name": "standard", "annotations": {DEFAULT: "true"}}, "provisioner": "example.com/none",
        });
        let event = json!({
            "metadata": {}, "involvedObject": {"uid": "9"}, "reason": reason, "message": "no room on any disk",
        });
        let observed = Observed {
            claim: Some(Arc::new(read(claim))),
            storage_classes: vec![Arc::new(read(class))],
            events: vec![read(event)],
            ..Observed::default()
        };
        let (stack, applied) = (resolved("{}"), Applied::default());
        let findings =
            diagnose(Evidence { stack: &stack, observed: &observed, applied: &applied, now: now() });
        findings.iter().map(|finding| finding.reason).collect()
    }

    #[test]
    fn a_provisioner_that_fails_is_reported_at_once() {
        assert_eq!(found(0, "ProvisioningFailed", None), [Reason::ProvisioningFailed]);
    }

    #[test]
    fn a_provisioner_that_is_silent_is_reported_after_the_grace_period() {
        assert_eq!(found(19, "Other", Some(DELEGATED)), []);
        assert_eq!(found(20, "Other", Some(DELEGATED)), [Reason::ProvisioningFailed]);
        assert_eq!(found(90, "Other", None), []);
    }
}
