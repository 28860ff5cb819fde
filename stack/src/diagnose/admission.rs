//! Objects that belong to someone else, and objects and pods that the cluster does not take.

use k8s_openapi::api::{apps::v1::DeploymentCondition, core::v1::ObjectReference};
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::Reason;

use super::{Evidence, Finding, Part};

/// Findings on the objects themselves.
pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    let foreign = evidence.observed.foreign.iter().map(|key| {
        Finding::new(Part::Objects, Reason::NameConflict, key.to_string())
            .problem("has a name that this stack needs, and the operator did not make it")
            .remedy("It stays untouched. Rename or delete it, or give the stack another name")
            .evidence(format!("labels and field managers of {key}"))
            .related(key.reference(&evidence.stack.id.namespace))
    });
    let refused = evidence.applied.rejected.iter().map(|(key, words)| Refusal {
        object: key.to_string(),
        words,
        seen: format!("answer to the apply of {key}"),
        related: Some(key.reference(&evidence.stack.id.namespace)),
    });
    let refusals = refused.chain(pods_refused(evidence));
    foreign.chain(refusals.map(|refusal| refusal.finding(&evidence.stack.id.namespace))).collect()
}

/// What the cluster did not take.
struct Refusal<'a> {
    object: String,
    /// The API server's.
    words: &'a str,
    seen: String,
    related: Option<ObjectReference>,
}

/// Pods that a controller may not make: a Deployment says it by a condition, the others by Events.
fn pods_refused(evidence: Evidence<'_>) -> impl Iterator<Item = Refusal<'_>> {
    let deployments = evidence.observed.deployment.iter();
    let of_deployment = deployments.filter_map(|deployment| {
        let conditions = deployment.status.as_ref()?.conditions.as_ref()?;
        let is_failure = |condition: &&DeploymentCondition| {
            condition.type_ == "ReplicaFailure" && condition.status == "True"
        };
        let object = format!("Deployment {}", deployment.name_any());
        Some(Refusal {
            words: conditions.iter().find(is_failure)?.message.as_deref()?,
            seen: format!("condition ReplicaFailure of {object}"),
            object,
            related: Some(deployment.object_ref(&())),
        })
    });
    let events =
        evidence.observed.events.iter().filter(|event| event.reason.as_deref() == Some("FailedCreate"));
    let of_others = events.filter_map(|event| {
        let ObjectReference { kind, name, .. } = &event.involved_object;
        let object = format!("{} {}", kind.as_deref()?, name.as_deref()?);
        Some(Refusal {
            words: event.message.as_deref()?,
            seen: format!("Event FailedCreate of {object}"),
            object,
            related: Some(event.involved_object.clone()),
        })
    });
    of_deployment.chain(of_others)
}

impl Refusal<'_> {
    fn finding(self, namespace: &str) -> Finding {
        let Self { object, words, seen, related } = self;
        let (reason, remedy) = cause(words, namespace);
        Finding::new(Part::Objects, reason, object)
            .problem(format!("is refused by the cluster: {}", without_names(words)))
            .remedy(remedy)
            .evidence(seen)
            .related(related)
    }
}

fn cause(words: &str, namespace: &str) -> (Reason, String) {
    if words.contains("exceeded quota") || words.contains("failed quota") {
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
            Reason::ApplyRejected,
            format!("See the policies of the namespace: kubectl describe namespace {namespace}"),
        )
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
