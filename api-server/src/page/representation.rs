//! A constant response body, plain and as gzip, with an ETag each.

use std::io::Write as _;

use axum::response::{IntoResponse, Response};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest as _, Sha256};

use super::negotiation;
use crate::etag::{self, IfNoneMatch};

#[derive(Debug)]
pub(super) struct Representation {
    content_type: &'static str,
    plain: Body,
    /// `None` when it is not smaller.
    gzip: Option<Body>,
}

#[derive(Debug)]
struct Body {
    bytes: Bytes,
    /// Strong, so other bytes need another one (RFC 9110, 8.8.3.3).
    etag: HeaderValue,
}

impl Representation {
    pub(super) fn new(content_type: &'static str, plain: Bytes) -> Self {
        let gzip = compress(&plain).filter(|gzip| gzip.len() < plain.len()).map(Bytes::from);
        Self { content_type, plain: Body::new(plain), gzip: gzip.map(Body::new) }
    }

    pub(super) fn respond(&self, headers: &HeaderMap, known: &IfNoneMatch, cache: HeaderValue) -> Response {
        let gzip = self.gzip.as_ref().filter(|_| negotiation::accepts_gzip(headers));
        let body = gzip.unwrap_or(&self.plain);
        let mut response = if known.matches(&body.etag) {
            etag::not_modified(body.etag.clone())
        } else {
            let content_type = HeaderValue::from_static(self.content_type);
            let common = [(header::ETAG, body.etag.clone()), (header::CONTENT_TYPE, content_type)];
            let coding = gzip.map(|_| (header::CONTENT_ENCODING, HeaderValue::from_static("gzip")));
            (common, HeaderMap::from_iter(coding), body.bytes.clone()).into_response()
        };
        response.headers_mut().insert(header::CACHE_CONTROL, cache);
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        response
    }
}

impl Body {
    fn new(bytes: Bytes) -> Self {
        let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&bytes));
        Self { bytes, etag: etag::quoted(format!("\"{digest}\"")) }
    }
}

/// Writing into memory does not fail; without a result, the body is sent plain.
pub(super) fn compress(plain: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok()
}
