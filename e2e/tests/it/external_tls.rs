//! TLS to an external database whose certificate a private authority signed. Which modes connect is tested in
//! `api-server/tests/it/tls.rs`.

use anyhow::{Result, ensure};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use todostack_crds::Reason;
use todostack_e2e::{
    external_database::OWNER,
    namespace::{Namespace, with_namespace},
};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Result<Authority> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    Ok(CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?)
}

// Lets the external database serve TLS with a certificate of this authority.
async fn serve_tls(namespace: &Namespace, authority: &Authority) -> Result<()> {
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["shop-database".to_owned()])?.signed_by(&key, authority)?;
    let files = [("tls.crt", &*certificate.pem()), ("tls.key", &*key.serialize_pem())];
    namespace.apply_secret("certificate", &files).await?;
    let settings = ["ssl=on", "ssl_cert_file=/certificate/tls.crt", "ssl_key_file=/certificate/tls.key"];
    let arguments: Vec<_> =
        std::iter::once("postgres").chain(settings.into_iter().flat_map(|it| ["-c", it])).collect();
    // Postgres rejects a key that others than the group may read; `fsGroup` is the server's group.
    let secret = json!({"secretName": "certificate", "defaultMode": 0o640});
    let mount = json!({"name": "certificate", "mountPath": "/certificate"});
    let template = json!({"spec": {
        "containers": [{"name": "postgres", "args": arguments, "volumeMounts": [mount]}],
        "volumes": [{"name": "certificate", "secret": secret}],
    }});
    let strategy = json!({"type": "Recreate", "rollingUpdate": null});
    let patch = json!({"spec": {"strategy": strategy, "template": template}}).to_string();
    namespace.kubectl(&["patch", "deployment", "shop-database", "--patch", &patch]).await?;
    namespace.kubectl(&["rollout", "status", "deployment/shop-database", "--timeout=120s"]).await.map(drop)
}

async fn apply_login(namespace: &Namespace, secret: &str, authority: &Authority) -> Result<()> {
    let data = [
        ("host", "shop-database"),
        ("dbname", "shop"),
        ("username", OWNER.username),
        ("password", OWNER.password),
        ("sslmode", "verify-full"),
        ("ca.crt", &*authority.pem()),
    ];
    namespace.apply_secret(secret, &data).await
}

#[test]
fn the_certificate_of_a_database_is_verified_with_the_authority_of_its_secret() -> Result<()> {
    with_namespace("authority", async |namespace| {
        let (own, other) = (authority()?, authority()?);
        namespace.external_database(OWNER, &[]).await?;
        serve_tls(namespace, &own).await?;
        apply_login(namespace, "login", &other).await?;
        let spec = "{api: {replicas: 1}, database: {external: {secret: {name: login}}}}";
        namespace.apply("shop", spec).await?;
        namespace.until_not_ready("shop", Reason::DatabaseUnreachable, "certificate").await?;
        apply_login(namespace, "login", &own).await?;
        namespace.until_ready("shop").await?;
        let encrypted = "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) \
                         where application_name = 'todostack-api'";
        let printed = namespace.external_psql(encrypted).await?;
        ensure!(printed.trim() == "t", "connections of the API are encrypted: {printed}");
        Ok(())
    })
}
