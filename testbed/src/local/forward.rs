//! Forwards the machine's ports 8080 and 8443 to those of the Ingress controller on node 1.

use std::net::TcpListener;
use std::process::Command;

use super::plan::Node;
use super::starting::Starting;

/// Ports of this machine, each with the port of node 1 that it is forwarded to.
const PORTS: [(u16, u16); 2] = [(8080, 80), (8443, 443)];

/// Fails when another program listens on one of the ports.
pub(crate) fn check() -> anyhow::Result<()> {
    for (port, _) in PORTS {
        if let Err(error) = TcpListener::bind(("127.0.0.1", port)) {
            anyhow::bail!(
                "failed to listen on port {port}, which is forwarded to the Ingress controller: {error}: \
                 stop the program that `ss -ltnp sport = :{port}` names"
            );
        }
    }
    Ok(())
}

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
