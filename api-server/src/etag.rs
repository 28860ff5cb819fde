//! Strong ETags of todos, lists and pages, and the conditional headers of requests (RFC 9110, 13.1). Whether
//! a version still matches is answered by the store.
//!
//! Proxies that compress change the ETags of what they pass on: nginx makes them weak, Apache and Jetty
//! append the coding. Clients send them back so, and they are accepted so.

use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts};
use sha2::{Digest as _, Sha256};
use todostack_store::{List, Precondition, Todo};
use utoipa::IntoParams;

use crate::error::{ApiError, FieldError};

/// To be increased when the JSON of a todo or a list changes its shape, so that no cache keeps the old one.
const REPRESENTATION: u32 = 1;

/// `"1.7"`: version 7 of the todo in shape 1.
pub(crate) fn for_todo(todo: &Todo) -> HeaderValue {
    for_version(todo.version)
}

pub(crate) fn for_list(list: &List) -> HeaderValue {
    for_version(list.version)
}

fn for_version(version: i64) -> HeaderValue {
    quoted(format!("\"{REPRESENTATION}.{version}\""))
}

/// A digest of all that the JSON and the `Link` of a page are made of, which is faster than one of the JSON.
/// `items` are the number and the version of each todo or list, in their order.
pub(crate) fn for_page(
    address: &str,
    next: Option<&HeaderValue>,
    items: impl Iterator<Item = (i64, i64)>,
) -> HeaderValue {
    let mut digest = Sha256::new_with_prefix(address);
    // A separator that no address contains, so that two pages cannot have the same digest.
    digest.update([0]);
    digest.update(next.map_or(&[][..], HeaderValue::as_bytes));
    digest.update([0]);
    for (id, version) in items {
        digest.update(id.to_be_bytes());
        digest.update(version.to_be_bytes());
    }
    quoted(format!("\"{REPRESENTATION}.{}\"", BASE64_URL_SAFE_NO_PAD.encode(digest.finalize())))
}

/// The header of an ETag with its quotes, of digits and letters.
pub(crate) fn quoted(etag: String) -> HeaderValue {
    // Digits and letters are always a header value; an empty ETag would never match.
    HeaderValue::try_from(etag).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

pub(crate) fn not_modified(etag: HeaderValue) -> Response {
    (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response()
}

/// `If-Match`. RFC 9110 (13.1.1) compares strongly, so that a weak ETag never matches. Here one is as good:
/// it has the number of the version, and not that of some bytes.
#[derive(Debug, IntoParams)]
#[into_params(names("if-match"), parameter_in = Header)]
pub(crate) struct IfMatch(
    /// Only if the todo or list has one of these ETags
    #[param(value_type = String, required = false, example = "*")]
    #[param(pattern = r#"^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)?$"#)]
    pub(crate) Precondition,
);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        precondition(&parts.headers).map(Self)
    }
}

fn precondition(headers: &HeaderMap) -> Result<Precondition, ApiError> {
    Ok(match parse_tags(headers, &header::IF_MATCH)? {
        None | Some(Tags::Any) => Precondition::None,
        Some(Tags::These(tags)) => Precondition::AnyOf(tags.into_iter().filter_map(parse_version).collect()),
    })
}

/// `If-None-Match` of a read: what the client has cached. Compared weakly.
#[derive(Debug, IntoParams)]
#[into_params(names("if-none-match"), parameter_in = Header)]
pub(crate) struct IfNoneMatch(
    /// Only if the resource has none of these ETags; otherwise 304
    #[param(value_type = String, required = false, example = "*")]
    #[param(pattern = r#"^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)?$"#)]
    Option<Cached>,
);

#[derive(Debug)]
enum Cached {
    Any,
    /// The opaque parts, without quotes.
    These(Vec<String>),
}

