//! The cluster under test. Which tests may use it at once is decided in `permit.rs`; one namespace is
//! `namespace.rs`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use k8s_openapi::api::apps::v1::Deployment;
use kube::{
    Api, Client, Config, Resource,
    config::KubeConfigOptions,
    core::{ClusterResourceScope, NamespaceResourceScope},
};

use crate::permit::{self, Permit, Use};

// Where `cargo xtask up` installs the charts.
pub const OPERATOR_NAMESPACE: &str = "todostack-system";
// Name of the operator's Helm release, Deployment and Service.
pub const OPERATOR: &str = "todostack-operator";
// The Helm release that installs the CRD.
pub const CRD_RELEASE: &str = "todostack-crds";
pub const CRD: &str = "todostacks.todostack.dev";

// The cluster of the current context in `KUBECONFIG`.
#[derive(Clone)]
pub struct Cluster {
    // Retries requests that the API server answers with 429 or 503.
    pub client: Client,
    // Never retries: through the proxy to pods and Services, a 503 is a response that tests check.
    pub proxy: Client,
    pub kubeconfig: PathBuf,
    // What the test that uses it may do.
    pub permitted: Use,
}

impl Cluster {
    // Connects, and shares the cluster with other tests until the permit is dropped.
    pub async fn shared() -> Result<(Self, Permit)> {
        Self::acquire(Use::Shared).await
    }

    // Connects, and keeps the cluster for this test alone until the permit is dropped.
    pub async fn alone() -> Result<(Self, Permit)> {
        Self::acquire(Use::Alone).await
    }

    pub(crate) async fn acquire(kind: Use) -> Result<(Self, Permit)> {
        let permit = permit::acquire(kind).await;
        Ok((Self::connect(kind).await?, permit))
    }

    pub fn api<K: Resource<Scope = ClusterResourceScope, DynamicType = ()>>(&self) -> Api<K> {
        Api::all(self.client.clone())
    }

    pub fn operator_api<K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>>(&self) -> Api<K> {
        Api::namespaced(self.client.clone(), OPERATOR_NAMESPACE)
    }

    // The API's image for stacks without `spec.api.image`, as the operator is configured.
    pub async fn api_image(&self) -> Result<String> {
        self.operator_variable("TODOSTACK_API_IMAGE").await
    }

    // A setting of the operator.
    pub async fn operator_variable(&self, name: &str) -> Result<String> {
        let deployment = self.operator_api::<Deployment>().get(OPERATOR).await?;
        let pod = deployment.spec.and_then(|it| it.template.spec).context("no pod")?;
        let variables = pod.containers.into_iter().flat_map(|it| it.env.unwrap_or_default());
        let variable = variables.into_iter().find(|it| it.name == name);
        variable.and_then(|it| it.value).with_context(|| format!("the operator has no {name}"))
    }

    async fn connect(permitted: Use) -> Result<Self> {
        let kubeconfig = std::env::var_os("KUBECONFIG").map(PathBuf::from).context(
            "KUBECONFIG is not set: run `cargo xtask up --nfs-node`, then \
             `export KUBECONFIG=$PWD/target/cluster/kubeconfig`",
        )?;
        // Cargo runs tests in the crate's folder, but users write a path relative to the repository's root.
        let kubeconfig = repository().join(kubeconfig);
        let read = kube::config::Kubeconfig::read_from(&kubeconfig)
            .with_context(|| format!("failed to read {}", kubeconfig.display()))?;
        let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
        let mut without_retry = config.clone();
        without_retry.default_retry = false;
        let (client, proxy) = (Client::try_from(config)?, Client::try_from(without_retry)?);
        Ok(Self { client, proxy, kubeconfig, permitted })
    }
}

pub fn repository() -> &'static Path {
    let e2e = Path::new(env!("CARGO_MANIFEST_DIR"));
    e2e.parent().unwrap_or(e2e)
}
