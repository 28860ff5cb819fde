//! The election against a mock API server, on the paused clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{Method, Response};
use kube::client::Body;
use rstest::rstest;
use serde_json::{Value, json};
use todostack_stack::rbac;
use tokio::{task::JoinHandle, time::sleep};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

// Keeps Leases by name. While `is_silent`, requests have no answer.
#[derive(Default)]
struct Server {
    leases: BTreeMap<String, Value>,
    version: u64,
    writes: usize,
    is_silent: bool,
    // So many writes are answered with this code.
    failures: (usize, u16),
    verbs: BTreeSet<String>,
}

impl Server {
    fn answer(&mut self, method: &Method, path: &str, mut body: Value) -> (u16, Value) {
        let (_, name) = path.rsplit_once('/').unwrap();
        let is_list = *method == Method::GET && name == "leases";
        self.verbs.insert(if is_list { "LIST".to_owned() } else { method.to_string() });
        let failure = |code: u16| (code, json!({"kind": "Status", "status": "Failure", "code": code}));
        if is_list {
            let items: Vec<_> = self.leases.values().collect();
            return (200, json!({"kind": "LeaseList", "metadata": {}, "items": items}));
        }
        if *method == Method::GET {
            return self.leases.get(name).map_or_else(|| failure(404), |lease| (200, lease.clone()));
        }
        if self.failures.0 > 0 {
            self.failures.0 -= 1;
            return failure(self.failures.1);
        }
        let name = body["metadata"]["name"].as_str().unwrap().to_owned();
        let stored = self.leases.get(&name).map(|lease| lease["metadata"]["resourceVersion"].clone());
        if body["metadata"].get("resourceVersion").cloned() != stored {
            return failure(409);
        }
        self.version += 1;
        self.writes += 1;
        body["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.leases.insert(name, body.clone());
        (200, body)
    }
}

fn client(server: &Arc<Mutex<Server>>) -> Client {
    let (service, mut handle) = tower_test::mock::pair::<http::Request<Body>, Response<Body>>();
    let server = server.clone();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Some((request, send)) = handle.next_request().await {
            let (parts, body) = request.into_parts();
            let body = serde_json::from_slice(&body.collect_bytes().await.unwrap()).unwrap_or_default();
            let mut server = server.lock().unwrap();
            if server.is_silent {
                open.push(send);
                continue;
            }
            let (code, value) = server.answer(&parts.method, parts.uri.path(), body);
            let body = Body::from(serde_json::to_vec(&value).unwrap());
            send.send_response(Response::builder().status(code).body(body).unwrap());
        }
    });
    Client::new(service, "operators")
}

struct Replica {
    fence: Fence,
    stop: signal::Sender<bool>,
    task: JoinHandle<()>,
}

fn start(server: &Arc<Mutex<Server>>, identity: &str) -> Replica {
    start_shard(server, identity, "0/1")
}

fn start_shard(server: &Arc<Mutex<Server>>, identity: &str, shard: &str) -> Replica {
    let timings = Timings { lease: 13 * SECOND, renew_deadline: 11 * SECOND, retry: 2 * SECOND };
    let lease = "operators/todostack-operator".parse().unwrap();
    let shard = shard.parse().unwrap();
    let settings = Settings { lease, shard, identity: identity.to_owned(), timings };
    let fence = Fence::closed();
    let elector = Elector::new(client(server), settings, fence.clone(), Metrics::default());
    let (stop, stopped) = signal::channel(false);
    Replica { fence, stop, task: tokio::spawn(elector.run(stopped)) }
}

