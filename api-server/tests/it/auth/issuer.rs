//! An issuer whose keys cannot be read: before they were read once, and afterwards; and one with a
//! certificate of a private authority.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use axum::{Json, Router, routing::get};
use http::{Method, StatusCode};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rstest::rstest;
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring::default_provider};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject as _};
use serde_json::json;
use tempfile::NamedTempFile;
use todostack_api::auth::{Auth, AuthSettings, KeySource};

use super::{Issuer, send, settings};
use crate::{
    server_process::Server,
    service::{On, Service, listen},
};

const NO_PAUSE: Duration = Duration::ZERO;

/// The key set of an issuer, which answers 404 while it is away. Returns its address and the switch.
async fn jwks(issuer: &Issuer) -> (String, Arc<AtomicBool>) {
    let is_there = Arc::new(AtomicBool::new(false));
    let (answers, keys) = (Arc::clone(&is_there), json!({"keys": [issuer.jwk()]}));
    let jwks = get(async move || {
        let answer = answers.load(Ordering::SeqCst).then(|| Json(keys.clone()));
        answer.ok_or(StatusCode::NOT_FOUND)
    });
    let server = listen(Router::new().route("/jwks", jwks)).await;
    (format!("{}/jwks", server.base), is_there)
}

async fn service(url: &str, ca_file: Option<&Path>) -> Service {
    let keys = KeySource::Url { url: url.parse().unwrap(), ca_file: ca_file.map(Path::to_owned) };
    let auth = Auth::new(AuthSettings { reread_after: NO_PAUSE, ..settings(keys) }).unwrap();
    Service::start(On::Sqlite).await.with_auth(auth).await
}