impl IfNoneMatch {
    pub(crate) fn matches(&self, etag: &HeaderValue) -> bool {
        let opaque = etag.to_str().map_or("", |etag| etag.trim_matches('"'));
        match &self.0 {
            None => false,
            Some(Cached::Any) => true,
            Some(Cached::These(tags)) => {
                tags.iter().any(|tag| tag.strip_prefix(opaque).is_some_and(is_empty_or_coding))
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let tags = parse_tags(&parts.headers, &header::IF_NONE_MATCH)?;
        Ok(Self(tags.map(|tags| match tags {
            Tags::Any => Cached::Any,
            Tags::These(tags) => Cached::These(tags.into_iter().map(str::to_owned).collect()),
        })))
    }
}

fn parse_version(opaque: &str) -> Option<i64> {
    let (representation, rest) = opaque.split_once('.')?;
    let (version, suffix) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
    let is_own = representation.parse() == Ok(REPRESENTATION) && is_empty_or_coding(suffix);
    is_own.then(|| version.parse().ok())?
}

/// What a proxy appends to an opaque part: `-gzip` (Apache), `--gzip` (Jetty), or `;gzip`.
fn is_empty_or_coding(suffix: &str) -> bool {
    let coding = suffix.trim_start_matches(['-', ';']);
    suffix.is_empty() || (coding != suffix && ["gzip", "br", "zstd", "deflate"].contains(&coding))
}

/// The opaque parts, without quotes and `W/`.
#[derive(Debug, PartialEq, Eq)]
enum Tags<'a> {
    Any,
    These(Vec<&'a str>),
}

fn parse_tags<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Result<Option<Tags<'a>>, ApiError> {
    let invalid = || {
        let detail = "must be `*` or a list of ETags such as \"1.7\"";
        ApiError::InvalidHeader(FieldError::new(name.as_str(), detail))
    };
    let mut tags = Vec::new();
    for value in headers.get_all(name) {
        let mut rest = value.to_str().map_err(|_| invalid())?.trim();
        if rest == "*" {
            return Ok(Some(Tags::Any));
        }
        // An empty list matches nothing.
        while !rest.is_empty() {
            let (tag, after) = first_tag(rest).ok_or_else(invalid)?;
            tags.push(tag);
            rest = match after.strip_prefix(',') {
                Some(next) => next.trim_start(),
                None if after.is_empty() => after,
                None => return Err(invalid()),
            };
        }
    }
    Ok(headers.contains_key(name).then_some(Tags::These(tags)))
}

/// The opaque part of one ETag and what follows it; the quotes may hold commas.
fn first_tag(text: &str) -> Option<(&str, &str)> {
    let quoted = text.strip_prefix("W/").unwrap_or(text);
    let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
    Some((opaque, after.trim_start()))
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
    #[case::several("\"1.7\", \"1.9\"", Precondition::AnyOf(vec![7, 9]))]
    #[case::any("*", Precondition::None)]
    #[case::weakened_by_nginx("W/\"1.7\"", Precondition::AnyOf(vec![7]))]
    #[case::compressed_by_apache("\"1.7-gzip\"", Precondition::AnyOf(vec![7]))]
    #[case::compressed_by_jetty("\"1.7--gzip\"", Precondition::AnyOf(vec![7]))]
    #[case::other_coding("W/\"1.7;br\"", Precondition::AnyOf(vec![7]))]
    #[case::no_coding("\"1.7-rc1\"", Precondition::AnyOf(vec![]))]
    #[case::no_separator("\"1.7gzip\"", Precondition::AnyOf(vec![]))]
    #[case::sign("\"1.+7\"", Precondition::AnyOf(vec![]))]
    #[case::too_large("\"1.99999999999999999999\"", Precondition::AnyOf(vec![]))]
    #[case::another_shape("\"0.7\"", Precondition::AnyOf(vec![]))]
    #[case::another_server("\"abc\"", Precondition::AnyOf(vec![]))]
    #[case::empty("", Precondition::AnyOf(vec![]))]
    #[case::comma_inside("\"a,b\",\"1.7\"", Precondition::AnyOf(vec![7]))]
    fn if_match_is_parsed_as_versions(#[case] value: &str, #[case] expected: Precondition) {
        assert_eq!(precondition(&headers(header::IF_MATCH, value)).unwrap(), expected);
    }

    #[rstest]
    #[case::as_sent("{}", true)]
    #[case::weakened("W/{}", true)]
    #[case::appended("{-gzip}", true)]
    #[case::both("W/{;zstd}", true)]
    #[case::another("{x}", false)]
    #[case::in_a_list("\"1.1\", {--br}", true)]
    fn a_cached_page_is_recognized_however_a_proxy_changed_its_etag(
        #[case] sent: &str,
        #[case] matches: bool,
    ) {
        let page = for_page("http://a.example/todos", None, [(1, 1)].into_iter());
        let opaque = page.to_str().unwrap().trim_matches('"').to_owned();
        let sent = sent.replace('{', &format!("\"{opaque}")).replace('}', "\"");
        let headers = headers(header::IF_NONE_MATCH, &sent);
        let Some(Tags::These(tags)) = parse_tags(&headers, &header::IF_NONE_MATCH).unwrap() else {
            panic!("{sent} is a list of ETags");
        };
        let known = IfNoneMatch(Some(Cached::These(tags.into_iter().map(str::to_owned).collect())));
        assert_eq!(known.matches(&page), matches, "{sent}");
    }

    #[rstest]
    #[case("1.7")]
    #[case("\"1.7")]
    #[case("\"1.7\" \"1.8\"")]
    fn an_etag_without_quotes_is_rejected(#[case] value: &str) {
        let rejected = precondition(&headers(header::IF_MATCH, value));
        assert!(matches!(rejected, Err(ApiError::InvalidHeader(_))));
    }
}
