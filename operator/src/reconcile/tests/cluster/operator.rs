//! The operator's process in a test: its context, and caches that the watches fill from the store.

use std::{
    collections::HashMap,
    fmt::Debug,
    io,
    sync::{Arc, Mutex},
};

use futures::channel::mpsc::UnboundedReceiver;
use http::{Request, Response};
use kube::{
    Client, Resource,
    client::Body,
    runtime::{
        controller::Action,
        reflector::{self, ObjectRef},
        watcher,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use todostack_stack::{
    labels::MANAGED_BY,
    managed::{KindVisitor, ManagedKind, visit_kinds},
    prune,
};
use tokio::sync::watch;

use super::{
    super::api_server,
    requests,
    server::{Reaction, Server},
    store::Store,
};
use crate::{
    clients::ANSWER,
    context::Context,
    error::Error,
    observe::{
        caches::{self, Cache, Caches, Guarded, Interests},
        field_sets::FieldSets,
        index::Key,
        packed::Packed,
        warnings::Warnings,
    },
    reconcile::reconcile,
    requeue::Published,
    upgrades::{Limits, Upgrades},
};

type Feed = Box<dyn FnMut(&Store)>;

pub(crate) struct Operator {
    context: Arc<Context>,
    feeds: Vec<Feed>,
    killed: watch::Receiver<bool>,
    // Stacks whose turn it is.
    turns: UnboundedReceiver<ObjectRef<Guarded>>,
}

impl Operator {
    // A new process, whose watches have listed.
    pub(crate) fn start(server: &Arc<Mutex<Server>>) -> Self {
        let (sender, killed) = watch::channel(false);
        let client = client(server, sender);
        let (stacks, stack_feed) = stored::<Guarded>(|stack| prune::metadata(stack.meta_mut()));
        let interests = Interests::default();
        let filled = interests.clone();
        let interest_feed = feed::<Guarded>(|_| {}, |_| true, move |event| filled.receive(&event));
        let mut managed = Managed {
            field_sets: FieldSets::default(),
            caches: Vec::new(),
            feeds: vec![stack_feed, interest_feed],
        };
        visit_kinds(&mut managed);
        let Managed { field_sets, caches, mut feeds } = managed;
        let (pods, pod_feed) = indexed(prune::pod, caches::keys_of_pod);
        let (storage_classes, class_feed) = stored(prune::storage_class);
        let (ingress_classes, ingress_feed) = stored(prune::ingress_class);
        feeds.extend([pod_feed, class_feed, ingress_feed]);
        let caches = Caches {
            stacks,
            interests,
            managed: caches,
            pods,
            storage_classes,
            ingress_classes,
            warnings: Warnings::default(),
            field_sets,
            namespaces: None,
        };
        let mut context = api_server::context(client, caches);
        if server.lock().unwrap().is_quiet {
            context.published = Published::default();
        }
        let (config, limits) = {
            let server = server.lock().unwrap();
            (server.config.clone(), server.limits.unwrap_or(Limits { databases: 1, apis: 5 }))
        };
        context.config = config.unwrap_or(context.config);
        context.upgrades = Upgrades::new(&context.config, limits);
        let turns = context.upgrades.turns();
        let mut operator = Self { context: Arc::new(context), feeds, killed, turns };
        operator.watch(&server.lock().unwrap().store);
        operator
    }

    // The watches deliver everything.
    pub(crate) fn watch(&mut self, store: &Store) {
        self.feeds.iter_mut().for_each(|feed| feed(store));
    }

    // One reconcile of a stack. None if the process was killed, or if there is no such stack.
    pub(crate) async fn reconcile(&mut self, name: &str) -> Option<Result<Action, Error>> {
        let stack = self.context.caches.stacks.get(&ObjectRef::new(name).within("shops"))?;
        tokio::select! {
            outcome = reconcile(stack, self.context.clone()) => Some(outcome),
            _ = self.killed.wait_for(|killed| *killed) => None,
        }
    }

    // Names of the stacks whose turn it is.
    pub(crate) fn turns(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.turns.try_recv().ok()).map(|stack| stack.name).collect()
    }

    pub(crate) fn metrics(&self) -> String {
        self.context.metrics.text().unwrap()
    }

    pub(crate) fn is_killed(&self) -> bool {
        *self.killed.borrow()
    }
}

fn client(server: &Arc<Mutex<Server>>, killed: watch::Sender<bool>) -> Client {
    let (service, mut handle) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
    let server = Arc::clone(server);
    tokio::spawn(async move {
        // Requests that are never answered.
        let mut open = Vec::new();
        while let Some((request, send)) = handle.next_request().await {
            let (parts, body) = request.into_parts();
            let bytes = body.collect_bytes().await.unwrap();
            let reaction = server.lock().unwrap().receive(requests::Request::new(&parts, &bytes));
            match reaction {
                Reaction::Answer(code, value) => {
                    let body = Body::from(serde_json::to_vec(&value).unwrap());
                    send.send_response(Response::builder().status(code).body(body).unwrap());
                }
                Reaction::Drop => send.send_error(io::Error::from(io::ErrorKind::ConnectionReset)),
                Reaction::Silence => {
                    tokio::spawn(async move {
                        tokio::time::sleep(ANSWER).await;
                        send.send_error(io::Error::from(io::ErrorKind::TimedOut));
                    });
                }
                Reaction::Kill => {
                    open.push(send);
                    killed.send_replace(true);
                }
            }
        }
    });
    Client::new(service, "shops")
}

struct Managed {
    field_sets: FieldSets,
    caches: Vec<Arc<dyn Cache>>,
    feeds: Vec<Feed>,
}

impl KindVisitor for Managed {
    fn namespaced<K: ManagedKind + Resource<Scope = k8s_openapi::NamespaceResourceScope>>(&mut self) {
        self.cluster::<K>();
    }

    fn cluster<K: ManagedKind>(&mut self) {
        let field_sets = self.field_sets.clone();
        let prune = move |object: &mut K| {
            object.prune();
            field_sets.intern(object.meta_mut());
        };
        let (cache, feed) = indexed(prune, caches::keys::<K>);
        self.caches.push(Arc::new(cache));
        self.feeds.push(feed);
    }
}

// What fills a cache with the objects of its kind, as a watch with the operator's selector does.
fn feed<K>(
    prune: impl Fn(&mut K) + 'static,
    is_selected: fn(&serde_json::Value) -> bool,
    mut receive: impl FnMut(watcher::Event<K>) + 'static,
) -> Feed
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + 'static,
{
    // Reading an object takes longer than a reconcile of it.
    let mut read = HashMap::<String, K>::new();
    Box::new(move |store: &Store| {
        receive(watcher::Event::Init);
        let mut current = HashMap::new();
        for object in store.list(&K::plural(&())).filter(|object| is_selected(object)) {
            let version = object["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
            let known = read.remove(&version).unwrap_or_else(|| {
                let mut object: K = serde_json::from_value(object.clone()).unwrap();
                prune(&mut object);
                object
            });
            receive(watcher::Event::InitApply(known.clone()));
            current.insert(version, known);
        }
        receive(watcher::Event::InitDone);
        read = current;
    })
}

// A store of kube, and what fills it.
fn stored<K>(prune: impl Fn(&mut K) + 'static) -> (reflector::Store<K>, Feed)
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + 'static,
{
    let (reader, mut writer) = reflector::store();
    (reader, feed(prune, |_| true, move |event| writer.apply_watcher_event(&event)))
}

// An index, and what fills it.
fn indexed<K>(prune: impl Fn(&mut K) + 'static, keys: fn(&K) -> Vec<Key>) -> (Packed<K>, Feed)
where
    K: Resource<DynamicType = ()> + Clone + Debug + Serialize + DeserializeOwned + 'static,
{
    let index = Packed::new(keys);
    let filled = index.clone();
    (index, feed(prune, is_watched, move |event| filled.receive(&event)))
}

fn is_watched(object: &serde_json::Value) -> bool {
    object["metadata"]["labels"][MANAGED_BY] == todostack_crds::FIELD_MANAGER
}
