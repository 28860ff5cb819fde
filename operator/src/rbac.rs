//! The rights that the operator uses, and who uses them; a test holds the chart's rules to this list, both ways.

/// One right: API group, resource, verbs, and whether the resource lives in a namespace.
pub type Right = (&'static str, &'static str, &'static [&'static str], bool);

/// A watch lists first.
const WATCH: &[&str] = &["list", "watch"];
/// `watch` feeds the caches, `observe` asks for what they have not brought, `apply` makes and changes.
const CHILD: &[&str] = &["get", "list", "watch", "create", "patch"];
/// The same, and `apply` or `cleanup` takes it away.
const CHILD_THAT_GOES: &[&str] = &["get", "list", "watch", "create", "patch", "delete"];

/// All of them.
pub const RIGHTS: &[Right] = &[
    // The finalizer is a patch; the spec is never written.
    ("todostack.dev", "todostacks", &["list", "watch", "patch"], true),
    ("todostack.dev", "todostacks/status", &["patch"], true),
    ("", "secrets", CHILD, true),
    ("", "services", CHILD, true),
    ("", "serviceaccounts", CHILD, true),
    ("", "persistentvolumeclaims", CHILD_THAT_GOES, true),
    ("", "persistentvolumes", CHILD_THAT_GOES, false),
    ("", "configmaps", &["get"], true),
    ("", "pods", WATCH, true),
    // Of pods that wait.
    ("", "events", &["list"], true),
    // Of the operator's own.
    ("events.k8s.io", "events", &["create", "patch"], true),
    ("apps", "deployments", CHILD, true),
    ("apps", "statefulsets", CHILD, true),
    // A hash in their names keeps them apart from others', so none is asked for by name.
    ("batch", "jobs", &["list", "watch", "create", "patch", "delete"], true),
    ("networking.k8s.io", "ingresses", CHILD_THAT_GOES, true),
    ("networking.k8s.io", "ingressclasses", WATCH, false),
    ("storage.k8s.io", "storageclasses", WATCH, false),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use k8s_openapi::api::rbac::v1::PolicyRule;

    use super::*;

    type Flat = BTreeSet<(String, String, String)>;

    fn chart(file: &str) -> Flat {
        let path =
            format!("{}/../charts/todostack-operator/files/rules/{file}.yaml", env!("CARGO_MANIFEST_DIR"));
        let rules: Vec<PolicyRule> = serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let mut flat = Flat::new();
        for rule in rules {
            assert_eq!(rule.resource_names, None);
            for group in rule.api_groups.iter().flatten() {
                for resource in rule.resources.iter().flatten() {
                    flat.extend(
                        rule.verbs.iter().map(|verb| (group.clone(), resource.clone(), verb.clone())),
                    );
                }
            }
        }
        flat
    }

    fn used(in_namespace: bool) -> Flat {
        let rights = RIGHTS.iter().filter(|right| right.3 == in_namespace);
        rights
            .flat_map(|(group, resource, verbs, _)| {
                verbs.iter().map(|verb| ((*group).to_owned(), (*resource).to_owned(), (*verb).to_owned()))
            })
            .collect()
    }

    #[test]
    fn the_chart_gives_just_the_rights_that_are_used() {
        assert_eq!(chart("namespaced"), used(true));
        assert_eq!(chart("cluster"), used(false));
    }
}
