//! Origins that CORS allows: how they are written, and whether they match the header `Origin`. What is
//! answered is decided in `cors`.

use std::{fmt, str::FromStr};

/// An origin, or all origins that differ in their sub-domain only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigin {
    /// `https://`, in lower case.
    scheme: String,
    /// Whether one or more labels come before the host.
    has_wildcard: bool,
    /// The host and a port that is not the scheme's own, as browsers send them: `.example.com:8443` after a
    /// wildcard.
    host: String,
}

/// Why an origin would never match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrigin {
    #[error("it has no scheme; write it as in https://app.example.com")]
    Scheme,
    #[error("an origin has no path and no query; remove what follows the host")]
    Path,
    #[error("an origin has no user; remove what precedes the @")]
    User,
    #[error("* stands for sub-domains and must be the whole first label, as in https://*.example.com")]
    Wildcard,
    #[error("it has no host; write it as in https://app.example.com")]
    Host,
    #[error("browsers send the host in ASCII; write it in Punycode (xn--)")]
    NotAscii,
    #[error("its port is not a number from 1 to 65535")]
    Port,
}

impl AllowedOrigin {
    /// Whether it allows the value of the header `Origin`, which browsers send in lower case and without the
    /// scheme's own port.
    pub(super) fn matches(&self, origin: &[u8]) -> bool {
        let Some(rest) = origin.strip_prefix(self.scheme.as_bytes()) else { return false };
        let Some(labels) = rest.strip_suffix(self.host.as_bytes()) else { return false };
        if !self.has_wildcard {
            return labels.is_empty();
        }
        let is_label = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        !labels.is_empty() && labels.iter().all(is_label)
    }
}

impl FromStr for AllowedOrigin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(InvalidOrigin::Scheme)?;
        let mut letters = scheme.chars();
        let is_scheme = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
            && letters.all(|it| it.is_ascii_alphanumeric() || "+-.".contains(it));
        if !is_scheme {
            return Err(InvalidOrigin::Scheme);
        }
        if rest.contains(['/', '?', '#', '\\']) {
            return Err(InvalidOrigin::Path);
        }
        if rest.contains('@') {
            return Err(InvalidOrigin::User);
        }
        if !rest.is_ascii() {
            return Err(InvalidOrigin::NotAscii);
        }
        let (scheme, rest) = (scheme.to_ascii_lowercase(), rest.to_ascii_lowercase());
        let (has_wildcard, rest) = match rest.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, rest.as_str()),
        };
        if rest.contains('*') {
            return Err(InvalidOrigin::Wildcard);
        }
        let (host, port) = split_port(rest)?;
        if !is_host(host) {
            return Err(InvalidOrigin::Host);
        }
        let port = port.filter(|port| own_port(&scheme) != Some(*port));
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let dot = if has_wildcard { "." } else { "" };
        Ok(Self { scheme: format!("{scheme}://"), has_wildcard, host: format!("{dot}{host}{port}") })
    }
}

impl fmt::Display for AllowedOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, has_wildcard, host } = self;
        write!(formatter, "{scheme}{}{host}", if *has_wildcard { "*" } else { "" })
    }
}

/// The host and the port, of `[::1]:80` too.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), InvalidOrigin> {
    let after_address = authority.rfind(']').map_or(0, |end| end + 1);
    let Some(colon) = authority.get(after_address..).and_then(|rest| rest.find(':')) else {
        return Ok((authority, None));
    };
    let (host, port) = authority.split_at(after_address + colon);
    let port = port.trim_start_matches(':').parse().ok().filter(|port| *port > 0);
    Ok((host, Some(port.ok_or(InvalidOrigin::Port)?)))
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_".contains(&it))
    };
    host.split('.').all(is_label)
}

/// The port that browsers leave out.
fn own_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::exact("https://app.example.com", "https://app.example.com", true)]
    #[case::other_scheme("https://app.example.com", "http://app.example.com", false)]
    #[case::other_port("https://app.example.com", "https://app.example.com:8443", false)]
    #[case::capitals("HTTPS://App.Example.ORG", "https://app.example.org", true)]
    #[case::own_port("https://app.example.net:443", "https://app.example.net", true)]
    #[case::own_port_of_http("http://app.example.net:80", "http://app.example.net", true)]
    #[case::another_schemes_port("http://app.example.net:443", "http://app.example.net:443", true)]
    #[case::wildcard("https://*.example.com", "https://pr-7.example.com", true)]
    #[case::wildcard_of_labels("https://*.example.com", "https://a.b.example.com", true)]
    #[case::no_label("https://*.example.com", "https://example.com", false)]
    #[case::empty_label("https://*.example.com", "https://.example.com", false)]
    #[case::suffix("https://*.example.com", "https://evilexample.com", false)]
    #[case::path("https://*.example.com", "https://evil.com/.example.com", false)]
    #[case::user("https://*.example.com", "https://evil.com@a.example.com", false)]
    #[case::further_port("https://*.example.com", "https://evil.com:1.example.com", false)]
    #[case::wildcard_with_port("https://*.example.com:8443", "https://a.example.com:8443", true)]
    #[case::app("capacitor://localhost", "capacitor://localhost", true)]
    #[case::extension("chrome-extension://abcdef", "chrome-extension://abcdef", true)]
    #[case::address("http://[::1]:3000", "http://[::1]:3000", true)]
    #[case::opaque("https://app.example.com", "null", false)]
    fn an_origin_matches_what_browsers_send(
        #[case] allowed: &str,
        #[case] sent: &str,
        #[case] matches: bool,
    ) {
        assert_eq!(allowed.parse::<AllowedOrigin>().unwrap().matches(sent.as_bytes()), matches);
    }

    #[rstest]
    #[case("app.example.com", InvalidOrigin::Scheme)]
    #[case("*", InvalidOrigin::Scheme)]
    #[case("null", InvalidOrigin::Scheme)]
    #[case("1://a", InvalidOrigin::Scheme)]
    #[case("https://app.example.com/", InvalidOrigin::Path)]
    #[case("https://app.example.com?a", InvalidOrigin::Path)]
    #[case("https://me@app.example.com", InvalidOrigin::User)]
    #[case("https://a*.example.com", InvalidOrigin::Wildcard)]
    #[case("https://a.*.com", InvalidOrigin::Wildcard)]
    #[case("https://*", InvalidOrigin::Wildcard)]
    #[case("https://", InvalidOrigin::Host)]
    #[case("https://*.", InvalidOrigin::Host)]
    #[case("https://a..b", InvalidOrigin::Host)]
    #[case("https://a b", InvalidOrigin::Host)]
    #[case("https://[::1", InvalidOrigin::Host)]
    #[case("https://bücher.example", InvalidOrigin::NotAscii)]
    #[case("https://a:99999", InvalidOrigin::Port)]
    #[case("https://a:", InvalidOrigin::Port)]
    fn what_no_browser_sends_is_rejected(#[case] text: &str, #[case] error: InvalidOrigin) {
        assert_eq!(text.parse::<AllowedOrigin>(), Err(error));
    }

    #[test]
    fn an_origin_is_shown_as_browsers_send_it() {
        let shown = |text: &str| text.parse::<AllowedOrigin>().unwrap().to_string();
        assert_eq!(shown("HTTPS://*.Example.com:443"), "https://*.example.com");
    }
}
