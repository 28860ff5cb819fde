//! Streams all todos of a collection as one array, a page at a time, in constant memory.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures::stream;
use todostack_store::{Cursor, Error, Store, Todo, TodoQuery};

use super::TodoBody;
use crate::{chain::chain, extract::InCollection};

struct Stream {
    store: Arc<dyn Store>,
    place: InCollection,
    query: TodoQuery,
    page: Vec<Todo>,
    /// Whether a page was written before this one.
    started: bool,
}

/// The array that begins with `first`, a full page. If a later page fails, the connection is aborted, so that
/// a client cannot mistake a truncated array for all of it.
pub(crate) fn all(store: Arc<dyn Store>, place: InCollection, query: TodoQuery, first: Vec<Todo>) -> Body {
    let start = Stream { store, place, query, page: first, started: false };
    Body::from_stream(stream::try_unfold(Some(start), async |stream| match stream {
        Some(stream) => stream.write_page().await.map(Some),
        None => Ok(None),
    }))
}

impl Stream {
    /// The text of this page, and the stream of the pages after it.
    async fn write_page(mut self) -> Result<(Bytes, Option<Self>), Error> {
        self.query.page.after = self.page.last().map(Cursor::from);
        // A page that is not full is the last one, which saves a query.
        let full = i64::try_from(self.page.len()).is_ok_and(|len| len == self.query.page.limit);
        let mut text = self.text();
        let next = if full { self.next_page().await? } else { Vec::new() };
        if next.is_empty() {
            text.push(b']');
            return Ok((Bytes::from(text), None));
        }
        Ok((Bytes::from(text), Some(Self { page: next, started: true, ..self })))
    }

    async fn next_page(&self) -> Result<Vec<Todo>, Error> {
        match self.store.todos(&self.place.collection, &self.query).await {
            // The list was deleted after the page before, and its todos with it.
            Err(Error::ListNotFound) => Ok(Vec::new()),
            // The log line of the request says 200, which was true until here.
            Err(error) => {
                tracing::error!(
                    error = chain(&error),
                    "Failed to read the next page of a response: aborted it"
                );
                Err(error)
            }
            page => page,
        }
    }

    /// The todos of the page, each after `[` or `,`.
    fn text(&mut self) -> Vec<u8> {
        let InCollection { collection, links } = &self.place;
        let mut text = Vec::with_capacity(self.page.len().saturating_mul(256));
        let mut before = if self.started { b',' } else { b'[' };
        for todo in self.page.drain(..) {
            text.push(before);
            // Serializing plain fields into memory cannot fail.
            text.extend(serde_json::to_vec(&TodoBody::new(todo, collection.list, links)).unwrap_or_default());
            before = b',';
        }
        text
    }
}
