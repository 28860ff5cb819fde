//! The proxies in front of the API: which are trusted, and the client that they name. URLs for clients are in
//! `links`.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, header::FORWARDED};
use ipnet::IpNet;

/// The proxies whose word counts. None by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    /// So many proxies are in front of the API, if `networks` is empty.
    pub hops: usize,
    /// Proxies have an address in one of these.
    pub networks: Vec<IpNet>,
}

impl TrustedProxies {
    /// The address of the client. Each proxy appends the address that it sees to `X-Forwarded-For` or
    /// `Forwarded` (RFC 7239); what stands before those of trusted proxies was sent by the client and may be
    /// forged.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let Self { hops, networks } = self;
        if networks.is_empty() {
            let nearest = hops.checked_sub(1);
            return nearest.and_then(|nearest| seen(headers).nth(nearest)?).unwrap_or(peer);
        }
        let is_trusted = |address: IpAddr| networks.iter().any(|network| network.contains(&address));
        let mut client = peer.to_canonical();
        let mut seen = seen(headers);
        while is_trusted(client)
            && let Some(Some(before)) = seen.next()
        {
            client = before;
        }
        client
    }
}

/// The addresses that the proxies saw, that of the nearest proxy first. None for what is no address.
fn seen(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    // Proxies write one of the two.
    let name = if headers.contains_key("x-forwarded-for") { "x-forwarded-for" } else { FORWARDED.as_str() };
    let values = headers.get_all(name).iter().rev().filter_map(|value| value.to_str().ok());
    let entries = values.flat_map(|value| value.rsplit(','));
    entries.map(move |entry| address(if name == FORWARDED { parameter(entry, "for")? } else { entry }))
}

/// A parameter of an element of `Forwarded`: `for=192.0.2.60;proto=http;by=203.0.113.43`.
pub(crate) fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    element.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

/// An address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address = text.parse::<IpAddr>().ok().or_else(in_brackets).or_else(with_port)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use rstest::rstest;

    use super::*;

    fn client(proxies: &TrustedProxies, header: &'static str, value: &str) -> String {
        let value = HeaderValue::from_str(value).unwrap();
        let headers = [(HeaderName::from_static(header), value)].into_iter().collect();
        proxies.client("10.0.0.1".parse().unwrap(), &headers).to_string()
    }

    #[rstest]
    #[case::no_proxy(0, "203.0.113.9", "10.0.0.1")]
    #[case::one_proxy(1, "203.0.113.9", "203.0.113.9")]
    #[case::forged(1, "1.1.1.1, 203.0.113.9", "203.0.113.9")]
    #[case::two_proxies(2, "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9")]
    #[case::fewer_than_configured(3, "203.0.113.9", "10.0.0.1")]
    #[case::no_address(1, "unknown", "10.0.0.1")]
    #[case::port(1, "203.0.113.9:4711", "203.0.113.9")]
    #[case::version_6(1, "2001:db8::1", "2001:db8::1")]
    #[case::version_6_with_port(1, "[2001:db8::1]:80", "2001:db8::1")]
    #[case::mapped(1, "::ffff:203.0.113.9", "203.0.113.9")]
    fn so_many_proxies_are_trusted(#[case] hops: usize, #[case] forwarded: &str, #[case] expected: &str) {
        let proxies = TrustedProxies { hops, networks: Vec::new() };
        assert_eq!(client(&proxies, "x-forwarded-for", forwarded), expected);
    }

    #[rstest]
    #[case::one_proxy("203.0.113.9", "203.0.113.9")]
    #[case::forged("1.1.1.1, 203.0.113.9", "203.0.113.9")]
    #[case::forged_as_a_proxy("10.0.0.7, 203.0.113.9, 10.0.0.2", "203.0.113.9")]
    #[case::clients_of_a_trusted_network("10.0.0.7, 10.0.0.2", "10.0.0.7")]
    #[case::no_address("203.0.113.9, unknown", "10.0.0.1")]
    fn proxies_of_a_network_are_trusted(#[case] forwarded: &str, #[case] expected: &str) {
        let proxies = TrustedProxies { hops: 0, networks: vec!["10.0.0.0/8".parse().unwrap()] };
        assert_eq!(client(&proxies, "x-forwarded-for", forwarded), expected);
    }

    #[test]
    fn a_peer_of_no_trusted_network_is_the_client() {
        let proxies = TrustedProxies { hops: 1, networks: vec!["192.168.0.0/16".parse().unwrap()] };
        assert_eq!(client(&proxies, "x-forwarded-for", "203.0.113.9"), "10.0.0.1");
    }

    #[rstest]
    #[case("for=203.0.113.9", "203.0.113.9")]
    #[case("For=\"[2001:db8::1]:4711\";proto=https", "2001:db8::1")]
    #[case("for=1.1.1.1, proto=https;for=203.0.113.9", "203.0.113.9")]
    #[case("for=_hidden", "10.0.0.1")]
    #[case("by=203.0.113.9", "10.0.0.1")]
    fn the_header_of_rfc_7239_counts_too(#[case] forwarded: &str, #[case] expected: &str) {
        let proxies = TrustedProxies { hops: 1, networks: Vec::new() };
        assert_eq!(client(&proxies, "forwarded", forwarded), expected);
    }
}
