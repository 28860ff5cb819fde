//! Pages: `limit` and `cursor` in, `Link: rel="next"` out. A cursor is a place in one order, which it names.

use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use todostack_store::{Cursor, Filter, Sort, Todo, TodoQuery};
use utoipa::{IntoParams, ToSchema};

use crate::error::{ApiError, FieldError};

/// The greatest `limit`, and how many are read at a time when no limit is given.
pub(crate) const MAX_LIMIT: i64 = 1_000;
const MAX_TEXT_CHARS: usize = 200;

/// Which todos, as parameters.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilterParams {
    /// Only done (`true`) or only open (`false`) ones.
    pub(crate) completed: Option<bool>,
    /// Only those whose title contains this text, whatever the case of its letters.
    #[param(max_length = 200, pattern = r"^[^\u0000]*$")]
    pub(crate) q: Option<String>,
}

/// The orders, as parameters.
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

/// All parameters of a list of todos.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TodosParams {
    /// Only done (`true`) or only open (`false`) ones.
    pub(crate) completed: Option<bool>,
    /// Only those whose title contains this text, whatever the case of its letters.
    #[param(max_length = 200, pattern = r"^[^\u0000]*$")]
    pub(crate) q: Option<String>,
    /// By time or by `order`; `-` reverses. A cursor keeps the order it began with.
    #[serde(default)]
    #[param(inline)]
    pub(crate) sort: SortParam,
    /// How many at most, 1 to 1,000; without it, all.
    #[param(minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<i64>,
    /// Where the page begins: from the `Link` header of the page before.
    #[param(pattern = r"^-?(created|order)\.(-?[0-9]{1,16})?\.[0-9]{1,18}$")]
    pub(crate) cursor: Option<String>,
}

/// Takes away what was read beyond `limit`, only to know whether there is more; says whether there is.
pub(crate) fn cut<T>(items: &mut Vec<T>, limit: i64) -> bool {
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > wanted;
    items.truncate(wanted);
    more
}

/// The header that leads to the next page, if there is one.
pub(crate) fn link(next: Option<HeaderValue>) -> HeaderMap {
    next.map(|next| (header::LINK, next)).into_iter().collect()
}

/// Refuses a limit that is none.
pub(crate) fn check_limit(limit: i64) -> Result<(), ApiError> {
    if (1..=MAX_LIMIT).contains(&limit) {
        Ok(())
    } else {
        Err(wrong("limit", "must be a number from 1 to 1000"))
    }
}

fn wrong(pointer: &str, detail: &str) -> ApiError {
    ApiError::InvalidParameter(FieldError { pointer: pointer.to_owned(), detail: detail.to_owned() })
}

impl FilterParams {
    pub(crate) fn filter(self) -> Result<Filter, ApiError> {
        let Self { completed, q } = self;
        let text = q.filter(|text| !text.is_empty());
        match &text {
            Some(text) if text.chars().count() > MAX_TEXT_CHARS => {
                Err(wrong("q", "must have at most 200 characters"))
            }
            Some(text) if text.contains('\0') => Err(wrong("q", "must not contain the character U+0000")),
            _ => Ok(Filter { completed, text }),
        }
    }
}

impl TodosParams {
    /// The query, and how many the client wants at most.
    pub(crate) fn query(&self) -> Result<(TodoQuery, Option<i64>), ApiError> {
        self.limit.map_or(Ok(()), check_limit)?;
        let filter = FilterParams { completed: self.completed, q: self.q.clone() }.filter()?;
        let cursor = self.cursor.as_deref().map(decode).transpose()?;
        let (sort, after) = cursor.map_or((self.sort, None), |(sort, cursor)| (sort, Some(cursor)));
        let limit = self.limit.or(after.is_some().then_some(MAX_LIMIT));
        let query = TodoQuery { filter, sort: sort.sort(), after, limit: limit.unwrap_or(MAX_LIMIT) };
        Ok((query, limit))
    }

    /// The order in effect: that of the cursor when there is one.
    fn sort_in_effect(&self) -> SortParam {
        let of_cursor = self.cursor.as_deref().and_then(|cursor| decode(cursor).ok());
        of_cursor.map_or(self.sort, |(sort, _)| sort)
    }

    /// `Link` to the page after `last`, with the same filter, order and size.
    pub(crate) fn next_link(&self, address: &str, last: &Todo) -> Option<HeaderValue> {
        let Self { completed, q, sort: _, limit, cursor: _ } = self;
        let mut parameters = vec![format!("cursor={}", encode(Cursor::of(last), self.sort_in_effect()))];
        parameters.extend(limit.map(|limit| format!("limit={limit}")));
        parameters.extend(completed.map(|completed| format!("completed={completed}")));
        parameters.extend(q.as_deref().map(|text| format!("q={}", percent_encoded(text))));
        HeaderValue::from_str(&format!("<{address}?{}>; rel=\"next\"", parameters.join("&"))).ok()
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// `order.5.12`: after number 12, whose `order` is 5; `order..12` when it has none.
fn encode(Cursor { order, id }: Cursor, sort: SortParam) -> String {
    let order = if order == Cursor::NO_ORDER { String::new() } else { order.to_string() };
    format!("{}.{order}.{id}", sort.name())
}

fn decode(text: &str) -> Result<(SortParam, Cursor), ApiError> {
    let read = || {
        let mut parts = text.split('.');
        let (name, order, id) = (parts.next()?, parts.next()?, parts.next()?);
        let sort = SortParam::ALL.into_iter().find(|sort| sort.name() == name)?;
        let order = if order.is_empty() { Cursor::NO_ORDER } else { order.parse().ok()? };
        parts.next().is_none().then_some((sort, Cursor { order, id: id.parse().ok()? }))
    };
    read().ok_or_else(|| wrong("cursor", "must come from the Link header of the page before"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_is_read_back_with_its_order(order: i64, id: i64, sort in 0..4_usize) {
            let (sort, cursor) = (SortParam::ALL[sort], Cursor { order, id });
            prop_assert_eq!(decode(&encode(cursor, sort)).unwrap(), (sort, cursor));
        }

        #[test]
        fn no_text_as_a_cursor_does_harm(text: String) {
            drop(decode(&text));
        }

        #[test]
        fn a_percent_encoded_text_is_read_back(text: String) {
            let uri: http::Uri = format!("/?q={}", percent_encoded(&text)).parse().unwrap();
            let read = axum::extract::Query::<FilterParams>::try_from_uri(&uri).unwrap();
            prop_assert_eq!(read.0.q, Some(text));
        }
    }
}
