//! Claims that are given no volume: no class, or none of the class's.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim};
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{Evidence, Finding, Part, log_line};
use crate::{observed::Observed, stack::VolumeSource};

/// The mark of a default class.
pub const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";

/// How long a provisioner may be silent: one that runs makes a disk within seconds, or says why not.
const GRACE: SignedDuration = SignedDuration::from_secs(20);

/// The finding on the claim.
pub(super) fn finding(evidence: Evidence<'_>) -> Option<Finding> {
    let Evidence { stack, observed, .. } = evidence;
    let volume = stack.volume()?;
    let VolumeSource::Class(wanted) = &volume.source else { return None };
    if is_bound(observed) {
        return None;
    }
    let claim = observed.claim.as_deref();
    let Cause { reason, problem, remedy, evidence } = class(wanted.as_deref(), observed)
        .or_else(|| claim.and_then(|claim| provisioner(claim, evidence)))?;
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

/// Whether a claim is bound to its volume.
fn is_bound(observed: &Observed) -> bool {
    let claim = observed.claim.as_ref().and_then(|claim| claim.status.as_ref());
    claim.and_then(|status| status.phase.as_deref()) == Some("Bound")
}

fn class(wanted: Option<&str>, observed: &Observed) -> Option<Cause> {
    let all = &observed.storage_classes;
    let evidence = "the cluster's StorageClasses".to_owned();
    match wanted {
        Some(name) if !all.iter().any(|class| class.name_any() == name) => Some(Cause {
            reason: Reason::StorageClassNotFound,
            problem: format!("waits for StorageClass {name}, which is not there"),
            remedy: match classes(observed).as_slice() {
                [] => "Create it: the cluster has no StorageClass at all".to_owned(),
                names => format!(
                    "Create it, or set storageClassName under storage in spec.database to one of: {}",
                    names.join(", ")
                ),
            },
            evidence,
        }),
        None if !all.iter().any(|class| is_default(class.metadata.annotations.as_ref())) => Some(Cause {
            reason: Reason::NoDefaultStorageClass,
            problem: "names no StorageClass, and the cluster has no default one".to_owned(),
            remedy: match classes(observed).as_slice() {
                [] => "Set nfs under storage in spec.database, or install a provisioner: the cluster has no StorageClass at all".to_owned(),
                [first, ..] => format!(
                    "Set storageClassName: {first} or nfs under storage in spec.database, or mark a default: kubectl annotate storageclass {first} {DEFAULT}=true"
                ),
            },
            evidence,
        }),
        _ => None,
    }
}

/// A provisioner that refuses, or that does not answer, by the Events of the claim.
fn provisioner(claim: &PersistentVolumeClaim, evidence: Evidence<'_>) -> Option<Cause> {
    let of_claim = |event: &&Event| event.involved_object.uid == claim.metadata.uid;
    let events = || evidence.observed.events.iter().filter(of_claim);
    let class = claim.spec.as_ref()?.storage_class_name.as_deref().unwrap_or_default();
    let described = format!("kubectl -n {} describe pvc {}", evidence.stack.id.namespace, claim.name_any());
    if let Some(refused) = events().rfind(|event| event.reason.as_deref() == Some("ProvisioningFailed")) {
        let words = log_line::without_ids(refused.message.as_deref()?.trim_end_matches('.'));
        return Some(Cause {
            reason: Reason::ProvisioningFailed,
            problem: format!("is given no volume: {words}"),
            remedy: format!("Mend what it names in StorageClass {class} or its provisioner: {described}"),
            evidence: "Event ProvisioningFailed of the claim".to_owned(),
        });
    }
    let waits = events().any(|event| event.reason.as_deref() == Some("ExternalProvisioning"));
    let created = claim.metadata.creation_timestamp.as_ref()?.0;
    (waits && evidence.now.duration_since(created) >= GRACE).then(|| Cause {
        reason: Reason::ProvisioningFailed,
        problem: format!("waits for the provisioner of StorageClass {class}, which does not answer"),
        remedy: format!("Install or start it, or name another class in spec.database: {described}"),
        evidence: "Event ExternalProvisioning of the claim".to_owned(),
    })
}

/// The names of all classes, in their order.
fn classes(observed: &Observed) -> Vec<String> {
    let mut names: Vec<_> = observed.storage_classes.iter().map(|class| class.name_any()).collect();
    names.sort();
    names
}

fn is_default(annotations: Option<&BTreeMap<String, String>>) -> bool {
    annotations.and_then(|annotations| annotations.get(DEFAULT)).is_some_and(|value| value == "true")
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

    fn found(age: i64, reason: &str) -> Vec<Reason> {
        let created = (now() - SignedDuration::from_secs(age)).to_string();
        let claim = json!({
            "metadata": {"name": "shop-db", "uid": "9", "creationTimestamp": created},
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
    fn a_provisioner_that_refuses_is_told_at_once() {
        assert_eq!(found(0, "ProvisioningFailed"), [Reason::ProvisioningFailed]);
    }

    #[test]
    fn a_provisioner_that_is_silent_is_told_when_it_had_its_time() {
        assert_eq!(found(19, "ExternalProvisioning"), []);
        assert_eq!(found(20, "ExternalProvisioning"), [Reason::ProvisioningFailed]);
        assert_eq!(found(90, "WaitForFirstConsumer"), []);
    }
}
