//! Content negotiation (RFC 9110, 12.5): whether a client prefers HTML, and whether it accepts gzip.

use http::{HeaderMap, HeaderName, header};

/// Browsers do. Who has no preference, such as curl and load balancers, gets JSON.
pub(crate) fn prefers_html(headers: &HeaderMap) -> bool {
    let accepted = ranges(headers, &header::ACCEPT);
    let quality = |media_type: &str, any: &str| {
        // The most specific range decides.
        [media_type, any, "*/*"].iter().find_map(|range| accepted.iter().find(|(name, _)| name == range))
    };
    let quality = |media_type, any| quality(media_type, any).map_or(0, |(_, quality)| *quality);
    quality("text/html", "text/*") > quality("application/json", "application/*")
}

pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = ranges(headers, &header::ACCEPT_ENCODING);
    let gzip = ["gzip", "*"].iter().find_map(|coding| accepted.iter().find(|(name, _)| name == coding));
    gzip.is_some_and(|(_, quality)| *quality > 0)
}

/// Each range in lower case and its quality in thousandths. Other parameters are ignored.
fn ranges(headers: &HeaderMap, name: &HeaderName) -> Vec<(String, u16)> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let ranges = values.flat_map(|value| value.split(','));
    ranges
        .map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or("").to_ascii_lowercase();
            let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
            (name, quality.map_or(1_000, thousandths))
        })
        .collect()
}

/// `0.75` is 750; what is no quality is 0.
fn thousandths(text: &str) -> u16 {
    let quality = text.parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1000")]
    let thousandths = (quality * 1_000.0).round() as u16;
    thousandths
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        value.parse().map(|value| (name, value)).into_iter().collect()
    }

    #[rstest]
    #[case::chromium("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", true)]
    #[case::firefox("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true)]
    #[case::only_html("text/html", true)]
    #[case::capitals("Text/HTML", true)]
    #[case::any_text("text/*", true)]
    #[case::curl("*/*", false)]
    #[case::none("", false)]
    #[case::json("application/json", false)]
    #[case::jquery("text/plain, */*; q=0.01", false)]
    #[case::both("application/json, text/html", false)]
    #[case::json_first("text/html;q=0.5, application/json", false)]
    #[case::html_refused("text/html;q=0, */*", false)]
    #[case::image("image/png", false)]
    #[case::no_quality("text/html;q=x", false)]
    fn html_is_for_those_who_prefer_it(#[case] accept: &str, #[case] html: bool) {
        assert_eq!(prefers_html(&headers(header::ACCEPT, accept)), html);
    }

    #[rstest]
    #[case("gzip, deflate, br", true)]
    #[case("br;q=1.0, *;q=0.1", true)]
    #[case("gzip;q=0, *", false)]
    #[case("identity", false)]
    #[case("", false)]
    fn gzip_is_for_those_who_accept_it(#[case] accept: &str, #[case] gzip: bool) {
        assert_eq!(accepts_gzip(&headers(header::ACCEPT_ENCODING, accept)), gzip);
    }

    proptest! {
        #[test]
        fn no_header_panics(accept: String) {
            prefers_html(&headers(header::ACCEPT, &accept));
        }
    }
}
