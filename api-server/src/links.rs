//! Absolute addresses: from the configured public one, else from what the proxies in front say, else from Host.

use std::{convert::Infallible, str::FromStr};

use axum::extract::FromRequestParts;
use http::{HeaderMap, Uri, header, request::Parts};
use todostack_store::{Collection, ListId, TodoId};

use crate::state::AppState;

/// An address such as `https://shop.example.com/api`, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no address such as https://shop.example.com/api");
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        if !matches!(uri.scheme_str(), Some("http" | "https"))
            || uri.authority().is_none()
            || uri.query().is_some()
        {
            return Err(wrong());
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

/// Makes the addresses of one request's answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Links {
    base: String,
}

impl Links {
    pub(crate) fn todos(&self, collection: &Collection) -> String {
        match collection.list {
            None => format!("{}/todos", self.base),
            Some(list) => format!("{}/lists/{list}/todos", self.base),
        }
    }

    pub(crate) fn todo(&self, collection: &Collection, id: TodoId) -> String {
        match collection.list {
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

    fn from_headers(headers: &HeaderMap, uri: &Uri) -> Self {
        let first = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            value.split(',').next().map(str::trim).filter(|value| is_plain(value))
        };
        let host = first("x-forwarded-host")
            .or_else(|| first(header::HOST.as_str()))
            .or_else(|| uri.authority().map(http::uri::Authority::as_str))
            .unwrap_or("localhost");
        let scheme = match first("x-forwarded-proto") {
            Some("https") => "https",
            _ => "http",
        };
        let prefix = first("x-forwarded-prefix").filter(|prefix| prefix.starts_with('/')).unwrap_or("");
        Self { base: format!("{scheme}://{host}{}", prefix.trim_end_matches('/')) }
    }
}

/// Hosts and prefixes come from outside and go into JSON and headers: nothing but what addresses are made of.
fn is_plain(value: &str) -> bool {
    !value.is_empty()
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte))
}

impl FromRequestParts<AppState> for Links {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(match &state.settings.public_url {
            Some(PublicUrl(base)) => Self { base: base.clone() },
            None => Self::from_headers(&parts.headers, &parts.uri),
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::host(&[("host", "a.example:8080")], "http://a.example:8080")]
    #[case::proxy(&[("host", "10.0.0.1"), ("x-forwarded-host", "a.example"), ("x-forwarded-proto", "https")], "https://a.example")]
    #[case::proxies(&[("x-forwarded-host", "a.example, b.internal"), ("x-forwarded-proto", "https, http")], "https://a.example")]
    #[case::prefix(&[("host", "a.example"), ("x-forwarded-prefix", "/shop/")], "http://a.example/shop")]
    #[case::no_host(&[], "http://localhost")]
    #[case::not_a_host(&[("host", "a.example"), ("x-forwarded-host", "\"><script>")], "http://a.example")]
    fn addresses_are_those_the_client_sees(#[case] headers: &[(&'static str, &str)], #[case] base: &str) {
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
