//! An ordinary node: containerd, kubelet and kube-proxy in namespaces of this machine, and their configuration.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fs_err as fs;
use serde_json::{Value, json};

use super::plan::{self, Node};
use super::starting::Starting;
use super::{certificates, cgroups, network};
use crate::image::Image;
use crate::process;
use crate::wait::Seen;

/// The image of every pod's sandbox.
pub(crate) const PAUSE: &str = "localhost/pause:1";
/// Add-ons and the Ingress stay on the node that has this label; its host ports are the machine's.
pub(crate) const INGRESS_LABEL: &str = "todostack.dev/ingress=true";

/// Starts the node's programs; returns once containerd answers, before the kubelet is ready.
pub(crate) fn start(starting: &mut Starting<'_>, node: Node, images: &[Image]) -> anyhow::Result<()> {
    configure(starting, node)?;
    let number = node.number;
    let mut containerd = network::inside(node);
    containerd.args(["containerd", "--config"]).arg(node.folder().join("containerd.toml"));
    starting.detach(&format!("containerd-{number}"), &mut containerd)?;
    starting.until(
        &format!("an answer of containerd on {}", node.name()),
        Duration::from_secs(30),
        || Seen::once((), process::succeeds(ctr(node).arg("version"))),
    )?;
    load(node, images)?;
    let mut kubelet = network::inside(node);
    kubelet.arg(starting.binaries.program("kubelet")).args(kubelet_arguments(node));
    starting.detach(&format!("kubelet-{number}"), &mut kubelet)?;
    let mut proxy = network::inside(node);
    proxy.arg(starting.binaries.program("kube-proxy")).args(proxy_arguments(node));
    starting.detach(&format!("kube-proxy-{number}"), &mut proxy)
}

/// Brings images to the node; those that it has already are passed over.
pub(crate) fn load(node: Node, images: &[Image]) -> anyhow::Result<()> {
    let loaded = node.folder().join("images");
    fs::create_dir_all(&loaded)?;
    for image in images {
        let mark = loaded.join(image.reference.replace('/', "_"));
        if std::fs::read_to_string(&mark).is_ok_and(|key| key == image.key) {
            continue;
        }
        process::run(ctr(node).args(["--namespace", "k8s.io", "images", "import"]).arg(&image.archive))?;
        fs::write(&mark, &image.key)?;
    }
    Ok(())
}

fn ctr(node: Node) -> Command {
    let mut command = Command::new("ctr");
    command.arg("--address").arg(node.socket());
    command
}

fn configure(starting: &Starting<'_>, node: Node) -> anyhow::Result<()> {
    let folder = node.folder();
    for below in ["cni", "containerd", "state", "kubelet"] {
        fs::create_dir_all(folder.join(below))?;
    }
    let credential = starting.authority.kubelet(&node.name(), node.address())?;
    credential.write(&node.name())?;
    fs::write(folder.join("kubeconfig"), starting.authority.kubeconfig(&credential))?;
    let containerd = Containerd {
        root: folder.join("containerd"),
        state: folder.join("state"),
        socket: node.socket(),
        programs: starting.binaries.folder.clone(),
        network: folder.join("cni"),
        shares_kernel: true,
    };
    fs::write(folder.join("containerd.toml"), containerd.toml())?;
    fs::write(
        folder.join("cni/10-todostack.conflist"),
        pod_network(&node.pods(), &folder.join("ipam"), true),
    )?;
    Ok(fs::write(folder.join("kubelet.yaml"), kubelet_configuration(node)?)?)
}

/// containerd's settings, for ordinary nodes and for the one with a kernel of its own.
pub(crate) struct Containerd {
    pub(crate) root: PathBuf,
    pub(crate) state: PathBuf,
    pub(crate) socket: PathBuf,
    /// The CNI plugins.
    pub(crate) programs: PathBuf,
    /// The CNI configuration.
    pub(crate) network: PathBuf,
    /// Whether the machine's kernel, and so its limits, are those of the pods.
    pub(crate) shares_kernel: bool,
}

impl Containerd {
    /// The configuration file, for containerd 1.6 and later.
    pub(crate) fn toml(&self) -> String {
        let Self { root, state, socket, programs, network, shares_kernel } = self;
        let [root, state, socket, programs, network] =
            [root, state, socket, programs, network].map(|path| path.display());
        let cri = "plugins.\"io.containerd.grpc.v1.cri\"";
        // Without CAP_SYS_RESOURCE a lower oom_score_adj is refused; and the pods' network namespaces would stay behind
        // on the machine.
        let shared = if *shares_kernel {
            "restrict_oom_score_adj = true\nnetns_mounts_under_state_dir = true\n"
        } else {
            ""
        };
        format!(
            "version = 2\nroot = \"{root}\"\nstate = \"{state}\"\n[grpc]\naddress = \"{socket}\"\n\
             [{cri}]\nsandbox_image = \"{PAUSE}\"\ndisable_apparmor = true\n\
             tolerate_missing_hugetlb_controller = true\n{shared}\
             [{cri}.cni]\nbin_dir = \"{programs}\"\nconf_dir = \"{network}\"\n\
             [{cri}.containerd.runtimes.runc]\nruntime_type = \"io.containerd.runc.v2\"\n"
        )
    }
}

