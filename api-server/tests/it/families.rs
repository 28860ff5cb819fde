//! Clients of IPv4 and IPv6 at one port.

use std::{net::SocketAddr, process::Command};

use http::StatusCode;
use rstest::rstest;
use serde_json::json;

use crate::{client::Client, server_process::Server};

/// The port of a listener that serves both families.
fn port(server: &Server, listener: &str) -> u16 {
    let address: SocketAddr = server.started[listener].as_str().unwrap().parse().unwrap();
    assert!(address.is_ipv6() && address.ip().is_unspecified(), "{address}");
    address.port()
}

#[rstest]
#[case::ipv4("127.0.0.1")]
#[case::ipv6("[::1]")]
#[tokio::test]
async fn the_unspecified_address_serves_both_families(#[case] host: &str) {
    let server = Server::start_on("[::]", &[]).await;
    let client = Client::new(format!("http://{host}:{}", port(&server, "listen")));
    let created = client.post("/todos", json!({"title": "tea"})).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let probes = Client::new(format!("http://{host}:{}", port(&server, "operations_listen"))).undocumented();
    assert_eq!(probes.get("/readyz").await.status, StatusCode::OK);
    let mut healthcheck = Command::new(env!("CARGO_BIN_EXE_todostack-api"));
    let operations = server.started["operations_listen"].as_str().unwrap();
    healthcheck.arg("healthcheck").env_clear().env("TODOSTACK_OPERATIONS_LISTEN", operations);
    assert!(healthcheck.status().unwrap().success());
}
