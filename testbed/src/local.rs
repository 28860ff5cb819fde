//! Kubernetes as processes of this machine: the order in which its parts start. Each part is a file below.

mod certificates;
mod cgroups;
mod control_plane;
mod forward;
mod network;
mod nfs_node;
mod node;
mod ownership;
mod plan;
mod starting;
mod teardown;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use fs_err as fs;

use crate::binaries::{self, Binaries, Module};
use crate::cluster_tools::ClusterTools;
use crate::image::{self, Image};
use crate::key::Sources;
use crate::wait::Seen;
use crate::{addons, postgres_image, prerequisites, process, progress, repository};
use certificates::Authority;
use ownership::{Found, Record, Wanted};
use plan::Node;
use starting::Starting;

/// The cluster that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Ordinary nodes, 1 to 5; without a number those that a running cluster has, or one.
    pub nodes: Option<u8>,
    /// Whether to add the node with a kernel of its own. A cluster that has it although not asked for is fine.
    pub nfs_node: bool,
    /// Whether a cluster of another checkout, of another shape or with dead processes is removed first.
    pub replace: bool,
}

/// Which cluster [`stop`] may remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Only the one that this checkout started.
    ThisCheckouts,
    /// Any, whoever started it.
    Anyones,
}

/// Starts the cluster, or finds it running.
pub fn start(shape: Shape) -> anyhow::Result<ClusterTools> {
    prerequisites::root("the local cluster")?;
    prerequisites::programs(prerequisites::LOCAL_CLUSTER)?;
    let binaries = binaries::build(Module::Kubernetes)?;
    let addon_binaries = binaries::build(Module::Addons)?;
    let wanted = Wanted {
        checkout: repository::root(),
        binaries: &binaries.key,
        nodes: shape.nodes,
        nfs_node: shape.nfs_node,
    };
    let found = ownership::look(&wanted);
    let images = images(&binaries, &addon_binaries)?;
    let cluster = tools(&binaries);
    match found {
        Found::Ours(record) if cluster.is_ready() => {
            progress::note(&format!(
                "The local cluster of this checkout is running ({} node(s))",
                record.nodes
            ));
            load(&images)?;
            write_access(&fs::read_to_string(certificates::file("admin.conf"))?, &binaries)?;
            addons(&cluster)?;
            return Ok(cluster);
        }
        Found::Nothing => {}
        Found::Ours(_) if !shape.replace => {
            anyhow::bail!("this checkout's cluster runs but its API server does not answer: use --replace")
        }
        Found::InTheWay(why) if !shape.replace => {
            anyhow::bail!("{why}. To remove it and start anew: the same command with --replace")
        }
        Found::Ours(_) | Found::InTheWay(_) => {
            progress::step("Removing the old cluster", "5 s", teardown::remove)?;
        }
    }
    start_anew(shape, &binaries, &images)?;
    Ok(cluster)
}

fn start_anew(shape: Shape, binaries: &Binaries, images: &[Image]) -> anyhow::Result<()> {
    forward::check()?;
    // Where they are part of the kernel, or cannot be loaded, this fails without harm: what needs them says so.
    let _loaded =
        process::succeeds(Command::new("modprobe").args(["-a", "overlay", "br_netfilter", "veth", "tun"]));
    let nodes = shape.nodes.unwrap_or(1);
    let nfs_root = if shape.nfs_node { Some(nfs_node::root_filesystem()?) } else { None };
    let cluster = tools(binaries);
    fs::create_dir_all(plan::state("log"))?;
    let record = Record {
        checkout: repository::root().to_owned(),
        binaries: binaries.key.clone(),
        nodes,
        nfs_node: shape.nfs_node,
        complete: false,
        processes: Vec::new(),
    };
    record.write()?;
    let mut starting = Starting { binaries, authority: Authority::create()?, record };
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
    if let Some(root) = nfs_root {
        progress::step("Powering on the NFS node", "2 s", || nfs_node::start(&mut starting, &root, images))?;
    }
    progress::step(&format!("Starting {nodes} node(s)"), "15 s", || {
        Node::all(nodes).try_for_each(|node| node::start(&mut starting, node, images))?;
        forward::start(&mut starting)?;
        Node::all(nodes).try_for_each(|node| await_node(&starting, &cluster, &node.name()))
    })?;
    addons(&cluster)?;
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
    let wanted =
        Wanted { checkout: repository::root(), binaries: &binaries.key, nodes: None, nfs_node: false };
    match ownership::look(&wanted) {
        Found::Ours(_) => Ok(tools(&binaries)),
        Found::Nothing => anyhow::bail!("no local cluster is running: start one with cargo xtask up"),
        Found::InTheWay(why) => anyhow::bail!("{why}. To remove it and start anew: cargo xtask up --replace"),
    }
}

/// Brings images to the ordinary nodes.
pub fn load(images: &[Image]) -> anyhow::Result<()> {
    let Some(record) = ownership::read() else { anyhow::bail!("no local cluster is running") };
    Node::all(record.nodes).try_for_each(|node| node::load(node, images))
}

/// Removes the cluster.
pub fn stop(whose: Whose) -> anyhow::Result<()> {
    prerequisites::root("removing the local cluster")?;
    if let (Whose::ThisCheckouts, Some(owner)) = (whose, ownership::other_owner(repository::root())) {
        anyhow::bail!(
            "the cluster on this machine is of {0}: run `cargo xtask down` there, or `cargo xtask up --replace` here",
            owner.display()
        );
    }
    teardown::remove()
}

/// Images of the cluster itself, built from this machine's programs under the names that the manifests use.
fn images(binaries: &Binaries, addons: &Binaries) -> anyhow::Result<Vec<Image>> {
    let program = |reference, binaries: &Binaries, name| {
        image::of_program(
            reference,
            &binaries.program(name),
            &Sources::default().text(name).text(&binaries.key).key(),
        )
    };
    Ok(vec![
        pause()?,
        postgres_image::build()?,
        program("docker.io/coredns/coredns:1.14.7", binaries, "coredns")?,
        program("docker.io/library/traefik:v3.6.12", binaries, "traefik")?,
        program("docker.io/rancher/local-path-provisioner:v0.0.30", addons, "local-path-provisioner")?,
    ])
}

fn pause() -> anyhow::Result<Image> {
    let source = repository::testbed().join("pause.c");
    let key = Sources::default().file(&source)?.key();
    let folder = crate::cache::entry(&format!("pause-{key}"), |folder| {
        let mut gcc = Command::new("gcc");
        gcc.args(["-O2", "-static", "-s", "-o"]).arg(folder.join("pause")).arg(&source);
        Ok(process::run(&mut gcc)?)
    })?;
    image::of_program(node::PAUSE, &folder.join("pause"), &key)
}

fn addons(cluster: &ClusterTools) -> anyhow::Result<()> {
    progress::step("Applying DNS, Ingress controller and StorageClass", "15 s", || {
        addons::apply(cluster, &[addons::COREDNS, addons::TRAEFIK, addons::LOCAL_PATH])
    })
}

fn await_node(starting: &Starting<'_>, cluster: &ClusterTools, name: &str) -> anyhow::Result<()> {
    let path = "jsonpath={.status.conditions[?(@.type==\"Ready\")]['status','message']}";
    starting.until(&format!("readiness of {name}"), Duration::from_mins(5), || {
        let seen =
            cluster.get(&["get", "node", name, "-o", path]).unwrap_or_else(|_| "not registered".to_owned());
        if seen.starts_with("True") { Seen::Done(()) } else { Seen::NotYet(seen) }
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
