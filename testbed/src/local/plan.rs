//! The local cluster's plan: folders, names and addresses. Tests and documents take them from here.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

// One for the machine, not one per checkout: the addresses are fixed, so there is one cluster.
pub const STATE: &str = "/var/lib/todostack-cluster";
pub(crate) const BRIDGE: &str = "todostack0";
/// The machine's own address on the bridge, and the nodes' way out.
pub(crate) const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);
/// The first part of the names of network namespaces and cgroups.
pub(crate) const PREFIX: &str = "todostack";
/// The Service address of CoreDNS (testbed/manifests/coredns.yaml).
pub(crate) const DNS: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 10);
pub(crate) const SERVICES: &str = "10.96.0.0/16";
/// The range that the nodes' pod ranges are cut from.
pub(crate) const PODS: &str = "10.244.0.0/16";

/// The node with a kernel of its own, which serves and mounts real NFS.
pub mod nfs_node {
    use std::net::Ipv4Addr;
    use std::path::PathBuf;

    pub const NAME: &str = "nfsnode";
    /// The address by which a volume names the NFS server.
    pub const SERVER: &str = "10.99.0.10";
    /// [`SERVER`], as an address.
    pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 10);
    /// The addresses of its pods.
    pub(crate) const PODS: &str = "10.244.9.0/24";
    /// Its network device on the machine's side: taking it down is a partition.
    pub(crate) const TAP: &str = "todostack-nfs";

    /// The path that clients mount for the export that `nfs-export NAME` makes.
    pub fn export(name: &str) -> String {
        format!("/exports/{name}")
    }

    /// The folder of this machine from which the node runs commands: `ID.sh` gives `ID.out` and `ID.exit`.
    pub fn commands() -> PathBuf {
        super::state("nfs-node/exec")
    }
}

/// A folder or file below [`STATE`].
pub fn state(path: &str) -> PathBuf {
    Path::new(STATE).join(path)
}

pub fn logs() -> PathBuf {
    state("log")
}

pub(crate) fn log(name: &str) -> PathBuf {
    logs().join(format!("{name}.log"))
}

/// An ordinary node: a pair of namespaces of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// 1 to 5; node 1's network namespace also holds the control plane.
    pub number: u8,
}

impl Node {
    pub(crate) fn all(count: u8) -> impl Iterator<Item = Self> {
        (1..=count).map(|number| Self { number })
    }

    pub fn name(self) -> String {
        format!("node-{}", self.number)
    }

    /// The file of its network namespace, for `nsenter --net`.
    pub fn network_file(self) -> PathBuf {
        Path::new("/run/netns").join(self.network())
    }

    /// containerd's socket, for `ctr --address`.
    pub fn socket(self) -> PathBuf {
        self.folder().join("containerd.sock")
    }

    pub(crate) fn network(self) -> String {
        format!("{PREFIX}-{}", self.number)
    }

    /// The machine's end of its network cable.
    pub(crate) fn cable(self) -> String {
        format!("{PREFIX}{}", self.number)
    }

    pub(crate) fn address(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 99, 0, self.number + 1)
    }

    /// The addresses of its pods.
    pub(crate) fn pods(self) -> String {
        format!("10.244.{}.0/24", self.number)
    }

    /// The folder of containerd's and the kubelet's state.
    pub(crate) fn folder(self) -> PathBuf {
        state(&self.name())
    }

    pub(crate) fn mounts(self) -> PathBuf {
        state("mntns").join(self.name())
    }

    /// The cgroup of its pods, relative to each hierarchy's root.
    pub(crate) fn cgroup(self) -> String {
        format!("{PREFIX}/{}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_node_has_an_address_of_the_nfs_node_or_the_machine() {
        for node in Node::all(5) {
            assert!(![nfs_node::ADDRESS, GATEWAY].contains(&node.address()));
            assert_ne!(node.pods(), nfs_node::PODS);
        }
    }

    #[test]
    fn a_volume_names_the_address_of_the_nfs_node() {
        assert_eq!(nfs_node::SERVER, nfs_node::ADDRESS.to_string());
    }

    #[test]
    fn the_names_of_network_devices_are_short_enough_for_linux() {
        for name in Node::all(5).map(Node::cable).chain([BRIDGE.into(), nfs_node::TAP.into()]) {
            assert!(name.len() <= 15, "{name} is longer than 15 bytes");
        }
    }

    #[test]
    fn the_manifests_and_the_stand_in_agree_with_the_plan() {
        let read = |path: &str| std::fs::read_to_string(crate::repository::testbed().join(path)).unwrap();
        assert!(read("manifests/coredns.yaml").contains(&format!("clusterIP: {DNS}")));
        assert!(read("manifests/local-path.yaml").contains(&format!("{STATE}/local-path")));
        assert!(read("mount.nfs").contains(&format!("exports={STATE}/nfs")));
    }
}
