//! TLS to a Postgres whose certificate a private authority signed: which `PGSSLMODE` and `PGSSLROOTCERT`
//! connect.

use std::{fs, process::Command};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use todostack_dev_postgres::Options;

use crate::postgres_server::PostgresServer;

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// Whether `todostack-api migrate` connects, and what it prints.
fn migrate(server: &PostgresServer, host: &str, mode: &str, certificates: Option<&str>) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_todostack-api"));
    let port = server.options().get_port().to_string();
    command.args(["migrate", "--check"]).env_clear().env("PGHOST", host).env("PGPORT", port);
    command.env("PGUSER", "postgres").env("PGDATABASE", "postgres").env("PGSSLMODE", mode);
    command.envs(certificates.map(|pem| ("PGSSLROOTCERT", pem)));
    let output = command.output().unwrap();
    let printed = String::from_utf8(output.stderr).unwrap();
    // The schema is missing: a client that reads that has connected.
    (printed.contains("schema version 0"), printed)
}

#[tokio::test]
async fn a_private_authority_is_trusted_only_if_its_certificate_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority();
    let key = KeyPair::generate().unwrap();
    let names = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = names.signed_by(&key, &authority).unwrap();
    let (certificate_file, key_file) = (folder.path().join("server.crt"), folder.path().join("server.key"));
    fs::write(&certificate_file, certificate.pem()).unwrap();
    fs::write(&key_file, key.serialize_pem()).unwrap();
    let server = PostgresServer::start(&Options::default());
    server.use_certificate(folder.path(), &certificate_file, &key_file).await;

    let own = authority.pem();
    let other = self::authority().pem();
    for (host, mode, certificates, connects) in [
        ("localhost", "verify-full", Some(&*own), true),
        ("localhost", "verify-full", None, false),
        ("localhost", "verify-full", Some(&*other), false),
        ("127.0.0.1", "verify-full", Some(&*own), false),
        ("127.0.0.1", "verify-ca", Some(&*own), true),
        ("127.0.0.1", "verify-ca", Some(&*other), false),
        ("127.0.0.1", "require", None, true),
    ] {
        let (connected, printed) = migrate(&server, host, mode, certificates);
        assert_eq!(connected, connects, "{host} {mode}: {printed}");
    }
}
