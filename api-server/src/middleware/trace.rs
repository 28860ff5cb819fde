//! Request correlation: trace id (of `traceparent`, else random) and request id (of `X-Request-Id`, else the
//! trace id). Both are logged; errors carry the trace id, responses the request id.

use std::io::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue};

/// Taken from the request, so that its line in the log of a proxy can be found with the same id.
pub(crate) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_REQUEST_ID_BYTES: usize = 128;

const ID_CHARS: usize = 32;
const SPAN_CHARS: usize = 16;

#[derive(Debug)]
pub(crate) struct Trace {
    /// 32 lowercase hexadecimal digits, not all of them 0.
    id: [u8; ID_CHARS],
    /// The span of the caller; `None` when the trace starts here.
    parent: Option<Parent>,
    request_id: Option<HeaderValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parent {
    span: [u8; SPAN_CHARS],
    sampled: bool,
}

impl Trace {
    /// From `traceparent` (<https://www.w3.org/TR/trace-context/>), else random.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let request_id = headers.get(&REQUEST_ID).filter(|id| is_request_id(id.as_bytes())).cloned();
        match headers.get("traceparent").and_then(|value| parse(value.as_bytes())) {
            Some((id, parent)) => Self { id, parent: Some(parent), request_id },
            None => Self { id: random_id(), parent: None, request_id },
        }
    }

    pub(crate) fn id(&self) -> &str {
        text(&self.id)
    }

    pub(crate) fn request_id(&self) -> &str {
        self.request_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_else(|| self.id())
    }

    pub(crate) fn header(&self) -> HeaderValue {
        let id = || HeaderValue::from_bytes(&self.id).unwrap_or_else(|_| HeaderValue::from_static(""));
        self.request_id.clone().unwrap_or_else(id)
    }

    /// The span of the caller; empty when the trace starts here.
    pub(crate) fn parent_id(&self) -> &str {
        self.parent.as_ref().map_or("", |parent| text(&parent.span))
    }

    /// A trace that starts here is sampled; otherwise the caller decides.
    pub(crate) fn is_sampled(&self) -> bool {
        self.parent.is_none_or(|parent| parent.sampled)
    }
}

pub(crate) fn span_id() -> String {
    // All zeros is an invalid id.
    format!("{:016x}", rand::random::<u64>().max(1))
}

fn text(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).unwrap_or_default()
}

/// `00-<32 hex>-<16 hex>-<2 hex>`
fn parse(header: &[u8]) -> Option<([u8; ID_CHARS], Parent)> {
    let mut parts = header.split(|byte| *byte == b'-');
    let (version, id) = (parts.next()?, parts.next()?);
    let (parent, flags) = (parts.next()?, parts.next()?);
    let valid = [version, id, parent, flags].iter().all(|part| part.iter().copied().all(is_hex))
        && (version.len(), flags.len()) == (2, 2)
        && version != b"ff"
        && [id, parent].iter().all(|id| id.iter().any(|byte| *byte != b'0'));
    // The lowest bit is `sampled`.
    let sampled = flags
        .last()
        .is_some_and(|digit| matches!(digit, b'1' | b'3' | b'5' | b'7' | b'9' | b'b' | b'd' | b'f'));
    let parent = Parent { span: parent.try_into().ok()?, sampled };
    valid.then(|| Some((id.try_into().ok()?, parent)))?
}

/// Only characters that cannot forge a log line.
fn is_request_id(id: &[u8]) -> bool {
    (1..=MAX_REQUEST_ID_BYTES).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn random_id() -> [u8; ID_CHARS] {
    let mut id = [b'0'; ID_CHARS];
    let mut digits: &mut [u8] = &mut id;
    // Cannot fail: 128 bits have 32 digits.
    drop(write!(digits, "{:032x}", rand::random::<u128>()));
    id
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::valid("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true)]
    #[case::zeros("00-00000000000000000000000000000000-b7ad6b7169203331-01", false)]
    #[case::upper_case("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false)]
    #[case::short("00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01", false)]
    #[case::no_flags("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", false)]
    #[case::forbidden_version("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false)]
    fn only_a_valid_traceparent_is_used(#[case] header: &'static str, #[case] taken: bool) {
        let headers: HeaderMap = [(HeaderName::from_static("traceparent"), HeaderValue::from_static(header))]
            .into_iter()
            .collect();
        let trace = Trace::from_headers(&headers);
        assert_eq!(trace.id() == "0af7651916cd43dd8448eb211c80319c", taken);
        assert_eq!(trace.id().len(), ID_CHARS);
    }

    #[rstest]
    #[case::nginx("61ee0a4c91fd1ed6c1a0e9a4f1a32e4b", true)]
    #[case::uuid("0b6a4c7e-1d8c-4f0a-9a59-0a4f1d0c9b11", true)]
    #[case::forged("a\" \"level\":\"ERROR", false)]
    #[case::empty("", false)]
    #[case::too_long(&"a".repeat(129), false)]
    fn a_plain_request_id_is_kept(#[case] name: &str, #[case] kept: bool) {
        let trace = Trace::from_headers(&[(REQUEST_ID.clone(), name.parse().unwrap())].into_iter().collect());
        assert_eq!(trace.request_id() == name, kept);
        assert_eq!(trace.header(), trace.request_id());
        assert_eq!(trace.id().len(), ID_CHARS);
    }

    #[test]
    fn a_random_id_has_32_hexadecimal_digits() {
        let [one, other] = [random_id(), random_id()];
        assert!(one.iter().copied().all(is_hex), "{one:?}");
        assert_ne!(one, other);
    }
}
