//! When each stack's pods were ready, and when its subject reported it ready: from watches. Writes nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use k8s_openapi::api::core::v1::Pod;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, ResourceExt as _, api::DynamicObject, core::ApiResource};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::stacks::Id;
use crate::watch;

/// Pods of a healthy stack that have done their part: of the database, two of the API, of the migration.
const PODS: usize = 4;

#[derive(Clone, Default)]
pub(crate) struct Tracker(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// By uid: whose it is.
    pods: HashMap<String, Id>,
    stacks: HashMap<Id, Progress>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress {
    /// Pods that are Ready or succeeded.
    pods: usize,
    pub(crate) created: Option<Instant>,
    /// When all of its pods first were.
    pub(crate) pods_ready: Option<Instant>,
    /// When its subject first reported it ready.
    pub(crate) reported: Option<Instant>,
    /// The generation of the spec that its subject's last report is about.
    pub(crate) observed: i64,
    /// Whether that report says that it is ready.
    pub(crate) is_ready: bool,
}

impl Tracker {
    /// Watches the pods of all stacks, and the subject's own resource if it has one.
    pub(crate) fn start(client: &Client, resource: Option<ApiResource>, tasks: &mut JoinSet<()>) -> Self {
        let tracker = Self::default();
        let pods: Api<Pod> = Api::all(client.clone());
        let config = watcher::Config::default().labels("todostack.dev/stack");
        let watched = tracker.clone();
        tasks.spawn(watch::follow(pods, config, move |event| match event {
            Event::Apply(pod) | Event::InitApply(pod) => watched.pod(&pod),
            Event::Delete(pod) => watched.remove_pod(&pod),
            Event::Init | Event::InitDone => {}
        }));
        if let Some(resource) = resource {
            let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
            let watched = tracker.clone();
            tasks.spawn(watch::follow(api, watcher::Config::default(), move |event| {
                if let Event::Apply(stack) | Event::InitApply(stack) = event {
                    watched.stack(&stack);
                }
            }));
        }
        tracker
    }

    pub(crate) fn created(&self, id: &Id) {
        self.state().stacks.entry(id.clone()).or_default().created = Some(Instant::now());
    }

    pub(crate) fn progress(&self, id: &Id) -> Progress {
        self.state().stacks.get(id).copied().unwrap_or_default()
    }

    /// How many of the stacks meet a condition.
    pub(crate) fn count(&self, ids: &[Id], condition: impl Fn(&Progress) -> bool) -> usize {
        let state = self.state();
        ids.iter().filter(|id| state.stacks.get(id).is_some_and(&condition)).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pod(&self, pod: &Pod) {
        let (Some(id), Some(uid)) = (owner(pod), pod.metadata.uid.clone()) else { return };
        let mut state = self.state();
        let State { pods, stacks } = &mut *state;
        let is_new = is_done(pod) && pods.insert(uid, id.clone()).is_none();
        if !is_new {
            return;
        }
        let progress = stacks.entry(id).or_default();
        progress.pods += 1;
        if progress.pods >= PODS {
            progress.pods_ready.get_or_insert_with(Instant::now);
        }
    }

    fn remove_pod(&self, pod: &Pod) {
        let mut state = self.state();
        let State { pods, stacks } = &mut *state;
        let id = pod.metadata.uid.as_ref().and_then(|uid| pods.remove(uid));
        if let Some(progress) = id.and_then(|id| stacks.get_mut(&id)) {
            progress.pods = progress.pods.saturating_sub(1);
        }
    }

    fn stack(&self, stack: &DynamicObject) {
        let id = Id { namespace: stack.namespace().unwrap_or_default(), name: stack.name_any() };
        let mut state = self.state();
        let progress = state.stacks.entry(id).or_default();
        let (observed, is_ready) = reported(stack);
        progress.observed = observed;
        progress.is_ready = is_ready;
        if is_ready && Some(observed) == stack.metadata.generation {
            progress.reported.get_or_insert_with(Instant::now);
        }
    }
}

/// The generation that the condition Ready is about, and whether it is true.
fn reported(stack: &DynamicObject) -> (i64, bool) {
    let conditions = stack.data.pointer("/status/conditions").and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    let Some(ready) = conditions.find(|it| it.get("type").and_then(Value::as_str) == Some("Ready")) else {
        return (0, false);
    };
    let generation = ready.get("observedGeneration").and_then(Value::as_i64).unwrap_or_default();
    (generation, ready.get("status").and_then(Value::as_str) == Some("True"))
}

fn owner(pod: &Pod) -> Option<Id> {
    let name = pod.labels().get("todostack.dev/stack")?.clone();
    Some(Id { namespace: pod.namespace()?, name })
}

fn is_done(pod: &Pod) -> bool {
    let Some(status) = &pod.status else { return false };
    let mut conditions = status.conditions.iter().flatten();
    match status.phase.as_deref() {
        Some("Succeeded") => true,
        Some("Running") => {
            let is_job = pod.labels().contains_key("batch.kubernetes.io/job-name");
            !is_job && conditions.any(|it| it.type_ == "Ready" && it.status == "True")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(uid: usize, phase: &str) -> Pod {
        serde_json::from_value(json!({
            "metadata": {
                "name": "p", "namespace": "n", "uid": uid.to_string(), "labels": {"todostack.dev/stack": "s"},
            },
            "status": {"phase": phase, "conditions": [{"type": "Ready", "status": "True"}]},
        }))
        .unwrap()
    }

    #[test]
    fn a_stack_has_its_pods_when_four_have_done_their_part() {
        let tracker = Tracker::default();
        let id = Id { namespace: "n".into(), name: "s".into() };
        for uid in [0, 1, 1, 2] {
            tracker.pod(&pod(uid, "Running"));
        }
        tracker.pod(&pod(3, "Pending"));
        assert!(tracker.progress(&id).pods_ready.is_none());
        tracker.pod(&pod(3, "Succeeded"));
        assert!(tracker.progress(&id).pods_ready.is_some());
    }

    #[test]
    fn a_condition_of_an_earlier_generation_is_no_report_of_the_spec() {
        let tracker = Tracker::default();
        let id = Id { namespace: "n".into(), name: "s".into() };
        for (observed, is_reported) in [(1, false), (2, true)] {
            let ready = json!({"type": "Ready", "status": "True", "observedGeneration": observed});
            let stack = json!({
                "metadata": {"name": "s", "namespace": "n", "generation": 2},
                "status": {"conditions": [ready]},
            });
            tracker.stack(&serde_json::from_value(stack).unwrap());
            assert_eq!(tracker.progress(&id).reported.is_some(), is_reported);
        }
    }
}
