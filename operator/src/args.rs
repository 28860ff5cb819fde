//! Every flag and variable of the operator, with what it is for; nothing else reads the environment.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use clap::{ArgAction, Parser, ValueEnum};
use todostack_stack::{
    allowed::{AllowedExports, AllowedHosts},
    config::{self, Config},
};

use crate::{
    leader::candidate::{InvalidTimings, Timings},
    lease_name::LeaseName,
    observe::scope::Scope,
    shard::Shard,
    upgrades::Limits,
};

const SCOPE: &str = "Scope";
const ALLOWED: &str = "What stacks may use";
const PACE: &str = "Concurrency and rollouts";
const ELECTION: &str = "Leader election";
const OBSERVABILITY: &str = "Observability";

const EXAMPLES: &str = "\
Examples:
  On the cluster of the current kubeconfig, with a log to read:
    todostack-operator --log-format text --log-level info,kube=debug

  For two teams, whose stacks may use the NFS exports and the hosts of their own namespace:
    todostack-operator --watch-namespaces shop,forum \\
        --allowed-nfs-exports 'nfs.example.com:/exports/{namespace}' \\
        --allowed-hosts '*.{namespace}.example.com'

  One of two replicas, of which the elected one writes:
    todostack-operator --lease todostack-system/todostack-operator

  The second of three operators that share the stacks:
    todostack-operator --shard 1/3 --lease todostack-system/todostack-operator

The chart todostack-operator sets all of these by its values.";

/// Turns TodoStacks into running todo services.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "todostack-operator",
    version,
    about,
    next_help_heading = "Stacks",
    long_about = "Turns TodoStacks into running todo services: Postgres, volume, credentials, schema, API, \
                  Service and Ingress. Finds the API server by the ServiceAccount of its pod, or by \
                  KUBECONFIG outside of a cluster. Serves /livez, /readyz and /metrics on --listen.",
    after_help = EXAMPLES
)]
pub(crate) struct Args {
    /// Image of the API server for stacks that name none.
    #[arg(long, env = config::API_IMAGE, default_value_t = Config::default().api_image)]
    pub(crate) api_image: String,

    /// Repository of Postgres images for stacks that name none; the major version is the tag.
    #[arg(long, env = config::POSTGRES_REPOSITORY, default_value_t = Config::default().postgres_repository)]
    pub(crate) postgres_repository: String,

    /// DNS domain of the cluster, in the names of Services.
    #[arg(long, env = config::CLUSTER_DOMAIN, default_value_t = Config::default().cluster_domain)]
    pub(crate) cluster_domain: String,

    /// Namespaces to watch, separated by commas; all when empty.
    #[arg(long, alias = "watch-namespace", env = "TODOSTACK_WATCH_NAMESPACES", value_delimiter = ',', help_heading = SCOPE)]
    watch_namespaces: Vec<String>,

    /// The former name of the variable, for one namespace.
    #[arg(long, env = "TODOSTACK_WATCH_NAMESPACE", default_value = "", hide = true)]
    watch_one_namespace: String,

    /// Labels of the namespaces in which stacks are managed, as in `kubectl --selector`. Not with
    /// --watch-namespaces.
    #[arg(long, env = "TODOSTACK_WATCH_NAMESPACE_SELECTOR", default_value = "", help_heading = SCOPE)]
    watch_namespace_selector: String,

    /// Which of several operators this is, as index/count: it serves the stacks whose uid has that remainder.
    /// All have the same namespaces and settings, and each its own Lease.
    #[arg(long, env = "TODOSTACK_SHARD", default_value_t, help_heading = SCOPE)]
    pub(crate) shard: Shard,

    /// Whether the operator may use cluster-scoped objects: PersistentVolumes, for NFS exports, and classes.
    /// `false` needs --watch-namespaces.
    #[arg(long, env = config::CLUSTER_ACCESS, default_value_t = true, action = ArgAction::Set)]
    #[arg(help_heading = SCOPE)]
    cluster_access: bool,

    /// Port by which users reach the Ingress controller over HTTP, for the URL in the status.
    #[arg(long, env = config::HTTP_PORT, default_value_t = Config::default().http_port)]
    pub(crate) ingress_http_port: u16,

    /// Port by which users reach the Ingress controller over HTTPS, for the URL in the status.
    #[arg(long, env = config::HTTPS_PORT, default_value_t = Config::default().https_port)]
    pub(crate) ingress_https_port: u16,

    /// NFS exports that stacks may use, separated by commas: `server:/directory` and all below it, with
    /// `{namespace}` for the namespace of the stack. `*`: all. Empty: none.
    #[arg(long, env = config::ALLOWED_EXPORTS, default_value = "", help_heading = ALLOWED)]
    pub(crate) allowed_nfs_exports: AllowedExports,

    /// Hosts that stacks may have, separated by commas, such as `*.{namespace}.example.com`, with `*` for any
    /// label. `*`: all. Empty: none.
    #[arg(long, env = config::ALLOWED_HOSTS, default_value = "*", help_heading = ALLOWED)]
    pub(crate) allowed_hosts: AllowedHosts,

    /// Stacks that are reconciled at the same time.
    #[arg(long, env = "TODOSTACK_CONCURRENCY", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256), help_heading = PACE)]
    pub(crate) concurrency: u16,

