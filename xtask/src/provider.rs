//! Where a cluster runs: one file per provider, and the choice between them.

mod current;
mod kind;

use std::path::Path;
use std::process::Command;

use fs_err as fs;

use todostack_testbed::cluster_tools::ClusterTools;
use todostack_testbed::image::Image;
use todostack_testbed::local::{self, Shape, Whose};
use todostack_testbed::{lock, process};

use crate::cli::{ProviderName, Up};
use crate::install::IngressPorts;
use crate::repository;

/// Clusters are started and removed one at a time on a machine; the local one's state is in this folder.
const HELD: &str = "/var/lib";

/// Starts the cluster of `up`, or finds it running, with DNS, Ingress controller and default StorageClass.
pub(crate) fn start(provider: ProviderName, up: &Up) -> anyhow::Result<ClusterTools> {
    let _held = lock::folder(Path::new(HELD))?;
    let cluster = match provider {
        ProviderName::Kind => kind::start(up)?,
        ProviderName::Local => {
            local::start(Shape { nodes: up.nodes, nfs_node: up.nfs_node, replace: up.replace })?
        }
        ProviderName::Current => current::start(up)?,
    };
    fs::create_dir_all(repository::cluster())?;
    fs::write(record(), name(provider))?;
    Ok(cluster)
}

/// The cluster that the last `up` of this checkout left, if it is there.
pub(crate) fn find(provider: ProviderName) -> anyhow::Result<ClusterTools> {
    match provider {
        ProviderName::Kind => kind::find(),
        ProviderName::Local => local::find(),
        ProviderName::Current => current::find(),
    }
}

/// The ports of this machine that lead to the cluster's Ingress controller.
pub(crate) fn ingress_ports(provider: ProviderName) -> Option<IngressPorts> {
    match provider {
        // provider/local/forward.rs and kind/cluster.yaml
        ProviderName::Kind | ProviderName::Local => Some(IngressPorts { http: 8080, https: 8443 }),
        ProviderName::Current => None,
    }
}

/// Brings images to every node that runs stacks' pods.
pub(crate) fn load(provider: ProviderName, images: &[Image]) -> anyhow::Result<()> {
    match provider {
        ProviderName::Kind => kind::load(images),
        ProviderName::Local => local::load(images),
        // Its images come from a registry, by --operator-image and --api-image.
        ProviderName::Current => Ok(()),
    }
}

/// Removes the cluster; nothing to remove is no error.
pub(crate) fn stop(provider: ProviderName, whose: Whose) -> anyhow::Result<()> {
    let _held = lock::folder(Path::new(HELD))?;
    match provider {
        ProviderName::Kind => kind::stop()?,
        ProviderName::Local => local::stop(whose)?,
        ProviderName::Current => anyhow::bail!(
            "the current kubeconfig's cluster is not ours to remove: \
             helm uninstall todostack-operator todostack-crds -n {} takes out what `up` put in",
            crate::install::NAMESPACE
        ),
    }
    match fs::remove_dir_all(repository::cluster()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// The provider to use: the one asked for, the one of the last `up`, kind where Docker answers, else local.
pub(crate) fn choose(asked: Option<ProviderName>) -> ProviderName {
    asked.or_else(recorded).unwrap_or_else(|| {
        let docker = process::succeeds(Command::new("docker").arg("info"));
        if docker { ProviderName::Kind } else { ProviderName::Local }
    })
}

fn record() -> std::path::PathBuf {
    repository::cluster().join("provider")
}

fn recorded() -> Option<ProviderName> {
    parse(&std::fs::read_to_string(record()).ok()?)
}

fn name(provider: ProviderName) -> &'static str {
    match provider {
        ProviderName::Kind => "kind",
        ProviderName::Local => "local",
        ProviderName::Current => "current",
    }
}

fn parse(text: &str) -> Option<ProviderName> {
    [ProviderName::Kind, ProviderName::Local, ProviderName::Current]
        .into_iter()
        .find(|provider| name(*provider) == text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recorded_is_read_back() {
        for provider in [ProviderName::Kind, ProviderName::Local, ProviderName::Current] {
            assert_eq!(parse(name(provider)), Some(provider));
        }
        assert_eq!(parse("minikube"), None);
    }
}
