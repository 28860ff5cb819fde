//! Pages: `limit` and `cursor` in, `Link: rel="next"` out. A cursor is opaque to clients and bound to its order.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::HeaderValue;
use serde::Deserialize;
use todostack_store::{Cursor, Filter, Sort, Todo, TodoQuery};

use crate::error::{ApiError, FieldError};

/// The greatest `limit`, and how many are read at a time when no limit is given.
pub(crate) const MAX_LIMIT: i64 = 1_000;
const MAX_TEXT_CHARS: usize = 200;

/// Which todos, as parameters.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct FilterParams {
    /// Only done (`true`) or only open (`false`) ones.
    pub(crate) completed: Option<bool>,
    /// Only those whose title contains this text.
    pub(crate) q: Option<String>,
}

/// The orders, as parameters.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
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
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct ListParams {
    pub(crate) completed: Option<bool>,
    pub(crate) q: Option<String>,
    #[serde(default)]
    pub(crate) sort: SortParam,
    /// How many at most, 1 to 1,000; without it, all.
    pub(crate) limit: Option<i64>,
    /// Where the page begins: from the `Link` header of the page before.
    pub(crate) cursor: Option<String>,
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

impl ListParams {
    /// The query, and how many the client wants at most.
    pub(crate) fn query(&self) -> Result<(TodoQuery, Option<i64>), ApiError> {
        if self.limit.is_some_and(|limit| !(1..=MAX_LIMIT).contains(&limit)) {
            return Err(wrong("limit", "must be a number from 1 to 1000"));
        }
        let filter = FilterParams { completed: self.completed, q: self.q.clone() }.filter()?;
        let after = self.cursor.as_deref().map(|cursor| decode(cursor, self.sort)).transpose()?;
        let limit = self.limit.or(self.cursor.is_some().then_some(MAX_LIMIT));
        let query = TodoQuery { filter, sort: self.sort.sort(), after, limit: limit.unwrap_or(MAX_LIMIT) };
        Ok((query, limit))
    }

    /// `Link` to the page after `last`, with the same filter, order and size.
    pub(crate) fn next_link(&self, address: &str, last: &Todo) -> Option<HeaderValue> {
        let Self { completed, q, sort, limit, cursor: _ } = self;
        let mut parameters = vec![format!("cursor={}", encode(Cursor::of(last), *sort))];
        parameters.extend(limit.map(|limit| format!("limit={limit}")));
        parameters.extend(completed.map(|completed| format!("completed={completed}")));
        parameters.extend(q.as_deref().map(|text| format!("q={}", percent_encoded(text))));
        if *sort != SortParam::Created {
            parameters.push(format!("sort={}", sort.name()));
        }
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

fn encode(Cursor { order, id }: Cursor, sort: SortParam) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{}:{order}:{id}", sort.name()))
}

fn decode(text: &str, sort: SortParam) -> Result<Cursor, ApiError> {
    let read = || {
        let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let mut parts = text.split(':');
        let (name, order, id) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        (name == sort.name() && parts.next().is_none()).then_some(Cursor { order, id })
    };
    read().ok_or_else(|| {
        wrong("cursor", "must come from the Link header of the page before, with the same `sort`")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_is_read_back_under_its_own_order_only(order: i64, id: i64) {
            let cursor = Cursor { order, id };
            let text = encode(cursor, SortParam::Order);
            prop_assert_eq!(decode(&text, SortParam::Order).unwrap(), cursor);
            prop_assert!(decode(&text, SortParam::Created).is_err());
        }

        #[test]
        fn no_text_as_a_cursor_does_harm(text: String) {
            drop(decode(&text, SortParam::Created));
        }

        #[test]
        fn a_percent_encoded_text_is_read_back(text: String) {
            let uri: http::Uri = format!("/?q={}", percent_encoded(&text)).parse().unwrap();
            let read = axum::extract::Query::<FilterParams>::try_from_uri(&uri).unwrap();
            prop_assert_eq!(read.0.q, Some(text));
        }
    }
}
