//! The local cluster's certificate authority, and the certificates and kubeconfigs that it issues.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use base64::Engine as _;
use fs_err as fs;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde_json::json;

use super::plan::{self, Node};

pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// As PEM.
    pub(crate) certificate: String,
}

/// A certificate and its key, as PEM.
pub(crate) struct Credential {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    /// Creates an authority, and writes its certificate and key, which the control plane reads.
    pub(crate) fn create() -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.distinguished_name.push(DnType::CommonName, "todostack-cluster");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        fs::create_dir_all(file(""))?;
        fs::write(file("ca.crt"), &certificate)?;
        fs::write(file("ca.key"), key.serialize_pem())?;
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// A certificate of a user and group (common name and organization), and for a server's names and
    /// addresses.
    fn sign(&self, user: &str, group: Option<&str>, names: Vec<String>) -> anyhow::Result<Credential> {
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, user);
        if let Some(group) = group {
            params.distinguished_name.push(DnType::OrganizationName, group);
        }
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?.pem();
        Ok(Credential { certificate, key: key.serialize_pem() })
    }

    /// A kubeconfig with everything inside that `credential` needs to reach the API server.
    pub(crate) fn kubeconfig(&self, credential: &Credential) -> String {
        let encode = |pem: &str| base64::engine::general_purpose::STANDARD.encode(pem);
        let Credential { certificate, key } = credential;
        let name = "todostack";
        let cluster =
            json!({"server": plan::api_server(), "certificate-authority-data": encode(&self.certificate)});
        let user = json!({"client-certificate-data": encode(certificate), "client-key-data": encode(key)});
        // JSON is YAML, and needs no quoting by hand.
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        })
        .to_string()
    }

    /// Writes the files of the control plane; returns the administrator's kubeconfig, which is one of them.
    pub(crate) fn issue_control_plane(&self) -> anyhow::Result<String> {
        let names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"];
        let addresses = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(10, 96, 0, 1), Node { number: 1 }.address()];
        let names = names.map(str::to_owned).into_iter().chain(addresses.map(|ip| ip.to_string()));
        self.sign("kube-apiserver", None, names.collect())?.write("apiserver")?;
        let masters = Some("system:masters");
        self.sign("kube-apiserver-kubelet-client", masters, vec![])?.write("kubelet-client")?;
        self.sign("front-proxy", None, vec![])?.write("front-proxy")?;
        let tokens = KeyPair::generate()?;
        fs::write(file("service-accounts.key"), tokens.serialize_pem())?;
        fs::write(file("service-accounts.pub"), tokens.public_key_pem())?;
        for name in ["kube-controller-manager", "kube-scheduler", "kube-proxy"] {
            let credential = self.sign(&format!("system:{name}"), None, vec![])?;
            fs::write(file(&format!("{name}.conf")), self.kubeconfig(&credential))?;
        }
        let administrator = self.kubeconfig(&self.sign("admin", masters, vec![])?);
        fs::write(file("admin.conf"), &administrator)?;
        Ok(administrator)
    }

    pub(crate) fn kubelet(&self, node: &str, address: Ipv4Addr) -> anyhow::Result<Credential> {
        let names = vec![node.to_owned(), address.to_string()];
        self.sign(&format!("system:node:{node}"), Some("system:nodes"), names)
    }
}

impl Credential {
    /// Writes `NAME.crt` and `NAME.key`.
    pub(crate) fn write(&self, name: &str) -> std::io::Result<()> {
        fs::write(file(&format!("{name}.crt")), &self.certificate)?;
        fs::write(file(&format!("{name}.key")), &self.key)
    }
}

pub(crate) fn file(name: &str) -> PathBuf {
    plan::state("pki").join(name)
}
