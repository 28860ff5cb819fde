//! The NFS node: its own kernel (User-Mode Linux) serves and mounts real NFS. Here are its root filesystem
//! and start; its first process is testbed/nfs-node/init.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use fs_err as fs;
use serde_json::json;

use super::cgroups;
use super::network::{inside_mounts, ip};
use super::node::{self, Containerd};
use super::plan::nfs_node::{ADDRESS, NAME, PODS, TAP};
use super::plan::{self, Node};
use super::record::{Process, Record};
use super::starting::Starting;
use crate::image::Image;
use crate::key::Sources;
use crate::wait::{self, Probe};
use crate::{cache, debian, postgres_image, process, progress, repository};

// Linux 7.2 is the first that starts on every CPU tried (6.1 and 6.12 do not).
const KERNEL_SUITE: &str = "sid";
const SUITE: &str = "trixie";
const PACKAGES: &str = "containerd runc nfs-kernel-server nfs-common rpcbind iproute2 kmod procps e2fsprogs";
const KERNEL: &str = "linux.uml";
const PROCESS: &str = "nfs-node";
// The machine gives only what is used.
const MEMORY: &str = "mem=3G";
// A sparse file, for images, volumes and exports.
const DISK: u64 = 8 << 30;

/// The folder of the root filesystem and kernel, made unless the cache has it.
pub(crate) fn root_filesystem() -> anyhow::Result<PathBuf> {
    let key = Sources::default().text(KERNEL_SUITE).text(SUITE).text(PACKAGES).key();
    let folder = cache::entry(&format!("nfs-node-{key}"), |folder| {
        let what = "Making the NFS node's root filesystem and kernel";
        progress::step(what, "1 to 2 min, once per machine", || {
            let root = folder.join("root");
            debian::bootstrap(SUITE, &root, &PACKAGES.replace(' ', ","))?;
            let kernel = root.join("kernel");
            debian::unpack_in(&root, KERNEL_SUITE, "user-mode-linux", "/kernel")?;
            fs::copy(kernel.join("usr/bin/linux.uml"), root.join(KERNEL))?;
            fs::create_dir_all(root.join("lib/modules"))?;
            let modules = kernel.join("usr/lib/uml/modules/.");
            process::run(Command::new("cp").arg("-r").arg(modules).arg(root.join("lib/modules")))?;
            Ok(fs::remove_dir_all(kernel)?)
        })
    })?;
    Ok(folder.join("root"))
}

/// Starts the node; it joins the cluster by itself.
pub(crate) fn start(starting: &mut Starting<'_>, root: &Path, images: &[Image]) -> anyhow::Result<()> {
    let folder = plan::state("nfs-node");
    for below in ["upper", "work", "root", "images"] {
        fs::create_dir_all(folder.join(below))?;
    }
    fs::create_dir_all(plan::nfs_node::commands())?;
    configure(starting, &folder.join("upper"))?;
    // The images of its pods: only databases tolerate its taint.
    let is_needed = |image: &&Image| {
        image.reference == node::PAUSE || image.reference.starts_with(postgres_image::REPOSITORY)
    };
    for image in images.iter().filter(is_needed) {
        let name = format!("{}.tar", image.reference.replace(['/', ':'], "_"));
        fs::copy(&image.archive, folder.join("images").join(name))?;
    }
    fs::File::create(folder.join("disk.img"))?.set_len(DISK)?;
    ip(&["tuntap", "add", TAP, "mode", "tap"])?;
    ip(&["link", "set", TAP, "master", plan::BRIDGE, "up"])?;
    mount_root(starting, root, &folder)?;
    starting.detach(PROCESS, &mut kernel())
}

/// Kills the node's kernel, as a power failure would, and starts it again on its disk.
///
/// # Errors
/// This machine runs no NFS node, or its kernel cannot be killed or started.
pub fn crash() -> anyhow::Result<()> {
    let mut record = Record::read().context("no local cluster runs on this machine")?;
    let running = record.processes.iter_mut().find(|process| process.name == PROCESS);
    let running = running.with_context(|| format!("the cluster has no process {PROCESS}"))?;
    // Its kernel threads are processes of this machine, in a session of their own.
    let session = running.pid.to_string();
    process::run(Command::new("pkill").args(["--signal", "KILL", "--session", &session]))?;
    wait::until("the NFS node's kernel to exit", Duration::from_secs(10), || {
        if running.is_alive() { Probe::NotYet("it runs".to_owned()) } else { Probe::Done(()) }
    })?;
    let pid = process::detach(&mut kernel(), &plan::log(PROCESS))?;
    cgroups::adopt(pid)?;
    *running = Process::running(PROCESS, pid).context("the NFS node's kernel exited immediately")?;
    record.write()
}

