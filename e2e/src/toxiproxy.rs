//! Toxiproxy between a client and a server of a test: it delays, drops and resets what is sent. It is built
//! by the testbed.

use std::net::{SocketAddr, TcpListener};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use todostack_testbed::binaries::{self, Module};
use tokio::process::{Child, Command};

use crate::{stack::SOON, wait};

const PROXY: &str = "server";

// A running Toxiproxy with one proxy. It ends when this is dropped.
pub struct Toxiproxy {
    _child: Child,
    api: String,
    // Where clients connect to.
    pub address: SocketAddr,
}

impl Toxiproxy {
    // Starts it in front of a server.
    pub async fn start(server: SocketAddr) -> Result<Self> {
        let built = tokio::task::spawn_blocking(|| binaries::build(Module::Toxiproxy)).await??;
        let (port, address) = (free_address()?.port().to_string(), free_address()?);
        let child = Command::new(built.program("server"))
            .args(["-host", "127.0.0.1", "-port", &port])
            .kill_on_drop(true)
            .spawn()
            .context("failed to start Toxiproxy")?;
        let toxiproxy = Self { _child: child, api: format!("http://127.0.0.1:{port}/proxies"), address };
        let proxy = json!({"name": PROXY, "listen": address.to_string(), "upstream": server.to_string()});
        let create = async || post(&toxiproxy.api, &proxy);
        wait::eventually("a proxy", SOON, create).await?;
        Ok(toxiproxy)
    }

    // Adds a toxic to what clients receive, until it is removed; its kinds are in Toxiproxy's documentation.
    pub fn add(&self, kind: &str, attributes: &Value) -> Result<()> {
        let toxic = json!({"name": kind, "type": kind, "stream": "downstream", "attributes": attributes});
        post(&format!("{}/{PROXY}/toxics", self.api), &toxic)
    }

    pub fn remove(&self, kind: &str) -> Result<()> {
        let uri = format!("{}/{PROXY}/toxics/{kind}", self.api);
        ureq::delete(&uri).call().map(drop).with_context(|| format!("failed to remove toxic {kind}"))
    }

    // Closes all connections. New ones are accepted at once.
    pub fn close_connections(&self) -> Result<()> {
        let uri = format!("{}/{PROXY}", self.api);
        post(&uri, &json!({"enabled": false}))?;
        post(&uri, &json!({"enabled": true}))
    }
}

fn post(uri: &str, body: &Value) -> Result<()> {
    ureq::post(uri).send_json(body).map(drop).with_context(|| format!("failed to post to {uri}"))
}

// Free now. A port that another process takes in the meantime makes the test fail.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}
