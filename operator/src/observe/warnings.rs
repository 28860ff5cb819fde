//! The Warnings about objects of stacks, as one watch of Events delivers them. What they mean is decided in
//! `stack/`.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use k8s_openapi::api::core::v1::Event;
use kube::runtime::{
    reflector::{ObjectRef, Store},
    watcher,
};
use todostack_stack::{
    observed::{
        Observed,
        subjects::{is_settled, subjects},
    },
    prune,
};
use tokio::sync::watch;

use super::caches::Guarded;

/// Warnings of one object that are kept at most, the newest ones. The API server folds repetitions into one
/// Event and deletes an Event an hour after its last repetition, so more of one object say nothing new.
const LIMIT: usize = 16;

/// Selects the Events to watch.
pub(super) const SELECTOR: &str = "type=Warning";

/// Warnings by the uid of their object; a clone shares them.
#[derive(Clone)]
pub(crate) struct Warnings {
    of_objects: Arc<Mutex<OfObjects>>,
    /// Becomes true when the watch has listed once.
    listed: watch::Sender<bool>,
}

#[derive(Default)]
struct OfObjects {
    current: HashMap<String, VecDeque<Event>>,
    /// Those of a list that has not ended, which replaces the current ones.
    listing: HashMap<String, VecDeque<Event>>,
}

impl Default for Warnings {
    fn default() -> Self {
        Self { of_objects: Arc::default(), listed: watch::channel(false).0 }
    }
}

impl Warnings {
    /// Those that explain why the stack does not become ready. Those of one object are in the order of their
    /// names, which stays the same while they are repeated, so that what is reported stays the same too.
    pub(super) fn of_unready(&self, observed: &Observed) -> Vec<Event> {
        let of_objects = self.lock();
        let of_subject = subjects(observed).into_iter().map(|subject| {
            let mut warnings: Vec<_> = of_objects.current.get(&subject.uid).into_iter().flatten().collect();
            warnings.sort_by_key(|warning| warning.metadata.name.as_deref());
            warnings
        });
        of_subject.flatten().cloned().collect()
    }

    /// Those that are kept of a namespace.
    pub(super) fn of_namespace(&self, namespace: &str) -> Vec<Event> {
        let of_objects = self.lock();
        let all = of_objects.current.values().flatten();
        all.filter(|event| event.involved_object.namespace.as_deref() == Some(namespace)).cloned().collect()
    }

    /// Waits until the watch has listed once.
    pub(super) async fn ready(&self) {
        // This holds a sender, so the channel is open.
        let _ = self.listed.subscribe().wait_for(|listed| *listed).await;
    }

    /// Keeps what concerns a stack; returns the stacks that it concerns and that are not settled: of others
    /// no Warning is read, and what makes one of them unready is a change of its objects.
    pub(super) fn receive(
        &self,
        event: watcher::Event<Event>,
        stacks: &Store<Guarded>,
    ) -> Vec<ObjectRef<Guarded>> {
        let mut of_objects = self.lock();
        match event {
            watcher::Event::Init => of_objects.listing.clear(),
            watcher::Event::InitApply(event) => {
                let concerned = concerned(&event, stacks);
                if !concerned.is_empty() {
                    insert(&mut of_objects.listing, event);
                }
                return unsettled(concerned, stacks);
            }
            watcher::Event::InitDone => {
                of_objects.current = mem::take(&mut of_objects.listing);
                self.listed.send_replace(true);
            }
            watcher::Event::Apply(event) => {
                let concerned = concerned(&event, stacks);
                if !concerned.is_empty() {
                    insert(&mut of_objects.current, event);
                }
                return unsettled(concerned, stacks);
            }
            watcher::Event::Delete(event) => remove(&mut of_objects.current, &event),
        }
        Vec::new()
    }

    fn lock(&self) -> MutexGuard<'_, OfObjects> {
        self.of_objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn insert(of_objects: &mut HashMap<String, VecDeque<Event>>, mut event: Event) {
    remove(of_objects, &event);
    prune::event(&mut event);
    let of_object = of_objects.entry(uid(&event)).or_default();
    of_object.push_back(event);
    if of_object.len() > LIMIT {
        of_object.pop_front();
    }
}

fn remove(of_objects: &mut HashMap<String, VecDeque<Event>>, event: &Event) {
    let uid = uid(event);
    let Some(of_object) = of_objects.get_mut(&uid) else { return };
    of_object.retain(|other| other.metadata.name != event.metadata.name);
    if of_object.is_empty() {
        of_objects.remove(&uid);
    }
}

fn uid(event: &Event) -> String {
    event.involved_object.uid.clone().unwrap_or_default()
}

/// The stacks whose objects have such a name: each begins with the name of its stack.
fn concerned(event: &Event, stacks: &Store<Guarded>) -> Vec<ObjectRef<Guarded>> {
    let object = &event.involved_object;
    let (Some(namespace), Some(name)) = (object.namespace.as_deref(), object.name.as_deref()) else {
        return Vec::new();
    };
    let prefixes = name.match_indices('-').filter_map(|(end, _)| name.get(..end));
    let references = prefixes.chain([name]).map(|name| ObjectRef::new(name).within(namespace));
    references.filter(|stack| stacks.get(stack).is_some()).collect()
}

fn unsettled(mut concerned: Vec<ObjectRef<Guarded>>, stacks: &Store<Guarded>) -> Vec<ObjectRef<Guarded>> {
    concerned.retain(|stack| !stacks.get(stack).is_some_and(|stack| stack.0.as_ref().is_ok_and(is_settled)));
    concerned
}

#[cfg(test)]
mod tests {
    use kube::{core::DeserializeGuard, runtime::reflector};
    use serde_json::json;
    use todostack_stack::fixtures;

