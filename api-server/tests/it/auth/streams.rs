//! Streams of events with authentication: each subject has its own, for as long as its token is valid.

use http::{Method, StatusCode};
use serde_json::json;

use super::{Issuer, claims, now, send, service, with_key_file};
use crate::{
    client::Client,
    event_stream::{Event, EventStream},
    service::{Service, on_both_databases},
};

fn request(client: &Client, token: &str) -> http::request::Builder {
    client.request(Method::GET, "/todos/events").header("authorization", format!("Bearer {token}"))
}

fn ids(events: &[Event]) -> Vec<i64> {
    events.iter().map(|event| event.data["todo"]["id"].as_i64().unwrap()).collect()
}

on_both_databases!(a_stream_has_the_changes_of_its_subject_only);

async fn a_stream_has_the_changes_of_its_subject_only(service: Service) {
    let issuer = Issuer::new("one");
    let service = service.with_auth(with_key_file(&json!([issuer.jwk()])).unwrap()).await;
    let client = &service.client;
    let [ann, bob] = ["ann", "bob"].map(|subject| issuer.token(subject, "todos:read todos:write"));
    let mut of_ann = EventStream::from_request(client, request(client, &ann)).await;
    let mut of_bob = EventStream::from_request(client, request(client, &bob)).await;
    for token in [&ann, &bob, &ann, &bob] {
        assert_eq!(send(client, Method::POST, "/todos", token).await.status, StatusCode::CREATED);
    }
    let (ann_1, ann_3) = (of_ann.next().await, of_ann.next().await);
    let (bob_2, bob_4) = (of_bob.next().await, of_bob.next().await);
    assert_eq!(ids(&[ann_1.clone(), ann_3]), [1, 3]);
    assert_eq!(ids(&[bob_2, bob_4.clone()]), [2, 4]);
    // A position is no secret: that of another subject shows nothing of it.
    let resume = request(client, &bob).header("last-event-id", &ann_1.id);
    let mut resumed = EventStream::from_request(client, resume).await;
    assert_eq!(ids(&[resumed.next().await, resumed.next().await]), [2, 4]);
}

#[tokio::test]
async fn a_stream_needs_a_token_and_ends_with_it() {
    let issuer = Issuer::new("one");
    let service = service(&json!([issuer.jwk()])).await;
    let client = &service.client;
    let missing = client.get("/todos/events").await;
    assert_eq!(missing.problem(), (401, "unauthorized".to_owned()));
    let write_only = send(client, Method::GET, "/todos/events", &issuer.token("ann", "todos:write")).await;
    assert_eq!(write_only.problem(), (403, "insufficient-scope".to_owned()));
    let mut claims = claims("ann", "todos:read");
    claims["exp"] = json!(now() + 20);
    let mut stream =
        EventStream::from_request(client, request(client, &issuer.sign(&issuer.header(), &claims))).await;
    // The clock goes on to the next timer whenever nothing else happens.
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    while stream.block().await.is_some() {}
    // The clocks of issuer and service may differ by a minute.
    assert!((20..=80).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}
