//! What the probes answer in each phase.

use std::time::Duration;

use futures::FutureExt as _;
use http::{Request, Response};
use kube::client::Body;
use rstest::rstest;
use tower::{Layer as _, Service as _};

use super::*;

fn probed(phase: Phase, fence: Fence) -> Probed {
    let (progress, hearing, running) = (Progress::default(), Hearing::default(), Running::default());
    progress.set(phase);
    Probed { progress, hearing, running, fence }
}

// A request of the feed of pods, which is never answered.
fn ask(hearing: &Hearing) {
    let (service, _handle) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
    let mut client = hearing.layer(service);
    let request = Request::get("/api/v1/pods").body(Body::empty()).unwrap();
    futures::future::poll_fn(|context| client.poll_ready(context)).now_or_never();
    assert!(client.call(request).now_or_never().is_none());
}

#[rstest]
#[case::without_crd(Phase::WaitingForCrd, Fence::closed(), 503, "todostacks.todostack.dev")]
#[case::listing(Phase::Listing, Fence::closed(), 503, "first list")]
#[case::standing_by(Phase::Running, Fence::closed(), 200, "standing by")]
#[case::leading(Phase::Running, Fence::open(), 200, "leading")]
fn a_replica_is_ready_when_its_caches_are_filled(
    #[case] phase: Phase,
    #[case] fence: Fence,
    #[case] code: u16,
    #[case] text: &str,
) {
    let (status, body) = readyz(&probed(phase, fence), clock::timer());
    assert!(status == code && body.contains(text), "{status}: {body}");
}

#[tokio::test]
async fn a_feed_that_is_behind_is_named() {
    let probed = probed(Phase::Listing, Fence::closed());
    ask(&probed.hearing);
    let (status, body) = readyz(&probed, clock::timer());
    assert!(status == 503 && body.contains("pods: not listed yet"), "{status}: {body}");
}

#[tokio::test]
async fn a_deaf_operator_is_neither_ready_nor_alive() {
    let probed = probed(Phase::Running, Fence::open());
    ask(&probed.hearing);
    // A request that was dropped is still asked for a while.
    let later = clock::timer() + Duration::from_mins(5);
    assert_eq!(livez(&probed, clock::timer()).0, 200);
    let (status, body) = livez(&probed, later);
    assert!(status == 503 && body.contains("no watch has brought anything"), "{status}: {body}");
}
