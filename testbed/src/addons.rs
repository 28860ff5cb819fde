//! Applies add-ons of testbed/manifests and waits until they are available. The provider chooses them.

use crate::cluster_tools::ClusterTools;
use crate::{process, repository};

/// A file of testbed/manifests, and the Deployment in it that must become available.
#[derive(Clone, Copy)]
pub struct Addon {
    manifest: &'static str,
    namespace: &'static str,
    deployment: &'static str,
}

pub const COREDNS: Addon =
    Addon { manifest: "coredns.yaml", namespace: "kube-system", deployment: "coredns" };
pub const TRAEFIK: Addon =
    Addon { manifest: "traefik.yaml", namespace: "kube-system", deployment: "traefik" };
pub const LOCAL_PATH: Addon =
    Addon { manifest: "local-path.yaml", namespace: "local-path-storage", deployment: "local-path" };

/// Applies all of them, then waits for each.
pub fn apply(cluster: &ClusterTools, addons: &[Addon]) -> anyhow::Result<()> {
    let manifests = repository::testbed().join("manifests");
    let mut apply = cluster.kubectl();
    // A field that a user changed on the running cluster is set back.
    apply.args(["apply", "--server-side", "--force-conflicts"]);
    for addon in addons {
        apply.arg("-f").arg(manifests.join(addon.manifest));
    }
    process::run(&mut apply)?;
    for Addon { namespace, deployment, .. } in addons {
        let name = format!("deployment/{deployment}");
        let arguments = ["rollout", "status", &name, "--timeout=120s"];
        process::run(cluster.kubectl().args(["-n", namespace]).args(arguments))?;
    }
    Ok(())
}
