//! The command line: every command, flag and help text. What the commands do is in `commands.rs`.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use todostack_stack::labels::Component;

/// Shows what a TodoStack is made of, what is wrong with it and why, and what to do
#[derive(Debug, Parser)]
#[command(
    name = "kubectl todostack",
    bin_name = "kubectl todostack",
    version,
    after_help = "Everything is read with your own rights, and nothing is changed. The role view is enough; what you may \
                  not read is said and left out. No command prints a password.\n\n\
                  Exit codes: 0 all is well, 1 something is wrong with a stack or the cluster, 2 no answer (usage, \
                  no such stack, no way to the cluster)."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) cluster: Cluster,
}

/// Which cluster and namespace, as kubectl has it.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Cluster {
    /// Namespace of the stack [default: that of the kubeconfig's context]
    #[arg(short, long, global = true)]
    pub(crate) namespace: Option<String>,
    /// Context of the kubeconfig [default: the current one]
    #[arg(long, global = true)]
    pub(crate) context: Option<String>,
    /// The kubeconfig [default: $KUBECONFIG, then ~/.kube/config]
    #[arg(long, global = true)]
    pub(crate) kubeconfig: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show stacks: a summary, their objects with the state of each, and what is wrong
    Status {
        /// One stack [default: all of the namespace]
        name: Option<String>,
        /// Stacks of all namespaces
        #[arg(short = 'A', long, conflicts_with_all = ["namespace", "name"])]
        all_namespaces: bool,
        /// How to write it
        #[arg(short, long, value_enum, default_value_t)]
        output: Output,
    },
    /// Explain why a stack is not ready: from the symptom to the cause, where that was seen, what to do
    Explain {
        /// The stack
        name: String,
    },
    /// Check the cluster and every stack in it: what is missing, what is wrong, what to do
    ///
    /// Of the cluster: the definition, the operator, the default StorageClass and IngressClass, and DNS.
    Doctor {
        /// Stacks of all namespaces
        #[arg(short = 'A', long, conflicts_with = "namespace")]
        all_namespaces: bool,
    },
    /// Open psql in the stack's database, as the API's role
    ///
    /// Needs the right to exec into pods. Arguments after `--` go to psql:
    /// kubectl todostack psql shop -- --command 'select count(*) from todos'
    Psql {
        /// The stack
        name: String,
        /// Connect as the superuser
        #[arg(long)]
        superuser: bool,
        /// Arguments of psql
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Print where the stack's API answers
    Url {
        /// The stack
        name: String,
    },
    /// Print the logs of one part of a stack, of all its pods
    Logs {
        /// The stack
        name: String,
        /// Which pods
        #[arg(value_enum, default_value_t)]
        workload: Workload,
        /// Go on as lines come
        #[arg(short, long)]
        follow: bool,
        /// Newest lines of each container to begin with; -1: all
        #[arg(long, default_value_t = 100, allow_negative_numbers = true)]
        tail: i64,
    },
}

/// How `status` writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// A tree for people
    #[default]
    Tree,
    /// The same with the message of every part, and nodes and images of pods
    Wide,
    /// {"stacks": […]}
    Json,
    /// The same as YAML
    Yaml,
}

/// The pods whose logs are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// The API's pods
    #[default]
    Api,
    /// Postgres
    Database,
    /// The migration's pods
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
    fn the_command_line_holds_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn arguments_after_two_dashes_are_those_of_psql() {
        let args =
            Args::parse_from(["kubectl-todostack", "psql", "shop", "-n", "shops", "--", "-c", "select 1"]);
        let Command::Psql { arguments, superuser: false, .. } = args.command else { panic!("{args:?}") };
        assert_eq!(arguments, ["-c", "select 1"]);
    }
}
