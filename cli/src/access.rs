//! The way to the cluster: the kubeconfig's client and namespace, and kubectl with the same flags.

use std::{process::Command, time::Duration};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::{args::Cluster, error::Error};

/// A cluster that cannot be reached is said soon.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// The way to the cluster.
pub(crate) struct Access {
    /// The API server, as the user.
    pub(crate) client: Client,
    /// The namespace that is meant.
    pub(crate) namespace: String,
    cluster: Cluster,
}

impl Access {
    /// Reads the kubeconfig. No request is made.
    pub(crate) async fn open(cluster: Cluster) -> Result<Self, Error> {
        let wrong = |source| Error::Kubeconfig(Box::new(source));
        let kubeconfig = match &cluster.kubeconfig {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        let options = KubeConfigOptions { context: cluster.context.clone(), ..KubeConfigOptions::default() };
        let mut config =
            Config::from_custom_kubeconfig(kubeconfig.map_err(wrong)?, &options).await.map_err(wrong)?;
        config.connect_timeout = Some(CONNECT_WITHIN);
        let namespace = cluster.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config).map_err(|source| Error::Client(Box::new(source)))?;
        Ok(Self { client, namespace, cluster })
    }

    /// kubectl on the same cluster, context and namespace.
    pub(crate) fn kubectl(&self) -> Command {
        let mut command = Command::new("kubectl");
        if let Some(path) = &self.cluster.kubeconfig {
            command.arg("--kubeconfig").arg(path);
        }
        if let Some(context) = &self.cluster.context {
            command.args(["--context", context]);
        }
        command.args(["--namespace", &self.namespace]);
        command
    }
}
