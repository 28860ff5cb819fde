//! What is written when the lease is lost at each write in turn, while standing by, and where another
//! installation manages the stack.

use std::sync::atomic::{AtomicUsize, Ordering};

use kube::core::error_boundary::InvalidObject;
use rstest::rstest;
use todostack_crds::TodoStackStatus;
use todostack_stack::observed::Listing;

use super::{api_server::Answer, *};
use crate::{installation::Installation, leader::fence::Fence};

const SPEC: &str = "{deletionPolicy: Delete, exposure: {host: shop.example.com}}";
const OWN: &str = "own/todostack-operator";
const OTHER: &str = "others/todostack-operator";

// An operator that is elected, where the Lease of the other installation is answered like this.
fn beside_another(stack: &TodoStack, code: u16) -> ApiServer {
    let answer: Answer = Arc::new(move |request: &Received| {
        if request.path != "/apis/coordination.k8s.io/v1/namespaces/others/leases/todostack-operator" {
            return None;
        }
        let lease = json!({"kind": "Lease", "metadata": {"name": "todostack-operator"},
            "spec": {"holderIdentity": "other"}});
        Some(if code == 200 { (200, lease) } else { failure(code, "", "") })
    });
    let installation = (Fence::open(), Installation::new(OWN.parse().unwrap()));
    ApiServer::installed(stack, Listing::default(), answer, installation)
}

// Finds a stack that another installation manages.
pub(super) async fn yield_to_another() -> ApiServer {
    let stack = marked(Some(OTHER));
    let server = beside_another(&stack, 200);
    for _ in 0..3 {
        server.reconcile(&stack).await.unwrap();
    }
    server
}

fn marked(mark: Option<&str>) -> TodoStack {
    let mut stack = fixtures::todostack(SPEC);
    let operator = mark.map(str::to_owned);
    stack.status = Some(TodoStackStatus { operator, ..TodoStackStatus::default() });
    stack
}

// The writes of a new stack, if the fence closes while this one is under way.
async fn written(last: usize) -> usize {
    let fence = Fence::open();
    let closing = fence.clone();
    let count = AtomicUsize::new(0);
    let answer: Answer = Arc::new(move |request: &Received| {
        if request.method != Method::GET && count.fetch_add(1, Ordering::Relaxed) + 1 == last {
            closing.set(None);
        }
        None
    });
    let stack = fixtures::todostack(SPEC);
    let installation = (fence, Installation::default());
    let server = ApiServer::installed(&stack, Listing::default(), answer, installation);
    // Whether it fails is of no interest.
    drop(server.reconcile(&stack).await);
    server.writes().len()
}

#[tokio::test]
async fn nothing_is_written_after_the_lease_is_lost() {
    let all = written(0).await;
    assert!(all > 10, "{all}");
    for last in 1..=all {
        let writes = written(last).await;
        // Some are sent together.
        assert!(writes >= last && writes < last + 8, "{last}: {writes}");
        assert!(last < 6 || writes < all || last == all, "{last}: {writes} of {all}");
    }
}

#[tokio::test]
async fn a_replica_that_stands_by_sends_nothing() {
    let stack = fixtures::todostack(SPEC);
    let installation = (Fence::closed(), Installation::default());
    let server = ApiServer::installed(&stack, Listing::default(), Arc::new(|_| None), installation);
    server.reconcile(&stack).await.unwrap();
    assert_eq!(server.received.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_stack_of_another_installation_gets_one_event_and_nothing_else() {
    let server = yield_to_another().await;
    assert_eq!(server.writes(), ["POST /apis/events.k8s.io/v1/namespaces/shops/events"]);
    let received = server.received.lock().unwrap();
    let event = received.iter().find(|request| request.method == Method::POST).unwrap();
    assert_eq!(event.body["reason"], "OtherOperator");
    let note = event.body["note"].as_str().unwrap();
    assert!(
        note.contains(OTHER) && note.contains(OWN) && note.ends_with("'{\"status\":{\"operator\":null}}'"),
        "{note}"
    );
}

#[tokio::test]
async fn a_deleted_stack_of_another_installation_is_left_to_it() {
    let mut stack = marked(Some(OTHER));
    stack.metadata.deletion_timestamp = stack.metadata.creation_timestamp.clone();
    stack.metadata.finalizers = Some(vec!["todostack.dev/cleanup".into()]);
    let server = beside_another(&stack, 403);
    server.reconcile(&stack).await.unwrap();
    assert_eq!(server.writes(), ["POST /apis/events.k8s.io/v1/namespaces/shops/events"]);
}

#[tokio::test]
async fn a_stack_of_another_installation_that_cannot_be_read_is_left_to_it() {
    let stack = marked(Some(OTHER));
    let object = json!({"apiVersion": "todostack.dev/v1alpha1", "kind": "TodoStack",
        "metadata": {"name": "shop", "namespace": "shops"}, "status": {"operator": OTHER}});
    let answer: Answer = Arc::new(move |request: &Received| match request.path.as_str() {
        path if path.ends_with("/todostacks/shop") => Some((200, object.clone())),
        path if path.contains("/leases/") => Some(failure(403, "Forbidden", "")),
        _ => None,
    });
    let installation = (Fence::open(), Installation::new(OWN.parse().unwrap()));
    let server = ApiServer::installed(&stack, Listing::default(), answer, installation);
    let invalid = InvalidObject { error: "unknown".into(), metadata: stack.metadata };
    reconcile(Arc::new(kube::core::DeserializeGuard(Err(invalid))), server.context.clone()).await.unwrap();
    assert_eq!(server.writes(), Vec::<String>::new());
}

#[rstest]
#[case::of_no_one(None)]
#[case::own(Some(OWN))]
#[case::of_one_that_is_gone(Some(OTHER))]
#[tokio::test]
async fn a_stack_is_marked_by_the_first_status(#[case] mark: Option<&str>) {
    let stack = marked(mark);
    let server = beside_another(&stack, 404);
    server.reconcile(&stack).await.unwrap();
    assert_eq!(server.status()["operator"], OWN);
    let statuses = server.writes().into_iter().filter(|write| write.ends_with("/status"));
    assert_eq!(statuses.count(), 1);
}
