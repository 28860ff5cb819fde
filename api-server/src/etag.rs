//! Strong ETags of todos, and the conditions that clients make of them (RFC 9110, 13.1).

use http::{HeaderMap, HeaderValue, header};
use todostack_store::{Precondition, Todo};

use crate::error::{ApiError, FieldError};

/// Changes whenever the JSON of a todo gets another shape, so that no cache keeps the old one.
const REPRESENTATION: u32 = 1;

/// `"1.7"`: shape 1 of version 7.
pub(crate) fn of(todo: &Todo) -> HeaderValue {
    let text = format!("\"{REPRESENTATION}.{}\"", todo.version);
    // Digits are always a header value; an empty ETag would only never match.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// `If-Match`: compared strongly, so a weak ETag never matches.
pub(crate) fn precondition(headers: &HeaderMap) -> Result<Precondition, ApiError> {
    let Some(tags) = tags_of(headers, &header::IF_MATCH)? else {
        return Ok(Precondition::None);
    };
    Ok(match tags {
        Tags::Any => Precondition::None,
        Tags::These(tags) => {
            let strong = tags.iter().filter(|tag| !tag.weak);
            Precondition::AnyOf(strong.filter_map(|tag| version_of(tag.opaque)).collect())
        }
    })
}

/// `If-None-Match` on a read: whether the client has this already. Compared weakly.
pub(crate) fn client_has(headers: &HeaderMap, todo: &Todo) -> Result<bool, ApiError> {
    Ok(match tags_of(headers, &header::IF_NONE_MATCH)? {
        None => false,
        Some(Tags::Any) => true,
        Some(Tags::These(tags)) => tags.iter().any(|tag| version_of(tag.opaque) == Some(todo.version)),
    })
}

fn version_of(opaque: &str) -> Option<i64> {
    let (representation, version) = opaque.split_once('.')?;
    (representation.parse() == Ok(REPRESENTATION)).then(|| version.parse().ok())?
}

#[derive(Debug, PartialEq, Eq)]
struct Tag<'a> {
    weak: bool,
    opaque: &'a str,
}

#[derive(Debug, PartialEq, Eq)]
enum Tags<'a> {
    Any,
    These(Vec<Tag<'a>>),
}

fn tags_of<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Result<Option<Tags<'a>>, ApiError> {
    let wrong = || {
        ApiError::InvalidHeader(FieldError {
            pointer: name.as_str().to_owned(),
            detail: "must be `*` or a list of ETags such as \"1.7\"".to_owned(),
        })
    };
    let mut tags = Vec::new();
    for value in headers.get_all(name) {
        let mut rest = value.to_str().map_err(|_| wrong())?.trim();
        if rest == "*" {
            return Ok(Some(Tags::Any));
        }
        // A list of none is matched by none.
        while !rest.is_empty() {
            let (tag, after) = first_tag(rest).ok_or_else(wrong)?;
            tags.push(tag);
            rest = match after.strip_prefix(',') {
                Some(next) => next.trim_start(),
                None if after.is_empty() => after,
                None => return Err(wrong()),
            };
        }
    }
    Ok(headers.contains_key(name).then_some(Tags::These(tags)))
}

/// One ETag and what follows it; the quotes may hold commas.
fn first_tag(text: &str) -> Option<(Tag<'_>, &str)> {
    let (weak, quoted) = text.strip_prefix("W/").map_or((false, text), |rest| (true, rest));
    let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
    Some((Tag { weak, opaque }, after.trim_start()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        [(name, value.parse().unwrap())].into_iter().collect()
    }

    #[rstest]
    #[case::one("\"1.7\"", Precondition::AnyOf(vec![7]))]
    #[case::some("\"1.7\", \"1.9\"", Precondition::AnyOf(vec![7, 9]))]
    #[case::any("*", Precondition::None)]
    #[case::weak("W/\"1.7\"", Precondition::AnyOf(vec![]))]
    #[case::of_another_shape("\"0.7\"", Precondition::AnyOf(vec![]))]
    #[case::of_another_server("\"abc\"", Precondition::AnyOf(vec![]))]
    #[case::of_none("", Precondition::AnyOf(vec![]))]
    #[case::with_a_comma_inside("\"a,b\",\"1.7\"", Precondition::AnyOf(vec![7]))]
    fn if_match_is_read_as_versions(#[case] value: &str, #[case] expected: Precondition) {
        assert_eq!(precondition(&headers(header::IF_MATCH, value)).unwrap(), expected);
    }

    #[rstest]
    #[case("1.7")]
    #[case("\"1.7")]
    #[case("\"1.7\" \"1.8\"")]
    fn an_etag_without_its_quotes_is_refused(#[case] value: &str) {
        let refused = precondition(&headers(header::IF_MATCH, value));
        assert!(matches!(refused, Err(ApiError::InvalidHeader(_))));
    }
}
