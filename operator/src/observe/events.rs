//! Events of what does not come up; nothing is asked while all is well.

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::{Api, Client, Resource, ResourceExt as _, api::ListParams};

use super::{Error, Observed};
use crate::{
    children::Kind,
    labels::{COMPONENT, Component},
    resources::migration_job,
};

/// Events asked for of one object: more say nothing new, since the API server folds repeats into one.
const LIMIT: u32 = 50;

/// An object that waits for something.
pub(crate) struct Subject {
    kind: &'static str,
    name: String,
    pub(crate) uid: String,
}

/// The Events of pods that are not ready, of a claim that has no volume, and of controllers that have no pod.
///
/// # Errors
/// They cannot be listed.
pub async fn of_what_does_not_come_up(
    client: &Client,
    namespace: &str,
    observed: &Observed,
) -> Result<Vec<Event>, Error> {
    let api: Api<Event> = Api::namespaced(client.clone(), namespace);
    let mut events = Vec::new();
    for subject in subjects(observed) {
        let selector = format!("involvedObject.uid={}", subject.uid);
        let found = api.list(&ListParams::default().fields(&selector).limit(LIMIT)).await;
        let found = found.map_err(|source| Error::Read {
            kind: format!("Events of {}", subject.kind),
            namespace: namespace.to_owned(),
            name: subject.name,
            source,
        })?;
        events.extend(found.items);
    }
    Ok(events)
}

/// What Events are asked for of.
pub(crate) fn subjects(observed: &Observed) -> Vec<Subject> {
    let pods = observed.pods.iter().filter(|pod| waits(pod)).map(|pod| subject("Pod", pod.as_ref()));
    let has_pod = |component: Component| {
        observed.pods.iter().any(|pod| pod.labels().get(COMPONENT).is_some_and(|is| is == component.as_str()))
    };
    let set = observed.stateful_set.iter().filter(|_| !has_pod(Component::Database));
    let jobs =
        observed.jobs.iter().filter(|job| !migration_job::complete(job) && !has_pod(Component::Migration));
    let claim = observed
        .claim
        .iter()
        .filter(|claim| claim.status.as_ref().and_then(|status| status.phase.as_deref()) != Some("Bound"));
    pods.chain(claim.map(|claim| subject(Kind::PersistentVolumeClaim.into(), claim.as_ref())))
        .chain(set.map(|set| subject(Kind::StatefulSet.into(), set.as_ref())))
        .chain(jobs.map(|job| subject(Kind::Job.into(), job.as_ref())))
        .collect()
}

fn subject<K: Resource>(kind: &'static str, object: &K) -> Subject {
    Subject { kind, name: object.name_any(), uid: object.uid().unwrap_or_default() }
}

/// Neither ready nor done.
fn waits(pod: &Pod) -> bool {
    let Some(status) = &pod.status else { return true };
    let ready = status.conditions.iter().flatten().any(|is| is.type_ == "Ready" && is.status == "True");
    !ready && !matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"))
}
