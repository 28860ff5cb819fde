//! The cluster under test; who may use it at the same time is `permit.rs`, what lives in one namespace `namespace.rs`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use k8s_openapi::api::apps::v1::Deployment;
use kube::{Api, Client, Config, config::KubeConfigOptions};

use crate::permit::{self, Permit, Use};

/// Where the charts of `cargo xtask up` are installed.
pub const OPERATOR_NAMESPACE: &str = "todostack-system";
/// The operator's release, Deployment and Service.
pub const OPERATOR: &str = "todostack-operator";
/// The release of the definition.
pub const DEFINITION: &str = "todostack-crds";

/// The cluster that `KUBECONFIG` names.
#[derive(Clone)]
pub struct Cluster {
    /// Its API server; what it asks to repeat later (429, 503) is repeated.
    pub client: Client,
    /// Its API server as a proxy to pods and Services: a 503 of theirs is an answer that tests look at.
    pub proxy: Client,
    /// The file that `KUBECONFIG` names.
    pub kubeconfig: PathBuf,
}

impl Cluster {
    /// Connects, as one of several tests, until the turn is dropped.
    pub async fn shared() -> Result<(Self, Permit)> {
        Self::acquire(Use::Shared).await
    }

    /// Connects, as the only test, until the turn is dropped.
    pub async fn alone() -> Result<(Self, Permit)> {
        Self::acquire(Use::Alone).await
    }

    pub(crate) async fn acquire(kind: Use) -> Result<(Self, Permit)> {
        let permit = permit::acquire(kind).await;
        Ok((Self::connect().await?, permit))
    }

    /// The image that stacks have which name none.
    ///
    /// # Errors
    /// The operator is not there, or has none.
    pub async fn api_image(&self) -> Result<String> {
        let deployments = Api::<Deployment>::namespaced(self.client.clone(), OPERATOR_NAMESPACE);
        let pod = deployments.get(OPERATOR).await?.spec.and_then(|it| it.template.spec).context("no pod")?;
        let variables = pod.containers.into_iter().flat_map(|it| it.env.unwrap_or_default());
        let image = variables.into_iter().find(|it| it.name == "TODOSTACK_API_IMAGE");
        image.and_then(|it| it.value).context("the operator has no TODOSTACK_API_IMAGE")
    }

    async fn connect() -> Result<Self> {
        let kubeconfig = std::env::var_os("KUBECONFIG").map(PathBuf::from).context(
            "KUBECONFIG is not set: run `cargo xtask up --nfs-node`, then `export KUBECONFIG=$PWD/target/cluster/kubeconfig`",
        )?;
        // Cargo runs tests in the crate's folder; a relative path is meant from the repository's root.
        let kubeconfig = repository().join(kubeconfig);
        let read = kube::config::Kubeconfig::read_from(&kubeconfig)
            .with_context(|| format!("failed to read {}", kubeconfig.display()))?;
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
        let mut once = config.clone();
        once.default_retry = false;
        Ok(Self { client: Client::try_from(config)?, proxy: Client::try_from(once)?, kubeconfig })
    }
}

/// The root of the checkout.
#[must_use]
pub fn repository() -> &'static Path {
    let e2e = Path::new(env!("CARGO_MANIFEST_DIR"));
    e2e.parent().unwrap_or(e2e)
}
