//! The identity of a request: the trace id of a W3C `traceparent`, or a new one; and the name that a proxy in front gave it, if
//! any. Both are in the log, the one in errors, the other in a header.

use std::io::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header that names the request: taken over from a proxy, so that its log and ours can be laid side by side, and told to
/// clients.
pub(crate) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_NAME_BYTES: usize = 128;

const ID_CHARS: usize = 32;
const SPAN_CHARS: usize = 16;

/// Which request, in a trace that may have begun elsewhere.
#[derive(Debug)]
pub(crate) struct Trace {
    /// 32 lower-case hexadecimal digits, not all of them 0.
    id: [u8; ID_CHARS],
    /// The caller's part of the trace, when it named one.
    caller: Option<Caller>,
    /// The name that the request came with.
    name: Option<HeaderValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Caller {
    span: [u8; SPAN_CHARS],
    /// Whether the caller records this trace.
    sampled: bool,
}

impl Trace {
    /// From the caller's `traceparent` (<https://www.w3.org/TR/trace-context/>), else at random.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let name = headers.get(&REQUEST_ID).filter(|name| is_name(name.as_bytes())).cloned();
        match headers.get("traceparent").and_then(|value| parse(value.as_bytes())) {
            Some((id, caller)) => Self { id, caller: Some(caller), name },
            None => Self { id: random_id(), caller: None, name },
        }
    }

    pub(crate) fn id(&self) -> &str {
        text(&self.id)
    }

    /// The name that the request came with, else its trace id.
    pub(crate) fn request_id(&self) -> &str {
        self.name.as_ref().and_then(|name| name.to_str().ok()).unwrap_or_else(|| self.id())
    }

    pub(crate) fn header(&self) -> HeaderValue {
        let id = || HeaderValue::from_bytes(&self.id).unwrap_or_else(|_| HeaderValue::from_static(""));
        self.name.clone().unwrap_or_else(id)
    }

    /// The caller's span, or nothing.
    pub(crate) fn parent_id(&self) -> &str {
        self.caller.as_ref().map_or("", |caller| text(&caller.span))
    }

    /// A trace that begins here is recorded; one that the caller does not record is not.
    pub(crate) fn is_sampled(&self) -> bool {
        self.caller.is_none_or(|caller| caller.sampled)
    }
}

/// A new span's id.
pub(crate) fn span_id() -> String {
    format!("{:016x}", rand::random::<u64>().max(1))
}

fn text(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).unwrap_or_default()
}

/// `00-<32 hex>-<16 hex>-<2 hex>`
fn parse(header: &[u8]) -> Option<([u8; ID_CHARS], Caller)> {
    let mut parts = header.split(|byte| *byte == b'-');
    let (version, id) = (parts.next()?, parts.next()?);
    let (parent, flags) = (parts.next()?, parts.next()?);
    let sound = [version, id, parent, flags].iter().all(|part| part.iter().copied().all(is_hex))
        && (version.len(), flags.len()) == (2, 2)
        && version != b"ff"
        && [id, parent].iter().all(|id| id.iter().any(|byte| *byte != b'0'));
    // The lowest bit is the only flag that the standard defines.
    let sampled = flags
        .last()
        .is_some_and(|digit| matches!(digit, b'1' | b'3' | b'5' | b'7' | b'9' | b'b' | b'd' | b'f'));
    let caller = Caller { span: parent.try_into().ok()?, sampled };
    sound.then(|| Some((id.try_into().ok()?, caller)))?
}

/// Whatever a client writes there goes into a log that programs and people read.
fn is_name(name: &[u8]) -> bool {
    (1..=MAX_NAME_BYTES).contains(&name.len())
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
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
    #[case::sound("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true)]
    #[case::zeros("00-00000000000000000000000000000000-b7ad6b7169203331-01", false)]
    #[case::upper_case("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false)]
    #[case::short("00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01", false)]
    #[case::no_flags("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", false)]
    #[case::forbidden_version("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false)]
    fn only_a_sound_traceparent_is_taken_over(#[case] header: &'static str, #[case] taken: bool) {
        let headers: HeaderMap = [(HeaderName::from_static("traceparent"), HeaderValue::from_static(header))]
            .into_iter()
            .collect();
        let trace = Trace::from_headers(&headers);
        assert_eq!(trace.id() == "0af7651916cd43dd8448eb211c80319c", taken);
        assert_eq!(trace.id().len(), ID_CHARS);
    }

    #[rstest]
    #[case::of_nginx("61ee0a4c91fd1ed6c1a0e9a4f1a32e4b", true)]
    #[case::uuid("0b6a4c7e-1d8c-4f0a-9a59-0a4f1d0c9b11", true)]
    #[case::forged("a\" \"level\":\"ERROR", false)]
    #[case::empty("", false)]
    #[case::too_long(&"a".repeat(129), false)]
    fn a_plain_name_of_a_request_is_kept(#[case] name: &str, #[case] kept: bool) {
        let trace = Trace::from_headers(&[(REQUEST_ID.clone(), name.parse().unwrap())].into_iter().collect());
        assert_eq!(trace.request_id() == name, kept);
        assert_eq!(trace.header(), trace.request_id());
        assert_eq!(trace.id().len(), ID_CHARS, "its trace is another matter");
    }

    #[test]
    fn a_random_id_has_32_hexadecimal_digits() {
        let [one, other] = [random_id(), random_id()];
        assert!(one.iter().copied().all(is_hex), "{one:?}");
        assert_ne!(one, other);
    }
}
