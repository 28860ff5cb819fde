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
    // Deleted when the StatefulSet controller does not replace them.
    ("", "pods", &["list", "watch", "delete"], true),
    // Events of pods that do not become ready.
    ("", "events", &["list"], true),
    // The operator's own Events.
    ("events.k8s.io", "events", &["create", "patch"], true),
    ("networking.k8s.io", "ingressclasses", &["list", "watch"], false),
    ("storage.k8s.io", "storageclasses", &["list", "watch"], false),
];

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
    let others = OTHERS.iter().map(|(group, resource, verbs, is_namespaced)| Right {
        group: (*group).to_owned(),
        resource: (*resource).to_owned(),
        verbs,
        is_namespaced: *is_namespaced,
    });
    managed.chain(others)
}

/// The rules of a Role (`is_namespaced`) or of a ClusterRole, as YAML. Resources with the same verbs share a
/// rule.
pub fn rules(is_namespaced: bool) -> String {
    let mut rules: BTreeMap<(String, &[&str]), Vec<String>> = BTreeMap::new();
    for right in rights().filter(|right| right.is_namespaced == is_namespaced) {
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
