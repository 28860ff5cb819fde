//! The Content-Security-Policy of the page: it runs and loads only what this service serves, and talks to
//! nobody but this service and the issuer of tokens.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::HeaderValue;
use sha2::{Digest as _, Sha256};

/// Of the service worker, which asks for the page and its files.
pub(super) const WORKER: HeaderValue = HeaderValue::from_static("default-src 'none'; connect-src 'self'");

/// `origins` are those of the issuer.
pub(super) fn content_security_policy(html: &str, origins: &[String]) -> HeaderValue {
    let scripts = inline_scripts(html).fold(String::new(), |scripts, script| {
        format!("{scripts} 'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(script)))
    });
    let issuer = origins.iter().fold(String::new(), |issuer, origin| format!("{issuer} {origin}"));
    let policy = format!(
        "default-src 'none'; script-src 'self'{scripts}; style-src 'self'; img-src 'self'; \
         connect-src 'self'{issuer}; worker-src 'self'; manifest-src 'self'; form-action 'none'; \
         base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types todostack-worker"
    );
    // Cannot fail: origins are checked when the configuration is read.
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

/// The text of each script that is not a file.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script>").skip(1).filter_map(|rest| rest.split("</script>").next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inline_script_is_allowed_by_its_digest() {
        let policy = content_security_policy("<p></p><script>alert(1)</script>", &[]);
        // By `printf 'alert(1)' | openssl dgst -sha256 -binary | base64`.
        let digest = "script-src 'self' 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI=';";
        assert!(policy.to_str().unwrap().contains(digest), "{policy:?}");
    }

    #[test]
    fn the_page_may_talk_to_the_issuer() {
        let policy = content_security_policy("", &["https://login.example.com".to_owned()]);
        assert!(policy.to_str().unwrap().contains("connect-src 'self' https://login.example.com;"));
    }
}
