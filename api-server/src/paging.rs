//! Pagination: `limit` and `cursor` in, `Link: rel="next"` out. A cursor is a position in an order, which it
//! names. Pages are read by the store.

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderValue, header, request::Parts};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde::Deserialize;
use todostack_store::{Cursor, Filter, Page, Sort, TodoQuery};
use utoipa::{
    IntoParams, ToSchema,
    openapi::path::{Parameter, ParameterIn},
};

use crate::{error::ApiError, extract::Params};

/// The maximum `limit`, and the size of the pages that are read when no limit is given.
pub(crate) const MAX_LIMIT: i64 = 1_000;
const MAX_TEXT_CHARS: usize = 200;

/// Query parameters that select todos.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilterParams {
    /// Only completed (`true`) or only open (`false`) todos.
    completed: Option<bool>,
    /// Only todos whose title contains this text. Case is ignored; in SQLite for ASCII letters only.
    #[param(max_length = 200, pattern = r"^[^\u0000]*$")]
    q: Option<String>,
}

/// The order of todos or lists.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ToSchema)]
pub(crate) enum SortParam {
    #[default]
    #[serde(rename = "created")]
    Created,
    #[serde(rename = "-created")]
    CreatedDescending,
    #[serde(rename = "order")]
    Order,
    #[serde(rename = "-order")]
    OrderDescending,
}

impl SortParam {
    const ALL: [Self; 4] = [Self::Created, Self::CreatedDescending, Self::Order, Self::OrderDescending];

    fn sort(self) -> Sort {
        match self {
            Self::Created => Sort::Created,
            Self::CreatedDescending => Sort::CreatedDescending,
            Self::Order => Sort::Order,
            Self::OrderDescending => Sort::OrderDescending,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::CreatedDescending => "-created",
            Self::Order => "order",
            Self::OrderDescending => "-order",
        }
    }
}

/// Query parameters that select a page.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// By time of creation or by `order`; `-` reverses. A cursor keeps the order of the first page.
    #[serde(default)]
    #[param(inline)]
    sort: SortParam,
    /// The maximum number of results; without it, all todos, or the first 1,000 lists.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// The start of the page: from the `Link` header of the previous page.
    #[param(pattern = r"^-?(created|order)\.(-?[0-9]{1,16})?\.[0-9]{1,18}$")]
    cursor: Option<String>,
}

/// Two structs, since `#[serde(flatten)]` parses the numbers of a query as text.
#[derive(Clone, Debug, Default)]
pub(crate) struct TodosParams {
    filter: FilterParams,
    page: PageParams,
}

impl<S: Send + Sync> FromRequestParts<S> for TodosParams {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Params(filter) = Params::from_request_parts(parts, state).await?;
        let Params(page) = Params::from_request_parts(parts, state).await?;
        Ok(Self { filter, page })
    }
}

impl IntoParams for TodosParams {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        [FilterParams::into_params(&place), PageParams::into_params(&place)].concat()
    }
}

/// Removes the item that was read beyond `limit`; returns whether there was one, and so a next page.
pub(crate) fn truncate<T>(items: &mut Vec<T>, limit: i64) -> bool {
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > wanted;
    items.truncate(wanted);
    more
}

/// The header `Link`, if there is a next page.
pub(crate) fn link_header(next: Option<HeaderValue>) -> HeaderMap {
    next.map(|next| (header::LINK, next)).into_iter().collect()
}

impl FilterParams {
    pub(crate) fn filter(self) -> Result<Filter, ApiError> {
        let Self { completed, q } = self;
        let text = q.filter(|text| !text.is_empty());
        match &text {
            Some(text) if text.chars().count() > MAX_TEXT_CHARS => {
                Err(ApiError::parameter("q", format!("must have at most {MAX_TEXT_CHARS} characters")))
            }
            Some(text) if text.contains('\0') => {
                Err(ApiError::parameter("q", "must not contain the character U+0000"))
            }
            _ => Ok(Filter { completed, text }),
        }
    }
}

