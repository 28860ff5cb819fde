//! The command lines of etcd, API server, controller-manager and scheduler, which run in node 1's network.

use std::time::Duration;

use super::certificates::file;
use super::network;
use super::plan::{self, Node};
use super::starting::Starting;
use crate::cluster_tools::ClusterTools;
use crate::wait::Probe;

// Without TLS: etcd listens only on the loopback address of node 1's network.
const ETCD: &str = "http://127.0.0.1:2379";
const ETCD_PEER: &str = "http://127.0.0.1:2380";

pub(crate) fn start(starting: &mut Starting<'_>, cluster: &ClusterTools) -> anyhow::Result<()> {
    // The main package of etcd is the folder "server", which names the program.
    let programs = [
        ("etcd", "server", etcd()),
        ("kube-apiserver", "kube-apiserver", api_server()),
        ("kube-controller-manager", "kube-controller-manager", controller_manager()),
        ("kube-scheduler", "kube-scheduler", scheduler()),
    ];
    for (name, program, arguments) in programs {
        let mut command = network::inside_network(Node { number: 1 });
        command.arg("setsid").arg(starting.binaries.program(program)).args(arguments);
        starting.detach(name, &mut command)?;
    }
    starting.until("the API server to become ready", Duration::from_mins(1), || {
        Probe::done_if(cluster.is_ready(), ())
    })
}

fn etcd() -> Vec<String> {
    let data = plan::state("etcd");
    vec![
        format!("--data-dir={}", data.display()),
        // The state need not survive the machine, and fsync is most of etcd's time.
        "--unsafe-no-fsync".to_owned(),
        format!("--listen-client-urls={ETCD}"),
        format!("--advertise-client-urls={ETCD}"),
        format!("--listen-peer-urls={ETCD_PEER}"),
        format!("--initial-advertise-peer-urls={ETCD_PEER}"),
        format!("--initial-cluster=default={ETCD_PEER}"),
    ]
}

fn api_server() -> Vec<String> {
    let pki = |name: &str| file(name).display().to_string();
    vec![
        format!("--etcd-servers={ETCD}"),
        format!("--advertise-address={}", Node { number: 1 }.address()),
        "--allow-privileged".to_owned(),
        "--authorization-mode=Node,RBAC".to_owned(),
        // As OpenShift has it: setting an owner reference requires more permissions.
        "--enable-admission-plugins=OwnerReferencesPermissionEnforcement".to_owned(),
        format!("--service-cluster-ip-range={}", plan::SERVICES),
        format!("--tls-cert-file={}", pki("apiserver.crt")),
        format!("--tls-private-key-file={}", pki("apiserver.key")),
        format!("--client-ca-file={}", pki("ca.crt")),
        format!("--service-account-key-file={}", pki("service-accounts.pub")),
        format!("--service-account-signing-key-file={}", pki("service-accounts.key")),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--kubelet-certificate-authority={}", pki("ca.crt")),
        format!("--kubelet-client-certificate={}", pki("kubelet-client.crt")),
        format!("--kubelet-client-key={}", pki("kubelet-client.key")),
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
        // By these an aggregated API, such as metrics-server, authenticates the API server.
        format!("--requestheader-client-ca-file={}", pki("ca.crt")),
        "--requestheader-allowed-names=front-proxy".to_owned(),
        "--requestheader-username-headers=X-Remote-User".to_owned(),
        "--requestheader-group-headers=X-Remote-Group".to_owned(),
        "--requestheader-extra-headers-prefix=X-Remote-Extra-".to_owned(),
        format!("--proxy-client-cert-file={}", pki("front-proxy.crt")),
        format!("--proxy-client-key-file={}", pki("front-proxy.key")),
    ]
}

fn controller_manager() -> Vec<String> {
    let pki = |name: &str| file(name).display().to_string();
    vec![
        format!("--kubeconfig={}", pki("kube-controller-manager.conf")),
        "--leader-elect=false".to_owned(),
        "--use-service-account-credentials".to_owned(),
        format!("--service-account-private-key-file={}", pki("service-accounts.key")),
        format!("--root-ca-file={}", pki("ca.crt")),
        format!("--cluster-signing-cert-file={}", pki("ca.crt")),
        format!("--cluster-signing-key-file={}", pki("ca.key")),
        format!("--cluster-cidr={}", plan::PODS),
    ]
}

fn scheduler() -> Vec<String> {
    vec![format!("--kubeconfig={}", file("kube-scheduler.conf").display()), "--leader-elect=false".to_owned()]
}
