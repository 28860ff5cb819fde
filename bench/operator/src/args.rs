//! The command line of the benchmark: every flag with what it is for.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures the operator beside a plain client that sends the same objects, and beside kro
///
/// Each measurement has a control plane of its own (etcd, API server, controller-manager and
/// scheduler as processes on loopback) with pretended nodes (kwok), and removes it. A running
/// `cargo xtask up` is not touched. The subjects take turns, so that what else the machine does
/// reaches all of them.
///
/// A short run that shows that it works takes some minutes:
///
///     cargo xtask bench operator --stacks 1,20 --rounds 1 --idle 10 --profile up
///
/// The figures of a release take some hours on two cores, and replace docs/benchmarks-operator.md:
///
///     cargo xtask bench operator --publish
///
/// Before a release, this fails if a figure is more than 10 % worse than the published one:
///
///     cargo xtask bench operator --stacks 100,500 --subjects floor,operator --check
///
/// Three scenarios measure no cost, but check that no two operators write at the same time, and fail
/// if they do: the leader of three replicas is killed again and again while stacks are created,
/// edited and deleted; shards serve stacks while their number changes; an upgrade of the operator
/// restarts all stacks, a few at a time. They run alone, and once:
///
///     cargo xtask bench operator --scenarios chaos
///     cargo xtask bench operator --scenarios shards
///     cargo xtask bench operator --scenarios upgrade
///     cargo xtask bench operator --scenarios chaos,shards,upgrade --stacks 20 --seconds 60 --profile up
#[derive(Clone, Debug, Parser)]
#[command(
    name = "cargo xtask bench operator",
    bin_name = "cargo xtask bench operator",
    version,
    verbatim_doc_comment
)]
pub(crate) struct Args {
    /// Numbers of stacks, each on its own [default: 1,100,500,1000; 100 of `chaos`, 1000 of `shards`, 50 of
    /// `upgrade`]
    #[arg(long, value_delimiter = ',')]
    stacks: Vec<usize>,

    /// What is measured; a goal that compares needs the floor
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Subject::ALL)]
    pub(crate) subjects: Vec<Subject>,

    /// What follows the creation of the stacks, in this order
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Scenario::ALL)]
    pub(crate) scenarios: Vec<Scenario>,

    /// Measurements of each subject and number; medians are reported
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,

    /// Seconds of the scenario `idle`
    #[arg(long, default_value_t = 300)]
    pub(crate) idle: u64,

    /// Seconds of the scenario `chaos`
    #[arg(long, default_value_t = 600)]
    pub(crate) seconds: u64,

    /// Seconds between two signals to the leader in the scenario `chaos`
    #[arg(long, default_value_t = 9)]
    pub(crate) every: u64,

    /// The signal of the scenario `chaos`
    #[arg(long, value_enum, default_value_t = Signal::Kill)]
    pub(crate) signal: Signal,

    /// Which stacks the scenario `chaos` creates, edits and deletes, and when
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// Cargo's profile that the operator is built with
    #[arg(long, default_value = "release")]
    pub(crate) profile: String,

    /// Measure this program instead of building the operator
    #[arg(long, value_name = "PATH")]
    pub(crate) operator: Option<PathBuf>,

    /// A further flag of the operator, such as --operator-flag=--concurrency=32; may be repeated
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    pub(crate) operator_flag: Vec<String>,

    /// How many reconciles kro may do
    #[arg(long, value_enum, default_value_t = KroLimits::Raised)]
    pub(crate) kro_limits: KroLimits,

    /// Requests a second of each of the controller-manager's clients; Kubernetes' own default is 20
    #[arg(long, default_value_t = 20)]
    pub(crate) controller_manager_qps: u32,

    /// Compare with bench/operator/figures.json, and fail if a figure is more than 10 % worse
    #[arg(long, conflicts_with = "publish")]
    pub(crate) check: bool,

    /// Write bench/operator/figures.json, docs/benchmarks-operator.md and its plot
    #[arg(long)]
    pub(crate) publish: bool,

    /// Keep the folder of each control plane, with all logs
    #[arg(long)]
    pub(crate) keep: bool,
}

