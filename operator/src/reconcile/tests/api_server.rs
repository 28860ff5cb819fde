//! A mock API server: it has the objects that a test gives it, accepts every apply, and records all requests.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use http::{Method, Request, Response};
use kube::{Client, client::Body, core::DeserializeGuard, runtime::controller::Action};
use serde_json::{Value, json};
use todostack_crds::TodoStack;
use todostack_stack::observed::Listing;
use tower::Layer as _;

use crate::{
    context::Context, error::Error, installation::Installation, leader::fence::Fence, reconcile::reconcile,
};

pub(super) use listed::context;

mod listed;

// One request as the API server received it.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) method: Method,
    pub(super) path: String,
    query: String,
    pub(super) body: Value,
    // Whether it was to create an object that exists.
    is_conflict: bool,
}

// A mock API server, and the operator's context around its client.
pub(super) struct ApiServer {
    pub(super) received: Arc<Mutex<Vec<Received>>>,
    pub(super) context: Arc<Context>,
}

// In place of an HTTP status: the connection breaks.
pub(super) const NO_ANSWER: u16 = 0;

pub(super) type Answer = Arc<dyn Fn(&Received) -> Option<(u16, Value)> + Send + Sync>;

impl ApiServer {
    pub(super) fn new(stack: &TodoStack) -> Self {
        Self::with(stack, Listing::default(), Arc::new(|_| None))
    }

    // `answer` is asked first. If it returns none: GET is 404, PATCH returns what was sent. A PATCH that is
    // to create what a GET finds is a conflict.
    pub(super) fn answering(stack: &TodoStack, answer: Answer) -> Self {
        Self::with(stack, Listing::default(), answer)
    }

    pub(super) fn with(stack: &TodoStack, listing: Listing, answer: Answer) -> Self {
        Self::installed(stack, listing, answer, (Fence::open(), Installation::default()))
    }

    // With the fence and the installation of this operator.
    pub(super) fn installed(
        stack: &TodoStack,
        listing: Listing,
        answer: Answer,
        (fence, installation): (Fence, Installation),
    ) -> Self {
        let (service, mut handle) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = received.clone();
        tokio::spawn(async move {
            while let Some((request, send)) = handle.next_request().await {
                let (parts, body) = request.into_parts();
                let bytes = body.collect_bytes().await.unwrap();
                let mut request = Received {
                    method: parts.method,
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
                    is_conflict: false,
                };
                request.is_conflict = request.is_creation() && exists(&answer, &request);
                let (status, value) = if request.is_conflict {
                    failure(409, "Conflict", "the object has been modified")
                } else {
                    answer(&request).unwrap_or_else(|| default_answer(&request))
                };
                log.lock().unwrap().push(request);
                if status == NO_ANSWER {
                    send.send_error("connection reset");
                    continue;
                }
                let body = Body::from(serde_json::to_vec(&value).unwrap());
                send.send_response(Response::builder().status(status).body(body).unwrap());
            }
        });
        let client = Client::new(fence.layer(service), "shops");
        let context = Context { fence, installation, ..context(client, listed::caches(stack, listing)) };
        Self { received, context: Arc::new(context) }
    }

    pub(super) async fn reconcile(&self, stack: &TodoStack) -> Result<Action, Error> {
        reconcile(Arc::new(DeserializeGuard(Ok(stack.clone()))), self.context.clone()).await
    }

    // What was written, or was to be written and rejected.
    pub(super) fn writes(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        let is_trial = |request: &Received| request.query.contains("dryRun=All");
        let writes = received
            .iter()
            .filter(|request| request.method != Method::GET && !request.is_conflict && !is_trial(request));
        writes.map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    pub(super) fn status(&self) -> Value {
        let received = self.received.lock().unwrap();
        let status = received.iter().rfind(|request| request.path.ends_with("/status"));
        status.map(|request| request.body["status"].clone()).unwrap()
    }

    pub(super) fn ready(&self) -> Value {
        let status = self.status();
        status["conditions"].as_array().unwrap().iter().find(|c| c["type"] == "Ready").cloned().unwrap()
    }

    pub(super) fn clear(&self) {
        self.received.lock().unwrap().clear();
    }

    // What was used so far: API group, resource, verb.
    pub(super) fn used(&self) -> BTreeSet<(String, String, String)> {
        self.received.lock().unwrap().iter().flat_map(Received::rights).collect()
    }
}

impl Received {
    // Whether the object must not exist: no object has this resourceVersion.
    fn is_creation(&self) -> bool {
        self.method == Method::PATCH && self.body["metadata"]["resourceVersion"] == "1"
    }

    // The rights that an API server checks for the request.
    fn rights(&self) -> Vec<(String, String, String)> {
        let mut segments: Vec<_> = self.path.trim_start_matches('/').split('/').collect();
        let prefix = segments.remove(0);
        let group = if prefix == "apis" { segments.remove(0) } else { "" };
        segments.remove(0);
        if segments[0] == "namespaces" && segments.len() > 2 {
            segments.drain(..2);
        }
        let resource = [segments.first().copied(), segments.get(2).copied()].into_iter().flatten();
        let resource = resource.collect::<Vec<_>>().join("/");
        let is_named = segments.len() > 1;
        let verbs: &[&str] = match (&self.method, is_named) {
            (&Method::GET, true) => &["get"],
            (&Method::GET, false) if self.query.contains("watch=true") => &["watch"],
            (&Method::GET, false) => &["list"],
            (&Method::POST, _) => &["create"],
            (&Method::DELETE, _) => &["delete"],
            // An apply creates the object if it does not exist; a status or a TodoStack exists.
            _ if self.query.contains("fieldManager=") && group != "todostack.dev" => &["create", "patch"],
            _ => &["patch"],
        };
        let right = |resource: &str, verb: &str| (group.to_owned(), resource.to_owned(), verb.to_owned());
        let mut rights: Vec<_> = verbs.iter().map(|verb| right(&resource, verb)).collect();
        // As OpenShift checks when owner references change (OwnerReferencesPermissionEnforcement).
        let owners = self.body["metadata"]["ownerReferences"].as_array();
        for owner in owners.into_iter().flatten() {
            rights.push(right(&resource, "delete"));
            if owner["blockOwnerDeletion"] == true {
                rights.push((
                    "todostack.dev".to_owned(),
                    "todostacks/finalizers".to_owned(),
                    "update".to_owned(),
                ));
            }
        }
        rights
    }
}

fn exists(answer: &Answer, request: &Received) -> bool {
    let read = Received { method: Method::GET, ..request.clone() };
    answer(&read).is_some_and(|(code, _)| code == 200)
}

fn default_answer(request: &Received) -> (u16, Value) {
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
    if request.method == Method::DELETE {
        return (200, json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}));
    }
    if request.path.ends_with("/events") || !request.query.is_empty() {
        return (
            200,
            json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}),
        );
    }
    failure(404, "NotFound", "")
}

// The fields that an API server would record for the operator, with every list as one value.
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

// An answer with an error, such as 409 with the reason `Conflict`.
pub(super) fn failure(code: u16, reason: &str, message: &str) -> (u16, Value) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
        "reason": reason, "message": message});
    (code, status)
}

// The metadata of an object that neither the operator nor a stack has marked.
pub(super) fn foreign(name: &str) -> (u16, Value) {
    let object = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
        "metadata": {"name": name, "namespace": "shops", "uid": "theirs"}});
    (200, object)
}
