//! The JSON of lists. The operations are the files below; which names are valid is in the store.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use todostack_store::{List, ListName, NewList};
use utoipa::ToSchema;

use crate::{error::ApiError, links::Links, schemas, todos};

/// A list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = List)]
pub(crate) struct ListBody {
    /// The number of the list; follow `url` rather than build addresses from it.
    id: i64,
    /// The name, which need not be unique.
    name: String,
    /// The absolute URL of the list.
    #[schema(format = "uri")]
    pub(crate) url: String,
    /// The absolute URL of its todos.
    #[schema(format = "uri")]
    todos_url: String,
    /// When the list was created.
    #[serde(serialize_with = "todos::milliseconds")]
    created_at: DateTime<Utc>,
}

impl ListBody {
    pub(crate) fn new(list: List, links: &Links) -> Self {
        let List { id, name, created_at } = list;
        Self { id, name, url: links.list(id), todos_url: links.todos(Some(id)), created_at }
    }
}

/// A list to be created.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewList)]
pub(crate) struct ListInput {
    #[schema(schema_with = schemas::list_name)]
    name: String,
}

impl TryFrom<ListInput> for NewList {
    type Error = ApiError;

    fn try_from(ListInput { name }: ListInput) -> Result<Self, ApiError> {
        let mut errors = Vec::new();
        let name = todos::checked("/name", ListName::new(name), &mut errors);
        name.map(|name| Self { name }).ok_or(ApiError::Invalid(errors))
    }
}
