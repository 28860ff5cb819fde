//! The JSON of lists, in responses and requests. The operations are the files below; which names are valid is
//! in the store.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod update;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use http::header;
use serde::{Deserialize, Serialize};
use todostack_store::{List, ListName, ListPatch, NewList};
use utoipa::ToSchema;

use crate::{
    error::ApiError,
    etag,
    fields::{self, NULL, checked, in_range},
    links::Links,
    schemas,
};

/// A list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = List)]
pub(crate) struct ListBody {
    /// The number of the list; follow `url` rather than build addresses from it.
    id: i64,
    /// The name, which need not be unique.
    name: String,
    /// The position among other lists, as the client chooses.
    #[schema(required = true)]
    order: Option<i64>,
    /// The absolute URL of the list.
    #[schema(format = "uri")]
    pub(crate) url: String,
    /// The absolute URL of its todos.
    #[schema(format = "uri")]
    todos_url: String,
    /// When the list was created.
    #[serde(serialize_with = "fields::milliseconds")]
    created_at: DateTime<Utc>,
    /// When the list itself was last changed; changes of its todos do not count.
    #[serde(serialize_with = "fields::milliseconds")]
    updated_at: DateTime<Utc>,
}

impl ListBody {
    pub(crate) fn new(list: List, links: &Links) -> Self {
        let List { id, name, order, version: _, created_at, updated_at } = list;
        let (url, todos_url) = (links.list(id), links.todos(Some(id)));
        Self { id, name, order, url, todos_url, created_at, updated_at }
    }
}

fn list_response(list: List, links: &Links) -> Response {
    let etag = [(header::ETAG, etag::for_list(&list))];
    (etag, Json(ListBody::new(list, links))).into_response()
}

/// A list to be created. Fields that only the service writes (`id`, `url`, …) are ignored.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewList)]
pub(crate) struct ListInput {
    #[schema(schema_with = schemas::list_name)]
    name: String,
    #[schema(schema_with = schemas::order)]
    #[serde(default, deserialize_with = "fields::integer")]
    order: Option<i64>,
}

impl TryFrom<ListInput> for NewList {
    type Error = ApiError;

    fn try_from(ListInput { name, order }: ListInput) -> Result<Self, ApiError> {
        let mut errors = Vec::new();
        let name = checked("/name", ListName::new(name), &mut errors);
        match (name, checked("/order", order.map(in_range).transpose(), &mut errors)) {
            (Some(name), Some(order)) => Ok(Self { name, order }),
            _ => Err(ApiError::Invalid(errors)),
        }
    }
}

/// A merge patch (RFC 7396): absent fields stay, `null` removes a value.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = ListPatch)]
#[expect(clippy::option_option, reason = "absent, null and a value are three things in a merge patch")]
pub(crate) struct ListPatchInput {
    #[serde(default, deserialize_with = "fields::present")]
    #[schema(required = false, schema_with = schemas::list_name)]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "fields::present_integer")]
    #[schema(schema_with = schemas::order)]
    order: Option<Option<i64>>,
}

impl TryFrom<ListPatchInput> for ListPatch {
    type Error = ApiError;

    fn try_from(ListPatchInput { name, order }: ListPatchInput) -> Result<Self, ApiError> {
        let mut errors = Vec::new();
        let name = name.map(|name| name.ok_or(NULL).and_then(ListName::new));
        let name = name.and_then(|name| checked("/name", name, &mut errors));
        let order = order.map(|order| order.map(in_range).transpose());
        let order = order.and_then(|order| checked("/order", order, &mut errors));
        if errors.is_empty() { Ok(Self { name, order }) } else { Err(ApiError::Invalid(errors)) }
    }
}
