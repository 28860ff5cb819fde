//! The command line: every command, flag and help text. Each command is a file of its name.

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  A cluster with the demo, and a request to it:
    cargo xtask up
    curl http://todolist.localhost:8080/todos

  After a change to the operator or the API: build, load, upgrade:
    cargo xtask images

  Before a commit, then one check alone:
    cargo xtask test --fast
    cargo xtask test --only clippy

  Leave nothing behind:
    cargo xtask down";

/// Builds, runs and tests the TodoStack operator on a real Kubernetes.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Start a cluster with the operator and the demo stack, and call the demo through the Ingress
    ///
    /// A running cluster is kept, and the operator on it is upgraded to this checkout. Afterwards todos are
    /// served at `http://todolist.localhost:8080/todos`, and target/cluster/kubeconfig is the kubeconfig.
    ///
    /// The first run builds Kubernetes from its Go modules, 6 to 12 minutes on two cores, into the user's
    /// cache folder. With that, and the programs compiled, a start takes about half a minute.
    Up(Up),
    /// Remove the cluster with all its processes, mounts, networks, cgroups and folders
    ///
    /// The cache folder with what was built stays; its path is printed.
    Down {
        /// Where the cluster runs [default: the one that `up` started]
        #[arg(long, value_enum)]
        provider: Option<ProviderName>,
    },
    /// Run every check: limits, format, lints, docs, dependencies, licenses; unit, chart and cluster tests
    ///
    /// All checks run even if one fails, and one that cannot run fails. The last lines are the summaries of
    /// the test runners. The tests of the page in Chromium run with `--only page`.
    Test(Test),
    /// Build the images of the operator and the API, load them into the cluster, and upgrade the operator
    ///
    /// A tag is the first 12 digits of the program's SHA-256, so an unchanged program is not loaded again.
    Images {
        /// Build the images as for a release, without loading them into a cluster
        #[arg(long)]
        build_only: bool,
    },
    /// Run examples/compose with the API of this checkout, create a todo, and remove the containers
    ///
    /// Needs Docker with Compose, or podman with podman-compose. Not a part of `test`, since a machine for
    /// the other checks need not have either.
    Compose,
    /// Write the generated files: CRD, RBAC rules of the chart, page of reasons, OpenAPI document
    Gen {
        /// Write nothing; print a diff and fail if a generated file is out of date
        #[arg(long)]
        check: bool,
    },
    /// Run a benchmark
    Bench {
        #[command(subcommand)]
        subject: BenchSubject,
    },
}

/// Where the cluster runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProviderName {
    /// Kubernetes in Docker, as kind/cluster.yaml describes it
    Kind,
    /// Kubernetes as processes of this machine; needs Linux and root, but no Docker
    Local,
    /// The cluster of the current kubeconfig; needs images that it can pull
    Current,
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Up {
    /// Where the cluster runs [default: kind where Docker answers, else local]
    #[arg(long, value_enum)]
    pub(crate) provider: Option<ProviderName>,
    /// The number of nodes of the local cluster, 1 to 5 [default: that of the running cluster, or 1]
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=5))]
    pub(crate) nodes: Option<u8>,
    /// Add a node with its own kernel to the local cluster, which serves and mounts real NFS
    ///
    /// Its name is nfsnode and its taint todostack.dev/nfs=true:NoSchedule. testbed/README.md describes how
    /// to export directories on it.
    #[arg(long)]
    pub(crate) nfs_node: bool,
    /// Remove a cluster that is broken, of another shape or of another checkout, and start a new one
    #[arg(long)]
    pub(crate) replace: bool,
    /// Start the cluster and its add-ons, without the operator and the demo stack
    #[arg(long)]
    pub(crate) bare: bool,
    #[command(flatten)]
    pub(crate) images: GivenImages,
}

/// Which images to install: those of this checkout, or given ones.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct GivenImages {
    /// The operator's image as NAME:TAG (required with --provider current)
    #[arg(long, value_name = "IMAGE")]
    pub(crate) operator_image: Option<String>,
    /// The API's image as NAME:TAG (required with --provider current)
    #[arg(long, value_name = "IMAGE")]
    pub(crate) api_image: Option<String>,
    /// Compile the operator and the API as for a release, which takes longer
    #[arg(long)]
    pub(crate) release: bool,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct Test {
    /// Skip the checks that need a cluster (3 minutes instead of 10, once compiled)
    #[arg(long)]
    pub(crate) fast: bool,
    /// Run only the checks whose name contains this text, such as "clippy" or "cluster"
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
    /// Keep the cluster of the tests running, to examine a failure
    #[arg(long)]
    pub(crate) keep: bool,
    /// Compile the operator and the API of the cluster tests as for a release
    #[arg(long)]
    pub(crate) release: bool,
}

/// What `cargo xtask bench` measures.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum BenchSubject {
    /// Requests per second and latency of the API, FastAPI services and pgbench
    Api,
    /// Memory and delay of 10,000 streams of events on one replica of the API, on a SQLite file
    ///
    /// With `DATABASE_URL`, on that empty Postgres database.
    Events,
    /// The time until a browser shows the first todo of the page, and the size of the page
    Page,
    /// The time of one diagnosis by the operator, without a cluster
    Diagnose,
    /// The time of a reconcile that finds nothing to do, with 10 to 5,000 stacks in the caches
    Reconcile,
    /// What the operator costs with 1 to 1,000 stacks, beside a plain client and kro (its own --help)
    #[command(disable_help_flag = true)]
    Operator {
        /// Flags of the benchmark
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<String>,
    },
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
    fn the_help_has_every_command_and_ends_with_examples() {
        insta::assert_snapshot!(Cli::command().term_width(100).render_long_help());
    }

    #[test]
    fn up_without_flags_keeps_the_running_cluster() {
        let Command::Up(up) = Cli::parse_from(["xtask", "up"]).command else { panic!("not up") };
        assert_eq!(
            (up.nodes, up.nfs_node, up.replace, up.bare, up.provider),
            (None, false, false, false, None)
        );
    }

    #[test]
    fn the_benchmark_of_the_operator_gets_its_own_flags() {
        let parsed = Cli::parse_from(["xtask", "bench", "operator", "--help", "--stacks", "1"]).command;
        let Command::Bench { subject: BenchSubject::Operator { flags } } = parsed else { panic!("not it") };
        assert_eq!(flags, ["--help", "--stacks", "1"]);
    }

    #[test]
    fn more_nodes_than_there_are_addresses_are_rejected() {
        assert!(Cli::try_parse_from(["xtask", "up", "--nodes", "6"]).is_err());
    }
}
