//! Kubernetes as processes of this machine: the order in which its parts start. Each part is a file below.

mod cgroups;
mod control_plane;
mod images;
mod network;
pub mod nfs_node;
mod node;
mod ownership;
pub mod plan;
pub mod record;
mod starting;
mod teardown;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use fs_err as fs;

use crate::binaries::{self, Binaries, Module};
use crate::cluster_tools::ClusterTools;
use crate::control_plane::certificates::Authority;
use crate::image::Image;
use crate::wait::Probe;
use crate::{addons, prerequisites, process, progress, repository};
use ownership::Existing;
use plan::Node;
use record::Record;
use starting::Starting;

#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Ordinary nodes, 1 to 5; without a number those that a running cluster has, or one.
    pub nodes: Option<u8>,
    /// Whether the cluster must have the NFS node; one that is not needed does no harm.
    pub nfs_node: bool,
    /// Whether a cluster of another checkout, of another shape or with dead processes is removed first.
    pub replace: bool,
}

/// Which cluster [`stop`] may remove.
#[derive(PartialEq, Eq)]
pub enum Owner {
    /// Only the one that this checkout started.
    ThisCheckout,
    Any,
}

/// Starts the cluster unless it is running.
pub fn start(shape: Shape) -> anyhow::Result<ClusterTools> {
    prerequisites::root("the local cluster")?;
    prerequisites::programs(prerequisites::LOCAL_CLUSTER)?;
    let binaries = binaries::build(Module::Kubernetes)?;
    let addon_binaries = binaries::build(Module::Addons)?;
    let existing = ownership::existing(shape, &binaries.key);
    let images = images::build(&binaries, &addon_binaries)?;
    let cluster = tools(&binaries);
    match existing {
        Existing::Usable(record) if cluster.is_ready() => {
            let nodes = record.nodes;
            progress::detail(&format!("The local cluster of this checkout is running ({nodes} node(s))"));
            load(&images)?;
            write_access(&fs::read_to_string(control_plane::pki("admin.conf"))?, &binaries)?;
            apply_addons(&cluster)?;
            return Ok(cluster);
        }
        Existing::None => {}
        Existing::Usable(_) if !shape.replace => anyhow::bail!(
            "the API server of this checkout's local cluster does not answer: cargo xtask up --replace removes the cluster and starts a new one"
        ),
        Existing::Conflict(why) if !shape.replace => return Err(conflict(&why)),
        Existing::Usable(_) | Existing::Conflict(_) => {
            progress::step("Removing the old cluster", "5 s", teardown::remove)?;
        }
    }
    start_new(shape, &binaries, &images)?;
    Ok(cluster)
}

fn start_new(shape: Shape, binaries: &Binaries, images: &[Image]) -> anyhow::Result<()> {
    // Before anything is created, because another program may listen on the ports.
    network::check_ports()?;
    // This fails where they are part of the kernel, too. The commands that need a missing one report it.
    let _loaded =
        process::succeeds(Command::new("modprobe").args(["-a", "overlay", "br_netfilter", "veth", "tun"]));
    let nodes = shape.nodes.unwrap_or(1);
    let nfs_root = if shape.nfs_node { Some(nfs_node::root_filesystem()?) } else { None };
    let cluster = tools(binaries);
    fs::create_dir_all(plan::logs())?;
    let record = Record {
        checkout: repository::root().to_owned(),
        binaries: binaries.key.clone(),
        nodes,
        nfs_node: shape.nfs_node,
        complete: false,
        processes: Vec::new(),
    };
    // Before the first process, so that `down` can remove an interrupted start.
    record.write()?;
    let mut starting = Starting { binaries, authority: Authority::create(control_plane::place())?, record };
    progress::step("Starting the control plane", "5 s", || {
        let administrator = starting.authority.issue_control_plane()?;
        write_access(&administrator, binaries)?;
        fs::write(plan::state("resolv.conf"), "nameserver 127.0.0.1\n")?;
        fs::create_dir_all(plan::state("nfs"))?;
        cgroups::create(nodes)?;
        network::create_bridge()?;
        network::create_mount_namespaces_folder()?;
        Node::all(nodes).try_for_each(|node| network::create_node(node, nodes))?;
        control_plane::start(&mut starting, &cluster)
    })?;
    // Before the ordinary nodes, because its kernel needs about a minute until its kubelet is ready.
    if let Some(root) = nfs_root {
        progress::step("Powering on the NFS node", "2 s", || nfs_node::start(&mut starting, &root, images))?;
    }
    progress::step(&format!("Starting {nodes} node(s)"), "15 s", || {
        // All nodes are started before the first is awaited, so that their kubelets register in parallel.
        Node::all(nodes).try_for_each(|node| node::start(&mut starting, node, images))?;
        network::forward_ports(&mut starting)?;
        Node::all(nodes).try_for_each(|node| await_node(&starting, &cluster, &node.name()))
    })?;
    apply_addons(&cluster)?;
    if shape.nfs_node {
        progress::step("Waiting for the NFS node", "1 min after power-on", || {
            await_node(&starting, &cluster, plan::nfs_node::NAME)
        })?;
    }
    starting.record.complete = true;
    starting.record.write()
}

