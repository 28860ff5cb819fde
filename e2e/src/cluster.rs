//! The cluster under test and who may use it at the same time; what lives in one namespace is `namespace.rs`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use kube::{Client, Config, config::KubeConfigOptions};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Where the charts of `cargo xtask up` are installed.
pub const OPERATOR_NAMESPACE: &str = "todostack-system";
/// The operator's release, Deployment and Service.
pub const OPERATOR: &str = "todostack-operator";
/// The release of the definition.
pub const DEFINITION: &str = "todostack-crds";

/// Tests in namespaces of their own run side by side; one that takes the operator away runs alone.
static USE: RwLock<()> = RwLock::const_new(());

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
    /// Connects, as one of several tests, until the guard is dropped.
    pub async fn shared() -> Result<(Self, RwLockReadGuard<'static, ()>)> {
        let guard = USE.read().await;
        Ok((Self::connect().await?, guard))
    }

    /// Connects, as the only test, until the guard is dropped.
    pub async fn alone() -> Result<(Self, RwLockWriteGuard<'static, ()>)> {
        let guard = USE.write().await;
        Ok((Self::connect().await?, guard))
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
