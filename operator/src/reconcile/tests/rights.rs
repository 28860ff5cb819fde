//! What the operator uses of its rights, by conversations that use all of them: the table of managed kinds
//! must be equal to it, both ways. The chart's rules are generated from that table.

use std::{collections::BTreeSet, sync::Arc};

use futures::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    core::{DeserializeGuard, error_boundary::InvalidObject},
    runtime::events::{Event, EventType},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use todostack_crds::TodoStack;
use todostack_stack::{fixtures, names, observed::Listing, rbac, stack_ref::StackRef};

use super::{
    api_server::{ApiServer, Received},
    leading,
};
use crate::{
    observe::{feeds, scope::Scope},
    reconcile::reconcile,
};

const NFS: &str = "{deletionPolicy: Delete, exposure: {host: shop.example.com}, database: {postgres: {
    storage: {nfs: {server: nas, path: /e}}, initScripts: {configMap: {name: seed}}}}}";

fn object<K: DeserializeOwned>(name: &str, component: &str, rest: &Value) -> Arc<K> {
    let mut value = rest.clone();
    value["metadata"] = json!({"name": name, "namespace": "shops", "uid": name, "labels": {
        "app.kubernetes.io/managed-by": "todostack-operator", "app.kubernetes.io/component": component,
        "todostack.dev/stack": "shop", "todostack.dev/namespace": "shops",
    }, "managedFields": [fixtures::applied()]});
    Arc::new(serde_json::from_value(value).unwrap())
}

// Opens every watch until all have listed and one watch request of each was received.
async fn watch_all(scope: &Scope) -> ApiServer {
    let stack = fixtures::todostack("{}");
    let server = ApiServer::new(&stack);
    let (caches, triggers) = feeds::open(&server.context.client, scope, &server.context.metrics);
    let feeds = triggers.related.len() + 1;
    let mut polled = stream::select(triggers.related.map(drop), triggers.stacks.map(drop));
    let is_done = || {
        let used = server.used();
        used.iter().filter(|(_, _, verb)| verb == "watch").count() >= feeds - 1
    };
    let all_listed = async {
        caches.ready().await.unwrap();
        while !is_done() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = async { while polled.next().await.is_some() {} } => panic!("a watch ended"),
        () = all_listed => {}
    }
    server
}

// Creates a stack on NFS, and reads the Events of its pod, which is not ready.
async fn create() -> ApiServer {
    let stack = fixtures::todostack(NFS);
    let pod = object::<Pod>("shop-db-0", "database", &json!({"status": {"phase": "Pending"}}));
    let listing = Listing { pods: vec![pod], ..Listing::default() };
    let server = ApiServer::with(&stack, listing, Arc::new(|_| None));
    server.reconcile(&stack).await.unwrap();
    server
}

// Reads what the caches of a paused stack lack, and a Job that exists although they lack it.
async fn read_by_name() -> [ApiServer; 2] {
    let stack = fixtures::todostack("{paused: true, exposure: {host: shop.example.com}}");
    let paused = ApiServer::new(&stack);
    paused.reconcile(&stack).await.unwrap();
    let stack = fixtures::todostack("{}");
    let is_job = |request: &Received| request.path.contains("/jobs/");
    let job = json!({"metadata": {"name": "any", "namespace": "shops"}});
    let unlisted =
        ApiServer::answering(&stack, Arc::new(move |request| is_job(request).then(|| (200, job.clone()))));
    for _ in 0..2 {
        unlisted.reconcile(&stack).await.unwrap();
    }
    [paused, unlisted]
}

// Leaves the replicas of a Deployment to an autoscaler.
async fn autoscale() -> ApiServer {
    let (stack, mut listing) = (fixtures::todostack("{}"), fixtures::listing(&fixtures::resolved("{}")));
    let deployment = Arc::make_mut(&mut listing.managed.deployments[0]);
    let scaled = json!({"manager": "kube-controller-manager", "operation": "Update", "subresource": "scale",
        "fieldsV1": {"f:spec": {"f:replicas": {}}}});
    deployment.metadata.managed_fields.as_mut().unwrap().push(serde_json::from_value(scaled).unwrap());
    let server = ApiServer::with(
        &stack,
        listing,
        Arc::new(|request| {
            let list = json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": []});
            request.path.ends_with("/horizontalpodautoscalers").then_some((200, list))
        }),
    );
    server.reconcile(&stack).await.unwrap();
    server
}

// Reduces a stack to the least, so that what it no longer asks for is deleted: the Jobs of earlier images
// too, and the Secret of credentials that the server has accepted.
async fn edit() -> ApiServer {
    let before = fixtures::resolved(NFS);
    let mut listing = fixtures::listing(&before);
    for job in &mut listing.managed.jobs {
        let job = Arc::make_mut(job);
        job.status = Some(
            serde_json::from_value(json!({"conditions": [{"type": "Complete", "status": "True"}]})).unwrap(),
        );
    }
    let mut earlier = Arc::unwrap_or_clone(listing.managed.jobs[0].clone());
    earlier.metadata.name = Some("shop-migrate-earlier".into());
    listing.managed.jobs.push(Arc::new(earlier));
    // Left of a change of credentials that is complete.
    let mut secrets = listing.managed.secrets.iter();
    let app = secrets.find(|secret| secret.metadata.name == Some(names::app_secret("shop"))).unwrap();
    let mut next = Arc::unwrap_or_clone(Arc::clone(app));
    next.metadata.name = Some(names::next_secret("shop"));
    listing.managed.secrets.push(Arc::new(next));
    let stack = fixtures::todostack(
        "{api: {replicas: 1}, database: {postgres: {storage: {nfs: {server: nas, path: /e}}}}}",
    );
    let server = ApiServer::with(&stack, listing, Arc::new(|_| None));
    server.reconcile(&stack).await.unwrap();
    server
}

