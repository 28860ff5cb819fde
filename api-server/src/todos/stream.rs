//! Streams all todos of a collection as one array or as lines, a page at a time, in constant memory.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures::stream;
use todostack_store::{Cursor, Error, Store, Todo, TodoQuery};

use super::TodoBody;
use crate::{chain::chain, extract::InCollection};

/// What is between the todos.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Array,
    Lines,
}

pub(crate) struct Pages {
    store: Arc<dyn Store>,
    place: InCollection,
    query: TodoQuery,
    page: Vec<Todo>,
    /// Whether a page was written before this one.
    started: bool,
}

impl Pages {
    /// The first page, and those after it. If a later page fails, the connection is aborted, so that a client
    /// cannot mistake a part for all of it.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        place: InCollection,
        query: TodoQuery,
        first: Vec<Todo>,
    ) -> Self {
        Self { store, place, query, page: first, started: false }
    }

    /// As a JSON array. The first page must not be empty.
    pub(crate) fn array(self) -> Body {
        self.body(Format::Array)
    }

    /// As one line of JSON for each todo.
    pub(crate) fn lines(self) -> Body {
        self.body(Format::Lines)
    }

    fn body(self, format: Format) -> Body {
        Body::from_stream(stream::try_unfold(Some(self), move |pages| async move {
            match pages {
                Some(pages) => pages.write_page(format).await.map(Some),
                None => Ok(None),
            }
        }))
    }

    /// The text of this page, and the pages after it.
    async fn write_page(mut self, format: Format) -> Result<(Bytes, Option<Self>), Error> {
        self.query.page.after = self.page.last().map(Cursor::from);
        // A page that is not full is the last one, which saves a query.
        let full = i64::try_from(self.page.len()).is_ok_and(|len| len == self.query.page.limit);
        let mut text = self.text(format);
        let next = if full { self.next_page().await? } else { Vec::new() };
        if !next.is_empty() {
            return Ok((Bytes::from(text), Some(Self { page: next, started: true, ..self })));
        }
        if format == Format::Array {
            text.push(b']');
        }
        Ok((Bytes::from(text), None))
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

    /// The todos of the page, each after `[` or `,`, or before a line break.
    fn text(&mut self, format: Format) -> Vec<u8> {
        let InCollection { collection, links } = &self.place;
        let mut text = Vec::with_capacity(self.page.len().saturating_mul(256));
        let mut before = if self.started { b',' } else { b'[' };
        for todo in self.page.drain(..) {
            if format == Format::Array {
                text.push(before);
            }
            // Serializing plain fields into memory cannot fail.
            text.extend(serde_json::to_vec(&TodoBody::new(todo, collection.list, links)).unwrap_or_default());
            if format == Format::Lines {
                text.push(b'\n');
            }
            before = b',';
        }
        text
    }
}
