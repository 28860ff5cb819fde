//! Installs the CRDs and the operator with Helm, as users do.

use todostack_testbed::cluster_tools::ClusterTools;
use todostack_testbed::{process, progress};

use crate::repository;

pub(crate) const NAMESPACE: &str = "todostack-system";

/// The values of the charts that depend on the provider and the images.
pub(crate) struct Values {
    /// The operator's image as `name:tag`.
    pub(crate) operator: String,
    /// The default image of stacks as `name:tag`.
    pub(crate) api: String,
    /// The HTTP and HTTPS port by which users reach the Ingress controller, if they are not 80 and 443.
    pub(crate) ports: Option<(u16, u16)>,
}

/// Installs or upgrades both charts and waits until the operator runs.
pub(crate) fn install(cluster: &ClusterTools, values: &Values) -> anyhow::Result<()> {
    progress::step("Installing the CRDs and the operator with Helm", "10 s", || {
        helm(cluster, "todostack-crds", &[])?;
        helm(cluster, "todostack-operator", &operator_values(values)?)
    })
}

fn helm(cluster: &ClusterTools, chart: &str, values: &[String]) -> anyhow::Result<()> {
    let folder = repository::root().join("charts").join(chart);
    let mut command = cluster.helm();
    command.args(["upgrade", "--install", chart]).arg(folder);
    command.args(["--namespace", NAMESPACE, "--create-namespace", "--wait", "--timeout", "2m"]);
    Ok(process::run(command.args(values))?)
}

fn operator_values(values: &Values) -> anyhow::Result<Vec<String>> {
    let Values { operator, api, ports } = values;
    let (repository, tag) = split(operator)?;
    let mut flags = vec![
        // Strings, because a tag of digits alone would be a number in YAML.
        format!("--set-string=image.repository={repository}"),
        format!("--set-string=image.tag={tag}"),
        "--set-string=image.pullPolicy=IfNotPresent".to_owned(),
        format!("--set-string=apiImage={api}"),
        // The examples and tests use exports of many servers.
        "--set=nfs.allowed={*}".to_owned(),
    ];
    if let Some((http, https)) = ports {
        flags.push(format!("--set=ingress.httpPort={http}"));
        flags.push(format!("--set=ingress.httpsPort={https}"));
    }
    Ok(flags)
}

fn split(image: &str) -> anyhow::Result<(&str, &str)> {
    // The last colon, because a registry may have a port.
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => Ok((name, tag)),
        _ => anyhow::bail!("image {image} has no tag: give it as NAME:TAG"),
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

    #[test]
    fn a_tag_of_digits_stays_a_string() {
        let operator = "localhost/operator:123456789012".into();
        let values = Values { operator, api: "localhost/api:1".into(), ports: Some((8080, 8443)) };
        let expected = [
            "--set-string=image.repository=localhost/operator",
            "--set-string=image.tag=123456789012",
            "--set-string=image.pullPolicy=IfNotPresent",
            "--set-string=apiImage=localhost/api:1",
            "--set=nfs.allowed={*}",
            "--set=ingress.httpPort=8080",
            "--set=ingress.httpsPort=8443",
        ];
        assert_eq!(operator_values(&values).unwrap(), expected);
    }
}