/// What brings the objects of a stack into the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Subject {
    /// A plain client that applies the objects of all stacks on 32 connections
    Floor,
    /// This operator
    Operator,
    /// kro with a ResourceGraphDefinition of the same objects
    Kro,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KroLimits {
    /// 16 at a time, as this operator, and 1,000 a second
    Raised,
    /// Its own: one at a time, ten a second
    Default,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Scenario {
    /// Requests while nothing happens
    Idle,
    /// A deleted Service and an edited Deployment, until they are corrected
    Drift,
    /// 100 edited stacks at once, until all have rolled out
    Edits,
    /// The subject is stopped and started again
    Restart,
    /// 600 Secrets of 500 KiB that are none of its business
    Foreign,
    /// A second replica takes over after SIGTERM, and after SIGKILL (needs leader election)
    Takeover,
    /// 200 other stacks of which a third is broken, by this operator alone
    Broken,
    /// The leader of three replicas is killed every 9 s while stacks come, change and go (runs alone)
    Chaos,
    /// Two shards, then one, then two again, while stacks are edited (runs alone)
    Shards,
    /// An operator with other images for all databases and APIs takes over (runs alone)
    Upgrade,
}

/// What ends the leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Signal {
    /// SIGKILL: writes that are under way arrive, and the Lease expires
    Kill,
    /// SIGTERM: reconciles finish, and the Lease is released
    Term,
}

impl Scenario {
    /// Those that check, and measure no cost.
    const CHECKS: [Self; 3] = [Self::Chaos, Self::Shards, Self::Upgrade];
    const ALL: [Self; 7] =
        [Self::Idle, Self::Drift, Self::Edits, Self::Restart, Self::Foreign, Self::Takeover, Self::Broken];
}

impl Args {
    /// Numbers of stacks that are measured: none if only checks are asked for.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let is_check = |scenario| Scenario::CHECKS.contains(scenario);
        match self.stacks.as_slice() {
            _ if self.scenarios.iter().all(is_check) => Vec::new(),
            [] => vec![1, 100, 500, 1000],
            given => given.to_vec(),
        }
    }

    /// The checks that are asked for, each with a number of stacks.
    pub(crate) fn checks(&self) -> Vec<(Scenario, usize)> {
        let checks = Scenario::CHECKS.into_iter().filter(|check| self.scenarios.contains(check));
        let sizes = |check| match (self.stacks.as_slice(), check) {
            ([], Scenario::Chaos) => vec![100],
            ([], Scenario::Upgrade) => vec![50],
            ([], _) => vec![1000],
            (given, _) => given.to_vec(),
        };
        checks.flat_map(|check| sizes(check).into_iter().map(move |stacks| (check, stacks))).collect()
    }
}

impl Subject {
    const ALL: [Self; 3] = [Self::Floor, Self::Operator, Self::Kro];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Operator => "operator",
            Self::Kro => "kro",
        }
    }
}

macro_rules! shown {
    ($($kind:ty),*) => {$(
        impl std::fmt::Display for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let value = self.to_possible_value();
                f.write_str(value.as_ref().map_or("", |value| value.get_name()))
            }
        }
    )*};
}
shown!(Subject, Scenario, KroLimits, Signal);

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[rstest]
    #[case::all(&[], &[1, 100, 500, 1000], &[])]
    #[case::check(&["--scenarios=chaos"], &[], &[(Scenario::Chaos, 100)])]
    #[case::both(&["--scenarios=shards,idle", "--stacks=2,3"], &[2, 3], &[(Scenario::Shards, 2), (Scenario::Shards, 3)])]
    fn checks_run_only_if_they_are_asked_for(
        #[case] flags: &[&str],
        #[case] sizes: &[usize],
        #[case] checks: &[(Scenario, usize)],
    ) {
        let args = Args::parse_from(std::iter::once("bench").chain(flags.iter().copied()));
        assert_eq!(args.sizes(), sizes);
        assert_eq!(args.checks(), checks);
    }
}
