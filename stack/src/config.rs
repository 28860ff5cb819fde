//! The operator's settings that a stack is resolved with, and the environment variables that carry them.
//! Reading the environment is the caller's: the operator reads its own, the kubectl plugin that of the
//! operator's Deployment.

use std::num::ParseIntError;

use crate::{
    allowed::{self, AllowedExports, AllowedHosts},
    names,
};

pub const API_IMAGE: &str = "TODOSTACK_API_IMAGE";
pub const POSTGRES_REPOSITORY: &str = "TODOSTACK_POSTGRES_REPOSITORY";
pub const CLUSTER_DOMAIN: &str = "TODOSTACK_CLUSTER_DOMAIN";
pub const HTTP_PORT: &str = "TODOSTACK_INGRESS_HTTP_PORT";
pub const HTTPS_PORT: &str = "TODOSTACK_INGRESS_HTTPS_PORT";
pub const ALLOWED_EXPORTS: &str = "TODOSTACK_ALLOWED_NFS_EXPORTS";
pub const ALLOWED_HOSTS: &str = "TODOSTACK_ALLOWED_HOSTS";
pub const CLUSTER_ACCESS: &str = "TODOSTACK_CLUSTER_ACCESS";

/// A variable whose value cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("failed to read a port")]
    Port(#[from] ParseIntError),
    #[error("failed to read what is allowed")]
    Allowed(#[from] allowed::Invalid),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Image of the API server for stacks that name none.
    pub api_image: String,
    /// Repository of Postgres images; the major version is the tag.
    pub postgres_repository: String,
    pub cluster_domain: String,
    /// Port of the Ingress controller for HTTP.
    pub http_port: u16,
    /// Port of the Ingress controller for HTTPS.
    pub https_port: u16,
    /// NFS exports that stacks may use.
    pub allowed_exports: AllowedExports,
    /// Hosts that stacks may have.
    pub allowed_hosts: AllowedHosts,
    /// Whether the operator may use cluster-scoped objects: PersistentVolumes and classes.
    pub cluster_access: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            api_image: concat!("ghcr.io/todostack/todostack-api:", env!("CARGO_PKG_VERSION")).to_owned(),
            postgres_repository: "docker.io/library/postgres".to_owned(),
            cluster_domain: "cluster.local".to_owned(),
            http_port: 80,
            https_port: 443,
            allowed_exports: AllowedExports::default(),
            allowed_hosts: AllowedHosts::default(),
            cluster_access: true,
        }
    }
}

impl Config {
    /// The settings of an operator that runs with these variables.
    ///
    /// # Errors
    /// A port is not a number between 0 and 65535, or an allowed export or host is no pattern.
    pub fn from_variables<'a>(variable: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Error> {
        let default = Self::default();
        let text = |name, default| variable(name).map_or(default, str::to_owned);
        let port = |name, default| variable(name).map_or(Ok(default), str::parse);
        Ok(Self {
            api_image: text(API_IMAGE, default.api_image),
            postgres_repository: text(POSTGRES_REPOSITORY, default.postgres_repository),
            cluster_domain: text(CLUSTER_DOMAIN, default.cluster_domain),
            http_port: port(HTTP_PORT, default.http_port)?,
            https_port: port(HTTPS_PORT, default.https_port)?,
            allowed_exports: variable(ALLOWED_EXPORTS).map_or(Ok(default.allowed_exports), str::parse)?,
            allowed_hosts: variable(ALLOWED_HOSTS).map_or(Ok(default.allowed_hosts), str::parse)?,
            cluster_access: variable(CLUSTER_ACCESS) != Some("false"),
        })
    }

    /// URL of the todos of a stack inside the cluster.
    pub fn service_url(&self, stack: &str, namespace: &str) -> String {
        format!("http://{}.{namespace}.svc.{}/todos", names::api(stack), self.cluster_domain)
    }

    /// URL of a host name's todos, with the port where it is not the scheme's own.
    pub fn url(&self, scheme: &str, host: &str) -> String {
        match (scheme, self.http_port, self.https_port) {
            ("https", _, 443) | ("http", 80, _) => format!("{scheme}://{host}/todos"),
            ("https", _, port) | (_, port, _) => format!("{scheme}://{host}:{port}/todos"),
        }
    }
}
