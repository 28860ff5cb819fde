//! Stacks whose API cannot read the keys of the tokens' issuer. The issuer is the API server of the cluster:
//! a private authority signed its certificate, and it publishes the keys of service accounts as a JWKS.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::{Namespace, with_namespace},
    remedy::Step,
    symptom::Symptom,
};

const JWKS: &str = "https://kubernetes.default.svc/openid/v1/jwks";
// The API tries again after 10 s. Until then, the failure may pass.
const FAILS: Symptom = Symptom::AfterEvent("Unhealthy", "shop-api-", Duration::from_secs(10));

fn spec(url: &str, ca: &str) -> String {
    format!(
        "{{api: {{replicas: 1, auth: {{jwt: {{issuer: 'https://kubernetes.default.svc', audience: todos, \
           jwksUrl: '{url}'{ca}}}}}}}, database: {{sqlite: {{}}}}}}"
    )
}

// Lets clients without credentials read the keys of service accounts, as the discovery of OpenID Connect
// needs. The binding belongs to the namespace and is deleted with it.
async fn publish_keys(namespace: &Namespace) -> Result<()> {
    let get_uid = ["get", "namespace", &namespace.name, "-o", "jsonpath={.metadata.uid}"];
    let uid = namespace.cluster.kubectl(&get_uid).await?;
    let name = format!("{}-keys", namespace.name);
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "ownerReferences": [{
            "apiVersion": "v1", "kind": "Namespace", "name": namespace.name, "uid": uid.trim(),
        }]},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "system:service-account-issuer-discovery",
        },
        "subjects": [{
            "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:unauthenticated",
        }],
    });
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("binding.json");
    std::fs::write(&file, binding.to_string())?;
    let file = file.to_str().context("the path is UTF-8")?;
    namespace.cluster.kubectl(&["apply", "--filename", file]).await.map(drop)
}

// A folder with the file `ca.crt`, which is that of the API server.
async fn folder_with_authority(namespace: &Namespace) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let data = "jsonpath={.data.ca\\.crt}";
    let authority = namespace.kubectl(&["get", "configmap", "kube-root-ca.crt", "-o", data]).await?;
    std::fs::write(folder.path().join("ca.crt"), authority)?;
    Ok(folder)
}

// Names of cases are part of the names of captures in stack/src/diagnose/captured.
#[rstest]
#[case::not_found("http://good-api/nowhere", "404 Not Found")]
#[case::unknown_name("https://nowhere.invalid/keys", "dns error")]
fn keys_that_cannot_be_read_are_reported_with_url_and_error(
    #[case] url: &str,
    #[case] error: &str,
) -> Result<()> {
    with_namespace("keys", async |namespace| {
        publish_keys(namespace).await?;
        namespace.apply_and_wait("good", "{database: {sqlite: {}}}").await?;
        let ca = ", jwksCa: {configMap: {name: kube-root-ca.crt}}";
        let watch = namespace.apply_and_watch_for("shop", &spec(url, ca), FAILS).await?;
        let message = watch.diagnosed_as(Reason::JwksUnavailable, error).await?;
        ensure!(message.contains(url), "{message}");
        let step = Step::Set("spec.api.auth.jwt.jwksUrl", Some(JWKS));
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[test]
fn the_remedy_of_an_unknown_authority_heals() -> Result<()> {
    with_namespace("authority", async |namespace| {
        publish_keys(namespace).await?;
        namespace.apply("shop", &spec(JWKS, "")).await?;
        let error = "invalid peer certificate";
        let message = namespace.until_not_ready("shop", Reason::JwksUnavailable, error).await?;
        let folder = folder_with_authority(namespace).await?;
        let step = Step::Run { after: "to a ConfigMap", folder: folder.path(), values: &[] };
        namespace.follow("shop", &message, step).await?;
        namespace
            .follow("shop", &message, Step::Set("spec.api.auth.jwt.jwksCa.configMap.name", None))
            .await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[test]
fn an_authority_without_a_certificate_is_reported_and_the_remedy_heals() -> Result<()> {
    with_namespace("noca", async |namespace| {
        publish_keys(namespace).await?;
        namespace.kubectl(&["create", "configmap", "idp", "--from-literal=ca.crt=none"]).await?;
        namespace.apply("shop", &spec(JWKS, ", jwksCa: {configMap: {name: idp}}")).await?;
        let message = namespace.until_not_ready("shop", Reason::JwksCaInvalid, "idp").await?;
        let folder = folder_with_authority(namespace).await?;
        let step = Step::Run { after: "Set it", folder: folder.path(), values: &[] };
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

// The pods before keep serving with the keys that they have read.
#[test]
fn an_issuer_that_is_away_when_a_new_pod_starts_leaves_the_old_pods_alone() -> Result<()> {
    with_namespace("rollout", async |namespace| {
        publish_keys(namespace).await?;
        let ca = ", jwksCa: {configMap: {name: kube-root-ca.crt}}";
        let on_postgres = |url: &str| spec(url, ca).replace("sqlite", "postgres");
        namespace.apply_and_wait("shop", &on_postgres(JWKS)).await?;
        namespace.apply("shop", &on_postgres("https://nowhere.invalid/keys")).await?;
        namespace.until_not_ready("shop", Reason::JwksUnavailable, "nowhere.invalid").await?;
        let ready = ["get", "deployment", "shop-api", "-o", "jsonpath={.status.readyReplicas}"];
        ensure!(namespace.kubectl(&ready).await?.trim() == "1", "the old pod serves");
        namespace.apply_and_wait("shop", &on_postgres(JWKS)).await.map(drop)
    })
}
