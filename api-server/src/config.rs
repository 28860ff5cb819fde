//! Every flag and variable, with its help. Nothing else reads the environment.

use std::{fmt, net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use anyhow::bail;
use clap::{Args, Parser, Subcommand};

use http::{HeaderName, HeaderValue, Uri};

use crate::{
    auth::{AuthSettings, KeySource},
    otlp::OtlpSettings,
    public_url::PublicUrl,
    rate::RateLimit,
};

/// The todo service: a REST API over Postgres or SQLite.
///
/// Try it: `todostack-api`, then `curl -d '{"title":"tea"}' -H content-type:application/json localhost:8080/todos`
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    /// What to do; `serve` when left out.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// See [`ServeArgs`]; here for `serve` left out.
    #[command(flatten)]
    pub serve: ServeArgs,
    /// See [`AuthArgs`].
    #[command(flatten)]
    pub auth: AuthArgs,
    /// See [`TraceArgs`].
    #[command(flatten)]
    pub traces: TraceArgs,
    /// See [`DatabaseArgs`].
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// See [`LogArgs`].
    #[command(flatten)]
    pub log: LogArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API (default). Migrates a SQLite file by itself, Postgres never.
    Serve,
    /// Wait for the database, bring its schema to this version, and end.
    Migrate(MigrateArgs),
    /// Succeed when the service on this host is ready (`/readyz` on --operations-listen).
    Healthcheck,
    /// Print the OpenAPI document.
    Openapi,
}

/// The listeners and what they answer.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Serving")]
pub struct ServeArgs {
    /// Address of the API.
    #[arg(long, global = true, env = "TODOSTACK_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Address of /livez, /readyz and /metrics, which an Ingress should not expose.
    #[arg(long, global = true, env = "TODOSTACK_OPERATIONS_LISTEN", default_value = "127.0.0.1:9090")]
    pub operations_listen: SocketAddr,
    /// Seconds after SIGTERM in which requests are still accepted, while /readyz says 503.
    #[arg(long, global = true, env = "TODOSTACK_DRAIN_DELAY", default_value = "5", value_parser = seconds)]
    pub drain_delay: Duration,
    /// Where clients find the API (https://shop.example.com); by default as X-Forwarded-* and Host say.
    #[arg(long, global = true, env = "TODOSTACK_PUBLIC_URL")]
    pub public_url: Option<PublicUrl>,
    /// Origins whose pages may call the API, comma separated (https://app.example.com); by default all.
    #[arg(long, global = true, env = "TODOSTACK_CORS_ALLOWED_ORIGINS", value_delimiter = ',')]
    pub cors_allowed_origins: Vec<String>,
    /// Requests that are worked on at once; more are refused with 503.
    #[arg(long, global = true, env = "TODOSTACK_MAX_CONCURRENT_REQUESTS")]
    pub max_concurrent_requests: Option<usize>,
    /// See [`RateLimitArgs`].
    #[command(flatten)]
    pub rate_limit: RateLimitArgs,
}

/// How often a client may ask.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Rate limit")]
pub struct RateLimitArgs {
    /// Requests a second that each client may make; without it there is no limit. A client is the subject of a token, or an
    /// address.
    #[arg(long, global = true, env = "TODOSTACK_RATE_LIMIT_RPS")]
    pub rate_limit_rps: Option<NonZeroU32>,
    /// Requests that a client may make at once; by default twice those of a second.
    #[arg(long, global = true, env = "TODOSTACK_RATE_LIMIT_BURST")]
    pub rate_limit_burst: Option<NonZeroU32>,
    /// Proxies of yours in front (an Ingress is one): so many entries at the end of X-Forwarded-For are believed.
    #[arg(long, global = true, env = "TODOSTACK_TRUSTED_PROXY_HOPS", default_value = "0")]
    pub trusted_proxy_hops: usize,
}

impl RateLimitArgs {
    pub(crate) fn limit(&self) -> Option<RateLimit> {
        let requests_per_second = self.rate_limit_rps?;
        let burst = self.rate_limit_burst.unwrap_or_else(|| requests_per_second.saturating_mul(TWO));
        Some(RateLimit { requests_per_second, burst })
    }
}

const TWO: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

/// Who may call. All of it, or none of it for one list that everybody shares.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Authentication")]
pub struct AuthArgs {
    /// Issuer of the tokens (claim `iss`). With it, every request takes a JWT with the scope todos:read or todos:write, and each
    /// subject sees its own todos only.
    #[arg(long, global = true, env = "TODOSTACK_JWT_ISSUER")]
    pub jwt_issuer: Option<String>,
    /// What the tokens are for (claim `aud`).
    #[arg(long, global = true, env = "TODOSTACK_JWT_AUDIENCE")]
    pub jwt_audience: Option<String>,
    /// Address of the issuer's public keys.
    #[arg(long, global = true, env = "TODOSTACK_JWKS_URL")]
    pub jwks_url: Option<Uri>,
    /// File with the issuer's public keys, instead of an address.
    #[arg(long, global = true, env = "TODOSTACK_JWKS_FILE")]
    pub jwks_file: Option<PathBuf>,
    /// PEM certificates of authorities to trust for --jwks-url, beside those that browsers trust.
    #[arg(long, global = true, env = "TODOSTACK_JWKS_CA_FILE")]
    pub jwks_ca_file: Option<PathBuf>,
}

