//! What Events report of failed probes. What follows from it is decided by `diagnose` and by
//! `resolve/migration.rs`.

use jiff::Timestamp;
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ContainerStatus, Event, Pod},
};
use kube::ResourceExt as _;

use super::Observed;
use crate::{
    labels::{COMPONENT, Component},
    resources::api_deployment,
};

/// How the kubelet reports the answer of `/readyz` to which a migration is the remedy: 424 Failed Dependency.
const MIGRATION_NEEDED: &str = "statuscode: 424";
/// Label of the Deployment's pods, which differs between templates.
const TEMPLATE: &str = "pod-template-hash";

/// The failed probes of a container since it started. Events outlive restarts.
pub fn of_container<'a>(
    pod: &Pod,
    container: &ContainerStatus,
    events: &'a [Event],
) -> impl Iterator<Item = &'a Event> {
    let (uid, begun) = (pod.uid(), started(container));
    events.iter().filter(move |event| {
        let is_past = begun.zip(last_seen(event)).is_some_and(|(begun, seen)| seen < begun);
        event.reason.as_deref() == Some("Unhealthy") && event.involved_object.uid == uid && !is_past
    })
}

/// The last of them.
pub fn latest<'a>(pod: &Pod, container: &ContainerStatus, events: &'a [Event]) -> Option<&'a Event> {
    of_container(pod, container, events).max_by_key(|event| last_seen(event))
}

/// When an Event was last emitted.
pub fn last_seen(event: &Event) -> Option<Timestamp> {
    let series = event.series.as_ref().and_then(|series| series.last_observed_time.as_ref());
    let precise = series.or(event.event_time.as_ref()).map(|time| time.0);
    event.last_timestamp.as_ref().map(|time| time.0).or(precise)
}

pub fn started(container: &ContainerStatus) -> Option<Timestamp> {
    Some(container.state.as_ref()?.running.as_ref()?.started_at.as_ref()?.0)
}

/// When an API pod last reported that its database is not as a migration leaves it. Pods of an earlier
/// template do not count: credentials may have changed since.
pub fn migration_needed(observed: &Observed) -> Option<Timestamp> {
    observed.deployment.as_deref().filter(|deployment| is_observed(deployment))?;
    let is_api = |pod: &&Pod| {
        pod.metadata.deletion_timestamp.is_none()
            && pod.labels().get(COMPONENT).is_some_and(|it| it == Component::Api.as_str())
    };
    let pods = || observed.pods.iter().map(AsRef::as_ref).filter(is_api);
    let newest = pods().max_by_key(|pod| pod.creation_timestamp().map(|time| time.0))?;
    let template = newest.labels().get(TEMPLATE);
    let current = pods().filter(|pod| pod.labels().get(TEMPLATE) == template);
    let failures = current.flat_map(|pod| {
        let container = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
        let api = container.filter(|container| container.name == api_deployment::CONTAINER);
        api.flat_map(move |container| of_container(pod, container, &observed.events))
    });
    let needed =
        failures.filter(|event| event.message.as_deref().is_some_and(|it| it.contains(MIGRATION_NEEDED)));
    needed.filter_map(last_seen).max()
}

/// Whether the Deployment controller has read the template.
fn is_observed(deployment: &Deployment) -> bool {
    let observed = deployment.status.as_ref().and_then(|status| status.observed_generation);
    observed.is_some() && observed >= deployment.metadata.generation
}
