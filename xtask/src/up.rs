//! `cargo xtask up`: a cluster, the operator on it, the demo stack, and a todo posted through the Ingress.

use std::collections::BTreeSet;

use todostack_testbed::cluster_tools::ClusterTools;
use todostack_testbed::progress;

use crate::cli::{ProviderName, Up};
use crate::install::Values;
use crate::{demo, images, install, provider, repository};

pub(crate) fn run(up: &Up) -> anyhow::Result<()> {
    let provider = provider::choose(up.provider);
    let cluster = provider::start(provider, up)?;
    if !up.bare {
        let values = values(provider, up)?;
        install::install(&cluster, &values)?;
        demo::apply(&cluster, &values.api)?;
        if provider == ProviderName::Current {
            progress::detail(
                "The demo stack is Ready; its address depends on the cluster's Ingress controller",
            );
        } else {
            demo::call()?;
            println!("{}", demo::URL);
        }
        println!("{}", cluster.kubectl_output(&["get", "todostacks", "--all-namespaces"])?);
    }
    print_access(&cluster);
    Ok(())
}

/// The given images, or else those of this checkout, built and loaded.
fn values(provider: ProviderName, up: &Up) -> anyhow::Result<Values> {
    if let (Some(operator), Some(api)) = (up.images.operator_image.clone(), up.images.api_image.clone()) {
        return Ok(Values { operator, api, ports: provider::ingress_ports(provider) });
    }
    let own = images::build(up.images.release)?.load(provider)?;
    Ok(Values {
        operator: up.images.operator_image.clone().unwrap_or(own.operator),
        api: up.images.api_image.clone().unwrap_or(own.api),
        ..own
    })
}

fn print_access(cluster: &ClusterTools) {
    println!("export KUBECONFIG={}", cluster.kubeconfig.display());
    let on_path: BTreeSet<_> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let programs = [&cluster.kubectl, &cluster.helm];
    if !programs.iter().any(|program| program.parent().is_some_and(|folder| on_path.contains(folder))) {
        println!("export PATH={}:$PATH", repository::cluster().join("bin").display());
    }
}
