//! The requests that the operator sends, answered from the store as an API server does.

use http::{Method, request::Parts};
use serde_json::{Value, json};

use super::{super::api_server::failure, fields, server::Mutation, store::Store};

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    // Plural, such as `secrets`.
    pub(crate) resource: String,
    // Empty for a collection.
    pub(crate) name: String,
    subresource: Option<String>,
    query: String,
    content_type: String,
    is_for_metadata: bool,
    pub(crate) body: Value,
}

impl Request {
    pub(crate) fn new(parts: &Parts, body: &[u8]) -> Self {
        let path = parts.uri.path().trim_start_matches('/');
        let mut segments = path.split('/').skip(if path.starts_with("apis/") { 3 } else { 2 }).peekable();
        if segments.next_if_eq(&"namespaces").is_some() {
            segments.next();
        }
        let header = |name| parts.headers.get(name).map_or("", |value| value.to_str().unwrap());
        Self {
            method: parts.method.clone(),
            resource: segments.next().unwrap_or_default().to_owned(),
            name: segments.next().unwrap_or_default().to_owned(),
            subresource: segments.next().map(str::to_owned),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            content_type: header("content-type").to_owned(),
            is_for_metadata: header("accept").contains("as=PartialObjectMetadata"),
            body: serde_json::from_slice(body).unwrap_or_default(),
        }
    }

    pub(crate) fn is_write(&self) -> bool {
        self.method != Method::GET
    }

    pub(crate) fn describe(&self) -> String {
        let path = [Some(&self.resource), Some(&self.name), self.subresource.as_ref()];
        format!("{} {}", self.method, path.into_iter().flatten().cloned().collect::<Vec<_>>().join("/"))
    }

    fn manager(&self) -> String {
        let manager = self.query.split('&').find_map(|pair| pair.strip_prefix("fieldManager="));
        manager.unwrap_or("unknown").to_owned()
    }
}

pub(crate) fn answer(store: &mut Store, request: &Request, mutation: Option<&Mutation>) -> (u16, Value) {
    let (code, mut value) = match (&request.method, request.name.as_str()) {
        (&Method::GET, "") => (200, list(store, request)),
        (&Method::GET, _) => found(store, request),
        (&Method::POST, _) => {
            store.create(&request.resource, request.body.clone());
            (201, request.body.clone())
        }
        (&Method::DELETE, _) => delete(store, request),
        (&Method::PATCH, _) => patch(store, request, mutation.filter(|it| it.resource == request.resource)),
        (method, _) => failure(405, "MethodNotAllowed", method.as_str()),
    };
    if request.is_for_metadata && value.get("metadata").is_some() && code < 400 {
        let metadata = &value["metadata"];
        value =
            json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata});
    }
    (code, value)
}

fn found(store: &Store, request: &Request) -> (u16, Value) {
    let found = store.get(&request.resource, &request.name);
    found.map_or_else(|| not_found(request), |object| (200, object.clone()))
}

fn not_found(request: &Request) -> (u16, Value) {
    failure(404, "NotFound", &request.describe())
}

// Of Events, those that the operator asks for are of objects that fail, which is no part of these tests.
fn list(store: &Store, request: &Request) -> Value {
    let items: Vec<_> = match request.resource.as_str() {
        "events" => Vec::new(),
        resource => store.list(resource).cloned().collect(),
    };
    json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": store.version().to_string()},
        "items": items})
}

fn delete(store: &mut Store, request: &Request) -> (u16, Value) {
    let Some(object) = store.get(&request.resource, &request.name) else { return not_found(request) };
    let wanted = &request.body["preconditions"]["uid"];
    if !wanted.is_null() && *wanted != object["metadata"]["uid"] {
        return failure(409, "Conflict", "the uid in the precondition is another one");
    }
    if request.body["propagationPolicy"] == "Foreground" {
        store.delete_in_foreground(&request.resource, &request.name);
    } else {
        store.delete(&request.resource, &request.name);
    }
    (200, json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}))
}

fn patch(store: &mut Store, request: &Request, mutation: Option<&Mutation>) -> (u16, Value) {
    let is_apply = request.content_type == "application/apply-patch+yaml";
    if !is_apply && request.content_type != "application/merge-patch+json" {
        return failure(415, "UnsupportedMediaType", &request.content_type);
    }
    let live = store.get(&request.resource, &request.name).cloned();
    if let Some(field) = mismatch(live.as_ref(), &request.body["metadata"]) {
        return failure(409, "Conflict", &format!("metadata.{field} is another one"));
    }
    if live.is_none() && (!is_apply || request.subresource.is_some()) {
        return not_found(request);
    }
    let before = live.clone().unwrap_or_else(|| json!({}));
    let (manager, subresource) = (request.manager(), request.subresource.as_deref());
    let mut after = if is_apply {
        fields::apply(&before, &request.body, &manager, subresource)
    } else {
        fields::merge_patch(&before, &request.body, &manager, None)
    };
    if let Some(mutation) = mutation {
        fields::merge(&mut after, &mutation.patch);
    }
    if let Some(field) = changed_immutable(&request.resource, &before, &after) {
        return failure(422, "Invalid", &format!("{field}: field is immutable"));
    }
    if request.query.contains("dryRun=All") {
        return (200, after);
    }
    if live.is_none() {
        store.create(&request.resource, after);
    } else {
        store.update(&request.resource, &request.name, |object| *object = after.clone());
    }
    let code = if live.is_none() { 201 } else { 200 };
    // The last finalizer of an object that is being deleted was removed.
    let stored = store.get(&request.resource, &request.name).unwrap_or(&before);
    (code, stored.clone())
}

// The precondition in the metadata that does not hold. Where there is no object, a version is none.
fn mismatch(live: Option<&Value>, metadata: &Value) -> Option<&'static str> {
    ["uid", "resourceVersion"].into_iter().find(|field| {
        let sent = metadata.get(field).filter(|sent| !sent.is_null());
        sent.is_some_and(|sent| match live {
            Some(live) => live["metadata"][field] != *sent,
            None => *field == "uid",
        })
    })
}

fn changed_immutable(resource: &str, before: &Value, after: &Value) -> Option<&'static str> {
    let fields: &[&str] = match resource {
        "jobs" => &["/spec/template", "/spec/selector"],
        "deployments" => &["/spec/selector"],
        "statefulsets" => &["/spec/selector", "/spec/serviceName"],
        "persistentvolumeclaims" => {
            &["/spec/accessModes", "/spec/storageClassName", "/spec/volumeMode", "/spec/volumeName"]
        }
        "persistentvolumes" => &["/spec/nfs"],
        "secrets" => &["/type"],
        _ => &[],
    };
    let is_changed =
        |field: &&&str| before.pointer(field).is_some_and(|value| after.pointer(field) != Some(value));
    fields.iter().find(is_changed).copied()
}
