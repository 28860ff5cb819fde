//! A namespace of one test: made for it, reported on when it fails, removed after it. What is put into it is `stack.rs`.

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use futures::FutureExt as _;
use k8s_openapi::api::core::v1::Namespace as Object;
use kube::{
    Api, Resource, ResourceExt as _,
    api::{DeleteParams, ObjectMeta, PostParams},
    core::NamespaceResourceScope,
};

use crate::{cluster::Cluster, outputs::Since, permit::Use, report, secret_values::Confidential};

/// A namespace of one test.
#[derive(Clone)]
pub struct Namespace {
    /// Its cluster.
    pub cluster: Cluster,
    /// Its name: what the test gave, and letters that the API server added.
    pub name: String,
    /// When it was made.
    since: Arc<Since>,
    /// What its Secrets have held since.
    confidential: Arc<Confidential>,
}

/// What was searched for the values of Secrets, none of which stood in it.
#[derive(Debug)]
pub struct Searched {
    /// How many values.
    pub values: usize,
    /// Where: kinds of objects, logs, metrics.
    pub places: Vec<String>,
}

/// Runs a test in a namespace of its own, which enforces the `restricted` Pod Security Standard.
///
/// # Errors
/// Those of the test. The state of the namespace is printed first.
pub async fn with_namespace<F>(prefix: &str, test: F) -> Result<()>
where
    F: AsyncFnOnce(&Namespace) -> Result<()>,
{
    let (cluster, _permit) = Cluster::shared().await?;
    in_namespace(&cluster, prefix, test).await
}

/// As [`with_namespace`], for a test that does nothing but watch for most of its time: it takes nobody's place.
///
/// # Errors
/// Those of the test. The state of the namespace is printed first.
pub async fn with_namespace_watched<F>(prefix: &str, test: F) -> Result<()>
where
    F: AsyncFnOnce(&Namespace) -> Result<()>,
{
    let (cluster, _permit) = Cluster::acquire(Use::Watching).await?;
    in_namespace(&cluster, prefix, test).await
}

/// As [`with_namespace`], while no other test runs: for a test that takes away what the others need.
///
/// # Errors
/// Those of the test. The state of the namespace is printed first.
pub async fn with_namespace_alone<F>(prefix: &str, test: F) -> Result<()>
where
    F: AsyncFnOnce(&Namespace) -> Result<()>,
{
    let (cluster, _permit) = Cluster::alone().await?;
    in_namespace(&cluster, prefix, test).await
}

async fn in_namespace<F>(cluster: &Cluster, prefix: &str, test: F) -> Result<()>
where
    F: AsyncFnOnce(&Namespace) -> Result<()>,
{
    let namespace = Namespace::create(cluster, prefix).await?;
    // A failed assertion is a panic: the namespace is reported on and removed after that too.
    let outcome = AssertUnwindSafe(test(&namespace)).catch_unwind().await;
    if !matches!(outcome, Ok(Ok(()))) {
        report::print(cluster, &namespace.name).await;
    }
    let ended = namespace.end().await;
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    ended
}

impl Namespace {
    /// Makes a further namespace, which the test removes itself.
    ///
    /// # Errors
    /// The API server refuses it.
    pub async fn create(cluster: &Cluster, prefix: &str) -> Result<Self> {
        let object = Object {
            metadata: ObjectMeta {
                generate_name: Some(format!("{prefix}-")),
                labels: Some(BTreeMap::from([
                    ("pod-security.kubernetes.io/enforce".to_owned(), "restricted".to_owned()),
                    ("todostack.dev/test".to_owned(), "true".to_owned()),
                ])),
                ..ObjectMeta::default()
            },
            ..Object::default()
        };
        let api = Api::<Object>::all(cluster.client.clone());
        let made =
            api.create(&PostParams::default(), &object).await.context("failed to create a namespace")?;
        let name = made.name_any();
        let secrets = Api::namespaced(cluster.client.clone(), &name);
        let confidential = Arc::new(Confidential::of(secrets).await?);
        Ok(Self { cluster: cluster.clone(), name, since: Arc::new(Since::now()?), confidential })
    }

    /// Looks for what its Secrets hold, and have held, in everything that was written since it was made. Done at the end
    /// of each test; to be called before something that takes logs away with it.
    ///
    /// # Errors
    /// A value of a Secret stands somewhere: the error says which and where, and not the value.
    pub async fn search(&self) -> Result<Searched> {
        let texts = self.since.written(&self.cluster, &self.name).await?;
        let values = self.confidential.absent(&texts).await?;
        Ok(Searched { values, places: texts.into_iter().map(|it| it.place).collect() })
    }

    /// Ends its use: [`Self::search`], then [`Self::delete`] whatever was found.
    ///
    /// # Errors
    /// Those of either.
    pub async fn end(&self) -> Result<()> {
        let searched = self.search().await;
        self.delete().await?;
        searched.map(drop)
    }

    /// Asks for the namespace's removal; what is in it ends in the background.
    ///
    /// # Errors
    /// The API server refuses it. (A namespace that is gone already is no error.)
    pub async fn delete(&self) -> Result<()> {
        let api = Api::<Object>::all(self.cluster.client.clone());
        match api.delete(&self.name, &DeleteParams::default()).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
            Err(error) => Err(error).with_context(|| format!("failed to delete namespace {}", self.name)),
        }
    }

    /// Waits until the namespace is gone.
    ///
    /// # Errors
    /// It is still there at the deadline.
    pub async fn gone(&self, deadline: Duration) -> Result<()> {
        let api = Api::<Object>::all(self.cluster.client.clone());
        crate::wait::until(&api, &self.name, ("gone", deadline), |found: Option<&Object>| found.is_none())
            .await
            .map(drop)
    }

    /// The objects of one kind in this namespace.
    #[must_use]
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.cluster.client.clone(), &self.name)
    }

    /// Runs `kubectl` in this namespace.
    ///
    /// # Errors
    /// Its exit code is not 0: what it printed is in the error.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let mut all = vec!["--namespace", &self.name];
        all.extend_from_slice(arguments);
        self.cluster.kubectl(&all).await
    }
}
