//! Rate limit: a token bucket per subject, or per IP address for requests without a valid token. When it
//! applies is decided in `middleware/limit`.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
};

use axum::response::Response;
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, QuantaClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use http::{HeaderName, HeaderValue};
use todostack_store::Owner;

static POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
static LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The size of each client's bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// How fast the bucket is filled.
    pub requests_per_second: NonZeroU32,
    /// How many requests the bucket holds.
    pub burst: NonZeroU32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    Subject(Owner),
    Address(IpAddr),
}

impl Client {
    pub(crate) fn by_address(address: IpAddr) -> Self {
        Self::Address(network(address))
    }
}

/// An IPv6 client can use all addresses of a /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

type Buckets = RateLimiter<Client, DashMapStateStore<Client>, QuantaClock, StateInformationMiddleware>;

#[derive(Debug)]
pub(crate) struct Rate {
    limit: RateLimit,
    policy: HeaderValue,
    clock: QuantaClock,
    buckets: Buckets,
}

/// The state of a bucket, for the headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    remaining: u32,
    /// Seconds until the bucket is full again.
    reset: u32,
}

/// The bucket is empty for `retry_after` seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Empty {
    pub(crate) retry_after: u64,
}

impl Rate {
    pub(crate) fn new(limit: RateLimit) -> Self {
        let RateLimit { requests_per_second, burst } = limit;
        let quota = Quota::per_second(requests_per_second).allow_burst(burst);
        let clock = QuantaClock::default();
        let window = burst.get().div_ceil(requests_per_second.get());
        let policy = HeaderValue::try_from(format!("\"client\";q={burst};w={window}"));
        Self {
            limit,
            // Digits are always a header value.
            policy: policy.unwrap_or_else(|_| HeaderValue::from_static("\"client\"")),
            buckets: Buckets::new(quota, DashMapStateStore::default(), clock.clone()).with_middleware(),
            clock,
        }
    }

    /// Takes one request from the bucket of the client.
    pub(crate) fn take(&self, client: &Client) -> Result<Left, Empty> {
        match self.buckets.check_key(client) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = self.limit.burst.get().saturating_sub(remaining);
                Ok(Left { remaining, reset: used.div_ceil(self.limit.requests_per_second.get()) })
            }
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now());
                // Rounded up, so that a client that waits this long succeeds.
                Err(Empty { retry_after: wait.as_secs().saturating_add(1) })
            }
        }
    }

    /// `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11).
    pub(crate) fn add_headers(&self, taken: Result<Left, Empty>, response: &mut Response) {
        let text = match taken {
            Ok(Left { remaining, reset }) => format!("\"client\";r={remaining};t={reset}"),
            Err(Empty { retry_after }) => format!("\"client\";r=0;t={retry_after}"),
        };
        response.headers_mut().insert(POLICY.clone(), self.policy.clone());
        if let Ok(value) = HeaderValue::try_from(text) {
            response.headers_mut().insert(LIMIT.clone(), value);
        }
    }

    /// Evicts full buckets, which are like new ones.
    pub(crate) fn evict_full(&self) {
        self.buckets.retain_recent();
        // The map keeps its capacity otherwise, that of the largest burst of clients so far.
        self.buckets.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn rate(requests_per_second: u32, burst: u32) -> Rate {
        Rate::new(RateLimit {
            requests_per_second: requests_per_second.try_into().unwrap(),
            burst: burst.try_into().unwrap(),
        })
    }

    #[test]
    fn each_client_has_a_bucket_of_its_own() {
        let rate = rate(1, 2);
        let (a, b) = (Client::Subject("a".into()), Client::Subject("b".into()));
        assert_eq!(rate.take(&a), Ok(Left { remaining: 1, reset: 1 }));
        assert_eq!(rate.take(&a), Ok(Left { remaining: 0, reset: 2 }));
        assert_eq!(rate.take(&a), Err(Empty { retry_after: 1 }));
        assert_eq!(rate.take(&b), Ok(Left { remaining: 1, reset: 1 }));
    }

    #[rstest]
    #[case::version_4("203.0.113.9", "203.0.113.9")]
    #[case::network("2001:db8::1:2:3:4", "2001:db8::")]
    #[case::mapped("::ffff:203.0.113.9", "203.0.113.9")]
    fn the_addresses_of_one_client_share_a_bucket(#[case] address: &str, #[case] expected: &str) {
        let client = Client::by_address(address.parse().unwrap());
        assert_eq!(client, Client::Address(expected.parse().unwrap()));
    }
}
