//! `todostack-api healthcheck`: calls `/readyz` of the running service, for container engines that check by a
//! command.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::anyhow;
use http::Request;

use crate::outbound::Outbound;

/// Fails unless `/readyz` answers 200 on this host.
pub async fn run(operations_listen: SocketAddr) -> anyhow::Result<()> {
    let mut address = operations_listen;
    // 0.0.0.0 is an address to listen on, not one to connect to.
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let url = format!("http://{address}/readyz");
    let request = Request::get(&url).body(http_body_util::Full::default())?;
    let outbound = Outbound::new(None).map_err(|why| anyhow!(why))?;
    outbound.send(request).await.map(drop).map_err(|why| anyhow!("{url} is not ready: {why}"))
}
