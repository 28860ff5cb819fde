//! A mock API server for conversations: it takes every apply, has nothing else, and remembers all requests.

use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use kube::{
    Client,
    client::Body,
    core::DeserializeGuard,
    runtime::{
        controller::Action,
        events::{Recorder, Reporter},
        reflector, watcher,
    },
};
use serde_json::{Value, json};
use todostack_crds::TodoStack;

use crate::{
    backoff::Backoff, context::Context, error::Error, fixtures, memory::Memory, metrics::Metrics,
    reconcile::reconcile, watch::Caches,
};

/// One request as the API server saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Value,
}

/// A mock API server: it has what it is given, takes every apply, and remembers all requests.
pub(super) struct ApiServer {
    pub(super) seen: Arc<Mutex<Vec<Seen>>>,
    context: Arc<Context>,
}

pub(super) type Answer = Arc<dyn Fn(&Seen) -> Option<(u16, Value)> + Send + Sync>;

impl ApiServer {
    pub(super) fn new(stack: &TodoStack) -> Self {
        Self::answering(stack, Arc::new(|_| None))
    }

    /// `answer` is asked first; none means: GET is 404, PATCH gives back what was sent.
    pub(super) fn answering(stack: &TodoStack, answer: Answer) -> Self {
        let (service, mut handle) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = seen.clone();
        tokio::spawn(async move {
            while let Some((request, send)) = handle.next_request().await {
                let (parts, body) = request.into_parts();
                let bytes = body.collect_bytes().await.unwrap();
                let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
                let request = Seen { method: parts.method, path: parts.uri.path().to_owned(), body };
                let (status, value) = answer(&request).unwrap_or_else(|| usual(&request));
                log.lock().unwrap().push(request);
                let body = Body::from(serde_json::to_vec(&value).unwrap());
                send.send_response(Response::builder().status(status).body(body).unwrap());
            }
        });
        let client = Client::new(service, "shops");
        Self { seen, context: Arc::new(context(client, stack)) }
    }

    pub(super) async fn pass(&self, stack: &TodoStack) -> Result<Action, Error> {
        reconcile(Arc::new(DeserializeGuard(Ok(stack.clone()))), self.context.clone()).await
    }

    pub(super) fn writes(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let writes = seen.iter().filter(|request| request.method != Method::GET);
        writes.map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    pub(super) fn status(&self) -> Value {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .rfind(|request| request.path.ends_with("/status"))
            .map(|r| r.body["status"].clone())
            .unwrap()
    }

    pub(super) fn ready(&self) -> Value {
        let status = self.status();
        status["conditions"].as_array().unwrap().iter().find(|c| c["type"] == "Ready").cloned().unwrap()
    }

    pub(super) fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }
}

fn usual(request: &Seen) -> (u16, Value) {
    if request.method == Method::PATCH {
        let mut object = request.body.clone();
        if request.path.ends_with("/status") {
            object["spec"] = json!({});
        }
        object["metadata"]["resourceVersion"] = json!("11");
        object["metadata"]["managedFields"] = json!([{
            "manager": "todostack-operator", "operation": "Apply", "fieldsV1": fields(&request.body),
        }]);
        return (200, object);
    }
    if request.method == Method::POST {
        return (201, request.body.clone());
    }
    if request.path.ends_with("/events") {
        return (200, json!({"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": []}));
    }
    (404, not_found())
}

/// The set of fields that an API server would say we own, with every list as one value.
fn fields(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (format!("f:{key}"), fields(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        _ => json!({}),
    }
}

pub(super) fn not_found() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404})
}

fn ready_store<K>(objects: Vec<K>) -> reflector::Store<K>
where
    K: kube::Resource<DynamicType = ()> + Clone + 'static,
{
    let (store, mut writer) = reflector::store();
    writer.apply_watcher_event(&watcher::Event::Init);
    for object in objects {
        writer.apply_watcher_event(&watcher::Event::InitApply(object));
    }
    writer.apply_watcher_event(&watcher::Event::InitDone);
    store
}

fn context(client: Client, stack: &TodoStack) -> Context {
    let caches = Caches {
        stacks: ready_store(vec![DeserializeGuard(Ok(stack.clone()))]),
        secrets: ready_store(vec![]),
        services: ready_store(vec![]),
        service_accounts: ready_store(vec![]),
        claims: ready_store(vec![]),
        volumes: ready_store(vec![]),
        stateful_sets: ready_store(vec![]),
        deployments: ready_store(vec![]),
        jobs: ready_store(vec![]),
        ingresses: ready_store(vec![]),
        pods: ready_store(vec![]),
        storage_classes: ready_store(vec![]),
        ingress_classes: ready_store(vec![]),
    };
    Context {
        recorder: Recorder::new(client.clone(), Reporter { controller: "test".into(), instance: None }),
        client,
        config: fixtures::config(),
        caches,
        listed: tokio::sync::watch::channel(true).1,
        memory: Memory::default(),
        backoff: Backoff::default(),
        metrics: Metrics::default(),
    }
}
