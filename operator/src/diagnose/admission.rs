//! Objects that belong to someone else, and objects and pods that the cluster does not take.

use todostack_crds::Reason;

use super::{Evidence, Finding, Part};
use crate::names;

/// Findings on the objects themselves.
pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    let foreign = evidence.observed.foreign.iter().map(|key| Finding {
        part: Part::Objects,
        object: key.to_string(),
        reason: Reason::NameTaken,
        problem: "has a name that this stack needs, and the operator did not make it".to_owned(),
        remedy: "It stays untouched. Rename or delete it, or give the stack another name".to_owned(),
        evidence: format!("labels and field managers of {key}"),
        needs_person: true,
    });
    let refused = evidence.applied.refused.iter().map(|(key, words)| {
        refusal(evidence, &key.to_string(), words, format!("answer to the apply of {key}"))
    });
    foreign.chain(refused).chain(pods_refused(evidence)).collect()
}

/// Pods that a controller may not make: a Deployment says it by a condition, the others by Events.
fn pods_refused(evidence: Evidence<'_>) -> Vec<Finding> {
    let deployment = evidence.observed.deployment.as_ref().and_then(|deployment| deployment.status.as_ref());
    let conditions = deployment.iter().flat_map(|status| status.conditions.iter().flatten());
    let failures = conditions
        .filter(|condition| condition.type_ == "ReplicaFailure" && condition.status == "True")
        .filter_map(|condition| condition.message.as_deref());
    let object = format!("Deployment {}", names::api(&evidence.stack.name));
    let of_deployment = failures
        .map(|words| refusal(evidence, &object, words, format!("condition ReplicaFailure of {object}")));
    let events =
        evidence.observed.events.iter().filter(|event| event.reason.as_deref() == Some("FailedCreate"));
    let of_others = events.filter_map(|event| {
        let kind = event.involved_object.kind.as_deref()?;
        let object = format!("{kind} {}", event.involved_object.name.as_deref()?);
        Some(refusal(evidence, &object, event.message.as_deref()?, format!("Event FailedCreate of {object}")))
    });
    of_deployment.chain(of_others).collect()
}

fn refusal(evidence: Evidence<'_>, object: &str, words: &str, seen: String) -> Finding {
    let namespace = &evidence.stack.namespace;
    let (reason, remedy) = if words.contains("exceeded quota") || words.contains("failed quota") {
        (
            Reason::QuotaExceeded,
            format!(
                "Raise the ResourceQuota, or free some of it: kubectl -n {namespace} describe resourcequota"
            ),
        )
    } else if words.contains("violates PodSecurity") {
        (
            Reason::PodSecurityViolated,
            format!("See what the namespace enforces: kubectl get namespace {namespace} --show-labels"),
        )
    } else if words.contains("per Container")
        || words.contains("per Pod")
        || words.contains("limit to request ratio")
    {
        (
            Reason::LimitRangeViolated,
            format!("Set resources in the spec within: kubectl -n {namespace} describe limitrange"),
        )
    } else {
        (
            Reason::ApplyRefused,
            format!("See the policies of the namespace: kubectl describe namespace {namespace}"),
        )
    };
    Finding {
        part: Part::Objects,
        object: object.to_owned(),
        reason,
        problem: format!("is refused by the cluster: {}", without_names(words)),
        remedy,
        evidence: seen,
        needs_person: true,
    }
}

/// The words without the name of a pod that was to be made, which differs at every attempt.
fn without_names(words: &str) -> String {
    let words = words.trim_end_matches('.');
    match words.split_once(" is forbidden: ") {
        Some((_, cause)) => cause.to_owned(),
        None => words.to_owned(),
    }
}
