//! Access to the cluster: client and namespace from the kubeconfig, and kubectl with the same flags. No
//! request is sent here.

use std::{process::Command, time::Duration};

use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::{args::Cluster, error::Error};

/// The default of kube, 30 s, is long for a user who waits.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Access {
    pub(crate) client: Client,
    /// The namespace of the flag, else of the context.
    pub(crate) namespace: String,
    cluster: Cluster,
}

impl Access {
    pub(crate) async fn open(cluster: Cluster) -> Result<Self, Error> {
        let invalid = |source| Error::Kubeconfig(Box::new(source));
        let kubeconfig = match &cluster.kubeconfig {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        let options = KubeConfigOptions { context: cluster.context.clone(), ..KubeConfigOptions::default() };
        let mut config =
            Config::from_custom_kubeconfig(kubeconfig.map_err(invalid)?, &options).await.map_err(invalid)?;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
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
