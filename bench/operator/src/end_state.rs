//! Whether the cluster is as the TodoStacks say: each has its objects once, deleted ones have none. Pure,
//! except for the lists.

use std::collections::{BTreeMap, BTreeSet};

use futures::{TryStreamExt as _, stream};
use kube::api::{Api, DynamicObject, ListParams};
use kube::{Client, ResourceExt as _};
use serde_json::Value;
use todostack_crds::TodoStack;
use todostack_stack::managed::Kind;

use crate::stacks::{self, Id};

const KINDS: [Kind; 9] = [
    Kind::ServiceAccount,
    Kind::Secret,
    Kind::Service,
    Kind::PersistentVolumeClaim,
    Kind::StatefulSet,
    Kind::Job,
    Kind::Deployment,
    Kind::Ingress,
    Kind::PodDisruptionBudget,
];

/// What is compared of an object, if the stack says it: the rest depends on credentials.
const COMPARED: [&str; 3] =
    ["/spec/replicas", "/spec/template/spec/containers/0/image", "/spec/rules/0/host"];

/// All stacks, and the objects of the operator.
#[derive(Default)]
pub(crate) struct State {
    stacks: BTreeMap<Id, TodoStack>,
    objects: BTreeMap<Id, Vec<(Kind, DynamicObject)>>,
}

/// Lists everything.
pub(crate) async fn read(client: &Client) -> anyhow::Result<State> {
    let mut state = State::default();
    let stacks: Api<TodoStack> = Api::all(client.clone());
    for stack in stacks.list(&ListParams::default()).await? {
        let id = Id { namespace: stack.namespace().unwrap_or_default(), name: stack.name_any() };
        state.stacks.insert(id, stack);
    }
    let parameters = ListParams::default().labels("todostack.dev/stack");
    let lists: Vec<_> = stream::iter(KINDS.map(anyhow::Ok))
        .and_then(async |kind| {
            let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind.api_resource());
            Ok((kind, api.list(&parameters).await?))
        })
        .try_collect()
        .await?;
    for (kind, list) in lists {
        for object in list {
            let name = object.labels().get("todostack.dev/stack").cloned().unwrap_or_default();
            let id = Id { namespace: object.namespace().unwrap_or_default(), name };
            state.objects.entry(id).or_default().push((kind, object));
        }
    }
    Ok(state)
}

impl State {
    /// What is not as it should be, if these stacks and no others should exist.
    pub(crate) fn faults(&self, expected: &BTreeSet<Id>) -> anyhow::Result<Vec<String>> {
        let mut faults = Vec::new();
        for id in expected.iter().filter(|id| !self.stacks.contains_key(id)) {
            faults.push(format!("{id} does not exist"));
        }
        for (id, stack) in &self.stacks {
            if !expected.contains(id) {
                faults.push(format!("{id} is not gone"));
                continue;
            }
            if !is_ready(stack) {
                faults.push(format!("{id} is not Ready in its generation"));
            }
            let objects = self.objects.get(id).map_or([].as_slice(), Vec::as_slice);
            let found = stack_faults(stack, objects)?;
            faults.extend(found.into_iter().map(|fault| format!("{id}: {fault}")));
        }
        for (id, objects) in self.objects.iter().filter(|(id, _)| !self.stacks.contains_key(id)) {
            // `deletionPolicy: Retain` keeps them.
            let is_data = |kind: Kind| matches!(kind, Kind::Secret | Kind::PersistentVolumeClaim);
            let is_leftover = |(kind, object): &&(Kind, DynamicObject)| {
                !is_data(*kind) || object.metadata.deletion_timestamp.is_some() || !is_retained(id)
            };
            let leftover = objects.iter().filter(is_leftover);
            faults.extend(leftover.map(|(kind, it)| format!("{id} left {kind:?} {}", it.name_any())));
        }
        Ok(faults)
    }
}

