//! The local cluster's plan: folders, names and addresses. A test or a document that needs one looks here.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// Everything of a running cluster is below this folder: one cluster per machine, since its addresses are fixed.
pub(crate) const STATE: &str = "/var/lib/todostack-cluster";
/// The bridge that joins the nodes, and the machine's own address on it.
pub(crate) const BRIDGE: &str = "todostack0";
/// The machine's address on the bridge.
pub(crate) const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);
/// Network namespaces and cgroups carry this name.
pub(crate) const PREFIX: &str = "todostack";
/// Where CoreDNS is served (testbed/manifests/coredns.yaml).
pub(crate) const DNS: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 10);
/// The range of Service addresses.
pub(crate) const SERVICES: &str = "10.96.0.0/16";
/// The range that the nodes' pod ranges are cut from.
pub(crate) const PODS: &str = "10.244.0.0/16";

/// The node with a kernel of its own.
pub(crate) mod nfs_node {
    use std::net::Ipv4Addr;

    /// Its name in the cluster.
    pub(crate) const NAME: &str = "nfsnode";
    /// Its address; NFS clients mount `10.99.0.10:/exports/NAME`.
    pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 10);
    /// Its pods' addresses.
    pub(crate) const PODS: &str = "10.244.9.0/24";
    /// Its network device on the machine's side: taking it down is a partition.
    pub(crate) const TAP: &str = "todostack-nfs";
}

/// A folder or file below [`STATE`].
pub(crate) fn state(path: &str) -> PathBuf {
    Path::new(STATE).join(path)
}

/// An ordinary node: a pair of namespaces of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// From 1; node 1's network namespace also holds the control plane.
    pub(crate) number: u8,
}

impl Node {
    /// All nodes of a cluster of this size.
    pub(crate) fn all(count: u8) -> impl Iterator<Item = Self> {
        (1..=count).map(|number| Self { number })
    }

    /// Its name in the cluster.
    pub(crate) fn name(self) -> String {
        format!("node-{}", self.number)
    }

    /// Its network namespace.
    pub(crate) fn network(self) -> String {
        format!("{PREFIX}-{}", self.number)
    }

    /// The machine's end of its network cable.
    pub(crate) fn cable(self) -> String {
        format!("{PREFIX}{}", self.number)
    }

    /// Its address.
    pub(crate) fn address(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 99, 0, self.number + 1)
    }

    /// Its pods' addresses.
    pub(crate) fn pods(self) -> String {
        format!("10.244.{}.0/24", self.number)
    }

    /// Its folder: containerd's and the kubelet's state.
    pub(crate) fn folder(self) -> PathBuf {
        state(&self.name())
    }

    /// containerd's socket.
    pub(crate) fn socket(self) -> PathBuf {
        self.folder().join("containerd.sock")
    }

    /// Its mount namespace, kept by this file.
    pub(crate) fn mounts(self) -> PathBuf {
        state("mntns").join(self.name())
    }

    /// Its pods' cgroup, relative to each hierarchy's root.
    pub(crate) fn cgroup(self) -> String {
        format!("{PREFIX}/{}", self.name())
    }
}

/// The API server's address, as nodes and the machine itself reach it.
pub(crate) fn api_server() -> String {
    format!("https://{}:6443", Node { number: 1 }.address())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_node_takes_an_address_of_the_nfs_node_or_the_machine() {
        for node in Node::all(5) {
            assert!(![nfs_node::ADDRESS, GATEWAY].contains(&node.address()));
            assert_ne!(node.pods(), nfs_node::PODS);
        }
    }

    #[test]
    fn network_devices_have_names_that_linux_takes() {
        for name in Node::all(5).map(Node::cable).chain([BRIDGE.into(), nfs_node::TAP.into()]) {
            assert!(name.len() <= 15, "{name} is longer than 15 bytes");
        }
    }

    #[test]
    fn the_manifests_and_the_stand_in_speak_of_this_plan() {
        let read = |path: &str| std::fs::read_to_string(crate::repository::testbed().join(path)).unwrap();
        assert!(read("manifests/coredns.yaml").contains(&format!("clusterIP: {DNS}")));
        assert!(read("manifests/local-path.yaml").contains(&format!("{STATE}/local-path")));
        assert!(read("mount.nfs").contains(&format!("exports={STATE}/nfs")));
    }
}
