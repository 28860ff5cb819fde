//! One of several operators: it serves its stacks only, and keeps what others own out of its memory.

use std::{collections::BTreeSet, sync::Arc};

use futures::{StreamExt as _, stream};
use serde_json::json;
use todostack_stack::{fixtures, managed::ManagedObjects, observed::Listing, stack_ref::StackRef};

use super::api_server::{ApiServer, Received};
use crate::{
    observe::{feeds, scope::Scope},
    shard::Shard,
};

fn shards() -> [Shard; 2] {
    ["0/2", "1/2"].map(|shard| shard.parse().unwrap())
}

#[tokio::test]
async fn a_stack_is_served_by_one_of_the_operators() {
    let stack = fixtures::todostack("{}");
    let uid = stack.metadata.uid.clone().unwrap();
    for shard in shards() {
        let mut server = ApiServer::with(&stack, Listing::default(), Arc::new(|_| None));
        Arc::get_mut(&mut server.context).unwrap().shard = shard;
        server.reconcile(&stack).await.unwrap();
        assert_eq!(server.received.lock().unwrap().is_empty(), !shard.has(&uid));
    }
}

// Each operator lists these objects, one of each stack, and has those in its caches afterwards.
async fn cached(shard: Shard, plural: &'static str, is_owned: bool) -> BTreeSet<String> {
    let answer = move |request: &Received| {
        let objects = (0..20).map(|number| {
            let owner = json!([{"apiVersion": "todostack.dev/v1alpha1", "kind": "TodoStack", "controller": true,
                "name": format!("shop-{number}"), "uid": format!("uid-{number}")}]);
            let labels = json!({"todostack.dev/stack": "shop", "todostack.dev/namespace": "shops"});
            json!({"metadata": {"name": format!("uid-{number}"), "namespace": "shops", "labels": labels,
                "ownerReferences": is_owned.then_some(owner)}})
        });
        let items: Vec<_> = objects.collect();
        let list =
            json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items});
        let is_list = request.method == http::Method::GET && request.path.ends_with(plural);
        is_list.then_some((200, list))
    };
    let server = ApiServer::answering(&fixtures::todostack("{}"), Arc::new(answer));
    let scope = Scope { shard, ..Scope::default() };
    let (caches, triggers) = feeds::open(&server.context.client, &scope, &server.context.metrics);
    let mut polled = stream::select(triggers.related.map(drop), triggers.stacks.map(drop));
    tokio::select! {
        () = async { while polled.next().await.is_some() {} } => panic!("a watch ended"),
        listed = caches.ready() => listed.unwrap(),
    }
    let (id, mut objects) =
        (StackRef::try_from(&fixtures::todostack("{}")).unwrap(), ManagedObjects::default());
    for cache in &caches.managed {
        cache.collect(&id, &[], &mut objects);
    }
    objects.metadata().map(|(key, _)| key.name).collect()
}

#[tokio::test]
async fn what_stacks_own_is_kept_by_one_operator_and_data_by_each() {
    let [one, two] = shards();
    let (first, second) = (cached(one, "/services", true).await, cached(two, "/services", true).await);
    assert!(first.is_disjoint(&second) && first.len() + second.len() == 20, "{first:?} {second:?}");
    assert!(first.iter().all(|uid| one.has(uid)));
    // A new stack of the same name takes it over, and that may be in another shard.
    for shard in [one, two] {
        assert_eq!(cached(shard, "/persistentvolumeclaims", false).await.len(), 20);
    }
}
