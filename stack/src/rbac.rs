//! The rights that the operator needs: those on managed kinds from the table, the others from here. The
//! chart's rules are generated from them; what the operator does is held to them by its conversations with a
//! mock API server.

use std::{collections::BTreeMap, fmt::Write as _};

use strum::IntoEnumIterator as _;

use crate::managed::Kind;

/// The right to use verbs on a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// API group; empty for core.
    pub group: String,
    /// Plural name, with its subresource.
    pub resource: String,
    pub verbs: &'static [&'static str],
    /// Whether the resource lives in a namespace.
    pub is_namespaced: bool,
}

/// Rights on kinds that the operator does not manage: group, resource, verbs, whether it lives in a
/// namespace.
const OTHERS: &[(&str, &str, &[&str], bool)] = &[
    // The finalizer is a patch; the spec is never written. One that cannot be read is got for its conditions.
    ("todostack.dev", "todostacks", &["get", "list", "watch", "patch"], true),
    ("todostack.dev", "todostacks/status", &["patch"], true),
    // Init scripts, to report a ConfigMap that is missing.
    ("", "configmaps", &["get"], true),
    // Whether a client that scaled the Deployment is a HorizontalPodAutoscaler.
    ("autoscaling", "horizontalpodautoscalers", &["list"], true),
    // Deleted when the StatefulSet controller does not replace them.
    ("", "pods", &["list", "watch", "delete"], true),
    // Why objects do not become ready.
    ("", "events", &["list", "watch"], true),
    // The operator's own Events.
    ("events.k8s.io", "events", &["create", "patch"], true),
    ("networking.k8s.io", "ingressclasses", &["list", "watch"], false),
    ("storage.k8s.io", "storageclasses", &["list", "watch"], false),
    // Leases of other installations, in their namespaces: whether who manages a stack is alive.
    ("coordination.k8s.io", "leases", &["get"], false),
];

/// Rights in the operator's own namespace: the Lease by which a replica is elected, and those of its shards.
/// By name, except for what cannot be limited by one.
const OWN: &[(&str, &str, &[&str], bool)] = &[
    ("coordination.k8s.io", "leases", &["get", "update"], true),
    ("coordination.k8s.io", "leases", &["create", "list"], true),
];

/// Rights on the namespaces, which are watched only where a label chooses them.
const SELECTION: &[(&str, &str, &[&str], bool)] = &[("", "namespaces", &["list", "watch"], false)];

/// What a role is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Cluster-scoped resources, and the Leases of other installations.
    Cluster,
    /// Namespaced resources of the stacks.
    Namespaced,
    /// The operator's own namespace.
    Own,
    /// The namespaces, where a label chooses them.
    Selection,
}

pub fn rights() -> impl Iterator<Item = Right> {
    let managed = Kind::iter().map(|kind| {
        let resource = kind.api_resource();
        Right {
            group: resource.group,
            resource: resource.plural,
            verbs: kind.verbs(),
            is_namespaced: kind.is_namespaced(),
        }
    });
    managed.chain(OTHERS.iter().map(right))
}

/// The rights in the operator's own namespace.
pub fn own_rights() -> impl Iterator<Item = Right> {
    OWN.iter().map(right)
}

/// The rights for a label selector of namespaces.
pub fn selection_rights() -> impl Iterator<Item = Right> {
    SELECTION.iter().map(right)
}

fn right((group, resource, verbs, is_namespaced): &(&str, &str, &'static [&'static str], bool)) -> Right {
    Right {
        group: (*group).to_owned(),
        resource: (*resource).to_owned(),
        verbs,
        is_namespaced: *is_namespaced,
    }
}

/// The rules of a Role or ClusterRole, as YAML. Resources with the same verbs share a rule.
pub fn rules(scope: Scope) -> String {
    let mut rules: BTreeMap<(String, &[&str]), Vec<String>> = BTreeMap::new();
    let rights: Vec<_> = match scope {
        Scope::Own => own_rights().collect(),
        Scope::Selection => selection_rights().collect(),
        scope => rights().filter(|right| right.is_namespaced == (scope == Scope::Namespaced)).collect(),
    };
    for right in rights {
        rules.entry((right.group, right.verbs)).or_default().push(right.resource);
    }
    let mut yaml = String::new();
    for ((group, verbs), resources) in rules {
        let group = if group.is_empty() { "\"\"" } else { &group };
        let (resources, verbs) = (resources.join(", "), verbs.join(", "));
        // Writing to a String cannot fail.
        let _ = write!(yaml, "- apiGroups: [{group}]\n  resources: [{resources}]\n  verbs: [{verbs}]\n");
    }
    yaml
}
