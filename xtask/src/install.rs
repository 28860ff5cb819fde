//! Installs the CRDs and the operator with Helm, as people do.

use crate::cluster_tools::ClusterTools;
use crate::{process, progress, repository};

/// The operator's namespace.
pub(crate) const NAMESPACE: &str = "todostack-system";

/// The images to install, as name:tag.
#[derive(Clone, Debug)]
pub(crate) struct References {
    /// The operator's.
    pub(crate) operator: String,
    /// The one that stacks run unless they name another.
    pub(crate) api: String,
}

/// Installs or upgrades both charts and waits until the operator runs.
pub(crate) fn install(cluster: &ClusterTools, images: &References) -> anyhow::Result<()> {
    progress::step("Installing the CRDs and the operator with Helm", "10 s", || {
        helm(cluster, "todostack-crds", &[])?;
        let (repository, tag) = split(&images.operator)?;
        let set = [
            format!("image.repository={repository}"),
            format!("image.tag={tag}"),
            "image.pullPolicy=IfNotPresent".to_owned(),
            format!("apiImage={}", images.api),
        ];
        helm(cluster, "todostack-operator", &set)
    })
}

fn helm(cluster: &ClusterTools, chart: &str, set: &[String]) -> anyhow::Result<()> {
    let folder = repository::root().join("charts").join(chart);
    let mut command = cluster.helm();
    command.args(["upgrade", "--install", chart]).arg(folder);
    command.args(["--namespace", NAMESPACE, "--create-namespace", "--wait", "--timeout", "2m"]);
    for value in set {
        command.args(["--set-string", value]);
    }
    Ok(process::run(&mut command)?)
}

/// An image's name and tag; the last colon counts, since a registry may have a port.
fn split(image: &str) -> anyhow::Result<(&str, &str)> {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => Ok((name, tag)),
        _ => anyhow::bail!("the image {image} has no tag: name it as NAME:TAG"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrys_port_is_not_a_tag() {
        assert_eq!(split("registry:5000/operator:1.2").unwrap(), ("registry:5000/operator", "1.2"));
        assert!(split("registry:5000/operator").is_err());
    }
}
