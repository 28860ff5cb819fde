//! Every flag and variable of the operator, with what it is for; nothing else reads the environment.

use std::net::SocketAddr;

use clap::{CommandFactory as _, Parser, ValueEnum};

/// Turns TodoStacks into running todo services.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "todostack-operator",
    version,
    about,
    long_about = "Turns TodoStacks into running todo services: Postgres and its volume, credentials, schema, API, \
                  Service and Ingress. It finds the API server by the pod's ServiceAccount, or by KUBECONFIG outside \
                  of a cluster. /livez, /readyz and /metrics are served on --listen."
)]
pub struct Args {
    /// Image of the API server for stacks that name none.
    #[arg(long, env = "TODOSTACK_API_IMAGE", default_value = concat!("ghcr.io/todostack/todostack-api:", env!("CARGO_PKG_VERSION")))]
    pub api_image: String,

    /// Repository of Postgres images for stacks that name none; the major version is the tag.
    #[arg(long, env = "TODOSTACK_POSTGRES_REPOSITORY", default_value = "docker.io/library/postgres")]
    pub postgres_repository: String,

    /// DNS domain of the cluster.
    #[arg(long, env = "TODOSTACK_CLUSTER_DOMAIN", default_value = "cluster.local")]
    pub cluster_domain: String,

    /// Namespace to watch; all when empty.
    #[arg(long, env = "TODOSTACK_WATCH_NAMESPACE", default_value = "")]
    pub watch_namespace: String,

    /// Port by which people reach the Ingress controller over HTTP, for the URL in the status.
    #[arg(long, env = "TODOSTACK_INGRESS_HTTP_PORT", default_value_t = 80)]
    pub ingress_http_port: u16,

    /// Port by which people reach the Ingress controller over HTTPS, for the URL in the status.
    #[arg(long, env = "TODOSTACK_INGRESS_HTTPS_PORT", default_value_t = 443)]
    pub ingress_https_port: u16,

    /// Stacks that are worked on at the same time.
    #[arg(long, env = "TODOSTACK_CONCURRENCY", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,

    /// Address of /livez, /readyz and /metrics.
    #[arg(long, env = "TODOSTACK_LISTEN", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,

    /// What is logged: error, warn, info, debug, trace, or directives such as `info,kube=debug`.
    #[arg(long, env = "TODOSTACK_LOG_LEVEL", default_value = "info")]
    pub log_level: String,

    /// How log lines look.
    #[arg(long, env = "TODOSTACK_LOG_FORMAT", default_value = "json")]
    pub log_format: LogFormat,

    /// The operator's own pod, named in Events.
    #[arg(long, env = "POD_NAME", default_value = "todostack-operator", hide = true)]
    pub pod_name: String,
}

impl Args {
    /// The arguments of an operator that runs with these variables, for those who look at it from outside.
    ///
    /// # Errors
    /// A value is none that the operator would have started with.
    pub fn of_environment<'a>(variable: impl Fn(&str) -> Option<&'a str>) -> Result<Self, clap::Error> {
        let command = Self::command();
        let given = command.get_arguments().filter_map(|argument| {
            let value = variable(argument.get_env()?.to_str()?)?;
            Some(format!("--{}={value}", argument.get_long()?))
        });
        Self::try_parse_from(std::iter::once(command.get_name().to_owned()).chain(given))
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// The settings that `resolve` reads.
#[derive(Clone, Debug)]
pub struct Config {
    /// Image of the API server for stacks that name none.
    pub api_image: String,
    /// Repository of Postgres images.
    pub postgres_repository: String,
    /// DNS domain of the cluster.
    pub cluster_domain: String,
    /// Port of the Ingress controller for HTTP.
    pub http_port: u16,
    /// Port of the Ingress controller for HTTPS.
    pub https_port: u16,
}

impl From<&Args> for Config {
    fn from(args: &Args) -> Self {
        Self {
            api_image: args.api_image.clone(),
            postgres_repository: args.postgres_repository.clone(),
            cluster_domain: args.cluster_domain.clone(),
            http_port: args.ingress_http_port,
            https_port: args.ingress_https_port,
        }
    }
}

impl Config {
    /// Where a host name's todos are, with the port where it is not the scheme's own.
    #[must_use]
    pub fn url(&self, scheme: &str, host: &str) -> String {
        match (scheme, self.http_port, self.https_port) {
            ("https", _, 443) | ("http", 80, _) => format!("{scheme}://{host}/todos"),
            ("https", _, port) | (_, port, _) => format!("{scheme}://{host}:{port}/todos"),
        }
    }
}
