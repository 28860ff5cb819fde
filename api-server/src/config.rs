//! Every flag and environment variable, with its help; those of the page are in `config/page`. No other file
//! reads the environment.

mod page;

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand};
use http::{HeaderName, HeaderValue, Uri};
use ipnet::IpNet;

use crate::{
    auth::{AuthSettings, KeySource},
    links::PublicUrl,
    otlp::OtlpSettings,
    proxies::TrustedProxies,
    rate::RateLimit,
};
pub use page::PageArgs;

/// The todo service: a REST API over Postgres or SQLite.
///
/// Try it: run `todostack-api`, then `curl -d '{"title":"tea"}' -H content-type:application/json
/// localhost:8080/todos`
#[derive(Parser)]
#[command(version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: ServeArgs,
    #[command(flatten)]
    pub auth: AuthArgs,
    #[command(flatten)]
    pub traces: TraceArgs,
    #[command(flatten)]
    pub database: DatabaseArgs,
    #[command(flatten)]
    pub log: LogArgs,
}

/// `serve` when none is given.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API (default). Migrates a SQLite file at startup, Postgres never.
    Serve,
    /// Wait until the database accepts the connection, migrate its schema to this version, and exit.
    Migrate(MigrateArgs),
    /// Serve a migrated copy of the SQLite file until it is ready, and exit: tries this version and its
    /// settings while another one serves the file.
    Try(TryArgs),
    /// Succeed when the service on this host is ready (`/readyz` on --operations-listen).
    Healthcheck,
    /// Print the OpenAPI document.
    Openapi,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Serving")]
pub struct ServeArgs {
    /// Address that the API listens on.
    #[arg(long, global = true, env = "TODOSTACK_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Address that /livez, /readyz and /metrics listen on, which an Ingress should not expose.
    #[arg(long, global = true, env = "TODOSTACK_OPERATIONS_LISTEN", default_value = "127.0.0.1:9090")]
    pub operations_listen: SocketAddr,
    /// Seconds after SIGTERM in which requests are still accepted, while /readyz answers 503.
    #[arg(long, global = true, env = "TODOSTACK_DRAIN_DELAY", default_value = "5", value_parser = seconds)]
    pub drain_delay: Duration,
    /// Public URL of the API (https://shop.example.com); by default from X-Forwarded-* and Host.
    #[arg(long, global = true, env = "TODOSTACK_PUBLIC_URL")]
    pub public_url: Option<PublicUrl>,
    /// Origins allowed by CORS, comma separated (https://app.example.com, https://*.example.com for all
    /// sub-domains, capacitor://localhost); by default all.
    #[arg(long, global = true, env = "TODOSTACK_CORS_ALLOWED_ORIGINS", value_delimiter = ',')]
    pub cors_allowed_origins: Vec<String>,
    /// Maximum number of requests in flight; more are rejected with 503.
    #[arg(long, global = true, env = "TODOSTACK_MAX_CONCURRENT_REQUESTS")]
    pub max_concurrent_requests: Option<usize>,
    /// Maximum number of open streams of events (GET /todos/events); more are rejected with 503. Each takes
    /// some 10 KiB.
    #[arg(long, global = true, env = "TODOSTACK_MAX_EVENT_STREAMS")]
    pub max_event_streams: Option<usize>,
    #[command(flatten)]
    pub page: PageArgs,
    #[command(flatten)]
    pub rate_limit: RateLimitArgs,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Rate limit")]
pub struct RateLimitArgs {
    /// Requests per second of each client; by default unlimited. A client is the subject of a token, or an IP
    /// address.
    #[arg(long, global = true, env = "TODOSTACK_RATE_LIMIT_RPS")]
    pub rate_limit_rps: Option<NonZeroU32>,
    /// Requests that a client may send at once; by default twice --rate-limit-rps.
    #[arg(long, global = true, env = "TODOSTACK_RATE_LIMIT_BURST")]
    pub rate_limit_burst: Option<NonZeroU32>,
    /// Number of trusted proxies in front (an Ingress is one): so many entries at the end of X-Forwarded-For
    /// or Forwarded are trusted. Ignored with --trusted-proxies.
    #[arg(long, global = true, env = "TODOSTACK_TRUSTED_PROXY_HOPS", default_value = "0")]
    pub trusted_proxy_hops: usize,
    /// Networks of trusted proxies, comma separated (10.0.0.0/8): the client is the last address that is in
    /// none of them.
    #[arg(long, global = true, env = "TODOSTACK_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<String>,
}

/// The values of a list. clap parses an empty variable, that of an absent value in a manifest, as one empty
/// value.
pub(crate) fn given(values: &[String]) -> impl Iterator<Item = &String> {
    values.iter().filter(|value| !value.is_empty())
}

impl RateLimitArgs {
    pub(crate) fn proxies(&self) -> anyhow::Result<TrustedProxies> {
        let texts = given(&self.trusted_proxies);
        let parse = |text: &String| {
            let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network
                .with_context(|| format!("TODOSTACK_TRUSTED_PROXIES: `{text}` is no network as 10.0.0.0/8"))
        };
        let networks = texts.map(parse).collect::<anyhow::Result<_>>()?;
        Ok(TrustedProxies { hops: self.trusted_proxy_hops, networks })
    }

