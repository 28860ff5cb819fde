//! The local cluster's network and mount namespaces, and the command lines that run something inside a node.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use fs_err as fs;

use super::plan::{self, Node};
use super::starting::Starting;
use crate::process::{self, Error};
use crate::repository;

/// Ports of this machine, each with the port of the Ingress controller on node 1 that it is forwarded to.
const PORTS: [(u16, u16); 2] = [(8080, 80), (8443, 443)];

pub(crate) fn create_bridge() -> Result<(), Error> {
    ip(&["link", "add", plan::BRIDGE, "type", "bridge"])?;
    ip(&["address", "add", &format!("{}/24", plan::GATEWAY), "dev", plan::BRIDGE])?;
    ip(&["link", "set", plan::BRIDGE, "up"])?;
    // Docker sets this policy; without a rule, nodes could then not reach each other.
    if drops(&process::output(Command::new("iptables").args(["-w", "-S", "FORWARD"]))?) {
        forwarding("-I")?;
    }
    Ok(())
}

fn drops(policy: &str) -> bool {
    policy.lines().any(|line| line == "-P FORWARD DROP")
}

/// `-I` inserts the rule that lets nodes reach each other, `-C` checks for it, `-D` deletes it.
fn forwarding(action: &str) -> Result<(), Error> {
    let rule = ["FORWARD", "-i", plan::BRIDGE, "-o", plan::BRIDGE, "-j", "ACCEPT"];
    process::run(Command::new("iptables").args(["-w", action]).args(rule))
}

/// Creates the folder for files that keep mount namespaces, which must be on a private mount.
pub(crate) fn create_mount_namespaces_folder() -> anyhow::Result<()> {
    let folder = plan::state("mntns");
    fs::create_dir_all(&folder)?;
    process::run(Command::new("mount").arg("--bind").arg(&folder).arg(&folder))?;
    Ok(process::run(Command::new("mount").arg("--make-private").arg(&folder))?)
}

/// Creates a node's network namespace, its cable to the bridge, and its routes to the other nodes' pods.
pub(crate) fn create_node(node: Node, nodes: u8) -> anyhow::Result<()> {
    let (name, cable) = (node.network(), node.cable());
    ip(&["netns", "add", &name])?;
    ip(&["link", "add", &cable, "type", "veth", "peer", "name", "eth0", "netns", &name])?;
    ip(&["link", "set", &cable, "master", plan::BRIDGE, "up"])?;
    let inside = |arguments: &[&str]| ip(&[&["-n", name.as_str()], arguments].concat());
    inside(&["link", "set", "lo", "up"])?;
    inside(&["address", "add", &format!("{}/24", node.address()), "dev", "eth0"])?;
    inside(&["link", "set", "eth0", "up"])?;
    inside(&["route", "add", "default", "via", &plan::GATEWAY.to_string()])?;
    for other in Node::all(nodes).filter(|other| *other != node) {
        inside(&["route", "add", &other.pods(), "via", &other.address().to_string()])?;
    }
    inside(&["route", "add", plan::nfs_node::PODS, "via", &plan::nfs_node::ADDRESS.to_string()])?;
    process::run(inside_network(node).args(["sysctl", "-qw", "net.ipv4.ip_forward=1"]))?;
    create_mounts(node)
}

/// Creates a node's mount namespace, in which mount.nfs is the stand-in.
fn create_mounts(node: Node) -> anyhow::Result<()> {
    let file = node.mounts();
    fs::write(&file, "")?;
    let mut unshare = Command::new("unshare");
    unshare.arg(format!("--mount={}", file.display())).args(["--propagation", "private"]);
    // Shared, so that mounts of the kubelet reach the containers that containerd starts.
    process::run(unshare.args(["mount", "--make-rshared", "/"]))?;
    // An overlay of the folder, because a bind mount needs a file that the machine may not have.
    let stand_in = plan::state("sbin");
    fs::create_dir_all(&stand_in)?;
    fs::copy(repository::testbed().join("mount.nfs"), stand_in.join("mount.nfs"))?;
    let sbin = fs::canonicalize("/sbin")?;
    let layers = format!("lowerdir={}:{}", stand_in.display(), sbin.display());
    let mut mount = inside_mounts(&file);
    mount.args(["mount", "-t", "overlay", "overlay", "-o", &layers]).arg(&sbin);
    Ok(process::run(&mut mount)?)
}

pub(crate) fn inside_mounts(file: &Path) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--mount={}", file.display()));
    command
}

/// A command in a node's network and mounts, in its own session.
pub(crate) fn inside(node: Node) -> Command {
    // Not `ip netns exec`: that one mounts a new /sys, which hides the cgroups from the kubelet.
    let mut command = inside_network(node);
    command.arg(format!("--mount={}", node.mounts().display())).arg("setsid");
    command
}

/// A command in a node's network, with the machine's mounts, in the caller's session.
pub(crate) fn inside_network(node: Node) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net={}", node.network_file().display()));
    command
}

pub(crate) fn ip(arguments: &[&str]) -> Result<(), Error> {
    process::run(Command::new("ip").args(arguments))
}

/// Fails when another program listens on one of the ports that are forwarded.
pub(crate) fn check_ports() -> anyhow::Result<()> {
    for (port, _) in PORTS {
        if let Err(error) = TcpListener::bind(("127.0.0.1", port)) {
            anyhow::bail!(
                "failed to listen on port {port}, which is forwarded to the Ingress controller: {error}: stop the program that `ss -ltnp sport = :{port}` names"
            );
        }
    }
    Ok(())
}

pub(crate) fn forward_ports(starting: &mut Starting<'_>) -> anyhow::Result<()> {
    for (port, to) in PORTS {
        let mut command = Command::new("setsid");
        command.arg("socat").arg(format!("TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr"));
        command.arg(format!("TCP:{}:{to}", Node { number: 1 }.address()));
        starting.detach(&format!("forward-{port}"), &mut command)?;
    }
    Ok(())
}

/// Removes every namespace, cable and device of the cluster that exists.
pub(crate) fn remove() -> anyhow::Result<()> {
    if forwarding("-C").is_ok() {
        forwarding("-D")?;
    }
    // Cables first and by name: the kernel removes those of a deleted namespace only after a while.
    let cables = Node::all(u8::MAX).map(Node::cable);
    for device in cables.chain([plan::nfs_node::TAP.to_owned(), plan::BRIDGE.to_owned()]) {
        if Path::new("/sys/class/net").join(&device).exists() {
            ip(&["link", "delete", &device])?;
        }
    }
    let listed = process::output(Command::new("ip").args(["netns", "list"]))?;
    let names = listed.lines().filter_map(|line| line.split(' ').next());
    for name in names.filter(|name| name.starts_with(&format!("{}-", plan::PREFIX))) {
        ip(&["netns", "delete", name])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_machine_that_drops_by_default_needs_a_rule() {
        assert!(drops("-P FORWARD DROP\n-A FORWARD -j DOCKER-USER\n"));
        assert!(!drops("-P FORWARD ACCEPT\n-A FORWARD -s 10.0.0.0/8 -j DROP\n"));
    }
}
