//! The operator's Helm release with other values for the time of a test.

use std::{
    env, fs,
    panic::{AssertUnwindSafe, resume_unwind},
};

use anyhow::Result;
use futures::FutureExt as _;

use crate::cluster::{Cluster, OPERATOR, OPERATOR_NAMESPACE};

// Whether every test runs with an operator that has rights in the namespace of the test and nowhere else.
const CONFINED: &str = "TODOSTACK_E2E_CONFINED";

pub(crate) fn is_confined() -> bool {
    env::var_os(CONFINED).is_some()
}

// Upgrades the operator with these values, and back after the test.
pub async fn with_values(
    cluster: &Cluster,
    values: &[&str],
    test: impl AsyncFnOnce() -> Result<()>,
) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("values.json");
    let get = ["get", "values", OPERATOR, "--namespace", OPERATOR_NAMESPACE, "--output", "json"];
    fs::write(&file, cluster.helm(&get).await?)?;
    let before = format!("--values={}", file.display());
    let chart = "charts/todostack-operator";
    let upgrade = ["upgrade", OPERATOR, chart, "--namespace", OPERATOR_NAMESPACE, "--wait", "--reset-values"];
    cluster.helm(&[&upgrade[..], &[&before], values].concat()).await?;
    let outcome = AssertUnwindSafe(test()).catch_unwind().await;
    cluster.helm(&[&upgrade[..], &[&before]].concat()).await?;
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

// With an operator that watches this namespace and has no ClusterRole.
pub async fn confined(
    cluster: &Cluster,
    namespace: &str,
    test: impl AsyncFnOnce() -> Result<()>,
) -> Result<()> {
    let only = format!("--set=watchNamespaces={{{namespace}}}");
    with_values(cluster, &[&only, "--set=rbac.clusterRole=false"], test).await
}
