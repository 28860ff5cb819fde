//! `todostack-api healthcheck`: calls `/readyz` of the running service, for container engines and kubelets
//! that check by a command.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{anyhow, bail};
use http::{Request, StatusCode};
use serde::Deserialize;

use crate::{outbound::Outbound, probes};

/// What `/readyz` answers.
#[derive(Deserialize)]
struct Readiness {
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    name: String,
    ok: bool,
    detail: String,
}

/// Fails unless `/readyz` answers 200 on this host.
pub async fn run(operations_listen: SocketAddr) -> anyhow::Result<()> {
    let (status, failed) = failed_checks(operations_listen).await?;
    if status == StatusCode::OK {
        return Ok(());
    }
    let failed: Vec<_> =
        failed.into_iter().map(|check| format!("{}: {}", check.name, check.detail)).collect();
    bail!("not ready: the response of /readyz was {status}: {}", failed.join("; "))
}

/// Fails unless `/readyz` answers on this host that it lacks no keys of the tokens' issuer.
pub async fn keys(operations_listen: SocketAddr) -> anyhow::Result<()> {
    let (_, failed) = failed_checks(operations_listen).await?;
    match failed.into_iter().find(|check| check.name == probes::KEYS) {
        None => Ok(()),
        // The operator looks for these words.
        Some(Check { detail, .. }) => bail!("no keys of the issuer yet: {detail}"),
    }
}

async fn failed_checks(operations_listen: SocketAddr) -> anyhow::Result<(StatusCode, Vec<Check>)> {
    let mut address = operations_listen;
    // An address to listen on, for both families, is none to connect to.
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let url = format!("http://{address}/readyz");
    let request = Request::get(&url).body(http_body_util::Full::default())?;
    let outbound = Outbound::new(None).map_err(|why| anyhow!(why))?;
    let not_ready = |why: String| anyhow!("{url} is not ready: {why}");
    let (status, body) = outbound.answer(request).await.map_err(not_ready)?;
    let Readiness { checks } =
        serde_json::from_slice(&body).map_err(|error| not_ready(format!("{status}, {error}")))?;
    Ok((status, checks.into_iter().filter(|check| !check.ok).collect()))
}
