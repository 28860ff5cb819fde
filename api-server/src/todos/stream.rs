//! All todos of a collection as one array, however many: read and written a page at a time, so that memory stays small.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures::stream;
use todostack_store::{Collection, Cursor, Error, Store, Todo, TodoQuery};

use super::TodoBody;
use crate::{chain::chain, links::Links};

/// Where the array is.
struct Position {
    query: TodoQuery,
    page: Vec<Todo>,
    begun: bool,
}

/// The array that begins with `first`, a full page. An error later on ends the connection, so that no client takes a part for all.
pub(crate) fn all(
    store: Arc<dyn Store>,
    (collection, links): (Collection, Links),
    query: TodoQuery,
    first: Vec<Todo>,
) -> Body {
    let start = Position { query, page: first, begun: false };
    Body::from_stream(stream::try_unfold(Some(start), move |position| {
        let (store, collection, links) = (Arc::clone(&store), collection.clone(), links.clone());
        async move {
            let Some(Position { mut query, page, begun }) = position else {
                return Ok::<_, Error>(None);
            };
            query.after = page.last().map(Cursor::of);
            let full = i64::try_from(page.len()).is_ok_and(|len| len == query.limit);
            let mut text = text_of(page, begun, &collection, &links);
            let next = if full { page_after(&*store, &collection, &query).await? } else { Vec::new() };
            if next.is_empty() {
                text.push(b']');
                return Ok(Some((Bytes::from(text), None)));
            }
            Ok(Some((Bytes::from(text), Some(Position { query, page: next, begun: true }))))
        }
    }))
}

async fn page_after(
    store: &dyn Store,
    collection: &Collection,
    query: &TodoQuery,
) -> Result<Vec<Todo>, Error> {
    match store.todos(collection, query).await {
        // The list was deleted after the page before, and its todos with it.
        Err(Error::ListNotFound) => Ok(Vec::new()),
        // The log line of the request says 200, which was true until here.
        Err(error) => {
            tracing::error!(error = chain(&error), "Failed to read the next page of a response: aborted it");
            Err(error)
        }
        page => page,
    }
}

/// The page's todos with what stands before each: `[` or `,`.
fn text_of(page: Vec<Todo>, begun: bool, collection: &Collection, links: &Links) -> Vec<u8> {
    let mut text = Vec::with_capacity(page.len().saturating_mul(256));
    let mut before = if begun { b',' } else { b'[' };
    for todo in page {
        text.push(before);
        // Serialising plain fields into memory cannot fail.
        text.extend(serde_json::to_vec(&TodoBody::new(todo, collection, links)).unwrap_or_default());
        before = b',';
    }
    text
}
