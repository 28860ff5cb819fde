//! Absolute URLs in responses: from the configured public URL, else from `X-Forwarded-*` or `Forwarded` (RFC
//! 7239), else from `Host`.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use http::{HeaderMap, Uri, header, request::Parts};
use todostack_store::{ListId, TodoId};

use crate::{error::ApiError, proxies, state::AppState};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Links {
    base: String,
}

impl Links {
    pub(crate) fn todos(&self, list: Option<ListId>) -> String {
        match list {
            None => format!("{}/todos", self.base),
            Some(list) => format!("{}/lists/{list}/todos", self.base),
        }
    }

    pub(crate) fn todo(&self, list: Option<ListId>, id: TodoId) -> String {
        match list {
            None => format!("{}/todos/{id}", self.base),
            Some(list) => format!("{}/lists/{list}/todos/{id}", self.base),
        }
    }

    pub(crate) fn list(&self, id: ListId) -> String {
        format!("{}/lists/{id}", self.base)
    }

    pub(crate) fn lists(&self) -> String {
        format!("{}/lists", self.base)
    }

    pub(crate) fn openapi(&self) -> String {
        format!("{}/openapi.json", self.base)
    }

    fn from_headers(headers: &HeaderMap, uri: &Uri) -> Self {
        let first = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            // Each proxy appends: the first value is what the client used.
            value.split(',').next().map(str::trim).filter(|value| is_plain(value))
        };
        let forwarded = |name: &str| {
            let value = headers.get(header::FORWARDED)?.to_str().ok()?;
            let element = value.split(',').next()?;
            proxies::parameter(element, name).filter(|value| is_plain(value))
        };
        let host = first("x-forwarded-host")
            .or_else(|| forwarded("host"))
            .or_else(|| first(header::HOST.as_str()))
            .or_else(|| uri.authority().map(http::uri::Authority::as_str))
            .unwrap_or("localhost");
        let scheme = first("x-forwarded-proto").or_else(|| forwarded("proto"));
        let is_https = scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        let scheme = if is_https { "https" } else { "http" };
        let prefix = first("x-forwarded-prefix").filter(|prefix| prefix.starts_with('/')).unwrap_or("");
        Self { base: format!("{scheme}://{host}{}", prefix.trim_end_matches('/')) }
    }
}

/// Hosts and prefixes come from the client and go into JSON and headers: only characters of URLs.
fn is_plain(value: &str) -> bool {
    !value.is_empty()
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte))
}

impl FromRequestParts<AppState> for Links {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        Ok(match &state.shared.settings.public_url {
            Some(url) => Self { base: url.0.clone() },
            None => Self::from_headers(&parts.headers, &parts.uri),
        })
    }
}

/// `https://shop.example.com/api`: absolute, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || format!("`{text}` is not an absolute URL such as https://shop.example.com/api");
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        if !matches!(uri.scheme_str(), Some("http" | "https"))
            || uri.authority().is_none()
            || uri.query().is_some()
        {
            return Err(invalid());
        }
        // Paths are appended with their slash.
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::host(&[("host", "a.example:8080")], "http://a.example:8080")]
    #[case::proxy(
        &[("host", "10.0.0.1"), ("x-forwarded-host", "a.example"), ("x-forwarded-proto", "https")],
        "https://a.example"
    )]
    #[case::proxies(
        &[("x-forwarded-host", "a.example, b.internal"), ("x-forwarded-proto", "https, http")],
        "https://a.example"
    )]
    #[case::prefix(&[("host", "a.example"), ("x-forwarded-prefix", "/shop/")], "http://a.example/shop")]
    #[case::standard(
        &[("host", "10.0.0.1"), ("forwarded", "for=1.1.1.1;host=\"a.example:8443\";proto=HTTPS, for=2.2.2.2")],
        "https://a.example:8443"
    )]
    #[case::no_host(&[], "http://localhost")]
    #[case::not_a_host(&[("host", "a.example"), ("x-forwarded-host", "\"><script>")], "http://a.example")]
    fn urls_are_those_that_the_client_used(#[case] headers: &[(&'static str, &str)], #[case] base: &str) {
        let headers = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        assert_eq!(Links::from_headers(&headers, &Uri::from_static("/todos")).base, base);
    }

    #[rstest]
    #[case("https://shop.example.com/", Ok("https://shop.example.com"))]
    #[case("shop.example.com", Err(()))]
    #[case("https://shop.example.com/?a=b", Err(()))]
    fn a_public_url_is_absolute_and_ends_without_a_slash(#[case] text: &str, #[case] base: Result<&str, ()>) {
        let parsed = text.parse::<PublicUrl>().map(|url| url.0).map_err(drop);
        assert_eq!(parsed, base.map(str::to_owned));
    }
}
