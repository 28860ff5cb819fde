//! The namespace of one test: created for it, reported on if it fails, deleted after it. Stacks in it are
//! `stack.rs`.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use futures::FutureExt as _;
use k8s_openapi::api::core::v1::Namespace as Object;
use kube::{
    Api, Resource, ResourceExt as _,
    api::{DeleteParams, PostParams},
    core::NamespaceResourceScope,
};
use serde_json::json;

use crate::{
    cluster::Cluster, outputs::OutputStart, permit::Use, release, report, secret_values::SecretValues,
    volumes, wait,
};

// A namespace that enforces the Pod Security Standard `restricted`.
#[derive(Clone)]
pub struct Namespace {
    pub cluster: Cluster,
    // The test's prefix and a suffix from the API server.
    pub name: String,
    output_start: Arc<OutputStart>,
    secret_values: Arc<SecretValues>,
}

// Result of a search that found no value of a Secret outside Secrets.
#[derive(Debug)]
pub struct Searched {
    // Number of distinct values.
    pub values: usize,
    // What was searched: kinds of objects, logs, metrics.
    pub places: Vec<String>,
}

// Runs a test in its own namespace, beside other tests, to its end. Prints the namespace's state if the test
// fails.
pub fn with_namespace(prefix: &str, test: impl AsyncFnOnce(&Namespace) -> Result<()>) -> Result<()> {
    in_namespace(Use::Shared, prefix, test)
}

// As [`with_namespace`], with pods on the NFS node.
pub fn with_namespace_on_nfs_node(
    prefix: &str,
    test: impl AsyncFnOnce(&Namespace) -> Result<()>,
) -> Result<()> {
    in_namespace(Use::NfsNode, prefix, test)
}

// As [`with_namespace`], while no other test has pods on the NFS node: for a test that stops it or its
// server.
pub fn with_namespace_on_nfs_node_alone(
    prefix: &str,
    test: impl AsyncFnOnce(&Namespace) -> Result<()>,
) -> Result<()> {
    in_namespace(Use::NfsNodeAlone, prefix, test)
}

// As [`with_namespace`], for a test that mostly watches: it does not count to the limit of concurrent tests.
pub fn with_namespace_watching(prefix: &str, test: impl AsyncFnOnce(&Namespace) -> Result<()>) -> Result<()> {
    in_namespace(Use::Watching, prefix, test)
}

// As [`with_namespace`], while no other test runs: for a test that stops something that the others need.
pub fn with_namespace_alone(prefix: &str, test: impl AsyncFnOnce(&Namespace) -> Result<()>) -> Result<()> {
    in_namespace(Use::Alone, prefix, test)
}

#[tokio::main(flavor = "current_thread")]
async fn in_namespace(
    kind: Use,
    prefix: &str,
    test: impl AsyncFnOnce(&Namespace) -> Result<()>,
) -> Result<()> {
    // The operator is the same for all tests.
    let kind = if release::is_confined() { Use::Alone } else { kind };
    let (cluster, _permit) = Cluster::acquire(kind).await?;
    let namespace = Namespace::create(&cluster, prefix).await?;
    // A failed assertion is a panic, after which the namespace must be reported on and deleted too.
    let outcome = AssertUnwindSafe(run(&namespace, test)).catch_unwind().await;
    if !matches!(outcome, Ok(Ok(()))) {
        report::print(&cluster, &namespace.name).await;
    }
    let closed = namespace.close().await;
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    closed
}

async fn run(namespace: &Namespace, test: impl AsyncFnOnce(&Namespace) -> Result<()>) -> Result<()> {
    if release::is_confined() {
        let test = async move || test(namespace).await;
        return release::confined(&namespace.cluster, &namespace.name, test).await;
    }
    test(namespace).await
}

impl Namespace {
    // Creates a further namespace, which the test closes itself.
    pub async fn create(cluster: &Cluster, prefix: &str) -> Result<Self> {
        // The second label is there so that namespaces of an aborted run can be deleted with one command.
        let labels =
            json!({"pod-security.kubernetes.io/enforce": "restricted", "todostack.dev/test": "true"});
        let metadata = json!({"generateName": format!("{prefix}-"), "labels": labels});
        let object: Object = serde_json::from_value(json!({"metadata": metadata}))?;
        let created = cluster.api::<Object>().create(&PostParams::default(), &object).await;
        let name = created.context("failed to create a namespace")?.name_any();
        let secrets = Api::namespaced(cluster.client.clone(), &name);
        let secret_values = Arc::new(SecretValues::watch(secrets).await?);
        let output_start = Arc::new(OutputStart::now()?);
        Ok(Self { cluster: cluster.clone(), name, output_start, secret_values })
    }

    // Searches all output since the namespace was created for every value that its Secrets hold or have
    // held. Each test ends with this search; a test that deletes logs calls it before. The error names the
    // Secret, the key and the place, but not the value.
    pub async fn search_for_secrets(&self) -> Result<Searched> {
        let texts = self.output_start.collect(&self.cluster, &self.name).await?;
        let values = self.secret_values.ensure_absent(&texts).await?;
        Ok(Searched { values, places: texts.into_iter().map(|it| it.place).collect() })
    }

    // [`Self::search_for_secrets`], then [`Self::delete`] whatever the result.
    pub async fn close(&self) -> Result<()> {
        let searched = self.search_for_secrets().await;
        self.delete().await?;
        searched.map(drop)
    }

    // Deletes the namespace if it exists. Its objects are deleted in the background, except volumes that its
    // stacks retain: those of earlier namespaces are deleted with this one.
    pub async fn delete(&self) -> Result<()> {
        match self.cluster.api::<Object>().delete(&self.name, &DeleteParams::default()).await {
            Ok(_) => {}
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            Err(error) => {
                return Err(error).with_context(|| format!("failed to delete namespace {}", self.name));
            }
        }
        volumes::delete_retained(&self.cluster).await
    }

    pub async fn until_deleted(&self, deadline: Duration) -> Result<()> {
        wait::until_deleted(&self.cluster.api::<Object>(), &self.name, deadline).await
    }

    pub fn api<K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>>(&self) -> Api<K> {
        Api::namespaced(self.cluster.client.clone(), &self.name)
    }

    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.cluster.kubectl(&[&["--namespace", &self.name], arguments].concat()).await
    }
}
