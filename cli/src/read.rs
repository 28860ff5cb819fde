//! What is listed: one LIST a kind for all stacks that are meant, with the user's rights; a kind that is forbidden
//! becomes a gap. The few objects that only a stack leads to are read in `read/single.rs`.

use std::{fmt::Debug, sync::Arc};

use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::{Deployment, StatefulSet},
        batch::v1::Job,
        core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, Secret, Service, ServiceAccount},
        networking::v1::{Ingress, IngressClass},
        storage::v1::StorageClass,
    },
};
use kube::{Api, Client, Resource, ResourceExt as _, api::ListParams};
use serde::de::DeserializeOwned;
use todostack_crds::TodoStack;
use todostack_operator::labels;

use crate::{
    error::{Error, NOT_FOUND},
    gaps::Gap,
    settings,
};

pub(crate) mod single;

/// Which stacks are meant.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// Their namespace; none: all.
    pub(crate) namespace: Option<String>,
    /// The one stack; none: all.
    pub(crate) name: Option<String>,
}

impl Scope {
    /// Where it is, for errors.
    pub(crate) fn place(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("in namespace {namespace}"),
            None => "in all namespaces".to_owned(),
        }
    }

    fn api<K>(&self, client: &Client) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        match &self.namespace {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::all(client.clone()),
        }
    }

    fn children(&self) -> ListParams {
        let selector = match &self.name {
            Some(name) => format!("{}={name}", labels::STACK),
            None => labels::STACK.to_owned(),
        };
        ListParams::default().labels(&selector)
    }
}

/// Everything that was listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    pub(crate) stacks: Vec<TodoStack>,
    /// All stacks of the cluster, for those that want the same; none where the user may not list them: the operator's
    /// word stands then.
    pub(crate) all_stacks: Vec<TodoStack>,
    pub(crate) secrets: Vec<Arc<Secret>>,
    pub(crate) services: Vec<Arc<Service>>,
    pub(crate) service_accounts: Vec<Arc<ServiceAccount>>,
    pub(crate) claims: Vec<Arc<PersistentVolumeClaim>>,
    pub(crate) volumes: Vec<Arc<PersistentVolume>>,
    pub(crate) stateful_sets: Vec<Arc<StatefulSet>>,
    pub(crate) deployments: Vec<Arc<Deployment>>,
    pub(crate) jobs: Vec<Arc<Job>>,
    pub(crate) ingresses: Vec<Arc<Ingress>>,
    pub(crate) pods: Vec<Arc<Pod>>,
    pub(crate) storage_classes: Vec<Arc<StorageClass>>,
    pub(crate) ingress_classes: Vec<Arc<IngressClass>>,
    /// The operator's own Deployments.
    pub(crate) operators: Vec<Arc<Deployment>>,
    /// What may not be read.
    pub(crate) gaps: Vec<Gap>,
}

/// Lists all that concerns the stacks in scope.
pub(crate) async fn lists(client: &Client, scope: &Scope) -> Result<Lists, Error> {
    let stacks = stacks(client, scope).await?;
    let reader = Reader { client, scope };
    let all_stacks = match scope {
        Scope { namespace: None, name: None } => stacks.clone(),
        Scope { .. } => all_stacks(client).await?,
    };
    let here = scope.children();
    let operators = ListParams::default().labels(settings::OPERATOR_SELECTOR);
    let all = ListParams::default();
    let (secrets, services, service_accounts, claims) = futures::try_join!(
        reader.here(&here, Gap::Secrets),
        reader.here(&here, Gap::Services),
        reader.here(&here, Gap::ServiceAccounts),
        reader.here(&here, Gap::Claims),
    )?;
    let (stateful_sets, deployments, jobs, ingresses, pods) = futures::try_join!(
        reader.here(&here, Gap::StatefulSets),
        reader.here(&here, Gap::Deployments),
        reader.here(&here, Gap::Jobs),
        reader.here(&here, Gap::Ingresses),
        reader.here(&here, Gap::Pods),
    )?;
    let (volumes, storage_classes, ingress_classes, operators) = futures::try_join!(
        reader.everywhere(&here, Gap::Volumes),
        reader.everywhere(&all, Gap::StorageClasses),
        reader.everywhere(&all, Gap::IngressClasses),
        reader.everywhere(&operators, Gap::Operator),
    )?;
    let mut gaps = Vec::new();
    Ok(Lists {
        stacks,
        all_stacks,
        secrets: settle(secrets, &mut gaps),
        services: settle(services, &mut gaps),
        service_accounts: settle(service_accounts, &mut gaps),
        claims: settle(claims, &mut gaps),
        volumes: settle(volumes, &mut gaps),
        stateful_sets: settle(stateful_sets, &mut gaps),
        deployments: settle(deployments, &mut gaps),
        jobs: settle(jobs, &mut gaps),
        ingresses: settle(ingresses, &mut gaps),
        pods: settle(pods, &mut gaps),
        storage_classes: settle(storage_classes, &mut gaps),
        ingress_classes: settle(ingress_classes, &mut gaps),
        operators: settle(operators, &mut gaps),
        gaps,
    })
}

