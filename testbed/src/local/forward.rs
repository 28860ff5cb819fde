//! The machine's ports 8080 and 8443, which lead to the Ingress controller's on node 1.

use std::net::TcpListener;
use std::process::Command;

use super::plan::Node;
use super::starting::Starting;

/// The port of this machine, and the one of node 1 that it leads to.
const PORTS: [(u16, u16); 2] = [(8080, 80), (8443, 443)];

/// Fails when another program has one of the ports.
pub(crate) fn check() -> anyhow::Result<()> {
    for (port, _) in PORTS {
        if let Err(error) = TcpListener::bind(("127.0.0.1", port)) {
            anyhow::bail!(
                "port {port} of this machine, which leads to the cluster's Ingress, cannot be used: {error}. \
                 `ss -ltnp sport = :{port}` names the program that has it"
            );
        }
    }
    Ok(())
}

/// Starts the forwarders.
pub(crate) fn start(starting: &mut Starting<'_>) -> anyhow::Result<()> {
    for (port, to) in PORTS {
        let mut command = Command::new("setsid");
        command.arg("socat");
        command.arg(format!("TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr"));
        command.arg(format!("TCP:{}:{to}", Node { number: 1 }.address()));
        starting.detach(&format!("forward-{port}"), &mut command)?;
    }
    Ok(())
}
