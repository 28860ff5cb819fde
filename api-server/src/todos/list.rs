//! GET /todos, GET /lists/{list}/todos

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use todostack_store::Cursor;

use super::TodoBody;
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
    let mut todos = Vec::new();
    let mut link = None;
    match limit {
        Some(limit) => {
            // One more than asked for tells whether there is a next page.
            query.limit = limit.saturating_add(1);
            todos = state.store.todos(&collection, &query).await?;
            let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
            if todos.len() > wanted {
                todos.truncate(wanted);
                link = todos.last().and_then(|last| params.next_link(&links.todos(&collection), last));
            }
        }
        None => loop {
            let page = state.store.todos(&collection, &query).await?;
            let full = i64::try_from(page.len()).is_ok_and(|len| len == query.limit);
            query.after = page.last().map(Cursor::of);
            todos.extend(page);
            if !full {
                break;
            }
        },
    }
    let todos: Vec<TodoBody> =
        todos.into_iter().map(|todo| TodoBody::new(todo, &collection, &links)).collect();
    let mut response = Json(todos).into_response();
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}
