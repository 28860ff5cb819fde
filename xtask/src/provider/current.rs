//! The cluster of the current kubeconfig: nothing is started or removed, images come from a registry.

use std::path::PathBuf;

use todostack_testbed::cluster_tools::ClusterTools;
use todostack_testbed::prerequisites;

use crate::cli::Up;

pub(crate) fn start(up: &Up) -> anyhow::Result<ClusterTools> {
    anyhow::ensure!(
        up.bare || (up.images.operator_image.is_some() && up.images.api_image.is_some()),
        "--provider current needs --operator-image and --api-image, which the cluster can pull: cargo xtask images --build-only builds them, push them to its registry"
    );
    let cluster = find()?;
    anyhow::ensure!(
        cluster.is_ready(),
        "the API server of {} does not answer: see `kubectl get --raw /readyz`",
        cluster.kubeconfig.display()
    );
    Ok(cluster)
}

/// kubectl and helm of this machine, with the kubeconfig that they would use.
pub(crate) fn find() -> anyhow::Result<ClusterTools> {
    let [kubectl, helm] = prerequisites::on_path(["kubectl", "helm"])?;
    let default = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".kube/config");
    let kubeconfig = std::env::var_os("KUBECONFIG").map_or_else(default, PathBuf::from);
    Ok(ClusterTools { kubeconfig, kubectl, helm })
}
