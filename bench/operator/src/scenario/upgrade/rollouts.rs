//! How many databases and APIs roll out at a time, from watches: each state that the API server has stored
//! counts. Writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Resource, ResourceExt as _};
use serde::de::DeserializeOwned;
use todostack_crds::{Reason, TodoStack};

use crate::rollout;
use crate::stacks::Id;
use crate::watch;

/// The part of a stack in its last state.
#[derive(Default)]
struct Part {
    is_rolling: bool,
    image: String,
}

#[derive(Default)]
struct State {
    databases: BTreeMap<Id, Part>,
    apis: BTreeMap<Id, Part>,
    ready: BTreeSet<Id>,
    seen: Seen,
}

/// What was seen until now.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) most_databases: usize,
    pub(super) most_apis: usize,
    /// Stacks whose API had fewer available pods than replicas.
    pub(super) short: BTreeSet<Id>,
    /// Stacks that were Ready while they waited for their turn.
    pub(super) pending: BTreeSet<Id>,
}

#[derive(Clone, Default)]
pub(super) struct Rollouts(Arc<Mutex<State>>);

impl Rollouts {
    /// Watches all objects of a kind, until the task ends.
    pub(super) async fn follow<K>(self, api: Api<K>, receive: fn(&Self, &K))
    where
        K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
    {
        watch::follow(api, watcher::Config::default(), move |event| {
            if let Event::Apply(object) | Event::InitApply(object) = event {
                receive(&self, &object);
            }
        })
        .await;
    }

    pub(super) fn database(&self, set: &StatefulSet) {
        let mut state = self.state();
        let template = set.spec.as_ref().map(|spec| &spec.template);
        state.databases.insert(id(set), Part { is_rolling: is_down(set), image: image(template) });
        let rolling = state.databases.values().filter(|part| part.is_rolling).count();
        state.seen.most_databases = state.seen.most_databases.max(rolling);
    }

    pub(super) fn api(&self, deployment: &Deployment) {
        let mut state = self.state();
        let template = deployment.spec.as_ref().map(|spec| &spec.template);
        let part = Part { is_rolling: !rollout::is_complete(deployment), image: image(template) };
        state.apis.insert(id(deployment), part);
        let rolling = state.apis.values().filter(|part| part.is_rolling).count();
        state.seen.most_apis = state.seen.most_apis.max(rolling);
        if available(deployment) < rollout::replicas(deployment) {
            state.seen.short.insert(id(deployment));
        }
    }

    pub(super) fn stack(&self, stack: &TodoStack) {
        let mut state = self.state();
        let conditions = || stack.status.iter().flat_map(|status| &status.conditions);
        let is_ready = conditions().any(|it| it.type_ == "Ready" && it.status == "True");
        if is_ready {
            state.ready.insert(id(stack));
        } else {
            state.ready.remove(&id(stack));
        }
        if is_ready && conditions().any(|it| it.reason == Reason::UpgradePending.as_str()) {
            state.seen.pending.insert(id(stack));
        }
    }

    /// Stacks that are Ready with these images: of the database the repository, of the API the whole name.
    pub(super) fn upgraded(&self, postgres: &str, api: &str) -> usize {
        let state = self.state();
        let is_done = |part: Option<&Part>, image: &str| {
            part.is_some_and(|part| !part.is_rolling && part.image.starts_with(image))
        };
        let stacks = state.ready.iter();
        let upgraded = stacks
            .filter(|id| is_done(state.databases.get(id), postgres) && is_done(state.apis.get(id), api));
        upgraded.count()
    }

    pub(super) fn seen(&self) -> Seen {
        self.state().seen.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of the stack: `s0001` of `s0001-db` too.
fn id(object: &impl Resource) -> Id {
    let name = object.name_any();
    let name = name.split('-').next().unwrap_or_default().to_owned();
    Id { namespace: object.namespace().unwrap_or_default(), name }
}

fn image(template: Option<&PodTemplateSpec>) -> String {
    let pod = template.and_then(|template| template.spec.as_ref());
    let image = pod.and_then(|pod| pod.containers.first()).and_then(|container| container.image.clone());
    image.unwrap_or_default()
}

fn is_down(set: &StatefulSet) -> bool {
    let Some(status) = &set.status else { return true };
    status.observed_generation != set.metadata.generation
        || status.current_revision != status.update_revision
        || status.ready_replicas.unwrap_or_default() == 0
}

fn available(deployment: &Deployment) -> i32 {
    deployment.status.as_ref().and_then(|status| status.available_replicas).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(name: &str, ready: i32, image: &str) -> StatefulSet {
        serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "n", "generation": 1},
            "spec": {"selector": {}, "serviceName": "", "template": {"spec": {"containers": [
                {"name": "postgres", "image": image}]}}},
            "status": {"observedGeneration": 1, "replicas": 1, "readyReplicas": ready,
                "currentRevision": "a", "updateRevision": "a"},
        }))
        .unwrap()
    }

    #[test]
    fn databases_that_are_down_at_the_same_time_are_counted() {
        let rollouts = Rollouts::default();
        for (name, ready) in [("a-db", 1), ("b-db", 1), ("a-db", 0), ("a-db", 1), ("b-db", 0), ("b-db", 1)] {
            rollouts.database(&set(name, ready, "old:18"));
        }
        assert_eq!(rollouts.seen().most_databases, 1);
        rollouts.database(&set("a-db", 0, "old:18"));
        rollouts.database(&set("b-db", 0, "old:18"));
        assert_eq!(rollouts.seen().most_databases, 2);
    }

    #[test]
    fn a_stack_is_upgraded_when_it_is_ready_with_both_images() {
        let rollouts = Rollouts::default();
        let deployment = json!({
            "metadata": {"name": "a-api", "namespace": "n", "generation": 1},
            "spec": {"selector": {}, "replicas": 1, "template": {"spec": {"containers": [
                {"name": "api", "image": "api:2"}]}}},
            "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1},
        });
        rollouts.api(&serde_json::from_value(deployment).unwrap());
        rollouts.database(&set("a-db", 1, "new:18"));
        assert_eq!(rollouts.upgraded("new", "api:2"), 0);
        let ready = json!({"type": "Ready", "status": "True", "reason": "AsExpected", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z"});
        let mut stack = crate::stacks::todostack(&Id { namespace: "n".into(), name: "a".into() });
        stack["status"] = json!({"conditions": [ready]});
        rollouts.stack(&serde_json::from_value(stack).unwrap());
        assert_eq!(rollouts.upgraded("new", "api:2"), 1);
        assert_eq!(rollouts.upgraded("old", "api:2"), 0);
    }
}