impl AuthArgs {
    /// Half a configuration would leave the door open.
    pub(crate) fn settings(self) -> anyhow::Result<Option<AuthSettings>> {
        let Self { jwt_issuer, jwt_audience, jwks_url, jwks_file, jwks_ca_file } = self;
        let keys = match (jwks_url, jwks_file) {
            (Some(url), None) => Some(KeySource::Url { url, ca_file: jwks_ca_file }),
            (None, Some(file)) => Some(KeySource::File(file)),
            (None, None) => None,
            (Some(_), Some(_)) => bail!("give one of TODOSTACK_JWKS_URL and TODOSTACK_JWKS_FILE"),
        };
        match (jwt_issuer, jwt_audience, keys) {
            (None, None, None) => Ok(None),
            (Some(issuer), Some(audience), Some(keys)) => {
                let reread_after = AuthSettings::REREAD_AFTER;
                Ok(Some(AuthSettings { issuer, audience, keys, reread_after }))
            }
            _ => bail!(
                "authentication takes all of TODOSTACK_JWT_ISSUER, TODOSTACK_JWT_AUDIENCE and TODOSTACK_JWKS_URL (or \
                 TODOSTACK_JWKS_FILE)"
            ),
        }
    }
}

/// Where traces go. Names as in the OpenTelemetry specification.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Traces")]
pub struct TraceArgs {
    /// Collector that takes OTLP over HTTP (http://collector:4318); without it, or the next, nothing is traced.
    #[arg(long, global = true, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<Uri>,
    /// Whole address for traces, when it is not the endpoint with /v1/traces.
    #[arg(long, global = true, env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")]
    pub otlp_traces_endpoint: Option<Uri>,
    /// Headers for the collector: name=value, comma separated.
    #[arg(long, global = true, env = "OTEL_EXPORTER_OTLP_HEADERS", value_delimiter = ',', value_parser = header, hide_env_values = true)]
    pub otlp_headers: Vec<(HeaderName, HeaderValue)>,
    /// Name of this service in traces.
    #[arg(long, global = true, env = "OTEL_SERVICE_NAME", default_value = "todostack-api")]
    pub otel_service_name: String,
}

impl TraceArgs {
    pub(crate) fn settings(self) -> anyhow::Result<Option<OtlpSettings>> {
        let Self {
            otlp_endpoint,
            otlp_traces_endpoint,
            otlp_headers: headers,
            otel_service_name: service_name,
        } = self;
        let of_endpoint =
            |endpoint: Uri| format!("{}/v1/traces", endpoint.to_string().trim_end_matches('/')).parse();
        let traces_url = match (otlp_traces_endpoint, otlp_endpoint) {
            (Some(url), _) => url,
            (None, Some(endpoint)) => of_endpoint(endpoint)?,
            (None, None) => return Ok(None),
        };
        Ok(Some(OtlpSettings { traces_url, headers, service_name }))
    }
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let wrong = || "must be name=value".to_owned();
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    Ok((name.trim().parse().map_err(|_| wrong())?, value.trim().parse().map_err(|_| wrong())?))
}

/// Which database.
#[derive(Clone, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseArgs {
    /// postgres://user@host/database or sqlite://file. Without it: Postgres by PGHOST, PGPORT, PGUSER, PGPASSWORD,
    /// PGDATABASE and PGSSLMODE when PGHOST is set, else the SQLite file todos.db in the working directory.
    #[arg(long, global = true, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Host of Postgres; see --database-url.
    #[arg(long, global = true, env = "PGHOST", hide = true)]
    pub pghost: Option<String>,
    /// Connections to Postgres at most; by default an eighth of what the server grants, 6 to 16.
    #[arg(long, global = true, env = "TODOSTACK_DATABASE_MAX_CONNECTIONS", value_parser = clap::value_parser!(u32).range(6..))]
    pub database_max_connections: Option<u32>,
}

/// The URL may hold a password.
impl fmt::Debug for DatabaseArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database_url, pghost, database_max_connections } = self;
        f.debug_struct("DatabaseArgs")
            .field("database_url", &database_url.as_ref().map(|_| "…"))
            .field("pghost", pghost)
            .field("database_max_connections", database_max_connections)
            .finish()
    }
}

/// The log.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogArgs {
    /// error, warn, info, debug or trace; or a filter such as `info,sqlx=debug`.
    #[arg(long, global = true, env = "TODOSTACK_LOG_LEVEL", default_value = "info")]
    pub log_level: String,
}

/// How to migrate.
#[derive(Clone, Debug, Args)]
pub struct MigrateArgs {
    /// Change nothing and wait for nothing: fail when the database does not answer, or its schema is older than this
    /// version needs.
    #[arg(long)]
    pub check: bool,
    /// Write {"schemaVersion":n} to this file when done (Kubernetes: /dev/termination-log).
    #[arg(long, env = "TODOSTACK_REPORT_FILE")]
    pub report_file: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_secs).map_err(|_| "must be a whole number of seconds".to_owned())
}
