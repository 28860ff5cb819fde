//! Lists as JSON. The operations are the files below.

pub(crate) mod all;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use todostack_store::{Collection, List, ListName, NewList, Owner};

use crate::{error::ApiError, links::Links, todos};

/// A list as clients see it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListBody {
    id: i64,
    name: String,
    /// Its own absolute address.
    pub(crate) url: String,
    /// The address of its todos.
    todos_url: String,
    #[serde(serialize_with = "todos::milliseconds")]
    created_at: DateTime<Utc>,
}

impl ListBody {
    pub(crate) fn new(list: List, owner: &Owner, links: &Links) -> Self {
        let List { id, name, created_at } = list;
        let collection = Collection { owner: owner.clone(), list: Some(id) };
        Self { id, name, url: links.list(id), todos_url: links.todos(&collection), created_at }
    }
}

/// A list to be made.
#[derive(Debug, Deserialize)]
pub(crate) struct ListInput {
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
