//! The command line: every command, flag and help text. What the commands do is in a file named after each.

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Builds, runs and tests the TodoStack operator on a real Kubernetes.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Start a cluster with the operator and the demo stack, and call it through the Ingress
    ///
    /// Run it as often as you like: what is there already is left alone. When it ends, todos are served at
    /// `http://todolist.localhost:8080/todos` and target/cluster/kubeconfig is the cluster's kubeconfig.
    ///
    /// The first run builds Kubernetes from its Go modules (15 to 20 minutes on two cores, kept in the user's
    /// cache folder for every checkout); later starts take about a minute.
    Up(Up),
    /// Remove the cluster: every process, mount, network, cgroup and folder of it
    ///
    /// What was built stays in the cache folder, whose path is printed.
    Down(Down),
    /// Run every test: format, lints, docs, licences, unit, chart and cluster tests
    ///
    /// All parts run even when one fails; the last lines are the test runners' own summaries.
    Test(Test),
    /// Build the operator's and the API's image and load them into the running cluster
    ///
    /// Tags are the first 12 digits of the binary's SHA-256, so an unchanged program is not loaded again.
    /// The operator is then upgraded to them by Helm.
    Images(Images),
    /// Write what is generated from the sources: CRD YAML, OpenAPI document
    Gen(Gen),
    /// Run a benchmark
    Bench(Bench),
}

/// Where the cluster runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProviderName {
    /// Kubernetes in Docker, after kind/cluster.yaml
    Kind,
    /// Kubernetes as processes of this machine (Linux, root, no Docker needed)
    Local,
    /// The cluster of the current kubeconfig; give images that it can pull
    Current,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Up {
    /// Where the cluster runs [default: kind where Docker answers, else local]
    #[arg(long, value_enum)]
    pub(crate) provider: Option<ProviderName>,
    /// Nodes of the local cluster, 1 to 5 [default: those it has, or 1]
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=5))]
    pub(crate) nodes: Option<u8>,
    /// Add a node with a kernel of its own to the local cluster, which serves and mounts real NFS
    ///
    /// It is named nfsnode and tainted todostack.dev/nfs=true:NoSchedule; testbed/README.md says how tests
    /// make exports on it.
    #[arg(long)]
    pub(crate) nfs_node: bool,
    /// Remove a cluster of another checkout, of another shape or half dead, and start anew
    #[arg(long)]
    pub(crate) replace: bool,
    /// Start the cluster and its add-ons only: no operator, no demo stack
    #[arg(long)]
    pub(crate) bare: bool,
    #[command(flatten)]
    pub(crate) images: GivenImages,
}

/// Images to install instead of those built from this checkout.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct GivenImages {
    /// The operator's image, as name:tag (needed with --provider current)
    #[arg(long, value_name = "IMAGE")]
    pub(crate) operator_image: Option<String>,
    /// The API's image (needed with --provider current)
    #[arg(long, value_name = "IMAGE")]
    pub(crate) api_image: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Down {
    /// Where the cluster runs [default: the one that `up` started]
    #[arg(long, value_enum)]
    pub(crate) provider: Option<ProviderName>,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Test {
    /// Leave out what needs a cluster (3 minutes instead of 10, once compiled)
    #[arg(long)]
    pub(crate) fast: bool,
    /// Only the checks whose name contains this word, such as "clippy" or "cluster"
    #[arg(long, value_name = "WORD")]
    pub(crate) only: Option<String>,
    /// Leave the cluster of the tests running, to look into a failure
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Images {
    /// Build the images only: load them nowhere
    #[arg(long)]
    pub(crate) build_only: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Gen {
    /// Write nothing: fail with a diff where a file differs from what would be generated
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Bench {
    /// What is measured
    #[arg(value_enum)]
    pub(crate) subject: BenchSubject,
}

/// What `cargo xtask bench` measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BenchSubject {
    /// Requests per second and latency of the API, FastAPI services and pgbench
    Api,
    /// The time of one diagnosis by the operator, without a cluster
    Operator,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn up_without_flags_takes_the_cluster_as_it_is() {
        let Command::Up(up) = Cli::parse_from(["xtask", "up"]).command else { panic!("not up") };
        assert_eq!(
            (up.nodes, up.nfs_node, up.replace, up.bare, up.provider),
            (None, false, false, false, None)
        );
    }

    #[test]
    fn more_nodes_than_the_address_plan_holds_are_refused() {
        assert!(Cli::try_parse_from(["xtask", "up", "--nodes", "6"]).is_err());
    }
}
