//! The TLS certificate of an Ingress: one that comes later, and ones that cannot be served.

use std::fs;

use anyhow::{Result, ensure};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rstest::rstest;
use tempfile::TempDir;
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::{Namespace, with_namespace},
    remedy::Step,
    stack::{SOON, manifest},
};

// A folder with the files of a self-signed certificate, as the reported command names them.
fn issue(host: &str, last_year: i32) -> Result<TempDir> {
    let mut params = CertificateParams::new(vec![host.to_owned()])?;
    params.not_after = date_time_ymd(last_year, 12, 31);
    let key = KeyPair::generate()?;
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("tls.crt"), params.self_signed(&key)?.pem())?;
    fs::write(folder.path().join("tls.key"), key.serialize_pem())?;
    Ok(folder)
}

fn host(namespace: &Namespace) -> String {
    format!("{}.localhost", namespace.name)
}

fn spec(namespace: &Namespace) -> String {
    let exposure = format!("{{host: {}, ingress: {{tls: {{secretName: shop-tls}}}}}}", host(namespace));
    format!("{{database: {{sqlite: {{}}}}, exposure: {exposure}}}")
}

async fn apply(namespace: &Namespace) -> Result<()> {
    namespace.apply("shop", &spec(namespace)).await.map(drop)
}

// Creates the Secret from the files, without the check of `kubectl create secret tls`.
async fn create_secret(namespace: &Namespace, folder: &TempDir, keys: [&str; 2]) -> Result<()> {
    let [certificate, key] = keys;
    let file = |key: &str, file: &str| format!("--from-file={key}={}", folder.path().join(file).display());
    let (certificate, key) = (file(certificate, "tls.crt"), file(key, "tls.key"));
    namespace.kubectl(&["create", "secret", "generic", "shop-tls", &certificate, &key]).await.map(drop)
}

#[test]
fn the_remedy_of_a_missing_certificate_heals() -> Result<()> {
    with_namespace("latecert", async |namespace| {
        apply(namespace).await?;
        let message = namespace.until_not_ready("shop", Reason::TlsSecretNotFound, "shop-tls").await?;
        let folder = issue(&host(namespace), 2100)?;
        let step = Step::Run { after: "Create it", folder: folder.path(), values: &[] };
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

// A chart with one stack, as a team would have it.
fn chart(spec: &str) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("Chart.yaml"), "apiVersion: v2\nname: shop\nversion: 0.1.0\n")?;
    fs::create_dir(folder.path().join("templates"))?;
    fs::write(folder.path().join("templates/todostack.yaml"), manifest("shop", spec)?.to_string())?;
    Ok(folder)
}

// As with cert-manager. `Stalled` would end the wait at once.
#[test]
fn helm_waits_for_a_certificate_that_comes_20_s_later() -> Result<()> {
    with_namespace("helmwait", async |namespace| {
        let chart = chart(&spec(namespace))?;
        let path = chart.path().display().to_string();
        let install =
            ["install", "shop", &path, "--namespace", &namespace.name, "--wait=watcher", "--timeout=3m"];
        let late_certificate = async {
            namespace.until_not_ready("shop", Reason::TlsSecretNotFound, "shop-tls").await?;
            let stalled = ["wait", "--for=condition=Stalled", "todostack/shop", "--timeout=20s"];
            ensure!(namespace.kubectl(&stalled).await.is_err(), "the stack is Stalled within 20 s");
            let files = issue(&host(namespace), 2100)?;
            create_secret(namespace, &files, ["tls.crt", "tls.key"]).await
        };
        let installed = namespace.cluster.helm(&install);
        let (installed, certificate) = tokio::join!(installed, late_certificate);
        certificate?;
        installed?;
        namespace.until_ready_within(SOON, "shop").await.map(drop)
    })
}

#[rstest]
#[case::other_keys(None, 2100, ["cert", "key"], "has no key tls.crt")]
#[case::other_host(Some("other.localhost"), 2100, ["tls.crt", "tls.key"], "for other.localhost")]
#[case::expired(None, 2025, ["tls.crt", "tls.key"], "expired at 2025-12-31")]
fn a_certificate_that_cannot_be_served_is_reported_and_replaced_by_its_remedy(
    #[case] other_host: Option<&str>,
    #[case] last_year: i32,
    #[case] keys: [&str; 2],
    #[case] mention: &str,
) -> Result<()> {
    with_namespace("badcert", async |namespace| {
        let own = host(namespace);
        create_secret(namespace, &issue(other_host.unwrap_or(&own), last_year)?, keys).await?;
        apply(namespace).await?;
        let message = namespace.until_not_ready("shop", Reason::TlsSecretInvalid, mention).await?;
        let folder = issue(&own, 2100)?;
        let step = Step::Run { after: "replace it", folder: folder.path(), values: &[] };
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}
