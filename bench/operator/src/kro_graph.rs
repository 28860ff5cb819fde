//! kro's ResourceGraphDefinition with the objects of a stack as templates. `subject/kro.rs` runs kro.

use serde_json::{Map, Value, json};
use todostack_crds::TodoStack;
use todostack_stack::managed::Kind;

use crate::stacks::{self, Id};

pub(crate) const KIND: &str = "BenchStack";
pub(crate) const GROUP: &str = "kro.run";
pub(crate) const VERSION: &str = "v1alpha1";
pub(crate) const NAME: &str = "benchstack.kro.run";

// What stands for the stack in the templates until it becomes an expression. It is no word of a script.
const STACK: &str = "qqstackqq";
const NAMESPACE: &str = "qqspaceqq";

/// An instance: one stack.
pub(crate) fn instance(id: &Id) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "kind": KIND,
        "metadata": {"namespace": id.namespace, "name": id.name},
        "spec": {"logLevel": "info"},
    })
}

/// The definition. Templates have no owner references: kro finds the objects of an instance by their labels.
pub(crate) fn definition() -> anyhow::Result<Value> {
    let id = Id { namespace: NAMESPACE.to_owned(), name: STACK.to_owned() };
    let mut stored: TodoStack = serde_json::from_value(stacks::todostack(&id))?;
    stored.metadata.uid = Some("11111111-2222-3333-4444-555555555555".to_owned());
    stored.metadata.generation = Some(1);
    let mut resources = Vec::new();
    for (index, (kind, mut object)) in stacks::objects(&stored)?.into_iter().enumerate() {
        if let Some(metadata) = object.pointer_mut("/metadata").and_then(Value::as_object_mut) {
            metadata.remove("ownerReferences");
        }
        if kind == Kind::Deployment {
            follow_log_level(&mut object);
        }
        let id = format!("{}{index}", <&str>::from(kind).to_lowercase());
        let mut resource = json!({"id": id, "template": template(object)});
        let ready = ready_when(kind, &id);
        if !ready.is_empty()
            && let Some(resource) = resource.as_object_mut()
        {
            resource.insert("readyWhen".to_owned(), json!(ready));
        }
        resources.push(resource);
    }
    Ok(json!({
        "apiVersion": "kro.run/v1alpha1",
        "kind": "ResourceGraphDefinition",
        "metadata": {"name": NAME},
        "spec": {
            "schema": {
                "apiVersion": VERSION,
                "kind": KIND,
                "spec": {"logLevel": "string | default=\"info\""},
            },
            "resources": resources,
        },
    }))
}

/// So that an edit of an instance rolls its pods, as `spec.api.logLevel` of a TodoStack does.
fn follow_log_level(deployment: &mut Value) {
    let environment = deployment.pointer_mut("/spec/template/spec/containers/0/env");
    for variable in environment.and_then(Value::as_array_mut).into_iter().flatten() {
        if variable.get("name").and_then(Value::as_str) == Some("TODOSTACK_LOG_LEVEL") {
            *variable = json!({"name": "TODOSTACK_LOG_LEVEL", "value": "${schema.spec.logLevel}"});
        }
    }
}

fn ready_when(kind: Kind, id: &str) -> Vec<String> {
    let expressions: &[&str] = match kind {
        Kind::PersistentVolumeClaim => &["status.phase == \"Bound\""],
        Kind::StatefulSet => &["status.readyReplicas == 1"],
        Kind::Job => &["status.succeeded == 1"],
        Kind::Deployment => &["status.availableReplicas == 2"],
        Kind::Ingress => &["status.loadBalancer.ingress.size() > 0"],
        _ => &[],
    };
    expressions.iter().map(|expression| format!("${{{id}.{expression}}}")).collect()
}

/// The object with expressions in place of what differs between stacks.
fn template(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(expression(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(template).collect()),
        Value::Object(fields) => {
            let fields: Map<_, _> = fields.into_iter().map(|(key, field)| (key, template(field))).collect();
            Value::Object(fields)
        }
        other => other,
    }
}

/// A string as an expression of CEL, if it names the stack or if kro would take a part for an expression.
fn expression(text: String) -> String {
    let is_expression = text.starts_with("${schema.");
    let names_stack = text.contains(STACK) || text.contains(NAMESPACE);
    if is_expression || !(names_stack || text.contains("${")) {
        return text;
    }
    // The escapes of JSON are escapes of CEL, too.
    let literal = Value::String(text).to_string();
    let literal = literal
        .replace(STACK, "\" + schema.metadata.name + \"")
        .replace(NAMESPACE, "\" + schema.metadata.namespace + \"");
    format!("${{{literal}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_has_eleven_resources() {
        let definition = definition().unwrap();
        assert_eq!(definition["spec"]["resources"].as_array().unwrap().len(), 11);
    }

    #[test]
    fn scripts_of_a_shell_are_literals_of_an_expression() {
        assert_eq!(expression("echo \"${A}\"\n".to_owned()), r#"${"echo \"${A}\"\n"}"#);
        assert_eq!(
            expression(format!("{STACK}-api.{NAMESPACE}")),
            r#"${"" + schema.metadata.name + "-api." + schema.metadata.namespace + ""}"#
        );
        assert_eq!(expression("plain".to_owned()), "plain");
    }
}
