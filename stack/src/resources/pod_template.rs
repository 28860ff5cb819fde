//! The pod template of Deployment, Job and StatefulSet: labels, annotations and the user's `PodSettings`, the
//! same for all three. Containers, volumes and security are in the file of each.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{LocalObjectReference, PodSpec, PodTemplateSpec, TopologySpreadConstraint},
    apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta},
};
use todostack_crds::pods::{PodMetadata, PodSettings};

use crate::{
    labels::{self, Component},
    stack::Stack,
};

/// The operator's own part of a template.
pub(super) struct Own {
    /// Annotations by which the operator rolls pods out.
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) spec: PodSpec,
}

/// The template of the pods of a component. The operator's own labels and annotations win, because selectors
/// and rollouts rely on them.
pub(super) fn build(
    stack: &Stack,
    component: Component,
    settings: &PodSettings,
    own: Own,
) -> PodTemplateSpec {
    let PodSettings {
        node_selector,
        tolerations,
        affinity,
        topology_spread_constraints,
        priority_class_name,
        image_pull_secrets,
        pod_metadata,
    } = settings.clone();
    let PodMetadata { mut labels, mut annotations } = pod_metadata.unwrap_or_default();
    labels.extend(labels::labels(stack, component));
    annotations.extend(own.annotations);
    let selector = labels::selector(stack, component);
    let constraints: Vec<_> = topology_spread_constraints
        .unwrap_or_default()
        .into_iter()
        .map(|constraint| with_selector(constraint, &selector))
        .collect();
    let secrets: Vec<_> =
        image_pull_secrets.into_iter().map(|secret| LocalObjectReference { name: secret.name }).collect();
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels),
            annotations: (!annotations.is_empty()).then_some(annotations),
            ..ObjectMeta::default()
        }),
        spec: Some(PodSpec {
            node_selector: (!node_selector.is_empty()).then_some(node_selector),
            tolerations: (!tolerations.is_empty()).then_some(tolerations),
            affinity,
            topology_spread_constraints: (!constraints.is_empty()).then_some(constraints),
            priority_class_name,
            image_pull_secrets: (!secrets.is_empty()).then_some(secrets),
            ..own.spec
        }),
    }
}

/// Kubernetes counts no pods for a constraint without a selector.
fn with_selector(constraint: TopologySpreadConstraint, selector: &LabelSelector) -> TopologySpreadConstraint {
    let label_selector = constraint.label_selector.or_else(|| Some(selector.clone()));
    TopologySpreadConstraint { label_selector, ..constraint }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{
        build::{Desired, build},
        fixtures::resolved,
    };

    const SETTINGS: &str = "{
        nodeSelector: {disk: fast},
        tolerations: [{key: team, operator: Exists}],
        affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: []}},
        topologySpreadConstraints: [
            {maxSkew: 2, topologyKey: zone, whenUnsatisfiable: DoNotSchedule},
            {maxSkew: 1, topologyKey: host, whenUnsatisfiable: ScheduleAnyway, labelSelector: {}}],
        priorityClassName: high,
        imagePullSecrets: [{name: registry}],
        podMetadata: {
            labels: {team: shop, app.kubernetes.io/component: wrong},
            annotations: {note: text, todostack.dev/released-revision: wrong}}}";

    /// The pod templates of a stack, by kind.
    fn templates(spec: &str) -> Vec<(String, Value)> {
        let objects = build(&resolved(spec)).into_iter().filter_map(|(_, desired)| match desired {
            Desired::Apply(object) => Some(serde_json::to_value(object).unwrap()),
            Desired::Keep | Desired::Delete(_) => None,
        });
        objects
            .filter_map(|object| {
                Some((object["kind"].as_str()?.to_owned(), object.pointer("/spec/template")?.clone()))
            })
            .collect()
    }

    #[test]
    fn every_setting_reaches_every_pod_of_its_part() {
        let spec = format!("{{api: {SETTINGS}, database: {{postgres: {SETTINGS}}}}}");
        let templates = templates(&spec);
        let kinds: Vec<_> = templates.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["StatefulSet", "Job", "Deployment"]);
        for (kind, template) in templates {
            let spec = &template["spec"];
            assert_eq!(spec["nodeSelector"], json!({"disk": "fast"}), "{kind}");
            assert_eq!(spec["tolerations"], json!([{"key": "team", "operator": "Exists"}]), "{kind}");
            assert!(spec["affinity"]["nodeAffinity"].is_object(), "{kind}");
            assert_eq!(spec["priorityClassName"], "high", "{kind}");
            assert_eq!(spec["imagePullSecrets"], json!([{"name": "registry"}]), "{kind}");
            let labels = &template["metadata"]["labels"];
            assert_eq!(labels["team"], "shop", "{kind}");
            assert_ne!(labels["app.kubernetes.io/component"], "wrong", "{kind}");
            let annotations = &template["metadata"]["annotations"];
            assert_eq!(annotations["note"], "text", "{kind}");
            let constraints = &spec["topologySpreadConstraints"];
            let own = &constraints[0]["labelSelector"]["matchLabels"]["app.kubernetes.io/component"];
            assert_eq!(*own, labels["app.kubernetes.io/component"], "{kind}");
            assert_eq!(constraints[1]["labelSelector"], json!({}), "{kind}");
            if kind == "Deployment" {
                assert_ne!(annotations["todostack.dev/released-revision"], "wrong");
            }
        }
    }

    /// The migration pod runs containers of both images.
    #[test]
    fn the_migration_pulls_with_the_secrets_of_both_images() {
        let spec = "{api: {imagePullSecrets: [{name: a}, {name: both}]},
            database: {postgres: {imagePullSecrets: [{name: both}, {name: b}]}}}";
        let names = |template: &Value| template["spec"]["imagePullSecrets"].clone();
        let secrets: Vec<_> = templates(spec).iter().map(|(_, template)| names(template)).collect();
        let [database, migration, api] = secrets.as_slice() else { panic!("{secrets:?}") };
        assert_eq!(*database, json!([{"name": "both"}, {"name": "b"}]));
        assert_eq!(*migration, json!([{"name": "a"}, {"name": "both"}, {"name": "b"}]));
        assert_eq!(*api, json!([{"name": "a"}, {"name": "both"}]));
    }

    #[test]
    fn api_pods_spread_over_nodes_unless_the_spec_says_otherwise() {
        let constraints = |spec: &str| {
            let (_, template) = templates(spec).pop().unwrap();
            template["spec"]["topologySpreadConstraints"].clone()
        };
        let default = constraints("{}");
        assert_eq!(default[0]["topologyKey"], "kubernetes.io/hostname");
        assert_eq!(default[0]["whenUnsatisfiable"], "ScheduleAnyway");
        assert_eq!(constraints("{api: {topologySpreadConstraints: []}}"), Value::Null);
    }
}