/// The command that starts the node's kernel, once its root is mounted.
fn kernel() -> Command {
    let mut command = inside_mounts(&mounts());
    command.args(["setsid", "chroot"]).arg(plan::state("nfs-node/root")).arg(format!("/{KERNEL}"));
    command.args([MEMORY, "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "rw", "init=/node-init"]);
    command.args(["con=null", "con0=null,fd:1", "con1=null", "ubd1=/disk.img"]);
    command.arg(format!("vec0:transport=tap,ifname={TAP},depth=128"));
    command
}

/// The file of the node's mount namespace.
fn mounts() -> PathBuf {
    plan::state("mntns").join(NAME)
}

/// Mounts a writable overlay of the cached root in a new mount namespace.
fn mount_root(starting: &Starting<'_>, cached: &Path, folder: &Path) -> anyhow::Result<()> {
    fs::write(mounts(), "")?;
    let mut unshare = Command::new("unshare");
    unshare.arg(format!("--mount={}", mounts().display()));
    process::run(unshare.args(["--propagation", "private", "true"]))?;
    let root = folder.join("root");
    let mount = |arguments: &[&str], from: &Path, to: PathBuf| {
        let mut command = inside_mounts(&mounts());
        process::run(command.arg("mount").args(arguments).arg(from).arg(to))
    };
    let layers = format!(
        "lowerdir={},upperdir={},workdir={}",
        cached.display(),
        folder.join("upper").display(),
        folder.join("work").display()
    );
    mount(&["-t", "overlay", "-o", &layers], Path::new("overlay"), root.clone())?;
    mount(&["--bind"], Path::new("/proc"), root.join("proc"))?;
    mount(&["--rbind"], Path::new("/dev"), root.join("dev"))?;
    // Its memory is a file in /dev/shm, and the machine's own may be too small for it.
    mount(&["-t", "tmpfs", "-o", "size=6G"], Path::new("shm"), root.join("dev/shm"))?;
    mount(&["--bind"], &starting.binaries.folder, root.join("host/bin"))?;
    mount(&["--bind"], &folder.join("images"), root.join("host/images"))?;
    mount(&["--bind"], &plan::nfs_node::commands(), root.join("host/exec"))?;
    Ok(mount(&["--bind"], &folder.join("disk.img"), root.join("disk.img"))?)
}

/// Writes what the cached root does not have: credentials, settings, and the programs of testbed/nfs-node.
fn configure(starting: &Starting<'_>, upper: &Path) -> anyhow::Result<()> {
    let (settings, inside) = (upper.join("etc/node"), Path::new("/etc/node"));
    for below in ["etc/node/cni", "usr/local/sbin", "host/bin", "host/images", "host/exec"] {
        fs::create_dir_all(upper.join(below))?;
    }
    fs::write(upper.join("disk.img"), "")?;
    let testbed = repository::testbed().join("nfs-node");
    fs::copy(testbed.join("init"), upper.join("node-init"))?;
    fs::copy(testbed.join("nfs-export"), upper.join("usr/local/sbin/nfs-export"))?;

    let credential = starting.authority.kubelet(NAME, ADDRESS)?;
    fs::write(settings.join("ca.crt"), &starting.authority.certificate)?;
    fs::write(settings.join(format!("{NAME}.crt")), &credential.certificate)?;
    fs::write(settings.join(format!("{NAME}.key")), &credential.key)?;
    fs::write(settings.join("kubeconfig"), starting.authority.kubeconfig(&credential))?;
    fs::write(settings.join("resolv.conf"), "nameserver 127.0.0.1\n")?;
    fs::write(settings.join("environment"), environment(starting.record.nodes))?;
    let socket = PathBuf::from("/run/containerd/containerd.sock");
    let containerd = Containerd {
        root: "/data/containerd".into(),
        state: "/run/containerd".into(),
        socket: socket.clone(),
        programs: "/host/bin".into(),
        network: inside.join("cni"),
        shares_kernel: false,
    };
    fs::write(settings.join("containerd.toml"), containerd.toml())?;
    let network = node::pod_network(PODS, Path::new("/data/ipam"), false);
    fs::write(settings.join("cni/10-todostack.conflist"), network)?;
    let mut kubelet = node::kubelet_base(inside, NAME, &inside.join("resolv.conf"), &socket);
    if let Some(kubelet) = kubelet.as_object_mut() {
        let taint = json!({"key": "todostack.dev/nfs", "value": "true", "effect": "NoSchedule"});
        kubelet.insert("registerWithTaints".to_owned(), json!([taint]));
    }
    Ok(fs::write(settings.join("kubelet.yaml"), kubelet.to_string())?)
}

fn environment(nodes: u8) -> String {
    let route = |node: Node| format!("{} {}", node.pods(), node.address());
    let routes: Vec<String> = Node::all(nodes).map(route).collect();
    format!("NODE={NAME}\nADDRESS={ADDRESS}\nGATEWAY={}\nROUTES='{}'\n", plan::GATEWAY, routes.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn init_gets_a_route_to_the_pods_of_every_ordinary_node() {
        let expected = "NODE=nfsnode\nADDRESS=10.99.0.10\nGATEWAY=10.99.0.1\n\
                        ROUTES='10.244.1.0/24 10.99.0.2\n10.244.2.0/24 10.99.0.3'\n";
        assert_eq!(environment(2), expected);
    }
}
