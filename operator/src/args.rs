//! Every flag and variable of the operator, with what it is for; nothing else reads the environment.

use std::net::SocketAddr;

use clap::{Parser, ValueEnum};
use todostack_stack::{
    allowed::{AllowedExports, AllowedHosts},
    config::{self, Config},
};

/// Turns TodoStacks into running todo services.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "todostack-operator",
    version,
    about,
    long_about = "Turns TodoStacks into running todo services: Postgres, volume, credentials, schema, API, \
                  Service and Ingress. Finds the API server by the ServiceAccount of its pod, or by \
                  KUBECONFIG outside of a cluster. Serves /livez, /readyz and /metrics on --listen."
)]
pub(crate) struct Args {
    /// Image of the API server for stacks that name none.
    #[arg(long, env = config::API_IMAGE, default_value_t = Config::default().api_image)]
    pub(crate) api_image: String,

    /// Repository of Postgres images for stacks that name none; the major version is the tag.
    #[arg(long, env = config::POSTGRES_REPOSITORY, default_value_t = Config::default().postgres_repository)]
    pub(crate) postgres_repository: String,

    #[arg(long, env = config::CLUSTER_DOMAIN, default_value_t = Config::default().cluster_domain)]
    pub(crate) cluster_domain: String,

    /// Namespace to watch; all when empty.
    #[arg(long, env = "TODOSTACK_WATCH_NAMESPACE", default_value = "")]
    pub(crate) watch_namespace: String,

    /// Port by which users reach the Ingress controller over HTTP, for the URL in the status.
    #[arg(long, env = config::HTTP_PORT, default_value_t = Config::default().http_port)]
    pub(crate) ingress_http_port: u16,

    /// Port by which users reach the Ingress controller over HTTPS, for the URL in the status.
    #[arg(long, env = config::HTTPS_PORT, default_value_t = Config::default().https_port)]
    pub(crate) ingress_https_port: u16,

    /// NFS exports that stacks may use, separated by commas: `server:/directory` and all below it, with
    /// `{namespace}` for the namespace of the stack. `*`: all. Empty: none.
    #[arg(long, env = config::ALLOWED_EXPORTS, default_value = "")]
    pub(crate) allowed_nfs_exports: AllowedExports,

    /// Hosts that stacks may have, separated by commas, such as `*.{namespace}.example.com`, with `*` for any
    /// label. `*`: all. Empty: none.
    #[arg(long, env = config::ALLOWED_HOSTS, default_value = "*")]
    pub(crate) allowed_hosts: AllowedHosts,

    /// Stacks that are reconciled at the same time.
    #[arg(long, env = "TODOSTACK_CONCURRENCY", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) concurrency: u16,

    /// Address of /livez, /readyz and /metrics.
    #[arg(long, env = "TODOSTACK_LISTEN", default_value = "0.0.0.0:8080")]
    pub(crate) listen: SocketAddr,

    /// Log level: error, warn, info, debug, trace, or directives such as `info,kube=debug`.
    #[arg(long, env = "TODOSTACK_LOG_LEVEL", default_value = "info")]
    pub(crate) log_level: String,

    /// Log format.
    #[arg(long, env = "TODOSTACK_LOG_FORMAT", default_value = "json")]
    pub(crate) log_format: LogFormat,

    /// The operator's own pod, named in Events.
    #[arg(long, env = "POD_NAME", default_value = "todostack-operator", hide = true)]
    pub(crate) pod_name: String,
}

/// Log format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One JSON object for each line.
    Json,
    /// Text for terminals.
    Text,
}

impl Args {
    /// The settings that stacks are resolved with.
    pub(crate) fn config(&self) -> Config {
        Config {
            api_image: self.api_image.clone(),
            postgres_repository: self.postgres_repository.clone(),
            cluster_domain: self.cluster_domain.clone(),
            http_port: self.ingress_http_port,
            https_port: self.ingress_https_port,
            allowed_exports: self.allowed_nfs_exports.clone(),
            allowed_hosts: self.allowed_hosts.clone(),
        }
    }
}
