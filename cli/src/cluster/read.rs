//! The requests for the checks of the cluster. The checks are in `cluster.rs`.

use std::{fmt::Debug, sync::Arc};

use kube::{Api, Client, Resource, api::ListParams};
use serde::de::DeserializeOwned;
use todostack_crds::{GROUP, VERSION};

use super::Cluster;
use crate::{
    error::{Error, NOT_FOUND},
    read, settings,
};

/// The label of the cluster's DNS, CoreDNS too.
const DNS_SELECTOR: &str = "k8s-app=kube-dns";
const PLACE: &str = "of the cluster";

pub(crate) async fn read(client: &Client) -> Result<Cluster, Error> {
    let all = ListParams::default();
    let by_label = |selector: &str| ListParams::default().labels(selector);
    Ok(Cluster {
        crd: is_served(client).await?,
        operators: list(&Api::all(client.clone()), &by_label(settings::OPERATOR_SELECTOR)).await?,
        storage_classes: list(&Api::all(client.clone()), &all).await?,
        ingress_classes: list(&Api::all(client.clone()), &all).await?,
        dns: list(&Api::namespaced(client.clone(), "kube-system"), &by_label(DNS_SELECTOR)).await?,
    })
}

/// Asks discovery, which every user may.
async fn is_served(client: &Client) -> Result<bool, Error> {
    match client.list_api_group_resources(&format!("{GROUP}/{VERSION}")).await {
        // The group can be served without the kind, while the CRD is being installed.
        Ok(served) => Ok(served.resources.iter().any(|resource| resource.name == "todostacks")),
        Err(kube::Error::Api(answer)) if answer.code == NOT_FOUND => Ok(false),
        Err(source) => Err(Error::read("the served kinds", PLACE, source)),
    }
}

async fn list<K>(api: &Api<K>, parameters: &ListParams) -> Result<Option<Vec<Arc<K>>>, Error>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    let objects = read::list(api, parameters, PLACE).await?;
    Ok(objects.map(|objects| objects.into_iter().map(Arc::new).collect()))
}
