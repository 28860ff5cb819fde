//! The command lines of etcd, API server, controller-manager and scheduler, for any place. Starts none.

pub mod certificates;

use std::net::Ipv4Addr;
use std::path::PathBuf;

/// Where a control plane keeps its files, and where it listens.
#[derive(Clone, Debug)]
pub struct Place {
    pub folder: PathBuf,
    /// The API server's address.
    pub address: Ipv4Addr,
    pub ports: Ports,
    /// The range of Services' addresses.
    pub services: &'static str,
    /// The range that the nodes' pod ranges are cut from.
    pub pods: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub struct Ports {
    pub api_server: u16,
    pub etcd: u16,
    pub etcd_peers: u16,
    pub controller_manager: u16,
    pub scheduler: u16,
}

impl Ports {
    /// Those that the programs have by default.
    pub(crate) const DEFAULT: Self =
        Self { api_server: 6443, etcd: 2379, etcd_peers: 2380, controller_manager: 10257, scheduler: 10259 };
}

/// A process of the control plane.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// The file's name.
    pub(crate) file: &'static str,
    pub(crate) arguments: Vec<String>,
}

impl Place {
    /// A file of the certificates' folder.
    pub(crate) fn pki(&self, name: &str) -> PathBuf {
        self.folder.join("pki").join(name)
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}:{}", self.address, self.ports.api_server)
    }

    /// All of them, in the order of their start.
    pub(crate) fn programs(&self) -> Vec<Program> {
        // The main package of etcd is the folder "server", which names the program.
        [
            ("etcd", "server", self.etcd()),
            ("kube-apiserver", "kube-apiserver", self.api_server()),
            ("kube-controller-manager", "kube-controller-manager", self.controller_manager()),
            ("kube-scheduler", "kube-scheduler", self.scheduler()),
        ]
        .map(|(name, file, arguments)| Program { name, file, arguments })
        .into()
    }

    fn pki_text(&self, name: &str) -> String {
        self.pki(name).display().to_string()
    }

    fn etcd(&self) -> Vec<String> {
        // Without TLS: etcd listens only on a loopback address.
        let clients = format!("http://127.0.0.1:{}", self.ports.etcd);
        let peers = format!("http://127.0.0.1:{}", self.ports.etcd_peers);
        vec![
            format!("--data-dir={}", self.folder.join("etcd").display()),
            // The state need not survive the machine, and fsync is most of etcd's time.
            "--unsafe-no-fsync".to_owned(),
            format!("--listen-client-urls={clients}"),
            format!("--advertise-client-urls={clients}"),
            format!("--listen-peer-urls={peers}"),
            format!("--initial-advertise-peer-urls={peers}"),
            format!("--initial-cluster=default={peers}"),
        ]
    }

    fn api_server(&self) -> Vec<String> {
        let pki = |name: &str| self.pki_text(name);
        vec![
            format!("--etcd-servers=http://127.0.0.1:{}", self.ports.etcd),
            format!("--advertise-address={}", self.address),
            format!("--secure-port={}", self.ports.api_server),
            "--allow-privileged".to_owned(),
            "--authorization-mode=Node,RBAC".to_owned(),
            // As OpenShift has it: setting an owner reference requires more permissions.
            "--enable-admission-plugins=OwnerReferencesPermissionEnforcement".to_owned(),
            format!("--service-cluster-ip-range={}", self.services),
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

    fn controller_manager(&self) -> Vec<String> {
        let pki = |name: &str| self.pki_text(name);
        vec![
            format!("--kubeconfig={}", pki("kube-controller-manager.conf")),
            format!("--secure-port={}", self.ports.controller_manager),
            "--leader-elect=false".to_owned(),
            "--use-service-account-credentials".to_owned(),
            format!("--service-account-private-key-file={}", pki("service-accounts.key")),
            format!("--root-ca-file={}", pki("ca.crt")),
            format!("--cluster-signing-cert-file={}", pki("ca.crt")),
            format!("--cluster-signing-key-file={}", pki("ca.key")),
            format!("--cluster-cidr={}", self.pods),
        ]
    }

    fn scheduler(&self) -> Vec<String> {
        vec![
            format!("--kubeconfig={}", self.pki_text("kube-scheduler.conf")),
            format!("--secure-port={}", self.ports.scheduler),
            "--leader-elect=false".to_owned(),
        ]
    }
}
