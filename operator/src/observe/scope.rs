//! Which namespaces the operator serves, and the watch of a kind in them: all, some by name, or those with a
//! label. Which stacks of a namespace it serves is in `shard.rs`.

use std::fmt::Debug;

use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Client, Resource,
    runtime::{WatchStreamExt as _, watcher},
};
use serde::de::DeserializeOwned;

use super::merged;
use crate::shard::Shard;

/// What is watched and served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Namespaces by name. Empty: all.
    pub(crate) namespaces: Vec<String>,
    /// Labels of the namespaces. Everything is watched then, since an object that was dropped would be
    /// missing when its namespace gets the label; only stacks in namespaces with it are served.
    pub(crate) selector: Option<String>,
    /// Whether cluster-scoped objects may be read.
    pub(crate) has_cluster_access: bool,
    /// Of all stacks, those that are served. All are watched: another one may have the same export or host.
    pub(crate) shard: Shard,
}

impl Default for Scope {
    fn default() -> Self {
        Self { namespaces: Vec::new(), selector: None, has_cluster_access: true, shard: Shard::default() }
    }
}

impl Scope {
    /// A namespace in which lists are allowed; none if that is everywhere.
    pub(crate) fn first(&self) -> Option<&str> {
        self.namespaces.first().map(String::as_str)
    }

    /// The events of one watch for each namespace, as of one watch. `present` gives what was received of a
    /// namespace and not deleted.
    pub(super) fn watch<K>(
        &self,
        client: &Client,
        config: &watcher::Config,
        present: impl Fn(&str) -> Vec<K> + Send + 'static,
    ) -> BoxStream<'static, Result<watcher::Event<K>, watcher::Error>>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned
            + Send
            + 'static,
    {
        let watch = |api: Api<K>| watcher(api, config.clone()).default_backoff().into_stream().boxed();
        match self.namespaces.as_slice() {
            [] => watch(Api::all(client.clone())),
            [one] => watch(Api::namespaced(client.clone(), one)),
            all => {
                let feeds =
                    all.iter().map(|name| (name.clone(), watch(Api::namespaced(client.clone(), name))));
                merged::merge(feeds.collect(), present)
            }
        }
    }
}
