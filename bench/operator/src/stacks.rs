//! The stacks that are created, and the objects of each as the operator would apply them. Sends nothing.

use anyhow::Context as _;
use jiff::Timestamp;
use kube::{Api, Client, api::DynamicObject, core::ApiResource};
use serde_json::{Value, json};
use todostack_crds::{GROUP, TodoStack, VERSION};
use todostack_stack::{
    build::{Desired, build},
    config::Config,
    credentials::GeneratedSecrets,
    managed::Kind,
    observed::Observed,
    resolve::{Inputs, resolve},
};

pub(crate) const API_IMAGE: &str = "registry.example.com/todostack-api:1";
/// kwok.yaml has a stage for it.
const MISSING_IMAGE: &str = "registry.invalid/missing:1";
const NAMESPACES: usize = 10;

/// Namespace and name of a stack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Id {
    pub(crate) fn number(number: usize) -> Self {
        Self { namespace: format!("bench-{}", number % NAMESPACES), name: format!("s{number:04}") }
    }

    pub(crate) fn host(&self) -> String {
        format!("{}.bench.example.com", self.name)
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

pub(crate) fn namespaces() -> Vec<String> {
    (0..NAMESPACES).map(|number| Id::number(number).namespace).collect()
}

/// A stack with an Ingress, which has eleven objects.
pub(crate) fn todostack(id: &Id) -> Value {
    with_spec(id, &json!({"exposure": {"host": id.host()}}))
}

/// One of three that are broken, each in another way: image, StorageClass, Secret.
pub(crate) fn broken(id: &Id, number: usize) -> Value {
    let host = json!({"host": id.host()});
    match number % 9 {
        0 => with_spec(id, &json!({"exposure": host, "api": {"image": MISSING_IMAGE}})),
        3 => with_spec(
            id,
            &json!({"exposure": host, "database": {"postgres": {"storage": {"storageClassName": "missing"}}}}),
        ),
        6 => with_spec(
            id,
            &json!({"exposure": host, "database": {"external": {"secret": {"name": "missing"}}}}),
        ),
        _ => todostack(id),
    }
}

pub(crate) fn is_broken(number: usize) -> bool {
    number.is_multiple_of(3)
}

fn with_spec(id: &Id, spec: &Value) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "kind": "TodoStack",
        "metadata": {"namespace": id.namespace, "name": id.name},
        "spec": spec,
    })
}

/// The objects of a stack in the order in which the operator applies them. `stored` is the created TodoStack.
pub(crate) fn objects(stored: &TodoStack) -> anyhow::Result<Vec<(Kind, Value)>> {
    let config = Config { api_image: API_IMAGE.to_owned(), ..Config::default() };
    let generated = GeneratedSecrets {
        superuser_password: "3Zk8mR2vXq7LpN5tYw9B".to_owned(),
        app_password: "7Hn4cD6sJf1GxV8kQz2M".to_owned(),
        revision: "b7e23ec29af22b0b".to_owned(),
    };
    let observed = Observed::default();
    let inputs = Inputs {
        observed: &observed,
        generated: &generated,
        config: &config,
        rotate: None,
        now: Timestamp::now(),
    };
    let stack = resolve(stored, inputs)?;
    let mut objects = Vec::new();
    for (_, desired) in build(&stack) {
        if let Desired::Apply(object) = desired {
            objects.push((object.key().kind, serde_json::to_value(&object)?));
        }
    }
    Ok(objects)
}

/// The API of a kind in the namespace of a stack; all kinds of such a stack have one.
pub(crate) fn api(client: &Client, id: &Id, resource: &ApiResource) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), &id.namespace, resource)
}

pub(crate) fn name(object: &Value) -> anyhow::Result<&str> {
    object.pointer("/metadata/name").and_then(Value::as_str).context("an object has no name")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_within(part: &Value, whole: &Value) -> bool {
        match part {
            Value::Object(fields) => fields.iter().all(|(key, field)| is_within(field, &whole[key])),
            other => other == whole,
        }
    }

    #[test]
    fn a_third_of_the_broken_scenarios_stacks_has_another_spec() {
        for number in 0..18 {
            let id = Id::number(number);
            let stack = broken(&id, number);
            assert_eq!(stack != todostack(&id), is_broken(number));
            // Nothing is lost that the types do not know.
            let known: TodoStack = serde_json::from_value(stack.clone()).unwrap();
            let known = serde_json::to_value(&known.spec).unwrap();
            assert!(is_within(&stack["spec"], &known), "{} in {known}", stack["spec"]);
        }
    }
}
