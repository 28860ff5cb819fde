//! GET /todos, GET /lists/{list}/todos

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use todostack_store::{Collection, Todo};

use super::{TodoBody, stream};
use crate::{
    error::ApiError,
    extract::{InCollection, Params},
    links::Links,
    paging::ListParams,
    state::AppState,
};

/// List todos
///
/// Without `limit`, all of them as one array.
#[utoipa::path(
    get,
    path = "/todos",
    operation_id = "listTodos",
    tag = "todos",
    params(ListParams),
    responses(
        (status = 200, description = "The todos, as a bare array", body = Vec<TodoBody>,
         headers(("link" = Option<String>, description = "With `limit`: where the next page is, rel=\"next\""))),
        (status = 400, description = "A parameter is wrong"),
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    InCollection(collection): InCollection,
    links: Links,
    Params(params): Params<ListParams>,
) -> Result<Response, ApiError> {
    let (mut query, limit) = params.query()?;
    let Some(limit) = limit else {
        let first = state.store.todos(&collection, &query).await?;
        if i64::try_from(first.len()).is_ok_and(|len| len < query.limit) {
            return Ok(Json(bodies(first, &collection, &links)).into_response());
        }
        let all = stream::all(state, (collection, links), query, first);
        return Ok(([(header::CONTENT_TYPE, "application/json")], all).into_response());
    };
    // One more than asked for tells whether there is a next page.
    query.limit = limit.saturating_add(1);
    let mut todos = state.store.todos(&collection, &query).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = todos.len() > wanted;
    todos.truncate(wanted);
    let last = todos.last().filter(|_| more);
    let link = last.and_then(|last| params.next_link(&links.todos(&collection), last));
    let mut response = Json(bodies(todos, &collection, &links)).into_response();
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

fn bodies(todos: Vec<Todo>, collection: &Collection, links: &Links) -> Vec<TodoBody> {
    todos.into_iter().map(|todo| TodoBody::new(todo, collection, links)).collect()
}
