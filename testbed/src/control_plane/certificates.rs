//! A control plane's certificate authority, and the certificates and kubeconfigs that it issues.

use std::net::Ipv4Addr;
use std::path::Path;

use base64::Engine as _;
use fs_err as fs;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde_json::json;

use super::Place;

pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    place: Place,
    /// As PEM.
    pub(crate) certificate: String,
}

/// A certificate and its key, as PEM.
pub struct Credential {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    /// Creates an authority, and writes its certificate and key, which the control plane reads.
    pub(crate) fn create(place: Place) -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.distinguished_name.push(DnType::CommonName, "todostack-cluster");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.pem();
        fs::create_dir_all(place.pki(""))?;
        fs::write(place.pki("ca.crt"), &certificate)?;
        fs::write(place.pki("ca.key"), key.serialize_pem())?;
        Ok(Self { issuer: Issuer::new(params, key), place, certificate })
    }

    /// A certificate of a user and group (common name and organization), and for a server's names and
    /// addresses.
    pub fn sign(&self, user: &str, group: Option<&str>, names: Vec<String>) -> anyhow::Result<Credential> {
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
    pub fn kubeconfig(&self, credential: &Credential) -> String {
        let encode = |pem: &str| base64::engine::general_purpose::STANDARD.encode(pem);
        let Credential { certificate, key } = credential;
        let name = "todostack";
        let cluster =
            json!({"server": self.place.url(), "certificate-authority-data": encode(&self.certificate)});
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
        let addresses = [Ipv4Addr::LOCALHOST, Ipv4Addr::new(10, 96, 0, 1), self.place.address];
        let names = names.map(str::to_owned).into_iter().chain(addresses.map(|ip| ip.to_string()));
        self.sign("kube-apiserver", None, names.collect())?.write(&self.place.pki("apiserver"))?;
        let masters = Some("system:masters");
        self.sign("kube-apiserver-kubelet-client", masters, vec![])?
            .write(&self.place.pki("kubelet-client"))?;
        self.sign("front-proxy", None, vec![])?.write(&self.place.pki("front-proxy"))?;
        let tokens = KeyPair::generate()?;
        fs::write(self.place.pki("service-accounts.key"), tokens.serialize_pem())?;
        fs::write(self.place.pki("service-accounts.pub"), tokens.public_key_pem())?;
        for name in ["kube-controller-manager", "kube-scheduler", "kube-proxy"] {
            let credential = self.sign(&format!("system:{name}"), None, vec![])?;
            fs::write(self.place.pki(&format!("{name}.conf")), self.kubeconfig(&credential))?;
        }
        let administrator = self.kubeconfig(&self.sign("admin", masters, vec![])?);
        fs::write(self.place.pki("admin.conf"), &administrator)?;
        Ok(administrator)
    }

    pub(crate) fn kubelet(&self, node: &str, address: Ipv4Addr) -> anyhow::Result<Credential> {
        let names = vec![node.to_owned(), address.to_string()];
        self.sign(&format!("system:node:{node}"), Some("system:nodes"), names)
    }
}

impl Credential {
    /// Writes `PATH.crt` and `PATH.key`.
    pub(crate) fn write(&self, path: &Path) -> std::io::Result<()> {
        fs::write(path.with_extension("crt"), &self.certificate)?;
        fs::write(path.with_extension("key"), &self.key)
    }
}
