//! GET /todos/events

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{
    error::ApiError,
    events::{Resume, stream},
    extract::{Caller, TokenExpiry},
    links::Links,
    listener::Seat,
    state::AppState,
};

static LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

static HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    // nginx would collect the events.
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    // The connection is no longer counted as one of those that send requests.
    (header::CONNECTION, HeaderValue::from_static("close")),
];

/// Follow the changes of all todos and lists
///
/// A stream of Server-Sent Events, one for each change of what the caller may see, in the order in which they
/// happened. It begins when the response does: to know everything, open the stream first, and then list the
/// todos. An event can be older than a list that was read after it.
///
/// | event | data | |
/// | --- | --- | --- |
/// | `todo` | `TodoEvent` | a todo was created or changed |
/// | `todo-deleted` | `TodoDeletedEvent` | a todo was deleted, alone or with its list |
/// | `list` | `ListEvent` | a list was created or changed |
/// | `list-deleted` | `ListDeletedEvent` | a list was deleted; the events of its todos follow |
/// | `reset` | `{}` | changes are missing: everything must be read again |
///
/// Each event has an `id`. A stream that was cut resumes after it with `Last-Event-ID`, on any replica,
/// without a gap and without an event twice. Events are kept for an hour at most; when one is missing, or the
/// id is unknown, the stream begins with `reset`. A comment follows every 15 seconds without an event. The
/// stream ends when the token expires.
#[utoipa::path(
    get,
    path = "/todos/events",
    operation_id = "followTodos",
    tag = "todos",
    params(("last-event-id" = Option<String>, Header, description = "The id of the last event that was received")),
    responses(
        (status = 200, description = "The stream", body = String, content_type = "text/event-stream"),
        (status = 503, description = "Too many streams are open, or the service or its database is not available"),
    )
)]
pub(crate) async fn events(
    State(state): State<AppState>,
    Caller(owner): Caller,
    links: Links,
    (expiry, seat): (Option<Extension<TokenExpiry>>, Option<Extension<Seat>>),
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let resume = resume(&headers);
    let AppState { store, shared } = state;
    let subscription = shared.events.subscribe(&store, &owner).await?;
    if let Some(Extension(seat)) = seat {
        seat.give_up();
    }
    let expires = expiry.map(|Extension(TokenExpiry(expires))| expires);
    let mut response = stream((store, subscription), resume, links, expires).into_response();
    response.headers_mut().extend(HEADERS.clone());
    Ok(response)
}

fn resume(headers: &HeaderMap) -> Resume {
    match headers.get(&LAST_EVENT_ID) {
        None => Resume::Now,
        Some(id) => {
            let position = id.to_str().ok().and_then(|id| id.trim().parse().ok());
            position.map_or(Resume::Unknown, Resume::After)
        }
    }
}
