//! The fields that `spec.api` and `spec.database.postgres` share: on which nodes their pods run, with which
//! pull Secrets, labels and annotations. Containers are in the files of the two.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, Toleration, TopologySpreadConstraint};
use kube::KubeSchema;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{reference::SecretReference, rules};

/// Settings of pods. A change replaces them.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct PodSettings {
    /// Labels that a node must have to run the pods.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,

    /// Tolerations of the pods, so that they can run on nodes with matching taints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,

    /// Affinity of the pods to nodes and to other pods, as in `pod.spec.affinity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "affinity")]
    pub affinity: Option<Affinity>,

    /// How the pods spread over nodes and zones, as in `pod.spec.topologySpreadConstraints`. A constraint
    /// without a labelSelector counts the stack's own pods. By default, API pods spread over nodes where
    /// possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "spread_constraints")]
    pub topology_spread_constraints: Option<Vec<TopologySpreadConstraint>>,

    /// Name of the PriorityClass of the pods. Defaults to the cluster's default PriorityClass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub priority_class_name: Option<String>,

    /// Secrets of type `kubernetes.io/dockerconfigjson` with which the kubelet pulls the images. If empty,
    /// those of the ServiceAccount with the name of the stack apply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub image_pull_secrets: Vec<SecretReference>,

    /// Additional labels and annotations of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_metadata: Option<PodMetadata>,
}

/// Labels and annotations of pods, beside those that the operator sets.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new(rules::LABELS_ARE_FREE).message(rules::LABELS_ARE_FREE_MESSAGE),
    validation = Rule::new(rules::ANNOTATIONS_ARE_FREE).message(rules::ANNOTATIONS_ARE_FREE_MESSAGE),
)]
#[serde(rename_all = "camelCase")]
pub struct PodMetadata {
    /// Labels, such as `team: shop`. At most 50.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "label_values")]
    pub labels: BTreeMap<String, String>,

    /// Annotations, such as `sidecar.istio.io/inject: "false"`. At most 50.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 50))]
    pub annotations: BTreeMap<String, String>,
}

/// The whole schema of an affinity would fill a third of the bytes that the CRD's YAML may have.
fn affinity(_: &mut SchemaGenerator) -> Schema {
    let kind = |description: &str| {
        json_schema!({
            "description": description,
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": true,
        })
    };
    json_schema!({
        "type": "object",
        "nullable": true,
        "properties": {
            "nodeAffinity": kind("Nodes that the pods need or prefer."),
            "podAffinity": kind("Pods that the pods run next to."),
            "podAntiAffinity": kind("Pods that the pods do not run next to."),
        },
    })
}

fn spread_constraints(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "nullable": true,
        "maxItems": 10,
        "items": {
            "type": "object",
            "required": ["maxSkew", "topologyKey", "whenUnsatisfiable"],
            "properties": {
                "maxSkew": {
                    "description": "Largest difference in the number of pods between two topology domains.",
                    "type": "integer", "format": "int32", "minimum": 1,
                },
                "topologyKey": {
                    "description": "Label of nodes whose values are the topology domains.",
                    "type": "string",
                },
                "whenUnsatisfiable": {
                    "description": "What the scheduler does when a pod does not satisfy the constraint.",
                    "type": "string", "enum": ["DoNotSchedule", "ScheduleAnyway"],
                },
            },
            "x-kubernetes-preserve-unknown-fields": true,
        },
    })
}

/// The values of labels as the API server accepts them.
fn label_values(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 50,
        "additionalProperties": {
            "type": "string",
            "maxLength": 63,
            "pattern": "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$",
        },
    })
}
