//! Whose an object is: by its namespace, the operator's field manager and the uid of its owner. Labels decide
//! nothing, because anyone can set them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::Resource as _;
use todostack_crds::{FIELD_MANAGER, TodoStack};

use crate::{labels, stack_ref::StackRef};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The operator applied it, and no other controller owns it. Data has no owner, and what a backup
    /// restored has lost its owner: the next apply sets it.
    Own,
    /// The operator applied it for an earlier stack of the same name. The garbage collector deletes it.
    Earlier,
    /// Someone else created it, or another controller owns it.
    Foreign,
}

/// Whose an object with a name of `stack` is.
pub fn origin(stack: &StackRef, metadata: &ObjectMeta) -> Origin {
    let is_elsewhere = metadata.namespace.as_ref().is_some_and(|namespace| *namespace != stack.namespace);
    if is_elsewhere || !is_applied(metadata) {
        return Origin::Foreign;
    }
    match controller(metadata) {
        None => Origin::Own,
        Some(owner) if owner.uid == stack.uid => Origin::Own,
        Some(owner) if is_stack(owner) && owner.name == stack.name => Origin::Earlier,
        Some(_) => Origin::Foreign,
    }
}

/// Whether the object may be one of `stack`, by its labels or its owner.
pub fn concerns(stack: &StackRef, metadata: &ObjectMeta) -> bool {
    labels::stack_of(metadata) == Some((&stack.namespace, &stack.name))
        || controller(metadata).is_some_and(|owner| owner.uid == stack.uid)
}

/// The uid of the stack that owns the object.
pub fn owning_stack(metadata: &ObjectMeta) -> Option<&str> {
    controller(metadata).filter(|owner| is_stack(owner)).map(|owner| owner.uid.as_str())
}

/// Whether the operator's field manager has applied the object.
pub fn is_applied(metadata: &ObjectMeta) -> bool {
    metadata.managed_fields.iter().flatten().any(|entry| {
        entry.manager.as_deref() == Some(FIELD_MANAGER) && entry.operation.as_deref() == Some("Apply")
    })
}

/// The owner that manages the object.
pub fn controller(metadata: &ObjectMeta) -> Option<&OwnerReference> {
    metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))
}

fn is_stack(owner: &OwnerReference) -> bool {
    let group = TodoStack::group(&());
    let is_same_group = owner.api_version.split_once('/').is_some_and(|(theirs, _)| theirs == group);
    is_same_group && owner.kind == TodoStack::kind(&())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::fixtures;

    const UID: &str = "11111111-2222-3333-4444-555555555555";

    fn stack() -> StackRef {
        StackRef::try_from(&fixtures::todostack("{}")).unwrap()
    }

    // With every label that the operator's own objects have.
    fn metadata(
        namespace: Option<&str>,
        manager: (&str, &str),
        owner: Option<(&str, &str, &str)>,
    ) -> ObjectMeta {
        let owners = owner.map(|(kind, name, uid)| {
            let api_version = if kind == "TodoStack" { "todostack.dev/v1alpha1" } else { "apps/v1" };
            serde_json::json!([{"apiVersion": api_version, "kind": kind, "name": name, "uid": uid, "controller": true}])
        });
        serde_json::from_value(serde_json::json!({
            "name": "shop-api",
            "namespace": namespace,
            "labels": {
                "app.kubernetes.io/managed-by": "todostack-operator",
                "todostack.dev/stack": "shop", "todostack.dev/namespace": "shops",
            },
            "managedFields": [{"manager": manager.0, "operation": manager.1}],
            "ownerReferences": owners,
        }))
        .unwrap()
    }

    #[rstest]
    #[case::applied_and_owned(Some("shops"), OPERATOR, Some(("TodoStack", "shop", UID)), Origin::Own)]
    #[case::data_or_restored(Some("shops"), OPERATOR, None, Origin::Own)]
    #[case::cluster_scoped(None, OPERATOR, None, Origin::Own)]
    #[case::of_an_earlier_stack(Some("shops"), OPERATOR, Some(("TodoStack", "shop", "old")), Origin::Earlier)]
    #[case::of_another_stack(Some("shops"), OPERATOR, Some(("TodoStack", "other", "old")), Origin::Foreign)]
    #[case::of_another_controller(Some("shops"), OPERATOR, Some(("Deployment", "shop", "x")), Origin::Foreign)]
    #[case::with_all_labels(Some("shops"), ("kubectl", "Apply"), None, Origin::Foreign)]
    #[case::with_labels_and_owner(Some("shops"), ("kubectl", "Apply"), Some(("TodoStack", "shop", UID)), Origin::Foreign)]
    #[case::updated_and_not_applied(Some("shops"), ("todostack-operator", "Update"), None, Origin::Foreign)]
    #[case::in_another_namespace(Some("other"), OPERATOR, None, Origin::Foreign)]
    fn an_object_is_the_operators_own_by_namespace_manager_and_owner(
        #[case] namespace: Option<&str>,
        #[case] manager: (&str, &str),
        #[case] owner: Option<(&str, &str, &str)>,
        #[case] expected: Origin,
    ) {
        assert_eq!(origin(&stack(), &metadata(namespace, manager, owner)), expected);
    }

    const OPERATOR: (&str, &str) = ("todostack-operator", "Apply");

    #[test]
    fn labels_do_not_change_whose_an_object_is() {
        for manager in [OPERATOR, ("kubectl", "Apply")] {
            let with = metadata(Some("shops"), manager, None);
            let without = ObjectMeta { labels: None, ..with.clone() };
            assert_eq!(origin(&stack(), &with), origin(&stack(), &without));
        }
    }

    #[test]
    fn an_owned_object_without_labels_concerns_the_stack() {
        let owned = metadata(Some("shops"), OPERATOR, Some(("TodoStack", "shop", UID)));
        assert!(concerns(&stack(), &ObjectMeta { labels: None, ..owned }));
    }
}
