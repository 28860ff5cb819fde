//! `spec.exposure`: how clients reach the API: Service, Ingress, host name and TLS.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules;

/// How clients reach the API. Without a host and an Ingress, only through the Service.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[x_kube(validation = Rule::new(rules::TLS_REQUIRES_HOST).message(rules::TLS_REQUIRES_HOST_MESSAGE))]
#[serde(rename_all = "camelCase")]
pub struct ExposureSpec {
    /// Host name of the API, in lower case, such as `todos.example.com`. If set, the stack has an Ingress for
    /// it. Must not be the host of another stack. DNS must resolve it to the Ingress controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 253),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    pub host: Option<String>,

    /// The Ingress in front of the API. Can be set without `host`; the Ingress then matches every host name.
    /// If neither is set, the stack has no Ingress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressSpec>,

    /// The Service `<stack>-api` in front of the API pods, on port 80.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceSpec>,

    /// URL by which clients reach the API, such as `https://todos.example.com/api`, for links in its answers
    /// and `status.url`. If unset, it is derived from `host`, `X-Forwarded-Proto` and `X-Forwarded-Prefix`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000), regex(pattern = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"))]
    pub url: Option<String>,

    /// The proxies in front of the API, whose `X-Forwarded-For` or `Forwarded` names the client for the rate
    /// limit. Defaults to one proxy with an Ingress, and to none without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_proxies: Option<TrustedProxiesSpec>,
}

/// The proxies in front of the API.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[x_kube(
    validation = Rule::new(rules::ONE_KIND_OF_PROXIES).message(rules::ONE_KIND_OF_PROXIES_MESSAGE),
    validation = Rule::new(rules::NETWORKS_ARE_VALID).message(rules::NETWORKS_ARE_VALID_MESSAGE),
)]
#[serde(rename_all = "camelCase")]
pub struct TrustedProxiesSpec {
    /// Number of proxies that each request passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 16))]
    pub hops: Option<i32>,
    /// Networks that have the addresses of all proxies, such as `10.0.0.0/8`: the client is the last address
    /// that is in none of them. At most 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(max = 50)))]
    pub networks: Vec<String>,
}

/// The Ingress in front of the API.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct IngressSpec {
    /// Name of the IngressClass, which selects the Ingress controller. Defaults to the cluster's default
    /// IngressClass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub class_name: Option<String>,

    /// Annotations of the Ingress, for its controller or for cert-manager, such as
    /// `cert-manager.io/cluster-issuer: letsencrypt`. At most 50.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 50))]
    pub annotations: BTreeMap<String, String>,

    /// Serves the host over HTTPS. Requires `host`. If unset, the Ingress serves HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSpec>,
}

/// The TLS certificate of the host.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct TlsSpec {
    /// Name of a Secret of type `kubernetes.io/tls` in the namespace of the stack. Create it with `kubectl
    /// create secret tls`, or let cert-manager create it through an annotation of the Ingress.
    #[schemars(length(min = 1, max = 253))]
    pub secret_name: String,
}

/// The Service in front of the API pods.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSpec {
    /// Type of the Service: `ClusterIP` (reachable inside the cluster only), `NodePort` (also on a port of
    /// every node, which Kubernetes chooses) or `LoadBalancer` (also on the address of a load balancer of the
    /// cloud provider). Defaults to `ClusterIP`.
    #[serde(default, rename = "type")]
    pub type_: ServiceType,
}

/// `type` of a Service.
#[derive(
    Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, strum::IntoStaticStr,
)]
pub enum ServiceType {
    #[default]
    ClusterIP,
    NodePort,
    LoadBalancer,
}
