//! Properties of whole histories: a client that applies each event to what it knew has what the service
//! lists, and a stream that is cut anywhere continues without a gap and without an event twice.

use futures::future::join_all;
use http::{Method, StatusCode};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use rstest::rstest;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::{
    client::Client,
    event_stream::{EventStream, Replica},
    service::{On, Service},
};

/// An operation on one of a few collections and todos, which may not exist.
#[derive(Clone, Debug)]
enum Step {
    Create { list: i64, completed: bool },
    CreateOnce { key: u8 },
    Patch { list: i64, which: usize },
    Replace { list: i64, which: usize },
    PatchOtherVersion { list: i64, which: usize },
    Delete { list: i64, which: usize },
    DeleteMatching { list: i64, query: &'static str },
    Import { list: i64, key: u8 },
    CreateList,
    ChangeList { which: usize },
    DeleteList { which: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let place = || (0..3_i64, 0..6_usize);
    prop_oneof![
        6 => (0..3_i64, any::<bool>()).prop_map(|(list, completed)| Step::Create { list, completed }),
        2 => (0..3_u8).prop_map(|key| Step::CreateOnce { key }),
        3 => place().prop_map(|(list, which)| Step::Patch { list, which }),
        2 => place().prop_map(|(list, which)| Step::Replace { list, which }),
        1 => place().prop_map(|(list, which)| Step::PatchOtherVersion { list, which }),
        2 => place().prop_map(|(list, which)| Step::Delete { list, which }),
        1 => (0..3_i64, prop::sample::select(vec!["", "?completed=true", "?q=new"]))
            .prop_map(|(list, query)| Step::DeleteMatching { list, query }),
        1 => (0..3_i64, 0..3_u8).prop_map(|(list, key)| Step::Import { list, key }),
        3 => Just(Step::CreateList),
        2 => (0..3_usize).prop_map(|which| Step::ChangeList { which }),
        1 => (0..3_usize).prop_map(|which| Step::DeleteList { which }),
    ]
}

/// The collections that exist now, the default list first.
async fn collections(client: &Client) -> Vec<String> {
    let lists = client.get("/lists").await.texts("todosUrl");
    [format!("{}/todos", client.base)].into_iter().chain(lists).collect()
}

async fn collection(client: &Client, list: i64) -> String {
    let all = collections(client).await;
    all.get(usize::try_from(list).unwrap()).unwrap_or(&all[0]).clone()
}

/// The URL of one of the todos; of one that does not exist when there are fewer.
async fn todo(client: &Client, list: i64, which: usize) -> String {
    let collection = collection(client, list).await;
    let todos = client.get(&collection).await;
    // Its list may have been deleted meanwhile.
    let todos = if todos.status == StatusCode::OK { todos.texts("url") } else { Vec::new() };
    todos.get(which).cloned().unwrap_or(format!("{collection}/999999"))
}

/// The URL of one of the lists; of one that does not exist when there are fewer.
async fn list(client: &Client, which: usize) -> String {
    let lists = client.get("/lists").await.texts("url");
    lists.get(which).cloned().unwrap_or("/lists/999999".to_owned())
}

async fn apply(client: &Client, step: &Step) {
    let status = match step {
        Step::Create { list, completed } => {
            let new = json!({"title": "new", "completed": completed, "tags": ["a"], "dueDate": "2026-12-01"});
            client.post(&collection(client, *list).await, new).await.status
        }
        Step::CreateOnce { key } => {
            let request = client.json(Method::POST, "/todos").header("idempotency-key", format!("k{key}"));
            client.send(request, r#"{"title":"once"}"#).await.status
        }
        Step::Patch { list, which } => {
            client
                .patch(&todo(client, *list, *which).await, json!({"completed": true, "order": 3}))
                .await
                .status
        }
        Step::Replace { list, which } => {
            client
                .put(&todo(client, *list, *which).await, json!({"title": "replaced", "priority": "low"}))
                .await
                .status
        }
        Step::PatchOtherVersion { list, which } => {
            let request = client.json(Method::PATCH, &todo(client, *list, *which).await);
            client.send(request.header("if-match", "\"1.2\""), r#"{"title":"second"}"#).await.status
        }
        Step::Delete { list, which } => client.delete(&todo(client, *list, *which).await).await.status,
        Step::DeleteMatching { list, query } => {
            client.delete(&format!("{}{query}", collection(client, *list).await)).await.status
        }
        Step::Import { list, key } => {
            let address = format!("{}/import", collection(client, *list).await);
            let request =
                client.request(Method::POST, &address).header("content-type", "application/x-ndjson");
            let lines = "{\"title\":\"one\"}\n{\"title\":\"new\",\"completed\":true}\n";
            client.send(request.header("idempotency-key", format!("i{key}")), lines).await.status
        }
        Step::CreateList => client.post("/lists", json!({"name": "list"})).await.status,
        Step::ChangeList { which } => {
            client.patch(&list(client, *which).await, json!({"name": "renamed", "order": 2})).await.status
        }
        Step::DeleteList { which } => client.delete(&list(client, *which).await).await.status,
    };
    assert!(!status.is_server_error(), "{step:?}: {status}");
}

#[rstest]
#[case::postgres(On::Postgres)]
#[case::sqlite(On::Sqlite)]
fn a_client_that_applies_all_events_has_what_the_service_lists(#[case] on: On) {
    let runtime = Runtime::new().unwrap();
    let service = runtime.block_on(Service::start(on));
    let client = &service.client;
    let mut runner = TestRunner::new(ProptestConfig { cases: 24, ..ProptestConfig::default() });
    let run = runner.run(&prop::collection::vec(step(), 1..30), |steps| {
        runtime.block_on(async {
            let mut stream = EventStream::open(client).await;
            let mut replica = Replica::listed(client).await;
            for step in &steps {
                apply(client, step).await;
            }
            let end = client.create_todo("/todos", json!({"title": "end"})).await;
            for event in stream.until_title("end").await {
                replica.apply(&event);
            }
            prop_assert_eq!(replica.without_versions(), Replica::listed(client).await);
            client.delete(end["url"].as_str().unwrap()).await;
            // The next stream begins after it.
            stream.next().await;
            Ok(())
        })
    });
    run.unwrap();
}

#[rstest]
#[case::postgres(On::Postgres)]
#[case::sqlite(On::Sqlite)]
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_after_any_event_continues_with_the_next(#[case] on: On) {
    let service = Service::start(on).await;
    let client = &service.client;
    let mut stream = EventStream::open(client).await;
    let mut runner = TestRunner::deterministic();
    let steps = prop::collection::vec(step(), 40).new_tree(&mut runner).unwrap().current();
    for step in &steps {
        apply(client, step).await;
    }
    client.create_todo("/todos", json!({"title": "end"})).await;
    let all = stream.until_title("end").await;
    let cuts = [stream.start].into_iter().chain(all.iter().map(|event| event.id.clone()));
    for (count, id) in cuts.enumerate().take(all.len()) {
        let rest = EventStream::resume(client, &id).await.until_title("end").await;
        assert_eq!(rest, all[count..], "after {count} events");
    }
    let mut last = EventStream::resume(client, &all.last().unwrap().id).await;
    client.create_todo("/todos", json!({"title": "later"})).await;
    assert_eq!(last.until_title("later").await.len(), 1);
}

/// Conflicting changes at the same time, and streams that are cut again and again meanwhile.
#[rstest]
#[case::postgres(On::Postgres)]
#[case::sqlite(On::Sqlite)]
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_changes_are_streamed_in_the_order_in_which_they_happened(#[case] on: On) {
    let service = Service::start(on).await;
    let client = service.client.clone();
    let mut whole = EventStream::open(&client).await;
    let start = whole.start.clone();
    let writers = (0..8_u64).map(|seed| {
        let client = client.clone();
        tokio::spawn(async move {
            let seed = [seed.to_be_bytes(); 4].concat();
            let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
            let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
            let steps = prop::collection::vec(step(), 60).new_tree(&mut runner).unwrap().current();
            for step in &steps {
                apply(&client, step).await;
            }
        })
    });
    let reader = tokio::spawn({
        let client = client.clone();
        async move {
            let (mut id, mut events) = (start, Vec::new());
            loop {
                let mut stream = EventStream::resume(&client, &id).await;
                for _ in 0..7 {
                    events.push(stream.next().await);
                    if events.last().unwrap().data["todo"]["title"] == "end" {
                        return events;
                    }
                }
                id = events.last().unwrap().id.clone();
            }
        }
    });
    join_all(writers).await.into_iter().for_each(Result::unwrap);
    client.create_todo("/todos", json!({"title": "end"})).await;
    let all = whole.until_title("end").await;
    assert_eq!(reader.await.unwrap(), all, "a stream that was cut has the same events");
    let mut replica = Replica::default();
    for event in &all {
        replica.apply(event);
    }
    assert_eq!(replica.without_versions(), Replica::listed(&client).await);
}