// How long it takes until the replica leads, or no longer does.
async fn until(replica: &Replica, is_leading: bool) -> Duration {
    let start = clock::timer();
    while replica.fence.is_leading() != is_leading {
        sleep(Duration::from_millis(10)).await;
        assert!(start.elapsed() < 60 * SECOND);
    }
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn who_stops_releases_the_lease_and_another_leads_at_once() {
    let server = Arc::new(Mutex::new(Server::default()));
    let one = start(&server, "one");
    until(&one, true).await;
    let other = start(&server, "other");
    sleep(30 * SECOND).await;
    assert!(one.fence.is_leading() && !other.fence.is_leading());
    one.stop.send(true).unwrap();
    one.task.await.unwrap();
    assert!(!one.fence.is_leading());
    let taken = until(&other, true).await;
    assert!(taken <= 2 * SECOND, "{taken:?}");
}

// Another client has changed the Lease, or the API server is busy.
#[rstest]
#[case::conflict(409)]
#[case::too_many_requests(429)]
#[case::error(500)]
#[tokio::test(start_paused = true)]
async fn a_release_that_fails_is_tried_again(#[case] code: u16) {
    let server = Arc::new(Mutex::new(Server::default()));
    let one = start(&server, "one");
    until(&one, true).await;
    let other = start(&server, "other");
    sleep(5 * SECOND).await;
    server.lock().unwrap().failures = (2, code);
    one.stop.send(true).unwrap();
    one.task.await.unwrap();
    let taken = until(&other, true).await;
    assert!(taken <= 2 * SECOND, "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn who_is_killed_is_replaced_when_the_lease_has_expired() {
    let server = Arc::new(Mutex::new(Server::default()));
    let one = start(&server, "one");
    until(&one, true).await;
    let other = start(&server, "other");
    sleep(5 * SECOND).await;
    one.task.abort();
    let taken = until(&other, true).await;
    assert!(taken >= 10 * SECOND && taken <= 15 * SECOND, "{taken:?}");
    assert!(!one.fence.is_leading(), "the fence of a process that hangs closes by time");
}

#[tokio::test(start_paused = true)]
async fn who_cannot_renew_stands_by_and_leads_again_afterwards() {
    let server = Arc::new(Mutex::new(Server::default()));
    let one = start(&server, "one");
    until(&one, true).await;
    server.lock().unwrap().is_silent = true;
    let lost = until(&one, false).await;
    assert!(lost <= 11 * SECOND, "{lost:?}");
    sleep(60 * SECOND).await;
    assert!(!one.fence.is_leading() && !one.task.is_finished());
    server.lock().unwrap().is_silent = false;
    let again = until(&one, true).await;
    assert!(again <= 7 * SECOND, "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn a_leader_renews_no_more_often_than_it_says() {
    let server = Arc::new(Mutex::new(Server::default()));
    let one = start(&server, "one");
    until(&one, true).await;
    let before = server.lock().unwrap().writes;
    sleep(60 * SECOND).await;
    let writes = server.lock().unwrap().writes - before;
    assert!((29..=31).contains(&writes), "{writes}");
}

#[tokio::test(start_paused = true)]
async fn the_election_uses_every_right_of_its_role_and_no_other() {
    let server = Arc::new(Mutex::new(Server::default()));
    let one = start(&server, "one");
    until(&one, true).await;
    sleep(5 * SECOND).await;
    let used: Vec<_> = server.lock().unwrap().verbs.iter().cloned().collect();
    assert_eq!(used, ["GET", "LIST", "POST", "PUT"]);
    let granted = rbac::own_rights().inspect(|right| assert_eq!(right.resource, "leases"));
    let verbs: BTreeSet<_> = granted.flat_map(|right| right.verbs).copied().collect();
    assert_eq!(verbs, BTreeSet::from(["create", "get", "list", "update"]));
}

#[tokio::test(start_paused = true)]
async fn shards_of_one_count_serve_at_the_same_time() {
    let server = Arc::new(Mutex::new(Server::default()));
    let (one, two) = (start_shard(&server, "one", "0/2"), start_shard(&server, "two", "1/2"));
    until(&one, true).await;
    until(&two, true).await;
    assert!(one.fence.is_leading());
}

// From one operator to two, and back: a rollout starts the new ones before it stops the old ones.
#[tokio::test(start_paused = true)]
async fn shards_of_another_count_serve_once_those_before_have_stopped() {
    let server = Arc::new(Mutex::new(Server::default()));
    let only = start(&server, "only");
    until(&only, true).await;
    let halves = ["0/2", "1/2"].map(|shard| start_shard(&server, shard, shard));
    for _ in 0..30 {
        sleep(SECOND).await;
        let serve = halves.iter().filter(|half| half.fence.is_leading()).count();
        assert!(serve == 0 || !only.fence.is_leading(), "two operators serve the same stacks");
    }
    only.stop.send(true).unwrap();
    only.task.await.unwrap();
    for half in &halves {
        let took = until(half, true).await;
        assert!(took <= 3 * SECOND, "{took:?}");
    }

    let again = start(&server, "again");
    sleep(30 * SECOND).await;
    assert!(!again.fence.is_leading() && halves.iter().all(|half| half.fence.is_leading()));
    for half in halves {
        half.stop.send(true).unwrap();
        half.task.await.unwrap();
    }
    let took = until(&again, true).await;
    assert!(took <= 3 * SECOND, "{took:?}");
}
