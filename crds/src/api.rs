//! `spec.api`: the API server's image, replicas and resources; how it is reached lives in `exposure.rs`.

use k8s_openapi::api::core::v1::ResourceRequirements;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The API server.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ApiSpec {
    /// Image of the API server. Default: the operator's own, of its own version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,

    /// When the kubelet pulls the image: IfNotPresent, Always or Never.
    #[serde(default)]
    pub image_pull_policy: ImagePullPolicy,

    /// How many API pods. Default: 2, or 1 with SQLite. `kubectl scale` and a HorizontalPodAutoscaler set this
    /// field; give it a first value when one of them targets the stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: Option<i32>,

    /// CPU and memory of an API pod. Default: requests of 10m and 32Mi, a memory limit of 128Mi.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,

    /// How much the API server logs: error, warn, info, debug or trace.
    #[serde(default)]
    pub log_level: LogLevel,

    /// Which web pages may call the API. Default: all, and none with credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<CorsSpec>,

    /// How much one client may ask for. Default: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimitSpec>,

    /// Who may call the API. Default: everybody, on one shared list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthSpec>,
}

/// Which web pages may call the API.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct CorsSpec {
    /// Origins of the pages, such as `https://app.example.com`.
    #[schemars(length(min = 1, max = 50), inner(length(max = 300), regex(pattern = r"^https?://[^\s,/]+$")))]
    pub allowed_origins: Vec<String>,
}

/// How much one client may ask for: a token bucket for each subject or address, in each API pod.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RateLimitSpec {
    /// Requests a second in the long run.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub requests_per_second: i32,
    /// Requests at once. Default: twice those of a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub burst: Option<i32>,
}

/// Who may call the API.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AuthSpec {
    /// Callers with a JSON Web Token, each of whom sees only its own todos.
    pub jwt: JwtSpec,
}

/// The tokens that count: scopes `todos:read` and `todos:write`.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct JwtSpec {
    /// Who issued them: the claim `iss`, to the letter.
    #[schemars(length(min = 1, max = 500))]
    pub issuer: String,
    /// For whom: the claim `aud` has it.
    #[schemars(length(min = 1, max = 500))]
    pub audience: String,
    /// Where the issuer publishes its keys.
    #[schemars(length(max = 1000), regex(pattern = r"^https?://[^\s]+$"))]
    pub jwks_url: String,
}

/// When the kubelet pulls an image.
#[derive(
    Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, strum::IntoStaticStr,
)]
pub enum ImagePullPolicy {
    /// Only when the node does not have it.
    #[default]
    IfNotPresent,
    /// At every start of a pod.
    Always,
    /// Never: the node must have it.
    Never,
}

/// How much the API server logs.
#[derive(
    Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum LogLevel {
    /// What failed.
    Error,
    /// And what is suspicious.
    Warn,
    /// And each request.
    #[default]
    Info,
    /// And each step of it.
    Debug,
    /// Everything.
    Trace,
}
