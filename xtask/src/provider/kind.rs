//! Kubernetes in Docker, as kind/cluster.yaml describes it.

use std::process::Command;

use fs_err as fs;
use todostack_testbed::cluster_tools::ClusterTools;
use todostack_testbed::image::Image;
use todostack_testbed::{addons, prerequisites, process, progress};

use crate::cli::Up;
use crate::repository;

/// kind's name for the cluster; its context is `kind-todostack`.
const NAME: &str = "todostack";

pub(crate) fn start(up: &Up) -> anyhow::Result<ClusterTools> {
    anyhow::ensure!(
        up.nodes.is_none() && !up.nfs_node,
        "--nodes and --nfs-node are for --provider local: kind's nodes are in kind/cluster.yaml, its NFS server in kind/nfs-server.yaml"
    );
    anyhow::ensure!(
        process::succeeds(Command::new("docker").arg("info")),
        "Docker does not answer: start it (see `docker info`), or use --provider local"
    );
    let cluster = find()?;
    let exists = process::output(kind().args(["get", "clusters"]))?.lines().any(|name| name == NAME);
    if exists && up.replace {
        progress::step("Removing the old cluster", "10 s", stop)?;
    }
    fs::create_dir_all(repository::cluster())?;
    if exists && !up.replace {
        process::run(kind().args(["export", "kubeconfig", "--name", NAME]))?;
        anyhow::ensure!(
            cluster.is_ready(),
            "the API server of the kind cluster {NAME} does not answer: cargo xtask up --replace removes the cluster and creates a new one"
        );
        progress::detail(&format!("The kind cluster {NAME} is running"));
    } else {
        let configuration = repository::root().join("kind/cluster.yaml");
        progress::step("Creating the kind cluster", "1 to 3 min", || {
            let arguments = ["create", "cluster", "--name", NAME, "--wait", "180s", "--config"];
            process::run(kind().args(arguments).arg(configuration))
        })?;
    }
    progress::step("Applying the Ingress controller", "30 s", || {
        addons::apply(&cluster, &[addons::TRAEFIK])
    })?;
    Ok(cluster)
}

/// The programs of this machine, and the kubeconfig of the cluster.
pub(crate) fn find() -> anyhow::Result<ClusterTools> {
    let [kubectl, helm, _] = prerequisites::on_path(["kubectl", "helm", "kind"])?;
    Ok(ClusterTools { kubeconfig: repository::kubeconfig(), kubectl, helm })
}

pub(crate) fn load(images: &[Image]) -> anyhow::Result<()> {
    for image in images {
        process::run(kind().args(["load", "image-archive", "--name", NAME]).arg(&image.archive))?;
    }
    Ok(())
}

pub(crate) fn stop() -> anyhow::Result<()> {
    Ok(process::run(kind().args(["delete", "cluster", "--name", NAME]))?)
}

/// A `kind` command, which writes the kubeconfig that all commands read.
fn kind() -> Command {
    let mut command = Command::new("kind");
    command.env("KUBECONFIG", repository::kubeconfig());
    command
}
