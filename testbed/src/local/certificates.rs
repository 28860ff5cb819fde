//! The local cluster's certificate authority, and the certificates and kubeconfigs that it issues.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use base64::Engine as _;
use fs_err as fs;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use serde_json::json;

use super::plan::{self, Node};

/// The certificate authority of the cluster.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

/// A certificate and its key, as PEM.
pub(crate) struct Credential {
    certificate: String,
    key: String,
}

/// The subject of a certificate: user and group (common name and organization), and the server's names.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    user: &'a str,
    group: Option<&'a str>,
    names: &'a [&'a str],
    addresses: &'a [Ipv4Addr],
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

    pub(crate) fn sign(&self, subject: Subject<'_>) -> anyhow::Result<Credential> {
        let Subject { user, group, names, addresses } = subject;
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.subject_alt_names.extend(addresses.iter().map(|&ip| SanType::IpAddress(IpAddr::V4(ip))));
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
        let api_server = Subject {
            user: "kube-apiserver",
            group: None,
            names: &["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"],
            addresses: &[Ipv4Addr::LOCALHOST, Ipv4Addr::new(10, 96, 0, 1), Node { number: 1 }.address()],
        };
        self.sign(api_server)?.write("apiserver")?;
        self.sign(user("kube-apiserver-kubelet-client", Some("system:masters")))?.write("kubelet-client")?;
        self.sign(user("front-proxy", None))?.write("front-proxy")?;
        let tokens = KeyPair::generate()?;
        fs::write(file("service-accounts.key"), tokens.serialize_pem())?;
        fs::write(file("service-accounts.pub"), tokens.public_key_pem())?;
        for name in ["kube-controller-manager", "kube-scheduler", "kube-proxy"] {
            let credential = self.sign(user(&format!("system:{name}"), None))?;
            fs::write(file(&format!("{name}.conf")), self.kubeconfig(&credential))?;
        }
        let administrator = self.kubeconfig(&self.sign(user("admin", Some("system:masters")))?);
        fs::write(file("admin.conf"), &administrator)?;
        Ok(administrator)
    }

    /// The client and server certificate of a kubelet.
    pub(crate) fn kubelet(&self, node: &str, address: Ipv4Addr) -> anyhow::Result<Credential> {
        self.sign(Subject {
            user: &format!("system:node:{node}"),
            group: Some("system:nodes"),
            names: &[node],
            addresses: &[address],
        })
    }

    /// The authority's certificate as PEM.
    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }
}

impl Credential {
    /// Writes `NAME.crt` and `NAME.key`.
    pub(crate) fn write(&self, name: &str) -> std::io::Result<()> {
        fs::write(file(&format!("{name}.crt")), &self.certificate)?;
        fs::write(file(&format!("{name}.key")), &self.key)
    }

    /// The certificate and the key as PEM.
    pub(crate) fn pem(&self) -> (&str, &str) {
        (&self.certificate, &self.key)
    }
}

fn user<'a>(user: &'a str, group: Option<&'a str>) -> Subject<'a> {
    Subject { user, group, names: &[], addresses: &[] }
}

/// The path of a certificate, key or kubeconfig.
pub(crate) fn file(name: &str) -> PathBuf {
    plan::state("pki").join(name)
}