impl PageParams {
    /// The page, and the limit of the client.
    pub(crate) fn page(&self) -> Result<(Page, Option<i64>), ApiError> {
        let Self { sort, limit, cursor } = self;
        if limit.is_some_and(|limit| !(1..=MAX_LIMIT).contains(&limit)) {
            return Err(ApiError::parameter("limit", format!("must be a number from 1 to {MAX_LIMIT}")));
        }
        let cursor = cursor.as_deref().map(decode).transpose()?;
        let (sort, after) = cursor.map_or((*sort, None), |(sort, cursor)| (sort, Some(cursor)));
        // After a cursor, todos are never streamed: without a limit, the page has the maximum size.
        let limit = limit.or(after.is_some().then_some(MAX_LIMIT));
        Ok((Page { sort: sort.sort(), after, limit: limit.unwrap_or(MAX_LIMIT) }, limit))
    }

    /// The order in effect: that of the cursor when there is one.
    fn sort_in_effect(&self) -> SortParam {
        let of_cursor = self.cursor.as_deref().and_then(|cursor| decode(cursor).ok());
        of_cursor.map_or(self.sort, |(sort, _)| sort)
    }

    /// `Link` to the page after `last`, with the same order and size, and further parameters.
    pub(crate) fn next_link(
        &self,
        address: &str,
        last: Cursor,
        more: impl IntoIterator<Item = String>,
    ) -> Option<HeaderValue> {
        let mut parameters = vec![format!("cursor={}", encode(last, self.sort_in_effect()))];
        parameters.extend(self.limit.map(|limit| format!("limit={limit}")));
        parameters.extend(more);
        HeaderValue::from_str(&format!("<{address}?{}>; rel=\"next\"", parameters.join("&"))).ok()
    }
}

impl TodosParams {
    /// The query, and the limit of the client.
    pub(crate) fn query(&self) -> Result<(TodoQuery, Option<i64>), ApiError> {
        let (page, limit) = self.page.page()?;
        Ok((TodoQuery { filter: self.filter.clone().filter()?, page }, limit))
    }

    /// `Link` to the page after `last`, with the same filter, order and size.
    pub(crate) fn next_link(&self, address: &str, last: Cursor) -> Option<HeaderValue> {
        let FilterParams { completed, q } = &self.filter;
        let completed = completed.map(|completed| format!("completed={completed}"));
        let text = q.as_deref().map(|text| format!("q={}", percent_encoded(text)));
        self.page.next_link(address, last, completed.into_iter().chain(text))
    }
}

/// Unreserved characters stay as they are (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn percent_encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

/// `order.5.12`: after number 12, whose `order` is 5; `order..12` when it has none.
fn encode(Cursor { order, id }: Cursor, sort: SortParam) -> String {
    let order = if order == Cursor::NO_ORDER { String::new() } else { order.to_string() };
    format!("{}.{order}.{id}", sort.name())
}

fn decode(text: &str) -> Result<(SortParam, Cursor), ApiError> {
    let parse = || {
        let mut parts = text.split('.');
        let (name, order, id) = (parts.next()?, parts.next()?, parts.next()?);
        let sort = SortParam::ALL.into_iter().find(|sort| sort.name() == name)?;
        let order = if order.is_empty() { Cursor::NO_ORDER } else { order.parse().ok()? };
        parts.next().is_none().then_some((sort, Cursor { order, id: id.parse().ok()? }))
    };
    let detail = "must come from the Link header of the previous page";
    parse().ok_or_else(|| ApiError::parameter("cursor", detail))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_is_decoded_with_its_order(order: i64, id: i64, sort in 0..4_usize) {
            let (sort, cursor) = (SortParam::ALL[sort], Cursor { order, id });
            prop_assert_eq!(decode(&encode(cursor, sort)).unwrap(), (sort, cursor));
        }

        #[test]
        fn no_cursor_panics(text: String) {
            drop(decode(&text));
        }

        #[test]
        fn a_percent_encoded_text_is_decoded(text: String) {
            let uri: http::Uri = format!("/?q={}", percent_encoded(&text)).parse().unwrap();
            let read = axum::extract::Query::<FilterParams>::try_from_uri(&uri).unwrap();
            prop_assert_eq!(read.0.q, Some(text));
        }
    }
}
