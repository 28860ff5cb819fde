//! The stacks that a command is about, and the LIST requests for them: one for each kind and all stacks in
//! scope. A kind that the user may not list is recorded. What is read for one stack is in `read/named.rs`.

use std::{fmt::Debug, sync::Arc};

use futures::future::{self, LocalBoxFuture};
use k8s_openapi::{NamespaceResourceScope, api::apps::v1::Deployment};
use kube::{Api, Client, Resource, ResourceExt as _, api::ListParams};
use serde::de::DeserializeOwned;
use todostack_crds::TodoStack;
use todostack_stack::{
    labels,
    managed::{KindVisitor, ManagedKind, visit_kinds},
    observed::Listing,
};

use crate::{
    error::{Error, NOT_FOUND},
    forbidden::Forbidden,
    settings,
};

pub(crate) mod named;

#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// None: all namespaces.
    pub(crate) namespace: Option<String>,
    /// None: all stacks.
    pub(crate) name: Option<String>,
}

impl Scope {
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

    fn selector(&self) -> ListParams {
        let selector = match &self.name {
            Some(name) => format!("{}={name}", labels::STACK),
            None => labels::STACK.to_owned(),
        };
        ListParams::default().labels(&selector)
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    pub(crate) stacks: Vec<TodoStack>,
    /// All stacks of the cluster, for conflicts between them. Empty where the user may not list them.
    pub(crate) all_stacks: Vec<TodoStack>,
    pub(crate) listing: Listing,
    /// The Deployments that run operators, which are no managed objects.
    pub(crate) operators: Vec<Arc<Deployment>>,
    pub(crate) forbidden: Vec<Forbidden>,
}

pub(crate) async fn lists(client: &Client, scope: &Scope) -> Result<Lists, Error> {
    let stacks = stacks(client, scope).await?;
    let all_stacks = if let Scope { namespace: None, name: None } = scope {
        stacks.clone()
    } else {
        let all = Api::all(client.clone());
        list(&all, &ListParams::default(), "in all namespaces").await?.unwrap_or_default()
    };
    // A stack has a dozen objects, so one LIST of a kind costs less than a GET of each object, and it also
    // returns objects whose names do not follow from the spec.
    let mut requests = Requests { client, scope, pending: Vec::new() };
    visit_kinds(&mut requests);
    let everything = ListParams::default();
    // The operator runs in a namespace of its own, whose name the plugin does not know.
    let operators = ListParams::default().labels(settings::OPERATOR_SELECTOR);
    requests.add(scope.api(client), scope.selector(), Forbidden::Pods, |lists| &mut lists.listing.pods);
    requests.add(Api::all(client.clone()), everything.clone(), Forbidden::StorageClasses, |lists| {
        &mut lists.listing.storage_classes
    });
    requests.add(Api::all(client.clone()), everything, Forbidden::IngressClasses, |lists| {
        &mut lists.listing.ingress_classes
    });
    requests.add(Api::all(client.clone()), operators, Forbidden::Operator, |lists| &mut lists.operators);
    let mut lists = Lists { stacks, all_stacks, ..Lists::default() };
    for store in future::try_join_all(requests.pending).await? {
        store(&mut lists);
    }
    Ok(lists)
}

type Store = Box<dyn FnOnce(&mut Lists)>;

/// Requests that are sent at the same time.
struct Requests<'a> {
    client: &'a Client,
    scope: &'a Scope,
    pending: Vec<LocalBoxFuture<'a, Result<Store, Error>>>,
}

impl Requests<'_> {
    fn add<K>(
        &mut self,
        api: Api<K>,
        parameters: ListParams,
        forbidden: Forbidden,
        field: fn(&mut Lists) -> &mut Vec<Arc<K>>,
    ) where
        K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + 'static,
    {
        let scope = self.scope;
        self.pending.push(Box::pin(async move {
            let objects = list(&api, &parameters, &scope.place()).await?;
            let store = move |lists: &mut Lists| match objects {
                Some(objects) => *field(lists) = objects.into_iter().map(Arc::new).collect(),
                None => lists.forbidden.push(forbidden),
            };
            Ok(Box::new(store) as Store)
        }));
    }

    fn add_managed<K: ManagedKind>(&mut self, api: Api<K>, selector: ListParams) {
        let forbidden = Forbidden::Managed(K::KIND);
        self.add(api, selector, forbidden, |lists| K::select(&mut lists.listing.managed));
    }
}

impl KindVisitor for Requests<'_> {
    fn namespaced<K: ManagedKind + Resource<Scope = NamespaceResourceScope>>(&mut self) {
        self.add_managed::<K>(self.scope.api(self.client), self.scope.selector());
    }

    fn cluster<K: ManagedKind>(&mut self) {
        // Those of all stacks: another one's may be on the same export.
        let of_any_stack = ListParams::default().labels(labels::STACK);
        self.add_managed::<K>(Api::all(self.client.clone()), of_any_stack);
    }
}

/// The stacks in scope, by namespace and name.
pub(crate) async fn stacks(client: &Client, scope: &Scope) -> Result<Vec<TodoStack>, Error> {
    let parameters = match &scope.name {
        Some(name) => ListParams::default().fields(&format!("metadata.name={name}")),
        None => ListParams::default(),
    };
    // A LIST for one name too: a GET cannot tell a missing stack from a missing CRD.
    let mut stacks = match scope.api::<TodoStack>(client).list(&parameters).await {
        Ok(list) => list.items,
        Err(kube::Error::Api(answer)) if answer.code == NOT_FOUND => return Err(Error::NoCrd),
        Err(kube::Error::Api(answer)) if answer.is_forbidden() => {
            return Err(Error::StacksForbidden(scope.place()));
        }
        Err(source) => return Err(Error::read("todostacks", scope.place(), source)),
    };
    if let (Some(name), true) = (&scope.name, stacks.is_empty()) {
        return Err(Error::NoStack { name: name.clone(), place: scope.place() });
    }
    stacks.sort_by_key(|stack| (stack.namespace(), stack.name_any()));
    Ok(stacks)
}

/// Lists objects; none if the user may not.
pub(crate) async fn list<K>(
    api: &Api<K>,
    parameters: &ListParams,
    place: &str,
) -> Result<Option<Vec<K>>, Error>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    match api.list(parameters).await {
        Ok(list) => Ok(Some(list.items)),
        Err(kube::Error::Api(answer)) if answer.is_forbidden() => Ok(None),
        Err(source) => Err(Error::read(K::plural(&()), place, source)),
    }
}
