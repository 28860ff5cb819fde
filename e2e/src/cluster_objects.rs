//! Changes outside a test's namespace (classes, volumes, policies) that are undone whatever the test's
//! outcome.

use std::fmt::Debug;

use anyhow::{Context as _, Result};
use kube::{
    Api, Resource, ResourceExt as _,
    api::{DeleteParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::cluster::Cluster;

// Runs a test while an object exists.
pub async fn with_object<K>(api: &Api<K>, object: &K, test: impl AsyncFnOnce() -> Result<()>) -> Result<()>
where
    K: Clone + Debug + Serialize + DeserializeOwned + Resource,
{
    let name = object.name_any();
    api.create(&PostParams::default(), object).await.with_context(|| format!("failed to create {name}"))?;
    let outcome = test().await;
    let deleted = api.delete(&name, &DeleteParams::default()).await;
    outcome?;
    deleted.map(drop).with_context(|| format!("failed to delete {name}"))
}

// Runs a test while a class (of the kind `storageclass` or `ingressclass`) is not marked as the default.
pub async fn without_default_class(
    cluster: &Cluster,
    kind: &str,
    class: &str,
    test: impl AsyncFnOnce() -> Result<()>,
) -> Result<()> {
    let mark = async |is_default: bool| {
        let annotation = format!("{kind}.kubernetes.io/is-default-class={is_default}");
        cluster.kubectl(&["annotate", "--overwrite", kind, class, &annotation]).await
    };
    mark(false).await?;
    let outcome = test().await;
    mark(true).await?;
    outcome
}