    /// Databases that may restart at the same time because a new version or other settings of the operator
    /// change their pods. Each is awaited. Edits of a user are not limited.
    #[arg(long, env = "TODOSTACK_DATABASE_RESTARTS_AT_ONCE", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..), help_heading = PACE)]
    database_restarts_at_once: u16,

    /// Stacks whose schema is migrated and whose API pods are replaced at the same time for such a reason.
    #[arg(long, env = "TODOSTACK_API_ROLLOUTS_AT_ONCE", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..), help_heading = PACE)]
    api_rollouts_at_once: u16,

    /// Lease, as `namespace/name`, by which one of several replicas is elected to write, and which identifies
    /// the installation in `status.operator` of its stacks. Without one, this is the only operator.
    #[arg(long, env = "TODOSTACK_LEASE", help_heading = ELECTION)]
    pub(crate) lease: Option<LeaseName>,

    /// Seconds for which a Lease that is not renewed is valid: a replica that is killed is replaced after
    /// that and half of --retry-seconds.
    #[arg(long, env = "TODOSTACK_LEASE_SECONDS", default_value_t = 13, help_heading = ELECTION)]
    lease_seconds: u16,

    /// Seconds without a renewal of the Lease after which a replica stops writing.
    #[arg(long, env = "TODOSTACK_RENEW_DEADLINE_SECONDS", default_value_t = 11, help_heading = ELECTION)]
    renew_deadline_seconds: u16,

    /// Seconds between two renewals of the Lease.
    #[arg(long, env = "TODOSTACK_RETRY_SECONDS", default_value_t = 2, help_heading = ELECTION)]
    retry_seconds: u16,

    /// Address of /livez, /readyz and /metrics.
    #[arg(long, env = "TODOSTACK_LISTEN", default_value = "[::]:8080", help_heading = OBSERVABILITY)]
    pub(crate) listen: SocketAddr,

    /// Log level: error, warn, info, debug, trace, or directives such as `info,kube=debug`.
    #[arg(long, env = "TODOSTACK_LOG_LEVEL", default_value = "info", help_heading = OBSERVABILITY)]
    pub(crate) log_level: String,

    /// Log format.
    #[arg(long, env = "TODOSTACK_LOG_FORMAT", default_value = "json", help_heading = OBSERVABILITY)]
    pub(crate) log_format: LogFormat,

    /// The operator's own pod, named in Events and in the Lease.
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

/// Flags that exclude each other.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidScope {
    #[error("--watch-namespaces and --watch-namespace-selector exclude each other")]
    TwoSelections,
    #[error("--cluster-access=false needs --watch-namespaces")]
    Everywhere,
}

impl Args {
    pub(crate) fn timings(&self) -> Result<Timings, InvalidTimings> {
        let seconds = |seconds: u16| Duration::from_secs(seconds.into());
        let timings = Timings {
            lease: seconds(self.lease_seconds),
            renew_deadline: seconds(self.renew_deadline_seconds),
            retry: seconds(self.retry_seconds),
        };
        timings.validate()
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits { databases: self.database_restarts_at_once, apis: self.api_rollouts_at_once }
    }

    /// The Lease of this shard.
    pub(crate) fn own_lease(&self) -> Option<LeaseName> {
        self.lease.as_ref().map(|lease| lease.of_shard(self.shard))
    }

    /// What is watched.
    pub(crate) fn scope(&self) -> Result<Scope, InvalidScope> {
        let names = self.watch_namespaces.iter().chain([&self.watch_one_namespace]);
        let names: BTreeSet<_> = names.map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
        let selector = Some(self.watch_namespace_selector.trim()).filter(|selector| !selector.is_empty());
        if !names.is_empty() && selector.is_some() {
            return Err(InvalidScope::TwoSelections);
        }
        if names.is_empty() && !self.cluster_access {
            return Err(InvalidScope::Everywhere);
        }
        Ok(Scope {
            namespaces: names.into_iter().map(str::to_owned).collect(),
            selector: selector.map(str::to_owned),
            has_cluster_access: self.cluster_access,
            shard: self.shard,
        })
    }

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
            cluster_access: self.cluster_access,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_help_has_every_flag_with_its_variable_and_default_and_ends_with_examples() {
        let help = Args::command().term_width(100).render_long_help().to_string();
        insta::assert_snapshot!(help.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
    }

    #[rstest]
    #[case::all(&[], Ok(("", None)))]
    #[case::one(&["--watch-namespace=a"], Ok(("a", None)))]
    #[case::list(&["--watch-namespaces=b,a,,b"], Ok(("a b", None)))]
    #[case::selector(&["--watch-namespace-selector=team=a"], Ok(("", Some("team=a"))))]
    #[case::both(&["--watch-namespaces=a", "--watch-namespace-selector=x"], Err(InvalidScope::TwoSelections))]
    #[case::confined(&["--watch-namespaces=a", "--cluster-access=false"], Ok(("a", None)))]
    #[case::confined_to_nothing(&["--cluster-access=false"], Err(InvalidScope::Everywhere))]
    fn the_scope_follows_from_the_flags(
        #[case] flags: &[&str],
        #[case] expected: Result<(&str, Option<&str>), InvalidScope>,
    ) {
        let args = Args::parse_from(std::iter::once("todostack-operator").chain(flags.iter().copied()));
        let scope = args.scope().map(|scope| (scope.namespaces.join(" "), scope.selector));
        let expected = expected.map(|(names, selector)| (names.to_owned(), selector.map(str::to_owned)));
        assert_eq!(scope, expected);
    }
}
