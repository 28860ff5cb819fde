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
    if up.bare {
        print_access(&cluster);
        return Ok(());
    }
    let values = values(provider, up)?;
    install::install(&cluster, &values)?;
    demo::apply(&cluster, &values.api)?;
    if provider == ProviderName::Current {
        progress::detail("The demo stack is Ready; its address depends on the cluster's Ingress controller");
    } else {
        demo::call()?;
        println!("{}", demo::URL);
    }
    println!("{}", cluster.kubectl_output(&["get", "todostacks", "--all-namespaces"])?);
    print_access(&cluster);
    Ok(())
}

/// The given images, or else those of this checkout, built and loaded.
fn values(provider: ProviderName, up: &Up) -> anyhow::Result<Values> {
    if let (Some(operator), Some(api)) = (&up.images.operator_image, &up.images.api_image) {
        let ports = provider::ingress_ports(provider);
        return Ok(Values { operator: operator.clone(), api: api.clone(), ports });
    }
    let built = images::build(images::Profile::new(up.images.release))?;
    images::load(provider, &built)?;
    let own = built.values(provider);
    Ok(Values {
        operator: up.images.operator_image.clone().unwrap_or(own.operator),
        api: up.images.api_image.clone().unwrap_or(own.api),
        ports: own.ports,
    })
}

fn print_access(cluster: &ClusterTools) {
    println!("export KUBECONFIG={}", cluster.kubeconfig.display());
    let programs = [&cluster.kubectl, &cluster.helm];
    let folders: BTreeSet<_> = programs.iter().filter_map(|program| program.parent()).collect();
    if folders.iter().any(|folder| {
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|on| on == **folder)
    }) {
        return;
    }
    println!("export PATH={}:$PATH", repository::cluster().join("bin").display());
}
