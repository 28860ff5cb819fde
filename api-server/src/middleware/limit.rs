//! Applies the rate limit to a request. The token buckets are in `rate`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    response::Response,
};
use todostack_store::Owner;

use crate::{
    error::ApiError,
    rate::{Client, Empty, Left, Rate},
    state::Shared,
};

/// The answer of the client's bucket; `None` without a rate limit.
pub(super) struct Quota<'a>(Option<(&'a Rate, Result<Left, Empty>)>);

/// Takes one request from the bucket of the subject, or of the client's address for a request without a valid
/// token.
pub(super) fn take<'a>(shared: &'a Shared, subject: Option<&Owner>, request: &Request) -> Quota<'a> {
    let Some(rate) = &shared.rate else {
        return Quota(None);
    };
    let client = if let Some(subject) = subject {
        Client::Subject(subject.clone())
    } else {
        // The listener adds it to each request; a router without a listener has one client.
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        Client::by_address(shared.settings.trusted_proxies.client(peer, request.headers()))
    };
    Quota(Some((rate, rate.take(&client))))
}

impl Quota<'_> {
    pub(super) fn check(&self) -> Result<(), ApiError> {
        match self.0 {
            Some((_, Err(Empty { retry_after }))) => Err(ApiError::RateLimited(retry_after)),
            Some((_, Ok(_))) | None => Ok(()),
        }
    }

    pub(super) fn add_headers(&self, response: &mut Response) {
        if let Some((rate, taken)) = self.0 {
            rate.add_headers(taken, response);
        }
    }
}
