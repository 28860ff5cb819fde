//! Stacks that cannot work: each says what is missing, by name, and the operator goes on with the others.

use anyhow::Result;
use rstest::rstest;
use todostack_crds::Reason;
use todostack_e2e::{
    namespace::{with_namespace, with_namespace_alone},
    symptom::Symptom,
};

/// One spec, the reason of its Ready condition, and what its message has to name.
#[rstest]
#[case::class(
    "{database: {postgres: {storage: {storageClassName: golden}}}}",
    Reason::StorageClassNotFound,
    "golden"
)]
#[case::sqlite_class(
    "{database: {sqlite: {storage: {storageClassName: golden}}}}",
    Reason::StorageClassNotFound,
    "golden"
)]
#[case::login("{database: {external: {secret: {name: their-login}}}}", Reason::SecretNotFound, "their-login")]
#[case::incomplete_login(
    "{database: {external: {secret: {name: half-login}}}}",
    Reason::SecretKeyMissing,
    "dbname"
)]
#[case::own_credentials(
    "{database: {postgres: {credentialsSecret: {name: half-login}}}}",
    Reason::SecretKeyMissing,
    "username"
)]
#[case::scripts(
    "{database: {postgres: {initScripts: {configMap: {name: seed}}}}}",
    Reason::ConfigMapNotFound,
    "seed"
)]
#[case::ingress_class(
    "{database: {sqlite: {}}, exposure: {ingress: {className: golden}}}",
    Reason::IngressClassNotFound,
    "golden"
)]
#[case::certificate(
    "{database: {sqlite: {}}, exposure: {host: shop.localhost, ingress: {tls: {secretName: shop-tls}}}}",
    Reason::TlsSecretNotFound,
    "shop-tls"
)]
#[tokio::test]
async fn what_is_missing_is_named(
    #[case] spec: &str,
    #[case] reason: Reason,
    #[case] named: &str,
) -> Result<()> {
    with_namespace("stuck", async |namespace| {
        namespace
            .kubectl(&[
                "create",
                "secret",
                "generic",
                "half-login",
                "--from-literal=host=db",
                "--from-literal=password=hush-6a4c",
            ])
            .await?;
        namespace.apply_and_see(("shop", spec), Symptom::Applied, (reason, named)).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn an_object_of_somebody_else_is_named_and_left_alone_while_other_stacks_go_on() -> Result<()> {
    with_namespace("taken", async |namespace| {
        let version = ["get", "service", "shop-api", "--output", "jsonpath={.metadata.resourceVersion}"];
        namespace.kubectl(&["create", "service", "clusterip", "shop-api", "--tcp=80:80"]).await?;
        let before = namespace.kubectl(&version).await?;
        let cause = (Reason::NameConflict, "shop-api");
        namespace.apply_and_see(("shop", "{database: {sqlite: {}}}"), Symptom::Applied, cause).await?;
        assert_eq!(namespace.kubectl(&version).await?, before);

        namespace.apply("good", "{database: {sqlite: {}}}").await?;
        namespace.ready("good").await?;

        namespace.kubectl(&["delete", "service", "shop-api"]).await?;
        namespace.ready("shop").await.map(drop)
    })
    .await
}

#[tokio::test]
async fn without_a_default_storage_class_the_remedy_is_named() -> Result<()> {
    with_namespace_alone("noclass", async |namespace| {
        let default = |is: &'static str| ["annotate", "--overwrite", "storageclass", "standard", is];
        namespace.kubectl(&default("storageclass.kubernetes.io/is-default-class=false")).await?;
        let cause = (Reason::NoDefaultStorageClass, "storageClassName");
        let outcome = namespace.apply_and_see(("shop", "{}"), Symptom::Applied, cause).await;
        namespace.kubectl(&default("storageclass.kubernetes.io/is-default-class=true")).await?;
        outcome?;
        namespace.ready("shop").await.map(drop)
    })
    .await
}
