//! Another installation's Lease that is renewed, is not, is deleted or cannot be read, on the paused clock.

use std::sync::Arc;

use http::{Request, Response};
use kube::client::Body;
use rstest::rstest;
use serde_json::json;
use tokio::time::advance;

use super::*;

const OTHER: &str = "others/todostack-operator";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Behavior {
    Renews,
    Stops,
    IsReleased,
    IsMissing,
    IsForbidden,
}

// Answers each GET of the Lease, and counts them.
fn client(behavior: Behavior) -> (Client, Arc<Mutex<usize>>) {
    let (service, mut handle) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
    let reads = Arc::new(Mutex::new(0));
    let count = reads.clone();
    tokio::spawn(async move {
        while let Some((request, send)) = handle.next_request().await {
            assert_eq!(
                request.uri().path(),
                format!("/apis/coordination.k8s.io/v1/namespaces/others/leases/{}", "todostack-operator")
            );
            let number = {
                let mut count = count.lock().unwrap();
                *count += 1;
                *count
            };
            let failure = |code| (code, json!({"kind": "Status", "status": "Failure", "code": code}));
            let lease = |spec| {
                (200, json!({"kind": "Lease", "metadata": {"name": "todostack-operator"}, "spec": spec}))
            };
            let (code, value) = match behavior {
                Behavior::Renews => lease(json!({"holderIdentity": "a", "leaseTransitions": number})),
                Behavior::Stops => lease(json!({"holderIdentity": "a"})),
                Behavior::IsReleased => lease(json!({})),
                Behavior::IsMissing => failure(404),
                Behavior::IsForbidden => failure(403),
            };
            let body = Body::from(serde_json::to_vec(&value).unwrap());
            send.send_response(Response::builder().status(code).body(body).unwrap());
        }
    });
    (Client::new(service, "own"), reads)
}

fn own() -> Installation {
    Installation::new("own/todostack-operator".parse().unwrap())
}

// Whether the stack is the other's, each 15 s.
async fn observed(behavior: Behavior) -> Vec<bool> {
    let (client, _) = client(behavior);
    let installation = own();
    let mut observed = Vec::new();
    for _ in 0..7 {
        observed.push(installation.other(&client, Some(OTHER)).await.is_some());
        advance(Duration::from_secs(15)).await;
    }
    observed
}

#[rstest]
#[case::renews(Behavior::Renews, 7)]
// After a minute.
#[case::stops(Behavior::Stops, 4)]
#[case::is_released(Behavior::IsReleased, 4)]
#[case::is_missing(Behavior::IsMissing, 0)]
// It may be alive.
#[case::is_forbidden(Behavior::IsForbidden, 7)]
#[tokio::test(start_paused = true)]
async fn a_stack_is_anothers_until_its_lease_is_known_not_to_be_renewed(
    #[case] behavior: Behavior,
    #[case] count: usize,
) {
    let expected: Vec<_> = (0..7).map(|index| index < count).collect();
    assert_eq!(observed(behavior).await, expected);
}

#[tokio::test(start_paused = true)]
async fn many_stacks_of_one_installation_cost_one_read() {
    let (client, reads) = client(Behavior::Renews);
    let installation = own();
    for _ in 0..500 {
        assert_eq!(installation.other(&client, Some(OTHER)).await, Some(OTHER));
    }
    assert_eq!(*reads.lock().unwrap(), 1);
}

#[rstest]
#[case::of_no_one(None)]
#[case::own(Some("own/todostack-operator"))]
#[case::no_mark_that_an_operator_writes(Some("../../secrets"))]
#[tokio::test]
async fn a_stack_that_is_not_anothers_costs_no_read(#[case] mark: Option<&str>) {
    let (client, reads) = client(Behavior::Renews);
    assert_eq!(own().other(&client, mark).await, None);
    assert_eq!(*reads.lock().unwrap(), 0);
}

#[tokio::test]
async fn an_operator_without_a_lease_manages_all_stacks() {
    let (client, reads) = client(Behavior::Renews);
    assert_eq!(Installation::default().other(&client, Some(OTHER)).await, None);
    assert_eq!(*reads.lock().unwrap(), 0);
}

#[test]
fn a_stack_of_another_is_noted_once() {
    let installation = own();
    assert!(installation.note("1", true) && !installation.note("1", true));
    assert_eq!(installation.stacks_of_others(), 1);
    installation.note("1", false);
    assert_eq!(installation.stacks_of_others(), 0);
}
