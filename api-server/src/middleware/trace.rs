//! The identity of a request: the trace id of a W3C `traceparent`, or a new one; it is in the log, in errors and in a header.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header that tells clients the id.
pub(crate) static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const ID_CHARS: usize = 32;

/// Which request, in a trace that may have begun elsewhere.
#[derive(Debug)]
pub(crate) struct Trace {
    /// 32 lower-case hexadecimal digits, not all of them 0.
    id: [u8; ID_CHARS],
}

impl Trace {
    /// From the caller's `traceparent` (<https://www.w3.org/TR/trace-context/>), else at random.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let id = headers.get("traceparent").and_then(|value| trace_id(value.as_bytes()));
        Self { id: id.unwrap_or_else(|| hex(rand::random())) }
    }

    pub(crate) fn id(&self) -> &str {
        std::str::from_utf8(&self.id).unwrap_or_default()
    }

    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.id).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

/// The second part of `00-<32 hex>-<16 hex>-<2 hex>`.
fn trace_id(header: &[u8]) -> Option<[u8; ID_CHARS]> {
    let mut parts = header.split(|byte| *byte == b'-');
    let (version, id) = (parts.next()?, parts.next()?);
    let (parent, flags) = (parts.next()?, parts.next()?);
    let sound = [version, id, parent, flags].iter().all(|part| part.iter().copied().all(is_hex))
        && (version.len(), parent.len(), flags.len()) == (2, 16, 2)
        && version != b"ff"
        && id.iter().any(|byte| *byte != b'0');
    sound.then(|| id.try_into().ok())?
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn hex(number: u128) -> [u8; ID_CHARS] {
    let mut rest = number;
    // From the last digit to the first; `& 0xf` is below 16, so the conversion is exact.
    let mut digits = [b'0'; ID_CHARS];
    for digit in digits.iter_mut().rev() {
        let nibble = u8::try_from(rest & 0xf).unwrap_or_default();
        *digit = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
        rest >>= 4;
    }
    digits
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
        let trace = Trace::of(&headers);
        assert_eq!(trace.id() == "0af7651916cd43dd8448eb211c80319c", taken);
        assert_eq!(trace.id().len(), ID_CHARS);
    }

    #[test]
    fn a_number_is_written_with_all_its_digits() {
        assert_eq!(&hex(0x0af7), b"00000000000000000000000000000af7");
    }
}