// Deletes a stack on NFS whose claim and volume exist.
async fn delete() -> ApiServer {
    let mut stack = fixtures::todostack(NFS);
    stack.metadata.deletion_timestamp = stack.metadata.creation_timestamp.clone();
    stack.metadata.finalizers = Some(vec!["todostack.dev/cleanup".into()]);
    let server = ApiServer::answering(
        &stack,
        Arc::new(|request| {
            let is_data = request.path.contains("/persistentvolume");
            let metadata = json!({"name": "any", "uid": "1", "labels": {
                "app.kubernetes.io/managed-by": "todostack-operator",
                "todostack.dev/stack": "shop", "todostack.dev/namespace": "shops",
            }, "managedFields": [{"manager": "todostack-operator", "operation": "Apply"}]});
            // A claim is read whole, since it names its volume.
            let (kind, version) = if request.path.contains("/persistentvolumeclaims/") {
                ("PersistentVolumeClaim", "v1")
            } else {
                ("PartialObjectMetadata", "meta.k8s.io/v1")
            };
            let found = json!({"kind": kind, "apiVersion": version, "metadata": metadata});
            (is_data && request.method == http::Method::GET).then_some((200, found))
        }),
    );
    server.reconcile(&stack).await.unwrap();
    server
}

// A stack whose database pod has an earlier template and is not ready.
pub(super) fn with_stuck_pod() -> (TodoStack, Listing) {
    let stack = fixtures::todostack("{}");
    let mut listing = fixtures::listing(&fixtures::resolved("{}"));
    let status = json!({"status": {"replicas": 1, "updateRevision": "new"}});
    listing.managed.stateful_sets = vec![object("shop-db", "database", &status)];
    let mut pod = Arc::unwrap_or_clone(object::<Pod>("shop-db-0", "database", &json!({})));
    pod.metadata.labels.as_mut().unwrap().insert("controller-revision-hash".into(), "old".into());
    let owner =
        json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "shop-db", "uid": "shop-db"}]);
    pod.metadata.owner_references = Some(serde_json::from_value(owner).unwrap());
    listing.pods.push(Arc::new(pod));
    (stack, listing)
}

// Deletes that pod.
async fn replace() -> ApiServer {
    let (stack, listing) = with_stuck_pod();
    let server = ApiServer::with(&stack, listing, Arc::new(|_| None));
    server.reconcile(&stack).await.unwrap();
    server
}

// Reads a stack of which the watch delivers only metadata.
async fn report_unreadable() -> ApiServer {
    let stack = fixtures::todostack("{}");
    let server = ApiServer::new(&stack);
    let invalid = InvalidObject { error: "unknown".into(), metadata: stack.metadata };
    reconcile(Arc::new(DeserializeGuard(Err(invalid))), server.context.clone()).await.unwrap();
    server
}

// Emits an Event twice: the second time its series is patched.
async fn emit() -> ApiServer {
    let stack = fixtures::todostack("{}");
    let server = ApiServer::new(&stack);
    let event = Event {
        type_: EventType::Normal,
        reason: "Ready".into(),
        note: None,
        action: "Reconcile".into(),
        secondary: None,
    };
    let stack = StackRef::try_from(&stack).unwrap().object_reference();
    for _ in 0..2 {
        server.context.recorder.publish(&event, &stack).await.unwrap();
    }
    server
}

#[tokio::test]
async fn the_operator_uses_every_right_of_the_table_and_no_other() {
    let mut used = BTreeSet::new();
    let created =
        [watch_all(&Scope::default()).await, create().await, autoscale().await, Box::pin(edit()).await];
    let others = [replace().await, delete().await, emit().await, report_unreadable().await];
    let yielded = [leading::yield_to_another().await];
    for server in created.into_iter().chain(others).chain(yielded).chain(read_by_name().await) {
        used.extend(server.used());
    }
    let granted: BTreeSet<_> = rbac::rights()
        .flat_map(|right| {
            let (group, resource) = (right.group, right.resource);
            right.verbs.iter().map(move |verb| (group.clone(), resource.clone(), (*verb).to_owned()))
        })
        .collect();
    let unused: Vec<_> = granted.difference(&used).collect();
    let missing: Vec<_> = used.difference(&granted).collect();
    assert!(
        unused.is_empty() && missing.is_empty(),
        "granted and not used: {unused:?}; used and not granted: {missing:?}"
    );
}

#[tokio::test]
async fn namespaces_are_watched_only_where_a_label_chooses_them() {
    let all = watch_all(&Scope::default()).await.used();
    let selector = Some("team=shop".to_owned());
    let chosen = watch_all(&Scope { selector, ..Scope::default() }).await.used();
    let more: BTreeSet<_> = chosen.difference(&all).cloned().collect();
    let granted = rbac::selection_rights().flat_map(|right| {
        let (group, resource) = (right.group, right.resource);
        right.verbs.iter().map(move |verb| (group.clone(), resource.clone(), (*verb).to_owned()))
    });
    assert_eq!(more, granted.collect());
}
