//! The command line: commands, flags and help texts. What the commands do is in `commands.rs`.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use todostack_stack::labels::Component;

/// Shows the objects of a TodoStack, what is wrong with it and why, and what to do
#[derive(Debug, Parser)]
#[command(
    name = "kubectl todostack",
    bin_name = "kubectl todostack",
    version,
    after_help = "The plugin reads with your own permissions. Only release changes something. The role view is enough: what \
                  you may not read is listed, and not checked. No command prints a password.\n\n\
                  Exit codes: 0 all stacks are ready and no check of the cluster failed, 1 a stack is not \
                  ready or a check failed, 2 the command failed (invalid usage, the stack does not exist, \
                  the cluster cannot be reached)."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) cluster: Cluster,
}

/// The cluster and namespace, with the flags of kubectl.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Cluster {
    /// Namespace of the stack [default: the one of the context]
    #[arg(short, long, global = true)]
    pub(crate) namespace: Option<String>,
    /// Context of the kubeconfig [default: the current context]
    #[arg(long, global = true)]
    pub(crate) context: Option<String>,
    /// Path of the kubeconfig [default: $KUBECONFIG, then ~/.kube/config]
    #[arg(long, global = true)]
    pub(crate) kubeconfig: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show stacks: a summary, the tree of objects with their states, and the findings
    Status {
        /// Name of one stack [default: all stacks of the namespace]
        name: Option<String>,
        /// Include the stacks of all namespaces
        #[arg(short = 'A', long, conflicts_with_all = ["namespace", "name"])]
        all_namespaces: bool,
        /// Output format
        #[arg(short, long, value_enum, default_value_t)]
        output: Output,
    },
    /// Explain why a stack is not ready: from the symptom to the root cause, with evidence and remedy
    Explain {
        /// Name of the stack
        name: String,
    },
    /// Check the cluster and the stacks: what is missing, what is wrong, what to do
    ///
    /// Checks of the cluster: the CRD, the operator, the default StorageClass and IngressClass, and DNS.
    Doctor {
        /// Include the stacks of all namespaces
        #[arg(short = 'A', long, conflicts_with = "namespace")]
        all_namespaces: bool,
    },
    /// Open psql in the database pod, with the role of the API
    ///
    /// Needs the permission to create pods/exec. Arguments after `--` go to psql:
    /// kubectl todostack psql shop -- --command 'select count(*) from todos'
    Psql {
        /// Name of the stack
        name: String,
        /// Connect with the role of the superuser
        #[arg(long)]
        superuser: bool,
        /// Arguments for psql
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Print the URL of the API
    Url {
        /// Name of the stack
        name: String,
    },
    /// Let the deletion of a stack end while the operator does not run: its data is kept
    ///
    /// A stack with deletionPolicy Delete has a finalizer, by which it waits for the operator to delete its
    /// data. Without an operator, neither the stack nor its namespace is ever gone. This command shows what
    /// would be kept, and removes the finalizer with --yes. Needs the permission to patch todostacks.
    Release {
        /// Name of the stack
        name: String,
        /// Remove the finalizer
        #[arg(long)]
        yes: bool,
    },
    /// Print the logs of the pods of a stack
    Logs {
        /// Name of the stack
        name: String,
        /// Which pods
        #[arg(value_enum, default_value_t)]
        workload: Workload,
        /// Follow the logs
        #[arg(short, long)]
        follow: bool,
        /// Number of recent lines of each container; -1: all lines
        #[arg(long, default_value_t = 100, allow_negative_numbers = true)]
        tail: i64,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Tree of objects
    #[default]
    Tree,
    /// Tree with messages of conditions, and nodes and images of pods
    Wide,
    /// {"stacks": […]}
    Json,
    /// The same in YAML
    Yaml,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// The pods of the API
    #[default]
    Api,
    /// The pod of Postgres
    Database,
    /// The pods of the migration
    Migration,
}

impl From<Workload> for Component {
    fn from(workload: Workload) -> Self {
        match workload {
            Workload::Api => Self::Api,
            Workload::Database => Self::Database,
            Workload::Migration => Self::Migration,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn arguments_after_two_dashes_are_passed_to_psql() {
        let args =
            Args::parse_from(["kubectl-todostack", "psql", "shop", "-n", "shops", "--", "-c", "select 1"]);
        let Command::Psql { arguments, superuser: false, .. } = args.command else { panic!("{args:?}") };
        assert_eq!(arguments, ["-c", "select 1"]);
    }
}
