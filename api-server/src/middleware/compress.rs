//! gzip for large answers. The files of the page are compressed once, in `page`.
//!
//! By hand, since tower-http's layer keeps the strong ETag of other bytes, and answers 406 after the request
//! was executed when a client accepts no coding.

use std::io::Write as _;

use axum::{
    BoxError,
    body::{Body, HttpBody as _},
    response::Response,
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{ndjson, page::negotiation};

/// Some 30 todos: what is smaller takes a few packets, and costs as much as the rest of its request.
///
/// | todos | bytes | gzip 1 | gzip 6 | zstd 1 |
/// | --- | --- | --- | --- | --- |
/// | 10 | 2,580 | 764 in 19 µs | 663 in 30 µs | 682 in 18 µs |
/// | 50 | 12,762 | 2,797 in 53 µs | 2,155 in 234 µs | 2,284 in 44 µs |
/// | 1,000 | 257,963 | 52,062 in 1.4 ms | 34,837 in 8.4 ms | 39,642 in 0.8 ms |
///
/// Medians of 60 on one core (AMD EPYC). zstd gains too little for a library in C, which few clients accept.
const SMALLEST: u64 = 8 * 1_024;

const TYPES: [&str; 2] = ["application/json", ndjson::MEDIA_TYPE];

/// Compresses a large answer for a client with this `Accept-Encoding`.
pub(super) fn compress(mut response: Response, accepted: Option<HeaderValue>) -> Response {
    if !is_large(&response) {
        return response;
    }
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    let accepted = HeaderMap::from_iter(accepted.map(|value| (header::ACCEPT_ENCODING, value)));
    if !negotiation::accepts_gzip(&accepted) {
        return response;
    }
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.remove(header::CONTENT_LENGTH);
    // A strong one is of other bytes (RFC 9110, 8.8.3.3).
    if let Some(etag) = headers.get(header::ETAG).and_then(|etag| etag.to_str().ok())
        && let Ok(weak) = HeaderValue::try_from(format!("W/{etag}"))
    {
        headers.insert(header::ETAG, weak);
    }
    response.map(gzip)
}

fn is_large(response: &Response) -> bool {
    let content_type = response.headers().get(header::CONTENT_TYPE);
    response.status() == StatusCode::OK
        && content_type.is_some_and(|it| TYPES.iter().any(|large| it == large))
        && !response.headers().contains_key(header::CONTENT_ENCODING)
        // What is streamed has no size.
        && response.body().size_hint().exact().is_none_or(|size| size >= SMALLEST)
}

/// Each chunk as it comes, in constant memory.
fn gzip(plain: Body) -> Body {
    // Higher levels save a twentieth more, and take up to six times as long.
    let start = (plain.into_data_stream(), Some(GzEncoder::new(Vec::new(), Compression::fast())));
    Body::from_stream(stream::try_unfold(start, async |(mut chunks, mut encoder)| {
        while let Some(open) = &mut encoder {
            let Some(chunk) = chunks.next().await else { break };
            open.write_all(&chunk?)?;
            let written = std::mem::take(open.get_mut());
            if !written.is_empty() {
                return Ok(Some((Bytes::from(written), (chunks, encoder))));
            }
        }
        match encoder {
            Some(encoder) => Ok::<_, BoxError>(Some((Bytes::from(encoder.finish()?), (chunks, None)))),
            None => Ok(None),
        }
    }))
}