/// The CNI configuration of a node.
pub(crate) fn pod_network(pods: &str, addresses: &Path, host_ports: bool) -> String {
    let bridge = json!({
        "type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": pods}]], "routes": [{"dst": "0.0.0.0/0"}],
                 "dataDir": addresses},
    });
    let mut plugins = vec![bridge];
    if host_ports {
        plugins.push(json!({"type": "portmap", "capabilities": {"portMappings": true}}));
    }
    json!({"cniVersion": "1.0.0", "name": "todostack", "plugins": plugins}).to_string()
}

/// The kubelet's settings that all nodes share.
pub(crate) fn kubelet_base(pki: &Path, name: &str, resolv_conf: &Path, socket: &Path) -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "x509": {"clientCAFile": pki.join("ca.crt")},
            "webhook": {"enabled": true},
            "anonymous": {"enabled": false},
        },
        "authorization": {"mode": "Webhook"},
        "clusterDNS": [plan::DNS],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": format!("unix://{}", socket.display()),
        "cgroupDriver": "cgroupfs",
        "failSwapOn": false,
        "tlsCertFile": pki.join(format!("{name}.crt")),
        "tlsPrivateKeyFile": pki.join(format!("{name}.key")),
        // Images are not to be had again: never collect them, and evict late.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%"},
        "localStorageCapacityIsolation": false,
        "resolvConf": resolv_conf,
    })
}

fn kubelet_configuration(node: Node) -> anyhow::Result<String> {
    let resolv_conf = plan::state("resolv.conf");
    let mut settings = kubelet_base(&certificates::file(""), &node.name(), &resolv_conf, &node.socket());
    let own = json!({
        "cgroupRoot": format!("/{}", node.cgroup()),
        // Tolerates a refused oom_score_adj, as on a machine without CAP_SYS_RESOURCE.
        "featureGates": {"KubeletInUserNamespace": true},
        "failCgroupV1": !cgroups::are_version_1()?,
    });
    if let (Value::Object(settings), Value::Object(own)) = (&mut settings, own) {
        settings.extend(own);
    }
    Ok(settings.to_string())
}

fn kubelet_arguments(node: Node) -> Vec<String> {
    let folder = node.folder();
    let path = |name: &str| folder.join(name).display().to_string();
    let mut arguments = vec![
        format!("--config={}", path("kubelet.yaml")),
        format!("--kubeconfig={}", path("kubeconfig")),
        format!("--root-dir={}", path("kubelet")),
        format!("--cert-dir={}", path("kubelet-certs")),
        format!("--hostname-override={}", node.name()),
        format!("--node-ip={}", node.address()),
    ];
    if node.number == 1 {
        arguments.push(format!("--node-labels={INGRESS_LABEL}"));
    }
    arguments
}

fn proxy_arguments(node: Node) -> Vec<String> {
    vec![
        format!("--kubeconfig={}", certificates::file("kube-proxy.conf").display()),
        format!("--hostname-override={}", node.name()),
        format!("--cluster-cidr={}", plan::PODS),
        "--proxy-mode=iptables".to_owned(),
        format!("--nodeport-addresses={}/32", node.address()),
        // Its limits on connection tracking are the machine's, which are not the cluster's to set.
        "--conntrack-max-per-core=0".to_owned(),
        "--conntrack-tcp-timeout-established=0".to_owned(),
        "--conntrack-tcp-timeout-close-wait=0".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_node_carries_the_ingress_and_the_others_do_not() {
        let labels =
            |number| kubelet_arguments(Node { number }).iter().any(|word| word.ends_with(INGRESS_LABEL));
        assert!(labels(1));
        assert!(!labels(2));
    }

    #[test]
    fn containerd_is_told_its_own_folders() {
        let toml = Containerd {
            root: "/s/node-1/containerd".into(),
            state: "/s/node-1/state".into(),
            socket: "/s/node-1/containerd.sock".into(),
            programs: "/cache/bin".into(),
            network: "/s/node-1/cni".into(),
            shares_kernel: true,
        };
        insta::assert_snapshot!(toml.toml());
    }

    #[test]
    fn host_ports_are_mapped_only_where_there_are_any() {
        let network = |host_ports| pod_network("10.244.1.0/24", Path::new("/ipam"), host_ports);
        assert!(network(true).contains("portmap"));
        assert!(!network(false).contains("portmap"));
    }
}
