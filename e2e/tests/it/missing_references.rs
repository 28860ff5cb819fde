//! Stacks that reference a missing object, or whose names are taken: both are reported by name, and other
//! stacks work.

use std::path::Path;

use anyhow::Result;
use rstest::rstest;
use todostack_crds::Reason;
use todostack_e2e::{
    cluster_objects::without_default_class,
    external_database::OWNER,
    namespace::{with_namespace, with_namespace_alone},
    remedy::Step,
    symptom::Symptom,
};

// Names of cases are part of the names of captures in stack/src/diagnose/captured.
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
#[case::authority(
    "{database: {sqlite: {}}, api: {auth: {jwt: {issuer: 'https://id', audience: a, \
       jwksUrl: 'https://id/keys', jwksCa: {configMap: {name: idp}}}}}}",
    Reason::ConfigMapNotFound,
    "idp"
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
fn a_missing_object_or_key_is_reported_by_name(
    #[case] spec: &str,
    #[case] reason: Reason,
    #[case] mention: &str,
) -> Result<()> {
    with_namespace("missing", async |namespace| {
        namespace.apply_secret("half-login", &[("host", "db"), ("password", "hush-6a4c")]).await?;
        namespace.ensure_diagnosed(spec, Symptom::Applied, reason, mention).await
    })
}

#[rstest]
#[case::ingress_class(
    "{database: {sqlite: {}}, exposure: {ingress: {className: golden}}}",
    Reason::IngressClassNotFound,
    Step::Set("spec.exposure.ingress.className", Some("traefik"))
)]
#[case::own_credentials(
    "{database: {postgres: {credentialsSecret: {name: half-login}}}}",
    Reason::SecretKeyMissing,
    Step::Run { after: "Add the key", folder: Path::new("."), values: &["shop"] }
)]
fn the_remedy_of_a_missing_reference_heals(
    #[case] spec: &str,
    #[case] reason: Reason,
    #[case] step: Step<'_>,
) -> Result<()> {
    with_namespace("referred", async |namespace| {
        namespace.apply_secret("half-login", &[("password", "hush-6a4c")]).await?;
        namespace.apply("shop", spec).await?;
        let message = namespace.until_not_ready("shop", reason, "").await?;
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[test]
fn the_remedy_of_missing_init_scripts_heals() -> Result<()> {
    with_namespace("scripts", async |namespace| {
        namespace.apply("shop", "{database: {postgres: {initScripts: {configMap: {name: seed}}}}}").await?;
        let message = namespace.until_not_ready("shop", Reason::ConfigMapNotFound, "seed").await?;
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("init.sql"), "create table seeds (name text);\n")?;
        let step = Step::Run { after: "Create it", folder: folder.path(), values: &[] };
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[test]
fn the_remedy_of_a_missing_login_heals() -> Result<()> {
    with_namespace("login", async |namespace| {
        namespace.external_database(OWNER, &[]).await?;
        namespace.apply("shop", "{api: {replicas: 1}, database: {external: {secret: {name: own}}}}").await?;
        let message = namespace.until_not_ready("shop", Reason::SecretNotFound, "own").await?;
        // The password is quoted for the shell.
        let values = ["shop-database", "shop", OWNER.username, "'owner-4f1c: it'\\''s own'"];
        let step = Step::Run { after: "Create it", folder: Path::new("."), values: &values };
        namespace.follow("shop", &message, step).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[rstest]
#[case::postgres("postgres")]
#[case::sqlite("sqlite")]
fn a_stack_with_a_missing_class_can_be_created_again_with_another(#[case] database: &str) -> Result<()> {
    with_namespace("class", async |namespace| {
        let spec =
            |class: &str| format!("{{database: {{{database}: {{storage: {{storageClassName: {class}}}}}}}}}");
        namespace.apply("shop", &spec("golden")).await?;
        let message = namespace.until_not_ready("shop", Reason::StorageClassNotFound, "golden").await?;
        let step = Step::Run { after: "create the stack again", folder: Path::new("."), values: &[] };
        namespace.follow("shop", &message, step).await?;
        namespace.apply_and_wait("shop", &spec("standard")).await.map(drop)
    })
}

#[test]
fn a_foreign_object_is_reported_and_not_changed_while_other_stacks_work() -> Result<()> {
    with_namespace("taken", async |namespace| {
        let version = ["get", "service", "shop-api", "--output", "jsonpath={.metadata.resourceVersion}"];
        namespace.kubectl(&["create", "service", "clusterip", "shop-api", "--tcp=80:80"]).await?;
        let before = namespace.kubectl(&version).await?;
        let spec = "{database: {sqlite: {}}}";
        let watch = namespace.apply_and_watch_for("shop", spec, Symptom::Applied).await?;
        watch.diagnosed_as(Reason::NameConflict, "shop-api").await?;
        assert_eq!(namespace.kubectl(&version).await?, before);

        namespace.apply_and_wait("good", spec).await?;

        namespace.kubectl(&["delete", "service", "shop-api"]).await?;
        namespace.until_ready("shop").await.map(drop)
    })
}

#[test]
fn a_missing_default_storage_class_is_reported_with_the_field_to_set() -> Result<()> {
    with_namespace_alone("noclass", async |namespace| {
        without_default_class(&namespace.cluster, "storageclass", "standard", async || {
            let watch = namespace.apply_and_watch_for("shop", "{}", Symptom::Applied).await?;
            let message = watch.diagnosed_as(Reason::NoDefaultStorageClass, "storageClassName").await?;
            let step = Step::Run { after: "Annotate a default", folder: Path::new("."), values: &[] };
            namespace.follow("shop", &message, step).await?;
            namespace.until_ready("shop").await.map(drop)
        })
        .await
    })
}
