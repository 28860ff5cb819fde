//! What a change triggers, and watches that fail.

use std::{io, time::Duration};

use http::{Request, Response};
use kube::{ResourceExt as _, client::Body};
use rstest::rstest;
use serde_json::{Value, json};
use todostack_crds::{TodoStack, TodoStackSpec};
use tokio::time::{sleep, timeout};

use super::*;
use crate::clients::WATCH;

fn stack(name: &str, host: &str) -> Guarded {
    let mut stack =
        TodoStack::new(name, serde_json::from_value(json!({"exposure": {"host": host}})).unwrap());
    stack.metadata.namespace = Some("shops".into());
    stack.metadata.uid = Some(name.into());
    DeserializeGuard(Ok(stack))
}

#[tokio::test]
async fn a_change_of_a_stack_concerns_those_that_want_the_same_host() {
    let (store, mut writer) = reflector::store();
    let interests = Interests::default();
    let all = [stack("changed", "a"), stack("same", "a"), stack("other", "b")];
    for stack in all {
        let event = watcher::Event::Apply(stack);
        interests.receive(&event);
        writer.apply_watcher_event(&event);
    }
    let changed = futures::stream::iter([Ok::<_, ()>(stack("changed", "a"))]);
    let triggered = with_competitors(changed, interests, store).map(|stack| stack.unwrap().name_any());
    assert_eq!(triggered.collect::<Vec<_>>().await, ["changed", "same"]);
}

#[test]
fn a_secret_concerns_the_stacks_of_its_namespace_that_reference_it() {
    let mut stack = TodoStack::new("shop", TodoStackSpec::default());
    stack.spec =
        serde_json::from_value(json!({"database": {"external": {"secret": {"name": "pg"}}}})).unwrap();
    stack.metadata.namespace = Some("a".into());
    let interests = Interests::default();
    interests.receive(&watcher::Event::Apply(DeserializeGuard(Ok(stack))));
    for (namespace, name, concerned) in [("a", "pg", 1), ("a", "other", 0), ("b", "pg", 0)] {
        assert_eq!(interests.find([Key::Secret(namespace.into(), name.into())]).len(), concerned);
    }
}

// How the first watch of the stacks ends.
#[derive(Clone, Copy, Debug)]
enum Fault {
    // With this body.
    Body(&'static str),
    Answer(u16),
    Drop,
    // When the client gives up.
    Silence,
}

const EXPIRED: &str = r#"{"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "metadata": {},
    "status": "Failure", "message": "too old resource version", "reason": "Expired", "code": 410}}"#;

fn object(name: &str, version: &str) -> Value {
    let DeserializeGuard(Ok(stack)) = stack(name, name) else { unreachable!() };
    let mut object = serde_json::to_value(stack).unwrap();
    object["metadata"]["resourceVersion"] = version.into();
    object
}

// An API server with the stack `early`. The stack `late` is created while the first watch fails.
fn server(fault: Fault) -> Client {
    let (service, mut handle) = tower_test::mock::pair::<Request<Body>, Response<Body>>();
    tokio::spawn(async move {
        // Watches that bring nothing more.
        let mut open = Vec::new();
        let (mut has_failed, mut has_sent) = (false, false);
        while let Some((request, send)) = handle.next_request().await {
            let is_watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
            let is_of_stacks = request.uri().path().ends_with("/todostacks");
            let answer = |code: u16, text: String| {
                Response::builder().status(code).body(Body::from(text.into_bytes())).unwrap()
            };
            if !is_watch {
                let all = [object("early", "1"), object("late", "2")];
                let items = if is_of_stacks { &all[..=usize::from(has_failed)] } else { &[] };
                let version = items.len().to_string();
                let list = json!({"apiVersion": "v1", "kind": "List",
                    "metadata": {"resourceVersion": version}, "items": items});
                send.send_response(answer(200, list.to_string()));
            } else if !is_of_stacks {
                open.push(send);
            } else if !has_failed {
                has_failed = true;
                match fault {
                    Fault::Body(text) => send.send_response(answer(200, text.replace('\n', " "))),
                    Fault::Answer(code) => send.send_response(answer(code, String::new())),
                    Fault::Drop => send.send_error(io::Error::from(io::ErrorKind::ConnectionReset)),
                    Fault::Silence => drop(tokio::spawn(async move {
                        sleep(WATCH).await;
                        send.send_error(io::Error::from(io::ErrorKind::TimedOut));
                    })),
                }
            } else if !has_sent {
                has_sent = true;
                let event = json!({"type": "ADDED", "object": object("late", "2")});
                send.send_response(answer(200, format!("{event}\n")));
            } else {
                open.push(send);
            }
        }
    });
    Client::new(service, "shops")
}

// The clock runs ahead while everything waits.
#[rstest]
#[case::ended(Fault::Body(""))]
#[case::cut_off(Fault::Body(r#"{"type": "ADDED", "object": {"metadata""#))]
#[case::expired(Fault::Body(EXPIRED))]
#[case::refused(Fault::Answer(410))]
#[case::too_many(Fault::Answer(429))]
#[case::failing(Fault::Answer(500))]
#[case::dropped(Fault::Drop)]
#[case::silent(Fault::Silence)]
#[tokio::test(start_paused = true)]
async fn a_watch_that_fails_misses_nothing(#[case] fault: Fault) {
    let (caches, triggers) = open(&server(fault), &Scope::default(), &Metrics::default());
    tokio::spawn(triggers.stacks.for_each(|_| future::ready(())));
    let is_brought = async {
        while caches.stacks.len() < 2 {
            sleep(Duration::from_secs(1)).await;
        }
    };
    timeout(WATCH * 2, is_brought).await.expect("the stack is brought");
    let mut cached: Vec<_> = caches.stacks.state().iter().map(|stack| stack.name_any()).collect();
    cached.sort();
    assert_eq!(cached, ["early", "late"]);
}
