//! An ordinary node: containerd, kubelet and kube-proxy in namespaces of this machine, and their settings.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fs_err as fs;
use serde_json::{Value, json};

use super::plan::{self, Node};
use super::starting::Starting;
use super::{cgroups, control_plane, network};
use crate::image::Image;
use crate::process;
use crate::wait::Probe;

pub(crate) const PAUSE: &str = "localhost/pause:1";
/// The label of the node for the add-ons and the Ingress controller, whose host ports are the machine's.
pub(crate) const INGRESS_LABEL: &str = "todostack.dev/ingress=true";

/// Starts the node's programs; returns when containerd answers, before the kubelet is ready.
pub(crate) fn start(starting: &mut Starting<'_>, node: Node, images: &[Image]) -> anyhow::Result<()> {
    configure(starting, node)?;
    let number = node.number;
    let mut containerd = network::inside(node);
    containerd.args(["containerd", "--config"]).arg(node.folder().join("containerd.toml"));
    starting.detach(&format!("containerd-{number}"), &mut containerd)?;
    starting.until(&format!("containerd on {} to answer", node.name()), Duration::from_secs(30), || {
        Probe::done_if(process::succeeds(ctr(node).arg("version")), ())
    })?;
    load(node, images)?;
    for (name, arguments) in [("kubelet", kubelet_arguments(node)), ("kube-proxy", proxy_arguments(node))] {
        let mut command = network::inside(node);
        command.arg(starting.binaries.program(name)).args(arguments);
        starting.detach(&format!("{name}-{number}"), &mut command)?;
    }
    Ok(())
}

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
    credential.write(&control_plane::pki(&node.name()))?;
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
    let network = pod_network(&node.pods(), &folder.join("ipam"), true);
    fs::write(folder.join("cni/10-todostack.conflist"), network)?;
    Ok(fs::write(folder.join("kubelet.yaml"), kubelet_configuration(node)?)?)
}

/// The settings of containerd, on ordinary nodes and on the NFS node.
pub(crate) struct Containerd {
    pub(crate) root: PathBuf,
    pub(crate) state: PathBuf,
    pub(crate) socket: PathBuf,
    /// The folder of the CNI plugins.
    pub(crate) programs: PathBuf,
    pub(crate) network: PathBuf,
    /// Whether the pods run on the machine's kernel, and so have its limits.
    pub(crate) shares_kernel: bool,
}

impl Containerd {
    /// The configuration file, for containerd 1.6 and later.
    pub(crate) fn toml(&self) -> String {
        let Self { root, state, socket, programs, network, shares_kernel } = self;
        let [root, state, socket, programs, network] =
            [root, state, socket, programs, network].map(|path| path.display());
        let cri = "plugins.\"io.containerd.grpc.v1.cri\"";
        // A process without CAP_SYS_RESOURCE may not lower its oom_score_adj. And without
        // netns_mounts_under_state_dir, network namespaces of pods outlive the cluster.
        let shared = "restrict_oom_score_adj = true\nnetns_mounts_under_state_dir = true\n";
        let shared = if *shares_kernel { shared } else { "" };
        format!(
            "version = 2\nroot = \"{root}\"\nstate = \"{state}\"\n[grpc]\naddress = \"{socket}\"\n\
             [{cri}]\nsandbox_image = \"{PAUSE}\"\ndisable_apparmor = true\n\
             tolerate_missing_hugetlb_controller = true\n{shared}\
             [{cri}.cni]\nbin_dir = \"{programs}\"\nconf_dir = \"{network}\"\n\
             [{cri}.containerd.runtimes.runc]\nruntime_type = \"io.containerd.runc.v2\"\n"
        )
    }
}

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
        // There is no registry to pull an image from again: never collect images, and evict late.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%"},
        "localStorageCapacityIsolation": false,
        "resolvConf": resolv_conf,
    })
}

fn kubelet_configuration(node: Node) -> anyhow::Result<String> {
    let resolv_conf = plan::state("resolv.conf");
    let mut settings = kubelet_base(&control_plane::pki(""), &node.name(), &resolv_conf, &node.socket());
    let own = json!({
        "cgroupRoot": format!("/{}", node.cgroup()),
        // Tolerates the failure to lower oom_score_adj on a machine without CAP_SYS_RESOURCE.
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
        format!("--kubeconfig={}", control_plane::pki("kube-proxy.conf").display()),
        format!("--hostname-override={}", node.name()),
        format!("--cluster-cidr={}", plan::PODS),
        "--proxy-mode=iptables".to_owned(),
        format!("--nodeport-addresses={}/32", node.address()),
        // 0 keeps the limits on connection tracking: they are those of the whole machine.
        "--conntrack-max-per-core=0".to_owned(),
        "--conntrack-tcp-timeout-established=0".to_owned(),
        "--conntrack-tcp-timeout-close-wait=0".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_node_has_the_ingress_label() {
        let label = format!("--node-labels={INGRESS_LABEL}");
        assert!(kubelet_arguments(Node { number: 1 }).contains(&label));
        assert!(!kubelet_arguments(Node { number: 2 }).contains(&label));
    }

    #[test]
    fn containerd_uses_the_folders_of_its_node() {
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
    fn host_ports_are_mapped_only_on_nodes_that_have_them() {
        let network = |host_ports| pod_network("10.244.1.0/24", Path::new("/ipam"), host_ports);
        assert!(network(true).contains("portmap"));
        assert!(!network(false).contains("portmap"));
    }
}