    use super::*;

    fn stacks() -> Store<Guarded> {
        let (store, mut writer) = reflector::store();
        writer.apply_watcher_event(&watcher::Event::Apply(DeserializeGuard(Ok(fixtures::todostack("{}")))));
        store
    }

    fn warning(name: &str, object: &str, namespace: &str) -> Event {
        let involved = json!({"kind": "Pod", "name": object, "namespace": namespace, "uid": object});
        serde_json::from_value(json!({"metadata": {"name": name, "namespace": namespace},
            "involvedObject": involved, "reason": "FailedMount", "type": "Warning"}))
        .unwrap()
    }

    fn kept(warnings: &Warnings, object: &str) -> Vec<String> {
        let of_objects = warnings.lock();
        let of_object = of_objects.current.get(object).into_iter().flatten();
        of_object.map(|event| event.metadata.name.clone().unwrap()).collect()
    }

    #[test]
    fn what_concerns_no_stack_is_not_kept() {
        let (warnings, stacks) = (Warnings::default(), stacks());
        for (object, namespace, is_kept) in [
            ("shop-db-0", "shops", true),
            ("shop", "shops", true),
            ("shop-db-0", "others", false),
            ("shopping-0", "shops", false),
            ("other-shop", "shops", false),
        ] {
            let event = watcher::Event::Apply(warning("1", object, namespace));
            let concerned = warnings.receive(event, &stacks);
            let expected: Vec<_> =
                is_kept.then(|| ObjectRef::new("shop").within("shops")).into_iter().collect();
            assert_eq!(concerned, expected, "{object} of {namespace}");
            assert_eq!(kept(&warnings, object).len(), usize::from(is_kept), "{object} of {namespace}");
            warnings.receive(watcher::Event::Delete(warning("1", object, namespace)), &stacks);
            assert!(warnings.lock().current.is_empty());
        }
    }

    #[test]
    fn a_warning_about_a_settled_stack_is_kept_and_starts_no_reconcile() {
        let with = |ready: &str, reconciling: &str| {
            let mut stack = fixtures::todostack("{}");
            let condition = |type_: &str, status: &str, reason: &str| {
                json!({"type": type_, "status": status, "reason": reason, "message": "",
                    "lastTransitionTime": "2026-01-01T00:00:00Z"})
            };
            let conditions = [
                condition("Ready", if ready == "AsExpected" { "True" } else { "False" }, ready),
                condition("Reconciling", "False", reconciling),
            ];
            stack.status = serde_json::from_value(json!({"conditions": conditions})).unwrap();
            let (store, mut writer) = reflector::store();
            writer.apply_watcher_event(&watcher::Event::Apply(DeserializeGuard(Ok(stack))));
            store
        };
        for (ready, reconciling, reconciles) in [
            ("AsExpected", "AsExpected", 0),
            ("AsExpected", "Progressing", 1),
            ("CrashLoopBackOff", "AsExpected", 1),
        ] {
            let (warnings, stacks) = (Warnings::default(), with(ready, reconciling));
            let event = watcher::Event::Apply(warning("1", "shop-db-0", "shops"));
            assert_eq!(warnings.receive(event, &stacks).len(), reconciles, "{ready}, {reconciling}");
            assert_eq!(kept(&warnings, "shop-db-0"), ["1"]);
        }
    }

    #[test]
    fn the_newest_warnings_of_an_object_are_kept_and_a_repeated_one_is_the_newest() {
        let (warnings, stacks) = (Warnings::default(), stacks());
        let last = LIMIT + 3;
        for number in 0..=last {
            warnings
                .receive(watcher::Event::Apply(warning(&number.to_string(), "shop-db-0", "shops")), &stacks);
        }
        warnings.receive(watcher::Event::Apply(warning("10", "shop-db-0", "shops")), &stacks);
        let kept = kept(&warnings, "shop-db-0");
        assert_eq!((kept.len(), kept.last().map(String::as_str)), (LIMIT, Some("10")));
        assert!(kept.contains(&last.to_string()));
    }

    #[test]
    fn a_list_replaces_what_the_watch_has_missed() {
        let (warnings, stacks) = (Warnings::default(), stacks());
        warnings.receive(watcher::Event::Apply(warning("gone", "shop-db-0", "shops")), &stacks);
        warnings.receive(watcher::Event::Init, &stacks);
        warnings.receive(watcher::Event::InitApply(warning("new", "shop-db-0", "shops")), &stacks);
        assert_eq!(kept(&warnings, "shop-db-0"), ["gone"]);
        warnings.receive(watcher::Event::InitDone, &stacks);
        assert_eq!(kept(&warnings, "shop-db-0"), ["new"]);
    }
}
