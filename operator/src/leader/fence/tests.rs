//! Writes at the end of a term, on the paused clock.

use std::time::Duration;

use futures::StreamExt as _;
use http::Response;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client,
    api::{DeleteParams, Patch, PatchParams, PostParams},
    client::Body,
};
use tokio::time::{advance, sleep};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

// A client whose requests are answered after this time, and how many arrived.
fn client(fence: &Fence, delay: Duration) -> (Client, Arc<watch::Sender<usize>>) {
    let (service, mut handle) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
    let arrived = Arc::new(watch::Sender::new(0));
    let count = arrived.clone();
    tokio::spawn(async move {
        while let Some((_, send)) = handle.next_request().await {
            count.send_modify(|count| *count += 1);
            tokio::spawn(async move {
                sleep(delay).await;
                let object = br#"{"kind": "ConfigMap", "apiVersion": "v1", "metadata": {}}"#.to_vec();
                send.send_response(Response::new(Body::from(object)));
            });
        }
    });
    (Client::new(fence.layer(service), "shops"), arrived)
}

// As at a renewal: 11 s and 12 s from now.
fn term() -> Term {
    let now = clock::timer();
    Term { start_until: now + 11 * SECOND, end_by: now + 12 * SECOND }
}

// A patch, and how long it took.
async fn patch(client: &Client) -> (bool, Duration) {
    let start = clock::timer();
    let api: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let patch = Patch::Merge(serde_json::json!({}));
    let outcome = api.patch("a", &PatchParams::default(), &patch).await;
    let is_fenced = matches!(&outcome, Err(kube::Error::Service(error)) if error.is::<NotLeading>());
    assert_eq!(outcome.is_err(), is_fenced, "{outcome:?}");
    (outcome.is_ok(), start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn no_kind_of_write_passes_a_closed_fence_and_reads_do() {
    let fence = Fence::closed();
    let (client, arrived) = client(&fence, Duration::ZERO);
    let api: Api<ConfigMap> = Api::default_namespaced(client.clone());
    assert!(api.create(&PostParams::default(), &ConfigMap::default()).await.is_err());
    let mut named = ConfigMap::default();
    named.metadata.name = Some("a".into());
    assert!(api.replace("a", &PostParams::default(), &named).await.is_err());
    assert!(api.delete("a", &DeleteParams::default()).await.is_err());
    assert!(!patch(&client).await.0);
    assert_eq!(*arrived.borrow(), 0);
    assert!(api.get("a").await.is_ok());
    assert_eq!(*arrived.borrow(), 1);
}

#[tokio::test(start_paused = true)]
async fn writes_start_until_the_term_ends_and_are_cut_off_before_the_lease_does() {
    let fence = Fence::closed();
    let (client, arrived) = client(&fence, 100 * SECOND);
    fence.set(Some(term()));
    advance(10 * SECOND).await;
    let (is_written, took) = patch(&client).await;
    assert!(!is_written && took >= 2 * SECOND && took < 3 * SECOND, "{took:?}");
    assert_eq!(*arrived.borrow(), 1);
    // Nobody has closed it: the time is enough.
    assert_eq!(patch(&client).await, (false, Duration::ZERO));
    assert_eq!(*arrived.borrow(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_extends_the_time_of_a_write_that_is_under_way() {
    let fence = Fence::closed();
    let (client, _) = client(&fence, 20 * SECOND);
    fence.set(Some(term()));
    let renewing = fence.clone();
    tokio::spawn(async move {
        for _ in 0..20 {
            sleep(2 * SECOND).await;
            renewing.set(Some(term()));
        }
    });
    assert!(patch(&client).await.0);
}

#[tokio::test(start_paused = true)]
async fn a_fence_that_closes_cuts_off_writes_that_are_under_way() {
    let fence = Fence::closed();
    let (client, _) = client(&fence, 100 * SECOND);
    fence.set(Some(term()));
    let closing = fence.clone();
    tokio::spawn(async move {
        sleep(3 * SECOND).await;
        closing.set(None);
    });
    let (is_written, took) = patch(&client).await;
    assert!(!is_written && took < 4 * SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn each_start_of_leading_is_a_gain_and_a_renewal_is_none() {
    let fence = Fence::closed();
    let mut gains = std::pin::pin!(fence.gains());
    let mut has_gained = || gains.next().now_or_never().is_some();
    assert!(!has_gained());
    for _ in 0..3 {
        fence.set(Some(term()));
    }
    assert!(has_gained() && !has_gained());
    // Closed and set again before anyone looks.
    fence.set(None);
    fence.set(Some(term()));
    assert!(has_gained() && !has_gained());
    // A term that ended by time alone: until now, nothing was reconciled.
    advance(11 * SECOND).await;
    assert!(!fence.is_leading());
    fence.set(Some(term()));
    assert!(has_gained() && !has_gained());
}
