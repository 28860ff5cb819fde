//! Labels, annotations and metadata of managed objects. What else an object carries is in its file of
//! `resources/`.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use todostack_crds::FIELD_MANAGER;

use crate::stack::Stack;

/// Label with the name of the stack, for objects that have no owner reference too.
pub const STACK: &str = "todostack.dev/stack";
/// Label with the namespace of the stack, for cluster-scoped objects.
pub const NAMESPACE: &str = "todostack.dev/namespace";
/// Label that the watches select by.
pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
pub const COMPONENT: &str = "app.kubernetes.io/component";
/// Annotations by which GitOps tools keep an object that they took for their own.
const KEPT: [(&str, &str); 2] =
    [("argocd.argoproj.io/sync-options", "Prune=false,Delete=false"), ("helm.sh/resource-policy", "keep")];
/// Annotation with a hash of what was applied.
pub const APPLIED: &str = "todostack.dev/applied";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// Database, its volume and its credentials.
    Database,
    Migration,
    Api,
    Exposure,
}

impl Component {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Migration => "migration",
            Self::Api => "api",
            Self::Exposure => "exposure",
        }
    }
}

/// Selector of the watches on managed objects.
pub fn watch_selector() -> String {
    format!("{MANAGED_BY}={FIELD_MANAGER}")
}

/// The labels of every managed object and pod. `app.kubernetes.io/instance` is not one of them: Argo CD with
/// tracking by label takes an object that has it and no owner for its own, and prunes it. Dashboards find a
/// stack by `app.kubernetes.io/part-of`.
pub fn labels(stack: &Stack, component: Component) -> BTreeMap<String, String> {
    let mut labels = selector_labels(stack, component);
    labels.extend([
        ("app.kubernetes.io/name".to_owned(), "todostack".to_owned()),
        ("app.kubernetes.io/part-of".to_owned(), stack.id.name.clone()),
        (MANAGED_BY.to_owned(), FIELD_MANAGER.to_owned()),
        (NAMESPACE.to_owned(), stack.id.namespace.clone()),
    ]);
    labels
}

/// The labels that select pods. They must not change: the selector of a Deployment is immutable.
pub fn selector_labels(stack: &Stack, component: Component) -> BTreeMap<String, String> {
    BTreeMap::from([
        (STACK.to_owned(), stack.id.name.clone()),
        (COMPONENT.to_owned(), component.as_str().to_owned()),
    ])
}

/// The selector of a stack's pods and Jobs of a component, as `kubectl` takes it.
pub(crate) fn selector_text(stack: &str, component: Component) -> String {
    format!("{STACK}={stack},{COMPONENT}={}", component.as_str())
}

/// The selector of a Deployment or StatefulSet.
pub fn selector(stack: &Stack, component: Component) -> LabelSelector {
    LabelSelector { match_labels: Some(selector_labels(stack, component)), ..LabelSelector::default() }
}

/// Metadata of an object that is deleted with the stack.
pub fn owned(stack: &Stack, name: String, component: Component) -> ObjectMeta {
    ObjectMeta {
        owner_references: Some(vec![stack.id.owner_reference()]),
        ..metadata(stack, name, component)
    }
}

/// Metadata of an object that holds data or credentials. It has no owner, so the garbage collector never
/// deletes it; under `deletionPolicy: Delete` the operator does.
pub fn unowned(stack: &Stack, name: String, component: Component) -> ObjectMeta {
    let kept = KEPT.map(|(key, value)| (key.to_owned(), value.to_owned()));
    ObjectMeta { annotations: Some(kept.into()), ..metadata(stack, name, component) }
}

fn metadata(stack: &Stack, name: String, component: Component) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(stack.id.namespace.clone()),
        labels: Some(labels(stack, component)),
        ..ObjectMeta::default()
    }
}

/// The stack that an object's labels name, as namespace and name. The label with the namespace counts for
/// cluster-scoped objects only: anyone can set it on an object of another namespace.
pub fn stack_of(metadata: &ObjectMeta) -> Option<(&str, &str)> {
    let labels = metadata.labels.as_ref()?;
    let namespace = metadata.namespace.as_ref().or_else(|| labels.get(NAMESPACE))?;
    Some((namespace, labels.get(STACK)?))
}
