//! Every flag and environment variable, with its help; some are in `config/`. No other file reads the
//! environment.

mod database;
mod help;
mod observability;
mod page;

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand};
use http::Uri;
use ipnet::IpNet;

use crate::{
    auth::{AuthSettings, KeySource},
    links::PublicUrl,
    proxies::TrustedProxies,
    rate::RateLimit,
    state::Settings,
};
pub use {
    database::DatabaseArgs,
    observability::{LogArgs, TraceArgs},
    page::PageArgs,
};

const PROXIES: &str = "CORS and proxies";
const LIMITS: &str = "Limits";

/// The todo service: a REST API over Postgres or SQLite, and a page for browsers. Needs no settings.
#[derive(Parser)]
#[command(version, after_help = help::EXAMPLES)]
pub struct Cli {
    // The order of the fields is that of `--help`.
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub database: DatabaseArgs,
    #[command(flatten)]
    pub serve: ServeArgs,
    #[command(flatten)]
    pub auth: AuthArgs,
    #[command(flatten)]
    pub log: LogArgs,
    #[command(flatten)]
    pub traces: TraceArgs,
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
    Healthcheck(HealthcheckArgs),
    /// Print the OpenAPI document.
    Openapi,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Server")]
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
    #[arg(help_heading = PROXIES)]
    pub public_url: Option<PublicUrl>,
    /// Origins allowed by CORS, comma separated (https://app.example.com, https://*.example.com for all
    /// sub-domains, capacitor://localhost); by default all.
    #[arg(long, global = true, env = "TODOSTACK_CORS_ALLOWED_ORIGINS", value_delimiter = ',')]
    #[arg(help_heading = PROXIES)]
    pub cors_allowed_origins: Vec<String>,
    /// Maximum number of requests in flight; more are rejected with 503.
    #[arg(long, global = true, env = "TODOSTACK_MAX_CONCURRENT_REQUESTS")]
    #[arg(default_value_t = Settings::DEFAULT_CONCURRENCY, help_heading = LIMITS)]
    pub max_concurrent_requests: usize,
    /// Maximum number of open streams of events (GET /todos/events); more are rejected with 503. Each takes
    /// some 10 KiB.
    #[arg(long, global = true, env = "TODOSTACK_MAX_EVENT_STREAMS")]
    #[arg(default_value_t = Settings::DEFAULT_STREAMS, help_heading = LIMITS)]
    pub max_event_streams: usize,
    /// Maximum size of an import (POST /todos/import) in bytes; a larger one is cut there with 413.
    #[arg(long, global = true, env = "TODOSTACK_MAX_IMPORT_BYTES")]
    #[arg(default_value_t = Settings::DEFAULT_IMPORT_BYTES, help_heading = LIMITS)]
    pub max_import_bytes: usize,
    #[command(flatten)]
    pub page: PageArgs,
    #[command(flatten)]
    pub rate_limit: RateLimitArgs,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = LIMITS)]
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
    #[arg(help_heading = PROXIES)]
    pub trusted_proxy_hops: usize,
    /// Networks of trusted proxies, comma separated (10.0.0.0/8): the client is the last address that is in
    /// none of them.
    #[arg(long, global = true, env = "TODOSTACK_TRUSTED_PROXIES", value_delimiter = ',')]
    #[arg(help_heading = PROXIES)]
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
pub struct HealthcheckArgs {
    /// Check only that the keys of the tokens' issuer were read, and not the database.
    #[arg(long)]
    pub keys: bool,
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_image_listens_on_all_addresses_and_keeps_its_file_on_the_volume() {
        let dockerfile = include_str!("../Dockerfile");
        let words = dockerfile.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
        let set: BTreeMap<_, _> = words.clone().filter_map(|word| word.split_once('=')).collect();
        let command = Cli::command();
        let known: Vec<_> = command.get_arguments().filter_map(|flag| flag.get_env()?.to_str()).collect();
        let set: BTreeMap<_, _> = set.into_iter().filter(|(name, _)| known.contains(name)).collect();
        let expected = [
            ("TODOSTACK_LISTEN", "[::]:8080"),
            ("TODOSTACK_OPERATIONS_LISTEN", "[::]:9090"),
            ("TODOSTACK_SQLITE_FILE", "/data/todos.db"),
        ];
        assert_eq!(set, BTreeMap::from(expected));
        let volumes: Vec<_> = words.skip_while(|word| *word != "VOLUME").skip(1).take(1).collect();
        assert_eq!(volumes, ["/data"]);
    }
}
