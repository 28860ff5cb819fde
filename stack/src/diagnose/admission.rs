//! Foreign objects, and objects and pods that the API server rejects.

use k8s_openapi::api::{apps::v1::DeploymentCondition, core::v1::ObjectReference};
use kube::{Resource as _, ResourceExt as _};
use todostack_crds::{FIELD_MANAGER, Reason};

use super::{Evidence, Finding, Part, Severity, quote};
use crate::managed::{Key, Kind};

pub(super) fn findings(evidence: Evidence<'_>) -> Vec<Finding> {
    let foreign = evidence.observed.foreign.iter().map(|key| {
        Finding::new(Part::Objects, Reason::NameConflict, key.to_string())
            .problem("already exists and is not managed by this operator")
            .remedy(remedy_of_foreign(key, &evidence.stack.id.namespace))
            .evidence(format!("managedFields and ownerReferences of {key}"))
            .related(key.reference(&evidence.stack.id.namespace))
    });
    let rejected = evidence.applied.rejected.iter().map(|(key, message)| Rejection {
        object: key.to_string(),
        message,
        evidence: format!("response to the apply of {key}"),
        related: Some(key.reference(&evidence.stack.id.namespace)),
    });
    let failed = evidence.applied.failed.iter().map(|(key, message)| {
        Finding::new(Part::Objects, Reason::ApplyFailed, key.to_string())
            .problem(format!("could not be written: {}", quote::api_server(message)))
            .remedy(
                "The operator tries again. Start the admission webhook that the message names, or delete its configuration: kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations",
            )
            .evidence(format!("response to the apply of {key}"))
            .related(key.reference(&evidence.stack.id.namespace))
            .severity(Severity::Transient)
    });
    let rejections = rejected.chain(rejected_pods(evidence));
    foreign
        .chain(failed)
        .chain(rejections.map(|rejection| rejection.finding(&evidence.stack.id.namespace)))
        .collect()
}

/// Data that was restored without its `managedFields` cannot be deleted to heal the stack: an apply with the
/// operator's field manager makes it the operator's own.
fn remedy_of_foreign(key: &Key, namespace: &str) -> String {
    let remedy = "The operator does not change it. Rename or delete it, or give the stack another name";
    let scope = match key.kind {
        Kind::Secret | Kind::PersistentVolumeClaim => format!("-n {namespace} "),
        Kind::PersistentVolume => String::new(),
        _ => return remedy.to_owned(),
    };
    let (kind, name) = (<&str>::from(key.kind).to_lowercase(), &key.name);
    format!(
        "{remedy}. If it was restored from a backup of this stack, hand it over: kubectl {scope}get {kind} {name} -o yaml | kubectl {scope}apply --server-side --field-manager={FIELD_MANAGER} -f -"
    )
}

/// An object that the API server rejected, with the API server's message.
struct Rejection<'a> {
    object: String,
    message: &'a str,
    evidence: String,
    related: Option<ObjectReference>,
}

/// Pods that a controller may not create: a Deployment reports it by a condition, other controllers by
/// Events.
fn rejected_pods(evidence: Evidence<'_>) -> impl Iterator<Item = Rejection<'_>> {
    let deployments = evidence.observed.deployment.iter();
    let of_deployment = deployments.filter_map(|deployment| {
        let conditions = deployment.status.as_ref()?.conditions.as_ref()?;
        let is_failure = |condition: &&DeploymentCondition| {
            condition.type_ == "ReplicaFailure" && condition.status == "True"
        };
        let object = format!("Deployment {}", deployment.name_any());
        Some(Rejection {
            message: conditions.iter().find(is_failure)?.message.as_deref()?,
            evidence: format!("condition ReplicaFailure of {object}"),
            object,
            related: Some(deployment.object_ref(&())),
        })
    });
    let events =
        evidence.observed.events.iter().filter(|event| event.reason.as_deref() == Some("FailedCreate"));
    let of_others = events.filter_map(|event| {
        let ObjectReference { kind, name, .. } = &event.involved_object;
        let object = format!("{} {}", kind.as_deref()?, name.as_deref()?);
        Some(Rejection {
            message: event.message.as_deref()?,
            evidence: format!("Event FailedCreate of {object}"),
            object,
            related: Some(event.involved_object.clone()),
        })
    });
    of_deployment.chain(of_others)
}

impl Rejection<'_> {
    fn finding(self, namespace: &str) -> Finding {
        let Self { object, message, evidence, related } = self;
        let (reason, remedy) = cause(message, namespace);
        Finding::new(Part::Objects, reason, object)
            .problem(format!("was rejected: {}", quote::api_server(message)))
            .remedy(remedy)
            .evidence(evidence)
            .related(related)
    }
}

fn cause(message: &str, namespace: &str) -> (Reason, String) {
    if message.contains("exceeded quota") || message.contains("failed quota") {
        (
            Reason::QuotaExceeded,
            format!(
                "Raise the ResourceQuota, or delete what uses it: kubectl -n {namespace} describe resourcequota"
            ),
        )
    } else if message.contains("violates PodSecurity") {
        (
            Reason::PodSecurityViolated,
            format!(
                "Check the Pod Security Standard that the namespace enforces: kubectl get namespace {namespace} --show-labels"
            ),
        )
    } else if message.contains("per Container")
        || message.contains("per Pod")
        || message.contains("limit to request ratio")
    {
        (
            Reason::LimitRangeViolated,
            format!(
                "Set spec.api.resources and spec.database.postgres.resources within the LimitRange: kubectl -n {namespace} describe limitrange"
            ),
        )
    } else {
        (
            Reason::ApplyRejected,
            format!(
                "Check the admission webhooks and policies that apply to the namespace: kubectl describe namespace {namespace}"
            ),
        )
    }
}