async fn readiness(service: &Service) -> (StatusCode, String) {
    let reply = service.probes.get("/readyz").await;
    let checks = reply.json()["checks"].as_array().unwrap().clone();
    let keys = checks.iter().find(|check| check["name"] == "keys").unwrap();
    (reply.status, keys["detail"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_service_is_ready_when_the_keys_were_read_once_and_serves_on_while_the_issuer_is_away() {
    let issuer = Issuer::new("one");
    let (url, is_there) = jwks(&issuer).await;
    let service = service(&url, None).await;
    let token = issuer.token("ann", "todos:read");
    let request = async |token: &str| send(&service.client, Method::GET, "/todos", token).await;
    assert_eq!(readiness(&service).await, (StatusCode::SERVICE_UNAVAILABLE, "they are being read".into()));

    let reply = request(&token).await;
    assert_eq!(reply.problem(), (503, "keys-unavailable".to_owned()), "the token may be valid");
    assert_eq!(reply.header("retry-after"), "5");
    let why = format!("failed to fetch the JWKS from {url}: the response was 404 Not Found");
    assert_eq!(readiness(&service).await, (StatusCode::SERVICE_UNAVAILABLE, why));

    is_there.store(true, Ordering::SeqCst);
    assert_eq!(request(&token).await.status, StatusCode::OK);
    assert_eq!(readiness(&service).await.0, StatusCode::OK);

    is_there.store(false, Ordering::SeqCst);
    let unknown = Issuer::new("two").token("ann", "todos:read");
    assert_eq!(request(&unknown).await.status, StatusCode::UNAUTHORIZED, "it reads the keys again");
    assert_eq!(request(&token).await.status, StatusCode::OK, "the cached keys serve");
    assert_eq!(readiness(&service).await.0, StatusCode::OK);
    let metrics = String::from_utf8(service.probes.get("/metrics").await.body.to_vec()).unwrap();
    for line in [
        r#"todostack_api_jwks_reads_total{outcome="success"} 1"#,
        r#"todostack_api_jwks_reads_total{outcome="failure"} 2"#,
    ] {
        assert!(metrics.contains(line), "{line} is missing in\n{metrics}");
    }
}

fn healthcheck(server: &Server, arguments: &[&str]) -> (bool, String) {
    let operations = server.started["operations_listen"].as_str().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_todostack-api"));
    command.arg("healthcheck").args(arguments).env_clear().env("TODOSTACK_OPERATIONS_LISTEN", operations);
    let Output { status, stderr, .. } = command.output().unwrap();
    (status.success(), String::from_utf8(stderr).unwrap())
}

/// Waits until the check of the keys is answered so.
async fn until_healthcheck(server: &Server, is_expected: impl Fn(&(bool, String)) -> bool) -> String {
    let answered = async {
        loop {
            let answer = healthcheck(server, &["--keys"]);
            if is_expected(&answer) {
                return answer.1;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), answered).await.expect("the keys are read at once")
}

async fn server(url: &str) -> Server {
    let variables = [
        ("TODOSTACK_JWT_ISSUER", "https://issuer.example"),
        ("TODOSTACK_JWT_AUDIENCE", "todos"),
        ("TODOSTACK_JWKS_URL", url),
    ];
    Server::start_with(&variables).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_reads_the_keys_when_it_starts_and_its_health_check_names_url_and_error() {
    let (url, is_there) = jwks(&Issuer::new("one")).await;
    let secret = url.replace("http://", "http://user:s3cret@") + "?key=s3cret";
    let away = server(&secret).await;
    let printed = until_healthcheck(&away, |(_, printed)| printed.contains("404")).await;
    let expected =
        format!("no keys of the issuer yet: failed to fetch the JWKS from {url}: the response was");
    assert!(printed.contains(&expected) && printed.lines().count() == 1, "{printed}");
    let (is_healthy, whole) = healthcheck(&away, &[]);
    assert!(!is_healthy && whole.contains("keys: failed to fetch the JWKS"), "{whole}");
    assert!(!printed.contains("s3cret") && !whole.contains("s3cret"));

    is_there.store(true, Ordering::SeqCst);
    let there = server(&url).await;
    until_healthcheck(&there, |(is_healthy, _)| *is_healthy).await;
    assert_eq!(there.probes.get("/readyz").await.status, StatusCode::OK);
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// The key set of an issuer over HTTPS, with a certificate of this authority. Returns its address.
fn jwks_over_tls(issuer: &Issuer, authority: &Authority) -> String {
    let key = KeyPair::generate().unwrap();
    let names = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = names.signed_by(&key, authority).unwrap().der().clone();
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/jwks", listener.local_addr().unwrap().port());
    let body = json!({"keys": [issuer.jwk()]}).to_string();
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            // A client that does not trust the certificate closes the connection.
            if matches!(stream.read(&mut [0; 4096]), Ok(1..)) {
                let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
            }
        }
    });
    url
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_its_file_has_it() {
    let (issuer, own) = (Issuer::new("one"), authority());
    let url = jwks_over_tls(&issuer, &own);
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), authority().pem()).unwrap();
    let service = service(&url, Some(file.path())).await;
    let token = issuer.token("ann", "todos:read");
    let status = async || send(&service.client, Method::GET, "/todos", &token).await.status;
    assert_eq!(status().await, StatusCode::SERVICE_UNAVAILABLE);
    let (_, why) = readiness(&service).await;
    assert!(why.contains(&url) && why.contains("invalid peer certificate"), "{why}");
    // As the kubelet does it after a change of the ConfigMap.
    fs::write(file.path(), own.pem()).unwrap();
    assert_eq!(status().await, StatusCode::OK);
}

#[rstest]
#[case::missing(None, "No such file or directory")]
#[case::empty(Some(""), "the file has no PEM certificate")]
#[case::no_certificate(
    Some("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
    "no PEM certificate"
)]
#[case::broken(Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "")]
fn a_file_without_a_certificate_is_an_error_at_startup(#[case] text: Option<&str>, #[case] why: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.crt");
    if let Some(text) = text {
        fs::write(&path, text).unwrap();
    }
    let url = "https://localhost/jwks".parse().unwrap();
    let error =
        Auth::new(settings(KeySource::Url { url, ca_file: Some(path.clone()) })).unwrap_err().to_string();
    let start = format!("failed to trust the certificate authority of the JWKS: {}: ", path.display());
    assert!(error.starts_with(&start) && error.contains(why), "{error}");
    assert!(error.ends_with("Set TODOSTACK_JWKS_CA_FILE to a file of PEM certificates"), "{error}");
}
