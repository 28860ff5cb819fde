//! A client of `GET /todos/events`. What a stream must send is in `events`.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::client::Client;

/// Longer than the pause between two heartbeats.
const DEADLINE: Duration = Duration::from_secs(20);

/// An open stream.
pub struct EventStream {
    pub headers: HeaderMap,
    body: Incoming,
    /// Those that have arrived.
    blocks: VecDeque<String>,
    /// Bytes, since a chunk may end within a character.
    rest: Vec<u8>,
    /// The id of the first block, at which the stream began.
    pub start: String,
}

/// A block with data.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub name: String,
    pub id: String,
    pub data: Value,
}

impl EventStream {
    pub async fn open(client: &Client) -> Self {
        Self::from_request(client, client.request(Method::GET, "/todos/events")).await
    }

    /// Continues after the event with this id.
    pub async fn resume(client: &Client, id: &str) -> Self {
        let request = client.request(Method::GET, "/todos/events").header("last-event-id", id);
        Self::from_request(client, request).await
    }

    pub async fn from_request(client: &Client, request: http::request::Builder) -> Self {
        let response = client.send_for_head(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        let (parts, body) = response.into_parts();
        let (blocks, rest, start) = Default::default();
        let mut stream = Self { headers: parts.headers, body, blocks, rest, start };
        let first = stream.block().await.expect("the stream begins with a block");
        assert!(first.contains("retry: 1000") || first.contains("event: reset"), "{first}");
        field(&first, "id").expect("the first block has an id").clone_into(&mut stream.start);
        // A reset is read as the first event.
        if first.contains("event: reset") {
            stream.blocks.push_front(first);
        }
        stream
    }

    /// The next block as it is, without the empty line after it; `None` at the end of the stream.
    pub async fn block(&mut self) -> Option<String> {
        while self.blocks.is_empty() {
            let frame =
                timeout(DEADLINE, self.body.frame()).await.expect("a block comes before the deadline");
            let Some(frame) = frame else {
                assert!(self.rest.is_empty(), "the stream ends with a whole block");
                return None;
            };
            let data = frame.expect("the stream is not aborted").into_data().unwrap();
            self.rest.extend_from_slice(&data);
            while let Some(end) = self.rest.windows(2).position(|bytes| bytes == b"\n\n") {
                let block = self.rest.drain(..end + 2).take(end).collect();
                self.blocks.push_back(String::from_utf8(block).unwrap());
            }
        }
        self.blocks.pop_front()
    }

    /// The next event; heartbeats are skipped.
    pub async fn next(&mut self) -> Event {
        let next = async {
            loop {
                let block = self.block().await.expect("the stream has a next event");
                if let Some(data) = field(&block, "data") {
                    let [name, id] = ["event", "id"].map(|name| field(&block, name).unwrap().to_owned());
                    return Event { name, id, data: serde_json::from_str(data).unwrap() };
                }
            }
        };
        timeout(DEADLINE, next).await.expect("an event comes before the deadline")
    }

    /// All events until a todo has this title, with that one.
    pub async fn until_title(&mut self, title: &str) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await;
            let last = event.data["todo"]["title"] == title;
            events.push(event);
            if last {
                return events;
            }
        }
    }
}

fn field<'a>(block: &'a str, name: &str) -> Option<&'a str> {
    block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// What a client knows that applies each event to what it knew before.
#[derive(Debug, Default, PartialEq)]
pub struct Replica {
    /// The todos by list (0 is the default list) and number.
    pub todos: BTreeMap<(i64, i64), Value>,
    pub lists: BTreeMap<i64, Value>,
    /// The version of each todo that was seen.
    versions: BTreeMap<i64, i64>,
}

impl Replica {
    /// Fails unless a todo goes through all of its versions, one after the other.
    pub fn apply(&mut self, Event { name, data, .. }: &Event) {
        let list = data["list"].as_i64().unwrap_or(0);
        match name.as_str() {
            "todo" => {
                let id = data["todo"]["id"].as_i64().unwrap();
                let version: i64 = data["etag"]
                    .as_str()
                    .unwrap()
                    .trim_matches('"')
                    .strip_prefix("1.")
                    .unwrap()
                    .parse()
                    .unwrap();
                let before = self.versions.insert(id, version);
                let is_new = !self.todos.contains_key(&(list, id));
                match before {
                    Some(before) => assert_eq!(version, before + 1, "todo {id}"),
                    None => assert!(!is_new || version == 1, "todo {id} begins with version {version}"),
                }
                assert!(list == 0 || self.lists.contains_key(&list), "todo {id} came before its list {list}");
                self.todos.insert((list, id), data["todo"].clone());
            }
            "todo-deleted" => {
                let id = data["id"].as_i64().unwrap();
                assert!(
                    self.todos.remove(&(list, id)).is_some(),
                    "todo {id} was deleted before it was created"
                );
            }
            "list" => drop(self.lists.insert(data["list"]["id"].as_i64().unwrap(), data["list"].clone())),
            "list-deleted" => {
                let id = data["id"].as_i64().unwrap();
                assert!(self.lists.remove(&id).is_some(), "list {id} was deleted before it was created");
            }
            other => panic!("unexpected event {other}"),
        }
    }

    /// What the service lists.
    pub async fn listed(client: &Client) -> Self {
        let numbered = |items: Value| -> Vec<(i64, Value)> {
            let items = items.as_array().unwrap().iter();
            items.map(|item| (item["id"].as_i64().unwrap(), item.clone())).collect()
        };
        let lists: BTreeMap<_, _> = numbered(client.get("/lists").await.json()).into_iter().collect();
        let mut todos = BTreeMap::new();
        for (list, todos_url) in
            lists.iter().map(|(id, list)| (*id, list["todosUrl"].clone())).chain([(0, json!("/todos"))])
        {
            let listed = numbered(client.get(todos_url.as_str().unwrap()).await.json());
            todos.extend(listed.into_iter().map(|(id, todo)| ((list, id), todo)));
        }
        Self { todos, lists, versions: BTreeMap::new() }
    }

    /// That of a client which does not count versions.
    pub fn without_versions(self) -> Self {
        Self { versions: BTreeMap::new(), ..self }
    }
}
