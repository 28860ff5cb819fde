//! What the figures depend on: the machine, the versions, the settings.

use std::process::Command;

use serde::{Deserialize, Serialize};
use todostack_testbed::{process, repository};

use crate::args::{Args, KroLimits};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: u64,
    pub(crate) kernel: String,
    /// Of this repository.
    pub(crate) commit: String,
    pub(crate) date: String,
    pub(crate) kubernetes: String,
    pub(crate) kwok: String,
    pub(crate) kro: String,
    /// Of Cargo, for the operator; `given` if the program was given.
    pub(crate) profile: String,
    pub(crate) operator_flags: Vec<String>,
    #[serde(default)]
    pub(crate) kro_defaults: bool,
    pub(crate) controller_manager_qps: u32,
    pub(crate) rounds: usize,
    pub(crate) idle: u64,
}

impl Machine {
    pub(crate) fn read(args: &Args) -> Self {
        let value = |file: &str, name: &str| {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':'));
            line.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let kibibytes = value("/proc/meminfo", "MemTotal");
        let kibibytes = kibibytes.split(' ').next().and_then(|number| number.parse::<u64>().ok());
        let mut git = Command::new("git");
        git.current_dir(repository::root()).args(["describe", "--always", "--dirty"]);
        Self {
            cpu: value("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            memory_gib: kibibytes.unwrap_or_default() >> 20,
            kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease")
                .unwrap_or_default()
                .trim()
                .to_owned(),
            commit: process::output(&mut git).unwrap_or_default(),
            date: jiff::Timestamp::now().to_string().chars().take(10).collect(),
            kubernetes: module("go.mod", "k8s.io/kubernetes"),
            kwok: module("kwok/go.mod", "sigs.k8s.io/kwok"),
            kro: module("kro/go.mod", "github.com/kubernetes-sigs/kro"),
            profile: args.operator.as_ref().map_or_else(|| args.profile.clone(), |_| "given".to_owned()),
            operator_flags: args.operator_flag.clone(),
            kro_defaults: args.kro_limits == KroLimits::Default,
            controller_manager_qps: args.controller_manager_qps,
            rounds: args.rounds,
            idle: args.idle,
        }
    }
}

/// The version of a Go module in a go.mod of testbed/.
fn module(file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(repository::testbed().join(file)).unwrap_or_default();
    let version = text.lines().find_map(|line| line.trim().strip_prefix(name)?.trim().strip_prefix('v'));
    version.and_then(|version| version.split(' ').next()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_go_modules() {
        assert_eq!(module("kwok/go.mod", "sigs.k8s.io/kwok"), "0.8.0");
        assert_eq!(module("kro/go.mod", "github.com/kubernetes-sigs/kro"), "0.9.4");
        assert!(module("go.mod", "k8s.io/kubernetes").starts_with("1."));
    }
}
