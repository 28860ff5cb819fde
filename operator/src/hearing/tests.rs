//! Feeds of kube's watcher against a mock API server, on the paused clock.

use std::{convert::Infallible, time::Duration};

use axum::body::Body as Frames;
use futures::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::{
    Api, Client,
    client::Body,
    core::PartialObjectMeta,
    runtime::{WatchStreamExt as _, watcher},
};
use tokio::time::{sleep, timeout};

use super::*;

const LIST: &str =
    r#"{"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "1"}, "items": []}"#;
const BOOKMARK: &str = r#"{"type": "BOOKMARK", "object": {"kind": "Pod", "apiVersion": "v1", "metadata": {"resourceVersion": "2"}}}"#;
const MINUTE: Duration = Duration::from_mins(1);

// A watch brings a bookmark each minute, so many of them, and then nothing more.
fn answer(is_watch: bool, status: u16, bookmarks: usize) -> Response<Frames> {
    let lines = move |text: &'static str, pause| async move {
        sleep(pause).await;
        Ok::<_, Infallible>(format!("{text}\n"))
    };
    let body = if is_watch {
        let marks = stream::iter(0..bookmarks).then(move |_| lines(BOOKMARK, MINUTE));
        Frames::from_stream(marks.chain(stream::pending()))
    } else {
        Frames::from(LIST)
    };
    Response::builder().status(status).body(body).unwrap()
}

fn client(hearing: &Hearing, status: u16, bookmarks: usize) -> Client {
    let (service, mut handle) = tower_test::mock::pair::<Request<Body>, Response<Frames>>();
    tokio::spawn(async move {
        while let Some((request, send)) = handle.next_request().await {
            let is_watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
            send.send_response(answer(is_watch, status, bookmarks));
        }
    });
    Client::new(hearing.layer(service), "shops")
}

// Watches pods for so many minutes, without objects, and returns what is known of the feed and the start.
async fn watch(status: u16, bookmarks: usize, minutes: u32) -> (Feed, Instant) {
    let (hearing, start) = (Hearing::default(), clock::timer());
    let api: Api<Pod> = Api::all(client(&hearing, status, bookmarks));
    let events = watcher(api, watcher::Config::default().timeout(290)).default_backoff().touched_objects();
    let polled = events.for_each(|_| std::future::ready(()));
    assert!(timeout(minutes * MINUTE, polled).await.is_err());
    let feeds = hearing.feeds();
    assert_eq!(feeds.keys().collect::<Vec<_>>(), ["pods"]);
    (feeds["pods"].clone(), start)
}

#[tokio::test(start_paused = true)]
async fn a_bookmark_is_heard_although_the_watcher_reports_none() {
    let (feed, start) = watch(200, 4, 5).await;
    let heard = feed.heard.unwrap().duration_since(start);
    assert!(heard >= 4 * MINUTE && feed.is_listed, "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_brings_nothing_is_not_heard() {
    let (feed, start) = watch(200, 0, 4).await;
    let heard = feed.heard.unwrap().duration_since(start);
    assert!(heard < MINUTE && feed.is_listed, "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn errors_are_not_heard_and_list_nothing() {
    let (feed, start) = watch(500, 0, 6).await;
    assert_eq!((feed.heard, feed.is_listed), (None, false));
    assert!(feed.asked.1.duration_since(start) > 4 * MINUTE);
}

#[tokio::test(start_paused = true)]
async fn requests_are_open_until_their_answer_ends() {
    let hearing = Hearing::default();
    let api: Api<Pod> = Api::all(client(&hearing, 200, 0));
    let mut events = Box::pin(watcher(api, watcher::Config::default()));
    // The first events are those of the list, and then the watch is open.
    assert!(timeout(MINUTE, async { while events.next().await.is_some() {} }).await.is_err());
    assert_eq!(hearing.feeds()["pods"].open, 1);
    drop(events);
    assert_eq!(hearing.feeds()["pods"].open, 0);
}

#[tokio::test(start_paused = true)]
async fn feeds_of_one_kind_are_told_apart() {
    let hearing = Hearing::default();
    let client = client(&hearing, 200, 0);
    let all: Api<Secret> = Api::all(client.clone());
    let metadata: Api<PartialObjectMeta<Secret>> = Api::all(client.clone());
    let shops: Api<Secret> = Api::namespaced(client, "shops");
    let config = watcher::Config::default;
    let feeds = stream::select(
        stream::select(
            watcher(all, config()).map(drop).boxed(),
            watcher(metadata, config()).map(drop).boxed(),
        ),
        watcher(shops, config()).map(drop),
    );
    assert!(timeout(MINUTE, feeds.for_each(|()| std::future::ready(()))).await.is_err());
    let names: Vec<_> = hearing.feeds().into_keys().collect();
    assert_eq!(names, ["metadata of secrets", "secrets", "secrets of namespace shops"]);
}
