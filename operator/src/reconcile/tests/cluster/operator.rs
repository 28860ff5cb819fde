//! The operator's process in a test: its context, and caches that the watches fill from the store.

use std::{
    collections::HashMap,
    fmt::Debug,
    io,
    sync::{Arc, Mutex},
};

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
use serde::de::DeserializeOwned;
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
    observe::caches::{Cache, Caches, Guarded},
    reconcile::reconcile,
};

type Feed = Box<dyn FnMut(&Store)>;

pub(crate) struct Operator {
    context: Arc<Context>,
    feeds: Vec<Feed>,
    killed: watch::Receiver<bool>,
}

impl Operator {
    // A new process, whose watches have listed.
    pub(crate) fn start(server: &Arc<Mutex<Server>>) -> Self {
        let (sender, killed) = watch::channel(false);
        let client = client(server, sender);
        let (stacks, stack_feed) = feed::<Guarded>(|stack| prune::metadata(stack.meta_mut()), |_| true);
        let mut managed = Managed { caches: Vec::new(), feeds: vec![stack_feed] };
        visit_kinds(&mut managed);
        let Managed { caches, mut feeds } = managed;
        let (pods, pod_feed) = feed(prune::pod, is_watched);
        let (storage_classes, class_feed) = feed(prune::storage_class, |_| true);
        let (ingress_classes, ingress_feed) = feed(prune::ingress_class, |_| true);
        feeds.extend([pod_feed, class_feed, ingress_feed]);
        let caches = Caches { stacks, managed: caches, pods, storage_classes, ingress_classes };
        let mut operator = Self { context: Arc::new(api_server::context(client, caches)), feeds, killed };
        operator.watch(&server.lock().unwrap().store);
        operator
    }

    // The watches deliver everything.
    pub(crate) fn watch(&mut self, store: &Store) {
        self.feeds.iter_mut().for_each(|feed| feed(store));
    }

    // One reconcile of the stack `shop`. None if the process was killed, or if there is no such stack.
    pub(crate) async fn reconcile(&mut self) -> Option<Result<Action, Error>> {
        let stack = self.context.caches.stacks.get(&ObjectRef::new("shop").within("shops"))?;
        tokio::select! {
            outcome = reconcile(stack, self.context.clone()) => Some(outcome),
            _ = self.killed.wait_for(|killed| *killed) => None,
        }
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
    caches: Vec<Arc<dyn Cache>>,
    feeds: Vec<Feed>,
}

impl KindVisitor for Managed {
    fn namespaced<K: ManagedKind + Resource<Scope = k8s_openapi::NamespaceResourceScope>>(&mut self) {
        self.cluster::<K>();
    }

    fn cluster<K: ManagedKind>(&mut self) {
        let (cache, feed) = feed::<K>(K::prune, is_watched);
        self.caches.push(Arc::new(cache));
        self.feeds.push(feed);
    }
}

// A cache, and what fills it with the objects of its kind, as a watch with the operator's selector does.
fn feed<K>(prune: fn(&mut K), is_selected: fn(&serde_json::Value) -> bool) -> (reflector::Store<K>, Feed)
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + 'static,
{
    let (reader, mut writer) = reflector::store();
    // Reading an object takes longer than a reconcile of it.
    let mut read = HashMap::<String, K>::new();
    let feed = move |store: &Store| {
        writer.apply_watcher_event(&watcher::Event::Init);
        let mut current = HashMap::new();
        for object in store.list(&K::plural(&())).filter(|object| is_selected(object)) {
            let version = object["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
            let known = read.remove(&version).unwrap_or_else(|| {
                let mut object: K = serde_json::from_value(object.clone()).unwrap();
                prune(&mut object);
                object
            });
            writer.apply_watcher_event(&watcher::Event::InitApply(known.clone()));
            current.insert(version, known);
        }
        writer.apply_watcher_event(&watcher::Event::InitDone);
        read = current;
    };
    (reader, Box::new(feed))
}

fn is_watched(object: &serde_json::Value) -> bool {
    object["metadata"]["labels"][MANAGED_BY] == todostack_crds::FIELD_MANAGER
}
