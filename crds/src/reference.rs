//! References to objects in the namespace of the stack. The fields that have this type document which keys
//! are read.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Reference to a Secret in the namespace of the stack.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct SecretReference {
    /// Name of the Secret, which must be in the namespace of the stack.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// Reference to a ConfigMap in the namespace of the stack.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMapReference {
    /// Name of the ConfigMap, which must be in the namespace of the stack.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}
