//! Where a cluster runs, and the choice between the providers. kind and the user's own cluster are files
//! below; the local cluster is the crate todostack-testbed.

mod current;
mod kind;

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::ValueEnum as _;
use fs_err as fs;
use todostack_testbed::cluster_tools::ClusterTools;
use todostack_testbed::image::Image;
use todostack_testbed::local::{self, Owner, Shape};
use todostack_testbed::{lock, process};

use crate::cli::{ProviderName, Up};
use crate::repository;

// Locked while a cluster is started or removed: two commands would use the same names and addresses.
const LOCKED: &str = "/var/lib";

/// Starts the cluster unless it is running, with DNS, Ingress controller and default StorageClass.
pub(crate) fn start(provider: ProviderName, up: &Up) -> anyhow::Result<ClusterTools> {
    let _lock = lock::folder(Path::new(LOCKED))?;
    let cluster = match provider {
        ProviderName::Kind => kind::start(up)?,
        ProviderName::Local => {
            local::start(Shape { nodes: up.nodes, nfs_node: up.nfs_node, replace: up.replace })?
        }
        ProviderName::Current => current::start(up)?,
    };
    fs::create_dir_all(repository::cluster())?;
    if let Some(value) = provider.to_possible_value() {
        fs::write(record(), value.get_name())?;
    }
    Ok(cluster)
}

/// The running cluster of this checkout.
pub(crate) fn find(provider: ProviderName) -> anyhow::Result<ClusterTools> {
    match provider {
        ProviderName::Kind => kind::find(),
        ProviderName::Local => local::find(),
        ProviderName::Current => current::find(),
    }
}

/// The ports of this machine that are forwarded to the Ingress controller.
pub(crate) fn ingress_ports(provider: ProviderName) -> Option<(u16, u16)> {
    // As in testbed/src/local/network.rs and kind/cluster.yaml.
    (provider != ProviderName::Current).then_some((8080, 8443))
}

/// Loads images into every node that runs pods of stacks.
pub(crate) fn load(provider: ProviderName, images: &[Image]) -> anyhow::Result<()> {
    match provider {
        ProviderName::Kind => kind::load(images),
        ProviderName::Local => local::load(images),
        // It pulls the images of --operator-image and --api-image.
        ProviderName::Current => Ok(()),
    }
}

/// Removes the cluster; it is no error if there is none.
pub(crate) fn stop(provider: ProviderName, owner: Owner) -> anyhow::Result<()> {
    let _lock = lock::folder(Path::new(LOCKED))?;
    match provider {
        ProviderName::Kind => kind::stop()?,
        ProviderName::Local => local::stop(owner)?,
        ProviderName::Current => anyhow::bail!(
            "cargo xtask down does not remove the cluster of the current kubeconfig: helm uninstall todostack-operator todostack-crds -n {} removes what cargo xtask up installed",
            crate::install::NAMESPACE
        ),
    }
    if repository::cluster().exists() {
        fs::remove_dir_all(repository::cluster())?;
    }
    Ok(())
}

/// The provider to use: the given one, that of the last `up`, kind if Docker answers, else local.
pub(crate) fn choose(given: Option<ProviderName>) -> ProviderName {
    let recorded = || ProviderName::from_str(std::fs::read_to_string(record()).ok()?.trim(), false).ok();
    given.or_else(recorded).unwrap_or_else(|| {
        let docker = process::succeeds(Command::new("docker").arg("info"));
        if docker { ProviderName::Kind } else { ProviderName::Local }
    })
}

fn record() -> PathBuf {
    repository::cluster().join("provider")
}
