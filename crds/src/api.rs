//! `spec.api`: the API server. How clients reach it is in `exposure.rs`.

use k8s_openapi::api::core::v1::ResourceRequirements;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{pods::PodSettings, reference::ConfigMapReference, rules};

/// The API server, which runs as a Deployment.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ApiSpec {
    /// Container image of the API server and of the migration. A change first migrates the schema and then
    /// replaces the pods; if the migration fails, the old pods continue to serve. Defaults to the image that
    /// the operator is configured with, which has the operator's version: upgrading the operator then
    /// upgrades the API, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    pub image: Option<String>,

    /// When the kubelet pulls the image of the API: `IfNotPresent`, `Always` (at every start of a container)
    /// or `Never` (the image must already be on the node). Defaults to `IfNotPresent`.
    #[serde(default)]
    pub image_pull_policy: ImagePullPolicy,

    /// Number of API pods; 0 stops the API and retains the data. With SQLite at most 1. With two or more, the
    /// stack has a PodDisruptionBudget, so that draining nodes evicts one API pod at a time. `kubectl scale`
    /// and a HorizontalPodAutoscaler write this field. Set it before a HorizontalPodAutoscaler targets the
    /// stack, because Kubernetes cannot read the scale while it is unset. Defaults to 2, or to 1 with SQLite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub replicas: Option<i32>,

    /// CPU and memory requests and limits of each API pod and of the migration. A change replaces the pods.
    /// Defaults to requests of 10m CPU and 32Mi memory, and a memory limit of 128Mi; there is no CPU limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,

    /// Lowest level that the API server logs: `error`, `warn`, `info` (one line for each request), `debug` or
    /// `trace`. A change replaces the pods. Defaults to `info`.
    #[serde(default)]
    pub log_level: LogLevel,

    /// Cross-origin resource sharing (CORS): which web pages may call the API from a browser. Defaults to
    /// pages of all origins, without cookies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<CorsSpec>,

    /// Limits the requests of each client with a token bucket, in each API pod separately. A client is the
    /// subject of a token or, without authentication, an IP address (a /64 network with IPv6). Requests above
    /// the limit get status 429 with Retry-After. If unset, there is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimitSpec>,

    /// Authentication of API requests. If unset, no authentication is required, and all clients share the
    /// same todos. Todos that were created without authentication are not visible while authentication is
    /// required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthSpec>,

    /// Settings of the pods of the API and of the migration.
    #[serde(flatten)]
    pub pods: PodSettings,
}

/// Cross-origin resource sharing.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[x_kube(validation = Rule::new(rules::ORIGINS_CAN_MATCH).message(rules::ORIGINS_CAN_MATCH_MESSAGE))]
#[serde(rename_all = "camelCase")]
pub struct CorsSpec {
    /// Origins whose pages may call the API, such as `https://app.example.com`, `https://*.example.com` (all
    /// sub-domains) or `capacitor://localhost` (an app). 1 to 50 entries.
    #[schemars(length(min = 1, max = 50), inner(length(max = 300)))]
    pub allowed_origins: Vec<String>,
}

/// The size of the token bucket of each client.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct RateLimitSpec {
    /// Sustained rate of one client in requests per second, for each API pod: with two pods, a client can
    /// make up to twice as many.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub requests_per_second: i32,
    /// Number of requests that one client can make at once before the sustained rate applies. Defaults to
    /// twice `requestsPerSecond`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000_000))]
    pub burst: Option<i32>,
}

/// How API requests are authenticated.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AuthSpec {
    /// Authentication with JSON Web Tokens (JWT) in the header `Authorization: Bearer`. Each subject (claim
    /// `sub`) has its own todos. Reading requires the scope `todos:read`, and writing requires `todos:write`,
    /// both in the claim `scope` or `scp`, or in `rolesClaim`.
    pub jwt: JwtSpec,
}

/// Which JSON Web Tokens are accepted.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct JwtSpec {
    /// Issuer of the tokens. The claim `iss` must be exactly this text, including a trailing slash.
    #[schemars(length(min = 1, max = 500))]
    pub issuer: String,
    /// Audience of the tokens. The claim `aud` must be this text or a list that contains it.
    #[schemars(length(min = 1, max = 500))]
    pub audience: String,
    /// Claim with roles that count as scopes, such as `roles`; dots lead to a member, as in
    /// `realm_access.roles` (Keycloak). If unset, roles grant nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub roles_claim: Option<String>,
    /// URL of the issuer's JSON Web Key Set (JWKS), from which the API pods read the public keys. OpenID
    /// Connect providers publish it as `jwks_uri`. Tokens must be signed with RS256, RS384, RS512, PS256,
    /// PS384, PS512, ES256, ES384 or EdDSA.
    #[schemars(length(max = 1000), regex(pattern = r"^https?://[^\s]+$"))]
    pub jwks_url: String,
    /// The private certificate authority of `jwksUrl`. Those that browsers trust are trusted, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_ca: Option<JwksCaSpec>,
    /// Client id of the page at the issuer: a public client whose redirect URI is the URL of the page. With
    /// it, people log in on the page by OpenID Connect (authorization code with PKCE). Browsers must be able
    /// to read `/.well-known/openid-configuration` of the issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500), regex(pattern = r"^[^\s]+$"))]
    pub client_id: Option<String>,
    /// Scopes that the page requests, separated by spaces. Defaults to `openid todos:read todos:write`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1000))]
    pub client_scope: Option<String>,
    /// Origins of the issuer's endpoints that differ from the origin of `issuer`, such as
    /// `https://shop.auth.eu-west-1.amazoncognito.com`. At most 10.
    // No comma: the API server reads them as a list with commas from one environment variable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), inner(length(max = 300), regex(pattern = r"^https?://[^\s,;/@]+$")))]
    pub client_origins: Vec<String>,
}

/// A private certificate authority.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct JwksCaSpec {
    /// ConfigMap in the namespace of the stack with the key `ca.crt`: PEM certificates. A change reaches the
    /// API pods within minutes, without a restart.
    pub config_map: ConfigMapReference,
}

/// `imagePullPolicy` of a container.
#[derive(
    Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, strum::IntoStaticStr,
)]
pub enum ImagePullPolicy {
    #[default]
    IfNotPresent,
    Always,
    Never,
}

/// Log levels, each of which includes those before it.
#[derive(
    Serialize, Deserialize, JsonSchema, Clone, Copy, Debug, Default, PartialEq, Eq, strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}