    pub(crate) fn limit(&self) -> Option<RateLimit> {
        let requests_per_second = self.rate_limit_rps?;
        let burst = self.rate_limit_burst;
        let burst = burst.unwrap_or_else(|| requests_per_second.saturating_add(requests_per_second.get()));
        Some(RateLimit { requests_per_second, burst })
    }
}

/// All of it, or none of it for an API without authentication.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Authentication")]
pub struct AuthArgs {
    /// Issuer of the tokens (claim `iss`). With it, every request needs a JWT with the scope todos:read or
    /// todos:write, and each subject sees its own todos only.
    #[arg(long, global = true, env = "TODOSTACK_JWT_ISSUER")]
    pub jwt_issuer: Option<String>,
    /// Audience of the tokens (claim `aud`).
    #[arg(long, global = true, env = "TODOSTACK_JWT_AUDIENCE")]
    pub jwt_audience: Option<String>,
    /// Claim with roles that count as scopes, beside `scope` and `scp` (roles, or realm_access.roles with
    /// Keycloak).
    #[arg(long, global = true, env = "TODOSTACK_JWT_ROLES_CLAIM")]
    pub jwt_roles_claim: Option<String>,
    /// URL of the issuer's public keys (JWKS).
    #[arg(long, global = true, env = "TODOSTACK_JWKS_URL")]
    pub jwks_url: Option<Uri>,
    /// File with the issuer's public keys (JWKS), instead of a URL.
    #[arg(long, global = true, env = "TODOSTACK_JWKS_FILE")]
    pub jwks_file: Option<PathBuf>,
    /// PEM file of certificate authorities to trust for --jwks-url, in addition to those that browsers trust.
    #[arg(long, global = true, env = "TODOSTACK_JWKS_CA_FILE")]
    pub jwks_ca_file: Option<PathBuf>,
}

impl AuthArgs {
    /// Fails on half a configuration, which would leave the API open.
    pub(crate) fn settings(self) -> anyhow::Result<Option<AuthSettings>> {
        let Self { jwt_issuer, jwt_audience, jwt_roles_claim, jwks_url, jwks_file, jwks_ca_file } = self;
        let keys = match (jwks_url, jwks_file) {
            (Some(url), None) => Some(KeySource::Url { url, ca_file: jwks_ca_file }),
            (None, Some(file)) => Some(KeySource::File(file)),
            (None, None) => None,
            (Some(_), Some(_)) => {
                bail!("TODOSTACK_JWKS_URL and TODOSTACK_JWKS_FILE are both set: remove one")
            }
        };
        match (jwt_issuer, jwt_audience, keys) {
            (None, None, None) => Ok(None),
            (Some(issuer), Some(audience), Some(keys)) => {
                let (roles_claim, reread_after) = (jwt_roles_claim, AuthSettings::REREAD_AFTER);
                Ok(Some(AuthSettings { issuer, audience, roles_claim, keys, reread_after }))
            }
            _ => bail!(
                "authentication needs all of TODOSTACK_JWT_ISSUER, TODOSTACK_JWT_AUDIENCE and TODOSTACK_JWKS_URL \
                 (or TODOSTACK_JWKS_FILE)"
            ),
        }
    }
}

/// Named as in the OpenTelemetry specification.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Traces")]
pub struct TraceArgs {
    /// Collector of traces, OTLP over HTTP (http://collector:4318); without it, or the next, nothing is
    /// traced.
    #[arg(long, global = true, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<Uri>,
    /// URL for traces, when it is not the endpoint with /v1/traces.
    #[arg(long, global = true, env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")]
    pub otlp_traces_endpoint: Option<Uri>,
    /// Headers for the collector: name=value, comma separated.
    #[arg(long, global = true, env = "OTEL_EXPORTER_OTLP_HEADERS", value_delimiter = ',', value_parser = header)]
    // The value may be a token, which --help would print.
    #[arg(hide_env_values = true)]
    pub otlp_headers: Vec<(HeaderName, HeaderValue)>,
    /// Name of this service in traces.
    #[arg(long, global = true, env = "OTEL_SERVICE_NAME", default_value = "todostack-api")]
    pub otel_service_name: String,
}

impl TraceArgs {
    pub(crate) fn settings(self) -> anyhow::Result<Option<OtlpSettings>> {
        let from_endpoint =
            |endpoint: Uri| format!("{}/v1/traces", endpoint.to_string().trim_end_matches('/')).parse();
        let traces_url = match (self.otlp_traces_endpoint, self.otlp_endpoint) {
            (Some(url), _) => url,
            (None, Some(endpoint)) => from_endpoint(endpoint)?,
            (None, None) => return Ok(None),
        };
        let (headers, service_name) = (self.otlp_headers, self.otel_service_name);
        Ok(Some(OtlpSettings { traces_url, headers, service_name }))
    }
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let invalid = || "must be name=value".to_owned();
    let (name, value) = text.split_once('=').ok_or_else(invalid)?;
    Ok((name.trim().parse().map_err(|_| invalid())?, value.trim().parse().map_err(|_| invalid())?))
}

/// Without `Debug`, since the URL may hold a password.
#[derive(Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArgs {
    /// postgres://user@host/database or sqlite://file. Without it: Postgres by PGHOST, PGPORT, PGUSER,
    /// PGPASSWORD, PGDATABASE and PGSSLMODE when PGHOST is set, else the SQLite file todos.db in the working
    /// directory.
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Host of Postgres; see --database-url.
    #[arg(long, global = true, env = "PGHOST", hide = true)]
    pub pghost: Option<String>,
    /// Maximum number of connections to Postgres; by default an eighth of what the server allows, 6 to 16.
    #[arg(long, global = true, env = "TODOSTACK_DATABASE_MAX_CONNECTIONS")]
    #[arg(value_parser = clap::value_parser!(u32).range(6..))]
    pub database_max_connections: Option<u32>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogArgs {
    /// Log level: error, warn, info, debug or trace; or a filter such as `info,sqlx=debug`.
    #[arg(long, global = true, env = "TODOSTACK_LOG_LEVEL", default_value = "info")]
    pub log_level: String,
}

#[derive(Clone, Debug, Args)]
pub struct MigrateArgs {
    /// Check only: fail when the database does not answer, or its schema is older than this version needs.
    #[arg(long)]
    pub check: bool,
    /// Write {"schemaVersion":n} to this file when done (in Kubernetes: /dev/termination-log).
    #[arg(long, env = "TODOSTACK_REPORT_FILE")]
    pub report_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct TryArgs {
    /// Path of the copy. Nothing must exist there.
    #[arg(long)]
    pub copy: PathBuf,
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_secs).map_err(|_| "must be a whole number of seconds".to_owned())
}