/// Of half of the stacks, the data is retained: by the parity of the number.
pub(crate) fn is_retained(id: &Id) -> bool {
    id.name.bytes().last().is_some_and(|digit| digit.is_ascii_digit() && (digit - b'0').is_multiple_of(2))
}

fn is_ready(stack: &TodoStack) -> bool {
    let mut conditions = stack.status.iter().flat_map(|status| &status.conditions);
    let ready = conditions.find(|it| it.type_ == "Ready");
    ready.is_some_and(|it| it.status == "True" && it.observed_generation == stack.metadata.generation)
}

/// Differences between the objects that a stack asks for and those that exist.
fn stack_faults(stack: &TodoStack, objects: &[(Kind, DynamicObject)]) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    let expected = stacks::objects(stack)?;
    let (jobs, others): (Vec<_>, Vec<_>) = objects.iter().partition(|(kind, _)| *kind == Kind::Job);
    let mut missing: BTreeSet<(Kind, String)> = BTreeSet::new();
    for (kind, object) in expected.iter().filter(|(kind, _)| *kind != Kind::Job) {
        let name = stacks::name(object)?;
        missing.insert((*kind, name.to_owned()));
        if let Some((_, found)) = others.iter().find(|(it, found)| it == kind && found.name_any() == name) {
            faults.extend(differing(object, found));
        }
    }
    for (kind, object) in others {
        if !missing.remove(&(*kind, object.name_any())) {
            faults.push(format!("superfluous {kind:?} {}", object.name_any()));
        }
    }
    faults.extend(missing.into_iter().map(|(kind, name)| format!("{kind:?} {name} is missing")));
    for (kind, object) in objects {
        let mut owners = object.owner_references().iter();
        if owners.any(|owner| Some(&owner.uid) != stack.metadata.uid.as_ref()) {
            faults.push(format!("{kind:?} {} is of an earlier stack", object.name_any()));
        }
        if object.metadata.deletion_timestamp.is_some() {
            faults.push(format!("{kind:?} {} is being deleted", object.name_any()));
        }
    }
    faults.extend(job_faults(stack, &jobs));
    Ok(faults)
}

/// Finished Jobs of earlier images stay for a while; one image is migrated to by one Job.
fn job_faults(stack: &TodoStack, jobs: &[&(Kind, DynamicObject)]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut images = BTreeSet::new();
    for (_, job) in jobs {
        let image = job.data.pointer("/spec/template/spec/containers/0/image").and_then(Value::as_str);
        if !images.insert(image) {
            faults.push(format!("two Jobs migrate for the image {}", image.unwrap_or_default()));
        }
        if job.data.pointer("/status/succeeded").and_then(Value::as_u64) != Some(1) {
            faults.push(format!("Job {} has not succeeded", job.name_any()));
        }
    }
    let wanted = stack.spec.api.as_ref().and_then(|api| api.image.as_deref());
    if !images.contains(&Some(wanted.unwrap_or(stacks::API_IMAGE))) {
        faults.push("no Job has migrated for its image".to_owned());
    }
    faults
}

fn differing(expected: &Value, found: &DynamicObject) -> Option<String> {
    let kind = expected.get("kind").and_then(Value::as_str).unwrap_or_default();
    let differs = |pointer: &&&str| {
        expected.pointer(pointer).is_some_and(|value| found.data.pointer(pointer) != Some(value))
    };
    let level = |object: &Value| {
        let env = object.pointer("/spec/template/spec/containers/0/env").and_then(Value::as_array);
        let mut env = env.into_iter().flatten();
        env.find(|it| it.get("name").and_then(Value::as_str) == Some("TODOSTACK_LOG_LEVEL")).cloned()
    };
    if let Some(pointer) = COMPARED.iter().find(differs) {
        return Some(format!("{kind} has another {pointer}"));
    }
    (level(expected) != level(&found.data)).then(|| format!("{kind} has another log level"))
}

#[cfg(test)]
mod tests;