/// The running cluster of this checkout.
pub fn find() -> anyhow::Result<ClusterTools> {
    let binaries = binaries::build(Module::Kubernetes)?;
    match ownership::existing(Shape { nodes: None, nfs_node: false, replace: false }, &binaries.key) {
        Existing::Usable(_) => Ok(tools(&binaries)),
        Existing::None => anyhow::bail!("no local cluster is running: start one with cargo xtask up"),
        Existing::Conflict(why) => Err(conflict(&why)),
    }
}

fn conflict(why: &str) -> anyhow::Error {
    anyhow::anyhow!("{why}: cargo xtask up --replace removes it and starts a new one")
}

pub fn load(images: &[Image]) -> anyhow::Result<()> {
    let record = Record::read().context("no local cluster is running: start one with cargo xtask up")?;
    record.ordinary_nodes().try_for_each(|node| node::load(node, images))
}

pub fn stop(owner: Owner) -> anyhow::Result<()> {
    prerequisites::root("removing the local cluster")?;
    if let (Owner::ThisCheckout, Some(other)) = (owner, ownership::other_owner()) {
        anyhow::bail!(
            "the local cluster of {} is running on this machine: run cargo xtask down there, or cargo xtask up --replace here",
            other.display()
        );
    }
    teardown::remove()
}

fn apply_addons(cluster: &ClusterTools) -> anyhow::Result<()> {
    progress::step("Applying DNS, Ingress controller and StorageClass", "15 s", || {
        addons::apply(cluster, &[addons::COREDNS, addons::TRAEFIK, addons::LOCAL_PATH])
    })
}

fn await_node(starting: &Starting<'_>, cluster: &ClusterTools, name: &str) -> anyhow::Result<()> {
    let path = "jsonpath={.status.conditions[?(@.type==\"Ready\")]['status','message']}";
    starting.until(&format!("node {name} to become Ready"), Duration::from_mins(5), || {
        let ready = cluster.kubectl_output(&["get", "node", name, "-o", path]);
        let ready = ready.unwrap_or_else(|_| "not registered".to_owned());
        if ready.starts_with("True") { Probe::Done(()) } else { Probe::NotYet(ready) }
    })
}

fn tools(binaries: &Binaries) -> ClusterTools {
    ClusterTools {
        kubeconfig: repository::kubeconfig(),
        kubectl: binaries.program("kubectl"),
        helm: binaries.program("helm"),
    }
}

/// `target/cluster`: the kubeconfig, and kubectl and helm of the cluster's version.
fn write_access(administrator: &str, binaries: &Binaries) -> anyhow::Result<()> {
    let bin = repository::cluster().join("bin");
    fs::create_dir_all(&bin)?;
    fs::write(repository::kubeconfig(), administrator)?;
    for program in ["kubectl", "helm"] {
        link(&binaries.program(program), &bin.join(program))?;
    }
    Ok(())
}

fn link(to: &Path, from: &Path) -> anyhow::Result<()> {
    if std::fs::read_link(from).is_ok_and(|target| target == to) {
        return Ok(());
    }
    if from.symlink_metadata().is_ok() {
        fs::remove_file(from)?;
    }
    Ok(std::os::unix::fs::symlink(to, from)?)
}
