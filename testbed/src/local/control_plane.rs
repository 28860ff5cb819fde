//! The local cluster's control plane: started in node 1's network, awaited until its API server answers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::network;
use super::plan::{self, Node};
use super::starting::Starting;
use crate::cluster_tools::ClusterTools;
use crate::control_plane::{Place, Ports};
use crate::wait::Probe;

pub(crate) fn place() -> Place {
    Place {
        folder: Path::new(plan::STATE).to_owned(),
        address: Node { number: 1 }.address(),
        ports: Ports::DEFAULT,
        services: plan::SERVICES,
        pods: plan::PODS,
    }
}

/// A certificate or kubeconfig of the local cluster.
pub(crate) fn pki(name: &str) -> PathBuf {
    place().pki(name)
}

pub(crate) fn start(starting: &mut Starting<'_>, cluster: &ClusterTools) -> anyhow::Result<()> {
    for program in place().programs() {
        let mut command = network::inside_network(Node { number: 1 });
        command.arg("setsid").arg(starting.binaries.program(program.file)).args(program.arguments);
        starting.detach(program.name, &mut command)?;
    }
    starting.until("the API server to become ready", Duration::from_mins(1), || {
        Probe::done_if(cluster.is_ready(), ())
    })
}
