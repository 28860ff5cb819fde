//! The blocks of the event stream (<https://html.spec.whatwg.org/multipage/server-sent-events.html>), and the
//! JSON in them.

use std::sync::OnceLock;

use bytes::Bytes;
use serde::Serialize;
use todostack_store::{Changed, ListId, Position, TodoId};
use utoipa::ToSchema;

use crate::{etag, links::Links, lists::ListBody, todos::TodoBody};

/// How long a client waits before it opens a stream that ended again.
const RETRY_MS: u32 = 1_000;

/// Data of the event `todo`: a todo was created or changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TodoEvent {
    todo: TodoBody,
    /// The number of its list; `null` in the default list.
    #[schema(required = true)]
    list: Option<ListId>,
    /// The ETag of the todo, for If-Match and If-None-Match.
    etag: String,
}

/// Data of the event `todo-deleted`: a todo was deleted, alone or with its list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TodoDeletedEvent {
    /// The number of the todo.
    id: TodoId,
    /// The number of its list; `null` in the default list.
    #[schema(required = true)]
    list: Option<ListId>,
}

/// Data of the event `list`: a list was created or changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListEvent {
    list: ListBody,
    /// The ETag of the list, for If-Match and If-None-Match.
    etag: String,
}

/// Data of the event `list-deleted`: a list was deleted, and its todos, whose events follow.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListDeletedEvent {
    /// The number of the list.
    id: ListId,
}

/// What the streams of one owner send.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) position: Position,
    /// `None`: changes are missing, everything must be read again.
    pub(super) what: Option<Changed>,
    /// As the first stream sent it. Nearly all streams have the same addresses.
    shared: OnceLock<(Links, Bytes)>,
}

impl Event {
    pub(super) fn new(position: Position, what: Option<Changed>) -> Self {
        Self { position, what, shared: OnceLock::new() }
    }

    pub(super) fn text(&self, links: &Links) -> Bytes {
        let (first, text) = self.shared.get_or_init(|| (links.clone(), self.block(links)));
        if first == links { text.clone() } else { self.block(links) }
    }

    fn block(&self, links: &Links) -> Bytes {
        match &self.what {
            Some(what) => change(self.position, what, links),
            None => reset(self.position),
        }
    }
}

/// Tells the position, so that a stream that ends before its first event can be resumed too.
pub(super) fn start(position: Position) -> Bytes {
    format!("retry: {RETRY_MS}\nid: {position}\n\n").into()
}

/// A comment, and the position, which changes of other owners may have moved.
pub(super) fn heartbeat(position: Position) -> Bytes {
    format!(": heartbeat\nid: {position}\n\n").into()
}

pub(super) fn reset(position: Position) -> Bytes {
    format!("event: reset\nid: {position}\ndata: {{}}\n\n").into()
}

pub(super) fn change(position: Position, what: &Changed, links: &Links) -> Bytes {
    let (event, data) = match what.clone() {
        Changed::Todo { list, todo } => {
            let etag = etag::for_todo(&todo).to_str().unwrap_or_default().to_owned();
            ("todo", to_json(&TodoEvent { todo: TodoBody::new(todo, list, links), list, etag }))
        }
        Changed::TodoDeleted { list, id } => ("todo-deleted", to_json(&TodoDeletedEvent { id, list })),
        Changed::List(list) => {
            let etag = etag::for_list(&list).to_str().unwrap_or_default().to_owned();
            ("list", to_json(&ListEvent { list: ListBody::new(list, links), etag }))
        }
        Changed::ListDeleted(id) => ("list-deleted", to_json(&ListDeletedEvent { id })),
    };
    // JSON escapes line breaks, which would end the data.
    format!("event: {event}\nid: {position}\ndata: {data}\n\n").into()
}

fn to_json(data: &impl Serialize) -> String {
    // Serializing plain fields into memory cannot fail.
    serde_json::to_string(data).unwrap_or_default()
}
