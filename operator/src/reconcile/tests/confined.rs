//! An operator without a ClusterRole: no request leaves its namespaces, and what needs the cluster is said in
//! the status.

use std::{collections::BTreeSet, sync::Arc};

use futures::{StreamExt as _, stream};
use rstest::rstest;
use serde_json::json;
use todostack_crds::TodoStack;
use todostack_stack::{fixtures, observed::Listing};

use super::{
    api_server::ApiServer,
    changes::{EXTERNAL, NFS, OWN_SECRET, SQLITE},
};
use crate::observe::{feeds, scope::Scope};

const HOST: &str = "{exposure: {host: shop.example.com}}";

fn server(stack: &TodoStack, listing: Listing) -> ApiServer {
    let mut server = ApiServer::with(stack, listing, Arc::new(|_| None));
    let context = Arc::get_mut(&mut server.context).unwrap();
    context.config.cluster_access = false;
    server
}

// The paths that were requested outside of the namespaces.
fn outside(server: &ApiServer, namespaces: &[&str]) -> BTreeSet<String> {
    let received = server.received.lock().unwrap();
    let is_inside = |path: &str| namespaces.iter().any(|name| path.contains(&format!("/namespaces/{name}/")));
    received.iter().map(|request| request.path.clone()).filter(|path| !is_inside(path)).collect()
}

fn deleted(stack: &TodoStack) -> TodoStack {
    let mut stack = stack.clone();
    stack.metadata.deletion_timestamp = stack.metadata.creation_timestamp.clone();
    stack.metadata.finalizers = Some(vec!["todostack.dev/cleanup".into()]);
    stack
}

#[rstest]
#[case::postgres("{}")]
#[case::nfs(NFS)]
#[case::own_secret(OWN_SECRET)]
#[case::external(EXTERNAL)]
#[case::sqlite(SQLITE)]
#[case::exposed(HOST)]
#[tokio::test]
async fn no_request_leaves_the_namespace(#[case] spec: &str) {
    let stack = fixtures::todostack(spec);
    let existing = fixtures::listing(&fixtures::resolved(spec));
    for listing in [Listing::default(), existing] {
        let server = server(&stack, listing);
        for stack in [&stack, &deleted(&stack)] {
            server.reconcile(stack).await.unwrap();
        }
        assert_eq!(outside(&server, &["shops"]), BTreeSet::new());
    }
}

#[tokio::test]
async fn no_watch_leaves_the_namespaces() {
    let server = server(&fixtures::todostack("{}"), Listing::default());
    let namespaces = vec!["shops".to_owned(), "others".to_owned()];
    let scope = Scope { namespaces, has_cluster_access: false, ..Scope::default() };
    let (caches, triggers) = feeds::open(&server.context.client, &scope, &server.context.metrics);
    let mut polled = stream::select(triggers.related.map(drop), triggers.stacks.map(drop));
    tokio::select! {
        () = async { while polled.next().await.is_some() {} } => panic!("a watch ended"),
        listed = caches.ready() => listed.unwrap(),
    }
    assert_eq!(outside(&server, &["shops", "others"]), BTreeSet::new());
    let watched = server.used().into_iter().filter(|(_, _, verb)| verb == "list").count();
    assert!(watched >= 10, "{watched}");
}

#[rstest]
#[case::nfs("{database: {postgres: {storage: {nfs: {server: nas, path: /e}}}}}", "ClusterAccessNeeded")]
#[case::unknown_class("{database: {postgres: {storage: {storageClassName: fast}}}}", "Progressing")]
#[case::default_class("{}", "Progressing")]
#[case::ingress(HOST, "Progressing")]
#[tokio::test]
async fn the_status_says_what_needs_the_cluster_and_nothing_of_what_is_not_known(
    #[case] spec: &str,
    #[case] reason: &str,
) {
    let stack = fixtures::todostack(spec);
    let server = server(&stack, Listing::default());
    server.reconcile(&stack).await.unwrap();
    let ready = server.ready();
    let conditions = server.status()["conditions"].clone();
    let reasons: BTreeSet<_> =
        conditions.as_array().unwrap().iter().map(|it| it["reason"].as_str().unwrap().to_owned()).collect();
    if reason == "ClusterAccessNeeded" {
        assert_eq!((&ready["status"], &ready["reason"]), (&json!("False"), &json!(reason)));
        let starts =
            |write: &String| write.contains("statefulsets") || write.contains("persistentvolumeclaims");
        assert!(!server.writes().iter().any(starts));
    } else {
        assert!(!reasons.iter().any(|reason| reason.contains("Class")), "{reasons:?}");
        assert!(server.writes().iter().any(|write| write.contains("statefulsets")));
    }
}