/// The stacks in scope, by namespace and name.
pub(crate) async fn stacks(client: &Client, scope: &Scope) -> Result<Vec<TodoStack>, Error> {
    let parameters = match &scope.name {
        Some(name) => ListParams::default().fields(&format!("metadata.name={name}")),
        None => ListParams::default(),
    };
    let mut stacks = match scope.api::<TodoStack>(client).list(&parameters).await {
        Ok(list) => list.items,
        Err(kube::Error::Api(answer)) if answer.code == NOT_FOUND => return Err(Error::NoDefinition),
        Err(kube::Error::Api(answer)) if answer.is_forbidden() => {
            return Err(Error::StacksForbidden(scope.place()));
        }
        Err(source) => return Err(failed("TodoStacks", scope, source)),
    };
    if let (Some(name), true) = (&scope.name, stacks.is_empty()) {
        return Err(Error::NoStack { name: name.clone(), place: scope.place() });
    }
    stacks.sort_by_key(|stack| (stack.namespace(), stack.name_any()));
    Ok(stacks)
}

async fn all_stacks(client: &Client) -> Result<Vec<TodoStack>, Error> {
    match Api::<TodoStack>::all(client.clone()).list(&ListParams::default()).await {
        Ok(list) => Ok(list.items),
        Err(kube::Error::Api(answer)) if answer.is_forbidden() => Ok(Vec::new()),
        Err(source) => Err(Error::read("TodoStacks", "in all namespaces", source)),
    }
}

/// A list, or what cannot be listed.
type Listed<K> = Result<Vec<K>, Gap>;

fn settle<K>(listed: Listed<K>, gaps: &mut Vec<Gap>) -> Vec<Arc<K>> {
    match listed {
        Ok(objects) => objects.into_iter().map(Arc::new).collect(),
        Err(gap) => {
            gaps.push(gap);
            Vec::new()
        }
    }
}

struct Reader<'a> {
    client: &'a Client,
    scope: &'a Scope,
}

impl Reader<'_> {
    async fn here<K>(&self, parameters: &ListParams, gap: Gap) -> Result<Listed<K>, Error>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    {
        self.list(&self.scope.api(self.client), parameters, gap).await
    }

    async fn everywhere<K>(&self, parameters: &ListParams, gap: Gap) -> Result<Listed<K>, Error>
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
    {
        self.list(&Api::all(self.client.clone()), parameters, gap).await
    }

    async fn list<K>(&self, api: &Api<K>, parameters: &ListParams, gap: Gap) -> Result<Listed<K>, Error>
    where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
    {
        match api.list(parameters).await {
            Ok(list) => Ok(Ok(list.items)),
            Err(kube::Error::Api(answer)) if answer.is_forbidden() => Ok(Err(gap)),
            Err(source) => Err(failed(&K::plural(&()), self.scope, source)),
        }
    }
}

fn failed(what: &str, scope: &Scope, source: kube::Error) -> Error {
    Error::read(what, scope.place(), source)
}
