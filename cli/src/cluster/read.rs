//! What is read of the cluster for `doctor`; a kind that is forbidden is none.

use std::{fmt::Debug, sync::Arc};

use kube::{Api, Client, Resource, api::ListParams};
use serde::de::DeserializeOwned;
use todostack_crds::{GROUP, VERSION};

use super::Cluster;
use crate::{
    error::{Error, NOT_FOUND},
    settings,
};

/// The label of the cluster's DNS, CoreDNS too.
const DNS_SELECTOR: &str = "k8s-app=kube-dns";

/// Reads what there is of the cluster.
pub(crate) async fn read(client: &Client) -> Result<Cluster, Error> {
    let by_label = |selector: &str| ListParams::default().labels(selector);
    Ok(Cluster {
        definition: is_served(client).await?,
        operators: list(&Api::all(client.clone()), &by_label(settings::OPERATOR_SELECTOR)).await?,
        storage_classes: list(&Api::all(client.clone()), &ListParams::default()).await?,
        ingress_classes: list(&Api::all(client.clone()), &ListParams::default()).await?,
        dns: list(&Api::namespaced(client.clone(), "kube-system"), &by_label(DNS_SELECTOR)).await?,
    })
}

/// Everybody may discover what is served.
async fn is_served(client: &Client) -> Result<bool, Error> {
    match client.list_api_group_resources(&format!("{GROUP}/{VERSION}")).await {
        Ok(served) => Ok(served.resources.iter().any(|resource| resource.name == "todostacks")),
        Err(kube::Error::Api(answer)) if answer.code == NOT_FOUND => Ok(false),
        Err(source) => Err(failed("the served kinds", source)),
    }
}

async fn list<K>(api: &Api<K>, parameters: &ListParams) -> Result<Option<Vec<Arc<K>>>, Error>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    match api.list(parameters).await {
        Ok(list) => Ok(Some(list.items.into_iter().map(Arc::new).collect())),
        Err(kube::Error::Api(answer)) if answer.is_forbidden() => Ok(None),
        Err(source) => Err(failed(&K::plural(&()), source)),
    }
}

fn failed(what: &str, source: kube::Error) -> Error {
    Error::read(what, "of the cluster", source)
}
