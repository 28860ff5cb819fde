//! Whether a HorizontalPodAutoscaler scales the API's Deployment. One that scales the `TodoStack` edits its
//! spec, and is no business of this file. Reading is the caller's.

use k8s_openapi::{
    api::autoscaling::v2::HorizontalPodAutoscaler, apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use todostack_crds::FIELD_MANAGER;

use crate::{
    managed::{Deployment, Key},
    names,
    requirements::Requirements,
    stack_ref::StackRef,
};

/// The key of the Deployment.
pub fn target(stack: &StackRef) -> Key {
    Key::new::<Deployment>(names::api(&stack.name))
}

/// Whether another client has set the replicas of the Deployment through its subresource `scale`, as a
/// HorizontalPodAutoscaler and `kubectl scale` do, and may keep them. Only then is it worth asking for
/// autoscalers. A SQLite file has one pod, and a stack with 0 replicas is stopped.
pub fn may_be_autoscaled(requirements: &Requirements<'_>, found: &ObjectMeta) -> bool {
    let mut entries = found.managed_fields.iter().flatten();
    let is_scaled = entries.any(|entry| {
        let fields = entry.fields_v1.as_ref();
        entry.manager.as_deref() != Some(FIELD_MANAGER)
            && entry.subresource.as_deref() == Some("scale")
            && fields.is_some_and(|fields| fields.0.pointer("/f:spec/f:replicas").is_some())
    });
    is_scaled && !requirements.is_sqlite() && requirements.replicas > 0
}

/// Whether one of the autoscalers of the namespace scales the Deployment.
pub fn is_autoscaled(stack: &StackRef, autoscalers: &[HorizontalPodAutoscaler]) -> bool {
    let name = names::api(&stack.name);
    autoscalers.iter().any(|autoscaler| {
        let target = &autoscaler.spec.scale_target_ref;
        let is_of_apps = target.api_version.as_deref().is_none_or(|version| version.starts_with("apps/"));
        target.kind == "Deployment" && target.name == name && is_of_apps
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        fixtures::{applied, resolved_from, todostack},
        managed::ManagedResource,
        observed::Observed,
    };

    fn observed(manager: &str, subresource: Option<&str>, field: &str, replicas: i32) -> Observed {
        let metadata = json!({"name": "shop-api", "managedFields": [applied(), {
            "manager": manager, "operation": "Update", "subresource": subresource,
            "fieldsV1": {"f:spec": {field: {}}},
        }]});
        let deployment =
            json!({"metadata": metadata, "spec": {"replicas": replicas, "selector": {}, "template": {}}});
        let mut observed = Observed {
            deployment: Some(std::sync::Arc::new(serde_json::from_value(deployment).unwrap())),
            ..Observed::default()
        };
        let key = Key::new::<Deployment>("shop-api".into());
        observed.inventory.insert(key, serde_json::from_value(metadata).unwrap());
        observed
    }

    #[rstest]
    #[case::autoscaler("{}", "kube-controller-manager", Some("scale"), "f:replicas", true)]
    #[case::keda("{}", "keda", Some("scale"), "f:replicas", true)]
    #[case::an_edit("{}", "kubectl-edit", None, "f:replicas", false)]
    #[case::the_status("{}", "kube-controller-manager", Some("status"), "f:replicas", false)]
    #[case::another_field("{}", "kubectl", Some("scale"), "f:paused", false)]
    #[case::sqlite("{database: {sqlite: {}}}", "kube-controller-manager", Some("scale"), "f:replicas", false)]
    #[case::stopped("{api: {replicas: 0}}", "kube-controller-manager", Some("scale"), "f:replicas", false)]
    fn replicas_that_were_scaled_may_be_an_autoscalers(
        #[case] spec: &str,
        #[case] manager: &str,
        #[case] subresource: Option<&str>,
        #[case] field: &str,
        #[case] expected: bool,
    ) {
        let stack = todostack(spec);
        let (id, requirements) = (StackRef::try_from(&stack).unwrap(), Requirements::from(&stack.spec));
        let observed = observed(manager, subresource, field, 5);
        let found = observed.inventory.get(&target(&id)).unwrap();
        assert_eq!(may_be_autoscaled(&requirements, found), expected);
    }

    #[rstest]
    #[case::ours(json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop-api"}), true)]
    #[case::without_version(json!({"kind": "Deployment", "name": "shop-api"}), true)]
    #[case::another(json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}), false)]
    #[case::the_stack(json!({"apiVersion": "todostack.dev/v1alpha1", "kind": "TodoStack", "name": "shop-api"}), false)]
    fn an_autoscaler_scales_what_it_names(#[case] target: Value, #[case] expected: bool) {
        let autoscaler = json!({"spec": {"scaleTargetRef": target, "maxReplicas": 9}});
        let id = StackRef::try_from(&todostack("{}")).unwrap();
        assert_eq!(is_autoscaled(&id, &[serde_json::from_value(autoscaler).unwrap()]), expected);
    }

    // Budget, connections and status are those of the pods that there are.
    #[test]
    fn everything_follows_the_replicas_of_the_autoscaler() {
        let spec = "{api: {replicas: 1}}";
        let mut observed = observed("kube-controller-manager", Some("scale"), "f:replicas", 8);
        let fixed = resolved_from(spec, &observed);
        assert_eq!((fixed.api.replicas, fixed.api.autoscaled), (1, false));
        observed.autoscaled = true;
        let scaled = resolved_from(spec, &observed);
        assert_eq!((scaled.api.replicas, scaled.api.connections), (8, Some(8)));
        let stack = todostack(spec);
        let (id, requirements) = (StackRef::try_from(&stack).unwrap(), Requirements::from(&stack.spec));
        let budget = ManagedResource::ApiDisruptionBudget;
        assert_eq!(budget.expected_name(&id, &requirements), None);
        assert!(budget.expected_name(&id, &requirements.scaled(&observed)).is_some());
        assert!(matches!(budget.desired(&scaled), crate::build::Desired::Apply(_)));
        let crate::build::Desired::Apply(crate::managed::Object::Deployment(deployment)) =
            ManagedResource::ApiDeployment.desired(&scaled)
        else {
            panic!("no Deployment");
        };
        assert_eq!(deployment.spec.unwrap().replicas, None);
    }
}
